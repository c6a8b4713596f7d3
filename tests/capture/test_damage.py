"""Broken captures: everything before the damage is read, and the damage is said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.octets import Frame, expected, numbered, pcap, pcapng, read, rows
from wire502.capture import PcapngWriter, open_source
from wire502.errors import CaptureError

FRAMES = [Frame(10**18 + index, bytes([index]) * (index * 7), index * 7 + 5) for index in range(6)]


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_cut_anywhere(make: object) -> None:
    """A capture cut at any octet gives the frames before the cut, and is damaged unless cut between two records."""
    whole = make(FRAMES)  # type: ignore[operator]
    ends = {len(make(FRAMES[:count])): count for count in range(len(FRAMES) + 1)}  # type: ignore[operator]
    first = min(ends)
    for cut in range(first if make is pcap else first - 32, len(whole) + 1):
        found, damage = read(whole[:cut])
        count = max((number for end, number in ends.items() if end <= cut), default=0)
        assert found == expected(FRAMES[:count])
        if cut in ends or cut == first - 32:
            assert damage is None
        else:
            assert damage is not None
            assert "cut short" in damage.reason
            assert damage.offset <= cut
            assert damage.way_out


@pytest.mark.parametrize("length", [262_145, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_absurd_length(length: int) -> None:
    """A record longer than any frame ends the reading at its offset; it is neither believed nor allocated."""
    good = pcap(FRAMES)
    found, damage = read(good + struct.pack("<IIII", 1, 2, length, 60) + bytes(100) + pcap(FRAMES)[24:])
    assert found == expected(FRAMES)
    assert damage is not None
    assert damage.offset == len(good)
    assert str(length) in damage.reason


def test_snaplen_allows_more() -> None:
    """A file header that announces longer records is believed up to a point."""
    frame = Frame(0, bytes(300_000), 300_000)
    assert read(pcap([frame]))[0] == []
    header = bytearray(pcap([frame]))
    header[16:20] = struct.pack("<I", 400_000)
    assert read(bytes(header)) == (expected([frame]), None)


def test_file_too_small_for_its_record(tmp_path: object) -> None:
    """A length that the file cannot hold costs no memory and is said to be a cut."""
    path = tmp_path / "usb.pcap"  # type: ignore[operator]
    path.write_bytes(pcap(FRAMES, linktype=189) + struct.pack("<IIII", 1, 2, 100 << 20, 100 << 20) + bytes(50))
    with open_source(path) as source:
        assert len(rows(source)) == len(FRAMES)
        assert source.damage is not None
        assert "cut short" in source.damage.reason
        assert len(source._data) <= 256 * 1024


def block(kind: int, body: bytes, length: int | None = None, trailer: int | None = None) -> bytes:
    size = len(body) + 12 if length is None else length
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size if trailer is None else trailer)


PACKET = struct.pack("<IIIII", 0, 0, 1, 4, 4) + b"abcd"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (block(6, PACKET, trailer=7), "two lengths"),
        (block(6, PACKET, length=8), "8 octets long"),
        (block(6, PACKET, length=0xFFFFFFFC), "octets long"),
        (block(6, PACKET[:16]), "too short"),
        (block(3, b""), "too short"),
        (block(6, struct.pack("<IIIII", 7, 0, 1, 4, 4) + b"abcd"), "interface 7"),
        (block(6, struct.pack("<IIIII", 0, 0, 1, 9, 9) + b"abcd"), "room for 4"),
        (block(6, struct.pack("<IIIII", 0, 0, 1, 0xFFFFFFFF, 9) + b"abcd"), "more than any frame"),
        (block(6, PACKET + struct.pack("<HH", 1, 400) + b"text"), "beyond its block"),
        (block(2, struct.pack("<HHIIII", 3, 0, 0, 1, 4, 4) + b"abcd"), "interface 3"),
        (block(1, b"\1\0\0\0"), "too short"),
        (block(1, struct.pack("<HHIHH", 1, 0, 0, 2, 99) + b"eth0"), "beyond its block"),
        (block(5, bytes(8)), "too short"),
        (block(5, struct.pack("<III", 4, 0, 0)), "interface 4"),
        (block(10, struct.pack("<II", 1, 90) + b"abcd"), "longer than their block"),
        (block(10, b"abcd"), "too short"),
        (block(0x0A0D0D0A, b"abcd" + bytes(12)), "byte-order mark"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)), "version 2.0"),
        (block(0x0A0D0D0A, struct.pack("<IHH", 0x1A2B3C4D, 1, 0)), "too short"),
    ],
)
def test_bad_block(broken: bytes, words: str) -> None:
    """A block that contradicts itself or its section ends the reading at its offset, with the reason."""
    good = pcapng(FRAMES)
    found, damage = read(good + broken + block(6, PACKET))
    assert found == expected(FRAMES)
    assert damage is not None
    assert damage.offset == len(good)
    assert words in damage.reason


def test_damage_before_the_first_frame() -> None:
    """Where no frame came before the damage, nothing is promised to be saved."""
    _, damage = read(pcapng([]) + block(6, PACKET, trailer=7))
    assert damage is not None
    assert "no frame" in damage.way_out


def test_too_many_interfaces() -> None:
    """Interface descriptions without end do not fill the memory."""
    octets = pcapng([]) + block(1, struct.pack("<HHI", 1, 0, 0)) * 70_000
    _, damage = read(octets)
    assert damage is not None
    assert "65536 interfaces" in damage.reason


def test_what_is_kept_is_bounded() -> None:
    """Comments, secrets and drop counters without end do not fill the memory."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface()
    for turn in range(6_000):
        writer.write(0, turn, b"", comments=["c" * 2_000])
        writer.secrets(1, bytes(5_000))
        writer.statistics(0, turn, dropped=turn)
    with open_source(io.BytesIO(stream.getvalue())) as source:
        assert len(rows(source)) == 6_000
        assert sum(len(comment.text) for comment in source.comments) <= 4 << 20
        assert sum(len(secret.octets) for secret in source.secrets) <= 16 << 20
        assert len(source.drops) <= 4_096
        assert sum(drop.count for drop in source.drops) == 5_999


@given(
    st.sampled_from([pcap(FRAMES), pcap(FRAMES, big=True), pcapng(FRAMES), pcapng(FRAMES, big=True)]),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 20),
)
def test_mutations(octets: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    """Whatever octets are changed, reading ends without an error, and frames before the first change are whole."""
    mutated = bytearray(octets[: len(octets) - cut])
    for at, value in changes:
        mutated[at : at + len(value)] = value
    try:
        found, _damage = read(bytes(mutated))
    except CaptureError:
        return
    same = next((at for at, pair in enumerate(zip(octets, mutated, strict=False)) if pair[0] != pair[1]), len(mutated))
    untouched = [row for row in expected(FRAMES) if octets.find(row.octets) + len(row.octets) + 8 < same and row.octets]
    assert {row.octets for row in untouched} <= {row.octets for row in found}


@given(st.binary(max_size=300), st.sampled_from([b"", pcap([]), pcapng([])]))
def test_noise(noise: bytes, begin: bytes) -> None:
    """Random octets, alone or behind a sound header, end in an error or in damage, never in anything else."""
    try:
        _, damage = read(begin + noise)
        message = damage.reason if damage else ""
    except CaptureError as error:
        message = str(error)
    assert "\n" not in message


def test_read_after_the_end() -> None:
    """The end stays the end, clean or not."""
    for octets in (pcap(FRAMES), pcap(FRAMES)[:-1]):
        source = open_source(io.BytesIO(octets))
        rows(source)
        before = source.damage
        assert source.read_batch() is None
        assert source.damage == before
        source.close()
        assert source.read_batch() is None
        source.close()


def test_zero_octets_at_the_end() -> None:
    """Numbers of frames stay those of the file whatever they hold."""
    found, damage = read(pcap(numbered(3)) + bytes(32))
    assert [row.frame for row in found] == [1, 2, 3, 4, 5]
    assert damage is None


@pytest.mark.parametrize(
    ("name", "form", "command"),
    [
        ("a.pcap", "", "editcap {} whole.pcapng"),
        ("two words; rm.pcap", "", "editcap '{}' whole.pcapng"),
        ("a.gz", "gzip", "gzip -dc {} | editcap - whole.pcapng"),
        ("a.bz2", "bzip2", "bzip2 -dc {} | editcap - whole.pcapng"),
        ("a.xz", "xz", "xz -dc {} | editcap - whole.pcapng"),
    ],
)
def test_way_out_can_be_pasted(name: str, form: str, command: str, tmp_path: Path) -> None:
    """What saves the sound part is a command that works for this name and compression, and the offset says of what."""
    compress = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "": bytes}[form]
    path = tmp_path / name
    path.write_bytes(compress(pcap(numbered(5))[:-1]))
    with open_source(path) as source:
        assert len(rows(source)) == 4
        assert source.damage is not None
        assert source.damage.way_out.endswith(command.format(path))
        assert ("decompressed" in source.damage.reason) == bool(form)


def test_way_out_of_an_input_without_a_name() -> None:
    """A stream is called FILE in the commands that are advised."""
    _, damage = read(pcap(numbered(5))[:-1])
    assert damage is not None
    assert damage.way_out.endswith("editcap FILE whole.pcapng")
    with pytest.raises(CaptureError, match=r"editcap -F pcap FILE out\.pcap"):
        open_source(io.BytesIO(b"snoop\0\0\0" + bytes(100)))
