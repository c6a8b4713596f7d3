"""The switch between compiled and uncompiled kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, SourceFileLoader
from pathlib import Path

import pytest

from wire502 import _build

EXTENSION = EXTENSION_SUFFIXES[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package folder with one kernel that has an extension beside it, one that has none, and a plain module."""
    for name in ("both_cy.py", f"both_cy{EXTENSION}", "plain_cy.py", "other.py"):
        (tmp_path / name).touch()
    return tmp_path


def test_off_takes_the_source(folder: Path) -> None:
    """With ``off`` a kernel is its source, though an extension lies beside it."""
    spec = _build.KernelFinder("off").find_spec("wire502.x.both_cy", [str(folder)])
    assert spec is not None
    assert isinstance(spec.loader, SourceFileLoader)
    assert spec.origin == str(folder / "both_cy.py")


def test_require_takes_the_extension(folder: Path) -> None:
    """With ``require`` a kernel is its extension."""
    spec = _build.KernelFinder("require").find_spec("wire502.x.both_cy", [str(folder)])
    assert spec is not None
    assert isinstance(spec.loader, ExtensionFileLoader)


def test_require_refuses_the_source(folder: Path) -> None:
    """With ``require`` a kernel without an extension cannot be imported, and the message says what to do."""
    with pytest.raises(ImportError, match=r"wire502\.x\.plain_cy is not compiled; build it with"):
        _build.KernelFinder("require").find_spec("wire502.x.plain_cy", [str(folder)])


@pytest.mark.parametrize("mode", ["off", "require"])
@pytest.mark.parametrize("name", ["wire502.x.other", "elsewhere.plain_cy", "plain_cy", "wire502.x.absent_cy"])
def test_other_modules_are_left_alone(folder: Path, mode: str, name: str) -> None:
    """The finder has no say in modules that are no kernels, not wire502's, or not there."""
    assert _build.KernelFinder(mode).find_spec(name, [str(folder)]) is None


def test_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset and empty mean ``auto``; an unknown word is refused."""
    monkeypatch.delenv(_build.VARIABLE, raising=False)
    assert _build.choice() == "auto"
    monkeypatch.setenv(_build.VARIABLE, "")
    assert _build.choice() == "auto"
    monkeypatch.setenv(_build.VARIABLE, "maybe")
    with pytest.raises(ImportError, match="WIRE502_COMPILED=maybe: must be one of auto, require, off"):
        _build.choice()


def test_install_is_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing the finder anew replaces the old one; ``auto`` leaves none behind."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for mode, count in (("off", 1), ("require", 1), ("auto", 0)):
        monkeypatch.setenv(_build.VARIABLE, mode)
        _build.install()
        _build.install()
        assert sum(isinstance(finder, _build.KernelFinder) for finder in sys.meta_path) == count


IMPORT_ALL = """
import importlib, json, sys
import wire502
from wire502 import _build
found = {name: not importlib.import_module(name).__file__.endswith(".py") for name in _build.compiled_kernels()}
print(json.dumps([found, _build.compiled_kernels(), wire502.__version__]))
"""


def _import_all(mode: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, _build.VARIABLE: mode, "PYTHONPATH": str(Path(_build.__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], env=environment, capture_output=True, text=True, timeout=60
    )


def test_what_is_said_is_what_is_loaded() -> None:
    """``compiled_kernels`` tells for each kernel exactly what importing it gives, compiled or not."""
    for mode in ("auto", "off"):
        done = _import_all(mode)
        assert done.returncode == 0, done.stderr
        loaded, said, _ = json.loads(done.stdout)
        assert loaded == said
        assert "wire502.model.frames_cy" in said
        if mode == "off":
            assert not any(loaded.values())


def test_start_up_is_cheap() -> None:
    """``import wire502`` loads no metadata reader, no click, rich or dpkt."""
    code = "import sys, wire502; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(_build.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not {"importlib.metadata", "click", "rich", "dpkt"} & set(done.stdout.split())


READ_EACH = """import sys
from wire502.cli import main
for path in sys.argv[1:]:
    main(["read", "--json", "--all", path])
"""


def test_neither_compiler_nor_cython() -> None:
    """Where nothing is compiled and Cython is not installed, every sample capture gives the same lines."""
    captures = sorted(str(path) for path in Path(__file__).parents[1].glob("captures/*.pcap*"))
    told = []
    for code, mode in ((READ_EACH, "auto"), (f"import sys; sys.modules['cython'] = None\n{READ_EACH}", "off")):
        environment = {**os.environ, _build.VARIABLE: mode}
        done = subprocess.run([sys.executable, "-c", code, *captures], capture_output=True, env=environment)
        assert done.stderr == b""
        told.append(done.stdout)
    assert told[0] == told[1]
    assert told[0].count(b'"type": "summary"') == len(captures) > 30
