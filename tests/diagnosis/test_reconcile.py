"""The log against the capture."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report import samples
from wire502.api import Result, read, reconciler
from wire502.diagnosis.reconcile import Reconciler
from wire502.gateways import parse
from wire502.model.verdict import (
    ClientRef,
    ExchangeLine,
    Failure,
    Incident,
    IncidentRequest,
    Link,
    LogVerdict,
    RequestRef,
    Time,
)

MS = 1_000_000
GATEWAYS = ("nginx", "haproxy", "apache")
RIGHT = 0.999  # of all lines, see test_real_logs
UNJUST = 2  # lines that contradict a right verdict: what Apache logs for a broken header is not in its table


def stamp(offset_ms: int = 0) -> str:
    at = samples.at(offset_ms)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 10**9)) + f".{at % 10**9 // MS:03}Z"


def access(target: str = "/cart", status: int = 502, at: int = 5, more: str = "", method: str = "GET") -> str:
    return f'{stamp(at)} 203.0.113.9:50000 "{method} {target} HTTP/1.1" {status} 157 {more}'


def error(message: str, target: str = "/cart", upstream: str = "10.0.0.2:8080", at: int = 0) -> str:
    when = stamp(at)[:19].replace("-", "/").replace("T", " ")
    return (
        f"{when} [error] 7#7: *3 {message}, client: 203.0.113.9, server: x, "
        f'request: "GET {target} HTTP/1.1", upstream: "http://{upstream}{target}", host: "x"'
    )


RESET = "recv() failed (104: Connection reset by peer) while reading response header from upstream"
TIMED_OUT = "upstream timed out (110: Connection timed out) while reading response header from upstream"


def failure(**changes: Any) -> Failure:
    """A reset before the response, for GET /cart, whose client was not seen."""
    made = replace(samples.reset_before_response(), client=None, alternatives=[])
    return replace(made, **changes)


def client(status: int | None, connection: str = "203.0.113.9:50000") -> ClientRef:
    outcome = "closed_without_response" if status is None else "error" if status >= 500 else "complete"
    link = Link(0.9, ["target"], None)
    return ClientRef(9, 0, Time(samples.at(12)), outcome, status, connection, 1, link)  # type: ignore[arg-type]


def healthy(target: str, status: int = 200, at: int = 0, upstream: str = "10.0.0.2:8080") -> ExchangeLine:
    made = samples.exchange()
    response = replace(made.response, status=status) if made.response else None
    request = RequestRef(7, Time(samples.at(at)), "GET", target, None, None)
    connection = replace(made.connection, upstream=upstream)
    return replace(made, request=request, response=response, connection=connection, leg="upstream")


def joined(results: Iterable[Result], *lines: str, **options: Any) -> tuple[list[LogVerdict], Reconciler]:
    """Return what becomes of *lines*, every one of them, and who says so."""
    made = reconciler(**options)
    for result in (*results, samples.summary()):
        made.see(result)
    return list(made.compare("gateway.log", lines, everything=True)), made


def claims(results: Iterable[Result], *lines: str, **options: Any) -> list[tuple[str, str | None]]:
    return [(one.verdict, one.failure) for one in joined(results, *lines, **options)[0]]


@pytest.mark.parametrize(
    ("line", "claim"),
    [
        (error(RESET), "confirmed"),
        (error(TIMED_OUT), "contradicted"),
        (access(status=502), "confirmed"),
        (access(status=200), "contradicted"),
        (error(RESET, at=-60_000), None),
        (error(RESET, upstream="10.0.0.3:8080", target="/other"), "not_in_capture"),
        (access("/other"), "not_in_capture"),
    ],
)
def test_a_failure_without_its_client(line: str, claim: str | None) -> None:
    """Message or status decide whether a line agrees; one of another time or request is not joined."""
    wanted = [] if claim is None else [(claim, None if claim == "not_in_capture" else "f1")]

    assert claims([failure()], line, gateway="nginx") == wanted


@pytest.mark.parametrize(
    ("status", "got", "claim"),
    [
        (502, 502, "confirmed"),
        (504, 502, "contradicted"),
        (200, 502, "contradicted"),
        (200, 200, "confirmed"),
        (502, None, "confirmed"),
        (499, 502, "contradicted"),
    ],
)
def test_what_the_client_got_decides(status: int, got: int | None, claim: str) -> None:
    """Where the capture shows what the client got, the status of the log is held against that."""
    assert claims([failure(client=client(got))], access(status=status)) == [(claim, "f1")]


def test_another_client_is_not_meant() -> None:
    """A line of another port of the client is not joined, whatever its target."""
    seen = failure(client=client(502, "203.0.113.9:50001"))

    assert claims([seen], access()) == [("not_in_capture", None)]


def test_a_masked_failure_agrees_with_a_good_status() -> None:
    """After a retry that made it good, a 200 is what the log has to say; an update may tell of it later."""
    from wire502.model.verdict import Update

    assert claims([failure(masked=True)], access(status=200)) == [("confirmed", "f1")]
    assert claims([failure(), Update("f1", {"masked": True})], access(status=200)) == [("confirmed", "f1")]


def test_the_nearest_of_several() -> None:
    """Of several attempts for one target the one nearest in time is meant, and the upstream tells them apart."""
    first = failure()
    later = failure(
        id="f2",
        time=Time(samples.at(1500)),
        ladder=[],
        connection=replace(first.connection, upstream="10.0.0.3:8080"),
        request=samples.request(time=Time(samples.at(1490))),
    )

    assert claims([first, later], access(at=1501)) == [("confirmed", "f2")]
    assert claims([first, later], error(RESET, upstream="10.0.0.2:8080", at=1600)) == [("confirmed", "f1")]


def test_a_connect_that_names_no_request() -> None:
    """A refused connection, which carries no request, is joined by its upstream."""
    refused = samples.refused()
    end = refused.connection.upstream
    at = (refused.time - samples.START) // MS
    message = "connect() failed (111: Connection refused) while connecting to upstream"

    assert claims([refused], error(message, "/x", end, at)) == [("confirmed", refused.id)]
    assert claims([refused], error(message, "/x", "10.9.9.9:1", at)) == [("not_in_capture", None)]


def test_healthy_exchanges() -> None:
    """A healthy line finds its exchange; an error where the exchange ended well is contradicted."""
    seen = [healthy("/fine"), healthy("/fine", 404, 10)]

    assert claims(seen, access("/fine", 404)) == [("confirmed", None)]
    assert claims(seen, access("/fine", 502)) == [("contradicted", None)]
    assert claims(seen, error(TIMED_OUT, "/fine")) == [("contradicted", None)]
    assert claims(seen, error(TIMED_OUT, "/fine", "10.0.0.77:80")) == [("not_in_capture", None)]
    assert claims(seen, access("/else", 200)) == []


def test_an_incident_without_attempts() -> None:
    """A client's error without an attempt is confirmed by its status."""
    asked = IncidentRequest(7, "GET", "/none", None, None)
    incident = Incident("i1", 502, "error", 8, 0, Time(samples.at(5)), "203.0.113.9:50000", asked, [], None, "low", "")
    found, _ = joined([incident], access("/none", 502), access("/none", 500))

    assert [(one.verdict, one.incident) for one in found] == [("confirmed", "i1"), ("contradicted", "i1")]


def test_silences() -> None:
    """Failures that no line speaks of are listed, but not masked ones, aborts, or those of another time."""
    quiet = failure(id="f2", request=replace(failure().request, target="/quiet"))  # type: ignore[type-var]
    masked = replace(quiet, id="f3", masked=True)
    abort = replace(samples.abort(), id="f4", time=Time(samples.at(1)))
    late = replace(quiet, id="f5", time=Time(samples.at(200_000)))
    _, made = joined([failure(), quiet, masked, abort, late], error(RESET))

    assert [one.failure for one in made.silences()] == ["f2"]
    assert made.summary().silent == 1


def test_a_gateway_known_to_be_silent() -> None:
    """Where the gateway writes no line for a failure, that is what is said of the silence."""
    line = '10.0.0.9:1 [22/Nov/2026:12:04:31.900] fe be/s 0/0/0/1/1 200 9 - - ---- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"'
    _, made = joined([failure(client=client(None))], line)

    assert [one.why for one in made.silences()] == ["haproxy writes no line for this"]


def test_every_line_is_counted_once() -> None:
    """The counts of the summary add up to the lines."""
    lines = [error(RESET), error(TIMED_OUT), access("/none"), access("/x", 200), "what?", "", error(RESET, at=-60_000)]
    _, made = joined([failure()], *lines)
    total = made.summary()

    assert (total.confirmed, total.contradicted, total.not_in_capture) == (1, 1, 1)
    assert (total.no_claim, total.unreadable, total.outside, total.not_compared) == (1, 1, 1, 0)
    assert total.lines == len(lines)


def test_only_what_speaks_of_failures_is_told() -> None:
    """Without *everything* healthy lines that agree are only counted."""
    made = reconciler()
    for result in (failure(), healthy("/fine"), samples.summary()):
        made.see(result)
    told = [one.line for one in made.compare("x", [access("/fine", 200), error(RESET), access("/fine", 502)])]

    assert told == [2, 3]
    assert made.summary().confirmed == 2


def test_beyond_what_is_remembered() -> None:
    """Where the capture held more than is kept, a line is not called missing from it."""
    made = Reconciler(most_failures=1, most_exchanges=1)
    second = failure(id="f2", request=replace(failure().request, target="/second"))  # type: ignore[type-var]
    for result in (failure(), second, healthy("/fine"), healthy("/fine2"), samples.summary()):
        made.see(result)

    assert [one.verdict for one in made.compare("x", [access(), access("/second")])] == ["confirmed"]
    assert made.summary().not_compared == 1


def test_slack() -> None:
    """Clocks may be as far apart as is said, and no farther."""
    line = access(at=-4000)

    assert claims([failure()], line, slack_ns=1_000_000_000) == []
    assert claims([failure()], line, slack_ns=5_000_000_000) == [("confirmed", "f1")]


def test_a_long_log_is_streamed() -> None:
    """A long log, all for one hot target among as many attempts, takes neither memory nor time without bounds."""

    def lines() -> Iterator[str]:
        for number in range(20_000):
            yield access("/hot", 502 if number % 10 == 0 else 200, at=number % 2000)

    made = reconciler()
    for number in range(5000):
        made.see(healthy("/hot", 200, number % 3000))
        made.see(failure(id=f"f{number}", time=Time(samples.at(number % 3000)), ladder=[]))
    made.see(samples.summary())
    next(made.compare("x", lines()))  # what is sorted and cached once
    tracemalloc.start()
    began = time.process_time()
    for _ in made.compare("x", lines()):
        pass
    took = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4_000_000
    assert took < 60


@pytest.mark.slow
def test_real_logs(truth: Path) -> None:
    """The lines that gateways wrote while their captures were made find their request and no other.

    A line that names the request of an event is right if it is joined with that request's failure or exchange, or
    left alone where the capture has neither; one that names none must agree with what it is joined with.
    """
    count: Counter[str] = Counter()
    misses: list[str] = []
    for gateway in GATEWAYS:
        for path in sorted((truth / "captures-groundtruth" / gateway).glob("*.truth.json")):
            if "tls_" not in path.name:
                measure(path, gateway, count, misses)
    print(dict(count), *misses, sep="\n")  # noqa: T201 - the figures are what this is for

    assert count["lines"] > 7000
    assert count["unreadable"] == 0
    assert count["wrong request"] == 0
    assert (count["lines"] - len(misses)) / count["lines"] >= RIGHT
    assert count["unjust"] <= UNJUST


def measure(path: Path, gateway: str, count: Counter[str], misses: list[str]) -> None:
    """Join the log lines of one truth file with the results of its capture."""
    facts = json.loads(path.read_text())
    made = reconciler(gateway=gateway)
    targets: dict[str, str | None] = {}
    kinds: dict[str, str] = {}
    well: set[str] = set()
    for result in read(path.parent / facts["capture"], all=True):
        made.see(result)
        if isinstance(result, Failure | Incident):
            targets[result.id] = result.request.target if result.request else None
            kinds[result.id] = result.kind if isinstance(result, Failure) else ""
        elif isinstance(result, ExchangeLine) and result.request:
            well.add(result.request.target)
    events: dict[str, Any] = {}
    for event in facts["events"]:
        for line in event["gateway_log"]:
            if line not in events or event["uri"] in line:
                events[line] = event
    parsed = {line: parse(line) for line in events}
    count["unreadable"] += sum(one is None for one in parsed.values())
    lines = sorted(events, key=lambda line: (line.find("AH") < 0 and "[error]" not in line, parsed[line].last_ns))  # type: ignore[union-attr]
    verdicts = {one.line: one for one in made.compare(path.name, lines, everything=True)}
    for number, line in enumerate(lines, 1):
        event, one = events[line], verdicts.get(number)
        count["lines"] += 1
        count[one.verdict if one else "left"] += 1
        named = event["uri"] in line
        ident = (one.failure or one.incident) if one else None
        target = targets.get(ident) if ident else None
        if named and target is not None and target != event["uri"]:
            count["wrong request"] += 1
        if one and one.verdict == "contradicted" and ident and kinds.get(ident) in event["kinds"]:
            count["unjust"] += 1
        alarm = parsed[line].alarm  # type: ignore[union-attr]
        missed = named and alarm != "" and event["uri"] in targets.values() and ident is None
        missed |= named and alarm == "" and parsed[line].status is not None and event["uri"] in well and one is None  # type: ignore[union-attr]
        if missed:
            misses.append(f"{path.parent.name}/{path.stem} {event['kinds']} {line[:200]}")
    count["silent"] += sum(1 for _ in made.silences())
