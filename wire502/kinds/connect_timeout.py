"""connect_timeout: nothing that the gateway could accept answered its SYN.

What happened
    The gateway asked for a connection and asked again, a second later, then
    two, then four. No SYN-ACK, no reset, no ICMP error came: the packets, or
    their answers, vanish without a word.

Why it matters
    The client waits for the gateway's whole connect timeout before it gets a
    502, 503 or 504, and each waiting request holds a slot in the gateway. A
    few dead upstreams can so slow down all others.

How wire502 knows
    A SYN without an answer, proved by the first of these: the gateway
    answered its client with an error; it tried elsewhere for the same
    request; the connect deadline passed (10 s unless set); or the capture
    ended after a repeated SYN, at least one second after the first, went
    unanswered too (then confidence is low). The failure point is the last SYN
    at that moment; all are cited. A SYN that is answered late is a slow
    connect, not a failure. A new source port alone proves nothing.

Easily mistaken for
    connect_refused       an answer came, and it was a reset
    connect_unreachable   a router or the kernel said so
    stall_before_response the handshake was done, only the answer is missing
    A full listen queue drops SYNs as silently as a firewall does: if other
    connections to the same port succeed, suspect the queue.

What to check next
    From the gateway: nc -vz ADDRESS PORT. Firewall or security-group rules
    that drop instead of reject; a wrong route or VLAN; the host down. On the
    upstream: nstat -az TcpExtListenOverflows TcpExtListenDrops, and capture
    there at the same time: do the SYNs arrive? If they do and SYN-ACKs leave,
    it is the way back.

Example
    #10  12:00:00.000  SYN ──────▶
    #37  12:00:01.016  SYN ──────▶           the same again
    #58  12:00:02.001  504 to the client     the gateway gave up
"""

from __future__ import annotations

from wire502.kinds._connecting import gave_up, syn_evidence, unanswered
from wire502.kinds._phases import gateway_close
from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context
from wire502.model.finding import Finding, Wait

NAME = "connect_timeout"
TITLE = "nobody answered the SYN"
GROUP = "connect"
REFINES = ()
NEEDS = ("connecting",)

SECOND = 1_000_000_000
AT_ONCE_S = 0.25  # nobody waits so shortly for a connection: it was told otherwise
AT_LEAST_S = 1.5  # by then a SYN has been sent again
_ONCE = "the SYN was sent only once: an answer that the capture missed would look the same"
REPEAT_NS = SECOND - SECOND // 100  # the first repetition comes after 1 s (RFC 6298), by a clock of its own


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the last SYN, once something shows that the gateway gave up on it."""
    shake = attempt.handshake
    if not unanswered(attempt) or not shake.syns or shake.refused is not None or shake.unreachable is not None:
        return None
    first, last = shake.syns[0], shake.syns[-1]
    if attempt.clock_step is not None and attempt.clock_step.time_ns >= first.time_ns:
        first = attempt.clock_step  # the clock jumped: what it measured before says nothing
    ended = gateway_close(attempt)
    waited = (attempt.judged_at_ns if ended is None else ended.time_ns) - first.time_ns
    shown, proved = gave_up(attempt)
    if not proved and waited >= context.connect_deadline_ns:
        shown, proved = f"the connect deadline of {context.connect_deadline_ns / SECOND:g} s passed", True
    if not proved and not (attempt.capture_ended and last.time_ns - first.time_ns >= REPEAT_NS):
        return None
    return _finding(attempt, shown, proved)


def _finding(attempt: Attempt, shown: str, proved: bool) -> Finding:
    syns = attempt.handshake.syns
    finding = Finding(NAME, syns[-1])
    finding.evidence = syn_evidence(attempt)
    until: Point | None = attempt.next_attempt
    if attempt.client is not None and proved and attempt.client.point.time_ns >= syns[0].time_ns:
        until = attempt.client.point
    if until is not None:
        finding.evidence.append((until, shown))
    end = attempt.judged_at_ns if until is None else until.time_ns
    finding.until = Wait(syns[0], until, max(0, end - syns[0].time_ns) / SECOND)
    if not proved:
        finding.confidence = "low"
        finding.caveats.append("the capture ends while the gateway still waits: a later SYN may have been answered")
    elif until is None:
        finding.confidence = "medium"
        finding.caveats.append(f"{shown}; what the gateway made of it was not seen")
        if len(syns) == 1:
            finding.confidence = "low"
            finding.caveats.append(_ONCE)
    elif len(syns) == 1 and finding.until.seconds < AT_LEAST_S and not _timed_out(attempt):
        finding.confidence = "medium" if finding.until.seconds >= AT_ONCE_S else "low"
        finding.caveats.append(_ONCE)
    return finding


def _timed_out(attempt: Attempt) -> bool:
    """Whether the gateway itself told its client that the time was up."""
    return attempt.client is not None and attempt.client.status == 504
