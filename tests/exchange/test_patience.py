"""What it costs to look at connections again and again is bounded by what happened on them, not by alarms."""

from __future__ import annotations

from typing import Any

import pytest

import wire502.engine
from tests.engine.drive import judged
from tests.wire import Connection, Wire
from wire502.exchange.patience import FREE
from wire502.model.attempt import Attempt
from wire502.model.context import Context
from wire502.model.finding import Verdict
from wire502.model.verdict import Open, Result, Summary

A, B = "10.0.0.1:41000", "10.0.0.2:8080"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WAITING = 20
ILLEGAL = b"HTTP/1.1 200 OK\r\nA\0: b\r\nContent-Length: 0\r\n\r\n"


def _count(monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    """Return a list that grows with each attempt that is judged."""
    seen: list[Attempt] = []
    judge = wire502.engine._judged

    def counted(attempt: Attempt, context: Context) -> Verdict:
        seen.append(attempt)
        return judge(attempt, context)

    monkeypatch.setattr(wire502.engine, "_judged", counted)
    return seen


def _asked(number: int) -> tuple[Wire, Connection]:
    wire = Wire()
    conn = wire.connection(A, B)
    conn.handshake()
    conn.client.send(GET * number)
    return wire, conn


def _ignored_resets(count: int) -> tuple[Wire, Connection]:
    """Requests that wait, and resets of which each is shown to have been ignored a moment later."""
    wire, conn = _asked(WAITING)
    for _ in range(count):
        wire.sleep(0.55)
        conn.server.reset(seq=conn.server.seq + 100)
        conn.server.ack()
        conn.client.ack()
    return wire, conn


def _summary(results: list[Result]) -> Summary:
    last = results[-1]
    assert isinstance(last, Summary)
    return last


def test_ignored_resets_cost_no_judgement_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as many resets that change nothing are judged a few times more, and all is told once."""
    seen = _count(monkeypatch)
    looks = []
    for count in (10, 100):
        wire, _ = _ignored_resets(count)
        seen.clear()
        results = judged(wire)
        assert sum(isinstance(one, Open) for one in results) == WAITING
        looks.append(len(seen) - WAITING)
    assert FREE <= looks[0] <= FREE + 10
    assert looks[1] - looks[0] <= 5


def test_an_end_is_judged_at_once_however_often_nothing_was_found() -> None:
    """A reset that no receiver can ignore dooms all that waits, though many others came to nothing before it."""
    wire, conn = _ignored_resets(50)
    wire.sleep(1)
    reset = conn.server.reset()
    wire.sleep(2)
    other = wire.connection("10.0.0.1:41001", B)
    other.handshake()
    told: list[Any] = [one for one in judged(wire) if one.type == "failure"]
    assert {one.frame for one in told} == {reset}
    assert len(told) == WAITING


def test_illegal_answers_that_are_put_up_with_are_counted_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a connection that goes on after each illegal answer only the last ones are judged, the rest counted."""
    seen = _count(monkeypatch)
    wire, conn = _asked(10)
    for _ in range(30):
        conn.server.send(ILLEGAL * 10)
        conn.client.send(GET * 10)
    conn.server.send(ILLEGAL * 10)
    results = judged(wire)
    assert len(seen) == 10
    assert _summary(results).oddities == {"invalid_header": 300}
    assert _summary(results).failures == {"invalid_header": 10}


@pytest.mark.parametrize("gateway_leaves", [False, True])
def test_the_short_cut_finds_what_judging_finds(gateway_leaves: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all exchanges asked for, where each is judged, the same failures and oddities come out."""
    wire, conn = _asked(1)
    for answer in (ILLEGAL, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000 + b"\r\nContent-Length: 0\r\n\r\n", ILLEGAL):
        conn.server.send(answer)
        conn.client.send(GET)
        conn.server.reset(seq=conn.server.seq + 100)
        wire.sleep(0.01)
        conn.server.ack()
    if gateway_leaves:
        conn.client.fin()
    wire.sleep(5)
    conn.client.ack()
    short, whole = judged(wire), judged(wire, Context(keep_exchanges=True))
    assert _summary(short).oddities == _summary(whole).oddities
    assert _summary(short).failures == _summary(whole).failures
    assert [one for one in short if one.type == "failure"] == [one for one in whole if one.type == "failure"]
