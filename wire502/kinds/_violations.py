"""Whether a grammar violation was a failure or an oddity: what the gateway made of it decides."""

from __future__ import annotations

from wire502.kinds._sight import finished, misplaced, unframed
from wire502.model.attempt import Attempt, ClientView, Violation
from wire502.model.finding import Finding

KEPT_NS = 1_000_000_000  # a gateway that refuses a response drops its connection at once, not a second later
FAILED_OUTCOMES = frozenset({"error", "cut", "closed_without_response", "reset"})


def client_failed(attempt: Attempt, status: int | None = None) -> ClientView | None:
    """Return the client's view if it shows that the client got no good answer; relayed *status* counts as good."""
    client = attempt.client
    if client is None or client.outcome not in FAILED_OUTCOMES:
        return None
    if client.outcome == "error" and status is not None and client.status == status:
        return None
    return client


def weigh(attempt: Attempt, violation: Violation) -> tuple[str, str]:
    """Return ``failure``, ``oddity``, ``unclear`` or ``hidden`` (what would tell is missing), and what shows it."""
    status = attempt.response.status if attempt.response is not None else None
    client = attempt.client
    if client_failed(attempt) is not None and client is not None:
        if client.outcome != "error" or client.status != status or status is None:
            got = "an error instead of the response" if client.status is not None else "what is no response"
            return "failure", f"the client got {got}"
        return "oddity", "the client got the response"
    if client is not None and client.outcome == "complete" and not _cut_off(attempt, violation):
        return "oddity", "the client got the response"
    if client is not None and client.hidden:
        return "hidden", "what the client got is not in the capture"
    seen = violation.point.time_ns
    if attempt.next_request is not None and attempt.next_request.time_ns > seen:
        return "oddity", "the gateway went on to use the connection"
    if attempt.connection_kept_ns is not None and attempt.connection_kept_ns >= KEPT_NS:
        return "oddity", "the gateway kept the connection open"
    return _weigh_close(attempt, violation)


def _cut_off(attempt: Attempt, violation: Violation) -> bool:
    """Whether the gateway stopped reading at an illegal chunk, and ended its own response as if it were whole."""
    if violation.part != "chunk" or finished(attempt.response):
        return False
    theirs = [c.point.time_ns for c in (attempt.upstream_fin, attempt.upstream_rst) if c is not None]
    seen = violation.point.time_ns
    return any(
        seen <= closing.point.time_ns <= min([seen + KEPT_NS, *theirs])
        for closing in (attempt.gateway_fin, attempt.gateway_rst)
        if closing is not None
    )


def _weigh_close(attempt: Attempt, violation: Violation) -> tuple[str, str]:
    closes = [c.point.time_ns for c in (attempt.gateway_fin, attempt.gateway_rst) if c is not None]
    theirs = [c.point.time_ns for c in (attempt.upstream_fin, attempt.upstream_rst) if c is not None]
    first = bool(closes) and (not theirs or min(closes) < min(theirs)) and min(closes) >= violation.point.time_ns
    if first and not finished(attempt.response):
        return "failure", "the gateway closed before the response had ended"
    if violation.framing_lost:
        return "failure", "the end of the response can no longer be found"
    if first and attempt.reused:
        return "failure", "the gateway dropped a connection that it had used before"
    return "unclear", "the capture does not show what the gateway made of it"


def tolerated(attempt: Attempt) -> bool:
    """Whether a violation broke the framing and the gateway put up with it: then no end can be missed either."""
    violation = attempt.violation
    if violation is None or not (violation.framing_lost or violation.part == "status_line"):
        return False
    return weigh(attempt, violation)[0] == "oddity"


def refused(attempt: Attempt, kind: str, parts: tuple[str, ...]) -> Finding | None:
    """Return the finding *kind* if the violation stands in one of *parts* and was not tolerated."""
    violation = attempt.violation
    if violation is None or violation.part not in parts or not attempt.is_http or attempt.upgraded or attempt.evicted:
        return None
    outcome, shown = weigh(attempt, violation)
    if outcome in ("oddity", "hidden") or misplaced(attempt) or unframed(attempt, violation.offset):
        return None
    offset = None if attempt.handshake.mid_connection else violation.offset
    finding = Finding(kind, violation.point, offset)
    if attempt.request is not None:
        finding.evidence.append((attempt.request.last, "request sent"))
    finding.evidence.append((violation.point, violation.why))
    if outcome == "unclear":
        finding.confidence = "medium"
        finding.caveats.append(f"{shown}: a forgiving gateway may have passed it on")
    else:
        ended = attempt.client.point if attempt.client is not None and client_failed(attempt) else None
        for closing in (attempt.gateway_rst, attempt.gateway_fin):
            if ended is None and closing is not None and closing.point.time_ns >= violation.point.time_ns:
                ended = closing.point
        if ended is not None:
            finding.evidence.append((ended, shown))
    if violation.looks_like == "tls":
        finding.at_fault = "gateway"  # plain HTTP to a TLS port
    return finding
