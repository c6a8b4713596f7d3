"""host_down: the whole machine is gone from the network.

What happened
    Nothing of the host is heard any more: it crashed, was switched off, lost
    its link, or its address moved elsewhere.

How wire502 knows
    Its address resolution (ARP, neighbour discovery) stays unanswered, or the
    last router says "host unreachable"; or several connections to it fell
    silent, without even acknowledgements, on more than one port or while they
    were open, and nothing of the host was heard since.

Easily mistaken for
    firewall_drop   another port of the host still answers
    packet_loss     some of its packets still come

What to check next
    The machine itself (console, hypervisor), its link, and whether its address
    was taken over by another host.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, host_of, never_acked, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Point, Unreachable
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "host_down"
CLASS = "downtime"
TITLE = "the whole host is gone"
KINDS = frozenset({"connect_unreachable", "connect_timeout", "stall_before_response", "stall_mid_request"})
YIELDS_TO = ("firewall_reject", "listen_queue_overflow")
AT_FAULT = None

NEAR_NS = 60 * SECOND
UNLESS = "any packet of that host in the meantime"


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when the host is said, or shown, to be gone."""
    said = attempt.handshake.unreachable
    if finding.kind == "connect_unreachable" and said is not None:
        return _said(attempt, said)
    since = _silent_since(attempt, finding)
    if since is None:
        return None
    heard = [surroundings.endpoint(), *surroundings.neighbours()]
    answers = [one.last_answer for one in heard if one.last_answer is not None]
    answers += [one.refusals.last for one in heard if one.refusals is not None]
    answers += [one.heard for one in heard if one.heard is not None]
    if not answers or max(answer.time_ns for answer in answers) >= since.time_ns:
        return None
    if attempt.last_from_upstream is not None and attempt.last_from_upstream.time_ns > since.time_ns:
        return None
    host = host_of(attempt.upstream)
    others = [
        one
        for one in surroundings.failures()
        if one.kind in ("connect_timeout", "stall_before_response", "stall_mid_request")
        # SYNs to one port alone tell of that port: a full queue, a rule
        and (one.kind != finding.kind or finding.kind != "connect_timeout" or one.upstream != attempt.upstream)
        and host_of(one.upstream) == host
        and abs(one.point.time_ns - since.time_ns) <= NEAR_NS
    ]
    if not others:
        return None
    last = max(answers, key=lambda answer: answer.time_ns)
    return Cause(
        NAME,
        CLASS,
        "medium",
        [
            cite(last, "the host's last sign of life"),
            cite(since, f"from here on nothing; {times(len(others), 'other connection')} fell silent as well"),
        ],
        UNLESS,
        f"See whether {host} is up, and whether its link or address changed.",
    )


def _said(attempt: Attempt, said: Unreachable) -> Cause | None:
    asked = said.text in ("no reply to the address request", "no ARP reply")
    if not asked and said.text not in ("host unreachable", "host unknown", "address unreachable"):
        return None
    note = f"{said.sender} asked for its address, nobody answered" if asked else f"{said.sender} says: {said.text}"
    return Cause(
        NAME,
        CLASS,
        "high" if asked else "medium",
        [cite(said.point, note)],
        UNLESS,
        f"See whether {host_of(attempt.upstream) or attempt.upstream} is up, and in the network of {said.sender}.",
    )


def _silent_since(attempt: Attempt, finding: Finding) -> Point | None:
    """Return the first packet that nothing answered, where not even the kernel did."""
    if finding.kind == "connect_timeout" and attempt.handshake.syns:
        return attempt.handshake.syns[0]
    if finding.kind in ("stall_before_response", "stall_mid_request") and never_acked(attempt):
        return attempt.request.last if attempt.request is not None else None
    return None
