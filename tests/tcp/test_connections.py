"""Connections: who opened them, where one ends and the next begins, and what is no connection of its own."""

from __future__ import annotations

import pytest

from tests.tcp.watch import GET, OK, steps, watch
from tests.wire import Connection, Wire
from wire502.model.context import Context

A, B = "10.0.0.1:41000", "10.0.0.2:8080"


def pair(**options: int) -> tuple[Wire, Connection]:
    wire = Wire()
    return wire, wire.connection(A, B, **options)


def ports(wire: Wire) -> list[tuple[int, int]]:
    """Return opener's and acceptor's port of each connection."""
    return [(conn.a.port, conn.b.port) for conn in watch(wire).known]


def test_the_sender_of_the_syn_is_the_opener() -> None:
    """Whoever sends the SYN opens the connection, whichever port is higher, and whichever frame comes first."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:80", "10.0.0.2:50000")
    conn.client.syn()
    conn.server.syn_ack()
    assert ports(wire) == [(80, 50000)]
    assert ports(wire.without({1})) == [(80, 50000)]
    assert watch(wire.without({1})).only.opener == 2


@pytest.mark.parametrize("isn", [0, 2**32 - 1, 2**32 - 20, 2**31 - 1])
def test_sequence_numbers_wrap(isn: int) -> None:
    """An exchange around the end of the sequence space is like any other."""
    wire, conn = pair(client_isn=isn, server_isn=isn)
    conn.handshake()
    for _ in range(3):
        conn.client.send(GET, mss=5)
        conn.server.send(OK, mss=7)
    conn.client.fin()
    conn.server.fin()
    seen = watch(wire)
    assert [exchange.status for exchange in seen.exchanges()] == [200] * 3
    assert (seen.only.a.fin_off, seen.only.b.fin_off) == (3 * len(GET), 3 * len(OK))
    assert seen.only.dead


def test_more_than_four_gigabytes_keep_their_offsets() -> None:
    """Offsets go on where sequence numbers wrap: a body of five gigabytes, seen in large steps, is counted whole."""
    wire, conn = pair()
    conn.handshake()
    conn.client.send(GET)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n"
    conn.server.send(head)
    sent = 0
    while sent < 5_000_000_000:
        conn.server.seq += 50_000_000 - 1
        conn.server.send(b"x")
        sent += 50_000_000
        conn.client.expected = conn.server.seq
        conn.client.ack()
        wire.sleep(0.3)
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire)
    assert [exchange.resp_done for exchange in seen.exchanges()] == [True, True]
    assert seen.exchanges()[0].body_bytes == 5_000_000_000
    assert seen.exchanges()[1].req_acks == len(head) + 5_000_000_000
    assert sum(gap[2] for gap in seen.only.b.gaps or ()) == 64 * (50_000_000 - 1), "the list of gaps is bounded"


def test_a_repeated_syn_is_no_new_connection() -> None:
    """A SYN with the same initial sequence number is a retransmission, before and after the SYN-ACK."""
    wire, conn = pair()
    first = conn.client.syn()
    wire.sleep(1)
    second = conn.client.syn()
    conn.server.syn_ack()
    wire.sleep(1)
    third = conn.client.syn()
    conn.client.ack()
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire)
    assert [frame for frame, _ in seen.only.syns] == [first, second, third]
    assert seen.one().status == 200


def test_a_port_used_again_is_a_new_connection() -> None:
    """A SYN with another initial sequence number begins a new connection, after a close and after none."""
    for close in (True, False):
        wire, conn = pair(client_isn=1000)
        conn.handshake()
        conn.client.send(GET)
        conn.server.send(OK)
        if close:
            conn.client.fin()
            conn.server.fin()
            conn.client.ack()
        wire.sleep(5)
        again = wire.connection(A, B, client_isn=900_000)
        again.handshake()
        again.client.send(GET)
        again.server.send(OK)
        seen = watch(wire)
        assert len(seen.known) == 2
        assert [len(seen.exchanges(stream)) for stream in (0, 1)] == [1, 1]
        assert seen.known[0].superseded
        assert seen.known[1].a.off == len(GET)


def test_vlan_and_interface_do_not_split_a_connection() -> None:
    """Frames of one connection with other VLAN tags or on another interface belong to it all the same."""
    wire, conn = pair()
    conn.handshake()
    conn.vlan = (7,)
    conn.client.send(GET)
    conn.server.send(OK, interface=1)
    assert watch(wire).one().status == 200


def test_data_on_the_syn_is_read_where_the_upstream_took_it() -> None:
    """A request on the SYN (fast open, RFC 7413) that the SYN-ACK acknowledges is answered like any other."""
    wire, conn = pair()
    conn.client.syn(payload=GET)
    conn.server.syn_ack()
    conn.client.ack()
    conn.server.send(OK)
    exchange = watch(wire).one()
    assert (exchange.req_start, exchange.req_end, exchange.status) == (0, len(GET), 200)


def test_data_on_the_syn_that_was_not_taken_comes_again() -> None:
    """A request on a SYN that only the SYN was acknowledged of is sent again, and is one request."""
    wire, conn = pair()
    conn.client.syn(payload=GET, lost=True)
    conn.server.segment("SA", seq=conn.server.isn, ack=conn.client.isn + 1)
    conn.server.seq += 1
    conn.server.opened = True
    conn.client.segment("PA", GET, seq=conn.client.isn + 1, ack=conn.server.isn + 1)
    conn.server.send(OK)
    seen = watch(wire)
    assert seen.one().status == 200
    assert seen.only.a.off == len(GET)


def test_simultaneous_open_is_one_connection() -> None:
    """Two SYNs that cross are one connection (RFC 9293 figure 7), opened by the first."""
    wire, conn = pair()
    conn.client.syn()
    conn.server.segment("S", seq=conn.server.isn)
    conn.client.segment("SA", seq=conn.client.isn, ack=conn.server.isn + 1)
    conn.server.segment("SA", seq=conn.server.isn, ack=conn.client.isn + 1)
    conn.server.seq += 1
    conn.server.opened = True
    conn.client.expected = conn.server.seq
    conn.server.expected = conn.client.seq
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire)
    assert (seen.only.a.port, seen.only.b.port) == (41000, 8080)
    assert seen.one().status == 200


def test_simultaneous_close_ends_both_sides() -> None:
    """Two FINs that cross end the connection, each acknowledged by the other side."""
    wire, conn = pair()
    conn.handshake()
    one = conn.client.fin()
    two = conn.server.fin(ack=conn.client.isn + 1)
    conn.client.ack()
    conn.server.ack()
    seen = watch(wire)
    assert (seen.only.a.fin_frame, seen.only.b.fin_frame) == (one, two)
    assert seen.only.dead
    assert seen.only.b.fin_acked_frame == two + 1
    assert seen.only.a.fin_acked_frame == two + 2


def test_half_closed_connections_go_on() -> None:
    """After the gateway's FIN the response still comes and completes the exchange."""
    wire, conn = pair()
    conn.handshake()
    conn.client.send(GET)
    conn.client.fin()
    conn.server.ack()
    wire.sleep(0.5)
    conn.server.send(OK)
    conn.server.fin()
    seen = watch(wire)
    assert seen.one().resp_done
    assert seen.only.dead


@pytest.mark.parametrize("first", ["request", "response"])
def test_begun_in_the_middle_the_request_head_says_who_opened(first: str) -> None:
    """Without a handshake the opener is the one that sends a request head, even from the lower port."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:80", "10.0.0.2:50000").established()
    if first == "response":
        conn.client.send(GET, drop=True)
        conn.server.send(OK)
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire)
    assert (seen.only.a.port, seen.only.b.port) == (80, 50000)
    assert seen.only.opener == 1 or first == "response"
    assert seen.exchanges()[-1].status == 200


def test_begun_in_the_middle_the_higher_port_is_the_guess() -> None:
    """Without a handshake and without a request the higher port is taken for the opener, as a guess."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:50000", "10.0.0.2:80").established()
    conn.server.ack()
    conn.client.ack()
    seen = watch(wire)
    assert (seen.only.a.port, seen.only.opener) == (50000, 0)
    assert seen.only.mid


def test_begun_in_the_middle_with_the_first_frame_out_of_order() -> None:
    """When the first frame of a capture is a later part of a message, what comes late does no harm."""
    wire, conn = pair()
    conn.established()
    conn.client.send(GET)
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
    conn.server.send(b"56789")
    conn.client.ack()
    conn.client.send(GET)
    conn.server.send(OK)
    seen = watch(wire.reorder(3, 1))
    assert seen.exchanges()[-1].status == 200
    assert seen.exchanges()[-1].resp_done


@pytest.mark.parametrize("side", ["client", "server"])
def test_one_direction_alone_is_read_as_far_as_it_goes(side: str) -> None:
    """Of a capture of one direction the frames and acknowledgements of that direction are known, no others."""
    wire, conn = pair()
    missing = {2, 5, 7} if side == "client" else {1, 3, 4, 6}
    conn.handshake()
    for _ in range(2):
        conn.client.send(GET)
        conn.server.send(OK)
    seen = watch(wire.without(missing))
    if side == "client":
        assert seen.only.b.frames == 0
        assert seen.only.b.acked == len(OK)
        assert seen.only.a.off == 2 * len(GET)
        assert seen.only.decoder is not None
        assert seen.only.decoder.http
    else:
        assert seen.only.a.frames == 0
        assert seen.only.a.acked == 2 * len(GET)
        assert seen.only.b.off == 2 * len(OK)
        assert seen.only.established


def test_zero_window_until_it_opens() -> None:
    """The first frame of a zero window is remembered until the window opens; a probe does not end it."""
    wire, conn = pair()
    conn.handshake()
    conn.client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
    zero = conn.server.ack(window=0)
    wire.sleep(1)
    conn.client.keep_alive(b"x")
    conn.server.ack(window=0)
    seen = watch(wire)
    assert seen.only.b.zero_frame == zero
    assert "zero_window" in steps(seen.only)
    conn.server.ack(window=100)
    assert watch(wire).only.b.zero_frame == 0


def test_a_window_of_zero_on_a_reset_is_none() -> None:
    """The window of a RST, which is usually zero, is no zero window."""
    wire, conn = pair()
    conn.handshake()
    conn.server.reset(window=0)
    assert watch(wire).only.b.zero_frame == 0


def test_icmp_finds_its_connection() -> None:
    """An ICMP error reaches the connection that it quotes, and starts none where there is none."""
    wire, conn = pair()
    syn = conn.client.syn()
    wire.icmp_unreachable("10.0.0.254", syn)
    seen = watch(wire)
    assert seen.only.unreachable is not None
    assert seen.only.unreachable[1]
    assert not watch(wire.without({syn})).known


def test_an_icmp_error_about_later_octets_quotes_no_syn() -> None:
    """An ICMP error that quotes data is told from one that quotes the SYN."""
    wire, conn = pair()
    conn.handshake()
    request = conn.client.send(GET)
    wire.icmp_unreachable("10.0.0.254", request)
    unreachable = watch(wire).only.unreachable
    assert unreachable is not None
    assert not unreachable[1]


def test_streams_are_numbered_by_first_appearance() -> None:
    """``stream`` counts connections as they appear, whatever becomes of them."""
    wire = Wire()
    conns = [wire.connection(f"10.0.0.1:{41000 + n}", B) for n in range(5)]
    for conn in conns:
        conn.client.syn()
    for conn in reversed(conns):
        conn.server.syn_ack()
    seen = watch(wire)
    assert [(conn.stream, conn.a.port) for conn in seen.known] == [(n, 41000 + n) for n in range(5)]


def test_the_table_lets_go_of_the_idle_at_its_limit() -> None:
    """At the limit of connections the ones idle longest go, marked and counted, and the busy ones stay."""
    wire = Wire()
    busy = wire.connection("10.0.0.9:50000", B)
    busy.handshake()
    for number in range(300):
        conn = wire.connection(f"10.0.0.1:{20000 + number}", B)
        conn.handshake()
        busy.client.send(GET)
        busy.server.send(OK)
        wire.sleep(0.1)
    seen = watch(wire, Context(keep_exchanges=True, max_connections=50))
    assert seen.connections.live <= 50
    assert seen.connections.evicted >= 251 - 1
    assert not seen.known[0].evicted
    assert len(seen.exchanges(0)) == 300
    evicted = [conn for conn in seen.known if conn.evicted]
    assert len(evicted) == seen.connections.evicted
    assert [conn.stream for conn in seen.connections.remaining()] == sorted(
        conn.stream for conn in seen.known if not conn.superseded
    )


def test_closed_connections_leave_after_a_while() -> None:
    """A closed connection is let go of when it has lingered, judged before, and its port is then a new stream."""
    wire = Wire()
    for number in range(20):
        conn = wire.connection(f"10.0.0.1:{20000 + number}", B)
        conn.handshake()
        conn.client.send(GET)
        conn.server.send(OK)
        conn.client.fin()
        conn.server.fin()
        conn.client.ack()
        wire.sleep(10)
    seen = watch(wire)
    assert seen.connections.live <= 8
    assert seen.connections.evicted == 0
    assert all(conn.superseded for conn in seen.known[:10])


def test_many_closed_connections_do_not_pile_up() -> None:
    """However many connections close within the linger time, only so many are kept."""
    wire = Wire()
    for number in range(200):
        conn = wire.connection(f"10.0.0.1:{20000 + number}", B)
        conn.handshake()
        conn.client.reset()
    seen = watch(wire, Context(max_closed=16))
    assert seen.connections.live <= 18


@pytest.mark.parametrize("address", ["10.0.0.1", "[2001:db8::1]"])
def test_all_connections_are_found_again(address: str) -> None:
    """Each of thousands of connections, in both directions and both address families, is found when it goes on."""
    other = "10.0.0.2:8080" if address[0] != "[" else "[2001:db8::2]:8080"
    wire = Wire()
    conns = [wire.connection(f"{address}:{10000 + n}", other) for n in range(3000)]
    for conn in conns:
        conn.client.syn()
    for conn in conns:
        conn.server.syn_ack()
    for conn in conns:
        conn.client.send(GET)
    seen = watch(wire, rows=4096)
    assert len(seen.known) == 3000
    assert all(conn.a.off == len(GET) and conn.b.frames == 1 for conn in seen.known)
    assert [conn.stream for conn in seen.connections.remaining()] == list(range(3000))


def test_a_connection_to_itself() -> None:
    """Two ends with one address are told apart by port, and with one port as well the SYN decides."""
    wire = Wire()
    conn = wire.connection("127.0.0.1:41000", "127.0.0.1:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(OK)
    assert watch(wire).one().status == 200
