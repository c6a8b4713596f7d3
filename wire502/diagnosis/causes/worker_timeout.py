"""worker_timeout: the upstream kills its own workers after a fixed time.

What happened
    The application server gives each request a limited time, and ends the
    worker, connection and all, when it is over (gunicorn 30 s, uwsgi
    harakiri, PHP request_terminate_timeout). The request gets no answer.

How wire502 knows
    The upstream closes without an octet of an answer, a round number of
    seconds after the request, and does so again and again; no answer of the
    same upstream took longer.

Easily mistaken for
    crashed_before_response   the times are short, or all different
    stall_before_response     the gateway lost patience first

What to check next
    The upstream's log at that second ("WORKER TIMEOUT", "harakiri"), the
    request that takes so long, and the limit itself.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, is_round, whole_acked
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "worker_timeout"
CLASS = "overload"
TITLE = "the upstream ends workers after a fixed time"
KINDS = frozenset({"fin_before_response", "rst_before_response"})
YIELDS_TO = ("injected_reset", "process_restart")
AT_FAULT = None

LONELY_NS = 10 * SECOND  # a single close is told as a possibility only after so long


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when closes without an answer come after the same time."""
    request = attempt.request
    if request is None:
        return None
    waited = finding.point.time_ns - request.last.time_ns
    if waited < SECOND or not whole_acked(attempt):
        return None
    near = max(SECOND // 20, waited // 50)
    if any(one.most_ns > waited + near for one in surroundings.first_bytes()):
        return None  # it lets others work for longer
    ends = surroundings.endings(0, attempt.judged_at_ns, busy=True, waited_ns=(waited - near, waited + near))
    alike = [one for one in ends if not one.fresh]
    if not alike and (waited < LONELY_NS or not is_round(waited)):
        return None
    sure: Confidence = "low"
    if alike:
        sure = "high" if len(alike) >= 2 and is_round(waited) else "medium"
    if not is_round(waited) and len(alike) < 2:
        return None
    because = [cite(finding.point, f"closed without an answer {duration(waited)} after the request")]
    because += [cite(one.point, f"so did stream {one.stream} after {duration(one.waited_ns)}") for one in alike[-3:]]
    return Cause(
        NAME,
        CLASS,
        sure,
        because,
        "answers of the same upstream that took longer than that",
        f"Look for a time limit of {duration(waited)} in {attempt.upstream}'s settings, and for what takes so long.",
    )
