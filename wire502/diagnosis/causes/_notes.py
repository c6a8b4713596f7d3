"""What the causes share: evidence, durations, and a few facts of an attempt that several ask for."""

from __future__ import annotations

from collections.abc import Sequence

from wire502.diagnosis.wording import duration
from wire502.model.attempt import Attempt, Closing, Point
from wire502.model.finding import Finding
from wire502.model.verdict import Evidence

SECOND = 1_000_000_000

__all__ = [
    "SECOND",
    "cite",
    "deciding_rst",
    "duration",
    "host_of",
    "is_round",
    "median",
    "never_acked",
    "times",
    "whole_acked",
]


def cite(point: Point, note: str) -> Evidence:
    """Return an observation."""
    return Evidence(point.frame, note, point.file)


def times(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is due."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def median(values: Sequence[int]) -> float:
    """Return the middle of *values*, of which there is at least one; ``statistics`` takes long to load."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def host_of(endpoint: str) -> str:
    """Return the address of an endpoint text, with or without a port (IPv6 has brackets if it has one)."""
    address, _, port = endpoint.rpartition(":")
    return endpoint if not port.isdigit() or (":" in address and not address.endswith("]")) else address


def deciding_rst(attempt: Attempt, finding: Finding) -> Closing | None:
    """Return the upstream's RST when it is what ended the attempt."""
    rst, fin = attempt.upstream_rst, attempt.upstream_fin
    if rst is None or rst.accepted is False or not finding.kind.startswith(("rst_", "stale_")):
        return None
    return None if fin is not None and fin.point.time_ns <= rst.point.time_ns else rst


def whole_acked(attempt: Attempt) -> bool:
    """Whether the upstream's kernel acknowledged the whole request."""
    request, acked = attempt.request, attempt.upstream_acked
    return request is not None and request.whole and acked is not None and acked >= request.end


def never_acked(attempt: Attempt) -> bool:
    """Whether octets of the request were sent again, and some of it was never acknowledged."""
    request, acked = attempt.request, attempt.upstream_acked
    return request is not None and attempt.request_retransmissions > 0 and (acked is None or acked < request.end)


def is_round(ns: int) -> bool:
    """Whether a length of time lies so close above whole seconds that a timer is likely."""
    return ns >= SECOND and ns % SECOND <= max(100_000_000, ns // 50)
