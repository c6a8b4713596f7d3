"""invalid_output: the application wrote something that is no valid HTTP.

What happened
    A header written by hand, a line break in a value, output before the
    headers, chunk sizes that do not fit, two lengths that contradict.

How wire502 knows
    The first octet that the grammar forbids, in HTTP that is otherwise the
    upstream's own.

Easily mistaken for
    protocol_mismatch   not HTTP at all
    script_error        an error text where the answer should be

What to check next
    The code or framework that writes this field, and values that come from
    users: a line break in one is a security hole, too (response splitting).
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "invalid_output"
CLASS = "application"
TITLE = "the application wrote invalid HTTP"
KINDS = frozenset({"invalid_status_line", "invalid_header", "invalid_chunk"})
YIELDS_TO = ("protocol_mismatch", "script_error")
AT_FAULT = None


def find(attempt: Attempt, _finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for an illegal octet."""
    violation = attempt.violation
    if violation is None:
        return None
    return Cause(
        NAME,
        CLASS,
        "medium",
        [cite(violation.point, f"{violation.why} (octet {violation.offset})")],
        "the same answer without this octet in a capture on the upstream: then something on the way changes it",
        f"Ask {attempt.upstream} directly and look at octet {violation.offset} of its answer: {violation.why}.",
    )
