"""What of an HTTP/1 stream may be shown: the same octets, the secrets among them overwritten, nothing moved.

Framing, methods, paths, names of header fields and of query parameters, status codes and all else that a verdict
rests on stay (RFC 9112). Values of secret header fields, values in queries, credentials in URLs and bodies go.
What cannot be read as HTTP/1 keeps the octets by which a protocol is told, and its punctuation.

A stream is given as one buffer of what was captured, and the holes in it. Time and memory are linear in the buffer.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from wire502.evidence.page_words import PAGE, page_words
from wire502.evidence.secrets import Secrets
from wire502.evidence.tls_masks import tls_parts

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([^\r\n]*)")
_VERSION = re.compile(rb" HTTP/\d\.\d\r?$")
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})")
_FIELD = re.compile(rb"([^\s:][^:\r\n]*?)[ \t]*:")
_BEGINNING = re.compile(rb"HTTP/1\.[01] \d{3}|[A-Z]{3,20} [/*h][^\r\n ]{0,8192} HTTP/1\.[01]\r?\n")
# a request line that was cut before its version: more is asked of what is there
_CUT_REQUEST = re.compile(
    rb"[A-Z][A-Z_-]{2,23} (?:[/*]|https?://|[0-9A-Za-z.\[\]:-]+:[0-9])[^\r\n ]*(?: (?:H[HTP/.01]*)?)?"
)
_ORDINARY = re.compile(rb"[A-Z][A-Z_-]{1,23} +(?:[/*]|[A-Za-z][A-Za-z0-9+.-]*://|[0-9A-Za-z._\[\]:-]+:[0-9]|\Z|\r?\n)")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})([^\n]*)\n")
_HEX = re.compile(rb"[0-9A-Fa-f]{0,16}")
_URL_CREDENTIALS = re.compile(rb"//([^/?#@\s\"'<>]+)@")
_CUT_CREDENTIALS = re.compile(rb"//([^/?#@\s\"'<>]*:[^/?#@\s\"'<>]*)\Z")  # or a host and a port: nobody can tell
_QUERY = re.compile(rb"[?#](\S*)")  # fragments too: some carry tokens
_SPLIT = re.compile(rb"[&;]")
_LEAST_ERROR = 500  # status of a page that a gateway may have written itself
_VISIBLE = bytes(range(0x20)) + b"x" * 0x5F + b"\x7f" + b"x" * 128  # all but controls
_CLASSES = ((b"0123456789", b"0"), (b"abcdefghijklmnopqrstuvwxyz", b"x"), (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"X"))
_STAND_INS = {octet: stand_in[0] for octets, stand_in in _CLASSES for octet in octets}
# every octet becomes another of its class, so that what is text stays text and what is binary stays binary
_OPAQUE = bytes(_STAND_INS.get(octet, min(octet, 0x80)) for octet in range(256))
# a size that is invalid further on: as many digits, as large or small as before
_SIZE = bytes(0x31 if chr(octet) in "123456789abcdefABCDEF" else octet for octet in range(256))
_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"
_PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
# what tells a protocol, or a page where an answer should be, by its first octets
_TELLING = re.compile(
    rb"\s*<(?i:html|!doctype|\?xml)|PRI \* HTTP/2\.0|SSH-|PROXY |AB\x00|\x12\x34|220[ -]|\+OK|-ERR|\+PONG|AMQP"
    rb"|Traceback|http/|H(?:T(?:T(?:P(?:/(?:1(?:\.(?:\d(?: \d{0,3})?)?)?)?)?)?)?)?"  # a status line up to its fault
)
_PATH_PARAMETER = re.compile(rb";[^=;/?#\s]*=([^;/?#\s]+)")


class Values:
    """Stands a number in for each value of a query: equal values stay equal, different ones different.

    Requests of both legs are joined by their targets, so a mask that made all targets equal could change verdicts.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    def masked(self, value: bytes) -> bytes:
        """Return another value of the same length."""
        number = self._known.get(value)
        if number is None:
            number = len(self._known)
            if number < 1 << 20:
                self._known[value] = number
        text = bytearray(b"x" * len(value))
        for place in range(len(value) - 1, -1, -1):
            number, digit = divmod(number, 36)
            text[place] = _DIGITS[digit]
            if not number:
                break
        return bytes(text)


class Masker:
    """Masks one direction of a connection.

    *octets*: what was captured, in order, copied; *holes*: (index into *octets*, missing octets before it), sorted;
    *whole*: whether it begins with the stream's first octet; *methods*: of the requests that this stream answers, in
    order, None if not known; *secrets*: what is to go. After ``run()``: ``octets`` masked, ``asked`` the methods found,
    ``sure`` whether they are all.
    """

    def __init__(
        self,
        octets: bytes,
        holes: list[tuple[int, int]],
        begins: list[int],
        values: Values,
        *,
        whole: bool,
        methods: list[bytes] | None,
        secrets: Secrets | None = None,
    ) -> None:
        self.source = octets
        self.octets = bytearray(octets)
        self.asked: list[bytes] = []
        self._holes = holes
        self._hole_at = [index for index, _ in holes]
        self._begins = begins  # where segments begin: a message may be found again there
        self._values = values
        self._whole = whole
        self._methods = methods
        self._answered = 0
        self._foreign = False
        self._secrets = secrets or Secrets()
        self.sure = True
        self._page = 0  # octets of the present body that may tell who wrote it

    def run(self) -> bytearray:
        """Mask the stream and return it."""
        position, end = 0, len(self.source)
        if self._whole:
            if self.source.startswith(_PROXY_V2) and end >= 16:
                position = min(16 + int.from_bytes(self.source[14:16], "big"), end)
            self._foreign = not self._looks_like_http(self._blank(position))
        while position < end:
            skipped = self._blank(position)
            if skipped > position:
                position = skipped
            elif not self._foreign and self._may_begin(position):
                position = self._message(position)
            else:
                position = self._unknown(position)
        return self.octets

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _blank(self, position: int) -> int:
        while position < len(self.source) and self.source[position] in b"\r\n":
            position += 1
        return position

    def _looks_like_http(self, position: int) -> bool:
        if position >= len(self.source):
            return True
        if b"HTTP/".startswith(self.source[position : position + 5]):  # whole or cut short, right or wrong
            return True
        return self._request_line(position)

    def _may_begin(self, position: int) -> bool:
        """Whether a message begins at *position*: behind another one, or behind a hole at the begin of a segment."""
        return self._begins_at(position) if self._is_hole(position) else self._looks_like_http(position)

    def _request_line(self, position: int) -> bool:
        found = _REQUEST.match(self.source, position)
        if found is None or found[1].startswith(b"HTTP"):
            return False
        hole = self._next_hole(position, found.end() + 1)
        end = len(self.source) if hole is None else hole
        if end > found.end():
            return bool(_VERSION.search(found[0])) or found[1] == b"PROXY"
        cut = self.source[position:end]
        return bool(_CUT_REQUEST.fullmatch(cut)) or cut.startswith(b"PROXY ")

    def _unknown(self, position: int) -> int:
        """Mask up to the next message that begins with a segment."""
        stop = len(self.source)
        if not self._foreign:
            for place in range(bisect_right(self._begins, position), len(self._begins)):
                if self._begins_at(self._begins[place]):
                    stop = self._begins[place]
                    break
        self.sure = False
        if self._foreign and position == 0 and (parts := tls_parts(self.source, self._hole_at)):
            self._opaque(0, stop)
            for low, high in parts:
                self.octets[low:high] = self.source[low:high]
            return stop
        telling = _TELLING.match(self.source, position, stop)
        self._opaque(telling.end() if telling is not None else position, stop)
        return stop

    def _message(self, position: int) -> int:
        """Mask head and body that begin at *position*; return where they end."""
        status = _STATUS.match(self.source, position)
        fields: dict[bytes, bytes] = {}
        start = position
        position, whole = self._head(position, fields)
        if status is None and b"HTTP/".startswith(self.source[start : start + 5]):
            return position
        if not whole:  # another message begins here, or nothing more does
            self.sure = False
            return position
        if status is None:
            method = self.asked[-1] if self.asked else b""
            if method == b"CONNECT":
                return self._body(position, None)
            return self._framed(position, fields, until_close=False)
        code = int(status[1])
        self._page = PAGE if code >= _LEAST_ERROR else 0
        if code == 101:
            return self._body(position, None)
        if code < 200:
            return position
        method = self._next_method(position)
        if method == b"CONNECT" and code < 300:
            return self._body(position, None)
        if code in (204, 304) or method == b"HEAD":
            return position
        return self._framed(position, fields, until_close=True)

    def _next_method(self, position: int) -> bytes:
        if self._methods is None:  # then what follows the head has to tell
            return b"HEAD" if _STATUS.match(self.source, position) else b"GET"
        self._answered += 1
        return self._methods[self._answered - 1] if self._answered <= len(self._methods) else b"GET"

    def _head(self, position: int, fields: dict[bytes, bytes]) -> tuple[int, bool]:
        """Mask the lines up to an empty one; note the framing in *fields*.

        Returns what follows, and whether the empty line was found. A line is read up to a hole in it; behind the hole
        may be anything, up to where a message begins again.
        """
        start, secret, first = position, False, True
        while position < len(self.source):
            if position > start and self._is_hole(position):
                return (position if self._begins_at(position) else self._unknown(position)), False
            stop = self.source.find(b"\n", position)
            stop = len(self.source) if stop < 0 else stop + 1
            hole = self._next_hole(position, stop)
            if hole is None and self.source[position:stop] in (b"\r\n", b"\n"):
                return stop, True
            line = self.source[position : stop if hole is None else hole]
            secret = self._line(position, line, fields, first=first, folded=secret, cut=hole is not None)
            first = first and line.startswith(b"PROXY ")  # the PROXY protocol's line, then the request's
            position += len(line)
        return position, False

    def _is_hole(self, position: int) -> bool:
        """Whether octets are missing right before *position*."""
        index = bisect_left(self._hole_at, position)
        return index < len(self._hole_at) and self._hole_at[index] == position

    def _next_hole(self, low: int, high: int) -> int | None:
        """Return the first index between *low* and *high*, both excluded, before which octets are missing."""
        index = bisect_right(self._hole_at, low)
        return self._hole_at[index] if index < len(self._hole_at) and self._hole_at[index] < high else None

    def _begins_at(self, position: int) -> bool:
        """Whether a message begins at *position*, which is the begin of a segment."""
        index = bisect_left(self._begins, position)
        if index == len(self._begins) or self._begins[index] != position:
            return False
        if _BEGINNING.match(self.source, position) is not None:
            return True
        end = self._begins[index + 1] if index + 1 < len(self._begins) else len(self.source)
        cut = end == len(self.source) or self._is_hole(end)
        return cut and _CUT_REQUEST.fullmatch(self.source, position, end) is not None

    def _line(
        self, position: int, line: bytes, fields: dict[bytes, bytes], *, first: bool, folded: bool, cut: bool
    ) -> bool:
        """Mask one line of a head, or (*cut*) its beginning; return whether a line that continues it is secret."""
        if first:
            if b"HTTP/".startswith(line[:5]):
                self._urls(position, line, cut=cut)
                return False
            if not line.startswith(b"PROXY "):
                self.asked.append(line.partition(b" ")[0])
                if _ORDINARY.match(line) is None:  # a piece of something else, that was taken for a request
                    stop = line.rfind(b" HTTP/")
                    self._opaque(position, position + (stop if stop > 0 else len(line)))
                    return False
            self._target(position, line, cut=cut)
            return False
        if line[:1] in b" \t":
            if folded:
                self._visible(position, position + len(line))
            else:
                self._urls(position, line, cut=cut)
            return folded
        found = _FIELD.match(line)
        if found is None:
            self._urls(position, line, cut=cut)
            return False
        name = found[1].lower()
        if self._secrets.field(name):
            blanks = len(line[found.end() :]) - len(line[found.end() :].lstrip(b" \t"))
            self._visible(position + found.end() + blanks, position + len(line))
            return True
        if not cut and name in (b"content-length", b"transfer-encoding"):
            fields.setdefault(name, line[found.end() :].strip().lower())
        self._urls(position, line, cut=cut)
        return False

    def _urls(self, position: int, line: bytes, *, cut: bool = False) -> None:
        """Mask what URLs in a line hold: the values of their queries, user and password."""
        if self._secrets.userinfo:
            if cut and (found := _CUT_CREDENTIALS.search(line)):
                self._visible(position + found.start(1), position + found.end(1))
            for found in _URL_CREDENTIALS.finditer(line):
                self._visible(position + found.start(1), position + found.end(1))
        if self._secrets.query:
            for found in _QUERY.finditer(line):
                self._query(position + found.start(1), found[1])

    def _target(self, position: int, line: bytes, *, cut: bool) -> None:
        """Mask the target of a request line; a sloppy client's may hold blanks."""
        self._urls(position, line, cut=cut)
        mark, stop = line.find(b"?"), line.rfind(b" HTTP/")
        if not self._secrets.query:
            return
        for found in _PATH_PARAMETER.finditer(line, 0, mark if mark >= 0 else len(line)):
            self._value(position + found.start(1), position + found.end(1))
        if mark >= 0:
            self._query(position + mark + 1, line[mark + 1 : stop if stop > mark else len(line)].rstrip(b"\r\n"))

    def _query(self, position: int, query: bytes) -> None:
        for low, high in _parts(query):
            equals = query.find(b"=", low, high)
            self._value(position + (low if equals < 0 else equals + 1), position + high)

    def _value(self, low: int, high: int) -> None:
        if low < high:
            self.octets[low:high] = self._values.masked(self.source[low:high])

    def _framed(self, position: int, fields: dict[bytes, bytes], *, until_close: bool) -> int:
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            return self._chunks(position)
        length = fields.get(b"content-length", b"").partition(b",")[0].strip()
        if length.isdigit() and len(length) < 19:
            return self._body(position, int(length))
        return self._body(position, None) if until_close and b"content-length" not in fields else position

    def _body(self, position: int, length: int | None) -> int:
        """Mask *length* octets of the stream (None: to its end); return where they end."""
        end = len(self.source) if length is None else self._after(position, length)
        if self._secrets.bodies:
            self.octets[position:end] = b"x" * (end - position)
            if self._page:  # of a gateway's error page: what tells whose it is
                stop = min(end, position + self._page)
                self._page -= stop - position
                self._opaque(position, stop)
                for low, high in page_words(self.source, position, stop):
                    self.octets[low:high] = self.source[low:high]
        return end

    def _chunks(self, position: int) -> int:
        while position < len(self.source):
            found = _CHUNK.match(self.source, position)
            if found is None or self._is_hole(position) or self._next_hole(position, found.end()) is not None:
                digits = _HEX.match(self.source, position)
                at = digits.end() if digits is not None else position
                if self._is_hole(position) or self._next_hole(position, at) is not None:
                    return self._unknown(position)
                end = self._unknown(at)
                if self._secrets.bodies:
                    self.octets[position:at] = self.source[position:at].translate(_SIZE)
                return end
            self._opaque(found.start(2), found.end(2))
            size = int(found[1], 16)
            position = found.end()
            if not size:
                return self._trailer(position)
            position = self._body(position, size)
            if self.source[position : position + 1] == b"\r":
                position += 1
            if self.source[position : position + 1] == b"\n":
                position += 1
        return position

    def _trailer(self, position: int) -> int:
        """Mask the fields behind the last chunk, which end with an empty line (RFC 9112 section 7.1.2)."""
        stop = self.source.find(b"\n", position)
        line = self.source[position:] if stop < 0 else self.source[position : stop + 1]
        if line in (b"\r\n", b"\n"):
            return stop + 1
        if _FIELD.match(line) and not _BEGINNING.match(self.source, position):
            while position < len(self.source) and line not in (b"\r\n", b"\n"):
                self._opaque(position, position + len(line))
                position += len(line)
                stop = self.source.find(b"\n", position)
                line = self.source[position:] if stop < 0 else self.source[position : stop + 1]
            return position + len(line)
        return position

    # -- octets ---------------------------------------------------------------------------------------------------

    def _visible(self, low: int, high: int) -> None:
        self.octets[low:high] = self.source[low:high].translate(_VISIBLE)

    def _opaque(self, low: int, high: int) -> None:
        if self._secrets.bodies:
            self.octets[low:high] = self.source[low:high].translate(_OPAQUE)

    def _after(self, position: int, length: int) -> int:
        """Return the index *length* octets of the stream after *position*, of which some may be missing."""
        end = position + length
        for index in range(bisect_left(self._hole_at, position), len(self._holes)):
            at, missing = self._holes[index]
            if at > end:
                break
            end = max(end - missing, at)
        return min(end, len(self.source))


def _parts(query: bytes) -> list[tuple[int, int]]:
    """Return begin and end of each part of a query."""
    parts, low = [], 0
    for found in _SPLIT.finditer(query):
        parts.append((low, found.start()))
        low = found.end()
    return [*parts, (low, len(query))]
