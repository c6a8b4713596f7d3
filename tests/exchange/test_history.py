"""The history of exchanges: what asked for the same is found, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import OK, Watch
from tests.wire import Wire
from wire502.exchange.history_cy import LOOKED
from wire502.model.context import Context

A, B = "10.0.0.1:40000", "10.0.0.2:80"
METHODS = st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPPATCH"])
# Few different octets, so that many targets differ in one of them, and ends of words of eight octets are met.
TARGETS = st.text("ab!", max_size=18).map(lambda text: "/" + text) | st.sampled_from(["*", "/" + "a" * 200])
ASKED = st.tuples(METHODS, TARGETS)
ROWS = 8


def head_of(method: str, target: str, rest: str) -> bytes:
    return f"{method} {target} HTTP/1.{rest}\r\nHost: {rest}\r\n\r\n".encode()


def after(asked: list[tuple[str, str]]) -> Watch:
    """Return what became of these requests, one after the other, with heads that are alike in nothing else."""
    wire = Wire()
    conn = wire.connection(A, B)
    conn.handshake()
    for number, (method, target) in enumerate(asked):
        conn.client.send(head_of(method, target, str(number % 2)))
        conn.server.send(OK)
    return Watch(Context(keep_exchanges=True, history_rows=ROWS)).feed(wire)


@given(st.lists(ASKED, min_size=1, max_size=12), ASKED)
def test_what_asked_for_the_same(asked: list[tuple[str, str]], wanted: tuple[str, str]) -> None:
    """The requests with the same method and target are found, newest first, among the latest ones."""
    history = after([*asked, wanted]).tracker.history
    for one in (wanted, *asked):
        found = [row.number for row in history.like(head_of(*one, "1"), 0)]
        known = list(enumerate([*asked, wanted], 1))[-ROWS:]
        assert found == [number for number, other in reversed(known) if other == one]


def test_not_from_before() -> None:
    """Requests from before the time that is asked for are not found."""
    asked = [("GET", "/a")] * 3
    history = after(asked).tracker.history
    rows = history.like(head_of("GET", "/a", "1"), 0)
    assert [row.number for row in history.like(rows[0].head, rows[1].req_ts)] == [3, 2]
    assert [row.number for row in history.like(rows[0].head, 0, rows[1].req_ts)] == [2, 1]


def test_a_target_longer_than_what_is_kept() -> None:
    """Of requests with targets of which not all is kept those are found that have the same in what is."""
    target = "/" + "a" * 9000
    history = after([("GET", target), ("GET", "/" + "a" * 20), ("GET", target)]).tracker.history
    assert [row.number for row in history.like(head_of("GET", target, "1"), 0)] == [3, 1]


def test_other_methods_do_not_hide_one() -> None:
    """A request is found behind more requests for its target, with another method, than are looked at."""
    wire = Wire()
    conn = wire.connection(A, B)
    conn.handshake()
    for method in ["PUT", *["GET"] * (LOOKED + 1)]:
        conn.client.send(head_of(method, "/a", "1"))
        conn.server.send(OK)
    history = Watch(Context(keep_exchanges=True)).feed(wire).tracker.history
    assert [row.number for row in history.like(head_of("PUT", "/a", "1"), 0)] == [1]
    assert not history.more
