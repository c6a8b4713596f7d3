"""ICMP and ICMPv6: the errors that quote a TCP segment, and what neighbours ask and answer.

RFC 792, RFC 1191 (MTU), RFC 4443, RFC 4861. An error about anything but TCP says nothing here and is dropped.
"""

from __future__ import annotations

import struct

from wire502.model.capture_info import RareFrame

Address = tuple[int, int]

_MAPPED = 0xFFFF << 32
_TCP = 6
_QUOTED_TCP = 8  # octets of the original segment that a router has to quote: ports and sequence number
_MOST_EXTENSIONS = 16

_UNREACHABLE, _TOO_BIG, _EXPIRED = "unreachable", "packet_too_big", "time_exceeded"
_ERRORS = {
    (4, 3): _UNREACHABLE,
    (4, 11): _EXPIRED,
    (6, 1): _UNREACHABLE,
    (6, 2): _TOO_BIG,
    (6, 3): _EXPIRED,
}
_FRAGMENTATION_NEEDED = 4  # code of ICMP type 3
_NEIGHBOURS = {135: "address_request", 136: "address_reply"}
_EXTENSIONS = {0, 43, 44, 51, 60, 135}


def read_icmp(message: bytes, version: int, hop_limit: int, sender: Address, receiver: Address) -> RareFrame | None:
    """Return what *message*, from its ICMP type on, says of a TCP segment or a neighbour; None when nothing.

    *version* is that of the IP header, *hop_limit* its hop limit. The caller fills in row, frame, time, interface.
    """
    if len(message) < 8:
        return None
    kind = _ERRORS.get((version, message[0]))
    if kind is None:
        return _neighbour(message, hop_limit, sender, receiver) if version == 6 else None
    mtu = 0
    if version == 4 and kind is _UNREACHABLE and message[1] == _FRAGMENTATION_NEEDED:
        kind = _TOO_BIG
        mtu = int.from_bytes(message[6:8], "big")
    elif kind is _TOO_BIG:
        mtu = int.from_bytes(message[4:8], "big")
    quoted = _quoted_ipv4(message, 8) if version == 4 else _quoted_ipv6(message, 8)
    if quoted is None:
        return None
    source, target, at = quoted
    if len(message) < at + _QUOTED_TCP:
        return None
    ports, seq = struct.unpack_from(">II", message, at)
    return RareFrame(
        kind=kind,
        row=0,
        frame=0,
        ts_ns=0,
        interface=0,
        sender=sender,
        receiver=receiver,
        icmp_type=message[0],
        icmp_code=message[1],
        icmp_version=version,
        mtu=mtu,
        quoted_source=source,
        quoted_target=target,
        quoted_ports=ports,
        quoted_seq=seq,
    )


def _quoted_ipv4(message: bytes, at: int) -> tuple[Address, Address, int] | None:
    """Return both ends of the quoted IPv4 header and the index of the TCP header behind it."""
    if len(message) < at + 20:
        return None
    first, fragment, protocol, source, target = struct.unpack_from(">B5xHxBxxII", message, at)
    size = (first & 15) * 4
    if first >> 4 != 4 or size < 20 or fragment & 0x1FFF or protocol != _TCP:
        return None
    return (0, _MAPPED | source), (0, _MAPPED | target), at + size


def _quoted_ipv6(message: bytes, at: int) -> tuple[Address, Address, int] | None:
    """Return both ends of the quoted IPv6 header and the index of the TCP header behind its extensions."""
    if len(message) < at + 40 or message[at] >> 4 != 6:
        return None
    following, source_high, source_low, target_high, target_low = struct.unpack_from(">6xBxQQQQ", message, at)
    at += 40
    for _ in range(_MOST_EXTENSIONS):
        if following == _TCP:
            return (source_high, source_low), (target_high, target_low), at
        if following not in _EXTENSIONS or len(message) < at + 8:
            return None
        if following == 44 and int.from_bytes(message[at + 2 : at + 4], "big") & 0xFFF8:
            return None  # not the first fragment: no ports in it
        size = 8 if following == 44 else (message[at + 1] + 2) * 4 if following == 51 else (message[at + 1] + 1) * 8
        following = message[at]
        at += size
    return None


def _neighbour(message: bytes, hop_limit: int, sender: Address, receiver: Address) -> RareFrame | None:
    """Return a neighbour solicitation or advertisement (RFC 4861 sections 4.3 and 4.4)."""
    kind = _NEIGHBOURS.get(message[0])
    # Section 7.1: a receiver discards one that came over a router, or is shorter.
    if kind is None or len(message) < 24 or message[1] != 0 or hop_limit != 255:
        return None
    return RareFrame(
        kind=kind,
        row=0,
        frame=0,
        ts_ns=0,
        interface=0,
        sender=sender,
        receiver=receiver,
        icmp_type=message[0],
        icmp_version=6,
        asked=struct.unpack_from(">QQ", message, 8),
    )
