"""process_restart: the upstream's process was restarted.

What happened
    All its connections ended at one moment, whatever they were doing; for a
    while the port refused; then it served again.

How wire502 knows
    Other connections to the same endpoint that it closed within a tenth of a
    second, with requests open on them or idle for different times; refusals
    right after; the first SYN-ACK that followed. Without refusals, the end of
    nearly all its connections at once is a hint only: a new process may have
    taken over the listening socket.

Easily mistaken for
    keepalive_mismatch         idle connections of the same age
    crashed_before_response    one connection only, the others go on

What to check next
    Deploys and the service manager's log at that second. A drain before the
    stop (fail the health check, wait, then stop) would have spared these
    requests.
"""

from __future__ import annotations

from wire502.diagnosis.causes import _outage
from wire502.diagnosis.causes._kinds import FINS, RESETS
from wire502.diagnosis.causes._notes import cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.around import Ending, Refusals
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "process_restart"
CLASS = "downtime"
TITLE = "the upstream's process was restarted"
KINDS = RESETS | FINS | {"connect_refused", "stale_keepalive"}
YIELDS_TO = ("injected_reset", "firewall_reject")
AT_FAULT = None

MANY = 3  # other closes at one moment that are a hint by themselves, if they are ...
MOST = 0.8  # ... so many of all that were open


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when many connections ended at once, and the endpoint came back."""
    refused = finding.kind == "connect_refused"
    run = _outage.refusals(attempt, finding, surroundings)
    if (run is None and refused) or (run is not None and run.well is None):
        return None  # nothing_listening, process_down
    closed = _outage.closed_together(finding, run, surroundings)
    sure = _confidence(closed, run)
    if sure is None:
        return None
    because = [cite(one.point, f"stream {one.stream} was closed by the upstream, too") for one in closed[:3]]
    if len(closed) > len(because):
        because[-1].note += f", and {len(closed) - len(because)} more"
    gone = ""
    if run is not None and run.well is not None:
        lasted = duration(run.well.time_ns - run.since.time_ns)
        gone = f" (gone for {lasted})"
        because.append(cite(run.since, f"then it refused for {lasted} ({times(run.number, 'refusal')})"))
        because.append(cite(run.well, "then it accepted connections again"))
    return Cause(
        NAME,
        CLASS,
        sure,
        because,
        "connections of the same upstream that lived on through that moment",
        f"Compare with deploys and restarts of {attempt.upstream} at that second{gone}; drain it before it is stopped.",
    )


def _confidence(closed: list[Ending], run: Refusals | None) -> Confidence | None:
    if run is not None:
        return "high" if len(closed) >= _outage.LEAST else "medium"
    at_once = max((one.open_before for one in closed), default=0)  # one after the other are retries, no restart
    return "low" if len(closed) >= MANY and MANY <= at_once <= (len(closed) + 1) / MOST else None
