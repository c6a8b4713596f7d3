"""``wire502 gateways`` and ``wire502 explain --log``."""

from __future__ import annotations

import pytest

from wire502.cli import main
from wire502.gateways import KINDS, names


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """The matrix names every gateway and every kind, and fits into the columns of a pipe."""
    status, out, _ = run(capsys, "gateways")

    assert status == 0
    assert all(name in out.split() for name in (*names(), *KINDS))
    assert max(map(len, out.splitlines())) <= 80
    rows = [line.split() for line in out.splitlines() if line.startswith("connect_timeout")]
    assert rows[0][1:8] == ["503", "504", "502", "503", "502", "502", "503"]


@pytest.mark.parametrize("name", names())
def test_every_page_can_be_written(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each gateway has a page with its figures, its rows and their sources."""
    status, out, _ = run(capsys, "gateways", name)

    assert status == 0
    assert "  timeouts" in out
    assert "\nrelayed_error\n" in out
    assert out.count("[") >= out.count("\n\n") - 2


def test_a_page_says_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """A page gives the usual answer, then the cases and versions that differ."""
    _, out, _ = run(capsys, "gateways", "NGINX")

    assert "connect 60 s" in out
    assert "  but for POST, PATCH, LOCK:\n    502" in out
    assert "before 1.23" in out


def test_a_gateway_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name is a usage error that says which one was meant."""
    status, out, err = run(capsys, "gateways", "ngnix")

    assert (status, out) == (2, "")
    assert "did you mean nginx" in err


def test_a_log_line_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A log line leads to its kinds, each with how the wire shows it and what the gateway does then."""
    line = "upstream prematurely closed connection while reading response header from upstream"
    status, out, _ = run(capsys, "explain", "--log", line)

    assert status == 0
    assert out.startswith("4 kinds of failure")
    for text in ("\nfin_before_response  ", "\nstale_keepalive  ", "on the wire: FIN before the empty line",
                 "nginx: 502 (for POST, PATCH, LOCK)"):  # fmt: skip
        assert text in out


def test_a_flag_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A flag alone will do."""
    status, out, _ = run(capsys, "explain", "--log", "UH")

    assert status == 0
    assert "1 kind of failure" in out
    assert "\nno_attempt" in out
    assert "envoy: 503" in out


def test_a_line_that_nobody_writes(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that no table holds is said to be none, with status 1."""
    status, out, _ = run(capsys, "explain", "--log", "all is well")

    assert status == 1
    assert "No gateway's table" in out


@pytest.mark.parametrize("arguments", [[], ["connect_refused", "--log", "SH--"]])
def test_explain_wants_one_thing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A name (of a kind or a cause) or a log line, not both and not neither."""
    status, _, err = run(capsys, "explain", *arguments)

    assert status == 2
    assert "give a NAME or a --log line" in err


def test_explain_still_has_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    """The page of a kind is as it was."""
    status, out, _ = run(capsys, "explain", "connect-refused")

    assert status == 0
    assert out.startswith("connect_refused: ")
