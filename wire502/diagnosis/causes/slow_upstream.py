"""slow_upstream: answers had become slower and slower.

What happened
    The kernel of the upstream took the request, the application did not
    answer in time; and the answers before it had become slower and slower. It
    is overloaded, or waits for something behind it (a database, a lock).

How wire502 knows
    First-byte times of the same endpoint, second by second: the last seconds
    before the failure against the earlier ones. At least three times as slow,
    and at least a tenth of a second.

Easily mistaken for
    packet_loss                 the request was never acknowledged
    gateway_timeout_too_short   it has always been that slow

What to check next
    CPU, threads, connection pools and what lies behind the upstream, at the
    second when the times began to rise.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, median, times, whole_acked
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "slow_upstream"
CLASS = "overload"
TITLE = "answers had become slower and slower"
KINDS = frozenset({"stall_before_response"})
YIELDS_TO = ()
AT_FAULT = None

LAST = 3  # seconds with answers that are compared with the earlier ones
LEAST_BEFORE = 3
FACTOR = 3
LEAST_NS = SECOND // 10


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when the last answers took several times as long as the earlier ones."""
    request = attempt.request
    if request is None or not whole_acked(attempt):
        return None
    until = finding.until.until.time_ns if finding.until is not None and finding.until.until else attempt.judged_at_ns
    seconds = [one for one in surroundings.first_bytes() if one.since_ns <= until]
    if len(seconds) < LAST + LEAST_BEFORE:
        return None
    before, last = seconds[:-LAST], seconds[-LAST:]
    now = sum([one.mean_ns * one.number for one in last]) // sum([one.number for one in last])
    if now < LEAST_NS:
        return None
    usual = int(median([one.mean_ns for one in before]))
    if now < FACTOR * usual:
        return None
    rise = f"from {duration(usual)} to {duration(now)}"
    return Cause(
        NAME,
        CLASS,
        "medium",
        [
            cite(
                request.last,
                f"first-byte times had risen {rise} ({times(sum(one.number for one in last), 'answer')} "
                f"in the last {times(len(last), 'second')})",
            )
        ],
        "other upstreams of the same gateway that became as slow at the same time: then look at the gateway",
        f"Find what slowed {attempt.upstream} down when its first-byte time rose {rise}.",
    )
