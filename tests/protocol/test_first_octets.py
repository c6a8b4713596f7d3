"""What octets that are no HTTP/1 are called, and prefaces before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.talk import GET, OK, talk
from wire502.protocol.first_octets import PROXY_V2, name_of, preface_length

V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
V2 = PROXY_V2 + b"\x21\x11\x00\x0c" + bytes(12)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "tls"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "h2"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2"),
        (b"\x01\x06\x00\x01\x00\x10\x00\x00", "fastcgi"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "ssh"),
        (b"220 mail ESMTP\r\n", "smtp"),
        (b"+OK ready\r\n", "pop3"),
        (b"-ERR unknown command\r\n", "redis"),
        (b"AMQP\x00\x00\x09\x01", "amqp"),
        (b"AB\x00\x02", "ajp"),
        (b"J\x00\x00\x00\x0a5.5.5\x00", "mysql"),
        (V1, "proxy"),
        (V2, "proxy"),
        (b"  <!DOCTYPE html>", "html"),
        (b"<HTML><body>", "html"),
        (b"HTTP/1.1 abc", "http"),
        (b"Traceback (most recent call last):", "traceback"),
        (b"hello world\n", "text"),
        (b"\x80\x81\x82", None),
        (b"", None),
    ],
)
def test_names(octets: bytes, name: str | None) -> None:
    """First octets of well-known protocols have a name; others have none."""
    assert name_of(octets) == name


@given(st.binary(max_size=80))
def test_any_octets_have_a_name_or_none(octets: bytes) -> None:
    """Naming never fails, and neither does the measure of a preface."""
    assert name_of(octets) is None or name_of(octets)
    assert preface_length(octets) >= -1


@pytest.mark.parametrize("preface", [V1, V2, b"PROXY UNKNOWN\r\n", PROXY_V2 + b"\x20\x00\x00\x00"])
@pytest.mark.parametrize("sizes", [[], [1], [5, 3, 1, 1]])
@pytest.mark.parametrize("apart", [False, True])
def test_a_proxy_preface_before_http(preface: bytes, sizes: list[int], apart: bool) -> None:
    """A PROXY protocol preface, alone or with the request, is passed over and the request behind it is read."""
    cut = [len(preface) if apart else len(preface) + 4, *sizes]
    seen = talk((">", preface + GET), ("<", OK), (">", GET), ("<", OK), cut=cut)
    first, second = seen.exchanges()
    assert (first.req_start, first.req_head, first.status) == (len(preface), GET, 200)
    assert second.status == 200


@pytest.mark.parametrize(
    ("hello", "name"), [(b"\x16\x03\x01\x00\x05hello", "tls"), (b"SSH-2.0-x\r\n", "ssh"), (b"\x80\x81\x82\x83", None)]
)
@pytest.mark.parametrize("cut", [None, 1])
def test_a_gateway_that_speaks_no_http(hello: bytes, name: str | None, cut: int | None) -> None:
    """A connection whose opener does not begin with a request is not HTTP, and is named if it can be."""
    seen = talk((">", hello), ("<", b"\xff\xfe"), cut=cut)
    assert seen.exchanges() == []
    assert seen.only.decoder is not None
    assert not seen.only.decoder.http
    if cut is None:
        assert seen.only.decoder.looks_like == name


def test_a_server_that_speaks_first() -> None:
    """A connection on which the acceptor greets is not HTTP."""
    seen = talk(("<", b"220 mail ESMTP\r\n"), (">", b"EHLO a\r\n"))
    assert seen.exchanges() == []
    assert seen.only.decoder is not None
    assert seen.only.decoder.looks_like == "smtp"


@pytest.mark.parametrize(
    ("response", "name"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls"),
        (b"SSH-2.0-OpenSSH\r\n", "ssh"),
        (b"<html><body>oops</body></html>", "html"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "h2"),
    ],
)
def test_the_answer_to_a_request_is_named(response: bytes, name: str) -> None:
    """A foreign answer to an HTTP request is a violation that says what it looks like."""
    exchange = talk((">", GET), ("<", response)).one()
    assert (exchange.violation[0], exchange.violation[5]) == ("status_line", name)


@pytest.mark.parametrize("preface", [V1, V2, PROXY_V2 + b"\x21\x11\x01\x0c" + bytes(268)])
@pytest.mark.parametrize("size", [1, 2, 5, 7, 13, 40])
def test_a_proxy_preface_in_pieces(preface: bytes, size: int) -> None:
    """However a preface is cut, the request behind it is read, and begins at its own first frame."""
    seen = talk((">", preface), (">", GET), ("<", OK), cut=size)

    (exchange,) = seen.exchanges()
    assert exchange.req_head == GET
    assert exchange.req_start == len(preface)
    assert exchange.req_frame == 3 + -(-len(preface) // size) + 2
    assert exchange.resp_done


@pytest.mark.parametrize(
    "request_", [b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" + GET]
)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_what_only_begins_like_a_preface(request_: bytes, size: int) -> None:
    """A request that begins like a preface is a request, from its first octet on."""
    seen = talk((">", request_), ("<", OK), cut=size)

    (exchange,) = seen.exchanges()
    assert exchange.req_head == request_.lstrip()
    assert exchange.resp_done
    if request_[:1] == b"P":
        assert (exchange.req_frame, exchange.req_start) == (4, 0)


@pytest.mark.parametrize(
    "octets",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html><body>no</body></html>",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"220 mail\r\n",
        b"+OK" * 40,
    ],
)
def test_names_do_not_depend_on_segments(octets: bytes) -> None:
    """Foreign octets have the same name however they are cut: as a request, as a greeting, as an answer."""
    for said, find in (
        ([(">", octets)], lambda seen: seen.only.decoder.looks_like),
        ([("<", octets)], lambda seen: seen.only.decoder.looks_like),
        ([(">", GET), ("<", octets)], lambda seen: seen.one().violation[5]),
    ):
        names = {find(talk(*said, cut=size)) for size in (1, 2, 3, 5, 8, None)}
        assert names == {name_of(octets[:64])}
