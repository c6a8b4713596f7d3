"""The causes: one file each, found by looking into this folder; asked after the kinds, for failures only.

A cause is a module whose docstring is the page of ``wire502 explain CAUSE`` and that has ``NAME``, ``CLASS`` (one of
``CLASSES``), ``TITLE`` (a short phrase), ``KINDS`` (of failures that it may explain: it is asked for no other),
``YIELDS_TO`` (causes that say the same more exactly: where one of them is as
sure, this one is not named), ``AT_FAULT`` (who is at fault where this cause is at least of medium confidence; None:
the default table stands) and ``find(attempt, finding, surroundings)``. Modules whose names begin with an underscore
hold what several share.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType

from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.records import record
from wire502.model.verdict import CONFIDENCES, AtFault, Cause, Failure

CLASSES = ("overload", "network", "configuration", "downtime", "intermediary", "application", "client")
MOST = 3  # causes that a verdict names: more would be no answer


@record(frozen=True)
class Rule:
    """One cause, as its module says it."""

    name: str
    title: str
    class_: str
    kinds: frozenset[str]
    yields_to: frozenset[str]
    at_fault: AtFault | None
    doc: str
    find: Callable[[Attempt, Finding, Surroundings], Cause | None]

    @property
    def page(self) -> str:
        """Return what ``wire502 explain`` says of it."""
        from inspect import cleandoc  # takes long to load

        return cleandoc(self.doc)


def cause_names() -> tuple[str, ...]:
    """Return the names of all causes in alphabetical order, without loading them."""
    files = os.listdir(__path__[0])  # noqa: PTH208 - pathlib and pkgutil take longer to load than all that is here
    return tuple(sorted(name.removesuffix(".py") for name in files if name.endswith(".py") and name[0] != "_"))


@functools.cache
def all_causes() -> Mapping[str, Rule]:
    """Return every cause by its name, in the order of ``CLASSES``, then of the alphabet."""
    found = [_load(name) for name in cause_names()]
    found.sort(key=lambda rule: (CLASSES.index(rule.class_), rule.name))
    return MappingProxyType({rule.name: rule for rule in found})


@functools.cache
def causes_of(kind: str) -> tuple[Rule, ...]:
    """Return the causes that may explain a *kind* of failure, in the order of ``all_causes``."""
    return tuple(rule for rule in all_causes().values() if kind in rule.kinds)


def page(name: str) -> str:
    """Return the page of the cause *name* as text. Raises ``KeyError`` for a name that is no cause."""
    return all_causes()[name].page


def find_causes(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> list[Cause]:
    """Return why it happened, as far as the capture tells: the surest first, at most ``MOST``."""
    found = {}
    for rule in causes_of(finding.kind):
        cause = rule.find(attempt, finding, surroundings)
        if cause is not None:
            found[rule.name] = cause
    rules = all_causes()
    kept = [cause for cause in found.values() if not _outdone(cause, rules[cause.name], found)]
    kept.sort(key=lambda cause: -CONFIDENCES.index(cause.confidence))
    return kept[:MOST]


def overriding(causes: list[Cause], finding: Finding, default: AtFault) -> tuple[AtFault, str]:
    """Return who is at fault with these *causes*, and the name of the cause that says so (empty: the default does).

    A kind that knows better than the default table is not overruled.
    """
    rules = all_causes()
    if finding.at_fault is not None:
        return default, ""
    for cause in causes:
        at_fault = rules[cause.name].at_fault
        if at_fault is not None and cause.confidence != "low":
            return (at_fault, cause.name) if at_fault != default else (default, "")
    return default, ""


def explain(failure: Failure, attempt: Attempt, finding: Finding, surroundings: Surroundings) -> None:
    """Write into *failure* why it happened, and who is at fault where a cause knows better than the kind."""
    failure.causes = find_causes(attempt, finding, surroundings)
    at_fault, name = overriding(failure.causes, finding, failure.at_fault)
    if name:
        failure.caveats.append(
            f"{name} puts the {at_fault} at fault; by its kind alone it would be: {failure.at_fault}"
        )
        failure.at_fault = at_fault


def _outdone(cause: Cause, rule: Rule, found: Mapping[str, Cause]) -> bool:
    """Whether a more exact cause is as sure as this one, or at least of medium confidence."""
    rivals = [found[name] for name in rule.yields_to if name in found]
    sure = min(CONFIDENCES.index(cause.confidence), CONFIDENCES.index("medium"))
    return any(CONFIDENCES.index(rival.confidence) >= sure for rival in rivals)


def _load(name: str) -> Rule:
    module = import_module(f"{__name__}.{name}")
    if name != module.NAME:
        raise ImportError(f"causes/{name}.py says that its NAME is {module.NAME}", name=module.__name__)
    yields_to = frozenset(module.YIELDS_TO)
    return Rule(
        name, module.TITLE, module.CLASS, module.KINDS, yields_to, module.AT_FAULT, module.__doc__ or "", module.find
    )
