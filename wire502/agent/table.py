"""A table on a terminal that is drawn anew twice a second: upstreams, the worst first, and the latest failures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wire502.agent.counters import State
from wire502.agent.parts import Part
from wire502.api import Failure, Incident, Result, Summary
from wire502.model.text import redact_text
from wire502.model.verdict import QUIET_KINDS, UpstreamSummary
from wire502.report.plain import plain
from wire502.report.text import Clock

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

EVERY_S = 0.5
UPSTREAMS = 12
LATEST = 10


class LiveTable(Part):
    """Draws what *state* and *upstreams* give on *console* (None: standard output) until it is closed."""

    def __init__(
        self,
        state: Callable[[], State],
        upstreams: Callable[[int], Sequence[UpstreamSummary]],
        clock: Clock,
        console: Console | None = None,
    ) -> None:
        self._state = state
        self._upstreams = upstreams
        self._clock = clock
        self._console = console
        import rich.live  # now: once rights are given up nothing may be readable
        import rich.table  # noqa: F401

        self._latest: deque[tuple[str, str, str]] = deque(maxlen=LATEST)
        self._live: Live | None = None
        self._next = 0.0

    def start(self) -> None:
        """Take the screen."""
        from rich.live import Live

        self._live = Live(console=self._console, auto_refresh=False, screen=True)
        self._live.start()

    def results(self, results: Sequence[Result]) -> None:
        """Keep the latest; with the summary, give the screen back to those who print it."""
        for result in results:
            if isinstance(result, Failure):
                mark = "~" if result.masked else "·" if result.kind in QUIET_KINDS else "✗"
                self._latest.appendleft((mark, self._clock.of_day(result.time), f"{result.kind}  {result.summary}"))
            elif isinstance(result, Incident):
                got = result.client_status or result.outcome
                self._latest.appendleft(("✗", self._clock.of_day(result.time), f"{got} to {result.client}"))
            elif isinstance(result, Summary):
                self.close()

    def beat(self, now: float) -> None:
        """Draw, when it is time."""
        if self._live is not None and now >= self._next:
            self._next = now + EVERY_S
            self._live.update(self.drawn(), refresh=True)

    def close(self) -> None:
        """Give the screen back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def drawn(self) -> Group:
        """Return the picture as it is now."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        state = self._state()
        failures = sum(state.failures.values())
        lost = state.dropped + state.interface_dropped
        head = Text(
            f"{state.exchanges:,} exchanges on {state.connections:,} open connections, {failures:,} failures"
            f"{f', {lost:,} packets lost' if lost else ''}",
            "bold red" if lost else "bold",
        )
        table = Table(box=None, pad_edge=False, expand=False)
        for name in ("upstream", "attempts", "failed", "p50 ms", "p99 ms", "resent"):
            table.add_column(name, justify="left" if name == "upstream" else "right", header_style="dim")
        for one in self._upstreams(UPSTREAMS):
            table.add_row(
                Text(plain(one.upstream)),
                f"{one.attempts:,}",
                Text(f"{one.failures:,}", "red" if one.failures else "green"),
                _number(one.first_byte_ms.p50),
                _number(one.first_byte_ms.p99),
                f"{one.retransmissions:,}",
            )
        latest = Table(box=None, pad_edge=False, show_header=False)
        latest.add_column(no_wrap=True)
        latest.add_column(no_wrap=True, style="dim")
        latest.add_column(ratio=1)  # may wrap, its texts do not: so it is this one that a narrow terminal cuts
        for mark, moment, text in self._latest:
            told = Text(plain(redact_text(text)), no_wrap=True, overflow="ellipsis")
            latest.add_row(Text(mark, "red" if mark == "✗" else "dim"), moment, told)
        return Group(head, "", table, "", latest)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
