"""The octets of headers and capture files, for ``wire.py``: functions from values to bytes, nothing kept.

Written from the RFCs and file-format pages and not with the project's own code, so that a test built on it has a
second opinion. Numbers on the wire are taken modulo their width where they wrap (sequence numbers) and raise
``struct.error`` where they cannot.
"""

from __future__ import annotations

import ipaddress
import struct
import zlib

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FLAG_LETTERS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_VLAN, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x8100, 0x86DD
LINKTYPES = {"null": 0, "ethernet": 1, "raw": 101, "sll": 113, "sll2": 276}
PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_ICMPV6 = 1, 6, 58
BROADCAST = b"\xff" * 6


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of *data*."""
    if len(data) % 2:
        data += b"\0"
    # The sum of 16-bit words in ones' complement is the number itself modulo 0xffff.
    total = int.from_bytes(data, "big")
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))


def hardware(address: Address) -> bytes:
    """Return a locally administered MAC address, always the same for the same host."""
    return b"\x02\x00" + zlib.crc32(address.packed).to_bytes(4, "big")


def pseudo_header(source: Address, target: Address, protocol: int, length: int) -> bytes:
    """Return what TCP and ICMPv6 checksums cover besides the segment (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    if source.version == 4:
        return source.packed + target.packed + struct.pack("!BBH", 0, protocol, length)
    return source.packed + target.packed + struct.pack("!IHBB", length, 0, 0, protocol)


def ip(
    source: Address,
    target: Address,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    ip_id: int = 0,
    dont_fragment: bool = True,
    length: int | None = None,
) -> bytes:
    """Return an IPv4 or IPv6 packet; *length* overrides the length field (0 as in oversized TSO frames)."""
    if source.version == 6:
        field = len(payload) if length is None else length
        return struct.pack("!IHBB", 6 << 28, field, protocol, ttl) + source.packed + target.packed + payload
    total = 20 + len(payload) if length is None else length
    fragment = 0x4000 if dont_fragment else 0
    head = struct.pack("!BBHHHBBH", 0x45, 0, total, ip_id & 0xFFFF, fragment, ttl, protocol, 0)
    head += source.packed + target.packed
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def with_ttl(packet: bytes, ttl: int) -> bytes:
    """Return *packet* as another hop would have forwarded it, with its checksum mended."""
    if packet[0] >> 4 == 6:
        return packet[:7] + bytes([ttl]) + packet[8:]
    head = packet[:8] + bytes([ttl]) + packet[9:10] + b"\0\0" + packet[12:20]
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + packet[20:]


def tcp(
    source: tuple[Address, int],
    target: tuple[Address, int],
    *,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    options: bytes,
    payload: bytes,
    bad_checksum: bool = False,
) -> bytes:
    """Return a TCP segment (RFC 9293 section 3.1); *options* are padded to four octets here."""
    options += b"\0" * (-len(options) % 4)
    offset = 5 + len(options) // 4
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq % 2**32, ack % 2**32, offset << 4, flags, window, 0, 0)
    segment = head + options + payload
    proper = checksum(pseudo_header(source[0], target[0], PROTOCOL_TCP, len(segment)) + segment)
    if bad_checksum:
        proper ^= 0x5555
    return segment[:16] + proper.to_bytes(2, "big") + segment[18:]


def tcp_options(
    *,
    mss: int | None = None,
    scale: int | None = None,
    sack_permitted: bool = False,
    timestamps: tuple[int, int] | None = None,
    sack: list[tuple[int, int]] | None = None,
) -> bytes:
    """Return TCP options in the order in which Linux writes them, each padded with NOP."""
    options = b""
    if mss is not None:
        options += struct.pack("!BBH", 2, 4, mss)
    if sack_permitted:
        options += b"\1\1\4\2"
    if timestamps is not None:
        options += struct.pack("!BBBBII", 1, 1, 8, 10, timestamps[0] % 2**32, timestamps[1] % 2**32)
    if scale is not None:
        options += struct.pack("!BBBB", 1, 3, 3, scale)
    if sack:
        blocks = sack[:3]
        options += struct.pack("!BBBB", 1, 1, 5, 2 + 8 * len(blocks))
        options += b"".join(struct.pack("!II", start % 2**32, end % 2**32) for start, end in blocks)
    return options


def icmp(source: Address, target: Address, kind: int, code: int, rest: int, body: bytes) -> bytes:
    """Return an ICMP or ICMPv6 message in its IP packet; *rest* is the second word of its header."""
    message = struct.pack("!BBHI", kind, code, 0, rest) + body
    if source.version == 4:
        proper = checksum(message)
    else:
        proper = checksum(pseudo_header(source, target, PROTOCOL_ICMPV6, len(message)) + message)
    message = message[:2] + proper.to_bytes(2, "big") + message[4:]
    neighbour = source.version == 6 and kind in (135, 136)  # RFC 4861 demands a hop limit of 255
    protocol = PROTOCOL_ICMP if source.version == 4 else PROTOCOL_ICMPV6
    return ip(source, target, protocol, message, ttl=255 if neighbour else 64, dont_fragment=False)


def arp(operation: int, sender: Address, sender_mac: bytes, target: Address, target_mac: bytes) -> bytes:
    """Return an ARP message for IPv4 over Ethernet (RFC 826); *operation* 1 asks, 2 answers."""
    head = struct.pack("!HHBBH", 1, ETHERTYPE_IPV4, 6, 4, operation)
    return head + sender_mac + sender.packed + target_mac + target.packed


def link_header(
    link: str, ethertype: int, source: bytes, target: bytes, *, outgoing: bool, vlan: tuple[int, ...]
) -> bytes:
    """Return what stands before the network header on a link type of ``LINKTYPES``.

    Raises ``ValueError`` for a frame that the link type cannot carry (ARP without a link layer).
    """
    tags = b""
    for tag in reversed(vlan):
        tags = struct.pack("!HH", tag, ethertype) + tags
        ethertype = ETHERTYPE_VLAN
    if link == "ethernet":
        return target + source + ethertype.to_bytes(2, "big") + tags
    if link in ("sll", "sll2"):
        kind = 4 if outgoing else 1 if target == BROADCAST else 0
        if link == "sll":
            return struct.pack("!HHH8sH", kind, 1, 6, source, ethertype) + tags
        return struct.pack("!HHIHBB8s", ethertype, 0, 2, 1, kind, 6, source) + tags
    if vlan:
        return link_header(link, int.from_bytes(tags[-2:], "big"), source, target, outgoing=outgoing, vlan=())
    if ethertype not in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        raise ValueError(f"link type {link} carries IP only, not ethertype {ethertype:#06x}")
    if link == "raw":
        return b""
    if link == "null":
        return (2 if ethertype == ETHERTYPE_IPV4 else 30).to_bytes(4, "little")
    raise ValueError(f"unknown link type {link!r}: one of {', '.join(LINKTYPES)}")


def pcap(linktype: int, records: list[tuple[int, bytes]], *, snaplen: int, nanoseconds: bool, order: str) -> bytes:
    """Return a classic capture file of *records*, each (nanoseconds since 1970, octets); *order* is ``<`` or ``>``."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    unit = 1 if nanoseconds else 1000
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)]
    for time_ns, data in records:
        seconds, fraction = divmod(time_ns, 10**9)
        captured = data[:snaplen]
        parts += (struct.pack(order + "IIII", seconds, fraction // unit, len(captured), len(data)), captured)
    return b"".join(parts)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def _option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng(
    linktype: int,
    records: list[tuple[int, bytes, int, str]],
    *,
    snaplen: int,
    nanoseconds: bool,
    order: str,
) -> bytes:
    """Return a pcapng file; *records* are (nanoseconds since 1970, octets, interface, comment or an empty text)."""
    parts = [_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for _ in range(1 + max((record[2] for record in records), default=0)):
        resolution = _option(order, 9, b"\x09" if nanoseconds else b"\x06") + _option(order, 0, b"")
        parts.append(_block(order, 1, struct.pack(order + "HHI", linktype, 0, snaplen) + resolution))
    for time_ns, data, interface, comment in records:
        ticks = time_ns if nanoseconds else time_ns // 1000
        captured = data[:snaplen]
        body = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(captured), len(data))
        body += captured + b"\0" * (-len(captured) % 4)
        if comment:
            body += _option(order, 1, comment.encode()) + _option(order, 0, b"")
        parts.append(_block(order, 6, body))
    return b"".join(parts)
