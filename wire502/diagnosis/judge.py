"""The judge: every kind is asked, the earliest decisive frame wins, at the same frame the finer kind."""

from __future__ import annotations

from collections.abc import Sequence

from wire502.diagnosis import confidence, fault, wording
from wire502.diagnosis.surroundings import NoSurroundings, Surroundings
from wire502.kinds import (
    all_kinds,
    asked_of,
    blind,
    finished,
    gateway_owes,
    nobody_asked,
    order,
    pause,
    request_unseen,
    tolerated,
)
from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context
from wire502.model.finding import Finding, Verdict
from wire502.model.records import changed
from wire502.model.verdict import QUIET_KINDS, Evidence

_NOTHING = NoSurroundings()
WITHOUT_ATTEMPT = ("no_attempt", "connect_unreachable")  # the latter by address requests alone


def judge(attempt: Attempt, context: Context, surroundings: Surroundings = _NOTHING) -> Verdict:
    """Return the verdict on *attempt*: a failure, healthy, or open with why it is unknown.

    The same attempt always gets the same verdict; the attempt is not changed.
    """
    attempt = _look_around(attempt, surroundings)
    oddities = _oddities(attempt)
    kinds = all_kinds()
    asked = [kinds[name] for name in WITHOUT_ATTEMPT] if attempt.unattempted else asked_of(attempt, context)
    found = [kind.failure_point(attempt, context) for kind in asked]
    finding = decide([one for one in found if one is not None])
    if finding is not None and finding.kind == "connect_refused" and surroundings.scanning(attempt):
        oddities.append("port_scan")
        return Verdict("healthy", oddities=oddities)
    if finding is None:
        why = _why_unknown(attempt)
        return Verdict("open" if why else "healthy", why_unknown=why, oddities=oddities)
    sure, caveats = confidence.weigh(attempt, finding)
    return Verdict(
        "failure",
        finding,
        at_fault=fault.at_fault(attempt, finding),
        confidence=sure,
        caveats=caveats,
        alternatives=list(finding.alternatives),
        evidence=_evidence(attempt, finding),
        summary=wording.summary(attempt, finding, all_kinds()[finding.kind].title),
        masked=_masked(attempt, finding),
        oddities=oddities,
    )


def decide(findings: Sequence[Finding]) -> Finding | None:
    """Return the finding whose frame came first; at the same frame the one that refines the others."""
    if not findings:
        return None
    first = min(order(finding.point) for finding in findings)
    same = [finding for finding in findings if order(finding.point) == first]
    kinds = all_kinds()
    refined = {name for finding in same for name in kinds[finding.kind].refines}
    finest = [finding for finding in same if finding.kind not in refined] or same
    return min(finest, key=lambda finding: finding.kind)


def _look_around(attempt: Attempt, surroundings: Surroundings) -> Attempt:
    """Return the attempt, told whether another one ended after the same wait."""
    wait = None if attempt.similar_silence or surroundings is _NOTHING else pause(attempt)
    if wait is None or wait.until is None:
        return attempt
    if any(surroundings.similar_silence(length / 1e9, attempt.stream) for length in sorted({*wait.lengths[:2]})):
        return changed(attempt, similar_silence=True)
    return attempt


def _oddities(attempt: Attempt) -> list[str]:
    seen = list(attempt.oddities) if attempt.oddities else []
    violation = attempt.violation
    if violation is not None:
        seen.append(f"invalid_{violation.part}")
    if attempt.upstream_rst is not None and attempt.upstream_rst.accepted is False:
        seen.append("ignored_reset")
    if attempt.handshake.refused is not None and nobody_asked(attempt):
        seen.append("refused_without_client_request")
    return sorted(set(seen)) if seen else seen


def _masked(attempt: Attempt, finding: Finding) -> bool:
    """Whether the client saw no error: another attempt made this one good."""
    if finding.kind in QUIET_KINDS:
        return False
    if attempt.later_success is not None:
        return True
    client = attempt.client
    if client is None or client.outcome != "complete" or (client.status or 500) >= 500:
        return False
    # A response whose head came was begun for this client: only another attempt can have made good what was cut.
    begun = attempt.response is not None and attempt.response.head_end is not None
    return not begun or attempt.next_attempt is not None


def _evidence(attempt: Attempt, finding: Finding) -> list[Evidence]:
    """Return what the finding cites in the order of the wire, the failure point always among it."""
    cited: dict[Point, str] = {}
    for point, note in finding.evidence:
        cited[point] = f"{cited[point]}; {note}" if point in cited and note not in cited[point] else note
    cited.setdefault(finding.point, all_kinds()[finding.kind].title)
    if attempt.overlap_conflict is not None:
        first, second = attempt.overlap_conflict
        cited.setdefault(first, "first copy of octets that came twice")
        cited.setdefault(second, "second copy, with other octets")
    return [Evidence(point.frame, cited[point], point.file) for point in sorted(cited, key=order)]


def _why_unknown(attempt: Attempt) -> str:
    """Return why nothing can be said of an attempt without a finding; empty when nothing is wrong with it."""
    shake = attempt.handshake
    if finished(attempt.response) or attempt.upgraded or tolerated(attempt) or shake.refused is not None:
        return ""
    if attempt.request is None and attempt.response is None:
        return _why_unconnected(attempt)
    if not attempt.is_http:
        return _why_opaque(attempt)
    hidden = blind(attempt, attempt.upstream_rst or attempt.upstream_fin)
    if hidden is not None:
        return hidden
    return _why_unfinished(attempt)


def _why_unconnected(attempt: Attempt) -> str:
    shake = attempt.handshake
    if attempt.exchange == 0 and not attempt.reused and request_unseen(attempt.upstream_rst):
        return "the request is not in the capture"
    if shake.done or shake.ack is not None or not shake.syns:
        return ""  # opened and never used, or closed while idle
    if attempt.one_sided is not None:
        return "only one direction of the connection is in the capture"
    if attempt.evicted:
        return "the connection was dropped from memory under load before it was answered"
    return "the SYN was not answered, and nothing shows that the gateway gave up on it"


def _why_opaque(attempt: Attempt) -> str:
    if attempt.evicted:
        return "the connection was dropped from memory under load before it ended"
    ended = attempt.upstream_fin or attempt.upstream_rst or attempt.gateway_fin or attempt.gateway_rst
    if attempt.unanswered_since is None or ended is not None:
        return ""
    return "the last octets of the gateway were not answered when the capture ended"


def _why_unfinished(attempt: Attempt) -> str:
    if attempt.one_sided is not None:
        return "only one direction of the connection is in the capture"
    if attempt.streaming and attempt.response is not None:
        return "a stream that is meant to stay open, and nothing ended it"
    if gateway_owes(attempt):
        return "the request was still being sent"
    if attempt.violation is not None and attempt.client is not None and attempt.client.hidden:
        return "the response breaks the grammar, and what the client got is not in the capture"
    waiting = "the response had not begun" if attempt.response is None else "the response was not complete"
    if attempt.clock_step is not None:
        return f"{waiting}, and the clock of the capture jumped during the wait"
    if attempt.capture_ended:
        return f"{waiting} when the capture ended"
    return f"{waiting}, and no frame shows what became of it"
