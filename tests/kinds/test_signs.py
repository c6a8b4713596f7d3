"""A kind that is not asked would have found nothing: the signs that it names are no opinion of their own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.diagnosis.attempts import ATTEMPTS
from tests.kinds import factory
from wire502.kinds import all_kinds, asked_of
from wire502.model.attempt import Attempt
from wire502.model.context import Context

CONTEXTS = st.sampled_from([Context(), Context(first_byte_deadline_ns=1_000_000, response_deadline_ns=2_000_000)])


@given(ATTEMPTS, CONTEXTS)
@settings(max_examples=600, deadline=None)
def test_who_is_not_asked_has_nothing_to_say(attempt: Attempt, context: Context) -> None:
    """Whatever was seen, a kind without its signs finds nothing in it."""
    asked = {kind.name for kind in asked_of(attempt, context)}

    for kind in all_kinds().values():
        assert kind.name in asked or kind.failure_point(attempt, context) is None, kind.name


def test_few_are_asked() -> None:
    """Of a reset without an answer only those kinds are asked that tell of resets, or of a request never read."""
    reset = factory.attempt(upstream_rst=factory.rst(5, 3.0))

    assert {kind.name for kind in asked_of(reset, Context())} == {"rst_before_response"}
    reused = {kind.name for kind in asked_of(replace(reset, reused=True), Context())}
    assert reused == {"rst_before_response", "stale_keepalive"}
