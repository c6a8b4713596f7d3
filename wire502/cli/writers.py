"""From a result to what is printed: JSON, text, masked or not; ``read`` and ``live`` choose among them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wire502.api import Open, Reading, Result, Summary, Written
from wire502.cli.terminal import Progress, ascii_only, wants_color, width

if TYPE_CHECKING:
    from wire502.report.pen_cy import JsonPen

Writer = Callable[[Result], str]
Out = Callable[[Iterable[Result], Writer, Progress], None]
_ASCII_INSIDE = ("utf-8", "ascii", "us-ascii", "iso-8859-1", "ansi_x3.4-1968")  # codecs that write ASCII as it is


def json_writer(reading: Reading) -> Callable[[Result], str]:
    """Return what writes a result as one line of JSON."""
    from wire502.report.json import line

    return lambda result: f"{line(result, precision=reading.precision)}\n"


def json_pen() -> JsonPen | None:
    """Return what writes healthy exchanges at once as octets; None where that would not pay, or not be the same.

    Interpreted it is slower than ``json_writer``; and the octets of standard output have to be those of ASCII.
    """
    from wire502.report.pen_cy import JsonPen, is_compiled

    plain = hasattr(sys.stdout, "buffer") and (sys.stdout.encoding or "").lower() in _ASCII_INSIDE
    return JsonPen() if plain and is_compiled() else None


def put(results: Iterable[Result], write: Writer, progress: Progress) -> None:
    """Print *results* at once, since a line is of use as soon as it is final: the capture may be a pipe."""
    if whole := "".join(map(write, results)):
        progress.clear()
        sys.stdout.write(whole)
        sys.stdout.flush()


def put_octets(results: Iterable[Result | Written], write: Writer, progress: Progress) -> None:
    """Print *results*, of which a ``json_pen`` may have written some, at once."""
    texts = [result.text if isinstance(result, Written) else write(result).encode() for result in results]
    if texts:
        progress.clear()
        for text in texts:
            sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()


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
        import click

        raise click.UsageError(f"no gateway is called {name!r}; known are: {', '.join(names())}")
