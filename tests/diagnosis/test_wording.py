"""The sentences, as people read them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import (
    at,
    attempt,
    client,
    closing,
    complete,
    connecting,
    half_head,
    request,
    response,
    rst,
    unreachable,
    upload,
    verdict,
    violation,
)
from wire502.diagnosis.wording import duration, shorten
from wire502.model.attempt import Attempt, Handshake

UP = "10.2.0.2:8080"
SENTENCES = [
    (
        connecting(handshake=Handshake(syns=(at(1),), refused=at(2, 0.1))),
        f"{UP} refused the connection 0.1 ms after the SYN: nothing accepts connections there.",
    ),
    (
        connecting(at(1), at(2, 1000.0), judged_ms=2100.0, client=client(status=504, ms=2001.0)),
        f"{UP} did not answer any of its 2 SYNs within 2.00 s.",
    ),
    (
        connecting(handshake=Handshake(syns=(at(1),), unreachable=unreachable())),
        f"{UP} could not be reached: host unreachable (10.0.0.254).",
    ),
    (
        attempt(upstream_rst=rst(9, 10.1)),
        f"{UP} reset the connection 9.0 ms after it had the whole request GET /t/1; nothing was lost around it.",
    ),
    (
        attempt(upstream_fin=closing(9, 10.1), request_retransmissions=1),
        f"{UP} closed the connection 9.0 ms after it had the whole request GET /t/1 without answering.",
    ),
    (
        attempt(request=None, upstream_acked=None, exchange=0, upstream_rst=rst(4, 5.0, acks=0)),
        f"{UP} reset the connection before a request could be sent.",
    ),
    (
        attempt(request=upload(), upstream_acked=2000, upstream_rst=rst(9, 15.0, 0, 2000)),
        f"{UP} reset the connection while POST /up was being sent, 5000 octets into it.",
    ),
    (
        attempt(response=half_head(), upstream_fin=closing(9, 15.0, 40)),
        f"{UP} closed the connection after 40 octets of the head of its response to GET /t/1; the head has no end.",
    ),
    (
        attempt(response=response(body=18019, expected=40960), upstream_fin=closing(9, 15.0, 18099)),
        f"{UP} closed the connection 22941 octets short of its 40960-octet response to GET /t/1.",
    ),
    (
        attempt(response=response(body=1, expected=None), upstream_rst=rst(9, 15.0, 81)),
        f"{UP} reset the connection after 1 octet of the body and without the last chunk of its response to GET /t/1.",
    ),
    (
        attempt(judged_ms=61_000.0, gateway_fin=closing(20, 60_002.0, 100, 0)),
        f"{UP} did not begin to answer GET /t/1: the gateway gave up after 60.00 s.",
    ),
    (
        attempt(judged_ms=61_000.0, gateway_fin=closing(20, 60_012.0), response=response(body=300), gateway_acked=380),
        (
            f"{UP} fell silent after 300 of 1000 octets of the body of its response to GET /t/1: "
            "the gateway gave up after 60.00 s."
        ),
    ),
    (
        attempt(
            reused=True, request=request(100), upstream_acked=100, response_from=500,
            upstream_fin=closing(3, -5000.0, 500, 100),
        ),
        f"{UP} had been closing the connection for 5.00 s when GET /t/1 was sent on it, and never saw the request.",
    ),
    (
        attempt(response=complete(), violation=violation(), client=client()),
        f"{UP} sent an illegal header field to GET /t/1: space before colon (octet 30).",
    ),
    (
        attempt(response=complete(503)),
        f"{UP} itself answered GET /t/1 with 503, complete and well-formed.",
    ),
    (
        attempt(gateway_rst=rst(20, 501.0)),
        f"The gateway closed 500 ms after it had sent GET /t/1 to {UP}; the upstream had done nothing wrong.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("made", "sentence"), SENTENCES)
def test_sentences(made: Attempt, sentence: str) -> None:
    """Each kind says in one sentence what happened, with its numbers."""
    assert verdict(made).summary == sentence


def test_long_targets_are_cut_in_the_middle() -> None:
    """A long target keeps its beginning and its end in a sentence."""
    target = "/search?" + "a" * 500 + "&last=1"
    made = attempt(request=replace(request(), target=target), upstream_rst=rst(9, 10.1))
    summary = verdict(made).summary
    assert len(summary) < 200
    assert "/search?" in summary
    assert "…" in summary
    assert "&last=1" in summary


def test_shorten() -> None:
    """A text that is short enough stays; one that is not has exactly the length asked for."""
    assert shorten("abc", 3) == "abc"
    assert shorten("abcdef", 5) == "ab…ef"
    assert len(shorten("x" * 100, 64)) == 64


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (-5, "less than 0.1 ms"),
        (9_000_000, "9.0 ms"),
        (250_000_000, "250 ms"),
        (2_002_000_000, "2.00 s"),
        (183_000_000_000, "3 min 3 s"),
        (7_260_000_000_000, "2 h 1 min"),
    ],
)
def test_durations(ns: int, text: str) -> None:
    """A length of time has as many digits as it can bear."""
    assert duration(ns) == text
