"""Pairs of conversations: too much for the upstream, or for its client."""

from __future__ import annotations

from tests.diagnosis.causes.pairs.told import Scene
from tests.diagnosis.causes.scene import GET, ask, connect, serve
from tests.engine.gateway import Gateway
from tests.wire import Wire
from tests.wire_tcp import Connection

POST = b"POST /t/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n"


def _ends(conn: Connection) -> int:
    """The upstream closes, the gateway follows."""
    frame = conn.server.fin()
    conn.client.fin()
    conn.server.ack()
    return frame


def connection_limit(shown: bool) -> Scene:
    """Fresh connections closed at once with eight others open; nearly: more than those were served before."""
    wire = Wire()
    for number in range(8):
        serve(connect(wire), number)
    if not shown:
        more = [connect(wire) for _ in range(4)]
        for conn in more:
            serve(conn)
        for conn in more:
            conn.client.fin()
            conn.server.fin()
            conn.client.ack()
    closed = []
    for _ in range(3):
        conn = connect(wire)
        ask(conn, 90)
        wire.sleep(0.01)
        closed.append(_ends(conn))
    return Scene(wire, closed[-1], tuple(closed), instead=("crashed_before_response",))


def listen_queue_overflow(shown: bool) -> Scene:
    """The SYN-ACK is repeated after a request that nobody takes; nearly: the request is taken in the end."""
    wire = Wire()
    conn = connect(wire)
    request = conn.client.send(GET % 1, lost=shown)
    again = 0
    for wait in (1.0, 2.0, 4.0):
        wire.sleep(wait)
        again = conn.server.syn_ack()
        conn.client.ack()
    if not shown:
        conn.server.ack()
    wire.sleep(53)
    conn.client.fin(lost=True)
    return Scene(wire, request, (request, again))


def slow_upstream(shown: bool) -> Scene:
    """Answers become slower before one stays away; nearly: they had been as slow, and were quick again."""
    quick, slow = [0.02] * 4, [0.5, 1.5, 3.0]
    wire = Wire()
    conn = connect(wire)
    for number, after in enumerate([*quick, *quick, *slow] if shown else [*quick, *slow, *quick]):
        serve(conn, number, after=after)
        wire.sleep(1.5)
    request = ask(conn, 99)
    wire.sleep(60)
    conn.client.fin()
    return Scene(wire, request, (request,))


def upstream_not_reading(shown: bool) -> Scene:
    """The upstream's window is zero until the gateway gives up; nearly: it opens again, and nothing more comes."""
    wire = Wire()
    conn = connect(wire)
    conn.client.send(POST)
    conn.client.send(b"x" * 1000)
    zero = conn.server.ack(window=0)
    for wait in (1, 2, 4):
        wire.sleep(wait)
        conn.client.keep_alive(b"x")
        conn.server.ack(window=0)
    if not shown:
        conn.server.ack(window=5000)
    wire.sleep(60)
    given_up = conn.client.reset()
    return Scene(wire, zero if shown else given_up, (zero,), instead=("slow_client",))


def worker_timeout(shown: bool) -> Scene:
    """Three closes 30 s after their requests; nearly: others are served after 45 s."""
    wire = Wire()
    closed = []
    for number, after in enumerate([30.01, 30.02, 30.01]):
        serve(connect(wire), 50 + number, after=0.1 if shown else 45.0)
        conn = connect(wire)
        ask(conn, number)
        wire.sleep(after)
        closed.append(_ends(conn))
    return Scene(wire, closed[-1], tuple(closed), instead=("crashed_before_response",))


def gateway_not_reading(shown: bool) -> Scene:
    """The gateway takes nothing for 30 s of a response that is then cut; nearly: its window had opened again."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
    conn.server.send(b"x" * 3000, 1000)
    zero = conn.client.ack(window=0)
    wire.sleep(20)
    conn.client.ack(window=0 if shown else 5000)
    wire.sleep(10)
    reset = conn.server.reset()
    return Scene(wire, zero if shown else reset, (zero,), instead=("crashed_mid_response",))


def slow_client(shown: bool) -> Scene:
    """The client stops in the middle of its upload, and the upstream loses patience; nearly: it went on sending."""
    scene = Gateway()
    scene.well()
    body = b"x" * 1000
    upload = b"POST /up HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 99999\r\n\r\n"
    asked = scene.client()
    asked.client.send(upload)
    asked.client.send(body)
    asked.server.ack()
    tried = scene.connection()
    tried.handshake()
    tried.client.send(upload)
    last = tried.client.send(body)
    tried.server.ack()
    for _ in range(6):
        scene.wire.sleep(1)
        if not shown:
            asked.client.send(body)
            asked.server.ack()
    reset = tried.server.reset()
    scene.answers(asked)
    return Scene(scene.wire, reset, (last,))
