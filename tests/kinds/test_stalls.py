"""Silences, and what ended them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import (
    at,
    attempt,
    client,
    closing,
    complete,
    gap,
    half_head,
    request,
    response,
    rst,
    said,
    upload,
    verdict,
)
from wire502.kinds._waits import is_round
from wire502.model.attempt import Attempt, Silence
from wire502.model.context import Context


def given_up(ms: float, **changes: object) -> Attempt:
    """An attempt that the gateway ended by a FIN in frame 20."""
    made = attempt(judged_ms=ms + 10, gateway_fin=closing(20, ms, 100, 0))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_round_wait_is_a_time_limit() -> None:
    """A gateway that closes after a round time without a response makes a stall at the request's last frame."""
    made = given_up(2002.2)
    word = verdict(made)
    assert said(made) == ("stall_before_response", 4)
    assert (word.confidence, word.at_fault) == ("medium", "upstream")
    assert [(other.kind, other.frame) for other in word.alternatives] == [("gateway_abort", 20)]
    assert word.finding is not None
    assert word.finding.until is not None
    assert word.finding.until.until == at(20, 2002.2)
    assert word.finding.until.seconds == pytest.approx(2.0012)


def test_a_wait_that_is_not_round_is_an_abort() -> None:
    """A gateway that closes after no particular time made up its own mind; the stall is the other reading."""
    made = given_up(1300.0)
    word = verdict(made)
    assert said(made) == ("gateway_abort", 20)
    assert (word.confidence, word.at_fault) == ("medium", "gateway")
    assert [other.kind for other in word.alternatives] == ["stall_before_response"]


def test_a_short_wait_is_an_abort() -> None:
    """A wait under a second is never a time limit, however round."""
    assert said(given_up(501.0, upstream_fin=closing(21, 502.0))) == ("gateway_abort", 20)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.9, False),
        (1.0, True),
        (1.049, True),
        (1.051, False),
        (1.4, False),
        (1.5, True),
        (1.9985, True),
        (1.99, False),
        (2.05, True),
        (2.06, False),
        (10.19, True),
        (10.21, False),
        (60.9, True),
    ],
)
def test_round_times(seconds: float, expected: bool) -> None:
    """Round is at most 50 ms or 2 % above a whole or half second, 5 ms below for timers that start early."""
    assert is_round(round(seconds * 1e9)) is expected


def test_known_limit_of_the_gateway() -> None:
    """A wait that equals a known time limit of the gateway is a stall of high confidence."""
    context = Context(gateway_timeouts_ns=(7_300_000_000,))
    word = verdict(given_up(7305.0), context)
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("stall_before_response", "high")
    assert said(given_up(7305.0)) == ("gateway_abort", 20)


def test_the_same_wait_elsewhere() -> None:
    """A wait that another attempt shared is a likely time limit."""
    word = verdict(given_up(7305.0, similar_silence=True))
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("stall_before_response", "medium")


@pytest.mark.parametrize("status", [502, 503, 504])
def test_answer_to_the_client_at_that_moment(status: int) -> None:
    """An error to the client at the moment of the close shows that the gateway gave up."""
    word = verdict(given_up(1300.0, client=client(status=status, ms=1300.5)))
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("stall_before_response", "high")


def test_answer_to_the_client_without_a_close() -> None:
    """An error to the client ends the wait even if the gateway keeps the connection open."""
    made = attempt(judged_ms=2100.0, client=client(status=504, ms=2002.0))
    word = verdict(made)
    assert said(made) == ("stall_before_response", 4)
    assert word.finding is not None
    assert word.finding.until is not None
    assert word.finding.until.until == at(90, 2002.0)


def test_another_attempt_ends_the_wait() -> None:
    """A retry elsewhere ends the wait."""
    assert said(attempt(judged_ms=4000.0, next_attempt=at(30, 3300.0))) == ("stall_before_response", 4)


def test_beyond_the_deadline() -> None:
    """A wait longer than the deadline is a stall, round or not."""
    word = verdict(given_up(12_345.0), Context(first_byte_deadline_ns=10_000_000_000))
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("stall_before_response", "high")


def test_the_capture_ends_beyond_the_deadline() -> None:
    """The end of the capture proves a stall only beyond the deadline, with low confidence and no frame."""
    word = verdict(attempt(judged_ms=60_100.0, capture_ended=True))
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("stall_before_response", "low")
    assert word.finding.until is not None
    assert word.finding.until.until is None
    assert verdict(attempt(judged_ms=59_000.0, capture_ended=True)).outcome == "open"


def test_the_deadline_alone_is_no_failure() -> None:
    """A deadline that passed while nothing ended the wait leaves the attempt open."""
    assert said(attempt(judged_ms=70_000.0)) == "open"


def test_octets_that_came_after_all() -> None:
    """A response that came after a long silence was slow, and nothing failed."""
    slow = complete(first=at(7, 65_000.0), last=at(8, 65_001.0))
    assert said(attempt(judged_ms=70_000.0, response=slow)) == "healthy"


def test_mid_headers() -> None:
    """Silence inside the head is stall_mid_headers at the last frame of it."""
    made = given_up(2012.0, response=half_head(), gateway_acked=40)
    assert said(made) == ("stall_mid_headers", 7)
    assert verdict(made).at_fault == "upstream"


def test_mid_body() -> None:
    """Silence inside the body is stall_mid_body at the last frame of it."""
    made = given_up(2012.0, response=response(body=300), gateway_acked=380)
    assert said(made) == ("stall_mid_body", 8)
    assert verdict(made).at_fault == "upstream"


def test_lost_response() -> None:
    """Octets that the wire lost and nobody repeated put a stall on the network."""
    made = given_up(2012.0, response=response(body=300), gateway_acked=380, gaps=(gap("wire", 380, 100),))
    assert said(made) == ("stall_mid_body", 8)
    assert verdict(made).at_fault == "network"


def test_repeated_response() -> None:
    """Response octets that were repeated and never acknowledged put a stall on the network."""
    made = given_up(2012.0, response=response(body=300), gateway_acked=80, response_retransmissions=3)
    assert verdict(made).at_fault == "network"


def test_request_that_nobody_acknowledged() -> None:
    """A whole request, repeated and never acknowledged, is stall_before_response, at fault the network."""
    made = given_up(
        2002.0, upstream_acked=None, upstream_acked_point=None, request_retransmissions=3,
        request_retransmitted_last=at(15, 900.0),
    )  # fmt: skip
    word = verdict(made)
    assert said(made) == ("stall_before_response", 4)
    assert word.at_fault == "network"
    assert "sent 4 times" in word.summary


def test_part_of_the_request_acknowledged() -> None:
    """An upstream that acknowledged only a part of the request stopped taking it."""
    made = given_up(2004.0, request=upload(), upstream_acked=2000, upstream_acked_point=at(5, 1.5))
    assert said(made) == ("stall_mid_request", 6)


def test_zero_window_during_an_upload() -> None:
    """An upstream whose window is zero stopped taking the request, and is at fault."""
    made = given_up(
        2005.0, request=upload(), upstream_acked=5000, upstream_acked_point=at(7, 3.1),
        upstream_window_zero=at(7, 3.1),
    )  # fmt: skip
    assert said(made) == ("stall_mid_request", 7)
    assert verdict(made).at_fault == "upstream"


def test_gateway_that_owes_the_rest() -> None:
    """While everything that was sent is acknowledged, the upstream waits for the gateway: no stall."""
    made = given_up(2003.0, request=upload(), upstream_acked=5000, upstream_acked_point=at(7, 3.1))
    assert said(made) == ("gateway_abort", 20)
    waiting = attempt(request=upload(), upstream_acked=5000, judged_ms=70_000.0, capture_ended=True)
    assert verdict(waiting).why_unknown == "the request was still being sent"


def test_waiting_for_100_in_vain() -> None:
    """A request whose body waits for a 100 that never comes is stall_before_response."""
    waiting = upload(100, expects_continue=True, last=at(4, 1.0))
    assert said(given_up(2002.0, request=waiting)) == ("stall_before_response", 4)


@pytest.mark.parametrize(
    ("change", "expected"), [({"streaming": True}, ("gateway_abort", 20)), ({"upgraded": True}, "healthy")]
)
def test_silence_that_is_meant(change: dict[str, bool], expected: tuple[str, int] | str) -> None:
    """Streams and upgraded connections never stall."""
    assert said(given_up(62_012.0, response=response(body=300), gateway_acked=380, **change)) == expected


def test_the_upstream_ended_the_wait() -> None:
    """When the upstream itself ended a long wait, its close is the failure point."""
    made = attempt(judged_ms=40_000.0, upstream_fin=closing(9, 30_004.0), gateway_fin=closing(10, 30_005.0))
    assert said(made) == ("fin_before_response", 9)


def test_gateway_stops_reading() -> None:
    """A zero window of the gateway that lasts until the upstream resets is stall_mid_body at that ACK."""
    zero = attempt(
        judged_ms=40_000.0, response=response(body=300), gateway_acked=380, gateway_window_zero=at(9, 12.0),
        upstream_rst=rst(20, 30_012.0, 380),
    )  # fmt: skip
    assert said(zero) == ("stall_mid_body", 9)
    assert verdict(zero).at_fault == "gateway"
    slow = replace(zero, client=client("reset", None, 30_013.0, zero_window=True))
    assert verdict(slow).at_fault == "client"


def test_zero_window_for_a_moment() -> None:
    """A window that was zero for less than a second decides nothing."""
    made = attempt(
        response=response(body=300), gateway_acked=380, gateway_window_zero=at(9, 12.0),
        upstream_rst=rst(10, 13.0, 380),
    )  # fmt: skip
    assert said(made) == ("rst_mid_body", 10)


def test_silence_of_the_exchange_is_used() -> None:
    """The last progress that the exchange reports begins the wait."""
    quiet = Silence(at(12, 500.0), at(20, 2500.5), 2.0005, 2.4995)
    assert said(given_up(2500.5, silence=quiet, request=upload(), upstream_acked=2000)) == ("stall_mid_request", 12)


def test_progress_just_before_the_close() -> None:
    """A round time since the request does not matter while data still flowed."""
    late = response(body=300, last=at(19, 2000.0))
    made = given_up(2002.0, response=late, gateway_acked=380, gateway_rst=rst(21, 2003.0))
    assert said(made) == ("gateway_abort", 20)


def test_clock_step_in_the_wait() -> None:
    """A jump of the clock makes no wait longer."""
    made = given_up(10_001.0, clock_step=at(15, 9900.0))
    assert said(made) == ("gateway_abort", 20)


def test_one_direction_proves_no_silence() -> None:
    """A capture of one direction proves no silence."""
    assert said(given_up(2002.2, one_sided="gateway")) == "open"


def test_request_in_pieces() -> None:
    """A time limit may have begun with the first octet of the request."""
    slow = request(first=at(4, 1.0), last=at(6, 44.0))
    assert said(given_up(2001.5, request=slow, upstream_acked=100)) == ("stall_before_response", 6)
