"""Several captures read as one, in order of time.

Captures that follow one another (a rotated set) are read one after the other and their batches handed on as they
are; where they overlap, frames are copied into a new block. Frames of one capture keep their order even where its
clock runs backwards; frames of equal time come in the order in which the captures were given. Where it is known how
far the clocks of the captures are apart, times are shifted first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wire502.capture.merge_cy import Head, Merger, shift, stamp
from wire502.capture.source import BATCH_ROWS, BUFFER_SIZE, Source
from wire502.model.capture_info import STAMP
from wire502.model.frames_cy import Batch
from wire502.model.records import changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from wire502.model.capture_info import DropReport, InputDamage, Interface

_NEVER_NS = (1 << 63) - 1


class MergedSource:
    """The sources *sources*, which share one list of interfaces, as one; made by ``merge_sources``."""

    def __init__(self, sources: list[Source], shifts: Sequence[int], *, stamped: bool = False) -> None:
        self.sources = sources
        self._shifts = shifts
        self._stamps = [(source.file + 1) * STAMP if stamped else 0 for source in sources]
        timed = [
            (first + by_ns, order, source)
            for order, (source, by_ns) in enumerate(zip(sources, shifts, strict=True))
            if (first := source.first_ns()) is not None
        ]
        self._waiting = sorted(timed, key=lambda entry: entry[:2], reverse=True)  # the next one last
        self._heads: list[Head] = []
        self._merger: Merger | None = None  # made where the first overlap is met
        self._size = BUFFER_SIZE * 2
        self._spent: Head | None = None  # its batch was handed out, or copied to the end

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces of all sources."""
        return self.sources[0].interfaces if self.sources else []

    @property
    def damage(self) -> InputDamage | None:
        """Return the first damage found, in the order in which the sources were given; see each source for its own."""
        return next((source.damage for source in self.sources if source.damage is not None), None)

    @property
    def drops(self) -> list[DropReport]:
        """Packets that the captures say were lost."""
        return [_shifted(drop, by_ns) for source, by_ns in self._shifted_sources() for drop in source.drops]

    @property
    def losses(self) -> list[DropReport]:
        """``drops``, and what the ends of pcapng files say was lost before they are reached."""
        return [_shifted(drop, by_ns) for source, by_ns in self._shifted_sources() for drop in source.losses]

    def _shifted_sources(self) -> Iterator[tuple[Source, int]]:
        return zip(self.sources, self._shifts, strict=True)

    @property
    def bytes_read(self) -> int:
        """Octets read of all files."""
        return sum(source.bytes_read for source in self.sources)

    @property
    def size(self) -> int | None:
        """Octets of all files; None when one has no known end."""
        sizes = [source.size for source in self.sources]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def read_batch(self) -> Batch | None:
        """Return the next frames of all sources; None at the end. The batch is valid until the next call."""
        self._refill()
        merger = self._merger
        if merger is not None:
            merger.used = merger.out.count = 0
        while True:
            self._activate()
            if not self._heads:
                return None
            bound_ns, bound_order = self._waiting[-1][:2] if self._waiting else (_NEVER_NS, len(self.sources))
            if merger is None:
                merger = self._merger = Merger(Batch(BATCH_ROWS))
                merger.out.interfaces = self.sources[0].interfaces  # type: ignore[assignment]
            merger.bound_ns, merger.bound_order = bound_ns, bound_order
            front = min(self._heads, key=_time_and_order)
            if not merger.out.count and not front.row and merger.run(front, self._heads) == front.batch.count:
                self._spent = front
                return front.batch
            if not merger.used and len(merger.out.data) < self._size:
                merger.out.data = memoryview(bytearray(self._size))
            self._spent = merger.merge(self._heads)
            if self._spent is not None:  # reading on may wait for a pipe: what is there goes first
                return merger.out
            if merger.out.count and not self._begins_before_front():
                return merger.out
            if not merger.out.count and not self._begins_before_front():  # a frame larger than the block
                self._size = max(2 * self._size, int(front.batch.captured[front.row]))

    def close(self) -> None:
        """Close all sources."""
        for source in self.sources:
            source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refill(self) -> None:
        """Read on in the source whose rows are used up."""
        spent, self._spent = self._spent, None
        if spent is None:
            return
        source: Source = spent.source
        batch = self._read(source, spent.order)
        if batch is None:
            self._heads.remove(spent)
            source.close()
        else:
            spent.batch, spent.row = batch, 0

    def _read(self, source: Source, order: int) -> Batch | None:
        batch = source.read_batch()
        if batch is not None and self._shifts[order]:
            shift(batch, self._shifts[order])
        if batch is not None and self._stamps[order]:
            stamp(batch, self._stamps[order])
        return batch

    def _begins_before_front(self) -> bool:
        """Return whether a waiting source begins before (or with) the earliest row at hand."""
        return bool(self._waiting) and (
            not self._heads or self._waiting[-1][:2] < min(_time_and_order(head) for head in self._heads)
        )

    def _activate(self) -> None:
        """Bring in the waiting sources that begin before the earliest row at hand."""
        while self._begins_before_front():
            _, order, source = self._waiting.pop()
            batch = self._read(source, order)
            if batch is not None:
                self._heads.append(Head(source, batch, order))


def _time_and_order(head: Head) -> tuple[int, int]:
    return int(head.batch.ts_ns[head.row]), head.order


def _shifted(drop: DropReport, by_ns: int) -> DropReport:
    if not by_ns:
        return drop
    return changed(drop, to_ns=drop.to_ns + by_ns, from_ns=None if drop.from_ns is None else drop.from_ns + by_ns)


def merge_sources(sources: Iterable[Source], shifts: Sequence[int] = (), *, stamped: bool = False) -> MergedSource:
    """Return *sources* as one, ordered by the time of their first frames. Closing it closes them all.

    *shifts* (nanoseconds, one for each source) are added to their times. Frame numbers are plain, or
    *stamped* (``model.capture_info``), for who has to tell the files of frames apart.
    Reads the first frame of each, so it waits for pipes.
    """
    found = list(sources)
    return MergedSource(found, shifts or [0] * len(found), stamped=stamped)
