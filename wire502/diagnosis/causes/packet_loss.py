"""packet_loss: octets were lost on the way, and their repetitions too.

What happened
    One side sent octets again and again, and the other never acknowledged
    them; or the response arrived with a hole that was never filled. The path
    lost them, not the application.

How wire502 knows
    Retransmissions without an acknowledgement tell the direction: of the
    request, it was lost towards the upstream (or its ACKs on the way back); a
    hole in the response with later octets behind it, the upstream repeating
    itself, or an ACK whose own sequence number is ahead of what arrived, was
    lost towards the gateway. Octets that only the
    capture missed (their receiver acknowledged them) are never called lost.

Easily mistaken for
    path_mtu    only full-size packets vanish
    idle_drop   only connections that were idle for long
    host_down   nothing of the host is heard any more

What to check next
    Errors and drops of the interfaces on the way (ip -s link, ethtool -S), a
    second capture on the other side: it tells where they vanish.
"""

from __future__ import annotations

from wire502.diagnosis.causes._kinds import STALLS
from wire502.diagnosis.causes._notes import cite, never_acked, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Point
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "packet_loss"
CLASS = "network"
TITLE = "packets were lost between the servers"
KINDS = STALLS
YIELDS_TO = ("path_mtu", "idle_drop", "listen_queue_overflow", "upstream_not_reading")
AT_FAULT = "network"

UNLESS = "a capture on the upstream that shows these octets arriving"


def find(attempt: Attempt, _finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a stall with octets that were sent and never acknowledged, or never arrived."""
    if attempt.one_sided is not None:
        return None
    return _of_request(attempt) or _of_response(attempt)


def _of_request(attempt: Attempt) -> Cause | None:
    request, again = attempt.request, attempt.request_retransmitted_last
    if request is None or again is None or not never_acked(attempt) or attempt.upstream_window_zero is not None:
        return None
    number = attempt.request_retransmissions
    acked = max(0, (attempt.upstream_acked or 0) - request.start)
    sure: Confidence = "medium" if number >= 2 and not attempt.dropped_nearby else "low"
    return Cause(
        NAME,
        CLASS,
        sure,
        [
            cite(request.last, f"{request.end - request.start} octets sent, {acked} of them acknowledged"),
            cite(again, f"sent again {times(number, 'time')}, in vain"),
        ],
        UNLESS,
        f"Capture on {attempt.upstream} at the same time: if the request arrives there, the way back loses the ACKs.",
    )


def _of_response(attempt: Attempt) -> Cause | None:
    holes = [gap for gap in attempt.gaps if not gap.from_gateway and gap.label == "wire"]
    again = attempt.response_retransmitted_last
    ahead = attempt.upstream_ahead_point
    if ahead is not None and not holes:
        return _told_by_number(attempt, ahead)
    if not holes and (again is None or attempt.response_retransmissions < 2):
        return None
    because = [
        cite(
            hole.point, f"arrived with {hole.octets} octets missing before it, and the gateway did not acknowledge them"
        )
        for hole in holes[:2]
    ]
    if again is not None:
        because.append(cite(again, f"the upstream repeated itself {times(attempt.response_retransmissions, 'time')}"))
    lost = sum(hole.octets for hole in holes)
    what = f"{lost} octets of the response" if lost else "acknowledgements of the response"
    return Cause(
        NAME,
        CLASS,
        "high" if holes and not attempt.dropped_nearby else "medium",
        because,
        "an acknowledgement of these octets by the gateway",
        f"Look for what loses packets on the way from {attempt.upstream} to the gateway: {what} never arrived.",
    )


def _told_by_number(attempt: Attempt, ahead: Point) -> Cause:
    """An empty segment carries the number of the octet that its sender would send next (RFC 9293 section 3.4)."""
    lost = attempt.upstream_ahead
    return Cause(
        NAME,
        CLASS,
        "low" if attempt.dropped_nearby else "medium",
        [cite(ahead, f"its sequence number shows that the upstream had sent {lost} more octets; none of them arrived")],
        "an acknowledgement of these octets by the gateway",
        f"Look for what loses packets on the way from {attempt.upstream} to the gateway: {lost} octets never arrived.",
    )
