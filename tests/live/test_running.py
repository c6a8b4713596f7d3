"""The agent as a process: signals, rights, interfaces that go away, files that are rotated."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.live.lab import CABLE, PATIENCE_S, ROOT, Lab, for_nobody, wait_for
from tests.live.test_gateways import lines
from tests.live.upstream import PORTS
from wire502 import read
from wire502.api import Failure, Summary

RESET = PORTS["rst_before_response"]


def kinds(path: Path) -> list[str]:
    return [result["kind"] for result in lines(path) if result["type"] == "failure"]


def test_rights_are_given_up(lab: Lab) -> None:
    """Started as root it runs as nobody: no capability, no group, no way to get one again; and still captures."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json")
    status = live.status()
    nobody = pwd.getpwnam("nobody")
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert status["Groups"] == ""
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(live.out) == ["rst_before_response"], "the reset is told")
    assert live.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(lab: Lab, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it within two seconds, with the verdicts that were held back and the summary."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json")
    lab.ask_upstream(RESET)
    began = time.monotonic()
    assert live.end(number) == 0
    assert time.monotonic() - began < 2
    assert [result["type"] for result in lines(live.out)] == ["failure", "summary"]
    assert lines(live.out)[-1]["caveats"] == []


def test_counters_are_printed(lab: Lab) -> None:
    """SIGUSR1 prints the counters on standard error, and the capture goes on."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json")
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(live.out), "the reset is told")
    live.send(signal.SIGUSR1)
    wait_for(lambda: "failures rst_before_response 1" in live.err.read_text(), "the counters are printed")
    assert "dropped 0" in live.err.read_text()
    lab.ask_upstream(RESET)
    wait_for(lambda: len(kinds(live.out)) == 2, "the next reset is told")
    assert live.end() == 0


def test_an_interface_that_goes_down_and_comes_back(lab: Lab) -> None:
    """While the interface is down it waits and says so; what fails when it is up again is told."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json")
    lab.at_gateway("link", "set", CABLE, "down")
    wait_for(lambda: f"{CABLE} is down or gone" in live.err.read_text(), "it says that the interface is down")
    lab.at_gateway("link", "set", CABLE, "up")
    wait_for(lambda: f"{CABLE} is back" in live.err.read_text(), "it says that the interface is back")
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(live.out) == ["rst_before_response"], "the reset is told")
    assert live.end() == 0


def test_an_interface_that_is_replaced(lab: Lab) -> None:
    """An interface that is deleted and made anew, with another index, is captured again without any right."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json")
    lab.at_gateway("link", "del", CABLE)
    wait_for(lambda: f"{CABLE} is down or gone" in live.err.read_text(), "it says that the interface is gone")
    lab.cable()
    wait_for(lambda: f"{CABLE} is back" in live.err.read_text(), "it says that the interface is back")
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(live.out) == ["rst_before_response"], "the reset is told")
    assert live.end() == 0


def test_an_interface_of_other_sockets_that_goes_down(lab: Lab) -> None:
    """Scapy's sockets outlive an interface that is down for a while; where it is gone the run ends with its summary."""
    pytest.importorskip("scapy", reason="the extra live is not installed")
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "--backend", "scapy")
    lab.at_gateway("link", "set", CABLE, "down")
    time.sleep(0.5)
    lab.at_gateway("link", "set", CABLE, "up")
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(live.out) == ["rst_before_response"], "the reset is told")
    lab.at_gateway("link", "del", CABLE)
    assert live.running.wait(20) == 3
    assert f"{CABLE} is gone" in live.err.read_text()
    assert lines(live.out)[-1]["type"] == "summary"


def test_workers_share_the_traffic(lab: Lab) -> None:
    """Two processes with one --fanout take each connection once, both its directions; an interface that is replaced
    under them is captured again.
    """
    lab.upstreams()
    workers = [lab.live("-i", CABLE, "--json", "--fanout", "7", name=f"worker{number}") for number in (1, 2)]

    def failures() -> int:
        return sum(len(kinds(worker.out)) for worker in workers)

    for number in range(24):
        lab.ask_upstream(RESET, f"/first/{number}")
    wait_for(lambda: failures() == 24, "each reset is told by one of them")
    lab.at_gateway("link", "del", CABLE)
    for worker in workers:
        wait_for(
            lambda worker=worker: "is down or gone" in worker.err.read_text(), "it says that the interface is gone"
        )
    lab.cable()
    for worker in workers:
        wait_for(lambda worker=worker: "is back" in worker.err.read_text(), "it says that the interface is back")
    for number in range(8):
        lab.ask_upstream(RESET, f"/second/{number}")
    wait_for(lambda: failures() == 32, "each reset is told by one of them, again")
    assert [worker.end() for worker in workers] == [0, 0]
    assert set(kinds(workers[0].out) + kinds(workers[1].out)) == {"rst_before_response"}
    assert all(lines(worker.out)[-1]["connections"] for worker in workers)
    assert sum(lines(worker.out)[-1]["connections"] for worker in workers) == 32


def test_a_wait_past_its_deadline(lab: Lab) -> None:
    """A wait past its deadline is pending, and a failure under the same id when the client gave up."""
    lab.upstreams()
    live = lab.live("-i", CABLE, "--json", "--set", "first_byte_deadline=500ms")
    lab.ask_upstream(PORTS["stall_before_response"], patience=2)
    wait_for(lambda: b'"failure"' in live.out.read_bytes(), "the failure is told")
    assert live.end() == 0
    pending, failure, _ = lines(live.out)
    assert (pending["type"], failure["type"]) == ("pending", "failure")
    assert pending["id"] == failure["id"]
    assert pending["kind"] == failure["kind"] == "stall_before_response"
    assert pending["frame"] == failure["frame"]
    assert 0.5 <= pending["seconds"] < 1.5


def test_the_output_survives_its_rotation(lab: Lab) -> None:
    """A file of lines that was moved away is opened anew on SIGHUP, by the user that has no rights."""
    lab.upstreams()
    nobody = pwd.getpwnam("nobody")
    lab.open_to_all()
    logs = lab.folder / "logs"
    logs.mkdir()
    os.chown(logs, nobody.pw_uid, nobody.pw_gid)
    path, old = logs / "wire502.json", logs / "wire502.json.1"
    live = lab.live("-i", CABLE, "--json", "-o", str(path))
    lab.ask_upstream(RESET)
    wait_for(lambda: kinds(path) == ["rst_before_response"], "the reset is told")
    path.rename(old)
    live.send(signal.SIGHUP)
    wait_for(path.exists, "the file is there again")
    lab.ask_upstream(PORTS["fin_before_response"])
    wait_for(lambda: kinds(path) == ["fin_before_response"], "the close is told in the new file")
    assert live.end() == 0
    assert kinds(old) == ["rst_before_response"]


def test_log_records_reach_a_collector(lab: Lab) -> None:
    """With --otlp a collector hears of a failure, from a program that has no rights any more."""
    lab.upstreams()
    code = (
        "import http.server, sys\n"
        "class Collector(http.server.BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n"
        "        print(self.rfile.read(int(self.headers['Content-Length'])).decode(), flush=True)\n"
        "        self.send_response(200); self.end_headers()\n"
        "server = http.server.HTTPServer(('127.0.0.1', 4318), Collector); print('ready', flush=True)\n"
        "server.timeout = 60; server.handle_request()\n"
    )
    collector = lab.start("collector", sys.executable, "-c", code)
    wait_for(lambda: "ready" in collector.out.read_text(), "the collector listens")
    live = lab.live("-i", CABLE, "--json", "--otlp")
    lab.ask_upstream(RESET)
    wait_for(lambda: collector.out.read_text().count("\n") > 1, "a log record arrives")
    logs = json.loads(collector.out.read_text().splitlines()[1])["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert live.end() == 0
    (failure,) = (result for result in lines(live.out) if result["type"] == "failure")
    (record,) = logs
    assert record["body"]["stringValue"] == failure["summary"]
    assert {"key": "wire502.frame", "value": {"intValue": str(failure["frame"])}} in record["attributes"]


def test_it_ends_in_time_whoever_stands_still(lab: Lab) -> None:
    """A collector that never answers, a reader that never reads and a bundle that is being made keep nobody waiting."""
    lab.upstreams()
    code = (
        "import socket, time\n"
        "listener = socket.create_server(('127.0.0.1', 4318)); print('ready', flush=True)\n"
        "one, _ = listener.accept(); print('asked', flush=True); time.sleep(60)\n"
    )
    collector = lab.start("collector", sys.executable, "-c", code)
    wait_for(lambda: "ready" in collector.out.read_text(), "the collector listens")
    pipe, unread = os.pipe()
    evidence = ("--evidence", str(lab.disk(32 << 20)), "--set", "evidence_after=0s", *for_nobody())
    live = lab.on_terminal(unread, "-i", CABLE, "--json", "--otlp", *evidence)
    os.set_blocking(unread, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(unread, bytes(65536))  # the pipe is full before the first line
    os.set_blocking(unread, True)

    def asked() -> bool:
        lab.ask_upstream(RESET)
        return "asked" in collector.out.read_text()

    wait_for(asked, "the collector is asked")
    began = time.monotonic()
    live.send(signal.SIGTERM)
    assert live.running.wait(20) == 0
    assert time.monotonic() - began < 2.5  # two seconds, and what a busy machine adds
    os.close(pipe)
    os.close(unread)


def test_it_ends_after_so_many_packets(lab: Lab) -> None:
    """With -c it ends after that many packets, all of them in the file of -w."""
    lab.upstreams()
    path = lab.folder / "w.pcap"
    live = lab.live("-i", CABLE, "-c", "5", "-w", str(path), "--quiet", "tcp")
    lab.ask_upstream(RESET)
    assert live.running.wait(20) == 0
    *_, summary = read(path)
    assert isinstance(summary, Summary)
    assert summary.frames == 5


def test_one_message_without_rights(lab: Lab) -> None:
    """Without the right to capture there is one line, which says what to grant, and exit status 2."""
    command = [sys.executable, "-m", "wire502", "live", "-i", CABLE]
    dropped = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]
    live = lab.start("refused", *dropped, *command)
    assert live.running.wait(20) == 2
    said = live.err.read_text()
    assert said.count("\n") == 1
    assert "CAP_NET_RAW" in said
    assert live.out.read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-i", "nosuch0"), "there is no such interface"),
        (("-i", CABLE, "port http80x"), "filter 'port http80x'"),
        (("-i", CABLE, "-C", "1"), "there is no -w"),
        (("-i", CABLE, "-Z", "nosuchuser"), "no user 'nosuchuser'"),
        (("-i", CABLE, "-w", "/proc/nothing.pcap"), "cannot be written"),
        (("-i", CABLE, "-o", "/proc/nothing.json"), "/proc/nothing.json: cannot be written"),
        (("-i", CABLE, "-B", "99999999999"), "a smaller ring may do"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(lab: Lab, arguments: tuple[str, ...], words: str) -> None:
    """Whatever cannot be captured or written is one line on standard error and exit status 2."""
    live = lab.start("refused", sys.executable, "-m", "wire502", "live", *arguments)
    assert live.running.wait(20) == 2
    assert words in live.err.read_text()
    assert live.err.read_text().count("\n") == 1


def test_a_pipe_from_tcpdump(lab: Lab, tcpdump: str) -> None:
    """Packets of tcpdump through a pipe are analysed as they come, without any right."""
    lab.upstreams()
    pipe = f"exec {tcpdump} -i {CABLE} -U -w - 2>/dev/null | exec {sys.executable} -m wire502 live --from-pipe - --json"
    live = lab.start("piped", "sh", "-c", pipe)
    time.sleep(1)
    until = time.monotonic() + 20
    while not kinds(live.out) and time.monotonic() < until:  # tcpdump says nowhere that it has begun
        lab.ask_upstream(RESET)
        time.sleep(0.5)
    assert set(kinds(live.out)) == {"rst_before_response"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pipe_that_is_silent_holds_nothing_up(number: signal.Signals) -> None:
    """Told to end while it waits for a pipe it ends with what it has, and with nothing but the summary to say."""
    command = [sys.executable, "-m", "wire502", "live", "--from-pipe", "-", "--json", "-Z", "root"]
    capture = (ROOT / "captures" / "reset-before-response.pcapng").read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(capture)
        process.stdin.flush()
        told = process.stdout.readline()  # the pipe stays open, and nothing more comes
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""
        assert json.loads(told)["type"] == "failure"
        assert json.loads(process.stdout.read().splitlines()[-1])["type"] == "summary"


def test_a_growing_file(tmp_path: Path) -> None:
    """A file that grows is followed: what fails in what is added is told; SIGTERM ends it with the summary."""
    source = ROOT / "captures"
    sample = next(
        path for path in sorted(source.glob("*.pcap*")) if any(isinstance(one, Failure) for one in list(read(path)))
    )
    octets = sample.read_bytes()
    path = tmp_path / "growing.pcap"
    path.write_bytes(octets[: len(octets) // 2])
    out = tmp_path / "out"
    with out.open("wb") as stream:
        command = [sys.executable, "-m", "wire502", "live", "--follow", str(path), "--json", "-Z", "root"]
        with subprocess.Popen(command, stdout=stream, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
            with path.open("ab") as grown:
                time.sleep(0.5)
                grown.write(octets[len(octets) // 2 :])
            wait_for(lambda: kinds(out), "the failure is told")
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
    assert lines(out)[-1]["type"] == "summary"


def test_packets_rotate_in_a_ring(lab: Lab) -> None:
    """With -C and -W packets go round a ring of files, each of them a capture, none larger than it may be."""
    lab.upstreams()
    folder = lab.folder / "ring"
    folder.mkdir()
    live = lab.live("-i", CABLE, "--quiet", "-Z", "root", "-w", str(folder / "p"), "-C", "1", "-W", "3")
    lab.flood(octets=6_000_000)
    wait_for(lambda: len(list(folder.iterdir())) == 3, "three files are there")
    assert live.end() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["p0", "p1", "p2"]
    for path in folder.iterdir():
        assert path.stat().st_size <= 1_000_000
        *_, summary = read(path)
        assert isinstance(summary, Summary)
        assert summary.frames


def test_files_begin_with_the_time(lab: Lab) -> None:
    """With -G a new file begins every second, named by the time; with -W it ends after that many, by itself."""
    lab.upstreams()
    folder = lab.folder / "times"
    folder.mkdir()
    pattern = str(folder / "%H%M%S.pcap")
    live = lab.live("-i", CABLE, "--quiet", "-Z", "root", "-w", pattern, "-G", "1", "-W", "2")
    lab.ask_upstream(RESET)
    assert live.running.wait(20) == 0
    files = sorted(folder.iterdir())
    assert len(files) == 2
    frames = [summary.frames for path in files for summary in read(path) if isinstance(summary, Summary)]
    assert frames[0] > 5


@pytest.mark.parametrize("backend", ["ring", "scapy"])
def test_all_interfaces_at_once(lab: Lab, backend: str) -> None:
    """Without -i it captures on every interface that is up, whatever it captures with."""
    lab.upstreams()
    if backend == "scapy":
        pytest.importorskip("scapy", reason="the extra live is not installed")
    live = lab.live("--json", "--backend", backend)
    lab.ask_upstream(RESET)
    own = (
        "import socket; s = socket.create_server(('127.0.0.1', 8080)); c = socket.create_connection(s.getsockname())\n"
    )
    own += (
        "d, _ = s.accept(); c.sendall(b'GET / HTTP/1.1\\r\\nHost: lab\\r\\n\\r\\n'); d.recv(99); d.close(); c.recv(9)"
    )
    assert lab.start("own", sys.executable, "-c", own).running.wait(20) == 0
    wait_for(lambda: sorted(kinds(live.out)) == ["fin_before_response", "rst_before_response"], "both are told")
    assert live.end() == 0


def test_it_says_that_it_has_begun(lab: Lab) -> None:
    """Who waits at a terminal hears that it captures, and as whom; a log does not."""
    ours, theirs = os.openpty()
    live = lab.on_terminal(theirs, "-i", CABLE, stderr=theirs)
    seen = bytearray()
    try:

        def shows() -> bool:
            if select.select([ours], [], [], 0)[0]:
                seen.extend(os.read(ours, 65536))
            return b"\n" in seen

        wait_for(shows, "it says so")
        assert seen.decode().strip() == f"wire502: capturing on {CABLE} as nobody; Ctrl-C ends it"
        assert live.end(signal.SIGINT) == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_interfaces_are_listed(lab: Lab) -> None:
    """--list-interfaces names those of this host, their state, and any."""
    listed = lab.start("listed", sys.executable, "-m", "wire502", "live", "--list-interfaces")
    assert listed.running.wait(20) == 0
    names = [line.split()[0] for line in listed.out.read_text().splitlines()]
    assert sorted(names) == ["any", "front0", "lo", CABLE]
    assert any(line.split() == [CABLE, "up"] for line in listed.out.read_text().splitlines())


def test_a_table_on_a_terminal(lab: Lab) -> None:
    """On a terminal --table draws upstreams and failures on a screen of its own, and gives it back for the summary."""
    lab.upstreams()
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    live = lab.on_terminal(theirs, "-i", CABLE, "--table", "--color", "never")
    seen = bytearray()

    def shows(words: bytes) -> bool:
        while select.select([ours], [], [], 0)[0]:
            try:
                seen.extend(os.read(ours, 65536))
            except OSError:  # nobody writes there any more
                break
        return words in seen

    try:
        wait_for(lambda: shows(b"upstream"), "the table is drawn")
        lab.ask_upstream(RESET)
        wait_for(lambda: shows(b"rst_before_response"), "the failure is in it")
        assert shows(b"\x1b[?1049h")
        assert not shows(b"\x1b[?1049l")
        live.send(signal.SIGINT)
        wait_for(lambda: live.running.poll() is not None, "it ends")
        assert live.running.returncode == 0
        assert shows(b"\x1b[?1049l")
        assert b"1 failure" in bytes(seen).split(b"\x1b[?1049l")[-1]
    finally:
        os.close(ours)
        os.close(theirs)
