"""One connection between a gateway and an upstream: handshake, exchanges, losses, goodbye.

The capture is taken in front of the gateway: what the gateway sends is seen at once, what the upstream sends is seen
when it arrives. Methods that can take long are generators that yield the time at which they go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator
from typing import Any

from .capture import Capture, Mark, Talk
from .profiles import MS
from .wire import ACK, FIN, PSH, RST, SYN, Half, octet_sum

US = 1000
Segment = tuple[bytes, int]  # payload and its octet_sum

_PORTS = [port for port in range(32768, 61000) if port != 34980]  # tshark takes that one for EtherCAT
_UPSTREAMS = (
    *((f"10.2.0.{n}", 8080, 0) for n in range(2, 8)),
    ("10.2.0.9", 80, 0),
    ("10.2.1.2", 8080, 101),
    ("10.2.1.3", 80, 101),
    ("fd00:2::2", 8080, 0),
    ("fd00:2::3", 80, 102),
)
_HOSTS = (b"app.example", b"api.example", b"shop.example", b"static.example")
_CUT = 32  # segments between two returns to the clock


class Connection:
    """Both halves of one connection, and the local time in nanoseconds. `seen_ns` is the round trip."""

    def __init__(self, capture: Capture, ordinal: int, at: int, again: Connection | None = None) -> None:
        rng = capture.rng
        self.capture = capture
        self.rng = rng
        self.ordinal = ordinal
        self.t = at
        self.gateway_at: tuple[str, int]
        self.upstream_at: tuple[str, int]
        self.vlan: int
        self.calm = False  # no losses, no reordering
        self.requests = 0
        self.parked = False  # another connection has taken this one's place
        self.over = False  # closed
        self.rtt = rng.randrange(150 * US, 900 * US)
        if again is not None:
            self.gateway_at, self.upstream_at = again.gateway_at, again.upstream_at
            vlan = again.vlan
        else:
            address, port, vlan = _UPSTREAMS[ordinal % len(_UPSTREAMS)]
            turn, place = divmod(ordinal // len(_UPSTREAMS), len(_PORTS))
            prefix = "fd00:1::" if ":" in address else "10.1.0."
            self.gateway_at = (f"{prefix}{turn % 200 + 2}", _PORTS[place])
            self.upstream_at = (address, port)
        self.vlan = vlan
        near_wrap = rng.random() < 0.06
        isns = [2**32 - rng.randrange(1, 4000) if near_wrap else rng.randrange(2**32) for _ in range(2)]
        ttl = 64 if ordinal % 3 else 61
        self.gw = Half(self.gateway_at, self.upstream_at, vlan=vlan, isn=isns[0], ttl=64)
        self.up = Half(self.upstream_at, self.gateway_at, vlan=vlan, isn=isns[1], ttl=ttl)
        if ordinal % 8 == 5:
            self.gw.stamped = self.up.stamped = False
        self.host = _HOSTS[ordinal % len(_HOSTS)]

    # one frame

    def put(
        self, src: Half, flags: int, segment: Segment = (b"", 0), *, seq: int = -1, t: int = -1,
        mark: Mark | None = None, options: bytes | None = None,
    ) -> None:  # fmt: skip
        """One frame from `src`; without `seq` it is the next one and moves the sender on."""
        when = self.t if t < 0 else t
        payload = segment[0]
        if seq < 0:
            seq = src.seq
            src.seq = (seq + len(payload) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
        echo = self.up.tval if src is self.gw else self.gw.tval
        self.capture.add(when, src.segment(when, seq, flags, payload, segment[1], echo, options), mark)

    def acknowledge(self, dst: Half, after: int = 20 * US) -> None:
        """A bare ACK from `dst` for all that the other side has sent; the time moves on to it."""
        self.t += after
        dst.ack = (self.up if dst is self.gw else self.gw).seq
        self.put(dst, ACK)

    def wait(self, least: int, most: int) -> int:
        """Move the time on by something between two spans; the new time."""
        self.t += self.rng.randrange(least, most + 1)
        return self.t

    def park(self) -> None:
        """From here on this connection only waits or is done: another one may start."""
        if not self.parked:
            self.parked = True
            self.capture.park()

    # opening and closing

    def syn(self, *, seq: int = -1, mark: Mark | None = None) -> None:
        """The gateway's SYN, again with the same `seq` when given."""
        self.put(self.gw, SYN, seq=seq, mark=mark, options=self.gw.syn_options(self.t, 0, 1460))

    def open(self) -> None:
        """SYN, SYN-ACK, ACK."""
        self.syn()
        self.t += self.rtt
        self.up.ack = self.gw.seq
        self.put(self.up, SYN | ACK, options=self.up.syn_options(self.t, self.gw.tval, 1460))
        self.acknowledge(self.gw, 15 * US)
        self.t += 30 * US

    def join(self) -> None:
        """The capture begins in the middle of this connection."""
        self.gw.seq = (self.gw.seq + self.rng.randrange(1, 100_000)) & 0xFFFFFFFF
        self.up.seq = (self.up.seq + self.rng.randrange(1, 1_000_000)) & 0xFFFFFFFF
        self.gw.ack, self.up.ack = self.up.seq, self.gw.seq

    def close(self, first: Half, *, merged: Segment | None = None) -> None:
        """FIN of one side, FIN of the other; `merged` rides on the first FIN."""
        second = self.up if first is self.gw else self.gw
        self.put(first, FIN | ACK if merged is None else FIN | PSH | ACK, merged or (b"", 0))
        style = self.rng.random()
        if style < 0.1:  # both at once
            self.t += 10 * US
            self.put(second, FIN | ACK)
            self.acknowledge(first, self.rtt)
            self.acknowledge(second, 15 * US)
            return
        self.t += self.rtt if first is self.gw else 20 * US
        second.ack = first.seq
        if style < 0.4:
            self.put(second, ACK)
            self.t += self.rng.randrange(20 * US, 2 * MS)
        if style > 0.9:
            self.put(second, RST | ACK)
            return
        self.put(second, FIN | ACK)
        self.acknowledge(first, 20 * US if second is self.up else self.rtt)

    def reset(self, src: Half, *, bare: bool = False, mark: Mark | None = None) -> None:
        """RST at the next sequence number, with an ACK unless `bare`."""
        self.put(src, RST if bare else RST | ACK, seq=src.seq, mark=mark)

    # octets

    def stream(self, src: Half, dst: Half, segments: list[Segment], marks: dict[int, Mark] | None = None) -> Talk:
        """Send `segments` and have them acknowledged, some only after a loss or out of order.

        All of them have been delivered at the end, the last ACK is on the wire unless one segment was enough.
        """
        capture, put = self.capture, self.put
        gap, every = capture.profile.gap_ns, capture.profile.ack_every
        delay = 20 * US if dst is self.gw else self.rtt
        capture.counts["data_segments"] += len(segments)
        unanswered = 0
        at = 0
        last = len(segments) - 1
        while at <= last:
            mark = marks.get(at) if marks else None
            capture.until_impaired -= 1
            if capture.until_impaired <= 0 and not self.calm and mark is None:
                capture.until_impaired = self.rng.randrange(20, 180)
                at = yield from self._impaired(src, dst, segments, at)
                unanswered = 0
                continue
            put(src, PSH | ACK if at == last else ACK, segments[at], mark=mark)
            unanswered += 1
            if unanswered >= every and last:
                dst.ack = src.seq
                put(dst, ACK, t=self.t + delay)
                unanswered = 0
            at += 1
            self.t += gap
            if at % _CUT == 0:
                yield self.t
        if unanswered and last:
            dst.ack = src.seq
            put(dst, ACK, t=self.t + delay)
        if last:
            self.t += delay

    def _impaired(self, src: Half, dst: Half, segments: list[Segment], at: int) -> Generator[int, None, int]:
        """Segment `at` goes missing, arrives twice or late. Returns the index after the last one that was sent."""
        capture, rng, put = self.capture, self.rng, self.put
        gap = capture.profile.gap_ns
        left = len(segments) - at - 1
        kind = rng.choice(("hole", "hole", "twice", "late"))
        if left < 3 and kind != "late":
            kind = "twice"  # what nobody saw before its retransmission is no loss to anybody
        behind = min(left, rng.randrange(1, 4) if kind == "late" else rng.randrange(3, 40))
        if kind == "late" and not left:
            kind = "twice"
        capture.counts["reordered" if kind == "late" else "lost"] += 1
        first = src.seq
        dst.ack = first
        if kind == "twice":
            put(src, ACK, segments[at])
            self.t += gap
        else:
            src.seq = (first + len(segments[at][0])) & 0xFFFFFFFF
        beyond = src.seq
        few = capture.profile.ack_every <= 2  # a busy receiver acknowledges segments that came together only once
        for index in range(at + 1, at + 1 + behind):
            put(src, PSH | ACK if index == at + left else ACK, segments[index])
            when = self.t + (20 * US if dst is self.gw else self.rtt)
            if few or not index & 1:
                put(dst, ACK, t=when, options=dst.sack_options(when, src.tval, beyond, src.seq))
            self.t += gap
            if index % _CUT == 0:
                yield self.t
        if kind == "late":
            self.t += 5 * US
        elif behind < 3:
            self.t += rng.randrange(210 * MS, 260 * MS)  # the retransmission timer
            yield self.t
        else:
            self.t += self.rtt
        put(src, PSH | ACK if not left else ACK, segments[at], seq=first)
        dst.ack = src.seq
        put(dst, ACK, t=self.t + (20 * US if dst is self.gw else self.rtt))
        self.t += self.rtt + 25 * US
        return at + 1 + behind

    def body(self, size: int, head: bytes) -> list[Segment]:
        """A head and `size` octets of text after it, cut into segments."""
        mss, pieces = self.capture.mss, self.capture.pieces
        at = self.rng.randrange(len(pieces))
        if len(head) >= mss:
            return self.cut(head + b"".join(piece[0] for piece in _take(pieces, at, size)))
        lead = min(size, mss - len(head))
        first = head + pieces[at][0][:lead]
        segments = [(first, octet_sum(first))]
        segments += _take(pieces, at + 1, size - lead)
        return segments

    def cut(self, octets: bytes) -> list[Segment]:
        """Any octets, cut into segments."""
        mss = self.capture.mss
        parts = [octets[at : at + mss] for at in range(0, len(octets), mss)]
        return [(part, octet_sum(part)) for part in parts]

    def chunks(self, size: int, *, end: bool = True, trailer: bytes = b"") -> bytes:
        """`size` octets of text as a chunked body (RFC 9112 section 7.1), with its last chunk if `end`."""
        pieces, rng = self.capture.pieces, self.rng
        at = rng.randrange(len(pieces))
        each = max(64, min(size, rng.choice((200, 1000, 4096, 16384))))
        parts: list[bytes] = []
        while size > 0:
            text = b"".join(piece[0] for piece in _take(pieces, at, min(each, size)))
            parts += (b"%x\r\n" % len(text), text, b"\r\n")
            size -= len(text)
            at += 7
        if end:
            parts.append(b"0\r\n%s\r\n" % trailer)
        return b"".join(parts)

    # HTTP heads

    def target(self) -> bytes:
        """A request target that no other request of the capture has."""
        self.requests += 1
        place = self.rng.choice((b"api/v1/items", b"cart", b"search", b"u"))
        return b"/%s/%d-%d" % (place, self.ordinal, self.requests)

    def request_head(self, method: bytes, target: bytes, extra: bytes = b"") -> bytes:
        """A request head as a gateway writes it."""
        return (
            b"%s %s HTTP/1.1\r\nHost: %s\r\nX-Real-IP: 192.0.2.%d\r\nX-Forwarded-Proto: https\r\n"
            b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n%s\r\n"
            % (method, target, self.host, self.ordinal % 250 + 1, extra)
        )

    def response_head(self, status: bytes, extra: bytes) -> bytes:
        """A response head; `extra` are whole field lines."""
        return (
            b"HTTP/1.1 %s\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: app\r\n"
            b"Content-Type: application/json\r\n%s\r\n" % (status, extra)
        )

    def planted(self, kind: str, target: bytes | None) -> dict[str, Any]:
        """The truth record of a failure on this connection; marks fill in `frame` and `request_frame`."""
        record: dict[str, Any] = {
            "kind": kind,
            "frame": None,
            "gateway": self.gw.endpoint,
            "upstream": self.up.endpoint,
            "request_frame": None,
            "target": None if target is None else target.decode(),
        }
        self.capture.failures.append(record)
        return record


def _take(pieces: list[Segment], at: int, size: int) -> list[Segment]:
    """Pieces from index `at` on, around the end, that make `size` octets."""
    if size <= 0:
        return []
    mss = len(pieces[0][0])
    whole, rest = divmod(size, mss)
    at %= len(pieces)
    taken = pieces[at : at + whole]
    if len(taken) < whole:
        taken += itertools.islice(itertools.cycle(pieces), whole - len(taken))
    if rest:
        text = pieces[(at + whole) % len(pieces)][0][:rest]
        taken.append((text, octet_sum(text)))
    return taken
