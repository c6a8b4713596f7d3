"""What every test may use, and what every run says about itself: which build it tests, and where truth is."""

from __future__ import annotations

import os
import shutil
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import hypothesis
import pytest

from wire502 import _build

TRUTH = "WIRE502_TRUTH"
SOURCE = Path(_build.__file__).parent

# The same examples in every run of CI: a failure there is a failure here. `explore` is for looking further.
hypothesis.settings.register_profile("default", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def stale_kernels() -> list[str]:
    """Return the kernels whose extension is older than their source: a test of them tests something else."""
    if _build.choice() == "off":
        return []
    stale = []
    for source in sorted(SOURCE.rglob("*_cy.py")):
        newest = max(path.stat().st_mtime for path in (source, source.with_suffix(".pxd")) if path.exists())
        for suffix in EXTENSION_SUFFIXES:
            extension = source.with_name(source.stem + suffix)
            if extension.exists() and extension.stat().st_mtime < newest:
                stale.append(str(source.relative_to(SOURCE.parent)))
    return stale


def _stale_warning() -> str | None:
    stale = ", ".join(stale_kernels())
    advice = "rebuild with: python setup.py build_ext --inplace"
    return f"compiled kernels older than their sources: {stale}; {advice}" if stale else None


def pytest_configure() -> None:
    """Refuse to test an old build where a compiled one is required; elsewhere the last line of the run says so."""
    if _build.choice() == "require" and (warning := _stale_warning()):
        pytest.exit(warning, returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if warning := _stale_warning():
        terminalreporter.write_line(warning, red=True)


def pytest_report_header() -> list[str]:
    kernels = _build.compiled_kernels()
    compiled = sum(kernels.values())
    return [
        f"wire502: {compiled} of {len(kernels)} kernels compiled (WIRE502_COMPILED={_build.choice()})",
        f"{TRUTH}: {os.environ.get(TRUTH) or 'not set: tests against captures with known truth are skipped'}",
    ]


@pytest.fixture(scope="session")
def truth() -> Path:
    """The folder of captures whose truth is known; skips loudly where there is none."""
    folder = os.environ.get(TRUTH)
    if not folder:
        pytest.skip(f"{TRUTH} is not set")
    if not Path(folder).is_dir():
        pytest.fail(f"{TRUTH}={folder} is no folder")
    return Path(folder)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="session")
def tshark() -> str:
    """The path of tshark, a second opinion on every header."""
    return _program("tshark")


@pytest.fixture(scope="session")
def tcpdump() -> str:
    """The path of tcpdump."""
    return _program("tcpdump")
