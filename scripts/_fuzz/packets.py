"""Octets of packets and capture files, cheap and as wrong as asked for: no checksum is right, any length may lie."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

MACS = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
_IPV4 = struct.Struct(">BBHHHBBHII")
_IPV6 = struct.Struct(">IHBBQQQQ")
_TCP = struct.Struct(">HHIIBBHHH")
START_NS = 1_700_000_000 * 10**9

# Link type: what stands before an IPv4 and before an IPv6 packet.
LINKS: dict[int, tuple[bytes, bytes]] = {
    1: (MACS + b"\x08\0", MACS + b"\x86\xdd"),
    0: (b"\x02\0\0\0", b"\x1e\0\0\0"),
    108: (b"\0\0\0\x02", b"\0\0\0\x18"),
    101: (b"", b""),
    12: (b"", b""),
    228: (b"", b""),
    229: (b"", b""),
    113: (b"\0\0\0\x01\0\x06\x02\0\0\0\0\x02\0\0\x08\0", b"\0\0\0\x01\0\x06\x02\0\0\0\0\x02\0\0\x86\xdd"),
    276: (
        b"\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x02\0\0",
        b"\x86\xdd\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x02\0\0",
    ),
    9: (b"\xff\x03\0\x21", b"\xff\x03\0\x57"),
    50: (b"\xff\x03\0\x21", b"\xff\x03\0\x57"),
    104: (b"\x0f\0\x08\0", b"\x0f\0\x86\xdd"),
    51: (b"\x11\0\0\x01\0\x80\0\x21", b"\x11\0\0\x01\0\x80\0\x57"),
    239: (b"\x02\0\0\0\x80\0\x09\0", b"\x0a\0\0\0\x80\0\x09\0"),
}


@dataclass(slots=True)
class Frame:
    """One record of a capture; *length* None: as many octets as there are."""

    ts_ns: int
    octets: bytes
    length: int | None = None
    interface: int = 0
    link: int = 1


def ipv4(source: int, target: int, payload: bytes, *, protocol: int = 6, ip_id: int = 0, place: int = 0x4000,
         ttl: int = 64) -> bytes:  # fmt: skip
    """An IPv4 packet; *place* is the word with flags and fragment offset."""
    return _IPV4.pack(0x45, 0, (20 + len(payload)) & 0xFFFF, ip_id & 0xFFFF, place, ttl, protocol, 0,
                      source & 0xFFFFFFFF, target & 0xFFFFFFFF) + payload  # fmt: skip


def ipv6(source: int, target: int, payload: bytes, *, protocol: int = 6, ttl: int = 64) -> bytes:
    """An IPv6 packet of two addresses in 2001:db8::/64."""
    high = 0x20010DB8 << 32
    return _IPV6.pack(6 << 28, len(payload) & 0xFFFF, protocol, ttl, high, source, high, target) + payload


def tcp(source: int, target: int, seq: int, ack: int, flags: int, payload: bytes = b"", *, window: int = 64240,
        options: bytes = b"") -> bytes:  # fmt: skip
    """A TCP segment; *options* are padded to a multiple of four octets."""
    options += bytes(-len(options) % 4)
    return _TCP.pack(source & 0xFFFF, target & 0xFFFF, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                     ((20 + len(options)) >> 2 & 15) << 4, flags, window, 0, 0) + options + payload  # fmt: skip


def linked(packet: bytes, link: int) -> bytes:
    """The packet behind the header of its link type."""
    return LINKS[link][packet[:1] >= b"\x60"] + packet


def relinked(frame: Frame, link: int) -> Frame:
    """The same packet on another link type, as far as its header is one of ``LINKS``."""
    for head in LINKS.get(frame.link, ()):
        if frame.octets.startswith(head) and len(frame.octets) > len(head):
            return replace(frame, octets=linked(frame.octets[len(head) :], link), link=link, length=None)
    return frame


def pcap(frames: Iterable[Frame], *, link: int = 1, nanoseconds: bool = False, big: bool = False,
         snaplen: int = 262144, modified: bool = False) -> bytes:  # fmt: skip
    """A classic capture file, or the variant with longer record headers."""
    order = ">" if big else "<"
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    record = struct.Struct(order + "IIII")
    for frame in frames:
        seconds, rest = divmod(frame.ts_ns, 10**9)
        length = len(frame.octets) if frame.length is None else frame.length
        fraction = rest if nanoseconds and not modified else rest // 1000
        parts.append(record.pack(seconds & 0xFFFFFFFF, fraction, len(frame.octets), length & 0xFFFFFFFF))
        if modified:
            parts.append(bytes(8))
        parts.append(frame.octets)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """One pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    """A pcapng section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, options: bytes = b"", order: str = "<", snaplen: int = 0) -> bytes:
    """A pcapng interface description."""
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def packet_block(frame: Frame, order: str = "<", options: bytes = b"", scale: int = 1) -> bytes:
    """An enhanced packet block; *scale* is the nanoseconds of the interface's unit."""
    length = len(frame.octets) if frame.length is None else frame.length
    ticks = frame.ts_ns // scale
    head = struct.pack(
        order + "IIIII", frame.interface, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, len(frame.octets),
        length & 0xFFFFFFFF,
    )  # fmt: skip
    return block(6, head + frame.octets + bytes(-len(frame.octets) % 4) + options, order)


def pcapng(frames: Sequence[Frame], *, big: bool = False) -> bytes:
    """A pcapng file with one interface of nanoseconds for each link type."""
    order = ">" if big else "<"
    links = list(dict.fromkeys(frame.link for frame in frames)) or [1]
    nanoseconds = option(9, b"\x09", order) + bytes(4)
    parts = [section(order), *(interface(link, nanoseconds, order) for link in links)]
    parts += [packet_block(replace(frame, interface=links.index(frame.link)), order) for frame in frames]
    return b"".join(parts)
