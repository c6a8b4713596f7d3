"""Blocks of pcapng other than the usual packet."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import pytest

from tests.capture.octets import SECOND, Row, expected, numbered, pcapng, read, rows
from wire502.capture import PcapngWriter, open_source
from wire502.model.capture_info import DropReport

TLS_KEY_LOG = 0x544C534B


def written(*, big: bool = False) -> tuple[io.BytesIO, PcapngWriter]:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, big=big)
    writer.interface(name="eth0")
    return stream, writer


def order(big: bool) -> str:
    return ">" if big else "<"


@pytest.mark.parametrize("big", [False, True])
def test_sections(big: bool) -> None:
    """Each section has its own byte order and its own interfaces; frames are numbered through."""
    octets = (
        pcapng(numbered(2), big=big) + pcapng(numbered(1), big=not big, resolution=6) + pcapng(numbered(1), big=big)
    )
    with open_source(io.BytesIO(octets)) as source:
        found = rows(source)
        assert source.damage is None
        assert [(row.frame, row.interface) for row in found] == [(1, 0), (2, 0), (3, 1), (4, 2)]
        assert [row.ts_ns for row in found] == [frame.ts_ns for frame in (*numbered(2), *numbered(1), *numbered(1))]
        assert [one.nanoseconds for one in source.interfaces] == [True, False, True]


@pytest.mark.parametrize("big", [False, True])
def test_simple_packet(big: bool) -> None:
    """A simple packet has the first interface, the time of the packet before it, and what its block holds of it."""
    stream, writer = written(big=big)
    writer.write(0, 5 * SECOND, b"before")
    writer.block(3, struct.pack(order(big) + "I", 5) + b"exact")
    writer.block(3, struct.pack(order(big) + "I", 500) + b"cut")
    found, damage = read(stream.getvalue())
    assert damage is None
    assert found[1] == Row(2, 5 * SECOND, b"exact", 5)
    # the padding cannot be told from the packet, since only the length on the wire is written down
    assert found[2] == Row(3, 5 * SECOND, b"cut\0", 500)


def test_simple_packet_cut_by_the_snap_length() -> None:
    """The snap length of its interface says how much of a simple packet was captured."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface(snaplen=2)
    writer.block(3, struct.pack("<I", 500) + b"ab")
    assert read(stream.getvalue())[0] == [Row(1, 0, b"ab", 500)]


@pytest.mark.parametrize("big", [False, True])
def test_obsolete_packet(big: bool) -> None:
    """An obsolete packet block is read like an enhanced one, its drop counter too."""
    stream, writer = written(big=big)
    writer.interface(113)
    body = struct.pack(order(big) + "HHIIII", 1, 3, 0, 77, 5, 60) + b"hello"
    writer.block(2, body)
    writer.block(2, struct.pack(order(big) + "HHIIII", 0, 0xFFFF, 0, 78, 1, 1) + b"x")
    with open_source(io.BytesIO(stream.getvalue()), file=2) as source:
        assert rows(source) == [Row(1, 77, b"hello", 60, 1), Row(2, 78, b"x", 1, 0)]
        assert source.drops == [DropReport(2, 1, 77, 77, 3)]


@pytest.mark.parametrize("big", [False, True])
def test_drops(big: bool) -> None:
    """Counters of drops run from the start; each report holds what was lost since the report before it."""
    stream, writer = written(big=big)
    writer.interface()
    writer.statistics(0, 10, dropped=0, received=5)
    writer.write(0, 15, b"x", drops=4)
    writer.statistics(0, 20, dropped=2, dropped_by_system=5)
    writer.statistics(1, 25, start_ns=3, dropped=1, comment="busy")
    writer.statistics(0, 30, dropped=2, dropped_by_system=5)
    writer.statistics(0, 40, dropped=3, dropped_by_system=5)
    with open_source(io.BytesIO(stream.getvalue()), file=1) as source:
        assert len(rows(source)) == 1
        assert source.drops == [
            DropReport(1, 0, 15, 15, 4),
            DropReport(1, 0, 10, 20, 7),
            DropReport(1, 1, 3, 25, 1),
            DropReport(1, 0, 30, 40, 1),
        ]
        assert [tuple(comment) for comment in source.comments] == [("statistics", 1, "busy")]


def test_drops_since_the_start() -> None:
    """The first report of an interface that names no start reaches back to the start of the capture."""
    stream, writer = written()
    writer.statistics(0, 20, dropped=2)
    with open_source(io.BytesIO(stream.getvalue())) as source:
        assert rows(source) == []
        assert source.drops == [DropReport(0, 0, None, 20, 2)]


def test_secrets_are_there_before_their_packets() -> None:
    """Decryption secrets are known when the first packet behind them is returned."""
    stream, writer = written()
    writer.secrets(TLS_KEY_LOG, b"CLIENT_RANDOM 00 01\n")
    writer.write(0, 1, b"x")
    with open_source(io.BytesIO(stream.getvalue())) as source:
        source.read_batch()
        assert [tuple(secret) for secret in source.secrets] == [(TLS_KEY_LOG, b"CLIENT_RANDOM 00 01\n")]


COUNTED = [9, 0x204, 0x216, 0x221, 0xBAD, 0x40000BAD]
SKIPPED = [4, 7, 8, 11, 0x201, 0x222, 0x7777, 0x80000001, 0xFFFFFFFF]


@pytest.mark.parametrize("kind", COUNTED + SKIPPED)
def test_other_blocks(kind: int) -> None:
    """Other blocks are passed over; those with a frame number in Wireshark use one up."""
    stream, writer = written()
    writer.write(0, 1, b"x")
    writer.block(kind, b"anything at all")
    writer.write(0, 2, b"y")
    found, damage = read(stream.getvalue())
    assert damage is None
    assert [row.frame for row in found] == [1, 3 if kind in COUNTED else 2]


def test_frame_numbers_are_those_of_tshark(tshark: str, tmp_path: Path) -> None:
    """Frames keep the numbers of tshark in a file with blocks of every kind."""
    stream, writer = written()
    for kind in (*COUNTED, *SKIPPED):
        body = struct.pack("<IHQIHI", 0, 0, 1, 1, 1, 34) + bytes(40)
        if kind in (9, 0xBAD, 0x40000BAD):
            body = b"__REALTIME_TIMESTAMP=1\nA=b\n\n" if kind == 9 else struct.pack("<I", 32473) + b"abcd"
        if kind in (0x204, 0x216, 0x221):
            body = struct.pack("<HQQIHI", 0, 1, 1, 34, 1, 1) + bytes(20)
        if kind == 4:
            body = bytes(4)
        writer.block(kind, body)
        writer.write(0, kind, bytes(14) + struct.pack("<I", kind) + bytes(40))
    path = tmp_path / "blocks.pcapng"
    path.write_bytes(stream.getvalue())
    output = subprocess.run(
        [tshark, "-n", "-r", path, "-Y", "frame.cap_len == 58", "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    found, damage = read(stream.getvalue())
    assert damage is None
    assert [row.frame for row in found] == [int(line) for line in output.split()]


def test_odd_block_length() -> None:
    """A block whose length is no multiple of four ends at the next multiple."""
    stream, writer = written()
    octets = stream.getvalue() + struct.pack("<II", 0x7777, 17) + b"abcde\0\0\0" + struct.pack("<I", 17)
    start = len(stream.getvalue())
    writer.write(0, 1, b"x")
    assert read(octets + stream.getvalue()[start:]) == ([Row(1, 1, b"x", 1)], None)


def test_time_beyond_all_clocks() -> None:
    """Times beyond 2116, and far before 1970, are kept within 62 bits, so that differences cannot overflow."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    for resolution in (0, 9, 0x80, 0x80 + 127, 127):
        writer.interface(resolution=resolution)
    for offset in (-(2**63), 2**63 - 1, -(2**40)):
        writer.block(1, struct.pack("<HHIHHqHHII", 1, 0, 0, 14, 8, offset, 9, 1, 6, 0))
    for interface in range(8):
        writer.block(6, struct.pack("<IIIII", interface, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0))
        writer.block(6, struct.pack("<IIIII", interface, 0, 0, 0, 0))
    found, damage = read(stream.getvalue())
    assert damage is None
    far = 1 << 62
    assert [row.ts_ns for row in found] == [far, 0, far, 0, far, 0, 0, 0, 0, 0, -far, -far, far, far, far, -far]


def test_section_length_is_ignored() -> None:
    """A wrong section length harms nothing."""
    octets = bytearray(pcapng(numbered(2)))
    octets[16:24] = struct.pack("<q", 8)
    assert read(bytes(octets)) == (expected(numbered(2)), None)
