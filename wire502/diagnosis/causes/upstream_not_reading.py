"""upstream_not_reading: the upstream stopped taking the request's octets.

What happened
    Its receive window went to zero and stayed there: the application does not
    read. Its workers are busy, or it waits for something before it reads on.

How wire502 knows
    A window of zero from the upstream during the request, no later window
    above zero, and no progress until somebody gave up.

Easily mistaken for
    packet_loss   octets are repeated and not acknowledged at all
    slow_client   the gateway had nothing to send

What to check next
    What the process does at that moment (threads, stack traces), and whether
    it reads bodies into a full disk or a slow store.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, duration
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "upstream_not_reading"
CLASS = "overload"
TITLE = "the upstream does not read the request"
KINDS = frozenset({"stall_mid_request", "stall_before_response"})
YIELDS_TO = ()
AT_FAULT = "upstream"


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a stalled request over a zero window of the upstream."""
    zero, request = attempt.upstream_window_zero, attempt.request
    if zero is None or request is None:
        return None
    end = finding.until.until.time_ns if finding.until is not None and finding.until.until else attempt.judged_at_ns
    lasted = duration(end - zero.time_ns)
    acked = max(0, (attempt.upstream_acked or 0) - request.start)
    return Cause(
        NAME,
        CLASS,
        "high",
        [
            cite(
                zero,
                f"the upstream's window went to zero after {acked} octets of the request and stayed so for {lasted}",
            )
        ],
        "a window update of the upstream that the capture missed",
        f"See what {attempt.upstream} does instead of reading: {acked} octets went in, then none for {lasted}.",
    )
