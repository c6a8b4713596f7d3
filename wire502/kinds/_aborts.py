"""The gateway ended an open attempt first: the predicate that ``gateway_abort`` and ``client_abort`` share."""

from __future__ import annotations

from wire502.kinds import _evidence
from wire502.kinds._connecting import unanswered
from wire502.kinds._phases import gateway_close, offset_of, order, phase, speaks_http, upstream_close
from wire502.kinds._sight import blind
from wire502.kinds._signs import LEAST_NS
from wire502.kinds._violations import tolerated
from wire502.kinds._waits import (
    SECOND,
    can_stall,
    client_left,
    deadline_of,
    limit_grounds,
    pause,
    stall_phase,
)
from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context
from wire502.model.finding import Finding
from wire502.model.verdict import Alternative

_OPEN = frozenset({"request", "response", "headers", "body"})
_STALLS = {
    "request": "stall_mid_request",
    "response": "stall_before_response",
    "headers": "stall_mid_headers",
    "body": "stall_mid_body",
}


def aborted(attempt: Attempt, context: Context, kind: str) -> Finding | None:
    """Return the finding *kind* if the gateway ended this open attempt and nothing was wrong before."""
    ended = gateway_close(attempt)
    if ended is None or (kind == "client_abort") != client_left(attempt, ended):
        return None
    theirs = upstream_close(attempt)
    if theirs is not None and order(theirs.point) < order(ended):
        return None
    if unanswered(attempt) or _before_syn_ack(attempt, ended):
        return _while_connecting(attempt, ended, kind)
    if not speaks_http(attempt):
        return _opaque(attempt, ended, kind)
    if phase(attempt) not in _OPEN or attempt.request is None or tolerated(attempt) or blind(attempt) is not None:
        return None
    if _half_close_only(attempt) or _is_stall(attempt, context):
        return None
    finding = Finding(kind, ended, offset_of(attempt))
    finding.evidence = _evidence.until_answer(attempt)
    left = attempt.client.left_first if attempt.client is not None else None
    if kind == "client_abort" and left is not None:
        finding.evidence.append((left, "the client left before it had its response"))
    finding.evidence.append((ended, f"{_flag(attempt, ended)} from the gateway: it ended the attempt itself"))
    _say_alternative(attempt, finding)
    return finding


def _say_alternative(attempt: Attempt, finding: Finding) -> None:
    wait = pause(attempt)
    where = stall_phase(attempt)
    if wait is None or wait.lasted < LEAST_NS or where not in _STALLS or not can_stall(attempt):
        return
    finding.confidence = "medium"
    why = f"the gateway had waited for {wait.lasted / SECOND:.3f} s, which may be a time limit of its own"
    finding.alternatives.append(Alternative(_STALLS[where], wait.since.frame, "low", why, wait.since.file))


def _is_stall(attempt: Attempt, context: Context) -> bool:
    wait = pause(attempt)
    if wait is None or not can_stall(attempt):
        return False
    deadline = deadline_of(stall_phase(attempt), context)
    if client_left(attempt, wait.until) and wait.lasted <= deadline:
        return False
    return bool(limit_grounds(attempt, context, wait, deadline)[0])


def _half_close_only(attempt: Attempt) -> bool:
    """Whether the gateway's FIN may be a half-close behind which it still waits: nothing came after it yet."""
    if attempt.gateway_rst is not None or not attempt.capture_ended or upstream_close(attempt) is not None:
        return False
    return not client_left(attempt, None)


def _before_syn_ack(attempt: Attempt, ended: Point) -> bool:
    """Whether the gateway gave up on a SYN that was answered only afterwards."""
    shake = attempt.handshake
    if attempt.request is not None or attempt.evicted or attempt.one_sided is not None or not shake.syn_acks:
        return False
    return order(ended) < min(order(point) for point in shake.syn_acks)


def _while_connecting(attempt: Attempt, ended: Point, kind: str) -> Finding | None:
    shake = attempt.handshake
    if not shake.syns or shake.refused is not None:
        return None
    finding = Finding(kind, ended)
    finding.evidence = [(point, "SYN from the gateway") for point in shake.syns]
    finding.evidence.append((ended, "the gateway gave up before any SYN-ACK"))
    return finding


def _opaque(attempt: Attempt, ended: Point, kind: str) -> Finding | None:
    wrote = attempt.unanswered_since
    if wrote is None or ended.time_ns - wrote.time_ns <= SECOND or attempt.upgraded or blind(attempt) is not None:
        return None
    finding = Finding(kind, ended, offset_of(attempt), confidence="medium")
    finding.evidence = [(wrote, "the gateway's last octets, which nothing answered")]
    finding.evidence.append((ended, f"{_flag(attempt, ended)} from the gateway over its unanswered octets"))
    return finding


def _flag(attempt: Attempt, point: Point) -> str:
    fin = attempt.gateway_fin
    return "FIN" if fin is not None and fin.point == point else "RST"
