"""The unit that is shipped, under systemd itself: its sandbox, its journal, its watchdog."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.lab import ROOT, wait_for
from tests.live.machine import LAB, Machine

UNIT = ROOT / "packaging" / "wire502.service"
OPTIONS = "WIRE502_OPTIONS=-i lo --log-to journal --set evidence_after=300ms --set evidence_every=1s"
WATCHDOG_S = 2
LINES = "/var/log/wire502/wire502.json"
# An upstream that ends a connection instead of answering, and a client of it.
FAILING = """
import socket
with socket.create_server(("127.0.0.1", 8080)) as server, socket.create_connection(("127.0.0.1", 8080)) as client:
    conn, _ = server.accept()
    client.sendall(b"GET /item HTTP/1.1\\r\\nHost: lab\\r\\n\\r\\n")
    conn.recv(1000)
    conn.close()
    client.recv(1000)
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine on which the service runs; its watchdog is more impatient than the shipped one."""
    with Machine(tmp_path, UNIT, OPTIONS, f"[Service]\nWatchdogSec={WATCHDOG_S}\n") as made:
        wait_for(lambda: made.about("ActiveState") != "activating", "the service has started")
        assert made.about("ActiveState") == "active", made.console() + made.run("journalctl", "-u", "wire502")
        yield made


def fail(machine: Machine) -> None:
    """Have a request fail on the machine."""
    machine.run(f"{LAB}/venv/bin/python3", "-c", FAILING)


def lines(machine: Machine) -> list[dict[str, object]]:
    """Return what the service wrote to its file."""
    return [json.loads(line) for line in machine.run("cat", LINES).splitlines()]


def test_the_unit_does_its_work_under_systemd(machine: Machine) -> None:
    """Shut in as the unit says it marks a failure, tells the journal, makes a bundle, reloads, and ends in time."""
    began, number = time.monotonic(), machine.about("MainPID")
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{number}/status").splitlines())
    assert status["Uid"].split()[0] != "0"
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert machine.about("StatusText") == "capturing on lo"

    fail(machine)
    wait_for(lambda: lines(machine), "the failure is in the file")
    assert [(line["type"], line["kind"]) for line in lines(machine)] == [("failure", "fin_before_response")]
    logged = json.loads(machine.run("journalctl", "WIRE502_KIND=fin_before_response", "-o", "json"))
    assert (logged["_SYSTEMD_UNIT"], logged["PRIORITY"], logged["WIRE502_UPSTREAM"]) == (
        "wire502.service",
        "4",
        "127.0.0.1:8080",
    )

    wait_for(lambda: machine.run("ls", "/var/lib/wire502/evidence").endswith("8080"), "a bundle is made")
    bundle = machine.run("ls", "/var/lib/wire502/evidence")
    kept = machine.run("ls", f"/var/lib/wire502/evidence/{bundle}").split()
    assert {"evidence.pcapng", "incident.json", "manifest.json", "report.md"} <= set(kept)

    machine.run("mv", LINES, f"{LINES}.1")
    machine.run("systemctl", "reload", "wire502")
    wait_for(lambda: machine.run("cat", LINES) == "" and machine.run("ls", LINES), "the file is begun anew")
    fail(machine)
    wait_for(lambda: lines(machine), "the failure is in the new file")

    while time.monotonic() < began + 2 * WATCHDOG_S:  # that nothing happens takes its time
        time.sleep(0.1)
    assert (machine.about("MainPID"), machine.about("NRestarts")) == (number, "0")
    began = time.monotonic()
    machine.run("systemctl", "stop", "wire502")
    took = time.monotonic() - began
    assert (machine.about("Result"), machine.about("ExecMainStatus"), machine.about("ActiveState")) == (
        "success",
        "0",
        "inactive",
    )
    assert lines(machine)[-1]["type"] == "summary"
    assert took < 5  # 2 s by itself; the rest is for a machine with other work
    assert "no evidence" not in machine.run("journalctl", "-u", "wire502")


def test_a_loop_that_stands_is_started_anew(machine: Machine) -> None:
    """What does not turn any more is ended by the watchdog, and begins again."""
    number = machine.about("MainPID")
    machine.run("kill", "-STOP", number)
    wait_for(lambda: machine.about("MainPID") not in (number, "0"), "it is started anew", 30)
    wait_for(lambda: machine.about("ActiveState") == "active", "it captures again")
    assert machine.about("NRestarts") == "1"
