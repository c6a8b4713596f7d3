"""Where in a frame addresses and checksums stand, through tunnels and into what ICMP errors quote.

``packet`` reads the same headers in compiled loops, but has no use for where an address stood. This walk is for the
few frames of a slice, so it is written for the reader. Every header is looked at only after a check that its octets
were captured; each step moves on, and their number is bounded. What may hold an address in a form that is not known
is to be blanked.

This module is longer than most: it is one table of small readers, and a frame may need any of them.
"""

from __future__ import annotations

from collections.abc import Callable

from wire502.model.records import field, record

_MOST_STEPS = 40
_TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)
_IPV4, _IPV6, _ARP, _ETHERNET = 0x0800, 0x86DD, 0x0806, 0x6558
_MPLS = (0x8847, 0x8848)
_PPPOE = 0x8864
_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58
_ICMP_ERRORS = (3, 4, 5, 11, 12)
_ICMP6_ERRORS = (1, 2, 3, 4)
_NOP = 1
# link types that begin with an IP header, after so many octets
_RAW = {101: 0, 12: 0, 14: 0, 228: 0, 229: 0, 0: 4, 108: 4}
SUPPORTED = frozenset({1, 113, 276, *_RAW})


@record(frozen=True)
class Sum:
    """An Internet checksum (RFC 1071) at octet *at*, over octets *low* to *high*; *wire*: its octets on the wire.

    *ends*: where both addresses of the pseudo header stand and their size; none for a checksum without one.
    *quoted*: in a quote, whose octets may have been changed on the way.
    """

    at: int
    low: int
    high: int
    wire: int
    protocol: int = 0
    ends: tuple[int, int, int] | None = None
    quoted: bool = False

    @property
    def whole(self) -> bool:
        """Whether every octet that it is over was captured."""
        return self.high - self.low == self.wire


@record()
class Layout:
    """What a frame holds: (offset, size) of addresses (6: MAC), the checksums, outer ones first, what to blank.

    *headers*: where the headers end that were understood; what follows is payload, of TCP if *tcp*.
    """

    addresses: list[tuple[int, int]] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    blanks: list[tuple[int, int]] = field(default_factory=list)
    fillers: list[tuple[int, int]] = field(default_factory=list)  # IP options: filled with no-operations
    headers: int = 0
    tcp: bool = False


def layout(frame: bytes, linktype: int, length: int) -> Layout:
    """Return what *frame*, of *length* octets on the wire, holds. The whole of an unsupported link type is blanked."""
    walk = _Walk(frame, max(length, len(frame)))
    walk.run(linktype)
    return walk.made


class _Walk:
    """One frame: ``at`` moves, ``end`` and ``wire`` say where the captured octets and those of the wire end."""

    def __init__(self, frame: bytes, length: int) -> None:
        self.frame = frame
        self.made = Layout()
        self.at = 0
        self.end = len(frame)
        self.wire = length
        self.ends: tuple[int, int, int] | None = None  # of the innermost IP header
        self.quoted = False
        self.fragment = False
        self.next: Callable[[], None] | None = None

    def run(self, linktype: int) -> None:
        """Walk from the link layer to the payload."""
        self.next = lambda: self._link(linktype)
        for _ in range(_MOST_STEPS):
            step: Callable[[], None] | None = self.next
            if step is None:
                return
            self.next = None
            step()
        self._blank()

    # -- helpers

    def _u16(self, at: int) -> int:
        return int.from_bytes(self.frame[at : at + 2], "big")

    def _has(self, size: int) -> bool:
        """Whether *size* octets are there; blanks what is left if they are not."""
        if self.end - self.at >= size:
            return True
        self._blank()
        return False

    def _blank(self) -> None:
        """Give up here: nothing behind is understood."""
        self.made.headers = self.at
        if self.at < len(self.frame):
            self.made.blanks.append((self.at, len(self.frame)))

    def _address(self, at: int, size: int) -> None:
        if at + size <= self.end:
            self.made.addresses.append((at, size))
        elif at < self.end:
            self.made.blanks.append((at, self.end))

    def _ethertype(self, kind: int) -> None:
        if kind in _TAGS:
            if self._has(4):
                self.at += 4
                self._ethertype(self._u16(self.at - 2))
        elif kind < 0x600:
            if self._has(8) and self.frame[self.at : self.at + 6] == b"\xaa\xaa\x03\0\0\0":
                self.at += 8
                kind = self._u16(self.at - 2)
                self._ethertype(kind) if kind >= 0x600 else self._blank()
            else:
                self._blank()
        else:
            steps = {_IPV4: self._ipv4, _IPV6: self._ipv6, _ARP: self._arp, _ETHERNET: self._ethernet}
            steps |= dict.fromkeys(_MPLS, self._mpls) | {_PPPOE: self._pppoe}
            self.next = steps.get(kind, self._blank)

    def _by_nibble(self) -> None:
        if self._has(1):
            version = self.frame[self.at] >> 4
            self.next = self._ipv4 if version == 4 else self._ipv6 if version == 6 else self._blank

    # -- link layers

    def _link(self, linktype: int) -> None:
        if linktype in (113, 276):
            size, kind_at, length_at, address_at = (16, 14, 4, 6) if linktype == 113 else (20, 0, 11, 12)
            if self._has(size):
                hardware = self._u16(length_at) if linktype == 113 else self.frame[length_at]
                if hardware == 6:
                    self._address(address_at, 6)
                    self.made.blanks.append((address_at + 6, address_at + 8))
                elif hardware:
                    self.made.blanks.append((address_at, address_at + 8))
                self.at += size
                self._ethertype(self._u16(kind_at))
        elif linktype == 1:
            self._ethernet()
        elif linktype in _RAW:
            if self._has(_RAW[linktype]):
                self.at += _RAW[linktype]
                self._by_nibble()
        else:
            self._blank()

    def _ethernet(self) -> None:
        if self._has(14):
            self._address(self.at, 6)
            self._address(self.at + 6, 6)
            self.at += 14
            self._ethertype(self._u16(self.at - 2))

    def _mpls(self) -> None:
        if not self._has(4):
            return
        bottom = self.frame[self.at + 2] & 1
        self.at += 4
        if not bottom:
            self.next = self._mpls
        elif self._has(1):
            nibble = self.frame[self.at] >> 4
            if nibble in (4, 6):
                self._by_nibble()
            elif nibble == 0 and self._u16(self.at + 16) in (_IPV4, _IPV6, _ARP, *_TAGS):
                self.at += 4  # the control word of a pseudo-wire
                self.next = self._ethernet
            else:
                self.next = self._ethernet

    def _pppoe(self) -> None:
        if self._has(8):
            kind = self._u16(self.at + 6)
            self.at += 8
            self.next = {0x21: self._ipv4, 0x57: self._ipv6}.get(kind, self._blank)

    def _arp(self) -> None:
        if not self._has(28) or self.frame[self.at + 4 : self.at + 6] != b"\x06\x04":
            self._blank()
            return
        for offset, size in ((8, 6), (14, 4), (18, 6), (24, 4)):
            self._address(self.at + offset, size)
        self.at += 28
        self._blank()

    # -- IP

    def _ipv4(self) -> None:
        if not self._has(20):
            return
        at, frame = self.at, self.frame
        size, total = (frame[at] & 15) * 4, self._u16(at + 2)
        if frame[at] >> 4 != 4 or size < 20:
            self._blank()
            return
        self.ends = (at + 12, at + 16, 4)
        self._address(at + 12, 4)
        self._address(at + 16, 4)
        high = min(at + size, self.end)
        self.made.sums.append(Sum(at + 10, at, high, size, quoted=self.quoted))
        if high > at + 20:
            self.made.fillers.append((at + 20, high))
        if total >= size and not self.quoted:
            self._bounded(at + total)
        elif total >= size:
            self.wire = at + total
        fragment = self._u16(at + 6)
        self.fragment = bool(fragment & 0x3FFF)
        self.at = high
        if fragment & 0x1FFF:
            self._blank()
        else:
            self._protocol(frame[at + 9], ipv6=False)

    def _ipv6(self) -> None:
        if not self._has(40):
            return
        at, frame = self.at, self.frame
        if frame[at] >> 4 != 6:
            self._blank()
            return
        self.ends = (at + 8, at + 24, 16)
        self._address(at + 8, 16)
        self._address(at + 24, 16)
        if (total := self._u16(at + 4)) and not self.quoted:
            self._bounded(at + 40 + total)
        elif total:
            self.wire = at + 40 + total
        self.fragment = False
        self.at = at + 40
        self._protocol(frame[at + 6], ipv6=True)

    def _bounded(self, stop: int) -> None:
        """The IP header says where the packet ends: what follows is padding, or none of it."""
        if stop < self.end:
            self.made.blanks.append((stop, self.end))
            self.end = stop
        self.wire = stop

    def _protocol(self, protocol: int, *, ipv6: bool) -> None:
        if (ipv6 and protocol in (0, 43, 60, 135, 44)) or protocol == 51:
            self._extension(protocol, ipv6=ipv6)
            return
        steps = {_TCP: self._tcp, _UDP: self._udp, 4: self._ipv4, 41: self._ipv6, 47: self._gre, 97: self._etherip}
        steps[137] = self._mpls
        steps[_ICMP6 if ipv6 else _ICMP] = self._icmp6 if ipv6 else self._icmp
        self.next = steps.get(protocol, self._blank)

    def _extension(self, kind: int, *, ipv6: bool) -> None:
        if not self._has(8):
            return
        at, frame = self.at, self.frame
        size = 8 if kind == 44 else (frame[at + 1] + 2) * 4 if kind == 51 else (frame[at + 1] + 1) * 8
        if kind == 44 and self._u16(at + 2) & 0xFFF9:
            self.fragment = True
        if kind in (43, 135):  # addresses on the way; the pseudo header has the last of them
            self.made.blanks.append((at + 8, min(at + size, self.end)))
            self.ends = None
        if not self._has(size):
            return
        self.at = at + size
        if kind == 44 and self._u16(at + 2) & 0xFFF8:
            self._blank()
        else:
            self.next = lambda: self._protocol(frame[at], ipv6=ipv6)

    def _sum(self, offset: int, protocol: int) -> None:
        """Note a checksum over what is left of the packet."""
        if self.at + offset + 2 <= self.end and not self.fragment and (self.ends is not None or protocol == _ICMP):
            wire = max(self.wire - self.at, 0)
            ends = None if protocol == _ICMP else self.ends
            self.made.sums.append(
                Sum(self.at + offset, self.at, self.end, wire, protocol, ends=ends, quoted=self.quoted)
            )

    def _tcp(self) -> None:
        at = self.at
        if self.quoted:
            self._sum(16, _TCP)
            size = (self.frame[at + 12] >> 4) * 4 if self.end - at > 12 else 20
            self.at = min(at + max(size, 20), self.end)
            self._blank()
            return
        if not self._has(16):
            return
        self._sum(16, _TCP)
        size = max((self.frame[at + 12] >> 4) * 4, 20)
        self._tcp_options(at + 20, min(at + size, self.end))
        self.at = min(at + size, self.end)
        self.made.headers = self.at
        self.made.tcp = True
        if self.fragment:
            self._blank()

    def _tcp_options(self, at: int, stop: int) -> None:
        """Blank the addresses that Multipath TCP tells (RFC 8684 section 3.4)."""
        while at + 1 < stop and self.frame[at] != 0:
            size = 1 if self.frame[at] == _NOP else max(self.frame[at + 1], 2)
            if self.frame[at] == 30 and at + 2 < stop and self.frame[at + 2] >> 4 == 3:
                self.made.blanks.append((at + 4, min(at + size, stop)))
            at += size

    # -- tunnels

    def _udp(self) -> None:
        if not self._has(8):
            return
        at, frame = self.at, self.frame
        if self._u16(at + 6):
            self._sum(6, _UDP)
        port = self._u16(at + 2)
        self.at = at + 8
        if self.quoted or self.fragment or self.end - self.at < 8:
            self._blank()
        elif port in (4789, 8472) and frame[at + 8] & 0x7F == 8:
            self.at += 8
            self.next = self._ethernet
        elif port == 6081 and not frame[at + 8] & 0xC0:
            stop = self.at + 8 + (frame[at + 8] & 0x3F) * 4
            if stop > self.at + 8:
                self.made.blanks.append((self.at + 8, min(stop, self.end)))
            kind = self._u16(self.at + 2)
            self.at = min(stop, self.end)
            self._ethertype(kind)
        elif port == 2152 and frame[at + 8] & 0xF0 == 0x30 and frame[at + 9] == 255:
            self._gtp()
        else:
            self._blank()

    def _gtp(self) -> None:
        flags = self.frame[self.at]
        self.at += 8
        if flags & 7 and self._has(4):
            more = self.frame[self.at + 3] if flags & 4 else 0
            self.at += 4
            while more:
                size = self.frame[self.at] * 4 if self.at < self.end else 0
                if not size or self.end - self.at < size:
                    self._blank()
                    return
                more = self.frame[self.at + size - 1]
                self.at += size
        self.next = self._by_nibble

    def _gre(self) -> None:
        if not self._has(4):
            return
        flags, kind = self._u16(self.at), self._u16(self.at + 2)
        size = 4 + 4 * (flags & 0xB000).bit_count() + (4 if flags & 7 == 1 and flags & 0x80 else 0)
        if flags & 0x4000 or not self._has(size):
            self._blank()
            return
        if flags & 0x8000:
            self.made.sums.append(Sum(self.at + 4, self.at, self.end, max(self.wire - self.at, 0), quoted=self.quoted))
        self.at += size
        if kind == 0x88BE:
            self.at = min(self.at + (8 if flags & 0x1000 else 0), self.end)
            self.next = self._ethernet
        elif kind == 0x22EB and self._has(12):
            self.at = min(self.at + (20 if self.frame[self.at + 11] & 1 else 12), self.end)
            self.next = self._ethernet
        elif kind == 0x880B:
            skip = 2 if self.frame[self.at : self.at + 2] == b"\xff\x03" else 0
            ppp = self._u16(self.at + skip)
            self.at = min(self.at + skip + 2, self.end)
            self.next = {0x21: self._ipv4, 0x57: self._ipv6}.get(ppp, self._blank)
        else:
            self._ethertype(kind) if kind >= 0x600 else self._blank()

    def _etherip(self) -> None:
        if self._has(2):
            self.at += 2
            self.next = self._ethernet

    # -- ICMP

    def _icmp(self) -> None:
        if not self._has(8):
            return
        self._sum(2, _ICMP)
        kind = self.frame[self.at]
        if kind == 5:
            self._address(self.at + 4, 4)
        self.at += 8
        self._quote(self._ipv4) if kind in _ICMP_ERRORS and not self.quoted else self._blank()

    def _icmp6(self) -> None:
        if not self._has(8):
            return
        self._sum(2, _ICMP6)
        at, kind = self.at, self.frame[self.at]
        self.at += 8
        if kind in _ICMP6_ERRORS and not self.quoted:
            self._quote(self._ipv6)
        elif kind in (133, 134, 135, 136, 137) and not self.quoted:
            targets = {134: 8, 135: 16, 136: 16, 137: 32}.get(kind, 0)
            for offset in range(0, targets, 16) if kind != 134 else ():
                self._address(self.at + offset, 16)
            self.at = min(at + 8 + targets, self.end)
            self._neighbour_options()
        else:
            self._blank()

    def _neighbour_options(self) -> None:
        while self.end - self.at >= 8 and (size := self.frame[self.at + 1] * 8):
            if self.frame[self.at] in (1, 2) and size == 8:
                self._address(self.at + 2, 6)
            else:
                self.made.blanks.append((self.at + 2, min(self.at + size, self.end)))
            self.at = min(self.at + size, self.end)
        self._blank()

    def _quote(self, step: Callable[[], None]) -> None:
        self.quoted = True
        self.next = step
