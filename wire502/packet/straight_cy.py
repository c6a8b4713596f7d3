"""The straight way through the usual frame; compiled only, where it takes half of what the way for all frames takes.

Usual is Ethernet with one tag or none, IPv4 without options or IPv6 without extension headers, no fragment, and a TCP
header that is there as a whole. Of such a frame the same comes out here as in ``decode_cy``; of all others nothing.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.frames_cy import Batch, RowAt
    from cython.cimports.wire502.packet.numbers import u16, u32, u64
    from cython.cimports.wire502.packet.options_cy import Options
else:
    from wire502.model.frames_cy import Batch, RowAt
    from wire502.packet.numbers import u16, u32, u64
    from wire502.packet.options_cy import Options

ETHERNET = cython.declare(cython.int, 1)
VLAN = cython.declare(cython.uint, 0x8100)
IPV4 = cython.declare(cython.uint, 0x0800)
IPV6 = cython.declare(cython.uint, 0x86DD)
TCP = cython.declare(cython.int, 6)
LEAST = cython.declare(cython.Py_ssize_t, 54)  # octets of Ethernet, IPv4 and TCP header

# As in decode_cy.
SYN = cython.declare(cython.uint, 0x002)
V6 = cython.declare(cython.uint, 0x1000)
DONT_FRAGMENT = cython.declare(cython.uint, 0x2000)
HAS_TIMESTAMP = cython.declare(cython.uint, 0x4000)
INBOUND = cython.declare(cython.uint, 0x10000)
OUTBOUND = cython.declare(cython.uint, 0x20000)
LANE_SHIFT = cython.declare(cython.int, 18)
NOP_NOP_TIMESTAMP = cython.declare(cython.uint, 0x0101080A)
MAPPED = cython.declare(cython.ulonglong, 0xFFFF00000000)


@cython.cclass
class Straight:
    """Reads usual frames. ``octets`` is what they had on the wire, ``latest_ns`` the latest time stamp among them."""

    octets: int
    latest_ns: int
    _options: Options

    def __init__(self) -> None:
        self.octets = 0
        self.latest_ns = -(1 << 63)
        self._options = Options()

    @cython.cfunc
    @cython.boundscheck(False)  # the caller has checked the batch, and has room for the rows
    def read(
        self,
        batch: Batch,
        first: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        out: RowAt,
        links: cython.p_const_int,
        known: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Read the frames of rows *first* to *end* up to one that is not usual; return how many were.

        The segments go to *out* and the rows behind it; *links* has the link type of the *known* interfaces.
        """
        octets: cython.p_const_uchar = cython.address(batch.data[0])
        size: cython.Py_ssize_t = len(batch.data)
        numbers: cython.p_longlong = cython.address(batch.frame[0])
        times: cython.p_longlong = cython.address(batch.ts_ns[0])
        starts: cython.p_longlong = cython.address(batch.start[0])
        kept: cython.p_int = cython.address(batch.captured[0])
        lengths: cython.p_int = cython.address(batch.length[0])
        interfaces: cython.p_int = cython.address(batch.interface[0])
        directions: cython.p_const_uchar = cython.address(batch.direction[0])
        latest: cython.longlong = self.latest_ns
        wire: cython.longlong = 0
        row: cython.Py_ssize_t = first
        here: cython.p_const_uchar
        left: cython.Py_ssize_t
        total: cython.Py_ssize_t
        header: cython.Py_ssize_t
        interface: cython.int
        ethernet: cython.longlong = -(1 << 40)  # an interface that is known to be one; first a number that none has
        at: cython.longlong
        time: cython.longlong
        kind: cython.uint
        bits: cython.uint
        fragmented: cython.uint
        size_flags: cython.uint

        while row < end:
            at = starts[row]
            left = kept[row]
            interface = interfaces[row]
            if at < 0 or left < LEAST or at > size - left:
                break
            if interface != ethernet:
                if interface < 0 or interface >= known or links[interface] != ETHERNET:
                    break
                ethernet = interface
            here = octets + at
            bits = 0
            kind = u16(here, 12)
            here += 14
            left -= 14
            if kind == VLAN:
                bits = (u16(here, 0) & 0xFFF) << LANE_SHIFT
                kind = u16(here, 2)
                here += 4
                left -= 4
            if kind == IPV4:
                if here[0] != 0x45 or here[9] != TCP or left < 40:
                    break
                fragmented = u16(here, 6)
                if fragmented & 0x3FFF:
                    break
                bits |= (fragmented & 0x4000) >> 1  # DONT_FRAGMENT
                total = u16(here, 2)
                out.source_high = 0
                out.source_low = MAPPED | u32(here, 12)
                out.target_high = 0
                out.target_low = MAPPED | u32(here, 16)
                out.ip_id = u16(here, 4)
                out.ttl = here[8]
                here += 20
                left = min(left, total) - 20
                total -= 20
            elif kind == IPV6:
                if here[0] >> 4 != 6 or here[6] != TCP or left < 60:
                    break
                bits |= V6
                total = u16(here, 4)
                out.source_high = u64(here, 8)
                out.source_low = u64(here, 16)
                out.target_high = u64(here, 24)
                out.target_low = u64(here, 32)
                out.ip_id = -1
                out.ttl = here[7]
                here += 40
                left = min(left - 40, total)
            else:
                break
            size_flags = u16(here, 12)
            header = size_flags >> 12 << 2
            # A total length of 0 ends here too: what it means the other way knows.
            if header < 20 or header > left:
                break
            out.ts_value = 0
            out.mss = 0
            out.scale = -1
            if header == 32 and u32(here, 20) == NOP_NOP_TIMESTAMP and not size_flags & SYN:
                bits |= HAS_TIMESTAMP
                out.ts_value = u32(here, 24)
            elif header > 20:
                bits |= self._options.read(here, 20, header, size_flags & SYN != 0)
                out.ts_value = self._options.ts_value
                out.mss = self._options.mss
                out.scale = self._options.scale
            if directions[row]:
                bits |= INBOUND if directions[row] == 1 else OUTBOUND if directions[row] == 2 else 0
            out.flags = bits | (size_flags & 0x1FF)
            out.ports = u32(here, 0)
            out.seq = u32(here, 4)
            out.ack = u32(here, 8)
            out.window = u16(here, 14)
            out.frame = numbers[row]
            time = times[row]
            out.ts_ns = time
            out.interface = interface
            out.start = (here - octets) + header
            out.length = total - header
            out.captured = left - header
            latest = max(latest, time)
            wire += max(lengths[row], kept[row])
            out += 1  # type: ignore[assignment, operator]  # a pointer
            row += 1
        self.latest_ns = latest
        self.octets += wire
        return row - first
