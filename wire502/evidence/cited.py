"""Which frames a result cites, and in what words: the frames that get a comment, and by which verdicts are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wire502.api import Failure, Incident

Place = tuple[int, int]  # file, frame

# What two readings must agree on: kind, failure point, side, what ended a silence, cited frames
Signature = tuple[object, ...]


def failure_notes(failure: Failure) -> dict[Place, list[str]]:
    """Return the comments for the frames that *failure* cites: the failure point first, then what supports it."""
    notes: dict[Place, list[str]] = {}

    def add(file: int, frame: int | None, text: str) -> None:
        if frame is None:
            return
        known = notes.setdefault((file, frame), [])
        line = f"{failure.id}: {text}"
        if line not in known:
            known.append(line)

    head = f"FAILURE POINT, {failure.kind}, at fault: {failure.at_fault}, confidence {failure.confidence}. "
    add(failure.file, failure.frame, head + failure.summary)
    for item in failure.evidence:
        add(item.file, item.frame, item.note)
    for cause in failure.causes:
        for item in cause.because:
            add(item.file, item.frame, f"speaks for {cause.name}: {item.note}")
    if failure.until is not None:
        add(failure.until.file, failure.until.frame, f"ended {failure.until.seconds:.3f} s of silence")
    for other in failure.alternatives:
        add(other.file, other.frame, f"or else {other.kind}: {other.why}")
    if (client := failure.client) is not None:
        status = f" {client.status}" if client.status else ""
        add(client.file, client.frame, f"what the client got: {client.outcome}{status}")
        add(client.request_file, client.request_frame, "the client's own request")
    return notes


def incident_notes(incident: Incident) -> dict[Place, list[str]]:
    """Return the comments for the frames that *incident* cites."""
    notes = {(incident.file, incident.frame): [f"{incident.id}: {incident.summary}"]}
    if incident.request is not None:
        asked = notes.setdefault((incident.request.file, incident.request.frame), [])
        asked.append(f"{incident.id}: the client's own request")
    return notes


def mentioned(failure: Failure) -> Iterator[Place]:
    """Yield every frame that the report of *failure* names, those without a comment of their own among them."""
    yield from failure_notes(failure)
    yield failure.connection.first_file, failure.connection.first_frame
    if failure.request is not None:
        yield failure.request.file, failure.request.frame
    if failure.response is not None:
        yield failure.response.file, failure.response.frame
    for step in failure.ladder:
        yield step.point.file, step.point.frame


def merged(notes: Iterable[dict[Place, list[str]]]) -> dict[Place, list[str]]:
    """Return all *notes* as one; a frame that several verdicts cite has the words of each."""
    together: dict[Place, list[str]] = {}
    for one in notes:
        for place, lines in one.items():
            known = together.setdefault(place, [])
            known += [line for line in lines if line not in known]
    return together


def signature(result: Failure | Incident, source: dict[int, Place] | None = None) -> Signature:
    """Return what must be the same in a slice as in its source.

    *source* maps the frames of the slice to those of the source; without it *result* is of the source itself. A
    frame that the slice does not name stands as (-1, number): it equals nothing.
    """

    def place(file: int, frame: int | None) -> Place | None:
        if frame is None:
            return None
        return (file, frame) if source is None else source.get(frame, (-1, frame))

    if isinstance(result, Incident):
        return "incident", result.outcome, result.client_status, place(result.file, result.frame)
    cited = sorted({found for item in result.evidence if (found := place(item.file, item.frame)) is not None})
    return (
        "failure",
        result.kind,
        result.at_fault,
        place(result.file, result.frame),
        result.masked,
        place(result.until.file, result.until.frame) if result.until else None,
        tuple(cited),
    )


def causes_of(result: Failure | Incident) -> list[str]:
    """Return the names of the causes, sorted; those of an incident are its failures'."""
    return sorted(cause.name for cause in result.causes) if isinstance(result, Failure) else []
