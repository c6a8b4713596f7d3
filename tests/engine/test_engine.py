"""The order of the stages: when a result comes, what it does not depend on, and that nothing brings it down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.drive import failures, judged, summary_of, told
from tests.tcp.watch import GET, OK
from tests.wire import Connection, Wire
from wire502.engine import Engine
from wire502.model.context import Context
from wire502.model.verdict import ExchangeLine, Open, Summary

A, B = "10.0.0.1:41000", "10.0.0.2:8080"
ERROR = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"


def asked(port: int = 41000, wire: Wire | None = None) -> tuple[Wire, Connection]:
    wire = wire or Wire()
    conn = wire.connection(f"10.0.0.1:{port}", B)
    conn.handshake()
    conn.client.send(GET)
    return wire, conn


def test_nothing_at_all() -> None:
    """An analysis without a frame ends with an empty summary."""
    (summary,) = Engine(Context(), []).finish()
    assert isinstance(summary, Summary)
    assert (summary.frames, summary.connections, summary.failures) == (0, 0, {})


def test_a_failure_names_its_frame() -> None:
    """A reset before the response is one failure at the frame of the RST."""
    wire, conn = asked()
    conn.server.ack()
    reset = conn.server.reset()
    assert told(wire) == [("rst_before_response", reset)]


def test_a_healthy_exchange_says_nothing() -> None:
    """Without a failure there is the summary alone; with all exchanges asked for, one record for each."""
    wire, conn = asked()
    conn.server.send(OK)
    conn.client.fin()
    conn.server.fin()
    assert len(judged(wire)) == 1
    exchange, summary = judged(wire, Context(keep_exchanges=True))
    assert isinstance(exchange, ExchangeLine)
    assert isinstance(summary, Summary)
    assert summary.exchanges == 1


def test_an_upstream_error_is_one_failure_and_the_next_exchange_is_its_own() -> None:
    """A 5xx of the upstream is told with its own request, also when further requests follow on the connection."""
    wire, conn = asked()
    error = conn.server.send(ERROR)
    for number in range(3):
        conn.client.send(GET.replace(b"/", b"/%d" % number, 1))
        conn.server.send(OK)
    wire.sleep(60)
    conn.client.fin()
    (failure,) = failures(wire)
    assert (failure.kind, failure.frame) == ("relayed_error", error)
    assert failure.request is not None
    assert failure.request.target == "/"


def test_an_open_exchange_at_the_end() -> None:
    """An exchange that the end of the capture leaves open is told as open, and is no failure."""
    wire, conn = asked()
    conn.server.ack()
    still, summary = judged(wire)
    assert isinstance(still, Open)
    assert isinstance(summary, Summary)
    assert (summary.open, summary.failures) == (1, {})


def test_a_response_that_goes_on_after_its_verdict() -> None:
    """After a half-closed attempt was judged, what still comes of its response changes nothing."""
    wire, conn = asked()
    conn.server.send(b"HTTP/1.1 200 OK\r\nX: ")
    fin = conn.client.fin()
    conn.server.ack()
    other = wire.connection("10.0.0.1:41001", B)
    wire.sleep(30)
    other.handshake()
    conn.server.send(b"a\r\nContent-Length: 2\r\n\r\nok")
    conn.server.fin()
    assert told(wire) == [("gateway_abort", fin)]


def test_a_chunked_response_that_goes_on_after_its_verdict() -> None:
    """The same in the middle of a chunked body."""
    wire, conn = asked()
    conn.server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
    fin = conn.client.fin()
    conn.server.ack()
    other = wire.connection("10.0.0.1:41001", B)
    wire.sleep(30)
    other.handshake()
    for _ in range(3):
        conn.server.send(b"lo\r\n0\r\n\r\n")
    assert told(wire) == [("gateway_abort", fin)]


def test_results_come_while_the_capture_goes_on() -> None:
    """A failure is told when its hold is over, not at the end of the capture."""
    wire, conn = asked()
    conn.server.reset()
    later = wire.connection("10.0.0.1:41001", B)
    wire.sleep(20)
    later.handshake()
    from tests.tcp.watch import batches

    portions = batches(wire.frames)
    engine = Engine(Context(), list(portions[0].interfaces))
    found = [result for batch in portions for result in engine.feed(batch)]
    assert [getattr(result, "kind", "") for result in found] == ["rst_before_response"]


def test_time_can_pass_without_a_frame() -> None:
    """A tick past the next deadline tells what a later frame would have told."""
    wire, conn = asked()
    conn.server.reset()
    from tests.tcp.watch import batches

    (batch,) = batches(wire.frames)
    engine = Engine(Context(), list(batch.interfaces))
    assert engine.feed(batch) == []
    while engine.next_deadline() < 2**62:
        found = engine.tick(engine.next_deadline())
        if found:
            break
    assert [getattr(result, "kind", "") for result in found] == ["rst_before_response"]


@pytest.mark.parametrize("unknown", [147, 9999])
def test_frames_of_link_types_that_nobody_reads(unknown: int) -> None:
    """Frames of a link type that is not read are counted, and nothing else."""
    from tests.tcp.watch import batches

    wire, _ = asked()
    (batch,) = batches(wire.frames)
    batch.interfaces[0].linktype = unknown
    engine = Engine(Context(), list(batch.interfaces))
    engine.feed(batch)
    (summary,) = engine.finish()
    assert isinstance(summary, Summary)
    assert (summary.connections, summary.frames) == (0, len(wire.frames))


ACTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # connection
        st.sampled_from("><"),
        st.sampled_from(
            [
                "send",
                "send",
                "send",
                "send",
                "fin",
                "reset",
                "bare",
                "syn",
                "syn_ack",
                "ack",
                "zero",
                "probe",
                "again",
                "icmp",
            ]
        ),
        st.sampled_from(
            [
                GET,
                OK,
                ERROR,
                b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nx",
                b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
                b"x" * 40,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"3\r\nabc\r\n",
                b"zz",
                b"HTTP/1.1 100 C\r\n\r\n",
            ]
        ),
        st.sampled_from([0, 0, 0, 0.0001, 0.3, 3, 70]),  # pause
        st.sampled_from(["", "", "", "drop", "lost"]),
    ),
    max_size=24,
)


def played(acts: list[tuple[int, str, str, bytes, float, str]], opened: bool) -> Wire:
    """Return the frames of three connections that do what they are told to, sense or nonsense."""
    wire = Wire()
    conns = [wire.connection(f"10.0.0.{n + 1}:{41000 + n}", f"10.0.0.{n + 2}:80") for n in range(3)]
    for conn in conns:
        conn.handshake(drop=not opened)
    for which, who, act, octets, pause, missing in acts:
        conn = conns[which]
        side = conn.client if who == ">" else conn.server
        how = {missing: True} if missing else {}
        wire.sleep(pause)
        if act == "send":
            side.send(octets, **how)
        elif act == "fin":
            side.fin(**how)
        elif act in ("reset", "bare"):
            side.reset(bare=act == "bare", **how)
        elif act == "syn":
            side.syn(**how)
        elif act == "syn_ack":
            side.syn_ack(**how)
        elif act == "ack":
            side.ack(**how)
        elif act == "zero":
            side.ack(window=0, **how)
        elif act == "probe":
            side.keep_alive(b"x", **how)
        elif act == "again" and side.last is not None:
            side.retransmit(**how)
        elif act == "icmp" and wire.frames:
            wire.icmp_unreachable("10.0.0.254", len(wire.frames))
    return wire


@given(ACTS, st.booleans(), st.integers(1, 9))
def test_whatever_happens_the_capture_is_judged(
    acts: list[tuple[int, str, str, bytes, float, str]], opened: bool, rows: int
) -> None:
    """No sequence of frames brings an analysis down, and the batches in which they come change no result."""
    wire = played(acts, opened)
    keep = Context(keep_exchanges=True)
    whole = judged(wire, keep)
    assert isinstance(whole[-1], Summary)
    assert judged(wire, keep, rows=rows) == whole
    assert judged(wire, keep, rows=rows, grid=1.0) == whole


@given(ACTS, st.booleans())
def test_small_limits_bring_nothing_down(acts: list[tuple[int, str, str, bytes, float, str]], opened: bool) -> None:
    """With room for next to nothing an analysis still gets to its end."""
    tiny = Context(
        max_connections=1,
        max_closed=1,
        max_head=32,
        max_out_of_order=8,
        max_buffered=8,
        max_pipelined=1,
        history_rows=1,
    )
    assert isinstance(judged(played(acts, opened), tiny)[-1], Summary)


def test_the_summary_counts() -> None:
    """Frames, octets, connections and exchanges are those of the capture."""
    wire = Wire()
    for number in range(3):
        _, conn = asked(41000 + number, wire)
        conn.server.send(OK)
    summary = summary_of(wire)
    assert (summary.frames, summary.connections, summary.exchanges) == (15, 3, 3)
    assert summary.bytes == sum(14 + len(frame.network) for frame in wire.frames)
    (upstream,) = summary.upstreams
    assert (upstream.upstream, upstream.attempts, upstream.failures) == (B, 3, 0)


def test_what_was_asked_in_vain_was_asked() -> None:
    """Requests without an answer, or without its end, count among exchanges and attempts like those that went well."""
    wire = Wire()
    for answer in (OK, OK[:-1], b""):
        connection = wire.connection(f"10.0.0.1:{41000 + len(wire.frames)}", "10.0.0.2:8080")
        connection.handshake()
        connection.client.send(GET)
        if answer:
            connection.server.send(answer)
        connection.server.reset()
    *_, summary = judged(wire)

    assert isinstance(summary, Summary)
    assert (summary.exchanges, summary.connections) == (3, 3)
    assert (summary.upstreams[0].attempts, summary.upstreams[0].failures) == (3, 2)
