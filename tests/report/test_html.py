"""The HTML page as a text: what is in it, and that nothing of the wire can be more than text in it.

``WIRE502_UPDATE=1 pytest tests/report`` writes the golden file anew; look at the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report import samples
from wire502.model.trace import CLOSES, Octets, Trace, TracePoint
from wire502.model.verdict import Failure, Incident, Time
from wire502.report import html as module
from wire502.report._html_data import MOST, page_data
from wire502.report.html import NoTemplatesError, html

GOLDEN = Path(__file__).parents[1] / "golden" / "report" / "html.json"
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202e\u2066 \x1b[31m {{ 7*7 }} ' \" \u2028 \ud7ff"
)


def trace() -> Trace:
    points = [
        TracePoint(4, int(samples.at(0)), True, 0, 80, 0, 65535, 0),
        TracePoint(6, int(samples.at(9)), False, 0, 0, 80, 65535, CLOSES),
    ]
    return Trace(points, octets=Octets(True, 80, False, [(64, b"\r\n\r\n</script>\x00\xff")]))


def page(*failures: Failure, incidents: list[Incident] | None = None) -> str:
    return html(
        failures,
        incidents or [],
        samples.summary(),
        inputs=["gw.pcap"],
        redacted=True,
        traces={one.id: trace() for one in failures},
    )


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_data_looks_as_agreed() -> None:
    """What the page draws of one failure of each kind is what its golden file holds."""
    failures = [samples.reset_before_response(), samples.short_body(), samples.stall(), samples.refused()]
    failures = [replace(one, id=f"f{number}") for number, one in enumerate(failures, 1)]
    incident = replace(samples.incident(), attempts=["f1"], verdict="f1")
    text = json.dumps(data_of(page(*failures, incidents=[incident])), indent=1, sort_keys=True) + "\n"
    if os.environ.get("WIRE502_UPDATE"):
        GOLDEN.write_text(text)

    assert text == GOLDEN.read_text()


def test_page_says_the_verdict_without_its_script() -> None:
    """Verdict, time, frame and what could not be seen stand in the page itself."""
    failure = samples.reset_before_response()
    text = page(failure)

    assert f'<h1 id="verdict">{failure.summary}</h1>' in text.replace("&#39;", "'")
    assert "frame 6</dd>" in text
    assert "2026-11-22T12:04:31.8" in text
    assert "Anything inside TLS" in text


def test_hostile_text_stays_text() -> None:
    """No tag, no template, no control and no bidirectional override of the wire is in the page as such."""
    failure = samples.hostile()
    failure.summary = failure.connection.upstream = failure.caveats[0] = HOSTILE
    assert failure.request is not None
    failure.request.target = HOSTILE
    text = page(failure)

    assert len(re.findall(r"<script\b", text)) == 2  # the data and the script
    assert len(re.findall("</script>", text)) == 2
    assert "<img" not in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029\x00-\x09\x0b-\x1f\x7f]", text)
    assert data_of(text)["cases"][0]["target"].startswith("</script><script>alert(1)")


def test_page_may_load_and_send_nothing() -> None:
    """The policy allows the script and the style of the page and nothing else; there is no address to go to."""
    text = page(samples.reset_before_response())
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)

    assert found is not None
    policy = found[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "base-uri 'none'; form-action 'none'" in policy
    without = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"(?m)^\s*//.*$", "", without))


def test_page_is_the_same_each_time() -> None:
    """The same findings give the same page, octet for octet."""
    assert page(samples.stall()) == page(samples.stall())


def test_what_is_too_much_is_counted() -> None:
    """Beyond a number of cases the page says how many there are, and stays below 10 MB."""
    one = samples.reset_before_response()
    many = [replace(one, id=f"f{number}", time=Time(one.time + number)) for number in range(MOST + 7)]
    data = page_data(many, [], None, inputs=["a"], redacted=True, traces={})

    assert len(data["cases"]) == len(data["failures"]) == MOST
    assert data["left"] == 7
    assert len(json.dumps(data)) < 10_000_000


def test_without_a_failure_it_says_so() -> None:
    """A page on nothing is a sentence, not an error."""
    assert "No failed request was found." in html([], [], None, inputs=["a.pcap"], redacted=True)


def test_missing_templates_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 the error says what to install, and bundles go without the page."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    assert not module.available()
    with pytest.raises(NoTemplatesError, match=r"pip install 'wire502\[report\]'"):
        page(samples.stall())
