"""docs/gateways.md is what the tables say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from wire502.gateways import KINDS, load, names

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "gateways.md"


@pytest.fixture(scope="module")
def reference() -> Any:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh(reference: Any) -> None:
    """The page is the one that the tables make: run scripts/make_reference.py."""
    assert reference.pages()[PAGE] == PAGE.read_text("utf-8")


def test_the_matrix_is_whole() -> None:
    """The matrix has a row for each kind and a cell for each gateway, and each gateway has a section."""
    page = PAGE.read_text("utf-8")
    rows = [line for line in page.split("\n## ")[0].splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == KINDS
    assert {row.count("|") for row in rows} == {len(names()) + 2}
    assert all(f"\n## {load(name).title}\n" in page for name in names())


def test_no_cell_breaks_the_table() -> None:
    """Every row of a table has as many cells as its head, whatever a log line holds."""
    for block in PAGE.read_text("utf-8").split("\n\n"):
        counts = {line.replace(r"\|", "").count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(counts) <= 1, block[:200]
