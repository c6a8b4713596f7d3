"""Inputs are recognised by what they hold; whatever is no capture is refused in one line that helps."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.capture.octets import Frame, expected, numbered, pcap, pcapng, read, rows
from wire502.capture import open_source
from wire502.errors import CaptureError, SettingError, Wire502Error

ERF_RECORD = struct.pack("<II", 0, 1_700_000_000) + bytes([2, 4]) + struct.pack(">HHH", 80, 0, 60) + bytes(64)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is empty: no capture header"),
        (
            b"snoop\0\0\0" + struct.pack(">II", 2, 4) + bytes(100),
            "is a snoop capture (convert it with: editcap -F pcap",
        ),
        (b"btsnoop\0" + bytes(60), "btsnoop"),
        (ERF_RECORD * 3, "looks like an ERF capture"),
        (b"GMBU" + bytes(200), "Network Monitor 2"),
        (b"PK\x03\x04" + bytes(60), "zip archive (unpack it)"),
        (bytes(257) + b"ustar" + bytes(200), "tar archive"),
        (b"\x1f\x9d\x90" + bytes(60), "uncompress"),
        (b"10:00:01.123 IP 10.0.0.1.4242 > 10.0.0.2.80: Flags [S]\n" * 3, "is text"),
        ("Grüße".encode()[:-1], "is text"),
        (b"\x80\x81\x82\x83" * 10, "begins with 80 81 82 83"),
        (b"\x0a\x0d\x0d\x0a" + bytes(60), "neither pcap nor pcapng"),
        (pcap([])[:23], "cut short inside its file header"),
        (pcapng([])[:27], "cut short inside its section header"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 1, 0, 0, 0, 0, 1) + bytes(40), "version 1.0"),
        (struct.pack("<IIIHHq", 0x0A0D0D0A, 28, 0x1A2B3C4D, 0, 1, -1) + struct.pack("<I", 28), "version 0.1"),
        (struct.pack("<IIIHHq", 0x0A0D0D0A, 8, 0x1A2B3C4D, 1, 0, -1) + struct.pack("<I", 8), "octet 4: "),
        (struct.pack("<IIIHHq", 0x0A0D0D0A, 1 << 30, 0x1A2B3C4D, 1, 0, -1) + struct.pack("<I", 8), "octets long"),
        (
            struct.pack("<IIIHHqHH", 0x0A0D0D0A, 32, 0x1A2B3C4D, 1, 0, -1, 4, 12336) + struct.pack("<I", 32),
            "option 4 of the section header is 12336 octets",
        ),
    ],
)
def test_no_capture(octets: bytes, words: str, tmp_path: Path) -> None:
    """What is no capture is named, with the file and the way out, from a file and from a stream alike."""
    path = tmp_path / "odd.pcap"
    path.write_bytes(octets)
    with pytest.raises(CaptureError) as caught:
        open_source(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert words in text
    assert "\n" not in text
    with pytest.raises(CaptureError):
        open_source(io.BytesIO(octets))


def test_nothing_there(tmp_path: Path) -> None:
    """A missing file, a directory and an impossible name are told apart."""
    for path, words in (
        (tmp_path / "none.pcap", "does not exist"),
        (tmp_path, "is a directory"),
        ("a\0b", "cannot be opened"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(CaptureError, match=words):
            open_source(path)


def test_permission_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the system says what captures made by root need."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(CaptureError, match=r"may not be read by this user .*chmod"):
        open_source("some.pcap")


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def test_files_are_closed_on_errors(tmp_path: Path) -> None:
    """A refused file is not left open."""
    path = tmp_path / "odd.pcap"
    path.write_bytes(b"text\n" * 20)
    before = descriptors()
    for _ in range(20):
        with pytest.raises(CaptureError):
            open_source(path)
    after = descriptors()
    assert after == before


def test_by_magic_not_by_name(tmp_path: Path) -> None:
    """The name of a file says nothing about its format."""
    for name, octets, form in (("a.pcapng", pcap(numbered(2)), "pcap"), ("a.txt", pcapng(numbered(2)), "pcapng")):
        path = tmp_path / name
        path.write_bytes(octets)
        with open_source(str(path)) as source:
            assert source.format == form
            assert rows(source) == expected(numbered(2))
            assert source.bytes_read == source.size == len(octets)
            assert source.frames == 2


def test_valid_but_empty() -> None:
    """A header without any frame is an empty capture, not an error."""
    assert read(pcap([])) == ([], None)
    assert read(pcapng([])) == ([], None)


def test_frame_check_sequence_bits() -> None:
    """What stands above the link type in its field is not taken for part of it."""
    octets = bytearray(pcap(numbered(1)))
    octets[20:24] = struct.pack("<I", 0x24000001)
    with open_source(io.BytesIO(bytes(octets))) as source:
        assert source.interfaces[0].linktype == 1


def test_modified_pcap() -> None:
    """The modified format with its longer record headers is read, in either byte order."""
    for order in "<>":
        octets = struct.pack(order + "IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
        for second in (7, 8):
            octets += struct.pack(order + "IIIIIHBB", second, 5, 3, 60, 2, 0x800, 4, 0) + b"abc"
        found, damage = read(octets)
        assert [(row.frame, row.ts_ns, row.octets, row.length) for row in found] == [
            (1, 7_000_005_000, b"abc", 60),
            (2, 8_000_005_000, b"abc", 60),
        ]
        assert damage is None


@pytest.mark.parametrize(("minor", "first", "second"), [(2, 60, 3), (3, 60, 3), (3, 3, 60), (4, 3, 60)])
def test_swapped_lengths(minor: int, first: int, second: int) -> None:
    """Versions before 2.4 wrote the two lengths of a record the other way round, or might have."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, minor, 0, 0, 65535, 1)
    octets += struct.pack("<IIII", 1, 0, first, second) + b"abc"
    found, _ = read(octets)
    assert [(row.octets, row.length) for row in found] == [(b"abc", 60)]


def test_length_beyond_31_bits() -> None:
    """A length on the wire that does not fit its column is the largest that does."""
    found, _ = read(pcap([Frame(0, b"ab", 0xFFFFFFFF)]))
    assert found[0].length == 0x7FFFFFFF


def test_errors_are_one_family() -> None:
    """Every error of wire502 can be caught as one, and prints file, octet, reason and way out."""
    assert issubclass(CaptureError, Wire502Error)
    assert issubclass(SettingError, Wire502Error)
    assert str(CaptureError("a.pcap", 0, "is odd")) == "a.pcap: is odd"
    assert str(CaptureError("a.pcap", 9, "is odd", "mend it")) == "a.pcap: octet 9: is odd (mend it)"
    assert CaptureError("a.pcap", 9, "is odd", "mend it").args == ("a.pcap", 9, "is odd", "mend it")
