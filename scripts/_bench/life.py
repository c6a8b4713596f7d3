"""Healthy traffic: every way in which an exchange may end well, and what looks like a failure and is none."""

from __future__ import annotations

from . import failures
from .asking import ask_expect, body_size, think
from .capture import Capture, Talk
from .profiles import MS
from .talk import US, Connection
from .wire import ACK, FIN, PSH

_FORMS = ("length",) * 56 + ("chunked",) * 15 + ("head",) * 4 + ("empty",) * 4 + ("cached",) * 6 + ("post",) * 8 + (
    "expect",
) * 2 + ("pipeline",) * 3 + ("hints",) * 2  # fmt: skip


def live(capture: Capture, ordinal: int, at: int) -> Talk:
    """The life of connection number `ordinal` from time `at` on, doomed or not."""
    c = Connection(capture, ordinal, at)
    profile, rng = capture.profile, capture.rng
    if profile.name == "ten":
        return _ten(c)
    if profile.leave_open:
        return _left_open(c)
    if profile.fail_every and ordinal % profile.fail_every == profile.fail_every - 1:
        return failures.doomed(c, failures.KINDS[ordinal // profile.fail_every % len(failures.KINDS)], exchange)
    if ordinal < profile.concurrency and rng.random() < 0.3:
        return _joined(c)
    if rng.random() < 0.02:
        return _health_check(c)
    return _healthy(c)


def exchange(c: Connection, last: bool) -> Talk:
    """One request, or some pipelined ones, and what answers it."""
    form = c.rng.choice(_FORMS)
    if last and c.rng.random() < 0.1:
        form = "until close"
    c.capture.counts["exchanges"] += 1
    if form == "pipeline":
        yield from _pipeline(c)
    elif form == "expect":
        yield from _expect(c)
    else:
        yield from _plain(c, form)


def _healthy(c: Connection) -> Talk:
    yield c.t
    c.open()
    yield from _exchanges(c)
    if c.rng.random() < 0.03:  # the same 5-tuple again
        yield c.wait(1000 * MS, 2000 * MS)
        again = Connection(c.capture, c.ordinal, c.t, c)
        again.requests, again.parked = c.requests, True
        again.open()
        yield from _exchanges(again)


def _joined(c: Connection) -> Talk:
    """Begun mid-connection: between two exchanges, or in the middle of a response."""
    yield c.t
    c.join()
    if c.rng.random() < 0.5:
        c.calm = True
        yield from c.stream(c.up, c.gw, c.body(c.rng.randrange(200, 20_000), b""))
        c.acknowledge(c.gw)
        c.calm = False
        yield c.wait(*c.capture.profile.idle_ns)
    yield from _exchanges(c)
    c.park()


def _exchanges(c: Connection) -> Talk:
    profile = c.capture.profile
    count = c.rng.randint(*profile.exchanges)
    for number in range(count):
        last = number == count - 1
        yield from exchange(c, last)
        if c.over:  # the response ended with the connection
            return
        if not last:
            if c.rng.random() < 0.02:
                _keep_alive_probe(c)
            yield c.wait(*profile.idle_ns)
    yield from _goodbye(c)


def _plain(c: Connection, form: str) -> Talk:
    rng = c.rng
    method = {"head": b"HEAD", "post": b"POST", "empty": b"DELETE"}.get(form, b"GET")
    head = c.request_head(method, c.target())
    if form == "post":
        size = rng.randint(*c.capture.profile.uploads)
        head = head[:-2] + b"Content-Length: %d\r\n\r\n" % size
        yield from c.stream(c.gw, c.up, c.body(size, head))
    else:
        yield from c.stream(c.gw, c.up, c.cut(head))
    yield from think(c)
    size = body_size(c)
    length = b"Content-Length: %d\r\n" % size
    if form == "hints":
        hints = c.cut(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        yield from c.stream(c.up, c.gw, hints)
        c.acknowledge(c.gw)
        yield c.wait(MS, 30 * MS)
    if form == "head":
        segments = c.cut(c.response_head(b"200 OK", length))
    elif form == "empty":
        segments = c.cut(c.response_head(b"204 No Content", b""))
    elif form == "cached":
        segments = c.cut(c.response_head(b"304 Not Modified", b'ETag: "1"\r\n' + length))
    elif form == "chunked":
        trailer = b"X-Sum: 1\r\n" if rng.random() < 0.1 else b""
        head = c.response_head(b"200 OK", b"Transfer-Encoding: chunked\r\n")
        segments = c.cut(head + c.chunks(size, trailer=trailer))
    elif form == "until close":
        yield from _until_close(c, size)
        return
    else:
        status = b"404 Not Found" if rng.random() < 0.03 else b"200 OK"
        segments = c.body(size, c.response_head(status, length))
    yield from c.stream(c.up, c.gw, segments)
    if len(segments) == 1:
        c.acknowledge(c.gw)


def _until_close(c: Connection, size: int) -> Talk:
    segments = c.body(size, c.response_head(b"200 OK", b"Connection: close\r\n"))
    merged = segments.pop() if len(segments) > 1 and c.rng.random() < 0.4 else None
    yield from c.stream(c.up, c.gw, segments)
    c.gw.ack = c.up.seq
    c.t += 40 * US
    c.close(c.up, merged=merged)
    c.over = True
    c.park()


def _pipeline(c: Connection) -> Talk:
    count = c.rng.randint(2, 4)
    c.capture.counts["exchanges"] += count - 1
    for _ in range(count):
        yield from c.stream(c.gw, c.up, c.cut(c.request_head(b"GET", c.target())))
    yield from think(c)
    for _ in range(count):
        size = min(body_size(c), 20_000)
        head = c.response_head(b"200 OK", b"Content-Length: %d\r\n" % size)
        yield from c.stream(c.up, c.gw, c.body(size, head))
        c.t += 200 * US
    c.acknowledge(c.gw)


def _expect(c: Connection) -> Talk:
    yield from ask_expect(c, c.target())
    yield from think(c)
    segments = c.cut(c.response_head(b"201 Created", b"Content-Length: 2\r\n") + b"ok")
    yield from c.stream(c.up, c.gw, segments)
    c.acknowledge(c.gw)


def _goodbye(c: Connection) -> Talk:
    """Ways to end an idle connection, all of them harmless."""
    style = c.rng.random()
    if style < 0.1:  # right after the response
        c.t += 300 * US
        c.close(c.gw)
    elif style < 0.2:
        c.capture.counts["look_alikes"] += 1
        c.t += 500 * US
        c.reset(c.gw if style < 0.15 else c.up)
    else:
        yield c.wait(*c.capture.profile.idle_ns)
        if style < 0.25:
            c.capture.counts["look_alikes"] += 1
            c.reset(c.up)
        elif style < 0.3:  # RST after FIN
            c.capture.counts["look_alikes"] += 1
            c.put(c.gw, FIN | ACK)
            c.t += c.rtt
            c.up.ack = c.gw.seq
            c.reset(c.up)
        else:
            c.close(c.up if style < 0.7 else c.gw)
    c.park()


def _keep_alive_probe(c: Connection) -> None:
    c.capture.counts["look_alikes"] += 1
    c.t += 200 * MS
    asks, answers = (c.gw, c.up) if c.rng.random() < 0.5 else (c.up, c.gw)
    asks.ack = answers.seq
    c.put(asks, ACK, seq=(asks.seq - 1) & 0xFFFFFFFF)
    c.acknowledge(answers, c.rtt)


def _health_check(c: Connection) -> Talk:
    c.capture.counts["look_alikes"] += 1
    yield c.t
    c.open()
    if c.rng.random() < 0.5:
        c.reset(c.gw)
    else:
        c.close(c.gw)
    c.park()


def _left_open(c: Connection) -> Talk:
    yield c.t
    c.open()
    c.capture.counts["exchanges"] += 1
    yield from _plain(c, "length")
    c.park()


def _ten(c: Connection) -> Talk:
    c.calm = True
    yield c.t
    c.open()
    c.put(c.gw, PSH | ACK, c.cut(c.request_head(b"GET", c.target()))[0])
    c.acknowledge(c.up, c.rtt)
    c.t += 3 * MS
    c.put(c.up, PSH | ACK, c.body(300, c.response_head(b"200 OK", b"Content-Length: 300\r\n"))[0])
    c.acknowledge(c.gw)
    c.t += 500 * MS
    c.put(c.gw, FIN | ACK)
    c.t += c.rtt
    c.up.ack = c.gw.seq
    c.put(c.up, FIN | ACK)
    c.acknowledge(c.gw)
    c.capture.counts["exchanges"] += 1
    c.park()
