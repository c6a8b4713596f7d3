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
from wire502.diagnosis.causes._notes import cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "process_restart"
CLASS = "downtime"
TITLE = "the upstream's process was restarted"
YIELDS_TO = ("injected_reset", "firewall_reject")
AT_FAULT = None

MANY = 3  # other closes at one moment that are a hint by themselves, if they are ...
MOST = 0.8  # ... so many of all that were open


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause when many connections ended at once, and the endpoint came back."""
    outage: _outage.Outage | None = None
    refused = attempt.handshake.refused
    if finding.kind == "connect_refused" and refused is not None:
        outage = _outage.around_refusal(refused, surroundings)
    elif finding.kind.startswith(("rst_", "fin_", "stale_")):
        outage = _outage.around_close(finding.point, surroundings)
    if outage is None:
        return None
    sure = _confidence(outage)
    if sure is None:
        return None
    because = [cite(one.point, f"stream {one.stream} was closed by the upstream, too") for one in outage.closed[:3]]
    if len(outage.closed) > len(because):
        because[-1].note += f", and {len(outage.closed) - len(because)} more"
    gone = ""
    if outage.refusals is not None and outage.refusals.well is not None:
        run, well = outage.refusals, outage.refusals.well
        lasted = duration(well.time_ns - run.since.time_ns)
        gone = f" (gone for {lasted})"
        because.append(cite(run.since, f"then it refused for {lasted} ({times(run.number, 'refusal')})"))
        because.append(cite(well, "then it accepted connections again"))
    return Cause(
        NAME,
        CLASS,
        sure,
        because,
        "connections of the same upstream that lived on through that moment",
        f"Compare with deploys and restarts of {attempt.upstream} at that second{gone}; drain it before it is stopped.",
    )


def _confidence(outage: _outage.Outage) -> Confidence | None:
    many = len(outage.closed) >= _outage.LEAST
    if outage.refusals is None:
        together = len(outage.closed) + 1 >= MOST * max((one.open_before for one in outage.closed), default=0)
        return "low" if len(outage.closed) >= MANY and together else None
    if outage.refusals.well is None:
        return None  # process_down
    return "high" if many else "medium"
