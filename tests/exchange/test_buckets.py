"""Durations in constant memory: never more than a twentieth off."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.exchange.upstream_cy import GROWTH, Buckets, measure

HOUR = 3600 * 10**9


def of(durations: list[int]) -> Buckets:
    buckets = Buckets()
    for duration in durations:
        measure(buckets, duration)
    return buckets


def test_nothing_measured() -> None:
    """Without a sample there is no percentile."""
    assert Buckets().percentile(0.5) is None


@given(st.integers(1_000, 9 * HOUR))
def test_one_duration(ns: int) -> None:
    """One duration between a microsecond and nine hours is given back within 5 %."""
    found = of([ns]).percentile(0.5)
    assert found is not None
    assert found == pytest.approx(ns / 1e6, rel=0.0501)


@given(st.integers(1_001, 2**47) | st.integers(7, 44).map(lambda power: 2**power + 1001))
def test_the_bucket_of_a_duration(ns: int) -> None:
    """A duration is counted in the bucket that its logarithm says."""
    at = min(255, int(math.log(ns / 1000.0) * (1.0 / math.log(GROWTH))) + 1)
    assert of([ns]).tally() == [(GROWTH**at / 1e6, 1)]


@given(st.integers(1, 254), st.integers(-2, 2))
def test_the_edges_of_buckets(power: int, beside: int) -> None:
    """So is one that lies next to the edge between two buckets."""
    ns = max(1_001, int(1000 * GROWTH**power) + beside)
    at = min(255, int(math.log(ns / 1000.0) * (1.0 / math.log(GROWTH))) + 1)
    assert of([ns]).tally() == [(GROWTH**at / 1e6, 1)]


@given(st.lists(st.integers(2_000, 9 * HOUR), min_size=1, max_size=60), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_percentiles(durations: list[int], share: float) -> None:
    """A percentile is the true one within 5 %."""
    found = of(durations).percentile(share)
    ordered = sorted(durations)
    rank = next(i for i in range(len(ordered)) if i + 1 >= share * len(ordered))
    assert found == pytest.approx(ordered[rank] / 1e6, rel=0.0501)


@pytest.mark.parametrize("ns", [-5, 0, 1, 999])
def test_next_to_nothing(ns: int) -> None:
    """What is shorter than a microsecond, or negative by a clock's fault, counts as a microsecond."""
    assert of([ns]).percentile(0.5) == 0.001


def test_beyond_all_measure() -> None:
    """A duration beyond the last bucket counts in it."""
    found = of([2**62]).percentile(0.5)
    assert found is not None
    assert found > 9 * HOUR / 1e6
