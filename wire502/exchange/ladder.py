"""The rungs that a report shows: the connection's remembered frames, named by what the exchange says of them."""

from __future__ import annotations

from wire502.model.attempt import Attempt, Point, Step
from wire502.model.flow_cy import STEP_NAMES, Connection


def ladder(conn: Connection, attempt: Attempt) -> tuple[Step, ...]:
    """Return the steps of *attempt* in the order of the capture, from its request (or its SYN) on."""
    file = conn.file
    steps: dict[tuple[int, str], Step] = {}
    begin = attempt.request.first.frame if attempt.request is not None else conn.first_frame
    first_known = begin
    for closing in (attempt.upstream_fin, attempt.upstream_rst):
        if closing is not None:
            first_known = min(first_known, closing.point.frame)

    def put(step: Step) -> None:
        steps.setdefault((step.point.frame, step.what), step)

    for frame, ts, what, side, count, octets in conn.steps():
        if frame < first_known:
            continue
        name = STEP_NAMES[what] if what < len(STEP_NAMES) else "data"
        put(Step(Point(frame, file, ts), side == 0, name, octets, count))
    _name_messages(attempt, steps)
    if attempt.request is not None and attempt.upstream_acked_point is not None:
        acked = attempt.upstream_acked_point
        if acked.frame > attempt.request.last.frame and not any(frame == acked.frame for frame, _ in steps):
            put(Step(acked, False, "ack"))
    if attempt.handshake.syns and attempt.request is None:
        for point in attempt.handshake.syns:
            put(Step(point, True, "syn"))
    ordered = sorted(steps.values(), key=lambda step: (step.point.time_ns, step.point.frame))
    return tuple(ordered)


def _name_messages(attempt: Attempt, steps: dict[tuple[int, str], Step]) -> None:
    request, response = attempt.request, attempt.response
    if request is not None:
        line = f"{request.method} {request.target}" if request.http else ""
        old = steps.pop((request.first.frame, "data"), None)
        octets, count = (old.octets, old.count) if old else (request.end - request.start, 1)
        steps[(request.first.frame, "request")] = Step(request.first, True, "request", octets, count, line)
    for status, point in attempt.interim:
        steps.pop((point.frame, "data"), None)
        steps[(point.frame, "interim")] = Step(point, False, "interim", note=str(status))
    if response is not None:
        old = steps.pop((response.first.frame, "data"), None)
        note = str(response.status) if response.status else ""
        steps[(response.first.frame, "response")] = Step(
            response.first, False, "response", old.octets if old else 0, old.count if old else 1, note
        )
        if response.last.frame != response.first.frame and (response.last.frame, "data") not in steps:
            steps[(response.last.frame, "data")] = Step(response.last, False, "data")
