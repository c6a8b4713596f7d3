"""gateway_timeout_too_short: the gateway gave up just before the answer came.

What happened
    The gateway's time limit is shorter than what this upstream needs, at
    least for some requests.

How wire502 knows
    The answer's octets still came after the gateway had closed; or answers of
    this upstream often take nearly as long as the limit.

Easily mistaken for
    slow_upstream   it became slow only just before
    An upstream that hangs: it would never have answered.

What to check next
    How long does this request take when asked directly? Then either raise the
    limit (nginx proxy_read_timeout, HAProxy timeout server), or make it faster.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, duration
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "gateway_timeout_too_short"
CLASS = "configuration"
TITLE = "the gateway gave up just before the answer came"
KINDS = frozenset({"stall_before_response"})
YIELDS_TO = ("slow_upstream",)
AT_FAULT = None

LEAST_EXCHANGES = 20
SHARE = 0.8  # of the limit


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when the answer came after all, or mostly comes about then."""
    wait, later = finding.until, attempt.later_from_upstream
    if wait is None or wait.until is None:
        return None
    limit = duration(int(wait.seconds * 1e9))
    unless = "the same request asked directly, answered well within that time"
    if later is not None and later.time_ns >= wait.until.time_ns:
        after = duration(later.time_ns - wait.until.time_ns)
        because = [
            cite(wait.until, f"the gateway gave up after {limit}"),
            cite(later, f"the answer came {after} later"),
        ]
        advice = f"Raise the gateway's limit of {limit} for this request: the answer came {after} after it."
        return Cause(NAME, CLASS, "medium", because, unless, advice)
    slow = surroundings.slow_answer_ms()
    if slow is None or slow < SHARE * wait.seconds * 1000 or surroundings.endpoint().exchanges < LEAST_EXCHANGES:
        return None
    slowest = duration(int(slow * 1e6))
    because = [cite(wait.until, f"the gateway gave up after {limit}; one answer in a hundred takes {slowest}")]
    return Cause(NAME, CLASS, "low", because, unless, f"Compare the limit of {limit} with answers that take {slowest}.")
