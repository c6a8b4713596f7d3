"""Runs the measuring programs that lie beside the captures, in this process.

They call ``wire502 read CAPTURE --json`` once for each capture; here their ``run`` is replaced by a call of the library
and of the JSON writer, which saves starting Python some 500 times. Exit status and messages are those of the command.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wire502.cli import main

# Scenarios of the TLS kinds are left out; healthy_tls stays: nothing may be said of it.
NOT_TLS = r"^(?!.*(?<!healthy_)tls_)"


def load(path: Path) -> ModuleType:
    """Return the program at *path* as a module."""
    spec = importlib.util.spec_from_file_location(f"measure_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(capture: Path) -> tuple[list[dict[str, Any]], int, str]:
    """Return the JSON lines for *capture*, the exit status and what stood on standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["read", str(capture), "--json", "--quiet"])
    return [json.loads(line) for line in out.getvalue().splitlines()], status, err.getvalue()


class OneAfterAnother:
    """Stands in for a pool of threads: the command line is called in this one, where signals work."""

    def __init__(self, _jobs: int) -> None:
        pass

    def __enter__(self) -> OneAfterAnother:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return map(function, items)


def call(program: ModuleType, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call the program's ``main`` with *arguments*; what it finds is what it writes."""
    inline = SimpleNamespace(futures=SimpleNamespace(ThreadPoolExecutor=OneAfterAnother))
    if hasattr(program, "concurrent"):
        monkeypatch.setattr(program, "concurrent", inline)
    monkeypatch.setattr(sys, "argv", [program.__name__, *arguments])
    program.main()
