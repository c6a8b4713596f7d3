"""Who is at fault: the default table of the vocabulary, which a cause may override later."""

from __future__ import annotations

from collections.abc import Callable

from wire502.kinds import lost_on_wire, seen_end
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import AtFault

KNEW_NS = 1_000_000_000  # a gateway that acknowledged the FIN so long before knew that the connection was closing
DELAYED_NS = 500_000_000  # by which an acknowledgement may be late
IDLE_NS = 1_000_000_000  # a request that paused so long waited for the client, or for the gateway


def at_fault(attempt: Attempt, finding: Finding) -> AtFault:
    """Return who is at fault for *finding* by default."""
    if not knows_opener(attempt):
        return "unknown"
    if finding.at_fault is not None:
        return finding.at_fault
    return _TABLE.get(finding.kind, _upstream)(attempt, finding)


def knows_opener(attempt: Attempt) -> bool:
    """Whether it is sure who opened the connection: begun mid-connection, it is the one that sent a request head."""
    request = attempt.request
    return attempt.opener_known or (request is not None and request.http and bool(request.method))


def _upstream(_attempt: Attempt, _finding: Finding) -> AtFault:
    return "upstream"


def _network(_attempt: Attempt, _finding: Finding) -> AtFault:
    return "network"


def _gateway(_attempt: Attempt, _finding: Finding) -> AtFault:
    return "gateway"


def _client(_attempt: Attempt, _finding: Finding) -> AtFault:
    return "client"


def _connect_timeout(attempt: Attempt, _finding: Finding) -> AtFault:
    return "upstream" if attempt.neighbour_answered is not None else "unknown"


def _stale(attempt: Attempt, _finding: Finding) -> AtFault:
    acked, request, fin = attempt.gateway_fin_ack_of_upstream_fin, attempt.request, attempt.upstream_fin
    if acked is None or request is None or fin is None:
        return "upstream"
    if request.first.time_ns - acked.time_ns > KNEW_NS:
        return "gateway"
    # Seen to be acknowledged only by the request itself: a host does that at once, so the capture missed when it did.
    knew = acked == request.first and request.first.time_ns - fin.point.time_ns > KNEW_NS + DELAYED_NS
    return "gateway" if knew else "upstream"


def _mid_request(attempt: Attempt, finding: Finding) -> AtFault:
    """The upstream, unless it had all that was sent and waited for the rest: then whoever kept it waiting."""
    request = attempt.request
    closing = attempt.upstream_fin if finding.kind.startswith("fin") else attempt.upstream_rst
    if request is None or request.whole or closing is None:
        return "upstream"
    acked = closing.acks if closing.acks is not None else attempt.upstream_acked
    if acked is None or acked < request.end or attempt.response is not None:
        return "upstream"
    if attempt.client is not None and attempt.client.idle:
        return "client"
    idle = finding.point.time_ns - request.last.time_ns >= IDLE_NS
    return "gateway" if idle and not attempt.client_leg_seen else "upstream"


def _stall_of_request(attempt: Attempt, finding: Finding) -> AtFault:
    request = attempt.request
    if finding.kind == "stall_mid_request" and attempt.upstream_window_zero is not None:
        return "upstream"
    if lost_on_wire(attempt):
        return "network"
    if request is not None and attempt.upstream_acked is not None and attempt.upstream_acked >= request.end:
        return "upstream"
    return "network" if attempt.request_retransmissions else "unknown"


def _stall_of_response(attempt: Attempt, _finding: Finding) -> AtFault:
    end = seen_end(attempt)
    if lost_on_wire(attempt):
        return "network"
    if attempt.gateway_acked is not None and end is not None and attempt.gateway_acked >= end:
        return "upstream"
    return "network" if attempt.response_retransmissions else "unknown"


_TABLE: dict[str, Callable[[Attempt, Finding], AtFault]] = {
    "connect_timeout": _connect_timeout,
    "connect_unreachable": _network,
    "stale_keepalive": _stale,
    "rst_mid_request": _mid_request,
    "fin_mid_request": _mid_request,
    "stall_mid_request": _stall_of_request,
    "stall_before_response": _stall_of_request,
    "stall_mid_headers": _stall_of_response,
    "stall_mid_body": _stall_of_response,
    "gateway_abort": _gateway,
    "client_abort": _client,
}
