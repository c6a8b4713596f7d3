"""connect_refused: the upstream's host answered the SYN with a reset.

What happened
    The gateway asked for a connection (SYN). The host was there and answered
    at once: RST,ACK. Nothing listens on that address and port, or something
    on the way answers in its name.

Why it matters
    The client usually gets a 502 (nginx) or 503 (HAProxy, Apache) within
    milliseconds, unless another upstream is tried. It fails again and again
    until the listener is back: whole minutes of errors, not a few.

How wire502 knows
    A RST with the ACK flag whose acknowledgement number is the SYN's sequence
    number plus one, before any SYN-ACK. The failure point is that RST. A RST
    without ACK, or with another number, is not believed: the gateway's kernel
    would not believe it either.

Easily mistaken for
    connect_timeout      no answer at all, a firewall that drops
    rst_before_response  accepted first (SYN-ACK), reset afterwards
    A firewall that rejects with a reset looks the same. Its RST often has
    another TTL, or another IP ID pattern, than the host's own packets.

What to check next
    Is the process up, and listening on that very address and port?
        ss -ltnp 'sport = :8080'
    On 127.0.0.1 only, while the gateway asks for the host's address? IPv4
    only, while the gateway asks by IPv6? Restarted at that minute? Does the
    pool still hold an address from before a deploy? If other connections to
    the same port succeeded in the same second, it is one of several hosts.
    With no client request behind it, it may be a health check doing its job.

Example
    #4  12:00:00.000  SYN ──────▶
    #5  12:00:00.000      ◀────── RST,ACK   nobody listens
    #6  12:00:00.001  502 to the client
"""

from __future__ import annotations

from wire502.kinds._connecting import nobody_asked, say_health_check, syn_evidence
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "connect_refused"
TITLE = "the connection was refused"
GROUP = "connect"
REFINES = ()
NEEDS = ("refused",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the RST,ACK that answered the SYN."""
    shake = attempt.handshake
    if shake.refused is None or shake.syn_acks or nobody_asked(attempt):
        return None
    finding = Finding(NAME, shake.refused)
    finding.evidence = [*syn_evidence(attempt), (shake.refused, "RST,ACK: nobody accepts connections there")]
    if shake.syns:
        finding.numbers["after_ns"] = shake.refused.time_ns - shake.syns[-1].time_ns
    say_health_check(attempt, finding)
    if shake.numbered:
        finding.confidence = "low"
        finding.caveats.append(
            "the RST has a sequence number: it may be the end of a connection whose SYN-ACK is missing"
        )
    return finding
