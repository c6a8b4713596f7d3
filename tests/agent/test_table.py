"""What stands on the terminal while a live run goes on."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from wire502.agent.counters import State
from wire502.agent.table import LATEST, LiveTable
from wire502.api import Result, read
from wire502.model.verdict import Failure, Percentiles, Summary, UpstreamSummary
from wire502.report.text import Clock

rich_console = pytest.importorskip("rich.console")
CAPTURE = "captures/reset-before-response.pcapng"


def drawn(table: LiveTable, width: int = 100) -> str:
    """Return the picture as text of so many columns."""
    out = io.StringIO()
    rich_console.Console(file=out, width=width).print(table.drawn())
    return out.getvalue()


@pytest.fixture
def results() -> list[Result]:
    """What a capture with one failure gives."""
    return list(read(CAPTURE))


def table(upstreams: list[UpstreamSummary] | None = None, **counts: int) -> LiveTable:
    """Return a table over fixed figures."""
    state = State(exchanges=1234, connections=5, failures={"connect_refused": 2}, **counts)
    return LiveTable(lambda: state, lambda most: (upstreams or [])[:most], Clock())


def test_figures_and_the_latest_failures_are_shown(results: list[Result]) -> None:
    """Counters, a row for each upstream, and what failed last."""
    made = table([next(one for one in results if isinstance(one, Summary)).upstreams[0]])
    made.results(results)
    text = drawn(made)
    assert "1,234 exchanges on 5 open connections, 2 failures" in text
    assert "10.2.0.2:8080" in text
    assert "rst_before_response" in text
    assert "lost" not in text


def test_a_narrow_terminal_cuts_no_time(results: list[Result]) -> None:
    """On 80 columns, and fewer, the end of a long text goes, not when it was."""
    failure = next(one for one in results if isinstance(one, Failure))
    made = table()
    made.results([replace(failure, summary="so long " * 20)])
    moment = Clock().of_day(failure.time)
    for width in (80, 50):
        lines = drawn(made, width).splitlines()
        assert f"✗ {moment} rst_before" in next(line for line in lines if "rst_before" in line).replace("  ", " ")
        assert max(map(len, lines)) <= width


def test_losses_stand_on_top() -> None:
    """Packets that were not seen are never hidden."""
    assert "7 packets lost" in drawn(table(dropped=4, interface_dropped=3)).splitlines()[0]


def test_it_stays_small(results: list[Result]) -> None:
    """However much fails, the picture has an end, and the latest stands first."""
    failure = next(one for one in results if isinstance(one, Failure))
    made = table([UpstreamSummary(f"10.0.0.{n}:80", 1, 0, *[Percentiles(None, None)] * 2, 0, None) for n in range(200)])
    made.results([replace(failure, summary=f"number {n}.") for n in range(50)])
    lines = drawn(made).splitlines()
    assert len(lines) < 40
    assert sum("number" in line for line in lines) == LATEST
    assert next(line for line in lines if "number" in line).rstrip().endswith("number 49.")


def test_text_of_the_wire_gives_no_orders(results: list[Result]) -> None:
    """Markup and escapes in a target are shown, not obeyed; values of queries are masked."""
    failure = next(one for one in results if isinstance(one, Failure))
    made = table()
    made.results([replace(failure, summary="GET /[red]x\x1b[2J?token=secret failed.")])
    text = drawn(made)
    assert "[red]x" in text
    assert "\x1b" not in text
    assert "secret" not in text


def test_the_screen_is_given_back_for_the_summary(results: list[Result]) -> None:
    """When the summary comes, who prints it finds the terminal as it was."""
    out = io.StringIO()
    console = rich_console.Console(file=out, width=100, force_terminal=True, color_system=None, legacy_windows=False)
    made = LiveTable(State, lambda _most: [], Clock(), console)
    made.start()
    made.beat(1.0)
    made.results([one for one in results if isinstance(one, Summary)])
    assert out.getvalue().rstrip().endswith(("\x1b[?1049l\x1b[?25h", "\x1b[?25h\x1b[?1049l", "\x1b[?1049l"))
    made.close()
