"""Outages of an endpoint: what closed at one moment, how long it refused, when it was well again."""

from __future__ import annotations

from dataclasses import dataclass

from wire502.diagnosis.causes._notes import SECOND
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.around import Ending, Refusals
from wire502.model.attempt import Point

MOMENT_NS = SECOND // 10  # closes of one moment
SOON_NS = 5 * SECOND  # a refusal so soon after the closes belongs to them
LEAST = 2  # other connections that closed at that moment


@dataclass(slots=True)
class Outage:
    """What is known of an outage that a failure belongs to."""

    closed: list[Ending]  # other connections that the upstream ended at one moment, before the refusals
    refusals: Refusals | None


def around_close(point: Point, surroundings: Surroundings) -> Outage:
    """Return the outage that begins with the upstream's close at *point*, as far as there is one."""
    closed = _together(surroundings.endings(point.time_ns - MOMENT_NS, point.time_ns + MOMENT_NS))
    refusals = surroundings.endpoint().refusals
    if refusals is not None and not 0 <= refusals.since.time_ns - point.time_ns <= SOON_NS:
        refusals = None
    return Outage(closed, refusals)


def around_refusal(point: Point, surroundings: Surroundings) -> Outage | None:
    """Return the outage that a refusal at *point* belongs to; None when the endpoint was never well before."""
    endpoint = surroundings.endpoint()
    refusals = endpoint.refusals
    if refusals is None or not refusals.since.time_ns <= point.time_ns <= refusals.last.time_ns:
        return None
    first = endpoint.first_answer
    if not endpoint.exchanges and (first is None or first.time_ns >= refusals.since.time_ns):
        return None
    begin = refusals.since.time_ns
    ends = surroundings.endings(begin - SOON_NS, begin)
    closed: list[Ending] = []
    for last in ends:
        together = _together([one for one in ends if abs(one.point.time_ns - last.point.time_ns) <= MOMENT_NS])
        if len(together) > len(closed):
            closed = together
    return Outage(closed, refusals)


def _together(ends: list[Ending]) -> list[Ending]:
    """Return the ends that an idle timeout does not explain: open requests, or idle ones of different ages."""
    ours = [one for one in ends if one.by_upstream]
    busy = [one for one in ours if one.busy]
    idle = [one for one in ours if not one.busy and one.waited_ns >= MOMENT_NS]
    if idle and max(one.waited_ns for one in idle) - min(one.waited_ns for one in idle) < MOMENT_NS:
        idle = []  # all of one age: they may have been idle for the same time
    return sorted([*busy, *idle])
