"""Heads and connections that are made to hurt: work stays linear, memory bounded, and the reader comes to rest."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.talk import GET, OK, answer, talk
from tests.tcp.watch import watch
from tests.wire import Wire
from wire502.model.context import Context

SMALL = Context(keep_exchanges=True, max_head=100_000)


def seconds(size: int) -> float:
    """Return how long a response head of *size* octets in segments of ten takes."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(b"HTTP/1.1 200 OK\r\nA: " + b"a" * size, mss=10)
    began = time.process_time()
    watch(wire, rows=4096)
    return time.process_time() - began


@pytest.mark.slow
def test_a_head_in_tiny_segments_costs_its_length() -> None:
    """A head four times as long in segments of ten octets takes about four times as long, not sixteen."""
    seconds(1000)
    short = min(seconds(40_000) for _ in range(2))
    assert min(seconds(160_000) for _ in range(2)) < 9 * short


def test_a_response_head_over_the_limit_is_let_go_of() -> None:
    """Of a response head over the limit only its begin is kept, and it is said."""
    exchange = answer(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000, context=SMALL, cut=1000)
    assert exchange.oddities == ["response_head_over_limit"]
    assert exchange.resp_cut
    assert len(exchange.resp_head) == 16_384


def test_a_request_head_over_the_limit_is_let_go_of() -> None:
    """Of a request head over the limit only its begin is kept; the next request is read again."""
    request = b"GET / HTTP/1.1\r\nA: " + b"a" * 200_000
    seen = talk((">", request), ("<", OK), (">", b"\r\n\r\n"), (">", GET), ("<", OK), context=SMALL, cut=1000)
    first = seen.exchanges()[0]
    assert first.oddities == ["request_head_over_limit"]
    assert first.req_cut
    assert len(first.req_head) == 16_384
    assert seen.exchanges()[-1].number == 2


def test_many_fields_are_read_once() -> None:
    """A head of a hundred thousand short lines is read in one pass."""
    exchange = answer(b"HTTP/1.1 200 OK\r\n" + b"A:b\r\n" * 100_000 + b"Content-Length: 2\r\n\r\nok", cut=1460)
    assert exchange.resp_done
    assert exchange.violation is None
    assert exchange.head_bytes == 17 + 500_000 + 21


def test_interim_responses_without_end_are_counted_not_kept() -> None:
    """Of thousands of interim responses only the first are kept, and the final one is still found."""
    exchange = answer(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + OK, cut=1460)
    assert len(exchange.interim) == 16
    assert exchange.status == 200


def test_octets_before_a_request_are_kept_up_to_a_limit() -> None:
    """Octets that may answer a request yet to be shown are held only so far."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1_000_000), mss=1460)
    conn.client.send(GET)
    unseen, asked = watch(wire).exchanges()
    assert unseen.ghost
    assert unseen.body_bytes == 1_000_000
    assert asked.status == 0


SAID = st.lists(
    st.tuples(
        st.sampled_from("<>"),
        st.one_of(
            st.sampled_from(
                [
                    GET,
                    OK,
                    b"HEAD / HTTP/1.1\r\n\r\n",
                    b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\n",
                    b"ab",
                    b"HTTP/1.1 200 OK\r\n",
                    b"\r\n",
                    b"HTTP/1.1 101 S\r\n\r\n",
                    b"HTTP/1.1 100 C\r\n\r\n",
                    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
                    b"GET /\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"2\r\nok\r\n",
                    b"0\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\n\r\n",
                    b"PRI * HTTP/2.0\r\n\r\n",
                    b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"Content-Length: 7\r\n",
                    b"\x16\x03\x01\x02",
                    b"PROXY TCP4\r\n",
                ]
            ),
            st.binary(max_size=12),
        ),
    ),
    max_size=14,
)


@given(SAID, st.data(), st.booleans())
def test_no_conversation_breaks_the_reader(said: list[tuple[str, bytes]], data: st.DataObject, mid: bool) -> None:
    """Whatever two sides say, in whatever order frames come or fail to, the reader gets to the end."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    if mid:
        conn.established()
    else:
        conn.handshake()
    for who, octets in said:
        side = conn.client if who == ">" else conn.server
        what = data.draw(st.sampled_from(["send"] * 12 + ["drop", "lost", "fin", "reset", "sleep"]))
        if what == "fin":
            side.fin(octets)
        elif what == "reset":
            side.reset()
        else:
            side.send(octets, drop=what == "drop", lost=what == "lost")
        if what == "sleep":
            wire.sleep(70)
        if data.draw(st.booleans()):
            side.peer.ack()
    if len(wire.frames) > 1 and data.draw(st.booleans()):
        wire = wire.reorder(data.draw(st.integers(1, len(wire.frames))), data.draw(st.integers(1, len(wire.frames))))
    seen = watch(wire).finish()
    for stream in range(len(seen.known)):
        for exchange in seen.exchanges(stream):
            assert exchange.req_start <= exchange.req_end or exchange.ghost
            assert exchange.body_bytes >= 0
            assert exchange.head_bytes >= 0
            assert (
                not exchange.resp_done or exchange.status or exchange.resp_cut or exchange.resp_none or exchange.framing
            )
