"""What a host does to a program that runs for months: disks that fill up, folders that turn read-only, clocks that
are set, logs that are taken away. Capture goes on; what was lost is said and counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.lab import CABLE, ROOT, Lab, for_nobody, wait_for
from tests.live.test_gateways import lines
from tests.live.test_running import kinds
from tests.live.upstream import PORTS
from tests.wire import Wire
from wire502 import read
from wire502.api import Summary
from wire502.evidence import verify

KINDS = ("rst_before_response", "fin_before_response", "fin_mid_headers", "fin_mid_body")
AT_ONCE = ("--set", "evidence_after=0s", "--set", "evidence_every=0s")


def bundles(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def fill(disk: Path) -> Path:
    """Write a file until the disk is full."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


def fail(lab: Lab, out: Path, kind: str) -> None:
    """Have a request fail, and wait until that is told."""
    before = kinds(out).count(kind)
    lab.ask_upstream(PORTS[kind])
    wait_for(lambda: kinds(out).count(kind) > before, f"{kind} is told")


def test_a_disk_that_is_full_stops_no_capture(lab: Lab) -> None:
    """Without room for evidence failures are told as ever; that is said once, counted, and over when there is room."""
    pytest.importorskip("prometheus_client", reason="the extra live is not installed")
    disk = lab.disk(6 << 20)
    evidence = disk / "evidence"
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "--evidence", str(evidence), "--metrics", *AT_ONCE, *for_nobody())
    fail(lab, live.out, KINDS[0])
    wait_for(lambda: len(bundles(evidence)) == 1, "the first bundle is there")
    filler = fill(disk)
    for count in (1, 2):
        fail(lab, live.out, KINDS[count])
        said = f'wire502_evidence_bundles_total{{outcome="failed"}} {count}.0'
        wait_for(lambda said=said: said in lab.fetch("http://127.0.0.1:9502/metrics"), "the fault is counted")
    assert live.err.read_text().count("no evidence was written") == 1
    assert "No space left" in live.err.read_text()
    assert "ok" in lab.fetch("http://127.0.0.1:9502/healthz")
    filler.unlink()
    fail(lab, live.out, KINDS[1])
    wait_for(lambda: len(bundles(evidence)) == 2, "the next bundle is there")
    wait_for(lambda: "evidence is written again" in live.err.read_text(), "it is said that it works again")
    assert live.end() == 0
    assert [verify(path) for path in bundles(evidence)] == [[], []]
    assert not list(evidence.glob(".making-*"))
    assert lines(live.out)[-1]["dropped"] == 0


def test_a_folder_that_turns_read_only(lab: Lab) -> None:
    """Where the disk of the evidence turns read-only capture goes on; when it is writable again bundles are made."""
    disk = lab.disk(32 << 20)
    evidence = disk / "evidence"
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "--evidence", str(evidence), *AT_ONCE, *for_nobody())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    fail(lab, live.out, KINDS[0])
    wait_for(lambda: "no evidence was written (1 so far)" in live.err.read_text(), "it is said")
    assert "Read-only file system" in live.err.read_text()
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    fail(lab, live.out, KINDS[1])
    wait_for(lambda: len(bundles(evidence)) == 1, "the next bundle is there")
    assert live.end() == 0


def test_a_folder_that_may_not_be_written(lab: Lab) -> None:
    """A folder that the user without rights could not write is one line at the start, and exit status 2."""
    folder = lab.folder / "evidence"
    folder.mkdir(mode=0o700)
    command = [sys.executable, "-m", "wire502", "live", "-i", CABLE, "--evidence", str(folder)]
    live = lab.start("refused", *command)
    assert live.running.wait(20) == 2
    assert "may not be written by the user that captures" in live.err.read_text()
    assert live.err.read_text().count("\n") == 1


def test_files_on_a_full_disk_stay_whole(lab: Lab) -> None:
    """Lines and packets that found no room are missing, but every line and every record that is there is whole."""
    disk = lab.disk(256 << 10)
    out, packets = disk / "out.json", disk / "w.pcap"
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "-o", str(out), "-w", str(packets))
    fail(lab, out, KINDS[0])
    filler = fill(disk)
    for _ in range(3):
        lab.flood(octets=100_000)
        lab.ask_upstream(PORTS[KINDS[1]])
        lab.ask_upstream(PORTS[KINDS[2]])
    wait_for(lambda: f"cannot write {packets}" in live.err.read_text(), "the loss of packets is said")
    wait_for(lambda: f"cannot write {out}" in live.err.read_text(), "the loss of lines is said")
    filler.unlink()
    fail(lab, out, KINDS[3])
    wait_for(lambda: f"{out} is written again" in live.err.read_text(), "it is said that lines are written again")
    assert live.end() == 0
    assert [json.loads(line)["type"] for line in out.read_text().splitlines()][-1] == "summary"
    reading = read(packets)
    *_, summary = reading
    assert isinstance(summary, Summary)
    assert summary.frames > 0
    assert reading.damage == []
    assert live.err.read_text().count("cannot write") == 2


def test_a_program_that_nobody_may_run(lab: Lab) -> None:
    """Where the user without rights could not run what makes bundles, that is one line at the start too."""
    if not for_nobody():
        pytest.skip("everybody may run this Python")
    command = [sys.executable, "-m", "wire502", "live", "-i", CABLE, "--evidence", str(lab.disk(1 << 20))]
    live = lab.start("refused", *command)
    assert live.running.wait(20) == 2
    assert "may not be used by the user that captures" in live.err.read_text()
    assert live.err.read_text().count("\n") == 1


def test_what_the_kernel_lost_is_never_hidden(lab: Lab) -> None:
    """While the program stands still its ring runs over: the loss is said and counted, of a connection whose end went
    by in it nothing is claimed, and what fails behind it is as sure as ever.
    """
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "-B", "1")
    asked = lab.start(
        "asked",
        sys.executable,
        "-c",
        "import socket, sys, time\n"
        f"conn = socket.create_connection(('10.77.0.2', {PORTS['fin_before_response']}))\n"
        "conn.sendall(b'GET /lost HTTP/1.1\\r\\nHost: a\\r\\n'); print('begun', flush=True)\n"
        "sys.stdin = open(sys.argv[1]); sys.stdin.read(1)\n"
        "conn.sendall(b'\\r\\n'); conn.recv(100)\n",
        str(_fifo(lab.folder / "go")),
    )
    wait_for(lambda: "begun" in asked.out.read_text(), "half a request is sent")
    time.sleep(0.3)
    live.send(signal.SIGSTOP)
    lab.flood(octets=12_000_000)
    (lab.folder / "go").write_text("x")
    asked.running.wait(20)
    live.send(signal.SIGCONT)
    wait_for(lambda: "lost by the kernel: the ring was full" in live.err.read_text(), "the loss is said")
    fail(lab, live.out, "rst_before_response")
    assert live.end() == 0
    told, unknown, summary = lines(live.out)
    assert (told["kind"], told["confidence"], told["caveats"]) == ("rst_before_response", "high", [])
    assert unknown["type"] == "open"
    assert summary["dropped"] > 0


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_set(tmp_path: Path, hours: int) -> None:
    """Time stamps jump by hours, back or ahead, while packets come: what fails afterwards is told at once."""
    first, second = (failing(f"/{name}") for name in ("before", "after"))
    for frame in second.frames:
        frame.time_ns += hours * 3600 * 10**9
    one, both = first.write(tmp_path / "first.pcap").read_bytes(), second.write(tmp_path / "second.pcap").read_bytes()
    out = tmp_path / "out"
    command = [sys.executable, "-m", "wire502", "live", "--from-pipe", "-", "--json", "-Z", "root"]
    with out.open("wb") as stream:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream, env=environment) as process:
            assert process.stdin is not None
            process.stdin.write(one)
            process.stdin.flush()
            wait_for(lambda: kinds(out) == ["rst_before_response"], "the first failure is told")
            process.stdin.write(both[24:])
            process.stdin.flush()
            wait_for(
                lambda: kinds(out) == ["rst_before_response"] * 2, "the second failure is told, while the pipe is open"
            )
            process.stdin.close()
            assert process.wait(20) == 0
    failures = [line for line in lines(out) if line["type"] == "failure"]
    assert [one["request"]["target"] for one in failures] == ["/before", "/after"]
    assert {one["confidence"] for one in failures} == {"high"}


def failing(target: str) -> Wire:
    """Return a connection that is reset before the response."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000" if target == "/before" else "10.0.0.1:41001", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    conn.server.ack()
    conn.server.reset()
    return wire
