"""Causes of configuration and downtime: keep-alive, limits, restarts."""

from __future__ import annotations

from tests.diagnosis.causes.scene import OK, ask, causes, connect, failure, failures, refuse, serve
from tests.wire import Wire
from tests.wire_tcp import Connection


def stale(wire: Wire, idle: float) -> int:
    """A request that crosses the upstream's close after so long an idle time; return the FIN."""
    conn = connect(wire)
    serve(conn)
    wire.sleep(idle)
    unread = conn.server.expected
    ask(conn, 9, acked=False)
    fin = conn.server.fin(ack=unread)
    conn.server.reset(bare=True)
    return fin


def idle_close(wire: Wire, idle: float) -> None:
    """A connection that the upstream closes after it was idle for so long."""
    conn = connect(wire)
    serve(conn)
    wire.sleep(idle)
    conn.server.fin()
    conn.client.fin()
    conn.server.ack()


def test_a_measured_idle_timeout_is_a_keepalive_mismatch() -> None:
    """Idle closes after 5 s again and again, and a request that crosses one: both figures stand in the advice."""
    wire = Wire()
    for _ in range(3):
        idle_close(wire, 5.0)
    patient = connect(wire)
    serve(patient)
    wire.sleep(4.0)
    serve(patient, 1)
    fin = stale(wire, 5.002)

    found = causes(wire, fin)["keepalive_mismatch"]

    assert found.confidence == "high"
    assert found.because[0].frame == fin
    assert found.advice is not None
    assert "5.00 s ± 1.0 ms (4 closes)" in found.advice.replace("0.9 ms", "1.0 ms").replace("1.1 ms", "1.0 ms")
    assert "below 5.00 s" in found.advice


def test_closes_after_all_kinds_of_times_are_no_sure_timeout() -> None:
    """Idle closes after 1, 9 and 20 s measure no timeout: the confidence is not high."""
    wire = Wire()
    for idle in (1.0, 9.0, 20.0):
        idle_close(wire, idle)
    fin = stale(wire, 5.0)

    assert causes(wire, fin)["keepalive_mismatch"].confidence == "medium"


def test_a_close_over_a_request_that_was_read_is_no_mismatch() -> None:
    """The same timing, but the FIN acknowledges the request: it was read."""
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    wire.sleep(5.0)
    ask(conn, 9)
    fin = conn.server.fin()

    assert "keepalive_mismatch" not in causes(wire, fin)


def crash(wire: Wire, *, others: int) -> tuple[list[Connection], int]:
    """Connections with open requests that the upstream resets within a few milliseconds; return the last RST."""
    open_ones = [connect(wire) for _ in range(others + 1)]
    for number, conn in enumerate(open_ones):
        ask(conn, number)
    wire.sleep(0.5)
    resets = [conn.server.reset() for conn in open_ones]
    return open_ones, resets[-1]


def test_all_connections_reset_then_refused_then_well_is_a_restart() -> None:
    """Three resets at one moment, refusals for more than a second, and an answer again."""
    wire = Wire()
    serve(connect(wire))
    _, reset = crash(wire, others=2)
    refusals = []
    for _ in range(3):
        wire.sleep(0.5)
        refusals.append(refuse(wire))
    wire.sleep(0.5)
    serve(connect(wire))

    found = causes(wire, reset)["process_restart"]
    refused = causes(wire, refusals[0])

    assert found.confidence == "high"
    assert {seen.frame for seen in found.because} >= {refusals[0]}
    assert list(refused) == ["process_restart"]


def test_refusals_without_an_end_are_a_process_that_is_down() -> None:
    """It had answered, three connections were reset, and it refuses until the capture ends."""
    wire = Wire()
    serve(connect(wire))
    _, reset = crash(wire, others=2)
    refusals = []
    for _ in range(3):
        wire.sleep(0.5)
        refusals.append(refuse(wire))

    assert causes(wire, reset)["process_down"].confidence == "high"
    assert list(causes(wire, refusals[-1])) == ["process_down"]


def test_refusals_by_a_process_that_still_answers_are_not_its_end() -> None:
    """Refused until the end, but an open connection is served all the time: only the listener is gone."""
    wire = Wire()
    lively = connect(wire)
    serve(lively)
    refusals = []
    for number in range(3):
        wire.sleep(0.5)
        refusals.append(refuse(wire))
        serve(lively, number)

    assert all("process_down" not in causes(wire, frame) for frame in refusals)


def test_one_reset_among_connections_that_live_on_is_no_restart() -> None:
    """A single reset while others are served, and no refusal: only that request's handler ended."""
    wire = Wire()
    lively = connect(wire)
    serve(lively)
    _, reset = crash(wire, others=0)
    serve(lively, 1)

    assert list(causes(wire, reset)) == ["crashed_before_response"]


def test_idle_connections_of_one_age_are_no_restart() -> None:
    """Four idle connections closed at one moment, all idle for the same time, met their idle timeout."""
    wire = Wire()
    idle = [connect(wire) for _ in range(4)]
    for conn in idle:
        serve(conn)
    wire.sleep(5.0)
    for conn in idle[1:]:
        conn.server.fin()
        conn.client.fin()
        conn.server.ack()
    unread = idle[0].server.expected
    ask(idle[0], 9, acked=False)
    fin = idle[0].server.fin(ack=unread)

    assert list(causes(wire, fin)) == ["keepalive_mismatch"]


def test_always_refused_is_nothing_listening() -> None:
    """An endpoint that refused each time, on a host that answers elsewhere."""
    wire = Wire()
    serve(connect(wire, "10.0.0.2:9000"))
    refuse(wire, ip_id=0)
    wire.sleep(1)
    reset = refuse(wire, ip_id=0)

    found = causes(wire, reset)

    assert {name: cause.confidence for name, cause in found.items()} == {"nothing_listening": "medium"}


def test_refused_once_after_service_is_not_nothing_listening() -> None:
    """An endpoint that had served before has a listener."""
    wire = Wire()
    serve(connect(wire))
    reset = refuse(wire)

    assert "nothing_listening" not in causes(wire, reset)


def answered_with(octets: bytes) -> tuple[Wire, int]:
    """A request that is answered with these octets, and the gateway's close."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    answer = conn.server.send(octets)
    conn.client.fin()
    conn.server.fin()
    return wire, answer


def test_foreign_first_octets_are_a_protocol_mismatch() -> None:
    """A TLS alert in answer to plain HTTP names the mismatch, and nothing else does."""
    wire, answer = answered_with(b"\x15\x03\x03\x00\x02\x02\x46")

    assert list(causes(wire, answer)) == ["protocol_mismatch"]


def test_an_error_text_is_a_script_error() -> None:
    """A traceback in place of an answer is an error of the application, no other protocol."""
    wire, answer = answered_with(b"Traceback (most recent call last):\n  File ...\n")

    found = causes(wire, answer)

    assert list(found) == ["script_error"]


def test_an_illegal_field_is_invalid_output() -> None:
    """An illegal octet in a header is invalid output, with its offset in the advice."""
    wire, answer = answered_with(b"HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 0\r\n\r\n")

    found = causes(wire, answer)

    assert list(found) == ["invalid_output"]
    assert found["invalid_output"].advice is not None


def relayed(head: bytes) -> dict[str, str]:
    """Causes and confidences of a complete answer with this status line and these fields."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 " + head + b"Content-Length: 0\r\n\r\n")
    conn.client.ack()
    wire.sleep(1)
    return {cause.name: cause.confidence for cause in failures(wire)[0].causes}


def test_a_502_with_via_was_made_further_back() -> None:
    """Status and Via name the hop behind the upstream."""
    assert relayed(b"502 Bad Gateway\r\nVia: 1.1 inner\r\n") == {"upstream_gateway_error": "high"}


def test_a_plain_500_is_the_applications_own() -> None:
    """A 500 without the marks of another hop accuses no gateway."""
    assert relayed(b"500 Internal Server Error\r\n") == {"script_error": "medium"}


def given_up(*, late: bool) -> tuple[Wire, int]:
    """A request given up after 30 s by a reset; the answer comes after all, or never."""
    wire = Wire()
    conn = connect(wire)
    request = ask(conn)
    wire.sleep(30)
    conn.client.reset()
    if late:
        wire.sleep(0.2)
        conn.server.send(OK)
    wire.sleep(2)
    serve(connect(wire))
    return wire, request


def test_an_answer_after_the_gateway_gave_up_is_a_short_timeout() -> None:
    """The answer came 0.2 s after the gateway's limit of 30 s."""
    wire, request = given_up(late=True)

    found = causes(wire, request)["gateway_timeout_too_short"]

    assert found.advice is not None
    assert "30.00 s" in found.advice


def test_no_answer_at_all_says_nothing_of_the_limit() -> None:
    """Without an answer nobody knows whether a longer wait would have helped."""
    wire, request = given_up(late=False)

    assert "gateway_timeout_too_short" not in causes(wire, request)


def test_a_long_head_that_the_gateway_refuses_is_a_small_buffer() -> None:
    """The gateway closes right after eight kilobytes of head."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nX: ")
    frames = conn.server.send(b"a" * 8000, 1000)
    conn.client.ack()
    conn.client.reset()

    assert list(causes(wire, frames[-1])) == ["header_buffer_too_small"]


def test_a_long_head_that_the_upstream_cuts_is_no_small_buffer() -> None:
    """The same head, but the upstream closes first: it crashed in the middle of its answer."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nX: ")
    conn.server.send(b"a" * 8000, 1000)
    fin = conn.server.fin()

    assert list(causes(wire, fin)) == ["crashed_mid_response"]


def test_an_unanswered_address_request_is_a_host_that_is_down() -> None:
    """Nobody answers for the address of a known upstream."""
    wire = Wire()
    serve(connect(wire))
    last = 0
    for _ in range(3):
        wire.sleep(1)
        last = wire.arp_request("10.0.0.1", "10.0.0.2")
    wire.sleep(5)
    serve(connect(wire, "10.0.0.3:80"))

    assert list(causes(wire, last)) == ["host_down"]


def test_connections_that_all_fall_silent_are_a_host_that_is_down() -> None:
    """Two requests are repeated in vain, no SYN-ACK comes any more, and nothing of the host is heard."""
    wire = Wire()
    conns = [connect(wire), connect(wire)]
    for conn in conns:
        serve(conn)
    wire.sleep(1)
    requests = [ask(conn, 9, acked=False) for conn in conns]
    for wait in (0.2, 0.4, 0.8):
        wire.sleep(wait)
        for conn in conns:
            conn.client.retransmit()
    wire.sleep(60)
    for conn in conns:
        conn.client.fin()

    named = [set(causes(wire, request)) for request in requests]

    assert any("host_down" in names for names in named)


def test_one_silent_connection_is_no_host_that_is_down() -> None:
    """The same silence on one connection, while the host answers another, is loss."""
    wire = Wire()
    conn, other = connect(wire), connect(wire)
    serve(conn)
    wire.sleep(1)
    request = ask(conn, 9, acked=False)
    for wait in (0.2, 0.4, 0.8):
        wire.sleep(wait)
        conn.client.retransmit()
        serve(other)
    wire.sleep(60)
    conn.client.fin()

    assert list(causes(wire, request)) == ["packet_loss"]


def test_the_cause_that_overrules_is_named() -> None:
    """A failure whose side was not overruled carries no word about it."""
    wire = Wire()
    _, reset = crash(wire, others=0)

    assert not any("at fault" in caveat for caveat in failure(wire, reset).caveats)


def test_retries_one_after_the_other_are_no_restart() -> None:
    """Four attempts of one request, each reset before the next is made, are not connections closed at one moment."""
    wire = Wire()
    serve(connect(wire))
    frame = 0
    for _ in range(4):
        conn = connect(wire)
        ask(conn)
        frame = conn.server.reset()
    assert "process_restart" not in causes(wire, frame)
