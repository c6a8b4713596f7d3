"""The benchmark measures whole processes, says what is missing, and never lets a wrong verdict pass."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts._bench import cli, verdicts
from scripts._bench.measure import Run, ratios, run
from scripts._bench.peers import PEERS, Peer
from scripts._bench.report import Row, of_list, rows_table

# says what the truth file beside the capture says; FAKE_SPOILS makes it wrong
FAKE = """
import json, os, sys
name = sys.argv[2].removesuffix(".gz").removesuffix(".zst")
truth = json.load(open(name.removesuffix(".pcap") + ".json"))
spoils = os.environ.get("FAKE_SPOILS")
if spoils == "crash":
    raise SystemExit("out of luck")
for number, each in enumerate(truth["failures"]):
    frame = each["frame"] + (spoils == "frame" and number == 0)
    if spoils == "silent" and number == 0:
        continue
    print(json.dumps({"type": "failure", "id": f"f{number}", "kind": each["kind"], "frame": frame,
        "connection": {"gateway": each["gateway"], "upstream": each["upstream"]},
        "request": None if each["target"] is None else {"target": each["target"]}}))
if spoils == "extra":
    print(json.dumps({"type": "failure", "id": "x", "kind": "fin_mid_body", "frame": 1, "connection":
        {"gateway": "10.0.0.1:1", "upstream": "10.0.0.2:80"}, "request": None}))
print(json.dumps({"type": "summary", "frames": truth["frames"]}))
"""


@pytest.fixture
def fake(tmp_path: Path) -> str:
    program = tmp_path / "fake.py"
    program.write_text(FAKE, encoding="utf-8")
    return f"{sys.executable} {program}"


def _bench(tmp_path: Path, fake: str, *words: str) -> tuple[int, dict[str, Any], str]:
    out, table = tmp_path / "bench.json", tmp_path / "bench.md"
    always = ["--quick", "--frames", "2000", "--cache", str(tmp_path / "cache"), "--wire502", fake]
    status = cli.main([*always, "--json", str(out), "--markdown", str(table), *words])
    return status, json.loads(out.read_text(encoding="utf-8")), table.read_text(encoding="utf-8")


def test_right_verdicts_pass(tmp_path: Path, fake: str) -> None:
    """With all planted failures found the status is 0 and each row of the part asked for has its figure."""
    status, report, table = _bench(tmp_path, fake, "--only", "start", "--only", "uncompiled", "--only", "open",
                                   "--open-connections", "50")  # fmt: skip
    assert status == 0
    assert all(check["right"] for check in report["verdicts"])
    assert [row["measure"] for row in report["rows"] if row["value"] is None] == []
    assert {"ten packets over `python -c pass`", "memory of 50 open connections"} <= {
        row["measure"] for row in report["rows"]
    }
    assert "nothing else" in table


@pytest.mark.parametrize("spoils", ["frame", "silent", "extra", "crash"])
def test_wrong_verdicts_fail(tmp_path: Path, fake: str, spoils: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failure at another frame, one missing, one too many, or a crash makes the exit status 1."""
    monkeypatch.setenv("FAKE_SPOILS", spoils)
    status, report, table = _bench(tmp_path, fake, "--only", "uncompiled")
    assert status == 1
    assert not all(check["right"] for check in report["verdicts"])
    wanted = {"frame": "too many", "silent": "1 of", "extra": "10.0.0.1:1", "crash": "out of luck"}
    assert wanted[spoils] in table


def test_failed_runs_give_no_figure(tmp_path: Path, fake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that crashes at once is not taken for a fast one."""
    monkeypatch.setenv("FAKE_SPOILS", "crash")
    _, report, _ = _bench(tmp_path, fake, "--only", "start", "--only", "uncompiled")
    assert [row["value"] for row in report["rows"]] == [None, None]


def test_missing_peers_are_said(tmp_path: Path, fake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that is not installed is named with the package that holds it, and the rest is measured."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    status, report, table = _bench(tmp_path, fake, "--only", "peers")
    assert status == 0
    assert len(report["notes"]) == len(PEERS)
    assert all(f"(Debian package {peer.package})" in table for peer in PEERS)
    assert next(row for row in report["rows"] if row["measure"] == "small: CPU over tcpdump")["value"] is None


def test_updates_are_the_last_word(tmp_path: Path) -> None:
    """An update line changes the failure that it names before the comparison."""
    failure = {"kind": "fin_mid_body", "frame": 5, "gateway": "a:1", "upstream": "b:2", "target": "/x"}
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"frames": 9, "failures": [failure]}), encoding="utf-8")
    connection = {"gateway": "a:1", "upstream": "b:2"}
    lines = [
        {"type": "failure", "id": "f1", "kind": "fin_mid_body", "frame": 4, "connection": connection,
         "request": {"target": "/x"}},
        {"type": "update", "id": "f1", "frame": 5},
        {"type": "summary", "frames": 9},
    ]  # fmt: skip
    output = tmp_path / "out.jsonl"
    output.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert verdicts.check("x", output, truth).right
    output.write_text("\n".join(map(json.dumps, [lines[0], lines[2]])), encoding="utf-8")
    assert not verdicts.check("x", output, truth).right


def test_measure_counts_the_whole_process(tmp_path: Path) -> None:
    """CPU time and peak memory are those of the child, its output is kept, its last words are known."""
    work = "import sys; b = bytearray(80 << 20); n = sum(range(3_000_000)); print(n); sys.exit('last words')"
    out = tmp_path / "out"
    done = run([sys.executable, "-c", work], stdout=out)
    assert done.status == 1
    assert done.error == "last words"
    assert done.cpu_s > 0.01
    assert 80 < done.rss_mb < 400
    assert out.read_text(encoding="utf-8") == "4499998500000\n"


def test_measure_is_not_blurred_by_the_harness() -> None:
    """A small program is small even when the process that measures it is large, and a missing one is a failed run."""
    ballast = bytearray(120 << 20)
    done = run(["true"])
    assert done.status == 0
    assert done.rss_mb < 40
    missing = run(["no-such-program-of-ours"])
    assert missing.status != 0
    assert "no-such-program-of-ours" in missing.error
    assert len(ballast) > 0


def test_measure_feeds_a_pipe(tmp_path: Path) -> None:
    """A program can read its standard input from a pipe."""
    read, write = os.pipe()
    os.write(write, b"octets")
    os.close(write)
    done = run(
        [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"], stdout=tmp_path / "o", feed=read
    )
    os.close(read)
    assert done.status == 0
    assert (tmp_path / "o").read_text(encoding="utf-8") == "octets"


def test_rows_say_what_was_met() -> None:
    """A row tells whether it keeps its limits, in the direction in which better lies."""
    table = rows_table(
        [
            Row("small", 1.9, must=3, ambition=2),
            Row("large", 2.5, must=3, ambition=2),
            Row("late", 3.5, must=3, ambition=2),
            Row("rate", 0.3, must=0.1, ambition=0.4, more=True),
            of_list("none", [], must=1, note="not installed"),
        ]
    )
    remarks = [line.rsplit("|", 2)[1].strip() for line in table.splitlines()[2:]]
    assert remarks == ["ambition met", "must met", "**missed**", "must met", "not installed"]


def test_ratios_leave_out_failures() -> None:
    """Rounds in which either program failed take no part in a ratio."""
    good, bad = Run(1.0, 1.0, 1.0, 0), Run(0.1, 0.1, 1.0, 2)
    assert ratios([good, bad, good], [good, good, bad]) == [1.0]


def test_peer_commands_take_their_file() -> None:
    """FILE and DIR are replaced as whole words only."""
    peer = Peer("x", "x", ("x", "-r", "FILE", "-w", "DIR", "FILES"), ("x",))
    assert peer.argv("a b.pcap", "d") == ["x", "-r", "a b.pcap", "-w", "d", "FILES"]
