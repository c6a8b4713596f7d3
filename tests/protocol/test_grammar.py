"""The first octet that the grammar forbids: named exactly, and nothing named that RFC 9112 section 2.2 forgives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.talk import GET, OK, answer, talk

LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 \r\n",
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.0 599 x\r\n",
        b"HTTP/1.9 200 OK\r\n",
        b"HTTP/1.1 200 \xe4\xf6\xfc\r\n",
        b"HTTP/1.1 200 OK\n",
        b"\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 999 x\r\n",
    ],
)
@pytest.mark.parametrize("cut", [None, 1])
def test_good_status_lines(line: bytes, cut: int | None) -> None:
    """What RFC 9112 section 4 allows, and what section 2.2 forgives, is no violation."""
    exchange = answer(line + b"Content-Length: 0\r\n\r\n", cut=cut)
    assert exchange.violation is None
    assert exchange.resp_done
    assert exchange.status == int(line.strip()[9:12])


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (b"HTTX/1.1 200 OK\r\n", 3),
        (b"http/1.1 200 OK\r\n", 0),
        (b"<html>\r\n", 0),
        (b"H\r\n", 1),
        (b"HTTP/2.0 200 OK\r\n", 5),
        (b"HTTP/11 200 OK\r\n", 6),
        (b"HTTP/1.x 200 OK\r\n", 7),
        (b"HTTP/1.1  200 OK\r\n", 9),
        (b"HTTP/1.1\t200 OK\r\n", 8),
        (b"HTTP/1.1 20 OK\r\n", 11),
        (b"HTTP/1.1 2000 OK\r\n", 12),
        (b"HTTP/1.1 abc OK\r\n", 9),
        (b"HTTP/1.1 20x OK\r\n", 11),
        (b"HTTP/1.1 200OK\r\n", 12),
        (b"HTTP/1.1 \r\n", 9),
        (b"HTTP/1.1\r\n", 8),
        (b"HTTP/1.1 099 x\r\n", 9),
        (b"\r\n\r\n", 2),
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 3])
def test_bad_status_lines(line: bytes, where: int, cut: int | None) -> None:
    """Of a bad status line the first octet that cannot belong to one is named, in the frame that carried it."""
    exchange = answer(line + b"Content-Length: 0\r\n\r\n", cut=cut)
    part, offset, frame, _, _, _, _ = exchange.violation
    assert (part, offset) == ("status_line", where)
    assert frame == exchange.resp_frame + where // (cut or 1000)


@pytest.mark.parametrize(
    "field",
    [
        b"A:\r\n",
        b"A: b\r\n",
        b"A:b \t\r\n",
        b"A: \x80\xff\r\n",
        b"A: b\n",
        b"A: b\r\n folded\r\n",
        b"A: b\r\n\tfolded\r\n",
        b"!#$%&'*+-.^_`|~09azAZ: b\r\n",
        b"A: b:c\r\n",
    ],
)
@pytest.mark.parametrize("cut", [None, 1])
def test_good_fields(field: bytes, cut: int | None) -> None:
    """Field lines that RFC 9112 section 5 allows, bare LF and obs-fold among them, are no violation."""
    exchange = answer(LINE + b"B: x\r\n" + field + b"Content-Length: 0\r\n\r\n", cut=cut)
    assert exchange.violation is None
    assert exchange.resp_done


@pytest.mark.parametrize(
    ("field", "where"),
    [
        (b"A : b\r\n", 1),
        (b"A\t: b\r\n", 1),
        (b"A b: c\r\n", 1),
        (b": b\r\n", 0),
        (b"no colon\r\n", 2),
        (b"nocolon\r\n", 7),
        (b"A(: b\r\n", 1),
        (b"\x80: b\r\n", 0),
        (b"A: b\0c\r\n", 4),
        (b"A: b\rc\r\n", 4),
        (b"A: b\x07c\r\n", 4),
        (b"A: b\x7fc\r\n", 4),
        (b"A\0: b\r\n", 1),
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 7])
def test_bad_fields(field: bytes, where: int, cut: int | None) -> None:
    """Of a bad field line the first octet that RFC 9112 section 5 forbids is named."""
    exchange = answer(LINE + b"B: x\r\n" + field + b"Content-Length: 2\r\n\r\nok", cut=cut)
    part, offset, frame, _, _, _, lost = exchange.violation
    at = len(LINE) + 6 + where
    assert (part, offset) == ("header", at)
    assert frame == exchange.resp_frame + at // (cut or 1000)
    assert not lost
    assert exchange.resp_done, "a forgiving reader still finds the end"


def test_a_blank_before_the_first_field() -> None:
    """A line that begins with a blank right after the status line folds nothing, and is a violation."""
    exchange = answer(LINE + b" A: b\r\nContent-Length: 0\r\n\r\n")
    assert exchange.violation[:2] == ("header", len(LINE))


def test_only_the_first_fault_is_named() -> None:
    """Of several faults the first is the one."""
    exchange = answer(LINE + b"A : b\r\nB: \0\r\nContent-Length: x\r\n\r\n")
    assert exchange.violation[:2] == ("header", len(LINE) + 1)


@pytest.mark.parametrize(
    "body",
    [
        b"0\r\n\r\n",
        b"00000\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"a\r\n0123456789\r\n0\r\n\r\n",
        b"A;name=value\r\n0123456789\r\n0;x\r\n\r\n",
        b'3;q="a;b"\r\nabc\r\n0\r\n\r\n',
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"0\r\nA: b\r\nC: d\r\n\r\n",
        b"000000000000005\r\nhello\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 4])
def test_good_chunks(body: bytes, cut: int | None) -> None:
    """Chunks that RFC 9112 section 7.1 allows end the body where they end, and the next response is found."""
    seen = talk((">", GET), ("<", CHUNKED + body), (">", GET), ("<", OK), cut=cut)
    first, second = seen.exchanges()
    assert first.violation is None
    assert (first.resp_done, first.body_bytes, second.status) == (True, len(body), 200)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"g\r\n", 0),
        (b"\r\n", 0),
        (b";x\r\n", 0),
        (b"-5\r\n", 0),
        (b"5x\r\nhello", 1),
        (b"5 x\r\nhello", 2),
        (b"5\rx", 2),
        (b"5;a\0\r\n", 3),
        (b"5\r\nhello!\r\n", 8),
        (b"5\r\nhello\rx", 9),
        (b"5\r\nhello0\r\n", 8),
        (b"5\r\nhello\r\ng\r\n", 10),
        (b"0\r\n\rx", 4),
        (b"1234567890123456\r\n", 15),
        (b"0x5\r\nhello\r\n", 1),
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_bad_chunks(body: bytes, where: int, cut: int | None) -> None:
    """The octet at which chunked framing breaks is named, in the frame that carried it."""
    exchange = answer(CHUNKED + body + b" " * 20, cut=cut)
    part, offset, frame, _, _, _, lost = exchange.violation
    at = len(CHUNKED) + where
    assert (part, offset, lost) == ("chunk", at, True)
    assert frame == exchange.resp_frame + at // (cut or 1000)


def test_a_bad_chunk_in_a_request_is_an_oddity() -> None:
    """What a gateway does wrong in a request is not the upstream's violation."""
    request = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    exchange = answer(OK, request=request)
    assert exchange.violation is None
    assert exchange.oddities == ["invalid_chunk_in_request"]


PIECES = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 204 x",
            b"HTTP/1.1 100 C",
            b"HTTP/1.",
            b"HTTP/1.1 2000 x",
            b"\r\n",
            b"\r\n\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b":",
            b"A: b",
            b"A : b",
            b"\0",
            b"Content-Length: 2",
            b"Content-Length: 9",
            b"Transfer-Encoding: chunked",
            b"ok",
            b"2\r\nok\r\n",
            b"0\r\n\r\n",
            b"5;x",
            b"zz",
            b"\xff",
            b"Connection: close",
            b"<html>",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(PIECES, PIECES, st.lists(st.integers(1, 9), max_size=40))
def test_how_octets_are_cut_changes_nothing(head: bytes, tail: bytes, sizes: list[int]) -> None:
    """Any response, good or bad, gives the same exchange octet by octet, in any pieces, and at once."""
    response = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + tail if sizes and sizes[0] % 2 else head + tail
    names = ("status", "resp_done", "resp_cut", "framing", "expected", "head_bytes", "resp_start", "resp_head")

    def told(cut: int | list[int] | None) -> object:
        seen = talk((">", GET), ("<", response), (">", GET), ("<", OK), cut=cut)
        return [
            (
                [getattr(exchange, name) for name in names],
                exchange.body_bytes if exchange.resp_done else None,
                exchange.violation and (*exchange.violation[:2], exchange.violation[4], exchange.violation[6]),
                exchange.oddities,
                [row[0] for row in exchange.interim or ()],
            )
            for exchange in seen.exchanges()
        ]

    whole = told(None)
    assert told(1) == whole
    assert told(sizes) == whole


@given(PIECES, PIECES, st.lists(st.integers(1, 99), max_size=9))
def test_what_is_not_kept_changes_nothing_else(head: bytes, tail: bytes, sizes: list[int]) -> None:
    """Whether heads of good responses are kept or not, all else that is said of an exchange is the same."""
    response = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + tail

    def told(forgetful: bool) -> list[Any]:
        seen = talk((">", GET), ("<", response), (">", GET), ("<", OK), cut=sizes, forgetful=forgetful)
        return seen.exchanges()

    for kept, other in zip(told(False), told(True), strict=True):
        if other.resp_head is None:
            kept.resp_head = None
        assert vars(kept) == vars(other)
