"""No-op stand-in for ``import cython``, so that every ``*_cy.py`` also runs where Cython is not installed.

The annotations in those files are never evaluated (``from __future__ import annotations``), so only what is
called or used as a decorator at run time has to exist here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

compiled = False


def _same(thing: T) -> T:
    return thing


def _decorator(*_args: Any, **_options: Any) -> Callable[[T], T]:
    return _same


cclass = cfunc = ccall = inline = final = nogil = no_gc = _same
locals = returns = exceptval = boundscheck = wraparound = cdivision = freelist = _decorator  # noqa: A001


def cast(_type: Any, value: T, **_options: Any) -> T:
    """Return *value*: an uncompiled cast changes nothing."""
    return value


def declare(_type: Any = None, value: Any = None, **_options: Any) -> Any:
    """Return *value*: an uncompiled declaration declares nothing."""
    return value
