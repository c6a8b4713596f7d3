"""Names out of an HTTP/1 request or response head, for the few exchanges that something is said of.

Nothing here judges: the heads were read by ``protocol``; this looks up what a report shows of them.
"""

from __future__ import annotations

import re

from wire502.model.text import wire_text

CORRELATION = (b"x-request-id", b"x-correlation-id", b"traceparent", b"x-amzn-trace-id", b"cf-ray", b"x-b3-traceid")
TARGET_LIMIT = 8192
_TRACEPARENT = rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-|\Z)"
MARKS = (b"cf-ray", b"x-cache", b"x-amz-cf-id", b"x-served-by", b"x-varnish", b"x-envoy-upstream-service-time", b"age")

_TRACE = b"\ntraceparent:"
_CORRELATION = tuple(b"\n" + name + b":" for name in CORRELATION)
_MARKS = tuple((b"\n" + name + b":", name.decode()) for name in MARKS)
_ABOUT = (b"\ncontent-type:", b"\nserver:", b"\nvia:")


def start_line(head: bytes) -> list[bytes]:
    """Return the parts of the first line, split at blanks (at most three; the last may hold blanks)."""
    end = head.find(b"\n")
    line = head[: end if end >= 0 else len(head)].strip(b"\r\n")
    return line.split(b" ", 2)


def field(head: bytes, name: bytes) -> bytes | None:
    """Return the value of the first field called *name* (lower case), None if there is none."""
    return _value(head, head.lower(), b"\n" + name + b":")


def text_field(head: bytes, name: bytes, limit: int = 1024) -> str | None:
    """Return a field's value as text that is safe to show, None if there is none."""
    value = field(head, name)
    return None if value is None else wire_text(value[:limit])


def marks(head: bytes) -> tuple[tuple[str, str], ...]:
    """Return the fields of a response head that caches and delivery networks add: name and value."""
    return _marks(head, head.lower())


def about(head: bytes) -> tuple[str | None, str | None, str | None, tuple[tuple[str, str], ...]]:
    """Return content type, server, via and ``marks`` of a response head."""
    lowered = head.lower()
    content_type, server, via = (_text(head, lowered, key, 128) for key in _ABOUT)
    return content_type, server, via, _marks(head, lowered)


def correlation(head: bytes) -> str | None:
    """Return the value of the correlation header that the request carries; of a traceparent its trace id."""
    return _correlation(head, head.lower())


def trace(head: bytes) -> tuple[str, str] | None:
    """Return trace id and parent id of a valid ``traceparent`` (W3C Trace Context, section 3.2.2), None without one."""
    return _trace(head, head.lower())


def request_names(head: bytes) -> tuple[str, str, int, str | None]:
    """Return method, target, the target's length in octets, and host of a request head, whole or cut."""
    parts = start_line(head)
    method = wire_text(parts[0][:64]) if parts else ""
    target = parts[1] if len(parts) > 1 else b""
    if len(parts) > 2 and not parts[2].startswith(b"HTTP/"):
        target = target + b" " + parts[2].rsplit(b" HTTP/", 1)[0]
    return method, wire_text(target[:TARGET_LIMIT]), len(target), text_field(head, b"host", 512)


def names(head: bytes) -> tuple[str, str, int, str | None, str | None, tuple[str, str] | None]:
    """Return what ``request_names``, ``correlation`` and ``trace`` say of a request head."""
    lowered = head.lower()
    return *request_names(head), _correlation(head, lowered), _trace(head, lowered)


# Below a head comes with its own copy in lower case, and the name of a field as what stands before its value.


def _value(head: bytes, lowered: bytes, key: bytes) -> bytes | None:
    at = lowered.find(key)
    if at < 0:
        return None
    start = at + len(key)
    end = head.find(b"\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def _text(head: bytes, lowered: bytes, key: bytes, limit: int) -> str | None:
    value = _value(head, lowered, key)
    return None if value is None else wire_text(value[:limit])


def _marks(head: bytes, lowered: bytes) -> tuple[tuple[str, str], ...]:
    found = [(name, _text(head, lowered, key, 128)) for key, name in _MARKS if key in lowered]
    return tuple([(name, value) for name, value in found if value])


def _correlation(head: bytes, lowered: bytes) -> str | None:
    for key in _CORRELATION:
        value = _value(head, lowered, key)
        if value and key == _TRACE:
            parts = value.split(b"-")
            value = parts[1] if len(parts) > 2 else value
        if value:
            return wire_text(value[:256])
    return None


def _trace(head: bytes, lowered: bytes) -> tuple[str, str] | None:
    value = _value(head, lowered, _TRACE)
    found = None if value is None else re.match(_TRACEPARENT, value)
    if found is None or found[1] == b"ff" or not found[2].strip(b"0") or not found[3].strip(b"0"):
        return None
    return found[2].decode(), found[3].decode()
