"""What the hunt found about bounds: how much is kept, judged and looked through, whatever comes."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

import wire502
from scripts._fuzz import hurt, packets
from scripts._fuzz.hurt import Frames
from tests.wire import Wire
from wire502.api import Open, Result, Summary
from wire502.capture import open_source
from wire502.engine import Engine
from wire502.model.context import Context

MOST_UNFINISHED = 32_768


def _capture(make: Callable[[int], Frames], count: int) -> bytes:
    records = [packets.Frame(now, octets) for now, octets in islice(make(count), count)]
    return packets.pcap(records, nanoseconds=True)


def _read(make: Callable[[int], Frames], count: int, **settings: str | float) -> list[Result]:
    return list(wire502.read(io.BytesIO(_capture(make, count)), settings=settings))


def _summary(results: list[Result]) -> Summary:
    assert isinstance(results[-1], Summary)
    return results[-1]


@pytest.mark.slow
def test_a_flood_of_unfinished_attempts_is_counted_and_said() -> None:
    """Beyond the limit unfinished attempts are not judged one by one, and the summary says how many."""
    results = _read(hurt.syn_flood, MOST_UNFINISHED + 1000)
    summary = _summary(results)
    assert sum(isinstance(one, Open) for one in results) == MOST_UNFINISHED
    assert summary.open == summary.connections == MOST_UNFINISHED + 1000
    assert any(caveat.startswith("1000 unfinished attempts") for caveat in summary.caveats)


def test_what_is_evicted_is_counted_and_said() -> None:
    """Connections beyond the limit are let go, and the summary says how many."""
    summary = _summary(_read(hurt.one_packet, 500, max_connections=100))
    assert summary.evicted == 400
    assert any("400 connections were let go" in caveat for caveat in summary.caveats)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_end_of_a_capture_does_not_depend_on_reads(size: int) -> None:
    """The latest time stamp is that of the latest frame, however many octets a read brings."""
    wire = Wire()
    connection = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    connection.handshake()
    connection.client.send(b"GET / HTTP/1.1\r\n\r\n", at=5)
    connection.server.ack(at=1)

    class Slow(io.BytesIO):
        def readinto1(self, view: memoryview) -> int:
            return self.readinto(memoryview(view)[:size])

    summary = _summary(list(wire502.read(Slow(wire.octets()))))
    assert summary.last_time == wire.start_ns + 5 * 10**9


def test_octets_of_early_answers_are_read_in_their_turn() -> None:
    """An answer in small chunks that was captured before its request is read as if it had come after it."""
    summary = _summary(_read(hurt.early_answers, 200))
    assert summary.exchanges == 4
    assert summary.failures == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [hurt.colliding, hurt.early_answers, hurt.arp_flood, hurt.out_of_order, hurt.overlapping, hurt.request_octets],
)
def test_four_times_as_much_takes_four_times_as_long(make: Callable[[int], Frames]) -> None:
    """What once grew with the square of its input does no more, in both builds."""

    def seconds(count: int) -> float:
        octets = io.BytesIO(_capture(make, count))
        began = time.process_time()
        list(wire502.read(octets))
        return time.process_time() - began

    small = min(seconds(3000) for _ in range(3))
    large = min(seconds(12_000) for _ in range(3))
    assert large < 10 * small + 0.1, "squared it would be sixteen times as long"


def test_heads_under_way_share_one_bound() -> None:
    """Many connections with large heads under way keep no more octets together than one bound says."""
    context = Context()
    engine = Engine(context, [])
    engine._tracker.most_growing = 100_000
    interfaces = engine._interfaces
    source = open_source(io.BytesIO(_capture(_large_heads, 4000)), interfaces=interfaces)
    kept = []
    while (batch := source.read_batch()) is not None:
        engine.feed(batch)
        kept.append(sum(decoder.held() for decoder in engine._tracker.growing))
    assert 0 < max(kept) <= 100_000
    summary = engine.finish()[-1]
    assert isinstance(summary, Summary)
    assert summary.connections == 20
    assert summary.open == 20


def _large_heads(count: int) -> Frames:
    """Twenty connections whose response heads grow in turn."""
    lines = [hurt.Line(number) for number in range(20)]
    for number, line in enumerate(lines):
        line.seq = [1000 + number, 5000 + number]
        yield from line.open()
        yield line.frame(0, hurt.ACK, hurt.GET)
        yield line.frame(1, hurt.ACK, b"HTTP/1.1 200 OK\r\nA: ")
    now = lines[-1].now
    for number in range(count - 100):
        line = lines[number % 20]
        line.now = now = now + 1000
        yield line.frame(1, hurt.ACK, b"x" * 200)


def test_an_exchange_that_was_settled_is_not_looked_at_again() -> None:
    """Answers with an illegal octet that the gateway took cost no look each, however many requests follow."""
    looked = 0

    class Counting(Engine):
        def _judge(self, *arguments: Any) -> bool:
            nonlocal looked
            looked += 1
            return super()._judge(*arguments)

    engine = Counting(Context(), [])
    source = open_source(io.BytesIO(_capture(hurt.violations, 203)), interfaces=engine._interfaces)
    while (batch := source.read_batch()) is not None:
        engine.feed(batch)
    engine.finish()
    assert 20 <= looked < 100, "of two thousand answers only the last twenty were not followed by a request"
