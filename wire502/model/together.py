"""Summaries of captures that were read one by one, as one: every figure is what all frames together would give.

Percentiles come from the buckets that each summary carries, not from percentiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from wire502.model.verdict import Gaps, Percentiles, Summary, UpstreamSummary

_MOST_UPSTREAMS = 1024


def together(summaries: Sequence[Summary]) -> Summary:
    """Return one summary for *summaries*, all zero without any; inputs and caveats in their order."""
    first = [one.first_time for one in summaries if one.first_time is not None]
    last = [one.last_time for one in summaries if one.last_time is not None]
    several = len(summaries) > 1
    return Summary(
        inputs=[name for one in summaries for name in one.inputs],
        frames=sum(one.frames for one in summaries),
        bytes=sum(one.bytes for one in summaries),
        first_time=min(first, default=None),
        last_time=max(last, default=None),
        connections=sum(one.connections for one in summaries),
        exchanges=sum(one.exchanges for one in summaries),
        failures=_added(one.failures for one in summaries),
        masked=sum(one.masked for one in summaries),
        aborts=sum(one.aborts for one in summaries),
        open=sum(one.open for one in summaries),
        shown=sum(one.shown for one in summaries),
        client_502=sum(one.client_502 for one in summaries),
        explained_502=sum(one.explained_502 for one in summaries),
        incidents=_added(one.incidents for one in summaries),
        oddities=_added(one.oddities for one in summaries),
        duplicates=sum(one.duplicates for one in summaries),
        dropped=sum(one.dropped for one in summaries),
        evicted=sum(one.evicted for one in summaries),
        gaps=Gaps(
            sum(one.gaps.capture for one in summaries),
            sum(one.gaps.wire for one in summaries),
            sum(one.gaps.unknown for one in summaries),
        ),
        upstreams=_upstreams(summaries),
        caveats=[_of(one, caveat) if several else caveat for one in summaries for caveat in one.caveats],
    )


def _of(one: Summary, caveat: str) -> str:
    return caveat if any(name in caveat for name in one.inputs) else f"{', '.join(one.inputs)}: {caveat}"


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _upstreams(summaries: Sequence[Summary]) -> list[UpstreamSummary]:
    rows: dict[str, UpstreamSummary] = {}
    for one in summaries:
        for row in one.upstreams:
            known = rows.get(row.upstream)
            rows[row.upstream] = row if known is None else _one(known, row)
    return sorted(rows.values(), key=lambda row: (-row.failures, -row.attempts))[:_MOST_UPSTREAMS]


def _one(left: UpstreamSummary, right: UpstreamSummary) -> UpstreamSummary:
    buckets = {name: _both(left.buckets.get(name, []), right.buckets.get(name, [])) for name in left.buckets}
    connect, first_byte = buckets.get("connect", []), buckets.get("first_byte", [])
    idle = _percentile(buckets.get("idle", []), 0.5)
    return UpstreamSummary(
        upstream=left.upstream,
        attempts=left.attempts + right.attempts,
        failures=left.failures + right.failures,
        connect_ms=Percentiles(_percentile(connect, 0.5), _percentile(connect, 0.99)),
        first_byte_ms=Percentiles(_percentile(first_byte, 0.5), _percentile(first_byte, 0.99)),
        retransmissions=left.retransmissions + right.retransmissions,
        idle_close_s=None if idle is None else round(idle / 1000, 3),
        failures_by_kind=_added((left.failures_by_kind, right.failures_by_kind)),
        outages=sorted((*left.outages, *right.outages), key=lambda outage: (outage.time, outage.file)),
        buckets=buckets,
        pace=sorted((*left.pace, *right.pace)),
    )


def _both(left: list[tuple[float, int]], right: list[tuple[float, int]]) -> list[tuple[float, int]]:
    total: Counter[float] = Counter()
    for value, count in (*left, *right):
        total[value] += count
    return sorted(total.items())


def _percentile(buckets: list[tuple[float, int]], share: float) -> float | None:
    wanted = share * sum(count for _, count in buckets)
    seen = 0
    for value, count in buckets:
        seen += count
        if seen >= wanted:
            return value
    return None
