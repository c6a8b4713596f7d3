"""Captures of a crowd: connections that stay open with one exchange each, and a flood of SYNs between other frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from .wire import ACK, PSH, SYN, Half, octet_sum

_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
_RECORD = struct.Struct("<IIII")
_START_S = 1_767_225_600
_REQUEST = b"GET /one HTTP/1.1\r\nHost: shop.example\r\n\r\n"
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def left_open(path: Path, connections: int) -> int:
    """Write `connections` that are made, answer one request and stay open; the number of frames."""
    count = 0
    with path.open("wb") as out:
        out.write(_HEADER)
        for number in range(connections):
            octets = bytearray()
            for frame in _one(number):
                octets += _RECORD.pack(_START_S, 0, len(frame), len(frame)) + frame
                count += 1
            out.write(octets)
    return count


def _one(number: int) -> Iterator[bytes]:
    near = str(IPv4Address("10.1.0.2")), 1024 + number % 60_000
    far = str(IPv4Address("10.2.0.2") + number // 60_000), 8080
    gateway = Half(near, far, vlan=0, isn=number * 7919 & 0xFFFFFFFF, ttl=64)
    upstream = Half(far, near, vlan=0, isn=number * 104729 & 0xFFFFFFFF, ttl=64)
    yield _frame(gateway, SYN)
    yield _frame(upstream, SYN | ACK, answers=gateway)
    yield _frame(gateway, ACK, answers=upstream)
    yield _frame(gateway, PSH | ACK, _REQUEST)
    yield _frame(upstream, PSH | ACK, _RESPONSE, answers=gateway)
    yield _frame(gateway, ACK, answers=upstream)


def flooded(path: Path, out_path: Path, each: int) -> dict[int, int]:
    """Copy a capture with `each` SYNs of others behind every frame; the new number of each frame."""
    numbers: dict[int, int] = {}
    number = attacker = 0
    octets = path.read_bytes()
    at = len(_HEADER)
    with out_path.open("wb") as out:
        out.write(octets[:at])
        while at + _RECORD.size <= len(octets):
            record = octets[at : at + _RECORD.size]
            end = at + _RECORD.size + _RECORD.unpack(record)[2]
            number += 1
            numbers[len(numbers) + 1] = number
            out.write(octets[at:end])
            for _ in range(each):
                frame = _syn(attacker)
                out.write(record[:8] + _RECORD.pack(0, 0, len(frame), len(frame))[8:] + frame)
                attacker += 1
            number += each
            at = end
    return numbers


def _syn(number: int) -> bytes:
    near = str(IPv4Address("198.18.0.1") + number // 60_000), 1024 + number % 60_000
    return _frame(Half(near, ("10.2.0.2", 8080), vlan=0, isn=number * 7919 & 0xFFFFFFFF, ttl=50), SYN)


def _frame(sender: Half, flags: int, payload: bytes = b"", answers: Half | None = None) -> bytes:
    """The next frame of `sender`, which has received all that `answers` has sent."""
    if answers is not None:
        sender.ack = answers.seq
    seq = sender.seq
    sender.seq = (seq + len(payload) + (1 if flags & SYN else 0)) & 0xFFFFFFFF
    return sender.segment(0, seq, flags, payload, octet_sum(payload), 0, b"")
