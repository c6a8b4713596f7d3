"""The figures of the summary line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from wire502.exchange.upstream_cy import GROWTH, Buckets, Upstream
from wire502.model.around import Outage
from wire502.model.attempt import Attempt
from wire502.model.endpoints import endpoint_text
from wire502.model.verdict import (
    Failure,
    Gaps,
    Incident,
    OutageRef,
    Percentiles,
    Summary,
    Time,
    UpstreamSummary,
)

SHOWN_UPSTREAMS = 1024


class Counts:
    """What was found so far."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.masked = self.aborts = self.open = self.client_502 = 0
        self.oddities: Counter[str] = Counter()
        self.incidents: Counter[str] = Counter()
        self.explained_502 = 0
        self.unfinished = 0  # exchanges that never got a whole answer

    def failure(self, failure: Failure, *, quiet: bool, step: int = 1) -> None:
        """Count one failure line; *step* -1 takes it back."""
        if quiet:
            self.aborts += step
        elif failure.masked:
            self.masked += step
        else:
            self.failures[failure.kind] += step

    def incident(self, incident: Incident, *, step: int = 1) -> None:
        """Count one incident line; *step* -1 takes it back."""
        self.incidents[incident.outcome] += step
        if incident.client_status == 502 and incident.kind is not None:
            self.explained_502 += step

    def ended(self, attempt: Attempt, upstream: Upstream | None) -> None:
        """Count an attempt that got no whole answer, which nothing else has counted."""
        if attempt.unattempted or (attempt.response is not None and attempt.response.complete):
            return
        self._unfinished(attempt.request is not None, upstream)

    def waits(self, asked: bool, upstream: Upstream | None) -> None:
        """Count an attempt that is told as open without being judged; *asked*: something was sent."""
        self.open += 1
        self._unfinished(asked, upstream)

    def _unfinished(self, asked: bool, upstream: Upstream | None) -> None:
        self.unfinished += asked
        if upstream is not None:
            upstream.unfinished += 1

    def odd(self, names: Iterable[str]) -> None:
        """Count oddities."""
        self.oddities.update(names)


def unread(links: Mapping[str, int], *, malformed: int, cut: int, incomplete: int) -> list[str]:
    """Return what is said of frames that were not read: {link type: frames}, and why others were not."""
    said = []
    if links:
        names = ", ".join(f"{_frames(count)} of link type {name}" for name, count in sorted(links.items()))
        said.append(f"not decoded: {names}; capture on an interface with Ethernet or IP, or with -i any")
    if malformed:
        said.append(f"not decoded: {_frames(malformed)} whose headers contradict themselves")
    if cut:
        said.append(f"not decoded: {_frames(cut)} that the snap length cut before the end of the TCP header")
    if incomplete:
        packets = "1 packet" if incomplete == 1 else f"{incomplete} packets"
        said.append(f"not decoded: {packets} in fragments that are not all in the capture")
    return said


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def summary(
    counts: Counts,
    *,
    frames: int,
    octets: int,
    first_ns: int | None,
    last_ns: int | None,
    connections: int,
    exchanges: int,
    upstreams: Iterable[Upstream],
    odd: Mapping[str, int],
    duplicates: int,
    translated: int,
    overlapping: int,
    evicted: int,
    unfollowed: int,
    holes: tuple[int, int, int],
    unread: Sequence[str],
    steps: Sequence[int],
    clocks: Sequence[str] = (),
) -> Summary:
    """Return the summary record; the driver adds inputs, what was shown, and what the inputs lost."""
    caveats = list(unread)
    if back := sum(step < 0 for step in steps):
        caveats.append(f"the clock of the capture went back {back} times by more than a second")
    if ahead := sum(step > 0 for step in steps):
        caveats.append(f"the host's clock was set ahead {ahead} times: waits around it are not measured")
    caveats += clocks
    if translated:
        caveats.append(f"{translated} connections were seen before and after address translation: judged once")
    if overlapping:
        caveats.append(
            f"{overlapping} connections had the same addresses and ports as another one at that time on a different "
            "VLAN or virtual network: told apart, from then on with figures for each of the upstreams of one address"
        )
    if evicted:
        caveats.append(f"{evicted} connections were let go to stay within the memory limit")
    if unfollowed:
        caveats.append(f"{unfollowed} unfinished attempts were too many to be judged one by one: they are only counted")
    rows = sorted(upstreams, key=lambda one: (-one.failures, -one.attempts, one.high, one.low, one.port))
    return Summary(
        inputs=[],
        frames=frames,
        bytes=octets,
        first_time=None if first_ns is None else Time(first_ns),
        last_time=None if last_ns is None else Time(last_ns),
        connections=connections,
        exchanges=exchanges + counts.unfinished,
        failures=dict(sorted((+counts.failures).items())),
        masked=counts.masked,
        aborts=counts.aborts,
        open=counts.open + unfollowed,
        shown=0,
        client_502=counts.client_502,
        explained_502=counts.explained_502,
        incidents=dict(sorted((+counts.incidents).items())),
        oddities=dict(sorted((counts.oddities + Counter(odd)).items())),
        duplicates=duplicates,
        dropped=0,
        evicted=evicted,
        gaps=Gaps(*holes),
        upstreams=[row(one) for one in rows[:SHOWN_UPSTREAMS]],
        caveats=caveats,
    )


def row(one: Upstream) -> UpstreamSummary:
    """Return the figures of one upstream."""
    idle = one.idle.percentile(0.5)
    return UpstreamSummary(
        upstream=endpoint_text(one.high, one.low, one.port),
        attempts=one.attempts + one.unfinished,
        failures=one.failures,
        connect_ms=Percentiles(one.connect.percentile(0.5), one.connect.percentile(0.99)),
        first_byte_ms=Percentiles(one.first_byte.percentile(0.5), one.first_byte.percentile(0.99)),
        retransmissions=one.retransmissions,
        idle_close_s=None if idle is None else round(idle / 1000, 3),
        failures_by_kind=dict(sorted((kind, count) for kind, count in (one.kinds or {}).items() if count > 0)),
        outages=[_outage(outage) for outage in (*one.sights.outages, one.sights.down()) if outage is not None],
        buckets={"connect": _told(one.connect), "first_byte": _told(one.first_byte), "idle": _told(one.idle)},
        pace=[] if one.pace is None else [(Time(begin), done, took) for begin, done, took in one.pace.rows()],
    )


def _outage(outage: Outage) -> OutageRef:
    begin, end = outage.begin, outage.end
    return OutageRef(
        frame=begin.frame,
        file=begin.file,
        time=Time(begin.time_ns),
        until_frame=None if end is None else end.frame,
        until_file=None if end is None else end.file,
        until_time=None if end is None else Time(end.time_ns),
        seconds=None if end is None else round((end.time_ns - begin.time_ns) / 1e9, 6),
        failures=outage.failures,
    )


def _told(buckets: Buckets) -> list[tuple[float, int]]:
    """Return the buckets by what ``percentile`` says of each, in ms, so that summaries can be added up."""
    return [
        (0.001 if edge <= 1e-6 else float(f"{edge * 1000 / GROWTH**0.5:.4g}"), count) for edge, count in buckets.tally()
    ]
