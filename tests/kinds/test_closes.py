"""RST and FIN of the upstream in each phase."""

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
    shaken,
    upload,
    verdict,
)
from wire502.model.attempt import Attempt


def ended(made: Attempt, how: str, **changes: object) -> Attempt:
    """*made*, ended by the upstream's RST or FIN in frame 9."""
    if how == "rst":
        return replace(made, upstream_rst=replace(rst(9, 15.0), **changes))
    return replace(made, upstream_fin=replace(closing(9, 15.0), **changes))


HOW = pytest.mark.parametrize("how", ["rst", "fin"])


@HOW
def test_before_response(how: str) -> None:
    """A close by an upstream that has the whole request and said nothing is *_before_response."""
    made = ended(attempt(), how)
    assert said(made) == (f"{how}_before_response", 9)
    word = verdict(made)
    assert (word.at_fault, word.confidence) == ("upstream", "high")
    assert [seen.frame for seen in word.evidence] == [4, 5, 9]


@HOW
def test_interim_responses_are_no_response(how: str) -> None:
    """100 and then a close is *_before_response."""
    assert said(ended(attempt(interim=((100, at(7, 5.0)),)), how)) == (f"{how}_before_response", 9)


@HOW
def test_mid_headers(how: str) -> None:
    """A close after some octets of the head is *_mid_headers."""
    assert said(ended(attempt(response=half_head()), how, offset=40)) == (f"{how}_mid_headers", 9)


@HOW
def test_mid_body_short_of_its_length(how: str) -> None:
    """A close short of Content-Length is *_mid_body, and the verdict counts what is missing."""
    word = verdict(ended(attempt(response=response(body=300)), how, offset=380))
    assert word.finding is not None
    assert (word.finding.kind, word.finding.point.frame) == (f"{how}_mid_body", 9)
    assert word.finding.offset == 380
    assert word.finding.numbers["short"] == 700
    assert "700 octets short" in word.evidence[-1].note


@HOW
def test_mid_body_without_last_chunk(how: str) -> None:
    """A close without the last chunk is *_mid_body."""
    made = ended(attempt(response=response(body=300, expected=None)), how, offset=380)
    assert said(made) == (f"{how}_mid_body", 9)


def test_reset_of_a_close_delimited_body() -> None:
    """A body that only a FIN may end is cut by a RST."""
    made = attempt(response=response(body=300, expected=None, framing="close"))
    assert said(ended(made, "rst", offset=380)) == ("rst_mid_body", 9)


def test_fin_of_a_close_delimited_body() -> None:
    """A FIN ends a body without a length properly, so it is never fin_mid_body."""
    made = attempt(response=response(body=300, expected=None, framing="close"))
    assert said(ended(made, "fin", offset=380)) != ("fin_mid_body", 9)


@HOW
def test_mid_request_while_it_is_sent(how: str) -> None:
    """A close before the gateway had sent the whole request is *_mid_request."""
    made = attempt(request=upload(), upstream_acked=2000)
    assert said(ended(made, how, acks=2000)) == (f"{how}_mid_request", 9)


@HOW
def test_mid_request_by_the_ack_number(how: str) -> None:
    """A close that acknowledges a part of the request did not have the rest, whatever was sent."""
    assert said(ended(attempt(upstream_acked=100), how, acks=60)) == (f"{how}_mid_request", 9)


def test_reset_without_ack_number() -> None:
    """Without an ACK number the highest ACK seen tells whether the upstream had the whole request."""
    assert said(ended(attempt(upstream_acked=60), "rst", acks=None)) == ("rst_mid_request", 9)
    assert said(ended(attempt(upstream_acked=100), "rst", acks=None)) == ("rst_before_response", 9)


@HOW
def test_sent_but_not_acknowledged_on_a_fresh_connection(how: str) -> None:
    """A request that was all sent, of which the close acknowledges nothing, is *_before_response when fresh."""
    made = attempt(upstream_acked=None, upstream_acked_point=None)
    assert said(ended(made, how, acks=0)) == (f"{how}_before_response", 9)


def test_early_complete_answer() -> None:
    """413 and close while the request is on its way is no failure."""
    made = attempt(request=upload(), upstream_acked=2000, response=complete(413))
    assert said(ended(made, "rst", acks=2000, offset=1080)) == "healthy"
    assert said(ended(replace(made, client=client("error", 413)), "rst", acks=2000, offset=1080)) == "healthy"


def test_early_answer_that_the_client_did_not_get() -> None:
    """413 and reset is rst_mid_request at the RST when the client was seen to get an error instead."""
    made = attempt(request=upload(), upstream_acked=2000, response=complete(413), client=client("error", 502))
    assert said(ended(made, "rst", acks=2000, offset=1080)) == ("rst_mid_request", 9)


def test_fin_and_then_rst() -> None:
    """The earlier of FIN and RST is the failure point."""
    made = attempt(upstream_fin=closing(9, 15.0), upstream_rst=rst(10, 15.1))
    assert said(made) == ("fin_before_response", 9)


def test_ignored_reset() -> None:
    """A RST that its receiver ignored ends nothing."""
    made = attempt(upstream_rst=rst(6, 5.0, accepted=False), response=complete())
    word = verdict(made)
    assert word.outcome == "healthy"
    assert word.oddities == ["ignored_reset"]


def test_undecided_reset() -> None:
    """A RST of which the capture does not show whether it was accepted has medium confidence."""
    assert verdict(attempt(upstream_rst=closing(9, 15.0))).confidence == "medium"


@HOW
def test_after_the_gateways_close(how: str) -> None:
    """What the upstream does after the gateway closed is not the upstream's doing."""
    made = attempt(gateway_fin=closing(8, 14.0), request=request())
    assert said(ended(made, how)) == ("gateway_abort", 8)


def test_reset_right_after_the_handshake() -> None:
    """A reset within 1 s of the handshake, before a request, is rst_before_response without a request."""
    made = attempt(request=None, upstream_acked=None, exchange=0, upstream_rst=rst(4, 500.0, acks=0))
    word = verdict(made)
    assert said(made) == ("rst_before_response", 4)
    assert word.caveats == ["no request was sent: this may be a health check"]


@pytest.mark.parametrize(
    "change",
    [
        {"upstream_rst": rst(4, 1500.0, acks=0)},
        {"upstream_fin": closing(4, 500.0)},
        {"upstream_rst": rst(4, 500.0), "reused": True},
        {"upstream_rst": rst(5, 500.0, acks=1), "gateway_fin": closing(4, 400.0)},
        {"upstream_rst": rst(5, 500.0, acks=0), "upstream_fin": closing(4, 400.0)},
    ],
)
def test_idle_connection_that_closes(change: dict[str, object]) -> None:
    """A connection without a request may end as it likes, but for a reset within 1 s of its handshake."""
    made = attempt(request=None, upstream_acked=None, exchange=0)
    assert verdict(replace(made, **change)).outcome == "healthy"  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [(0, 90), (40, 0)])
def test_reset_after_octets_that_were_not_captured(numbers: tuple[int, int]) -> None:
    """A reset whose numbers tell of octets that the capture lacks came after a request, and shows no more."""
    made = attempt(request=None, upstream_acked=None, exchange=0, upstream_rst=rst(4, 500.0, *numbers))
    assert verdict(made).why_unknown == "the request is not in the capture"


def test_request_on_a_fresh_connection_that_was_closed() -> None:
    """A FIN that is older than the first request of a connection dooms that request."""
    made = attempt(handshake=shaken(), upstream_acked=0, upstream_fin=closing(4, 0.5, acks=0), upstream_rst=rst(9, 2.0))
    assert said(made) == ("fin_before_response", 4)


def test_secondary_requests() -> None:
    """Each request that was outstanding when the connection died fails at the same frame."""
    assert said(attempt(secondary=True, upstream_rst=rst(9, 15.0))) == ("rst_before_response", 9)


def test_fin_behind_a_hole_that_the_wire_tore() -> None:
    """A FIN whose preceding octets were lost for good never took its turn: it is not fin_mid_body."""
    made = attempt(response=response(body=300), gaps=(gap("wire", 380, 700),), upstream_fin=closing(9, 15.0, 1080))
    assert said(made) == "open"


def test_undelivered_request_with_partial_response() -> None:
    """A reset while the request is being sent is rst_mid_request even after a part of a response."""
    made = attempt(request=upload(), upstream_acked=2000, response=half_head())
    assert said(ended(made, "rst", acks=2000, offset=40)) == ("rst_mid_request", 9)
