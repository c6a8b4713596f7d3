"""Conversations that show a cause, or nearly do: told in few words, read by the whole of wire502."""

from __future__ import annotations

import io
from itertools import count
from typing import Any

from tests.wire import Wire
from tests.wire_tcp import Connection
from wire502 import read
from wire502.model.verdict import Cause, Failure

GATEWAY, UPSTREAM = "10.0.0.1", "10.0.0.2:8080"
GET = b"GET /t/%d HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_PORTS = count(41000)


def connect(wire: Wire, upstream: str = UPSTREAM, **options: Any) -> Connection:
    """A new connection of the gateway, with its handshake."""
    made = wire.connection(f"{GATEWAY}:{next(_PORTS)}", upstream, **options)
    made.handshake()
    return made


def ask(conn: Connection, number: int = 1, *, acked: bool = True) -> int:
    """A request, acknowledged by the upstream's kernel; return its frame."""
    frame = conn.client.send(GET % number)
    if acked:
        conn.server.ack()
    return frame


def serve(conn: Connection, number: int = 0, *, after: float = 0.0) -> None:
    """One healthy exchange, its response *after* so many seconds."""
    ask(conn, number)
    conn.wire.sleep(after)
    conn.server.send(OK)
    conn.client.ack()


def refuse(wire: Wire, upstream: str = UPSTREAM, **looks: Any) -> int:
    """A connection that is refused; return the frame of its RST."""
    made = wire.connection(f"{GATEWAY}:{next(_PORTS)}", upstream)
    made.client.syn()
    return made.server.reset(**looks)


def failures(wire: Wire) -> list[Failure]:
    """Every failure that wire502 finds."""
    return [result for result in read(io.BytesIO(wire.octets())) if isinstance(result, Failure)]


def failure(wire: Wire, frame: int) -> Failure:
    """The failure at *frame*."""
    found = failures(wire)
    matching = [one for one in found if one.frame == frame]
    assert len(matching) == 1, f"frames with failures: {[(one.kind, one.frame) for one in found]}"
    return matching[0]


def causes(wire: Wire, frame: int) -> dict[str, Cause]:
    """The causes of the failure at *frame*, by name."""
    return {cause.name: cause for cause in failure(wire, frame).causes}
