"""No-op stand-in for ``import cython``, so that every ``*_cy.py`` also runs where Cython is not installed.

The annotations in those files are never evaluated (``from __future__ import annotations``), so only what is
called, passed or used as a decorator at run time has to exist here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_INTEGERS = frozenset({"Py_ssize_t", "bint", "int", "longlong", "size_t", "uchar", "uint", "ulonglong", "ushort"})
_OTHERS = frozenset({"double", "p_const_uchar", "p_longlong", "p_uint", "p_ushort"})

compiled = False


def _same(thing: T) -> T:
    return thing


def _decorator(*_args: Any, **_options: Any) -> Callable[[T], T]:
    return _same


cclass = cfunc = ccall = inline = final = nogil = no_gc = _same
locals = returns = exceptval = boundscheck = wraparound = cdivision = freelist = _decorator  # noqa: A001


def cast(type_: Any, value: Any, **_options: Any) -> Any:
    """Return *value*, without its fraction where *type_* is one of integers; nothing is cut to the type's width."""
    return int(value) if type_ in _INTEGERS and isinstance(value, float) else value


def declare(_type: Any = None, value: Any = None, **_options: Any) -> Any:
    """Return *value*: an uncompiled declaration declares nothing."""
    return value


def give_slots(module: dict[str, Any], *names: str) -> None:
    """Give classes of an uncompiled *module* slots for what they annotate: more than 30 attributes are slow without.

    For classes that derive from ``object`` and whose methods do not call ``super``.
    """
    for name in names:
        plain = module[name]
        space = {key: value for key, value in vars(plain).items() if key not in ("__dict__", "__weakref__")}
        module[name] = type(name, (), {**space, "__slots__": tuple(plain.__annotations__)})


def __getattr__(name: str) -> str:
    """Return the stand-in of a C type, which is its name: types are passed to ``cast`` and ``declare`` only."""
    if name in _INTEGERS or name in _OTHERS:
        return name
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
