"""From a result to what is printed: JSON, text, masked or not; ``read`` and ``live`` choose among them."""

from __future__ import annotations

from collections.abc import Callable

import click

from wire502.api import Open, Reading, Result, Summary
from wire502.cli.terminal import ascii_only, wants_color, width

Writer = Callable[[Result], str]


def json_writer(reading: Reading) -> Callable[[Result], str]:
    """Return what writes a result as one line of JSON."""
    from wire502.report.json import line

    return lambda result: f"{line(result, precision=reading.precision)}\n"


def text_writer(reading: Reading, everything: bool, quiet: bool, local: bool, color: str) -> Callable[[Result], str]:
    """Return what writes a result for people; "" for what is not printed, or later."""
    from wire502.report.story import Story
    from wire502.report.text import TextReport

    report = TextReport(
        inputs=reading.inputs,
        width=width(),
        color=wants_color(color),
        ascii_only=ascii_only(),
        local=local,
        everything=everything,
    )

    story = Story(report, everything=everything)

    def write(result: Result) -> str:
        if isinstance(result, Summary):
            return story.ending() + ("" if quiet else report.closing(result))
        return "" if quiet and isinstance(result, Open) else story.tell(result)

    return write


def redacting(write: Callable[[Result], str]) -> Callable[[Result], str]:
    """Return *write* with query values masked."""
    from wire502.report.redact import redact

    return lambda result: write(redact(result))


def check_gateway(gateway: str) -> None:
    """Raise a usage error for a gateway that has no table."""
    from wire502.gateways import names

    name = gateway.partition(":")[0]
    if name not in names():
        raise click.UsageError(f"no gateway is called {name!r}; known are: {', '.join(names())}")
