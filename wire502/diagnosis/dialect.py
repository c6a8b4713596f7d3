"""What the gateway at hand makes of a failure, and whether the client's answer agrees with it."""

from __future__ import annotations

from typing import TypedDict

from wire502.gateways import Answer, Case, Gateway, cases, load, names
from wire502.model.verdict import ClientRef, Failure, GatewayView

UNREPEATABLE = frozenset({"POST", "PATCH", "LOCK", "CONNECT"})
_MODULES = {"fastcgi": "fastcgi", "uwsgi": "uwsgi", "h2": "grpc", "http/2": "grpc"}


def views(failure: Failure, gateway: str | None, client: ClientRef | None) -> dict[str, GatewayView]:
    """Return what *gateway* (``NAME`` or ``NAME:VERSION``) answers and logs for *failure*, by its name.

    Empty when the gateway is not known, or says nothing of this kind. ``agrees`` is None where the client's answer
    proves nothing: it was not seen, another attempt gave it, or the client had left.
    """
    name, _, version = (gateway or "").partition(":")
    if name not in names():
        return {}
    found = answers(load(name), failure, version or None)
    if not found[0].known:
        return {}
    told = [(answer, agrees(answer, failure, client)) for answer in found]
    answer, agreed = next(((answer, yes) for answer, yes in told if yes), told[0])
    return {name: GatewayView(status_of(answer, failure), log_of(answer), agreed)}


def answers(gateway: Gateway, failure: Failure, version: str | None = None) -> list[Answer]:
    """Return the answers that the facts of *failure* leave open, the usual one first.

    The frames do not always tell whether the request was the first of its client connection: then each way counts.
    """
    module = _MODULES.get(failure.protocol, "http")
    known = facts(failure)
    found: list[Answer] = []
    for reused in (None, True, False):
        answer = gateway.answer(failure.kind, reused_client=reused, version=version, module=module, **known)
        if answer not in found:
            found.append(answer)
    return found


class Facts(TypedDict):
    """What ``Gateway.answer`` wants to know of an attempt, as far as a failure tells."""

    after_head: bool
    post: bool
    reset: bool
    before_request: bool
    in_status_line: bool
    case: str | None


def facts(failure: Failure) -> Facts:
    """Return the facts of *failure* on which a gateway's answer may depend."""
    request, response, client = failure.request, failure.response, failure.client
    case = case_of(failure)
    head = response is not None and response.status is not None  # gateways pass it on at once
    return {
        "after_head": head if client is None else client.outcome in ("cut", "complete"),
        "post": request is not None and request.method in UNREPEATABLE,
        "reset": any(step.what == "rst" and step.point[:2] == (failure.frame, failure.file) for step in failure.ladder),
        "before_request": request is None,
        "in_status_line": response is None or response.status is None,
        "case": None if case is None else case.name,
    }


def case_of(failure: Failure) -> Case | None:
    """Return the case that the evidence at the failure point (or the summary) names, None if it names none.

    Where several are named the later one of the table holds, which says more.
    """
    notes = " ".join([*(item.note for item in failure.evidence if item.frame == failure.frame), failure.summary])
    named = [case for case in cases().values() if case.kind == failure.kind and any(why in notes for why in case.why)]
    return named[-1] if named else None


def status_of(answer: Answer, failure: Failure) -> int | None:
    """Return the status that goes to the client, None when none does or nobody knows."""
    if answer.relayed:
        return failure.response.status if failure.response is not None else None
    return answer.status


def log_of(answer: Answer) -> str | None:
    """Return the telling line, its flag before it where there is one."""
    return " ".join(part for part in (answer.flag, answer.log) if part) or None


def agrees(answer: Answer, failure: Failure, client: ClientRef | None) -> bool | None:
    """Return whether the client got what *answer* says; None when that cannot be compared."""
    if client is None or client.outcome == "pending" or answer.outcome in ("unknown", "gone", "pending"):
        return None
    if answer.outcome == "retried":  # the client's answer is that of the other attempt
        return True if client.status is not None and client.status < 500 else None
    if failure.masked:
        return None
    status = status_of(answer, failure)
    if answer.outcome == "closed_without_response":
        return client.outcome in ("closed_without_response", "reset")
    if answer.outcome == "cut":
        return client.outcome in ("cut", "reset") and client.status in (status, None)
    if answer.outcome == "passed" and status is None:  # octets without a status line
        return None if answer.relayed else client.status is None
    return client.status == status
