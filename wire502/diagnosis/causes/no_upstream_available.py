"""no_upstream_available: the gateway had no upstream left that it would ask.

What happened
    The gateway answered by itself. Mostly all upstreams of the group were
    marked down after earlier failures, or failed their health checks; else no
    route, no name, no free local port.

How wire502 knows
    The client got an error and no packet went upstream, though the capture
    would have shown it. Failures shortly before tell why the upstreams were
    marked down; else the gateway's own page may say it: no healthy upstream,
    overflow (a circuit breaker), a name that did not resolve; Age or X-Cache
    show an error out of a cache; very many connections to one upstream may
    have used up the local ports.

Easily mistaken for
    An error page that the gateway is configured to give (return 503), a
    request that it refused for itself.

What to check next
    The failures before this one; then max_fails and fail_timeout (nginx), or
    the health checks (HAProxy's state page).
"""

from __future__ import annotations

from wire502.diagnosis.causes._notes import SECOND, cite, duration, times
from wire502.diagnosis.surroundings import Surroundings
from wire502.model import head_fields
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import QUIET_KINDS, Cause, Confidence

NAME = "no_upstream_available"
CLASS = "configuration"
TITLE = "the gateway had no upstream to ask"
KINDS = frozenset({"no_attempt"})
YIELDS_TO = ()
AT_FAULT = None

SHORTLY_NS = 30 * SECOND
PORTS = 20_000  # connections to one endpoint that may have used up the local ports (28,232 by default on Linux)
PAGE = 4096
UNLESS = "a rule of the gateway that answers such requests by itself"

# What pages and header fields of gateways say of themselves, in lower case, and which reading they speak for.
_SAYS = (
    ("a name that did not resolve", (b"err_dns_fail", b"dns_resolution_fail", b"unable to determine ip address",
                                     b"name resolution", b"no such host", b"cannot find server by name",
                                     b"unknown host", b"dns lookup failure")),
    ("a circuit breaker", (b"reset reason: overflow", b"x-envoy-overloaded", b"circuit breaker")),
    ("no live upstream", (b"no healthy upstream", b"no server is available to handle this request",
                          b"no available server", b"err_cannot_forward")),
)  # fmt: skip
_ADVICE = {
    "a name that did not resolve": "Check the name of the upstream and the DNS server of the gateway.",
    "a circuit breaker": "Compare the limits of the cluster (connections, pending requests) with the load; they broke.",
    "no live upstream": "See which health checks or failures took the upstreams out of the pool.",
    "a cached failure": "See how long the gateway keeps errors (proxy_cache_valid, negative TTL), and purge this one.",
    "local ports used up": "Reuse connections to the upstream, widen ip_local_port_range, or add addresses.",
}
_LOG = "See the gateway's error log at that second: no live upstream, no name, no route, or no free port."


def find(attempt: Attempt, finding: Finding, surroundings: Surroundings) -> Cause | None:
    """Return the cause for an error without any attempt, with what speaks for each reading."""
    now = finding.point.time_ns
    before = [
        one
        for one in surroundings.failures()
        if one.upstream and one.kind not in QUIET_KINDS and 0 <= now - one.point.time_ns <= SHORTLY_NS
    ]
    status = attempt.client.status if attempt.client is not None else None
    answer = "an error" if status is None else f"{status}"
    because = [cite(finding.point, f"the gateway answered {answer} by itself")]
    told = _told(attempt)
    because += [cite(finding.point, f"for {reading}: {why}") for reading, why in told]
    sure: Confidence = "high" if told else "low"
    advice = _ADVICE[told[0][0]] if told else _LOG
    if before:
        last = before[-1]
        ago = duration(now - last.point.time_ns)
        note = f"{last.kind} of {last.upstream} {ago} before, one of {times(len(before), 'failure')}"
        because.append(cite(last.point, f"for no live upstream: {note}"))
        if not told:
            sure = "medium"
            advice = f"Start with {times(len(before), 'failure')} in the 30 s before, the last one of {last.upstream}."
    busiest = surroundings.busiest()
    if busiest is not None and busiest.connections >= PORTS:
        note = f"{busiest.connections:,} connections to {busiest.name} so far"
        because.append(cite(finding.point, f"for local ports used up: {note}"))
        if not told and not before:
            sure, advice = "medium", _ADVICE["local ports used up"]
    return Cause(NAME, CLASS, sure, because, UNLESS, advice)


def _told(attempt: Attempt) -> list[tuple[str, str]]:
    """Return the readings for which the gateway's own answer speaks, and what in it does."""
    head, page = attempt.own_answer or (b"", b"")
    text = (head + b"\n" + page[:PAGE]).lower()
    found = [
        (reading, f"its answer says {word.decode()!r}")
        for reading, words in _SAYS
        for word in [next((word for word in words if word in text), None)]
        if word is not None
    ]
    fields = dict(head_fields.marks(head))
    if fields.get("age", "0").strip("0 ") or "hit" in fields.get("x-cache", "").lower():
        field = "Age" if fields.get("age", "0").strip("0 ") else "X-Cache"
        found.insert(0, ("a cached failure", f"{field}: {fields[field.lower()]} in its answer"))
    return found
