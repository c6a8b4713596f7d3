"""Connections that rest: whatever happens around them and after them, every verdict is the same as without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.engine.drive import judged
from tests.tcp.watch import batches
from tests.wire import Connection, Wire
from wire502.api import read
from wire502.engine import Engine
from wire502.model.context import Context
from wire502.model.verdict import Failure
from wire502.tcp import resting_cy
from wire502.tcp.connections_cy import Connections, _is_compiled

GET = b"GET /same HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ANSWERS = (
    OK,
    OK,
    OK,
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
)
# Rows of the history remember connections, and who is remembered does not rest: so there are as few as can be.
AT_ONCE = Context(rest_after_ns=0, rest_from=0, history_rows=1)
NEVER = Context(rest_from=1 << 40, history_rows=1)
PACKS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(80))


class Talk:
    """One connection of a crowd, which does the next thing that comes to its mind."""

    def __init__(self, conn: Connection, random: Random) -> None:
        self.conn, self.random = conn, random
        self.asked = 0
        self.rest = b""
        conn.handshake()
        if random.random() < 0.05:
            conn.client.send(PACKS)
            conn.server.send(PACKS)
            self.asked = -1000

    def goes_on(self) -> None:
        """Do one thing."""
        client, server, random = self.conn.client, self.conn.server, self.random
        chance = random.random()
        if self.rest:
            server.send(self.rest)
            self.rest = b""
        elif chance < 0.02:
            random.choice((client, server)).fin()
        elif chance < 0.03:
            random.choice((client, server)).reset()
        elif chance < 0.05:
            random.choice((client, server)).keep_alive()
        elif chance < 0.07 and client.last is not None:
            client.retransmit()
        elif chance < 0.08:
            client.ack(window=0)
        elif chance < 0.09:
            server.send(b"", drop=True)
            server.send(OK, drop=True)
            client.ack()
        elif self.asked > 0:
            self.asked -= 1
            whole = random.choice(ANSWERS)
            cut = random.randrange(1, len(whole)) if random.random() < 0.2 else len(whole)
            server.send(whole[:cut])
            self.rest = whole[cut:]
            if random.random() < 0.8:
                client.ack()
        else:
            self.asked += 1
            client.send(GET if random.random() < 0.9 else GET + GET)
            server.ack()


def crowd(seed: int) -> Wire:
    """Return the frames of 60 connections to one port that do as they like, most of them idle most of the time."""
    random = Random(seed)
    wire = Wire()
    talks: list[Talk] = []
    for step in range(500):
        if len(talks) < 60 and step % 4 == 0:
            talks.append(Talk(wire.connection(f"10.0.0.1:{41000 + len(talks)}", "10.0.0.2:8080"), random))
        random.choice(talks).goes_on()
        if random.random() < 0.1:
            wire.sleep(random.choice((0.01, 0.3, 2.0)))
    return wire


def rests(wire: Wire, context: Context) -> tuple[int, int]:
    """Return how many connections rest at the end, and how often one was woken."""
    portions = batches(wire.frames)
    engine = Engine(context, list(portions[0].interfaces))
    for batch in portions:
        engine.feed(batch)
    return engine._connections.resting, engine._connections.woken


@pytest.mark.parametrize("seed", range(24))
def test_verdicts_are_the_same(seed: int) -> None:
    """Connections that rest at once, and are woken again and again, give the results of those that never do."""
    wire = crowd(seed)
    assert judged(wire, AT_ONCE) == judged(wire, NEVER)


def test_the_crowd_rests() -> None:
    """In the crowd of the test above many connections rest and wake: it is them that it compares."""
    resting, woken = rests(crowd(1), AT_ONCE)
    assert resting >= 10
    assert woken >= 50
    assert rests(crowd(1), NEVER) == (0, 0)


def idle(count: int, *, asked: bool = True) -> tuple[Wire, list[Connection]]:
    """Return connections to one port that have had an answer each and are silent from then on."""
    wire = Wire()
    made = []
    for number in range(count):
        conn = wire.connection(f"10.0.0.1:{41000 + number}", "10.0.0.2:8080")
        conn.handshake()
        if asked:
            conn.client.send(GET)
            conn.server.send(OK)
            conn.client.ack()
        made.append(conn)
        wire.sleep(0.02)  # for a moment each is remembered: it may be seen again behind an address translation
    return wire, made


def test_a_request_wakes_its_connection() -> None:
    """A connection that rested for a minute is reset over its second request: that is a failure, at the reset."""
    wire, made = idle(100)
    wire.sleep(60)
    made[5].client.send(GET)
    made[5].server.ack()
    reset = made[5].server.reset()
    (failure,) = [one for one in judged(wire, AT_ONCE) if isinstance(one, Failure)]
    assert (failure.frame, failure.kind, failure.connection.stream) == (reset, "rst_before_response", 5)
    assert (failure.connection.exchange, failure.connection.reused) == (2, True)


def test_only_beyond_so_many() -> None:
    """Connections rest when they are idle long enough and more than ``rest_from`` are awake, and not before."""
    wire, made = idle(200)
    wire.sleep(5)
    for _ in range(150):
        made[199].client.keep_alive()
        made[199].server.ack()
    few = Context(rest_after_ns=1_000_000_000, rest_from=100, history_rows=1)
    resting, _ = rests(wire, few)
    assert 60 <= resting <= 100
    assert rests(wire, Context(rest_after_ns=10_000_000_000, rest_from=100, history_rows=1))[0] == 0
    assert rests(wire, Context(rest_after_ns=1_000_000_000, rest_from=200, history_rows=1))[0] == 0


def test_what_is_under_way_does_not_rest() -> None:
    """A connection that waits for a handshake, an answer, missing octets, or has begun to end stays awake."""
    wire, made = idle(100)
    resting, _ = rests(wire, AT_ONCE)
    made[3].client.send(GET)
    made[4].client.send(GET, drop=True)
    made[4].client.send(GET)
    made[5].server.fin()
    made[6].client.send(GET[:9])
    for number in range(5):
        wire.connection(f"10.0.0.1:{51000 + number}", "10.0.0.2:8080").client.syn()
    wire.sleep(0.1)
    made[7].client.keep_alive()
    assert rests(wire, AT_ONCE)[0] <= resting - 4


def test_the_longest_idle_go_first() -> None:
    """At ``max_connections`` those that rest are let go before those that are awake, and are not judged for it."""
    wire, _ = idle(200)
    context = Context(rest_after_ns=0, rest_from=0, history_rows=1, max_connections=150)
    portions = batches(wire.frames)
    engine = Engine(context, list(portions[0].interfaces))
    for batch in portions:
        engine.feed(batch)
    gauges = engine.gauges()
    assert (gauges["connections"], gauges["evicted"]) == (150, 50)
    assert [one.stream for one in engine._connections.remaining()] == list(range(50, 200))
    assert [result.type for result in engine.finish()] == ["summary"]


def test_what_was_never_http_is_told_at_the_end() -> None:
    """Connections that rest with something to be said of them are judged when the capture ends."""
    wire, made = idle(60, asked=False)
    for conn in made:
        conn.client.send(PACKS)
        conn.server.send(PACKS)
        conn.client.ack()
    wire.sleep(1)
    made[0].client.keep_alive()
    assert rests(wire, AT_ONCE)[0] >= 45
    assert judged(wire, AT_ONCE) == judged(wire, NEVER)


CAPTURES = sorted((Path(__file__).parents[2] / "captures").glob("*.pcap*"))


@pytest.mark.skipif(_is_compiled(), reason="needs a method of the kernel replaced")
def test_packing_at_every_segment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In each capture of the checkout, every connection packed and made anew between all its segments: no difference.

    In so small captures each connection is remembered by somebody, and would not rest; so it stays the same object.
    """
    packed = 0

    def rest(self: Any) -> bool:
        nonlocal packed
        conn = self.order[self.oldest]
        if conn is not None and resting_cy.may_rest(conn):
            resting = resting_cy.pack(conn, self.cells)
            if resting is not None:
                conn.begin()
                conn.decoder = self.observer.new_decoder(conn)
                resting_cy.unpack(resting, conn, self.cells)
                packed += 1
        return False

    as_ever = [list(read(path)) for path in CAPTURES]
    made = Connections.__init__

    def init(self: Any, observer: Any, context: Context) -> None:
        made(self, observer, replace(context, rest_after_ns=0, rest_from=0))

    monkeypatch.setattr(Connections, "_rest", rest)
    monkeypatch.setattr(Connections, "__init__", init)
    assert [list(read(path)) for path in CAPTURES] == as_ever
    assert packed > 500
