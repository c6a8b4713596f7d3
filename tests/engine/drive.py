"""A whole analysis of frames that a test wrote, without a file."""

from __future__ import annotations

from typing import Any

from tests.tcp.watch import batches
from tests.wire import Wire
from wire502.engine import Engine
from wire502.model.context import Context
from wire502.model.verdict import Failure, Result, Summary


def judged(wire: Wire, context: Context | None = None, *, grid: float = 0.0, **options: Any) -> list[Result]:
    """Return all results, the summary last; with *grid*, time also passes in steps of so many seconds between batches.

    The *options* are those of ``batches``.
    """
    portions = batches(wire.frames, **options)
    engine = Engine(context or Context(), list(portions[0].interfaces) if portions else [])
    found: list[Result] = []
    for batch in portions:
        found += engine.feed(batch)
        if grid:
            found += engine.tick(engine._connections.now)
    return [*found, *engine.finish()]


def failures(wire: Wire, context: Context | None = None, **options: Any) -> list[Failure]:
    """Return the failures alone."""
    return [result for result in judged(wire, context, **options) if isinstance(result, Failure)]


def told(wire: Wire, context: Context | None = None, **options: Any) -> list[tuple[str, int]]:
    """Return kind and frame of each failure."""
    return [(failure.kind, failure.frame) for failure in failures(wire, context, **options)]


def summary_of(wire: Wire, context: Context | None = None, **options: Any) -> Summary:
    """Return the summary."""
    last = judged(wire, context, **options)[-1]
    assert isinstance(last, Summary)
    return last
