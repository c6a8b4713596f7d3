"""process_down: the upstream's process is gone; nothing takes its place.

What happened
    It had been serving, then its port refused connections, and still did when
    this was written: it crashed, was stopped, or does not come up again.

How wire502 knows
    The endpoint answered earlier in the capture; since then every SYN was
    refused, and no connection that was open carried an answer. Connections
    that it closed at one moment just before show when it went.

Easily mistaken for
    process_restart    it came back
    nothing_listening  it never answered in this capture

What to check next
    The service manager's log and the kernel's (out of memory) at the second
    of the first refusal.
"""

from __future__ import annotations

from wire502.diagnosis.causes import _outage
from wire502.diagnosis.causes._kinds import FINS, RESETS
from wire502.diagnosis.causes._notes import cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "process_down"
CLASS = "downtime"
TITLE = "the upstream's process is gone"
KINDS = RESETS | FINS | {"connect_refused"}
YIELDS_TO = ("process_restart", "firewall_reject")
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for a refusal by an endpoint that had been well and is not again."""
    run = _outage.refusals(attempt, finding, surroundings)
    if run is None or run.well is not None:
        return None
    heard = surroundings.endpoint().heard
    if heard is not None and heard.time_ns > run.last.time_ns:
        return None  # it answers on connections that it had: only its listener is gone
    closed = _outage.closed_together(finding, run, surroundings)
    because = [cite(one.point, f"stream {one.stream} was closed by the upstream") for one in closed[:3]]
    lasted = run.last.time_ns - run.since.time_ns
    because.append(
        cite(run.since, f"refused from here on, {times(run.number, 'time')}, for at least {duration(lasted)}")
    )
    return Cause(
        NAME,
        CLASS,
        "high" if len(closed) >= _outage.LEAST and run.number > 1 else "medium",
        because,
        "a SYN-ACK of the same endpoint meanwhile",
        f"Look into the logs of the process behind {attempt.upstream} at the time of frame {because[0].frame}.",
    )
