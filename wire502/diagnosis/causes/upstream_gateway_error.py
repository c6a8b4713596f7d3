"""upstream_gateway_error: another gateway behind the upstream made the error.

What happened
    Behind the upstream stands another hop (a proxy, an ingress, a delivery
    network, a service mesh). The 5xx is its, or was passed on by it.

How wire502 knows
    A 502, 503 or 504 is what gateways send. Via, Server and the fields that
    caches and delivery networks add (X-Cache, CF-RAY, X-Served-By,
    X-Envoy-Upstream-Service-Time) tell which one it was.

Easily mistaken for
    script_error   the application's own error; some frameworks send a Server
                   field that names a web server

What to check next
    Repeat the search one hop further back: a capture between the upstream and
    what stands behind it, at the same second.
"""

from __future__ import annotations

from functools import lru_cache

from wire502.diagnosis.causes._notes import cite
from wire502.diagnosis.surroundings import Surroundings
from wire502.model.attempt import Attempt, Response
from wire502.model.finding import Finding
from wire502.model.verdict import Cause, Confidence

NAME = "upstream_gateway_error"
CLASS = "intermediary"
TITLE = "another gateway behind the upstream made the error"
KINDS = frozenset({"relayed_error"})
YIELDS_TO = ()
AT_FAULT = None

OF_GATEWAYS = (502, 503, 504, 520, 521, 522, 523, 524, 525, 526)


def find(attempt: Attempt, finding: Finding, _surroundings: Surroundings) -> Cause | None:
    """Return the cause for a relayed error that carries the marks of another hop."""
    response = attempt.response
    if response is None or response.status is None:
        return None
    marks = _marks(response)
    typical = response.status in OF_GATEWAYS
    if not marks and response.status not in (502, 504):
        return None
    sure: Confidence = "low"
    if typical and marks:
        sure = "high" if response.via is not None or response.marks else "medium"
    elif marks and (response.via is not None or response.marks):
        sure = "low"
    elif not typical:
        return None
    because = [cite(finding.point, f"status {response.status}{', which gateways send' if typical else ''}")]
    because += [cite(response.first, mark) for mark in marks]
    return Cause(
        NAME,
        CLASS,
        sure,
        because,
        "an application that sends this status and these fields itself",
        f"Go one hop further back: capture between {attempt.upstream} and what stands behind it.",
    )


def _marks(response: Response) -> list[str]:
    found = []
    if response.via is not None:
        found.append(f"Via: {response.via}")
    found += [f"{name}: {value}" for name, value in response.marks]
    if not found and response.server is not None and _is_gateway(response.server):
        found.append(f"Server: {response.server}")
    return found


@lru_cache(maxsize=64)
def _is_gateway(server: str) -> bool:
    """Whether a Server field names a product that is known as a gateway; no table is read for that."""
    from wire502.gateways import names

    product = server.lower().split("/")[0]
    return any(name == product for name in (*names(), "awselb", "ats", "cloudflare", "cloudfront", "openresty"))
