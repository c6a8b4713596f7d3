from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.lab import Lab, opened


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Two hosts with a cable between them; skips where they cannot be."""
    with opened(tmp_path) as made:
        yield made
