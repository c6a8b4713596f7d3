"""The kernel of the packet stage: from frames as captured to rows of TCP header fields, one loop over a batch.

Ethernet, IPv4, IPv6 and TCP are read here; everything else that may stand before them is ``layers_cy``'s. The
innermost TCP header wins. Lengths come from the IP header, never from the frame, which may be padded. Checksums are
not looked at: a sender that offloads them leaves them wrong. Of each frame exactly one counter goes up.

Only the loads of the fixed headers are written twice: a C compiler wants shifts, the interpreter ``struct``.

This file is long because its loop is one function: a call for each frame would cost the interpreter half its speed,
and half of the lines only name the numbers and give their C types.
"""

from __future__ import annotations

import struct

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

from wire502.packet.fragments_cy import Datagram
from wire502.packet.linktypes import LinkTable

if cython.compiled:
    from cython.cimports.wire502.model.frames_cy import Batch, RowAt, Segments
    from cython.cimports.wire502.packet.fragments_cy import Reassembler
    from cython.cimports.wire502.packet.layers_cy import Cursor
    from cython.cimports.wire502.packet.numbers import u16, u32, u64
    from cython.cimports.wire502.packet.options_cy import Options
    from cython.cimports.wire502.packet.straight_cy import Straight
else:
    from wire502.model.frames_cy import Batch, RowAt, Segments
    from wire502.packet.fragments_cy import Reassembler
    from wire502.packet.layers_cy import Cursor
    from wire502.packet.numbers import u16, u32, u64
    from wire502.packet.options_cy import Options
    from wire502.packet.straight_cy import Straight

_IPV4 = struct.Struct(">BxHHHBBxxII")  # version and size, total length, identification, fragment, TTL, protocol, ends
_IPV6 = struct.Struct(">BxxxHBBQQQQ")  # version, payload length, next header, hop limit, ends
_TCP = struct.Struct(">IIIHH")  # ports, sequence and acknowledgement number, size and flags, window
_PAIR = struct.Struct(">II")

# Layers and ends of the walk, as in layers_cy.
LINK = cython.declare(cython.int, 0x10000)
PROTOCOL = cython.declare(cython.int, 0x20000)
TCP = cython.declare(cython.int, 0x20006)
IPV4 = cython.declare(cython.int, 0x0800)
IPV6 = cython.declare(cython.int, 0x86DD)
VLAN = cython.declare(cython.int, 0x8100)
NOT_TCP = cython.declare(cython.int, -2)
MALFORMED = cython.declare(cython.int, -3)
CUT = cython.declare(cython.int, -4)
UNSUPPORTED = cython.declare(cython.int, -5)
FRAGMENT = cython.declare(cython.int, -6)
RARE_ICMP = cython.declare(cython.int, -7)
RARE_ARP = cython.declare(cython.int, -8)
SEGMENT = cython.declare(cython.int, 0)

# Bits of Segments.flags, as in model.frames_cy, which cannot be seen from C.
SYN = cython.declare(cython.uint, 0x002)
V6 = cython.declare(cython.uint, 0x1000)
DONT_FRAGMENT = cython.declare(cython.uint, 0x2000)
HAS_TIMESTAMP = cython.declare(cython.uint, 0x4000)
INBOUND = cython.declare(cython.uint, 0x10000)
OUTBOUND = cython.declare(cython.uint, 0x20000)
OF_THE_FRAME = cython.declare(cython.uint, 0xFFFF0000)  # said by what stands before the IP header: direction, lane
LANE = cython.declare(cython.uint, 0xFFFC0000)
LANE_SHIFT = cython.declare(cython.int, 18)

# The smallest part of a TCP header worth having: up to the window. Without it, zero would be taken for a closed one.
TCP_LEAST = cython.declare(cython.Py_ssize_t, 16)
MOST_STEPS = cython.declare(cython.int, 40)  # headers in front of TCP: tags, labels, extension headers, tunnels
MOST_DEPTH = cython.declare(cython.int, 8)  # of these, IP headers
MOST_MESSAGE = cython.declare(cython.Py_ssize_t, 576)  # octets of an ICMP message that may matter
NOP_NOP_TIMESTAMP = cython.declare(cython.uint, 0x0101080A)
MAPPED = cython.declare(cython.ulonglong, 0xFFFF00000000)  # ::ffff:0.0.0.0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _may_matter(icmp_type: cython.int, version_6: cython.bint) -> cython.bint:
    """Whether a look at an ICMP message of this type is worth a Python call; an echo flood is not."""
    if version_6:
        return 1 <= icmp_type <= 3 or icmp_type == 135 or icmp_type == 136
    return icmp_type == 3 or icmp_type == 11


@cython.cclass
class Decoder:
    """Decodes batches into segments, at most *capacity* rows at a time.

    | counter | frames that |
    |---|---|
    | segments | became a row |
    | rare | became a ``RareFrame`` |
    | fragments | are an IP fragment |
    | non_tcp | hold something else, whole as far as it was read |
    | malformed | contradict themselves |
    | cut | were cut by the capture before the TCP window field |
    | unsupported | have a link type that is not read: {link type: frames} |

    ``frames`` and ``octets`` (on the wire) count all of them, ``latest_ns`` is the latest time stamp of
    all. Nothing that a frame says raises.
    """

    capacity: int
    frames: int
    octets: int
    latest_ns: int
    segments: int
    rare: int
    fragments: int
    non_tcp: int
    malformed: int
    cut: int
    unsupported: dict[int, int]
    fragment: bytes | None
    reassembler: Reassembler | None  # takes the fragments at once: a flood of them costs no call of decode for each
    datagram: Datagram | None  # that ``fragment`` completed
    fragment_header: int
    fragment_length: int
    fragment_direction: int
    fragment_lane: int
    _cursor: Cursor
    _table: LinkTable
    _options: Options
    _straight: Straight | None

    def __init__(self, capacity: int, *, straight: bool = True) -> None:
        self.capacity = capacity
        self.latest_ns = -(1 << 63)
        self.frames = self.octets = self.segments = self.rare = self.fragments = 0
        self.non_tcp = self.malformed = self.cut = 0
        self.unsupported = {}
        self.fragment = None
        self.reassembler = None
        self.datagram = None
        self.fragment_header = self.fragment_length = self.fragment_direction = self.fragment_lane = 0
        self._cursor = Cursor()
        self._table = LinkTable()
        self._options = Options()
        self._straight = Straight() if straight and cython.compiled else None

    @cython.boundscheck(False)  # both records have shown at the start that they hold as many rows as they say
    def decode(self, batch: Batch, first: int, segments: Segments) -> int:
        """Decode frames of *batch* from row *first* on into *segments*, from its row 0 on.

        Returns the row where it stopped: ``batch.count`` when done; the next row to decode when *segments* is full;
        or the row of an IP fragment (with a ``reassembler`` only of one that completes its ``datagram``), which is then
        in ``fragment``: the octets captured from its IP header on,
        ``fragment_length`` of them on the wire. ``fragment_header`` is the index of the IPv6 fragment header in
        them, 0 for IPv4; ``fragment_direction`` is as ``Batch.direction``, ``fragment_lane`` the lane as it stands in
        ``Segments.flags``. After a fragment go on with the row
        behind it; ``fragment`` is None when there was none.
        """
        batch.check()
        segments.check()
        data: cython.uchar[::1] = batch.data
        size: cython.Py_ssize_t = data.shape[0]
        numbers: cython.longlong[::1] = batch.frame
        times: cython.longlong[::1] = batch.ts_ns
        starts: cython.longlong[::1] = batch.start
        kept: cython.int[::1] = batch.captured
        lengths: cython.int[::1] = batch.length
        interfaces: cython.int[::1] = batch.interface
        directions: cython.uchar[::1] = batch.direction
        if not cython.compiled:  # the interpreter reads a list three times as fast
            numbers, times = numbers[: batch.count].tolist(), times[: batch.count].tolist()
            starts, kept = starts[: batch.count].tolist(), kept[: batch.count].tolist()
            lengths, interfaces = lengths[: batch.count].tolist(), interfaces[: batch.count].tolist()
            directions = directions[: batch.count].tolist()
            unpack_ipv4, unpack_ipv6 = _IPV4.unpack_from, _IPV6.unpack_from
            unpack_tcp, unpack_pair = _TCP.unpack_from, _PAIR.unpack_from
        links: cython.int[::1] = self._table.links(batch.interfaces)
        known: cython.Py_ssize_t = self._table.known

        segments.data = batch.data
        segments.rare.clear()
        out: RowAt
        octets: cython.p_const_uchar
        if cython.compiled:
            octets = cython.address(data[0]) if size > 0 else cython.NULL
        else:
            octets = data
        options: Options = self._options
        cursor: Cursor = self._cursor
        straight: Straight | None = self._straight
        taken: cython.Py_ssize_t
        cursor.octets = octets
        self.fragment = None

        row: cython.Py_ssize_t = max(first, 0)
        count: cython.Py_ssize_t = batch.count
        room: cython.Py_ssize_t = min(segments.capacity, self.capacity)
        done: cython.Py_ssize_t = 0
        frames: cython.longlong = 0
        total_octets: cython.longlong = 0
        latest: cython.longlong = self.latest_ns

        time: cython.longlong
        at: cython.Py_ssize_t
        end: cython.Py_ssize_t
        wire: cython.Py_ssize_t
        header: cython.Py_ssize_t
        total: cython.Py_ssize_t
        layer: cython.int
        steps: cython.int
        depth: cython.int
        link: cython.int
        interface: cython.Py_ssize_t
        bits: cython.uint
        version: cython.uint
        ip: cython.Py_ssize_t = 0
        fragmented: cython.uint
        ip_id: cython.int = -1
        ttl: cython.int = 0
        protocol: cython.int
        source: cython.uint
        target: cython.uint
        source_high: cython.ulonglong = 0
        source_low: cython.ulonglong = 0
        target_high: cython.ulonglong = 0
        target_low: cython.ulonglong = 0
        ports: cython.uint
        seq: cython.uint
        ack: cython.uint
        size_flags: cython.uint
        window: cython.int
        kind: cython.uint
        ts_value: cython.uint
        where: cython.longlong
        packet: bytes

        while row < count and done < room:
            if cython.compiled and straight is not None:
                taken = straight.read(
                    batch,
                    row,
                    min(count, row + room - done),
                    cython.address(segments.rows[done]),
                    cython.address(links[0]),
                    known,
                )
                row += taken
                done += taken
                frames += taken
                if row == count or done == room:
                    break
            at = starts[row]
            end = kept[row]
            wire = lengths[row]
            interface = interfaces[row]
            time = times[row]
            bits = directions[row]
            if wire < end:
                wire = end
            frames += 1
            if time > latest:
                latest = time
            if at < 0 or end < 0 or at > size - end or interface < 0 or interface >= known:
                self.malformed += 1
                row += 1
                continue
            total_octets += wire
            link = links[interface]
            wire += at
            end += at
            if bits:
                bits = INBOUND if bits == 1 else OUTBOUND if bits == 2 else 0
            ip = at
            steps = 0
            depth = 0
            layer = LINK + link
            if link == 1 and end - at >= 14:  # plain Ethernet needs no call; 802.3 lengths take the long way
                layer = octets[at + 12] << 8 | octets[at + 13]
                if layer >= 0x600:
                    at += 14
                    if layer == VLAN and end - at >= 4:  # and so does one tag
                        kind = octets[at] << 8 | octets[at + 1]
                        layer = octets[at + 2] << 8 | octets[at + 3]
                        if layer >= 0x600:
                            bits |= (kind & 0xFFF) << LANE_SHIFT
                            at += 4
                        else:
                            layer = VLAN
                else:
                    layer = LINK + 1

            while True:
                if layer == IPV4:
                    ip = at
                    if end - at < 20:
                        layer = CUT if wire - at >= 20 else MALFORMED
                        break
                    if cython.compiled:
                        version = octets[at]
                        total = u16(octets, at + 2)
                        ip_id = u16(octets, at + 4)
                        fragmented = u16(octets, at + 6)
                        ttl = octets[at + 8]
                        protocol = octets[at + 9]
                        source = u32(octets, at + 12)
                        target = u32(octets, at + 16)
                    else:
                        version, total, ip_id, fragmented, ttl, protocol, source, target = unpack_ipv4(data, at)
                    header = (version & 15) << 2
                    # A total length of 0 is what the kernel hands to a card that will cut the segment up (TSO).
                    if version >> 4 != 4 or header < 20 or (total < header and total) or depth >= MOST_DEPTH:
                        layer = MALFORMED
                        break
                    if total:
                        wire = at + total
                        if end > wire:
                            end = wire
                    if fragmented & 0x3FFF:
                        cursor.at = at
                        layer = FRAGMENT
                        break
                    bits = bits & OF_THE_FRAME
                    if fragmented & 0x4000:
                        bits |= DONT_FRAGMENT
                    source_high = target_high = 0
                    source_low = MAPPED | source
                    target_low = MAPPED | target
                    depth += 1
                    cursor.version = 4
                    at += header
                    layer = PROTOCOL + protocol
                elif layer == IPV6:
                    ip = at
                    if end - at < 40:
                        layer = CUT if wire - at >= 40 else MALFORMED
                        break
                    if cython.compiled:
                        version = octets[at]
                        total = u16(octets, at + 4)
                        protocol = octets[at + 6]
                        ttl = octets[at + 7]
                        source_high = u64(octets, at + 8)
                        source_low = u64(octets, at + 16)
                        target_high = u64(octets, at + 24)
                        target_low = u64(octets, at + 32)
                    else:
                        version, total, protocol, ttl, source_high, source_low, target_high, target_low = unpack_ipv6(
                            data, at
                        )
                    if version >> 4 != 6 or depth >= MOST_DEPTH:
                        layer = MALFORMED
                        break
                    at += 40
                    if total:  # 0: a jumbogram (RFC 2675), or longer than 65,535 octets on its way to the card
                        wire = at + total
                        if end > wire:
                            end = wire
                    bits = bits & OF_THE_FRAME | V6
                    ip_id = -1
                    depth += 1
                    cursor.version = 6
                    layer = PROTOCOL + protocol
                elif layer != TCP:
                    steps += 1
                    if steps > MOST_STEPS:
                        layer = MALFORMED
                        break
                    cursor.at = at
                    cursor.end = end
                    cursor.wire = wire
                    cursor.bits = bits
                    layer = cursor.peel(layer)
                    at = cursor.at
                    end = cursor.end
                    wire = cursor.wire
                    bits = cursor.bits
                    if layer < 0:
                        break

                if layer == TCP:
                    if end - at < TCP_LEAST:
                        layer = CUT if wire - at >= 20 else MALFORMED
                        break
                    if cython.compiled:
                        ports = u32(octets, at)
                        seq = u32(octets, at + 4)
                        ack = u32(octets, at + 8)
                        size_flags = u16(octets, at + 12)
                        window = u16(octets, at + 14)
                    else:
                        ports, seq, ack, size_flags, window = unpack_tcp(data, at)
                    header = size_flags >> 12 << 2
                    if header < 20 or header > wire - at:
                        layer = MALFORMED
                        break
                    ts_value = 0
                    if cython.compiled:
                        out = cython.address(segments.rows[done])
                    else:
                        out = segments.rows[done]
                    out.mss = 0
                    out.scale = -1
                    if header > 20 and end - at > 20:
                        kind = 0
                        if header == 32 and end - at >= 32 and not size_flags & SYN:
                            if cython.compiled:
                                kind = u32(octets, at + 20)
                                ts_value = u32(octets, at + 24)
                            else:
                                kind, ts_value = unpack_pair(data, at + 20)
                        if kind == NOP_NOP_TIMESTAMP:
                            bits |= HAS_TIMESTAMP
                        else:
                            bits |= options.read(octets, at + 20, min(at + header, end), size_flags & SYN != 0)
                            ts_value = options.ts_value
                            if size_flags & SYN:
                                out.mss = options.mss
                                out.scale = options.scale
                    at += header
                    if at > end:
                        wire -= at - end  # keeps the length while `start` stays inside the captured octets
                        at = end
                    out.frame = numbers[row]
                    out.ts_ns = time
                    out.start = at
                    out.source_high = source_high
                    out.source_low = source_low
                    out.target_high = target_high
                    out.target_low = target_low
                    out.ports = ports
                    out.seq = seq
                    out.ack = ack
                    out.flags = bits | (size_flags & 0x1FF)
                    out.ts_value = ts_value
                    out.interface = interface
                    out.length = wire - at
                    out.captured = end - at
                    out.ip_id = ip_id
                    out.window = window
                    out.ttl = ttl
                    done += 1
                    layer = SEGMENT
                    break

            row += 1
            if layer == SEGMENT:
                continue
            if layer == FRAGMENT:
                self.fragments += 1
                packet = bytes(octets[ip:end])
                if self.reassembler is not None:
                    where = bits & LANE
                    where = where << 14 | interface
                    self.datagram = self.reassembler.add(packet, cursor.at - ip, wire - ip, time, where)
                    if self.datagram is None:
                        continue
                self.fragment = packet
                self.fragment_header = cursor.at - ip
                self.fragment_length = wire - ip
                self.fragment_direction = 1 if bits & INBOUND else 2 if bits & OUTBOUND else 0
                self.fragment_lane = bits & LANE
                row -= 1
                break
            if layer == RARE_ICMP or layer == RARE_ARP:
                rare = None
                total = min(end - at, MOST_MESSAGE)
                if layer == RARE_ARP:  # what reads either is loaded by the captures that have it
                    if total >= 28:
                        from wire502.packet.neighbours import read_arp

                        rare = read_arp(bytes(octets[at : at + total]))
                # Without this look an echo flood would cost a call for each frame.
                elif total >= 8 and _may_matter(octets[at], bits & V6 != 0):
                    from wire502.packet.icmp import read_icmp

                    rare = read_icmp(
                        bytes(octets[at : at + total]),
                        6 if bits & V6 else 4,
                        ttl,
                        (source_high, source_low),
                        (target_high, target_low),
                    )
                if rare is not None:
                    rare.row = done
                    rare.frame = numbers[row - 1]
                    rare.ts_ns = time
                    rare.interface = interface
                    segments.rare.append(rare)
                    self.rare += 1
                    continue
                layer = NOT_TCP
            if layer == NOT_TCP:
                self.non_tcp += 1
            elif layer == CUT:
                self.cut += 1
            elif layer == UNSUPPORTED:
                self.unsupported[link] = self.unsupported.get(link, 0) + 1
            else:
                self.malformed += 1

        if straight is not None:
            total_octets += straight.octets
            latest = max(latest, straight.latest_ns)
            straight.octets = 0
        segments.count = done
        self.segments += done
        self.frames += frames
        self.octets += total_octets
        self.latest_ns = latest
        return int(row)
