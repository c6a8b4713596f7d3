"""Captures that lack frames: an answer is never given to another request than its own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import GET, OK, Watch, watch
from tests.wire import Wire

STATUS = (200, 201, 202, 203, 206)  # not 204, which has no body


def numbered(number: int) -> tuple[bytes, bytes]:
    """Return a request and its response, which both tell their number."""
    body = b"x" * (10, 3000, 70_000, 0, 5)[number]
    request = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
    if number == 4:
        return request, b"HTTP/1.1 %d OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" % (
            STATUS[number]
        )
    return request, b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (STATUS[number], len(body)) + body


def conversation(order: list[int], *, pause: float, mid: bool) -> Wire:
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    if mid:
        conn.established()
    else:
        conn.handshake()
    for number in order:
        request, response = numbered(number)
        conn.client.send(request)
        conn.server.ack()
        wire.sleep(pause)
        conn.server.send(response, mss=1460)
        conn.client.ack()
        wire.sleep(pause)
    conn.client.fin()
    conn.server.fin()
    return wire


def wrong(seen: Watch) -> list[tuple[int, int]]:
    """Return the pairs (request, status) that do not belong together."""
    pairs = []
    for stream in range(len(seen.known)):
        for exchange in seen.exchanges(stream):
            asked = re.match(rb"GET /(\d)", exchange.req_head)
            if asked and exchange.status and exchange.status != STATUS[int(asked[1])]:
                pairs.append((int(asked[1]), exchange.status))
    return pairs


@pytest.mark.parametrize("mid", [False, True])
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_one_missing_frame(pause: float, mid: bool) -> None:
    """Whichever single frame is missing, each response that is seen stands with its own request."""
    wire = conversation([0, 1, 4, 3, 0, 1], pause=pause, mid=mid)
    for gone in range(1, len(wire.frames) + 1):
        assert not wrong(watch(wire.without({gone})).finish()), gone


@given(
    st.lists(st.integers(0, len(STATUS) - 1), min_size=2, max_size=5),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.booleans(),
    st.data(),
)
def test_many_missing_frames(order: list[int], pause: float, mid: bool, data: st.DataObject) -> None:
    """Whichever frames are missing, each response that is seen stands with its own request."""
    wire = conversation(order, pause=pause, mid=mid)
    numbers = range(1, len(wire.frames) + 1)
    gone = data.draw(st.sets(st.sampled_from(numbers), max_size=12))
    assert not wrong(watch(wire.without(gone)).finish())


@pytest.mark.parametrize("size", [5, 100_000])
@pytest.mark.parametrize("before", [0, 1])
def test_a_missing_request(before: int, size: int) -> None:
    """The answer to a request that the capture lacks is an exchange of its own, and the next ones keep theirs."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    for status in (*[200] * before, 0, 503, 404):
        conn.client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % status, drop=status == 0)
        wire.sleep(0.3)
        conn.server.send(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status or 200, size) + bytes(size), mss=1460)
        conn.client.ack()
        wire.sleep(0.3)
    exchanges = watch(wire).exchanges()
    asked = [(exchange.req_head[5:8], exchange.status) for exchange in exchanges if not exchange.ghost]
    assert asked == [*[(b"200", 200)] * before, (b"503", 503), (b"404", 404)]
    assert [exchange.status for exchange in exchanges if exchange.ghost] == [200]


def test_after_a_hole_all_is_as_before_it() -> None:
    """Once a later request was answered, a hole in the requests no longer makes an unsolicited 408 a doubtful one."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    for drop in (True, False):
        conn.client.send(GET, drop=drop)
        conn.server.ack()
        conn.server.send(OK)
        conn.client.ack()
        wire.sleep(1)
    conn.client.send(GET, lost=True)  # they cross
    conn.server.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    conn.server.fin()
    conn.server.reset()

    last = watch(wire).exchanges()[-1]
    assert (last.excess_before, last.foreign_status) == (True, 408)
