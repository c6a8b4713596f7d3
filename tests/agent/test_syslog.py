"""What the journal and syslog hear, over a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wire502.agent.syslog import MOST, Syslog, journal, line
from wire502.api import Result, read
from wire502.errors import SettingError
from wire502.model.verdict import Failure, Incident

CAPTURE = "captures/reset-before-response.pcapng"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    """Listens where the daemon would."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(tmp_path / "log"))
    made.settimeout(20)
    yield made
    made.close()


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """A failure and its incident."""
    return [result for result in list(read(CAPTURE)) if isinstance(result, Failure | Incident)]


def test_the_journal_gets_fields(daemon: socket.socket, tmp_path: Path, results: list[Result]) -> None:
    """A failure is a warning that can be looked up by kind and upstream, an incident an error."""
    part = Syslog("journal", str(tmp_path / "log"))
    part.results(results)
    failure, incident = (daemon.recv(8192).decode().splitlines() for _ in range(2))
    part.close()
    assert "PRIORITY=4" in failure
    assert "WIRE502_KIND=rst_before_response" in failure
    assert "WIRE502_UPSTREAM=10.2.0.2:8080" in failure
    assert "PRIORITY=3" in incident
    assert any(field.startswith("MESSAGE=i1: 502 to ") for field in incident)


def test_syslog_gets_lines(daemon: socket.socket, tmp_path: Path, results: list[Result]) -> None:
    """Priority, time and name as RFC 3164 has them."""
    part = Syslog("syslog", str(tmp_path / "log"))
    part.results(results)
    assert daemon.recv(8192).startswith(b"<28>")
    assert daemon.recv(8192).startswith(b"<27>")
    part.close()


def test_a_masked_failure_is_a_notice(daemon: socket.socket, tmp_path: Path, results: list[Result]) -> None:
    """What a retry made good wakes nobody."""
    part = Syslog("syslog", str(tmp_path / "log"))
    part.results([replace(results[0], masked=True)])  # type: ignore[type-var]
    assert daemon.recv(8192).startswith(b"<29>")
    part.close()


def test_a_daemon_that_is_restarted_is_found_again(tmp_path: Path, results: list[Result]) -> None:
    """What nobody heard is counted; then there is somebody again."""
    path = tmp_path / "log"
    first = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    first.bind(str(path))
    part = Syslog("journal", str(path))
    first.close()
    path.unlink()
    part.results(results[:1])
    assert part.lost == 1
    second = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    second.bind(str(path))
    second.settimeout(20)
    part.results(results[:1])
    part.results(results[:1])
    assert b"WIRE502_KIND" in second.recv(8192)
    second.close()
    part.close()


def test_nobody_there_is_said(tmp_path: Path) -> None:
    """One line names the socket."""
    with pytest.raises(SettingError, match="--log-to journal"):
        Syslog("journal", str(tmp_path / "none"))


def test_text_of_the_wire_makes_no_field_and_no_line() -> None:
    """Line breaks in a value stay in the value."""
    hostile = "x\nPRIORITY=0\n<0>root: lies"
    octets = journal({"MESSAGE": hostile})
    assert octets == b"MESSAGE\n" + len(hostile).to_bytes(8, "little") + hostile.encode() + b"\n"
    told = line(3, hostile, time.gmtime(0))
    assert b"\n" not in told
    assert told.startswith(f"<27>Jan  1 00:00:00 wire502[{os.getpid()}]: x PRIORITY=0".encode())


def test_a_line_has_an_end() -> None:
    """However long a target was, a datagram is not."""
    assert len(line(3, "x" * 100_000, time.gmtime(0))) == MOST
