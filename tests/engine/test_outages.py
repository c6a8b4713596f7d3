"""When an upstream was out, and what it did over time."""

from __future__ import annotations

from tests.engine.gateway import OK, Gateway, last_words
from wire502.model.verdict import Summary, UpstreamSummary


def upstream(summary: Summary, port: int = 8080) -> UpstreamSummary:
    """The row of the gateway's upstream."""
    return next(one for one in summary.upstreams if one.upstream.endswith(f":{port}"))


def test_an_outage() -> None:
    """From the first failure to the next good response an upstream is out: its frames, its length, its failures."""
    scene = Gateway()
    scene.well()
    frames = []
    for _ in range(3):
        asked, tried = scene.asks(), scene.tries()
        frames.append(tried.server.reset())
        scene.answers(asked)
        scene.wire.sleep(0.7)
    asked, tried = scene.asks("/back"), scene.tries("/back")
    good = tried.server.send(OK)
    asked.server.send(OK)
    row = upstream(last_words(scene.results())[2])
    (outage,) = row.outages
    assert (outage.frame, outage.until_frame, outage.failures) == (frames[0], good, 3)
    assert outage.seconds is not None
    assert 2.1 <= outage.seconds < 2.3
    assert (row.attempts, row.failures, row.failures_by_kind) == (5, 3, {"rst_before_response": 3})


def test_an_outage_without_an_end() -> None:
    """An upstream that never was well again is out to the end of the capture."""
    scene = Gateway()
    scene.well()
    for _ in range(2):
        asked, tried = scene.asks(), scene.tries()
        tried.server.fin()
        scene.answers(asked)
    (outage,) = upstream(last_words(scene.results())[2]).outages
    assert (outage.until_frame, outage.until_time, outage.seconds, outage.failures) == (None, None, None, 2)


def test_a_failure_among_good_responses() -> None:
    """A single failure that the next moment made good is no outage, and neither is an error of the gateway's own."""
    scene = Gateway()
    scene.well()
    asked, tried = scene.asks(), scene.tries()
    tried.server.reset()
    scene.answers(asked)
    scene.well()
    asked, tried = scene.asks(), scene.tries()
    scene.wire.sleep(2.3)
    asked.client.reset()
    tried.client.reset()
    scene.wire.sleep(4)
    scene.well()
    assert upstream(last_words(scene.results())[2]).outages == []


def test_a_5xx_is_no_good_response() -> None:
    """An upstream that answers with its own errors is out as long as it gives nothing else."""
    scene = Gateway()
    scene.well()
    first = 0
    for _ in range(3):
        asked, tried = scene.asks(), scene.tries()
        frame = tried.server.send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        asked.server.send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        first = first or frame
        scene.wire.sleep(0.5)
    scene.well()
    row = upstream(last_words(scene.results())[2])
    (outage,) = row.outages
    assert (outage.frame, outage.failures, row.attempts) == (first, 3, 5)


def test_two_upstreams() -> None:
    """An outage is that of one upstream: its neighbour that serves all the while has none."""
    scene = Gateway()
    scene.well()
    for number in range(4):
        refused = scene.connection("10.0.1.2:8081")
        refused.client.syn()
        refused.server.reset()
        scene.well(f"/well/{number}")
    summary = last_words(scene.results())[2]
    assert upstream(summary).outages == []
    assert sum(row.failures for row in summary.upstreams if row.upstream.endswith(":8080")) == 0
