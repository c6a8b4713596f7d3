"""What clients got: incidents over both legs, with the attempts behind them in order."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest

from tests.engine.gateway import OK, Gateway, head, last_words, of_files
from wire502.model.context import Context
from wire502.model.verdict import Failure, Incident, Summary, Update

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"


def test_an_error_of_the_gateways_own() -> None:
    """A 502 after a reset is one incident at the 502, with the failure as its verdict and the link in the failure."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    reset = tried.server.reset()
    frame = scene.answers(asked)
    (failure,), (incident,), summary = last_words(scene.results())

    assert (incident.frame, incident.client_status, incident.outcome, incident.kind) == (
        frame,
        502,
        "error",
        "rst_before_response",
    )
    assert (incident.attempts, incident.verdict) == ([failure.id], failure.id)
    assert failure.frame == reset
    assert failure.client is not None
    assert (failure.client.frame, failure.client.link.by) == (frame, ["target", "nesting"])
    assert (summary.client_502, summary.explained_502, summary.incidents) == (1, 1, {"error": 1})


def test_failures_come_before_their_incident() -> None:
    """The line of an incident follows those of its failures."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.reset()
    scene.answers(asked)
    kinds = [type(result) for result in scene.results()]
    assert kinds[:2] == [Failure, Incident]


def test_a_response_cut_short() -> None:
    """A 200 that ends early is an incident at its first frame; the frame that cut it stands beside."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(HALF)
    first = asked.server.send(HALF)
    tried.server.reset()
    cut = asked.server.fin()
    (failure,), (incident,), _ = last_words(scene.results())

    assert (incident.outcome, incident.client_status, incident.frame, incident.end_frame) == ("cut", 200, first, cut)
    assert failure.kind == "rst_mid_body"
    assert failure.client is not None
    assert (failure.client.frame, failure.client.end_frame) == (first, cut)


@pytest.mark.parametrize(("close", "outcome"), [("fin", "closed_without_response"), ("reset", "reset")])
def test_no_response_at_all(close: str, outcome: str) -> None:
    """A client whose connection ends without an octet has an incident without a status, at that close."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.fin()
    frame = getattr(asked.server, close)()
    _, (incident,), _ = last_words(scene.results())
    assert (incident.outcome, incident.client_status, incident.frame) == (outcome, None, frame)


def test_a_client_that_gave_up() -> None:
    """A client that leaves before its answer has an incident; the gateway's close that follows is a client_abort."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    scene.wire.sleep(3.2)
    left = asked.client.fin()
    asked.server.ack()
    scene.wire.sleep(0.1)
    tried.client.reset()
    asked.server.fin()
    scene.wire.sleep(10)
    scene.well()
    (failure,), (incident,), summary = last_words(scene.results())
    assert failure.kind == "client_abort"
    assert (incident.outcome, incident.client_status, incident.frame) == ("pending", None, left)
    assert (incident.attempts, incident.verdict) == ([failure.id], failure.id)
    assert (summary.aborts, summary.failures) == (1, {})


def test_octets_that_are_no_response() -> None:
    """What a client cannot read as a response is an error without a status."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(b"Oops, no status line here\r\n\r\n")
    tried.server.fin()
    frame = asked.server.send(b"Oops, no status line here\r\n\r\n")
    asked.server.fin()
    (failure,), (incident,), _ = last_words(scene.results())
    assert failure.kind == "invalid_status_line"
    assert (incident.outcome, incident.client_status, incident.frame) == ("error", None, frame)


def test_a_relayed_error() -> None:
    """An error that the upstream made itself is an incident too, and its kind tells it from one of the gateway's."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    asked.server.send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    _, (incident,), _ = last_words(scene.results())
    assert (incident.client_status, incident.kind) == (503, "relayed_error")


def test_a_client_error_is_no_incident() -> None:
    """A 404 is an answer, not an incident."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    asked.server.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    failures, incidents, _ = last_words(scene.results())
    assert (failures, incidents) == ([], [])


def test_nobody_was_asked() -> None:
    """An error without an attempt, in a capture that shows the upstream leg, is no_attempt at the error's frame."""
    scene = Gateway()
    scene.well()
    asked = scene.asks("/nowhere")
    frame = scene.answers(asked, 503)
    scene.wire.sleep(5)
    scene.well()
    (failure,), (incident,), _ = last_words(scene.results())
    assert (failure.kind, failure.frame, failure.at_fault) == ("no_attempt", frame, "gateway")
    assert incident.attempts == [failure.id]


def test_nobody_was_asked_but_an_upstream_cannot_be_read() -> None:
    """Where a connection to an upstream is not HTTP, it may hide the attempt: then nothing is said of the gateway."""
    scene = Gateway()
    scene.well()
    hidden = scene.connection("10.0.1.3:8443")
    hidden.handshake()
    hidden.client.send(b"\x17\x03\x03\x00\x10" + bytes(16))
    hidden.server.send(b"\x17\x03\x03\x00\x10" + bytes(16))
    scene.answers(scene.asks("/nowhere"), 503)
    scene.wire.sleep(5)
    scene.well()
    failures, (incident,), _ = last_words(scene.results())
    assert (failures, incident.verdict) == ([], None)


def test_retries_in_order() -> None:
    """Two attempts for one request: both stand in the incident in the order of the wire, the last one decided."""
    scene = Gateway()
    asked, first = scene.asks(), scene.tries()
    first.server.reset()
    second = scene.tries(upstream="10.0.1.3:8080")
    closed = second.server.fin()
    scene.answers(asked)
    failures, (incident,), _ = last_words(scene.results())
    by_frame = sorted(failures, key=lambda one: one.frame)
    assert [one.kind for one in by_frame] == ["rst_before_response", "fin_before_response"]
    assert incident.attempts == [one.id for one in by_frame]
    assert incident.verdict == by_frame[-1].id
    assert by_frame[-1].frame == closed
    assert "2 failed attempts" in incident.summary


def test_refused_just_before_the_next_one_asks() -> None:
    """Two clients a fraction of a millisecond apart, both answered with an error: the one that had asked before the
    gateway's SYN went out is the one that was refused.
    """
    scene = Gateway()
    asked = scene.asks("/first")
    tried = scene.connection()
    tried.client.syn()
    refused = tried.server.reset()
    answered = scene.answers(asked, 503)
    later = scene.asks("/second")
    broken = scene.tries("/second").server.reset()
    scene.answers(later, 502)
    for number, frame in enumerate(scene.wire.frames):  # all of it within a millisecond or so, as on one machine
        frame.time_ns = scene.wire.frames[0].time_ns + number * 40_000
    failures, _, _ = last_words(scene.results())
    one, other = sorted(failures, key=lambda one: one.frame)
    assert (one.frame, other.frame) == (refused, broken)
    assert one.client is not None
    assert one.client.frame == answered


def test_the_first_502_of_all_is_counted() -> None:
    """A 502 that came before anything told which leg it was on is a client's all the same, and explained."""
    scene = Gateway()
    asked = scene.asks()
    tried = scene.connection()
    tried.client.syn()
    tried.server.reset()
    scene.answers(asked, 502)
    (summary,) = (one for one in scene.results(cooked=True) if isinstance(one, Summary))
    assert (summary.client_502, summary.explained_502) == (1, 1)


def test_refused_twice() -> None:
    """Connects carry no request: those that fail between request and error are its attempts, in order."""
    scene = Gateway()
    scene.well()
    asked = scene.asks()
    refusals = []
    for port in ("8081", "8082"):
        conn = scene.connection(f"10.0.1.2:{port}")
        conn.client.syn()
        refusals.append(conn.server.reset())
        scene.wire.sleep(1)
    scene.answers(asked, 503)
    failures, (incident,), _ = last_words(scene.results())
    assert [one.frame for one in sorted(failures, key=lambda one: one.frame)] == refusals
    assert len(incident.attempts) == 2


def test_a_retry_made_it_good() -> None:
    """A failed attempt whose client got a good answer is masked, and no incident."""
    scene = Gateway()
    asked, first = scene.asks(), scene.tries()
    first.server.reset()
    second = scene.tries()
    second.server.send(OK)
    asked.server.send(OK)
    (failure,), incidents, summary = last_words(scene.results())
    assert failure.masked
    assert (incidents, summary.masked, summary.failures) == ([], 1, {})


def test_a_late_good_answer_corrects_the_failure() -> None:
    """A failure that was told while its client still waited is masked by an update once the client was served."""
    scene = Gateway()
    asked, first = scene.asks(), scene.tries()
    first.server.reset()
    scene.wire.sleep(8)
    second = scene.tries()
    second.server.send(OK)
    asked.server.send(OK)
    scene.wire.sleep(30)
    scene.well()
    results = scene.results()
    told = next(result for result in results if isinstance(result, Failure))
    updates = [result for result in results if isinstance(result, Update)]
    assert [update.changes["masked"] for update in updates if "masked" in update.changes] == [True]
    assert {update.id for update in updates} == {told.id}
    assert last_words(results)[2].failures == {}
    assert last_words(results)[2].masked == 1


def test_the_gateway_gave_up_and_closed_later() -> None:
    """An incident told before its attempt was over names it by an update, with the stall that the client leg proves."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    scene.wire.sleep(7.3)
    scene.answers(asked, 504)
    scene.wire.sleep(4)
    scene.well()
    tried.client.fin()
    scene.wire.sleep(10)
    scene.well("/later")
    results = scene.results()
    (failure,), (incident,), summary = last_words(results)
    assert failure.kind == "stall_before_response"
    assert (incident.verdict, incident.kind) == (failure.id, "stall_before_response")
    assert summary.incidents == {"error": 1}


def test_another_prefix() -> None:
    """A gateway that rewrites the beginning of targets is followed by their end."""
    scene = Gateway()
    asked, tried = scene.asks("/shop/v1/items/7?q=1"), scene.tries("/items/7?q=1")
    tried.server.reset()
    frame = scene.answers(asked)
    (failure,), (incident,), _ = last_words(scene.results())
    assert failure.client is not None
    assert (failure.client.frame, failure.client.link.by[0]) == (frame, "suffix")
    assert incident.attempts == [failure.id]


@pytest.mark.parametrize(
    ("ours", "theirs", "by"),
    [
        ({"X-Request-ID": "abcdef"}, {"X-Request-ID": "abcdef"}, "id"),
        ({"traceparent": "00-" + "a1" * 16 + "-" + "1" * 16 + "-01"},
         {"traceparent": "00-" + "a1" * 16 + "-" + "2" * 16 + "-01"}, "id"),
        ({"Cookie": "session=4711"}, {"X-Whatever": "session=4711"}, "x-whatever"),
        ({}, {"X-Forwarded-For": "10.0.9.7"}, "forwarded-for"),
        ({}, {"Forwarded": 'for="10.0.9.7:50001";proto=http'}, "forwarded-for"),
        ({"Content-Length": "7"}, {"Content-Length": "7"}, "body-size"),
    ],
)  # fmt: skip
def test_what_tells_like_requests_apart(ours: dict[str, str], theirs: dict[str, str], by: str) -> None:
    """Of two clients that ask the same at the same time, the one is taken that the heads speak for."""
    scene = Gateway()
    mine = scene.asks(fields=ours, address="10.0.9.7")
    other = scene.asks(fields={"X-Request-ID": "ffffff"} if by == "id" else {"Cookie": "session=4712"})
    if by == "body-size":
        mine.client.send(b"payload")
    tried = scene.tries(fields=theirs)
    if by == "body-size":
        tried.client.send(b"payload")
    tried.server.reset()
    frame = scene.answers(mine)
    scene.tries(fields={"X-Request-ID": "ffffff"}).server.send(OK)
    other.server.send(OK)
    (failure,), (incident,), _ = last_words(scene.results())
    assert failure.client is not None
    assert failure.client.frame == incident.frame == frame
    assert by in failure.client.link.by


def test_like_requests_that_only_nesting_tells_apart() -> None:
    """Two like requests, one inside the other in time, have each their own attempt if there is only one way."""
    scene = Gateway()
    outer = scene.asks()
    first = scene.tries()
    inner = scene.asks()
    second = scene.tries()
    second.server.reset()
    served = scene.answers(inner)
    scene.wire.sleep(2)
    first.server.fin()
    answered = scene.answers(outer)
    failures, incidents, _ = last_words(scene.results())
    linked = {one.kind: one.client.frame for one in failures if one.client is not None}
    assert linked == {"rst_before_response": served, "fin_before_response": answered}
    assert len(incidents) == 2


def test_like_requests_that_cannot_be_told_apart() -> None:
    """Like requests at one moment are not guessed at: the failures count them, the incidents say how all failed."""
    scene = Gateway()
    asked = [scene.asks() for _ in range(5)]
    tried = [scene.tries() for _ in range(5)]
    for conn in tried:
        conn.server.reset()
    for conn in asked:
        scene.answers(conn)
    failures, incidents, summary = last_words(scene.results())
    assert [one.client for one in failures] == [None] * 5
    assert all("ambiguous: 5 client requests" in caveat for one in failures for caveat in one.caveats[-1:])
    assert [(one.verdict, one.kind, one.ambiguous) for one in incidents] == [
        (None, "rst_before_response", {"rst_before_response": 5})
    ] * 5
    assert (summary.client_502, summary.explained_502) == (5, 5)


@pytest.mark.slow
def test_ten_thousand_like_requests() -> None:
    """10,000 like requests at once take time in proportion, nothing is guessed, and the figures hold as sets."""
    seconds = []
    for count in (1000, 10_000):
        scene = Gateway()
        conns = []
        for number in range(count):
            conn = scene.wire.connection(
                f"10.1.{number // 50_000}.9:{5000 + number % 50_000}", scene.front, interface=0
            )
            conn.handshake(drop=True)
            conn.client.send(head("/health"))
            conns.append(conn)
        tries = []
        for number in range(count):
            conn = scene.wire.connection(f"{scene.inner}:{5000 + number}", scene.upstream, interface=1)
            conn.handshake(drop=True)
            conn.client.send(head("/health"))
            tries.append(conn)
        for conn in tries:
            conn.server.reset()
        for conn in conns:
            scene.answers(conn)
        began = process_time()
        results = scene.results(rows=4096)
        seconds.append(process_time() - began)
        failures, incidents, summary = last_words(results)
        assert sum(summary.failures.values()) == len(failures) == count
        assert all(one.client is None for one in failures)
        assert all(one.verdict is None for one in incidents)
        assert (summary.client_502, summary.explained_502) == (count, count)
    assert seconds[1] < 50 * seconds[0] + 1, "squared it would be a hundred times as long"


def two_legs() -> tuple[Gateway, dict[str, list[int]]]:
    """Return a gateway that was asked thirty times, and the frames of the failures and of the errors."""
    scene, frames = Gateway(), {"failed": [], "answered": []}
    for number in range(30):
        asked, tried = scene.asks(f"/t/{number}"), scene.tries(f"/t/{number}")
        scene.wire.sleep(0.02)
        if number % 3:
            tried.server.send(OK)
            asked.server.send(OK)
        else:
            frames["failed"].append(tried.server.reset())
            frames["answered"].append(scene.answers(asked))
        scene.wire.sleep(0.4)
    return scene, frames


@pytest.mark.parametrize("skew", [0.0, 3.0, -3.0, 0.004, -0.004])
def test_two_files(tmp_path: Path, skew: float) -> None:
    """Both legs in two files, the clocks apart or not, give the links that one file gives, and say so."""
    scene, frames = two_legs()
    paths, (client, upstream) = scene.files(tmp_path, skew)
    failures, incidents, summary = last_words(of_files(paths))
    links = {upstream.identity(one.frame): client.identity(one.client.frame) for one in failures if one.client}
    assert links == dict(zip(frames["failed"], frames["answered"], strict=True))
    assert sorted(client.identity(one.frame) for one in incidents) == frames["answered"]
    assert all(len(one.attempts) == 1 for one in incidents)
    said = [caveat for caveat in summary.caveats if "clock" in caveat]
    assert bool(said) == (abs(skew) > 1)
    if said:
        assert abs(float(re.findall(r"([0-9.]+) s ", said[0])[0]) - 3) < 0.01
        assert ("ahead" if skew > 0 else "behind") in said[0]


@pytest.mark.parametrize("skew", [0.0, 0.3, -3.0, 1000.0])
def test_unanswered_connects_of_another_file(tmp_path: Path, skew: float) -> None:
    """A SYN that clocks brought together show before its request is still the attempt for it."""
    scene = Gateway()
    asked, answered = [], []
    for number in range(12):
        if number % 4:
            scene.well(f"/t/{number}")
        else:
            client = scene.asks(f"/t/{number}")
            asked.append(scene.connection().client.syn())
            scene.wire.sleep(2.0)
            answered.append(scene.answers(client, 503))
        scene.wire.sleep(0.3)
    scene.wire.sleep(60)
    scene.well("/end")
    paths, (client_leg, upstream_leg) = scene.files(tmp_path, skew)
    failures, incidents, _ = last_words(of_files(paths))
    tried = {one.id: (one.kind, upstream_leg.identity(one.frame)) for one in failures}
    assert sorted(tried.values()) == [("connect_timeout", frame) for frame in asked]
    told = {client_leg.identity(one.frame): [tried[name][1] for name in one.attempts] for one in incidents}
    assert told == {answer: [frame] for answer, frame in zip(answered, asked, strict=True)}


def test_one_file_and_two_files_agree(tmp_path: Path) -> None:
    """What one file with both legs tells is what two files tell."""
    scene, frames = two_legs()
    paths, (client, upstream) = scene.files(tmp_path, 3.0)
    whole = {one.frame: one.client.frame for one in last_words(scene.results())[0] if one.client}
    parted = last_words(of_files(paths))[0]
    assert whole == {upstream.identity(o.frame): client.identity(o.client.frame) for o in parted if o.client}
    assert len(whole) == len(frames["failed"])


def test_what_waits_is_bounded() -> None:
    """More failures than may wait for their clients are told early, each once, and their incidents still come."""
    scene = Gateway()
    for number in range(4500):
        asked = scene.wire.connection(f"10.0.9.9:{2000 + number}", scene.front, interface=0)
        asked.handshake(drop=True)
        asked.client.send(head(f"/{number}"))
        tried = scene.wire.connection(f"{scene.inner}:{2000 + number}", scene.upstream, interface=1)
        tried.handshake(drop=True)
        tried.client.send(head(f"/{number}"))
        tried.server.reset()
    failures, incidents, summary = last_words(scene.results(context=Context(hold_ns=60_000_000_000), rows=4096))
    assert len({one.id for one in failures}) == len(failures) == 4500
    assert summary.failures == {"rst_before_response": 4500}
    assert incidents == []


def asked_in_vain(*asked: str, answered: bool = False) -> tuple[list[Failure], list[Incident], int]:
    """Return what is said of a client's 502 while addresses were asked for, and the last question."""
    scene = Gateway()
    scene.well()
    client = scene.asks()
    last = 0
    for _ in range(3):
        for address in asked:
            last = scene.wire.arp_request("10.0.0.1", address)
        scene.wire.sleep(0.3)
    if answered:
        scene.wire.arp_reply(asked[0], "10.0.0.1")
    scene.answers(client)
    scene.wire.sleep(5)
    scene.well("/later")
    failures, incidents, _ = last_words(scene.results())
    return list(failures), list(incidents), last


@pytest.mark.parametrize("address", ["10.0.1.99", "10.0.1.2"])
def test_an_address_that_nobody_answered_for_is_why(address: str) -> None:
    """Where the gateway only asked for an address, that is the attempt: of an upstream known or not."""
    (failure,), (incident,), last = asked_in_vain(address)

    assert (failure.kind, failure.frame, failure.at_fault) == ("connect_unreachable", last, "network")
    assert failure.connection.upstream.partition(":")[0] == address
    assert (incident.attempts, incident.client_status) == ([failure.id], 502)


@pytest.mark.parametrize(
    ("asked", "answered"), [(("10.0.1.99",), True), (("10.0.1.98", "10.0.1.99"), False), (("10.0.9.9",), True)]
)
def test_questions_that_prove_no_attempt(asked: tuple[str, ...], answered: bool) -> None:
    """An address that somebody answered for, or one of several, is no reason for the client's error."""
    (failure,), _, _ = asked_in_vain(*asked, answered=answered)
    assert failure.kind == "no_attempt"
