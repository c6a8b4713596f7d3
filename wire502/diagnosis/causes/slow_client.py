"""slow_client: the client sent its request body too slowly.

What happened
    The upstream had all that the gateway had received, waited for the rest,
    and lost patience: its own time limit for request bodies.

How wire502 knows
    All octets that were sent are acknowledged, the request is not complete,
    and the client leg shows that the client had stopped sending. Without the
    client leg it is a guess.

Easily mistaken for
    upstream_not_reading   the upstream's window was zero

What to check next
    Let the gateway collect the body before it asks upstream (nginx
    proxy_request_buffering on), or raise the upstream's limit.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "slow_client"
CLASS = "client"
TITLE = "the client sent its request too slowly"
KINDS = frozenset({"rst_mid_request", "fin_mid_request", "gateway_abort", "stall_mid_request"})
YIELDS_TO = ("injected_reset", "process_restart")
AT_FAULT = "client"

LEAST_NS = SECOND


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a request that its sender never finished."""
    request, acked = attempt.request, attempt.upstream_acked
    if request is None or request.whole or attempt.response is not None or attempt.upstream_window_zero is not None:
        return None
    end = finding.point
    if finding.until is not None and finding.until.until is not None:
        end = finding.until.until
    waited = end.time_ns - request.last.time_ns
    if acked is None or acked < request.end or waited < LEAST_NS:
        return None
    seen = attempt.client is not None and attempt.client.idle
    if attempt.client is not None and not seen:
        return None
    sent = request.end - request.start
    because = [cite(request.last, f"{sent} octets sent and acknowledged, then nothing for {duration(waited)}")]
    if attempt.client is not None:
        because.append(cite(attempt.client.request_point, "the client itself had stopped sending"))
    return Cause(
        NAME,
        CLASS,
        "medium" if seen else "low",
        because,
        "octets of the client that had reached the gateway by then",
        f"Collect request bodies before they are passed on, or allow for pauses of {duration(waited)} in them.",
    )
