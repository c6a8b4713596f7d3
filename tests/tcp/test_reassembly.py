"""Octets in order: against a model that is a plain array, whatever the network does to the segments."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import GATEWAY, GET, OK, UPSTREAM, Watch, steps, watch
from tests.wire import Connection, Wire
from wire502.model.context import Context

BODY = bytes(range(256)) * 4


def opened(client_isn: int = 1000, server_isn: int = 5000, **options: Any) -> tuple[Wire, Connection]:
    """Return a wire with an open connection on which one request waits for its answer."""
    wire = Wire()
    conn = wire.connection(
        "10.0.0.1:41000", "10.0.0.2:8080", client_isn=client_isn, server_isn=server_isn, sack=False, **options
    )
    conn.handshake()
    conn.client.send(GET)
    return wire, conn


def chunked(sizes: list[int]) -> bytes:
    """Return a chunked response whose every octet matters to the decoder's state."""
    parts = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for number, size in enumerate(sizes):
        parts.append(b"%x\r\n" % size + bytes([65 + number % 26]) * size + b"\r\n")
    return b"".join([*parts, b"0\r\n\r\n"])


@dataclass
class Sent:
    """One segment: what part of the stream it carries."""

    start: int
    end: int


@st.composite
def journeys(draw: st.DrawFn) -> tuple[bytes, list[Sent]]:
    """Draw a response and segments that carry each octet at least once, in any order, overlapping as they like."""
    stream = chunked(draw(st.lists(st.integers(1, 60), max_size=6)))
    cuts = sorted({0, len(stream), *draw(st.lists(st.integers(1, len(stream) - 1), max_size=12))})
    segments = [Sent(*pair) for pair in pairwise(cuts)]
    for _ in range(draw(st.integers(0, 6))):  # copies and overlaps
        start = draw(st.integers(0, len(stream) - 1))
        segments.append(Sent(start, draw(st.integers(start + 1, len(stream)))))
    return stream, draw(st.permutations(segments))


@given(journeys(), st.sampled_from([5000, 2**32 - 40]), st.integers(1, 8))
def test_any_journey_gives_the_same_exchange(journey: tuple[bytes, list[Sent]], isn: int, rows: int) -> None:
    """Segments cut, swapped, repeated and overlapping as they like give the exchange that the plain stream gives."""
    stream, segments = journey
    wire, conn = opened(server_isn=isn)
    for sent in segments:
        conn.server.segment("PA", stream[sent.start : sent.end], seq=(isn + 1 + sent.start) % 2**32)
    conn.client.ack()
    exchange = watch(wire, rows=rows).one()

    plain, conn = opened(server_isn=isn)
    conn.server.send(stream)
    conn.client.ack()
    truth = watch(plain).one()
    for name in ("status", "resp_done", "resp_cut", "framing", "resp_start", "head_bytes", "body_bytes", "resp_head"):
        assert getattr(exchange, name) == getattr(truth, name), name
    assert exchange.violation is None
    assert exchange.body_bytes == len(stream) - exchange.head_bytes


@given(journeys(), st.data())
def test_what_never_came_is_never_decoded(journey: tuple[bytes, list[Sent]], data: st.DataObject) -> None:
    """The decoder never gets past the first octet that is missing, however much stands behind it."""
    stream, segments = journey
    missing = data.draw(st.sets(st.sampled_from(range(len(segments))), max_size=4))
    seen = bytearray(len(stream))
    wire, conn = opened()
    for number, sent in enumerate(segments):
        if number not in missing:
            seen[sent.start : sent.end] = b"\1" * (sent.end - sent.start)
            conn.server.segment("PA", stream[sent.start : sent.end], seq=5001 + sent.start)
    half = watch(wire).only.b
    reached = seen.find(0)
    assert half.off == (len(stream) if reached < 0 else reached)
    held = [(piece.offset, piece.end) for piece in half.pieces or ()]
    assert held == sorted(held)
    waiting = bytearray(len(stream))
    for start, end in held:
        waiting[start:end] = b"\1" * (end - start)
    assert waiting[half.off :] == seen[half.off :]
    assert half.top == seen.rfind(1) + 1


@given(journeys(), st.data())
def test_acknowledged_holes_become_gaps_and_nothing_else(
    journey: tuple[bytes, list[Sent]], data: st.DataObject
) -> None:
    """A hole that the receiver acknowledged, with octets behind it, is one gap of just those octets."""
    stream, segments = journey
    missing = data.draw(st.sets(st.sampled_from(range(len(segments))), max_size=4))
    seen = bytearray(len(stream))
    wire, conn = opened()
    for number, sent in enumerate(segments):
        whole = stream[sent.start : sent.end]
        conn.server.segment("PA", whole, seq=5001 + sent.start, drop=number in missing)
        if number not in missing:
            seen[sent.start : sent.end] = b"\1" * len(whole)
    conn.client.ack()
    wire.sleep(1)
    conn.client.keep_alive()
    half = watch(wire).only.b
    expected = []
    at = seen.find(0)
    last = seen.rfind(1) + 1
    while 0 <= at < last:
        end = seen.find(1, at)
        expected.append((at, end - at))
        at = seen.find(0, end)
    assert [(gap[1], gap[2]) for gap in half.gaps or ()] == expected
    assert half.off == last
    assert half.pieces is None
    assert half.buffered == 0


def test_a_hole_acknowledged_in_two_steps_is_closed() -> None:
    """An acknowledgement of just the hole, and long after it one of what stands behind, close the hole."""
    wire, conn = opened()
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
    conn.server.send(bytes(50), drop=True)
    conn.client.ack()
    conn.server.send(bytes(10))
    wire.sleep(5)
    conn.client.ack()
    wire.sleep(5)
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire)
    assert [exchange.resp_done for exchange in seen.exchanges()] == [True, True]
    assert [gap[:3] for gap in seen.only.b.gaps or ()] == [("capture", 39, 50)]


def test_the_first_copy_of_an_octet_wins() -> None:
    """Of two copies with other octets the one that came first is decoded, and both frames are remembered."""
    wire, conn = opened()
    first = conn.server.segment("PA", b"200 OK\r\nContent-Length: 0\r\n\r\n", seq=5001 + 9)
    second = conn.server.segment("PA", b"HTTP/1.1 503 NO", seq=5001)
    seen = watch(wire)
    assert seen.one().resp_head == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "what waits came first"
    assert seen.only.conflict is not None
    assert (seen.only.conflict[0], seen.only.conflict[2]) == (first, second)
    wire, conn = opened()
    first = conn.server.segment("PA", b"OK\r\nContent-Length: 0\r\n\r\n", seq=5001 + 13)
    second = conn.server.segment("PA", b"NO\r\nContent-Length: 9\r\n\r\n", seq=5001 + 13)
    conn.server.segment("PA", b"HTTP/1.1 200 ", seq=5001)
    seen = watch(wire)
    assert seen.one().resp_head == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert seen.only.conflict is not None
    assert (seen.only.conflict[0], seen.only.conflict[2]) == (first, second)


def test_one_copy_over_several_that_wait() -> None:
    """Octets that come again over two pieces, and what is between them, fill the space between and change nothing."""
    wire, conn = opened()
    text = b"HTTP/1.1 200 OK\r\nServer: abcdefgh\r\nContent-Length: 0\r\n\r\n"
    conn.server.segment("PA", text[20:24], seq=5001 + 20)
    late = conn.server.segment("PA", text[30:], seq=5001 + 30)
    again = conn.server.segment("PA", text[16:30] + text[30:].swapcase(), seq=5001 + 16)
    conn.server.segment("PA", text[:16], seq=5001)
    seen = watch(wire)
    assert seen.one().resp_head == text
    assert seen.only.conflict is not None
    assert (seen.only.conflict[0], seen.only.conflict[2]) == (late, again)


@pytest.mark.parametrize("at", [0, 13, 40])
def test_another_copy_of_what_was_delivered(at: int) -> None:
    """A retransmission with other octets of a head that has been read is remembered too, whole or begun."""
    text = b"HTTP/1.1 200 OK\r\nServer: abcdefgh\r\nContent-Length: 2\r\n\r\n"
    for head in (text, text[:-2]):
        wire, conn = opened()
        first = conn.server.segment("PA", head, seq=5001)
        wire.sleep(0.3)
        second = conn.server.segment("PA", head[at:].swapcase(), seq=5001 + at)
        seen = watch(wire)
        assert seen.only.conflict is not None
        assert (seen.only.conflict[0], seen.only.conflict[2]) == (first, second)
        wire, conn = opened()
        conn.server.segment("PA", head, seq=5001)
        wire.sleep(0.3)
        conn.server.segment("PA", head[at:], seq=5001 + at)
        assert watch(wire).only.conflict is None


def test_another_copy_of_a_request() -> None:
    """A request that comes again with other octets before its answer is remembered."""
    wire, conn = opened()
    wire.sleep(0.3)
    second = conn.client.segment("PA", GET.replace(b"GET", b"PUT"), seq=1001)
    conflict = watch(wire).only.conflict
    assert conflict is not None
    assert (conflict[0], conflict[2]) == (4, second)


def test_holes_are_counted_by_whose_fault_they_were() -> None:
    """What its receiver got is the capture's loss, what was sent again the wire's, and overtaking is none."""
    wire, conn = opened()
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
    conn.server.send(bytes(100), drop=True)
    conn.server.send(bytes(100))
    conn.client.ack()
    wire.sleep(1)
    missing = conn.server.seq
    conn.server.send(bytes(100), drop=True)
    conn.server.segment("PA", bytes(100), seq=missing + 100)
    conn.client.segment("A", ack=missing)
    conn.client.segment("A", ack=missing)
    wire.sleep(0.2)
    conn.server.segment("PA", bytes(100), seq=missing)
    conn.client.segment("A", ack=missing + 200)
    conn.server.segment("PA", bytes(100), seq=missing + 300)
    conn.client.segment("A", ack=missing + 200)
    conn.server.segment("PA", bytes(100), seq=missing + 200)
    wire.sleep(1)
    conn.client.segment("A", ack=missing + 400)
    seen = watch(wire)
    assert seen.one().resp_done
    assert seen.connections.holes() == (1, 1, 0)


def test_octets_that_found_no_room_were_not_cut() -> None:
    """What was not kept for want of memory is told apart from what the snap length cut off."""
    wire, conn = opened()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"x" * 400
    conn.server.segment("PA", head[20:], seq=5001 + 20)
    conn.server.segment("PA", head[:20], seq=5001)
    full = watch(wire, Context(max_out_of_order=100)).only
    assert (full.unkept, full.snap_cut) == (True, False)
    cut = watch(wire, snaplen=120).only
    assert (cut.unkept, cut.snap_cut) == (False, True)


def test_equal_copies_are_no_conflict() -> None:
    """A retransmission with the same octets is counted and nothing more."""
    wire, conn = opened()
    late = b"OK\r\nContent-Length: 0\r\n\r\n"
    conn.server.segment("PA", late, seq=5001 + 13)
    wire.sleep(0.01)
    conn.server.segment("PA", late, seq=5001 + 13)
    conn.server.segment("PA", b"HTTP/1.1 200 ", seq=5001)
    seen = watch(wire)
    assert seen.only.conflict is None
    assert seen.only.b.rexmits >= 1
    assert seen.one().resp_done


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_super_segment_is_as_good_as_many_small_ones(size: int) -> None:
    """Segments of any size, up to those of segmentation offload, give the same exchange."""
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + bytes(20_000)
    wire, conn = opened()
    conn.server.send(response[:200], mss=1)
    conn.server.send(response[200:], mss=size if size > 1 else 40)
    exchange = watch(wire).one()
    assert (exchange.resp_done, exchange.body_bytes, exchange.head_bytes) == (True, 20_000, 42)


def test_a_segment_without_ip_length_is_whole() -> None:
    """A super-segment that was captured before its length was written (IPv4 total length 0) is read whole."""
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + bytes(40_000)
    wire, conn = opened()
    conn.server.send(response, ip_length=0)
    assert watch(wire).one().resp_done


def test_octets_that_the_snaplen_cut_are_a_gap_where_they_matter() -> None:
    """A body that the capture cut is counted; a head that it cut leaves the exchange cut, never invented."""
    wire, conn = opened()
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000))
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire, snaplen=140)
    assert [exchange.resp_done for exchange in seen.exchanges()] == [True, True]
    assert not seen.exchanges()[0].resp_cut

    wire, conn = opened()
    conn.server.send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300 + b"\r\nContent-Length: 1\r\n\r\nz")
    seen = watch(wire, snaplen=140)
    assert seen.only.snap_cut
    assert seen.one().resp_cut
    assert not seen.one().resp_done
    assert seen.one().status == 200


def test_nothing_grows_without_bound_behind_a_hole() -> None:
    """Behind a hole that nothing fills, pieces and octets held stay within their limits."""
    wire, conn = opened()
    for number in range(9000):
        conn.server.segment("A", b"x", seq=5003 + 2 * number)
    half = watch(wire).only.b
    assert len(half.pieces or ()) <= 8192
    assert half.off > 0, "at the limit the hole is given up"


def test_octets_held_behind_a_hole_respect_the_memory_limit() -> None:
    """The octets that wait behind a hole are bounded by the setting, not by what the capture holds."""
    from wire502.model.context import Context

    context = Context(keep_exchanges=True, max_out_of_order=10_000)
    wire, conn = opened()
    for number in range(40):
        conn.server.segment("A", bytes(1000), seq=5101 + 1000 * number)
    half = watch(wire, context).only.b
    assert half.buffered <= 11_000


def test_far_away_octets_are_not_believed() -> None:
    """A segment a gigabyte ahead of all others moves nothing."""
    wire, conn = opened()
    conn.server.segment("A", b"x" * 10, seq=5001 + (1 << 30))
    conn.server.send(OK)
    seen = watch(wire)
    assert seen.one().resp_done
    assert seen.only.b.top == len(OK)
    assert seen.connections.ignored == 1


def test_retransmissions_are_told_from_probes() -> None:
    """Old octets are a retransmission; a keep-alive and a window probe of one octet are not."""
    wire, conn = opened()
    conn.server.ack()
    wire.sleep(5)
    conn.client.keep_alive()
    conn.server.ack()
    wire.sleep(5)
    conn.client.keep_alive(b"\n")
    conn.server.ack()
    seen = watch(wire)
    assert seen.only.a.rexmits == 0
    wire.sleep(1)
    conn.client.retransmit(4)
    seen = watch(wire)
    assert seen.only.a.rexmits == 1
    assert steps(seen.only)[-1] == "retransmission"


def test_unacknowledged_retransmissions_are_forgotten_at_the_next_acknowledgement() -> None:
    """The count of retransmissions in a row ends when the peer acknowledges anything new."""
    wire, conn = opened()
    for _ in range(3):
        wire.sleep(1)
        conn.client.retransmit(4)
    assert watch(wire).only.a.unacked_rexmits == 3
    conn.server.ack()
    half = watch(wire).only.a
    assert (half.rexmits, half.unacked_rexmits) == (3, 0)
    assert half.acked == len(GET)


def test_sides() -> None:
    """The halves are those of the opener and of the acceptor, with the octets that each has sent."""
    wire, conn = opened()
    conn.server.send(OK)
    seen = watch(wire)
    halves = seen.only.a, seen.only.b
    assert halves[GATEWAY].off == len(GET)
    assert halves[UPSTREAM].off == len(OK)
    assert isinstance(seen, Watch)
