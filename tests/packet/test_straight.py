"""The straight way through the usual frame gives what the way for all frames gives."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packet.batches import Captured, decode
from tests.packet.crafted import EVERY, PAYLOAD
from wire502 import _build
from wire502.packet import PacketStage, numbers
from wire502.packet.decode_cy import Decoder

TIMESTAMP = bytes.fromhex("0101080a0102030405060708")
OPTIONS = (
    b"",
    TIMESTAMP,
    bytes.fromhex("020405b40402080a000000010000000001030307"),
    bytes.fromhex("020405b4"),
    TIMESTAMP + bytes.fromhex("0101050a0000000100000002"),
    b"\x01\x01\x08\x0b" + bytes(8),
    b"\x00" * 12,
)
compiled = pytest.mark.skipif(
    not _build.compiled_kernels()["wire502.packet.decode_cy"], reason="uncompiled there is one way only"
)


def stage(*, straight: bool) -> PacketStage:
    """Return a packet stage with or without the straight way."""
    made = PacketStage()
    made._decoder = Decoder(4096, straight=straight)
    made._decoder.reassembler = made._reassembler
    return made


def outcome(frames: list[Captured], *, straight: bool) -> tuple[list[dict[str, Any]], list[str], list[Any]]:
    """Return all that can be said of *frames* read so: rows, rare frames, counters."""
    decoded = decode(frames, b"\xee" * 60, stage=stage(straight=straight))
    first = decoded.stage._decoder
    counters = [first.frames, first.octets, first.latest_ns, first.segments, first.rare, first.fragments]
    counters += [first.non_tcp, first.malformed, first.cut, first.unsupported]
    return decoded.rows, [repr(record) for record in decoded.rare], counters


def frame(chance: random.Random) -> bytes:
    """Return an Ethernet frame that is usual but for what *chance* makes odd."""
    odd = chance.random() < 0.3
    options = chance.choice(OPTIONS)
    size = 20 + len(options)
    flags = chance.choice((0x10, 0x18, 0x02, 0x12, 0x04, 0x1FF))
    tcp = struct.pack(">HHIIHHHH", 40000, 80, 0xFFFFFFF0, 77, size // 4 << 12 | flags, 502, 0, 0) + options
    tcp += PAYLOAD[: chance.choice((0, 3, len(PAYLOAD)))]
    if chance.random() < 0.6:
        fragment = chance.choice((0, 0x2000, 0x4001, 0x8000)) if odd else chance.choice((0, 0x4000))
        total = 20 + len(tcp) + (chance.choice((-40, -21, -1, 1, 1400)) if odd else 0)
        ends = bytes((10, 1, 2, 3, 10, 4, 5, 6))
        kind, ip = 0x0800, struct.pack(">BBHHHBBH", 0x45, 0, max(total, 0), 4711, fragment, 61, 6, 0) + ends
    else:
        total = chance.choice((0, len(tcp) - 4, len(tcp) + 9)) if odd else len(tcp)
        kind, ip = 0x86DD, struct.pack(">IHBB", 0x60000000, total, 6, 62) + bytes(range(32))
    tags = chance.choice((b"", b"", struct.pack(">HH", 0x8100, 0xE064), struct.pack(">HHHH", 0x88A8, 5, 0x8100, 6)))
    return bytes(12) + tags + struct.pack(">H", kind) + ip + tcp + bytes(chance.choice((0, 0, 6)))


def capture(seed: int) -> list[Captured]:
    """Return frames, most of them usual, some changed in some octets, cut, or of another kind altogether."""
    chance = random.Random(seed)
    frames = []
    for _ in range(chance.randrange(1, 12)):
        if chance.random() < 0.15:
            frames.append(chance.choice(list(EVERY.values())))
            continue
        octets = bytearray(frame(chance))
        whole = len(octets)
        if chance.random() < 0.3:
            for _ in range(chance.randrange(1, 4)):
                octets[chance.randrange(12, min(whole, 90))] = chance.choice(
                    (0, 1, 6, 0x45, 0x60, chance.randrange(256))
                )
        if chance.random() < 0.2:
            del octets[chance.randrange(whole) :]
        length = chance.choice((None, whole, whole + 3000, 20))
        frames.append(Captured(bytes(octets), chance.choice((1, 1, 1, 101)), length, chance.choice((0, 0, 1, 2, 3))))
    return frames


@compiled
@given(st.integers(0, 2**32))
def test_both_ways_agree(seed: int) -> None:
    """Rows, rare frames and counters are the same with the straight way and without it."""
    frames = capture(seed)
    assert outcome(frames, straight=True) == outcome(frames, straight=False)


def test_what_is_compared_is_usual() -> None:
    """Of the frames that are compared more than half become segments, with and without tag, of both IP versions."""
    rows = [row for seed in range(60) for row in outcome(capture(seed), straight=False)[0]]
    count = sum(len(capture(seed)) for seed in range(60))
    assert len(rows) > count / 2
    for kind in (0x0, 0x1000):
        for lane in (False, True):
            assert sum(row["flags"] & 0x1000 == kind and bool(row["lane"]) == lane for row in rows) > 10
    assert {row["mss"] for row in rows} >= {0, 1460}


@given(st.binary(min_size=12, max_size=12), st.integers(0, 4))
def test_numbers_are_in_network_order(octets: bytes, at: int) -> None:
    """The Python form of the numbers is that of ``struct``."""
    assert numbers.u16(octets, at) == struct.unpack_from(">H", octets, at)[0]
    assert numbers.u32(octets, at) == struct.unpack_from(">I", octets, at)[0]
    assert numbers.u64(octets, at) == struct.unpack_from(">Q", octets, at)[0]
