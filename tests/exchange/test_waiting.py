"""What is said of connections of one packet is what judging them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import wire502
from tests.engine.drive import judged
from tests.wire import START_NS, Connection, Wire
from wire502.model.context import Context
from wire502.model.verdict import Open, Result

B = "10.0.0.2:8080"
TLS = b"\x16\x03\x01\x00\x05hello"

Begin = Callable[[Wire, Connection], object]
SINGLE: dict[str, Begin] = {
    "syn": lambda _, conn: conn.client.syn(),
    "octets": lambda _, conn: conn.client.send(TLS),
    "half a request": lambda _, conn: conn.client.send(b"GET / HTTP/1.1\r\nHo"),
    "a request": lambda _, conn: conn.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a request with half a body": lambda _, conn: conn.client.send(b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"),
    "octets of the acceptor": lambda _, conn: conn.server.send(TLS),
    "acknowledgement": lambda _, conn: conn.client.ack(),
    "syn-ack": lambda _, conn: conn.server.syn_ack(),
    "octets and a fin": lambda _, conn: conn.client.fin(TLS),
    "fin": lambda _, conn: conn.client.fin(),
    "reset": lambda _, conn: conn.client.reset(),
    "reset of the acceptor": lambda _, conn: conn.server.reset(),
}
MORE: dict[str, Begin] = {
    "syn twice": lambda wire, conn: (conn.client.syn(), wire.sleep(1.1), conn.client.syn()),
    "octets twice": lambda _, conn: (conn.client.send(TLS), conn.client.send(TLS)),
    "octets that were acknowledged": lambda _, conn: (conn.client.send(TLS), conn.server.ack()),
    "a handshake": lambda _, conn: conn.handshake(),
    "a syn that was refused": lambda _, conn: (conn.client.syn(), conn.server.reset()),
    "unreachable": lambda wire, conn: wire.icmp_unreachable("10.0.0.9", quoting=conn.client.syn()),
}
CASES = {**SINGLE, **MORE}


def _told(wire: Wire, context: Context, monkeypatch: pytest.MonkeyPatch, *, short: bool) -> list[Result]:
    with monkeypatch.context() as patch:
        if not short:
            patch.setattr("wire502.engine.waiting_line", lambda *_: None)
        return judged(wire, context)


@pytest.mark.parametrize("wait", [0.0, 5.0, 11.0, 70.0])
@pytest.mark.parametrize("case", CASES)
def test_at_the_end(case: str, wait: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the capture ends, sooner or later, both ways say the same."""
    wire = Wire()
    CASES[case](wire, wire.connection("10.0.0.1:41000", B))
    wire.sleep(wait)
    wire.connection("10.0.0.7:41000", "10.0.0.8:8080").handshake()
    context = Context()
    assert _told(wire, context, monkeypatch, short=True) == _told(wire, context, monkeypatch, short=False)


@pytest.mark.parametrize("case", CASES)
def test_out_of_memory(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are more connections than may be followed, and when ports are used again, both ways say the same."""
    wire = Wire()
    for port in (*range(41000, 41008), 41007):
        CASES[case](wire, wire.connection(f"10.0.0.1:{port}", B, client_isn=port * (1 + len(wire.frames))))
        wire.sleep(0.001)
    context = Context(max_connections=4)
    assert _told(wire, context, monkeypatch, short=True) == _told(wire, context, monkeypatch, short=False)


def test_behind_a_gateway_of_which_both_legs_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clients are in the capture, what they got is looked for: both ways say the same."""
    wire = Wire()
    front = wire.connection("10.0.0.9:50000", "10.0.0.1:80")
    front.handshake()
    front.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    back = wire.connection("10.0.0.1:41000", B)
    back.handshake()
    back.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.connection("10.0.0.1:41001", B).client.syn()
    front.server.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    wire.sleep(1)
    context = Context()
    assert _told(wire, context, monkeypatch, short=True) == _told(wire, context, monkeypatch, short=False)


def test_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several files each line names the frame and the file that judging names."""
    paths = []
    for number in range(2):
        wire = Wire(start_ns=START_NS + number * 10**9)
        for port, case in enumerate(("syn", "octets"), 41000 + 2 * number):
            SINGLE[case](wire, wire.connection(f"10.0.0.1:{port}", B))
        paths.append(wire.write(tmp_path / f"{number}.pcap"))
    short = list(wire502.read(*paths))
    assert [(one.file, one.frame) for one in short if isinstance(one, Open)] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    monkeypatch.setattr("wire502.engine.waiting_line", lambda *_: None)
    assert short == list(wire502.read(*paths))


def test_a_flood_is_told_without_a_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unanswered SYNs and single packets with octets are told as open, and none of them is judged."""
    monkeypatch.setattr("wire502.engine._judged", None)
    wire = Wire()
    for number in range(50):
        conn = wire.connection(f"10.0.0.1:{41000 + number}", B)
        SINGLE[("syn", "octets")[number % 2]](wire, conn)
    assert sum(isinstance(one, Open) for one in judged(wire)) == 50
