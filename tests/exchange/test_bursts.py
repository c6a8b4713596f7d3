"""Failed connects in a burst: judged at a bounded rate, so that capture goes on meanwhile. Live only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import batches
from tests.wire import Wire
from wire502.engine import Engine
from wire502.exchange.bursts import AT_ONCE, MOST, ONLY_COUNTED, STEP_NS, Bursts
from wire502.model.context import Context
from wire502.model.verdict import Failure, Result

SECOND = 1_000_000_000


def test_a_few_are_judged_at_once() -> None:
    """As many as may come at once are judged when they are due."""
    bursts = Bursts()
    assert [bursts.when(stream, SECOND) for stream in range(AT_ONCE)] == [0] * AT_ONCE


def test_more_take_turns() -> None:
    """Beyond them each gets a turn of its own, a span after the one before, and is judged when asked again then."""
    bursts = Bursts()
    turns = [bursts.when(stream, SECOND) for stream in range(AT_ONCE + 100)][AT_ONCE:]
    assert [turn - turns[0] for turn in turns] == [number * STEP_NS for number in range(100)]
    assert [bursts.when(AT_ONCE + number, turn) for number, turn in enumerate(turns)] == [0] * 100


def test_a_flood_is_only_counted() -> None:
    """Those for whom there would be no turn in time are only counted."""
    bursts = Bursts()
    answers = [bursts.when(stream, SECOND) for stream in range(MOST + 50)]
    assert answers[MOST:] == [ONLY_COUNTED] * 50
    assert ONLY_COUNTED not in answers[:MOST]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30_000)), max_size=60))
def test_the_rate_is_bounded(arrivals: list[tuple[int, int]]) -> None:
    """However they come, in no span are more judged than what is allowed at once and the rate together."""
    bursts, now, stream = Bursts(), SECOND, 0
    judged = []
    for gap_ms, count in arrivals:
        now += gap_ms * 1_000_000
        for _ in range(count):
            turn = bursts.when(stream, now)
            stream += 1
            if turn != ONLY_COUNTED:
                judged.append(turn or now)
    judged.sort()
    for first in range(0, len(judged), 997):
        for last in range(first, len(judged), 1009):
            assert last - first <= AT_ONCE + (judged[last] - judged[first]) // STEP_NS + 1


def _flooded(count: int) -> tuple[Engine, int]:
    wire = Wire()
    for number in range(count):
        wire.connection(f"10.1.{number // 250}.{number % 250 + 1}:40000", "10.0.0.2:8080").client.syn()
    (batch,) = batches(wire.frames, rows=count)
    engine = Engine(Context(live=True, hold_ns=0), list(batch.interfaces))
    engine.feed(batch)
    return engine, int(batch.ts_ns[batch.count - 1])


def _failures(results: list[Result]) -> int:
    return sum(isinstance(result, Failure) for result in results)


def test_a_flood_stops_nobody() -> None:
    """The connects of a flood that reach their deadline together are told in turns, all of them in the end."""
    count = AT_ONCE + 400
    engine, last = _flooded(count)
    due = last + Context().connect_deadline_ns + 100_000_000
    first = _failures(engine.tick(due))
    assert 0 < first < count
    rest = sum(_failures(engine.tick(due + step * SECOND // 10)) for step in range(1, 30))
    assert first + rest == count
