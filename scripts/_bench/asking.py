"""What healthy and doomed exchanges share: the request that waits for its 100, the upstream's thinking, body sizes."""

from __future__ import annotations

from typing import Any

from .capture import Mark, Talk
from .profiles import MS
from .talk import US, Connection, Segment


def request_marks(truth: dict[str, Any], segments: list[Segment], doom: bool) -> dict[int, Mark]:
    """Marks for a request's segments: the first is the request's frame; with `doom` the last is the failure point."""
    if not doom:
        return {0: (truth, ("request_frame",))}
    if len(segments) == 1:
        return {0: (truth, ("request_frame", "frame"))}
    return {0: (truth, ("request_frame",)), len(segments) - 1: (truth, ("frame",))}


def ask_expect(c: Connection, target: bytes, truth: dict[str, Any] | None = None, doom: bool = False) -> Talk:
    """A request that waits for 100 Continue before it sends its body (RFC 9110 section 10.1.1)."""
    size = c.rng.randint(*c.capture.profile.uploads)
    head = c.request_head(b"POST", target, b"Content-Length: %d\r\nExpect: 100-continue\r\n" % size)
    yield from c.stream(c.gw, c.up, c.cut(head), {0: (truth, ("request_frame",))} if truth else None)
    yield from think(c)
    yield from c.stream(c.up, c.gw, c.cut(b"HTTP/1.1 100 Continue\r\n\r\n"))
    c.acknowledge(c.gw)
    body = c.body(size, b"")
    yield from c.stream(c.gw, c.up, body, {len(body) - 1: (truth, ("frame",))} if truth and doom else None)


def think(c: Connection) -> Talk:
    """The upstream has the request and works on it."""
    slow = c.rng.random()
    span = c.rng.randrange(300 * MS, 2500 * MS) if slow < 0.01 else c.rng.randrange(300 * US, 20 * MS)
    if c.up.ack != c.gw.seq and (slow < 0.01 or span > 14 * MS):
        c.acknowledge(c.up, c.rtt)
    c.up.ack = c.gw.seq
    c.t += c.rtt + span
    yield c.t


def body_size(c: Connection) -> int:
    """Octets of a response body after the profile."""
    drawn = c.rng.random() * 100
    for weight, least, most in c.capture.profile.bodies:
        drawn -= weight
        if drawn < 0:
            return c.rng.randint(least, most)
    raise ValueError("the weights of a profile's bodies add up to 100")
