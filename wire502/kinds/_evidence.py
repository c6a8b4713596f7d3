"""The frames that kinds cite, in words: what came before the failure point, and what the point itself shows."""

from __future__ import annotations

from wire502.model.attempt import Attempt, Point

Observation = tuple[Point, str]

_WANTING = {
    "request": "before it had the whole request",
    "response": "not one octet of a response",
    "headers": "before the response's head had ended",
    "body": "before the response's body had ended",
}


def until_answer(attempt: Attempt) -> list[Observation]:
    """Return what went well: the request sent and acknowledged, interim responses, the response's head."""
    seen: list[Observation] = []
    request, response = attempt.request, attempt.response
    if request is not None:
        seen.append((request.last, "request sent" if request.whole else "last octets of the request so far"))
        acked = attempt.upstream_acked_point
        if request.whole and acked is not None and (attempt.upstream_acked or 0) >= request.end:
            seen.append((acked, "the upstream acknowledged the whole request"))
    seen.extend((point, f"interim response {status}") for status, point in attempt.interim)
    if response is not None:
        seen.append((response.first, f"first octets of the response ({head_words(attempt)})"))
        if order_of(response.last) > order_of(response.first):
            seen.append((response.last, f"last octets of the response: {body_words(attempt)}"))
    return seen


def order_of(point: Point) -> tuple[int, int, int]:
    """Return the key by which evidence is sorted."""
    return (point.time_ns, point.file, point.frame)


def head_words(attempt: Attempt) -> str:
    """Return the head of the response in words: its status, and how much of it came."""
    response = attempt.response
    if response is None:
        return "none"
    status = "no status yet" if response.status is None else f"status {response.status}"
    return status if response.head_end is not None else f"{status}, head incomplete after {octets(response.head_bytes)}"


def body_words(attempt: Attempt) -> str:
    """Return how much of the body came, in words."""
    response = attempt.response
    if response is None or response.head_end is None:
        return "the head has no end"
    if response.expected_body_bytes is not None:
        return f"{response.body_bytes} of {octets(response.expected_body_bytes)} of body"
    return f"{octets(response.body_bytes)} of body"


def close_note(attempt: Attempt, how: str, where: str, missing: int | None) -> str:
    """Return what the upstream's FIN or RST shows."""
    who = f"{how.upper()} from the upstream"
    if where == "body" and missing is not None and missing > 0:
        return f"{who}: {octets(missing)} short"
    if where == "body" and attempt.response is not None and attempt.response.framing == "chunked":
        return f"{who}: the last chunk never came"
    return f"{who}: {_WANTING[where]}"


def octets(number: int) -> str:
    """Return a number of octets in words."""
    return "1 octet" if number == 1 else f"{number} octets"
