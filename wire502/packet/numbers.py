"""Numbers in network byte order. The .pxd beside has them for C, where each is one load; these say the same."""

from __future__ import annotations


def u16(octets: bytes, at: int) -> int:
    """Return the 16-bit number at index *at*."""
    return octets[at] << 8 | octets[at + 1]


def u32(octets: bytes, at: int) -> int:
    """Return the 32-bit number at index *at*."""
    return u16(octets, at) << 16 | u16(octets, at + 2)


def u64(octets: bytes, at: int) -> int:
    """Return the 64-bit number at index *at*."""
    return u32(octets, at) << 32 | u32(octets, at + 4)
