"""What is shipped beside the program fits it: dashboard and alerts name real metrics, the unit names real options."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wire502.agent.counters import State
from wire502.agent.metrics import Metrics

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "wire502.service"


@pytest.fixture(scope="module")
def served() -> set[str]:
    """The names of all samples that are served."""
    pytest.importorskip("prometheus_client", reason="the extra live is not installed")
    from prometheus_client.parser import text_string_to_metric_families

    metrics = Metrics("127.0.0.1:0", State, lambda: [(0.1, 1)])
    metrics.beat(1.0)
    metrics._failures["kind", "cause", "upstream"] = 1
    metrics._incidents["error", "502"] = 1
    metrics.beat(10.0)
    text = metrics.text().decode()
    metrics.close()
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml"])
def test_metrics_that_are_asked_for_exist(served: set[str], name: str) -> None:
    """No panel stays empty and no rule silent for a name that was never served."""
    asked = set(re.findall(r"wire502_[a-z0-9_]+", (ROOT / "docs" / "live" / name).read_text("utf-8")))
    assert asked
    assert asked <= served


def test_every_panel_has_a_place_and_a_question() -> None:
    """Panels do not lie on one another, and each asks something."""
    panels = json.loads((ROOT / "docs" / "live" / "grafana.json").read_text("utf-8"))["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    assert all(panel["targets"] for panel in panels)


def test_the_unit_uses_options_that_exist() -> None:
    """Every option of its command line is one of `wire502 live`."""
    from wire502.cli.live import command

    known = {name for parameter in command.params for name in parameter.opts}
    line = next(line for line in UNIT.read_text("utf-8").splitlines() if line.startswith("ExecStart="))
    asked = {word for word in line.split() if word.startswith("-")}
    assert asked
    assert asked <= known


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """systemd-analyze finds nothing to complain of, and little that is exposed."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / "wire502.service"
    copy.write_text(UNIT.read_text("utf-8").replace("/usr/local/bin/wire502", shutil.which("true") or "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip("systemd-analyze cannot run here")
    assert (done.returncode, done.stderr) == (0, "")
    secure = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", copy],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert secure.returncode == 0, secure.stdout
