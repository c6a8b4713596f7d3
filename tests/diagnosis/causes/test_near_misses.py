"""Each cause is said where a conversation shows it, and not where it nearly does."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.diagnosis.causes import pairs
from tests.diagnosis.causes.pairs.told import Scene
from wire502.diagnosis.causes import cause_names

Pair = Callable[[bool], Scene]


def all_pairs() -> dict[str, Pair]:
    """The functions of the modules in ``pairs`` that bear the name of a cause."""
    modules = [import_module(f"{pairs.__name__}.{module.name}") for module in pkgutil.iter_modules(pairs.__path__)]
    return {name: getattr(module, name) for module in modules for name in cause_names() if hasattr(module, name)}


PAIRS = all_pairs()


def test_every_cause_has_its_pair() -> None:
    """No cause is without a conversation that shows it and one that nearly does."""
    assert set(cause_names()) - set(PAIRS) == set()


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_the_cause_is_said_and_its_frames_are_cited(name: str) -> None:
    """Where the conversation shows it, the cause is said of that frame, on the frames that tell it, and no rival."""
    scene = PAIRS[name](True)

    said = {cause.name: cause for cause in scene.said()[scene.at]}

    assert name in said
    assert scene.cites
    assert {seen.frame for seen in said[name].because} >= set(scene.cites)
    assert [cause.name for cause in said.values() if cause.confidence == "high" and cause.name != name] == []


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_a_near_miss_accuses_nobody(name: str) -> None:
    """Without the one thing that decides, neither that cause is said anywhere nor any that is not true of it."""
    scene = PAIRS[name](False)

    said = {frame: [cause.name for cause in causes] for frame, causes in scene.said().items()}

    assert all(name not in causes for causes in said.values())
    assert name not in scene.instead
    assert (scene.at in said) == (scene.at > 0)
    assert sorted(said.get(scene.at, [])) == sorted(scene.instead)
    sure = {cause.name for causes in scene.said().values() for cause in causes if cause.confidence == "high"}
    assert sure <= set(scene.instead)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_the_two_differ(name: str) -> None:
    """What is shown and what nearly shows it are two conversations, or two failures."""
    shown, nearly = PAIRS[name](True), PAIRS[name](False)

    assert shown.wire.octets() != nearly.wire.octets() or shown.said() != nearly.said()
