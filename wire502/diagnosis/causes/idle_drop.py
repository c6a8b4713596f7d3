"""idle_drop: something on the way forgot a connection that had been idle.

What happened
    Firewalls, load balancers and address translation keep a table of
    connections and drop idle ones after a while (350 s, 15 min, an hour).
    Both ends still believe in the connection; what the gateway then sends on
    it vanishes, or is answered by a RST of the middlebox.

How wire502 knows
    A request on a connection that was idle for half a minute or more is sent
    again and again without one ACK, while the upstream answers on others; or
    the first answer after so long is a RST that does not look like the
    upstream's packets, and nobody had closed.

Easily mistaken for
    keepalive_mismatch   the upstream closed, and its FIN was seen
    packet_loss          busy connections suffer as well

What to check next
    The idle timeouts of what lies between. Let TCP keep-alives run below them
    (nginx proxy_socket_keepalive, HAProxy option srvtcpka), or let the gateway
    close idle connections earlier.
"""

from __future__ import annotations

from wire502.diagnosis.causes import _looks
from wire502.diagnosis.causes._kinds import STALLS
from wire502.diagnosis.causes._notes import SECOND, cite, deciding_rst, duration, never_acked, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Point, Request
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "idle_drop"
CLASS = "network"
TITLE = "a middlebox forgot an idle connection"
KINDS = STALLS | {"rst_before_response", "stale_keepalive"}
YIELDS_TO = ()
AT_FAULT = "network"

LEAST_NS = 30 * SECOND
LONG_NS = 300 * SECOND


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for a request that met silence, or a stranger's RST, after a long idle time."""
    request, since = attempt.request, attempt.idle_since
    if request is None or since is None or attempt.response is not None or attempt.upstream_fin is not None:
        return None
    idle = request.first.time_ns - since.time_ns
    if idle < LEAST_NS:
        return None
    if finding.kind.startswith("stall_"):
        return _swallowed(attempt, request, since, idle, surroundings)
    return _answered(attempt, finding, since, idle)


def _cause(attempt: Attempt, sure: Confidence, since: Point, idle: int, point: Point, note: str) -> Cause:
    return Cause(
        NAME,
        CLASS,
        sure,
        [cite(since, f"the last octets before {duration(idle)} of silence"), cite(point, note)],
        "a FIN or RST that the upstream sent during that time",
        f"Send TCP keep-alives to {attempt.upstream}, or close idle connections, well below {duration(idle)}.",
    )


def _swallowed(attempt: Attempt, request: Request, since: Point, idle: int, surroundings: Surroundings) -> Cause | None:
    again = attempt.request_retransmitted_last
    if again is None or not never_acked(attempt) or (attempt.upstream_acked or 0) > request.start:
        return None
    answered = surroundings.endpoint().last_answer
    alive = answered is not None and answered.time_ns >= request.first.time_ns
    if not alive and idle < LONG_NS:
        return None
    number = times(attempt.request_retransmissions, "time")
    note = f"the request was sent again {number}, and never acknowledged"
    cause = _cause(attempt, "medium" if alive else "low", since, idle, again, note)
    if answered is not None and alive:
        cause.because.append(cite(answered, "meanwhile the upstream accepted another connection"))
    return cause


def _answered(attempt: Attempt, finding: Finding, since: Point, idle: int) -> Cause | None:
    rst, sender = deciding_rst(attempt, finding), attempt.upstream_manners
    if rst is None or sender is None:
        return None
    sign = _looks.ttl_sign(rst.ttl, sender.ttl)
    if sign is not None:
        return _cause(attempt, "medium", since, idle, rst.point, f"a RST answers the request; {sign.note}")
    if idle < LONG_NS:
        return None
    return _cause(attempt, "low", since, idle, rst.point, "a RST answers the request, and no FIN was seen before")
