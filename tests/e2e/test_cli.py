"""The program as users run it: a process of its own, real captures, pipes and signals."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.wire import Wire

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"
TELLING = CAPTURES / "reset-before-response.pcapng"
HEALTHY = CAPTURES / "healthy-lossy.pcap"
COMMAND = [sys.executable, "-m", "wire502"]


def wire502(
    *arguments: str | Path, given: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program and return what it wrote."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def start(*arguments: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start the program with pipes on all sides."""
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def one_line(text: bytes) -> bool:
    return text.startswith(b"wire502: ") and text.count(b"\n") == 1


def test_text_report() -> None:
    """The telling sample gives a report that marks its failure point and nothing on standard error."""
    done = wire502("read", TELLING)
    truth = json.loads((CAPTURES / "reset-before-response.truth.json").read_text())["failures"][0]

    assert 0 == done.returncode
    assert b"" == done.stderr
    assert f"▶ #{truth['frame']}".encode() in done.stdout
    assert b"rst_before_response" in done.stdout
    assert b"GET /cart" in done.stdout


def test_exit_status() -> None:
    """0 without --exit-code, 1 with it and a failure, 0 with it and none."""
    assert 0 == wire502("read", TELLING, "--json").returncode
    assert 1 == wire502("read", TELLING, "--exit-code").returncode
    assert 0 == wire502("read", HEALTHY, "--exit-code").returncode
    assert 0 == wire502("read", CAPTURES / "masked-happy-eyeballs.pcap", "--exit-code").returncode
    assert 0 == wire502("read", CAPTURES / "gateway-abort.pcap", "--exit-code").returncode


@pytest.mark.parametrize("what", ["text", "directory", "missing", "empty file"])
def test_no_capture(tmp_path: Path, what: str) -> None:
    """What is no capture is status 2 and one line that names it."""
    path = tmp_path / "input.pcap"
    if what == "text":
        path.write_text("GET / HTTP/1.1\n" * 20)
    elif what == "directory":
        path.mkdir()
    elif what == "empty file":
        path.touch()
    done = wire502("read", path)

    assert 2 == done.returncode
    assert one_line(done.stderr)
    assert b"input.pcap" in done.stderr
    assert b"" == done.stdout


def test_empty_capture(tmp_path: Path) -> None:
    """A valid capture without frames is status 0, and its summary says so."""
    for format_ in ("pcap", "pcapng"):
        done = wire502("read", Wire().write(tmp_path / f"empty.{format_}", format=format_), "--json")

        assert 0 == done.returncode
        assert [("summary", 0)] == [(line["type"], line["frames"]) for line in lines(done.stdout)]


def test_cut_short(tmp_path: Path) -> None:
    """A capture whose end is cut off is status 3, and everything before the cut is reported."""
    path = tmp_path / "cut.pcapng"
    path.write_bytes(TELLING.read_bytes()[:-9])
    done = wire502("read", path, "--json", "--exit-code")

    assert 3 == done.returncode
    assert one_line(done.stderr)
    assert "rst_before_response" in [line.get("kind") for line in lines(done.stdout)]


def test_standard_input() -> None:
    """From standard input the results are those of the file, but for the name of the input."""
    piped = lines(wire502("read", "-", "--json", given=TELLING.read_bytes()).stdout)
    read = lines(wire502("read", TELLING, "--json").stdout)

    assert ["-"] == piped[-1].pop("inputs")
    assert [str(TELLING)] == read[-1].pop("inputs")
    assert piped == read


def test_lines_are_prompt() -> None:
    """A failure is written while the pipe that it was read from is still open and silent."""
    wire = Wire()
    c = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    c.handshake()
    c.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    c.server.ack()
    reset = c.server.reset()
    wire.sleep(20)
    wire.connection("10.0.0.1:41001", "10.0.0.2:8080").handshake()
    with start("read", "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(wire.octets())
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 30)

        assert ready, "nothing came while the pipe was open"
        first = json.loads(process.stdout.readline())
        assert ("failure", reset) == (first["type"], first["frame"])
        assert process.poll() is None
        process.stdin.close()
        assert "summary" == lines(process.stdout.read())[-1]["type"]
        assert 0 == process.wait(30)


def test_interrupt() -> None:
    """Ctrl-C while a pipe is silent: the summary so far, status 130, no traceback."""
    with start("read", "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(TELLING.read_bytes())
        process.stdin.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        said = lines(process.stdout.read())

        assert 130 == process.wait(30)
        assert "summary" == said[-1]["type"]
        assert "stopped before the end" in said[-1]["caveats"]
        assert "rst_before_response" in [line.get("kind") for line in said]
        assert b"Traceback" not in process.stderr.read()


def test_head() -> None:
    """`| head -1` ends quietly: status 0 and nothing on standard error."""
    with start("read", str(TELLING), "--all", "--json", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert b"" == process.stderr.read()
        assert 0 == process.wait(30)


def test_colours() -> None:
    """Colours only where they are wanted: not into a pipe, not with NO_COLOR, but with --color always."""
    escape = b"\x1b["

    assert escape not in wire502("read", TELLING).stdout
    assert escape in wire502("read", TELLING, "--color", "always").stdout
    assert escape not in wire502("read", TELLING, NO_COLOR="1").stdout
    assert escape not in wire502("read", TELLING, "--json", "--color", "always").stdout


@pytest.mark.parametrize("name", ["reset-before-response.pcapng", "ipv6.pcap", "pipelined-reset.pcap"])
def test_narrow(name: str) -> None:
    """Into a pipe no line of a report is wider than 80 columns."""
    text = wire502("read", CAPTURES / name).stdout.decode()

    assert len(text.splitlines()) > 10
    assert [] == [line for line in text.splitlines() if len(line) > 80]


def test_several_files() -> None:
    """Several captures are read as one; frames keep their numbers and say whose they are."""
    names = [CAPTURES / "fin-mid-body.pcap", CAPTURES / "ipv6.pcap"]
    said = lines(wire502("read", *names, "--json").stdout)
    failures = {(line["kind"], line["file"]) for line in said if line["type"] == "failure"}

    assert failures == {("fin_mid_body", 0), ("rst_mid_body", 1), ("connect_unreachable", 1)}
    assert [str(name) for name in names] == said[-1]["inputs"]
    assert sum(lines(wire502("read", name, "--json").stdout)[-1]["frames"] for name in names) == said[-1]["frames"]
