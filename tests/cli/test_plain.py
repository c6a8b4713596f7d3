"""Plain reads, which are understood without click, against click."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.cli.plain import SWITCHES, plain_read
from wire502.cli.read import command
from wire502.cli.reading import run

DEFAULTS = {name: one.default for name, one in inspect.signature(run).parameters.items() if name != "captures"}
CAPTURES = st.lists(st.sampled_from(["a.pcap", "b", "read", "/x/c-d.pcapng", "e=f", "@g", "*"]), min_size=1, max_size=3)


@given(CAPTURES, st.lists(st.sampled_from(sorted(SWITCHES)), max_size=4), st.randoms())
def test_like_click(captures: list[str], switches: list[str], chance: st.DataObject) -> None:
    """Captures and switches in whatever order mean what they mean to click, with the defaults of all other options."""
    arguments = captures + switches
    chance.shuffle(arguments)  # type: ignore[attr-defined]
    plain = plain_read(["read", *arguments])

    assert plain is not None
    asked = command.make_context("read", list(arguments)).params
    assert {"captures": plain[0], **DEFAULTS, **plain[1]} == asked


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["read"],
        ["read", "--json"],
        ["live"],
        ["raed", "a.pcap"],
        ["--version"],
        ["read", "-"],
        ["read", "a.pcap", "-"],
        ["read", "--", "-a.pcap"],
        ["read", "--help"],
        ["read", "a.pcap", "-h"],
        ["read", "a.pcap", "--jsn"],
        ["read", "a.pcap", "--js"],
        ["read", "a.pcap", "--json=1"],
        ["read", "a.pcap", "-j", "2"],
        ["read", "a.pcap", "--limit", "1"],
        ["read", "a.pcap", "--follow"],
    ],
)
def test_left_to_click(arguments: list[str]) -> None:
    """Mistakes, other commands and options with values are not for here."""
    assert plain_read(arguments) is None
