"""script_error: an error in the application's own code.

What happened
    The application answered with a 500 of its own, or an error text (a
    traceback, a page of HTML) stands where an HTTP answer should be.

How wire502 knows
    The status of a well-formed answer without the marks of another hop; or
    first octets that are a traceback or text.

Easily mistaken for
    upstream_gateway_error   the answer carries a Via, or a cache's fields
    protocol_mismatch        the text is another protocol's greeting

What to check next
    The application's error log at that second; the text itself, in the
    capture.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "script_error"
CLASS = "application"
TITLE = "an error in the application's code"
KINDS = frozenset({"relayed_error", "invalid_status_line"})
YIELDS_TO = ("upstream_gateway_error", "protocol_mismatch")
AT_FAULT = None

TEXTS: dict[str, tuple[str, Confidence]] = {
    "traceback": ("a traceback", "high"),
    "html": ("a page of HTML", "medium"),
    "text": ("plain text", "low"),
}
OWN = (500, 501, 505, 507, 508)


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a 500 of the application, or an error text instead of an answer."""
    response, violation = attempt.response, attempt.violation
    unless = "a gateway behind the upstream that made this answer"
    if finding.kind == "relayed_error":
        if response is None or response.status not in OWN:
            return None
        note = f"the upstream's own {response.status}" + (f", Server: {response.server}" if response.server else "")
        advice = f"Look into the application's log on {attempt.upstream} at that second."
        sure: Confidence = "low" if response.via or response.marks else "medium"
        return Cause(NAME, CLASS, sure, [cite(finding.point, note)], unless, advice)
    if violation is None or violation.looks_like not in TEXTS:
        return None
    what, sure = TEXTS[violation.looks_like]
    advice = f"Read the answer in the capture (frame {violation.point.frame}): it is {what}, and may name the error."
    return Cause(NAME, CLASS, sure, [cite(violation.point, f"{what} instead of an HTTP answer")], unless, advice)
