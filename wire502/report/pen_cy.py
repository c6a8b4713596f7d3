"""Healthy exchanges as lines of JSON, octet by octet into a buffer: what ``read --all --json`` writes most of.

The text is that of ``json.line`` for the same exchange, octet for octet; a test holds the two together. There is
nothing of Python in a line but for what is rare: text that is not plain ASCII, an IPv6 address not seen before.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted

from wire502.model.endpoints import address_text
from wire502.model.healthy_cy import HOST_LIMIT, ID_LIMIT, METHOD_LIMIT
from wire502.model.text import TEXT_LIMIT, wire_text
from wire502.model.verdict import Written
from wire502.report._clock import rfc3339

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.wire502.model.healthy_cy import Healthy, Pen
else:
    from wire502.model.healthy_cy import Healthy, Pen

ROOM = cython.declare(cython.Py_ssize_t, 131_072)
# An octet of the wire becomes at most five (\\xNN), and there are at most 9024 of them in a line, beside the keys.
LINE = cython.declare(cython.Py_ssize_t, 49_152)
_METHOD = cython.declare(cython.Py_ssize_t, METHOD_LIMIT)
_TARGET = cython.declare(cython.Py_ssize_t, TEXT_LIMIT)
_HOST = cython.declare(cython.Py_ssize_t, HOST_LIMIT)
_ID = cython.declare(cython.Py_ssize_t, ID_LIMIT)
_SECOND_NS = cython.declare(cython.longlong, 1_000_000_000)
_MOST_ADDRESSES = 4096


@cython.final
@cython.cclass
class JsonPen(Pen):
    """Writes lines into ``Written`` among the results."""

    _block: Written | None
    _room: bytearray
    _out: cython.p_uchar  # its first octet
    _at: int  # octets written
    _pieces: list[bytes]  # the same, uncompiled
    _second: int
    _prefix: bytes
    _addresses: dict[tuple[int, int], bytes]

    def __init__(self) -> None:
        super().__init__()
        self._block = None
        self._room = bytearray(ROOM)
        self._at = 0
        self._pieces = []
        self._second = -1
        self._prefix = b""
        self._addresses = {}
        if cython.compiled:
            self._view = self._room  # keeps it where it is
            self._out = cython.address(self._view[0])

    @cython.ccall
    def write(self, told: Healthy) -> cython.int:
        """Append the line of *told* to the text that was begun, if nothing came between."""
        block = self._block
        last: cython.Py_ssize_t = len(self.results) - 1
        if block is None or self._at > ROOM - LINE or last < 0 or self.results[last] is not block:
            self.settle()
            self._block = Written()
            self.results.append(self._block)
        self._line(told)
        return 0

    def settle(self) -> None:
        """Put what was written where it belongs."""
        if self._block is not None:
            self._block.text = self._out[: self._at] if cython.compiled else b"".join(self._pieces)
            self._block = None
        self._pieces.clear()
        self._at = 0

    @cython.cfunc
    def _line(self, told: Healthy) -> cython.int:
        self._put(b'{"type": "exchange", "schema": 1, "kind": null, "leg": ')
        self._put(b'"client"' if told.client else b'"upstream"')
        self._put(b', "protocol": "http/1.1", "frame": ')
        self._number(told.frame)
        self._put(b', "file": ')
        self._number(told.file)
        self._put(b', "time": ')
        self._time(told.time)
        self._put(b', "connection": {"stream": ')
        self._number(told.stream)
        self._put(b', "gateway": ')
        self._end(told.gateway_high, told.gateway_low, told.gateway_port)
        self._put(b', "upstream": ')
        self._end(told.upstream_high, told.upstream_low, told.upstream_port)
        self._put(b', "first_frame": ')
        self._number(told.first_frame)
        self._put(b', "exchange": ')
        self._number(told.number)
        self._put(b', "reused": true, "first_file": ' if told.reused else b', "reused": false, "first_file": ')
        self._number(told.first_file)
        self._request(told)
        self._response(told)
        self._put(b'}, "duration_ms": ')
        if told.duration_ns < 0:
            self._put(b"null")
        else:
            self._milliseconds(told.duration_ns)
        self._put(b', "first_byte_ms": ')
        self._milliseconds(told.first_byte_ns)
        self._put(b', "oddities": []}\n')
        return 0

    @cython.cfunc
    def _request(self, told: Healthy) -> cython.int:
        length: cython.Py_ssize_t = told.target_end - told.target_at
        self._put(b'}, "request": {"frame": ')
        self._number(told.frame)
        self._put(b', "time": ')
        self._time(told.time)
        self._put(b', "method": ')
        self._text(told.head, told.method_at, told.method_end, _METHOD)
        self._put(b', "target": ')
        self._text(told.head, told.target_at, told.target_end, _TARGET)
        self._put(b', "host": ')
        if told.host_at < 0:
            self._put(b"null")
        else:
            self._text(told.head, told.host_at, told.host_end, _HOST)
        self._put(b', "id": ')
        if told.id_at < 0:
            self._put(b"null")
        else:
            self._text(told.head, told.id_at, told.id_end, _ID)
        self._put(b', "target_length": ')
        if length > _TARGET:
            self._number(length)
        else:
            self._put(b"null")
        self._put(b', "file": ')
        self._number(told.file)
        return 0

    @cython.cfunc
    def _response(self, told: Healthy) -> cython.int:
        self._put(b'}, "response": {"frame": ')
        self._number(told.answer_frame)
        self._put(b', "time": ')
        self._time(told.answer_time)
        self._put(b', "status": ')
        if told.status:
            self._number(told.status)
        else:
            self._put(b"null")
        self._put(b', "head_bytes": ')
        self._number(told.head_bytes)
        self._put(b', "body_bytes": ')
        self._number(told.body_bytes)
        self._put(b', "expected_body_bytes": ')
        if told.expected < 0:
            self._put(b"null")
        else:
            self._number(told.expected)
        self._put(b', "file": ')
        self._number(told.answer_file)
        return 0

    # -- values -----------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _put(self, text: bytes) -> cython.int:
        size: cython.Py_ssize_t = len(text)
        if cython.compiled:
            if size > ROOM - self._at:
                raise ValueError("a line is longer than LINE says")
            memcpy(self._out + self._at, cython.cast(cython.p_const_uchar, text), size)
            self._at += size
        else:
            self._pieces.append(text)
            self._at += size
        return 0

    @cython.cfunc
    def _number(self, value: cython.ulonglong) -> cython.int:
        if not cython.compiled:
            return self._put(b"%d" % value)
        size: cython.int = 1
        rest: cython.ulonglong = value
        while rest >= 10:
            rest //= 10
            size += 1
        return self._padded(value, size)

    @cython.cfunc
    def _padded(self, value: cython.longlong, width: cython.int) -> cython.int:
        """Write *value*, which is not negative and has at most *width* digits, with that many."""
        if not cython.compiled:
            return self._put(b"%0*d" % (width, value))
        rest: cython.ulonglong = value
        if width > ROOM - self._at:
            raise ValueError("a line is longer than LINE says")
        at: cython.Py_ssize_t = self._at + width
        self._at = at
        for _ in range(width):
            at -= 1
            self._out[at] = 48 + rest % 10
            rest //= 10
        return 0

    @cython.cfunc
    def _time(self, time_ns: cython.longlong) -> cython.int:
        """Write a time; neighbouring lines share their second."""
        second: cython.longlong
        rest: cython.longlong
        self._put(b'"')
        if time_ns < 0:
            self._put(rfc3339(time_ns, self.precision).encode())
            return self._put(b'"')
        second = time_ns // _SECOND_NS
        rest = time_ns - second * _SECOND_NS
        if second != self._second:
            self._prefix = rfc3339(time_ns, 6)[:20].encode()
            self._second = second
        self._put(self._prefix)
        if self.precision == 9:
            self._padded(rest, 9)
        else:
            self._padded(rest // 1000, 6)
        return self._put(b'Z"')

    @cython.cfunc
    def _milliseconds(self, span: cython.longlong) -> cython.int:
        """Write *span* nanoseconds as ``float.__repr__`` writes its milliseconds."""
        digits: cython.int = 6
        rest: cython.longlong
        if span == 0:
            return self._put(b"0.0")
        if not 1000 <= span < 1_000_000_000_000_000:
            return self._put(repr(span / 1e6).encode())
        rest = span % 1_000_000
        self._number(span // 1_000_000)
        self._put(b".")
        while digits > 1 and rest % 10 == 0:
            rest //= 10
            digits -= 1
        return self._padded(rest, digits)

    @cython.cfunc
    def _end(self, high: cython.ulonglong, low: cython.ulonglong, port: cython.int) -> cython.int:
        """Write an address and a port, as ``endpoint_text`` does."""
        if high == 0 and low >> 32 == 0xFFFF:
            self._put(b'"')
            self._number(low >> 24 & 255)
            self._put(b".")
            self._number(low >> 16 & 255)
            self._put(b".")
            self._number(low >> 8 & 255)
            self._put(b".")
            self._number(low & 255)
            self._put(b":")
        else:
            address: bytes | None = self._addresses.get((high, low))
            if address is None:
                address = b'"[' + address_text(high, low).encode() + b"]:"
                if len(self._addresses) >= _MOST_ADDRESSES:
                    self._addresses.clear()
                self._addresses[(high, low)] = address
            self._put(address)
        self._number(port)
        return self._put(b'"')

    @cython.cfunc
    def _text(
        self, head: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, limit: cython.Py_ssize_t
    ) -> cython.int:
        """Write octets of *head* as a string, as ``wire_text`` shows them; at most *limit* of them."""
        if end - start > limit:
            end = start + limit
        if cython.compiled:
            text: cython.p_const_uchar = head
            at: cython.Py_ssize_t = start
            size: cython.Py_ssize_t = end - start
            while at < end and 32 <= text[at] < 127 and text[at] != 34 and text[at] != 92:
                at += 1
            if at == end:
                if size + 2 > ROOM - self._at:
                    raise ValueError("a line is longer than LINE says")
                self._out[self._at] = 34
                memcpy(self._out + self._at + 1, text + start, size)
                self._out[self._at + size + 1] = 34
                self._at += size + 2
                return 0
        return self._put(quoted(wire_text(head[start:end])).encode())


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
