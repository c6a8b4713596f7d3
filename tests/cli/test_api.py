"""The library's front door: filters choose, never change; inputs that fail are said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.cli.fakes import Stage
from tests.report import samples
from wire502 import api
from wire502.api import Filter, Moment, read
from wire502.errors import CaptureError, SettingError
from wire502.model.verdict import Result, Summary, Update


def shown(stage: Stage, **wanted: Any) -> list[str]:
    results = list(read("a.pcap", filter=Filter(**wanted)))
    return [getattr(result, "id", result.type) for result in results[:-1] if not result.type.startswith("log")]


@pytest.fixture
def played(stage: Stage) -> Stage:
    stage.play(*samples.everything()[:-1])
    return stage


def test_summary_comes_last(played: Stage) -> None:
    """The results come in the order of the engine, the summary last, with the names of the inputs."""
    results: list[Result] = list(read("a.pcap"))

    assert isinstance(results[-1], Summary)
    assert ["a.pcap"] == results[-1].inputs
    assert 7 == results[-1].shown
    assert results[:-1] == samples.everything()[:-1]
    assert all(source.closed for source in played.sources)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"kinds": frozenset({"connect_refused"})}, ["f4"]),
        ({"to": "[2001:db8:0:1:1:1:1:2]:8080"}, ["f3"]),
        ({"to": "2001:db8:0000:1:1:1:1:2"}, ["f3"]),
        ({"to": "10.0.0.2:81"}, []),
        ({"path": "/t/*"}, ["f2", "i1"]),
        ({"path": "/report"}, ["f3"]),
        ({"path": "/report?year=*"}, ["f3"]),
        ({"host": "SHOP.example", "path": "/cart"}, ["f1", "f5", "i1", "f1", "f9", "f9"]),
        ({"host": "other"}, []),
        ({"limit": 2}, ["f1", "f2", "i1", "open", "exchange", "f1", "f9", "f9"]),
        ({"limit": 0}, ["open", "exchange", "f9", "f9"]),
        (
            {"since": Moment(samples.at(240)), "kinds": frozenset({"fin_mid_body", "stall_before_response"})},
            ["f2", "i1"],
        ),
    ],
)
def test_filters(played: Stage, wanted: dict[str, Any], expected: list[str]) -> None:
    """Each filter lets through what it names, with the incidents and updates of what it let through."""
    assert expected == shown(played, **wanted)


def test_filters_never_change_the_numbers(played: Stage) -> None:
    """A filter changes ``shown`` and nothing else of the summary; what failed counts whatever is shown."""
    everything = read("a.pcap")
    summary = list(everything)[-1]
    played.play(*samples.everything()[:-1])
    played.last = [samples.summary()]
    filtered = read("a.pcap", filter=Filter(path="/nowhere"))
    less = list(filtered)[-1]

    assert isinstance(summary, Summary)
    assert 0 == less.shown  # type: ignore[union-attr]
    assert replace(summary, shown=0) == less
    assert everything.failed == filtered.failed > 0


def test_times_of_day_are_of_the_first_day(played: Stage) -> None:
    """A time of day means that time on the day of the first frame."""
    noon = 12 * 3600 * 10**9
    second = 10**9

    assert "f2" in shown(played, since=Moment(noon + 4 * 60 * second, of_day=True))
    played.play(*samples.everything()[:-1])
    assert [] == shown(played, since=Moment(noon + 5 * 60 * second, of_day=True))


def test_masked_later_does_not_count(stage: Stage) -> None:
    """A failure that a retry made good afterwards is not counted as failed; one that was an abort may become one."""
    stage.play(samples.reset_before_response(), Update("f1", {"masked": True}))
    reading = read("a.pcap")
    list(reading)

    assert 0 == reading.failed

    stage.play(samples.abort(), Update("f5", {"kind": "stall_before_response"}), samples.refused())
    reading = read("a.pcap")
    list(reading)

    assert 1 == reading.failed


def test_one_missing_input_of_several(stage: Stage) -> None:
    """If one input of several cannot be read the others are, and the summary says so."""
    stage.missing = {"b.pcap"}
    reading = read("a.pcap", "b.pcap")
    summary = list(reading)[-1]

    assert ["a.pcap", "b.pcap"] == summary.inputs  # type: ignore[union-attr]
    assert "b.pcap: does not exist (check the name)" in summary.caveats  # type: ignore[union-attr]
    assert 1 == len(reading.unreadable)


def test_no_input_at_all(stage: Stage) -> None:
    """If no input can be read, ``read`` raises at once, not at the first result."""
    stage.missing = {"a.pcap"}

    with pytest.raises(CaptureError, match="does not exist"):
        read("a.pcap")
    with pytest.raises(TypeError):
        read()


def test_wrong_settings_raise_at_once(stage: Stage) -> None:
    """A setting that does not exist and an address that is none are told before anything is read."""
    with pytest.raises(SettingError):
        read("a.pcap", settings={"connect_dedline": 3})
    with pytest.raises(SettingError):
        read("a.pcap", upstream=["upstream.example:80"])
    with pytest.raises(SettingError):
        read("a.pcap", filter=Filter(to="nowhere"))
    assert [] == stage.sources


def test_settings_go_down_as_values(stage: Stage) -> None:
    """Settings and upstreams reach the engine as plain values."""
    list(read("a.pcap", settings={"hold": 0.5}, upstream=["10.0.0.2:8080"], all=True))

    assert 500_000_000 == stage.context.hold_ns
    assert ((0, 0xFFFF0A000002, 8080),) == stage.context.upstreams
    assert stage.context.keep_exchanges


def test_memory_of_what_was_chosen_is_bounded(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    """Ids are remembered for updates and incidents, but not without end."""
    monkeypatch.setattr(api, "_MOST_REMEMBERED", 10)
    stage.play(*(samples.reset_before_response(id=f"f{number}") for number in range(100)))
    reading = read("a.pcap", filter=Filter(host="shop.example"))
    list(reading)

    assert 100 == reading.failed
    assert len(reading._choice._chosen) <= 10
    assert len(reading._fates) <= 10
