"""How far the clocks of several files are apart, from what more than one of them shows: a look before the reading.

The same segment in two files was captured on two hosts, or twice on one: the difference of its times is that of the
clocks, plus or minus the way between the two, which the other direction takes back. Where no segment is shared, the
files may be the two legs of a gateway: it asks upstream right after it was asked, so the least difference between the
same request on both legs counts. Single differences may be those of a request that only looks the same: the one that
most agree on counts, or none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from wire502.model.capture_info import Clocks
from wire502.model.frames_cy import SYN, Segments
from wire502.model.records import record

MOST_SEGMENTS = 20_000  # of one file that are remembered
MOST_REQUESTS = 5_000
METHODS = (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC")
LINE = 2048  # octets of a request line that are compared
SEGMENTS_NS = 250_000_000  # differences of segments so near to each other agree: they hold the way, and some drift
REQUESTS_NS = 20_000_000  # ... and of requests: they hold the gateway's own delay
LEAST_SEGMENTS = 3  # differences that must agree
LEAST_REQUESTS = 2
SAME_NS = 1_000_000, 10_000_000  # a difference, of segments or of requests, that is none
SENSIBLE_NS = 946_684_800 * 10**9  # 2000: a clock that was never set shows an earlier year
BEHIND_NS = 50_000  # a gateway asks upstream a moment after it was asked

End = tuple[int, int, int]  # both halves of an address, port


@record()
class Difference:
    """How far the clock of file *other* is ahead of that of file *one*; ``way_ns`` is the time between the two."""

    one: int
    other: int
    ns: int
    way_ns: int
    count: int
    by: str


class ClockSample:
    """What the begin of one file shows that another one may show too."""

    def __init__(self) -> None:
        self.segments: dict[int, tuple[int, bool]] = {}
        self.requests: dict[bytes, int | None] = {}  # None: asked more than once
        self.servers: set[End] = set()
        self.openers: set[tuple[int, int]] = set()
        self.first_ns = 0

    @property
    def full(self) -> bool:
        """Whether more frames would change nothing."""
        return len(self.segments) >= MOST_SEGMENTS or len(self.requests) >= MOST_REQUESTS

    def add(self, segments: Segments) -> None:
        """Remember the segments of one portion."""
        flags, lengths, captured = segments.flags, segments.length, segments.captured
        for row in range(segments.count):
            if not lengths[row] and not flags[row] & SYN:
                continue
            time = segments.ts_ns[row]
            source = segments.source_high[row], segments.source_low[row]
            target = segments.target_high[row], segments.target_low[row]
            ports = segments.ports[row]
            number = segments.seq[row], segments.ack[row], flags[row] & 0x1FF, lengths[row]
            key = hash((source, target, ports, *number, segments.ip_id[row], segments.ts_value[row]))
            if key in self.segments or self.full:
                continue
            self.first_ns = self.first_ns or time
            self.segments[key] = time, (source, ports >> 16) < (target, ports & 0xFFFF)
            start = segments.start[row]
            if captured[row] > 15 and bytes(segments.data[start : start + 4]) in METHODS:
                self._ask(bytes(segments.data[start : start + min(captured[row], LINE)]), time)
                self.servers.add((*target, ports & 0xFFFF))
                self.openers.add(source)

    def _ask(self, octets: bytes, time: int) -> None:
        """Remember a request by method and target: the version may be another one on the other leg."""
        line = octets[: octets.find(b"\n")].rpartition(b" HTTP/")[0]
        if line:
            self.requests[line] = None if line in self.requests else time


def compare(samples: Sequence[ClockSample]) -> Clocks:
    """Return how the times of all files are brought together, by the clock of the first sensible one."""
    found = [
        difference
        for one in range(len(samples))
        for other in range(one + 1, len(samples))
        if (difference := _pair(samples, one, other)) is not None
    ]
    result = Clocks([0] * len(samples))
    order = sorted(range(len(samples)), key=lambda file: (samples[file].first_ns < SENSIBLE_NS, file))
    placed: set[int] = set()
    for start in order:
        if start in placed:
            continue
        group = _gather(start, found, result)
        placed |= group
        if len(group) > 1:
            result.together.append(group)
    return result


def _gather(start: int, found: Iterable[Difference], result: Clocks) -> set[int]:
    """Shift all files whose clocks can be compared, one by way of another, with that of file *start*."""
    group, waiting = {start}, [start]
    while waiting:
        here = waiting.pop(0)
        for one in found:
            if here not in (one.one, one.other):
                continue
            there = one.other if here == one.one else one.one
            if there in group:
                continue
            ahead = one.ns if here == one.one else -one.ns
            result.shifts[there] = result.shifts[here] - ahead
            result.way_ns = max(result.way_ns, one.way_ns)
            group.add(there)
            waiting.append(there)
            if ahead:
                way = "ahead of" if ahead > 0 else "behind"
                result.said.append(
                    f"the clock of input {there} is {abs(ahead) / 1e9:.3f} s {way} that of input {here}, by "
                    f"{one.count} {one.by} that both show: times are given by the clock of input {start}"
                )
    return group


def _pair(samples: Sequence[ClockSample], one: int, other: int) -> Difference | None:
    a, b = samples[one], samples[other]
    shared = a.segments.keys() & b.segments.keys()
    if len(shared) >= LEAST_SEGMENTS:
        both = sorted((b.segments[key][0] - a.segments[key][0], a.segments[key][1]) for key in shared)
        begin, count = _largest([ns for ns, _ in both], SEGMENTS_NS)
        if count >= LEAST_SEGMENTS and 2 * count > len(both):
            agreed = both[begin : begin + count]
            ways = [[ns for ns, up in agreed if up is direction] for direction in (True, False)]
            middles = [round(_median(way)) for way in ways if way]
            ns, way = sum(middles) // len(middles), abs(middles[0] - middles[-1]) // 2
            return Difference(one, other, ns if abs(ns) > SAME_NS[0] else 0, way, count, "segments")
    if not a.servers.isdisjoint(b.servers):
        return None  # not two legs: the same request again is another one
    asked = [
        (then - now)
        for line, now in a.requests.items()
        if now is not None and (then := b.requests.get(line)) is not None
    ]
    asked.sort()
    begin, count = _largest(asked, REQUESTS_NS)
    if count < LEAST_REQUESTS or 2 * count <= len(asked):
        return None
    agreed_on = asked[begin : begin + count]
    if any((high, low) in b.openers for high, low, _ in a.servers):
        ns = agreed_on[0] - BEHIND_NS
    elif any((high, low) in a.openers for high, low, _ in b.servers):
        ns = agreed_on[-1] + BEHIND_NS
    else:
        ns = round(_median(agreed_on))
    return Difference(one, other, ns if abs(ns) > SAME_NS[1] else 0, 0, count, "requests")


def _median(values: Iterable[int]) -> float:
    from statistics import median  # which loads more than all of this stage

    return median(values)


def _largest(values: Sequence[int], within: int) -> tuple[int, int]:
    """Return begin and length of the largest group of sorted values no further apart than *within*."""
    best = 0, 0
    for at, value in enumerate(values):
        count = bisect_right(values, value + within) - at
        if count > best[1]:
            best = at, count
    return best
