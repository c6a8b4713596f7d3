"""Outages of an endpoint: what closed at one moment, how long it refused, when it was well again."""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.around import Ending, Refusals
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding

MOMENT_NS = SECOND // 10  # closes of one moment
SOON_NS = 5 * SECOND  # a refusal so soon after the closes belongs to them
LEAST = 2  # other connections that closed at that moment


def refusals(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Refusals | None:
    """Return the refusals that a refused attempt belongs to, or that followed the close of another one.

    None without any, and for an endpoint that had never been well before.
    """
    run, refused = surroundings.refusals(), attempt.handshake.refused
    if run is None:
        return None
    if refused is None:
        return run if 0 <= run.since.time_ns - finding.point.time_ns <= SOON_NS else None
    if not run.since.time_ns <= refused.time_ns <= run.last.time_ns:
        return None
    endpoint = surroundings.endpoint()
    first = endpoint.first_answer
    well = endpoint.exchanges > 0 or (first is not None and first.time_ns < run.since.time_ns)
    return run if well else None


def closed_together(finding: Finding, run: Refusals | None, surroundings: Surroundings) -> list[Ending]:
    """Return the other connections that the upstream ended at one moment: that of *finding*, or before *run* began.

    Those that an idle timeout explains are not among them.
    """
    at = finding.point.time_ns
    if run is None or finding.kind != "connect_refused":
        return _unexplained(surroundings.endings(at - MOMENT_NS, at + MOMENT_NS))
    begin = run.since.time_ns
    return _unexplained(_densest(surroundings.endings(begin - SOON_NS, begin)))


def _densest(ends: list[Ending]) -> list[Ending]:
    """Return the most ends that lie within one moment; *ends* are in the order of time."""
    first = best = most = 0
    for last, one in enumerate(ends):
        while one.point.time_ns - ends[first].point.time_ns > MOMENT_NS:
            first += 1
        if last + 1 - first > most:
            best, most = first, last + 1 - first
    return ends[best : best + most]


def _unexplained(ends: list[Ending]) -> list[Ending]:
    """Return the upstream's ends of open requests, and of idle connections if these were of different ages."""
    if not ends:
        return ends
    busy = [one for one in ends if one.busy]
    idle = [one for one in ends if not one.busy and one.waited_ns >= MOMENT_NS]
    if idle and max(one.waited_ns for one in idle) - min(one.waited_ns for one in idle) < MOMENT_NS:
        idle = []  # all of one age: they may have been idle for the same time
    return sorted([*busy, *idle])
