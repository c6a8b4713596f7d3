"""Waits past their deadline, told before they end: live only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.drive import judged
from tests.engine.test_engine import OK, asked
from tests.tcp.watch import batches
from tests.wire import Wire
from wire502.engine import Engine
from wire502.exchange import waits
from wire502.model.context import Context
from wire502.model.verdict import Cleared, Failure, Open, Pending, Result

LIVE = Context(live=True, hold_ns=500_000_000)
SECOND = 1_000_000_000


def silent(wire: Wire, seconds: float) -> list[Result]:
    """Return what is told when nothing comes for some seconds after the last frame, in steps of a tenth."""
    (batch,) = batches(wire.frames)
    engine = Engine(LIVE, list(batch.interfaces))
    found = engine.feed(batch)
    last = int(batch.ts_ns[batch.count - 1])
    for step in range(1, round(seconds * 10) + 1):
        found += engine.tick(last + step * SECOND // 10)
    return found


def test_a_wait_is_told_when_its_deadline_has_passed() -> None:
    """A request without a response is pending within a second of its deadline, once, and with what it will be."""
    wire, conn = asked()
    request = len(wire.frames)
    conn.server.ack()
    assert silent(wire, 59.9) == []
    (pending,) = silent(wire, 300)
    assert isinstance(pending, Pending)
    assert (pending.id, pending.kind, pending.frame) == ("f1", "stall_before_response", request)
    assert 60 <= pending.seconds < 61
    assert pending.request is not None
    assert "not one octet of a response for 60 s" in pending.summary


def test_a_deadline_runs_from_the_end_of_an_upload() -> None:
    """A request that took some seconds to be sent is pending within a second of the deadline behind its last frame."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41888", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n")
    wire.sleep(5)
    conn.client.send(b"upload")
    conn.server.ack()
    assert silent(wire, 59.9) == []
    (pending,) = silent(wire, 62)
    assert isinstance(pending, Pending)
    assert 60 <= pending.seconds < 61


def test_only_a_live_run_tells_of_waits() -> None:
    """A capture that is read tells nothing of a wait before it knows how it ended."""
    wire, conn = asked()
    wire.sleep(70)
    conn.client.fin()
    assert [result.type for result in judged(wire)] == ["failure", "summary"]


def _closes(conn: object) -> None:
    conn.client.fin()  # type: ignore[attr-defined]


def _answers(conn: object) -> None:
    conn.server.send(OK)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("what", "types"),
    [
        (_closes, ["pending", "failure", "summary"]),
        (_answers, ["pending", "cleared", "summary"]),
    ],
)
@pytest.mark.parametrize("grid", [0.0, 1.0])
def test_a_wait_becomes_a_failure_or_is_cleared(what: Callable[[object], None], types: list[str], grid: float) -> None:
    """The line that ends a wait has its id: a failure when it was given up, cleared when the response came."""
    wire, conn = asked()
    wire.sleep(65)
    what(conn)
    wire.sleep(5)
    other = wire.connection("10.0.0.1:41900", "10.0.0.2:8080")
    other.handshake()
    found = judged(wire, LIVE, grid=grid)
    assert [result.type for result in found] == types
    assert getattr(found[0], "id", None) == getattr(found[1], "id", None) == "f1"


def test_the_frame_that_ended_a_wait_is_named() -> None:
    """A wait that is cleared names the frame with which the response came, and how long it had lasted."""
    wire, conn = asked()
    wire.sleep(65)
    answer = conn.server.send(OK)
    wire.sleep(2)
    wire.connection("10.0.0.1:41900", "10.0.0.2:8080").handshake()
    (cleared,) = [result for result in judged(wire, LIVE) if isinstance(result, Cleared)]
    assert (cleared.why, cleared.frame) == ("answered", answer)
    assert cleared.seconds == pytest.approx(65, abs=0.1)


def test_the_end_of_the_capture_clears_what_it_leaves_open() -> None:
    """A wait that the end of the capture leaves open is cleared, beside the open attempt."""
    wire, conn = asked()
    wire.sleep(61)
    conn.client.send(b"")
    found = judged(wire, LIVE)
    told = [result for result in found if isinstance(result, Pending)]
    ends = [result for result in found if isinstance(result, Cleared | Failure)]
    assert [one.id for one in told] == [one.id for one in ends]


def test_a_connection_is_watched_anew_for_each_request() -> None:
    """Requests before it, answered in time, hide no wait; each wait has an id of its own."""
    wire, conn = asked()
    conn.server.send(OK)
    for _ in range(3):
        wire.sleep(40)
        conn.client.send(b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
        conn.server.send(OK)
    conn.client.send(b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
    found = silent(wire, 130)
    assert [result.type for result in found] == ["pending"]
    assert getattr(found[0], "request").target == "/last"  # noqa: B009


def test_a_clock_that_is_set_ahead_is_no_silence() -> None:
    """Where the clock is known to have been set ahead during a wait, the wait is neither pending nor a stall."""
    wire, conn = asked()
    wire.sleep(300)
    other = wire.connection("10.0.0.1:41900", "10.0.0.2:8080")
    other.handshake()
    wire.sleep(0.2)
    conn.server.send(OK)
    (batch,) = batches(wire.frames)
    for stepped, types in ((False, ["pending", "cleared", "summary"]), (True, ["summary"])):
        engine = Engine(LIVE, list(batch.interfaces))
        if stepped:
            engine.stepped(5, int(batch.ts_ns[3]), int(batch.ts_ns[4]))
        found = [*engine.feed(batch), *engine.tick(int(batch.ts_ns[batch.count - 1]) + 2 * SECOND), *engine.finish()]
        assert [result.type for result in found] == types
    assert any("set ahead 1 times" in caveat for caveat in found[-1].caveats)  # type: ignore[union-attr]


def test_a_live_run_ends_soon_whatever_is_open() -> None:
    """At its end a live run judges so many open attempts and counts the rest; a run of a file judges far more."""
    wire = Wire()
    for n in range(2100):
        conn = wire.connection(f"10.0.{n >> 8}.{n & 255}:41000", "10.200.0.2:8080")
        conn.handshake()
        conn.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    *live, summary = judged(wire, LIVE)
    assert sum(isinstance(result, Open) for result in live) == 2048
    assert any("52" in caveat for caveat in summary.caveats)  # type: ignore[union-attr]
    assert sum(isinstance(result, Open) for result in judged(wire)) == 2100


def test_waits_that_are_told_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit waits are not told, and every one is still judged when it ends."""
    monkeypatch.setattr(waits, "MOST", 3)
    wire = Wire()
    conns = [wire.connection(f"10.0.0.1:{41000 + n}", "10.0.0.2:8080") for n in range(6)]
    for conn in conns:
        conn.handshake()
        conn.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.sleep(65)
    for conn in conns:
        conn.client.fin()
    found = judged(wire, LIVE)
    assert sum(isinstance(result, Pending) for result in found) == 3
    assert sum(isinstance(result, Failure) for result in found) == 6
    assert len({result.id for result in found if isinstance(result, Failure)}) == 6
    assert not any(isinstance(result, Open) for result in found)
