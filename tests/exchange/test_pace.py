"""Exchanges by time in constant memory: none is lost, and each stands where it ended."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from wire502.exchange.pace_cy import BUCKETS, SLOTS, Pace, count

SECOND = 10**9
TIMES = st.integers(0, 2**62) | st.integers(10**18, 10**18 + 100 * SECOND)


def of(rows: list[tuple[int, int]]) -> Pace:
    pace = Pace()
    for time_ns, took_ns in rows:
        count(pace, time_ns, took_ns)
    return pace


def test_nothing_counted() -> None:
    """Without an exchange there is no row."""
    assert Pace().rows() == []


@given(st.lists(st.tuples(TIMES, st.integers(-1, 10**13)), max_size=60))
def test_nothing_is_lost(rows: list[tuple[int, int]]) -> None:
    """Whatever times come in whatever order, each exchange is counted once, and each duration that is known."""
    found = of(rows).rows()

    assert len(found) <= SLOTS
    assert sum(done for _, done, _ in found) == len(rows)
    assert sum(map(sum, (took for _, _, took in found))) == sum(took >= 0 for _, took in rows)


@given(st.lists(TIMES, min_size=1, max_size=60))
def test_each_stands_in_its_slot(times: list[int]) -> None:
    """The slots are those of one width in which the exchanges ended, and as many ended in each."""
    pace = of([(time_ns, -1) for time_ns in times])
    width = 1 << pace.shift
    expected = Counter(one // width * width for one in times)

    assert {begin: done for begin, done, _ in pace.rows()} == expected


@given(st.integers(1_500, 10**11))
def test_a_duration_is_in_its_bucket(took_ns: int) -> None:
    """A duration lies between the edges of its bucket: each half as late again as the one before."""
    ((_, _, took),) = of([(SECOND, took_ns)]).rows()
    bucket = took.index(1)

    assert len(took) == BUCKETS
    assert 1000 * 1.5**bucket <= took_ns * 1.000001
    assert bucket == BUCKETS - 1 or took_ns < 1000 * 1.5 ** (bucket + 1) * 1.000001


def test_time_before_the_epoch_is_not_counted() -> None:
    """A time stamp before 1970 has no slot."""
    assert of([(-5, 0)]).rows() == []
