"""What Prometheus is told, over a real socket on loopback."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest

from wire502.agent import metrics as module
from wire502.agent.counters import State
from wire502.agent.metrics import MOST_UPSTREAMS, Metrics
from wire502.api import read
from wire502.errors import SettingError
from wire502.model.verdict import Failure, Incident

pytest.importorskip("prometheus_client", reason="the extra live is not installed")
from prometheus_client.parser import text_string_to_metric_families

DURATIONS = [(0.002, 3), (0.3, 1)]


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """Serves on a free port of loopback."""
    made = Metrics("127.0.0.1:0", lambda: State(frames=7, dropped=2, gaps_wire=3, ring=0.5), lambda: DURATIONS)
    made.start()
    yield made
    made.close()


def asked(metrics: Metrics, path: str) -> tuple[int, str]:
    """Return status and body."""
    host, port = metrics.address
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every sample by its name and the values of its labels, these in the order of their names."""
    status, text = asked(metrics, "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def failure() -> tuple[Failure, Incident]:
    """Return a failure and its incident as a capture gives them."""
    results = list(read("captures/reset-before-response.pcapng"))
    return next(r for r in results if isinstance(r, Failure)), next(r for r in results if isinstance(r, Incident))


def test_counters_are_those_of_the_state(metrics: Metrics) -> None:
    """What the engine counted is what is told, the lost by the place where they were lost."""
    metrics.beat(1.0)
    told = samples(metrics)
    assert told["wire502_packets_total", ()] == 7
    assert told["wire502_dropped_packets_total", ("kernel",)] == 2
    assert told["wire502_gaps_total", ("wire",)] == 3
    assert told["wire502_ring_occupied_ratio", ()] == 0.5


def test_first_octets_are_a_histogram(metrics: Metrics) -> None:
    """Buckets hold all samples below their edge."""
    metrics.beat(1.0)
    told = samples(metrics)
    assert told["wire502_first_byte_seconds_bucket", ("0.0025",)] == 3
    assert told["wire502_first_byte_seconds_bucket", ("+Inf",)] == 4
    assert told["wire502_first_byte_seconds_count", ()] == 4


def test_failures_have_kind_cause_and_upstream(metrics: Metrics) -> None:
    """A failure is counted under what it is, its incident under what the client got."""
    one, incident = failure()
    metrics.results([one, incident])
    metrics.beat(1.0)
    told = samples(metrics)
    labels = (one.causes[0].name, one.kind, one.connection.upstream)
    assert told["wire502_failures_total", labels] == 1
    assert told["wire502_incidents_total", ("error", "502")] == 1


def test_upstreams_beyond_the_limit_are_others(metrics: Metrics) -> None:
    """However many addresses the wire names, there are only so many labels."""
    one, _ = failure()
    for number in range(MOST_UPSTREAMS + 50):
        one.connection.upstream = f"10.0.{number}.1:80"
        metrics.results([one])
    metrics.beat(1.0)
    told = {labels[2]: value for (name, labels), value in samples(metrics).items() if name == "wire502_failures_total"}
    assert len(told) == MOST_UPSTREAMS + 1
    assert told["other"] == 50


def test_health_is_that_of_the_loop(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that stands still is not well."""
    metrics.beat(1.0)
    assert asked(metrics, "/healthz") == (200, "ok\n")
    monkeypatch.setattr(module, "ALIVE_S", -1.0)
    assert asked(metrics, "/healthz")[0] == 503


def test_nothing_else_is_served(metrics: Metrics) -> None:
    """Other paths are not there."""
    assert asked(metrics, "/etc/passwd")[0] == 404


def test_clients_that_say_nothing_keep_nobody_waiting(metrics: Metrics) -> None:
    """Connections without a request, fewer than may be served at once, are in nobody's way."""
    silent = [socket.create_connection(metrics.address) for _ in range(module.MOST_ASKING - 1)]
    try:
        metrics.beat(1.0)
        assert asked(metrics, "/healthz")[0] == 200
    finally:
        for one in silent:
            one.close()


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:99999", "192.0.2.1:9502", ""])
def test_an_address_that_cannot_be_had_is_said(address: str) -> None:
    """One line names the address."""
    with pytest.raises(SettingError, match="--metrics"):
        Metrics(address, State, list)


def test_an_address_in_use_is_said(metrics: Metrics) -> None:
    """A second agent on the same port hears why not."""
    host, port = metrics.address
    with pytest.raises(SettingError, match="in use"):
        Metrics(f"{host}:{port}", State, list)


def test_series_have_an_end(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """However kinds, causes and upstreams come together, beyond a limit only the kind is told apart."""
    monkeypatch.setattr(module, "MOST_SERIES", 20)
    first, _ = failure()
    cause = first.causes[0]
    for number in range(50):
        metrics.results([replace(first, causes=[replace(cause, name=f"cause_{number}")])])
    metrics.beat(1.0)
    told = {key: value for key, value in samples(metrics).items() if key[0] == "wire502_failures_total"}
    assert len(told) == 21
    assert told["wire502_failures_total", ("other", first.kind, "other")] == 30
