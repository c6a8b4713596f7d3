"""What a client got for it: an incident out of a client's error and the failures behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wire502.diagnosis.wording import shorten
from wire502.model.attempt import Attempt, ClientView
from wire502.model.verdict import QUIET_KINDS, Confidence, Failure, Incident, IncidentRequest, Time

_GOT = {
    "cut": "a response that was cut short",
    "closed_without_response": "no response: its connection was closed",
    "reset": "no response: its connection was reset",
    "pending": "nothing until it gave up waiting",
}


def decisive(failures: Sequence[Failure]) -> Failure | None:
    """Return the failure that decided what the client got: the last one that nothing made good."""
    loud = [failure for failure in failures if failure.kind not in QUIET_KINDS]
    standing = [failure for failure in loud if not failure.masked] or loud or list(failures)
    return standing[-1] if standing else None


def to_incident(
    ident: str, attempt: Attempt, failures: Sequence[Failure], tried: int, alike: Mapping[str, int]
) -> Incident:
    """Return the incident *ident* of a client whose request is that of *attempt*.

    *failures* are the failed attempts behind it in the order in which they began, *tried* the number of upstream
    exchanges that carried it, failed or not; *alike* counts, where none of these is known to be its own, how those
    ended that may be. Raises ``ValueError`` without a client's view.
    """
    client, request = attempt.client, attempt.request
    if client is None or request is None:
        raise ValueError("an incident needs a client and its request")
    verdict = decisive(failures)
    several = dict(sorted(alike.items())) if verdict is None and set(alike) != {"none"} else {}
    kind = verdict.kind if verdict is not None else next(iter(several)) if len(several) == 1 else None
    confidence: Confidence = verdict.confidence if verdict is not None else "low"
    seen, cut = client.answer or client.point, client.outcome == "cut"
    return Incident(
        id=ident,
        client_status=client.status,
        outcome=client.outcome,
        frame=seen.frame,
        file=seen.file,
        time=Time(seen.time_ns),
        client=client.connection,
        request=IncidentRequest(
            frame=client.request_point.frame,
            method=request.method,
            target=request.target,
            host=request.host,
            id=request.id,
            file=client.request_point.file,
        ),
        attempts=[failure.id for failure in failures],
        verdict=None if verdict is None else verdict.id,
        confidence=confidence,
        summary=_sentence(attempt, client, verdict, failures, tried, several),
        kind=kind,
        end_frame=client.point.frame if cut else None,
        end_time=Time(client.point.time_ns) if cut else None,
        ambiguous=several,
        end_file=client.point.file,
    )


def _sentence(
    attempt: Attempt,
    client: ClientView,
    verdict: Failure | None,
    failures: Sequence[Failure],
    tried: int,
    several: Mapping[str, int],
) -> str:
    request = attempt.request
    asked = "its request" if request is None else f"{request.method} {shorten(request.target)}"
    if client.outcome == "error":
        got = "what is no HTTP response" if client.status is None else f"{client.status}"
    else:
        got = _GOT.get(client.outcome, client.outcome)
    who = f"Client {client.connection} got {got} for {asked}"
    if verdict is not None:
        after = "" if len(failures) < 2 else f" after {len(failures)} failed attempts, the last one"
        return f"{who}{after}: {verdict.summary}"
    if several:
        number = sum(several.values())
        how = ", ".join(f"{count} {'none' if kind == 'none' else kind}" for kind, count in several.items())
        if number == 1:
            return f"{who}; one like attempt failed then ({how}), but it may belong to another client's request."
        all_alike = f"all of which failed alike ({next(iter(several))})" if len(several) == 1 else f"which ended: {how}"
        return f"{who}; it is one of {number} like attempts that cannot be told apart, {all_alike}."
    if tried:
        return f"{who}, although nothing failed on the upstream leg."
    return f"{who}; the attempt behind it is not in the capture."
