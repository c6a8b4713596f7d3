"""header_buffer_too_small: the response's head is too long for the gateway.

What happened
    Cookies, tokens or debugging fields made the head of a response too long
    for the gateway, which gave up on a response that is otherwise good.

How wire502 knows
    The gateway closed right after a long head, before the upstream did
    anything wrong; with a known limit: at the frame that went over it.

Easily mistaken for
    invalid_output   an illegal octet in the head, at any length

What to check next
    Which field is so long? Raise the buffer (nginx proxy_buffer_size, HAProxy
    tune.bufsize), or shorten the field.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "header_buffer_too_small"
CLASS = "configuration"
TITLE = "the response's head is too long for the gateway"
KINDS = frozenset({"header_too_large"})
YIELDS_TO = ()
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a head that the gateway refused for its length."""
    response = attempt.response
    if response is None:
        return None
    known = response.over_limit is not None
    note = f"{response.head_bytes} octets of head" + (", over the gateway's limit" if known else "")
    return Cause(
        NAME,
        CLASS,
        "high" if known else "medium",
        [cite(finding.point, note)],
        "longer heads that the same gateway took",
        f"Raise the gateway's buffer for heads above {response.head_bytes} octets, or shorten the longest field.",
    )
