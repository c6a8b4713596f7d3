"""How sure a verdict is: what the capture did not see takes confidence away, and is said."""

from __future__ import annotations

from wire502.diagnosis.fault import knows_opener
from wire502.model.attempt import Attempt
from wire502.model.finding import Finding
from wire502.model.verdict import CONFIDENCES, Confidence

# Kinds that say "nothing came": a packet that the capture lost may have been that something.
ABSENCE = ("connect_timeout", "fin_before_response", "rst_before_response", "stall_")
WAITS = ("connect_timeout", "stall_")  # kinds that rest on the clock


def lower(confidence: Confidence) -> Confidence:
    """Return the confidence one step lower."""
    return CONFIDENCES[max(0, CONFIDENCES.index(confidence) - 1)]


def least(first: Confidence, second: Confidence) -> Confidence:
    """Return the lower of two confidences."""
    return CONFIDENCES[min(CONFIDENCES.index(first), CONFIDENCES.index(second))]


def weigh(attempt: Attempt, finding: Finding) -> tuple[Confidence, list[str]]:
    """Return the confidence in *finding*, and every caveat that goes with it."""
    confidence, caveats = finding.confidence, list(finding.caveats)
    if not attempt.is_http:
        confidence = least(confidence, "medium")
        caveats.append("the connection does not carry plain HTTP: only transport facts were judged")
    if not knows_opener(attempt):
        confidence = least(confidence, "medium")
        caveats.append("who opened the connection is a guess, so who is at fault is not said")
    if attempt.handshake.mid_connection:
        caveats.append("the capture begins in the middle of this connection")
        if finding.kind == "stale_keepalive":
            confidence = least(confidence, "medium")
    if attempt.one_sided is not None:
        confidence = least(confidence, "medium")
        caveats.append("only one direction of the connection is in the capture")
    confidence = _weigh_gaps(attempt, confidence, caveats)
    confidence = _weigh_losses(attempt, finding, confidence, caveats)
    if attempt.request is not None and attempt.request.cut:
        confidence = least(confidence, "medium")
        caveats.append("parts of the request are not in the capture: where it ends is not certain")
    if attempt.snaplen_cut:
        caveats.append("packets were cut by the snap length: their contents were not seen in full")
    if attempt.unkept:
        caveats.append("too many octets waited for a missing segment to be kept: what they said was not read")
    if attempt.clock_step is not None:
        caveats.append("the clock of the capture jumped near this attempt")
        if finding.kind.startswith(WAITS):
            confidence = "low"
    if attempt.overlap_conflict is not None:
        confidence = lower(confidence)
        caveats.append("a retransmission carried other octets than the first copy: the first was taken")
    if attempt.evicted:
        confidence = "low"
        caveats.append("the connection was dropped from memory under load")
    return confidence, caveats


def _weigh_losses(attempt: Attempt, finding: Finding, confidence: Confidence, caveats: list[str]) -> Confidence:
    if attempt.dropped_sometime > 0:
        lost = _packets(attempt.dropped_sometime)
        caveats.append(f"the capture lost {lost} and does not say when: perhaps around this moment")
    if attempt.dropped_nearby <= 0:
        return confidence
    caveats.append(f"the capture lost {_packets(attempt.dropped_nearby)} around this moment")
    return lower(confidence) if finding.kind.startswith(ABSENCE) else confidence


def _packets(number: int) -> str:
    return "1 packet" if number == 1 else f"{number} packets"


def _weigh_gaps(attempt: Attempt, confidence: Confidence, caveats: list[str]) -> Confidence:
    holes = [gap for gap in attempt.gaps if gap.label != "wire"]
    if not holes:
        return confidence
    count = sum(gap.octets for gap in holes)
    caveats.append(f"{'1 octet' if count == 1 else f'{count} octets'} of this connection are not in the capture")
    if any(gap.before_close and not gap.from_gateway for gap in holes):
        caveats.append("the capture has a hole right before the end of the connection")
        return "low"
    return confidence
