"""The ladder: gateway on the left, upstream on the right, one rung for each frame that matters, ▶ at the fatal one."""

from __future__ import annotations

from collections.abc import Iterator

from wire502.model.attempt import Step
from wire502.model.records import record
from wire502.model.verdict import ClientRef, Failure
from wire502.report._clock import SECOND_NS, Clock
from wire502.report._layout import Line, Span, Style, cells, cut_middle, wrap
from wire502.report._words import Frames, count, duration
from wire502.report.plain import plain

_RIGHTWARD, _LEFTWARD = "──────▶", "◀──────"
_ARROW = len(_RIGHTWARD)
_TIME = len("12:04:31.871")
_LEFT_LEAST = 19  # columns for the gateway's side, when nothing asks for more
_MOST_RUNGS = 24
_WAIT_NS = SECOND_NS  # a wait that is worth a line of its own

_LABELS = {
    "syn": "SYN",
    "syn_ack": "SYN ACK",
    "ack": "ACK",
    "fin": "FIN",
    "rst": "RST",
    "probe": "keep-alive probe",
    "retransmission": "retransmission",
    "zero_window": "window 0",
    "interim": "interim response",
    "unreachable": "ICMP error",
    "address_request": "address request",
}
_OUTCOMES = {
    "complete": "{status} to client {client}",
    "error": "{status} to client {client}",
    "cut": "{status} to client {client}, cut short",
    "closed_without_response": "closed to client {client} without a response",
    "reset": "reset to client {client}",
    "pending": "client {client} still waits",
}


@record()
class Rung:
    """One line of the ladder; ``way`` is ">" from the gateway, "<" from the upstream, "" for neither.

    ``client`` is ">" for what the client sent, "<" for what it got, "" for the upstream's leg.
    """

    cite: str
    time_ns: int
    way: str
    label: str
    note: str = ""
    marked: bool = False
    client: str = ""


def ladder(failure: Failure, frames: Frames, clock: Clock, width: int) -> list[Line]:
    """Return the ladder of *failure* in lines of at most *width* columns; nothing without a single rung."""
    rungs = rungs_of(failure, frames)
    if not rungs:
        return []
    cite_room = max(cells(rung.cite) for rung in rungs)
    start = 3 + cite_room + 2 + _TIME + 2  # where the gateway's side begins
    room = max(width - start - _ARROW - 1, 16)
    lefts = [cells(plain(rung.label)) for rung in rungs if rung.way == ">"]
    rights = [cells(plain("  ".join(_right(rung)))) for rung in rungs if rung.way]
    left = max([_LEFT_LEAST, *(width + 1 for width in lefts)])
    left = min(left, max(room - max(rights, default=0), room * 11 // 20))
    lines = _ends(failure, start + left + 4, width)
    before: int | None = None
    for rung in rungs:
        if before is not None and rung.time_ns - before >= _WAIT_NS:
            wait = duration((rung.time_ns - before) / SECOND_NS)
            lines.append([Span(" " * (3 + cite_room + 2)), Span(f"⋮ {wait}", "dim")])
        before = rung.time_ns
        lines += _draw(rung, cite_room, left, width - start, clock)
    return lines


def _ends(failure: Failure, right: int, width: int) -> list[Line]:
    """Return the line above the rungs, that names both ends; two lines where one has no room."""
    gateway = plain(f"gateway {failure.connection.gateway}")
    upstream = plain(f"upstream {failure.connection.upstream}") if failure.connection.upstream else ""
    right = max(right, 6 + cells(gateway) + 2)
    if right + cells(upstream) <= width:
        return [[Span(f"{'':6}{gateway}{' ' * (right - 6 - cells(gateway))}{upstream}", "dim")]]
    return [[Span(f"{'':6}{cut_middle(end, width - 6)}", "dim")] for end in (gateway, upstream) if end]


def _right(rung: Rung) -> tuple[str, str]:
    """Return what stands to the right of the arrow: a label and a note."""
    return ("", rung.note) if rung.way == ">" else (rung.label, rung.note)


def _draw(rung: Rung, cite_room: int, left: int, room: int, clock: Clock) -> Iterator[Line]:
    style: Style = "bad" if rung.marked else ""
    head = [
        Span(" ▶ " if rung.marked else "   ", "bad"),
        Span(f"{rung.cite}{' ' * (cite_room - cells(rung.cite) + 2)}", style or "frame"),
        Span(f"{clock.of_day(rung.time_ns)}  ", style or "dim"),
    ]
    indent = 3 + cite_room + 2 + _TIME + 2
    if not rung.way:
        for number, text in enumerate(wrap(rung.label, room)):
            yield [*([Span(" " * indent)] if number else head), Span(text, style)]
        return
    label = cut_middle(rung.label, left - 1) if rung.way == ">" else ""
    head.append(Span(f"{label}{' ' * (left - cells(label))}", style))
    head.append(Span(f"{_RIGHTWARD if rung.way == '>' else _LEFTWARD} ", style or "dim"))
    below = [Span(" " * (indent + left + _ARROW + 1))]
    for number, text in enumerate(_hang(*_right(rung), max(room - left - _ARROW - 1, 8))):
        yield [*(below if number else head), Span(text, style)]


def _hang(label: str, note: str, room: int) -> list[str]:
    """Return label and note in lines of at most *room* columns, the note's lines under each other."""
    label = plain(label) + "  " if label else " "
    if cells(label) > room // 2:
        return wrap(f"{label.strip()} {note}".strip(), room)
    lines = wrap(note, room - cells(label))
    return [label + lines[0], *(" " * cells(label) + line for line in lines[1:])]


def rungs_of(failure: Failure, frames: Frames) -> list[Rung]:
    """Return the rungs in the order of the wire, the failure point and the client's frame among them."""
    notes = {(item.frame, item.file): item.note for item in reversed(failure.evidence)}
    fatal = (failure.frame, failure.file)
    rungs: list[Rung] = []
    for step in failure.ladder:
        place = (step.point.frame, step.point.file)
        rung = _rung(step, failure, frames, notes.get(place, ""))
        rung.marked = place == fatal
        rungs.append(rung)
    known = any(rung.marked for rung in rungs)
    if (client := failure.client) is not None:
        rungs += _of_client(failure, client, frames, known=known)
    if not any(rung.marked for rung in rungs):
        rungs.append(Rung(frames.cite(*fatal), failure.time, "", notes.get(fatal) or "failure point", marked=True))
    rungs.sort(key=lambda rung: rung.time_ns)  # stable: rungs of one instant keep their order
    return _fewer(rungs)


def _of_client(failure: Failure, client: ClientRef, frames: Frames, *, known: bool) -> Iterator[Rung]:
    """Yield what the client leg shows: the request, where that is another frame, and what came back.

    What came back may be the failure point itself, where the upstream leg has none (*known* false).
    """
    places = {(step.point.frame, step.point.file) for step in failure.ladder}
    if client.request_time is not None and (client.request_frame, client.request_file) not in places:
        asked = "" if failure.request is None else f"{failure.request.method} {failure.request.target} "
        cite = frames.cite(client.request_frame, client.request_file)
        yield Rung(cite, client.request_time, "", f"{asked}from client {client.connection}", client=">")
    cut_later = client.end_frame is not None and client.end_time is not None
    if cut_later and (client.end_frame, client.end_file) != (client.frame, client.file):
        text = f"{client.status or 'answer'} to client"
        yield Rung(frames.cite(client.frame, client.file), client.time, "", text, client="<")
    frame, time_ns = (client.end_frame or 0, client.end_time or 0) if cut_later else (client.frame, client.time)
    file = client.end_file if cut_later else client.file
    if client.outcome == "pending" and (frame, file) == (client.request_frame, client.request_file):
        return
    outcome = "client {client} left" if failure.kind == "client_abort" else _OUTCOMES[client.outcome]
    text = outcome.format(status=client.status or "answer", client=client.connection)
    fatal = not known and (frame, file) == (failure.frame, failure.file)
    way = ">" if failure.kind == "client_abort" else "" if client.outcome == "pending" else "<"
    yield Rung(frames.cite(frame, file), time_ns, "", text, marked=fatal, client=way)


def _fewer(rungs: list[Rung]) -> list[Rung]:
    """Return at most ``_MOST_RUNGS`` of *rungs*: the first ones, and those around the failure point and the end."""
    if len(rungs) <= _MOST_RUNGS:
        return rungs
    kept = [*rungs[:6], *rungs[6 - _MOST_RUNGS :]]
    return kept if any(rung.marked for rung in kept) else [*kept[:6], *(r for r in rungs if r.marked), *kept[6:]]


def _rung(step: Step, failure: Failure, frames: Frames, evidence: str) -> Rung:
    label, note = _label(step, failure), step.note
    if step.count > 1:
        folded = step.what in ("data", "request", "response")
        label += f" in {count(step.count, 'frame')}" if folded else f" × {step.count:,}"
    if not note and step.what not in ("request", "response"):
        label, note = _shared(label, evidence)
    elif note in label:
        note = ""
    way, side = (">", "the gateway ") if step.from_gateway else ("<", "the upstream ")
    cite = frames.cite(step.point.frame, step.point.file)
    return Rung(cite, step.point.time_ns, way, label, note.removeprefix(side))  # the arrow says whose frame it is


def _shared(label: str, note: str) -> tuple[str, str]:
    """Return the rung's label and note without what the note would repeat: the label, and which side it is."""
    first, _, rest = note.partition(" ")
    name = first.rstrip(":").replace("-", " ")
    if name.lower() == label.lower() or name.startswith(f"{label},"):
        return name, rest.removeprefix("from the upstream").removeprefix("from the gateway").lstrip(" :,")
    return label, note


def _label(step: Step, failure: Failure) -> str:
    """Return what the frame of *step* is, in the words of people who read captures."""
    place, version = step.point[:2], failure.protocol.upper()
    if (
        step.what == "request"
        and failure.request is not None
        and place == (failure.request.frame, failure.request.file)
    ):
        return f"{failure.request.method} {failure.request.target} {version}"
    if (
        step.what == "response"
        and failure.response is not None
        and place == (failure.response.frame, failure.response.file)
    ):
        status = failure.response.status
        return f"{version} {status}" if status is not None else "response"
    if step.what == "data":
        return count(step.octets, "octet") if step.octets else "data"
    if step.what == "gap":
        return f"{count(step.octets, 'octet')} not captured" if step.octets else "not captured"
    return _LABELS.get(step.what, step.what)
