"""What the sample captures are made of: a Wire whose clock jitters, the truth beside it, and the list of them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.wire import Frame, Wire
from tests.wire_tcp import Connection

START_NS = 1_795_348_800 * 10**9  # 2026-11-22 12:00:00 UTC


@dataclass(slots=True)
class Expected:
    """One line that `wire502 read` has to write: written down from the rules, never from its output."""

    kind: str
    frame: int
    at_fault: list[str]
    why: str
    target: str | None = None
    or_frame: int | None = None  # where the rule can be read in two ways
    masked: bool = False
    secondary: bool = False
    confidence: list[str] = field(default_factory=lambda: ["high", "medium"])


@dataclass(slots=True)
class Truth:
    """What a capture holds. Lines that are not named here must not be written."""

    capture: str
    purpose: str
    failures: list[Expected] = field(default_factory=list)
    open: int = 0
    duplicates: int = 0


class Scene(Wire):
    """A Wire with uneven times: hosts take a few microseconds for each frame and round trips vary by a third."""

    def __init__(self, truth: Truth) -> None:
        super().__init__(start_ns=START_NS)
        self.truth = truth
        self.rng = random.Random(int.from_bytes(hashlib.sha256(truth.capture.encode()).digest()[:8], "big"))
        self._round_trips: dict[int, int] = {}

    def add(self, frame: Frame, *, at: float | None = None) -> int:
        if at is None:
            self.clock_ns += self.rng.randrange(1_000, 12_000)
        number = super().add(frame, at=at)
        for connection in self.connections:
            base = self._round_trips.setdefault(id(connection), connection.rtt_ns)
            connection.rtt_ns = round(base * self.rng.uniform(0.85, 1.2))
        return number

    def failure(self, kind: str, frame: int, at_fault: str, why: str, **extra: Any) -> None:
        """Write into the truth that this failure has to be reported; *at_fault* may name several, separated by |."""
        self.truth.failures.append(Expected(kind, frame, at_fault.split("|"), why, **extra))

    def upstream(self, number: int = 1, **options: Any) -> Connection:
        """Return a connection of the gateway to its upstream, from the port 41000 + *number*."""
        return self.connection(f"10.1.0.2:{41000 + number}", "10.2.0.2:8080", **options)

    def opened(self, number: int = 1, **options: Any) -> Connection:
        """Return the same, its handshake done."""
        connection = self.upstream(number, **options)
        connection.handshake()
        return connection

    def serve(self, connection: Connection, target: str, *, body: int = 300, think: float = 0.006) -> None:
        """Add a healthy exchange."""
        connection.client.send(get(target))
        connection.server.ack()
        self.sleep(think * self.rng.uniform(0.8, 1.3))
        connection.server.send(answer(body), mss=1448)
        connection.client.ack()

    def close(self, connection: Connection) -> None:
        """Add an orderly close, the gateway first."""
        connection.client.fin()
        connection.server.fin()
        connection.client.ack()


def get(target: str, method: str = "GET", extra: str = "") -> bytes:
    """Return a request head as a gateway forwards it."""
    lines = f"{method} {target} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 10.0.0.9\r\n{extra}\r\n"
    return lines.encode()


def post(target: str, length: int, extra: str = "") -> bytes:
    return get(target, "POST", f"Content-Type: application/json\r\nContent-Length: {length}\r\n{extra}")


def head(status: str = "200 OK", extra: str = "") -> bytes:
    """Return a response head; *extra* holds whole lines."""
    return f"HTTP/1.1 {status}\r\nServer: app/3.1\r\n{extra}\r\n".encode()


def filler(length: int) -> bytes:
    """Return *length* octets of body."""
    return (b'{"item": "teapot", "price": 502}\n' * (length // 33 + 1))[:length]


def answer(length: int, status: str = "200 OK", extra: str = "") -> bytes:
    return head(status, f"Content-Type: application/json\r\n{extra}Content-Length: {length}\r\n") + filler(length)


@dataclass(slots=True)
class Sample:
    """One capture: how it is made and written."""

    name: str
    purpose: str
    make: Callable[[Scene], None]
    options: dict[str, Any]

    def octets(self) -> tuple[bytes, Truth]:
        """Return the file and its truth."""
        truth = Truth(self.name, self.purpose)
        scene = Scene(truth)
        self.make(scene)
        options = {"format": self.name.rpartition(".")[2], **self.options}
        return scene.octets(**options), truth


SAMPLES: dict[str, Sample] = {}


def sample(name: str, **options: Any) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register the function that follows as the maker of the capture *name*; its docstring is the purpose.

    *options* go to ``Wire.octets``.
    """

    def register(make: Callable[[Scene], None]) -> Callable[[Scene], None]:
        assert name not in SAMPLES, name
        assert make.__doc__
        SAMPLES[name] = Sample(name, make.__doc__.strip(), make, options)
        return make

    return register


def files() -> dict[str, bytes]:
    """Return every file of the folder: captures, truths and the page that lists them."""
    found: dict[str, bytes] = {}
    rows = []
    for name in sorted(SAMPLES):
        octets, truth = SAMPLES[name].octets()
        found[name] = octets
        found[f"{Path(name).stem}.truth.json"] = (json.dumps(asdict(truth), indent=1) + "\n").encode()
        kinds = ", ".join(f"`{expected.kind}` {expected.frame}" for expected in truth.failures) or "nothing"
        rows.append(f"| [{name}]({name}) | {truth.purpose} | {kinds} |")
    found["README.md"] = PAGE.format(rows="\n".join(rows)).encode()
    return found


PAGE = """# Sample captures

Small conversations between a gateway (10.1.0.2) and its upstream (10.2.0.2), some with the client's leg (10.0.0.9) too.
`scripts/make_captures.py` makes them, the same octets each time; beside each stands `NAME.truth.json`: the failures
that `wire502 read` has to report, each with the rule that makes it one, and nothing else. `tests/golden/captures`
compares.

| capture | what it shows | failures and their frames |
|---|---|---|
{rows}
"""
