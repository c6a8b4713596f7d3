"""Who owns what is opened before rights are given up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wire502.agent.privileges import User, hand_over

NOBODY = User("nobody", 65534, 65534)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """What would be handed over, and to whom."""
    seen: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda *arguments: seen.append(arguments))
    return seen


def test_a_file_goes_to_who_opens_it_again(given: list[tuple[int, int, int]], tmp_path: Path) -> None:
    """A file belongs to the user that rights are given up for; without such a user it stays."""
    with (tmp_path / "lines").open("wb") as file:
        hand_over(file.fileno(), None)
        assert not given
        hand_over(file.fileno(), NOBODY)
        assert given == [(file.fileno(), 65534, 65534)]


def test_a_device_stays_whose_it_is(given: list[tuple[int, int, int]]) -> None:
    """Who writes to /dev/null, or into a pipe, does not take it from everybody else."""
    reading, writing = os.pipe()
    with Path(os.devnull).open("wb") as device, os.fdopen(reading), os.fdopen(writing, "wb") as pipe:
        hand_over(device.fileno(), NOBODY)
        hand_over(pipe.fileno(), NOBODY)
    assert not given
