"""Captures made to hurt: each is cheap to send and asks for as much work or memory as one frame can.

A maker takes a number of frames and yields (time in ns, octets) on Ethernet; it makes no more frames than asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scripts._fuzz import packets
from scripts._fuzz.packets import ACK, FIN, MACS, PSH, RST, START_NS, SYN, ipv4, ipv6, tcp

Frames = Iterator[tuple[int, bytes]]
_ETHERNET4 = MACS + b"\x08\0"
_ETHERNET6 = MACS + b"\x86\xdd"
CLIENT, SERVER = 0x0A000001, 0x0A000002
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
US = 1000
S = 10**9


@dataclass(slots=True, frozen=True)
class Hurt:
    """One capture: *most* frames make its point, more would only repeat it."""

    name: str
    what: str
    make: Callable[[int], Frames]
    most: int = 1_000_000


class Line:
    """One connection, cheap: next sequence numbers and a clock."""

    def __init__(self, number: int = 0, port: int = 8080, now: int = START_NS, step: int = 10 * US) -> None:
        self.ends = (CLIENT + (number >> 14 << 8), 1024 + (number & 0x3FFF) * 3), (SERVER, port)
        self.seq = [1000 + number * 65_537, 5000 + number * 65_539]
        self.now = now
        self.step = step

    def frame(self, side: int, flags: int, payload: bytes = b"", *, seq: int | None = None,
              ack: int | None = None, window: int = 64240) -> tuple[int, bytes]:  # fmt: skip
        """Return a segment; without *seq* it is the next one."""
        me, peer = self.ends[side], self.ends[1 - side]
        self.now += self.step
        at = self.seq[side] if seq is None else seq
        octets = tcp(me[1], peer[1], at, self.seq[1 - side] if ack is None else ack, flags, payload, window=window)
        if seq is None:
            self.seq[side] += len(payload) + bool(flags & (SYN | FIN))
        return self.now, _ETHERNET4 + ipv4(me[0], peer[0], octets, ip_id=self.now // self.step)

    def open(self) -> Frames:
        """SYN, SYN-ACK, ACK."""
        yield self.frame(0, SYN, ack=0)
        yield self.frame(1, SYN | ACK)
        yield self.frame(0, ACK)


def _each(count: int, flags: int, payload: bytes, spread_ns: int = US) -> Frames:
    """One packet of each of *count* connections."""
    for number in range(count):
        octets = tcp(1024 + number % 60000, 8080, 0x10001 * number + 1, 1, flags, payload)
        yield START_NS + number * spread_ns, _ETHERNET4 + ipv4(CLIENT + number // 60000, SERVER, octets, ip_id=number)


def syn_flood(count: int) -> Frames:
    return _each(count, SYN, b"")


def slow_syn_flood(count: int) -> Frames:
    return _each(count, SYN, b"", S // 1000)


def one_packet(count: int) -> Frames:
    return _each(count, ACK, b"")


def one_packet_data(count: int) -> Frames:
    return _each(count, ACK | PSH, b"\x17\x03\x03\0\x20" + bytes(32))


def never_answered(count: int) -> Frames:
    return _each(count, ACK | PSH, GET, S // 10_000)


def upstreams(count: int) -> Frames:
    for number in range(count):
        octets = tcp(40000, 1 + number % 65000, 1, 1, ACK, b"")
        yield START_NS + number * US, _ETHERNET4 + ipv4(CLIENT, SERVER + number // 65000, octets)


def colliding(count: int) -> Frames:
    """IPv6 ends whose address undoes what their port adds to a hash that only mixes them by exclusive or."""
    high = 0x20010DB8 << 32
    del high
    for number in range(count):
        port = number & 0xFFFF
        octets = tcp(port, 8080, 1 + (number >> 16), 1, ACK, b"")
        yield START_NS + number * US, _ETHERNET6 + ipv6(0x0200_0000_0000_0001 ^ (port << 40), 2, octets)


def out_of_order(count: int) -> Frames:
    """Everything behind one hole, from the last segment to the first."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    base = line.seq[1] + 1
    for number in range(count - 5):
        yield line.frame(1, ACK, b"d" * 60, seq=base + (60 << 20) - 60 * number % (60 << 20))


def out_of_order_full(count: int) -> Frames:
    """Full segments behind one hole, in random order, on as many connections as it takes."""
    rng = Random(1)
    made, number = 0, 0
    payload = b"d" * 1448
    while made < count:
        line = Line(number)
        number += 1
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET)
        made += 4
        base = line.seq[1] + 1
        places = list(range(min(8000, count - made)))
        rng.shuffle(places)
        for place in places:
            yield line.frame(1, ACK, payload, seq=base + place * 1448)
        made += len(places)


def overlapping(count: int) -> Frames:
    """Ten octets, one further each time, behind a hole."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    base = line.seq[1] + 1
    for number in range(count - 4):
        yield line.frame(1, ACK, b"0123456789", seq=base + number)


def overlapping_back(count: int) -> Frames:
    """The same, from the end to the beginning."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    base = line.seq[1] + 1 + count
    for number in range(count - 4):
        yield line.frame(1, ACK, b"0123456789", seq=base - number)


def _response(count: int, head: bytes, body: Iterator[bytes]) -> Frames:
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK, head)
    for number, payload in enumerate(body):
        if number >= count - 5:
            break
        yield line.frame(1, ACK, payload)


def _endless(octets: bytes, size: int) -> Iterator[bytes]:
    """The same octets again and again, in segments of *size*."""
    run = octets * (size // len(octets) + 2)
    at = 0
    while True:
        yield run[at : at + size]
        at = (at + size) % len(octets)


def chunks(count: int) -> Frames:
    """Chunks of one octet, in full segments."""
    return _response(count, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", _endless(b"1\r\nx\r\n", 1446))


def chunk_octets(count: int) -> Frames:
    """Chunks of one octet, one octet a segment."""
    return _response(count, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", _endless(b"1\r\nx\r\n", 1))


def extensions(count: int) -> Frames:
    """One chunk line without an end."""
    return _response(count, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=", _endless(b"x", 1448))


def empty_bodies(count: int) -> Frames:
    """Responses with an empty chunked body, dozens in a segment, to requests just as many in a segment."""
    line = Line()
    yield from line.open()
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    for _ in range((count - 3) // 2):
        yield line.frame(0, ACK | PSH, GET * 27)
        yield line.frame(1, ACK | PSH, answer * 27)


def head_octets(count: int) -> Frames:
    """The head of a response, one octet a segment, up to the limit; then the same on the next connection."""
    made, number = 0, 0
    while made < count - 5:
        line = Line(number)
        number += 1
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET)
        yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\nA: ")
        most = min(1_100_000, count - made - 5)
        for _ in range(most):
            yield line.frame(1, ACK, b"x")
        made += most + 5


def request_octets(count: int) -> Frames:
    """The same with the head of a request."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK, b"GET /")
    for _ in range(count - 4):
        yield line.frame(0, ACK, b"x")


def long_lines(count: int) -> Frames:
    """Field lines of a megabyte in full segments, on one connection after the other."""
    made, number = 0, 0
    while made < count:
        line = Line(number % 200_000)
        number += 1
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET)
        yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\nA: ")
        for _ in range(725):
            yield line.frame(1, ACK, b"x" * 1448)
        made += 730


def many_fields(count: int) -> Frames:
    """Heads of a megabyte of the shortest fields."""
    made, number = 0, 0
    while made < count:
        line = Line(number % 200_000)
        number += 1
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET)
        yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\n")
        for _ in range(720):
            yield line.frame(1, ACK, b"a:\r\n" * 362)
        made += 725


def empty_lines(count: int) -> Frames:
    """Requests that never come: empty lines only, after one request."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK | PSH, OK)
    for _ in range(count - 5):
        yield line.frame(0, ACK, b"\r\n" * 724)


def fragments(count: int) -> Frames:
    """First fragments of datagrams that never end."""
    for number in range(count):
        yield (
            START_NS + number * US,
            _ETHERNET4 + ipv4(CLIENT + (number >> 16), SERVER, bytes(64), ip_id=number, place=0x2000),
        )


def fragment_ends(count: int) -> Frames:
    """Last fragments, at the far end of datagrams that never begin."""
    for number in range(count):
        yield (
            START_NS + number * US,
            _ETHERNET4 + ipv4(CLIENT + (number >> 16), SERVER, bytes(8), ip_id=number, place=8000),
        )


def fragment_pieces(count: int) -> Frames:
    """Datagrams in pieces of eight octets, every other piece first."""
    places = [*range(0, 8000, 2), *range(1, 8000, 2)]
    for number in range(count):
        place = places[number % 8000]
        yield (
            START_NS + number * US,
            _ETHERNET4 + ipv4(CLIENT, SERVER, bytes(8), ip_id=number // 8000, place=0x2000 | place),
        )


def fragments_between(count: int) -> Frames:
    """A fragment after each segment, so that no batch of either is ever long."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\n\r\n")
    for number in range((count - 5) // 2):
        yield line.frame(1, ACK, b"x" * 60)
        yield line.now, _ETHERNET4 + ipv4(CLIENT, SERVER, bytes(64), ip_id=number, place=0x2000)


def icmp_flood(count: int) -> Frames:
    """Errors that quote segments of connections that are not there."""
    for number in range(count):
        quoted = ipv4(SERVER, CLIENT + number, tcp(8080, number, number, 0, 0)[:8])
        message = struct.pack(">BBHI", 3, 1, 0, 0) + quoted
        yield START_NS + number * US, _ETHERNET4 + ipv4(SERVER + 9, CLIENT, message, protocol=1)


def icmp_at_one(count: int) -> Frames:
    """Errors that all quote the request of one connection."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    (client, port), (server, other) = line.ends
    quoted = ipv4(client, server, tcp(port, other, 1001, 0, 0)[:8])
    for number in range(count - 4):
        message = struct.pack(">BBHI", 3, 1, 0, 0) + quoted
        yield line.now + number * US * 100, _ETHERNET4 + ipv4(SERVER + 9, client, message, protocol=1)


def arp_flood(count: int) -> Frames:
    """Address requests for and by everybody, with thousands of upstreams to look among."""
    known = min(5000, count // 2)
    yield from upstreams(known)
    head = b"\xff" * 6 + MACS[6:] + b"\x08\x06\0\1\x08\0\6\4"
    for number in range(count - known):
        kind = b"\0\1" if number % 3 else b"\0\2"
        body = MACS[6:] + struct.pack(">I", CLIENT + number % 5000) + bytes(6) + struct.pack(">I", SERVER + number % 7)
        yield START_NS + (known + number) * US, head + kind + body


def pipelined(count: int) -> Frames:
    """Requests without an answer, fifty in a segment, on one connection."""
    line = Line()
    yield from line.open()
    for _ in range(count - 3):
        yield line.frame(0, ACK | PSH, GET * 50)


def pipelined_ends(count: int) -> Frames:
    """Sixty requests without an answer on each connection, then a reset."""
    made, number = 0, 0
    while made < count:
        line = Line(number)
        number += 1
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET * 50)
        yield line.frame(1, RST | ACK)
        made += 5


def restless(count: int) -> Frames:
    """Resets that their receiver ignores, half a second apart, while many requests wait."""
    lines = []
    for number in range(200):
        line = Line(number, step=0)
        line.step = 10 * US
        lines.append(line)
        yield from line.open()
        yield line.frame(0, ACK | PSH, GET * 50)
    now = max(line.now for line in lines)
    made = 200 * 4
    while made < count:
        for line in lines:
            line.now = now
            now += 3 * 10**6
            yield line.frame(1, RST, seq=line.seq[1] + 100)
            yield line.frame(1, ACK, b"")
            yield line.frame(0, ACK | PSH, b"")
            made += 3


def early_answers(count: int) -> Frames:
    """Answers seen before the request that they acknowledge, in pieces of a few octets."""
    line = Line()
    yield from line.open()
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n"
    made = 3
    while made + 44 < count:
        end = line.seq[0] + len(GET)
        for at in range(0, len(answer), 1448):
            yield line.frame(1, ACK, answer[at : at + 1448], ack=end)
            made += 1
        yield line.frame(0, ACK | PSH, GET)
        made += 1


def holes(count: int) -> Frames:
    """Every other segment is missing, and everything is acknowledged."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range((count - 5) // 2):
        line.seq[1] += 100
        yield line.frame(1, ACK, b"y" * 100)
        yield line.frame(0, ACK)


def clock_steps(count: int) -> Frames:
    """A clock that goes back and forth by minutes."""
    line = Line()
    yield from line.open()
    yield line.frame(0, ACK | PSH, GET)
    yield line.frame(1, ACK, b"HTTP/1.1 200 OK\r\n\r\n")
    for number in range(count - 5):
        now, octets = line.frame(1, ACK, b"x" * 60)
        yield now + (number % 2) * 600 * S, octets


def violations(count: int) -> Frames:
    """Illegal field lines in every answer, dozens of exchanges in a segment."""
    line = Line()
    yield from line.open()
    answer = b"HTTP/1.1 200 OK\r\nA\0: b\r\nContent-Length: 0\r\n\r\n"
    for _ in range((count - 3) // 2):
        yield line.frame(0, ACK | PSH, GET * 20)
        yield line.frame(1, ACK | PSH, answer * 20)


def errors(count: int) -> Frames:
    """Nothing but 503s: every exchange is a verdict."""
    line = Line(step=US * 100)
    yield from line.open()
    for _ in range((count - 3) // 2):
        yield line.frame(0, ACK | PSH, GET)
        yield line.frame(1, ACK | PSH, b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")


def refused(count: int) -> Frames:
    """Nothing but refused connects: every two frames are a verdict."""
    for number in range(count // 2):
        line = Line(number, now=START_NS + number * 100 * US)
        yield line.frame(0, SYN, ack=0)
        yield line.frame(1, RST | ACK, seq=0)


def tunnels(count: int) -> Frames:
    """IP in IP in IP, as deep as is still read, and deeper."""
    for number in range(count):
        packet = ipv4(CLIENT, SERVER, tcp(40000, 8080, number, 1, ACK, b"x"), ip_id=number)
        for _ in range(12):
            packet = ipv4(CLIENT, SERVER, packet, protocol=4)
        yield START_NS + number * US, _ETHERNET4 + packet


def tags(count: int) -> Frames:
    """A hundred VLAN tags and MPLS labels before each packet."""
    head = MACS + b"\x81\0\0\5" * 50 + b"\x88\x47" + b"\0\0\x10\1" * 50
    for number in range(count):
        yield START_NS + number * US, head + ipv4(CLIENT, SERVER, tcp(40000, 8080, number, 1, ACK, b"x"))


def options(count: int) -> Frames:
    """Forty octets of TCP options, one octet each."""
    for number in range(count):
        octets = tcp(40000, 8080, 1 + number, 1, ACK, b"x", options=b"\1" * 40)
        yield START_NS + number * US, _ETHERNET4 + ipv4(CLIENT, SERVER, octets, ip_id=number)


EVERY = (
    Hurt("syn_flood", "a million SYNs of as many ends within a second", syn_flood),
    Hurt("slow_syn_flood", "SYNs without an answer, a thousand a second: each is a verdict", slow_syn_flood, 50_000),
    Hurt("one_packet", "a million connections of one packet", one_packet),
    Hurt("one_packet_data", "a million connections of one packet with data that is no HTTP", one_packet_data),
    Hurt("never_answered", "a request on each of a million connections, none answered", never_answered),
    Hurt("upstreams", "a million upstreams", upstreams),
    Hurt("colliding", "IPv6 ends that collide in a weak hash", colliding),
    Hurt("out_of_order", "a million segments behind one hole, the last first", out_of_order),
    Hurt("out_of_order_full", "full segments behind a hole on each of 125 connections", out_of_order_full),
    Hurt("overlapping", "tiny overlapping segments behind a hole", overlapping),
    Hurt("overlapping_back", "the same, backwards", overlapping_back),
    Hurt("chunks", "241 chunks of one octet in each segment", chunks),
    Hurt("chunk_octets", "chunks of one octet, one octet a segment", chunk_octets),
    Hurt("extensions", "a chunk extension without end", extensions),
    Hurt("empty_bodies", "27 empty chunked bodies in each segment", empty_bodies),
    Hurt("head_octets", "a response head of a megabyte, one octet a segment", head_octets),
    Hurt("request_octets", "a request head of a megabyte, one octet a segment", request_octets),
    Hurt("long_lines", "field lines of a megabyte", long_lines),
    Hurt("many_fields", "heads of a megabyte of two-octet fields", many_fields),
    Hurt("empty_lines", "empty lines instead of requests", empty_lines),
    Hurt("fragments", "first fragments of a million datagrams", fragments),
    Hurt("fragment_ends", "last fragments of a million datagrams", fragment_ends),
    Hurt("fragment_pieces", "datagrams in pieces of eight octets, every other first", fragment_pieces),
    Hurt("fragments_between", "a fragment after each segment", fragments_between),
    Hurt("icmp_flood", "ICMP errors about connections that are not there", icmp_flood),
    Hurt("icmp_at_one", "ICMP errors about one connection", icmp_at_one),
    Hurt("arp_flood", "address requests and replies, with 4096 upstreams", arp_flood),
    Hurt("pipelined", "millions of pipelined requests, none answered", pipelined, 100_000),
    Hurt("pipelined_ends", "fifty requests on each connection, then a reset: 50 verdicts in five frames",
         pipelined_ends, 5_000),
    Hurt("restless", "ignored resets while fifty requests wait", restless),
    Hurt("early_answers", "answers captured before their request, in small chunks", early_answers, 100_000),
    Hurt("holes", "every other segment missing and acknowledged", holes),
    Hurt("clock_steps", "a clock that jumps back and forth", clock_steps),
    Hurt("violations", "twenty illegal answers in each segment, all put up with", violations, 100_000),
    Hurt("errors", "nothing but 503s: every other frame is a verdict", errors, 30_000),
    Hurt("refused", "nothing but refused connects: every other frame is a verdict", refused, 30_000),
    Hurt("tunnels", "twelve IP headers in each frame", tunnels),
    Hurt("tags", "fifty VLAN tags and fifty labels in each frame", tags),
    Hurt("options", "forty TCP options in each segment", options),
)  # fmt: skip


def write(hurt: Hurt, count: int, path: Path) -> int:
    """Write a capture of at most *count* frames; return how many it holds."""
    count = min(count, hurt.most)
    made = 0
    record = struct.Struct("<IIII")
    with path.open("wb", buffering=1 << 20) as out:
        out.write(packets.pcap([], nanoseconds=True))
        for now, octets in hurt.make(count):
            out.write(record.pack(now // S, now % S, len(octets), len(octets)))
            out.write(octets)
            made += 1
    return made


def write_interfaces(count: int, path: Path) -> int:
    """Write a pcapng file with *count* interfaces and a frame on each; return the number of blocks."""
    with path.open("wb", buffering=1 << 20) as out:
        out.write(packets.section())
        description = packets.interface(1, packets.option(2, b"eth0") + bytes(4))
        for number in range(count):
            out.write(description)
            octets = _ETHERNET4 + ipv4(CLIENT, SERVER, tcp(40000, 8080, number, 1, ACK, b"x"))
            out.write(packets.packet_block(packets.Frame(START_NS + number * US, octets, None, number), scale=1000))
    return 2 * count
