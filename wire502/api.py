"""The library: ``for result in wire502.read("capture.pcap"): ...``.

``read`` opens the inputs, drives the engine over them and hands out typed records (``model.verdict``), the summary
last. Filters choose what is handed out; they never change the analysis or the numbering.

This module is long because it is the whole of what may be called: ``read`` and ``live`` with what they take and give,
and the one loop that drives the engine for both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, cast

from wire502.errors import CaptureError
from wire502.model.records import changed, record
from wire502.model.verdict import (
    QUIET_KINDS,
    Cleared,
    ExchangeLine,
    Failure,
    Incident,
    IncidentRequest,
    LogSummary,
    LogVerdict,
    Open,
    Pending,
    RequestRef,
    Result,
    Summary,
    Update,
    UpstreamSummary,
    Written,
)
from wire502.settings import Endpoint, context, endpoint

if TYPE_CHECKING:
    from wire502.capture import MergedSource, Source
    from wire502.diagnosis.causes import Rule
    from wire502.diagnosis.reconcile import Reconciler
    from wire502.model.capture_info import Clocks, DropReport, InputDamage, Interface
    from wire502.model.context import Context
    from wire502.model.frames_cy import Batch
    from wire502.model.healthy_cy import Pen

    Input = str | os.PathLike[str] | BinaryIO

__all__ = [
    "Cleared",
    "ExchangeLine",
    "Failure",
    "Feed",
    "Filter",
    "Incident",
    "LogSummary",
    "LogVerdict",
    "Moment",
    "Open",
    "Pending",
    "Reading",
    "Result",
    "Summary",
    "Update",
    "Written",
    "live",
    "read",
    "reconciler",
    "redaction",
]

DAY_NS = 86_400_000_000_000
DRAIN_S = 0.3  # how long a live run that was stopped still reads what had come
_MOST_COMPARED = 8  # inputs whose clocks are compared: more are a rotated set
_FRAMES_COMPARED = 100_000  # of each
_MOST_REMEMBERED = 65_536  # failures whose fate is followed after they were handed out
Progress = Callable[[int, "int | None"], None]
Witness = Callable[[Result], None]


class Analysis(Protocol):
    """What ``engine`` offers; the last result of ``finish`` is the summary."""

    def feed(self, batch: Batch) -> list[Result]:
        """Return what became final."""

    def tick(self, now_ns: int) -> list[Result]:
        """Let capture time pass without a frame; return what became final."""

    def stepped(self, frame: int, before_ns: int, after_ns: int) -> None:
        """Hear that the clock was set between two frames, which no silence lies between."""

    def gauges(self) -> dict[str, int]:
        """Return how much is being followed and how much was let go, by name."""

    def first_bytes(self) -> list[tuple[float, int]]:
        """Return upper edges in seconds, with how many first octets took so long."""

    def worst(self, most: int) -> list[UpstreamSummary]:
        """Return figures of upstreams, those with most failures first."""

    def compared(self, clocks: Clocks) -> None:
        """Hear how the times of several inputs were brought together."""

    def lost(self, drops: Sequence[DropReport]) -> None:
        """Hear of the packets that the capture says it lost."""

    def finish(self) -> list[Result]:
        """Return what is left at the end of the capture, the summary last."""


class Feed(Protocol):
    """A source that is waited for: ``capture.live`` makes them.

    ``read_batch`` returns within about a tenth of a second, then without frames; None at the end. ``quiet_until`` is
    the time of the capture up to which all frames were handed over, None if that cannot be said now.
    """

    @property
    def path(self) -> str:
        """What the input is called in reports."""

    @property
    def damage(self) -> InputDamage | None:
        """What is wrong with the input, once it has ended."""

    @property
    def bytes_read(self) -> int:
        """Octets read so far."""

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces that frames are numbered by."""

    @property
    def step(self) -> tuple[int, int, int] | None:
        """Where the host's clock was set ahead, in the batch returned last: frame, time of the one before, its own."""

    @property
    def drops(self) -> Sequence[DropReport]:
        """Packets that the capture lost, so far."""

    @property
    def size(self) -> int | None:
        """Octets of the whole: None while there is no end."""

    def read_batch(self) -> Batch | None:
        """Return the next frames, valid until the next call."""

    def quiet_until(self) -> int | None:
        """Return up to when nothing will come any more."""

    def close(self) -> None:
        """Give back what is open."""


@record(frozen=True)
class Moment:
    """A point in time in ns since 1970 UTC; with ``of_day`` in ns since midnight UTC of the capture's first day."""

    ns: int
    of_day: bool = False

    def resolve(self, first_ns: int) -> int:
        """Return ns since 1970 UTC, given the time of the first frame."""
        return first_ns // DAY_NS * DAY_NS + self.ns if self.of_day else self.ns


@record(frozen=True)
class Filter:
    """What is handed out; a field that is None or empty asks for nothing.

    *kinds*: failures of these kinds and nothing else; *to*: attempts to ``ADDR[:PORT]``; *host*: of the Host header
    (without its port, any case); *path*: a glob over the target or its part before ``?``; *since*, *until*: time of the
    failure point; *limit*: that many failures at most.
    """

    kinds: frozenset[str] = frozenset()
    to: str | None = None
    host: str | None = None
    path: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: int | None = None


class _Choice:
    """Chooses by a ``Filter`` and counts what was chosen."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._active = wanted != Filter()
        self._to: Endpoint | None = endpoint(wanted.to) if wanted.to else None
        self._since: int | None = None
        self._until: int | None = None
        self._chosen: dict[str, None] = {}
        self.shown = 0

    def begin(self, first_ns: int) -> None:
        """Take note of the time of the first frame: times of day are of its day."""
        wanted = self._wanted
        self._since = wanted.since.resolve(first_ns) if wanted.since else None
        self._until = wanted.until.resolve(first_ns) if wanted.until else None

    def of(self, results: list[Result]) -> list[Result]:
        """Return those of *results* that are to be handed out."""
        if self._active:
            return [result for result in results if self(result)]
        return [result for result in results if type(result) in (ExchangeLine, Written) or self(result)]

    def __call__(self, result: Result) -> bool:
        """Whether *result* is to be handed out."""
        match result:
            case Summary() | LogSummary():
                return True
            case LogVerdict():
                if result.failure is not None or self._wanted.kinds or self._to:
                    return not self._active or result.failure in self._chosen
                return self._wanted.host is None and self._path(result.target or "") and self._in_time(result.time)
            case Update():
                return not self._active or result.id in self._chosen
            case Incident():
                if result.attempts:
                    return not self._active or any(ident in self._chosen for ident in result.attempts)
                return not self._wanted.kinds and self._asked_for(result.request) and self._in_time(result.time)
            case Failure():
                return self._failure(result)
            case Cleared():
                return not self._active or result.id in self._chosen
            case Pending():
                chosen = self._asks(result.kind, result)
                if chosen and self._active:
                    self._remember(result.id)
                return chosen
            case Open() | ExchangeLine():
                return not self._active or (not self._wanted.kinds and self._attempt(result))

    def _failure(self, failure: Failure) -> bool:
        wanted = self._wanted
        if self._active:
            if not self._asks(failure.kind, failure) or (wanted.limit is not None and self.shown >= wanted.limit):
                return False
            self._remember(failure.id)
        self.shown += 1
        return True

    def _remember(self, ident: str) -> None:
        self._chosen[ident] = None
        if len(self._chosen) > _MOST_REMEMBERED:
            del self._chosen[next(iter(self._chosen))]

    def _asks(self, kind: str, result: Failure | Pending) -> bool:
        return not (self._wanted.kinds and kind not in self._wanted.kinds) and self._attempt(result)

    def _attempt(self, result: Failure | Open | Pending | ExchangeLine) -> bool:
        if self._to and not self._to.matches(result.connection.upstream):
            return False
        return self._asked_for(result.request) and self._in_time(result.time)

    def _asked_for(self, request: RequestRef | IncidentRequest | None) -> bool:
        host, path = self._wanted.host, self._wanted.path
        if host is None and path is None:
            return True
        if request is None:
            return False
        if host is not None:
            given = (request.host or "").lower()
            if host.lower() not in (given, given.rpartition(":")[0] or given):
                return False
        return self._path(request.target)

    def _path(self, target: str) -> bool:
        path = self._wanted.path
        return path is None or fnmatchcase(target, path) or fnmatchcase(target.partition("?")[0], path)

    def _in_time(self, time_ns: int) -> bool:
        if self._since is not None and time_ns < self._since:
            return False
        return self._until is None or time_ns <= self._until


class Reading(Iterator[Result]):
    """The results of some inputs as they come; the last one is the ``Summary``.

    ``batches()`` yields them in the groups in which they became final, for those who flush. ``damage`` and
    ``unreadable`` say afterwards what could not be read; ``failed`` counts final failures that no retry made good,
    whatever the filter.
    """

    def __init__(
        self,
        paths: tuple[Input, ...],
        plain: Context,
        wanted: Filter,
        *,
        follow: bool = False,
        progress: Progress | None = None,
        witness: Witness | None = None,
        feed: Callable[[list[Interface]], Feed] | None = None,
        first_file: int = 0,
        pen: Pen | None = None,
    ) -> None:
        self._first_file = first_file
        self._pen = pen if witness is None and wanted == Filter() else None
        self.inputs = [_name(path) for path in paths]
        self.interfaces: list[Interface] = []
        self.damage: list[InputDamage] = []
        self.unreadable: list[CaptureError] = []
        self.failed = 0
        self.stopped = False
        self._last_by = 0.0  # until when a live run that was stopped reads on
        self.waiting = False  # inside a read of the input, which may last: an interrupt may raise there
        self._known = 0  # interfaces that the precision was taken from
        self._precision: Literal[6, 9] = 6
        self._choice = _Choice(wanted)
        self._progress = progress
        self._witness = witness
        self._fates: dict[str, tuple[bool, str]] = {}  # masked, kind
        self._feed = feed(self.interfaces) if feed is not None else None
        if self._feed is not None:
            self.inputs = [self._feed.path]
        self._sources: list[Source] | list[Feed] = self._open(paths, follow) if self._feed is None else [self._feed]
        self._engine = _new_engine(plain, self.interfaces, self._pen)
        self._clocks = None if follow or feed is not None else compared_clocks(paths)
        if self._clocks is not None:
            self._engine.compared(self._clocks)
        self._groups = self._run()
        self._pending: Iterator[Result] = iter(())

    def __next__(self) -> Result:
        """Return the next result."""
        while True:
            for result in self._pending:
                return result
            self._pending = iter(next(self._groups))

    def batches(self) -> Iterator[list[Result]]:
        """Yield the results in groups, each as soon as it is final; of a live capture also when there are none."""
        return self._groups

    def stop(self) -> None:
        """End the reading at the next batch; what was read is judged as if the capture ended there.

        A live run first reads what had come by then, for ``DRAIN_S`` at most.
        """
        self.stopped = True

    def wanted(self, result: Result) -> bool:
        """Whether the filter lets *result*, made from the results, through; after the failure that it speaks of."""
        return self._choice(result)

    def gauges(self) -> dict[str, int]:
        """Return how much is being followed and how much was let go, by name; see ``Engine.gauges``."""
        return self._engine.gauges()

    def first_bytes(self) -> list[tuple[float, int]]:
        """Return how long upstreams took to their first octet; see ``Engine.first_bytes``."""
        return self._engine.first_bytes()

    def worst(self, most: int) -> list[UpstreamSummary]:
        """Return figures of the *most* upstreams with most failures; see ``Engine.worst``."""
        return self._engine.worst(most)

    def close(self) -> None:
        """Close the inputs; done by itself at the end."""
        for source in self._sources:
            source.close()

    @property
    def precision(self) -> Literal[6, 9]:
        """Digits of a second that times are to be written with: 9 if any interface is finer than microseconds."""
        if len(self.interfaces) != self._known:  # asked for each line
            self._known = len(self.interfaces)
            self._precision = 9 if any(interface.nanoseconds for interface in self.interfaces) else 6
        return self._precision

    def _open(self, paths: tuple[Input, ...], follow: bool) -> list[Source]:
        sources: list[Source] = []
        self._files: list[int] = []  # of the inputs, those that could be opened
        for file, path in enumerate(paths):
            try:
                number = self._first_file + file
                sources.append(_new_source(path, number, self.interfaces, follow, lambda: self.stopped))
                self._files.append(file)
            except CaptureError as error:
                self.unreadable.append(error)
        if not sources and self.unreadable:
            raise self.unreadable[0]
        return sources

    def _run(self) -> Iterator[list[Result]]:
        source: Source | MergedSource | Feed
        if self._feed is not None:
            source = self._feed
        else:
            shifts = [self._clocks.shifts[file] for file in self._files] if self._clocks is not None else []
            source = _merged(cast("list[Source]", self._sources), shifts)
        begun = False
        try:
            while self._goes_on() and (batch := self._next_batch(source)) is not None:
                if self._last_by and not batch.count:
                    break
                if not begun and batch.count:
                    self._choice.begin(batch.ts_ns[0])
                    begun = True
                if self._feed is not None and self._feed.step is not None:
                    self._engine.stepped(*self._feed.step)
                losses = source.drops if self._feed is not None else cast("Source | MergedSource", source).losses
                if losses:
                    self._engine.lost(losses)
                self._set_precision()
                chosen = self._chosen(self._engine.feed(batch) if batch.count else self._ticked())
                if chosen or self._feed is not None:
                    yield chosen
                if self._progress is not None:
                    self._progress(source.bytes_read, source.size)
            self.damage = [one.damage for one in self._sources if one.damage is not None]
            self._set_precision()
            yield self._chosen(self._engine.finish())
        finally:
            self.close()

    def _set_precision(self) -> None:
        if self._pen is not None:
            self._pen.precision = self.precision

    def _goes_on(self) -> bool:
        """Whether to read on; once stopped a live run reads what came until then, which may still be on its way."""
        if self.stopped and self._feed is not None and not self._last_by:
            self._last_by = time.monotonic() + DRAIN_S
        return not self.stopped or time.monotonic() < self._last_by

    def _ticked(self) -> list[Result]:
        """Let time pass as far as the source is known to have been silent."""
        quiet = self._feed.quiet_until() if self._feed is not None else None
        return [] if quiet is None else self._engine.tick(quiet)

    def _next_batch(self, source: Source | MergedSource | Feed) -> Batch | None:
        self.waiting = True
        try:
            return source.read_batch()
        except KeyboardInterrupt:
            if self.stopped:  # raised by who called stop(), to get out of a read that waits
                return None
            raise
        finally:
            self.waiting = False

    def _chosen(self, results: list[Result]) -> list[Result]:
        witness = self._witness
        for result in results:
            if type(result) is ExchangeLine:  # of these there may be one for every few frames
                continue
            if isinstance(result, (Failure, Update)):
                self._count(result)
        if witness is not None:
            for result in results:
                witness(result)
        chosen = self._choice.of(results)
        if chosen and isinstance(chosen[-1], Summary):
            self._complete(chosen[-1])
        return chosen

    def _count(self, result: Failure | Update) -> None:
        """Keep ``failed`` right: a failure may turn out to be masked, or of another kind, after it was told."""
        if isinstance(result, Failure):
            masked, kind = result.masked, result.kind
        elif result.id in self._fates and not result.changes.keys().isdisjoint(("masked", "kind")):
            masked, kind = self._fates.pop(result.id)
            self.failed -= _counts(masked, kind)
            masked, kind = bool(result.changes.get("masked", masked)), str(result.changes.get("kind", kind))
        else:
            return
        self.failed += _counts(masked, kind)
        self._fates[result.id] = masked, kind
        if len(self._fates) > _MOST_REMEMBERED:
            del self._fates[next(iter(self._fates))]

    def _complete(self, summary: Summary) -> None:
        """Add what only the driver knows: names, what was shown, what the inputs lost."""
        summary.inputs = self.inputs
        summary.shown = self._choice.shown
        summary.dropped = summary.dropped or sum(drop.count for one in self._sources for drop in one.drops)
        summary.caveats += [f"{one.path} is damaged at octet {one.offset}: {one.reason}" for one in self.damage]
        summary.caveats += [str(error) for error in self.unreadable]
        if self.stopped and self._feed is None:  # a live capture has no other end
            summary.caveats.append("stopped before the end")


def _counts(masked: bool, kind: str) -> bool:
    return not masked and kind not in QUIET_KINDS


def read(
    *paths: Input,
    upstream: Iterable[str] = (),
    gateway: str | None = None,
    all: bool = False,  # noqa: A002 - the option is called --all
    settings: Mapping[str, str | float] | None = None,
    filter: Filter | None = None,  # noqa: A002 - what it is called everywhere
    follow: bool = False,
    progress: Progress | None = None,
    witness: Witness | None = None,
    first_file: int = 0,
    pen: Pen | None = None,
) -> Reading:
    """Read captures and return an iterator of results, the ``Summary`` last.

    *paths* are files, ``-`` or binary streams, merged by time. *upstream* names endpoints (``ADDR[:PORT]``) that are
    upstreams whatever the capture suggests; *gateway* says what product the gateway is (``nginx``, ``haproxy:2.6``; see
    ``wire502 gateways``); *all* asks for healthy exchanges too; *settings* overrides rows of
    ``settings.SETTINGS``; *filter* chooses what is handed out; *follow* waits at the end of a file that still grows;
    *progress(bytes_read, size)* is called after each block, *witness(result)* for each result, whatever the
    filter; *first_file* is the number of the first path in the results; *pen* takes down healthy exchanges that
    neither filter nor witness has to see: there is ``Written`` instead of an ``ExchangeLine`` each. Raises
    ``CaptureError`` when no input can be read, ``SettingError`` for a setting that does not exist or cannot be so.
    """
    if not paths:
        raise TypeError("read() needs at least one path")
    plain = context(settings, upstream=upstream, gateway=gateway, keep_exchanges=all)
    return Reading(
        paths,
        plain,
        filter or Filter(),
        follow=follow,
        progress=progress,
        witness=witness,
        first_file=first_file,
        pen=pen,
    )


def together(summaries: Sequence[Summary]) -> Summary:
    """Return the summaries of captures that were read one by one as one; ``shown`` is their sum."""
    from wire502.model.together import together as add_up

    return add_up(summaries)


def live(
    feed: Callable[[list[Interface]], Feed],
    *,
    upstream: Iterable[str] = (),
    gateway: str | None = None,
    all: bool = False,  # noqa: A002 - as for read
    settings: Mapping[str, str | float] | None = None,
    filter: Filter | None = None,  # noqa: A002 - as for read
    witness: Witness | None = None,
) -> Reading:
    """Analyse what *feed* gives as it comes; the same engine and the same options as ``read``.

    *feed* is given the list that its interfaces belong in, and opens the source (``capture.live``). ``batches()``
    yields after each batch and each wait, so that its caller can look after other things, until ``stop()``. What this
    loads later than now is nothing: the right to read files may be given up behind it. Waits for deadlines are told
    (``Pending``), ``hold`` is half a second unless *settings* say otherwise. Raises what *feed* raises, and
    ``SettingError``.
    """
    from wire502 import capture, engine

    capture.preload()
    engine.preload()
    chosen = {"hold": "500ms", **(settings or {})}
    plain = changed(context(chosen, upstream=upstream, gateway=gateway, keep_exchanges=all), live=True)
    return Reading((), plain, filter or Filter(), witness=witness, feed=feed)


def redaction(settings: Mapping[str, str | float] | None = None) -> tuple[str, ...]:
    """Return what evidence overwrites by the setting ``redact``. Raises ``SettingError``."""
    return context(settings).redact


def causes() -> Mapping[str, Rule]:
    """Return every cause by its name: title, class, page."""
    from wire502.diagnosis.causes import all_causes  # loads a file for each cause

    return all_causes()


def reconciler(*, gateway: str | None = None, slack_ns: int | None = None, zone_s: int = 0) -> Reconciler:
    """Return what holds lines of a gateway's log against the results of a capture.

    Give its ``see`` as *witness* to ``read`` (with *all*, so that it knows healthy exchanges too), read to the
    end, then ask ``compare(name, lines)``, ``silences()`` and ``summary()``. *gateway* as for ``read``; *slack_ns* is
    how far apart the two clocks may be (2 s); *zone_s* how far ahead of UTC the log writes times that name no zone.
    """
    from wire502.diagnosis.reconcile import SLACK_NS, Reconciler

    return Reconciler(gateway=gateway, slack_ns=SLACK_NS if slack_ns is None else slack_ns, zone_s=zone_s)


def _name(path: Input) -> str:
    """Return what the input is called in reports."""
    return str(path) if isinstance(path, str) or hasattr(path, "__fspath__") else str(getattr(path, "name", "-"))


# The stages are imported when something is read, not with the library: `wire502 --help` needs none of them.


def _new_source(path: Input, file: int, interfaces: list[Interface], follow: bool, stop: Callable[[], bool]) -> Source:
    from wire502.capture import open_source

    return open_source(path, file=file, interfaces=interfaces, follow=follow, stop=stop)


def _merged(sources: list[Source], shifts: Sequence[int]) -> Source | MergedSource:
    if len(sources) == 1:
        return sources[0]
    from wire502.capture import merge_sources

    return merge_sources(sources, shifts, stamped=True)


def compared_clocks(paths: Sequence[Input]) -> Clocks | None:
    """Return how far the clocks of several files are apart; None where they cannot be read twice, or are too many."""
    if not 1 < len(paths) <= _MOST_COMPARED:
        return None
    if any(not isinstance(path, str | os.PathLike) or not os.path.isfile(path) for path in paths):  # noqa: PTH113
        return None
    from wire502.engine import compare_clocks

    return compare_clocks(_begin(cast("str | os.PathLike[str]", path)) for path in paths)


def _begin(path: str | os.PathLike[str]) -> Iterator[Batch]:
    """Yield the first frames of a file; none of one that cannot be read, which is said elsewhere."""
    from wire502.capture import open_source

    left = _FRAMES_COMPARED
    try:
        with open_source(path) as source:
            while left > 0 and (batch := source.read_batch()) is not None:
                left -= batch.count
                yield batch
    except CaptureError:
        return


def _new_engine(plain: Context, interfaces: list[Interface], pen: Pen | None) -> Analysis:
    from wire502.engine import Engine

    return Engine(plain, interfaces, pen)
