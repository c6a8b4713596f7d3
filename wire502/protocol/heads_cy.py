"""HTTP/1 heads, read strictly and leniently at once (RFC 9112 sections 2 to 6, RFC 9110 section 5).

Strictly: the first octet that the grammar forbids is remembered (``bad``, ``part``, ``why``). Leniently: reading
goes on as a forgiving gateway would, so that the end of the head and the framing of the body are known if anyone
can know them. Each line is looked at once, however the head is cut into segments.

This module is long because requests and responses share the field lines, which are read by pointer in one place.
"""

from __future__ import annotations

import re

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.libc.string import memchr, memcpy

# Octet classes: bit 0 token (RFC 9110 section 5.6.2), bit 1 allowed in a field value, bit 2 digit, bit 3 blank
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CLASSES = bytes(
    (1 if octet in _TOKEN else 0)
    | (2 if octet == 9 or (octet >= 32 and octet != 127) else 0)
    | (4 if 48 <= octet <= 57 else 0)
    | (8 if octet in (9, 32) else 0)
    for octet in range(256)
)
if cython.compiled:
    classes = cython.declare(cython.uchar[256])
    for _octet in range(256):
        classes[_octet] = _CLASSES[_octet]
else:
    classes = _CLASSES

UNSURE = cython.declare(cython.int, -1)
NO = cython.declare(cython.int, 0)
YES = cython.declare(cython.int, 1)
MAX_LENGTH = cython.declare(cython.longlong, 1 << 53)

if not cython.compiled:
    _NOT_TOKEN = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")
    _NOT_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
    _LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[^\x00-\x08\x0a-\x1f\x7f]*\Z")
# One octet eight times over, to look at eight octets at once.
BLANKS = cython.declare(cython.ulonglong, 0x2020202020202020)
DELETES = cython.declare(cython.ulonglong, 0x7F7F7F7F7F7F7F7F)
ONES = cython.declare(cython.ulonglong, 0x0101010101010101)
HIGHS = cython.declare(cython.ulonglong, 0x8080808080808080)
FORTIES = cython.declare(cython.ulonglong, 0x4040404040404040)


@cython.cfunc
@cython.inline
def newline(octets: cython.p_const_uchar, start: cython.Py_ssize_t, n: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the next LF stands, -1 if none does."""
    where: cython.Py_ssize_t
    if cython.compiled:
        found = cython.cast(cython.p_const_uchar, memchr(octets + start, 10, cython.cast(cython.size_t, n - start)))
        where = -1 if found == cython.NULL else found - octets
    else:
        where = octets.find(b"\n", start)
    return where


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def name_end(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the first octet stands that no field name may have, *end* if there is none.

    ``octets[end]`` is the CR or LF of the line, so that the walk ends there without counting.
    """
    if cython.compiled:
        while classes[octets[start]] & 1:
            start += 1
    else:
        found = _NOT_TOKEN.search(octets, start, end)
        start = end if found is None else found.start()
    return start


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def clean(octets: cython.p_const_uchar) -> cython.bint:
    """Whether none of eight octets is below a blank, or a delete. A tab, and what follows it, may seem unclean."""
    eight: cython.ulonglong = 0
    other: cython.ulonglong
    if cython.compiled:  # the interpreter never asks
        memcpy(cython.address(eight), octets, 8)
        other = eight ^ DELETES
        eight = (((eight - BLANKS) & ~eight) | ((other - ONES) & ~other)) & HIGHS
    return eight == 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def value_end(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the first octet stands that no field value may have, *end* if there is none."""
    if cython.compiled:
        while end - start >= 8 and clean(octets + start):
            start += 8
        # The rest is less than eight octets: with those before it, which are clean, it is looked at all at once.
        if 0 < end - start < 8 and end >= 8 and clean(octets + end - 8):
            start = end
        while start < end and classes[octets[start]] & 2:
            start += 1
    else:
        found = _NOT_VALUE.search(octets, start, end)
        start = end if found is None else found.start()
    return start


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def colon_of(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the colon of a field line stands, -1 if an octet of the line is wrong."""
    at: cython.Py_ssize_t
    if cython.compiled:
        at = name_end(octets, start, end)
        if at == start or octets[at] != 58 or value_end(octets, at + 1, end) < end:
            at = -1
    else:
        found = _LINE.match(octets, start, end)
        at = -1 if found is None else found.end(1)
    return at


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def begins(
    octets: cython.p_const_uchar, start: cython.Py_ssize_t, word: cython.p_const_uchar, n: cython.Py_ssize_t
) -> cython.bint:
    """Whether *n* octets from *start* on are *word*, which is in lower case, in any case.

    A word of eight or more is letters, digits, hyphens and slashes only: of these the letters have the bit 0x40, and
    where the word has a letter the octet may lack the bit 0x20.
    """
    i: cython.Py_ssize_t
    octet: cython.int
    ours: cython.ulonglong = 0
    theirs: cython.ulonglong = 0
    same: cython.bint = True
    if cython.compiled:
        if n >= 8:
            memcpy(cython.address(ours), word, 8)
            memcpy(cython.address(theirs), octets + start, 8)
            same = (ours ^ theirs) & ~((ours & FORTIES) >> 1) == 0
            if same:
                memcpy(cython.address(ours), word + n - 8, 8)
                memcpy(cython.address(theirs), octets + start + n - 8, 8)
                same = (ours ^ theirs) & ~((ours & FORTIES) >> 1) == 0
        else:
            for i in range(n):
                octet = octets[start + i]
                if 65 <= octet <= 90:
                    octet |= 32
                if octet != word[i]:
                    same = False
                    break
    else:
        same = octets[start : start + n].lower() == word
    return same


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_space(octet: cython.int) -> cython.bint:
    """Whether ``bytes.strip`` takes an octet away."""
    return octet == 32 or 9 <= octet <= 13


@cython.cfunc
@cython.exceptval(check=False)
def status_line_fault(
    octets: cython.p_const_uchar, start: cython.Py_ssize_t, n: cython.Py_ssize_t, ended: cython.bint
) -> cython.Py_ssize_t:
    """Return the index of the first octet that no status line can have there, -1 if there is none.

    ``HTTP/1.`` DIGIT SP 3DIGIT [SP reason]; with *ended*, ``octets[:n]`` is the whole line without its end.
    """
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t
    octet: cython.int
    if (
        n - start > 12
        and octets[start] == 72
        and octets[start + 1] == 84
        and octets[start + 2] == 84
        and octets[start + 3] == 80
        and octets[start + 4] == 47
        and octets[start + 5] == 49
        and octets[start + 6] == 46
        and classes[octets[start + 7]] & 4
        and octets[start + 8] == 32
        and classes[octets[start + 9]] & classes[octets[start + 10]] & classes[octets[start + 11]] & 4
        and octets[start + 12] == 32
    ):
        return -1
    for i in range(n - start):
        at = start + i
        octet = octets[at]
        if i < 5:
            if octet != (72 if i == 0 else 84 if i < 3 else 80 if i == 3 else 47):  # HTTP/
                return at
        elif i == 5 or i == 7:
            if classes[octet] & 4 == 0:
                return at
            if i == 5 and octet != 49:
                return at
        elif i == 6:
            if octet != 46:
                return at
        elif i == 8:
            if octet != 32:
                return at
        elif i < 12:
            if classes[octet] & 4 == 0:
                return at
        elif i == 12:
            return -1 if octet == 32 else at
    if ended and n - start < 12:
        return n
    return -1


@cython.cfunc
@cython.exceptval(check=False)
def looks_like_status(octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.bint:
    """Whether a run of octets begins with a good status line's first twelve octets."""
    return n >= 12 and status_line_fault(octets, 0, 12, False) < 0


@cython.cfunc
@cython.exceptval(check=False)
def request_likeness(octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
    """Whether octets begin a request line: 1 yes, 0 no, -1 too few to say."""
    i: cython.Py_ssize_t = 0
    method: cython.Py_ssize_t
    octet: cython.int
    while i < n and (octets[i] == 13 or octets[i] == 10):
        i += 1
        if i > 4:
            return NO
    method = i
    while i < n:
        octet = octets[i]
        if octet == 32:
            break
        if not (65 <= octet <= 90 or octet == 45 or octet == 95):
            return NO
        i += 1
        if i - method > 24:
            return NO
    if i >= n:
        return UNSURE
    if i - method < 3:
        return NO
    i += 1
    if i >= n:
        return UNSURE
    # The target: /path, *, an absolute URI or an authority; never a blank or control.
    octet = octets[i]
    if octet <= 32 or octet == 127:
        return NO
    while i < n:
        octet = octets[i]
        if octet == 10 or octet == 13:
            # no version: HTTP/0.9, believable for GET and a path only
            return YES if octets[method] == 71 and octets[method + 1] == 69 and octets[method + 3] == 32 else NO
        if octet < 32:
            return NO
        if octet == 32:
            break
        i += 1
    if i >= n:
        return YES if n - method >= 16 else UNSURE
    i += 1
    method = i
    while i < n and i - method < 5:
        octet = octets[i]
        if octet != (72 if i == method else 84 if i < method + 3 else 80 if i == method + 3 else 47):
            # blanks inside the target are illegal but seen; a version must follow in the line
            return YES if newline(octets, i, n) < 0 or octets[0] == 71 else NO
        i += 1
    return YES


@cython.final
@cython.no_gc
@cython.freelist(64)
@cython.cclass
class Head:
    """What a head says so far. ``at`` counts the octets of whole lines read; ``line`` the lines."""

    line: int
    at: int
    done: bool
    status: int
    minor: int
    length: int
    lengths: int
    chunked: bool
    coded: bool
    expects: bool
    upgrade: bool
    close: bool
    streaming: bool
    old: bool
    bad: int
    part: str | None
    why: str | None
    lost: bool
    odd_framing: bool
    blank: bool

    def __init__(self) -> None:
        self.reset()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def reset(self) -> cython.int:
        """Make the record as new; to be called once."""
        if not cython.compiled:  # C fields start as zero, and those that hold an object as None
            self.line = self.at = self.searched = 0
            self.done = False
            self.status = 0
            self.lengths = 0
            self.chunked = self.coded = self.expects = self.upgrade = self.close = self.streaming = False
            self.old = False
            self.part = None
            self.why = None
            self.lost = False
            self.odd_framing = False
            self.blank = False
        self.minor = 1
        self.length = self.bad = -1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _blame(self, where: cython.Py_ssize_t, part: str, why: str, lost: cython.bint) -> cython.int:
        if self.bad < 0:
            self.bad = where
            self.part = part
            self.why = why
        if lost:
            self.lost = True
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def request(self, octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
        """Read the lines of a request head that are whole; ``done`` is set at the empty line."""
        end: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t = self.at
        start: cython.Py_ssize_t = self.searched if self.searched > at else at
        while not self.done:
            end = newline(octets, start, n)
            if end < 0:
                self.searched = n
                break
            stop = end
            if stop > at and octets[stop - 1] == 13:
                stop -= 1
            if stop == at:
                if self.line > 0:
                    self.done = True
            elif self.line == 0:
                i = stop - 9
                if i < at or octets[i] != 32 or octets[i + 1] != 72 or octets[i + 6] != 49:
                    if i >= at and octets[i] == 32 and octets[i + 1] == 72:
                        self.minor = 0
                    else:
                        # no version at the end of the line: HTTP/0.9, the request is this line alone
                        self.old = newline(octets, end + 1, n) < 0
                        self.done = self.old
                elif octets[stop - 1] == 48:
                    self.minor = 0
                self.line = 1
            else:
                i = octets[at] | 32
                if i == 99 or i == 116 or i == 101 or i == 117:  # c, t, e, u: no other name says anything of framing
                    self._field(octets, at, stop, False)
                self.line += 1
            at = start = end + 1
        self.at = at
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def response(self, octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
        """Read the lines of a response head that are whole; a first octet that is wrong is blamed at once."""
        end: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        fault: cython.Py_ssize_t
        i: cython.Py_ssize_t
        octet: cython.int
        at: cython.Py_ssize_t = self.at
        start: cython.Py_ssize_t = self.searched if self.searched > at else at
        while not self.done:
            end = newline(octets, start, n)
            if end < 0:
                if self.line == 0 and self.bad < 0:
                    fault = status_line_fault(octets, at, n, False)
                    if fault >= 0 and not (octets[fault] == 13 and (fault == at or fault == at + 12)):
                        self._status_line(octets, at, n)
                self.searched = n
                break
            stop = end
            if stop > at and octets[stop - 1] == 13:
                stop -= 1
            if stop == at:
                if self.line > 0:
                    self.done = True
                elif self.blank:
                    self._status_line(octets, at, stop + 1)
                    break
                else:
                    self.blank = True  # one empty line before the status line is forgiven
            elif self.line == 0:
                self._status_line(octets, at, stop)
                if self.lost and self.status == 0:
                    break
                self.line = 1
            else:
                i = colon_of(octets, at, stop)
                if i < 0:
                    self._field(octets, at, stop, True)  # finds out what is wrong
                else:
                    octet = octets[at] | 32
                    if octet == 99 or octet == 116 or octet == 101 or octet == 117:  # c, t, e, u
                        self._known(octets, at, i, stop, True)
                self.line += 1
            at = start = end + 1
        self.at = at
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _status_line(
        self, octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.int:
        fault: cython.Py_ssize_t = status_line_fault(octets, start, end, True)
        if fault < 0:
            self.status = (octets[start + 9] - 48) * 100 + (octets[start + 10] - 48) * 10 + octets[start + 11] - 48
            self.minor = octets[start + 7] - 48
            if self.status < 100:
                self._blame(start + 9, "status_line", "status code below 100", True)
            return 0
        if fault - start < 5:
            self._blame(fault, "status_line", "does not begin with HTTP/", True)
        elif fault - start < 9:
            self._blame(fault, "status_line", "no HTTP/1.x version", True)
        elif fault - start < 12:
            self._blame(fault, "status_line", "no three-digit status", True)
        else:
            self._blame(fault, "status_line", "status code longer than three digits", True)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _field(
        self,
        octets: cython.p_const_uchar,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        strict: cython.bint,
    ) -> cython.int:
        """Read one field line, ``octets[start:end]`` without its line end."""
        i: cython.Py_ssize_t = start
        colon: cython.Py_ssize_t
        octet: cython.int
        if classes[octets[start]] & 8:
            if self.line == 1 and strict:
                self._blame(start, "header", "blank before the first field line", False)
            # obs-fold: the value goes on (RFC 9112 section 5.2)
            colon = start - 1
        else:
            i = name_end(octets, i, end)
            colon = i
            if i == end or octets[i] != 58 or i == start:
                if strict:
                    if i == end:
                        self._blame(end, "header", "field line without a colon", False)
                    elif octets[i] == 58:
                        self._blame(start, "header", "empty field name", False)
                    elif classes[octets[i]] & 8:
                        while i < end and classes[octets[i]] & 8:
                            i += 1
                        if i < end and octets[i] == 58:
                            self._blame(colon, "header", "blank before the colon", False)
                            # forgiving readers take the name without the blank
                            self._known(octets, start, colon, end, False)
                        else:
                            while i < end and octets[i] != 58:
                                i += 1
                            if i == end:
                                # The blank is the first wrong octet; readers differ on which of the two they mind.
                                self._blame(colon, "header", "blank in a field name, and no colon", False)
                            else:
                                self._blame(colon, "header", "blank in a field name", False)
                    else:
                        self._blame(i, "header", "octet that no field name may have", False)
                return 0
        if strict:
            i = value_end(octets, colon + 1, end)
            if i < end:
                octet = octets[i]
                if octet == 0:
                    self._blame(i, "header", "NUL in a field value", False)
                elif octet == 13:
                    self._blame(i, "header", "bare CR in a field value", False)
                else:
                    self._blame(i, "header", "control octet in a field value", False)
        octet = octets[start] | 32
        if colon > start and (octet == 99 or octet == 116 or octet == 101 or octet == 117):
            self._known(octets, start, colon, end, strict)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _known(
        self,
        octets: cython.p_const_uchar,
        start: cython.Py_ssize_t,
        colon: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        strict: cython.bint,
    ) -> cython.int:
        """Take what the field says about framing; names are told apart by length and first letters."""
        size: cython.Py_ssize_t = colon - start
        first: cython.int = octets[start] | 32
        at: cython.Py_ssize_t = colon
        stop: cython.Py_ssize_t = end
        if size < 6 or size > 17:
            return 0
        while at < end and octets[at] != 58:
            at += 1
        at += 1
        if size == 14 and first == 99:
            if begins(octets, start, b"content-length", 14):
                self._length(octets, at, end, start, strict)
            return 0
        while at < stop and is_space(octets[at]):
            at += 1
        while stop > at and is_space(octets[stop - 1]):
            stop -= 1
        if size == 17 and first == 116:
            if begins(octets, start, b"transfer-encoding", 17):
                self.coded = True
                self.chunked = (stop - at == 7 and begins(octets, at, b"chunked", 7)) or self._ends_chunked(
                    octets[at:stop]
                )
        elif size == 6 and first == 101:
            if begins(octets, start, b"expect", 6):
                self.expects = stop - at == 12 and begins(octets, at, b"100-continue", 12)
        elif size == 10 and first == 99:
            if begins(octets, start, b"connection", 10):
                self.close = False
                while stop - at >= 5 and not self.close:
                    self.close = octets[at] | 32 == 99 and begins(octets, at, b"close", 5)
                    at += 1
        elif size == 7 and first == 117:
            if begins(octets, start, b"upgrade", 7):
                self.upgrade = True
        elif size == 12 and first == 99:
            if begins(octets, start, b"content-type", 12):
                self.streaming = (
                    (stop - at >= 17 and begins(octets, at, b"text/event-stream", 17))
                    or (stop - at >= 25 and begins(octets, at, b"multipart/x-mixed-replace", 25))
                    or (stop - at >= 16 and begins(octets, at, b"application/grpc", 16))
                )
        return 0

    @cython.cfunc
    def _ends_chunked(self, value: bytes) -> cython.bint:
        """Whether the last transfer coding is the chunked one."""
        value = value.lower()
        return value == b"chunked" or value.replace(b" ", b"").endswith(b",chunked")

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _length(
        self,
        octets: cython.p_const_uchar,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        line: cython.Py_ssize_t,
        strict: cython.bint,
    ) -> cython.int:
        """Read a Content-Length (RFC 9112 section 6.3): digits, or a list of the same number."""
        at: cython.Py_ssize_t = start
        value: cython.longlong
        digits: cython.Py_ssize_t
        while True:
            while at < end and classes[octets[at]] & 8:
                at += 1
            value = 0
            digits = 0
            while at < end and classes[octets[at]] & 4:
                if value < MAX_LENGTH:
                    value = value * 10 + octets[at] - 48
                digits += 1
                at += 1
            while at < end and classes[octets[at]] & 8:
                at += 1
            if digits == 0 or value >= MAX_LENGTH or (at < end and octets[at] != 44):
                if strict:
                    self._blame(at if at < end else start, "framing", "Content-Length is no number", True)
                else:
                    self.lost = True
                return 0
            self.lengths += 1
            if self.lengths > 1 and value != self.length:
                self.odd_framing = True
                if strict:
                    self._blame(line, "framing", "two Content-Length values that differ", True)
                else:
                    self.lost = True
            else:
                self.length = value
            if at >= end:
                return 0
            at += 1


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
