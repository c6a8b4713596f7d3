"""What tshark says of cited frames, and what is said when it cannot be asked."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.report import samples
from wire502.cli import main
from wire502.evidence import EvidenceError, tshark_version, verify
from wire502.evidence.second_opinion import Seen, dissected, judged

SAMPLE = Path(__file__).parents[2] / "captures" / "reset-before-response.pcapng"


def reset(**changes: object) -> Seen:
    made = Seen(6, "ip:tcp", "10.0.0.2:8080", frozenset({"rst", "ack"}), layers=frozenset({"ip", "tcp"}))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "seen", "agrees"),
    [
        ("rst_before_response", reset(), True),
        ("rst_before_response", reset(flags=frozenset({"fin"})), False),
        ("rst_before_response", reset(sender="10.0.0.1:41000"), False),
        ("rst_before_response", None, None),
        ("fin_mid_body", reset(flags=frozenset({"fin", "ack"})), True),
        ("connect_refused", reset(), True),
        ("connect_refused", reset(flags=frozenset({"rst"})), False),
        ("connect_timeout", reset(sender="10.0.0.1:41000", flags=frozenset({"syn"})), True),
        ("stale_keepalive", reset(flags=frozenset({"fin"})), True),
        ("gateway_abort", reset(sender="10.0.0.1:41000"), True),
        ("connect_unreachable", reset(layers=frozenset({"icmp"})), True),
        ("connect_unreachable", reset(), False),
        ("invalid_chunk", reset(payload=5), True),
        ("stall_before_response", reset(sender="10.0.0.1:41000"), None),
        ("rst_before_response", reset(sender=""), None),
    ],
)
def test_it_agrees_with_what_it_sees(kind: str, seen: Seen | None, agrees: bool | None) -> None:
    """Flags and sender of the failure point decide; a silence is no frame, so there is no opinion on it."""
    assert judged(samples.reset_before_response(kind=kind), seen)[0] is agrees


def test_it_agrees_with_the_status() -> None:
    """A relayed error is confirmed by its status, and by no other."""
    failure = replace(samples.short_body(), kind="relayed_error")
    assert failure.response is not None
    there = reset(sender=failure.connection.upstream, status=failure.response.status)

    assert judged(failure, there)[0] is True
    assert judged(failure, replace(there, status=418))[0] is False
    assert judged(failure, replace(there, status=None))[0] is None


def test_the_bundle_holds_its_dissection(tmp_path: Path, tshark: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The bundle gets a file with its dissection of each cited frame, agrees, verifies and is the same each time."""
    pytest.importorskip("pyshark")
    for name in ("one", "two"):
        assert main(["report", str(SAMPLE), "-o", str(tmp_path / name), "--second-opinion"]) == 0
    text = (tmp_path / "one" / "second-opinion.txt").read_text()

    assert "agrees with 1 of 1 verdicts" in capsys.readouterr().err
    assert "f1 rst_before_response at frame 19: agrees: ack+rst from 10.2.0.2:8080" in text
    assert "FAILURE POINT" in text
    assert "Source Port: 8080" in text
    assert "agrees with 1 of 1 verdicts" in (tmp_path / "one" / "report.md").read_text()
    assert verify(tmp_path / "one") == []
    assert text == (tmp_path / "two" / "second-opinion.txt").read_text()


def fake(folder: Path, text: str, status: int = 0) -> None:
    path = folder / "tshark"
    path.write_text(f"#!/bin/sh\necho '{text}'\nexit {status}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("TShark (Wireshark) 2.6.1 (v2.6.1)", 0, "too old"),
        ("not a version", 0, "does not say its version"),
        ("TShark (Wireshark) 4.0.0", 3, "does not say its version"),
        (None, 0, "there is none"),
    ],
)
def test_a_poor_tshark_is_a_clear_word(
    text: str | None, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A tshark that is missing, too old or none is said in one line, before anything is read or written."""
    pytest.importorskip("pyshark")
    if text is not None:
        fake(tmp_path, text, status)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere" if text is None else f"{tmp_path}{os.pathsep}/bin")

    assert main(["report", str(SAMPLE), "-o", str(tmp_path / "b"), "--second-opinion"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "b").exists()


def test_a_missing_extra_is_a_clear_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyshark the message says how to get it."""
    monkeypatch.setitem(sys.modules, "pyshark.tshark.tshark", None)

    with pytest.raises(EvidenceError, match=r"pip install 'wire502\[tshark\]'"):
        tshark_version()


def test_nothing_is_left_behind_in_the_process() -> None:
    """Children that end later are no matter of the loop that asked tshark: its handler and its socket are gone."""
    pytest.importorskip("pyshark", reason="the extra tshark is not installed")
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    before = signal.getsignal(signal.SIGCHLD)
    assert [one.frame for one in dissected(SAMPLE, [1, 19])] == [1, 19]
    assert signal.getsignal(signal.SIGCHLD) is before
    assert signal.set_wakeup_fd(-1) == -1
