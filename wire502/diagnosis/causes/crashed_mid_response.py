"""crashed_mid_response: what handled this request ended in mid-answer.

What happened
    The answer had begun and was never finished: an error while streaming, a
    killed worker, a Content-Length that promised more than was written.

How wire502 knows
    The upstream closed short of its own framing, everything up to there had
    arrived, and nothing points to a restart of the whole process or to a
    stranger on the way.

Easily mistaken for
    process_restart, injected_reset
    Always short by the same count: the length is computed wrongly (octets
    against characters, before against after compression).

What to check next
    The upstream's log at that second; whether the same request is always cut,
    and at the same octet.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite, duration
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause

NAME = "crashed_mid_response"
CLASS = "application"
TITLE = "what handled the request ended in mid-answer"
KINDS = frozenset({"fin_mid_headers", "rst_mid_headers", "fin_mid_body", "rst_mid_body"})
YIELDS_TO = ("process_restart", "process_down", "injected_reset", "idle_drop")
AT_FAULT = None


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a response that its own sender cut."""
    response = attempt.response
    if response is None:
        return None
    how = "RST" if finding.kind.startswith("rst") else "FIN"
    if finding.kind.endswith("headers"):
        note = f"{how} after {response.head_bytes} octets of the head"
    elif response.expected_body_bytes is not None:
        note = f"{how} after {response.body_bytes} of {response.expected_body_bytes} body octets"
    else:
        note = f"{how} after {response.body_bytes} octets of the body, without its end"
    after = duration(finding.point.time_ns - response.last.time_ns)
    lossy = any(gap.label != "wire" for gap in attempt.gaps) or attempt.dropped_nearby
    return Cause(
        NAME,
        CLASS,
        "low" if lossy else "medium",
        [cite(finding.point, f"{note}, {after} after the last of them")],
        "other connections that ended at the same moment: then it was the whole process",
        f"Look into the log of {attempt.upstream} at that second; see whether this answer is always cut at this octet.",
    )
