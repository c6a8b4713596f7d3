"""Fixtures of the command line's tests."""

from __future__ import annotations

import pytest

from tests.cli.fakes import Stage
from wire502 import api


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Put the fakes in the place of capture and engine."""
    made = Stage()
    monkeypatch.setattr(api, "_new_source", made.source)
    monkeypatch.setattr(api, "_new_engine", made.engine)
    monkeypatch.setattr(api, "_merged", lambda sources, _shifts: sources[0])
    return made
