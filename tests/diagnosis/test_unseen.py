"""What the capture did not see: admissions instead of accusations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import (
    at,
    attempt,
    closing,
    gap,
    half_head,
    request,
    response,
    rst,
    said,
    verdict,
    violation,
)
from wire502.model.attempt import Attempt


@pytest.mark.parametrize("label", ["capture", "unknown"])
def test_hole_where_the_response_may_be(label: str) -> None:
    """A hole in the upstream's direction may have been the response: nobody is accused of none."""
    made = attempt(gaps=(gap(label),), upstream_fin=closing(9, 15.0, None))
    assert said(made) == "open"
    assert "capture lacks" in verdict(made).why_unknown


def test_hole_on_the_wire_is_no_response() -> None:
    """Octets that the wire lost never reached the gateway, so a reset is before the response."""
    made = attempt(gaps=(gap("wire", 0, 100),), upstream_rst=rst(9, 15.0, 100))
    assert said(made) == ("rst_before_response", 9)


@pytest.mark.parametrize("change", [{"upstream_fin": closing(9, 15.0, 700)}, {"gateway_acked": 700}])
def test_numbers_that_prove_a_hidden_response(change: dict[str, object]) -> None:
    """A FIN further on, or an ACK of octets that were not seen, proves that the capture lacks a response."""
    made = attempt(upstream_fin=closing(9, 15.0, None))
    assert said(replace(made, **change)) == "open"  # type: ignore[arg-type]


def test_close_that_answers_a_close_that_was_not_captured() -> None:
    """A FIN that acknowledges more than the gateway was seen to send answers the gateway's own FIN."""
    assert said(attempt(upstream_fin=closing(9, 15.0, acks=101))) == "open"
    assert said(attempt(upstream_fin=closing(9, 15.0, acks=101), gateway_fin=closing(8, 14.0))) == ("gateway_abort", 8)


def test_response_that_begins_too_late() -> None:
    """A response that does not begin where its request says is no response to it, and no grammar is judged."""
    late = replace(half_head(), start=1448)
    made = attempt(response=late, upstream_fin=closing(9, 15.0, 1488), request_acks=0)
    assert said(made) == "open"
    assert said(replace(made, violation=violation("status_line", 1448, framing_lost=True))) == "open"
    assert said(replace(made, response=half_head(), upstream_fin=closing(9, 15.0, 40))) == ("fin_mid_headers", 9)


def test_octets_that_belong_to_nothing() -> None:
    """Octets that came after the request and were paired with no request may be its response."""
    made = attempt(upstream_fin=closing(9, 15.0, 839), response_from=839, request_acks=0)
    assert said(made) == "open"
    assert said(replace(made, upstream_fin=closing(9, 15.0, 0), response_from=0)) == ("fin_before_response", 9)


def test_interim_responses_come_first() -> None:
    """Interim responses stand between a request and its response."""
    late = replace(half_head(), start=25)
    made = attempt(
        response=late, interim=((100, at(6, 5.0)),), upstream_fin=closing(9, 15.0, 65), request_acks=0
    )  # fmt: skip
    assert said(made) == ("fin_mid_headers", 9)


def test_illegal_octet_behind_a_hole_in_the_framing() -> None:
    """What stands behind a hole in head or chunk framing cannot be called illegal."""
    made = attempt(
        response=response(body=300, expected=None),
        violation=violation("chunk", 200, framing_lost=True),
        upstream_fin=closing(9, 15.0, 380),
    )
    assert said(made) == ("invalid_chunk", 7)
    assert said(replace(made, gaps=(gap(offset=150, octets=20, in_head=True),))) == "open"


def test_octets_from_before_the_request() -> None:
    """Octets that came before the request, which the upstream then read, may answer requests that are missing."""
    made = attempt(reused=True, excess=True, upstream_fin=closing(9, 15.0))
    assert said(made) == "open"
    assert "not in the capture" in verdict(made).why_unknown


def test_ack_of_the_fin_is_no_octet() -> None:
    """The ACK of a FIN counts one more than there are octets, which proves nothing hidden."""
    assert said(attempt(upstream_fin=closing(9, 15.0, 0), gateway_acked=1)) == ("fin_before_response", 9)


def test_fin_proves_the_body_complete() -> None:
    """When the sequence number of the FIN covers the whole length, the body came, though not into the capture."""
    made = attempt(response=response(body=300), gaps=(gap(octets=700),), upstream_fin=closing(9, 15.0, 1080))
    assert said(made) == "open"


def test_fin_proves_the_body_short() -> None:
    """When the sequence number of the FIN falls short of the length, a hole in the body changes nothing."""
    made = attempt(response=response(body=300), gaps=(gap(octets=100),), upstream_fin=closing(9, 15.0, 480))
    word = verdict(made)
    assert said(made) == ("fin_mid_body", 9)
    assert word.finding is not None
    assert word.finding.numbers["short"] == 600
    assert word.caveats == ["100 octets of this connection are not in the capture"]


def test_hole_right_before_the_close() -> None:
    """A hole right before the FIN or RST makes confidence low."""
    made = attempt(
        response=response(body=300),
        gaps=(gap(octets=100, before_close=True),),
        upstream_rst=rst(9, 15.0, 480),
    )
    assert verdict(made).confidence == "low"


@pytest.mark.parametrize(
    "change",
    [
        {"response": response(body=300, expected=None, cut=True)},
        {"response": response(body=300, expected=None), "gaps": (gap(in_head=True),)},
        {"response": half_head(), "gaps": (gap(in_head=True),)},
        {"response": response(body=300, expected=None, framing="unknown")},
        {"response": response(body=300, expected=None), "upstream_fin": closing(9, 15.0, 900)},
    ],
)
def test_lost_framing(change: dict[str, object]) -> None:
    """Where octets of head or chunk framing are missing, the end of the response cannot be known."""
    made = attempt(upstream_fin=closing(9, 15.0, 380))
    assert said(replace(made, **change)) == "open"  # type: ignore[arg-type]


def test_cut_head_but_known_length() -> None:
    """A hole in the head does not matter when the length is known and the FIN proves the body short."""
    made = attempt(response=response(body=300, cut=True), upstream_fin=closing(9, 15.0, 380))
    assert said(made) == ("fin_mid_body", 9)


def test_request_that_was_not_seen_whole() -> None:
    """A POST of which the capture lacks parts cannot be said to have been whole; a GET ends where it ends."""
    cut = request(cut=True, method="POST")
    cut.whole = False
    made = attempt(request=cut, upstream_rst=rst(9, 15.0))
    assert said(made) == "open"
    assert said(replace(made, request=replace(cut, method="GET"))) == ("rst_before_response", 9)


def one_sided(**changes: object) -> Attempt:
    """Only the upstream's direction was captured."""
    made = attempt(request=None, one_sided="upstream", upstream_acked=None, response_from=None)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_one_direction_shows_a_short_body() -> None:
    """The upstream's direction alone shows a body that was cut."""
    made = one_sided(response=response(body=300), upstream_rst=rst(9, 15.0, 380))
    assert said(made) == ("rst_mid_body", 9)
    assert verdict(made).confidence == "medium"


def test_one_direction_does_not_show_the_method() -> None:
    """A response without a body, to a request that was not seen, may be one to HEAD."""
    assert said(one_sided(response=response(), upstream_fin=closing(9, 15.0, 80))) == "open"


def test_one_direction_shows_no_absence() -> None:
    """The upstream's direction alone never shows that a response is missing."""
    made = one_sided(request=request(), upstream_rst=rst(9, 15.0, None))
    assert said(made) == "open"


def test_gateways_direction_alone() -> None:
    """The gateway's direction alone accuses nobody."""
    made = attempt(one_sided="gateway", gateway_rst=rst(9, 15.0), capture_ended=True, judged_ms=90_000.0)
    assert said(made) == "open"


def test_packets_that_the_capture_dropped() -> None:
    """Losses of the capture nearby lower the confidence in whatever is missing, and are said."""
    word = verdict(attempt(upstream_rst=rst(9, 15.0), dropped_nearby=12))
    assert word.confidence == "medium"
    assert word.caveats == ["the capture lost 12 packets around this moment"]


def test_cut_packets_are_said() -> None:
    """A snap length that cut packets is a caveat and no more."""
    word = verdict(attempt(upstream_rst=rst(9, 15.0), snaplen_cut=True))
    assert (word.confidence, len(word.caveats)) == ("high", 1)


def test_overlap() -> None:
    """A retransmission with other octets lowers confidence, and both frames are cited."""
    made = attempt(upstream_rst=rst(9, 15.0), overlap_conflict=(at(7, 10.0), at(8, 11.0)))
    word = verdict(made)
    assert word.confidence == "medium"
    assert {7, 8} <= {seen.frame for seen in word.evidence}


def test_unknown_opener() -> None:
    """Who opened the connection being a guess, nobody is said to be at fault; a request head ends the guessing."""
    made = one_sided(response=response(body=300), upstream_rst=rst(9, 15.0, 380), opener_known=False)
    assert (verdict(made).at_fault, verdict(made).confidence) == ("unknown", "medium")
    assert verdict(attempt(upstream_rst=rst(9, 15.0), opener_known=False)).at_fault == "upstream"


def test_eviction_is_an_admission() -> None:
    """An attempt that was dropped from memory is open, and says so."""
    word = verdict(attempt(upstream_rst=rst(9, 15.0), evicted=True))
    assert word.outcome == "open"
    assert "memory" in word.why_unknown


def test_mid_connection_has_no_offset() -> None:
    """Begun mid-connection, offsets are unknown."""
    made = attempt(upstream_rst=rst(9, 15.0))
    made.handshake.mid_connection = True
    word = verdict(made)
    assert word.finding is not None
    assert word.finding.offset is None
    assert "the capture begins in the middle of this connection" in word.caveats
