"""The keep-alive race."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import at, attempt, client, closing, request, response, rst, said, upload, verdict
from wire502.model.attempt import Attempt


def reused(**changes: object) -> Attempt:
    """The second request of a connection: 100 octets from offset 100, in frame 4."""
    made = attempt(reused=True, exchange=2, request=request(100), response_from=500, upstream_acked=100)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_fin_that_crossed_the_request() -> None:
    """A FIN that acknowledges none of the request, on a reused connection, is stale_keepalive at that FIN."""
    made = reused(upstream_fin=closing(5, 1.5, 500, 100), upstream_rst=rst(9, 2.0, 501, None))
    word = verdict(made)
    assert said(made) == ("stale_keepalive", 5)
    assert word.at_fault == "upstream"
    assert word.finding is not None
    assert word.finding.offset == 500


def test_fin_seconds_before_the_request() -> None:
    """The FIN is the failure point even if it is seconds older than the request and a RST answers that."""
    made = reused(upstream_fin=closing(3, -5000.0, 500, 100), upstream_rst=rst(9, 2.0, 501, None))
    assert said(made) == ("stale_keepalive", 3)


def test_gateway_that_knew() -> None:
    """A gateway that acknowledged the FIN more than 1 s before it sent the request is at fault itself."""
    made = reused(
        upstream_fin=closing(2, -5000.0, 500, 100),
        gateway_fin_ack_of_upstream_fin=at(3, -4999.9),
        upstream_rst=rst(9, 2.0, 501, None),
    )
    assert verdict(made).at_fault == "gateway"
    made = replace(made, gateway_fin_ack_of_upstream_fin=at(3, 0.0))
    assert verdict(made).at_fault == "upstream"


def test_reset_that_answers_the_request() -> None:
    """A RST without ACK that carries the request's own ACK number comes from a kernel without the connection."""
    made = reused(upstream_rst=rst(9, 1.3, 500, None, echoes_request_ack=True), upstream_acked=100)
    word = verdict(made)
    assert said(made) == ("stale_keepalive", 9)
    assert word.confidence == "medium"


def test_reset_before_a_delayed_fin() -> None:
    """The earliest of RST and FIN is the failure point, in whatever order they come."""
    made = reused(upstream_rst=rst(5, 1.3, 500, None, echoes_request_ack=True), upstream_fin=closing(6, 1.4, 500, 100))
    assert said(made) == ("stale_keepalive", 5)


@pytest.mark.parametrize("acks", [150, 200])
def test_upstream_that_had_the_request(acks: int) -> None:
    """An ACK number beyond the first octet of the request shows that the upstream had read it: no race."""
    made = reused(upstream_fin=closing(9, 1.5, 500, acks), upstream_acked=acks)
    assert said(made)[0] in ("fin_before_response", "fin_mid_request")


def test_reset_with_ack_of_the_whole_request() -> None:
    """A RST that acknowledges the request on a reused connection is rst_before_response."""
    assert said(reused(upstream_rst=rst(9, 1.5, 500, 200), upstream_acked=200)) == ("rst_before_response", 9)


def test_fresh_connection() -> None:
    """On its first request the same frames are no stale connection."""
    made = attempt(upstream_acked=None, upstream_fin=closing(5, 1.5, 0, 0))
    assert said(made) == ("fin_before_response", 5)


def test_upload_that_crossed() -> None:
    """A large request of which only a part was sent when the FIN came is stale_keepalive all the same."""
    big = upload(3000, start=100, end=3000)
    assert said(reused(request=big, upstream_fin=closing(5, 1.5, 500, 100))) == ("stale_keepalive", 5)


def test_unsolicited_408() -> None:
    """A 408 that was complete before the request could have arrived is no response to it."""
    made = reused(
        foreign_answer=408, excess_point=at(3, 0.9), upstream_fin=closing(5, 1.5, 570, 100), response_from=570
    )
    assert said(made) == ("stale_keepalive", 5)


def test_excess_octets_without_a_close() -> None:
    """Stray octets as the only answer, and no close by the upstream, are invalid_status_line."""
    made = reused(excess=True, excess_point=at(3, 0.9), gateway_fin=closing(8, 3.0), client=client(ms=4.0))
    assert said(made) == ("invalid_status_line", 3)
    open_still = reused(excess=True, excess_point=at(3, 0.9))
    assert said(open_still) == "open"


def test_response_that_came() -> None:
    """Octets of a response show that the request was read: no stale connection."""
    made = reused(response=response(body=5, start=500), upstream_fin=closing(9, 15.0, 585, 100))
    assert said(made) == ("fin_mid_body", 9)


def test_idle_connection_without_a_request() -> None:
    """A FIN on an idle connection is no failure while no request follows."""
    assert said(reused(request=None, upstream_fin=closing(5, 1.5, 500, 100))) == "healthy"


def test_begun_mid_connection() -> None:
    """Begun mid-connection, reuse is assumed, and confidence is medium at most."""
    made = reused(upstream_fin=closing(5, 1.5, 500, 100))
    made.handshake.mid_connection = True
    made.handshake.syns = made.handshake.syn_acks = ()
    word = verdict(made)
    assert word.confidence == "medium"
    assert word.finding is not None
    assert word.finding.offset is None
