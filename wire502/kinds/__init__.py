"""The failure kinds: one file each, found by looking into this folder.

A kind is a module whose docstring is the page of ``wire502 explain KIND`` and that has ``NAME``, ``TITLE`` (a short
phrase), ``GROUP`` (one of ``GROUPS``), ``REFINES`` (the kinds that it is finer than at the same frame) and
``failure_point(attempt, context)``; and where it has nothing to say without certain signs, these in ``NEEDS``
(``_signs`` has their names). Modules whose names begin with an underscore hold what several kinds share.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType

from wire502.kinds._connecting import nobody_asked
from wire502.kinds._phases import order, request_unseen
from wire502.kinds._sight import blind, finished, lost_on_wire, seen_end
from wire502.kinds._signs import bits, signs
from wire502.kinds._violations import tolerated
from wire502.kinds._waits import gateway_owes, pause
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding
from wire502.model.records import record

__all__ = [
    "GROUPS",
    "Kind",
    "all_kinds",
    "asked_of",
    "blind",
    "finished",
    "gateway_owes",
    "kind_names",
    "lost_on_wire",
    "nobody_asked",
    "order",
    "page",
    "pause",
    "request_unseen",
    "seen_end",
    "tolerated",
]

GROUPS = ("connect", "handshake", "request", "response", "gateway")


@record(frozen=True)
class Kind:
    """One failure kind, as its module says it."""

    name: str
    title: str
    group: str
    refines: frozenset[str]
    needs: int
    doc: str
    failure_point: Callable[[Attempt, Context], Finding | None]

    @property
    def page(self) -> str:
        """Return what ``wire502 explain`` says of it."""
        from inspect import cleandoc  # takes long to load

        return cleandoc(self.doc)


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds in alphabetical order, without loading them."""
    files = os.listdir(__path__[0])  # noqa: PTH208 - pathlib and pkgutil take longer to load than all that is here
    return tuple(sorted(name.removesuffix(".py") for name in files if name.endswith(".py") and name[0] != "_"))


@functools.cache
def all_kinds() -> Mapping[str, Kind]:
    """Return every kind by its name, in the order of ``GROUPS``, then of the alphabet."""
    found = [_load(name) for name in kind_names()]
    found.sort(key=lambda kind: (GROUPS.index(kind.group), kind.name))
    return MappingProxyType({kind.name: kind for kind in found})


def asked_of(attempt: Attempt, context: Context) -> tuple[Kind, ...]:
    """Return the kinds that may find something in *attempt*, in the order of ``all_kinds``."""
    return _with(signs(attempt, context))


@functools.cache
def _with(shown: int) -> tuple[Kind, ...]:
    return tuple(kind for kind in all_kinds().values() if kind.needs & shown == kind.needs)


def page(name: str) -> str:
    """Return the page of the kind *name* as text. Raises ``KeyError`` for a name that is no kind."""
    return all_kinds()[name].page


def _load(name: str) -> Kind:
    module = import_module(f"{__name__}.{name}")
    if name != module.NAME:
        raise ImportError(f"kinds/{name}.py says that its NAME is {module.NAME}", name=module.__name__)
    refines, needs = frozenset(module.REFINES), bits(getattr(module, "NEEDS", ()))
    return Kind(name, module.TITLE, module.GROUP, refines, needs, module.__doc__ or "", module.failure_point)
