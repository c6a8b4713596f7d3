"""The report for people: a block for each failure, a table of the upstreams, one closing line.

``TextReport`` turns results into text as they come and keeps only what a later line may refer to. It writes nothing
itself. Every text that comes from the wire is made harmless on its way out (``_layout``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wire502.model.records import changed
from wire502.model.verdict import (
    QUIET_KINDS,
    Cleared,
    ClientRef,
    ExchangeLine,
    Failure,
    Incident,
    LogSummary,
    LogVerdict,
    Open,
    Pending,
    RequestRef,
    Result,
    Summary,
    Update,
)
from wire502.report._clock import Clock
from wire502.report._closing import closing_lines, doubts
from wire502.report._ladder import ladder
from wire502.report._layout import Line, Painter, Span, Style, cells, cut_middle, wrap
from wire502.report._upstreams import upstream_table
from wire502.report._words import Frames, count, milliseconds
from wire502.report.logs import LogLines
from wire502.report.plain import plain

__all__ = ["Clock", "TextReport"]

_LEAST_WIDTH = 60
_WIDEST_TEXT = 100  # longer lines are hard to read
_LABEL = 14  # columns of "likely cause  "
_LEAST_TARGET = 12
_MOST_REMEMBERED = 1024  # failures that an update may still name
_MOST_OPEN = 5  # open attempts that are listed without --all


class TextReport:
    """Results as text.

    *inputs* are the paths that were read (several: frames are cited as ``gw.pcap:128``), *width* the columns of the
    terminal (80 for a pipe), *local* local time instead of UTC, *everything* whether ``--all`` was asked for.
    """

    def __init__(
        self,
        *,
        inputs: Sequence[str] = (),
        width: int = 80,
        color: bool = False,
        ascii_only: bool = False,
        local: bool = False,
        everything: bool = False,
    ) -> None:
        self._width = max(width, _LEAST_WIDTH)
        self._painter = Painter(color=color, ascii_only=ascii_only)
        self._clock = Clock(local=local)
        self._frames = Frames(inputs)
        self._everything = everything
        self._logs = LogLines(self._frames, self._clock, self._text_width(), everything=everything)
        self._day = ""
        self._named: dict[str, str] = {}
        self._open = 0

    def block(self, result: Result) -> str:
        """Return what is to be printed for *result*, "" for nothing; the summary is for ``closing``."""
        match result:
            case Failure():
                return self._painter.paint([*self._date(result.time), *self._failure(result), []])
            case Incident():
                return self._painter.paint(self._incident(result))
            case Open():
                return self._painter.paint(self._unfinished(result))
            case Pending():
                return self._painter.paint(self._pending(result))
            case Cleared():
                return self._painter.paint(self._cleared(result))
            case ExchangeLine():
                return self._painter.paint(self._exchange(result))
            case Update():
                return self._painter.paint(self._update(result))
            case LogVerdict():
                return self._painter.paint(self._logs.verdict(result))
            case LogSummary():
                return self._painter.paint(self._logs.summary(result))
            case Summary():
                return ""

    def incident(self, incident: Incident, failures: Sequence[Failure]) -> str:
        """Return the block of what a client got: the attempts in order, and the one that decided in full.

        *failures* are those behind it that have not been printed yet.
        """
        if not failures:
            return self.block(incident)
        failures = [_with_request(one, incident) for one in failures]
        deciding = next((one for one in failures if one.id == incident.verdict), None)
        if deciding is None:
            return "".join(map(self.block, failures))
        if len(failures) == 1:
            return self.block(deciding)
        return self._painter.paint([*self._date(incident.time), *self._tried(failures, deciding), []])

    def line(self, text: str, style: Style = "") -> str:
        """Return a text as lines of its own."""
        parts = wrap(text, self._text_width() - 2)
        lines = [[Span(f"    {part}" if number else part, style)] for number, part in enumerate(parts)]
        return self._painter.paint(lines)

    def moment(self, time_ns: int, frame: int, file: int) -> str:
        """Return a time of day, and the frame that it stands for."""
        return f"{self._clock.of_day(time_ns)} ({self._frames.cite(frame, file)})"

    def closing(self, summary: Summary) -> str:
        """Return the table of the upstreams and the last lines: what was read, what was found, what to doubt."""
        lines: list[Line] = []
        if self._open > _MOST_OPEN and not self._everything:
            lines += [[Span(f"? and {self._open - _MOST_OPEN:,} more unfinished at the end (--all lists them)", "dim")]]
        if self._open:
            lines.append([])
        if table := upstream_table(summary.upstreams, self._width, self._clock):
            lines += [*table, []]
        lines += closing_lines(summary, self._frames, self._clock, self._text_width())
        for note in doubts(summary):
            lines += self._labelled("but", note, "warn")
        return self._painter.paint(lines)

    # one failure

    def _failure(self, failure: Failure) -> Iterator[Line]:
        yield from self._head(failure)
        yield from self._body(failure)

    def _body(self, failure: Failure) -> Iterator[Line]:
        words = [f"at fault: {failure.at_fault}", f"confidence {failure.confidence}"]
        if failure.masked:
            words.append("masked by a retry")
        if failure.secondary:
            words.append("behind another request")
        yield from self._verdict(failure.kind, words)
        yield []
        if rungs := ladder(failure, self._frames, self._clock, self._width):
            yield from rungs
            yield []
        for text in wrap(failure.summary, self._text_width() - 2):
            yield [Span(f"  {text}")]
        yield from self._reasons(failure)
        yield from self._labelled("look closer", self._filter(failure), fit=False)
        yield from self._labelled("", f"wire502 explain {failure.kind}", fit=False)

    def _verdict(self, kind: str, words: Sequence[str]) -> Iterator[Line]:
        """Yield what it is and how that is meant; what does not fit stands on a line of its own."""
        line, used = [Span("  "), Span(kind, "bold")], 2 + cells(kind)
        for word in words:
            if used + 3 + cells(word) > self._width:
                yield line
                line, used = [Span(f"    {word}")], 4 + cells(word)
            else:
                line.append(Span(f" · {word}"))
                used += 3 + cells(word)
        yield line

    def _head(self, failure: Failure) -> Iterator[Line]:
        mark, style = _mark(failure)
        when, upstream = self._clock.of_day(failure.time), plain(failure.connection.upstream) or "nobody"
        what = _what(failure)
        got = _got(failure.client) if failure.client and not failure.masked else ""
        if failure.client and got:
            first = f"{got} at {self._clock.of_day(failure.client.end_time or failure.client.time)}"
            room = self._width - cells(first) - cells(upstream) - 7
            if room < min(_LEAST_TARGET, cells(plain(what))):
                yield [Span(f"{mark} {first}", style)]
                yield [Span(f"  {cut_middle(what, self._width - cells(upstream) - 5)} → {upstream}", "bold")]
            else:
                yield [Span(f"{mark} {first}", style), Span(f"  {cut_middle(what, room)} → {upstream}", "bold")]
        else:
            end = _ENDS.get(failure.kind, "failed")
            room = self._width - cells(upstream) - cells(end) - cells(when) - 7
            text = f"{cut_middle(what, max(room, _LEAST_TARGET))} → {upstream}"
            yield [Span(f"{mark} ", style), Span(text, "bold"), Span(f" {end} {when}", style)]
        self._remember(failure.id, f"{what} → {upstream} ({self._frames.cite(failure.frame, failure.file)})")

    def _reasons(self, failure: Failure) -> Iterator[Line]:
        for number, cause in enumerate(failure.causes):
            notes = "; ".join(item.note for item in cause.because)
            text = f"{cause.name} ({cause.confidence}){f': {notes}' if notes else ''}"
            yield from self._labelled("or" if number else "likely cause", text)
            if cause.overturned_by:
                yield from self._labelled("unless", cause.overturned_by)
            if cause.advice:
                yield from self._labelled("what to do", cause.advice)
        for other in failure.alternatives:
            at = f" at {self._frames.cite(other.frame, other.file)}" if other.frame is not None else ""
            yield from self._labelled("or else", f"{other.kind}{at} ({other.confidence}): {other.why}")
        for caveat in failure.caveats:
            yield from self._labelled("but", caveat, "warn")
        for name, view in failure.gateways.items():
            if view.log:
                yield from self._labelled(f"{name} logs", view.log)
            if view.agrees is False and view.status is not None:
                text = f"{name} answers {view.status} to this, and the client got another"
                yield from self._labelled("but", text, "warn")

    def _filter(self, failure: Failure) -> str:
        """Return a Wireshark display filter for the frames of the ladder.

        Over several inputs ``tcp.stream`` would count in the merged file; the gateway's port finds the connection in
        each one.
        """
        cited = [step.point.frame for step in failure.ladder if step.point.file == failure.file]
        cited += [item.frame for item in failure.evidence if item.file == failure.file]
        if failure.client and failure.client.file == failure.file:
            cited.append(failure.client.frame)
        low, high = min([failure.frame, *cited]), max([failure.frame, *cited])
        where = f"tcp.stream == {failure.connection.stream}"
        port = failure.connection.gateway.rpartition(":")[2]
        if self._frames.several and port.isdecimal():
            where = f"tcp.port == {port}"
        if failure.kind == "connect_unreachable":
            return f"frame.number >= {low} && frame.number <= {high}"  # ICMP and ARP are in no stream
        if low == high:
            return f"frame.number == {low}"
        text = f"{where} && frame.number >= {low} && frame.number <= {high}"
        if 2 + _LABEL + len(text) > self._width:
            text = f"{where} && frame.number in {{{low}..{high}}}"
        return text

    def _tried(self, failures: Sequence[Failure], deciding: Failure) -> Iterator[Line]:
        """Yield the block of several attempts: the tree, then the one that decided."""
        yield from self._head(deciding)
        room = max(cells(plain(one.connection.upstream)) for one in failures)
        for number, one in enumerate(failures, 1):
            branch = "└" if number == len(failures) else "├"
            upstream = plain(one.connection.upstream)
            cite = self._frames.cite(one.frame, one.file)
            padding = " " * (room - cells(upstream))
            text = f"  {branch} {number}  {upstream}{padding}  {self._clock.of_day(one.time)}  {cite}"
            decided = "  decided" if one is deciding else ""
            yield [Span(f"{text}  "), Span(one.kind, "bold" if one is deciding else ""), Span(decided, "dim")]
            if one is not deciding:
                self._remember(one.id, f"attempt {number}, {one.kind} ({cite})")
        yield from self._body(deciding)

    # other lines

    def _incident(self, incident: Incident) -> Iterator[Line]:
        """An incident of one attempt says nothing that the block of its failure has not said."""
        if len(incident.attempts) == 1:
            return
        yield from self._date(incident.time)
        if incident.attempts:
            told = count(len(incident.attempts), "attempt")
        elif incident.ambiguous:
            told = count(sum(incident.ambiguous.values()), "like attempt")
        else:
            told = "no attempt seen"
        yield [
            Span("✗ ", "bad"),
            Span(f"client {incident.client}, {told}", "bold"),
            Span(f", confidence {incident.confidence}"),
        ]
        self._remember(incident.id, f"client {incident.client}")
        for text in wrap(incident.summary, self._text_width() - 2):
            yield [Span(f"  {text}")]
        yield []

    def _unfinished(self, result: Open) -> Iterator[Line]:
        self._open += 1
        if self._open > _MOST_OPEN and not self._everything:
            return
        head = f"? {self._called(result.request)} → {result.connection.upstream}: "
        cite = self._frames.cite(result.frame, result.file)
        for number, text in enumerate(wrap(f"{head}{result.why_unknown} ({cite})", self._width - 2)):
            yield [Span(text if not number else f"  {text}", "dim")]

    def _pending(self, result: Pending) -> Iterator[Line]:
        yield from self._date(result.time)
        what = f"{self._called(result.request)} → {result.connection.upstream}"
        cite = self._frames.cite(result.frame, result.file)
        yield from self._noted(f"? {what}: pending, {result.summary} (since {cite})")
        self._remember(result.id, f"{what} ({cite})")

    def _cleared(self, result: Cleared) -> Iterator[Line]:
        name = self._named.get(result.id, result.id)
        yield from self._noted(f"↳ {name}: {_OVER[result.why]} after {result.seconds:.1f} s, nothing failed")

    def _noted(self, text: str) -> Iterator[Line]:
        for number, part in enumerate(wrap(text, self._width - 2)):
            yield [Span(part if not number else f"  {part}", "dim")]

    def _exchange(self, result: ExchangeLine) -> Iterator[Line]:
        yield from self._date(result.time)
        status = result.response.status if result.response else None
        mark: Span = Span("✓ ", "good") if result.leg == "upstream" else Span("  ")
        head = f"{'–' if status is None else status} "
        took = f"{milliseconds(result.duration_ms)} ms"
        place = self._frames.cite(result.frame, result.file)
        upstream = plain(result.connection.upstream)
        tail = f"  {self._clock.of_day(result.time)}  {place}  {took}"
        room = max(self._width - 2 - cells(head) - cells(upstream) - 3 - cells(tail), _LEAST_TARGET)
        what = cut_middle(self._called(result.request, room), room)
        yield [mark, Span(f"{head}{what} → {upstream}"), Span(tail, "dim")]
        for oddity in result.oddities:
            yield [Span(f"      {cut_middle(oddity, self._width - 6)}", "dim")]

    def _update(self, update: Update) -> Iterator[Line]:
        name = self._named.get(update.id, update.id)
        words = [_changed(key, value) for key, value in update.changes.items() if key in _TOLD]
        if words:
            text = f"↳ {name}: {', '.join(words)}"
            for number, part in enumerate(wrap(text, self._width - 2)):
                yield [Span(part if not number else f"  {part}", "dim")]

    # helpers

    def _date(self, time_ns: int) -> Iterator[Line]:
        """Say the day where it is another than that of the line before."""
        day = self._clock.day(time_ns)
        if self._day and day != self._day:
            yield [Span(f"{day} {self._clock.zone}", "dim")]
            yield []
        self._day = day

    def _text_width(self) -> int:
        return min(self._width, _WIDEST_TEXT)

    def _labelled(self, label: str, text: str, style: Style = "", *, fit: bool = True) -> Iterator[Line]:
        """Yield *text* behind its label; with *fit* false on one line, so that it can be copied whole."""
        label = f"{cut_middle(label, 24):<{_LABEL - 2}}  "
        parts = wrap(text, max(self._text_width() - 2 - max(_LABEL, cells(label)), 20)) if fit else [text]
        for number, part in enumerate(parts):
            yield [Span(f"  {label}" if not number else " " * (2 + cells(label)), "dim"), Span(part, style)]

    def _called(self, request: RequestRef | None, room: int = 40) -> str:
        return cut_middle(f"{request.method} {request.target}", room) if request else "connection"

    def _remember(self, ident: str, name: str) -> None:
        self._named[ident] = cut_middle(name, 60)
        if len(self._named) > _MOST_REMEMBERED:
            del self._named[next(iter(self._named))]


_OVER = {
    "answered": "octets came",
    "judged": "the wait ended",
    "forgotten": "no longer followed",
    "ended": "the capture ended",
}
_ENDS = {"gateway_abort": "ended by the gateway", "client_abort": "ended by the client"}
# the keys of an update that people want to hear of
_TOLD = ("kind", "masked", "at_fault", "confidence", "client", "summary", "caveats")


def _mark(failure: Failure) -> tuple[str, Style]:
    if failure.kind in QUIET_KINDS:
        return "·", "dim"
    return ("~", "warn") if failure.masked else ("✗", "bad")


def _what(failure: Failure) -> str:
    """Return what was tried."""
    if failure.request is not None:
        return f"{failure.request.method} {failure.request.target}"
    return "connect" if failure.kind.startswith("connect_") else "connection"


def _with_request(failure: Failure, incident: Incident) -> Failure:
    """Return the failure of a connect as one of the request that it was made for."""
    asked = incident.request
    if failure.request is not None or asked is None:
        return failure
    request = RequestRef(asked.frame, incident.time, asked.method, asked.target, asked.host, asked.id)
    return changed(failure, request=request)


def _got(client: ClientRef) -> str:
    """Return what the client got, "" where that says nothing of the failure (complete, or still waiting)."""
    match client.outcome:
        case "error":
            return str(client.status or "error")
        case "cut":
            return f"{client.status or 'response'} cut short"
        case "closed_without_response":
            return "no response"
        case "reset":
            return "reset"
        case _:
            return ""


def _changed(key: str, value: object) -> str:
    if key == "masked":
        return "a retry made it good" if value else "no longer masked"
    if key == "client" and isinstance(value, ClientRef):
        return f"the client got {_got(value) or value.outcome}"
    if key == "summary":
        return str(value)
    if key == "caveats" and isinstance(value, Iterable):
        return f"but {'; '.join(map(str, value))}"
    return f"{key.replace('_', ' ')} is now {value}"
