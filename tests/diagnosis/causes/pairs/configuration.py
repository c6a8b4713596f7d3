"""Pairs of conversations: what was set wrongly, on either side."""

from __future__ import annotations

from tests.diagnosis.causes.pairs.told import Given, Scene
from tests.diagnosis.causes.scene import OK, ask, connect, refuse, serve
from tests.engine.gateway import Gateway
from tests.kinds import factory
from tests.wire import Wire
from wire502.diagnosis.causes import find_causes
from wire502.diagnosis.surroundings import NoSurroundings
from wire502.model.finding import Finding


def gateway_timeout_too_short(shown: bool) -> Scene:
    """The answer comes right after the gateway gave up; nearly: it never comes."""
    wire = Wire()
    conn = connect(wire)
    request = ask(conn)
    wire.sleep(30)
    given_up = conn.client.reset()
    wire.sleep(0.2)
    answer = conn.server.send(OK) if shown else 0
    wire.sleep(2)
    serve(connect(wire))
    return Scene(wire, request, (given_up, answer))


def header_buffer_too_small(shown: bool) -> Scene:
    """The gateway closes over a long head; nearly: the upstream does."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nX: ")
    last = conn.server.send(b"a" * 8000, 1000)[-1]
    conn.client.ack()
    end = conn.client.reset() if shown else conn.server.fin()
    return Scene(wire, last if shown else end, (last,), instead=("crashed_mid_response",))


def keepalive_mismatch(shown: bool) -> Scene:
    """A request crosses the close of an idle connection; nearly: that close acknowledges the request."""
    wire = Wire()
    for _ in range(3):
        idle = connect(wire)
        serve(idle)
        wire.sleep(5.0)
        idle.server.fin()
        idle.client.fin()
        idle.server.ack()
    conn = connect(wire)
    serve(conn)
    wire.sleep(5.002)
    unread = conn.server.expected
    ask(conn, 9, acked=False)
    fin = conn.server.fin(ack=unread if shown else None)
    conn.server.reset(bare=True)
    return Scene(wire, fin, (fin,), instead=("crashed_before_response",))


def no_upstream_available(shown: bool) -> Scene:
    """The gateway answers 502 and asked nobody; nearly: it asked, and was reset."""
    scene = Gateway()
    scene.well()
    asked = scene.asks()
    reset = 0 if shown else scene.tries().server.reset()
    answer = scene.answers(asked)
    scene.wire.sleep(5)
    scene.well()
    return Scene(scene.wire, reset or answer, (answer,), instead=("crashed_before_response",))


def nothing_listening(shown: bool) -> Scene:
    """A port that always refuses, on a host that answers elsewhere; nearly: it had served once."""
    wire = Wire()
    serve(connect(wire, "10.0.0.2:9000"))
    if not shown:
        serve(connect(wire))
    refuse(wire, ip_id=0)
    wire.sleep(1)
    reset = refuse(wire, ip_id=0)
    return Scene(wire, reset, (reset,), instead=("process_down",))


def protocol_mismatch(shown: bool) -> Scene:
    """The answer is a greeting of SSH; nearly: it is plain text that begins with the same letters."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    answer = conn.server.send(b"SSH-2.0-OpenSSH_9.2\r\n" if shown else b"SSH is not what is spoken here\r\n")
    conn.client.fin()
    conn.server.fin()
    return Scene(wire, answer, (answer,), instead=("invalid_output", "script_error"))


def tls_mismatch(shown: bool) -> Scene:
    """A fatal alert ends the handshake of TLS; nearly: a RST does, which says nothing of the settings."""
    point = factory.at(5, 2.0)
    finding = Finding("tls_alert" if shown else "rst_mid_handshake", point, evidence=[(point, "unknown_ca")])
    causes = find_causes(factory.attempt(), finding, NoSurroundings())
    return Given(Wire(), point.frame, (point.frame,), causes=tuple(causes))
