"""What gateways do that makes the two legs hard to read, each as a real one was seen to do it."""

from __future__ import annotations

from tests.engine.gateway import OK, Gateway, last_words
from wire502.model.verdict import Failure

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
LAST = b"0\r\n\r\n"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"


def test_a_gateway_that_hides_a_cut() -> None:
    """A body cut by the upstream that its gateway ends in good order is a failure that no retry made good."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(CHUNKED)
    asked.server.send(CHUNKED)
    cut = tried.server.fin()
    asked.server.send(LAST)
    (failure,), incidents, summary = last_words(scene.results())
    assert (failure.kind, failure.frame, failure.masked) == ("fin_mid_body", cut, False)
    assert (incidents, summary.masked) == ([], 0)


def test_a_gateway_that_hides_an_illegal_chunk() -> None:
    """An illegal chunk at which the gateway stopped reading is a failure, though the client's response has an end."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(CHUNKED)
    asked.server.send(CHUNKED)
    bad = tried.server.send(b"zz\r\nmore\r\n")
    tried.client.fin()
    asked.server.send(LAST)
    (failure,), _, summary = last_words(scene.results())
    assert (failure.kind, failure.frame, failure.masked) == ("invalid_chunk", bad, False)
    assert "invalid_chunk" not in summary.oddities


def test_a_gateway_that_puts_up_with_an_illegal_chunk() -> None:
    """An illegal chunk after which the gateway read on to the upstream's close, its client served, is an oddity."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(CHUNKED)
    asked.server.send(CHUNKED)
    tried.server.send(b"zz\r\nmore\r\n")
    tried.server.fin()
    tried.client.fin()
    asked.server.send(LAST)
    failures, incidents, summary = last_words(scene.results())
    assert (failures, incidents) == ([], [])
    assert summary.oddities["invalid_chunk"] == 1


def test_an_answer_to_nobody() -> None:
    """A client that closed before it was answered, and resets that answer, gave up: whatever the answer was."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    scene.wire.sleep(1.0)
    left = asked.client.fin()
    ended = tried.client.fin()
    asked.server.send(OK)
    asked.client.reset()
    scene.wire.sleep(10)
    scene.well()
    (failure,), (incident,), summary = last_words(scene.results())
    assert (failure.kind, failure.frame, failure.at_fault) == ("client_abort", ended, "client")
    assert failure.client is not None
    assert failure.client.outcome == "pending"
    assert (incident.outcome, incident.attempts) == ("pending", [failure.id])
    assert any(item.frame == left for item in failure.evidence)
    assert (summary.masked, summary.aborts) == (0, 1)


def test_a_client_that_only_closed_its_side() -> None:
    """A client that closed its side after its request, and reads its answer, did not give up."""
    scene = Gateway()
    asked, first = scene.asks(), scene.tries()
    asked.client.fin()
    first.server.reset()
    second = scene.tries()
    second.server.send(OK)
    asked.server.send(OK)
    asked.server.fin()
    scene.wire.sleep(10)
    scene.well()
    (failure,), incidents, _ = last_words(scene.results())
    assert (failure.kind, failure.masked, incidents) == ("rst_before_response", True, [])


def test_a_probe_beside_an_error() -> None:
    """A SYN of the gateway's own that was just sent when a client got an error, and is repeated, is not behind it."""
    scene = Gateway()
    scene.well()
    asked = scene.asks()
    refused = scene.connection("10.0.1.2:8081")
    refused.client.syn()
    refusal = refused.server.reset()
    probe = scene.connection("10.0.1.4:8080")
    probe.client.syn()
    scene.answers(asked, 502)
    scene.wire.sleep(1.0)
    probe.client.syn()
    scene.wire.sleep(12.0)
    scene.well()
    failures, (incident,), _ = last_words(scene.results())
    behind = next(one for one in failures if one.frame == refusal)
    assert incident.attempts == [behind.id]
    assert all(one.client is None for one in failures if one.kind == "connect_timeout")


def test_one_syn_an_instant_before_an_error() -> None:
    """Nobody waits microseconds for a SYN-ACK: an error so soon after a SYN is no proof of a timeout."""
    scene = Gateway()
    scene.well()
    asked = scene.asks()
    scene.connection("10.0.1.4:8080").client.syn()
    scene.answers(asked, 502)
    scene.wire.sleep(0.4)
    failures = [one for one in scene.results() if isinstance(one, Failure)]
    assert "connect_timeout" not in [one.kind for one in failures]


def test_a_response_cut_after_a_silence() -> None:
    """A gateway that closes both legs after a silence of any length gave up waiting, likely: stall, not abort."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    last = tried.server.send(HALF)
    tried.client.ack()
    asked.server.send(HALF)
    asked.client.ack()
    scene.wire.sleep(3.19)
    tried.client.fin()
    asked.server.fin()
    (failure,), (incident,), _ = last_words(scene.results())
    assert (failure.kind, failure.frame, failure.confidence) == ("stall_mid_body", last, "medium")
    assert [one.kind for one in failure.alternatives] == ["gateway_abort"]
    assert incident.outcome == "cut"


def test_a_retry_right_after_a_silence() -> None:
    """A gateway that closes after a silence of any length and asks again at once had waited long enough."""
    scene = Gateway()
    asked, first = scene.asks(), scene.tries()
    scene.wire.sleep(3.31)
    first.client.fin()
    second = scene.tries()
    scene.wire.sleep(3.7)
    second.client.fin()
    scene.answers(asked, 504)
    failures, (incident,), _ = last_words(scene.results())
    assert [one.kind for one in failures] == ["stall_before_response"] * 2
    assert incident.attempts == [one.id for one in sorted(failures, key=lambda one: one.frame)]


def test_octets_behind_the_end_of_a_head_too_large() -> None:
    """What was under way when the gateway closed over a head is not the frame that went over its limit."""
    scene = Gateway()
    asked, tried = scene.asks(), scene.tries()
    tried.server.send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1400)
    for _ in range(5):
        last = tried.server.send(b"y" * 1400)
    tried.client.fin()
    tried.server.send(b"y" * 1400)
    scene.answers(asked, 502)
    (failure,), (incident,), _ = last_words(scene.results())
    assert (failure.kind, failure.frame) == ("header_too_large", last)
    assert incident.kind == "header_too_large"
