"""The command line from the outside: output, errors of one line, exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes import Stage
from tests.report import samples
from tests.wire import Wire
from wire502.cli import main
from wire502.cli.group import COMMANDS
from wire502.model.capture_info import InputDamage

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wire502", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **options)


def one_line(text: str) -> bool:
    return text.startswith("wire502: ") and text.count("\n") == 1 and "Traceback" not in text


def test_json_lines(stage: Stage, capsys: Captured) -> None:
    """With --json standard output holds one JSON object a line and nothing else, the summary last."""
    stage.play(*samples.everything()[:-1])
    status = main(["read", "a.pcap", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert 0 == status
    assert ["failure"] * 7 + [
        "incident",
        "open",
        "exchange",
        "update",
        "pending",
        "cleared",
        "log",
        "log_summary",
        "summary",
    ] == [line["type"] for line in lines]
    assert lines[0]["time"].endswith(".880000Z")


def test_json_has_nine_digits_when_the_capture_has(stage: Stage, capsys: Captured) -> None:
    """An interface finer than microseconds makes all times nine digits long."""
    stage.nanoseconds = True
    stage.play(samples.reset_before_response())
    main(["read", "a.pcap", "--json"])

    assert json.loads(capsys.readouterr().out.splitlines()[0])["time"].endswith(".880000000Z")


def test_text_for_a_pipe(stage: Stage, capsys: Captured) -> None:
    """Piped text has no colours and fits 80 columns; --color always adds them."""
    stage.play(samples.reset_before_response())
    main(["read", "a.pcap"])
    text = capsys.readouterr().out

    assert text.startswith("✗ 502 at 12:04:31.882  GET /cart → 10.0.0.2:8080\n")
    assert "1,200 frames" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80

    stage.play(samples.reset_before_response())
    main(["read", "a.pcap", "--color", "always"])

    assert "\x1b[1;31m" in capsys.readouterr().out


def test_quiet(stage: Stage, capsys: Captured) -> None:
    """With --quiet a capture without failures prints nothing, and one with prints the failures only."""
    assert 0 == main(["read", "a.pcap", "--quiet"])
    assert "" == capsys.readouterr().out

    stage.play(samples.reset_before_response(), samples.opened())
    main(["read", "a.pcap", "--quiet"])
    text = capsys.readouterr().out

    assert "rst_before_response" in text
    assert "1,200 frames" not in text
    assert "?" not in text


def test_redact(stage: Stage, capsys: Captured) -> None:
    """With --redact no value of a query is printed, in text and in JSON."""
    for form in ([], ["--json"]):
        stage.play(samples.stall())
        main(["read", "a.pcap", *form, "--redact"])
        text = capsys.readouterr().out

        assert "s3cret" not in text
        assert "/report?" in text


def test_exit_code_counts_unmasked_failures(stage: Stage) -> None:
    """--exit-code is 1 for a failure, 0 for masked ones and those that the gateway ended, 0 without the option."""
    for results, options, expected in (
        ([samples.reset_before_response()], ["--exit-code"], 1),
        ([samples.reset_before_response()], ["--exit-code", "--limit", "0"], 1),
        ([samples.reset_before_response()], [], 0),
        ([samples.refused(), samples.abort(), samples.opened()], ["--exit-code"], 0),
    ):
        stage.play(*results)

        assert expected == main(["read", "a.pcap", *options])


def test_damage_beats_failures(stage: Stage, capsys: Captured) -> None:
    """A damaged input is status 3, even with --exit-code and a failure, and says where in one line."""
    stage.damage = InputDamage("a.pcap", 1234, "the last record is cut", "editcap a.pcap b.pcap")
    stage.play(samples.reset_before_response())
    status = main(["read", "a.pcap", "--exit-code", "--json"])
    captured = capsys.readouterr()

    assert 3 == status
    assert one_line(captured.err)
    assert "octet 1234" in captured.err
    assert "editcap" in captured.err
    assert "damaged at octet 1234" in json.loads(captured.out.splitlines()[-1])["caveats"][0]


def test_one_missing_input(stage: Stage, capsys: Captured) -> None:
    """One missing input of two is status 3; a missing only input is status 2."""
    stage.missing = {"b.pcap"}

    assert 3 == main(["read", "a.pcap", "b.pcap"])
    assert one_line(capsys.readouterr().err)
    assert 2 == main(["read", "b.pcap"])
    assert one_line(capsys.readouterr().err)


def test_names_of_files_cannot_write_to_the_terminal(stage: Stage, capsys: Captured) -> None:
    """A file's name with an escape sequence in it is shown, not obeyed."""
    stage.missing = {"\x1b[2Jx.pcap"}
    main(["read", "\x1b[2Jx.pcap"])

    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["read"], "Missing argument"),
        (["red", "x"], "did you mean read"),
        (["README.md"], "wire502 read README.md"),
        (["read", "x", "--set", "hold=1parsec"], "is no unit"),
        (["read", "x", "--set", "hodl=1s"], "did you mean hold"),
        (["read", "x", "--since", "noon"], "is no time"),
        (["read", "x", "--to", "upstream"], "is no address"),
        (["read", "x", "--limit", "-1"], "0 or more"),
        (["read", "x", "--jsn"], "No such option"),
        (["read", "x", "--kind", "no_such_kind"], "there is no kind"),
        (["explain", "no_such_kind"], "wire502 kinds"),
        (["read", "no/such/file.pcap"], "no/such/file.pcap"),
    ],
)
def test_mistakes_are_one_helpful_line(arguments: list[str], expected: str, capsys: Captured) -> None:
    """Every mistake ends with status 2 and one line on standard error that names the way out."""
    status = main(arguments)
    captured = capsys.readouterr()

    assert 2 == status
    assert one_line(captured.err)
    assert expected in captured.err
    assert "" == captured.out


def test_interrupt_gives_the_summary_so_far(stage: Stage, capsys: Captured) -> None:
    """After Ctrl-C what was read is judged and summed up, and the status is 130."""
    stage.play(*samples.everything()[:-1])
    first = stage.groups[0]

    class Interrupting(list[Any]):
        armed = True

        def __iter__(self) -> Any:
            if self.armed:
                self.armed = False
                os.kill(os.getpid(), signal.SIGINT)
            return super().__iter__()

    stage.groups[0] = Interrupting(first)
    status = main(["read", "a.pcap", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert 130 == status
    assert ["failure", "summary"] == [line["type"] for line in lines]
    assert "stopped before the end" in lines[-1]["caveats"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_of_a_read_that_waits(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """Ctrl-C while the input is silent ends the wait, with the summary so far."""
    original = stage.source

    def source(*arguments: Any) -> Any:
        made = original(*arguments)

        def wait() -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the wait went on")

        made.read_batch = wait  # type: ignore[method-assign]
        return made

    monkeypatch.setattr("wire502.api._new_source", source)

    assert 130 == main(["read", "-", "--json"])
    assert "summary" == json.loads(capsys.readouterr().out)["type"]


def test_a_defect_is_no_traceback(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """A defect of wire502 itself is one line too, with a status of its own, unless the trace was asked for."""
    stage.last = []
    stage.groups = []
    monkeypatch.setattr("wire502.api._new_engine", lambda *_: None)
    monkeypatch.delenv("WIRE502_DEBUG", raising=False)

    assert 70 == main(["read", "a.pcap"])
    assert one_line(capsys.readouterr().err)

    monkeypatch.setenv("WIRE502_DEBUG", "1")
    with pytest.raises(AttributeError):
        main(["read", "a.pcap"])


def test_help_begins_with_examples(capsys: Captured) -> None:
    """Every command's help shows examples that can be pasted, before its options."""
    for name in COMMANDS:
        assert 0 == main([name, "--help"])
        text = capsys.readouterr().out

        assert f"wire502 {name}" in text.partition("Example")[2].partition("ptions:")[0]
    assert 0 == main([])
    assert "Examples:" in capsys.readouterr().out


def test_version(capsys: Captured) -> None:
    """--version says the version and how many kernels are compiled."""
    assert 0 == main(["--version"])
    text = capsys.readouterr().out

    assert text.startswith("wire502 0.")
    assert "compiled kernels: " in text


def test_schema_and_settings(capsys: Captured) -> None:
    """The schema is JSON; the settings are listed with their defaults."""
    assert 0 == main(["schema"])
    assert "oneOf" in json.loads(capsys.readouterr().out)
    assert 0 == main(["settings"])
    assert "first_byte_deadline  60s" in capsys.readouterr().out


def test_closed_pipe_is_quiet() -> None:
    """When the reader of the output leaves, wire502 ends with 0 and says nothing."""
    command = [sys.executable, "-m", "wire502", "schema"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert b"" == process.stderr.read()
        assert 0 == process.wait(60)


def test_full_disk_is_one_line() -> None:
    """An output that cannot be written is one line and status 2."""
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "wire502", "schema"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert 2 == done.returncode
    assert one_line(done.stderr)


def test_start_loads_little() -> None:
    """Starting `read` loads neither the stages nor what only some reports need."""
    # What the interpreter, or the finder of an editable install, has loaded by itself is not ours.
    code = (
        "import sys; before = set(sys.modules); import wire502.cli.read; "
        "print(*[name for name in ('rich', 'dpkt', 'wire502.engine', 'wire502.capture', 'difflib', 'unicodedata', "
        "'pathlib', 'wire502.report.json') if name in set(sys.modules) - before])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert "" == done.stdout.strip()


_HEAVY = (
    "pathlib", "ipaddress", "urllib", "shlex", "statistics", "random", "decimal", "calendar", "socket", "logging",
    "subprocess", "tempfile", "zipfile", "tomllib", "importlib.resources", "importlib.metadata", "unicodedata",
    "difflib", "ctypes", "rich", "dpkt", "click", "inspect", "dataclasses", "json", "datetime", "threading", "locale",
)  # fmt: skip
_HEALTHY = (
    "wire502.agent", "wire502.evidence", "wire502.kinds", "wire502.gateways", "wire502.diagnosis",
    "wire502.capture.compressed", "wire502.capture.live", "wire502.capture.merge", "wire502.capture.pcapng",
    "wire502.capture.write", "wire502.cli.jobs", "wire502.cli.logs", "wire502.cli.keeping", "wire502.report.schema",
    "wire502.report.redact", "wire502.report.html", "wire502.report.markdown",
)  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "as_json", "spared"),
    [
        (False, True, (*_HEAVY, *_HEALTHY, "wire502.report.text")),
        (False, False, (*_HEAVY, *_HEALTHY)),
        (True, True, (*_HEAVY, "wire502.gateways._tables", "wire502.report.text")),
    ],
)
def test_a_read_loads_what_it_needs(failed: bool, as_json: bool, spared: tuple[str, ...], tmp_path: Path) -> None:
    """Each import is time at every start: a capture loads what its format, its failures and its output need."""
    wire = Wire()
    connection = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    connection.handshake()
    connection.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.server.ack()
    if failed:
        connection.server.reset()
    else:
        connection.server.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.client.ack()
    path = wire.write(tmp_path / "a.pcap")
    arguments = ["wire502", "read", str(path), *(["--json"] if as_json else [])]
    code = (
        f"import sys; before = set(sys.modules); sys.argv = {arguments}; from wire502.cli import main; main(); "
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.splitlines()[-1].split()

    assert "wire502.engine" in loaded
    assert [] == [name for name in loaded if name in spared or name.startswith(tuple(f"{one}." for one in spared))]
