"""Octets: Ethernet frames with right checksums, one direction of a connection at a time.

Sums are kept modulo 65535, where 65536 counts as 1: a 32-bit sequence number adds itself, a payload adds one integer,
and a header costs one addition of a few numbers instead of a loop over octets.
"""

from __future__ import annotations

import functools
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_TCP = struct.Struct("!4sIIHHHH")
_V4_STAMPED = struct.Struct("!HHHHHH8s4sIIHHHHIII")
_V6_STAMPED = struct.Struct("!IHH32s4sIIHHHHIII")
_V4 = struct.Struct("!HHHHHH8s")
_V6 = struct.Struct("!IHH32s")
_STAMP = 0x0101080A  # NOP, NOP, timestamps of 10 octets (RFC 7323)
_TCP_PROTOCOL = 6


def octet_sum(octets: bytes) -> int:
    """The one's complement sum of 16-bit words, modulo 65535; an odd end is padded with a zero octet."""
    number = int.from_bytes(octets, "big")
    return (number << 8 if len(octets) & 1 else number) % 65535


@functools.cache
def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


class Half:
    """One side of a connection: what it sends next (`seq`), what it has received (`ack`), its addresses, its clock.

    `seq` and `ack` are kept below 2^32. `stamped` tells whether the segments carry RFC 7323 timestamps.
    """

    __slots__ = (
        "ack", "addresses", "clock", "endpoint", "ether", "ident", "ip_sum", "ports", "seq", "stamped", "tcp_sum",
        "ttl", "tval", "v6", "window",
    )  # fmt: skip

    def __init__(self, source: tuple[str, int], target: tuple[str, int], *, vlan: int, isn: int, ttl: int) -> None:
        src, dst = _packed(source[0]), _packed(target[0])
        self.v6 = len(src) == 16
        self.endpoint = f"[{source[0]}]:{source[1]}" if self.v6 else f"{source[0]}:{source[1]}"
        self.addresses = src + dst
        self.ports = struct.pack("!HH", source[1], target[1])
        macs = b"\x02\x00" + dst[-4:] + b"\x02\x00" + src[-4:]
        kind = b"\x86\xdd" if self.v6 else b"\x08\x00"
        self.ether = macs + (struct.pack("!HH", 0x8100, vlan) if vlan else b"") + kind
        self.ttl = ttl
        self.ip_sum = 0x4500 + 0x4000 + (ttl << 8 | _TCP_PROTOCOL) + octet_sum(self.addresses)
        self.tcp_sum = _TCP_PROTOCOL + octet_sum(self.addresses) + octet_sum(self.ports)
        self.seq = isn
        self.ack = 0
        self.ident = isn & 0xFFFF
        self.clock = isn >> 8  # milliseconds that this host's timestamps start from
        self.tval = 0
        self.window = 501
        self.stamped = True

    def segment(
        self, now_ns: int, seq: int, flags: int, payload: bytes, total: int, echo: int, options: bytes | None
    ) -> bytes:
        """A whole frame. `total` is the payload's `octet_sum`, `echo` the peer's latest timestamp.

        With `options` None the segment carries timestamps, or nothing if this side has none.
        """
        ack = self.ack if flags & ACK else 0
        self.ident = ident = (self.ident + 1) & 0xFFFF
        if options is None and self.stamped:
            self.tval = tval = (now_ns // 1_000_000 + self.clock) & 0xFFFFFFFF
            size = 32 + len(payload)
            bits = 0x8000 | flags
            check = -(
                self.tcp_sum + size + seq + ack + bits + self.window + total + _STAMP + tval + echo
            ) % 65535  # fmt: skip
            if self.v6:
                head = _V6_STAMPED.pack(
                    0x60000000, size, _TCP_PROTOCOL << 8 | self.ttl, self.addresses, self.ports, seq, ack, bits,
                    self.window, check, 0, _STAMP, tval, echo,
                )  # fmt: skip
            else:
                size += 20
                head = _V4_STAMPED.pack(
                    0x4500, size, ident, 0x4000, self.ttl << 8 | _TCP_PROTOCOL, -(self.ip_sum + size + ident) % 65535,
                    self.addresses, self.ports, seq, ack, bits, self.window, check, 0, _STAMP, tval, echo,
                )  # fmt: skip
            return self.ether + head + payload
        return self._rare(seq, ack, flags, payload, total, options or b"")

    def _rare(self, seq: int, ack: int, flags: int, payload: bytes, total: int, options: bytes) -> bytes:
        size = 20 + len(options) + len(payload)
        bits = (5 + len(options) // 4) << 12 | flags
        check = -(self.tcp_sum + size + seq + ack + bits + self.window + total + octet_sum(options)) % 65535
        tcp = _TCP.pack(self.ports, seq, ack, bits, self.window, check, 0) + options
        if self.v6:
            address = _V6.pack(0x60000000, size, _TCP_PROTOCOL << 8 | self.ttl, self.addresses)
        else:
            size += 20
            lifetime = self.ttl << 8 | _TCP_PROTOCOL
            check = -(self.ip_sum + size + self.ident) % 65535
            address = _V4.pack(0x4500, size, self.ident, 0x4000, lifetime, check, self.addresses)
        return self.ether + address + tcp + payload

    def syn_options(self, now_ns: int, echo: int, mss: int) -> bytes:
        """Options of a SYN: MSS, SACK permitted, timestamps and window scale, or MSS alone without timestamps."""
        if not self.stamped:
            return struct.pack("!BBH", 2, 4, mss)
        self.tval = (now_ns // 1_000_000 + self.clock) & 0xFFFFFFFF
        return struct.pack("!BBHBBBBIIBBBB", 2, 4, mss, 4, 2, 8, 10, self.tval, echo, 1, 3, 3, 7)

    def sack_options(self, now_ns: int, echo: int, left: int, right: int) -> bytes:
        """Options of a duplicate ACK that has received `left` up to `right` (RFC 2018)."""
        if not self.stamped:
            return b""
        self.tval = (now_ns // 1_000_000 + self.clock) & 0xFFFFFFFF
        return struct.pack("!IIIHBBII", _STAMP, self.tval, echo, 0x0101, 5, 10, left, right)
