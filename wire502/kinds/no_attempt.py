"""no_attempt: the client got an error, and no upstream was asked.

What happened
    The gateway answered its client with an error of its own making, and the
    capture, which held the upstream leg at that moment, shows no connection
    and no request to any upstream for it.

Why it matters
    Nothing on the network between gateway and upstream failed: looking there
    is a waste of time. The gateway decided by itself not to try.

How wire502 knows
    The client leg shows an error (or a close without a response), the capture
    holds upstream traffic of the same gateway around that time, and no
    attempt carries that request or could belong to it. The failure point is
    the first frame of the error.

Easily mistaken for
    relayed_error   the upstream sent the error and the gateway passed it on:
                    then there is an attempt in the capture
    A capture that does not hold every interface, or with a filter on one
    upstream: then the attempt was there, but not in the capture.

What to check next
    The gateway's error log at that second. No live upstream or an open
    circuit breaker (nginx "no live upstreams", HAProxy <NOSRV>, Envoy UH)
    comes right after failures of the same pool: look for them just before.
    A name that does not resolve, no route to the upstream, no ephemeral port
    left (nginx errno 99), a connection limit, an error page served from a
    cache, a rule that answers by itself.

Example
    #22  12:00:00.094  GET /t/1  from client 10.0.0.9
    #25  12:00:00.094  503 to client 10.0.0.9: no upstream was asked
"""

from __future__ import annotations

from wire502.kinds._violations import client_failed
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Finding

NAME = "no_attempt"
TITLE = "an error without any attempt upstream"
GROUP = "gateway"
REFINES = ()
NEEDS = ("unattempted",)


def failure_point(attempt: Attempt, _context: Context) -> Finding | None:
    """Return the first frame of the error that a client got although no upstream was asked."""
    client = client_failed(attempt)
    if not attempt.unattempted or client is None:
        return None
    finding = Finding(NAME, client.point, confidence="medium", at_fault="gateway")
    finding.evidence = [
        (client.request_point, "the client's request"),
        (client.point, "the gateway's answer, without any attempt at an upstream"),
    ]
    return finding
