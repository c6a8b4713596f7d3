"""What a log is held against: the failures, incidents, unfinished attempts and healthy exchanges of a capture.

Memory is bounded: so many failures, so many exchanges as a row of six numbers each; from the first that finds no room
on (``full_ns``) nothing can be said of a line. All is found by key and time, never by scanning.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from wire502.model.records import changed, record
from wire502.model.verdict import ExchangeLine, Failure, Incident, Open, Result, Summary, Update

MOST_FAILURES = 32_768
MOST_EXCHANGES = 200_000
_LOOKED_AT = 64  # attempts of one key around one moment
_CHANGEABLE = frozenset({"kind", "masked", "client", "alternatives"})


@record()
class Item:
    """A failure, an incident without attempts, or an unfinished attempt, with what a line may know of it."""

    begin: int
    end: int
    method: str | None
    target: str | None
    client: str | None
    gateway: str | None
    upstream: str | None
    frame: int
    file: int
    failure: Failure | None = None
    incident: Incident | None = None
    why_open: str = ""  # of an unfinished one: why nothing can be said of it
    told: bool = False  # a line speaks of it


class Timeline:
    """Items of one key, found by their time."""

    __slots__ = ("_ends", "_items", "_longest")

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._ends: list[int] = []
        self._longest = 0

    def add(self, item: Item) -> None:
        self._items.append(item)
        self._ends.clear()

    def between(self, first_ns: int, last_ns: int) -> Iterator[Item]:
        """Yield those that overlap a span, a bounded number of them."""
        if not self._ends:
            self._items.sort(key=lambda item: item.end)
            self._ends = [item.end for item in self._items]
            self._longest = max(item.end - item.begin for item in self._items)
        at = _start(bisect_left(self._ends, first_ns), bisect_left(self._ends, (first_ns + last_ns) // 2))
        for item in self._items[at : at + _LOOKED_AT]:
            if item.end > last_ns + self._longest:
                return
            if item.begin <= last_ns:
                yield item


Row = tuple[int, int, int, int, int, int]  # end, begin, status (-1 unknown), frame, file, hash of the upstream


def _start(first: int, middle: int) -> int:
    """Return where to begin looking: at the first of the span, but not so early that its middle is out of reach."""
    return max(first, middle - _LOOKED_AT // 2)


class Seen:
    """The results of a capture, to be found by what a line of a log may know of them."""

    def __init__(self, most_failures: int = MOST_FAILURES, most_exchanges: int = MOST_EXCHANGES) -> None:
        self.items: dict[str, Item] = {}
        self.full_ns: int | None = None  # from here on the capture is not remembered
        self.span: tuple[int, int] | None = None  # of the capture
        self._room, self._exchange_room = most_failures, most_exchanges
        self._by: dict[tuple[str, str], Timeline] = {}
        self._exchanges: dict[int, list[Row]] = {}
        self._sorted = False

    def between(self, what: str, name: str, first_ns: int, last_ns: int) -> Iterator[Item]:
        """Yield what has the key (*what* is ``target path client upstream kind``) in this span."""
        timeline = self._by.get((what, name))
        if timeline is not None:
            yield from timeline.between(first_ns, last_ns)

    def exchanges(self, target: str, first_ns: int, last_ns: int) -> Iterator[Row]:
        """Yield the exchanges for *target* in this span that ended well."""
        if not self._sorted:
            for some in self._exchanges.values():
                some.sort()
            self._sorted = True
        rows = self._exchanges.get(hash(target), [])
        at = _start(bisect_left(rows, (first_ns,)), bisect_left(rows, ((first_ns + last_ns) // 2,)))
        for row in rows[at : at + _LOOKED_AT]:
            if row[1] <= last_ns:
                yield row

    def see(self, result: Result) -> None:
        """Take note of a result of the capture."""
        match result:
            case Failure():
                self._add(result.id, _of_failure(result))
            case Incident():
                self._incident(result)
            case Open():
                request, conn = result.request, result.connection
                begin = request.time if request else result.time
                self._add(
                    f"open {conn.stream} {conn.exchange} {result.file}",
                    Item(
                        begin, result.time, request.method if request else None, request.target if request else None,
                        None, conn.gateway, conn.upstream, result.frame, result.file, why_open=result.why_unknown,
                    ),
                )  # fmt: skip
            case ExchangeLine():
                self._exchange(result)
            case Update():
                item = self.items.get(result.id)
                if item is not None and item.failure is not None:
                    known = {key: value for key, value in result.changes.items() if key in _CHANGEABLE}
                    item.failure = changed(item.failure, **known)
            case Summary():
                if result.first_time is not None and result.last_time is not None:
                    self.span = result.first_time, result.last_time
            case _:
                pass

    def _incident(self, incident: Incident) -> None:
        for ident in incident.attempts:
            if item := self.items.get(ident):
                item.incident = incident
                item.client = item.client or incident.client
                item.end = max(item.end, incident.time)
                self._index(item, "client", incident.client)
        if not incident.attempts:
            asked = incident.request
            self._add(
                incident.id,
                Item(
                    incident.time, incident.time, asked.method if asked else None, asked.target if asked else None,
                    incident.client, None, None, incident.frame, incident.file, incident=incident,
                ),
            )  # fmt: skip

    def _add(self, ident: str, item: Item) -> None:
        if len(self.items) >= self._room:
            self._is_full(item.begin)
            return
        self.items[ident] = item
        self._index(item, "target", item.target)
        if item.target and "?" in item.target:
            self._index(item, "path", item.target.partition("?")[0])
        self._index(item, "client", item.client)
        if item.failure is not None:
            self._index(item, "kind", item.failure.kind)
        self._index(item, "upstream", item.upstream)
        self._index(item, "upstream", item.gateway)
        if item.target is None and item.upstream:
            self._index(item, "upstream", item.upstream.rpartition(":")[0])

    def _index(self, item: Item, what: str, name: str | None) -> None:
        if name:
            self._by.setdefault((what, name), Timeline()).add(item)

    def _exchange(self, exchange: ExchangeLine) -> None:
        request, response = exchange.request, exchange.response
        status = -1 if response is None or response.status is None else response.status
        if request is None or (exchange.leg == "client" and not 0 <= status < 500):
            return  # what a client got in the end is told by the failures and incidents
        if self._exchange_room <= 0:
            self._is_full(request.time)
            return
        self._exchange_room -= 1
        end = request.time + round((exchange.duration_ms or 0) * 1e6)
        upstream = hash(exchange.connection.upstream) if exchange.leg == "upstream" else 0
        row = (end, request.time, status, request.frame, exchange.file, upstream)
        self._exchanges.setdefault(hash(request.target), []).append(row)

    def _is_full(self, time_ns: int) -> None:
        self.full_ns = time_ns if self.full_ns is None else min(self.full_ns, time_ns)


def _of_failure(failure: Failure) -> Item:
    request, client, conn = failure.request, failure.client, failure.connection
    begin = min([failure.time, *(step.point.time_ns for step in failure.ladder)])
    if request is not None:
        begin = min(begin, request.time)
    end: int = failure.time
    if failure.until is not None:
        end = failure.until.time or end + round(failure.until.seconds * 1e9)
    if client is not None:
        end = max(end, client.time)
    # what a table may ask for stays; the rest is let go
    kept = changed(
        failure,
        ladder=[step for step in failure.ladder if step.point[:2] == (failure.frame, failure.file)],
        evidence=[one for one in failure.evidence if (one.frame, one.file) == (failure.frame, failure.file)],
        causes=[],
        caveats=[],
    )
    return Item(
        begin, end, request.method if request else None, request.target if request else None,
        client.connection if client else None, conn.gateway, conn.upstream, failure.frame, failure.file, kept,
    )  # fmt: skip
