"""The record that is judged says what the wire showed, field by field."""

from __future__ import annotations

from typing import Any

from tests.tcp.watch import GET, OK, Watch, watch
from tests.wire import Connection, Wire
from wire502.exchange.attempts_cy import build
from wire502.model.attempt import Attempt, Point

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nServer: x/1\r\nVia: 1.1 y\r\nContent-Type: a/b\r\n\r\n" + bytes(50)
PUT = b"PUT /up?x=1 HTTP/1.1\r\nHost: a.example\r\nX-Request-ID: q1\r\nContent-Length: 100\r\n\r\n"


def asked(request: bytes = GET, **options: Any) -> tuple[Wire, Connection]:
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", **options)
    conn.handshake()
    conn.client.send(request)
    return wire, conn


def attempt_of(wire: Wire, *, ended: bool = False) -> Attempt:
    """Return the attempt that stands open on the only connection, as the capture's last frame leaves it."""
    seen: Watch = watch(wire)
    conn = seen.only
    seen.resolve(conn, seen.connections.now, closing=True)
    current = None
    if conn.decoder is not None:
        current = conn.decoder.current
    if current is None and conn.pending:
        current = conn.pending[0]
    return build(conn, current, now_ns=seen.connections.now, ended=ended)


def point(wire: Wire, number: int) -> Point:
    return Point(number, 0, wire.frames[number - 1].time_ns)


def test_handshake() -> None:
    """All SYNs and SYN-ACKs are listed, and the acknowledgement that completed them."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    syns = [conn.client.syn(), 0]
    wire.sleep(1)
    syns[1] = conn.client.syn()
    syn_acks = [conn.server.syn_ack(), conn.server.syn_ack()]
    ack = conn.client.ack()
    conn.client.send(GET)
    shake = attempt_of(wire).handshake
    assert shake.syns == tuple(point(wire, number) for number in syns)
    assert shake.syn_acks == tuple(point(wire, number) for number in syn_acks)
    assert shake.ack == point(wire, ack)
    assert (shake.refused, shake.unreachable, shake.mid_connection, shake.done) == (None, None, False, True)


def test_a_refusal() -> None:
    """A refusal names its frame; the attempt has no request and no answer."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.client.syn()
    reset = conn.server.reset()
    attempt = attempt_of(wire)
    assert attempt.handshake.refused == point(wire, reset)
    assert not attempt.handshake.done
    assert (attempt.request, attempt.response, attempt.exchange) == (None, None, 0)


def test_an_unreachable_address() -> None:
    """An ICMP error says who sent it, what it says, and that it quotes the SYN."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    syn = conn.client.syn()
    error = wire.icmp_unreachable("10.0.0.254", syn, code=13)
    unreachable = attempt_of(wire).handshake.unreachable
    assert unreachable is not None
    assert unreachable.point == point(wire, error)
    assert (unreachable.sender, unreachable.quoted_syn, unreachable.from_gateway) == ("10.0.0.254", True, False)
    assert unreachable.text == "communication administratively prohibited"


def test_a_request() -> None:
    """The request has its names, its place in the stream, and the frames of its first and last octets."""
    wire, conn = asked(PUT)
    body = conn.client.send(bytes(100))
    conn.server.ack()
    request = attempt_of(wire).request
    assert request is not None
    assert (request.first, request.last) == (point(wire, 4), point(wire, body))
    assert (request.start, request.end, request.whole) == (0, len(PUT) + 100, True)
    assert (request.method, request.target, request.host, request.id) == ("PUT", "/up?x=1", "a.example", "q1")
    assert not request.expects_continue
    assert request.http


def test_a_request_that_is_still_being_sent() -> None:
    """Of a request in the middle of its body it is known how far it was sent, and by which frame."""
    wire, conn = asked(PUT)
    part = conn.client.send(bytes(40))
    request = attempt_of(wire).request
    assert request is not None
    assert (request.whole, request.end, request.last) == (False, len(PUT) + 40, point(wire, part))


def test_what_the_upstream_acknowledged() -> None:
    """The highest acknowledgement of the request is known with the frame that brought it."""
    wire, conn = asked()
    ack = conn.server.ack()
    conn.server.ack()
    attempt = attempt_of(wire)
    assert (attempt.upstream_acked, attempt.upstream_acked_point) == (len(GET), point(wire, ack))


def test_a_response_in_the_middle() -> None:
    """Of a response in its body: status, head, framing, octets so far, and its last frame of progress."""
    wire, conn = asked()
    first = conn.server.send(HALF[:30])
    second = conn.server.send(HALF[30:])
    conn.client.ack()
    attempt = attempt_of(wire)
    response = attempt.response
    assert response is not None
    assert (response.first, response.status_point) == (point(wire, first), point(wire, first))
    assert (response.head_end, response.last) == (point(wire, second), point(wire, second))
    assert (response.status, response.framing, response.complete) == (200, "length", False)
    assert (response.head_bytes, response.body_bytes, response.expected_body_bytes) == (len(HALF) - 50, 50, 100)
    assert (response.server, response.via, response.content_type) == ("x/1", "1.1 y", "a/b")
    assert attempt.gateway_acked == len(HALF)


def test_half_a_head() -> None:
    """Of a response in its head: a status if there is one, no end of the head, and how much of it came."""
    wire, conn = asked()
    conn.server.send(b"HTTP/1.1 200 OK\r\nServ")
    response = attempt_of(wire).response
    assert response is not None
    assert (response.status, response.head_end, response.head_bytes, response.body_bytes) == (200, None, 21, 0)


def test_closes() -> None:
    """FIN and RST of both sides stand where they stand, with what they acknowledge."""
    wire, conn = asked()
    conn.server.send(HALF)
    fin = conn.server.fin(ttl=61)
    acked = conn.client.ack()
    reset = conn.client.reset(ttl=63, window=7, ip_id=9)
    attempt = attempt_of(wire)
    closing = attempt.upstream_fin
    assert closing is not None
    assert (closing.point, closing.offset, closing.acks) == (point(wire, fin), len(HALF), len(GET))
    assert (closing.ttl, closing.accepted) == (61, None)
    assert attempt.gateway_fin_ack_of_upstream_fin == point(wire, acked)
    closing = attempt.gateway_rst
    assert closing is not None
    assert (closing.point, closing.offset, closing.acks) == (point(wire, reset), len(GET), len(HALF) + 1)
    assert (closing.ttl, closing.window, closing.ip_id, closing.accepted) == (63, 7, 9, True)
    assert attempt.upstream_rst is None
    assert attempt.gateway_fin is None


def test_a_bare_reset_that_echoes_the_request() -> None:
    """A RST without ACK whose number is what the request acknowledged answers that very request."""
    wire, conn = asked()
    conn.server.reset(bare=True)
    reset = attempt_of(wire).upstream_rst
    assert reset is not None
    assert (reset.acks, reset.echoes_request_ack, reset.accepted) == (None, True, True)


def test_retransmissions_of_the_request() -> None:
    """Repetitions of octets that the upstream never acknowledged are counted, with the last frame."""
    wire, conn = asked()
    for _ in range(3):
        wire.sleep(1)
        last = conn.client.retransmit(4, lost=True)
    attempt = attempt_of(wire)
    assert (attempt.request_retransmissions, attempt.request_retransmitted_last) == (3, point(wire, last))


def test_silence() -> None:
    """The wait is measured from the last progress to what ended it, and from the request."""
    wire, conn = asked()
    half = conn.server.send(HALF)
    wire.sleep(30)
    fin = conn.client.fin()
    silence = attempt_of(wire).silence
    assert silence is not None
    assert (silence.since, silence.until) == (point(wire, half), point(wire, fin))
    assert abs(silence.seconds - 30) < 0.01
    assert silence.seconds_since_request is not None
    assert abs(silence.seconds_since_request - 30) < 0.01


def test_a_violation() -> None:
    """A violation keeps its octet and its frame."""
    wire, conn = asked()
    bad = conn.server.send(b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n")
    violation = attempt_of(wire).violation
    assert violation is not None
    assert (violation.part, violation.offset, violation.point) == ("header", 18, point(wire, bad))


def test_gaps() -> None:
    """Octets that were acknowledged and never captured are a gap of the side that sent them."""
    wire, conn = asked()
    conn.server.send(HALF[:100])
    conn.server.send(HALF[100:110], drop=True)
    conn.server.send(HALF[110:])
    ack = conn.client.ack()
    (gap,) = attempt_of(wire).gaps
    assert (gap.label, gap.from_gateway, gap.offset, gap.octets) == ("capture", False, 100, 10)
    assert gap.point == point(wire, ack)
    assert not gap.in_head


def test_a_hole_that_nobody_acknowledged() -> None:
    """Octets that are missing and not acknowledged were lost on the wire, or will still come."""
    wire, conn = asked()
    conn.server.send(HALF[:100])
    conn.server.send(HALF[100:110], lost=True, drop=True)
    conn.server.send(HALF[110:])
    conn.client.ack()
    (gap,) = attempt_of(wire).gaps
    assert (gap.label, gap.offset, gap.octets) == ("wire", 100, 10)


def test_reuse() -> None:
    """A second exchange is on a reused connection; the first is, if the capture began after it had begun."""
    wire, conn = asked()
    assert not attempt_of(wire).reused
    conn.server.send(OK)
    conn.client.send(GET)
    attempt = attempt_of(wire)
    assert attempt.reused
    assert attempt.exchange == 2
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080").established()
    conn.server.send(OK)
    conn.client.send(GET)
    assert attempt_of(wire).reused


def test_conflicting_copies() -> None:
    """Copies of octets that differ are cited with both frames."""
    wire, conn = asked()
    seq = conn.server.isn + 1
    first = conn.server.segment("PA", b"B" * 10, seq=seq + 20)
    second = conn.server.segment("PA", b"C" * 10, seq=seq + 20)
    assert attempt_of(wire).overlap_conflict == (point(wire, first), point(wire, second))


def test_no_http() -> None:
    """On a connection that is no HTTP there are octets and no names, and what was not answered."""
    wire, conn = asked(b"\x16\x03\x01\x00\x05hello")
    attempt = attempt_of(wire)
    assert (attempt.is_http, attempt.protocol) == (False, "tls")
    assert attempt.request is not None
    assert not attempt.request.http
    assert attempt.unanswered_since == point(wire, 4)
    conn.server.send(b"\x16\x03\x01\x00\x05world")
    assert attempt_of(wire).unanswered_since is None


def test_the_ladder() -> None:
    """The ladder names the frames of the exchange in the order of the capture, runs of data folded."""
    wire, conn = asked()
    conn.server.send(HALF, mss=20)
    conn.client.ack()
    conn.server.reset()
    rungs = attempt_of(wire).ladder
    assert rungs[0].what == "request"
    assert rungs[-1].what == "rst"
    assert rungs[0].note == "GET /"
    assert [rung.point.frame for rung in rungs] == sorted(rung.point.frame for rung in rungs)
    response = next(rung for rung in rungs if rung.what == "response")
    assert response.note == "200"
    assert not response.from_gateway


def test_one_direction() -> None:
    """When one direction alone was captured, the attempt says which."""
    wire, conn = asked()
    conn.server.send(OK)
    conn.client.ack()
    conn.client.send(GET)
    assert attempt_of(wire.without({2, 5})).one_sided == "gateway"
    assert attempt_of(wire).one_sided is None


def test_a_snap_length() -> None:
    """Frames that the capture cut are said to be."""
    wire, _ = asked(PUT + bytes(100))
    seen = watch(wire, snaplen=100)
    conn = seen.only
    current = conn.decoder.current if conn.decoder is not None else None
    attempt = build(conn, current, now_ns=seen.connections.now, ended=True)
    assert attempt.snaplen_cut
    assert attempt.capture_ended
    assert attempt.request is not None
    assert attempt.request.cut


def test_zero_windows() -> None:
    """A window that is still zero names its first frame, for each side."""
    wire, conn = asked(PUT)
    zero = conn.server.ack(window=0)
    assert attempt_of(wire).upstream_window_zero == point(wire, zero)
    wire, conn = asked()
    conn.server.send(HALF)
    zero = conn.client.ack(window=0)
    assert attempt_of(wire).gateway_window_zero == point(wire, zero)
