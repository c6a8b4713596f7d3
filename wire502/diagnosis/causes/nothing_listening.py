"""nothing_listening: no process accepts connections on that address and port.

What happened
    The host is up and answers, but no socket listens there: the wrong port or
    address, a process bound to 127.0.0.1, a service that was never started.

How wire502 knows
    Every SYN to the endpoint in the capture was refused by a RST that looks
    like the host's own, not one was accepted.

Easily mistaken for
    process_down      it had accepted connections before
    firewall_reject   the RST does not look like the host's packets

What to check next
    ss -lnt on the upstream: which address and port does it listen on? Which
    one does the gateway's configuration name?
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "nothing_listening"
CLASS = "configuration"
TITLE = "nothing listens on that port"
KINDS = frozenset({"connect_refused"})
YIELDS_TO = ("firewall_reject", "process_down", "process_restart")
AT_FAULT = None


def find(attempt: Attempt, _finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for an endpoint that refused always."""
    refused = attempt.handshake.refused
    if refused is None:
        return None
    endpoint = surroundings.endpoint()
    if endpoint.answers or endpoint.exchanges:
        return None
    number = 1 if endpoint.refusals is None else max(1, endpoint.refusals.number)
    because = [cite(refused, f"refused, as always in this capture ({times(number, 'refusal')})")]
    elsewhere = [one for one in surroundings.neighbours() if one.last_answer is not None]
    if elsewhere and elsewhere[0].last_answer is not None:
        because.append(cite(elsewhere[0].last_answer, f"{elsewhere[0].name} of the same host accepts connections"))
    sure: Confidence = "medium" if number > 1 or elsewhere else "low"
    return Cause(
        NAME,
        CLASS,
        sure,
        because,
        f"a SYN-ACK of {attempt.upstream} before or after this capture",
        f"Compare what listens on that host (ss -lnt) with the {attempt.upstream} of the gateway's configuration.",
    )
