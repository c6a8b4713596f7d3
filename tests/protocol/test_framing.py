"""Where a message ends (RFC 9112 section 6.3), for every way to say so."""

from __future__ import annotations

import pytest

from tests.protocol.talk import GET, OK, answer, talk
from wire502.model.flow_cy import (
    FRAMING_CHUNKED,
    FRAMING_CLOSE,
    FRAMING_LENGTH,
    FRAMING_NONE,
    FRAMING_TUNNEL,
)

HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_length() -> None:
    """A response of known length ends with its last octet, not one earlier."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    exchange = answer(whole)
    assert (exchange.framing, exchange.expected, exchange.body_bytes, exchange.resp_done) == (
        FRAMING_LENGTH,
        5,
        5,
        True,
    )
    assert not answer(whole[:-1]).resp_done


def test_no_length_at_all() -> None:
    """A response without a length ends with the connection's FIN, and not before."""
    response = b"HTTP/1.1 200 OK\r\n\r\nhello"
    exchange = answer(response)
    assert (exchange.framing, exchange.resp_done) == (FRAMING_CLOSE, False)
    exchange = answer(response, close="<")
    assert (exchange.body_bytes, exchange.resp_done) == (5, True)


def test_chunks_and_trailers() -> None:
    """A chunked response ends behind its trailers."""
    exchange = answer(CHUNKED + b"5\r\nhello\r\nA;x=1\r\n0123456789\r\n0\r\nSum: 1\r\nB: 2\r\n\r\n")
    assert (exchange.framing, exchange.resp_done, exchange.violation) == (FRAMING_CHUNKED, True, None)
    assert not answer(CHUNKED + b"5\r\nhello\r\n0\r\nSum: 1\r\n").resp_done
    assert not answer(CHUNKED + b"5\r\nhello\r\n0\r\n").resp_done


@pytest.mark.parametrize(
    ("request_", "head"),
    [
        (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        (HEAD, CHUNKED),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_responses_without_a_body(request_: bytes, head: bytes) -> None:
    """A response to HEAD, a 204 and a 304 end with their head, whatever it says; the next one is read well."""
    seen = talk((">", request_), ("<", head), (">", GET), ("<", OK))
    first, second = seen.exchanges()
    assert (first.resp_done, first.body_bytes, second.status) == (True, 0, 200)
    assert first.framing in (FRAMING_NONE, FRAMING_LENGTH)


def test_interim_responses_are_not_the_answer() -> None:
    """Interim responses are remembered with their frames, and the final one is the answer."""
    seen = talk(
        (">", GET),
        ("<", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("<", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        ("<", OK),
    )
    exchange = seen.one()
    assert [status for status, _, _ in exchange.interim] == [100, 103]
    assert (exchange.status, exchange.body_bytes, exchange.resp_start) == (200, 2, 25 + 40)
    assert exchange.resp_frame > exchange.interim[1][1]


def test_after_an_interim_response_nothing_has_begun() -> None:
    """With an interim response alone, not one octet of the final response is there."""
    exchange = answer(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert (exchange.resp_frame, exchange.status, exchange.head_bytes, exchange.resp_done) == (0, 0, 0, False)
    assert exchange.interim is not None


def test_interim_and_final_in_one_segment() -> None:
    """An interim and a final response in one segment are told apart."""
    exchange = answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert (exchange.status, exchange.resp_done, exchange.resp_start) == (200, True, 25)


def test_expectation() -> None:
    """A request that waits for a 100 says so, and its body comes after it."""
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    seen = talk((">", head), ("<", b"HTTP/1.1 100 Continue\r\n\r\n"))
    assert seen.one().expects
    assert not seen.one().req_whole
    seen = talk((">", head), ("<", b"HTTP/1.1 100 Continue\r\n\r\n"), (">", b"abc"), ("<", OK))
    assert (seen.one().req_whole, seen.one().status) == (True, 200)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
        (GET.replace(b"Host", b"Upgrade: websocket\r\nHost"), b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    ],
)
def test_tunnels(request_: bytes, response: bytes) -> None:
    """After 101, or 2xx to CONNECT, octets of both sides are nobody's business."""
    seen = talk((">", request_), ("<", response + b"\x00\x01"), (">", b"GET is no request here"), ("<", b"\xff" * 9))
    exchange = seen.one()
    assert (exchange.framing, exchange.resp_done, exchange.violation) == (FRAMING_TUNNEL, True, None)
    assert seen.only.decoder is not None
    assert seen.only.decoder.tunnel


def test_a_refused_connect_is_no_tunnel() -> None:
    """A CONNECT that is answered by 4xx is an exchange like any other."""
    request = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
    response = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    seen = talk((">", request), ("<", response), (">", GET), ("<", OK))
    assert [exchange.status for exchange in seen.exchanges()] == [403, 200]


def test_pipelining() -> None:
    """Requests sent in one go are answered in their order."""
    seen = talk((">", GET + HEAD + GET), ("<", OK + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), ("<", OK))
    assert [exchange.number for exchange in seen.exchanges()] == [1, 2, 3]
    assert [exchange.body_bytes for exchange in seen.exchanges()] == [2, 0, 2]
    assert all(exchange.resp_done for exchange in seen.exchanges())


def test_pipelining_is_bounded() -> None:
    """Of more requests than the limit without an answer, those beyond it are let go of."""
    seen = talk((">", GET * 500))
    assert seen.only.decoder is not None
    assert len(seen.only.decoder.queue) <= seen.context.max_pipelined


def test_an_early_answer_ends_the_exchange_when_the_gateway_goes_on() -> None:
    """A final response before the request is whole completes it once the gateway sends another request."""
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n"
    response = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    seen = talk((">", head + bytes(100)), ("<", response))
    assert (seen.one().resp_done, seen.one().req_whole) == (True, False)
    seen = talk((">", head + bytes(100)), ("<", response), (">", bytes(200)), (">", GET), ("<", OK))
    assert [exchange.status for exchange in seen.exchanges()] == [413, 200]
    assert seen.exchanges()[0].req_whole


@pytest.mark.parametrize(
    "request_",
    [
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
    ],
)
@pytest.mark.parametrize("cut", [None, 1, 5])
def test_requests_end_where_they_end(request_: bytes, cut: int | None) -> None:
    """Two like requests, each answered, are two whole requests, whatever their framing."""
    seen = talk((">", request_), ("<", OK), (">", request_), ("<", OK), cut=cut)
    first, second = seen.exchanges()
    blank = 2 if request_.startswith(b"\r\n") else 0
    assert (first.req_start, first.req_end, first.req_whole) == (blank, len(request_), True)
    assert (second.req_start, second.req_end) == (len(request_) + blank, 2 * len(request_))
    assert (first.status, second.status) == (200, 200)


def test_http_1_0() -> None:
    """An HTTP/1.0 response without a length ends with the connection, one with a length by its length."""
    assert answer(b"HTTP/1.0 200 OK\r\n\r\nhello", close="<").resp_done
    exchange = answer(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (exchange.resp_done, exchange.keep_alive, exchange.violation) == (True, False, None)


def test_http_0_9() -> None:
    """A request of one line without a version is answered by octets without a head, up to the FIN."""
    exchange = answer(b"hello\n", request=b"GET /\r\n", close="<")
    assert (exchange.resp_done, exchange.violation) == (True, None)


@pytest.mark.parametrize(
    ("fields", "done", "part"),
    [
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", True, None),
        (b"Content-Length: 2, 2\r\n", True, None),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", None, "framing"),
        (b"Content-Length: 2,3\r\n", None, "framing"),
        (b"Content-Length: -2\r\n", None, "framing"),
        (b"Content-Length: 2x\r\n", None, "framing"),
        (b"Content-Length: 99999999999999999999999\r\n", None, "framing"),
        (b"Content-Length: \r\n", None, "framing"),
    ],
)
def test_content_length(fields: bytes, done: bool | None, part: str | None) -> None:
    """Content-Length is one number, if need be said more than once; anything else is a violation of framing."""
    exchange = answer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nok")
    assert (exchange.violation[0] if exchange.violation else None) == part
    if done is not None:
        assert exchange.resp_done is done


def test_transfer_encoding_wins() -> None:
    """With both, Transfer-Encoding decides and the Content-Length is an oddity."""
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    exchange = answer(response)
    assert (exchange.resp_done, exchange.framing, exchange.violation) == (True, FRAMING_CHUNKED, None)
    assert exchange.oddities == ["content_length_with_transfer_encoding"]


@pytest.mark.parametrize(
    "name",
    [b"Transfer_Encoding", b"transfer-encodinG2", b"Transfer-Encodin", b"XTransfer-Encoding", b"TransferxEncoding"],
)
@pytest.mark.parametrize("cut", [None, 1])
def test_names_are_compared_whole(name: bytes, cut: int | None) -> None:
    """A field whose name differs in one letter from one that tells where the body ends tells nothing."""
    exchange = answer(b"HTTP/1.1 200 OK\r\n" + name + b": chunked\r\nContent-Length: 2\r\n\r\nok", cut=cut)
    assert (exchange.framing, exchange.violation, exchange.resp_done) == (FRAMING_LENGTH, None, True)


@pytest.mark.parametrize(
    ("response", "kept"),
    [
        (OK, False),
        (b"HTTP/1.1 404 N\r\nContent-Length: 2\r\n\r\nno", False),
        (b"HTTP/1.1 100 C\r\n\r\n" + OK, False),
        (b"HTTP/1.1 503 S\r\nContent-Length: 2\r\n\r\nno", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nA: " + bytes(5000).replace(b"\0", b"b") + b"\r\nContent-Length: 2\r\n\r\nok", True),
        (CHUNKED, True),
    ],
)
def test_heads_that_are_asked_for_are_kept(response: bytes, kept: bool) -> None:
    """Where exchanges that went well are not wanted, only the head of a response that ends well at once is let go."""
    exchange = answer(response, forgetful=True)
    assert (exchange.resp_head is not None) == kept
    exchange = answer(response)
    assert exchange.resp_head == response[response.rindex(b"HTTP/1.1") :].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize("coding", [b"gzip", b"chunked, gzip"])
def test_other_codings_end_with_the_connection(coding: bytes) -> None:
    """A response whose last coding is not chunked ends with the connection."""
    exchange = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + b"\r\n\r\nxx", close="<")
    assert (exchange.framing, exchange.resp_done) == (FRAMING_CLOSE, True)


@pytest.mark.parametrize(
    "content_type", [b"text/event-stream", b"Multipart/X-Mixed-Replace; boundary=x", b"application/grpc+proto"]
)
def test_streams_are_recognised(content_type: bytes) -> None:
    """Responses in which silence is normal are marked."""
    assert answer(b"HTTP/1.1 200 OK\r\nContent-Type: " + content_type + b"\r\n\r\n").streaming
    assert not answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n").streaming


def test_octets_after_a_whole_response() -> None:
    """Excess octets belong to no response; a request after them knows of them."""
    seen = talk((">", GET), ("<", OK + b"more"), (">", GET), ("<", OK))
    first, second = seen.exchanges()
    assert first.body_bytes == 2
    assert second.excess_before
    assert second.status == 200


def test_an_unsolicited_answer_before_the_request() -> None:
    """A 408 on an idle connection is remembered by the next request, which it does not answer."""
    seen = talk((">", GET), ("<", OK), ("<", b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"), (">", GET))
    second = seen.exchanges()[1]
    assert (second.foreign_status, second.resp_frame) == (408, 0)


def test_begun_in_the_middle_of_a_body() -> None:
    """Octets of a body whose begin was not captured are passed over, the next exchange is read well."""
    seen = talk(("<", b"x" * 3000), (">", GET), ("<", OK), (">", GET), ("<", OK), mid=True, cut=1000)
    assert [exchange.status for exchange in seen.exchanges()] == [200, 200]


def test_begun_in_the_middle_with_a_response() -> None:
    """A response whose request was not captured is known as such."""
    seen = talk(("<", OK), (">", GET), ("<", OK), mid=True)
    ghost, real = seen.exchanges()
    assert ghost.ghost
    assert ghost.status == 200
    assert (real.number, real.status) == (1, 200)


def test_a_response_that_overtook_its_request() -> None:
    """A response that was captured before its request answers it all the same."""
    from tests.tcp.watch import watch
    from tests.wire import Wire

    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(OK)
    conn.client.send(GET)
    conn.server.send(OK)
    for order in ((4, 5), (6, 7)):
        seen = watch(wire.reorder(*order))
        assert [exchange.status for exchange in seen.exchanges()] == [200, 200]
        assert not any(exchange.excess_before for exchange in seen.exchanges())
