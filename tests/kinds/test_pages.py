"""The kinds as files: found by looking, each with its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from wire502 import kinds
from wire502.kinds import all_kinds

SECTIONS = (
    "What happened",
    "Why it matters",
    "How wire502 knows",
    "Easily mistaken for",
    "What to check next",
    "Example",
)
LATER = {"tls_alert", "tls_not_tls", "rst_mid_handshake", "fin_mid_handshake", "stall_mid_handshake", "no_attempt"}
EVERY = pytest.mark.parametrize("name", sorted(all_kinds()))


def test_every_file_is_a_kind() -> None:
    """Each module of the folder whose name has no underscore in front is a kind."""
    folder = Path(kinds.__file__).parent
    assert set(all_kinds()) == {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}


@EVERY
def test_page(name: str) -> None:
    """Each page begins with the kind's name, has every section in order, and fits a terminal and a mind."""
    page = all_kinds()[name].page
    lines = page.splitlines()
    assert lines[0].startswith(f"{name}: ")
    assert [line for line in lines if line and not line.startswith(" ")][1:] == list(SECTIONS)
    assert 25 <= len(lines) <= 45
    assert max(len(line) for line in lines) <= 80


@EVERY
def test_facts(name: str) -> None:
    """Each kind has a group, a short phrase, and refines kinds that exist, never itself."""
    kind = all_kinds()[name]
    assert kind.group in kinds.GROUPS
    assert 0 < len(kind.title) <= 50
    assert not kind.title.endswith(".")
    assert kind.refines <= set(all_kinds())
    assert name not in kind.refines


def test_refinement_has_no_circle() -> None:
    """No kind is finer than one that is finer than it."""
    for kind in all_kinds().values():
        reached, ahead = set(), set(kind.refines)
        while ahead:
            one = ahead.pop()
            reached.add(one)
            ahead |= all_kinds()[one].refines - reached
        assert kind.name not in reached


@EVERY
def test_pages_name_kinds_that_exist(name: str) -> None:
    """Each kind that a page mentions exists, or is one of those that come with another protocol."""
    page = all_kinds()[name].page
    words = {word.strip(".,:;()") for word in page.replace("|", " ").split()}
    patterns = ("rst_", "fin_", "stall_", "connect_", "invalid_", "gateway_a", "client_a", "tls_", "relayed_", "stale_")
    mentioned = {word for word in words if word.startswith(patterns)}
    assert mentioned - LATER <= set(all_kinds())


def test_page_of_an_unknown_kind() -> None:
    """A name that is no kind has no page."""
    with pytest.raises(KeyError):
        kinds.page("no_such_kind")
