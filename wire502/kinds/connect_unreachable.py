"""connect_unreachable: somebody said that the upstream cannot be reached.

What happened
    The gateway asked for a connection and an ICMP error came back that quotes
    this very SYN: host, network or port unreachable, administratively
    prohibited, or time to live exceeded. Or the SYN never left, since nobody
    on the local network answered for the upstream's address (ARP, or neighbour
    discovery in IPv6).

Why it matters
    The gateway fails at once with a 502 or 503, and will fail for every
    request to this upstream as long as the route, rule or host is as it is.

How wire502 knows
    The ICMP error carries the first octets of the packet that it complains
    of; their addresses, ports and sequence number are those of this SYN. The
    failure point is that ICMP frame. Without an answer to ARP or neighbour
    discovery, and with no SYN after it, it is the last request: for an address
    that is an upstream in this capture, for any other one where a client of
    the asking gateway got an error meanwhile and no upstream was asked. If a
    SYN-ACK comes all the same, nothing failed.

Easily mistaken for
    connect_refused   a reset from the host itself
    connect_timeout   the same trouble, but nobody said so: many firewalls
                      drop ICMP errors
    An ICMP "fragmentation needed" is no such error: it tells of a small MTU,
    not of a missing host.

What to check next
    Who sent the error? The frame's source address is the router, firewall or
    host to ask. "Port unreachable" and "administratively prohibited" are
    mostly firewall rules that reject (iptables -j REJECT, nftables reject).
    "Host unreachable" from the last router, or silence to ARP: host down,
    wrong VLAN, wrong address in the pool. Sent by the gateway's own host:
    its routing table or its own firewall (ip route get ADDRESS).

Example
    #10  12:00:00.000  SYN ──────▶
    #11  12:00:00.000      ◀────── ICMP from 10.0.0.1: host unreachable
    #12  12:00:00.001  502 to the client
"""

from __future__ import annotations

from wire502.kinds._connecting import syn_evidence
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "connect_unreachable"
TITLE = "the upstream could not be reached"
GROUP = "connect"
REFINES = ("connect_timeout",)
NEEDS = ("unreachable",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the ICMP error that quotes the SYN, or the last ARP or ND request that nobody answered."""
    shake = attempt.handshake
    said = shake.unreachable
    if said is None or shake.done or shake.refused is not None or not (said.quoted_syn or not shake.syns):
        return None
    finding = Finding(NAME, said.point, sender=said.sender or None)
    finding.evidence = [*syn_evidence(attempt), (said.point, f"{said.sender}: {said.text}")]
    if said.from_gateway:
        finding.at_fault = "gateway"
    return finding
