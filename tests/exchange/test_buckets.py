"""Durations in constant memory: never more than a twentieth off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.exchange.upstream_cy import Buckets, measure

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
