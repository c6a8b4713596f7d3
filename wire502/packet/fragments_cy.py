"""IP fragments, IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5), put together within fixed bounds.

Where fragments overlap the octets that came first stay. What is kept is bounded in datagrams and in octets; the
oldest goes first. A fragment cut by the capture still counts with its length: the datagram then says up to where
its octets are known, and nothing is made up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque

from wire502.model.records import record

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

_MOST_DATAGRAMS = 1024
_MOST_OCTETS = 4 << 20
_PATIENCE_NS = 30 * 10**9  # RFC 791 asks for 15 s at least, Linux waits 30 s
_LARGEST = cython.declare(cython.Py_ssize_t, 65535)
_ZEROS = memoryview(bytes(2 * 65536))


@record()
class Datagram:
    """A datagram put together: ``octets`` from its IP header on, ``length`` with those that were not captured."""

    octets: bytes
    length: int


@cython.cclass
class Partial:
    """A datagram under way.

    ``starts`` and ``ends`` are the ranges of its payload that are there: sorted, disjoint, not adjacent. ``payload``
    begins at the offset ``base``: of a datagram of which only the end came, not more is kept than that.
    """

    since_ns: int
    count: int  # fragments
    key: tuple[int, bytes]
    gone: bool  # given back, or given up
    version: int
    base: int
    total: int  # payload octets, known when the last fragment has come; -1
    whole_until: int  # the first octet that was on the wire but not captured
    payload: bytearray
    header: bytes | None  # of the fragment with offset 0: what goes before the payload, its lengths still to be set
    starts: list[int]
    ends: list[int]

    def __init__(self, key: tuple[int, bytes], since_ns: int) -> None:
        self.key = key
        self.since_ns = since_ns
        self.count = self.base = 0
        self.gone = False
        self.version = 4
        self.total = -1
        self.whole_until = _LARGEST + 1
        self.payload = bytearray()
        self.header = None
        self.starts = []
        self.ends = []

    @cython.cfunc
    def place(
        self,
        packet: bytes,
        begin: cython.Py_ssize_t,
        known: cython.Py_ssize_t,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
    ) -> cython.bint:
        """Put the octets of *packet* from *begin* on at *start* to *end* where none are yet, those up to *known*.

        Returns whether they overlap others, but for an exact copy.
        """
        starts: list[int] = self.starts
        ends: list[int] = self.ends
        low: cython.Py_ssize_t
        high: cython.Py_ssize_t
        at: cython.Py_ssize_t = start
        index: cython.Py_ssize_t
        first: cython.Py_ssize_t = start
        overlaps: cython.bint = False
        self._reserve(start, end)
        if not starts:
            self._fill(packet, begin, first, start, end, known)
            starts.append(start)
            ends.append(end)
            return False
        low = bisect_left(ends, start)  # the first range that touches or follows
        high = bisect_right(starts, end)  # behind the last range that touches or precedes
        for index in range(low, high):
            overlaps = overlaps or (starts[index] < end and ends[index] > start)
            self._fill(packet, begin, first, at, min(starts[index], end), known)
            at = max(at, ends[index])
        if overlaps and at >= end:
            there = self.payload[start - self.base : known - self.base]
            overlaps = there != packet[begin : begin + (known - start)]
        self._fill(packet, begin, first, at, end, known)
        if low < high:
            start = min(start, starts[low])
            end = max(end, ends[high - 1])
        starts[low:high] = [start]
        ends[low:high] = [end]
        return overlaps

    @cython.cfunc
    def _reserve(self, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Make room for the octets from *start* to *end*."""
        size: cython.Py_ssize_t = len(self.payload)
        base: cython.Py_ssize_t
        if size == 0:
            self.base = start
        elif start < self.base:
            # As much again as there is, so that pieces from the last to the first cost no square of their number.
            base = min(start, max(0, self.base - size))
            self.payload[0:0] = _ZEROS[: self.base - base]
            self.base = base
            size = len(self.payload)
        if end > self.base + size:
            self.payload += _ZEROS[: end - self.base - size]
        return 0

    @cython.cfunc
    def _fill(
        self,
        packet: bytes,
        begin: cython.Py_ssize_t,
        first: cython.Py_ssize_t,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        known: cython.Py_ssize_t,
    ) -> cython.int:
        """Write the octets from *start* to *end*; the fragment has those from *first* to *known*."""
        if start >= end:
            return 0
        if end > known:
            self.whole_until = min(self.whole_until, max(start, known))
            end = known
        if start < end:
            begin += start - first
            self.payload[start - self.base : end - self.base] = packet[begin : begin + end - start]
        return 0

    @cython.cfunc
    def name(self, packet: bytes, header: cython.Py_ssize_t) -> cython.int:
        """Keep the header of the fragment with the offset 0."""
        if header:
            # The extension headers before are done with.
            self.header = packet[:6] + packet[header : header + 1] + packet[7:40]
            self.version = 6
        else:
            self.header = packet[:20]  # options end here: they say nothing about what follows
            self.version = 4
        return 0

    def whole(self) -> Datagram:
        """Return the datagram with one plain header before its payload."""
        header = bytearray(self.header or b"")
        total = len(self.payload)
        if self.version == 4:
            header[0] = 0x45
            header[2:4] = (20 + total).to_bytes(2, "big")
            header[6:8] = bytes([header[6] & 0x40, 0])
        else:
            header[4:6] = total.to_bytes(2, "big")
        known = min(total, self.whole_until)
        return Datagram(bytes(header) + bytes(self.payload[:known]), len(header) + total)


@cython.cclass
class Reassembler:
    """Takes fragments in capture order, gives each datagram back when its last piece is there.

    | counter | meaning |
    |---|---|
    | dropped | fragments that will be in no datagram: malformed, contradicting, or given up with theirs |
    | overlapping | fragments that repeat octets already there, other than as an exact copy |

    ``pending`` datagrams still wait.
    """

    dropped: int
    overlapping: int
    _order: deque[Partial]
    _partials: dict[tuple[int, bytes], Partial]

    def __init__(
        self,
        most_datagrams: int = _MOST_DATAGRAMS,
        most_octets: int = _MOST_OCTETS,
        patience_ns: int = _PATIENCE_NS,
    ) -> None:
        self.dropped = 0
        self.overlapping = 0
        self._most_datagrams = most_datagrams
        self._most_octets = most_octets
        self._patience_ns = patience_ns
        self._octets = 0
        self._partials = {}
        self._order = deque()  # by their beginning, with those that are gone

    @property
    def pending(self) -> int:
        """Datagrams that still wait for fragments."""
        return len(self._partials)

    @property
    def octets(self) -> int:
        """Octets kept for them."""
        return self._octets

    @cython.ccall
    def add(
        self,
        packet: bytes,
        header: cython.Py_ssize_t,
        length: cython.Py_ssize_t,
        ts_ns: cython.longlong,
        place: cython.longlong,
    ) -> Datagram | None:
        """Add the fragment *packet*: the octets captured from its IP header on, *length* of them on the wire.

        *header* is the index of the IPv6 fragment header, 0 for IPv4. Returns the datagram that it completes.
        *place* numbers the interfaces and VLANs: copies seen on several are put together apart, so that they stay
        copies.
        """
        partial: Partial | None
        octets: cython.p_const_uchar
        at: cython.Py_ssize_t = header
        captured: cython.Py_ssize_t = len(packet)
        begin: cython.Py_ssize_t  # of the payload in the packet
        start: cython.Py_ssize_t  # of the payload in the datagram
        end: cython.Py_ssize_t
        most: cython.Py_ssize_t = _LARGEST
        more: cython.bint
        had: cython.Py_ssize_t
        if captured < 20 or (at and (at < 40 or captured < at + 8)):
            self.dropped += 1
            return None
        octets = packet
        if at:
            begin = at + 8
            start = octets[at + 2] << 8 | (octets[at + 3] & 0xF8)
            more = (octets[at + 3] & 1) != 0
            key = (place << 1 | 1, packet[at + 4 : at + 8] + packet[8:40])
        else:
            begin = (octets[0] & 15) * 4
            start = ((octets[6] & 0x1F) << 8 | octets[7]) * 8
            more = (octets[6] & 0x20) != 0
            most -= 20
            key = (place << 9 | octets[9] << 1, packet[4:6] + packet[12:20])
        end = start + length - begin
        if end <= start or (more and (end - start) % 8) or end > most:
            self.dropped += 1
            return None
        if captured > length:
            captured = length
        partial = self._partials.get(key)
        if partial is not None and not -self._patience_ns <= ts_ns - partial.since_ns <= self._patience_ns:
            self._give_up(partial)
            partial = None
        if partial is None:
            partial = Partial(key, ts_ns)
            self._partials[key] = partial
            self._order.append(partial)
        reached: cython.Py_ssize_t = partial.ends[len(partial.ends) - 1] if partial.ends else 0
        if (partial.total >= 0 and (end > partial.total or (not more and end != partial.total))) or (
            not more and end < reached
        ):
            self.dropped += 1  # beyond an end that an earlier fragment has named, or an end before known octets
            self._bound()
            return None
        partial.count += 1
        if not more:
            partial.total = end
        if start == 0 and partial.header is None:
            partial.name(packet, at)
        had = len(partial.payload)
        if partial.place(packet, begin, start + max(0, captured - begin), start, end):
            self.overlapping += 1
        self._octets += len(partial.payload) - had
        if partial.total >= 0 and len(partial.starts) == 1 and partial.starts[0] == 0:
            if partial.ends[0] == partial.total:
                self._forget(partial)
                return partial.whole()
        self._bound()
        return None

    @cython.cfunc
    def _bound(self) -> cython.int:
        while self._octets > self._most_octets or len(self._partials) > self._most_datagrams:
            oldest: Partial = self._order.popleft()
            if not oldest.gone:
                self._give_up(oldest)
        if len(self._order) > 2 * len(self._partials) + 64:
            self._order = deque([one for one in self._order if not one.gone])
        return 0

    @cython.cfunc
    def _give_up(self, partial: Partial) -> cython.int:
        self.dropped += partial.count
        self._forget(partial)
        return 0

    @cython.cfunc
    def _forget(self, partial: Partial) -> cython.int:
        partial.gone = True
        self._octets -= len(partial.payload)
        del self._partials[partial.key]
        return 0
