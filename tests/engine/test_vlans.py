"""VLANs: the same addresses on two of them are two connections, one connection on two of them is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from tests.engine.drive import failures, judged, summary_of, told
from tests.tcp.watch import GET, OK, watch
from tests.wire import Connection, Wire
from wire502.model.context import Context
from wire502.model.verdict import ExchangeLine

GATEWAY, UPSTREAM = "10.0.0.1:41000", "10.0.0.2:8080"
ENDS = {4: (GATEWAY, UPSTREAM), 6: ("[2001:db8::1]:41000", "[2001:db8::2]:8080")}


def tenants(
    wire: Wire, one: tuple[int, ...], other: tuple[int, ...], version: int = 4
) -> tuple[Connection, Connection]:
    """Return two connections with the same addresses and ports on their own VLANs."""
    return wire.connection(*ENDS[version], vlan=one), wire.connection(*ENDS[version], vlan=other)


def step_by_step(*plays: list[Callable[[], object]]) -> list[object]:
    """Do the first thing of all, then the second of all, and so on; return the results of the first play."""
    done = []
    for steps in zip(*plays, strict=True):
        done.append(steps[0]())
        for step in steps[1:]:
            step()
    return done


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("one", "other"), [((10,), (20,)), ((), (20,)), ((7, 10), (7, 20)), ((10, 7), (20, 7))])
def test_two_tenants_at_once(one: tuple[int, ...], other: tuple[int, ...], version: int) -> None:
    """Of two tenants with the same addresses and ports at the same time, one fails and the other does not."""
    wire = Wire()
    bad, good = tenants(wire, one, other, version)
    frames = step_by_step(
        [bad.client.syn, bad.server.syn_ack, bad.client.ack, lambda: bad.client.send(GET), bad.server.ack,
         bad.server.reset],
        [good.client.syn, good.server.syn_ack, good.client.ack, lambda: good.client.send(GET),
         lambda: good.server.send(OK), good.client.ack],
    )  # fmt: skip
    good.client.send(GET)
    good.server.send(OK)

    results = judged(wire, Context(keep_exchanges=True))

    assert [(one.kind, one.frame, one.connection.stream) for one in failures(wire)] == [
        ("rst_before_response", frames[-1], 0)
    ]
    exchanges = [result for result in results if isinstance(result, ExchangeLine)]
    assert [exchange.connection.stream for exchange in exchanges] == [1, 1]
    assert any("same addresses and ports" in caveat for caveat in summary_of(wire).caveats)


def test_two_tenants_begun_before_the_capture() -> None:
    """Without a handshake the sequence numbers alone tell the tenants apart."""
    wire = Wire()
    bad, good = tenants(wire, (10,), (20,))
    bad.established()
    good.established()
    for _ in range(3):
        bad.client.send(GET)
        good.client.send(GET)
        good.server.send(OK)
        bad.server.send(OK)
    bad.client.send(GET)
    good.client.send(GET)
    reset = bad.server.reset()
    good.server.send(OK)

    assert told(wire) == [("rst_before_response", reset)]
    assert summary_of(wire).connections == 2


def test_a_tenant_is_refused_while_the_other_is_served() -> None:
    """A refusal belongs to the tenant whose SYN it acknowledges."""
    wire = Wire()
    bad, good = tenants(wire, (10,), (20,))
    good.handshake()
    bad.client.syn()
    good.client.send(GET)
    refusal = bad.server.reset()
    good.server.send(OK)

    assert told(wire) == [("connect_refused", refusal)]
    assert summary_of(wire).exchanges == 1


def test_an_icmp_error_meets_its_tenant() -> None:
    """An ICMP error belongs to the tenant whose sequence number it quotes."""
    wire = Wire()
    bad, good = tenants(wire, (10,), (20,))
    syn = bad.client.syn()
    good.handshake()
    good.client.send(GET)
    unreachable = wire.icmp_unreachable("10.0.0.254", syn)
    good.server.send(OK)

    assert told(wire) == [("connect_unreachable", unreachable)]


def test_a_port_used_again_on_one_of_the_vlans() -> None:
    """A new SYN on one VLAN ends what was there on that VLAN, and nothing of the other tenant."""
    wire = Wire()
    one, other = tenants(wire, (10,), (20,))
    one.handshake()
    other.handshake()
    other.client.send(GET)
    again = wire.connection(*ENDS[4], vlan=(10,))
    again.handshake()
    again.client.send(GET)
    other.server.send(OK)
    reset = again.server.reset()

    assert [(one.kind, one.frame, one.connection.stream) for one in failures(wire)] == [
        ("rst_before_response", reset, 2)
    ]
    assert (summary_of(wire).exchanges, summary_of(wire).connections) == (2, 3)


@pytest.mark.parametrize("hops", [0, 1], ids=["bridged", "routed"])
@pytest.mark.parametrize("after", [20e-6, 1e-3], ids=["soon", "later"])
@pytest.mark.parametrize("tags", [((10,), (20,)), ((10,), ()), ((7, 10), (10,))], ids=["changed", "taken", "QinQ"])
def test_a_packet_before_and_after_a_bridge(
    tags: tuple[tuple[int, ...], tuple[int, ...]], after: float, hops: int
) -> None:
    """The same packet on two VLANs, bridged or routed from one to the other, is one packet of one connection."""
    plain = Wire()
    conn = plain.connection(*ENDS[4], vlan=tags[0], rtt=0.01)
    conn.handshake()
    for _ in range(3):
        conn.client.send(GET)
        conn.server.send(OK)
    conn.client.send(GET)
    reset = conn.server.reset()
    both = Wire()
    for frame in plain.frames:
        both.frames.append(frame)
        copy = plain.duplicate(len(both.frames) // 2 + 1, hops=hops)
        twin = plain.frames.pop(copy - 1)
        both.frames.append(replace(twin, vlan=tags[1], time_ns=frame.time_ns + round(after * 1e9)))

    seen = watch(both)

    assert len(seen.known) == 1
    assert seen.connections.duplicates == len(plain.frames)
    assert seen.only.a.rexmits == seen.only.b.rexmits == 0
    assert told(both) == [("rst_before_response", 2 * reset - 1)]


@pytest.mark.parametrize("begun", [True, False], ids=["from its SYN", "in the middle"])
def test_requests_on_one_vlan_and_answers_on_another(begun: bool) -> None:
    """Where each direction has its own VLAN, both are one connection."""
    wire = Wire()
    conn = wire.connection(*ENDS[4], vlan=(10,))
    if begun:
        conn.handshake()
    else:
        conn.established()
    conn.client.send(GET)
    conn.server.send(OK)
    conn.client.send(GET)
    reset = conn.server.reset()
    for frame in wire.frames:
        if not frame.outgoing:
            frame.vlan = (20,)

    assert told(wire) == [("rst_before_response", reset)]
    assert summary_of(wire).connections == 1


def test_two_tenants_each_with_a_vlan_for_each_direction() -> None:
    """Tenants are told apart where each has one VLAN for requests and another for answers."""
    wire = Wire()
    bad, good = tenants(wire, (10,), (30,))
    frames = step_by_step(
        [bad.client.syn, bad.server.syn_ack, bad.client.ack, lambda: bad.client.send(GET), bad.server.reset],
        [good.client.syn, good.server.syn_ack, good.client.ack, lambda: good.client.send(GET),
         lambda: good.server.send(OK)],
    )  # fmt: skip
    for frame in wire.frames:
        if not frame.outgoing:
            frame.vlan = (frame.vlan[0] + 10,)

    assert told(wire) == [("rst_before_response", frames[-1])]
    assert summary_of(wire).exchanges == 2


def test_a_connection_that_moves_to_another_vlan() -> None:
    """A connection whose path changes from one VLAN to another goes on, retransmissions and all."""
    wire = Wire()
    conn = wire.connection(*ENDS[4], vlan=(10,))
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(OK)
    conn.vlan = (20,)
    conn.client.send(GET, lost=True)
    wire.sleep(0.3)
    conn.client.retransmit()
    conn.server.send(OK)
    seen = watch(wire)

    assert len(seen.known) == 1
    assert len(seen.exchanges()) == 2


def test_a_port_used_again_on_another_vlan_after_the_end() -> None:
    """Once a connection is over, its addresses and ports on another VLAN are merely used again."""
    wire = Wire()
    old, new = tenants(wire, (10,), (20,))
    old.handshake()
    old.client.send(GET)
    old.server.send(OK)
    old.client.fin()
    old.server.fin()
    old.client.ack()
    new.handshake()
    new.client.send(GET)
    reset = new.server.reset()

    assert told(wire) == [("rst_before_response", reset)]
    assert not any("same addresses and ports" in caveat for caveat in summary_of(wire).caveats)


def test_what_is_kept_side_by_side_is_bounded() -> None:
    """On a thousand VLANs with the same addresses and ports, few connections are kept, and the others counted."""
    wire = Wire()
    for vlan in range(1, 1001):
        conn = wire.connection(*ENDS[4], vlan=(vlan,), client_isn=vlan * 4_000_037, server_isn=vlan * 3_999_971)
        conn.handshake()
        conn.client.send(GET)
        conn.server.send(OK)

    summary = summary_of(wire)

    assert summary.exchanges == summary.connections == 1000
    assert summary.evicted >= 900


@pytest.mark.parametrize("port", [4789, 6081], ids=["VXLAN", "GENEVE"])
def test_two_virtual_networks(port: int) -> None:
    """The same addresses in two virtual networks over one tunnel are two connections."""
    wire = Wire()
    bad, good = tenants(wire, (10,), (20,))
    bad.handshake()
    good.handshake()
    bad.client.send(GET)
    good.client.send(GET)
    reset = bad.server.reset()
    good.server.send(OK)
    for frame in wire.frames:
        header = (
            VXLAN(flags=8, vni=0xABC000 + frame.vlan[0]) if port == 4789 else GENEVE(vni=frame.vlan[0], proto=0x6558)
        )
        outer = IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=55555, dport=port) / header
        frame.network = bytes(outer / Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(frame.network))
        frame.vlan = ()

    assert told(wire) == [("rst_before_response", reset)]
    assert summary_of(wire).exchanges == 2


def test_tenants_of_one_address_have_their_own_figures() -> None:
    """Once two tenants are told apart, what happens to one says nothing of the other: figures, causes and retries."""
    wire = Wire()
    both = [wire.connection(GATEWAY, UPSTREAM, vlan=(vlan,)) for vlan in (10, 20)]
    for c in both:
        c.handshake()
    for c in both:
        c.client.send(GET)
    for c in both:
        c.server.send(OK)
    for number in range(6):
        bad = wire.connection(f"10.0.0.1:{42000 + number}", UPSTREAM, vlan=(10,))
        bad.handshake()
        bad.client.send(GET)
        bad.server.ack()
        bad.server.reset()
        good = wire.connection(f"10.0.0.1:{43000 + number}", UPSTREAM, vlan=(20,))
        good.handshake()
        good.client.send(GET)
        good.server.ack()
        good.server.send(OK)

    summary = summary_of(wire)
    assert [(row.upstream, row.attempts, row.failures) for row in summary.upstreams] == [
        (UPSTREAM, 7, 6),
        (UPSTREAM, 7, 0),
    ]
    found = failures(wire)
    assert [one.kind for one in found] == ["rst_before_response"] * 6
    assert not any(one.masked for one in found)


def test_one_address_on_two_vlans_without_overlap_is_one_upstream() -> None:
    """Connections that do not collide prove no second tenant: an upstream reached over two VLANs is one row."""
    wire = Wire()
    for number in range(6):
        c = wire.connection(f"10.0.0.1:{42000 + number}", UPSTREAM, vlan=(10 + number % 2,))
        c.handshake()
        c.client.send(GET)
        c.server.send(OK)
    assert [(row.upstream, row.attempts) for row in summary_of(wire).upstreams] == [(UPSTREAM, 6)]
