"""The fields of a new record, set one by one from the arguments of its constructor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython


def fill(
    record: object,
    names: tuple[str, ...],
    usual: tuple[Any, ...],
    factories: tuple[Callable[[], Any] | None, ...],
    missing: object,
    values: tuple[Any, ...],
    named: dict[str, Any],
    frozen: bool,
) -> bool:
    """Set the fields *names* of *record* from arguments by place and by name; the others as *usual*.

    Instead of a usual value there may be one of *factories*, which makes it, or *missing*: then it must be given.
    Returns False, with some fields set or none, for arguments that a function of these parameters would refuse.
    """
    at: cython.Py_ssize_t
    given: cython.Py_ssize_t = len(values)
    left: cython.Py_ssize_t = len(named)
    fixed: cython.bint = frozen
    if given > len(names):
        return False
    for at in range(len(names)):
        name = names[at]
        factory = factories[at]
        if at < given:
            value = values[at]
        elif left > 0 and name in named:
            value = named[name]
            left -= 1
        elif factory is not None:
            value = factory()
        else:
            value = usual[at]
            if value is missing:
                return False
        if fixed:
            object.__setattr__(record, name, value)
        else:
            setattr(record, name, value)
    return bool(left == 0)  # else one is unknown, or given twice
