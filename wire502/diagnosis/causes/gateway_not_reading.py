"""gateway_not_reading: the gateway stopped taking the response's octets.

What happened
    The gateway's receive window went to zero and stayed there: its buffers
    were full, since the client took the response too slowly, or its disk for
    temporary files did.

How wire502 knows
    A window of zero from the gateway during the response, and no progress
    until it ended badly. The client leg's window tells whether the client is
    behind it.

Easily mistaken for
    packet_loss   the upstream repeats itself without an answer

What to check next
    The client's speed; the gateway's buffers and limits for slow clients
    (nginx send_timeout, proxy_max_temp_file_size), and its disk.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, duration
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "gateway_not_reading"
CLASS = "client"
TITLE = "the gateway does not read the response"
KINDS = frozenset({"rst_mid_body", "fin_mid_body", "stall_mid_body"})
YIELDS_TO = ()
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a response that stood before a zero window of the gateway."""
    zero, response = attempt.gateway_window_zero, attempt.response
    if zero is None or response is None:
        return None
    end = finding.point.time_ns
    if finding.until is not None and finding.until.until is not None:
        end = finding.until.until.time_ns
    lasted = duration(max(0, end - zero.time_ns))
    because = [cite(zero, f"the gateway's window went to zero after {response.body_bytes} body octets, for {lasted}")]
    client = attempt.client is not None and attempt.client.zero_window
    if attempt.client is not None and client:
        because.append(cite(attempt.client.point, "the client's window was zero as well"))
    who = "the client" if client else "the gateway (buffers, disk) or its client"
    return Cause(
        NAME,
        CLASS,
        "high" if client else "medium",
        because,
        "a window update of the gateway that the capture missed",
        f"See why {who} took nothing for {lasted}.",
    )
