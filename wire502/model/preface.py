"""The client that a PROXY protocol preface names (HAProxy's specification, versions 1 and 2)."""

from __future__ import annotations

V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_FAMILIES = {1: 4, 2: 16}  # octets of an address, by the upper half of the octet that names family and transport


def client_of(preface: bytes) -> tuple[int, int, int] | None:
    """Return the client that a preface names: halves of the address as in ``endpoints``, and port; None if it does not.

    *preface* is its beginning, without which nothing is told. IPv4 addresses are IPv4-mapped.
    """
    if preface.startswith(V2):
        return _binary(preface)
    parts = preface.split(b"\r\n", 1)[0].split(b" ")
    if len(parts) != 6 or parts[0] != b"PROXY" or parts[1] not in (b"TCP4", b"TCP6"):
        return None
    from ipaddress import ip_address

    try:
        address, port = ip_address(parts[2].decode("ascii")), int(parts[4])
    except ValueError:
        return None
    return _end(address.packed, port) if 0 <= port < 65536 else None


def _binary(preface: bytes) -> tuple[int, int, int] | None:
    if len(preface) < 16 or preface[12] != 0x21:  # version 2, command PROXY: LOCAL speaks of nobody
        return None
    size = _FAMILIES.get(preface[13] >> 4)
    if size is None or len(preface) < 16 + 2 * size + 4:
        return None
    return _end(preface[16 : 16 + size], int.from_bytes(preface[16 + 2 * size : 18 + 2 * size], "big"))


def _end(packed: bytes, port: int) -> tuple[int, int, int]:
    whole = packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed
    return int.from_bytes(whole[:8], "big"), int.from_bytes(whole[8:], "big"), port
