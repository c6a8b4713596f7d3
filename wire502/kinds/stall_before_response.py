"""stall_before_response: the upstream never began to answer.

What happened
    The whole request was sent, then nothing: not one octet of a final
    response, until the gateway's patience ended. Waiting in vain for a
    100 (Continue) belongs here too.

Why it matters
    The client waits for the gateway's whole read timeout and gets a 504 from
    nginx and HAProxy, a 502 from Apache. All that time the request holds a
    connection and a worker on both sides: slow upstreams take gateways down.

How wire502 knows
    The wait lasted at least a second and its end looks like a time limit: it
    equals a known limit of this gateway, is a round time, equals the wait of
    another attempt, was answered to the client with 502, 503 or 504, or was
    longer than the deadline. The failure point is the last frame of the
    request; `until` holds the frame that ended the wait. A capture that ends
    in the silence proves it only beyond the deadline, with low confidence. If
    an answer comes after all, it was slow, and nothing failed.

Easily mistaken for
    gateway_abort        the gateway closed after no particular time: most
                         often its own client had left
    connect_timeout      not even the handshake was done
    fin_before_response  the upstream hung up by itself, perhaps at a timeout
                         of its own that is shorter than the gateway's

What to check next
    Was the request acknowledged? Then the upstream's kernel lives and the
    application is slow or stuck: its thread dumps, its database, its queue.
    Not acknowledged and repeated: the path or the host is dead. SYN-ACK
    repeated, request never acknowledged: the listen queue is full. Does it
    take just a little longer than the limit allows? Compare first-byte times
    of the requests that succeeded.

Example
    #10  12:00:00.000  GET /slow ──────▶
    #11  12:00:00.043            ◀────── ACK
    #59  12:01:00.002  FIN ────────────▶  the gateway gave up after 60.002 s
    #60  12:01:00.003  504 to the client
"""

from __future__ import annotations

from wire502.kinds import _waits
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "stall_before_response"
TITLE = "no response within the time limit"
GROUP = "response"
REFINES = ()
NEEDS = ("asked", "unanswered", "waited")


def failure_point(attempt: Attempt, context: Context) -> Finding | None:
    """Return the last frame of the request that nobody answered."""
    return _waits.stalled(attempt, context, "response")
