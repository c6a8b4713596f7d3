"""Points out of compiled code: an attempt names dozens of them, most without a thought for how a class is called."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

from wire502.model.attempt import Point
from wire502.model.capture_info import STAMP

_STAMP = cython.declare(cython.longlong, STAMP)
_new = tuple.__new__  # past Point.__new__, which does in Python what is done here


@cython.cfunc
def point(frame: cython.longlong, file: cython.longlong, ts: cython.longlong) -> Point:
    """Return the point of *frame*; of one that bears the stamp of its file, *file* is not looked at."""
    if frame >= _STAMP:
        file = frame // _STAMP - 1
        frame = frame % _STAMP
    made: Point = _new(Point, (frame, file, ts))
    return made


@cython.cfunc
def seen(frame: cython.longlong, file: cython.longlong, ts: cython.longlong) -> Point | None:
    """Return the point of *frame*, None for frame 0: it was never seen."""
    return point(frame, file, ts) if frame else None


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
