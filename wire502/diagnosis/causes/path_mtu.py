"""path_mtu: only large packets vanish on the way.

What happened
    A tunnel or link on the way carries less than the ends have agreed on, and
    the ICMP message that should tell them is filtered or never sent. Small
    packets pass (handshake, small requests), full-size ones disappear.

How wire502 knows
    ICMP "fragmentation needed" or "packet too big" about this connection; or
    full-size segments sent at least three times and never acknowledged while
    the largest segment that did get through on the path is smaller; or a
    response whose full-size segments are missing while its short tail came.

Easily mistaken for
    packet_loss   smaller segments are lost too, or a full-size one got through

What to check next
    ping -M do -s SIZE between the two, downwards from 1472, finds the size.
    Lower the interface MTU, or clamp the MSS on the router; let ICMP pass.
"""

from __future__ import annotations

from wire502.diagnosis.causes._kinds import STALLS
from wire502.diagnosis.causes._notes import cite, never_acked, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "path_mtu"
CLASS = "network"
TITLE = "only large packets vanish on the way"
KINDS = STALLS
YIELDS_TO = ()
AT_FAULT = "network"

LEAST_SIZE = 1000  # smaller segments pass everywhere
HEADERS = 40  # IPv4 and TCP without options
OPTIONS = 60


def find(attempt: Attempt, _finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when size decides what gets through."""
    if attempt.one_sided is not None:
        return None
    return _told(attempt) or _of_request(attempt, surroundings) or _of_response(attempt, surroundings)


def _told(attempt: Attempt) -> Cause | None:
    told = attempt.too_big
    if told is None:
        return None
    lost = never_acked(attempt) if told.from_gateway else any(not gap.from_gateway for gap in attempt.gaps)
    if not lost:
        return None
    mss = max(0, told.mtu - HEADERS) or "what it asks for"
    size = f" of at most {told.mtu} octets" if told.mtu else ""
    return Cause(
        NAME,
        CLASS,
        "high",
        [cite(told.point, f"{told.sender} asks for packets{size}")],
        "smaller segments on this path that are lost as well",
        f"Let this ICMP message reach the sender, or clamp the MSS to {mss}.",
    )


def _of_request(attempt: Attempt, surroundings: Surroundings) -> Cause | None:
    request, again = attempt.request, attempt.request_retransmitted_last
    if request is None or again is None or not never_acked(attempt) or attempt.upstream_window_zero is not None:
        return None
    lost = [step for step in attempt.ladder if step.from_gateway and step.what == "retransmission"]
    lost = [step for step in lost if step.point.time_ns > (acked_at(attempt) or 0)]
    sizes = [step.octets // max(1, step.count) for step in lost]
    if sum(step.count for step in lost) < 2 or min(sizes) < LEAST_SIZE:
        return None
    passed = surroundings.endpoint().largest_acked
    if attempt.upstream_acked is not None and attempt.upstream_acked > request.start:
        passed = max(passed, min(min(sizes) - 1, attempt.upstream_acked - request.start))
    if not 0 < passed < min(sizes):
        return None
    return Cause(
        NAME,
        CLASS,
        "medium",
        [
            cite(again, f"segments of {min(sizes)} octets sent again {times(len(sizes), 'time')}, never acknowledged"),
            cite(request.first, f"smaller ones got through (up to {passed} octets); no ICMP error about it was seen"),
        ],
        f"a segment of {min(sizes)} octets or more that this upstream acknowledged",
        f"Probe the path to {attempt.upstream} with packets between {passed + HEADERS} and {min(sizes) + HEADERS} "
        "octets that may not be fragmented.",
    )


def _of_response(attempt: Attempt, surroundings: Surroundings) -> Cause | None:
    sender, peer = attempt.upstream_manners, attempt.gateway_manners
    holes = [gap for gap in attempt.gaps if not gap.from_gateway and gap.label == "wire"]
    if not holes or sender is None or peer is None or peer.mss < LEAST_SIZE:
        return None
    got = max(sender.largest, surroundings.endpoint().largest_got)
    full = peer.mss - OPTIONS
    if holes[0].octets < full or got >= full:
        return None
    return Cause(
        NAME,
        CLASS,
        "medium",
        [
            cite(
                holes[0].point,
                f"{holes[0].octets} octets are missing before it: {holes[0].octets // full} full segments",
            ),
            cite(holes[0].point, f"no segment of more than {got} octets came from it, {peer.mss} were agreed on"),
        ],
        f"a segment of {full} octets or more from this upstream",
        f"Probe the path from {attempt.upstream} with packets between {got + HEADERS} and {peer.mss + HEADERS} octets "
        "that may not be fragmented.",
    )


def acked_at(attempt: Attempt) -> int | None:
    """Return when the upstream last acknowledged something new."""
    return None if attempt.upstream_acked_point is None else attempt.upstream_acked_point.time_ns
