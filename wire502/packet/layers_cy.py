"""Everything that can stand before the innermost IP header: link layers, tags, tunnels, IPv6 extension headers.

A ``Cursor`` stands somewhere in one frame. ``peel(layer)`` reads the header there, moves behind it and says what
comes next; nothing is copied. A *layer* is one number:

| range | meaning |
|---|---|
| 0x0000-0xffff | an EtherType; 0x6558 is an Ethernet frame |
| LINK + n | a frame of LINKTYPE n |
| PROTOCOL + n | IP protocol n |
| BY_NIBBLE, PPP | IPv4 or IPv6 by the version nibble; a PPP frame |
| negative | the walk ends here, for the reason that the number names |

Each header is read only after a check that its octets were captured; of the octets behind ``end`` none is read.
Each step moves on by at least one octet or ends the walk, and ``decode_cy`` bounds the number of steps.

This file may be long: it is one table of small readers, and a frame may need any of them.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

LINK = cython.declare(cython.int, 0x10000)
PROTOCOL = cython.declare(cython.int, 0x20000)
BY_NIBBLE = cython.declare(cython.int, 0x30000)
PPP = cython.declare(cython.int, 0x30001)

IPV4 = cython.declare(cython.int, 0x0800)
IPV6 = cython.declare(cython.int, 0x86DD)
ARP = cython.declare(cython.int, 0x0806)
ETHERNET = cython.declare(cython.int, 0x6558)
MPLS = cython.declare(cython.int, 0x8847)
MPLS_MULTICAST = cython.declare(cython.int, 0x8848)
PPPOE_SESSION = cython.declare(cython.int, 0x8864)
LENGTHS_END = cython.declare(cython.int, 0x0600)  # smaller numbers are an IEEE 802.3 length, no EtherType

# Why a walk ends. decode_cy has the same numbers.
NOT_TCP = cython.declare(cython.int, -2)
MALFORMED = cython.declare(cython.int, -3)
CUT = cython.declare(cython.int, -4)
UNSUPPORTED = cython.declare(cython.int, -5)
FRAGMENT = cython.declare(cython.int, -6)
RARE_ICMP = cython.declare(cython.int, -7)
RARE_ARP = cython.declare(cython.int, -8)

INBOUND = cython.declare(cython.uint, 0x10000)  # as in model.frames_cy
OUTBOUND = cython.declare(cython.uint, 0x20000)
BELOW_LANE = cython.declare(cython.uint, 0x3FFFF)
LANE_SHIFT = cython.declare(cython.int, 18)
LANE_BITS = cython.declare(cython.uint, 0x1FFF)
LANE_MIXED = cython.declare(cython.uint, 0x2000)
LANE_SPREAD = cython.declare(cython.uint, 0x9E5)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _u16(octets: cython.p_const_uchar, at: cython.Py_ssize_t) -> cython.int:
    return octets[at] << 8 | octets[at + 1]  # no cast: it would cost the interpreter a call


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_tag(kind: cython.int) -> cython.bint:
    """Whether this EtherType is a VLAN tag: IEEE 802.1Q, 802.1ad, and the numbers used before the latter."""
    return kind == 0x8100 or kind == 0x88A8 or kind == 0x9100 or kind == 0x9200


@cython.cclass
class Cursor:
    """Where the walk through one frame stands: ``at``; where the captured octets end, where those of the wire do."""

    octets: memoryview
    at: int
    end: int
    wire: int
    bits: int
    version: int

    @cython.cfunc
    def peel(self, layer: cython.int) -> cython.int:
        """Step over the header of *layer* and return the next layer, or the reason why there is none."""
        if layer < LINK:
            return self._ethertype(layer)
        if layer < PROTOCOL:
            return self._link(layer - LINK)
        if layer < BY_NIBBLE:
            return self._protocol(layer - PROTOCOL)
        if layer == PPP:
            return self._ppp()
        return self._by_nibble()

    @cython.cfunc
    def _short(self, size: cython.Py_ssize_t) -> cython.int:
        """Why *size* octets are not there: cut by the capture, or never on the wire."""
        return CUT if self.wire - self.at >= size else MALFORMED

    @cython.cfunc
    def _ethertype(self, kind: cython.int) -> cython.int:
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        left: cython.Py_ssize_t = self.end - at
        if kind == ETHERNET or _is_tag(kind):
            size: cython.Py_ssize_t = 14 if kind == ETHERNET else 4
            if left < size:
                return self._short(size)
            self.at = at + size
            if size == 4:
                self._tagged(_u16(octets, at) & 0xFFF)
            inner: cython.int = _u16(octets, at + size - 2)
            return inner if inner >= LENGTHS_END else self._logical_link()
        if kind == MPLS or kind == MPLS_MULTICAST:
            return self._mpls()
        if kind == PPPOE_SESSION:  # RFC 2516 section 4: version and type 1, code 0, session, length
            if left < 6:
                return self._short(6)
            if octets[at] != 0x11 or octets[at + 1] != 0:
                return NOT_TCP
            self.at = at + 6
            return PPP
        if kind == ARP:
            return RARE_ARP
        return NOT_TCP

    @cython.cfunc
    def _tagged(self, network: cython.uint) -> cython.int:
        """Note the VLAN or virtual network that the frame is on; of several, all count.

        One VLAN is its own number; where tags are stacked, or the number is longer, it is mixed into 14 bits.
        """
        lane: cython.uint = self.bits >> LANE_SHIFT
        if network == 0:  # a priority tag names no VLAN
            return 0
        if lane == 0 and network <= 0xFFF:
            lane = network
        else:
            lane = ((lane * LANE_SPREAD + (network ^ network >> 13)) & LANE_BITS) | LANE_MIXED
        self.bits = (self.bits & BELOW_LANE) | (lane << LANE_SHIFT)
        return 0

    @cython.cfunc
    def _by_nibble(self) -> cython.int:
        if self.end - self.at < 1:
            return self._short(1)
        version: cython.int = self.octets[self.at] >> 4
        if version == 4:
            return IPV4
        return IPV6 if version == 6 else NOT_TCP

    @cython.cfunc
    def _logical_link(self) -> cython.int:
        """IEEE 802.2 with SNAP (RFC 1042)."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if self.end - at < 8:
            return self._short(8)
        if octets[at] != 0xAA or octets[at + 1] != 0xAA or octets[at + 2] != 3 or _u16(octets, at + 3) != 0:
            return NOT_TCP
        self.at = at + 8
        kind: cython.int = _u16(octets, at + 6)
        return kind if kind >= LENGTHS_END else NOT_TCP

    @cython.cfunc
    def _mpls(self) -> cython.int:
        """One label (RFC 3032). What follows the last one is not said: the first nibble decides (RFC 4928)."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if self.end - at < 4:
            return self._short(4)
        self.at = at + 4
        if not octets[at + 2] & 1:
            return MPLS
        next_: cython.int = self._by_nibble()
        if next_ != NOT_TCP:
            return next_
        if octets[at + 4] >> 4 == 0:  # the control word of a pseudo-wire (RFC 4448), or an address that begins so
            if self.end - self.at < 4:
                return self._short(4)
            self.at = at + 8
            next_ = self._bridged()
            if next_ != NOT_TCP:
                return next_
            self.at = at + 4
        return self._bridged()

    @cython.cfunc
    def _ppp(self) -> cython.int:
        """Address and control octets or not, protocol in one octet or two (RFC 1661 sections 2, 6.5 and 6.6)."""
        octets = self.octets
        if self.end - self.at >= 2 and octets[self.at] == 0xFF and octets[self.at + 1] == 3:
            self.at += 2
        at: cython.Py_ssize_t = self.at
        if self.end - at < 2:
            return self._short(2)
        kind: cython.int = octets[at]
        if kind & 1:
            self.at = at + 1
        else:
            kind = _u16(octets, at)
            self.at = at + 2
        if kind == 0x21:
            return IPV4
        if kind == 0x57:
            return IPV6
        return MPLS if kind == 0x281 else NOT_TCP

    @cython.cfunc
    def _link(self, link: cython.int) -> cython.int:
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        left: cython.Py_ssize_t = self.end - at
        if link == 1:
            return self._ethertype(ETHERNET)
        if link == 113:
            return self._cooked(16, at + 1, at + 14)
        if link == 276:
            return self._cooked(20, at + 10, at)
        if link == 101 or link == 12 or link == 14 or link == 228 or link == 229:
            return self._by_nibble()
        if link == 239:
            return self._nflog()
        if link == 51:
            return PPPOE_SESSION
        if link == 9:
            return PPP
        if link != 0 and link != 108 and link != 50 and link != 104 and link != 117 and link != 166 and link != 258:
            return UNSUPPORTED
        if left < 4:
            return self._short(4)
        if link == 0 or link == 108:  # the address family, in the octet order of whatever host wrote it
            self.at = at + 4
            if octets[at + 1] or octets[at + 2]:
                return NOT_TCP
            return self._family(octets[at + 3] if octets[at] == 0 else octets[at])
        if link == 117:  # header length, then the family of the filtered packet
            self.at = at + ((octets[at] + 3) & ~3)
            return self._family(octets[at + 1])
        if link == 258:  # little-endian: header length, type of the record, link type of the frame
            if left < 12:
                return self._short(12)
            if octets[at + 2] or octets[at + 3] or octets[at + 10] or octets[at + 11] or octets[at + 1]:
                return MALFORMED
            self.at = at + octets[at]
            link = octets[at + 8] | octets[at + 9] << 8
            if octets[at] < 12 or link == 258:
                return MALFORMED
            return LINK + link
        if link == 166:  # a direction octet instead of the address
            self.at = at + 2 if octets[at + 1] == 3 else at + 1
            if octets[at] <= 1:
                self.bits = OUTBOUND if octets[at] else INBOUND
            return PPP
        if octets[at] == 0x0F or octets[at] == 0x8F:  # Cisco HDLC: unicast, multicast; then an EtherType
            self.at = at + 4
            return _u16(octets, at + 2)
        return PPP if link == 50 else NOT_TCP

    @cython.cfunc
    def _cooked(
        self, size: cython.Py_ssize_t, type_at: cython.Py_ssize_t, protocol_at: cython.Py_ssize_t
    ) -> cython.int:
        """LINUX_SLL and LINUX_SLL2: the packet type says whose frame it is, the protocol is an EtherType."""
        if self.end - self.at < size:
            return self._short(size)
        octets = self.octets
        if octets[type_at] == 0:
            self.bits = INBOUND
        elif octets[type_at] == 4:
            self.bits = OUTBOUND
        self.at += size
        kind: cython.int = _u16(octets, protocol_at)
        if kind >= LENGTHS_END:
            return kind
        return self._logical_link() if kind == 4 else NOT_TCP

    @cython.cfunc
    def _family(self, family: cython.int) -> cython.int:
        """IPv4 is 2 everywhere; IPv6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on the BSDs and macOS."""
        if family == 2:
            return IPV4
        if family == 10 or family == 23 or family == 24 or family == 28 or family == 30:
            return IPV6
        return NOT_TCP

    @cython.cfunc
    def _nflog(self) -> cython.int:
        """A list of (length, type, value) in the host's octet order, padded to four; type 9 is the packet."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        end: cython.Py_ssize_t = self.end
        if end - at < 4:
            return self._short(4)
        if octets[at + 1] != 0:
            return NOT_TCP
        family: cython.int = octets[at]
        at += 4
        length: cython.Py_ssize_t
        kind: cython.int
        for _ in range(64):
            self.at = at
            if end - at < 4:
                return self._short(4)
            # Types are small and never zero, so one of the two octets is zero and tells the order.
            if octets[at + 2]:
                kind = octets[at + 2]
                length = octets[at] | octets[at + 1] << 8
            else:
                kind = octets[at + 3]
                length = _u16(octets, at)
            if length < 4:
                return MALFORMED
            if kind == 9:
                self.at = at + 4
                if self.wire > at + length:
                    self.wire = at + length
                if self.end > self.wire:
                    self.end = self.wire
                return self._family(family)
            at += (length + 3) & ~3
        return MALFORMED

    @cython.cfunc
    def _protocol(self, protocol: cython.int) -> cython.int:
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        left: cython.Py_ssize_t = self.end - at
        if protocol == 17:
            return self._udp()
        if protocol == 47:
            return self._gre()
        if protocol == 4:
            return IPV4
        if protocol == 41:
            return IPV6
        if protocol == 1 or protocol == 58:
            return RARE_ICMP if (protocol == 1) == (self.version == 4) else NOT_TCP
        if protocol == 137:  # RFC 4023
            return MPLS
        if protocol == 97:  # EtherIP, RFC 3378
            if left < 2:
                return self._short(2)
            if octets[at] >> 4 != 3:
                return NOT_TCP
            self.at = at + 2
            return ETHERNET
        if protocol == 51:  # RFC 4302 section 2.2: length in 4-octet units, minus 2
            if left < 2:
                return self._short(12)
            self.at = at + (octets[at + 1] + 2) * 4
            return PROTOCOL + octets[at]
        if self.version != 6:
            return NOT_TCP
        if protocol == 44:  # RFC 8200 section 4.5; an atomic fragment (RFC 6946) is whole
            if left < 8:
                return self._short(8)
            if octets[at + 2] or octets[at + 3] & 0xF9:
                return FRAGMENT
            self.at = at + 8
            return PROTOCOL + octets[at]
        if protocol == 0 or protocol == 43 or protocol == 60 or protocol == 135 or protocol == 139 or protocol == 140:
            if left < 2:
                return self._short(8)
            self.at = at + (octets[at + 1] + 1) * 8
            return PROTOCOL + octets[at]
        return NOT_TCP

    @cython.cfunc
    def _gre(self) -> cython.int:
        """RFC 2784, 2890 (key, sequence number), 7637 (NVGRE), 2637 (version 1: PPP); ERSPAN inside."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if self.end - at < 4:
            return self._short(4)
        flags: cython.int = _u16(octets, at)
        kind: cython.int = _u16(octets, at + 2)
        size: cython.Py_ssize_t = 4
        if flags & 0x4000:  # source routing, which RFC 2784 withdrew
            return NOT_TCP
        if flags & 0x8000:
            size += 4
        if flags & 0x2000:
            size += 4
        if flags & 0x1000:
            size += 4
        if flags & 7 == 1:
            if kind != 0x880B:
                return NOT_TCP
            self.at = at + size + 4 if flags & 0x80 else at + size
            return PPP
        if flags & 7:
            return NOT_TCP
        self.at = at + size
        if kind == 0x88BE and not flags & 0x1000:  # ERSPAN type I has no header of its own
            return self._bridged()
        if kind == 0x88BE or kind == 0x22EB:
            return self._erspan()
        return kind if kind >= LENGTHS_END else NOT_TCP

    @cython.cfunc
    def _erspan(self) -> cython.int:
        """Type II: 8 octets; type III: 12, and 8 more when the last bit says so."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if self.end - at < 8:
            return self._short(8)
        version: cython.int = octets[at] >> 4
        if version == 1:
            self.at = at + 8
            return self._bridged()
        if version != 2:
            return NOT_TCP
        if self.end - at < 12:
            return self._short(12)
        self.at = at + 20 if octets[at + 11] & 1 else at + 12
        kind: cython.int = octets[at + 10] >> 2 & 0x1F
        if kind == 2:
            return self._by_nibble()
        return self._bridged() if kind == 0 else NOT_TCP

    @cython.cfunc
    def _udp(self) -> cython.int:
        """VXLAN (RFC 7348), GENEVE (RFC 8926), GTP-U: by destination port and a header that makes sense."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if self.end - at < 8:
            return self._short(8)
        port: cython.int = _u16(octets, at + 2)
        at += 8
        if port != 4789 and port != 8472 and port != 6081 and port != 2152:
            return NOT_TCP
        self.at = at
        if self.end - at < 8:
            return CUT if self.wire - at >= 8 else NOT_TCP
        if port == 2152:
            return self._gtp()
        if octets[at + 7]:
            return NOT_TCP
        if port != 6081:
            if octets[at] & 0x7F != 0x08:  # the identifier is valid, and perhaps a group policy is present
                return NOT_TCP
            self._tagged(octets[at + 4] << 16 | _u16(octets, at + 5) | 0x1000000)
            self.at = at + 8
            return self._bridged()
        if octets[at] & 0xC0 or octets[at + 1] & 0x3F:
            return NOT_TCP
        kind: cython.int = _u16(octets, at + 2)
        self._tagged(octets[at + 4] << 16 | _u16(octets, at + 5) | 0x1000000)
        self.at = at + 8 + (octets[at] & 0x3F) * 4
        if kind == ETHERNET:
            return self._bridged()
        return kind if kind == IPV4 or kind == IPV6 else NOT_TCP

    @cython.cfunc
    def _gtp(self) -> cython.int:
        """GTP version 1, message type 255 (3GPP TS 29.281 section 5): optional fields, chain of extension headers."""
        octets = self.octets
        at: cython.Py_ssize_t = self.at
        if octets[at] & 0xF0 != 0x30 or octets[at + 1] != 255:
            return NOT_TCP
        flags: cython.int = octets[at]
        at += 8
        if flags & 7:
            if self.end - at < 4:
                return CUT
            more: cython.int = octets[at + 3] if flags & 4 else 0
            at += 4
            while more:
                if self.end - at < 1:
                    return CUT
                size: cython.Py_ssize_t = octets[at] * 4
                if size == 0:
                    return NOT_TCP
                if self.end - at < size:
                    return CUT
                more = octets[at + size - 1]
                at += size
        self.at = at
        return self._by_nibble()

    @cython.cfunc
    def _bridged(self) -> cython.int:
        """ETHERNET if what is here can be an Ethernet frame that leads to TCP; a port number alone proves nothing."""
        if self.end - self.at < 14:
            return self._short(14)
        kind: cython.int = _u16(self.octets, self.at + 12)
        if kind == IPV4 or kind == IPV6 or kind == ARP or kind == MPLS or kind == PPPOE_SESSION or _is_tag(kind):
            return ETHERNET
        return NOT_TCP
