"""The line of an exchange, which ``--all`` writes for each one of a capture: one expression, compiled.

What it writes is what ``json._record_writer`` composes for ``ExchangeLine``; a test holds the two together.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted
from math import isfinite

from wire502.model.verdict import ConnectionRef, ExchangeLine, RequestRef, ResponseRef
from wire502.report._clock import rfc3339

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

_SECOND_NS = cython.declare(cython.longlong, 1_000_000_000)


@cython.cclass
class ExchangeWriter:
    """Writes with *precision* (6 or 9) digits of a second."""

    precision: int
    second: int
    prefix: str

    def __init__(self, precision: int) -> None:
        self.precision = precision
        self.second = -1
        self.prefix = ""

    def line(self, record: ExchangeLine) -> str:
        """Return *record* as one line of JSON."""
        connection: ConnectionRef = record.connection
        odd = f"[{', '.join(map(quoted, record.oddities))}]" if record.oddities else "[]"
        return (
            f'{{"type": "exchange", "schema": {record.schema}, "kind": null, "leg": {quoted(record.leg)}, '
            f'"protocol": {quoted(record.protocol)}, "frame": {record.frame}, "file": {record.file}, '
            f'"time": {self._time(record.time)}, '
            f'"connection": {{"stream": {connection.stream}, "gateway": {quoted(connection.gateway)}, '
            f'"upstream": {quoted(connection.upstream)}, "first_frame": {connection.first_frame}, '
            f'"exchange": {connection.exchange}, "reused": {"true" if connection.reused else "false"}, '
            f'"first_file": {connection.first_file}}}, '
            f'"request": {self._request(record.request)}, "response": {self._response(record.response)}, '
            f'"duration_ms": {_float(record.duration_ms)}, "first_byte_ms": {_float(record.first_byte_ms)}, '
            f'"oddities": {odd}}}'
        )

    @cython.cfunc
    def _request(self, request: RequestRef | None) -> str:
        if request is None:
            return "null"
        host = "null" if request.host is None else quoted(request.host)
        ident = "null" if request.id is None else quoted(request.id)
        return (
            f'{{"frame": {request.frame}, "time": {self._time(request.time)}, "method": {quoted(request.method)}, '
            f'"target": {quoted(request.target)}, "host": {host}, "id": {ident}, '
            f'"target_length": {_or_null(request.target_length)}, "file": {request.file}}}'
        )

    @cython.cfunc
    def _response(self, response: ResponseRef | None) -> str:
        if response is None:
            return "null"
        return (
            f'{{"frame": {response.frame}, "time": {self._time(response.time)}, '
            f'"status": {_or_null(response.status)}, "head_bytes": {response.head_bytes}, '
            f'"body_bytes": {response.body_bytes}, "expected_body_bytes": {_or_null(response.expected_body_bytes)}, '
            f'"file": {response.file}}}'
        )

    @cython.cfunc
    def _time(self, time_ns: cython.longlong) -> str:
        """Write a time; neighbouring lines share their second."""
        second: cython.longlong
        rest: cython.longlong
        if time_ns < 0:
            return f'"{rfc3339(time_ns, self.precision)}"'
        second = time_ns // _SECOND_NS
        rest = time_ns - second * _SECOND_NS
        if second != self.second:
            self.prefix = rfc3339(time_ns, 6)[:20]
            self.second = second
        if self.precision == 9:
            return f'"{self.prefix}{rest:09d}Z"'
        return f'"{self.prefix}{rest // 1000:06d}Z"'


@cython.cfunc
def _float(value: float | None) -> str:
    """Write milliseconds: such as are a whole number of nanoseconds, as all are, without looking for their digits."""
    if value is None or not isfinite(value):
        return "null"
    plain: cython.double = value
    if 0.001 <= plain < 1e9:
        whole: cython.longlong = cython.cast(cython.longlong, plain * 1e6 + 0.5)
        if whole / 1e6 == plain:
            digits = f"{whole % 1000000:06d}".rstrip("0")
            return f"{whole // 1000000}.{digits or '0'}"
    return float.__repr__(value)


@cython.cfunc
def _or_null(value: object) -> object:
    return "null" if value is None else value


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
