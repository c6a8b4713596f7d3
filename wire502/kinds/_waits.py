"""Silences: how long the gateway waited, what ended the wait, and whether that looks like a time limit."""

from __future__ import annotations

from wire502.kinds import _evidence
from wire502.kinds._phases import earliest, gateway_close, offset_of, order, phase, speaks_http, upstream_close
from wire502.kinds._sight import blind, sent_whole
from wire502.kinds._signs import EARLY_NS, LEAST_NS
from wire502.kinds._violations import client_failed, tolerated
from wire502.model.attempt import Attempt, Point
from wire502.model.context import Context
from wire502.model.finding import Finding, Wait
from wire502.model.records import record
from wire502.model.verdict import Alternative

SECOND = 1_000_000_000
HALF_NS = SECOND // 2
ABOVE_NS = 50_000_000  # timers fire late: by this much, or by 2 %
MOMENT_NS = SECOND  # an answer to the client so near the end of the wait belongs to it
TOGETHER_NS = SECOND // 10  # a response cut so near the end of the wait was cut because of it
GIVEN_UP_STATUS = frozenset({502, 503, 504})

_NAMES = {
    "request": "stall_mid_request",
    "response": "stall_before_response",
    "headers": "stall_mid_headers",
    "body": "stall_mid_body",
}


@record()
class Pause:
    """The wait at the end of an attempt; lengths in ns, measured from each of the moments that may start a timer."""

    since: Point  # last progress
    until: Point | None  # what ended it; None: nothing but the end of the capture
    by: str  # "close", "answer", "retry", "end"
    lasted: int  # from the last progress; before an answer: from the request if that is longer
    lengths: tuple[int, ...]


def last_progress(attempt: Attempt) -> Point | None:
    """Return the last frame that brought the exchange forward."""
    response, request = attempt.response, attempt.request
    acked = attempt.upstream_acked_point
    if request is None or attempt.upstream_acked is None or attempt.upstream_acked <= request.start:
        acked = None
    seen = [point for point in (request.last if request else None, acked, response.last if response else None) if point]
    return max(seen, key=order, default=None)


def pause(attempt: Attempt) -> Pause | None:
    """Return the wait at the end of the attempt; None when nothing was awaited, or time cannot be measured."""
    request, response = attempt.request, attempt.response
    since = attempt.silence.since if attempt.silence is not None else last_progress(attempt)
    if request is None or since is None:
        return None
    closing, failed = gateway_close(attempt), client_failed(attempt, response.status if response else None)
    answer = failed.point if failed is not None and order(failed.point) > order(since) else None
    until, by = earliest(closing, answer, attempt.next_attempt), "end"
    if until is not None:
        by = "close" if until is closing else "answer" if until is answer else "retry"
    if closing is not None and until is not None and closing.time_ns - until.time_ns <= MOMENT_NS:
        until, by = closing, "close"
    end = attempt.judged_at_ns if until is None else until.time_ns
    starts = [since.time_ns, request.last.time_ns]
    starts.append(request.first.time_ns if response is None else response.last.time_ns)
    step = attempt.clock_step
    if step is not None:  # the clock jumped: what it measured before says nothing
        starts = [max(start, step.time_ns) for start in starts]
    lengths = tuple(max(0, end - start) for start in starts)
    return Pause(since, until, by, max(lengths[:2]) if response is None else lengths[0], lengths)


def is_limit(length: int, limit: int) -> bool:
    """Whether a wait of *length* ns looks like a timer of *limit* ns."""
    return -EARLY_NS <= length - limit <= max(ABOVE_NS, length // 50)


def is_round(length: int) -> bool:
    """Whether *length* ns lies so little above a whole or half second that a timer is likely."""
    return length >= LEAST_NS - EARLY_NS and is_limit(length, (length + EARLY_NS) // HALF_NS * HALF_NS)


def limit_grounds(attempt: Attempt, context: Context, wait: Pause, deadline: int) -> tuple[list[str], bool]:
    """Return why the end of *wait* looks like a time limit (empty: it does not), and whether that is certain.

    A wait that merely is round, or equals another one, is a likely limit and no more.
    """
    if wait.lasted < LEAST_NS - EARLY_NS or wait.until is None:
        return [], False
    sure: list[str] = []
    likely: list[str] = []
    if any(is_limit(length, limit) for length in wait.lengths for limit in context.gateway_timeouts_ns):
        sure.append("the wait equals a time limit of this gateway")
    client = attempt.client
    if (
        client is not None
        and client.outcome == "error"
        and client.status in GIVEN_UP_STATUS
        and abs(client.point.time_ns - wait.until.time_ns) <= MOMENT_NS
    ):
        sure.append(f"the gateway answered its client with {client.status} at that moment")
    later = attempt.next_attempt
    if wait.by == "close" and later is not None and 0 <= later.time_ns - wait.until.time_ns <= TOGETHER_NS:
        sure.append("the gateway tried again at that moment")
    if wait.by == "retry":
        sure.append("the gateway tried elsewhere at that moment")
    if wait.lasted > deadline:
        sure.append("the wait exceeded the deadline set for it")
    if any(is_round(length) for length in wait.lengths):
        likely.append("the wait is a round time")
    if attempt.similar_silence:
        likely.append("another attempt ended in the same way after the same wait")
    if client is not None and client.outcome == "cut" and wait.by == "close" and wait.lasted >= LEAST_NS:
        moment = client.point.time_ns - wait.until.time_ns
        if client.left_first is None and abs(moment) <= TOGETHER_NS:
            likely.append("the gateway cut its client's response short at that moment")
    return sure or likely, bool(sure)


def client_left(attempt: Attempt, until: Point | None) -> bool:
    """Whether the client leg shows that the client left before the gateway ended the attempt."""
    left = attempt.client.left_first if attempt.client is not None else None
    return left is not None and (until is None or order(left) <= order(until))


def gateway_owes(attempt: Attempt) -> bool:
    """Whether the upstream waits for the rest of the request, not the gateway for the upstream."""
    request = attempt.request
    if request is None or sent_whole(request) or attempt.upstream_window_zero is not None:
        return False
    if awaits_continue(attempt):
        return False
    return attempt.upstream_acked is not None and attempt.upstream_acked >= request.end


def awaits_continue(attempt: Attempt) -> bool:
    """Whether the gateway holds back the body until a 100 that never came (RFC 9110 section 10.1.1)."""
    request = attempt.request
    if request is None or not request.expects_continue or request.whole:
        return False
    return not any(status == 100 for status, _ in attempt.interim)


def stall_phase(attempt: Attempt) -> str:
    """Return the phase of the attempt for stalls, where waiting for a 100 counts as waiting for the response."""
    where = phase(attempt)
    acked, request = attempt.upstream_acked, attempt.request
    if where == "request" and request is not None and awaits_continue(attempt) and attempt.response is None:
        return "response" if acked is None or acked <= request.start or acked >= request.end else where
    return where


def deadline_of(where: str, context: Context) -> int:
    """Return the deadline in ns for a wait in the phase *where*."""
    return context.response_deadline_ns if where in ("headers", "body") else context.first_byte_deadline_ns


def can_stall(attempt: Attempt) -> bool:
    """Whether silence can be a failure here at all: vocabulary, "A passed deadline alone is not a failure"."""
    if attempt.upgraded or attempt.streaming or attempt.one_sided is not None or not speaks_http(attempt):
        return False
    return attempt.request is not None and not gateway_owes(attempt) and not tolerated(attempt)


def stalled(attempt: Attempt, context: Context, where: str) -> Finding | None:
    """Return the finding ``stall_*`` for the phase *where*."""
    if not can_stall(attempt) or stall_phase(attempt) != where or blind(attempt) is not None:
        return None
    wait = pause(attempt)
    if wait is None:
        return None
    theirs = upstream_close(attempt)
    if theirs is not None and (wait.until is None or order(theirs.point) < order(wait.until)):
        return None  # the upstream itself ended it
    deadline = deadline_of(where, context)
    grounds, sure = limit_grounds(attempt, context, wait, deadline)
    if wait.until is None:
        if not attempt.capture_ended or wait.lasted <= deadline:
            return None
        finding = stall_finding(attempt, where, wait)
        finding.confidence = "low"
        finding.caveats.append("the capture ends in the silence: what ended the wait was not seen")
        return finding
    if not grounds or (client_left(attempt, wait.until) and wait.lasted <= deadline):
        return None
    finding = stall_finding(attempt, where, wait)
    finding.evidence.append((wait.until, f"{_ended(wait)}: {grounds[0]}"))
    if not sure:
        finding.confidence = "medium"
        abort = "the gateway may have ended the attempt for a reason of its own"
        abort += ", such as a client that left" if attempt.client is None else ""
        finding.alternatives.append(Alternative("gateway_abort", wait.until.frame, "low", abort, wait.until.file))
    return finding


def _ended(wait: Pause) -> str:
    if wait.by == "close":
        return f"the gateway closed after {wait.lasted / SECOND:.3f} s"
    if wait.by == "answer":
        return f"the gateway gave up after {wait.lasted / SECOND:.3f} s"
    return f"the gateway tried again after {wait.lasted / SECOND:.3f} s"


def stall_point(attempt: Attempt, where: str, wait: Pause) -> Point:
    """Return the failure point: the last frame before the silence, as the vocabulary says it for each phase."""
    if where in ("headers", "body") and attempt.response is not None:
        return attempt.response.last
    if where == "response" and attempt.request is not None:
        return attempt.request.last
    return wait.since


def stall_finding(attempt: Attempt, where: str, wait: Pause) -> Finding:
    """Return the stall with what shows it, but without what ended it."""
    point = stall_point(attempt, where, wait)
    end = attempt.judged_at_ns if wait.until is None else wait.until.time_ns
    seconds = max(0, end - point.time_ns) / SECOND
    finding = Finding(_NAMES[where], point, offset_of(attempt), Wait(point, wait.until, seconds))
    finding.evidence = _evidence.until_answer(attempt)
    again = attempt.request_retransmitted_last
    if attempt.request_retransmissions and again is not None:
        finding.evidence.append((again, f"sent again {_times(attempt.request_retransmissions)} by the gateway"))
    again = attempt.response_retransmitted_last
    if attempt.response_retransmissions and again is not None:
        finding.evidence.append((again, f"sent again {_times(attempt.response_retransmissions)} by the upstream"))
    zero = attempt.upstream_window_zero
    if where == "request" and zero is not None:
        finding.evidence.append((zero, "zero window of the upstream: it takes no more data"))
    return finding


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
