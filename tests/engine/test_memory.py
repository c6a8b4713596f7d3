"""What is kept of failures that were told: as long as something may still be learned of them, no longer."""

from __future__ import annotations

import gc

import pytest

from tests.engine.gateway import Gateway
from tests.tcp.watch import batches
from wire502.engine import Engine
from wire502.exchange.docket import Held, Told
from wire502.model.context import Context

NUMBER = 40


def alive(kind: type) -> int:
    """Return how many objects of a type there are."""
    gc.collect()
    return sum(type(one) is kind for one in gc.get_objects())


def remembered(apart: float, *, answered: bool) -> tuple[int, int]:
    """Return how many of many failures and their incidents are remembered after so many resets."""
    scene = Gateway()
    for number in range(NUMBER):
        asked = scene.asks(f"/{number}")
        scene.tries(f"/{number}").server.reset()
        if answered:
            scene.answers(asked, 502)
        scene.wire.sleep(apart)
    before = alive(Held), alive(Told)
    portions = batches(scene.wire.frames, rows=4)
    engine = Engine(Context(), list(portions[0].interfaces))
    told = [result.type for batch in portions for result in engine.feed(batch)]
    found = alive(Held) - before[0], alive(Told) - before[1]
    assert told.count("failure") >= NUMBER - 8  # the last ones are still held
    engine.finish()
    return found


@pytest.mark.parametrize("answered", [True, False])
def test_failures_are_forgotten_with_time(answered: bool) -> None:
    """Failures in two minutes are all remembered; of those a minute apart only the last, unless a client waits."""
    near, far = remembered(1, answered=answered), remembered(60, answered=answered)
    assert near[0] >= NUMBER - 2
    assert far[0] <= (5 if answered else 20)
    assert near[1] >= (NUMBER - 2 if answered else 0)
    assert far[1] <= 5
