"""The line of a healthy exchange, for ``--all``: taken from the wire's records at once, without an attempt between.

It says what ``diagnosis.failures.to_exchange`` says of the attempt that ``attempts.build`` makes of the same exchange;
a test holds the two together. There is one for each exchange of a capture, so this is compiled.
"""

from __future__ import annotations

from typing import Literal

from wire502.model.endpoints import endpoint_text
from wire502.model.text import TEXT_LIMIT, wire_text
from wire502.model.verdict import ConnectionRef, ExchangeLine, RequestRef, ResponseRef

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange, Half
else:
    from wire502.model.flow_cy import Connection, Exchange, Half

_LENGTH = cython.declare(cython.int, 1)  # FRAMING_LENGTH
_STAMP = cython.declare(cython.longlong, 1 << 40)  # model.capture_info.STAMP
_MOST_REMEMBERED = 4096
_HOST_LIMIT, _ID_LIMIT = 512, 256
# as in model.head_fields, which says the same of heads of which more is asked
_CORRELATION = (
    b"x-request-id:", b"x-correlation-id:", b"traceparent:", b"x-amzn-trace-id:", b"cf-ray:",
    b"x-b3-traceid:",
)  # fmt: skip


class Lines:
    """Makes the lines, and remembers how the ends of the last connections are written."""

    def __init__(self) -> None:
        self._ends: dict[int, tuple[str, str]] = {}

    def line(self, conn: Connection, exchange: Exchange, leg: Literal["upstream", "client"]) -> ExchangeLine | None:
        """Return the line of a complete *exchange*; None where that takes a closer look at it."""
        if (
            exchange.ghost
            or not exchange.resp_done
            or exchange.resp_frame == 0
            or not exchange.req_whole
            or exchange.violation is not None
        ):
            return None
        file: cython.int = conn.file
        asked: cython.longlong = exchange.req_frame
        answered: cython.longlong = exchange.resp_frame
        first: cython.longlong = conn.first_frame
        asked_file: cython.int = file
        answered_file: cython.int = file
        first_file: cython.int = file
        if first >= _STAMP:  # several files are read as one
            asked_file = cython.cast(cython.int, asked // _STAMP - 1)
            answered_file = cython.cast(cython.int, answered // _STAMP - 1)
            first_file = cython.cast(cython.int, first // _STAMP - 1)
            asked, answered, first = asked % _STAMP, answered % _STAMP, first % _STAMP
        ends = self._ends.get(conn.stream)
        if ends is None:
            a: Half = conn.a
            b: Half = conn.b
            ends = endpoint_text(a.high, a.low, a.port), endpoint_text(b.high, b.low, b.port)
            if len(self._ends) >= _MOST_REMEMBERED:
                self._ends.clear()
            self._ends[conn.stream] = ends
        last: cython.longlong = exchange.resp_last_ts or exchange.resp_ts
        response = ResponseRef(
            answered,
            exchange.resp_ts,  # type: ignore[arg-type]  # Time() is a call
            exchange.status or None,
            exchange.head_bytes,
            exchange.body_bytes,
            exchange.expected if exchange.framing == _LENGTH else None,
            answered_file,
        )
        return ExchangeLine(
            None,
            leg,
            "http/1.1",
            asked,
            asked_file,
            exchange.req_ts,  # type: ignore[arg-type]
            ConnectionRef(conn.stream, ends[0], ends[1], first, exchange.number, _reused(conn, exchange), first_file),
            _request(exchange, asked, asked_file),
            response,
            None if exchange.resp_cut else _milliseconds(exchange.req_ts, last),
            _milliseconds(exchange.req_last_ts, exchange.resp_ts),
            list(exchange.oddities or ()),
        )


@cython.cfunc
def _reused(conn: Connection, exchange: Exchange) -> cython.bint:
    if exchange.number > 1 or exchange.excess_before:
        return True
    return conn.mid and (exchange.req_start > 0 or exchange.resp_start > 0 or conn.b.frames > 0)


@cython.cfunc
def _milliseconds(first: cython.longlong, last: cython.longlong) -> float:
    span: cython.double = last - first
    return span / 1e6 if last > first else 0.0  # the number nearest to six decimals, without rounding


@cython.cfunc
def _request(exchange: Exchange, frame: cython.longlong, file: cython.int) -> RequestRef:
    head: bytes = exchange.req_head
    stop = head.find(b"\n")
    words = head[: stop if stop >= 0 else len(head)].strip(b"\r\n").split(b" ", 2)
    target: bytes = words[1] if len(words) > 1 else b""
    if len(words) > 2 and not words[2].startswith(b"HTTP/"):
        target = target + b" " + words[2].rsplit(b" HTTP/", 1)[0]
    host, ident = _names(head)
    return RequestRef(
        frame,
        exchange.req_ts,  # type: ignore[arg-type]
        _text(words[0][:64]),
        _text(target[:TEXT_LIMIT]),
        None if host is None else _text(host[:_HOST_LIMIT]),
        _text(ident[:_ID_LIMIT]) if ident else None,
        len(target) if len(target) > TEXT_LIMIT else None,
        None,
        file,
    )


@cython.cfunc
def _text(octets: bytes) -> str:
    """Return *octets* as ``wire_text`` does; what is printable ASCII, as nearly all is, without asking it."""
    if octets.isascii():
        text = octets.decode("ascii")
        if text.isprintable():
            return text
    return wire_text(octets)


@cython.cfunc
def _names(head: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the first Host of *head*, and the value of the first id in the order of ``_CORRELATION``."""
    host: bytes | None = None
    ident: bytes | None = None
    best: cython.int = len(_CORRELATION)
    seen: cython.int = 0
    end: cython.Py_ssize_t = len(head)
    at: cython.Py_ssize_t
    first: cython.uchar
    for at in range(end - 1):
        if head[at] != 10:
            continue
        first = head[at + 1] | 32
        if first == 104:  # h
            if host is None and head[at + 1 : at + 6].lower() == b"host:":
                host = _value(head, at + 6)
        elif first == 120 or first == 116 or first == 99:  # x, t, c
            name = head[at + 1 : at + 20].lower()
            for place in range(best):
                if name.startswith(_CORRELATION[place]):
                    if seen & (1 << place):
                        break  # the first of a name counts
                    seen |= 1 << place
                    value = _value(head, at + 1 + len(_CORRELATION[place]))
                    if place == 2 and value.count(b"-") > 1:
                        value = value.split(b"-")[1]
                    if value:
                        ident, best = value, place
                    break
    return host, ident


@cython.cfunc
def _value(head: bytes, start: cython.Py_ssize_t) -> bytes:
    """Return the value of the field that begins before *start*."""
    end = head.find(b"\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
