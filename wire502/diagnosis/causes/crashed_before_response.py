"""crashed_before_response: what handled the request ended without an answer.

What happened
    The upstream had the whole request and ended the connection instead of
    answering: a crash of the worker, an unhandled error, an explicit close.

How wire502 knows
    The request was acknowledged, the close came from the upstream itself,
    without an octet of an answer, and nothing points to a timeout, a restart
    of the whole process, a limit or a stranger on the way.

Easily mistaken for
    worker_timeout, process_restart, connection_limit, injected_reset
    A port that expects TLS may close so on plain HTTP, too.

What to check next
    The upstream's log for this request; its core dumps; the kernel's log
    (out of memory). Does the same request fail again?
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, duration, times, whole_acked
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "crashed_before_response"
CLASS = "application"
TITLE = "what handled the request ended without an answer"
KINDS = frozenset({"fin_before_response", "rst_before_response"})
YIELDS_TO = (
    "worker_timeout",
    "process_restart",
    "process_down",
    "connection_limit",
    "injected_reset",
    "idle_drop",
    "protocol_mismatch",
)
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for a close of the upstream over a request that it had."""
    request = attempt.request
    if request is None or not attempt.is_http:
        return None
    close = attempt.upstream_rst if finding.kind.startswith("rst") else attempt.upstream_fin
    had = whole_acked(attempt) or (close is not None and close.acks is not None and close.acks >= request.end)
    if not had:
        return None
    after = duration(finding.point.time_ns - request.last.time_ns)
    verb = "reset" if finding.kind.startswith("rst") else "closed"
    because = [cite(finding.point, f"{verb} {after} after the request, without an octet of an answer")]
    served = surroundings.endpoint().exchanges
    if served:
        were = "was" if served == 1 else "were"
        because[0].note += f"; {times(served, 'other request')} to it {were} answered"
    return Cause(
        NAME,
        CLASS,
        "medium" if served else "low",
        because,
        "other connections that ended at the same moment, or always after the same time",
        f"Look into the log of {attempt.upstream} for {request.method} {request.target[:60]}, {after} after it came.",
    )
