"""Causes of overload: queue, slowness, limits."""

from __future__ import annotations

from tests.diagnosis.causes.scene import GET, UPSTREAM, ask, causes, connect, failures, serve
from tests.wire import Wire


def half_accepted(*, taken: bool) -> tuple[Wire, int]:
    """The SYN-ACK is repeated; the request is taken in the end, or never."""
    wire = Wire()
    conn = connect(wire)
    request = conn.client.send(GET % 1, lost=not taken)
    for wait in (1.0, 2.0, 4.0):
        wire.sleep(wait)
        conn.server.syn_ack()
        conn.client.ack()
    if taken:
        conn.server.ack()
    wire.sleep(53)
    conn.client.fin(lost=True)
    return wire, request


def test_a_repeated_syn_ack_is_a_full_queue() -> None:
    """SYN-ACKs that come again after the request, which is never acknowledged: the listen queue is full."""
    wire, request = half_accepted(taken=False)

    assert causes(wire, request)["listen_queue_overflow"].confidence == "high"


def test_a_deferred_accept_is_no_full_queue() -> None:
    """SYN-ACKs that come again before a request that is taken in the end accuse no queue."""
    wire, request = half_accepted(taken=True)

    assert "listen_queue_overflow" not in causes(wire, request)


def dropped_syns(*, neighbour: str | None) -> tuple[Wire, int]:
    """SYNs without an answer, while an endpoint accepts somebody else; the gateway's reset shows that it gave up."""
    wire = Wire()
    serve(connect(wire, neighbour or "10.0.0.3:80"))
    lonely = wire.connection("10.0.0.1:40999", UPSTREAM)
    last = lonely.client.syn()
    for wait in (1, 2, 4):
        wire.sleep(wait / 2)
        serve(connect(wire, neighbour or "10.0.0.3:80"))
        wire.sleep(wait / 2)
        last = lonely.client.syn()
    wire.sleep(9)
    serve(connect(wire, "10.0.0.3:80"))
    return wire, last


def test_syns_dropped_while_others_are_accepted_are_a_full_queue() -> None:
    """The same port accepts another connection between the SYNs: its queue was full, and it is at fault."""
    wire, last = dropped_syns(neighbour=UPSTREAM)

    found = [one for one in failures(wire) if one.frame == last]

    assert [cause.name for cause in found[0].causes] == ["listen_queue_overflow"]
    assert found[0].at_fault == "upstream"


def test_syns_dropped_on_one_port_only_may_be_a_rule() -> None:
    """Another port of the host answers, this one never: a rule that drops, with low confidence."""
    wire, last = dropped_syns(neighbour="10.0.0.2:9000")

    found = causes(wire, last)

    assert list(found) == ["firewall_drop"]
    assert found["firewall_drop"].confidence == "low"


def test_syns_dropped_by_a_host_that_is_not_heard_accuse_nobody() -> None:
    """Without another sign of the host, nothing tells a rule from a host that is down."""
    wire, last = dropped_syns(neighbour=None)

    assert causes(wire, last) == {}


def first_bytes(times: list[float]) -> tuple[Wire, int]:
    """One answer a second and a half, each as slow as told; then a request that is not answered within 60 s."""
    wire = Wire()
    conn = connect(wire)
    for number, after in enumerate(times):
        serve(conn, number, after=after)
        wire.sleep(1.5)
    request = ask(conn, 99)
    wire.sleep(60)
    conn.client.fin()
    return wire, request


def test_rising_first_byte_times_are_a_slow_upstream() -> None:
    """Answers that took 20 ms, then seconds: the upstream became slow before it fell silent."""
    wire, request = first_bytes([0.02] * 8 + [0.5, 1.5, 3.0])

    found = causes(wire, request)["slow_upstream"]

    assert found.advice is not None
    assert "ms to 1." in found.advice


def test_steady_first_byte_times_are_no_slow_upstream() -> None:
    """Answers that always took half a second do not tell that anything changed."""
    wire, request = first_bytes([0.5] * 11)

    assert "slow_upstream" not in causes(wire, request)


def upload(window: int) -> tuple[Wire, int]:
    """An upload that stops; the upstream's last window is as told."""
    wire = Wire()
    conn = connect(wire)
    conn.client.send(b"POST /t/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n")
    last = conn.client.send(b"x" * 1000)
    zero = conn.server.ack(window=window)
    for wait in (1, 2, 4):
        wire.sleep(wait)
        conn.client.keep_alive(b"x")
        conn.server.ack(window=window)
    wire.sleep(60)
    conn.client.fin()
    return wire, zero or last


def test_a_zero_window_is_an_upstream_that_does_not_read() -> None:
    """A window of zero that stays so until the gateway gives up: the upstream does not read."""
    wire, zero = upload(0)

    found = failures(wire)

    assert [cause.name for cause in found[0].causes] == ["upstream_not_reading"]
    assert found[0].causes[0].because[0].frame == zero
    assert found[0].at_fault == "upstream"


def test_an_open_window_is_no_upstream_that_does_not_read() -> None:
    """With its window open, the upstream waits for the gateway."""
    wire, _ = upload(5000)

    assert all("upstream_not_reading" not in {cause.name for cause in one.causes} for one in failures(wire))


def killed_after(times: list[float]) -> tuple[Wire, int]:
    """Requests whose connections the upstream closes without an answer, each after so long; others are served."""
    wire = Wire()
    last = 0
    for number, after in enumerate(times):
        conn = connect(wire)
        ask(conn, number)
        wire.sleep(after)
        last = conn.server.fin()
        conn.client.fin()
        conn.server.ack()
        serve(connect(wire), 50 + number)
    return wire, last


def test_closes_after_the_same_round_time_are_a_worker_timeout() -> None:
    """Three closes, each 30 s after its request: the application server limits its workers."""
    wire, last = killed_after([30.01, 30.02, 30.01])

    found = causes(wire, last)

    assert found["worker_timeout"].confidence == "high"
    assert "crashed_before_response" not in found


def test_closes_after_different_times_are_no_worker_timeout() -> None:
    """Closes after 3, 14 and 7.3 s are crashes."""
    wire, last = killed_after([3.2, 14.5, 7.3])

    found = causes(wire, last)

    assert list(found) == ["crashed_before_response"]


def crowd(limit: int, *, refused_at: list[int]) -> tuple[Wire, int]:
    """Connections that stay open up to *limit*; further ones are closed at once at the told numbers of open ones."""
    wire = Wire()
    kept = []
    last = 0
    for number in range(limit):
        kept.append(connect(wire))
        serve(kept[-1], number)
    for number in refused_at:
        while len(kept) > number:
            old = kept.pop()
            old.client.fin()
            old.server.fin()
            old.client.ack()
        conn = connect(wire)
        ask(conn, 90)
        wire.sleep(0.01)
        last = conn.server.fin()
        conn.client.fin()
        conn.server.ack()
    return wire, last


def test_fresh_connections_closed_at_one_number_are_a_limit() -> None:
    """Three fresh connections closed at once, always with eight others open: a limit of connections."""
    wire, last = crowd(8, refused_at=[8, 8, 8])

    found = causes(wire, last)["connection_limit"]

    assert found.advice is not None
    assert "about 8 connections" in found.advice


def test_fresh_connections_closed_at_any_number_are_no_limit() -> None:
    """Closed with eight, five and two others open: the number is not the reason."""
    wire, last = crowd(8, refused_at=[8, 5, 2])

    assert list(causes(wire, last)) == ["crashed_before_response"]
