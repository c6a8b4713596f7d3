"""Everything that vocabulary.md lists under "Never a failure", row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import (
    at,
    attempt,
    closing,
    complete,
    connecting,
    response,
    rst,
    said,
    shaken,
    verdict,
)
from wire502.diagnosis.judge import judge
from wire502.diagnosis.surroundings import NoSurroundings
from wire502.model.attempt import Attempt, Handshake
from wire502.model.context import Context

IDLE = attempt(request=None, upstream_acked=None, upstream_acked_point=None, exchange=0, judged_ms=90_000.0)
DONE = attempt(response=complete(), judged_ms=90_000.0)


@pytest.mark.parametrize("who", ["gateway_fin", "gateway_rst"])
def test_health_checks(who: str) -> None:
    """A connection that its opener closes without a word is a health check."""
    assert said(replace(IDLE, **{who: closing(4, 0.3)})) == "healthy"  # type: ignore[arg-type]


def test_health_check_that_the_upstream_closes() -> None:
    """A connection that the upstream closes by FIN before any request is a health check."""
    assert said(replace(IDLE, upstream_fin=closing(4, 0.3))) == "healthy"


def test_half_open_scan() -> None:
    """SYN, SYN-ACK, RST of the opener is a port scan."""
    made = connecting(handshake=Handshake(syns=(at(1),), syn_acks=(at(2, 0.1),)), gateway_rst=rst(3, 0.2))
    assert said(made) == "healthy"


def test_scan_of_closed_ports() -> None:
    """A refusal of an opener that tries port after port is what a scan expects."""

    class Scanned(NoSurroundings):
        def scanning(self, attempt: Attempt) -> bool:
            return True

    word = judge(connecting(handshake=Handshake(syns=(at(1),), refused=at(2, 0.1))), Context(), Scanned())
    assert (word.outcome, word.oddities) == ("healthy", ["port_scan"])


def test_pool_connections() -> None:
    """A connection that is opened and never used did not fail."""
    assert said(replace(IDLE, capture_ended=True)) == "healthy"


@pytest.mark.parametrize("who", ["gateway_fin", "gateway_rst", "upstream_fin", "upstream_rst"])
def test_idle_closes(who: str) -> None:
    """An idle connection may be closed by either side, by FIN or RST."""
    used = replace(IDLE, reused=True, exchange=2)
    assert said(replace(used, **{who: rst(9, 60_000.0)})) == "healthy"  # type: ignore[arg-type]
    assert said(replace(IDLE, **{who: rst(9, 60_000.0, acks=0)})) == "healthy"  # type: ignore[arg-type]


def test_keep_alive_probes() -> None:
    """Keep-alive probes on an idle connection, however many were repeated, are nothing."""
    assert said(replace(IDLE, reused=True, request_retransmissions=9, request_retransmitted_last=at(9))) == "healthy"


def test_rst_after_fin() -> None:
    """A RST after the FIN of a complete exchange is nothing."""
    assert said(replace(DONE, upstream_fin=closing(9, 12.0, 1080), upstream_rst=rst(10, 12.1, 1081))) == "healthy"


@pytest.mark.parametrize("who", ["gateway_fin", "gateway_rst", "upstream_fin", "upstream_rst"])
def test_close_after_a_complete_exchange(who: str) -> None:
    """A FIN or RST after a complete exchange is nothing."""
    assert said(replace(DONE, **{who: rst(9, 12.0, 1080)})) == "healthy"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        response(complete=True, expected=1000, framing="none"),  # HEAD
        response(complete=True, expected=None, framing="none", status=204),
        response(complete=True, expected=None, framing="none", status=304),
        response(complete=True, expected=None, framing="close", body=77),
        response(complete=True, expected=None, framing="tunnel", status=101),
        response(complete=True, expected=None, framing="tunnel"),  # CONNECT
    ],
)
def test_responses_without_a_length(change: object) -> None:
    """A response that is complete without a length is complete, whatever ends its connection."""
    assert said(attempt(response=change, upstream_fin=closing(9, 12.0, 200))) == "healthy"


def test_tls_close_without_notify() -> None:
    """A connection that is not HTTP and that ends after data went both ways did not fail."""
    assert said(replace(DONE, is_http=False, upstream_fin=closing(9, 12.0, 1080))) == "healthy"


def test_deferred_accept() -> None:
    """Repeated SYN-ACKs before the request came are a deferred accept."""
    shake = replace(shaken(), syn_acks=(at(2, 0.1), at(8, 1000.0), at(9, 3000.0)))
    assert said(replace(IDLE, handshake=shake)) == "healthy"


def test_ipv6_then_ipv4() -> None:
    """A refused IPv6 attempt that IPv4 made good is masked: marked, and not alarming."""
    shake = Handshake(syns=(at(1),), refused=at(2, 0.1))
    assert verdict(connecting(handshake=shake, later_success=at(5, 1.0))).masked


@pytest.mark.parametrize("made", [attempt(capture_ended=True), attempt(response=response(body=7), capture_ended=True)])
def test_still_open_at_the_end(made: Attempt) -> None:
    """An exchange that is open when the capture ends is an open line with its reason."""
    word = verdict(made)
    assert word.outcome == "open"
    assert word.why_unknown.endswith("when the capture ended")
