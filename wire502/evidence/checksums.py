"""Checksums of TCP and ICMP (RFC 1071), so that a packet that was right before its octets changed is right again."""

from __future__ import annotations

import sys
from array import array

from wire502.evidence.layers import Sum

_TCP, _UDP = 6, 17


def folded(octets: bytes, start: int = 0) -> int:
    """Return the ones' complement sum of *octets* in 16-bit words, in network order, added to *start*."""
    words = array("H", octets + b"\0" if len(octets) & 1 else octets)
    if sys.byteorder == "little":
        words.byteswap()
    total = start + sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo(source: tuple[int, int], target: tuple[int, int], length: int, *, ipv6: bool) -> int:
    """Return the sum over the pseudo header of TCP; addresses are (high, low), IPv4 in its mapped form."""
    if ipv6:
        addresses = b"".join(part.to_bytes(8, "big") for part in (*source, *target))
        return folded(addresses + length.to_bytes(4, "big") + _TCP.to_bytes(4, "big"))
    addresses = b"".join((part[1] & 0xFFFFFFFF).to_bytes(4, "big") for part in (source, target))
    return folded(addresses + _TCP.to_bytes(2, "big") + length.to_bytes(2, "big"))


def is_right(octets: bytes, start: int) -> bool:
    """Whether *octets*, the checksum among them, are as their sender meant them."""
    return folded(octets, start) == 0xFFFF


def checksum(octets: bytes, start: int) -> int:
    """Return the checksum of *octets*, in which its own field is zero."""
    return 0xFFFF - folded(octets, start)


def mend(one: Sum, was: bytes, now: bytearray) -> None:
    """Make a checksum right again that was right; carry over the difference where that cannot be told.

    A sum over octets that were not captured changes by what changed of those that were (RFC 1624).
    """
    before = folded(was[one.low : one.high], _pseudo(one, was))
    if one.whole and not one.quoted:
        if before != 0xFFFF:
            return
        now[one.at : one.at + 2] = b"\0\0"
        value = 0xFFFF - folded(bytes(now[one.low : one.high]), _pseudo(one, now))
    else:
        now[one.at : one.at + 2] = was[one.at : one.at + 2]
        after = folded(bytes(now[one.low : one.high]), _pseudo(one, now))
        value = (int.from_bytes(was[one.at : one.at + 2], "big") + before - after) % 0xFFFF
    if one.protocol == _UDP and not value:
        value = 0xFFFF
    now[one.at : one.at + 2] = value.to_bytes(2, "big")


def _pseudo(one: Sum, octets: bytes | bytearray) -> int:
    """Return the sum over the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1); 0 without one."""
    if one.ends is None:
        return 0
    source, target, size = one.ends
    ends = bytes(octets[source : source + size] + octets[target : target + size])
    return folded(ends + one.wire.to_bytes(4, "big") + one.protocol.to_bytes(4, "big"))
