"""Which connections are client legs: by the capture's word, by behaviour, and by the caller's."""

from __future__ import annotations

import pytest

from tests.engine.drive import summary_of, told
from tests.tcp.watch import GET, OK
from tests.wire import Connection, Wire
from wire502.model.context import Context

ERROR = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
CLIENT, FRONT, BACK = "10.1.0.9:50000", "10.0.0.1:80", "10.0.0.2:8080"


def request(path: bytes, more: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n"


def passed_on(
    wire: Wire, number: int, front: str = FRONT, gateway: str = "10.0.0.1", back: str = BACK, more: bytes = b""
) -> tuple[Connection, Connection, int]:
    """A client asks a gateway, which asks an upstream, which resets; the client gets a 502. Return the RST's frame."""
    client = wire.connection(f"10.1.0.9:{50000 + number}", front, local="server")
    client.handshake()
    client.client.send(request(b"/%d" % number))
    upstream = wire.connection(f"{gateway}:{41000 + number}", back)
    upstream.handshake()
    upstream.client.send(request(b"/%d" % number, more))
    reset = upstream.server.reset()
    client.server.send(ERROR)
    client.client.ack()
    wire.sleep(1)
    return client, upstream, reset


def test_an_address_that_is_asked_and_asks() -> None:
    """A host that asks another one while it is asked itself is a gateway: its own 502 is no upstream's failure."""
    wire = Wire()
    _, _, reset = passed_on(wire, 1)
    assert told(wire) == [("rst_before_response", reset)]
    assert summary_of(wire).client_502 == 1


def test_the_capture_says_which_host_it_is() -> None:
    """A cooked capture tells incoming from outgoing frames, so that other addresses on each side do not matter."""
    wire = Wire()
    resets = [passed_on(wire, n, front="192.0.2.1:443", gateway="10.9.9.9")[2] for n in range(3)]
    assert sorted(told(wire, cooked=True)) == [("rst_before_response", reset) for reset in resets]
    assert summary_of(wire, cooked=True).client_502 == 3


def test_two_addresses_are_betrayed_by_nesting() -> None:
    """A gateway with one address for each side is known once it has passed on two requests."""
    wire = Wire()
    resets = [passed_on(wire, n, front="192.0.2.1:443", gateway="10.9.9.9")[2] for n in range(5)]
    assert sorted(told(wire)) == [("rst_before_response", reset) for reset in resets]


def test_a_forwarding_header_betrays_at_once() -> None:
    """A request that names the other one's client is passed on by that one's gateway, at the first time."""
    wire = Wire()
    _, _, reset = passed_on(wire, 1, front="192.0.2.1:443", gateway="10.9.9.9", more=b"X-Forwarded-For: 10.1.0.9\r\n")
    assert told(wire) == [("rst_before_response", reset)]


def test_loopback() -> None:
    """Where all is on one host, the gateway is told from its ports by nesting."""
    wire = Wire()
    resets = []
    for number in range(4):
        client = wire.connection(f"127.0.0.1:{50000 + number}", "127.0.0.1:80")
        client.handshake()
        client.client.send(request(b"/%d" % number))
        upstream = wire.connection(f"127.0.0.1:{41000 + number}", "127.0.0.1:8080")
        upstream.handshake()
        upstream.client.send(request(b"/%d" % number))
        resets.append(upstream.server.reset())
        client.server.send(ERROR)
        wire.sleep(1)
    assert sorted(told(wire)) == [("rst_before_response", reset) for reset in resets]


def test_one_leg_alone_is_an_upstream_leg() -> None:
    """A capture of one leg is taken for the upstream leg: a 5xx on it is the upstream's."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", BACK)
    conn.handshake()
    conn.client.send(GET)
    error = conn.server.send(ERROR)
    assert told(wire) == [("relayed_error", error)]


def test_a_host_that_opens_connections_of_its_own_is_no_gateway() -> None:
    """A server that asks others while nobody waits for it is an upstream all the same."""
    wire = Wire()
    update = wire.connection("10.0.0.2:33000", "10.3.0.3:80")
    update.handshake()
    update.client.send(GET)
    update.server.send(OK)
    wire.sleep(1)
    conn = wire.connection("10.0.0.1:41000", BACK)
    conn.handshake()
    conn.client.send(GET)
    reset = conn.server.reset()
    assert told(wire) == [("rst_before_response", reset)]


@pytest.mark.parametrize("port", [None, 80])
def test_the_caller_decides(port: int | None) -> None:
    """An endpoint that the caller names is an upstream, whatever else the capture shows."""
    wire = Wire()
    for number in range(2):
        passed_on(wire, number)
    named = Context(upstreams=((0, 0xFFFF_0A00_0001, port),))
    kinds = [kind for kind, _ in told(wire, named)]
    assert kinds.count("relayed_error") == 2
    other = Context(upstreams=((0, 0xFFFF_0A00_0001, 81),))
    assert "relayed_error" not in [kind for kind, _ in told(wire, other)]
