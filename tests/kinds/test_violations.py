"""Grammar violations: failure or oddity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import (
    at,
    attempt,
    client,
    closing,
    complete,
    half_head,
    response,
    rst,
    said,
    verdict,
    violation,
)
from wire502.model.attempt import Attempt
from wire502.model.context import Context


def broken(**changes: object) -> Attempt:
    """A complete response with an illegal header field in frame 7, closed by the upstream in frame 9."""
    made = attempt(response=complete(), violation=violation(), upstream_fin=closing(9, 15.0, 1080))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("status_line", "invalid_status_line"),
        ("header", "invalid_header"),
        ("framing", "invalid_header"),
        ("chunk", "invalid_chunk"),
    ],
)
def test_each_part_has_its_kind(part: str, kind: str) -> None:
    """The part of the response that is illegal decides the kind; the offset is that of the octet."""
    word = verdict(broken(violation=violation(part)))
    assert word.finding is not None
    assert (word.finding.kind, word.finding.point.frame, word.finding.offset) == (kind, 7, 30)
    assert word.at_fault == "upstream"


def test_unclear() -> None:
    """When the capture shows neither acceptance nor refusal, it is a failure of medium confidence with a caveat."""
    word = verdict(broken())
    assert word.outcome == "failure"
    assert word.confidence == "medium"
    assert word.caveats


@pytest.mark.parametrize(
    "change",
    [
        {"client": client("error", 502)},
        {"client": client("cut", 200)},
        {"client": client("closed_without_response", None)},
        {"response": half_head(), "upstream_fin": None, "gateway_fin": closing(8, 10.5)},
        {"violation": violation(framing_lost=True)},
        {"upstream_fin": None, "gateway_fin": closing(8, 11.5), "reused": True},
    ],
)
def test_refused(change: dict[str, object]) -> None:
    """An error to the client, a close before the end, lost framing or a dropped connection make it certain."""
    word = verdict(broken(**change))
    assert word.finding is not None
    assert (word.finding.kind, word.confidence) == ("invalid_header", "high")


@pytest.mark.parametrize(
    "change",
    [
        {"client": client("complete", 200)},
        {"next_request": at(12, 30.0)},
        {"connection_kept_ns": 5_000_000_000},
        {"client": client("complete", 200), "violation": violation(framing_lost=True)},
        {"client": client("complete", 200), "violation": violation("status_line"), "response": half_head()},
    ],
)
def test_tolerated(change: dict[str, object]) -> None:
    """What the client got, or what did not keep the gateway from using the connection, is an oddity."""
    word = verdict(broken(**change))
    assert word.outcome == "healthy"
    assert any(name.startswith("invalid_") for name in word.oddities)


def test_request_that_had_been_sent_before() -> None:
    """A pipelined request that was sent before the violation shows no acceptance."""
    assert said(broken(next_request=at(5, 2.0))) == ("invalid_header", 7)


def test_tolerated_and_then_cut() -> None:
    """A tolerated header field does not excuse a body that is cut later."""
    made = broken(response=response(body=300), client=None, next_request=at(12, 30.0))
    made.upstream_fin = closing(9, 15.0, 380)
    assert said(made) == ("fin_mid_body", 9)


def test_close_in_the_same_frame() -> None:
    """When the illegal chunk and the FIN share a frame, the finer kind wins."""
    made = broken(
        violation=violation("chunk", framing_lost=True),
        response=response(body=30, expected=None),
        upstream_fin=closing(7, 10.0, 110),
    )
    assert said(made) == ("invalid_chunk", 7)


def test_violation_before_the_close() -> None:
    """The illegal octet is the failure point, not the close that follows."""
    made = broken(violation=violation("chunk", framing_lost=True), response=response(body=30, expected=None))
    assert said(made) == ("invalid_chunk", 7)


def test_tls_answer() -> None:
    """A TLS record in answer to plain HTTP is the gateway's fault."""
    made = broken(violation=violation("status_line", looks_like="tls", why="no HTTP version"), response=half_head())
    word = verdict(made)
    assert said(made) == ("invalid_status_line", 7)
    assert word.at_fault == "gateway"
    assert "tls" in word.summary


def test_error_with_an_illegal_field() -> None:
    """A 5xx with an illegal field that was refused is invalid_header; tolerated, it is relayed_error."""
    assert said(broken(response=complete(500), client=client("error", 502))) == ("invalid_header", 7)
    assert said(broken(response=complete(500), client=client("error", 500))) == ("relayed_error", 7)


def test_not_http() -> None:
    """A connection that is not HTTP has no grammar to violate."""
    assert said(broken(is_http=False)) == "healthy"


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_relayed_error(status: int) -> None:
    """A complete 5xx is relayed_error at its status line, whatever closes afterwards."""
    made = attempt(response=complete(status), upstream_rst=rst(9, 15.0, 1080))
    assert said(made) == ("relayed_error", 7)
    assert verdict(made).at_fault == "upstream"


@pytest.mark.parametrize("status", [200, 304, 404, 499, 600])
def test_other_statuses(status: int) -> None:
    """A complete response with another status is healthy."""
    assert said(attempt(response=complete(status))) == "healthy"


def test_relayed_error_cut_short() -> None:
    """A 5xx whose body is cut is judged by the cut."""
    made = attempt(response=response(body=10, status=500), upstream_rst=rst(9, 15.0, 90))
    assert said(made) == ("rst_mid_body", 9)


def test_long_head_and_a_close() -> None:
    """4096 octets of head and the gateway's close at once are header_too_large at the last response frame."""
    long = response(9000, 0, None, head_end=None, framing="none")
    made = attempt(response=long, gateway_rst=rst(9, 11.2), gateway_acked=9000)
    word = verdict(made)
    assert said(made) == ("header_too_large", 8)
    assert (word.confidence, word.at_fault) == ("medium", "upstream")
    assert verdict(replace(made, client=client())).confidence == "high"


@pytest.mark.parametrize(
    "change",
    [
        {"response": response(4095, 0, None, head_end=None, framing="none")},
        {"gateway_rst": rst(9, 1500.0)},
        {"upstream_fin": closing(8, 11.1, 9000)},
    ],
)
def test_no_long_head(change: dict[str, object]) -> None:
    """A shorter head, a later close or the upstream's own close is not header_too_large."""
    long = response(9000, 0, None, head_end=None, framing="none")
    made = attempt(response=long, gateway_rst=rst(9, 11.2), judged_ms=3000.0)
    assert said(made)[0] == "header_too_large"
    assert said(replace(made, **change))[0] in ("gateway_abort", "stall_mid_headers", "fin_mid_headers")  # type: ignore[arg-type]


def test_known_header_limit() -> None:
    """With a known limit the failure point is the frame that went over it."""
    long = response(3000, 0, None, head_end=None, framing="none", over_limit=at(7, 10.0))
    made = attempt(response=long, gateway_rst=rst(9, 11.2), gateway_acked=3000)
    assert said(made, Context(header_limit=2048)) == ("header_too_large", 7)
    assert said(made, Context(header_limit=4096)) == ("gateway_abort", 9)


def test_long_head_of_a_complete_response() -> None:
    """A complete response with a long head is healthy unless the client got an error instead."""
    made = attempt(response=replace(complete(), head_bytes=9000), gateway_rst=rst(9, 11.2))
    assert said(made) == "healthy"
    failed = replace(made, client=client("error", 502, 11.3))
    assert said(failed) == ("header_too_large", 8)
    assert said(replace(failed, upstream_fin=closing(10, 11.1, 10_000))) == ("header_too_large", 8)
