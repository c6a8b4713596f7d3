"""The gateway or its client ended the attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import at, attempt, client, closing, complete, gap, half_head, response, rst, said, verdict
from wire502.model.attempt import Attempt


def left(ms: float = 500.0, **changes: object) -> Attempt:
    """The gateway resets in frame 20."""
    made = attempt(judged_ms=ms + 10, gateway_rst=rst(20, ms, 100, 0))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_gateway_abort() -> None:
    """A gateway that ends an open attempt for no visible reason is gateway_abort at its own frame."""
    word = verdict(left())
    assert said(left()) == ("gateway_abort", 20)
    assert (word.at_fault, word.confidence, word.alternatives) == ("gateway", "high", [])


def test_client_abort() -> None:
    """A client that is seen to leave first makes it client_abort, its own frame cited."""
    made = left(client=client("reset", None, 500.0, left_first=at(19, 499.0)))
    word = verdict(made)
    assert said(made) == ("client_abort", 20)
    assert word.at_fault == "client"
    assert 19 in [seen.frame for seen in word.evidence]
    assert not word.masked


def test_client_that_left_after_a_round_time() -> None:
    """A client that leaves before the gateway closes is client_abort even after a round time."""
    made = left(2002.0, client=client("reset", None, 2002.0, left_first=at(19, 700.0)))
    assert said(made) == ("client_abort", 20)


def test_client_that_left_long_after_the_deadline() -> None:
    """A client that waited beyond the deadline left because of the stall."""
    made = left(63_210.0, client=client("reset", None, 63_210.0, left_first=at(19, 63_209.0)))
    assert said(made) == ("stall_before_response", 4)


def test_client_that_left_afterwards() -> None:
    """A client that leaves after the gateway's close did not cause it."""
    made = left(client=client("reset", None, 900.0, left_first=at(21, 800.0)))
    assert said(made) == ("gateway_abort", 20)


def test_half_close_and_a_response() -> None:
    """A FIN of the gateway behind which the response completes is a half-close, and healthy."""
    made = attempt(gateway_fin=closing(6, 2.0), response=complete(), gateway_rst=rst(12, 30.0))
    assert said(made) == "healthy"


def test_half_close_and_no_response() -> None:
    """A FIN of the gateway that the upstream answers with its own is gateway_abort at the gateway's FIN."""
    made = attempt(gateway_fin=closing(6, 2.0), upstream_fin=closing(9, 15.0))
    assert said(made) == ("gateway_abort", 6)


def test_half_close_at_the_end_of_the_capture() -> None:
    """A FIN of the gateway with nothing after it may be a half-close: the attempt is open."""
    assert said(attempt(gateway_fin=closing(6, 2.0), capture_ended=True)) == "open"
    assert said(attempt(gateway_fin=closing(6, 2.0), capture_ended=False)) == ("gateway_abort", 6)


@pytest.mark.parametrize(
    "change",
    [
        {"request": None},
        {"response": complete()},
        {"response": half_head(), "upstream_rst": rst(19, 499.0, 40)},
        {"upgraded": True},
    ],
)
def test_no_abort_without_an_open_attempt(change: dict[str, object]) -> None:
    """Without an open attempt the gateway may close as it likes, and what ended before is no abort."""
    word = verdict(left(**change))
    assert word.finding is None or word.finding.kind != "gateway_abort"


def test_hidden_response() -> None:
    """A gateway is not accused while the capture may lack the response."""
    assert said(left(gaps=(gap(),))) == "open"
    assert said(left(gateway_acked=400)) == "open"


def test_body_in_flight() -> None:
    """A gateway that closes while the body flows ended it itself."""
    assert said(left(20.0, response=response(body=300), gateway_acked=380)) == ("gateway_abort", 20)


def opaque(**changes: object) -> Attempt:
    """A connection that is not HTTP, whose opener wrote something in frame 4."""
    made = attempt(is_http=False, unanswered_since=at(4, 1.0), protocol="unknown")
    assert made.request is not None
    made.request.http = False
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"upstream_rst": rst(9, 15.0)}, ("rst_before_response", 9)),
        ({"upstream_fin": closing(9, 15.0)}, ("fin_before_response", 9)),
        ({"upstream_rst": rst(9, 15.0), "response": half_head()}, "healthy"),
        ({"gateway_fin": closing(9, 1200.0)}, ("gateway_abort", 9)),
        ({"gateway_fin": closing(9, 900.0)}, "healthy"),
        ({"request_retransmissions": 3, "upstream_acked": None}, ("stall_mid_request", 4)),
        ({"request_retransmissions": 2, "upstream_acked": None}, "open"),
        ({"request_retransmissions": 3, "upstream_acked": 100}, "open"),
        ({"response": half_head(), "response_retransmissions": 3, "gateway_acked": 0}, ("stall_mid_body", 7)),
        ({"capture_ended": True}, "open"),
        ({"unanswered_since": None, "request": None}, "healthy"),
    ],
)
def test_not_http(change: dict[str, object], expected: tuple[str, int] | str) -> None:
    """Without HTTP only transport facts are judged."""
    assert said(opaque(**change)) == expected


def test_not_http_is_never_certain() -> None:
    """Without HTTP confidence is medium at most."""
    word = verdict(opaque(upstream_rst=rst(9, 15.0)))
    assert word.confidence == "medium"
    assert any("only transport facts" in caveat for caveat in word.caveats)
