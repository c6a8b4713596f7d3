"""HTTP/1 heads, read strictly and leniently at once (RFC 9112 sections 2 to 6, RFC 9110 section 5).

Strictly: the first octet that the grammar forbids is remembered (``bad``, ``part``, ``why``). Leniently: reading
goes on as a forgiving gateway would, so that the end of the head and the framing of the body are known if anyone
can know them. The work grows with the octets alone, however the head is cut into segments.

Compiled, most lines take a straight way: their end is found and their octets are checked eight at a time, and few have
a name that says anything. All other lines, and all of the interpreter's, are read with care.

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

# Octet classes: bit 0 token (RFC 9110 section 5.6.2), bit 1 allowed in a field value, bit 2 digit, bit 3 blank,
# bit 4 the first letter of a name that says something of framing
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CLASSES = bytes(
    (1 if octet in _TOKEN else 0)
    | (2 if octet == 9 or (octet >= 32 and octet != 127) else 0)
    | (4 if 48 <= octet <= 57 else 0)
    | (8 if octet in (9, 32) else 0)
    | (16 if octet in b"cteuCTEU" else 0)
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

    def trailing_zeros(number: int) -> int:
        """Return how many of the lowest bits are not set; compiled, it is one instruction: see the declaration."""
        return (number & -number).bit_length() - 1

    _NOT_TOKEN = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")
    _NOT_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
    _LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[^\x00-\x08\x0a-\x1f\x7f]*\Z")
# The first eight octets of the names that say something of framing, as ``eight_at`` reads them in lower case.
CONTENT = cython.declare(cython.ulonglong, int.from_bytes(b"content-", "little"))
CONNECTI = cython.declare(cython.ulonglong, int.from_bytes(b"connecti", "little"))
TRANSFER = cython.declare(cython.ulonglong, int.from_bytes(b"transfer", "little"))
UPGRADE = cython.declare(cython.ulonglong, int.from_bytes(b"upgrade:", "little"))
EXPECT = cython.declare(cython.ulonglong, int.from_bytes(b"expect:", "little"))
SEVEN = cython.declare(cython.ulonglong, 0x00FFFFFFFFFFFFFF)
VERSION = cython.declare(cython.ulonglong, int.from_bytes(b"HTTP/1.", "little"))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
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
def eight_at(octets: cython.p_const_uchar) -> cython.ulonglong:
    """Return eight octets as a number, the first in its lowest bits: compilers make one load of it."""
    eight: cython.ulonglong = cython.cast(cython.ulonglong, octets[0])
    eight |= cython.cast(cython.ulonglong, octets[1]) << 8
    eight |= cython.cast(cython.ulonglong, octets[2]) << 16
    eight |= cython.cast(cython.ulonglong, octets[3]) << 24
    eight |= cython.cast(cython.ulonglong, octets[4]) << 32
    eight |= cython.cast(cython.ulonglong, octets[5]) << 40
    eight |= cython.cast(cython.ulonglong, octets[6]) << 48
    eight |= cython.cast(cython.ulonglong, octets[7]) << 56
    return eight


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def good_end(octets: cython.p_const_uchar, start: cython.Py_ssize_t, n: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where CR LF stand that end a line without any other control octet but tabs; -1 if there is no such line.

    Only the compiler asks, with eight octets or more. Eight are looked at together, as a number: an octet below a
    blank borrows from the highest bit of its place, a delete carries into it, and one above the delete has it already.
    Of these the lowest is found rightly, since borrows and carries only go up.
    """
    ones: cython.ulonglong = 0x0101010101010101
    highs: cython.ulonglong = 0x8080808080808080
    found: cython.ulonglong = 0
    eight: cython.ulonglong
    last: cython.Py_ssize_t = n - 8
    while True:
        while start <= last:
            eight = eight_at(octets + start)
            found = ((eight - 32 * ones) | (eight + ones)) & highs
            if found:
                break
            start += 8
        if start > last:
            if start >= n:
                return -1
            # Of the last eight octets those that are new; the zeros that come behind them count as found.
            eight = eight_at(octets + last) >> cython.cast(cython.ulonglong, 8 * (start - last))
            found = ((eight - 32 * ones) | (eight + ones)) & highs
        start += trailing_zeros(found) >> 3
        if start + 1 >= n:
            return -1
        if octets[start] == 13 and octets[start + 1] == 10:
            return start
        if octets[start] != 9 and octets[start] < 128:
            return -1
        start += 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def value_end(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where the first octet stands that no field value may have, *end* if there is none."""
    if cython.compiled:
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
    i: cython.Py_ssize_t = 0
    octet: cython.int
    ours: cython.ulonglong = 0
    theirs: cython.ulonglong = 0
    forties: cython.ulonglong = 0x4040404040404040
    same: cython.bint = True
    if cython.compiled:
        if n >= 8:
            while same and i < n:
                if i > n - 8:  # the last eight, some of them once more
                    i = n - 8
                memcpy(cython.address(ours), word + i, 8)
                memcpy(cython.address(theirs), octets + start + i, 8)
                same = (ours ^ theirs) & ~((ours & forties) >> 1) == 0
                i += 8
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
def framing_name(octets: cython.p_const_uchar, start: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return the *size* of a name if it is one of those that say something of framing, else 0: no two are as long."""
    known: cython.bint = False
    if size == 14:
        known = begins(octets, start, b"content-length", 14)
    elif size == 12:
        known = begins(octets, start, b"content-type", 12)
    elif size == 10:
        known = begins(octets, start, b"connection", 10)
    elif size == 17:
        known = begins(octets, start, b"transfer-encoding", 17)
    elif size == 6:
        known = begins(octets, start, b"expect", 6)
    elif size == 7:
        known = begins(octets, start, b"upgrade", 7)
    return size if known else 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def guessed_name(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return ``framing_name`` of a whole line, 0 if it has no colon there; of most lines one number tells that.

    Only the compiler asks; *end* is where the line's end stands.
    """
    size: cython.Py_ssize_t = 0
    eight: cython.ulonglong
    blanks: cython.ulonglong = 0x2020202020202020
    if classes[octets[start]] & 16 and end - start >= 7:
        eight = eight_at(octets + start) | blanks  # in lower case; whether these were letters is asked last
        if eight == CONTENT:
            size = 12 if end - start > 12 and octets[start + 12] == 58 else 14
        elif eight == CONNECTI:
            size = 10
        elif eight == TRANSFER:
            size = 17
        elif eight == UPGRADE:
            size = 7
        elif eight & SEVEN == EXPECT:
            size = 6
        if size:
            size = framing_name(octets, start, size) if end - start > size and octets[start + size] == 58 else 0
    return size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_space(octet: cython.int) -> cython.bint:
    """Whether ``bytes.strip`` takes an octet away."""
    return octet == 32 or 9 <= octet <= 13


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_value(
    octets: cython.p_const_uchar,
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    word: cython.p_const_uchar,
    n: cython.Py_ssize_t,
) -> cython.bint:
    """Whether a value, stripped in front, is the *word* of *n* octets, in any case."""
    while end > start and is_space(octets[end - 1]):
        end -= 1
    return end - start == n and begins(octets, start, word, n)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_status_line(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether a line is a good status line with a blank behind the status, as most are."""
    good: cython.bint = False
    if end - start > 12 and octets[start + 8] == 32 and octets[start + 12] == 32:
        if cython.compiled:
            good = eight_at(octets + start) & SEVEN == VERSION
        else:
            good = octets[start : start + 7] == b"HTTP/1."
        good = good and classes[octets[start + 7]] & classes[octets[start + 9]] & 4 != 0
        good = good and classes[octets[start + 10]] & classes[octets[start + 11]] & 4 != 0
    return good


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
    while i < n and octets[i] > 32:
        i += 1
    if i >= n:
        return YES if n - method >= 16 else UNSURE
    if octets[i] == 10 or octets[i] == 13:
        # no version: HTTP/0.9, believable for GET and a path only
        return YES if octets[method] == 71 and octets[method + 1] == 69 and octets[method + 3] == 32 else NO
    if octets[i] < 32:
        return NO
    i += 1
    method = i
    while i < n and i - method < 5:
        octet = octets[i]
        if octet != (72 if i == method else 84 if i < method + 3 else 80 if i == method + 3 else 47):
            # blanks inside the target are illegal but seen; a version must follow in the line
            return YES if newline(octets, i, n) < 0 or octets[0] == 71 else NO
        i += 1
    return YES


@cython.cfunc
@cython.exceptval(check=False)
def is_streaming(octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether a media type, stripped in front, is one of those whose messages have no foreseeable end."""
    first: cython.int = octets[start] | 32
    size: cython.Py_ssize_t = end - start
    return (
        (first == 116 and size >= 17 and begins(octets, start, b"text/event-stream", 17))
        or (first == 109 and size >= 25 and begins(octets, start, b"multipart/x-mixed-replace", 25))
        or (first == 97 and size >= 16 and begins(octets, start, b"application/grpc", 16))
    )


@cython.final
@cython.cclass
class Head:
    """What a head says so far. ``at`` counts the octets of whole lines read; ``line`` the lines."""

    line: int
    at: int
    searched: int
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
    blank: bool

    def __init__(self) -> None:
        self.bad = 0
        self.reset()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def reset(self) -> cython.int:
        """Make the record as new: one is used for many heads."""
        if self.bad >= 0:
            self.part = None
            self.why = None
        self.line = self.at = self.searched = 0
        self.status = 0
        self.lengths = 0
        self.done = self.chunked = self.coded = self.expects = self.upgrade = self.close = self.streaming = False
        self.old = self.lost = self.blank = False
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
        name: cython.Py_ssize_t
        at: cython.Py_ssize_t = self.at
        line: cython.Py_ssize_t = self.line
        start: cython.Py_ssize_t = self.searched if self.searched > at else at
        done: cython.bint = False
        while not done:
            end = newline(octets, start, n)
            if end < 0:
                self.searched = n
                break
            stop = end
            if stop > at and octets[stop - 1] == 13:
                stop -= 1
            if stop == at:
                done = line > 0
            elif line == 0:
                line = 1
                self._request_line(octets, at, stop)
                if self.old:  # the request is this line alone, or no version of HTTP is known for it
                    self.old = done = newline(octets, end + 1, n) < 0
            else:
                line += 1
                if cython.compiled:
                    name = guessed_name(octets, at, stop)
                    if name:
                        self._known(name, octets, at + name + 1, stop, at, False)
                elif classes[octets[at]] & 16:
                    self._field(octets, at, stop, False)
            at = start = end + 1
        self.at = at
        self.line = line
        self.done = done
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def response(self, octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
        """Read the lines of a response head that are whole; a first octet that is wrong is blamed at once."""
        end: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        at: cython.Py_ssize_t
        while not self.done:
            if cython.compiled:
                if self.line > 0 and self.searched <= self.at:
                    self._good_lines(octets, n)
                    if self.done:
                        break
            at = self.at
            end = newline(octets, self.searched if self.searched > at else at, n)
            if end < 0:
                if self.line == 0 and self.bad < 0:
                    self._begun_status_line(octets, at, n)
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
            elif self.line > 0:
                self._field(octets, at, stop, True)
                self.line += 1
            else:
                self._status_line(octets, at, stop)
                if self.lost and self.status == 0:
                    break
                self.line = 1
            self.at = end + 1
        return 0

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1, check=False)
    def _good_lines(self, octets: cython.p_const_uchar, n: cython.Py_ssize_t) -> cython.int:
        """Read field lines up to the empty line, or up to one that is not whole or needs a closer look.

        It does nothing that ``response`` does not do without it; the interpreter is not faster with it.
        """
        at: cython.Py_ssize_t = self.at
        line: cython.Py_ssize_t = self.line
        stop: cython.Py_ssize_t = -1
        colon: cython.Py_ssize_t
        name: cython.Py_ssize_t
        while n >= 8:
            stop = good_end(octets, at, n)
            if stop <= at:
                break
            name = guessed_name(octets, at, stop)
            if name:
                self._known(name, octets, at + name + 1, stop, at, True)
            else:
                colon = name_end(octets, at, stop)
                if colon == at or octets[colon] != 58:
                    break
            line += 1
            at = stop + 2
        if stop == at:
            self.done = True
            at += 2
        self.at = at
        self.line = line
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _request_line(
        self, octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.int:
        """Read the version; ``old`` is set where there is none at the end of the line: HTTP/0.9."""
        i: cython.Py_ssize_t = end - 9
        if i < start or octets[i] != 32 or octets[i + 1] != 72:
            self.old = True
        elif octets[i + 6] != 49 or octets[end - 1] == 48:
            self.minor = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _begun_status_line(
        self, octets: cython.p_const_uchar, start: cython.Py_ssize_t, n: cython.Py_ssize_t
    ) -> cython.int:
        """Blame the first octet that no status line can have there, before its end has come."""
        fault: cython.Py_ssize_t = status_line_fault(octets, start, n, False)
        if fault >= 0 and not (octets[fault] == 13 and (fault == start or fault == start + 12)):
            self._status_line(octets, start, n)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1, check=False)
    def _status_line(
        self, octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.int:
        fault: cython.Py_ssize_t = -1
        if not is_status_line(octets, start, end):
            fault = status_line_fault(octets, start, end, True)
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
        response: cython.bint,
    ) -> cython.int:
        """Read any field line, ``octets[start:end]`` without its line end; of a request one that may tell something."""
        colon: cython.Py_ssize_t = colon_of(octets, start, end)
        if colon < 0 and not response:  # there only a wrong name matters
            colon = name_end(octets, start, end)
            if octets[colon] != 58:
                return 0
        if colon < 0:
            self._fault(octets, start, end)
        elif framing_name(octets, start, colon - start):
            self._known(colon - start, octets, colon + 1, end, start, response)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _fault(self, octets: cython.p_const_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Find out what is wrong with a field line of a response, if anything is, and take what can be taken."""
        i: cython.Py_ssize_t = start
        colon: cython.Py_ssize_t
        octet: cython.int
        if classes[octets[start]] & 8:
            if self.line == 1:
                self._blame(start, "header", "blank before the first field line", False)
            # obs-fold: the value goes on (RFC 9112 section 5.2)
            colon = start - 1
        else:
            i = name_end(octets, i, end)
            colon = i
            if i == end or octets[i] != 58 or i == start:
                self._name_fault(octets, start, i, end)
                return 0
        i = value_end(octets, colon + 1, end)
        if i < end:
            octet = octets[i]
            if octet == 0:
                self._blame(i, "header", "NUL in a field value", False)
            elif octet == 13:
                self._blame(i, "header", "bare CR in a field value", False)
            else:
                self._blame(i, "header", "control octet in a field value", False)
        if colon > start and framing_name(octets, start, colon - start):
            self._known(colon - start, octets, colon + 1, end, start, True)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _name_fault(
        self,
        octets: cython.p_const_uchar,
        start: cython.Py_ssize_t,
        wrong: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
    ) -> cython.int:
        """Blame the octet *wrong*, the first that is not one of a name and its colon."""
        i: cython.Py_ssize_t = wrong
        if i == end:
            self._blame(end, "header", "field line without a colon", False)
        elif octets[i] == 58:
            self._blame(start, "header", "empty field name", False)
        elif classes[octets[i]] & 8:
            while i < end and classes[octets[i]] & 8:
                i += 1
            if i < end and octets[i] == 58:
                self._blame(wrong, "header", "blank before the colon", False)
                # forgiving readers take the name without the blank
                if framing_name(octets, start, wrong - start):
                    self._known(wrong - start, octets, i + 1, end, start, False)
            else:
                while i < end and octets[i] != 58:
                    i += 1
                if i == end:
                    # The blank is the first wrong octet; readers differ on which of the two they mind.
                    self._blame(wrong, "header", "blank in a field name, and no colon", False)
                else:
                    self._blame(wrong, "header", "blank in a field name", False)
        else:
            self._blame(i, "header", "octet that no field name may have", False)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _known(
        self,
        name: cython.Py_ssize_t,
        octets: cython.p_const_uchar,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        line: cython.Py_ssize_t,
        strict: cython.bint,
    ) -> cython.int:
        """Take what a field says about framing: *name* as of ``framing_name``, its value from *at* to *end*."""
        if name == 14:
            self._length(octets, at, end, line, strict)
            return 0
        while at < end and is_space(octets[at]):
            at += 1
        if name == 12:
            self.streaming = is_streaming(octets, at, end)
        elif name == 10:
            self.close = False
            while end - at >= 5 and not self.close:
                self.close = octets[at] | 32 == 99 and begins(octets, at, b"close", 5)
                at += 1
        elif name == 17:
            self.coded = True
            self.chunked = is_value(octets, at, end, b"chunked", 7) or self._ends_chunked(octets[at:end])
        elif name == 6:
            self.expects = is_value(octets, at, end, b"100-continue", 12)
        else:
            self.upgrade = True
        return 0

    @cython.cfunc
    def _ends_chunked(self, value: bytes) -> cython.bint:
        """Whether the last transfer coding is the chunked one, in a value that is stripped in front."""
        value = value.rstrip().lower()
        return value == b"chunked" or value.replace(b" ", b"").endswith(b",chunked")

    @cython.cfunc
    @cython.inline
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
