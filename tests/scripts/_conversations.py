"""A slow and simple reader of captures, to tell what is in a benchmark capture without asking wire502.

It keeps whole streams in memory, puts octets where their sequence numbers say and splits them into HTTP messages
afterwards.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

import dpkt

FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass
class Seen:
    """One frame of a connection."""

    number: int
    time: float
    upward: bool  # from the gateway to the upstream
    seq: int
    ack: int
    flags: int
    payload: bytes


@dataclass
class Talk:
    """One connection: its endpoints as text and its frames."""

    gateway: str
    upstream: str
    frames: list[Seen] = field(default_factory=list)

    def stream(self, upward: bool, start: int | None = None) -> bytes:
        """The octets of one direction from sequence number `start` on, else from the SYN or the first octet."""
        own = [frame for frame in self.frames if frame.upward == upward]
        data = [frame for frame in own if frame.payload]
        if not data:
            return b""
        if start is None:
            syns = [frame.seq + 1 for frame in own if frame.flags & SYN]
            start = syns[0] if syns else data[0].seq
        octets = bytearray()
        for at, payload in sorted(((frame.seq - start + 2**31) % 2**32 - 2**31, frame.payload) for frame in data):
            if at < 0:
                continue
            assert at <= len(octets), "a hole that nothing fills"
            octets[at : at + len(payload)] = payload
        return bytes(octets)

    def from_upstream(self) -> bytes:
        """What answers the first request: without the tail of an earlier response where the capture begins in it."""
        if any(frame.flags & SYN for frame in self.frames):
            return self.stream(False)
        first = next(frame for frame in self.frames if frame.upward and frame.payload)
        return self.stream(False, first.ack)


def read(path: Path) -> list[Talk]:
    """All connections of a classic pcap; the gateway is the side with the ephemeral port."""
    talks: list[Talk] = []
    live: dict[frozenset[str], Talk] = {}
    with path.open("rb") as octets:
        for number, (time, frame) in enumerate(dpkt.pcap.Reader(octets), 1):
            ip = dpkt.ethernet.Ethernet(frame).data
            tcp = ip.data
            family = socket.AF_INET if len(ip.src) == 4 else socket.AF_INET6
            ends = [(socket.inet_ntop(family, a), p) for a, p in ((ip.src, tcp.sport), (ip.dst, tcp.dport))]
            source, target = (f"[{a}]:{p}" if family == socket.AF_INET6 else f"{a}:{p}" for a, p in ends)
            upward = tcp.dport < 32768
            key = frozenset((source, target))
            talk = live.get(key)
            starts = tcp.flags & (SYN | ACK) == SYN
            if talk is None or (starts and talk.frames[0].seq != tcp.seq):
                talk = live[key] = Talk(*((source, target) if upward else (target, source)))
                talks.append(talk)
            talk.frames.append(Seen(number, float(time), upward, tcp.seq, tcp.ack, tcp.flags, bytes(tcp.data)))
    return talks


def requests(octets: bytes) -> list[tuple[str, str]]:
    """Method and target of every request head in a gateway's stream."""
    found = []
    while octets:
        head, _, octets = octets.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        found.append((method, target))
        octets = octets[_length(head) or 0 :]
    return found


def answers(octets: bytes, methods: list[str], ended: bool) -> list[int]:
    """The statuses of the complete final responses that follow each other; `ended`: the upstream sent a FIN."""
    statuses: list[int] = []
    for method in methods:
        status, used = _answer(octets, method, ended)
        octets = octets[used:]
        while 100 <= status < 200:
            status, used = _answer(octets, method, ended)
            octets = octets[used:]
        if not status:
            break
        statuses.append(status)
    return statuses


def _answer(octets: bytes, method: str, ended: bool) -> tuple[int, int]:
    head, end, body = octets.partition(b"\r\n\r\n")
    parts = head.split(b" ")
    if not end or not head.startswith(b"HTTP/1.1 ") or not parts[1].isdigit():
        return 0, 0
    status, size = int(parts[1]), len(head) + 4
    if method == "HEAD" or status in (204, 304) or status < 200:
        return status, size
    if b"Transfer-Encoding: chunked" in head:
        used = _chunked(body)
        return (status, size + used) if used else (0, 0)
    length = _length(head)
    if length is None:
        return (status, len(octets)) if ended else (0, 0)
    return (status, size + length) if len(body) >= length else (0, 0)


def _chunked(body: bytes) -> int:
    """Octets of a complete chunked body, else 0."""
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        try:
            size = int(body[at:end], 16) if end > 0 else -1
        except ValueError:
            return 0
        if size < 0:
            return 0
        if size == 0:
            last = body.find(b"\r\n\r\n", at)
            return last + 4 if last >= 0 else 0
        at = end + 2 + size
        if body[at : at + 2] != b"\r\n":
            return 0
        at += 2


def _length(head: bytes) -> int | None:
    for line in head.split(b"\r\n"):
        if line.startswith(b"Content-Length: "):
            return int(line[16:])
    return None
