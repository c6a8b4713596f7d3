"""Segments and octets around failure points, out of a slice: what a report draws.

They come from the slice as it is handed on, so a plot shows nothing that the evidence does not hold: what was
overwritten there is overwritten here. Time is linear in the frames; memory is bounded by ``_POINTS`` in all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from wire502.api import Failure
from wire502.capture import open_source
from wire502.evidence.selection import End, column, end
from wire502.evidence.slices import Slice
from wire502.model.capture_info import Interface
from wire502.model.frames_cy import ACK, FIN, RST, SYN, Batch, Segments
from wire502.model.trace import AGAIN, AHEAD, CLOSES, OPENS, PROBE, RESETS, WINDOW_ZERO, Octets, Trace, TracePoint
from wire502.packet import PacketStage

MOST = 5_000  # failures that get a trace
_POINTS = 300_000  # segments that are kept for all of them
_LEAST, _EACH = 24, 240  # ... and for each
_AFTER = 12  # segments after the last moment that counts, of at most
_AFTER_NS = 1_000_000_000
_BEFORE_NS = 1_000_000
_FRESH_NS = 3_000_000_000  # the handshake of a fresh connection is shown if it was no longer ago
_DUPLICATE_NS = 2_000_000
_SOON_NS = 50_000  # a copy seen by the same interface comes at once
_MOST_HOLES = 64
_BEFORE_MARK, _BEHIND_MARK = 96, 48  # octets that are shown


class _Half:
    """One direction of a connection, as far as it was looked at."""

    __slots__ = ("base", "high", "holes", "last", "recent", "scale")

    def __init__(self) -> None:
        self.base = -1
        self.last = self.high = 0
        self.scale = -1
        self.holes: list[tuple[int, int]] = []
        self.recent: deque[tuple[Any, ...]] = deque(maxlen=8)

    def begin(self, seq: int, scale: int) -> None:
        """Take the sequence number behind a SYN."""
        if self.base != seq:
            self.base, self.last, self.high, self.holes = seq, 0, 0, []
        self.scale = scale

    def offset(self, seq: int, *, move: bool) -> int:
        """Return where *seq* stands in the stream, beyond 4 GiB too (RFC 9293 section 3.4)."""
        if self.base < 0:
            self.base = seq
        ahead = (seq - self.base - self.last + 0x80000000) % 0x100000000 - 0x80000000
        if move:
            self.last += ahead
            return self.last
        return self.last + ahead

    def take(self, low: int, length: int) -> int:
        """Note *length* octets at *low*; return what they are: AGAIN, AHEAD, PROBE or 0."""
        high = low + length
        if low >= self.high:
            ahead = low > self.high > 0
            if ahead and len(self.holes) < _MOST_HOLES:
                self.holes.append((self.high, low))
            self.high = high
            return AHEAD if ahead else 0
        if length == 1 and high == self.high:
            return PROBE
        self.high = max(self.high, high)
        if self.holes:
            self.holes = [piece for hole in self.holes for piece in _without(hole, low, high)]
        return AGAIN


def _without(hole: tuple[int, int], low: int, high: int) -> list[tuple[int, int]]:
    """Return what is left of *hole* when *low* to *high* is filled."""
    return [(one, two) for one, two in ((hole[0], min(hole[1], low)), (max(hole[0], high), hole[1])) if one < two]


class _Watch:
    """One failure, and the segments that belong to it: the first ones, and the last ones."""

    def __init__(self, failure: Failure, room: int) -> None:
        self.failure = failure
        times = [failure.time, *(step.point.time_ns for step in failure.ladder)]
        times += [one.time for one in (failure.request, failure.response) if one is not None]
        if failure.until is not None and failure.until.time is not None:
            times.append(failure.until.time)
        self.start_ns = min(times) - (_BEFORE_NS if failure.connection.reused else _FRESH_NS)
        self.end_ns = max(times)
        self.head: list[tuple[TracePoint, int, int]] = []  # with place and number of the captured octets
        self.tail: deque[tuple[TracePoint, int, int]] = deque(maxlen=room - room // 3)
        self.first = room // 3
        self.count = self.after = 0
        self.holes: list[tuple[bool, int, int]] = []

    def add(self, point: TracePoint, place: int, captured: int) -> None:
        if point.time_ns > self.end_ns:
            if self.after >= _AFTER:
                return
            self.after += 1
        self.count += 1
        if len(self.head) < self.first:
            self.head.append((point, place, captured))
        else:
            self.tail.append((point, place, captured))


class _Flow:
    """A pair of ends with what is watched on it, in order of time."""

    def __init__(self, gateway: End) -> None:
        self.gateway = gateway
        self.halves = (_Half(), _Half())  # from the upstream, from the gateway
        self.waiting: deque[_Watch] = deque()
        self.active: list[_Watch] = []
        self.next_ns = 0

    def watches(self, now: int) -> list[_Watch]:
        """Return those that are concerned by a segment at *now*."""
        if self.active and any(now > one.end_ns + _AFTER_NS for one in self.active):
            for one in self.active:
                if now > one.end_ns + _AFTER_NS:
                    self.close(one)
            self.active = [one for one in self.active if now <= one.end_ns + _AFTER_NS]
        while self.waiting and self.waiting[0].start_ns <= now:
            self.active.append(self.waiting.popleft())
        return self.active

    def close(self, watch: _Watch) -> None:
        """Note which octets never came."""
        watch.holes = [(bool(side), *hole) for side in (0, 1) for hole in self.halves[side].holes]


def traces(made: Slice, failures: Sequence[Failure]) -> dict[str, Trace]:
    """Return the traces of *failures* in the slice, by id; none where the connection is not known."""
    watched = failures[:MOST]
    room = max(_LEAST, min(_EACH, _POINTS // max(len(watched), 1)))
    watches = [_Watch(failure, room) for failure in watched]
    flows = _flows(watches)
    if flows:
        _collect(made, flows)
    return {watch.failure.id: _trace(made, watch) for watch in watches if watch.count}


def _flows(watches: Iterable[_Watch]) -> dict[tuple[int, End, End], _Flow]:
    """Return the connections that are watched, by file and both ends, in either order."""
    flows: dict[tuple[int, End, End], _Flow] = {}
    for watch in sorted(watches, key=lambda one: one.start_ns):
        failure = watch.failure
        gateway, upstream = end(failure.connection.gateway), end(failure.connection.upstream)
        if gateway is None or upstream is None:
            continue
        flow = flows.get((failure.file, gateway, upstream))
        if flow is None:
            flow = flows[failure.file, gateway, upstream] = flows[failure.file, upstream, gateway] = _Flow(gateway)
        flow.waiting.append(watch)
    return flows


def _collect(made: Slice, flows: dict[tuple[int, End, End], _Flow]) -> None:
    """Go through the slice once."""
    ports = {one[2] << 16 | other[2] for _, one, other in flows}
    made.stream.seek(0)
    interfaces: list[Interface] = []
    source = open_source(made.stream, interfaces=interfaces)
    stage = PacketStage()
    try:
        while (batch := source.read_batch()) is not None:
            before = memoryview(batch.data).nbytes
            first = batch.frame[0] if batch.count else 0
            for segments in stage.segments(batch):
                whole = memoryview(segments.data).nbytes == before  # else a datagram that was put together
                both = column(segments.ports, segments.count)
                for row in [row for row, pair in enumerate(both) if pair in ports]:
                    _segment(made, flows, batch, segments, row, first, whole=whole)
    finally:
        source.close()
    for flow in set(flows.values()):
        for watch in flow.active:
            flow.close(watch)


def _segment(
    made: Slice,
    flows: dict[tuple[int, End, End], _Flow],
    batch: Batch,
    segments: Segments,
    row: int,
    first: int,
    *,
    whole: bool,
) -> None:
    """Take one segment of a port pair that is watched."""
    one = segments.at(row)
    frame = one.frame
    file, number = made.places[frame - 1]
    sender, receiver = segments.ends(row)
    flow = flows.get((file, sender, receiver))
    if flow is None:
        return
    flags, now, seq = one.flags, one.ts_ns, one.seq
    side = int(sender == flow.gateway)
    half, other = flow.halves[side], flow.halves[1 - side]
    if flags & SYN:
        half.begin((seq + 1) & 0xFFFFFFFF, one.scale)
    watches = flow.watches(now)
    if not watches:
        return
    ack, window, length = one.ack, one.window, one.length
    key = (seq, ack, flags, window, length, one.ip_id)
    interface = one.interface
    for known, at, place in half.recent:
        if known == key and now - at < (_DUPLICATE_NS if place != interface else _SOON_NS):
            return  # the same packet, captured twice
    half.recent.append((key, now, interface))
    opens = bool(flags & SYN)
    offset = 0 if opens else half.offset(seq, move=not flags & RST)
    bits = (OPENS if opens else 0) | (CLOSES if flags & FIN else 0) | (RESETS if flags & RST else 0)
    if length and not flags & RST:
        bits |= half.take(offset, length)
    if not window and not flags & (SYN | RST | FIN):
        bits |= WINDOW_ZERO
    acked = -1
    if flags & ACK:
        acked = max(other.offset(ack, move=False), 0)
    scaled = -1
    if not flags & RST:
        if opens:
            scaled = window
        elif half.scale >= 0 and other.scale >= 0:
            scaled = window << half.scale
        elif not window:
            scaled = 0
    point = TracePoint(number, now, bool(side), offset, length, acked, scaled, bits)
    captured = one.captured if whole else 0
    start = made.starts[frame - 1] + one.start - batch.start[frame - first] if captured else 0
    for watch in watches:
        watch.add(point, start, captured)


def _trace(made: Slice, watch: _Watch) -> Trace:
    rows = [*watch.head, *watch.tail]
    omitted = watch.count - len(rows)
    points = [row[0] for row in rows]
    return Trace(points, len(watch.head) if omitted else 0, omitted, watch.holes, _octets(made, watch.failure, rows))


def _octets(made: Slice, failure: Failure, rows: Sequence[tuple[TracePoint, int, int]]) -> Octets | None:
    """Return the octets next to the failure point; of the request where not one of a response came."""
    illegal = failure.kind.startswith("invalid_")
    answered = illegal or failure.response is not None
    data = [row for row in rows if row[2] and row[0].from_gateway is not answered]
    if not data:
        return None
    before, behind = _BEFORE_MARK, _BEHIND_MARK if illegal else 0
    at = next((row[0] for row in data if row[0].frame == failure.frame), None)
    if failure.kind == "relayed_error" and at is not None:
        mark, before, behind = at.offset, 0, _BEFORE_MARK
    elif answered and failure.offset is not None:
        mark = failure.offset
    elif illegal and at is not None:  # begun mid-connection: the frame is all that is known
        mark, before, behind = at.offset, 0, _BEFORE_MARK
        illegal = False
    else:
        done = [row[0] for row in data if row[0].time_ns <= failure.time or not answered]
        mark = max((point.offset + point.length for point in done), default=0)
    found = Octets(not answered, mark, illegal)
    known: dict[int, int] = {}
    for point, place, captured in data:
        low = max(point.offset, mark - before)
        high = min(point.offset + captured, mark + behind)
        if low < high:
            made.stream.seek(place + low - point.offset)
            for number, octet in enumerate(made.stream.read(high - low), low):
                known.setdefault(number, octet)  # the first copy counts
    for number in sorted(known):
        if found.pieces and found.pieces[-1][0] + len(found.pieces[-1][1]) == number:
            found.pieces[-1] = (found.pieces[-1][0], found.pieces[-1][1] + bytes((known[number],)))
        else:
            found.pieces.append((number, bytes((known[number],))))
    return found if found.pieces else None
