"""The formats of ``report --format`` and ``--short``: what must be true of each, and how it looks.

``WIRE502_UPDATE=1 pytest tests/report`` writes the golden files anew; look at the difference before you commit it.
"""

from __future__ import annotations

import csv as reader
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples
from wire502.model.verdict import Cause, Evidence, Failure, Incident, Summary
from wire502.report.csv import COLUMNS, cell, csv
from wire502.report.json import line
from wire502.report.junit import junit
from wire502.report.markdown import markdown
from wire502.report.short import MOST, short
from wire502.report.slack import MOST_BLOCKS, MOST_HEADER, MOST_TEXT, slack

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
WRITERS = {"report.md": markdown, "short.md": short, "report.csv": csv, "junit.xml": junit, "slack.json": slack}
HOSTILE = (
    "<script>alert(1)</script> ]]> </failure> <!here> <@U123> &lt; [x](http://evil) @all `` ``` \x1b[31m \u202e\u2066"
    " \x00\x07\x9b0m\r\n\t=cmd|'/c calc'!A0 \ud800 \ufffe é漢字 *b* _i_ ~s~ \\"
)


def everything() -> list[Failure]:
    made = [samples.reset_before_response(), samples.short_body(), samples.stall(), samples.refused(), samples.abort()]
    return [replace(one, id=f"f{number}") for number, one in enumerate([*made, samples.hostile(), samples.bare()], 1)]


def written(
    name: str, failures: list[Failure], incidents: list[Incident] | None = None, summary: Summary | None = None
) -> str:
    return WRITERS[name](failures, incidents or [], summary, inputs=["gw.pcap"], redacted=True)


def hostile_everywhere(text: str) -> Failure:
    """Return a failure that holds *text* wherever a failure can hold text."""
    made = samples.reset_before_response()
    assert made.request is not None
    assert made.client is not None
    return replace(
        made,
        summary=text,
        at_fault=text,  # type: ignore[arg-type]
        connection=replace(made.connection, upstream=text, gateway=text),
        request=replace(made.request, method=text, target=text, host=text, id=text),
        client=replace(made.client, connection=text),
        causes=[Cause(text, text, "high", [Evidence(6, text)], text, text)],
        evidence=[Evidence(6, text)],
        caveats=[text],
        gateways={text: replace(made.gateways["nginx"], log=text)},
    )


@pytest.mark.parametrize("name", [*WRITERS, "incident.json"])
def test_format_looks_as_agreed(name: str) -> None:
    """Each format of all kinds of failures looks as its golden file does."""
    incidents = [samples.incident()]
    if name == "incident.json":
        text = "".join(f"{line(one)}\n" for one in [*everything(), *incidents, samples.summary()])
    else:
        text = written(name, everything(), incidents, samples.summary())
    path = GOLDEN / name
    if os.environ.get("WIRE502_UPDATE"):
        path.write_bytes(text.encode())

    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("text", [HOSTILE, "x" * 100_000, "`" * 5000, "&<" * 3000, "\u202e" * 5000, ""])
def test_hostile_text_is_harmless(name: str, text: str) -> None:
    """No control, no bidirectional override and no lone surrogate comes out, and what comes out can be written."""
    out = written(name, [hostile_everywhere(text)] * 3, [], samples.summary())
    out.encode()

    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufffe]", out)
    assert out.count("\r") == (out.count("\r\n") if name == "report.csv" else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_found_is_said(name: str) -> None:
    """Without a failure every format is whole, and says that there is none rather than nothing."""
    out = written(name, [], [], samples.healthy_summary())

    if name == "report.csv":
        assert out.splitlines() == [",".join(COLUMNS)]
    elif name == "junit.xml":
        assert 'failures="0"' in out
    else:
        assert "No failed request" in out


# short


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_short_is_short(count: int) -> None:
    """The short report has less than 3,000 characters, whatever was found, and begins with the verdict."""
    for failures in ([samples.reset_before_response()], [hostile_everywhere("*" * 9000)], everything()):
        text = written("short.md", failures * count, [samples.incident()] * count, samples.summary())

        assert len(text) < MOST == 3000
        assert f"confidence {failures[0].confidence}" in text.splitlines()[0]


def test_short_tells_what_helps() -> None:
    """For an ordinary failure the short report has client, cause, log line, ladder, and what was not seen."""
    text = written("short.md", [samples.reset_before_response()], [], samples.summary())

    for part in ("status 502", r"crashed\_before\_response", "nginx logs `recv()", "▶ #6", "- not seen:"):
        assert part in text, part


# csv


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    """Whatever stands in a cell, no spreadsheet calculates with it, and RFC 4180 gives it back as it was written."""
    shown = cell(text)
    made = replace(samples.reset_before_response(), summary=text)
    rows = list(reader.reader(io.StringIO(written("report.csv", [made]), newline="")))

    assert not shown.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    assert rows[1][COLUMNS.index("summary")] == shown
    assert len(rows) == 2
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_lines_end_as_the_rfc_says() -> None:
    """Every line ends with CR LF, the last one too, and numbers stand as numbers."""
    out = written("report.csv", everything())

    assert out.endswith("\r\n")
    assert len(out.split("\r\n")) == len(everything()) + 2
    assert ",gw.pcap,6,3," in out


# junit


def test_one_test_case_an_upstream() -> None:
    """Each upstream is a test case; it fails if a request failed for good, not if a retry helped or a client left."""
    masked = replace(samples.refused(), masked=True, id="f7")
    bad, good = samples.reset_before_response(), replace(samples.abort(), id="f8")
    suite = ET.fromstring(written("junit.xml", [bad, masked, good], [], samples.summary())).find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    failed = {name for name, case in cases.items() if case.find("failure") is not None}

    assert {one.upstream for one in samples.summary().upstreams} <= set(cases)
    assert failed == {bad.connection.upstream}
    assert suite.get("failures") == "1"
    assert suite.get("tests") == str(len(cases))


def test_suites_are_what_readers_expect() -> None:
    """Attributes, children and their order are those that the common readers of JUnit files know."""
    root = ET.fromstring(written("junit.xml", everything(), [samples.incident()], samples.summary()))
    (suite,) = root.findall("testsuite")
    order = [child.tag for child in suite]

    assert root.tag == "testsuites"
    assert {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"} == set(suite.attrib)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp") or "")
    assert float(suite.get("time") or "x") >= 0
    assert order == sorted(order, key=["properties", "testcase", "system-out"].index)
    for case in suite.findall("testcase"):
        assert {"classname", "name", "time"} == set(case.attrib)
        assert len(case.findall("failure")) <= 1
        assert {child.tag for child in case} <= {"failure", "system-out", "skipped"}


def test_errors_without_an_attempt_fail() -> None:
    """A client's error for which no attempt was seen is a test case of its own, and fails."""
    lost = replace(samples.incident(), attempts=[], verdict=None)
    root = ET.fromstring(written("junit.xml", [], [lost], samples.healthy_summary()))

    assert root.get("failures") == "1"


def test_no_upstream_is_no_success() -> None:
    """A capture without an upstream is a skipped test, not an empty suite."""
    root = ET.fromstring(written("junit.xml", [], [], replace(samples.healthy_summary(), upstreams=[])))

    assert root.find("testsuite/testcase/skipped") is not None


# slack


@pytest.mark.parametrize("count", [0, 1, 2, 10, 11, 500])
@pytest.mark.parametrize("text", ["/cart", HOSTILE, "&<>" * 2000, "_" * 4000])
def test_slack_takes_it(count: int, text: str) -> None:
    """Blocks, texts, fields and the header stay within Slack's limits, and only its own escapes stand in texts."""
    lost = replace(samples.incident(), attempts=[], summary=text)
    message = json.loads(written("slack.json", [hostile_everywhere(text)] * count, [lost] * count, samples.summary()))
    blocks = message["blocks"]

    assert 0 < len(blocks) <= MOST_BLOCKS == 50
    assert blocks[0]["type"] == "header"
    assert len(blocks[0]["text"]["text"]) <= MOST_HEADER == 150
    for block in blocks:
        assert block["type"] in ("header", "section", "divider", "context")
        texts = [block["text"]] if "text" in block else block.get("fields", block.get("elements", []))
        assert len(texts) <= 10
        for one in texts:
            assert 0 < len(one["text"]) <= (2000 if "fields" in block else MOST_TEXT)
            if one["type"] == "mrkdwn":
                assert one["verbatim"] is True
                assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", one["text"])
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", message["text"])
