"""Who is at fault where the kind alone does not say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kinds.factory import at, attempt, client, closing, upload, verdict

WAITED = attempt(
    request=upload(), upstream_acked=5000, upstream_acked_point=at(7, 3.1), upstream_fin=closing(9, 20_003.0, 0, 5000)
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "gateway"),
        ({"client_leg_seen": True}, "upstream"),
        ({"client_leg_seen": True, "client": client(idle=True, ms=21_000.0)}, "client"),
        ({"upstream_fin": closing(9, 4.0, 0, 5000)}, "upstream"),
        ({"upstream_fin": closing(9, 20_003.0, 0, 2000)}, "upstream"),
    ],
)
def test_upload_that_was_cut_off(change: dict[str, object], expected: str) -> None:
    """An upload that kept the upstream waiting is the client's fault, or the gateway's when no client is seen."""
    assert verdict(replace(WAITED, **change)).at_fault == expected  # type: ignore[arg-type]


def test_stall_without_ack_or_repetition() -> None:
    """A request that was neither acknowledged nor repeated tells nothing of who is at fault."""
    made = attempt(
        judged_ms=3000.0, gateway_fin=closing(20, 2001.5, 100, 0), upstream_acked=None, upstream_acked_point=None
    )  # fmt: skip
    assert verdict(made).at_fault == "unknown"
