"""What the three connect kinds share: was the SYN answered, and what shows that the gateway gave up?"""

from __future__ import annotations

from wire502.kinds import _evidence
from wire502.kinds._violations import client_failed
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding

LEAST_NS = 20_000_000  # nobody waits for less: an error so soon after a SYN was not about this SYN


def unanswered(attempt: Attempt) -> bool:
    """Whether no SYN-ACK came, as far as the capture could have shown one."""
    shake, request = attempt.handshake, attempt.request
    if shake.done or shake.ack is not None or attempt.one_sided is not None or attempt.evicted:
        return False
    if attempt.response is not None or attempt.upstream_acked is not None:
        return False  # the capture missed the SYN-ACK
    return request is None or request.first in shake.syns  # data on the SYN itself (RFC 7413) is no answer


def nobody_asked(attempt: Attempt) -> bool:
    """Whether the client leg is in the capture and no client request was open: then the gateway asked for itself."""
    return (
        attempt.client_leg_seen
        and attempt.client is None
        and attempt.client_candidates == 0
        and attempt.client_request_open is False
    )


def syn_evidence(attempt: Attempt) -> list[_evidence.Observation]:
    """Return every SYN as evidence."""
    words = ("SYN", *("SYN again" for _ in attempt.handshake.syns[1:]))
    return list(zip(attempt.handshake.syns, words, strict=False))


def say_health_check(attempt: Attempt, finding: Finding) -> None:
    """Add the caveat that nobody but the gateway itself may have wanted this connection."""
    if attempt.client is None:
        finding.caveats.append("no client request is linked to this connection: it may be a health check")


def gave_up(attempt: Attempt) -> tuple[str, bool]:
    """Return what shows that the gateway no longer waits for the connection (empty: nothing), and its certainty."""
    syns = attempt.handshake.syns
    asked = syns[0].time_ns if syns else 0
    failed = client_failed(attempt)
    if failed is not None and (len(syns) > 1 or failed.point.time_ns - asked >= LEAST_NS):
        return "the gateway answered its client with an error", True
    if attempt.next_attempt is not None and (len(syns) > 1 or attempt.next_attempt.time_ns - asked >= LEAST_NS):
        return "the gateway tried elsewhere for the same request", True
    return "", False
