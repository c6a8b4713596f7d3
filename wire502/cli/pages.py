"""The kinds of failure as the command line lists and explains them: found in the folder, imported when needed."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import click

from wire502 import kinds
from wire502.settings import near_miss


def kind_names() -> list[str]:
    """Return the names of all kinds."""
    return sorted(module.name for module in iter_modules(kinds.__path__) if not module.name.startswith("_"))


def kind_module(name: str) -> ModuleType:
    """Return the module of a kind: its page is the docstring, TITLE and GROUP say the rest."""
    return import_module(f"wire502.kinds.{known_kind(name)}")


def known_kind(name: str) -> str:
    """Return *name* in its proper spelling; a usage error, with what was meant, if there is no such kind."""
    names = kind_names()
    proper = name.strip().lower().replace("-", "_")
    if proper not in names:
        raise click.UsageError(f"there is no kind {name!r}{near_miss(proper, names)}; see: wire502 kinds")
    return proper
