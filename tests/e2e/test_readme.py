"""The README shows what the program really says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- report: begin", "<!-- report: end -->"


def shown() -> list[str]:
    """Return the lines of the README's report, without its prompt."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text[text.index(BEGIN) : text.index(END)].split("```")[1]
    return [line for line in block.strip("\n").splitlines() if not line.startswith("$ ")]


def test_report_of_the_readme_is_real() -> None:
    """The report in the README is the beginning of what the command prints."""
    capture = "captures/reset-before-response.pcapng"
    done = subprocess.run(
        [sys.executable, "-m", "wire502", "read", capture], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    lines = done.stdout.decode("utf-8").splitlines()

    assert shown() == lines[: len(shown())]
    assert len(shown()) > 8
