"""What is counted, for Prometheus: a small HTTP server on loopback with ``/metrics`` and ``/healthz``.

The server has threads of its own and touches nothing of the analysis: it shows a copy that the loop makes once a
second. Labels come from the wire, so each has a limit; what is beyond it is counted as ``other``.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from wire502.agent.counters import State
from wire502.agent.parts import Part
from wire502.api import Failure, Incident, Result
from wire502.errors import SettingError
from wire502.model.frames_cy import Batch

if TYPE_CHECKING:
    from prometheus_client.core import Metric

DEFAULT = "127.0.0.1:9502"
MOST_UPSTREAMS = 100  # each is a label; a scan of a network would make thousands
MOST_SERIES = 2000  # of failures: kinds, causes and upstreams that came together
MOST_ASKING = 8  # requests answered at once
PATIENCE_S = 5.0  # with a client that does not ask
ALIVE_S = 5.0  # a loop that has not turned for so long is not well
EVERY_S = 1.0
OTHER = "other"

Durations = Sequence[tuple[float, int]]  # upper edge in seconds, samples in the bucket below it
EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

COUNTERS = {
    "frames": ("packets", "Packets analysed."),
    "octets": ("packet_bytes", "Octets of the packets analysed, as on the wire."),
    "exchanges": ("exchanges", "HTTP exchanges seen on connections to upstreams."),
    "connections_seen": ("connections", "TCP connections seen."),
    "duplicates": ("duplicate_packets", "Packets seen a second time."),
    "evicted": ("evicted_connections", "Connections let go to stay within a limit."),
    "unfollowed": ("unfollowed_attempts", "Attempts that were only counted, in a flood."),
    "freezes": ("ring_freezes", "Times that the packet ring was full."),
    "absences": ("interface_absences", "Times that an interface was down or gone."),
    "unrecorded": ("unrecorded_bytes", "Octets of packets that -w could not write."),
    "unkept": ("unkept_packets", "Packets that found no room in the memory for evidence."),
}
GAUGES = {
    "connections": ("open_connections", "TCP connections followed now."),
    "buffered": ("buffered_bytes", "Octets that wait for missing segments."),
    "upstreams": ("upstreams", "Upstream endpoints known."),
    "ring": ("ring_occupied_ratio", "Part of the packet ring that waits to be read."),
}


class Metrics(Part):
    """Serves what *state* and *durations* (times to the first octet of a response) give, at ``[ADDRESS:]PORT``.

    The socket is opened when this is made. Raises ``SettingError`` for an address that cannot be had, and where the
    extra ``live`` is not installed.
    """

    def __init__(
        self,
        address: str,
        state: Callable[[], State],
        durations: Callable[[], Durations],
    ) -> None:
        self._state = state
        self._durations = durations
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self._incidents: Counter[tuple[str, str]] = Counter()
        self._upstreams: set[str] = set()
        self._masked = 0
        self._latest_ns = 0
        self._lag = 0.0
        self._turned = time.monotonic()
        self._next = 0.0
        self._copy: _Copy | None = None
        self._render = _renderer(self)
        self._server = _listen(address, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="metrics", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port, *_ = self._server.server_address
        return str(host), int(port)

    @property
    def alive(self) -> bool:
        """Whether the loop turns."""
        return time.monotonic() - self._turned < ALIVE_S

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def frames(self, batch: Batch) -> None:
        """Note how old the latest frame is."""
        self._latest_ns = int(batch.ts_ns[batch.count - 1])

    def results(self, results: Sequence[Result]) -> None:
        """Count failures and incidents, as they were first told."""
        for result in results:
            if isinstance(result, Failure):
                cause = result.causes[0].name if result.causes else "unknown"
                series = result.kind, cause, self._upstream(result.connection.upstream)
                if series not in self._failures and len(self._failures) >= MOST_SERIES:
                    series = result.kind, OTHER, OTHER
                self._failures[series] += 1
                self._masked += result.masked
            elif isinstance(result, Incident):
                self._incidents[result.outcome, str(result.client_status or "none")] += 1

    def beat(self, now: float) -> None:
        """Say that the loop turns; once a second, copy what is shown."""
        self._turned = time.monotonic()
        if self._latest_ns:
            self._lag, self._latest_ns = max(0.0, time.time() - self._latest_ns / 1e9), 0
        elif now >= self._next:
            self._lag = 0.0
        if now >= self._next:
            self._next = now + EVERY_S
            self._copy = _Copy(
                self._state(),
                dict(self._failures),
                dict(self._incidents),
                self._masked,
                self._durations(),
                self._lag,
            )

    def close(self) -> None:
        """Stop answering."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(1.0)
        self._server.server_close()

    def text(self) -> bytes:
        """Return what ``/metrics`` answers (the text format of Prometheus)."""
        return self._render()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, for the registry."""
        if self._copy is not None:
            yield from _families(self._copy)

    def _upstream(self, name: str) -> str:
        if name in self._upstreams:
            return name
        if len(self._upstreams) >= MOST_UPSTREAMS:
            return OTHER
        self._upstreams.add(name)
        return name


class _Copy:
    """What is shown until the next copy."""

    def __init__(
        self,
        state: State,
        failures: dict[tuple[str, str, str], int],
        incidents: dict[tuple[str, str], int],
        masked: int,
        durations: Durations,
        lag: float,
    ) -> None:
        self.state = state
        self.failures = failures
        self.incidents = incidents
        self.masked = masked
        self.durations = durations
        self.lag = lag


def _families(copy: _Copy) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    for field, (name, meaning) in COUNTERS.items():
        yield CounterMetricFamily(f"wire502_{name}", meaning, value=getattr(copy.state, field))
    for field, (name, meaning) in GAUGES.items():
        yield GaugeMetricFamily(f"wire502_{name}", meaning, value=getattr(copy.state, field))
    dropped = CounterMetricFamily("wire502_dropped_packets", "Packets lost before they were read.", labels=["place"])
    dropped.add_metric(["kernel"], copy.state.dropped)
    dropped.add_metric(["interface"], copy.state.interface_dropped)
    yield dropped
    gaps = CounterMetricFamily("wire502_gaps", "Holes in what connections sent that have ended.", labels=["label"])
    for label in ("capture", "wire", "unknown"):
        gaps.add_metric([label], getattr(copy.state, f"gaps_{label}"))
    yield gaps
    bundles = CounterMetricFamily(
        "wire502_evidence_bundles", "Bundles of evidence, by what became of them.", labels=["outcome"]
    )
    for outcome in ("made", "spared", "failed"):
        bundles.add_metric([outcome], getattr(copy.state, f"bundles_{outcome}"))
    yield bundles
    lost = CounterMetricFamily(
        "wire502_lost_results", "Lines and records that could not be written or sent.", labels=["where"]
    )
    for where in ("lines", "log", "otlp"):
        lost.add_metric([where], getattr(copy.state, f"lost_{where}"))
    yield lost
    failures = CounterMetricFamily(
        "wire502_failures", "Failed requests, as first told.", labels=["kind", "cause", "upstream"]
    )
    for labels, count in sorted(copy.failures.items()):
        failures.add_metric(list(labels), count)
    yield failures
    yield CounterMetricFamily("wire502_masked_failures", "Failures made good by a retry.", value=copy.masked)
    incidents = CounterMetricFamily("wire502_incidents", "What clients got instead.", labels=["outcome", "status"])
    for pair, count in sorted(copy.incidents.items()):
        incidents.add_metric(list(pair), count)
    yield incidents
    yield HistogramMetricFamily(
        "wire502_first_byte_seconds", "From a request's end to its response's first octet.", *_histogram(copy.durations)
    )
    yield GaugeMetricFamily("wire502_lag_seconds", "Age of the latest packets when they were analysed.", value=copy.lag)


def _histogram(durations: Durations) -> tuple[list[tuple[str, float]], float]:
    """Return cumulative counts by upper edge, and the sum (middles of buckets: at most 5 % off)."""
    below = [(str(edge), float(sum(count for upper, count in durations if upper <= edge))) for edge in EDGES]
    return [*below, ("+Inf", float(sum(count for _, count in durations)))], sum(
        upper / 1.05 * count for upper, count in durations
    )


def _renderer(metrics: Metrics) -> Callable[[], bytes]:
    try:
        import prometheus_client.core  # noqa: F401 - now: once rights are given up nothing may be readable
        from prometheus_client import CollectorRegistry, generate_latest
    except ModuleNotFoundError:
        raise SettingError("--metrics needs the extra live: pip install 'wire502[live]'") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return lambda: generate_latest(registry)


def _listen(address: str, metrics: Metrics) -> ThreadingHTTPServer:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise SettingError(f"--metrics wants [ADDRESS:]PORT, not {address!r}")
    server = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
    handler = type("Handler", (_Handler,), {"metrics": metrics})
    try:
        return server((host, int(port)), handler)  # type: ignore[no-any-return]
    except OSError as error:
        raise SettingError(f"--metrics cannot listen at {address}: {error.strerror or error}") from error


class _Server(ThreadingHTTPServer):
    """Answers a few at a time: who else asks is sent away at once."""

    daemon_threads = True
    request_queue_size = MOST_ASKING

    def __init__(self, *arguments: Any) -> None:
        self._free = threading.BoundedSemaphore(MOST_ASKING)
        super().__init__(*arguments)

    def server_bind(self) -> None:
        """Bind, without asking a name server for our name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own if one is free."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then be free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is no event."""


class _Handler(BaseHTTPRequestHandler):
    metrics: Metrics
    timeout = PATIENCE_S
    server_version = "wire502"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer ``/metrics`` and ``/healthz``."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4; charset=utf-8", self.metrics.text())
        elif path == "/healthz":
            well = self.metrics.alive
            self._answer(200 if well else 503, "text/plain; charset=utf-8", b"ok\n" if well else b"the loop stands\n")
        else:
            self._answer(404, "text/plain; charset=utf-8", b"there are /metrics and /healthz\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: scrapes are no events."""
