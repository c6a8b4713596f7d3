"""When a connection that has ended is forgotten, and that no verdict needs it any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.drive import told
from tests.tcp.watch import batches
from tests.wire import Connection, Wire
from wire502.engine import Engine
from wire502.model.context import Context

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PREFACE = b"PROXY TCP4 192.0.2.9 10.0.0.1 50001 80\r\n"


def both_close(conn: Connection) -> None:
    """Close from both ends, each FIN acknowledged."""
    conn.client.fin()
    conn.server.fin()
    conn.client.ack()


def one_fin_is_unheard(conn: Connection) -> None:
    """Close from both ends; the last acknowledgement is not there."""
    conn.client.fin()
    conn.server.fin()


def reset(conn: Connection) -> None:
    """Close by RST."""
    conn.client.reset()


def known(wire: Wire) -> int:
    """Return how many connections are still followed behind the last frame."""
    portions = batches(wire.frames)
    engine = Engine(Context(), list(portions[0].interfaces))
    for batch in portions:
        engine.feed(batch)
    return engine.gauges()["connections"]


@pytest.mark.parametrize(
    ("end", "asks", "after", "left"),
    [
        (both_close, GET, 4.0, 2),
        (both_close, GET, 6.0, 1),
        (both_close, PREFACE + GET, 6.0, 2),
        (one_fin_is_unheard, GET, 6.0, 2),
        (reset, GET, 6.0, 2),
        (reset, GET, 61.0, 1),
    ],
)
def test_who_is_forgotten_soon(end: Callable[[Connection], None], asks: bytes, after: float, left: int) -> None:
    """Whose both FINs were acknowledged is forgotten after five seconds, others and those of a named client later."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(asks)
    conn.server.send(OK)
    end(conn)
    wire.sleep(after)
    wire.connection("10.0.0.1:41001", "10.0.0.2:8080").client.syn()
    assert known(wire) == left


def test_what_is_open_is_judged_before() -> None:
    """A request without an answer on a connection that both ends closed is a failure however long ago that was."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.fin()
    conn.client.fin()
    conn.server.ack()
    wire.sleep(6)
    wire.connection("10.0.0.1:41001", "10.0.0.2:8080").handshake()
    assert [kind for kind, _ in told(wire)] == ["fin_before_response"]
