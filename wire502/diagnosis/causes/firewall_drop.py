"""firewall_drop: a rule drops the SYN without a word.

What happened
    The SYN to this port vanished every time, while the same host answered on
    another port.

How wire502 knows
    No SYN-ACK of this endpoint in the whole capture, and a SYN-ACK or a
    refusal of the same address on another port within a minute. A host that
    is down answers nowhere; a full listen queue answers some of the time, but
    while it is full it looks just so: the confidence stays low.

Easily mistaken for
    host_down               nothing of the host is seen at all
    listen_queue_overflow   this very port answers others

What to check next
    From the gateway: nc -vz ADDRESS PORT, then the same on the host itself.
    Only from outside in vain: a rule or a security group in between.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Point
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "firewall_drop"
CLASS = "configuration"
TITLE = "a firewall rule drops the SYN"
KINDS = frozenset({"connect_timeout"})
YIELDS_TO = ("listen_queue_overflow",)
AT_FAULT = None

NEAR_NS = 60 * SECOND


def find(attempt: Attempt, _finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when the host answers elsewhere, and here never."""
    syns = attempt.handshake.syns
    if not syns or attempt.neighbour_answered is not None:
        return None
    endpoint = surroundings.endpoint()
    if endpoint.answers or endpoint.exchanges or endpoint.refusals is not None:
        return None
    alive: list[tuple[Point, str]] = []
    for other in surroundings.neighbours():
        if other.last_answer is not None:
            alive.append((other.last_answer, f"{other.name} of the same host accepted a connection"))
        if other.refusals is not None:
            alive.append((other.refusals.last, f"{other.name} of the same host refused a connection"))
    alive = [one for one in alive if abs(one[0].time_ns - syns[0].time_ns) <= NEAR_NS]
    if not alive:
        return None
    point, note = min(alive, key=lambda one: abs(one[0].time_ns - syns[0].time_ns))
    lasted = syns[-1].time_ns - syns[0].time_ns
    told = times(len(syns), "SYN") + (f" within {duration(lasted)}" if lasted else "")
    return Cause(
        NAME,
        CLASS,
        "low",
        [cite(syns[-1], f"{told} to {attempt.upstream}, none answered"), cite(point, note)],
        "a SYN-ACK of this port to anybody, or a listener whose queue is always full",
        f"Try {attempt.upstream} from the gateway and on the host itself: answered only there, a rule drops it.",
    )
