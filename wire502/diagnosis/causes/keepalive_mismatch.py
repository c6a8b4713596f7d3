"""keepalive_mismatch: the upstream's idle timeout is shorter than the gateway's.

What happened
    Both sides keep connections open between requests, each with a limit of
    its own. The upstream's is the shorter one: every now and then its close
    and the gateway's next request cross.

How wire502 knows
    The ACK number of the upstream's FIN or RST does not cover the request: it
    was sent before the request was read. How long the connection had been
    idle is compared with the other idle closes of this upstream: the same
    time again and again is a timeout. Against it stands the longest idle time
    after which the gateway used a connection again.

Easily mistaken for
    idle_drop         a middlebox forgot the connection, nobody closed it
    process_restart   idle connections of every age closed at one moment
    A close right after a response is a limit of requests a connection, or an
    upstream that does not keep connections at all.

What to check next
    Make the upstream's keep-alive timeout longer than the gateway's: then only
    the gateway closes idle connections, and nothing can cross.
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, median, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.around import Endpoint
from wire502.model.attempt import Attempt, Request
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence, Evidence

NAME = "keepalive_mismatch"
CLASS = "configuration"
TITLE = "the upstream's idle timeout is shorter than the gateway's"
KINDS = frozenset({"stale_keepalive"})
YIELDS_TO = ("injected_reset", "idle_drop", "process_restart")
AT_FAULT = None

LEAST_IDLE_NS = SECOND // 20  # a close so soon after a response is no idle timeout
NEAR_NS = SECOND // 5
LEAST_ALIKE = 2  # besides this one, to be sure of the timeout


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for a request that crossed the close of an idle connection."""
    request = attempt.request
    if request is None:
        return None
    flag = "RST" if attempt.upstream_rst is not None and attempt.upstream_rst.point == finding.point else "FIN"
    because = [cite(finding.point, f"{flag} of the upstream: its ACK number covers nothing of the request")]
    idle = None if attempt.idle_since is None else finding.point.time_ns - attempt.idle_since.time_ns
    endpoint = surroundings.endpoint()
    if idle is None or idle < LEAST_IDLE_NS:
        if idle is not None:
            because.append(cite(finding.point, f"closed {duration(idle)} after its last response"))
        advice = (
            f"See why {attempt.upstream} closes after a response: a limit of requests a connection, or no keep-alive."
        )
        return _cause("medium" if finding.confidence == "high" else "low", because, advice)
    near = max(NEAR_NS, idle // 20)
    ends = surroundings.endings(0, attempt.judged_at_ns, busy=False, waited_ns=(idle - near, idle + near))
    alike = sorted(one.waited_ns for one in ends if one.exchanges)
    measured = sorted([*alike, idle])
    timeout, spread = int(median(measured)), (measured[-1] - measured[0]) // 2
    told = duration(timeout)
    if alike:
        told += f" ± {duration(spread)} ({times(len(measured), 'close')})"
    because.append(cite(finding.point, f"the upstream closes idle connections after {told}"))
    used = request.first.time_ns - (attempt.idle_since.time_ns if attempt.idle_since is not None else 0)
    longest = max(used, endpoint.reuse_ns, endpoint.kept_ns)
    because.append(_gateway(request, endpoint, longest, used))
    sure: Confidence = "high" if len(alike) >= LEAST_ALIKE and finding.confidence == "high" else "medium"
    advice = (
        f"The upstream closes after {told}, the gateway keeps connections for up to {duration(longest)}: set the "
        f"upstream's keep-alive above the gateway's, or the gateway's below {duration(measured[0])}."
    )
    return _cause(sure, because, advice)


def _gateway(request: Request, endpoint: Endpoint, longest: int, used: int) -> Evidence:
    if endpoint.kept is not None and endpoint.kept_ns == longest:
        return cite(endpoint.kept, f"the gateway itself closes idle ones only after {duration(longest)}")
    point = endpoint.reuse if endpoint.reuse is not None and longest > used else request.first
    return cite(point, f"the gateway uses connections again after up to {duration(longest)}")


def _cause(sure: Confidence, because: list[Evidence], advice: str) -> Cause:
    unless = "closes of idle connections by this upstream after other times, or many of them at one moment"
    return Cause(NAME, CLASS, sure, because, unless, advice)
