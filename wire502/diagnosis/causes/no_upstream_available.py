"""no_upstream_available: the gateway had no upstream left that it would ask.

What happened
    The gateway answered by itself. Mostly all upstreams of the group were
    marked down after earlier failures, or failed their health checks; else no
    route, no name, no free local port.

How wire502 knows
    The client got an error and no packet went upstream, though the capture
    would have shown it. Failures shortly before tell why the upstreams were
    marked down.

Easily mistaken for
    An error page that the gateway is configured to give (return 503), a
    request that it refused for itself.

What to check next
    The failures before this one; then max_fails and fail_timeout (nginx), or
    the health checks (HAProxy's state page).
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import QUIET_KINDS, Cause

NAME = "no_upstream_available"
CLASS = "configuration"
TITLE = "the gateway had no upstream to ask"
YIELDS_TO = ()
AT_FAULT = None

SHORTLY_NS = 30 * SECOND
UNLESS = "a rule of the gateway that answers such requests by itself"


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for an error without any attempt."""
    if finding.kind != "no_attempt":
        return None
    now = finding.point.time_ns
    before = [
        one
        for one in surroundings.failures()
        if one.upstream and one.kind not in QUIET_KINDS and 0 <= now - one.point.time_ns <= SHORTLY_NS
    ]
    status = attempt.client.status if attempt.client is not None else None
    answer = "an error" if status is None else f"{status}"
    because = [cite(finding.point, f"the gateway answered {answer} by itself")]
    if not before:
        advice = "See the gateway's error log at that second: no live upstream, no name, no route, or no free port."
        return Cause(NAME, CLASS, "low", because, UNLESS, advice)
    last = before[-1]
    ago = duration(now - last.point.time_ns)
    because.append(
        cite(last.point, f"{last.kind} of {last.upstream} {ago} before, one of {times(len(before), 'failure')}")
    )
    advice = f"Start with {times(len(before), 'failure')} in the 30 s before, the last one of {last.upstream}."
    return Cause(NAME, CLASS, "medium", because, UNLESS, advice)
