"""Secrets of URLs do not leave the house when asked so; wire text becomes harmless text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples
from wire502.model.text import redact_target, redact_text, wire_text
from wire502.model.verdict import Alternative, Evidence
from wire502.report.json import line
from wire502.report.redact import redact


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/report?year=2026&token=s3cret", "/report?year=***&token=***"),
        ("/report", "/report"),
        ("/a?bare", "/a?***"),
        ("/a?x='q u o t e d'&y", "/a?x=***&***"),
        ("/a?x=1?y=2;z=3", "/a?x=***;z=***"),
        ("http://me:pass@host/a?b=c#d", "http://***@host/a?b=***"),
        ("/a?", "/a?"),
        ("", ""),
    ],
)
def test_targets(target: str, expected: str) -> None:
    """Values of the query and user information are masked; path, host and names stay."""
    assert expected == redact_target(target)


def test_sentences() -> None:
    """A sentence that quotes a target, whole or cut in the middle, loses the values as well."""
    assert "no answer to GET /r?token=***" == redact_text("no answer to GET /r?token=s3cret")
    assert "GET /r?*** failed" == redact_text("GET /r?to…cret failed")
    assert "cret" not in redact_text("GET /r…cret failed")
    assert "Nothing? Nothing." == redact_text("Nothing? Nothing.")


def test_whole_results() -> None:
    """After redaction a value of the query stands nowhere in the line: target, sentences, notes, causes, updates."""
    failure = replace(
        samples.stall(),
        evidence=[Evidence(4, "GET /report?year=2026&token=s3cret sent")],
        caveats=["GET /report?year=2026&token=s3cret is long"],
        alternatives=[Alternative("rst_mid_body", 4, "low", "see /report?year=2026&token=s3cret")],
    )
    text = line(redact(failure))

    assert "s3cret" not in text
    assert "/report?year=***&token=***" in text
    assert "s3cret" in line(failure)

    update = samples.update()
    update.changes = {"request": samples.request("/a?k=s3cret"), "summary": "GET /a?k=s3cret failed"}

    assert "s3cret" not in line(redact(update))


def test_values_with_blanks() -> None:
    """A value with a blank in it, which only a broken request has, is masked in target and sentence."""
    failure = replace(
        samples.reset_before_response(), request=samples.request("/a?k=s3 cret"), summary="GET /a?k=s3 cret was reset"
    )

    assert "cret" not in line(redact(failure))


@given(st.binary(max_size=64))
def test_wire_text_never_holds_controls(octets: bytes) -> None:
    """Whatever the octets, the text holds no control, and its own UTF-8 is what stood there."""
    text = wire_text(octets)

    assert not [char for char in text if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0]
    assert not [char for char in text if 0xD800 <= ord(char) < 0xE000]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_wire_text_keeps_text(text: str) -> None:
    """Text that is UTF-8 and holds no control stands as it is."""
    assert text == wire_text(text.encode(), limit=10**6)


def test_wire_text_escapes() -> None:
    r"""Octets that are no UTF-8 and controls appear as \xNN, C1 controls as the two octets that they are."""
    assert r"/a\xff\x00\x1b[1m\x7f" == wire_text(b"/a\xff\x00\x1b[1m\x7f")
    assert r"\xc2\x9b" == wire_text("\x9b".encode())


@given(st.text(min_size=1), st.integers(0, 40))
def test_wire_text_is_cut_between_characters(text: str, limit: int) -> None:
    """A text over the limit is cut before a character that would not fit whole."""
    octets = text.encode("utf-8", "surrogatepass")
    if b"\xed" in octets:
        return
    cut = wire_text(octets, limit)

    assert wire_text(octets, 10**6).startswith(cut)
