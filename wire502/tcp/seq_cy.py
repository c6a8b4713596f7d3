"""Sequence number arithmetic (RFC 9293 section 3.4, RFC 1982): numbers wrap at 2^32, distances are signed."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def apart(later: cython.uint, earlier: cython.uint) -> cython.longlong:
    """Return how far *later* stands behind *earlier*, between -2^31 and 2^31 - 1."""
    result: cython.longlong
    if cython.compiled:
        result = cython.cast(cython.int, later - earlier)
    else:
        result = ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return result


def distance(later: int, earlier: int) -> int:
    """Return ``apart`` for callers in plain Python."""
    return int(apart(later, earlier))


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
