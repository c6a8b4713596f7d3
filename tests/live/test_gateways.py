"""Real gateways in namespaces: what is said live is what is read from tcpdump's file of the same packets."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.live.lab import NEIGHBOUR, Lab, for_nobody, wait_for
from tests.live.upstream import PORTS
from wire502 import read
from wire502.api import Failure, Incident, Summary
from wire502.evidence import verify
from wire502.report.json import line

TARGETS = [f"/{name}" for name in PORTS]
FAILING = [name for name in PORTS if name != "ok"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines() if text.endswith("}")]


def told(results: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what a failure or incident says, without what differs between two captures of the same packets."""
    found = []
    for result in results:
        if result["type"] == "failure":
            client = result["client"] or {}
            target = (result["request"] or {}).get("target")
            causes = tuple(cause["name"] for cause in result["causes"])
            found.append((result["kind"], result["at_fault"], result["masked"], target, client.get("status"), causes))
        elif result["type"] == "incident":
            found.append((result["outcome"], result["client_status"], result["kind"], len(result["attempts"])))
    return sorted(found, key=repr)


def final(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines with their updates put in."""
    known: dict[str, dict[str, Any]] = {}
    for result in results:
        if result["type"] == "update":
            known[result["id"]].update({key: value for key, value in result.items() if key not in ("type", "schema")})
        elif result["type"] in ("failure", "incident"):
            known[result["id"]] = dict(result)
    return list(known.values())


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line(result, precision=9)) for result in read(path, settings={"hold": "500ms"})]


@pytest.mark.parametrize("gateway", ["nginx", "haproxy"])
def test_live_says_what_read_says(lab: Lab, gateway: str, tcpdump: str) -> None:
    """Behind a real gateway each upstream fails in its own way: live and read tell the same failures and incidents."""
    if shutil.which(gateway) is None and not Path(f"/usr/sbin/{gateway}").exists():
        pytest.skip(f"{gateway} is not installed")
    lab.upstreams()
    getattr(lab, gateway)()
    captured, own = lab.folder / "tcpdump.pcap", lab.folder / "own.pcap"
    watcher = lab.tcpdump(captured, "-i", "any", "tcp")
    live = lab.live("-i", "any", "--json", "-w", str(own), "tcp")
    lab.ask(*TARGETS)
    wait_for(lambda: live.out.read_text().count('"type": "failure"') >= len(FAILING), "all failures are told")
    assert live.end() == 0
    watcher.end(signal.SIGINT)
    assert "0 packets dropped by kernel" in watcher.err.read_text()
    said = lines(live.out)
    assert said[-1]["type"] == "summary"
    assert said[-1]["dropped"] == 0
    kinds = sorted(result["kind"] for result in said if result["type"] == "failure")
    assert kinds == sorted(FAILING)
    assert told(final(said)) == told(final(read_lines(captured)))
    again = read_lines(own)
    assert again[-1]["frames"] == said[-1]["frames"]
    assert [(one["kind"], one["frame"]) for one in final(again) if one["type"] == "failure"] == [
        (one["kind"], one["frame"]) for one in final(said) if one["type"] == "failure"
    ]


@pytest.mark.parametrize("backend", ["ring", "scapy"])
def test_a_failure_is_told_within_a_moment(lab: Lab, backend: str) -> None:
    """A reset is told live, while the capture goes on, soon after it happened; healthy traffic is not spoken of."""
    lab.upstreams()
    live = lab.live("-i", "wire0", "--json", "--backend", backend)
    lab.ask_upstream(PORTS["ok"])
    lab.ask_upstream(PORTS["rst_before_response"])
    wait_for(lambda: b"rst_before_response" in live.out.read_bytes(), "the reset is told", 10)
    assert live.end() == 0
    assert [result["type"] for result in lines(live.out)] == ["failure", "summary"]


def test_both_legs_on_two_interfaces(lab: Lab) -> None:
    """Two named interfaces are one capture: the client's error and the attempt behind it are one incident."""
    if shutil.which("haproxy") is None and not Path("/usr/sbin/haproxy").exists():
        pytest.skip("haproxy is not installed")
    lab.upstreams()
    lab.haproxy()
    own = lab.folder / "own.pcap"
    live = lab.live("-i", "front0", "-i", "wire0", "--json", "-w", str(own), "tcp port 8000 or tcp port 8101")
    lab.ask("/rst_before_response")
    wait_for(lambda: b'"type": "incident"' in live.out.read_bytes(), "the incident is told", 10)
    assert live.end() == 0
    results = list(read(own))
    (failure,) = [one for one in results if isinstance(one, Failure)]
    (incident,) = [one for one in results if isinstance(one, Incident)]
    assert (failure.kind, incident.client_status) == ("rst_before_response", 502)
    assert isinstance(results[-1], Summary)
    assert results[-1].duplicates == 0


@pytest.mark.parametrize("backend", ["ring", "scapy"])
def test_an_address_for_each_leg(lab: Lab, backend: str) -> None:
    """Clients reach the gateway at another address than it has for upstreams: live knows who sent a frame, and joins
    the legs of the very first request; so does read, of packets that were written as pcapng.
    """
    if shutil.which("nginx") is None and not Path("/usr/sbin/nginx").exists():
        pytest.skip("nginx is not installed")
    lab.upstreams()
    lab.neighbour()
    lab.nginx()
    own = lab.folder / "own.pcapng"
    live = lab.live("-i", "wire0", "--json", "-w", str(own), "--backend", backend, "tcp port 8000 or tcp port 8101")
    lab.ask_as_neighbour("/rst_before_response")
    wait_for(lambda: b'"type": "incident"' in live.out.read_bytes(), "the incident is told", 10)
    assert live.end() == 0
    said = final(lines(live.out))
    (failure,) = (one for one in said if one["type"] == "failure")
    (incident,) = (one for one in said if one["type"] == "incident")
    assert (failure["kind"], failure["client"]["status"]) == ("rst_before_response", 502)
    assert incident["client"].startswith(f"{NEIGHBOUR}:")
    assert incident["attempts"] == [failure["id"]]
    again = final(read_lines(own))
    assert told(again) == told(said)
    assert [one["frame"] for one in again] == [one["frame"] for one in said]


def test_evidence_and_counters_behind_a_gateway(lab: Lab) -> None:
    """Behind HAProxy each failure has a whole bundle that says the same, with what the client got, and is counted."""
    pytest.importorskip("prometheus_client", reason="the extra live is not installed")
    if shutil.which("haproxy") is None and not Path("/usr/sbin/haproxy").exists():
        pytest.skip("haproxy is not installed")
    wanted = ["connect_refused", "fin_mid_headers", "rst_before_response"]
    folder = lab.disk(64 << 20) / "evidence"
    lab.upstreams()
    lab.haproxy()
    live = lab.live(
        "-i", "any", "--json", "--metrics", "--evidence", str(folder), "--set", "evidence_after=500ms", *for_nobody()
    )
    lab.ask(*(f"/{kind}" for kind in wanted))
    wait_for(lambda: len([one for one in folder.iterdir() if one.name[0] != "."]) == 3, "three bundles are there", 60)
    scraped = lab.fetch("http://127.0.0.1:9502/metrics")
    assert live.end() == 0
    said = {one["kind"]: one for one in final(lines(live.out)) if one["type"] == "failure"}
    assert sorted(said) == wanted
    for bundle in sorted(folder.iterdir()):
        assert verify(bundle) == []
        (packets,) = bundle.glob("*.pcapng")
        told = {one.kind: one for one in read(packets) if isinstance(one, Failure)}
        (kind,) = (kind for kind in wanted if f"_{kind}_" in bundle.name)
        client = told[kind].client
        assert client is not None
        assert client.status == said[kind]["client"]["status"]
        assert told[kind].at_fault == said[kind]["at_fault"]
    for kind in wanted:
        assert re.search(rf'wire502_failures_total{{.*kind="{kind}".*}} 1\.0', scraped)
    assert 'wire502_evidence_bundles_total{outcome="made"}' in scraped
    assert "wire502_incidents_total{" in scraped
