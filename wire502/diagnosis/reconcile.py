"""The gateway's log against the capture: each line confirmed, contradicted or not in the capture; each silence told.

``Reconciler.see`` takes the results of a capture as they come and keeps a bounded index of them; afterwards
``compare`` takes the lines of the logs one by one and keeps none. A line is joined with the attempt of its target,
client's port or upstream that happened at its time. What it claims is then held against the verdict, by the gateway's
table where it has words or a flag, else by the status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal

from wire502.diagnosis._seen import MOST_EXCHANGES, MOST_FAILURES, Item, Row, Seen
from wire502.diagnosis.dialect import answers, status_of
from wire502.gateways import FORMATS, NO_STATUS, LogLine, fits, load, names, parse, said
from wire502.model.verdict import QUIET_KINDS, Failure, Incident, LogSummary, LogVerdict, Time

SLACK_NS = 2_000_000_000
_LEARNED = 4096
_CLOSE_NS = 50_000_000  # what a precise time may be off within one machine
_NEVER = -1
_SAYS = 200  # characters of a message that are handed on
_TARGET = 8192

Claim = Literal["confirmed", "contradicted", "not_in_capture", "silent"]


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
        self._seen = Seen(most_failures, most_exchanges)
        self.see = self._seen.see
        self._log_span: tuple[int, int] | None = None
        self._counts: Counter[str] = Counter()
        self._logs: dict[str, None] = {}
        self._formats: dict[str, None] = {}
        self._learned: dict[str, Item] = {}  # by client, where the capture does not show the client

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
            self._formats[line.format] = None
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
        for item in self._seen.items.values():
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
        named = [FORMATS[one][0] for one in self._formats if one != "access"]
        known = self._gateway or next(iter([*named, *(failure.gateways if failure else ())]), None)
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
        if self._seen.span is None:
            return False
        return line.last_ns >= self._seen.span[0] - self._slack and line.first_ns <= self._seen.span[1] + self._slack

    def _judge(self, line: LogLine) -> LogVerdict | str:
        kinds = self._kinds(line) if line.alarm else ()
        alarm = line.alarm == "failure" or bool(kinds)
        item = self._join(line, kinds, alarm)
        row = self._healthy(line) if item is None or not _same_request(line, item) else None
        if item is not None and row is None:
            self._tell(line, item)
            claim, why = self._claim(line, kinds, item, alarm)
            if claim is None:
                return "no_claim"
            ident = item.failure.id if item.failure else None
            incident = item.incident.id if item.incident else None
            return _verdict(line, claim, kinds, why, ident, incident, item.frame, item.file)
        if row is not None:
            if not alarm or line.status == row[2]:
                return _verdict(line, "confirmed", kinds, "", None, None, row[3], row[4])
            got = "an answer" if row[2] < 0 else f"a {row[2]}"
            why = f"the capture shows {got} of the upstream that ended well"
            return _verdict(line, "contradicted", kinds, why, None, None, row[3], row[4])
        if self._seen.full_ns is not None and line.last_ns >= self._seen.full_ns - self._slack:
            return "not_compared"
        if not alarm:
            return "no_claim"
        why = "no attempt of the capture is the one meant"
        if not line.targets and not line.endpoints:
            why = "it names neither request nor upstream"
        return _verdict(line, "not_in_capture", kinds, why, None, None, None, None)

    # the join

    def _join(self, line: LogLine, kinds: tuple[str, ...], alarm: bool) -> Item | None:
        """Return the attempt that *line* speaks of."""
        best: tuple[int, int] | None = None
        found: Item | None = None
        for item in self._candidates(line, alarm):
            score = _score(line, item)
            if score < 2:
                continue
            off = abs(line.first_ns - item.begin) if line.begun else abs(line.last_ns - item.end)
            if best is None or (score, -off) > best:
                best, found = (score, -off), item
        if found is None and line.client and alarm and _has_port(line.client):
            known = self._learned.get(line.client)  # another line of this client was joined by its upstream
            if known is not None and _overlap(line, known, _CLOSE_NS) and (not line.targets or known.target is None):
                return known
        if found is None and not line.targets and not line.endpoints and line.first_ns == line.last_ns:
            return self._alone(line, kinds)
        return found

    def _alone(self, line: LogLine, kinds: tuple[str, ...]) -> Item | None:
        """Return the only attempt that failed as *line* says at its very time, for a line that names nothing else."""
        close: dict[int, Item] = {}
        for kind in kinds:
            for item in self._seen.between("kind", kind, line.first_ns - _CLOSE_NS, line.last_ns + _CLOSE_NS):
                if abs(item.end - line.last_ns) <= _CLOSE_NS and _score(line, item) >= 0:
                    close[id(item)] = item
        return next(iter(close.values())) if len(close) == 1 else None

    def _tell(self, line: LogLine, found: Item) -> None:
        """Note that *line* speaks of *found*, and of the other attempts of the same request."""
        found.told = True
        if line.client and found.client is None and _has_port(line.client):
            self._learned[line.client] = found
            if len(self._learned) > _LEARNED:
                del self._learned[next(iter(self._learned))]
        lasted = line.last_ns > line.first_ns and line.status is not None
        for item in self._candidates(line, alarm=True):
            same = found.target is not None and item.target == found.target
            tried = lasted and item.target is None and line.first_ns <= item.end and item.begin <= line.last_ns
            if (same or tried) and _score(line, item) >= 2:
                item.told = True

    def _candidates(self, line: LogLine, alarm: bool) -> Iterator[Item]:
        keys = [("target", target) for target in line.targets]
        if line.format == "apache error":  # writes targets without their query
            keys += [("path", target) for target in line.targets]
        if line.client:
            keys.append(("client", line.client))
        if alarm:
            keys += [("upstream", name) for name in sorted(line.endpoints)[:8]]
        done: set[int] = set()
        for key in keys:
            for item in self._seen.between(*key, line.first_ns - self._slack, line.last_ns + self._slack):
                if id(item) not in done:
                    done.add(id(item))
                    yield item

    def _healthy(self, line: LogLine) -> Row | None:
        """Return the exchange that ended well which *line* speaks of; of several that with its status."""
        ends = {hash(name) for name in line.endpoints}
        found = None
        for target in line.targets:
            for row in self._seen.exchanges(target, line.first_ns - self._slack, line.last_ns + self._slack):
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

    def _claim(self, line: LogLine, kinds: tuple[str, ...], item: Item, alarm: bool) -> tuple[Claim | None, str]:
        failure, incident = item.failure, item.incident
        if failure is None and incident is None:
            return ("not_in_capture", f"its attempt is open: {item.why_open}") if alarm else (None, "")
        if failure is not None and kinds:
            if failure.kind == "no_attempt" and line.status is None and "no_attempt" not in kinds:
                return "not_in_capture", "the client's error is, the attempt that it speaks of is not"
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
            return (
                "contradicted",
                f"the gateway writes this for {' or '.join(kinds[:4])}, the capture shows {failure.kind}",
            )
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
            if client.status is None and status >= 500:
                return "confirmed", "although its client got no status"
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


def _score(line: LogLine, item: Item) -> int:
    """Return how well they fit: 4 and more for one request, 2 for the same upstream at the same time, -1 for not."""
    score = 0
    same_end = bool(item.gateway and item.gateway in line.endpoints)
    if line.client and item.client and _has_port(line.client):
        if line.client != item.client:
            return _NEVER
        score += 4
    if same_end:
        score += 4
    if line.targets and item.target is not None:
        if _same_request(line, item):
            score += 4
        elif score < 4 or not _overlap(line, item, _CLOSE_NS):
            return _NEVER
        else:
            score = 3  # the gateway may have rewritten it
        if line.method and item.method and line.method != item.method:
            return _NEVER
    if item.upstream and (
        item.upstream in line.endpoints or (item.target is None and item.upstream.rpartition(":")[0] in line.endpoints)
    ):
        score += 2
    return score


def _same_request(line: LogLine, item: Item) -> bool:
    if item.target is None or not line.targets:
        return True  # nothing speaks against it
    if item.target in line.targets:
        return True
    return line.format == "apache error" and item.target.partition("?")[0] in line.targets


def _overlap(line: LogLine, item: Item, slack_ns: int) -> bool:
    return line.first_ns - slack_ns <= item.end and item.begin <= line.last_ns + slack_ns


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
    known = dict.fromkeys(fit.kind for fit in fits(written, gateways) if fit.exact)
    return tuple(known or dict.fromkeys(kind for one in said(written) if one.gateway in gateways for kind in one.kinds))
