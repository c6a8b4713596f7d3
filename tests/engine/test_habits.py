"""How servers and gateways talk that the samples do not show: each conversation says what may be said of it."""

from __future__ import annotations

import pytest

from tests.engine.drive import told
from tests.wire import Wire
from tests.wire_tcp import Connection

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.0 200 OK\r\nServer: gunicorn\r\nConnection: close\r\n\r\nall of it"


def opened() -> tuple[Wire, Connection]:
    """Return a wire with an open connection."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    return wire, conn


def ask(conn: Connection, request: bytes = GET) -> int:
    """Send a request, have it acknowledged, and return its frame."""
    frame = conn.client.send(request)
    conn.server.ack()
    return frame


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (GET, CLOSING),
        (b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 40 + OK),
        (
            GET,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n",
        ),
        (
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n\x81",
        ),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03"),
        (
            b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
            b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n",
        ),
    ],
    ids=["http/1.0", "head", "304", "204", "interim", "trailers", "upgrade", "connect", "expectation refused"],
)
@pytest.mark.parametrize("end", ["fin", "both", "reset after fin"])
def test_an_answer_and_a_close(request_: bytes, response: bytes, end: str) -> None:
    """A complete answer is no failure, however both sides then close."""
    wire, conn = opened()
    ask(conn, request_)
    conn.server.send(response)
    if end == "both":
        conn.client.fin()
        conn.server.fin()
    else:
        conn.server.fin()
        if end == "fin":
            conn.client.fin()
            conn.server.ack()
        else:
            conn.client.reset()
    wire.sleep(3)
    assert told(wire) == []


@pytest.mark.parametrize(
    "pause",
    [1.0, pytest.param(2.0, marks=pytest.mark.xfail(reason="an answer over 1.5 s behind a half-close comes too late"))],
)
def test_a_half_close_behind_the_request(pause: float) -> None:
    """A gateway that shuts its side after the request and then has the answer lacks nothing."""
    wire, conn = opened()
    ask(conn)
    conn.client.fin()
    conn.server.ack()
    wire.sleep(pause)
    conn.server.send(OK)
    conn.server.fin()
    conn.client.ack()
    assert told(wire) == []


def test_an_early_refusal_and_a_reset() -> None:
    """A 413 before the body was read, then a RST over the unread rest, is an answer and no failure."""
    wire, conn = opened()
    ask(conn, b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + bytes(1000))
    conn.server.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    conn.server.fin()
    conn.client.send(bytes(1000))
    conn.server.reset()
    assert told(wire) == []


def test_keep_alive_probes_in_a_long_wait() -> None:
    """Probes while the answer takes 50 s are no failure, nor are they progress."""
    wire, conn = opened()
    ask(conn)
    for _ in range(5):
        wire.sleep(10)
        conn.client.keep_alive()
        conn.server.ack()
    conn.server.send(OK)
    conn.client.ack()
    assert told(wire) == []


def test_an_unsolicited_408_on_an_idle_connection() -> None:
    """A server that says 408 and closes an idle connection hurts nobody who asks nothing more."""
    wire, conn = opened()
    ask(conn)
    conn.server.send(OK)
    conn.client.ack()
    wire.sleep(20)
    conn.server.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    conn.server.fin()
    conn.client.fin()
    conn.server.ack()
    assert told(wire) == []


def test_a_port_that_is_used_again_soon() -> None:
    """A new connection on the same ports stands alone: what failed on it is its own."""
    wire, conn = opened()
    ask(conn)
    conn.server.send(CLOSING)
    conn.server.fin()
    conn.client.fin()
    conn.server.ack()
    wire.sleep(0.5)
    again = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=77_000_000, server_isn=99_000_000)
    again.handshake()
    ask(again)
    reset = again.server.reset()
    assert told(wire) == [("rst_before_response", reset)]


def test_short_of_its_length() -> None:
    """Keep-alive or not: a FIN short of Content-Length cuts the answer."""
    wire, conn = opened()
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\nabc")
    fin = conn.server.fin()
    conn.client.fin()
    assert told(wire) == [("fin_mid_body", fin)]
