"""path_unreachable: a router on the way knows no path to the upstream.

What happened
    A route is missing, points the wrong way, or runs in a circle.

How wire502 knows
    An ICMP error that quotes this connection's SYN: network unreachable, no
    route to destination, or time exceeded (a loop).

Easily mistaken for
    host_down         the last router knows the network, not the host
    firewall_reject   the ICMP code names a rule

What to check next
    The route on the sender of the ICMP message (ip route get ADDRESS), and
    what changed there.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "path_unreachable"
CLASS = "network"
TITLE = "no path to the upstream"
KINDS = frozenset({"connect_unreachable"})
YIELDS_TO = ("firewall_reject",)
AT_FAULT = None

WORDS = ("network unreachable", "network unknown", "no route to destination", "time exceeded", "source route failed")


def find(attempt: Attempt, _finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for an ICMP error that speaks of the path, not of the host."""
    said = attempt.handshake.unreachable
    if said is None or said.text not in WORDS:
        return None
    loop = ": the packet ran in a circle, or too far" if said.text == "time exceeded" else ""
    return Cause(
        NAME,
        CLASS,
        "high",
        [cite(said.point, f"{said.sender} says: {said.text}{loop}")],
        "a firewall that answers so in a router's name",
        f"Look at the route to {attempt.upstream} on {said.sender}.",
    )
