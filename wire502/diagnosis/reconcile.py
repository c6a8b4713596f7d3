"""The gateway's log against the capture: each line confirmed, contradicted or not in the capture; each silence told.

``Reconciler.see`` takes the results of a capture as they come and keeps a bounded index of them; afterwards
``compare`` takes the lines of the logs one by one and keeps none. A line is joined with the attempt of its target,
client's port or upstream that happened at its time. What it claims is then held against the verdict, by the gateway's
table where it has words or a flag, else by the status.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from wire502.diagnosis.dialect import answers, status_of
from wire502.gateways import FORMATS, NO_STATUS, LogLine, fits, load, names, parse
from wire502.model.verdict import (
    QUIET_KINDS,
    ExchangeLine,
    Failure,
    Incident,
    LogSummary,
    LogVerdict,
    Open,
    Result,
    Summary,
    Time,
    Update,
)

SLACK_NS = 2_000_000_000
MOST_FAILURES = 32_768
MOST_EXCHANGES = 200_000
_LOOKED_AT = 256  # attempts of one key around one moment
_SAYS = 200  # characters of a message that are handed on
_TARGET = 8192

Claim = Literal["confirmed", "contradicted", "not_in_capture", "silent"]


@dataclass(slots=True)
class _Item:
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
    told: bool = False  # a line speaks of it


class _Timeline:
    """Items of one key, found by their time."""

    __slots__ = ("_ends", "_items", "_longest")

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._ends: list[int] = []
        self._longest = 0

    def add(self, item: _Item) -> None:
        self._items.append(item)
        self._ends.clear()

    def between(self, first_ns: int, last_ns: int) -> Iterator[_Item]:
        """Yield those that overlap a span, a bounded number of them."""
        if not self._ends:
            self._items.sort(key=lambda item: item.end)
            self._ends = [item.end for item in self._items]
            self._longest = max(item.end - item.begin for item in self._items)
        at = bisect_left(self._ends, first_ns)
        for item in self._items[at : at + _LOOKED_AT]:
            if item.end > last_ns + self._longest:
                return
            if item.begin <= last_ns:
                yield item


_Row = tuple[int, int, int, int, int, int]  # end, begin, status (-1 unknown), frame, file, hash of the upstream


class Reconciler:
    """Holds lines of logs against the results of a capture.

    *gateway* is what the gateway is, where that is known; *slack_ns* how far its clock may be from the capture's;
    *zone_s* how far ahead of UTC it writes times that name no zone.
    """

    def __init__(
        self,
        *,
        gateway: str | None = None,
        slack_ns: int = SLACK_NS,
        zone_s: int = 0,
        most_failures: int = MOST_FAILURES,
        most_exchanges: int = MOST_EXCHANGES,
    ) -> None:
        self._gateway = (gateway or "").partition(":")[0] or None
        self._slack = slack_ns
        self._zone_s = zone_s
        self._room, self._exchange_room = most_failures, most_exchanges
        self._items: dict[str, _Item] = {}
        self._by: dict[tuple[str, str], _Timeline] = {}
        self._exchanges: dict[int, list[_Row]] = {}
        self._sorted = False
        self._full_ns: int | None = None  # from here on the capture is not remembered
        self._span: tuple[int, int] | None = None
        self._log_span: tuple[int, int] | None = None
        self._counts: Counter[str] = Counter()
        self._logs: dict[str, None] = {}

    # what the capture shows

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
                    _Item(
                        begin, result.time, request.method if request else None, request.target if request else None,
                        None, conn.gateway, conn.upstream, result.frame, result.file,
                    ),
                )  # fmt: skip
            case ExchangeLine():
                self._exchange(result)
            case Update():
                item = self._items.get(result.id)
                if item is not None and item.failure is not None:
                    known = {key: value for key, value in result.changes.items() if key in _CHANGEABLE}
                    item.failure = replace(item.failure, **known)  # type: ignore[arg-type]
            case Summary():
                if result.first_time is not None and result.last_time is not None:
                    self._span = result.first_time, result.last_time
            case _:
                pass

    def _incident(self, incident: Incident) -> None:
        for ident in incident.attempts:
            if item := self._items.get(ident):
                item.incident = incident
                item.client = item.client or incident.client
                item.end = max(item.end, incident.time)
                self._index(item, "client", incident.client)
        if not incident.attempts:
            asked = incident.request
            self._add(
                incident.id,
                _Item(
                    incident.time, incident.time, asked.method if asked else None, asked.target if asked else None,
                    incident.client, None, None, incident.frame, incident.file, incident=incident,
                ),
            )  # fmt: skip

    def _add(self, ident: str, item: _Item) -> None:
        if len(self._items) >= self._room:
            self._full(item.begin)
            return
        self._items[ident] = item
        self._index(item, "target", item.target)
        self._index(item, "client", item.client)
        self._index(item, "upstream", item.upstream)
        self._index(item, "upstream", item.gateway)

    def _index(self, item: _Item, what: str, name: str | None) -> None:
        if name:
            self._by.setdefault((what, name), _Timeline()).add(item)

    def _exchange(self, exchange: ExchangeLine) -> None:
        request, response = exchange.request, exchange.response
        if request is None:
            return
        if self._exchange_room <= 0:
            self._full(request.time)
            return
        self._exchange_room -= 1
        status = -1 if response is None or response.status is None else response.status
        end = request.time + round((exchange.duration_ms or 0) * 1e6)
        upstream = hash(exchange.connection.upstream) if exchange.leg == "upstream" else 0
        row = (end, request.time, status, request.frame, exchange.file, upstream)
        self._exchanges.setdefault(hash(request.target), []).append(row)

    def _full(self, time_ns: int) -> None:
        self._full_ns = time_ns if self._full_ns is None else min(self._full_ns, time_ns)

    # what the log says

    def compare(self, log: str, lines: Iterable[str], *, everything: bool = False) -> Iterator[LogVerdict]:
        """Yield what becomes of the *lines* of the file *log*: those that speak of failures, or *everything* joined."""
        self._logs[log] = None
        for number, text in enumerate(lines, 1):
            self._counts["lines"] += 1
            line = parse(text, self._zone_s)
            if line is None:
                self._counts["unreadable"] += bool(text.strip())
                continue
            self._reach(line)
            if not self._in_capture(line):
                self._counts["outside"] += 1
                continue
            verdict = self._judge(line)
            if isinstance(verdict, str):
                self._counts[verdict] += 1
                continue
            self._counts[verdict.verdict] += 1
            if everything or line.alarm or verdict.failure or verdict.incident or verdict.verdict == "contradicted":
                verdict.log, verdict.line = log, number
                yield verdict

    def silences(self) -> Iterator[LogVerdict]:
        """Yield the failures that no line speaks of, of the time that the logs cover; masked ones and aborts aside."""
        if self._log_span is None:
            return
        for item in self._items.values():
            failure = item.failure
            if item.told or (failure is None and item.incident is None):
                continue
            if failure is not None and (failure.masked or failure.kind in QUIET_KINDS):
                continue
            if not self._log_span[0] - self._slack <= item.end <= self._log_span[1] + self._slack:
                continue
            self._counts["silent"] += 1
            yield LogVerdict(
                None, None, None, Time(item.end), "silent", failure.id if failure else None,
                item.incident.id if item.incident else None, item.frame, item.file, item.method, item.target, None, "",
                [], self._why_silent(failure),
            )  # fmt: skip

    def _why_silent(self, failure: Failure | None) -> str:
        known = self._gateway or (next(iter(failure.gateways), None) if failure else None)
        if failure is not None and known in names() and any(one.silent for one in answers(load(known), failure)):
            return f"{known} writes no line for this"
        return "no line of the log speaks of it"

    def summary(self) -> LogSummary:
        """Return the counts, for after the last line."""
        count = self._counts
        first, last = self._log_span or (None, None)
        return LogSummary(
            list(self._logs), count["lines"], count["confirmed"], count["contradicted"], count["not_in_capture"],
            count["silent"], count["outside"], count["no_claim"], count["unreadable"], count["not_compared"],
            None if first is None else Time(first), None if last is None else Time(last),
        )  # fmt: skip

    def _reach(self, line: LogLine) -> None:
        first, last = self._log_span or (line.first_ns, line.last_ns)
        self._log_span = min(first, line.first_ns), max(last, line.last_ns)

    def _in_capture(self, line: LogLine) -> bool:
        if self._span is None:
            return False
        return line.last_ns >= self._span[0] - self._slack and line.first_ns <= self._span[1] + self._slack

    def _judge(self, line: LogLine) -> LogVerdict | str:
        kinds = self._kinds(line) if line.alarm else ()
        alarm = line.alarm == "failure" or bool(kinds)
        item = self._join(line, alarm)
        if item is not None:
            claim, why = self._claim(line, kinds, item)
            if claim is None:
                return "no_claim"
            ident = item.failure.id if item.failure else None
            incident = item.incident.id if item.incident else None
            return _verdict(line, claim, kinds, why, ident, incident, item.frame, item.file)
        if line.targets and (row := self._healthy(line)) is not None:
            if not alarm or line.status == row[2]:
                return _verdict(line, "confirmed", kinds, "", None, None, row[3], row[4])
            got = "an answer" if row[2] < 0 else f"a {row[2]}"
            why = f"the capture shows {got} of the upstream that ended well"
            return _verdict(line, "contradicted", kinds, why, None, None, row[3], row[4])
        if self._full_ns is not None and line.last_ns >= self._full_ns - self._slack:
            return "not_compared"
        if not alarm:
            return "no_claim"
        return _verdict(line, "not_in_capture", kinds, "no attempt of the capture is the one meant", None, None, None,
                        None)  # fmt: skip

    # the join

    def _join(self, line: LogLine, alarm: bool) -> _Item | None:
        """Return the attempt that *line* speaks of; those that it may mean too count as told of."""
        best: tuple[int, int] | None = None
        found: _Item | None = None
        seen: list[tuple[int, _Item]] = []
        for item in self._candidates(line, alarm):
            score = _score(line, item)
            if score < 2:
                continue
            seen.append((score, item))
            off = abs(line.first_ns - item.begin) if line.begun else abs(line.last_ns - item.end)
            rank = (score, -off)
            if best is None or rank > best:
                best, found = rank, item
        if best is not None and found is not None:
            found.told = True
            for score, item in seen:  # the other attempts of the same request
                if score >= 4 and item.target is not None and item.target == found.target:
                    item.told = True
        return found

    def _candidates(self, line: LogLine, alarm: bool) -> Iterator[_Item]:
        keys = [("target", target) for target in line.targets]
        if line.client:
            keys.append(("client", line.client))
        if alarm:
            keys += [("upstream", name) for name in sorted(line.endpoints)[:8]]
        done: set[int] = set()
        for key in keys:
            timeline = self._by.get(key)
            if timeline is None:
                continue
            for item in timeline.between(line.first_ns - self._slack, line.last_ns + self._slack):
                if id(item) not in done:
                    done.add(id(item))
                    yield item

    def _healthy(self, line: LogLine) -> _Row | None:
        """Return the exchange that ended well which *line* speaks of; of several that with its status."""
        if not self._sorted:
            for some in self._exchanges.values():
                some.sort()
            self._sorted = True
        ends = {hash(name) for name in line.endpoints}
        found = None
        for target in line.targets:
            rows = self._exchanges.get(hash(target), [])
            at = bisect_left(rows, (line.first_ns - self._slack,))
            for row in rows[at : at + _LOOKED_AT]:
                if row[1] > line.last_ns + self._slack:
                    continue
                if line.status is None and (not row[5] or row[5] not in ends):
                    continue  # an error log speaks of one attempt: only that of its upstream is meant
                if row[2] == line.status:
                    return row
                found = found or row
        return found

    # the claim

    def _kinds(self, line: LogLine) -> tuple[str, ...]:
        if not line.says and line.status is None:
            return ()
        written = line.says
        if line.format in ("haproxy", "envoy"):
            written = f"- - - {line.status} {line.says} -"
        elif line.format == "alb" and line.says[:1].isdigit():
            written = f"- - - {line.says} -"
        elif line.format == "access":
            return ()
        return _known_kinds(self._gateways(line), written)

    def _gateways(self, line: LogLine) -> tuple[str, ...]:
        mine = FORMATS[line.format]
        return (self._gateway,) if self._gateway in mine else mine[:1] if line.format == "nginx error" else mine

    def _claim(self, line: LogLine, kinds: tuple[str, ...], item: _Item) -> tuple[Claim | None, str]:
        failure, incident = item.failure, item.incident
        if failure is None and incident is None:
            return "not_in_capture", "the capture ends before this attempt does"
        if failure is not None and kinds:
            if failure.kind in kinds:
                return "confirmed", ""
            for other in failure.alternatives:
                if other.kind in kinds:
                    return "contradicted", f"it speaks for the other reading, {other.kind}"
        if line.status is not None:
            return self._by_status(line, line.status, failure, incident)
        if failure is None:
            return ("confirmed", "") if line.alarm else (None, "")
        if kinds:
            return "contradicted", f"the gateway writes this for {' or '.join(kinds[:4])}, the capture shows {failure.kind}"
        return ("confirmed", "no table knows its words") if line.alarm == "failure" else (None, "")

    def _by_status(
        self, line: LogLine, status: int, failure: Failure | None, incident: Incident | None
    ) -> tuple[Claim | None, str]:
        sent = None if status in NO_STATUS else status
        if failure is None:
            got = incident.client_status if incident else None
            return ("confirmed", "") if got in (status, sent) else ("contradicted", f"the client got {_got(got)}")
        if failure.masked and status < 500:
            return "confirmed", "another attempt made it good"
        client = failure.client
        if status == 499 and failure.kind in QUIET_KINDS:
            return "confirmed", ""
        if client is not None and client.outcome != "pending":
            if client.status in (status, sent):
                return "confirmed", ""
            return "contradicted", f"the client got {_got(client.status)}"
        known = self._expected(line, failure)
        if status in known or sent in known or status >= 500:
            if known and status not in known and sent not in known:
                return "confirmed", f"although {_got(next(iter(known)))} was to be expected"
            return "confirmed", ""
        if failure.response is not None and failure.response.status == status:
            return "confirmed", ""
        if failure.kind in QUIET_KINDS or status == 499:
            return None, ""
        return "contradicted", f"it says {status}, the capture shows {failure.kind}"

    def _expected(self, line: LogLine, failure: Failure) -> list[int | None]:
        found: list[int | None] = []
        for name in self._gateways(line):
            found += [status_of(one, failure) for one in answers(load(name), failure) if one.known]
        return found


_CHANGEABLE = frozenset({"kind", "masked", "client", "alternatives"})


def _of_failure(failure: Failure) -> _Item:
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
    kept = replace(
        failure,
        ladder=[step for step in failure.ladder if step.point.frame == failure.frame],
        evidence=[one for one in failure.evidence if one.frame == failure.frame],
        causes=[],
        caveats=[],
    )
    return _Item(
        begin, end, request.method if request else None, request.target if request else None,
        client.connection if client else None, conn.gateway, conn.upstream, failure.frame, failure.file, kept,
    )  # fmt: skip


def _score(line: LogLine, item: _Item) -> int:
    """Return how well they fit: 4 and more for one request, 2 for the same upstream at the same time, 0 for not."""
    score = 0
    same_end = bool(item.gateway and item.gateway in line.endpoints)
    if line.client and item.client and _has_port(line.client):
        if line.client != item.client:
            return 0
        score += 4
    if same_end:
        score += 4
    if line.targets and item.target is not None:
        if item.target in line.targets:
            score += 4
        elif not score:
            return 0
        if line.method and item.method and line.method != item.method:
            return 0
    if item.upstream and item.upstream in line.endpoints:
        score += 2
    return score


def _has_port(client: str) -> bool:
    return "]:" in client or client.count(":") == 1


def _verdict(
    line: LogLine, claim: Claim, kinds: tuple[str, ...], why: str, failure: str | None, incident: str | None,
    frame: int | None, file: int | None,
) -> LogVerdict:  # fmt: skip
    return LogVerdict(
        None, None, line.format, Time(line.first_ns if line.begun else line.last_ns), claim, failure, incident, frame,
        file, line.method, line.targets[0][:_TARGET] if line.targets else None, line.status, line.says[:_SAYS],
        list(kinds), why,
    )  # fmt: skip


def _got(status: int | None) -> str:
    return "no status" if status is None else str(status)


@lru_cache(maxsize=4096)
def _known_kinds(gateways: tuple[str, ...], written: str) -> tuple[str, ...]:
    """Return the kinds for which one of *gateways* writes this; messages repeat, so few of them are looked up."""
    return tuple(dict.fromkeys(fit.kind for fit in fits(written, gateways) if fit.exact))
