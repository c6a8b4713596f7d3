"""The table at the end: what each upstream did."""

from __future__ import annotations

from wire502.model.verdict import OutageRef, UpstreamSummary
from wire502.report._clock import Clock
from wire502.report._layout import Line, Span, cells, wrap
from wire502.report._words import count, duration, milliseconds
from wire502.report.plain import plain

_HEADS = ("attempts", "failed", "p50", "p99", "p50", "p99", "resent")
_WIDTHS = (10, 8, 8, 7, 9, 8, 8)
_LEAST_IDLE_S = 0.1  # less is no idle time-out, but a close after the answer
_MOST = 20  # a scan of a network must not become a page of rows


def upstream_table(upstreams: list[UpstreamSummary], width: int, clock: Clock) -> list[Line]:
    """Return the table, the upstreams with most failures first; nothing when there are none."""
    if not upstreams:
        return []
    rows = sorted(upstreams, key=lambda row: (-row.failures, -row.attempts))[:_MOST]
    room = max(width - 2 - sum(_WIDTHS), 10)
    room = min(room, max(20, *(cells(plain(row.upstream)) for row in rows)))
    before = 2 + room + sum(_WIDTHS[:2])
    groups = f"{'':{before}}{'connect ms':>{sum(_WIDTHS[2:4])}}{'first byte ms':>{sum(_WIDTHS[4:6])}}"
    lines: list[Line] = [
        [Span(groups, "dim")],
        [Span(f"  {'upstream':<{room}}{''.join(map(str.rjust, _HEADS, _WIDTHS))}", "dim")],
    ]
    for row in rows:
        lines += _row(row, room)
    if left := len(upstreams) - len(rows):
        lines.append([Span(f"  and {count(left, 'more upstream')}", "dim")])
    lines += [
        [Span(f"  {row.upstream} closes idle connections after {duration(row.idle_close_s)}", "dim")]
        for row in rows
        if row.idle_close_s is not None and row.idle_close_s >= _LEAST_IDLE_S
    ]
    outages = [(row, outage) for row in rows for outage in row.outages]
    for row, outage in outages[:_MOST]:
        text = f"{row.upstream} out {_when(outage, clock)}, {count(outage.failures, 'failure')}"
        lines += [[Span(f"  {part}")] for part in wrap(text, width - 2)]
    if left := len(outages) - _MOST:
        lines += [[Span(f"  and {count(left, 'more such time')}", "dim")]] if left > 0 else []
    return lines


def _when(outage: OutageRef, clock: Clock) -> str:
    begin = clock.of_day(outage.time)[:12]
    if outage.until_time is None or outage.seconds is None:
        return f"from {begin} to the end"
    return f"from {begin} to {clock.of_day(outage.until_time)[:12]} ({duration(outage.seconds)})"


def _row(row: UpstreamSummary, room: int) -> list[Line]:
    name = plain(row.upstream)
    values = (
        f"{row.attempts:,}",
        f"{row.failures:,}",
        *map(milliseconds, (row.connect_ms.p50, row.connect_ms.p99, row.first_byte_ms.p50, row.first_byte_ms.p99)),
        f"{row.retransmissions:,}",
    )
    texts = list(map(str.rjust, values, _WIDTHS))
    numbers = [
        Span(texts[0]),
        Span(texts[1], "bad" if row.failures else ""),
        Span("".join(texts[2:])),
    ]
    if cells(name) <= room:
        return [[Span(f"  {name}{' ' * (room - cells(name))}"), *numbers]]
    return [[Span(f"  {name}")], [Span(" " * (2 + room)), *numbers]]
