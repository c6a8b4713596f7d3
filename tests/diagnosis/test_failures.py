"""From verdicts to the lines of the output contract."""

from __future__ import annotations

import pytest

from tests.kinds.factory import (
    BEGIN_NS,
    at,
    attempt,
    client,
    closing,
    complete,
    connecting,
    request,
    response,
    rst,
    verdict,
)
from wire502.diagnosis.failures import to_exchange, to_failure, to_open
from wire502.model.finding import Verdict
from wire502.model.verdict import CONFIDENCES


def test_failure_line() -> None:
    """A failure line copies attempt and verdict field by field."""
    made = attempt(
        response=response(body=18019, expected=40960), upstream_fin=closing(128, 15.0, 18099), secondary=True,
        client=client("cut", 200, by=("target",)),
    )  # fmt: skip
    line = to_failure(made, verdict(made), "f1")
    assert (line.id, line.kind, line.frame, line.file, line.offset) == ("f1", "fin_mid_body", 128, 0, 18099)
    assert line.time == BEGIN_NS + 15_000_000
    assert (line.at_fault, line.secondary, line.until, line.masked) == ("upstream", True, None, False)
    assert line.confidence in CONFIDENCES
    assert line.connection.upstream == "10.2.0.2:8080"
    assert line.request is not None
    assert (line.request.frame, line.request.target, line.request.target_length) == (4, "/t/1", None)
    assert line.response is not None
    assert (line.response.body_bytes, line.response.expected_body_bytes) == (18019, 40960)
    assert line.client is not None
    assert (line.client.outcome, line.client.request_frame, line.client.link.by) == ("cut", 50, ["target"])
    assert [seen.frame for seen in line.evidence] == sorted(seen.frame for seen in line.evidence)


def test_until() -> None:
    """A stall says what ended it; null when it was the capture's end."""
    made = attempt(judged_ms=61_000.0, gateway_fin=closing(20, 60_001.0, 100, 0))
    until = to_failure(made, verdict(made), "f1").until
    assert until is not None
    assert (until.frame, until.seconds) == (20, 60.0)
    made = attempt(judged_ms=70_001.0, capture_ended=True)
    until = to_failure(made, verdict(made), "f1").until
    assert until is not None
    assert (until.frame, until.time, until.seconds) == (None, None, 70.0)


def test_masked_by_a_retry() -> None:
    """A failed attempt whose client got a good answer is masked; an error that was relayed to it is not."""
    made = attempt(upstream_rst=rst(9, 15.0), client=client("complete", 200))
    assert to_failure(made, verdict(made), "f1").masked
    made = attempt(response=complete(500), client=client("complete", 500))
    assert not to_failure(made, verdict(made), "f1").masked


def test_healthy_is_no_failure() -> None:
    """A verdict that is no failure cannot become a failure line."""
    with pytest.raises(ValueError, match="healthy"):
        to_failure(attempt(), Verdict("healthy"), "f1")


def test_long_target() -> None:
    """The length of a target is told only when the target was cut."""
    long = request()
    long.target_length = 9000
    line = to_open(attempt(request=long), "x").request
    assert line is not None
    assert line.target_length == 9000


def test_open_line() -> None:
    """An open line stands at the request, or at the SYN when there is none."""
    line = to_open(attempt(), "the capture ended")
    assert (line.frame, line.why_unknown) == (4, "the capture ended")
    assert to_open(connecting(at(1), at(7, 1000.0)), "x").frame == 1


def test_exchange_line() -> None:
    """An exchange line tells the time to the first octet and to the last."""
    line = to_exchange(attempt(response=complete()), "upstream")
    assert (line.leg, line.first_byte_ms, line.duration_ms) == ("upstream", 9.0, 10.0)
    assert to_exchange(attempt(response=response(body=3)), "client").duration_ms is None
    assert to_exchange(attempt(), "client").first_byte_ms is None


def test_opaque_octets_are_no_request() -> None:
    """Octets that are not HTTP are written as no request."""
    made = attempt(is_http=False, upstream_rst=rst(9, 15.0))
    assert made.request is not None
    made.request.http = False
    assert to_failure(made, verdict(made), "f1").request is None
