"""The line of a healthy exchange says the same whether it is taken from the wire's records or from an attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wire502
from tests.engine.drive import judged
from tests.wire import Wire
from wire502.model.context import Context
from wire502.model.verdict import ExchangeLine

A, B = "10.0.0.1:41000", "10.0.0.2:8080"
CAPTURES = Path(__file__).resolve().parents[2] / "captures"
ODD_REQUESTS = (
    b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\nX-Request-ID:  abc \r\n\r\n",
    b"GET /two words HTTP/1.1\r\nhost: B.example:8080\r\ntraceparent: 00-0af7651916cd43dd-b7ad6b71-01\r\n\r\n",
    b"GET /%b HTTP/1.1\r\nHost: a\r\ncf-ray:\r\nX-B3-TraceId: 77\r\n\r\n" % (b"x" * 9000),
    b"GET /\xff\x01 HTTP/1.1\r\nHost: \xc2\x9b[31m\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-Request-Id:\r\ncf-ray: 1\r\nHost: one\r\nx-request-id: late\r\nHOST: b\r\ncf-ray: 2\r\n\r\n",
)


def _exchanges(results: Any) -> list[ExchangeLine]:
    return sorted((one for one in results if isinstance(one, ExchangeLine)), key=lambda one: (one.file, one.frame))


def _without_short_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire502.engine.Lines", lambda _pen: None)


def test_sample_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each sample capture both ways give the same exchanges."""
    paths = sorted(path for path in CAPTURES.rglob("*.pcap*") if path.suffix in (".pcap", ".pcapng"))
    short = {path: _exchanges(wire502.read(path, all=True)) for path in paths}
    _without_short_cut(monkeypatch)
    for path in paths:
        assert short[path] == _exchanges(wire502.read(path, all=True)), path.name
    assert sum(map(len, short.values())) > 50


@pytest.mark.parametrize("mid", [False, True])
def test_odd_requests(mid: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of odd targets, hosts and correlation ids both ways give the same."""
    wire = Wire()
    conn = wire.connection(A, B)
    if not mid:
        conn.handshake()
    for request in ODD_REQUESTS:
        conn.client.send(request)
        conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    context = Context(keep_exchanges=True)
    short = _exchanges(judged(wire, context))
    assert len(short) == len(ODD_REQUESTS)
    _without_short_cut(monkeypatch)
    assert short == _exchanges(judged(wire, context))


PIECES = st.sampled_from(
    [b" ", b"\r", b"\t", b"\x0b", b"?", b"-", b"--", b":", b"HTTP/", b" HTTP/1.1", b"/a", b"\xff", b"\xc3\xa9", b"x"]
)
JUNK = st.lists(PIECES, max_size=5).map(b"".join)
NAMES = st.sampled_from(
    (b"Host host HOST Hostess [ost X-Request-Id x-correlation-id X-Correlation-ID2 TraceParent traceparent").split()
    + (b"x-amzn-trace-id CF-RAY cf-ray cf\rray x-b3-traceid X-B3-TraceId t x X c").split(b" ")
)
FIELDS = st.builds(lambda name, colon, value: name + colon + value, NAMES, st.sampled_from([b":", b": ", b" :"]), JUNK)


@settings(max_examples=150)
@given(JUNK, st.lists(FIELDS, max_size=6))
def test_any_head(target: bytes, fields: list[bytes]) -> None:
    """Whatever stands in a request's head, both ways tell the same of it, if it is healthy at all."""
    wire = Wire()
    conn = wire.connection(A, B)
    conn.handshake()
    conn.client.send(b"\r\n".join([b"GET /" + target + b" HTTP/1.1", *fields, b"", b""]))
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    context = Context(keep_exchanges=True)
    short = _exchanges(judged(wire, context))
    with pytest.MonkeyPatch.context() as patch:
        _without_short_cut(patch)
        assert short == _exchanges(judged(wire, context))


def test_most_take_the_short_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain exchange is told without an attempt."""
    monkeypatch.setattr("wire502.exchange.attempts_cy.build", None)
    wire = Wire()
    conn = wire.connection(A, B)
    conn.handshake()
    conn.client.send(ODD_REQUESTS[0])
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert len(_exchanges(judged(wire, Context(keep_exchanges=True)))) == 1
