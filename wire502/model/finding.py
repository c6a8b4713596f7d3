"""What a failure kind says of one attempt, and what the judge makes of it."""

from __future__ import annotations

from typing import Literal

from wire502.model.attempt import Point
from wire502.model.records import field, record
from wire502.model.verdict import Alternative, AtFault, Confidence, Evidence


@record()
class Wait:
    """A silence that decided something: when it began, what ended it (None: the end of the capture)."""

    since: Point
    until: Point | None
    seconds: float


@record()
class Finding:
    """One kind's claim: at this frame the attempt became hopeless, and these frames show it."""

    kind: str
    point: Point
    offset: int | None = None  # octets of the response direction received in order before the point
    until: Wait | None = None
    confidence: Confidence = "high"
    sender: str | None = None  # endpoint or address that sent the frame, where the kind does not say it
    evidence: list[tuple[Point, str]] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    at_fault: AtFault | None = None  # only where the kind knows better than the default table
    numbers: dict[str, float] = field(default_factory=dict)  # figures for the summary sentence


@record()
class Verdict:
    """The judge's word on one attempt.

    ``finding`` is set exactly when ``outcome`` is ``failure``; ``why_unknown`` exactly when it is ``open``.
    """

    outcome: Literal["failure", "healthy", "open"]
    finding: Finding | None = None
    at_fault: AtFault = "unknown"
    confidence: Confidence = "high"
    caveats: list[str] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    summary: str = ""
    masked: bool = False
    why_unknown: str = ""
    oddities: list[str] = field(default_factory=list)
