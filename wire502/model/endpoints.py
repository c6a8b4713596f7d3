"""Addresses and endpoints as text. An address is the pair (high, low) of ``Segments``; IPv4 is its mapped form."""

from __future__ import annotations

_MAPPED = 0xFFFF  # low >> 32 of ::ffff:a.b.c.d
_HALF = 0xFFFFFFFFFFFFFFFF
_ZEROS = tuple(f"{':0' * length}:" for length in range(8, 1, -1))


def address_text(high: int, low: int) -> str:
    """Return ``10.0.0.1`` for a mapped address, else IPv6 text after RFC 5952."""
    if high == 0 and low >> 32 == _MAPPED:
        return f"{low >> 24 & 255}.{low >> 16 & 255}.{low >> 8 & 255}.{low & 255}"
    groups = [f"{half >> shift & 0xFFFF:x}" for half in (high, low) for shift in (48, 32, 16, 0)]
    text = f":{':'.join(groups)}:"
    for zeros in _ZEROS:  # the longest run of zeros, the first of several
        before, found, after = text.partition(zeros)
        if found:
            return f"{before[1:]}::{after[:-1]}"
    return text[1:-1]


def endpoint_text(high: int, low: int, port: int) -> str:
    """Return ``10.0.0.1:80`` or ``[2001:db8::1]:80`` (RFC 3986 section 3.2.2)."""
    text = address_text(high, low)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def parse_endpoint(text: str) -> tuple[int, int, int | None]:
    """Return (high, low, port) of ``ADDRESS`` or ``ADDRESS:PORT``, with port None where there is none.

    IPv6 with a port needs brackets, without one it may have them. Raises ValueError with one line that says what
    is wrong: host names, ports outside 1-65535 and zone identifiers are no endpoint on the wire.
    """
    address, port_text = text, None
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not an endpoint: expected [ADDRESS] or [ADDRESS]:PORT")
        port_text = rest[1:] if rest else None
        if ":" not in address:
            raise ValueError(f"{text!r} is not an endpoint: only an IPv6 address stands in brackets")
    elif text.count(":") == 1:
        address, _, port_text = text.partition(":")
    port = None if port_text is None else _port(port_text, text)
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    try:
        if ":" not in address:
            return 0, _MAPPED << 32 | int(IPv4Address(address)), port
        if "%" in address:
            raise ValueError(f"{text!r} is not an endpoint: a zone identifier is never on the wire")
        number = int(IPv6Address(address))
    except AddressValueError as error:
        raise ValueError(f"{text!r} is not an endpoint: {address!r} is no IPv4 or IPv6 address") from error
    return number >> 64, number & _HALF, port


def _port(text: str, endpoint: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise ValueError(f"{endpoint!r} is not an endpoint: {text!r} is no port from 1 to 65535")
