"""A gateway with both of its legs, for tests of what clients got.

    scene = Gateway()
    asked = scene.asks("/cart")
    tried = scene.tries()
    reset = tried.server.reset()
    answer = scene.answers(asked, 502)
    assert scene.incidents()[0].frame == answer

The client leg is interface 0 of the wire, the upstream leg interface 1, so that ``files`` can part them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engine.drive import judged
from tests.wire import Connection, Wire
from wire502.api import read
from wire502.model.verdict import Failure, Incident, Result, Summary, Update

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def head(target: str, fields: dict[str, str] | None = None, method: str = "GET", host: str = "shop.example") -> bytes:
    """Return a request head."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in (fields or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(status: int) -> bytes:
    """Return a whole response."""
    return b"HTTP/1.1 %d Said\r\nContent-Length: 5\r\n\r\nwords" % status


@dataclass
class Gateway:
    """One gateway; *inner* is its address towards the upstream."""

    front: str = "10.0.0.1:80"
    inner: str = "10.0.0.1"
    upstream: str = "10.0.1.2:8080"
    wire: Wire = field(default_factory=Wire)
    ports: int = 50_000

    def client(self, address: str = "10.0.9.9") -> Connection:
        """Return a new connection of a client."""
        self.ports += 1
        made = self.wire.connection(f"{address}:{self.ports}", self.front, interface=0, local="server")
        made.handshake()
        return made

    def asks(self, target: str = "/cart", fields: dict[str, str] | None = None, **options: Any) -> Connection:
        """Have a client ask on a new connection; *options* are those of ``client`` and ``head``."""
        made = self.client(**{key: options.pop(key) for key in ("address",) if key in options})
        made.client.send(head(target, fields, **options))
        made.server.ack()
        return made

    def connection(self, upstream: str | None = None) -> Connection:
        """Return a new connection to the upstream, its handshake not done."""
        self.ports += 1
        return self.wire.connection(f"{self.inner}:{self.ports}", upstream or self.upstream, interface=1)

    def tries(self, target: str = "/cart", fields: dict[str, str] | None = None, **options: Any) -> Connection:
        """Have the gateway ask the upstream on a new connection."""
        made = self.connection(options.pop("upstream", None))
        made.handshake()
        made.client.send(head(target, fields, **options))
        made.server.ack()
        return made

    def well(self, target: str = "/well", **options: Any) -> Connection:
        """Have a whole exchange end well on both legs; return the client's connection."""
        asked, tried = self.asks(target, **options), self.tries(target)
        tried.server.send(OK)
        asked.server.send(OK)
        return asked

    def answers(self, asked: Connection, status: int = 502) -> int:
        """Have the gateway answer a client; return the frame."""
        return asked.server.send(answer(status))

    def files(self, folder: Path, skew: float) -> tuple[list[Path], list[Wire]]:
        """Write one file for each leg, the clock of the upstream leg's *skew* seconds ahead."""
        paths, wires = [], []
        for leg, name in enumerate(("client", "upstream")):
            wire = self.wire.without([n for n, frame in enumerate(self.wire.frames, 1) if frame.interface != leg])
            for frame in wire.frames:
                frame.interface = 0
            if leg:
                wire = wire.shifted(round(skew * 1e9))
            wires.append(wire)
            paths.append(wire.write(folder / f"{name}.pcap"))
        return paths, wires

    def results(self, **options: Any) -> list[Result]:
        """Return everything that is told of the whole wire."""
        return judged(self.wire, **options)


def last_words(results: list[Result]) -> tuple[list[Failure], list[Incident], Summary]:
    """Return failures, incidents and summary with all updates worked in."""
    named: dict[str, Failure | Incident] = {}
    for result in results:
        if isinstance(result, Failure | Incident):
            named[result.id] = result
        elif isinstance(result, Update):
            for key, value in result.changes.items():
                setattr(named[result.id], key, value)
    last = results[-1]
    assert isinstance(last, Summary)
    failures = [one for one in named.values() if isinstance(one, Failure)]
    return failures, [one for one in named.values() if isinstance(one, Incident)], last


def of_files(paths: list[Path]) -> list[Result]:
    """Return everything that is told of several files."""
    return list(read(*paths))
