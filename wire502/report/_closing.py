"""The last lines of a report: what was read, what was found, what to doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wire502.model.verdict import Failure, Summary
from wire502.report._clock import SECOND_NS, Clock, rfc3339
from wire502.report._layout import Line, Span, Style, wrap
from wire502.report._words import Frames, count, duration


def closing_lines(summary: Summary, frames: Frames, clock: Clock, width: int) -> Iterator[Line]:
    """Yield the verdict on the whole capture in one sentence, and under it which capture and when that was."""
    failed = sum(summary.failures.values())
    style: Style
    mark, style = ("✗ ", "bad") if failed else ("✓ ", "good")
    if not summary.exchanges and not failed:
        mark, style = "· ", ""  # nothing was judged, so nothing was well
    for number, part in enumerate(wrap(f"{_looked_at(summary)}: {_found(summary, failed)}", width - 2)):
        yield [Span("  " if number else mark, style), Span(part, "bold")]
    names = ", ".join(frames.names or summary.inputs)
    for part in wrap(f"{names}: {_when(summary, clock)}", width - 2):
        yield [Span(f"  {part}", "dim")]


def _looked_at(summary: Summary) -> str:
    return ", ".join(
        [
            count(summary.frames, "frame"),
            count(summary.connections, "connection") if summary.connections else "no TCP connection",
            count(summary.exchanges, "exchange") if summary.exchanges else "no HTTP exchange",
        ]
    )


def _found(summary: Summary, failed: int) -> str:
    if not summary.connections and not failed:
        return "nothing to judge"
    found = [count(failed, "failure") if failed else "no failure"]
    if failed > 1:
        kinds = sorted(summary.failures.items(), key=lambda item: (-item[1], item[0]))
        found[0] += f" ({', '.join(f'{number:,} {kind}' for kind, number in kinds)})"
    if summary.masked:
        found.append(f"{summary.masked:,} masked by a retry")
    if summary.aborts:
        found.append(f"{summary.aborts:,} ended by the gateway or its client")
    if summary.open:
        found.append(f"{summary.open:,} open")
    if (hidden := failed + summary.masked + summary.aborts - summary.shown) > 0:
        found.append(f"{hidden:,} not shown")
    return ", ".join(found)


def _when(summary: Summary, clock: Clock) -> str:
    if summary.first_time is None or summary.last_time is None:
        return "no frame in it"
    first, last = summary.first_time, summary.last_time
    if first == last:
        return f"{clock.day(first)} {clock.of_day(first)[:8]} {clock.zone}"
    day, other = clock.day(first), clock.day(last)
    end = clock.of_day(last)[:8] if day == other else f"{other} {clock.of_day(last)[:8]}"
    took = duration(max(last - first, 0) / SECOND_NS)
    return f"{day} {clock.of_day(first)[:8]} to {end} {clock.zone}, {took}"


def doubts(summary: Summary) -> list[str]:
    """Return what weakens the findings, in words."""
    notes = list(summary.caveats)
    if summary.dropped:
        notes.append(f"the capture lost {count(summary.dropped, 'packet')} by its own account")
    if summary.gaps.capture:
        notes.append(f"frames are missing from the capture in {count(summary.gaps.capture, 'place')}")
    if summary.gaps.unknown:
        notes.append(f"{count(summary.gaps.unknown, 'gap')} lost on the wire or by the capture, nobody can tell which")
    if summary.evicted:
        notes.append(f"{count(summary.evicted, 'connection')} let go before the end to keep memory bounded")
    if not summary.exchanges and summary.connections:
        notes.append("no HTTP/1 request was seen: only connects and closes could be judged (TLS? another protocol?)")
    return notes


def unseen(failures: Sequence[Failure], summary: Summary | None) -> Iterator[str]:
    """Yield what could not be seen, in words: the ends of the capture, what it lost, a leg, what is encrypted."""
    if summary is not None:
        if summary.first_time is not None and summary.last_time is not None:
            yield (
                f"anything before {rfc3339(summary.first_time)} and after {rfc3339(summary.last_time)}: "
                "the capture begins and ends there"
            )
        yield from doubts(summary)
        if not summary.dropped:
            yield "the capture reports no lost packet; not every kind of capture would know"
        if summary.open:
            yield f"how {count(summary.open, 'attempt')} ended that the capture cut off"
    if failures and all(one.client is None for one in failures):
        yield "what clients got: only one side of the gateway is in the capture"
    yield "anything inside TLS, and anything that happened inside a process"
