"""firewall_reject: a rule on the way, or on the host, refuses the connection.

What happened
    The SYN met a rule that rejects: the answer is an ICMP "administratively
    prohibited" or "port unreachable", or a RST in the upstream's name.

How wire502 knows
    ICMP codes 9, 10, 13 (IPv6: 1, 5) say it in words. A kernel without a
    listener answers a SYN by RST, never by ICMP port unreachable: that one is
    a rule, too. A RST is accused only when it does not look like the host's
    own SYN-ACKs in at least two ways (TTL, don't-fragment bit, IP ID).

Easily mistaken for
    nothing_listening   the host's own RST looks like its other packets
    firewall_drop       a rule that says nothing at all

What to check next
    The rules between gateway and upstream for that port, on both hosts and on
    what lies between; the ICMP's sender names the place.
"""

from __future__ import annotations

from wire502.diagnosis.causes import _looks
from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.around import Endpoint
from wire502.model.attempt import Attempt, Closing, Unreachable
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "firewall_reject"
CLASS = "configuration"
TITLE = "a firewall rule refuses the connection"
KINDS = frozenset({"connect_unreachable", "connect_refused"})
YIELDS_TO = ()
AT_FAULT = "network"

PROHIBITED = ("prohibited", "policy", "reject")
LEAST, SURE = 3, 4


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for an ICMP error that names a rule, or a refusal that the host did not send."""
    said, refusal = attempt.handshake.unreachable, attempt.handshake.refusal
    if finding.kind == "connect_unreachable" and said is not None:
        return _said(attempt, said)
    if finding.kind == "connect_unreachable" or refusal is None:
        return None
    samples = [one for one in (surroundings.endpoint(), *surroundings.neighbours()) if one.ttl]
    found = [_signs(refusal, one) for one in samples]
    if not found:
        return None
    signs = min(found, key=lambda signs: sum(sign.weight for sign in signs))
    weight = sum(sign.weight for sign in signs)
    if len(signs) < 2 or weight < LEAST:
        return None
    return Cause(
        NAME,
        CLASS,
        "high" if weight >= SURE and len(signs) >= 3 else "medium",
        [cite(refusal.point, sign.note) for sign in signs],
        "a capture on the upstream that shows this RST leaving it",
        f"Look for a rule that rejects connections to {attempt.upstream} about {_looks.hops(refusal.ttl)} hops from "
        "the capture point.",
    )


def _said(attempt: Attempt, said: Unreachable) -> Cause | None:
    words = any(word in said.text for word in PROHIBITED)
    if not words and said.text != "port unreachable":
        return None
    note = f"{said.sender} says: {said.text}"
    if not words:
        note += ", which no kernel answers to a SYN by itself"
    return Cause(
        NAME,
        CLASS,
        "high" if words else "medium",
        [cite(said.point, note)],
        "a router that uses this code for something else",
        f"Look at the rules of {said.sender} for connections to {attempt.upstream}.",
    )


def _signs(refusal: Closing, host: Endpoint) -> list[_looks.Sign]:
    """Return what tells a refusal from the packets of the same host; SYN-ACKs come from the same kernel."""
    signs = [_looks.ttl_sign(refusal.ttl, host.ttl), _looks.fragment_sign(refusal, host.dont_fragment)]
    if host.ip_id == 0 and host.dont_fragment and refusal.ip_id > 0:
        signs.append(_looks.Sign(1, f"its IP ID is {refusal.ip_id:#06x}, that of the host's SYN-ACKs zero"))
    return [sign for sign in signs if sign is not None]
