"""The shape of the project, held by reading its sources: who may import whom, who may do I/O, how long a file is.

A row of the table names a package (or module) directly below ``wire502`` and what it may import besides itself.
``errors`` and ``_cython`` are open to all.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "wire502"
OPEN_TO_ALL = {"errors", "_cython"}
TABLE: dict[str, set[str]] = {
    "_build": set(),
    "_cython": set(),
    "errors": set(),
    "settings": {"model"},
    "model": set(),
    "capture": {"model"},
    "packet": {"model"},
    "tcp": {"model"},
    "protocol": {"model"},
    "exchange": {"model"},
    "kinds": {"model"},
    "gateways": {"model"},
    "diagnosis": {"model", "kinds", "gateways"},
    "report": {"model", "kinds"},
    "engine": {"model", "packet", "tcp", "protocol", "exchange", "diagnosis", "kinds", "gateways"},
    "api": {"capture", "engine", "diagnosis", "settings", "model"},
    "evidence": {"api", "capture", "packet", "model"},
    "agent": {"api", "capture", "evidence", "report", "settings", "model"},
    "cli": {"api", "evidence", "agent", "report", "kinds", "gateways", "settings", "_build"},
    "__init__": {"api", "model", "_build"},
    "__main__": {"cli"},
}
ABOVE = {"api", "evidence", "agent", "cli", "__init__", "__main__", "_build"}  # these may know clock, files, text
DOES_IO = {"capture"}
ONE_OPINION_A_FILE = ["kinds", "gateways", "diagnosis.causes"]
LONG = 450
MEDIAN = 200

MODULES = sorted(SOURCE.rglob("*.py"))
DECLARATIONS = sorted(SOURCE.rglob("*.pxd"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def dotted(path: Path) -> str:
    """Return ``wire502.tcp.seq`` for wire502/tcp/seq.py, ``wire502.tcp`` for its ``__init__``."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(text: str, module: str, *, package: bool) -> set[str]:
    """Return what Python source imports, by dotted names, wherever in the file it does so.

    ``from wire502 import tcp`` counts as ``wire502.tcp``, a cimport as the import of the same name, and so does a
    name given to ``import_module`` as a literal.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + package]
                base = ".".join([*parents, *([base] if base else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node).endswith(("import_module", "__import__")) and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.add(name.value)
    return {name.removeprefix("cython.cimports.") for name in found}


def cimports_of(text: str) -> set[str]:
    """Return what a .pxd imports; it is no Python, but its import lines are simple."""
    found: set[str] = set()
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.partition("#")[0].strip()
        if match := re.match(r"from\s+(\S+)\s+c?import\s+(.+)", line):
            found.update(f"{match[1]}.{name.split()[0]}" for name in match[2].strip("()").split(",") if name.strip())
        elif match := re.match(r"c?import\s+(.+)", line):
            found.update(name.split()[0] for name in match[1].split(","))
    return found


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def imports(path: Path) -> set[str]:
    if path.suffix == ".pxd":
        return cimports_of(path.read_text())
    return imports_of(path.read_text(), dotted(path), package=path.stem == "__init__")


def unit(name: str) -> str:
    """Return the row of the table that a dotted name belongs to: ``tcp`` for ``wire502.tcp.seq``."""
    return [*name.split("."), "__init__"][1]


def forbidden(module: str, names: set[str]) -> set[str]:
    """Return which of the imported *names* the table does not allow to *module*."""
    mine = unit(module)
    own = {name for name in names if name.split(".")[0] == "wire502"}
    public = {name for name in own if unit(name) not in TABLE}  # `from wire502 import __version__`
    if mine not in ABOVE:
        return {name for name in own if unit(name) not in TABLE[mine] | OPEN_TO_ALL | {mine}}
    return {name for name in own - public if unit(name) not in TABLE[mine] | OPEN_TO_ALL | {mine}}


def ambient(text: str) -> list[str]:
    """Return the uses of clock, files, terminal, log and module state in Python source, with their lines."""
    found = []
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            arithmetic = [alias.name for alias in node.names] == ["gmtime"]  # of a time that it is given
            names = [] if arithmetic else [node.module or ""]
        elif isinstance(node, ast.Global):
            found.append(f"{node.lineno}: global {', '.join(node.names)}")
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr", "sys.stdin"):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Call):
            name = _called(node)
            if name in ("open", "print", "input", "io.open", "os.open") or re.search(
                r"\bdate(time)?\.(now|utcnow|today)$", name
            ):
                found.append(f"{node.lineno}: {name}()")
        found += [f"{node.lineno}: import {name}" for name in names if name.split(".")[0] in ("time", "logging")]
    return found


def argues(text: str) -> bool:
    """Return whether the docstring or the first comment of Python source gives a reason for its length."""
    comments = (
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    )
    head = f"{ast.get_docstring(ast.parse(text)) or ''}\n{next(comments, '')}"
    return re.search(r"This (file|module)\b[^.]*\blong", head) is not None


@pytest.mark.parametrize("path", MODULES + DECLARATIONS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports(path: Path) -> None:
    """A file imports only what its row of the table allows."""
    module = dotted(path)
    assert unit(module) in TABLE, f"{unit(module)} has no row in the table"
    assert not forbidden(module, imports(path))


def test_model_stands_alone() -> None:
    """The model imports the standard library and nothing else."""
    allowed = sys.stdlib_module_names | {"wire502", "cython", "libc"}
    for path in (SOURCE / "model").rglob("*.p*"):
        if path.suffix in (".py", ".pxd"):
            assert {name.split(".")[0] for name in imports(path)} <= allowed, path


@pytest.mark.parametrize("folder", ONE_OPINION_A_FILE)
def test_opinions_do_not_know_each_other(folder: str) -> None:
    """A kind, a cause or a gateway imports none of its siblings, only what they share (names with an underscore)."""
    package = f"wire502.{folder}"
    for path in SOURCE.joinpath(*folder.split(".")).glob("[!_]*.py"):
        siblings = {name.removeprefix(package + ".") for name in imports(path) if name.startswith(package + ".")}
        assert not {name for name in siblings if not name.startswith("_")}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_clock_no_files_no_text_below_api(path: Path) -> None:
    """Below ``api`` nothing reads a clock, opens a file, prints, logs or keeps module state, but ``capture``."""
    if unit(dotted(path)) not in ABOVE | DOES_IO:
        assert not ambient(path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_long_modules_argue_for_themselves(path: Path) -> None:
    """A module over 450 lines says why at its head, in a sentence like "This module is long because"."""
    text = path.read_text()
    if len(text.splitlines()) > LONG:
        assert argues(text), f"{len(text.splitlines())} lines and no reason"


def test_modules_are_small() -> None:
    """The median module has less than 200 lines; those of hardly any lines do not count."""
    sizes = [len(path.read_text().splitlines()) for path in MODULES]
    assert statistics.median([size for size in sizes if size > 5]) < MEDIAN


def test_kernels_declare_their_types() -> None:
    """Each .pxd stands beside its kernel, under the same name."""
    for path in DECLARATIONS:
        assert path.with_suffix(".py").exists(), path


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_states_a_sentence(path: Path) -> None:
    """Each test function says in its docstring, as one sentence, what is true when it passes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert (ast.get_docstring(node) or "").endswith("."), f"{path.name}:{node.lineno} {node.name}"


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import wire502.tcp.seq as s", "wire502.tcp.seq"),
        ("from wire502 import tcp", "wire502.tcp"),
        ("def f():\n    from wire502.tcp import seq", "wire502.tcp.seq"),
        ("from .. import tcp", "wire502.tcp"),
        ("from ..tcp.seq import less", "wire502.tcp.seq.less"),
        ("if cython.compiled:\n    from cython.cimports.wire502.tcp.flow_cy import Half", "wire502.tcp.flow_cy.Half"),
        ("importlib.import_module('wire502.tcp')", "wire502.tcp"),
    ],
)
def test_the_reader_sees_imports(source: str, imported: str) -> None:
    """Every way to import is seen, and what the table forbids is found."""
    names = imports_of(source, "wire502.protocol.http1", package=False)
    assert imported in names
    assert forbidden("wire502.protocol.http1", names) == {imported}
    assert not forbidden("wire502.engine", names)


def test_the_reader_sees_cimports() -> None:
    """The imports of a .pxd are seen, over continued lines and behind aliases."""
    text = (
        "cimport cython\nfrom wire502.tcp.flow_cy cimport Half, \\\n  Flow as F  # both\ncimport wire502.model.x as y"
    )
    assert cimports_of(text) == {
        "cython",
        "wire502.tcp.flow_cy.Half",
        "wire502.tcp.flow_cy.Flow",
        "wire502.model.x",
    }


def test_the_reader_knows_an_argument() -> None:
    """A reason for the length counts in the docstring and the first comment; any other word about length does not."""
    assert argues('"""A table.\n\nThis file is long because it is one."""')
    assert argues('"""A table."""\n# This module is longer than most: it is one table.\nx = 1')
    assert not argues('"""Reads a long table."""\nx = 1\n# 32 bits\n# This module is long.')


@pytest.mark.parametrize(
    "source",
    ["import time", "from time import time", "open('x')", "print(1)", "import logging", "datetime.datetime.now()",
     "date.today()", "sys.stderr.write('')", "def f():\n    global x\n    x = 1"],
)  # fmt: skip
def test_the_reader_sees_ambient_state(source: str) -> None:
    """Each use of what does not belong below ``api`` is found, and lines that only look alike are not."""
    assert ambient(source)
    assert not ambient("self.open(x)\nevent.time\nprinter(1)\nrow.now\nsource.today()")
