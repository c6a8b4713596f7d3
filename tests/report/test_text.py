"""The report for people: what must be true of it, and how it looks (``tests/golden/report``).

``WIRE502_UPDATE=1 pytest tests/report`` writes the golden files anew; look at the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples
from wire502.model.verdict import Evidence, Failure, Gaps, Update
from wire502.report._layout import Painter, Span, cells, cut_middle, wrap
from wire502.report.plain import plain
from wire502.report.text import TextReport

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")

CASES: dict[str, Failure] = {
    "rst_before_response": samples.reset_before_response(),
    "fin_mid_body": samples.short_body(),
    "stall_before_response": samples.stall(),
    "masked": samples.refused(),
    "abort": samples.abort(),
    "hostile": samples.hostile(),
    "bare": samples.bare(),
}


def block(result: Failure, **options: object) -> str:
    return TextReport(inputs=["gw.pcap"], **options).block(result)  # type: ignore[arg-type]


def whole(**options: object) -> str:
    report = TextReport(**{"inputs": ["gw.pcap"], **options})  # type: ignore[arg-type]
    return "".join(map(report.block, samples.everything())) + report.closing(samples.summary())


def compare(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WIRE502_UPDATE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", CASES)
def test_block_looks_as_agreed(name: str) -> None:
    """Each kind of block looks as its golden file does."""
    compare(name, block(CASES[name]))


def test_whole_report_looks_as_agreed() -> None:
    """A report of several inputs looks as its golden file does, other lines and the table included."""
    compare("everything", whole(inputs=["gw.pcap", "upstream.pcapng"], everything=True))


def test_contract_example_word_for_word() -> None:
    """The first block of the contract's example comes out as it stands there, down to the column."""
    lines = block(samples.reset_before_response()).splitlines()

    assert lines[:8] == [
        "✗ 502 at 12:04:31.882  GET /cart → 10.0.0.2:8080",
        "  rst_before_response · at fault: upstream · confidence high",
        "",
        "      gateway 10.0.0.1:41000                upstream 10.0.0.2:8080",
        "   #4  12:04:31.871  GET /cart HTTP/1.1 ──────▶",
        "   #5  12:04:31.871                     ◀────── ACK",
        " ▶ #6  12:04:31.880                     ◀────── RST  not one octet of a response",
        "   #8  12:04:31.882  502 to client 10.0.0.9:50110",
    ]
    assert "  look closer   tcp.stream == 3 && frame.number >= 4 && frame.number <= 8" in lines
    assert "                wire502 explain rst_before_response" in lines


def test_without_a_client_leg() -> None:
    """Without a client leg the first line tells when the attempt failed, not what the client got."""
    first = block(samples.reset_before_response(client=None)).splitlines()[0]

    assert first == "✗ GET /cart → 10.0.0.2:8080 failed 12:04:31.880"


@pytest.mark.parametrize("width", [80, 100, 132, 200])
def test_fits_the_width(width: int) -> None:
    """No line is wider than the terminal, whatever the wire held."""
    wide = [line for line in whole(width=width, everything=True).splitlines() if cells(line) > width]

    assert wide == []


def test_exactly_one_rung_is_marked() -> None:
    """Each ladder marks the failure point, and nothing else, even when the ladder lacks that frame."""
    for failure in [*CASES.values(), replace(samples.short_body(), ladder=samples.short_body().ladder[:-1])]:
        marked = [line for line in block(failure).splitlines() if line.startswith(" ▶ ")]

        assert len(marked) == 1
        assert f"#{failure.frame} " in marked[0]


def test_rungs_stand_in_the_order_of_time() -> None:
    """The rungs are in the order of the wire, the client's frame among them."""
    rungs = re.findall(r"^...#(\d+)", block(samples.short_body()), re.MULTILINE)

    assert rungs == sorted(rungs, key=int)
    assert rungs[-1] == "131"


def test_a_long_wait_has_its_own_line() -> None:
    """A wait of a second or more between two rungs is said, so that a stall can be seen."""
    assert 2 == block(samples.stall()).count("⋮ 30.0 s")
    assert "⋮" not in block(samples.reset_before_response())


def test_a_very_long_ladder_is_shortened_around_the_failure_point() -> None:
    """However many steps, the ladder stays a page, and the failure point stays on it."""
    failure = samples.reset_before_response()
    step = failure.ladder[0]
    steps = [replace(step, point=samples.point(number, number)) for number in range(100, 400)]
    text = block(replace(failure, frame=200, time=samples.at(200), ladder=steps))

    assert len(text.splitlines()) < 50
    assert " ▶ #200 " in text


def test_several_inputs_are_named() -> None:
    """With several inputs a frame is cited with its file, and the filter does not use the merged stream number."""
    text = TextReport(inputs=["a/gw.pcap", "b/up.pcap"]).block(samples.short_body())

    assert "▶ up.pcap:128 " in text
    assert "tcp.port == 41000 && frame.number >= 117 && frame.number <= 131" in text


def test_inputs_of_one_name_keep_their_folders() -> None:
    """Two inputs of the same file name are told apart by their folders."""
    assert "▶ b/gw.pcap:128 " in TextReport(inputs=["a/gw.pcap", "b/gw.pcap"]).block(samples.short_body())


def test_marks() -> None:
    """A failure begins with a cross, a masked one with a tilde, an end by the gateway with a dot."""
    assert "✗" == block(samples.reset_before_response())[0]
    assert "~" == block(samples.refused())[0]
    assert "·" == block(samples.abort())[0]
    assert "ended by the gateway" in block(samples.abort()).splitlines()[0]


def test_colours_change_no_letter() -> None:
    """Colours are only added: without them the text is the same, and without a terminal there are none."""
    plain_text, coloured = whole(), whole(color=True)

    assert "\x1b" not in plain_text
    assert "\x1b[1;31m" in coloured
    assert plain_text == ESCAPES.sub("", coloured)


def test_ascii_for_terminals_without_utf8() -> None:
    """Without UTF-8 every character is ASCII and every column stays where it was."""
    text = whole(ascii_only=True)

    assert text.isascii()
    assert " > #6  12:04:31.880                     <------ RST" in text


@given(st.text(max_size=200), st.sampled_from([60, 80, 120]))
def test_no_text_of_the_wire_reaches_the_terminal(text: str, width: int) -> None:
    """Whatever stands in a result, only visible characters and line breaks of our own are printed."""
    failure = replace(
        samples.hostile(),
        request=samples.request(text, method=text),
        summary=text,
        caveats=[text],
        evidence=[Evidence(6, text)],
        connection=samples.connection(gateway=text, upstream=text),
        kind=text,
    )
    report = TextReport(inputs=[text, "b"], width=width)
    shown = report.block(failure) + report.closing(samples.summary(inputs=[text], caveats=[text]))

    assert [line for line in shown.splitlines() if not line.isprintable()] == []
    assert shown.splitlines() == shown.split("\n")[:-1]


def test_closing_line_says_what_was_read_and_found() -> None:
    """The end tells frames, connections, exchanges, failures and what is open, in words."""
    text = TextReport(inputs=["gw.pcap"]).closing(samples.summary())

    assert "✗ 1,200 frames, 41 connections, 96 exchanges: 1 failure, 2 open" in text
    assert "gw.pcap: 2026-11-22 12:04:31 to 12:09:44 UTC, 5 min 13 s" in text


def test_nothing_failed() -> None:
    """A healthy capture ends with a tick, and with what was looked at."""
    text = TextReport(inputs=["gw.pcap"]).closing(samples.healthy_summary())

    assert "✓ 1,200 frames, 41 connections, 96 exchanges: no failure\n" in text
    assert "✗" not in text


def test_nothing_to_judge() -> None:
    """A capture without an exchange is no success: no tick, and a word on why."""
    empty = samples.summary(failures={}, exchanges=0, open=0, shown=0, upstreams=[])
    text = TextReport(inputs=["gw.pcap"]).closing(empty)

    assert "· 1,200 frames, 41 connections, no HTTP exchange: no failure" in text
    assert "no HTTP/1 request was seen" in text

    none = replace(empty, frames=0, connections=0, first_time=None, last_time=None)
    text = TextReport(inputs=["e"]).closing(none)

    assert "· 0 frames, no TCP connection, no HTTP exchange: nothing to judge\n  e: no frame in it\n" == text


def test_kinds_are_counted_when_there_are_several() -> None:
    """Several failures are counted by kind, the most frequent first; what the filters hid is said."""
    several = samples.summary(failures={"a_kind": 1, "b_kind": 3}, masked=2, aborts=1, shown=4)
    text = " ".join(TextReport().closing(several).split())

    assert "4 failures (3 b_kind, 1 a_kind), 2 masked by a retry, 1 ended by the gateway or its client" in text
    assert "3 not shown" in text


def test_doubts_are_said() -> None:
    """What the capture lost, and what memory could not hold, stands at the end."""
    doubtful = samples.summary(dropped=12, evicted=3, gaps=Gaps(2, 0, 1), caveats=["the clock ran backwards"])
    text = " ".join(TextReport().closing(doubtful).split())

    for words in ("lost 12 packets", "3 connections let go", "in 2 places", "1 gap lost", "the clock ran backwards"):
        assert words in text


def test_open_attempts_are_listed_briefly() -> None:
    """Of many open attempts a few are listed and the rest counted; ``--all`` lists each."""
    report, full = TextReport(), TextReport(everything=True)
    few = "".join(report.block(samples.opened()) for _ in range(9)) + report.closing(samples.summary())
    every = "".join(full.block(samples.opened()) for _ in range(9)) + full.closing(samples.summary())

    assert 5 == few.count("GET /slow")
    assert "and 4 more unfinished" in few
    assert 9 == every.count("GET /slow")


def test_a_new_day_is_said() -> None:
    """Times are of the day; where the day changes between two blocks it is said."""
    report = TextReport()
    first = report.block(samples.reset_before_response())
    later = report.block(samples.reset_before_response(time=samples.at(86_400_000)))

    assert "2026" not in first
    assert later.startswith("2026-11-23 UTC\n")


def test_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --local times are of the local zone, and the end says so."""
    import time

    monkeypatch.setenv("TZ", "XXX-5:30")
    time.tzset()
    try:
        text = whole(local=True)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert "#4  17:34:31.871" in text
    assert "local time" in text


def test_update_names_the_failure() -> None:
    """A later word on a failure names the request that it was about."""
    report = TextReport(inputs=["gw.pcap"])
    report.block(samples.reset_before_response())
    text = report.block(Update("f1", {"masked": True}))

    assert "↳ GET /cart → 10.0.0.2:8080 (#6): a retry made it good\n" == text


def test_memory_stays_bounded() -> None:
    """A million failures are not kept: only as many names as an update may still refer to."""
    report = TextReport()
    for number in range(3000):
        report.block(replace(samples.bare(), id=f"f{number}"))

    assert len(report._named) <= 1024


def test_many_upstreams_are_cut_to_a_page() -> None:
    """The table shows the worst upstreams and counts the rest."""
    row = samples.summary().upstreams[0]
    rows = [replace(row, upstream=f"10.0.{n // 256}.{n % 256}:80", failures=int(n == 300)) for n in range(400)]
    text = TextReport().closing(samples.summary(upstreams=rows))

    assert "and 380 more upstreams" in text
    assert text.index("10.0.1.44:80") < text.index("10.0.0.0:80")


@given(st.text(), st.integers(0, 100))
def test_cut_middle_fits(text: str, room: int) -> None:
    """A text cut in the middle fits its room, and a text that fits is not cut."""
    cut = cut_middle(text, room)

    assert cells(cut) <= room
    assert cut == plain(text) or cells(plain(text)) > room


@given(st.text(), st.integers(2, 100))
def test_wrap_loses_nothing(text: str, room: int) -> None:
    """Wrapped text fits its room and holds the same visible characters."""
    lines = wrap(text, room)

    assert all(cells(line) <= room for line in lines)
    assert plain(text).replace(" ", "") == "".join(lines).replace(" ", "")


def test_paint_is_the_last_guard() -> None:
    """Even a span that nobody measured leaves as visible text."""
    assert "a\\x1b[2Jb\n" == Painter().paint([[Span("a\x1b[2Jb")]])
