"""FIN and RST: which counts, where it stands, and what its receiver would have made of it."""

from __future__ import annotations

import pytest

from tests.tcp.watch import GET, OK, Watch, watch
from tests.wire import Connection, Wire
from wire502.model.flow_cy import RST_EXACT, RST_IGNORED, RST_IN_WINDOW, RST_NONE

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + bytes(50)


def asked(**options: int) -> tuple[Wire, Connection]:
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=1000, server_isn=5000, **options)
    conn.handshake()
    conn.client.send(GET)
    return wire, conn


def test_a_reset_at_the_next_octet_counts() -> None:
    """A RST at the next expected sequence number ends the connection, with its place and what it acknowledges."""
    wire, conn = asked()
    conn.server.send(HALF)
    reset = conn.server.reset(ttl=61, ip_id=77, window=5)
    half = watch(wire).only.b
    assert (half.rst_state, half.rst_frame, half.rst_off, half.rst_acks) == (RST_EXACT, reset, len(HALF), len(GET))
    assert (half.rst_ttl, half.rst_ip_id, half.rst_window) == (61, 77, 5)


def test_a_reset_without_acknowledgement_acknowledges_nothing() -> None:
    """A bare RST says nothing of what its sender had received."""
    wire, conn = asked()
    conn.server.reset(bare=True)
    assert watch(wire).only.b.rst_acks == -1


def test_a_reset_outside_the_window_is_ignored() -> None:
    """A RST far from the window is an oddity, and the connection goes on."""
    wire, conn = asked()
    conn.server.reset(seq=5001 + 500_000)
    wire.sleep(0.01)
    conn.server.reset(seq=5001 - 500_000)
    conn.server.send(OK)
    seen = watch(wire)
    assert seen.only.b.rst_state == RST_NONE
    assert not seen.only.dead
    assert seen.one().status == 200
    assert seen.connections.oddities == {"rst_ignored": 2}


def test_a_reset_inside_the_window_is_ignored_when_its_receiver_goes_on() -> None:
    """A RST ahead of the next octet counts until its receiver shows that it did not."""
    wire, conn = asked()
    conn.server.reset(seq=5001 + 1000)
    seen = watch(wire)
    assert seen.only.b.rst_state == RST_IN_WINDOW
    assert seen.only.dead
    wire.sleep(0.01)
    conn.server.send(OK)
    conn.client.ack()
    seen = watch(wire)
    assert seen.only.b.rst_state == RST_IGNORED
    assert not seen.only.dead
    assert seen.one().status == 200


def test_a_reset_ahead_of_octets_that_come_late_is_where_they_end() -> None:
    """Octets before a RST that the capture shows after it are the connection's, those behind it are not."""
    wire, conn = asked()
    conn.server.send(HALF)
    conn.server.segment("RA", seq=5001 + len(HALF) + 50)
    conn.server.segment("PA", bytes(50), seq=5001 + len(HALF))
    conn.server.segment("PA", b"behind", seq=5001 + len(HALF) + 50)
    seen = watch(wire)
    assert seen.one().resp_done
    assert seen.only.b.off == len(HALF) + 50
    assert seen.only.b.after_rst_frame == len(wire.frames)


def test_the_first_reset_counts() -> None:
    """Of several RST of one side the first is remembered."""
    wire, conn = asked()
    first = conn.server.reset()
    conn.server.reset(bare=True)
    conn.client.send(GET)
    conn.server.reset(bare=True, seq=5001)
    assert watch(wire).only.b.rst_frame == first


def test_octets_that_the_gateway_had_left_before_are_not_decoded() -> None:
    """A response that reaches a gateway after its RST is no response to it."""
    wire, conn = asked()
    conn.client.reset()
    late = conn.server.send(OK)
    seen = watch(wire)
    assert seen.one().resp_frame == 0
    assert seen.only.b.after_rst_frame == late


def test_octets_on_the_wire_before_the_reset_count() -> None:
    """Octets that a RST of the gateway acknowledges had arrived, also when the capture shows them later."""
    wire, conn = asked()
    conn.server.send(OK)
    conn.client.reset()
    assert watch(wire.reorder(5, 6)).one().resp_done


@pytest.mark.parametrize("answer", ["exact", "data"])
def test_refusal(answer: str) -> None:
    """RST,ACK that acknowledges the SYN is a refusal; data on the SYN may be acknowledged with it."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.client.syn(payload=b"" if answer == "exact" else GET)
    reset = conn.server.reset()
    seen = watch(wire)
    assert seen.only.refused_frame == reset
    assert seen.only.dead
    assert not seen.only.established


@pytest.mark.parametrize("options", [{"bare": True}, {"ack": 1}])
def test_no_refusal(options: dict[str, int]) -> None:
    """A RST without ACK, or with another acknowledgement number, does not answer a SYN."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.client.syn()
    conn.server.reset(**options)
    seen = watch(wire)
    assert seen.only.refused_frame == 0
    assert seen.connections.oddities == {"rst_ignored": 1}
    conn.server.syn_ack()
    conn.client.ack()
    conn.client.send(GET)
    conn.server.send(OK)
    assert watch(wire).one().status == 200


def test_the_fin_counts_where_it_stands() -> None:
    """A FIN that overtakes octets ends the stream behind them, and the decoder hears of it when they have come."""
    response = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(500)
    wire, conn = asked()
    conn.server.send(response[:200])
    conn.server.seq += len(response) - 200
    fin = conn.server.fin()
    seen = watch(wire)
    assert (seen.only.b.fin_off, seen.only.b.fin_done) == (len(response), False)
    assert not seen.one().resp_done
    conn.server.segment("PA", response[200:], seq=5001 + 200)
    seen = watch(wire)
    assert (seen.only.b.fin_frame, seen.only.b.fin_done) == (fin, True)
    assert seen.one().resp_done
    assert seen.one().body_bytes == 500


def test_a_fin_with_octets_ends_behind_them() -> None:
    """A FIN stands behind the octets that it carries."""
    wire, conn = asked()
    conn.server.fin(OK)
    seen = watch(wire)
    assert seen.only.b.fin_off == len(OK)
    assert seen.one().resp_done


def test_a_repeated_fin_is_the_same() -> None:
    """The first of several FINs is remembered; octets behind it are not decoded."""
    wire, conn = asked()
    conn.server.send(HALF)
    first = conn.server.fin()
    wire.sleep(1)
    conn.server.retransmit()
    conn.server.segment("PA", b"x" * 50, seq=5001 + len(HALF) + 1)
    seen = watch(wire)
    assert seen.only.b.fin_frame == first
    assert not seen.one().resp_done
    assert seen.connections.oddities == {"data_after_fin": 1}


def test_the_acknowledgement_of_a_fin_is_remembered() -> None:
    """The frame that first acknowledges a FIN is known, later ones do not move it."""
    wire, conn = asked()
    conn.server.fin()
    ack = conn.client.ack()
    conn.client.ack()
    assert watch(wire).only.b.fin_acked_frame == ack


def test_a_reset_on_an_established_connection_before_any_octet_of_its_sender() -> None:
    """A RST from an upstream that has said nothing since the SYN-ACK is placed at the start of its stream."""
    wire, conn = asked()
    conn.server.reset()
    assert watch(wire).only.b.rst_off == 0


def test_begun_in_the_middle_with_a_reset() -> None:
    """A RST that is the first frame of a connection, or the first of its side, counts."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080").established()
    reset = conn.server.reset(bare=True)
    seen = watch(wire)
    assert (seen.only.b.rst_frame, seen.only.b.rst_state) == (reset, RST_EXACT)
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080").established()
    conn.client.send(GET)
    reset = conn.server.reset()
    seen = watch(wire)
    assert (seen.only.b.rst_frame, seen.only.b.rst_state) == (reset, RST_EXACT)
    assert isinstance(seen, Watch)
