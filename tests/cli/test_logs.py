"""``read --log`` from the outside."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.fakes import Stage
from tests.report import samples
from wire502.cli import main

Captured = pytest.CaptureFixture[str]
LINE = (
    "2026/11/22 12:04:31 [error] 7#7: *3 {} while reading response header from upstream, client: 203.0.113.9, "
    'server: x, request: "GET {} HTTP/1.1", upstream: "http://10.0.0.2:8080{}", host: "x"\n'
)
RESET = "recv() failed (104: Connection reset by peer)"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "error.log"
    path.write_text(
        LINE.format(RESET, "/cart", "/cart")
        + "x" * 200_000
        + "\n"
        + LINE.format("upstream timed out (110: Connection timed out)", "/gone?token=secret", "/gone")
    )
    return path


def test_lines_stand_before_the_summary(stage: Stage, log: Path, capsys: Captured) -> None:
    """With --json each line that speaks of a failure has its own, then their counts, then the summary."""
    stage.play(samples.reset_before_response(), samples.exchange())
    status = main(["read", "a.pcap", "--json", "--log", str(log)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert status == 0
    assert [line["type"] for line in lines] == ["failure", "log", "log", "log_summary", "summary"]
    assert [(line["line"], line["verdict"]) for line in lines[1:3]] == [(1, "confirmed"), (3, "not_in_capture")]
    assert lines[3]["lines"] == 3
    assert lines[3]["unreadable"] == 1


def test_text_tells_what_differs(stage: Stage, log: Path, capsys: Captured) -> None:
    """The report lists what differs and counts what agrees; --redact masks queries there too."""
    stage.play(samples.reset_before_response())
    main(["read", "a.pcap", "--redact", "--log", str(log)])
    text = capsys.readouterr().out

    assert "? not in the capture  error.log:3  12:04:32.000  GET /gone?token=***" in text
    assert "secret" not in text
    assert "log error.log: 3 lines\n    1 line confirmed, 0 contradicted, 1 not in the capture" in text


def test_filters_hold_for_the_log(stage: Stage, log: Path, capsys: Captured) -> None:
    """A filter hides the lines of failures that it hides, and does not make them missing from the capture."""
    stage.play(samples.reset_before_response())
    main(["read", "a.pcap", "--json", "--kind", "connect_refused", "--log", str(log)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [line["type"] for line in lines] == ["log_summary", "summary"]
    assert lines[0]["confirmed"] == 1


def test_compressed_logs(stage: Stage, log: Path, capsys: Captured) -> None:
    """A gzip log is read as it is; one that is damaged is told, with exit status 3."""
    packed = gzip.compress(log.read_bytes())
    log.write_bytes(packed)
    stage.play(samples.reset_before_response())

    assert main(["read", "a.pcap", "--log", str(log)]) == 0
    assert "1 line confirmed" in capsys.readouterr().out

    log.write_bytes(packed[:-9])
    stage.play(samples.reset_before_response())

    assert main(["read", "a.pcap", "--log", str(log)]) == 3
    assert "error.log" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--log", "nowhere.log"], ["--log-slack", "-1"], ["--log-zone", "noon"], ["--log-slack", "nan"]]
)
def test_wrong_options(stage: Stage, options: list[str], capsys: Captured) -> None:
    """A log that is not there, or a slack or zone that is none, ends with one line and exit status 2."""
    assert main(["read", "a.pcap", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1
