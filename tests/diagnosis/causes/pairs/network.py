"""Pairs of conversations: what lies between the servers, and whether anybody is there."""

from __future__ import annotations

from tests.diagnosis.causes.pairs.told import Scene
from tests.diagnosis.causes.scene import OK, UPSTREAM, ask, connect, refuse, serve
from tests.wire import Wire

NEIGHBOUR = "10.0.0.2:9000"


def firewall_drop(shown: bool) -> Scene:
    """A port that never answers, on a host that does elsewhere; nearly: that port had accepted somebody before."""
    wire = Wire()
    if not shown:
        serve(connect(wire))
    serve(connect(wire, NEIGHBOUR))
    lonely = wire.connection("10.0.0.1:40999", UPSTREAM)
    last = lonely.client.syn()
    for wait in (1, 2, 4):
        wire.sleep(wait)
        last = lonely.client.syn()
    accepted = connect(wire, NEIGHBOUR)
    serve(accepted)
    wire.sleep(9)
    serve(connect(wire, "10.0.0.3:80"))
    return Scene(wire, last, (last,))


def firewall_reject(shown: bool) -> Scene:
    """A refusal with a foreign TTL and a number of its own; nearly: without a number, as kernels refuse."""
    wire = Wire()
    serve(connect(wire, NEIGHBOUR))
    accepted = wire.frames[1]
    accepted.network = accepted.network[:4] + b"\0\0" + accepted.network[6:]  # as kernels number their SYN-ACKs
    reset = refuse(wire, ttl=250, ip_id=0x1234 if shown else 0)
    return Scene(wire, reset, (reset,), instead=("nothing_listening",))


def _in_vain(idle: float, *, acked: bool = False) -> tuple[Wire, int, int, int]:
    """A request that is sent again and again after so long an idle time, while others are served.

    Return the request, its last repetition and the last frame of the exchange before.
    """
    wire = Wire()
    conn = connect(wire)
    serve(conn)
    before = len(wire.frames)
    wire.sleep(idle)
    request = again = ask(conn, 9, acked=acked)
    for wait in (0.2, 0.4, 0.8):
        wire.sleep(wait)
        if not acked:
            again = conn.client.retransmit()
    serve(connect(wire))
    wire.sleep(60)
    conn.client.fin()
    wire.sleep(10)
    serve(connect(wire))
    return wire, request, again, before


def idle_drop(shown: bool) -> Scene:
    """A request repeated in vain after ten idle minutes; nearly: after ten idle seconds."""
    wire, request, again, _ = _in_vain(600.0 if shown else 10.0)
    return Scene(wire, request, (again,), instead=("packet_loss",))


def packet_loss(shown: bool) -> Scene:
    """A request that is sent again in vain; nearly: it was acknowledged, and nobody answered."""
    wire, request, again, _ = _in_vain(1.0, acked=not shown)
    return Scene(wire, request, (request, again))


def injected_reset(shown: bool) -> Scene:
    """A RST whose TTL and number are not the host's; nearly: its number is the next one."""
    wire = Wire()
    conn = connect(wire)
    for number in range(3):
        serve(conn, number)
    ask(conn, 9)
    reset = conn.server.reset(ttl=120, ip_id=0x7777 if shown else None)
    return Scene(wire, reset, (reset,), instead=("crashed_before_response",))


def path_mtu(shown: bool) -> Scene:
    """Full segments vanish where only small ones passed; nearly: as large ones had passed before."""
    wire = Wire()
    earlier = 300 if shown else 1460
    conn = connect(wire)
    conn.client.send(b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % earlier)
    conn.client.send(b"x" * earlier)
    conn.server.ack()
    conn.server.send(OK)
    conn.client.ack()
    conn = connect(wire)
    head = conn.client.send(b"POST /t/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1460\r\n\r\n")
    conn.server.ack()
    last = conn.client.send(b"x" * 1460, lost=True)
    again = 0
    for wait in (0.3, 0.6, 1.2):
        wire.sleep(wait)
        again = conn.client.retransmit(lost=True)
    wire.sleep(60)
    conn.client.reset()
    return Scene(wire, last, (again, head), instead=("packet_loss",))


def path_unreachable(shown: bool) -> Scene:
    """A router knows no way to the network; nearly: it knows the network, and the host does not answer there."""
    wire = Wire()
    made = wire.connection("10.0.0.1:41000", UPSTREAM)
    error = wire.icmp_unreachable("10.0.0.254", made.client.syn(), 0 if shown else 1)
    return Scene(wire, error, (error,), instead=("host_down",))


def host_down(shown: bool) -> Scene:
    """Two requests are repeated in vain, and nothing of the host is heard; nearly: it answers a third meanwhile."""
    wire = Wire()
    conns = [connect(wire), connect(wire)]
    third = connect(wire)
    for conn in (*conns, third):
        serve(conn)
    wire.sleep(1)
    requests = [ask(conn, 9, acked=False) for conn in conns]
    for wait in (0.2, 0.4, 0.8):
        wire.sleep(wait)
        for conn in conns:
            conn.client.retransmit()
        if not shown:
            serve(third, 5)
    wire.sleep(60)
    for conn in conns:
        conn.client.fin()
    return Scene(wire, requests[1], (requests[1],), instead=("packet_loss",))


def _ended(*, refused: bool, well: bool) -> Scene:
    """Three connections reset at one moment; then the endpoint refuses or serves, and at last serves, or not."""
    wire = Wire()
    serve(connect(wire))
    conns = [connect(wire) for _ in range(3)]
    for number, conn in enumerate(conns):
        ask(conn, number)
    wire.sleep(0.5)
    resets = [conn.server.reset() for conn in conns]
    first = 0
    for _ in range(3):
        wire.sleep(0.5)
        if refused:
            frame = refuse(wire)
            first = first or frame
        else:
            serve(connect(wire))
    wire.sleep(0.5)
    if well:
        serve(connect(wire))
    return Scene(wire, resets[-1], (resets[0], first))


def process_down(shown: bool) -> Scene:
    """Connections reset, then refusals until the end; nearly: it accepts connections again."""
    scene = _ended(refused=True, well=not shown)
    return Scene(scene.wire, scene.at, scene.cites, instead=("process_restart",))


def process_restart(shown: bool) -> Scene:
    """Connections reset, then refusals for a while; nearly: no refusal, others are served all the time."""
    scene = _ended(refused=shown, well=True)
    return Scene(scene.wire, scene.at, scene.cites, instead=("crashed_before_response",))
