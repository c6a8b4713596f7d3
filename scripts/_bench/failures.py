"""Planted failures: one function a kind, each marks the frame that doomed the request.

The rules are those of the failure kinds (`wire502 explain KIND`). A doomed exchange is calm: neither loss nor
reordering touches it, so that one frame only can be right.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from .asking import ask_expect, body_size, request_marks, think
from .capture import Talk
from .profiles import MS
from .talk import US, Connection, Segment
from .wire import ACK, FIN, PSH, RST, Half

Truth = dict[str, Any]
FRAME = ("frame",)


def doomed(c: Connection, kind: str, exchange: Callable[[Connection, bool], Talk]) -> Talk:
    """A connection that ends with a failure of `kind`, after some healthy exchanges where it can have had any."""
    yield c.t
    if kind.startswith("connect_"):
        yield from _ENDS[kind](c)
    else:
        c.open()
        before = c.rng.randrange(0, min(4, c.capture.profile.exchanges[1]))
        for _ in range(max(before, 1) if kind == "stale_keepalive" else before):
            yield from exchange(c, False)
            yield c.wait(*c.capture.profile.idle_ns)
        c.calm = True
        c.gw.ack = c.up.seq
        c.up.ack = c.gw.seq
        c.capture.counts["exchanges"] += 1
        yield from _ENDS[kind](c)
    c.park()


def _refused(c: Connection) -> Talk:
    truth = c.planted("connect_refused", None)
    c.syn()
    c.t += c.rtt
    c.up.ack = c.gw.seq
    c.put(c.up, RST | ACK, seq=0, mark=(truth, FRAME))
    yield c.t


def _timeout(c: Connection) -> Talk:
    truth = c.planted("connect_timeout", None)
    isn = c.gw.seq
    c.syn()
    c.park()
    for number, seconds in enumerate((1, 2, 4)):
        c.t += seconds * 1000 * MS + 5 * MS
        yield c.t
        c.syn(seq=isn, mark=(truth, FRAME) if number == 2 else None)


def _rst_before(c: Connection) -> Talk:
    truth = yield from _ask(c, "rst_before_response")
    yield c.wait(MS, 300 * MS)
    _upstream_ends(c, truth, True)


def _fin_before(c: Connection) -> Talk:
    truth = yield from _ask(c, "fin_before_response")
    yield c.wait(MS, 300 * MS)
    _upstream_ends(c, truth, False)


def _mid_headers(c: Connection, kind: str) -> Talk:
    truth = yield from _ask(c, kind)
    yield from think(c)
    head = c.response_head(b"200 OK", b"Content-Length: 500\r\n")
    yield from c.stream(c.up, c.gw, c.cut(head[: c.rng.randrange(1, len(head) - 3)]))
    c.acknowledge(c.gw)
    yield c.wait(100 * US, 50 * MS)
    _upstream_ends(c, truth, kind.startswith("rst"))


def _part_of_a_response(c: Connection) -> list[Segment]:
    """A head and some of its body, never all of it."""
    size = max(300, body_size(c))
    if c.rng.random() < 0.4:
        head = c.response_head(b"200 OK", b"Transfer-Encoding: chunked\r\n")
        octets = head + c.chunks(size, end=False)
        return c.cut(octets[: c.rng.randrange(len(head) + 1, len(octets))])
    return c.body(c.rng.randrange(1, size), c.response_head(b"200 OK", b"Content-Length: %d\r\n" % size))


def _mid_body(c: Connection, kind: str) -> Talk:
    truth = yield from _ask(c, kind)
    yield from think(c)
    segments = _part_of_a_response(c)
    merged = segments.pop() if kind.startswith("fin") and len(segments) > 1 and c.rng.random() < 0.3 else None
    yield from c.stream(c.up, c.gw, segments)
    c.gw.ack = c.up.seq
    if merged is None:
        c.acknowledge(c.gw)
        yield c.wait(50 * US, 50 * MS)
    _upstream_ends(c, truth, kind.startswith("rst"), merged)


def _status_line(c: Connection) -> Talk:
    truth = yield from _ask(c, "invalid_status_line")
    yield from think(c)
    style = c.rng.randrange(3)
    if style == 0:
        c.put(c.up, PSH | ACK, c.cut(b"Traceback (most recent call last):\n")[0], mark=(truth, FRAME))
    elif style == 1:
        c.put(c.up, PSH | ACK, c.cut(b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok")[0], mark=(truth, FRAME))
    else:  # the first half could still become one
        c.put(c.up, PSH | ACK, c.cut(b"HTTP/1.1 2")[0])
        c.t += 100 * US
        c.put(c.up, PSH | ACK, c.cut(b"x0 OK\r\nContent-Length: 2\r\n\r\nok")[0], mark=(truth, FRAME))
    c.acknowledge(c.gw)
    yield c.wait(50 * US, MS)
    _gateway_ends(c)


def _chunk(c: Connection) -> Talk:
    truth = yield from _ask(c, "invalid_chunk")
    yield from think(c)
    head = c.response_head(b"200 OK", b"Transfer-Encoding: chunked\r\n")
    yield from c.stream(c.up, c.gw, c.cut(head + c.chunks(min(body_size(c), 20_000), end=False)))
    c.t += 100 * US
    wrong = b"zz9\r\nwrong\r\n" if c.rng.random() < 0.5 else b"5\r\nhelloXX\r\n"
    c.put(c.up, PSH | ACK, c.cut(wrong)[0], mark=(truth, FRAME))
    c.acknowledge(c.gw)
    yield c.wait(50 * US, MS)
    _gateway_ends(c)


def _stale(c: Connection) -> Talk:
    """The upstream's close and the gateway's next request pass each other, or the close was overlooked."""
    style = c.rng.randrange(4)
    target = c.target()
    truth = c.planted("stale_keepalive", target)
    request = c.cut(c.request_head(b"GET", target))[0]
    if style == 0:  # the FIN comes in just after the request went out
        c.put(c.gw, PSH | ACK, request, mark=(truth, ("request_frame",)))
        c.t += 100 * US
        c.put(c.up, FIN | ACK, mark=(truth, FRAME))
        c.acknowledge(c.gw)
        c.t += c.rtt
        c.reset(c.up, bare=True)
    elif style == 1:  # the gateway had acknowledged the FIN and sent a request all the same
        c.put(c.up, FIN | ACK, mark=(truth, FRAME))
        c.acknowledge(c.gw, 40 * MS)
        yield c.wait(200 * MS, 3000 * MS)
        c.put(c.gw, PSH | ACK, request, mark=(truth, ("request_frame",)))
        c.t += c.rtt
        c.reset(c.up, bare=True)
    elif style == 2:  # a RST that was already on its way
        c.put(c.gw, PSH | ACK, request, mark=(truth, ("request_frame",)))
        c.t += 80 * US
        c.reset(c.up, mark=(truth, FRAME))
    else:  # the upstream has forgotten the connection and answers from the request's own numbers
        c.put(c.gw, PSH | ACK, request, mark=(truth, ("request_frame",)))
        c.t += c.rtt
        c.reset(c.up, bare=True, mark=(truth, FRAME))
    yield c.t


def _stall_before(c: Connection) -> Talk:
    yield from _ask(c, "stall_before_response", doom=True)
    yield from _silence(c, c.t)


def _stall_body(c: Connection) -> Talk:
    truth = yield from _ask(c, "stall_mid_body")
    yield from think(c)
    segments = _part_of_a_response(c)
    since = c.t + (len(segments) - 1) * c.capture.profile.gap_ns
    yield from c.stream(c.up, c.gw, segments, {len(segments) - 1: (truth, FRAME)})
    if len(segments) == 1:
        c.acknowledge(c.gw)
    yield from _silence(c, since)


def _relayed(c: Connection) -> Talk:
    truth = yield from _ask(c, "relayed_error")
    yield from think(c)
    status = c.rng.choice((b"500 Internal Server Error", b"502 Bad Gateway", b"503 Service Unavailable"))
    text = b'{"error":"broken"}\n'
    head = c.response_head(status, b"Content-Length: %d\r\n" % len(text))
    yield from c.stream(c.up, c.gw, c.cut(head + text), {0: (truth, FRAME)})
    c.acknowledge(c.gw)
    yield c.wait(*c.capture.profile.idle_ns)
    c.close(c.up)


def _ask(c: Connection, kind: str, *, doom: bool = False) -> Generator[int, None, Truth]:
    """A whole request, delivered and acknowledged. With `doom` its last frame is the failure point."""
    target = c.target()
    truth = c.planted(kind, target)
    form = c.rng.random()
    size = c.rng.randint(*c.capture.profile.uploads)
    if form < 0.2:
        yield from ask_expect(c, target, truth, doom)
    else:
        if form < 0.45:
            segments = c.body(size, c.request_head(b"POST", target, b"Content-Length: %d\r\n" % size))
        else:
            segments = c.cut(c.request_head(b"GET", target))
        yield from c.stream(c.gw, c.up, segments, request_marks(truth, segments, doom))
    if c.up.ack != c.gw.seq:
        c.acknowledge(c.up, c.rtt)
    return truth


def _upstream_ends(c: Connection, truth: Truth, reset: bool, merged: Segment | None = None) -> None:
    if reset:
        c.reset(c.up, mark=(truth, FRAME))
        return
    c.put(c.up, FIN | ACK if merged is None else FIN | PSH | ACK, merged or (b"", 0), mark=(truth, FRAME))
    _answer_fin(c, c.gw, c.up, 20 * US)


def _gateway_ends(c: Connection) -> None:
    if c.rng.random() < 0.4:
        c.reset(c.gw)
        return
    c.put(c.gw, FIN | ACK)
    if c.rng.random() < 0.4:
        c.t += c.rtt
        c.up.ack = c.gw.seq
        c.reset(c.up)
        return
    _answer_fin(c, c.up, c.gw, c.rtt)


def _answer_fin(c: Connection, second: Half, first: Half, after: int) -> None:
    c.t += after
    second.ack = first.seq
    c.put(second, FIN | ACK)
    c.acknowledge(first, c.rtt if second is c.gw else 20 * US)


def _silence(c: Connection, since: int) -> Talk:
    """Nothing, until the gateway's patience ends a round time after `since`."""
    c.park()
    limit = round(c.rng.choice(c.capture.profile.waits_s) * 1000) * MS
    c.t = max(c.t, since + limit + c.rng.randrange(200 * US, 8 * MS))
    yield c.t
    _gateway_ends(c)


_ENDS: dict[str, Callable[[Connection], Talk]] = {
    "connect_refused": _refused,
    "connect_timeout": _timeout,
    "rst_before_response": _rst_before,
    "fin_before_response": _fin_before,
    "rst_mid_headers": lambda c: _mid_headers(c, "rst_mid_headers"),
    "fin_mid_headers": lambda c: _mid_headers(c, "fin_mid_headers"),
    "rst_mid_body": lambda c: _mid_body(c, "rst_mid_body"),
    "fin_mid_body": lambda c: _mid_body(c, "fin_mid_body"),
    "invalid_status_line": _status_line,
    "invalid_chunk": _chunk,
    "stale_keepalive": _stale,
    "stall_before_response": _stall_before,
    "stall_mid_body": _stall_body,
    "relayed_error": _relayed,
}
KINDS = tuple(_ENDS)
