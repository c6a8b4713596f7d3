"""What the join of two legs rests on: spans that nest, clocks that differ, targets that end alike, heads that agree."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gateway import Gateway, head, last_words
from tests.tcp.watch import watch
from wire502.exchange.history_cy import LOOKED, MOST, History, Row, target_end
from wire502.exchange.nesting import Span, only_pairs
from wire502.exchange.skew import KEPT, Skew

SECOND = 1_000_000_000


# -- spans


def lies(one: Span, other: Span) -> bool:
    """The rule of ``only_pairs`` without any slack."""
    if one[0] < other[0] or (other[1] is not None and one[0] > other[1]):
        return False
    return one[1] is None or other[1] is None or one[1] <= other[1]


spans = st.tuples(st.integers(0, 30), st.none() | st.integers(0, 12)).map(
    lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
)


@given(st.integers(0, 5).flatmap(lambda n: st.tuples(*[st.lists(spans, min_size=n, max_size=n)] * 2)))
def test_pairs_are_those_of_every_way_to_place_all(both: tuple[list[Span], list[Span]]) -> None:
    """A span gets a place exactly if it has the same one in all ways to place all spans."""
    outer, inner = both
    ways = [
        way
        for way in permutations(range(len(outer)))
        if all(lies(inner[at], outer[place]) for at, place in enumerate(way))
    ]
    expected = [places.pop() if len(places := {way[at] for way in ways}) == 1 else None for at in range(len(inner))]
    assert only_pairs(outer, inner, 0, 0) == expected


def test_more_attempts_than_requests_are_not_placed() -> None:
    """With a retry among them nothing is said of which attempt is whose."""
    assert only_pairs([(0, 9)], [(1, 2), (3, 4)], 0, 0) == [None, None]


def test_many_like_spans_are_not_placed() -> None:
    """So many spans that nobody can tell them apart cost nothing."""
    assert only_pairs([(0, 9)] * 1000, [(1, 2)] * 1000, 0, 0) == [None] * 1000


# -- clocks


@given(
    st.integers(-100 * SECOND, 100 * SECOND),
    st.lists(st.integers(0, 8_000_000), min_size=3, max_size=40),
    st.lists(st.integers(-100 * SECOND, 100 * SECOND), max_size=1),
)
def test_clocks_are_compared_by_what_many_exchanges_agree_on(skew: int, delays: list[int], strays: list[int]) -> None:
    """The difference found is the true one plus the least delay of the gateway, whatever single matches say."""
    found = Skew()
    for distance in [*strays, *(skew + delay for delay in delays)]:
        found.learn(0, 1, distance)
    least = skew + min(delays)
    if -10_000_000 <= least <= 50_000_000:
        assert found.of(0, 1) in {0, *strays}
    elif not -40_000_000 <= least <= 80_000_000:
        assert abs(found.of(0, 1) - least) <= 20_000_000
    assert found.known(0, 1)


def test_one_match_proves_no_difference() -> None:
    """A single distance may be that of another request that looks the same."""
    found = Skew()
    found.learn(0, 1, 3 * SECOND)
    assert not found.known(0, 1)
    assert found.of(0, 1) == 0
    assert found.caveats() == []


def test_clocks_that_drift_are_followed() -> None:
    """Only the latest distances count."""
    found = Skew()
    for distance in [3 * SECOND] * KEPT + [5 * SECOND] * KEPT:
        found.learn(0, 1, distance)
    assert found.of(0, 1) == 5 * SECOND


def test_one_file_has_one_clock() -> None:
    """Within one file nothing is corrected."""
    found = Skew()
    for _ in range(9):
        found.learn(2, 2, SECOND)
    assert found.known(2, 2)
    assert found.of(2, 2) == 0


# -- targets


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"GET /api/v1/users/7 HTTP/1.1", b"GET /users/7 HTTP/1.1"),
        (b"GET /shop/items?q=1&r=2 HTTP/1.1", b"GET /items?q=1&r=2 HTTP/1.1"),
        (b"POST /a/b/c/ HTTP/1.1", b"POST /x/b/c/ HTTP/1.0"),
    ],
)
def test_targets_that_end_alike(one: bytes, other: bytes) -> None:
    """The last two segments, or the last one with the query, stay when a gateway rewrites what is before them."""
    assert target_end(one + b"\r\n") == target_end(other + b"\r\n") is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"GET /a/b HTTP/1.1", b"POST /a/b HTTP/1.1"),
        (b"GET /a/b HTTP/1.1", b"GET /a/b/ HTTP/1.1"),
        (b"GET /a/b?c HTTP/1.1", b"GET /a/b HTTP/1.1"),
        (b"GET /a/bb HTTP/1.1", b"GET /ab/b HTTP/1.1"),
    ],
)
def test_targets_that_end_otherwise(one: bytes, other: bytes) -> None:
    """Another method, segment or query is another request."""
    assert target_end(one + b"\r\n") != target_end(other + b"\r\n")


@pytest.mark.parametrize("target", [b"/", b"*", b"/health", b"/health/", b"//", b""])
def test_targets_that_say_too_little(target: bytes) -> None:
    """One segment without a query is the end of too many targets."""
    assert target_end(b"GET " + target + b" HTTP/1.1\r\n") is None


def history(targets: list[str]) -> History:
    """Return the history of a capture in which these were asked for, one connection each."""
    scene = Gateway()
    for target in targets:
        scene.asks(target)
    return watch(scene.wire).tracker.history


@given(st.lists(st.text("ab/?", max_size=6).map(lambda text: f"/{text}"), min_size=1, max_size=12))
def test_the_history_finds_what_ends_alike(targets: list[str]) -> None:
    """The index over hashes finds exactly the rows that a look at each would find, newest first."""
    known = history(targets)
    for target in targets:
        wanted = target_end(head(target))
        frames = [row.frame for row in known.ending_like(head(target), 0)]
        every = [row for row in known.latest(99, 0) if target_end(row.head) == wanted is not None]
        if "//" not in target:
            assert frames == [row.frame for row in every if b"//" not in row.head]
        assert [row.frame for row in known.like(head(target), 0)] == [
            row.frame for row in known.latest(99, 0) if row.head == head(target)
        ]


def test_the_history_says_when_there_is_more() -> None:
    """A look that stopped at its limit does not pass for one that saw everything."""
    known = history(["/health"] * (MOST + 1))
    assert len(known.like(head("/health"), 0)) == MOST
    assert known.more
    known.like(head("/other"), 0)
    assert not known.more
    assert LOOKED >= MOST


def test_a_row_can_be_read_again() -> None:
    """A row is a copy; by its number the history tells what became of the exchange."""
    scene = Gateway()
    asked = scene.asks("/a/b")
    seen = watch(scene.wire)
    (row,) = seen.tracker.history.like(head("/a/b"), 0)
    assert isinstance(row, Row)
    assert row.end_ts == 0
    scene = Gateway()
    asked = scene.asks("/a/b")
    scene.answers(asked, 200)
    known = watch(scene.wire).tracker.history
    (row,) = known.like(head("/a/b"), 0)
    again = known.get(row.index)
    assert again is not None
    assert (again.status, again.end_ts) == (200, row.end_ts)


# -- heads


def test_contradicting_witnesses_decide_nothing() -> None:
    """Two fields that speak for two clients are no ground to choose one of them."""
    scene = Gateway()
    first = scene.asks(fields={"Cookie": "aaaa", "Accept": "text/plain"})
    second = scene.asks(fields={"Cookie": "bbbb", "Accept": "text/html"})
    tried = [scene.tries(fields={"Cookie": "aaaa", "Accept": "text/html"}) for _ in range(2)]
    for conn in tried:
        conn.server.reset()
    for conn in (first, second):
        scene.answers(conn)
    failures, _, _ = last_words(scene.results())
    assert [one.client for one in failures] == [None, None]


def test_an_address_inside_another_is_not_that_address() -> None:
    """10.0.9.7 forwarded is not 10.0.9.77, nor 110.0.9.7."""
    scene = Gateway()
    mine = scene.asks(address="10.0.9.7")
    others = [scene.asks(address=address) for address in ("10.0.9.77", "110.0.9.7")]
    tried = [scene.tries(fields={"X-Forwarded-For": address}) for address in ("10.0.9.7", "10.0.9.77", "110.0.9.7")]
    for conn in tried:
        conn.server.reset()
    frames = [scene.answers(conn) for conn in (mine, *others)]
    failures, _, _ = last_words(scene.results())
    by_frame = sorted(failures, key=lambda one: one.frame)
    assert [one.client.frame for one in by_frame if one.client] == frames
