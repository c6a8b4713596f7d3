"""Connections that are not HTTP: data that was sent again and again and never acknowledged."""

from __future__ import annotations

from wire502.kinds._phases import gateway_close, offset_of
from wire502.kinds._sight import blind, seen_end
from wire502.model.attempt import Attempt, Point
from wire502.model.finding import Finding, Wait

REPEATS = 3  # so many repetitions of the same octets are no accident


def _blind(attempt: Attempt) -> bool:
    return attempt.one_sided is not None or attempt.upgraded or blind(attempt) is not None


def request_lost(attempt: Attempt) -> Finding | None:
    """Return ``stall_mid_request``: the opener's octets were repeated and never acknowledged."""
    request = attempt.request
    if attempt.is_http or request is None or attempt.request_retransmissions < REPEATS or _blind(attempt):
        return None
    if attempt.upstream_acked is not None and attempt.upstream_acked >= request.end:
        return None
    return _lost(attempt, "stall_mid_request", request.last, attempt.request_retransmitted_last)


def response_lost(attempt: Attempt) -> Finding | None:
    """Return ``stall_mid_body``: the upstream's octets were repeated and never acknowledged."""
    response, end = attempt.response, seen_end(attempt)
    if attempt.is_http or response is None or attempt.response_retransmissions < REPEATS or _blind(attempt):
        return None
    if attempt.gateway_acked is not None and end is not None and attempt.gateway_acked >= end:
        return None
    return _lost(attempt, "stall_mid_body", response.last, attempt.response_retransmitted_last)


def _lost(attempt: Attempt, kind: str, point: Point, again: Point | None) -> Finding:
    ended = gateway_close(attempt)
    end = attempt.judged_at_ns if ended is None else ended.time_ns
    finding = Finding(kind, point, offset_of(attempt), confidence="medium", at_fault="network")
    finding.until = Wait(point, ended, max(0, end - point.time_ns) / 1_000_000_000)
    finding.evidence = [(point, "the last octets that were sent for the first time")]
    if again is not None:
        finding.evidence.append((again, "sent again and never acknowledged"))
    if ended is not None:
        finding.evidence.append((ended, "the gateway closed"))
    return finding
