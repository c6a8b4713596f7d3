"""Captures of a gateway's upstream leg alone, and of the same run with the client leg: what joining costs.

Every exchange of the upstream leg is one of the client leg, with the same target; one in a hundred is reset upstream
and answered 502. Kept as simple as it can be: connections of twenty exchanges, eight at a time, one segment a message.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

EXCHANGES = 20  # of a connection that nothing fails on
AT_ONCE = 8  # connections of each leg
FAILED = 100  # one in so many
CLIENT, GATEWAY, UPSTREAM = bytes([10, 0, 9, 9]), bytes([10, 0, 0, 1]), bytes([10, 0, 1, 2])
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_US = 1_700_000_000_000_000
STEP_US = 20

Frame = tuple[bool, bytes]  # of the client leg, octets
_ETHERNET = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])


class _Talk:
    """One connection: its numbers."""

    def __init__(self, client_leg: bool, port: int) -> None:
        self.client_leg = client_leg
        ends = (CLIENT, 80) if client_leg else (GATEWAY, 8080)
        self.opener = (ends[0], port)
        self.acceptor = (GATEWAY if client_leg else UPSTREAM, ends[1])
        self.seq = [port * 1000, port * 1000 + 500]
        self.done = 0

    def frame(self, side: int, flags: int, payload: bytes = b"") -> Frame:
        """Return one segment of a side (0 the opener)."""
        source, target = (self.opener, self.acceptor) if side == 0 else (self.acceptor, self.opener)
        seq, acks = self.seq[side], self.seq[1 - side] if flags & ACK else 0
        tcp = struct.pack(
            ">HHIIBBHHH", source[1], target[1], seq & 0xFFFFFFFF, acks & 0xFFFFFFFF, 80, flags, 65535, 0, 0
        )
        size = 20 + len(tcp) + len(payload)
        ip = struct.pack(">BBHHHBBH4s4s", 69, 0, size, 0, 0x4000, 64, 6, 0, source[0], target[0])
        self.seq[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        return self.client_leg, _ETHERNET + ip + tcp + payload

    def begin(self) -> Iterator[Frame]:
        """Yield the handshake."""
        yield self.frame(0, SYN)
        yield self.frame(1, SYN | ACK)
        yield self.frame(0, ACK)

    def end(self) -> Iterator[Frame]:
        """Yield a close by both."""
        yield self.frame(0, FIN | ACK)
        yield self.frame(1, FIN | ACK)
        yield self.frame(0, ACK)


def write(path: Path, exchanges: int, *, both: bool) -> int:
    """Write so many exchanges on each leg (with *both* false on the upstream leg alone); return how many failed."""
    failures = 0
    time_us = START_US
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for failed, (client_leg, octets) in _frames(exchanges):
            failures += failed
            time_us += STEP_US
            if both or not client_leg:
                head = struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(octets), len(octets))
                out.write(head + octets)
    return failures


def _frames(exchanges: int) -> Iterator[tuple[bool, Frame]]:
    """Yield the frames of a run, each with whether it is the one that a failure is told at."""
    port = 10_000
    fronts: list[_Talk | None] = [None] * AT_ONCE
    backs: list[_Talk | None] = [None] * AT_ONCE
    for number in range(exchanges):
        lane = number % AT_ONCE
        for talks, client_leg in ((fronts, True), (backs, False)):
            if talks[lane] is None:
                port = port + 1 if port < 60_000 else 10_000
                made = talks[lane] = _Talk(client_leg, port)
                yield from ((False, frame) for frame in made.begin())
        front, back = fronts[lane], backs[lane]
        if front is None or back is None:
            raise RuntimeError("a lane without connections")
        yield from _exchange(number, front, back)
        if number % FAILED == FAILED - 1:
            backs[lane] = None
        for talks in (fronts, backs):
            talk = talks[lane]
            if talk is not None and talk.done >= EXCHANGES:
                yield from ((False, frame) for frame in talk.end())
                talks[lane] = None


def _exchange(number: int, front: _Talk, back: _Talk) -> Iterator[tuple[bool, Frame]]:
    head = b"GET /item/%d HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\nX-Forwarded-For: 10.0.9.9\r\n\r\n" % number
    good = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n\r\n" + bytes(64)
    front.done += 1
    back.done += 1
    yield False, front.frame(0, PSH | ACK, head)
    yield False, back.frame(0, PSH | ACK, head)
    if number % FAILED == FAILED - 1:
        yield True, back.frame(1, RST | ACK)
        yield False, front.frame(1, PSH | ACK, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    else:
        yield False, back.frame(1, PSH | ACK, good)
        yield False, back.frame(0, ACK)
        yield False, front.frame(1, PSH | ACK, good)
    yield False, front.frame(0, ACK)
