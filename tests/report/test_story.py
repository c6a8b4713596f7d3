"""The order of a report for people: what clients got first, what is alike once, and nothing kept for ever."""

from __future__ import annotations

from dataclasses import replace

from tests.report import samples
from wire502.model.verdict import Failure, Incident, Result, Update
from wire502.report.story import GROUPS, IN_FULL, WAITING, Story
from wire502.report.text import TextReport


def story(**options: bool) -> Story:
    return Story(TextReport(inputs=["gw.pcap"]), **options)


def told(*results: Result, **options: bool) -> str:
    """Return everything that is printed before the last lines."""
    teller = story(**options)
    return "".join(map(teller.tell, results)) + teller.ending()


def failed(number: int = 1, target: str = "/cart", **changes: object) -> Failure:
    made = samples.reset_before_response(id=f"f{number}", request=samples.request(target))
    return replace(made, **changes)  # type: ignore[arg-type]


def incident(number: int = 1, *attempts: str, target: str = "/cart", **changes: object) -> Incident:
    base = next(one for one in samples.everything() if isinstance(one, Incident))
    asked = replace(base.request, target=target) if base.request else None
    made = replace(
        base,
        id=f"i{number}",
        client_status=502,
        outcome="error",
        request=asked,
        attempts=list(attempts),
        verdict=attempts[-1] if attempts else None,
        kind="rst_before_response" if attempts else None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_failure_waits_for_its_incident_and_is_told_once() -> None:
    """A failure whose client got an error is printed with the incident, and only there."""
    teller = story()
    assert teller.tell(failed()) == ""
    text = teller.tell(incident(1, "f1"))
    assert text == TextReport(inputs=["gw.pcap"]).block(failed())
    assert teller.ending() == ""


def test_a_failure_without_a_client_is_told_at_once() -> None:
    """Where no client leg is seen nothing waits."""
    assert "/cart" in story().tell(failed(client=None))


def test_several_attempts_stand_in_order_before_the_one_that_decided() -> None:
    """An incident with two attempts lists both and prints the block of the last one only."""
    first = failed(1, connection=samples.connection(upstream="10.0.0.7:8080"), frame=101, ladder=[], evidence=[])
    text = told(first, failed(2), incident(1, "f1", "f2"))
    lines = text.splitlines()
    assert lines[0].startswith("✗ 502 at ")
    assert [line.split()[:3] for line in lines[1:3]] == [["├", "1", "10.0.0.7:8080"], ["└", "2", "10.0.0.2:8080"]]
    assert "decided" in lines[2]
    assert text.count("look closer") == 1


def test_an_incident_that_nothing_was_seen_of() -> None:
    """An error without a known attempt has a block of its own."""
    assert "no attempt seen" in told(incident())


def test_a_failure_without_the_incident_it_waited_for() -> None:
    """What still waits at the end is printed then, and what waits too long when time has passed."""
    assert "rst_before_response" in told(failed())
    teller = story()
    teller.tell(failed())
    later = samples.at(60_000)
    assert "rst_before_response" in teller.tell(failed(2, client=None, time=later, target="/other"))
    assert teller.ending() == ""


def test_like_incidents_are_counted() -> None:
    """Of 412 like incidents three are printed in full; the tens and hundreds are said, and the sum with both ends."""
    pairs = [
        (
            failed(n, f"/cart/{n}?page={n}"),
            incident(n, f"f{n}", target=f"/cart/{n}?page={n}", frame=n, time=samples.at(n)),
        )
        for n in range(1, 413)
    ]
    text = told(*[result for pair in pairs for result in pair])
    assert text.count("look closer") == IN_FULL
    counted = [line.split(" by ")[0] for line in text.splitlines() if line.startswith("× ") and " by " in line]
    assert counted == ["× 10", "× 100"]
    last = " ".join(text[text.rindex("× ") :].split())
    assert last.startswith("× 412 502 GET /cart/*?* → 10.0.0.2:8080, rst_before_response, first ")
    assert "(#1)" in last
    assert last.endswith("(#412)")


def test_what_differs_is_not_counted_together() -> None:
    """Another kind, another upstream or another path is another group."""
    other = samples.connection(upstream="10.0.0.7:8080")
    results = []
    for n in range(1, 5):
        results += [
            failed(10 * n, client=None),
            failed(10 * n + 1, client=None, kind="fin_before_response"),
            failed(10 * n + 2, client=None, connection=other),
            failed(10 * n + 3, "/basket", client=None),
        ]
    text = told(*results)
    assert text.count("look closer") == 4 * IN_FULL
    assert text.count("× 4 ") == 4


def test_everything_means_everything() -> None:
    """With --all nothing is grouped."""
    text = told(*[failed(n, client=None) for n in range(20)], everything=True)
    assert text.count("look closer") == 20
    assert "×" not in text


def test_an_update_of_what_waits_is_worked_in() -> None:
    """What is learned before a failure is printed changes it, and is not said beside."""
    teller = story()
    teller.tell(failed())
    assert "~ " in teller.tell(Update("f1", {"masked": True}))
    assert teller.ending() == ""


def test_an_update_of_what_was_only_counted_is_not_said() -> None:
    """Nobody can look up what a correction of an unprinted failure refers to."""
    teller = story()
    for n in range(IN_FULL + 1):
        teller.tell(failed(n, client=None))
    assert teller.tell(Update(f"f{IN_FULL}", {"masked": True})) == ""
    assert "a retry made it good" in teller.tell(Update("f0", {"masked": True}))


def test_memory_is_bounded() -> None:
    """However many wait or differ, a bounded number is kept, and none is lost without a word."""
    teller = story()
    text = "".join(teller.tell(failed(n, f"/{chr(97 + n % 26)}{'x' * (n // 26)}")) for n in range(2 * WAITING))
    text += "".join(
        teller.tell(failed(n, f"/group-{chr(97 + n % 26)}{'y' * (n // 26)}", client=None))
        for n in range(2 * GROUPS)
        for _ in range(IN_FULL + 1)
    )
    assert len(teller._waiting) <= WAITING
    assert len(teller._groups) <= GROUPS
    text += teller.ending()
    assert text.count(f"× {IN_FULL + 1} ") == 2 * GROUPS
