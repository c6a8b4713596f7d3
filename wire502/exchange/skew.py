"""How far the clocks of two files are apart, from exchanges that both of them show.

A gateway asks upstream right after it was asked, so the shortest distance between the same request on both legs is
the difference of the clocks, to within the gateway's own delay. Single distances may be those of another request that
looks the same: the one that many agree on counts.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable

KEPT = 255  # distances that are remembered for two files
AGREE_NS = 20_000_000  # distances so near to each other agree
NONE_NS = -10_000_000, 50_000_000  # a gateway's own delay, or too little to say: no difference of clocks
LEAST = 2  # distances that must agree
FAR_NS = 120_000_000_000


class Skew:
    """The differences of the clocks of files, in nanoseconds."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[deque[int], list[int]]] = {}
        self._known: dict[tuple[int, int], int] = {}
        self.several = False  # the capture consists of several files, whose clocks nobody has compared
        self.compared = False  # ... or somebody has

    def learn(self, client_file: int, upstream_file: int, distance_ns: int) -> None:
        """Hear that a request was seen *distance_ns* later on the upstream leg than on the client leg."""
        if client_file == upstream_file or abs(distance_ns) > FAR_NS:
            return
        order, sorted_ = self._seen.setdefault((client_file, upstream_file), (deque(), []))
        order.append(distance_ns)
        insort(sorted_, distance_ns)
        if len(order) > KEPT:
            sorted_.remove(order.popleft())
        found = _agreed(sorted_)
        if found is not None:
            self._known[client_file, upstream_file] = found

    def compare(self, together: Iterable[set[int]]) -> None:
        """Hear which files' times were brought together before."""
        for group in together:
            self.compared = True
            self._known.update({(one, other): 0 for one in group for other in group if one != other})

    def known(self, client_file: int, upstream_file: int) -> bool:
        """Whether times of the two files can be compared."""
        return client_file == upstream_file or (client_file, upstream_file) in self._known

    def of(self, client_file: int, upstream_file: int) -> int:
        """Return how far the upstream leg's clock is ahead of the client leg's; 0 where that is not known."""
        return 0 if client_file == upstream_file else self._known.get((client_file, upstream_file), 0)

    def caveats(self) -> list[str]:
        """Return in words what was corrected."""
        said = []
        for (client, upstream), ns in sorted(self._known.items()):
            if ns:
                count, way = len(self._seen[client, upstream][0]), "ahead of" if ns > 0 else "behind"
                said.append(
                    f"the clock of input {upstream} is {abs(ns) / 1e9:.3f} s {way} that of input {client}, by {count} "
                    "exchanges that both show: corrected where the legs are joined"
                )
        return said


def _agreed(distances: list[int]) -> int | None:
    """Return the least of the largest group of sorted distances that agree; 0 for a mere delay; None: no group."""
    best, least = 0, 0
    for at, value in enumerate(distances):
        number = bisect_right(distances, value + AGREE_NS) - at
        if number > best:
            best, least = number, value
    if best < LEAST:
        return None
    return 0 if NONE_NS[0] <= least <= NONE_NS[1] else least
