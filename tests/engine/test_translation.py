"""Addresses translated on the way: the same packet before and after is one packet of one hop, judged once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.engine.drive import failures, judged, summary_of
from tests.tcp.watch import GET, OK
from tests.wire import Connection, Frame, Wire
from wire502.model.context import Context
from wire502.model.verdict import ExchangeLine

AFTER_NS = 4_000  # between two views of a packet


@dataclass(frozen=True)
class Ends:
    """Opener and acceptor before and after the translation, as (address, port)."""

    opener: tuple[str, int]
    service: tuple[str, int]
    seen_opener: tuple[str, int]
    pod: tuple[str, int]


DNAT = Ends(("10.0.0.1", 41000), ("10.96.0.10", 80), ("10.0.0.1", 41000), ("10.244.1.5", 8080))
SNAT = Ends(("10.0.0.1", 41000), ("192.0.2.9", 80), ("203.0.113.7", 61000), ("192.0.2.9", 80))
BOTH = Ends(("10.0.0.1", 41000), ("10.96.0.10", 80), ("10.244.0.1", 23456), ("10.244.1.5", 8080))
SIX = Ends(("2001:db8::1", 41000), ("fd00:96::a", 80), ("2001:db8::1", 41000), ("fd00:244::5", 8080))
BOTH_SIX = Ends(("2001:db8::1", 41000), ("fd00:96::a", 80), ("fd00:244::1", 23456), ("fd00:244::5", 8080))
EVERY = pytest.mark.parametrize("ends", [DNAT, SNAT, BOTH, SIX, BOTH_SIX], ids=["DNAT", "SNAT", "both", "6", "both 6"])


def translated(frame: Frame, ends: Ends) -> Frame:
    """Return a frame of the opener's view as it is behind the translation (TCP; ICMP is left to the caller)."""
    network = bytearray(frame.network)
    at, size, header = (12, 4, (network[0] & 15) * 4) if network[0] >> 4 == 4 else (8, 16, 40)
    pair = (ends.seen_opener, ends.pod) if frame.outgoing else (ends.pod, ends.seen_opener)
    for place, (address, port) in enumerate(pair):
        network[at + place * size : at + (place + 1) * size] = ipaddress.ip_address(address).packed
        network[header + 2 * place : header + 2 * place + 2] = port.to_bytes(2, "big")
    network[8 if size == 4 else 7] -= 1 if frame.outgoing else 0
    return replace(frame, network=bytes(network))


def both_views(wire: Wire, ends: Ends, *, before: set[int] = frozenset(), behind: set[int] = frozenset()) -> Wire:  # type: ignore[assignment]
    """Return what a capture of all interfaces shows; frames *before* are only seen there, *behind* only behind."""
    both = Wire()
    for number, frame in enumerate(wire.frames, 1):
        views = [] if number in behind else [frame]
        if number not in before:
            views.append(translated(frame, ends))
        if not frame.outgoing:
            views.reverse()
        for late, view in enumerate(views):
            both.frames.append(replace(view, time_ns=frame.time_ns + late * AFTER_NS))
    return both


def begun(ends: Ends) -> tuple[Wire, Connection]:
    wire = Wire()
    return wire, wire.connection(at(ends.opener), at(ends.service), rtt=0.002, timestamps=True)


def at(end: tuple[str, int]) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def told(wire: Wire) -> list[tuple[str, str, str]]:
    return [(one.kind, one.connection.upstream, one.confidence) for one in failures(wire)]


FAULTS: dict[str, Callable[[Connection], object]] = {
    "rst_before_response": lambda c: (c.client.send(GET), c.server.ack(), c.server.reset()),
    "fin_before_response": lambda c: (c.client.send(GET), c.server.ack(), c.server.fin(), c.client.fin()),
    "rst_mid_body": lambda c: (
        c.client.send(GET),
        c.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        c.client.ack(),
        c.server.reset(),
    ),
    "relayed_error": lambda c: (
        c.client.send(GET), c.server.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    ),
}  # fmt: skip


@EVERY
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("opened", [True, False], ids=["from its SYN", "in the middle"])
def test_a_failure_seen_twice_is_one(ends: Ends, kind: str, opened: bool) -> None:
    """Whatever fails behind a translation fails once, and the host that answered is named."""
    wire, conn = begun(ends)
    if opened:
        conn.handshake()
    else:
        conn.established()
    conn.client.send(GET)
    conn.server.send(OK)
    FAULTS[kind](conn)

    both = both_views(wire, ends)

    assert [(kind, upstream) for kind, upstream, _ in told(both)] == [(kind, at(ends.pod))]
    assert summary_of(both).exchanges == 2


@EVERY
def test_a_refusal_behind_a_translation(ends: Ends) -> None:
    """A SYN that the host behind the translation refuses is one refused connect, by that host."""
    wire, conn = begun(ends)
    conn.client.syn()
    refusal = conn.server.reset()
    both = both_views(wire, ends)
    assert told(both) == [("connect_refused", at(ends.pod), told(wire)[0][2])]
    assert failures(both)[0].frame == 2 * refusal - 1


@EVERY
def test_a_connect_without_an_answer(ends: Ends) -> None:
    """SYNs that nobody answers are one timeout."""
    wire, conn = begun(ends)
    for pause in (1.0, 2.0, 4.0, 8.0):
        conn.client.syn()
        wire.sleep(pause)
    other = wire.connection("10.9.9.9:5000", "10.9.9.8:80")
    other.handshake()
    both = both_views(wire, ends, before={5, 6, 7})
    assert [(kind, upstream) for kind, upstream, _ in told(both)] == [("connect_timeout", at(ends.pod))]


@EVERY
def test_an_unreachable_host_behind_a_translation(ends: Ends) -> None:
    """An ICMP error about the translated packet is about that one attempt."""
    wire, conn = begun(ends)
    conn.client.syn()
    both = both_views(wire, ends)
    both.clock_ns = wire.clock_ns + 10**6
    error = both.icmp_unreachable("2001:db8::ff" if ":" in ends.pod[0] else "10.0.0.254", 2)
    assert [(one.kind, one.frame, one.connection.upstream) for one in failures(both)] == [
        ("connect_unreachable", error, at(ends.pod))
    ]


@EVERY
@pytest.mark.parametrize("opened", [True, False], ids=["from its SYN", "in the middle"])
def test_a_reset_on_the_far_side_alone(ends: Ends, opened: bool) -> None:
    """A RST of the upstream that the translator did not pass on ended the attempt."""
    wire, conn = begun(ends)
    if opened:
        conn.handshake()
    else:
        conn.established()
        conn.client.send(GET)
        conn.server.send(OK)
    conn.client.send(GET)
    conn.server.ack()
    reset = conn.server.reset()
    both = both_views(wire, ends, behind={reset})
    assert [(kind, upstream) for kind, upstream, _ in told(both)] == [("rst_before_response", at(ends.pod))]


@EVERY
@pytest.mark.parametrize("refused", [True, False])
def test_a_reset_on_the_near_side_alone(ends: Ends, refused: bool) -> None:
    """A RST that the translator itself sent, in the name of the service, is a failure of the attempt too."""
    wire, conn = begun(ends)
    if refused:
        conn.client.syn()
    else:
        conn.handshake()
        conn.client.send(GET)
        conn.server.ack()
    reset = conn.server.reset()
    both = both_views(wire, ends, before={reset})
    expected = "connect_refused" if refused else "rst_before_response"
    assert [(kind, upstream) for kind, upstream, _ in told(both)] == [(expected, at(ends.service))]
    assert failures(both)[0].frame == len(both.frames)


@EVERY
def test_health_behind_a_translation(ends: Ends) -> None:
    """Exchanges that go well are counted once, by the host behind the translation."""
    wire, conn = begun(ends)
    conn.handshake()
    for _ in range(3):
        conn.client.send(GET)
        conn.server.send(OK)
    conn.client.fin()
    conn.server.fin()
    conn.client.ack()
    both = both_views(wire, ends)
    results = judged(both, Context(keep_exchanges=True))
    exchanges = [result for result in results if isinstance(result, ExchangeLine)]
    assert [exchange.connection.upstream for exchange in exchanges] == [at(ends.pod)] * 3
    summary = summary_of(both)
    assert (summary.exchanges, summary.failures, summary.open) == (3, {}, 0)
    assert any("address translation: judged once" in caveat for caveat in summary.caveats)


def test_several_pods_behind_one_service() -> None:
    """Connections to one service that end at different pods keep their pods."""
    wire = Wire()
    conns = [wire.connection(f"10.0.0.1:{41000 + n}", "10.96.0.10:80") for n in range(6)]
    for conn in conns:
        conn.handshake()
        conn.client.send(GET)
    for conn in conns[:3]:
        conn.server.reset()
    for conn in conns[3:]:
        conn.server.send(OK)
    both = Wire()
    for frame in wire.frames:
        port = int.from_bytes(frame.network[20:22] if frame.outgoing else frame.network[22:24], "big")
        opener, pod = ("10.0.0.1", port), (f"10.244.1.{port - 41000}", 8080)
        ends = replace(DNAT, opener=opener, seen_opener=opener, pod=pod)
        views = [frame, translated(frame, ends)]
        for late, view in enumerate(views if frame.outgoing else views[::-1]):
            both.frames.append(replace(view, time_ns=frame.time_ns + late * 100))
    assert sorted(upstream for _, upstream, _ in told(both)) == [f"10.244.1.{n}:8080" for n in range(3)]


@pytest.mark.parametrize(
    ("ends", "window"),
    [
        (("10.0.0.3:41000", "10.0.0.4:8080"), 2000),
        (("[2001:db8::1]:41000", "[2001:db8::2]:8080"), 2000),
        (("10.0.0.1:41000", "10.0.0.4:8080"), 1000),
    ],
)
def test_a_connection_of_another_host_with_the_same_number(ends: tuple[str, str], window: int) -> None:
    """Where only the SYN's numbers are the same, and not its identification or window, nobody is hidden."""
    wire = Wire()
    one = wire.connection("10.0.0.1:41000", "10.0.0.2:8080", client_isn=7)
    other = wire.connection(*ends, client_isn=7)
    one.client.syn(window=window)
    other.client.syn(window=2000)
    one.server.reset()
    other.server.reset()
    assert len(told(wire)) == 2


def test_a_scan_is_no_translation() -> None:
    """Who tries port after port from one port, with one sequence number, is refused by each, and nobody translates."""
    wire = Wire()
    for port in range(1, 41):
        conn = wire.connection("10.0.0.1:44000", f"10.0.0.9:{port}", client_isn=123_456)
        conn.client.syn()
        conn.server.reset()
        wire.sleep(0.001)
    results = judged(wire)
    assert sum(result.type == "failure" for result in results) == 40
    assert "translation" not in str(results[-1])
