"""What the commands that write evidence share. No command itself."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wire502.cli.terminal import say
from wire502.errors import CaptureError
from wire502.settings import assignments

if TYPE_CHECKING:
    from wire502.evidence import Findings, Options
    from wire502.report.json import Precision


def no_pipe(captures: Sequence[str]) -> None:
    """Refuse inputs that can be read once only: evidence takes a second look."""
    for path in captures:
        if path == "-" or (Path(path).exists() and not stat.S_ISREG(Path(path).stat().st_mode)):
            raise click.UsageError(f"{path} cannot be read twice; save it to a file first")


def reading_options(
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
    *,
    redacted: bool,
    context: float = 0,
    ident: str | None = None,
) -> Options:
    """Return the options of the command line in one record."""
    from wire502.evidence import Options
    from wire502.gateways import names

    name = (gateway or "").partition(":")[0]
    if gateway is not None and name not in names():
        raise click.UsageError(f"no gateway is called {name!r}; known are: {', '.join(names())}")
    pairs = tuple(sorted((key, str(value)) for key, value in assignments(settings).items()))
    return Options(upstream, gateway, pairs, redacted, context, ident)


def findings(captures: Sequence[str], options: Options) -> tuple[Findings, Precision, int]:
    """Read *captures*; return what was found, the digits of its times and the exit status."""
    from wire502.api import read
    from wire502.evidence import Findings

    reading = read(*captures, upstream=options.upstream, gateway=options.gateway, settings=dict(options.settings))
    found = Findings.of(reading)
    if reading.unreadable:  # the second look needs every one of them
        raise reading.unreadable[0]
    for damage in reading.damage:
        say(str(CaptureError(damage.path, damage.offset, damage.reason, damage.way_out)))
    return found, reading.precision, 3 if reading.damage else 0


def shown(found: Findings, options: Options) -> Findings:
    """Return *found* as it may be written: without query values, unless that was asked for."""
    from wire502.evidence import Findings
    from wire502.report.redact import redact

    if not options.redacted:
        return found
    return Findings(
        [redact(one) for one in found.failures],
        [redact(one) for one in found.incidents],
        redact(found.summary) if found.summary else None,
    )
