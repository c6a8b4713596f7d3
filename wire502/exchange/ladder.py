"""The rungs that a report shows: the connection's remembered frames, named by what the exchange says of them."""

from __future__ import annotations

from wire502.model.attempt import Attempt, Point, Step
from wire502.model.flow_cy import STEP_NAMES, Connection

Steps = dict[tuple[tuple[int, ...], str], Step]  # by frame and file, and by what it is


def ladder(conn: Connection, attempt: Attempt) -> tuple[Step, ...]:
    """Return the steps of *attempt* in the order of the capture, from its request (or its SYN) on."""
    file = conn.file
    steps: Steps = {}
    begin = Point(conn.first_frame, file, conn.first_ts)
    first_known = attempt.request.first if attempt.request is not None else begin
    for closing in (attempt.upstream_fin, attempt.upstream_rst):
        if closing is not None:
            first_known = closing.point if closing.point.before(first_known) else first_known

    def put(step: Step) -> None:
        steps.setdefault((step.point[:2], step.what), step)

    for frame, ts, what, side, count, octets in conn.steps():
        point = Point(frame, file, ts)
        if point.before(first_known):
            continue
        name = STEP_NAMES[what] if what < len(STEP_NAMES) else "data"
        put(Step(point, side == 0, name, octets, count))
    _name_messages(attempt, steps)
    if attempt.request is not None and attempt.upstream_acked_point is not None:
        acked = attempt.upstream_acked_point
        if attempt.request.last.before(acked) and not any(place == acked[:2] for place, _ in steps):
            put(Step(acked, False, "ack"))
    if attempt.handshake.syns and attempt.request is None:
        for point in attempt.handshake.syns:
            put(Step(point, True, "syn"))
    ordered = sorted(steps.values(), key=lambda step: (step.point.time_ns, step.point.frame))
    return tuple(ordered)


def _name_messages(attempt: Attempt, steps: Steps) -> None:
    request, response = attempt.request, attempt.response
    if request is not None:
        line = f"{request.method} {request.target}" if request.http else ""
        old = steps.pop((request.first[:2], "data"), None)
        octets, count = (old.octets, old.count) if old else (request.end - request.start, 1)
        steps[(request.first[:2], "request")] = Step(request.first, True, "request", octets, count, line)
    for status, point in attempt.interim:
        steps.pop((point[:2], "data"), None)
        steps[(point[:2], "interim")] = Step(point, False, "interim", note=str(status))
    if response is not None:
        old = steps.pop((response.first[:2], "data"), None)
        note = str(response.status) if response.status else ""
        steps[(response.first[:2], "response")] = Step(
            response.first, False, "response", old.octets if old else 0, old.count if old else 1, note
        )
        if response.last[:2] != response.first[:2] and (response.last[:2], "data") not in steps:
            steps[(response.last[:2], "data")] = Step(response.last, False, "data")
