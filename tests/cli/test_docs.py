"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from tests.report import samples
from wire502.cli.group import COMMANDS, cli
from wire502.report.json import line
from wire502.report.text import TextReport

ROOT = Path(__file__).parents[2]


def reference() -> Any:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "causes.md"])
def test_generated_pages_are_fresh(name: str) -> None:
    """The pages made from the code are those that the code makes: run scripts/make_reference.py."""
    path = ROOT / "docs" / name

    assert reference().pages()[path] == path.read_text("utf-8")


@pytest.mark.parametrize("result", samples.everything(), ids=lambda result: result.type)
def test_json_page_knows_every_line_and_every_key_of_a_failure(result: Any) -> None:
    """Each line type has its row in docs/json.md, and each key of a failure its explanation."""
    page = (ROOT / "docs" / "json.md").read_text("utf-8")

    assert f"| `{result.type}` |" in page
    if result.type == "failure":
        keys = set(json.loads(line(result))) - {"type", "schema"}

        assert [key for key in keys if f"`{key}`" not in page] == []


def test_the_example_of_the_report_page_is_a_real_one() -> None:
    """The block that docs/reading-a-report.md explains is what wire502 prints, letter by letter."""
    page = (ROOT / "docs" / "reading-a-report.md").read_text("utf-8")
    block = TextReport(inputs=["capture.pcap"]).block(samples.reset_before_response())

    assert f"```\n{block.rstrip()}\n```" in page


def test_labels_of_the_report_are_explained() -> None:
    """Every label that a block can have stands in docs/reading-a-report.md."""
    page = (ROOT / "docs" / "reading-a-report.md").read_text("utf-8")
    text = "".join(map(TextReport().block, [samples.reset_before_response(), samples.short_body()]))
    labels = set(re.findall(r"^  ([a-z][a-z ]*?)  +\S", text, re.MULTILINE))

    assert {"likely cause", "unless", "or else", "but", "look closer", "nginx logs"} == labels
    assert [label for label in labels if f"`{label}`" not in page] == []


def test_links_lead_somewhere() -> None:
    """Every relative link between the documents has a target."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def commands() -> list[tuple[str, list[str]]]:
    """Return every command of ours that a document shows whole: where, and its words."""
    found = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for block in blocks + re.findall(r"`((?:sudo )?wire502 \S+ [^`…]+)`", text):
            for line_ in block.replace("\\\n", " ").splitlines():
                lexer = shlex.shlex(line_, posix=True, punctuation_chars=True)
                lexer.whitespace_split = True
                words = list(lexer)
                while any(is_ours := [word.rpartition("/")[2] == "wire502" for word in words]):
                    words = words[is_ours.index(True) + 1 :]
                    end = next((at for at, word in enumerate(words) if set(word) <= set("|&;<>()")), len(words))
                    if words[:1] and words[0] in COMMANDS:
                        found.append((page.name, words[:end]))
    return found


def test_commands_of_the_documents_are_understood() -> None:
    """Whoever pastes a command out of a document gets no usage error."""
    shown = commands()
    assert len(shown) > 20
    for page, (name, *words) in shown:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        try:
            command.make_context(name, [word for word in words if word != "\u2026"])
        except click.MissingParameter:
            continue  # named in passing
        except click.UsageError as error:
            if "does not exist" in error.format_message():  # a file or folder of the reader's
                continue
            pytest.fail(f"{page}: wire502 {name} {shlex.join(words)}: {error.format_message()}")
