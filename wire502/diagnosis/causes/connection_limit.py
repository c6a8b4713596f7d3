"""connection_limit: the upstream takes only so many connections at once.

What happened
    Beyond a fixed number of open connections the upstream accepts further
    ones only to close them at once.

How wire502 knows
    At least three fresh connections that the upstream closed within a second
    and without an answer, each while the same number of connections to it was
    open; connections below that number are served.

Easily mistaken for
    listen_queue_overflow     further connections are not accepted at all
    crashed_before_response   it happens at any number of connections

What to check next
    The limit of the upstream (maxconn, max_connections, worker_connections,
    open files), and how many connections the gateway keeps.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "connection_limit"
CLASS = "overload"
TITLE = "the upstream takes no more connections"
KINDS = frozenset({"fin_before_response", "rst_before_response", "rst_mid_request", "fin_mid_request"})
YIELDS_TO = ("injected_reset",)
AT_FAULT = None

LEAST_CLOSED = 2  # besides this one
LEAST_OPEN = 4
PROMPT_NS = SECOND
FOREVER_NS = 1 << 62
SPREAD = 1


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when fresh connections are closed at once, always at the same number of open ones."""
    if attempt.exchange > 1 or attempt.reused or not attempt.handshake.syn_acks:
        return None
    if finding.point.time_ns - attempt.handshake.syn_acks[0].time_ns > PROMPT_NS:
        return None
    endpoint = surroundings.endpoint()
    prompt = surroundings.endings(0, attempt.judged_at_ns, busy=True, waited_ns=(-FOREVER_NS, PROMPT_NS))
    closed = [one for one in prompt if one.exchanges <= 1]
    if len(closed) < LEAST_CLOSED or endpoint.exchanges == 0:
        return None
    low, high = min(one.open_before for one in closed), max(one.open_before for one in closed)
    if low < LEAST_OPEN or high - low > SPREAD or endpoint.open_most > high:
        return None
    because = [cite(finding.point, "closed at once, without an answer")]
    because += [
        cite(one.point, f"so was stream {one.stream}, with {times(one.open_before, 'connection')} open")
        for one in closed[-3:]
    ]
    return Cause(
        NAME,
        CLASS,
        "medium",
        because,
        "a fresh connection that was served while as many were open",
        f"Look for a limit of about {low - 1} connections in {attempt.upstream}, and let the gateway keep fewer.",
    )
