"""Causes between the servers: loss, size, strangers, forgotten connections."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.causes.scene import OK, UPSTREAM, ask, causes, connect, failure, failures, refuse, serve
from tests.wire import Wire


def reset_after_request(**looks: Any) -> tuple[Wire, int]:
    """A request on a connection whose upstream counts its packets, and a RST that looks as told."""
    wire = Wire()
    conn = connect(wire, timestamps=True)
    for number in range(3):
        serve(conn, number)
    ask(conn, 9)
    return wire, conn.server.reset(**looks)


def test_a_stranger_among_the_packets_is_an_injected_reset() -> None:
    """A RST with a far TTL, a foreign IP ID and no timestamp was not sent by the upstream: the network is at fault."""
    wire, reset = reset_after_request(ttl=120, ip_id=0x7777)

    found = failure(wire, reset)

    assert found.causes[0].name == "injected_reset"
    assert found.causes[0].confidence == "high"
    assert found.at_fault == "network"
    assert any("injected_reset" in caveat and "upstream" in caveat for caveat in found.caveats)
    assert all(seen.frame == reset for seen in found.causes[0].because)


@pytest.mark.parametrize("looks", [{"ttl": 120}, {"ip_id": 0x7777}, {"ttl": 255, "ip_id": 0}, {"ttl": 62}])
def test_one_sign_is_never_enough(looks: dict[str, Any]) -> None:
    """A RST that differs in one way only, or as a kernel's answer for an unknown socket does, is not accused."""
    wire = Wire()
    conn = connect(wire)  # without timestamps, whose absence would be a sign of its own
    serve(conn)
    serve(conn)
    ask(conn, 9)
    reset = conn.server.reset(bare="ip_id" in looks and not looks["ip_id"], **looks)

    found = failure(wire, reset)

    assert "injected_reset" not in {cause.name for cause in found.causes}
    assert found.at_fault == "upstream"


def test_octets_after_a_reset_are_a_sign() -> None:
    """Where the upstream's answer still comes after its RST, a far TTL is sign enough to accuse somebody else."""
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    ask(conn, 9)
    reset = conn.server.reset(ttl=120)
    conn.server.send(OK)

    assert causes(wire, reset)["injected_reset"].confidence == "medium"


def unanswered_request(idle: float, *, acked: bool = False) -> tuple[Wire, int]:
    """A request that is sent again and again; others are served meanwhile."""
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    wire.sleep(idle)
    request = ask(conn, 9, acked=acked)
    for wait in (0.2, 0.4, 0.8):
        wire.sleep(wait)
        if not acked:
            conn.client.retransmit()
    serve(connect(wire))
    wire.sleep(60)
    conn.client.fin()
    wire.sleep(10)
    serve(connect(wire))
    return wire, request


def test_a_request_repeated_in_vain_is_packet_loss() -> None:
    """A request that was sent again and never acknowledged was lost on the way."""
    wire, request = unanswered_request(1.0)

    found = failure(wire, request)

    assert [cause.name for cause in found.causes] == ["packet_loss"]
    assert found.at_fault == "network"


def test_an_acknowledged_request_is_no_packet_loss() -> None:
    """A request that the upstream's kernel took and nobody answered says nothing against the network."""
    wire, request = unanswered_request(1.0, acked=True)

    assert not {"packet_loss", "idle_drop"} & set(causes(wire, request))


def test_silence_after_long_idleness_is_an_idle_drop() -> None:
    """The same repetitions on a connection that was idle for ten minutes: a middlebox forgot it."""
    wire, request = unanswered_request(600.0)

    found = causes(wire, request)

    assert "idle_drop" in found
    assert "packet_loss" not in found
    assert "10 min" in found["idle_drop"].because[0].note


def test_an_ack_ahead_of_its_octets_tells_of_loss() -> None:
    """An empty segment whose number is ahead of all that came shows that the answer was sent and lost."""
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    request = ask(conn, 9)
    conn.server.send(OK, drop=True, lost=True)
    wire.sleep(0.2)
    conn.client.retransmit()
    ahead = conn.server.ack()
    wire.sleep(60)
    conn.client.fin()
    conn.server.ack()

    found = causes(wire, request)["packet_loss"]

    assert found.because[0].frame == ahead
    assert str(len(OK)) in found.because[0].note


def test_octets_that_only_the_capture_missed_are_no_loss() -> None:
    """An answer that the gateway acknowledged was lost by the capture, not by the network."""
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    ask(conn, 9)
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", drop=True)
    conn.client.ack()
    conn.server.ack()
    wire.sleep(60)
    conn.client.fin()
    conn.server.ack()

    assert all("packet_loss" not in {cause.name for cause in one.causes} for one in failures(wire))


def upload(sizes: tuple[int, ...], *, icmp: bool = False, earlier: int = 0) -> tuple[Wire, int]:
    """A POST whose head got through, and segments of these sizes that did not."""
    wire = Wire()
    if earlier:
        conn = connect(wire)
        conn.client.send(b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % earlier)
        conn.client.send(b"x" * earlier)
        conn.server.ack()
        conn.server.send(OK)
        conn.client.ack()
        conn.client.fin()
        conn.server.fin()
        conn.client.ack()
    conn = connect(wire)
    conn.client.send(b"POST /t/1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % sum(sizes))
    conn.server.ack()
    last = 0
    for size in sizes:
        last = conn.client.send(b"x" * size, lost=True)
        if icmp:
            wire.icmp_too_big("10.0.0.254", last, 1400)
    for wait in (0.3, 0.6, 1.2):
        wire.sleep(wait)
        conn.client.retransmit(lost=True)
    wire.sleep(60)
    conn.client.reset()
    return wire, last


@pytest.mark.parametrize(("icmp", "sure"), [(False, "medium"), (True, "high")])
def test_only_large_segments_vanish(icmp: bool, sure: str) -> None:
    """Full-size segments repeated in vain where small ones passed are a path MTU; an ICMP error makes it sure."""
    wire, last = upload((1460,), icmp=icmp)

    found = failure(wire, last)

    assert [(cause.name, cause.confidence) for cause in found.causes] == [("path_mtu", sure)]
    assert found.at_fault == "network"


@pytest.mark.parametrize(("size", "earlier"), [(300, 0), (1460, 1460)])
def test_size_does_not_matter(size: int, earlier: int) -> None:
    """A small segment that vanishes, or a large one where as large ones passed before, is packet loss."""
    wire, last = upload((size,), earlier=earlier)

    assert list(causes(wire, last)) == ["packet_loss"]


@pytest.mark.parametrize(("earlier", "name"), [(300, "path_mtu"), (2920, "packet_loss")])
def test_what_passed_on_a_connection_that_is_still_open_counts(earlier: int, name: str) -> None:
    """Full segments of a response vanish: their size is the reason only if none of that size ever came before."""
    wire = Wire()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    conn = connect(wire)
    ask(conn)
    conn.server.send(head % earlier)
    conn.server.send(b"x" * earlier, 1460)
    conn.client.ack()
    serve(conn, 2)
    conn = connect(wire)
    ask(conn, 3)
    conn.server.send(head % 3020)
    conn.client.ack()
    for _ in range(2):
        conn.server.send(b"x" * 1460, lost=True, drop=True)
    conn.server.send(b"x" * 100)
    conn.client.ack()
    wire.sleep(60)
    conn.client.reset()

    (found,) = failures(wire)

    assert [cause.name for cause in found.causes] == [name]


@pytest.mark.parametrize(
    ("code", "name"), [(0, "path_unreachable"), (1, "host_down"), (3, "firewall_reject"), (13, "firewall_reject")]
)
def test_icmp_says_what_it_is(code: int, name: str) -> None:
    """Each ICMP code that quotes the SYN names the path, the host or a rule, and nothing else."""
    wire = Wire()
    made = wire.connection("10.0.0.1:41000", UPSTREAM)
    syn = made.client.syn()
    error = wire.icmp_unreachable("10.0.0.254", syn, code)

    assert list(causes(wire, error)) == [name]


def test_a_refusal_by_a_stranger_is_a_firewall() -> None:
    """A RST to a SYN with another TTL and IP ID than the host's SYN-ACKs was sent by a rule: network at fault."""
    wire = Wire()
    serve(connect(wire, "10.0.0.2:9000"))
    wire.frames[1].network = _with_id_zero(wire.frames[1].network)
    reset = refuse(wire, ttl=250, ip_id=0x1234)

    found = failure(wire, reset)

    assert found.causes[0].name == "firewall_reject"
    assert found.at_fault == "network"


@pytest.mark.parametrize("looks", [{"ip_id": 0}, {"ttl": 62, "ip_id": 0}, {"ttl": 255, "ip_id": 0}])
def test_a_refusal_by_the_host_is_no_firewall(looks: dict[str, Any]) -> None:
    """The kernel's own RST for a closed port is not accused, whatever its default TTL."""
    wire = Wire()
    serve(connect(wire, "10.0.0.2:9000"))
    reset = refuse(wire, **looks)

    found = failure(wire, reset)

    assert [cause.name for cause in found.causes] == ["nothing_listening"]
    assert found.at_fault == "upstream"


def _with_id_zero(packet: bytes) -> bytes:
    """The packet as kernels send SYN-ACKs: IP ID zero (the checksum is not looked at)."""
    return packet[:4] + b"\0\0" + packet[6:]
