"""Pairs of conversations: what the application, or another gateway behind it, did with the request."""

from __future__ import annotations

from tests.diagnosis.causes.pairs.told import Scene
from tests.diagnosis.causes.scene import ask, connect
from tests.wire import Wire

TRACEBACK = b"Traceback (most recent call last):\n  File ...\n"


def _answered(octets: bytes) -> tuple[Wire, int]:
    """A request that is answered with these octets, and the gateway's close."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    answer = conn.server.send(octets)
    conn.client.ack()
    conn.client.fin()
    conn.server.fin()
    return wire, answer


def crashed_before_response(shown: bool) -> Scene:
    """The upstream closes over a request that it had; nearly: it never had it."""
    wire = Wire()
    conn = connect(wire)
    unread = conn.server.expected
    ask(conn, acked=shown)
    wire.sleep(0.3)
    fin = conn.server.fin(ack=None if shown else unread)
    return Scene(wire, fin, (fin,))


def crashed_mid_response(shown: bool) -> Scene:
    """The upstream closes within its answer; nearly: the gateway does."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 1000)
    conn.client.ack()
    wire.sleep(0.3)
    end = conn.server.fin() if shown else conn.client.reset()
    return Scene(wire, end, (end,))


def invalid_output(shown: bool) -> Scene:
    """A field's name holds an illegal octet; nearly: one that is odd, and legal (RFC 9110 section 5.6.2)."""
    octet = b" " if shown else b"|"
    wire, answer = _answered(b"HTTP/1.1 200 OK\r\nBad" + octet + b"Name: x\r\nContent-Length: 0\r\n\r\n")
    return Scene(wire, answer if shown else 0, (answer,))


def script_error(shown: bool) -> Scene:
    """A traceback in place of an answer; nearly: within an answer that says 503."""
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n" % len(TRACEBACK)
    wire, answer = _answered(TRACEBACK if shown else head + TRACEBACK)
    return Scene(wire, answer, (answer,))


def upstream_gateway_error(shown: bool) -> Scene:
    """A 503 that passed another hop; nearly: without that hop's mark it may be the application's own."""
    via = b"Via: 1.1 inner\r\n" if shown else b""
    wire, answer = _answered(b"HTTP/1.1 503 Service Unavailable\r\n" + via + b"Content-Length: 0\r\n\r\n")
    return Scene(wire, answer, (answer,))
