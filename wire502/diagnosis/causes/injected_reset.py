"""injected_reset: somebody on the way reset the connection in the upstream's name.

What happened
    A firewall, an intrusion prevention system, a load balancer or a state
    table that had forgotten the connection sent a RST with the upstream's
    address. The upstream never asked for the end, and often goes on.

How wire502 knows
    It compares the RST with the other packets of the same sender: the TTL
    (distance in hops), the IP ID against the sender's count or as a copy of
    the gateway's, the don't-fragment bit, a missing timestamp, a copied
    window, a sequence number off the edge, an answer faster than the round
    trip, octets that still came afterwards. One sign is never enough. The
    RST that a kernel sends for a socket which it does not know (no ACK, IP ID
    zero) is not accused: it often has another TTL.

Easily mistaken for
    crashed_before_response   the host's own kernel reset it
    A load balancer that ends TCP itself is the upstream, whatever its TTL.

What to check next
    Capture on the upstream at the same time: a RST that it never sent proves
    it. The TTL tells how many hops away its sender is. Look at the session
    timeouts and the logs of each firewall between the two.
"""

from __future__ import annotations

from wire502.diagnosis.causes import _looks
from wire502.diagnosis.causes._kinds import RESETS
from wire502.diagnosis.causes._notes import cite, deciding_rst
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Closing, Manners
from wire502.model.finding import Finding
from wire502.model.records import changed
from wire502.model.verdict import Cause

NAME = "injected_reset"
CLASS = "network"
TITLE = "a RST that the upstream did not send"
KINDS = RESETS | {"stale_keepalive"}
YIELDS_TO = ()
AT_FAULT = "network"

LEAST, SURE = 3, 4  # weights
LEAST_RTT_NS = 2_000_000  # below it clocks and schedulers decide


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when at least two signs together speak against the sender."""
    rst, sender = deciding_rst(attempt, finding), attempt.upstream_manners
    if rst is None or sender is None:
        return None
    if sender.ttl == 0 and (endpoint := surroundings.endpoint()).ttl:
        # Nothing else of it is on this connection: as it looks on others.
        sender = changed(sender, ttl=endpoint.ttl, dont_fragment=endpoint.dont_fragment)
    signs = [sign for sign in _signs(attempt, rst, sender) if sign is not None]
    weight = sum(sign.weight for sign in signs)
    if len(signs) < 2 or weight < LEAST:
        return None
    because = [cite(rst.point, sign.note) for sign in signs]
    if attempt.later_from_upstream is not None:
        because.append(cite(attempt.later_from_upstream, "octets of the upstream still came after its RST"))
    away = _looks.hops(rst.ttl)
    return Cause(
        NAME,
        CLASS,
        "high" if weight >= SURE and len(signs) >= 3 else "medium",
        because,
        "a capture on the upstream that shows this RST leaving it",
        f"Look for what resets connections about {away} hops from the capture point (TTL {rst.ttl}); "
        "a capture on the upstream at the same time settles it.",
    )


def _signs(attempt: Attempt, rst: Closing, sender: Manners) -> list[_looks.Sign | None]:
    peer = attempt.gateway_manners
    signs = [
        _looks.ttl_sign(rst.ttl, sender.ttl),
        _looks.id_sign(rst, sender, peer),
        _looks.fragment_sign(rst, sender.dont_fragment),
        _looks.stamp_sign(rst, sender),
        _looks.window_sign(rst, sender, peer),
        _too_fast(attempt, rst),
    ]
    if attempt.later_from_upstream is not None:
        signs.append(_looks.Sign(1, "its sender went on as if it had not sent it"))
    if rst.accepted is None:
        signs.append(_looks.Sign(1, "its sequence number is not the next one of the sender"))
    return signs


def _too_fast(attempt: Attempt, rst: Closing) -> _looks.Sign | None:
    """A RST that answers a segment in half the round trip comes from half the way, or nearer."""
    shake, request = attempt.handshake, attempt.request
    if request is None or not shake.syn_acks or len(shake.syns) != 1:
        return None
    trip, took = shake.syn_acks[0].time_ns - shake.syns[0].time_ns, rst.point.time_ns - request.last.time_ns
    if trip < LEAST_RTT_NS or not 0 <= took < trip // 2:
        return None
    return _looks.Sign(1, f"it came {took / 1e6:.1f} ms after the request, the round trip takes {trip / 1e6:.1f} ms")
