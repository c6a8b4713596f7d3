"""What Prometheus makes of what is shipped for it: its own promtool reads rules, dashboard and metrics."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wire502.agent.counters import State
from wire502.agent.metrics import Metrics

LIVE = Path(__file__).parents[2] / "docs" / "live"
RULES = LIVE / "alerts.yml"
INSTANCE = 'instance="gw1:9502"'
FAILURES = (
    f'wire502_failures_total{{{INSTANCE},kind="connect_refused",cause="nothing_listening",upstream="10.0.0.7:80"}}'
)
INCIDENTS = f'wire502_incidents_total{{{INSTANCE},outcome="error",status="502"}}'
PACKETS = f"wire502_packets_total{{{INSTANCE}}}"
OTHER_PACKETS = 'wire502_packets_total{instance="gw2:9502"}'
WELL = {PACKETS: "0+6000x60"}

# What is served, a sample a minute ("0+6x60": 61 of them, each 6 more), and which alerts there are after how long.
CASES: dict[str, tuple[dict[str, str], str, set[str]]] = {
    "all is well": (
        WELL | {FAILURES: "3+0x60", INCIDENTS: "3+0x60", f"wire502_lag_seconds{{{INSTANCE}}}": "0.01+0x60"},
        "30m",
        set(),
    ),
    "an upstream fails and fails": (WELL | {FAILURES: "0+6x60"}, "10m", {"UpstreamFailing"}),
    "a burst, of a kind that was never seen before": (
        WELL | {FAILURES: "_x10 50+0x50", INCIDENTS: "_x10 50+0x50"},
        "13m",
        {"UpstreamFailing", "ClientsGetErrors"},
    ),
    "that burst is over": (WELL | {FAILURES: "_x10 50+0x50", INCIDENTS: "_x10 50+0x50"}, "25m", set()),
    "clients get errors": (WELL | {INCIDENTS: "0+12x60"}, "10m", {"ClientsGetErrors"}),
    "first octets come late": (
        WELL
        | {
            f'wire502_first_byte_seconds_bucket{{{INSTANCE},le="{edge}"}}': f"0+{count}x60"
            for edge, count in (("5.0", 90), ("10.0", 100), ("+Inf", 100))
        },
        "25m",
        {"FirstByteSlow"},
    ),
    "the ring is too small": (
        WELL | {f'wire502_dropped_packets_total{{{INSTANCE},place="kernel"}}': "0+60x60"},
        "20m",
        {"CaptureLosesPackets"},
    ),
    "it lags": (WELL | {f"wire502_lag_seconds{{{INSTANCE}}}": "4+0x60"}, "10m", {"AnalysisLags"}),
    "the disk is full": (
        WELL
        | {
            f'wire502_evidence_bundles_total{{{INSTANCE},outcome="failed"}}': "0+1x60",
            f'wire502_lost_results_total{{{INSTANCE},where="lines"}}': "0+5x60",
        },
        "20m",
        {"EvidenceNotWritten", "ResultsLost"},
    ),
    "it sees nothing": ({PACKETS: "70+0x60"}, "40m", {"WitnessGone"}),
    "it was never there": ({}, "20m", {"WitnessGone"}),
    "one of two is gone": ({PACKETS: "0+6000x60", OTHER_PACKETS: "0+60x9 stale"}, "30m", {"WitnessGone"}),
}


def promtool(*arguments: str | Path, text: bytes = b"") -> str:
    """Return what promtool says, which has to like it; skip where it is not installed."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian's prometheus)")
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_prometheus_takes_the_rules() -> None:
    """Every rule is read."""
    assert f"{RULES.read_text('utf-8').count('- alert:')} rules found" in promtool("check", "rules", RULES)


def test_prometheus_takes_what_the_dashboard_asks(tmp_path: Path) -> None:
    """Every expression of the dashboard is one of PromQL."""
    panels = json.loads((LIVE / "grafana.json").read_text("utf-8"))["panels"]
    asked = [target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]]
    rules = [{"record": f"panel:asks:{number}", "expr": expr} for number, expr in enumerate(asked)]
    path = tmp_path / "dashboard.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # which is YAML too
    assert f"{len(asked)} rules found" in promtool("check", "rules", path)


def test_prometheus_takes_the_metrics() -> None:
    """Names, units, types and help of what is served are as Prometheus wants them."""
    pytest.importorskip("prometheus_client", reason="the extra live is not installed")
    metrics = Metrics("127.0.0.1:0", State, lambda: [(0.1, 1), (2.0, 3)])
    try:
        metrics._failures["connect_refused", "nothing_listening", '[2001:db8::7]:80"\\\n'] = 1
        metrics._incidents["error", "502"] = 1
        metrics.beat(1.0)
        text = metrics.text()
    finally:
        metrics.close()
    assert text.count(b"# TYPE") > 20
    assert promtool("check", "metrics", text=text) == ""


@pytest.mark.parametrize("name", CASES)
def test_alerts_come_when_they_should(tmp_path: Path, name: str) -> None:
    """Each trouble is told by its own alert, and by no other one."""
    series, after, expected = CASES[name]
    names = [line.split()[-1] for line in RULES.read_text("utf-8").splitlines() if "- alert:" in line]
    assert expected <= set(names)
    # promtool compares labels and texts too: which alerts there are is asked as an expression instead
    asked: list[dict[str, Any]] = [
        {
            "expr": f'count by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing"}}) > 0',
            "eval_time": after,
            "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert in expected else [],
        }
        for alert in names
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": asked,
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}))
    promtool("test", "rules", path)
