"""The line of a healthy exchange, for ``--all``: taken from the wire's records at once, without an attempt between.

It says what ``diagnosis.failures.to_exchange`` says of the attempt that ``attempts_cy.build`` makes of the same
exchange; a test holds the two together. There is one for each exchange of a capture, so this is compiled.
"""

from __future__ import annotations

from wire502.model.endpoints import endpoint_text
from wire502.model.healthy_cy import HOST_LIMIT, ID_LIMIT, METHOD_LIMIT
from wire502.model.text import TEXT_LIMIT, wire_text
from wire502.model.verdict import ConnectionRef, ExchangeLine, RequestRef, ResponseRef

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection, Exchange, Half
    from cython.cimports.wire502.model.healthy_cy import Healthy, Pen
else:
    from wire502.model.flow_cy import Connection, Exchange, Half
    from wire502.model.healthy_cy import Healthy, Pen

_LENGTH = cython.declare(cython.int, 1)  # FRAMING_LENGTH
_STAMP = cython.declare(cython.longlong, 1 << 40)  # model.capture_info.STAMP
_MOST_REMEMBERED = 4096
# as in model.head_fields, which says the same of heads of which more is asked
_CORRELATION = (
    b"x-request-id:", b"x-correlation-id:", b"traceparent:", b"x-amzn-trace-id:", b"cf-ray:",
    b"x-b3-traceid:",
)  # fmt: skip
_TRACEPARENT = cython.declare(cython.int, 2)  # its place among them


@cython.final
@cython.cclass
class Lines:
    """Hands exchanges to a *pen*."""

    _pen: Pen
    _told: Healthy

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._told = Healthy()

    @cython.cfunc
    def tell(self, conn: Connection, exchange: Exchange, client: cython.bint) -> cython.bint:
        """Hand over a healthy *exchange*; return False for one that takes a closer look."""
        told: Healthy = self._told
        gateway: Half = conn.a
        upstream: Half = conn.b
        last: cython.longlong
        if (
            exchange.ghost
            or exchange.judged
            or not exchange.resp_done
            or exchange.resp_frame == 0
            or not exchange.req_whole
            or exchange.status >= 500
            or exchange.violation is not None
            or exchange.oddities is not None
        ):
            return False
        told.client = client
        told.frame = exchange.req_frame
        told.answer_frame = exchange.resp_frame
        told.first_frame = conn.first_frame
        told.file = told.answer_file = told.first_file = conn.file
        if told.first_frame >= _STAMP:  # several files are read as one
            told.file = cython.cast(cython.int, told.frame // _STAMP - 1)
            told.answer_file = cython.cast(cython.int, told.answer_frame // _STAMP - 1)
            told.first_file = cython.cast(cython.int, told.first_frame // _STAMP - 1)
            told.frame %= _STAMP
            told.answer_frame %= _STAMP
            told.first_frame %= _STAMP
        told.time = exchange.req_ts
        told.stream = conn.stream
        told.gateway_high = gateway.high
        told.gateway_low = gateway.low
        told.gateway_port = gateway.port
        told.upstream_high = upstream.high
        told.upstream_low = upstream.low
        told.upstream_port = upstream.port
        told.number = exchange.number
        told.reused = _reused(conn, exchange)
        told.answer_time = exchange.resp_ts
        told.status = exchange.status
        told.head_bytes = exchange.head_bytes
        told.body_bytes = exchange.body_bytes
        told.expected = exchange.expected if exchange.framing == _LENGTH else -1
        last = exchange.resp_last_ts or exchange.resp_ts
        told.duration_ns = -1 if exchange.resp_cut else _span(exchange.req_ts, last)
        told.first_byte_ns = _span(exchange.req_last_ts, exchange.resp_ts)
        told.head = exchange.req_head
        _find_line(told)
        _find_names(told)
        self._pen.write(told)
        return True


@cython.cclass
class Records(Pen):
    """Makes an ``ExchangeLine`` of each exchange, and remembers how the ends of the last connections are written."""

    _ends: dict[int, tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self._ends = {}

    @cython.ccall
    def write(self, told: Healthy) -> cython.int:
        """Append its ``ExchangeLine``."""
        ends = self._ends.get(told.stream)
        if ends is None:
            ends = (
                endpoint_text(told.gateway_high, told.gateway_low, told.gateway_port),
                endpoint_text(told.upstream_high, told.upstream_low, told.upstream_port),
            )
            if len(self._ends) >= _MOST_REMEMBERED:
                self._ends.clear()
            self._ends[told.stream] = ends
        response = ResponseRef(
            told.answer_frame,
            told.answer_time,  # type: ignore[arg-type]  # Time() is a call
            told.status or None,
            told.head_bytes,
            told.body_bytes,
            told.expected if told.expected >= 0 else None,
            told.answer_file,
        )
        line = ExchangeLine(
            None,
            "client" if told.client else "upstream",
            "http/1.1",
            told.frame,
            told.file,
            told.time,  # type: ignore[arg-type]
            ConnectionRef(
                told.stream, ends[0], ends[1], told.first_frame, told.number, bool(told.reused), told.first_file
            ),
            _request(told),
            response,
            None if told.duration_ns < 0 else told.duration_ns / 1e6,  # nearest to six decimals, without rounding
            told.first_byte_ns / 1e6,
            [],
        )
        self.results.append(line)
        return 0


@cython.cfunc
def _reused(conn: Connection, exchange: Exchange) -> cython.bint:
    if exchange.number > 1 or exchange.excess_before:
        return True
    return conn.mid and (exchange.req_start > 0 or exchange.resp_start > 0 or conn.b.frames > 0)


@cython.cfunc
@cython.exceptval(check=False)
def _span(first: cython.longlong, last: cython.longlong) -> cython.longlong:
    return last - first if last > first else 0


@cython.cfunc
def _request(told: Healthy) -> RequestRef:
    length = told.target_end - told.target_at
    return RequestRef(
        told.frame,
        told.time,  # type: ignore[arg-type]
        _text(told.head, told.method_at, told.method_end, METHOD_LIMIT),
        _text(told.head, told.target_at, told.target_end, TEXT_LIMIT),
        None if told.host_at < 0 else _text(told.head, told.host_at, told.host_end, HOST_LIMIT),
        None if told.id_at < 0 else _text(told.head, told.id_at, told.id_end, ID_LIMIT),
        length if length > TEXT_LIMIT else None,
        None,
        told.file,
    )


@cython.cfunc
def _text(head: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, limit: cython.Py_ssize_t) -> str:
    """Return octets as ``wire_text`` does; what is printable ASCII, as nearly all is, without asking it."""
    octets = head[start : min(end, start + limit)]
    if octets.isascii():
        text = octets.decode("ascii")
        if text.isprintable():
            return text
    return wire_text(octets)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _find_line(told: Healthy) -> cython.int:
    """Find method and target; a target may hold blanks where the version does not follow the first of them."""
    head: bytes = told.head
    text: cython.p_const_uchar = head
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = len(head)
    while end < size and text[end] != 10:
        end += 1
    while at < end and text[at] == 13:
        at += 1
    while end > at and text[end - 1] == 13:
        end -= 1
    told.method_at = at
    while at < end and text[at] != 32:
        at += 1
    told.method_end = at
    if at < end:
        at += 1
    told.target_at = at
    while at < end and text[at] != 32:
        at += 1
    if at < end and head[at + 1 : min(at + 6, end)] != b"HTTP/":
        found: cython.Py_ssize_t = head.rfind(b" HTTP/", at + 1, end)
        at = found if found >= 0 else end
    told.target_end = at
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def _find_names(told: Healthy) -> cython.int:
    """Find the first Host of the head, and the value of the first id in the order of ``_CORRELATION``."""
    head: bytes = told.head
    text: cython.p_const_uchar = head
    best: cython.int = len(_CORRELATION)
    place: cython.int
    seen: cython.int = 0
    last: cython.Py_ssize_t = len(head) - 1
    at: cython.Py_ssize_t
    first: cython.uchar
    told.host_at = told.id_at = -1
    told.host_end = told.id_end = -1
    for at in range(last):
        if text[at] != 10:
            continue
        first = text[at + 1] | 32
        if first == 104:  # h
            if told.host_at < 0 and _begins(head, at + 1, b"host:"):
                told.host_end = _line_end(head, at + 6)
                told.host_at = _after_blanks(head, at + 6, told.host_end)
        elif first == 120 or first == 116 or first == 99:  # x, t, c
            for place in range(best):
                if _begins(head, at + 1, _CORRELATION[place]):
                    if not seen & (1 << place):  # the first of a name counts
                        seen |= 1 << place
                        if _find_id(told, at + 1 + len(_CORRELATION[place]), place == _TRACEPARENT):
                            best = place
                    break
    return 0


@cython.cfunc
def _find_id(told: Healthy, start: cython.Py_ssize_t, is_traceparent: cython.bint) -> cython.bint:
    """Take the value of the field that begins before *start*, of a traceparent its trace id; False: it is empty."""
    head: bytes = told.head
    end: cython.Py_ssize_t = _line_end(head, start)
    dash: cython.Py_ssize_t
    start = _after_blanks(head, start, end)
    if is_traceparent:
        dash = head.find(b"-", start, end)
        if dash >= 0:
            second: cython.Py_ssize_t = head.find(b"-", dash + 1, end)
            if second >= 0:
                start, end = dash + 1, second
    if start >= end:
        return False
    told.id_at, told.id_end = start, end
    return True


@cython.cfunc
@cython.exceptval(-1, check=False)
def _begins(head: bytes, at: cython.Py_ssize_t, name: bytes) -> cython.bint:
    """Whether *name*, in lower case, stands at *at* in any case."""
    text: cython.p_const_uchar = head
    wanted: cython.p_const_uchar = name
    size: cython.Py_ssize_t = len(name)
    octet: cython.uchar
    i: cython.Py_ssize_t
    if len(head) - at < size:
        return False
    for i in range(size):
        octet = text[at + i]
        if octet != wanted[i] and (octet < 65 or octet > 90 or (octet | 32) != wanted[i]):
            return False
    return True


@cython.cfunc
@cython.exceptval(-1, check=False)
def _line_end(head: bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the line that holds *at* ends, but for blanks; *at* if there is nothing else."""
    text: cython.p_const_uchar = head
    size: cython.Py_ssize_t = len(head)
    end: cython.Py_ssize_t = at
    while end < size and text[end] != 10:
        end += 1
    while end > at and (text[end - 1] == 32 or 9 <= text[end - 1] <= 13):
        end -= 1
    return end


@cython.cfunc
@cython.exceptval(-1, check=False)
def _after_blanks(head: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    text: cython.p_const_uchar = head
    while at < end and (text[at] == 32 or 9 <= text[at] <= 13):
        at += 1
    return at


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
