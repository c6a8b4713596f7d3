"""How many exchanges an endpoint finished when, and how long their first octets took: a few kilobytes, whatever comes.

Time is cut into slots of one width for all endpoints, a power of two in nanoseconds; when the exchanges of an endpoint
reach over more than ``SLOTS`` of them, its slots are merged two by two.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

SLOTS = 128
BUCKETS = 48  # durations, each bucket half as long again as the one before: 1 µs to 4 minutes
FIRST_SHIFT = 25  # slots begin with a width of about 34 milliseconds
GROWTH = 1.5
# Where each bucket but the first begins, in nanoseconds.
_EDGES = [1500.0 * GROWTH**at for at in range(BUCKETS - 1)]
if cython.compiled:
    edges = cython.declare(cython.double[47])
    for _at in range(BUCKETS - 1):
        edges[_at] = _EDGES[_at]
else:
    edges = _EDGES


@cython.cfunc
@cython.exceptval(check=False)
def bucket_of(ns: cython.double) -> cython.int:
    """Return the bucket of a duration."""
    bucket: cython.int = 0
    while bucket < 47 and ns >= edges[bucket]:
        bucket += 1
    return bucket


@cython.final
@cython.cclass
class Pace:
    """Counts by slot: all that were finished (``done``), and their first-byte times by bucket (``counts``).

    Slot n holds what ended at ``(origin + n) << shift`` nanoseconds since 1970 or up to one width later.
    """

    origin: int
    shift: int
    store: array[int]
    counts: memoryview

    def __init__(self) -> None:
        self.origin = -1
        self.shift = FIRST_SHIFT
        self.store = array("I", bytes(4 * 128 * 49))  # SLOTS * (BUCKETS + 1)
        self.counts = memoryview(self.store)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def add(self, ts: cython.longlong, ns: cython.longlong, bucket: cython.int) -> cython.int:
        """Count an exchange that was over at *ts*; *ns* from its request to its first octet, negative: not known.

        The duration is in *bucket*, or little above: the caller has measured it already.
        """
        slot: cython.longlong = ts >> self.shift
        if ts < 0:
            return 0
        if self.origin < 0:
            self.origin = slot
        while slot - self.origin >= 128 or slot < self.origin:
            if slot < self.origin and self.origin - slot <= 128 and self._room() >= self.origin - slot:
                self._move(self.origin - slot)
                break
            self._merge()
            slot = ts >> self.shift
        slot = (slot - self.origin) * 49
        self.counts[slot] += 1
        if ns >= 0:
            while bucket < 47 and ns >= edges[bucket]:
                bucket += 1
            self.counts[slot + bucket + 1] += 1
        return 0

    @cython.cfunc
    def _room(self) -> cython.longlong:
        """Return how many slots at the end are empty."""
        slot: cython.longlong = 128
        while slot > 0 and self.counts[(slot - 1) * 49] == 0:
            slot -= 1
        return 128 - slot

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _move(self, by: cython.longlong) -> cython.int:
        """Make room for *by* slots at the beginning: captures may be a little out of order."""
        at: cython.longlong = 128 * 49 - 1
        while at >= 0:
            self.counts[at] = self.counts[at - by * 49] if at >= by * 49 else 0
            at -= 1
        self.origin -= by
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _merge(self) -> cython.int:
        """Double the width of the slots."""
        slot: cython.longlong
        to: cython.longlong
        at: cython.int
        value: cython.uint
        first: cython.longlong = self.origin >> 1
        for slot in range(128):
            if self.counts[slot * 49] == 0:
                continue
            to = ((self.origin + slot) >> 1) - first
            if to == slot:
                continue
            for at in range(49):
                value = self.counts[slot * 49 + at]
                if value:
                    self.counts[slot * 49 + at] = 0
                    self.counts[to * 49 + at] += value
        self.origin = first
        self.shift += 1
        return 0

    def rows(self) -> list[tuple[int, int, list[int]]]:
        """Return (begin in ns since 1970, number of exchanges, first-byte times by bucket) of each slot with any."""
        slot: cython.longlong
        found: list[tuple[int, int, list[int]]] = []
        for slot in range(128):
            if self.counts[slot * 49]:
                row = self.store[slot * 49 : slot * 49 + 49].tolist()
                found.append(((self.origin + slot) << self.shift, row[0], row[1:]))
        return found


def count(pace: Pace, ts: int, ns: int) -> None:
    """Count an exchange from plain Python."""
    pace.add(ts, ns, 0)


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
