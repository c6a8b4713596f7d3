"""Steps of the host's clock: in a file a clock that was set ahead looks like silence, live it can be told from it."""

from __future__ import annotations

from collections.abc import Callable

from wire502.model.frames_cy import Batch

_LEAST_NS = 1_000_000_000  # smaller ones do no harm
_SEARCH_NS = 30_000_000_000

Step = tuple[int, int, int]  # the first frame behind it, the time of the frame before, its own


class Steps:
    """Compares the clock that frames are stamped by with one that nobody sets."""

    def __init__(self, clock: Callable[[], int], wall: Callable[[], int]) -> None:
        self._clock = clock
        self._wall = wall
        self._apart = wall() - clock()
        self._ahead = 0
        self._until = 0
        self._last_ns: int | None = None

    def find(self, batch: Batch) -> Step | None:
        """Return the frame of *batch* at which the clock had been set ahead; to be asked of every batch, in order."""
        apart = self._wall() - self._clock()
        if apart - self._apart > _LEAST_NS:
            self._ahead += apart - self._apart
            self._until = self._clock() + _SEARCH_NS
        self._apart = apart
        found = self._found(batch) if self._ahead else None
        if found is not None or (self._ahead and self._clock() > self._until):
            self._ahead = 0
        if batch.count:
            self._last_ns = int(batch.ts_ns[batch.count - 1])
        return found

    def _found(self, batch: Batch) -> Step | None:
        before = self._last_ns
        for row in range(batch.count):
            now = int(batch.ts_ns[row])
            if before is not None and now - before >= self._ahead - _LEAST_NS // 2:
                return int(batch.frame[row]), before, now
            before = now
        return None
