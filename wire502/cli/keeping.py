"""Keeps the results of a reading for the bundle that ``read --report`` writes at its end. No command itself."""

from __future__ import annotations

from collections.abc import Callable

import click

from wire502.api import Failure, Incident, Reading, Result, Summary, Update
from wire502.cli.bundling import Report, folder_for
from wire502.cli.evidence import no_pipe, reading_options
from wire502.cli.terminal import say


class Keeper:
    """Sees every result of a reading, and which of them were printed."""

    def __init__(
        self,
        output: str,
        captures: tuple[str, ...],
        upstream: tuple[str, ...],
        gateway: str | None,
        settings: tuple[str, ...],
        *,
        follow: bool,
    ) -> None:
        no_pipe(captures)
        if follow:
            raise click.UsageError("--report needs a capture that has an end; it cannot go with --follow")
        self._folder = folder_for(output)
        self._captures = captures
        self._options = reading_options(upstream, gateway, settings, redacted=True)
        self._seen: list[Result] = []
        self._printed: list[Result] = []

    def see(self, result: Result) -> None:
        """Keep a result, whatever the filter."""
        if isinstance(result, Failure | Incident | Update | Summary):
            self._seen.append(result)

    def keeping(self, write: Callable[[Result], str]) -> Callable[[Result], str]:
        """Return *write* so that what passes through it is kept as printed."""

        def kept(result: Result) -> str:
            if isinstance(result, Failure | Incident | Update | Summary):
                self._printed.append(result)
            return write(result)

        return kept

    def write(self, reading: Reading) -> None:
        """Write the bundle for what was printed. Raises the error of an input that could not be read."""
        from wire502.evidence import Findings

        if reading.unreadable:  # the second look needs every one of them
            raise reading.unreadable[0]
        everything, printed = Findings.of(self._seen), Findings.of(self._printed)
        report = Report(self._captures, everything, self._options, reading.precision, printed)
        say(report.write(self._folder))
