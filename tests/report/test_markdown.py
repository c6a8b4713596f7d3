"""Markdown that says the verdict first and that nothing of the wire can turn into markup."""

from __future__ import annotations

from dataclasses import replace

from tests.report import samples
from wire502.report.markdown import code, markdown, safe


def report(*failures: object, **options: object) -> str:
    return markdown(list(failures), [], samples.summary(), inputs=["gw.pcap"], redacted=True)  # type: ignore[arg-type]


def test_the_first_line_is_the_verdict() -> None:
    """The first line holds summary, time, frame and confidence of the first failure that no retry made good."""
    failure = samples.reset_before_response()
    first = report(replace(failure, masked=True, id="f0"), failure).splitlines()[0]

    assert f"failure point frame {failure.frame}" in first
    assert f"confidence {failure.confidence}" in first
    assert "T12:04:31.8" in first


def test_hostile_text_is_harmless() -> None:
    """Tags, links, mentions, escapes and overrides come out as text."""
    hostile = "<script>alert(1)</script> [x](http://evil) @all `` \x1b[31m \u202e | a"
    failure = samples.reset_before_response()
    failure.summary = hostile
    assert failure.request is not None
    failure.request.target = hostile
    text = report(failure)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>" not in text.replace(code(f"GET {hostile}"), "").split("```text")[0]
    assert "\\<script\\>" in safe(hostile)
    assert code(hostile).startswith("```")


def test_without_a_failure_it_says_so() -> None:
    """A report on nothing is a sentence, not an error."""
    assert report().startswith("No failed request was found")
