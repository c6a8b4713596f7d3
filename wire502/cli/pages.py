"""Kinds of failure and causes as the command line lists and explains them: found in folders, imported late."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from types import ModuleType

import click

from wire502 import kinds
from wire502.settings import near_miss


def kind_names() -> list[str]:
    """Return the names of all kinds."""
    return sorted(module.name for module in iter_modules(kinds.__path__) if not module.name.startswith("_"))


def page(name: str) -> str:
    """Return the page of a kind or a cause; a usage error, with what was meant, if there is no such name."""
    from inspect import cleandoc

    from wire502.api import causes

    proper = name.strip().lower().replace("-", "_")
    if proper in causes():
        rule = causes()[proper]
        return f"{rule.page}\n\n{_links('Explains', rule.kinds)}"
    if proper not in kind_names():
        meant = near_miss(proper, [*kind_names(), *causes()])
        raise click.UsageError(f"there is no kind {name!r}, and no such cause{meant}; see: wire502 kinds")
    text = cleandoc(kind_module(proper).__doc__ or "This kind has no page.")
    behind = [rule.name for rule in causes().values() if proper in rule.kinds]
    return f"{text}\n\n{_links('May be caused by', behind)}" if behind else text


def _links(title: str, names: Iterable[str]) -> str:
    """Return a last paragraph that names other pages."""
    text = ", ".join(sorted(names))
    return f"{title} (a page each)\n{fill(text, 76, initial_indent='    ', subsequent_indent='    ')}"


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
