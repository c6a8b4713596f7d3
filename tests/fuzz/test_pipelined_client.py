"""What the hunt found on client legs: several requests of one connection for which no upstream was asked."""

from __future__ import annotations

from pathlib import Path

import wire502
from tests.wire import Wire
from wire502.api import Failure

GET = b"GET /cart HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_request_without_an_attempt_is_named_by_its_own_frame(tmp_path: Path) -> None:
    """A failure without an attempt cites the client's request, not the first frame of the client's connection."""
    wire = Wire()
    client = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    client.handshake()
    client.client.send(GET)
    back = wire.connection("10.0.0.2:50000", "10.0.0.3:9000")
    back.handshake()
    back.client.send(GET)
    back.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    client.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    asked = client.client.send(GET.replace(b"cart", b"pay"))
    client.server.send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    wire.sleep(30)
    back.client.fin()
    results = wire502.read(wire.write(tmp_path / "both.pcap"))
    failures = [one for one in results if isinstance(one, Failure)]
    assert [(one.kind, one.request.frame) for one in failures if one.request] == [("no_attempt", asked)]
