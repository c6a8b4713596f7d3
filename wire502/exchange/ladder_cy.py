"""The rungs that a report shows: the connection's remembered frames, named by what the exchange says of them."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.exchange.points_cy import point
    from cython.cimports.wire502.model.flow_cy import Connection
else:
    from wire502.exchange.points_cy import point
    from wire502.model.flow_cy import Connection

from wire502.model.attempt import Attempt, Point, Step
from wire502.model.flow_cy import RING, STEP_NAMES

_RING = cython.declare(cython.int, RING)
_NAMES = cython.declare(cython.int, len(STEP_NAMES))

Steps = dict[tuple[int, int, str], Step]  # by frame and file, and by what it is


def ladder(conn: Connection, attempt: Attempt) -> tuple[Step, ...]:
    """Return the steps of *attempt* in the order of the capture, from its request (or its SYN) on."""
    steps: Steps = {}
    request = attempt.request
    begin = request.first if request is not None else point(conn.first_frame, conn.file, conn.first_ts)
    for closing in (attempt.upstream_fin, attempt.upstream_rst):
        if closing is not None and closing.point.before(begin):
            begin = closing.point
    _remembered(conn, begin, steps)
    _name_messages(attempt, steps)
    if request is not None and attempt.upstream_acked_point is not None:
        acked = attempt.upstream_acked_point
        if request.last.before(acked) and not _holds(steps, acked):
            _put(steps, Step(acked, False, "ack"))
    if request is None:
        for syn in attempt.handshake.syns:
            _put(steps, Step(syn, True, "syn"))
    found = list(steps.values())
    if len(found) > 1:
        found.sort(key=_order)
    return tuple(found)


@cython.cfunc
def _remembered(conn: Connection, begin: Point, steps: Steps) -> None:
    """Take the frames of the connection's ring that do not come before *begin*."""
    file: cython.longlong = begin.file
    frame: cython.longlong = begin.frame
    ts: cython.longlong = begin.time_ns
    row: cython.Py_ssize_t
    place: cython.int
    number: cython.int
    what: cython.int
    packed: cython.longlong
    here: cython.longlong
    there: cython.longlong
    for place in range(conn.ring_count):
        number = (conn.ring_next + _RING - conn.ring_count + place) % _RING
        row = 3 * number
        one = point(conn.ring[row], conn.file, conn.ring[row + 1])
        here = one.frame
        there = one.file
        if here < frame if there == file else conn.ring[row + 1] < ts:
            continue
        packed = conn.ring[row + 2]
        what = cython.cast(cython.int, packed & 0xFF)
        name = STEP_NAMES[what] if what < _NAMES else "data"
        _put(steps, Step(one, (packed >> 8) & 1 == 0, name, packed >> 32, (packed >> 9) & 0x7FFFFF))


@cython.cfunc
def _put(steps: Steps, step: Step) -> None:
    """Add a step; of the same frame the first one of a name stays."""
    at = step.point
    steps.setdefault((at.frame, at.file, step.what), step)


@cython.cfunc
def _holds(steps: Steps, at: Point) -> bool:
    """Whether there is any step at a frame."""
    for frame, file, _ in steps:
        if frame == at.frame and file == at.file:
            return True
    return False


def _order(step: Step) -> tuple[int, int]:
    return step.point.time_ns, step.point.frame


@cython.cfunc
def _name_messages(attempt: Attempt, steps: Steps) -> None:
    """Call requests and responses what they are, instead of data."""
    request, response = attempt.request, attempt.response
    if request is not None:
        at = request.first
        line = f"{request.method} {request.target}" if request.http else ""
        old = steps.pop((at.frame, at.file, "data"), None)
        octets, count = (old.octets, old.count) if old is not None else (request.end - request.start, 1)
        steps[(at.frame, at.file, "request")] = Step(at, True, "request", octets, count, line)
    for status, at in attempt.interim:
        steps.pop((at.frame, at.file, "data"), None)
        steps[(at.frame, at.file, "interim")] = Step(at, False, "interim", note=str(status))
    if response is not None:
        at, last = response.first, response.last
        old = steps.pop((at.frame, at.file, "data"), None)
        note = str(response.status) if response.status else ""
        octets, count = (old.octets, old.count) if old is not None else (0, 1)
        steps[(at.frame, at.file, "response")] = Step(at, False, "response", octets, count, note)
        if (last.frame, last.file) != (at.frame, at.file) and (last.frame, last.file, "data") not in steps:
            steps[(last.frame, last.file, "data")] = Step(last, False, "data")


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
