"""Causes on the client's side of the gateway, and what holds of every cause."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.diagnosis.attempts import ATTEMPTS
from tests.diagnosis.causes.scene import ask, causes, connect, failures, serve
from tests.kinds import factory
from tests.wire import Wire
from wire502.diagnosis.causes import CLASSES, all_causes, cause_names, find_causes, overriding
from wire502.diagnosis.judge import judge
from wire502.diagnosis.surroundings import NoSurroundings
from wire502.kinds import kind_names
from wire502.model.around import Ending, Endpoint, Failed, FirstBytes, Refusals
from wire502.model.attempt import Point
from wire502.model.finding import Finding
from wire502.model.verdict import CONFIDENCES, Cause

AROUND = NoSurroundings()


def impatient(*, idle: bool) -> dict[str, Cause]:
    """An upload whose upstream resets 5 s after the last octets; the client leg says whether the client was idle."""
    made = factory.attempt(
        request=factory.upload(),
        upstream_acked=5000,
        upstream_rst=factory.rst(9, 5003.0, 0, 5000),
        client=factory.client(idle=idle),
        client_leg_seen=True,
    )
    finding = judge(made, factory.CONTEXT).finding
    assert finding is not None
    return {cause.name: cause for cause in find_causes(made, finding, AROUND)}


def test_a_client_that_stopped_sending_is_slow() -> None:
    """The upstream had all that was sent, and the client had stopped: it is the client's doing."""
    assert impatient(idle=True)["slow_client"].confidence == "medium"


def test_a_client_that_went_on_sending_is_not_slow() -> None:
    """Where the client leg shows octets still coming, the client is not accused."""
    assert "slow_client" not in impatient(idle=False)


def response_before(window: int) -> Wire:
    """A response that stops when the gateway's window is as told, and a reset by the upstream."""
    wire = Wire()
    conn = connect(wire)
    ask(conn)
    conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
    conn.server.send(b"x" * 3000, 1000)
    conn.client.ack(window=window)
    wire.sleep(20)
    conn.client.ack(window=window)
    wire.sleep(10)
    conn.server.reset()
    return wire


def test_a_zero_window_of_the_gateway_is_named() -> None:
    """The gateway took nothing for half a minute before the response ended badly."""
    found = failures(response_before(0))

    assert "gateway_not_reading" in {cause.name for cause in found[0].causes}


def test_an_open_window_of_the_gateway_accuses_nobody_but_the_upstream() -> None:
    """With an open window the upstream had no reason to stop."""
    found = failures(response_before(5000))

    assert [cause.name for cause in found[0].causes] == ["crashed_mid_response"]


def test_an_answer_of_the_gateways_own_after_failures_had_no_upstream() -> None:
    """An error without an attempt is explained by the failures before it; without any it stays a guess."""
    made = factory.attempt(unattempted=True, client=factory.client())
    finding = Finding("no_attempt", factory.at(4, 1.0))

    class Around(NoSurroundings):
        def failures(self) -> list[Failed]:
            return [Failed("connect_refused", "10.1.0.2", "10.2.0.2:8080", 1, factory.at(2, 0.5), 0, 0)]

    known = {cause.name: cause.confidence for cause in find_causes(made, finding, Around())}
    guessed = {cause.name: cause.confidence for cause in find_causes(made, finding, AROUND)}

    assert known == {"no_upstream_available": "medium"}
    assert guessed == {"no_upstream_available": "low"}


def test_a_fatal_alert_is_a_tls_mismatch() -> None:
    """The alert's own words are the observation; another end of a handshake has none."""
    alert = Finding("tls_alert", factory.at(5, 2.0), evidence=[(factory.at(5, 2.0), "unknown_ca")])
    found = find_causes(factory.attempt(), alert, AROUND)

    assert [(cause.name, cause.because[0].note) for cause in found] == [("tls_mismatch", "unknown_ca")]
    assert find_causes(factory.attempt(), Finding("rst_mid_handshake", factory.at(5, 2.0)), AROUND) == []


def test_healthy_traffic_has_no_failures_to_explain() -> None:
    """A conversation in which all went well says nothing of causes."""
    wire = Wire()
    serve(connect(wire))

    assert failures(wire) == []
    with pytest.raises(AssertionError):
        causes(wire, 1)


@pytest.mark.parametrize("name", cause_names())
def test_each_cause_has_its_page(name: str) -> None:
    """A page begins with the name, tells how the cause is known and what to do, and fits 80 columns."""
    rule = all_causes()[name]

    assert rule.page.startswith(f"{name}: ")
    assert rule.class_ in CLASSES
    for heading in ("What happened", "How wire502 knows", "Easily mistaken for", "What to check next"):
        assert f"\n{heading}\n" in rule.page
    assert max(map(len, rule.page.splitlines())) <= 80
    assert rule.yields_to <= set(cause_names())
    assert name not in rule.yields_to


POINTS = st.builds(Point, st.integers(1, 40), st.integers(0, 1), st.integers(0, 10**20))
COUNTS = st.integers(0, 10**12)
ENDINGS = st.builds(
    Ending,
    POINTS,
    st.integers(0, 9),
    st.sampled_from(["fin", "rst"]),
    st.booleans(),
    st.booleans(),
    COUNTS,
    st.integers(0, 20),
    st.integers(0, 5),
)
ENDPOINTS = st.builds(
    Endpoint,
    st.just("10.2.0.2:8080"),
    answers=st.integers(0, 3),
    exchanges=st.integers(0, 40),
    first_answer=st.none() | POINTS,
    last_answer=st.none() | POINTS,
    ttl=st.sampled_from([0, 64, 250]),
    ip_id=st.sampled_from([-1, 0, 77]),
    reuse=st.none() | POINTS,
    kept=st.none() | POINTS,
    refusals=st.none() | st.builds(Refusals, POINTS, POINTS, st.integers(1, 9), st.none() | POINTS),
)


class AnyAround(NoSurroundings):
    """Surroundings of which anything may be true."""

    def __init__(self, drawn: tuple[list[Ending], Endpoint, list[Endpoint], list[FirstBytes], float | None]) -> None:
        self._endings, self._endpoint, self._neighbours, self._first_bytes, self._slow = drawn

    def endings(
        self, since_ns: int, until_ns: int, *, busy: bool | None = None, waited_ns: tuple[int, int] | None = None
    ) -> list[Ending]:
        found = [one for one in self._endings if since_ns <= one.point.time_ns <= until_ns]
        if waited_ns is not None:
            found = [one for one in found if waited_ns[0] <= one.waited_ns <= waited_ns[1]]
        return [one for one in found if busy is None or one.busy == busy]

    def slow_answer_ms(self) -> float | None:
        return self._slow

    def endpoint(self) -> Endpoint:
        return self._endpoint

    def neighbours(self) -> list[Endpoint]:
        return self._neighbours

    def first_bytes(self) -> list[FirstBytes]:
        return self._first_bytes


AROUNDS = st.tuples(
    st.lists(ENDINGS, max_size=4),
    ENDPOINTS,
    st.lists(ENDPOINTS, max_size=2),
    st.lists(st.builds(FirstBytes, COUNTS, st.integers(1, 9), COUNTS, COUNTS), max_size=8),
    st.sampled_from([None, 3.0, 9000.0]),
).map(AnyAround)


@given(ATTEMPTS, st.sampled_from(kind_names()), POINTS, AROUNDS)
@settings(max_examples=400, deadline=None)
def test_any_failure_gets_sound_causes(attempt: object, kind: str, point: Point, around: AnyAround) -> None:
    """Whatever was seen, causes come sorted by confidence, each with frames, words and a way to be overturned."""
    finding = Finding(kind, point)
    found = find_causes(attempt, finding, around)  # type: ignore[arg-type]

    ranks = [CONFIDENCES.index(cause.confidence) for cause in found]
    assert ranks == sorted(ranks, reverse=True)
    assert len({cause.name for cause in found}) == len(found)
    for cause in found:
        assert cause.because
        assert all(seen.frame > 0 and seen.note for seen in cause.because)
        assert cause.overturned_by
        assert cause.advice is not None
        assert re.fullmatch(r"[A-Z].*\.", cause.advice, re.DOTALL)
        assert cause.class_ == all_causes()[cause.name].class_


def test_a_kind_that_knows_better_is_not_overruled() -> None:
    """Where the kind itself says who is at fault, no cause changes it."""
    cause = Cause("packet_loss", "network", "high", [], "")

    assert overriding([cause], Finding("x", factory.at(1)), "upstream") == ("network", "packet_loss")
    assert overriding([cause], Finding("x", factory.at(1), at_fault="gateway"), "gateway") == ("gateway", "")
