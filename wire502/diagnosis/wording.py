"""The one sentence of what happened, with numbers. Wire text stands in it shortened in the middle."""

from __future__ import annotations

from collections.abc import Callable

from wire502.model.attempt import Attempt
from wire502.model.finding import Finding

TARGET_LENGTH = 64  # characters of a target in a sentence
SECOND = 1_000_000_000


def summary(attempt: Attempt, finding: Finding, title: str) -> str:
    """Return what happened in one sentence; *title* serves the kinds that have no words of their own here."""
    words = _WORDS.get(finding.kind)
    if words is not None:
        return words(attempt, finding)
    return f"{attempt.upstream}: {title}, {_request(attempt)}."


def shorten(text: str, length: int = TARGET_LENGTH) -> str:
    """Return *text* with at most *length* characters, cut in the middle: beginning and end tell the most."""
    if len(text) <= length:
        return text
    kept = length - 1
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def duration(ns: int) -> str:
    """Return a length of time with a sensible number of digits."""
    ns = max(0, ns)
    if ns < 50_000:
        return "less than 0.1 ms"
    if ns < 10_000_000:
        return f"{ns / 1_000_000:.1f} ms"
    if ns < SECOND:
        return f"{ns / 1_000_000:.0f} ms"
    if ns < 100 * SECOND:
        return f"{ns / SECOND:.2f} s"
    minutes, seconds = divmod(ns // SECOND, 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def octets(number: int) -> str:
    """Return a number of octets in words."""
    return "1 octet" if number == 1 else f"{number} octets"


def _request(attempt: Attempt) -> str:
    request = attempt.request
    if request is None or not request.method:
        return "the request"
    return f"{request.method} {shorten(request.target)}".rstrip()


def _connect_refused(attempt: Attempt, finding: Finding) -> str:
    after = finding.numbers.get("after_ns")
    when = "" if after is None else f" {duration(int(after))} after the SYN"
    return f"{attempt.upstream} refused the connection{when}: nothing accepts connections there."


def _no_attempt(attempt: Attempt, _finding: Finding) -> str:
    client = attempt.client
    got = "an error" if client is None or client.status is None else f"a {client.status}"
    return f"The gateway answered {_request(attempt)} with {got} of its own: it asked no upstream."


def _connect_timeout(attempt: Attempt, finding: Finding) -> str:
    number = len(attempt.handshake.syns)
    syns = "its SYN" if number == 1 else f"any of its {number} SYNs"
    seconds = 0.0 if finding.until is None else finding.until.seconds
    return f"{attempt.upstream} did not answer {syns} within {duration(int(seconds * SECOND))}."


def _connect_unreachable(attempt: Attempt, finding: Finding) -> str:
    said = attempt.handshake.unreachable
    if said is not None and said.text == "no reply to the address request":
        return f"{attempt.upstream} could not be reached: nobody answered when {said.sender} asked for its address."
    text = "unreachable" if said is None else said.text
    who = f" ({finding.sender})" if finding.sender else ""
    return f"{attempt.upstream} could not be reached: {text}{who}."


def _since_request(attempt: Attempt, finding: Finding) -> str:
    """Return how long after the whole request (or what was seen of it) the failure point came."""
    request, acked = attempt.request, attempt.upstream_acked_point
    if request is None:
        return ""
    whole = request.whole and acked is not None and (attempt.upstream_acked or 0) >= request.end
    began = acked if whole and acked is not None and acked.time_ns <= finding.point.time_ns else request.last
    after = duration(finding.point.time_ns - began.time_ns)
    if finding.point.time_ns < request.last.time_ns:
        return f" before it could have had {_request(attempt)}"
    if not whole:
        return f" {after} after {_request(attempt)} was sent"
    return f" {after} after it had the whole request {_request(attempt)}"


def _loss(attempt: Attempt) -> str:
    if attempt.gaps or attempt.request_retransmissions or attempt.response_retransmissions:
        return ""
    if attempt.dropped_nearby or attempt.dropped_sometime:
        return ""
    return "; nothing was lost around it"


def _before_response(attempt: Attempt, finding: Finding) -> str:
    verb = "reset" if finding.kind.startswith("rst") else "closed"
    if attempt.request is None:
        return f"{attempt.upstream} {verb} the connection before a request could be sent."
    loss = _loss(attempt)
    tail = " without answering" if not loss and verb == "closed" else loss
    return f"{attempt.upstream} {verb} the connection{_since_request(attempt, finding)}{tail}."


def _mid_request(attempt: Attempt, finding: Finding) -> str:
    verb = "reset" if finding.kind.startswith("rst") else "closed"
    request = attempt.request
    sent = 0 if request is None else max(0, request.end - request.start)
    return f"{attempt.upstream} {verb} the connection while {_request(attempt)} was being sent, {octets(sent)} into it."


def _mid_headers(attempt: Attempt, finding: Finding) -> str:
    verb = "reset" if finding.kind.startswith("rst") else "closed"
    got = 0 if attempt.response is None else attempt.response.head_bytes
    return (
        f"{attempt.upstream} {verb} the connection after {octets(got)} of the head of its response to "
        f"{_request(attempt)}; the head has no end."
    )


def _mid_body(attempt: Attempt, finding: Finding) -> str:
    verb = "reset" if finding.kind.startswith("rst") else "closed"
    response, short = attempt.response, finding.numbers.get("short")
    subject = f"{attempt.upstream} {verb} the connection"
    if response is not None and short is not None and response.expected_body_bytes is not None and short > 0:
        whole = f"{response.expected_body_bytes}-octet"
        return f"{subject} {octets(int(short))} short of its {whole} response to {_request(attempt)}."
    got = 0 if response is None else response.body_bytes
    chunked = " and without the last chunk" if response is not None and response.framing == "chunked" else ""
    return f"{subject} after {octets(got)} of the body{chunked} of its response to {_request(attempt)}."


def _stall(attempt: Attempt, finding: Finding) -> str:
    wait = finding.until
    seconds = duration(int((0.0 if wait is None else wait.seconds) * SECOND))
    ended = "the capture ended" if wait is None or wait.until is None else "the gateway gave up"
    up, request = attempt.upstream, _request(attempt)
    if finding.numbers.get("zero_window"):
        return f"The gateway took no more of the response of {up} to {request} for {seconds}; then it ended badly."
    if finding.kind == "stall_before_response":
        again = attempt.request_retransmissions
        tail = f", sent {again + 1} times and never acknowledged" if again and not _whole_acked(attempt) else ""
        return f"{up} did not begin to answer {request}{tail}: {ended} after {seconds}."
    if finding.kind == "stall_mid_request":
        zero = " (its window stayed at zero)" if attempt.upstream_window_zero is not None else ""
        return f"{up} took no more of {request}{zero}: {ended} after {seconds}."
    response = attempt.response
    if finding.kind == "stall_mid_headers":
        got = 0 if response is None else response.head_bytes
        of = f"{octets(got)} of the head"
        return f"{up} fell silent after {of} of its response to {request}: {ended} after {seconds}."
    got = 0 if response is None else response.body_bytes
    expected = None if response is None else response.expected_body_bytes
    of = octets(got) if expected is None else f"{got} of {octets(expected)}"
    return f"{up} fell silent after {of} of the body of its response to {request}: {ended} after {seconds}."


def _whole_acked(attempt: Attempt) -> bool:
    request, acked = attempt.request, attempt.upstream_acked
    return request is not None and acked is not None and acked >= request.end


def _stale_keepalive(attempt: Attempt, finding: Finding) -> str:
    before = int(finding.numbers.get("before_ns", 0))
    if before > 0:
        when = f"had been closing the connection for {duration(before)} when {_request(attempt)} was sent on it"
    else:
        when = f"was closing the connection when {_request(attempt)} was sent on it"
    return f"{attempt.upstream} {when}, and never saw the request."


def _violation(attempt: Attempt, _finding: Finding) -> str:
    violation = attempt.violation
    if violation is None:
        return f"Octets that no request had asked for came first, so {_request(attempt)} got no response of its own."
    what = {
        "status_line": "no HTTP response",
        "header": "an illegal header field",
        "framing": "contradicting framing fields",
        "chunk": "an illegal chunk",
    }.get(violation.part, "an illegal octet")
    like = f", but what looks like {violation.looks_like}" if violation.looks_like else ""
    verb = "sent" if violation.part != "status_line" else "answered with"
    return f"{attempt.upstream} {verb} {what}{like} to {_request(attempt)}: {violation.why} (octet {violation.offset})."


def _header_too_large(attempt: Attempt, finding: Finding) -> str:
    got = 0 if attempt.response is None else attempt.response.head_bytes
    after = duration(int(finding.numbers.get("after_ns", 0)))
    return (
        f"The gateway closed {after} after {octets(got)} of the head of the response of {attempt.upstream} to "
        f"{_request(attempt)}: it is too long for it."
    )


def _relayed_error(attempt: Attempt, _finding: Finding) -> str:
    status = None if attempt.response is None else attempt.response.status
    return f"{attempt.upstream} itself answered {_request(attempt)} with {status}, complete and well-formed."


def _abort(attempt: Attempt, finding: Finding) -> str:
    request = attempt.request
    left = ", since its client had left" if finding.kind == "client_abort" else ""
    if request is None:
        return f"The gateway gave up its connection to {attempt.upstream} before it was accepted{left}."
    after = duration(finding.point.time_ns - request.last.time_ns)
    return (
        f"The gateway closed {after} after it had sent {_request(attempt)} to {attempt.upstream}{left}; "
        "the upstream had done nothing wrong."
    )


_WORDS: dict[str, Callable[[Attempt, Finding], str]] = {
    "no_attempt": _no_attempt,
    "connect_refused": _connect_refused,
    "connect_timeout": _connect_timeout,
    "connect_unreachable": _connect_unreachable,
    "rst_before_response": _before_response,
    "fin_before_response": _before_response,
    "rst_mid_request": _mid_request,
    "fin_mid_request": _mid_request,
    "rst_mid_headers": _mid_headers,
    "fin_mid_headers": _mid_headers,
    "rst_mid_body": _mid_body,
    "fin_mid_body": _mid_body,
    "stall_before_response": _stall,
    "stall_mid_request": _stall,
    "stall_mid_headers": _stall,
    "stall_mid_body": _stall,
    "stale_keepalive": _stale_keepalive,
    "invalid_status_line": _violation,
    "invalid_header": _violation,
    "invalid_chunk": _violation,
    "header_too_large": _header_too_large,
    "relayed_error": _relayed_error,
    "gateway_abort": _abort,
    "client_abort": _abort,
}
