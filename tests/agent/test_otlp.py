"""Log records to a collector: a small HTTP server on loopback that answers as collectors may."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wire502.agent import otlp as module
from wire502.agent.otlp import HEADERS, Otlp
from wire502.api import Failure, Incident, Result, read
from wire502.errors import SettingError

CAPTURE = "captures/reset-before-response.pcapng"
TRACE = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


class Collector(ThreadingHTTPServer):
    """Answers with *answers* in turn (status, headers, body), then 200; keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def records(self) -> list[dict[str, Any]]:
        """All records so far, of answered requests or not."""
        return [
            one
            for _, _, body in self.asked
            for logs in body["resourceLogs"]
            for scope in logs["scopeLogs"]
            for one in scope["logRecords"]
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.hold.wait(20)
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b"{}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listens on loopback."""
    made = Collector()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.hold.set()
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """A failure and its incident."""
    return [result for result in list(read(CAPTURE)) if isinstance(result, Failure | Incident)]


def part(url: str, said: list[str] | None = None, **environment: str) -> Otlp:
    made = Otlp(url, "1.2", environment, [].append if said is None else said.append, first_pause=0.02)
    made.start()
    return made


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until, "not within 20 s"
        time.sleep(0.01)


def test_records_arrive(collector: Collector, results: list[Result]) -> None:
    """Failure and incident in one request, as JSON, at the path for logs, with the resource and a token."""
    made = part(collector.url, **{HEADERS: "Authorization=Bearer%20abc, x-tenant=t1", "OTEL_SERVICE_NAME": "edge"})
    made.results(results)
    wait_for(lambda: made.sent == 2)
    made.close()
    ((path, headers, body),) = collector.asked
    assert path == "/v1/logs"
    assert headers["Content-Type"] == "application/json"
    assert (headers["Authorization"], headers["x-tenant"]) == ("Bearer abc", "t1")
    resource = {pair["key"]: pair["value"] for pair in body["resourceLogs"][0]["resource"]["attributes"]}
    assert resource["service.name"] == {"stringValue": "edge"}
    assert [one["eventName"] for one in collector.records] == ["wire502.failure", "wire502.incident"]
    assert made.lost == 0


def test_an_incident_belongs_to_the_trace_of_its_failure(collector: Collector, results: list[Result]) -> None:
    """The client's error is found beside the spans of the attempt behind it."""
    failure, incident = results
    assert isinstance(failure, Failure)
    assert failure.request is not None
    made = part(collector.url)
    made.results([replace(failure, request=replace(failure.request, trace=TRACE)), incident])
    wait_for(lambda: made.sent == 2)
    made.close()
    assert [(one["traceId"], one["spanId"]) for one in collector.records] == [TRACE, TRACE]


def test_values_of_queries_stay_here(collector: Collector, results: list[Result]) -> None:
    """A collector is somebody else's: it gets redacted records."""
    failure = results[0]
    assert isinstance(failure, Failure)
    assert failure.request is not None
    asked = replace(failure.request, target="/a?token=secret")
    made = part(collector.url)
    made.results([replace(failure, request=asked, summary="GET /a?token=secret failed.")])
    wait_for(lambda: made.sent == 1)
    made.close()
    assert "token" in json.dumps(collector.asked)
    assert "secret" not in json.dumps(collector.asked)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_be_tried_again_is(collector: Collector, results: list[Result], status: int) -> None:
    """After an answer that asks for patience the same records are sent again, and that is said once."""
    collector.answers = [(status, {"Retry-After": "0"}, b""), (status, {}, b"")]
    said: list[str] = []
    made = part(collector.url, said)
    made.results(results)
    wait_for(lambda: made.sent == 2)
    made.close()
    assert len(collector.asked) == 3
    assert made.lost == 0
    assert [str(status) in said[0], "again" in said[1], len(said)] == [True, True, 2]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
def test_what_was_refused_for_good_is_lost(collector: Collector, results: list[Result], status: int) -> None:
    """Any other answer is final: the records are counted as lost, later ones are sent all the same."""
    collector.answers = [(status, {"Location": "/elsewhere"}, b"")]
    said: list[str] = []
    made = part(collector.url, said)
    made.results(results)
    wait_for(lambda: made.lost == 2)
    made.results(results)
    wait_for(lambda: made.sent == 2)
    made.beat(100.0)
    made.close()
    assert made.counts() == {"lost_otlp": 2}
    assert "2 log records were lost" in said[-1]


def test_a_part_that_was_rejected_is_lost(collector: Collector, results: list[Result]) -> None:
    """A collector that took some of them says how many it did not."""
    collector.answers = [(200, {}, b'{"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "no"}}')]
    made = part(collector.url)
    made.results(results)
    wait_for(lambda: made.sent + made.lost == 2)
    made.close()
    assert (made.sent, made.lost) == (1, 1)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"partialSuccess": null}', b"[" * 60_000, b"\xff"])
def test_an_answer_without_sense_is_a_good_one(collector: Collector, results: list[Result], answer: bytes) -> None:
    """Only the status says whether records were taken."""
    collector.answers = [(200, {}, answer)]
    made = part(collector.url)
    made.results(results)
    wait_for(lambda: made.sent == 2)
    made.close()
    assert made.lost == 0


def test_a_collector_that_is_away_costs_nothing_but_records(
    results: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens: nothing blocks, the queue has an end, the oldest records go, and closing takes a moment."""
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said: list[str] = []
    made = part(f"http://127.0.0.1:{port}", said)
    for _ in range(50):
        made.results(results)
    wait_for(lambda: said)
    began = time.monotonic()
    made.close()
    assert time.monotonic() - began < 2
    assert not made._thread.is_alive()
    assert made.sent == 0
    assert made.lost == 100
    assert len(said) == 1


def test_a_collector_that_stands_still_blocks_nobody(collector: Collector, results: list[Result]) -> None:
    """While one request is never answered, results are still taken at once, and the end does not wait for it."""
    collector.hold.clear()
    made = part(collector.url)
    made.results(results)
    wait_for(lambda: collector.asked)
    began = time.monotonic()
    for _ in range(100):
        made.results(results)
    made.close()
    assert time.monotonic() - began < 3


def test_what_is_left_is_sent_at_the_end(collector: Collector, results: list[Result]) -> None:
    """Records that came last reach the collector before the program ends."""
    made = part(collector.url)
    made.results(results)
    made.close()
    assert [one["eventName"] for one in collector.records] == ["wire502.failure", "wire502.incident"]


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:4318", "ftp://a", "http://", "http://a:99999", "http://u:p@a/", "http://[a/", "http://é/"]
)
def test_an_address_that_is_none(url: str) -> None:
    """What is no address of HTTP, or holds a password, is refused before anything is captured."""
    with pytest.raises(SettingError, match="--otlp wants"):
        Otlp(url, "1", {}, print)


@pytest.mark.parametrize("text", ["secret", "a b=secret", "a=secret%0d%0aX: y", "=secret"])
def test_headers_that_are_none(text: str) -> None:
    """A header that is none is refused, and its value, which may be a secret, is not shown."""
    with pytest.raises(SettingError) as raised:
        Otlp("http://a", "1", {HEADERS: text}, print)
    assert "secret" not in str(raised.value)


def test_a_path_of_its_own_is_kept(collector: Collector, results: list[Result]) -> None:
    """An address with a path is used as it stands."""
    made = part(f"{collector.url}/otlp/logs?x=1")
    made.results(results)
    wait_for(lambda: made.sent == 2)
    made.close()
    assert collector.asked[0][0] == "/otlp/logs?x=1"
