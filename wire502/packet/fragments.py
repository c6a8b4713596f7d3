"""IP fragments, IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5), put together within fixed bounds.

Where fragments overlap the octets that came first stay. What is kept is bounded in datagrams and in octets; the
oldest goes first. A fragment cut by the capture still counts with its length: the datagram then says up to where
its octets are known, and nothing is made up.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

_MOST_DATAGRAMS = 1024
_MOST_OCTETS = 4 << 20
_PATIENCE_NS = 30 * 10**9  # RFC 791 asks for 15 s at least, Linux waits 30 s
_LARGEST = 65535


@dataclass(slots=True)
class Datagram:
    """A datagram put together: ``octets`` from its IP header on, ``length`` with those that were not captured."""

    octets: bytes
    length: int


@dataclass(slots=True)
class _Fragment:
    key: tuple[object, ...]
    offset: int  # of its first octet in the payload
    captured: bytes
    length: int  # on the wire
    last: bool
    header: bytes  # what goes before the payload, its lengths and next header still to be set
    version: int


@dataclass(slots=True)
class _Partial:
    """A datagram under way. ``starts`` and ``ends`` are the ranges that are there, sorted, disjoint, not adjacent."""

    since_ns: int
    payload: bytearray = field(default_factory=bytearray)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    total: int | None = None  # payload octets, known when the last fragment has come
    header: bytes | None = None  # of the fragment with offset 0
    version: int = 4
    whole_until: int = _LARGEST + 1  # the first octet that was on the wire but not captured


class Reassembler:
    """Takes fragments in capture order, gives each datagram back when its last piece is there.

    | counter | meaning |
    |---|---|
    | dropped | fragments that will be in no datagram: malformed, contradicting, or given up with theirs |
    | overlapping | fragments that repeat octets already there, other than as an exact copy |

    ``pending`` datagrams still wait.
    """

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
        self._partials: dict[tuple[object, ...], _Partial] = {}
        self._counts: dict[tuple[object, ...], int] = {}

    @property
    def pending(self) -> int:
        """Datagrams that still wait for fragments."""
        return len(self._partials)

    @property
    def octets(self) -> int:
        """Octets kept for them."""
        return self._octets

    def add(self, packet: bytes, header: int, length: int, ts_ns: int, place: int) -> Datagram | None:
        """Add the fragment *packet*: the octets captured from its IP header on, *length* of them on the wire.

        *header* is the index of the IPv6 fragment header, 0 for IPv4. Returns the datagram that it completes.
        *place* numbers the interfaces and VLANs: copies seen on several are put together apart, so that they stay
        copies.
        """
        fragment = _read_ipv6(packet, header, length) if header else _read_ipv4(packet, length)
        if fragment is None:
            self.dropped += 1
            return None
        key = (place, *fragment.key)
        partial = self._partials.get(key)
        if partial is not None and abs(ts_ns - partial.since_ns) > self._patience_ns:
            self._give_up(key)
            partial = None
        if partial is None:
            partial = self._partials[key] = _Partial(ts_ns)
            self._counts[key] = 0
        end = fragment.offset + fragment.length
        reached = partial.ends[-1] if partial.ends else 0
        if (partial.total is not None and (end > partial.total or (fragment.last and end != partial.total))) or (
            fragment.last and end < reached
        ):
            self.dropped += 1  # beyond an end that an earlier fragment has named, or an end before known octets
            self._bound()
            return None
        self._counts[key] += 1
        if fragment.last:
            partial.total = end
        if fragment.offset == 0 and partial.header is None:
            partial.header = fragment.header
            partial.version = fragment.version
        self._place(partial, fragment, end)
        if partial.total is not None and partial.starts == [0] and partial.ends == [partial.total]:
            self._forget(key)
            return _finish(partial)
        self._bound()
        return None

    def _place(self, partial: _Partial, fragment: _Fragment, end: int) -> None:
        """Put the octets where none are yet, and note the range."""
        start = fragment.offset
        payload = partial.payload
        if end > len(payload):
            self._octets += end - len(payload)
            payload.extend(bytes(end - len(payload)))
        starts, ends = partial.starts, partial.ends
        low = bisect_left(ends, start)  # the first range that touches or follows
        high = bisect_right(starts, end)  # behind the last range that touches or precedes
        known = fragment.offset + len(fragment.captured)
        at = start
        overlaps = False
        for index in range(low, high):
            overlaps = overlaps or (starts[index] < end and ends[index] > start)
            self._fill(partial, fragment, at, min(starts[index], end), known)
            at = max(at, ends[index])
        if overlaps and (at < end or payload[start:known] != fragment.captured):
            self.overlapping += 1
        self._fill(partial, fragment, at, end, known)
        if low < high:
            start = min(start, starts[low])
            end = max(end, ends[high - 1])
        starts[low:high] = [start]
        ends[low:high] = [end]

    def _fill(self, partial: _Partial, fragment: _Fragment, start: int, end: int, known: int) -> None:
        if start >= end:
            return
        if end > known:
            partial.whole_until = min(partial.whole_until, max(start, known))
            end = known
        if start < end:
            partial.payload[start:end] = fragment.captured[start - fragment.offset : end - fragment.offset]

    def _bound(self) -> None:
        while self._octets > self._most_octets or len(self._partials) > self._most_datagrams:
            self._give_up(next(iter(self._partials)))

    def _give_up(self, key: tuple[object, ...]) -> None:
        self.dropped += self._counts[key]
        self._forget(key)

    def _forget(self, key: tuple[object, ...]) -> None:
        self._octets -= len(self._partials.pop(key).payload)
        del self._counts[key]


def _read_ipv4(packet: bytes, length: int) -> _Fragment | None:
    if len(packet) < 20:
        return None
    size = (packet[0] & 15) * 4
    identification, place = struct.unpack_from(">HH", packet, 4)
    more = bool(place & 0x2000)
    offset = (place & 0x1FFF) * 8
    octets = length - size
    if octets <= 0 or (more and octets % 8) or offset + octets > _LARGEST - 20:
        return None
    return _Fragment(
        key=(4, identification, packet[9], packet[12:20]),
        offset=offset,
        captured=packet[size:length],
        length=octets,
        last=not more,
        header=packet[:20],  # options end here: they say nothing about what follows
        version=4,
    )


def _read_ipv6(packet: bytes, header: int, length: int) -> _Fragment | None:
    if header < 40 or len(packet) < header + 8:
        return None
    following, place, identification = struct.unpack_from(">BxHI", packet, header)
    more = bool(place & 1)
    offset = place & 0xFFF8
    octets = length - header - 8
    if octets <= 0 or (more and octets % 8) or offset + octets > _LARGEST:
        return None
    return _Fragment(
        key=(6, identification, packet[8:40]),
        offset=offset,
        captured=packet[header + 8 : length],
        length=octets,
        last=not more,
        header=packet[:6] + bytes([following]) + packet[7:40],  # the extension headers before are done with
        version=6,
    )


def _finish(partial: _Partial) -> Datagram:
    """Return the datagram with one plain header before its payload."""
    header = bytearray(partial.header or b"")
    total = len(partial.payload)
    if partial.version == 4:
        header[0] = 0x45
        header[2:4] = (20 + total).to_bytes(2, "big")
        header[6:8] = bytes([header[6] & 0x40, 0])
    else:
        header[4:6] = total.to_bytes(2, "big")
    known = min(total, partial.whole_until)
    return Datagram(bytes(header) + bytes(partial.payload[:known]), len(header) + total)
