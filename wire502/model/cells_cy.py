"""The fields of records as a few octets, for records that rest: written and read by one and the same walk.

Who has a record hands each field in and takes back what comes out, ``record.x = cells.number(record.x)``: while
writing that is the value itself, while reading it is the one that was written. So there is one list of fields, and
the two directions cannot differ.

A value becomes a number of 64 bits that is small where the value is an expected one (0, or near what came before it).
Of these numbers each octet below 0x80 is one, 0x80 to 0xBF stand for 2 to 65 zeros, 0xC0 to 0xC7 for one of the 1 to 8
octets that follow, and from 0xC8 on an octet and the next one are a number from 0x80 to 0x387F.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

LOW_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
TOP = cython.declare(cython.ulonglong, 0x8000000000000000)
SIZE = cython.declare(cython.Py_ssize_t, 4096)
_ZEROS = cython.declare(cython.uint, 0x80)
_LONG = cython.declare(cython.uint, 0xC0)
_PAIR = cython.declare(cython.uint, 0xC8)
_PAIRS = cython.declare(cython.ulonglong, 0x3880)  # the first number that is too large for a pair
_MOST_ZEROS = cython.declare(cython.ulonglong, 65)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def fold(value: cython.longlong) -> cython.ulonglong:
    """Return 0, 1, 2, 3, 4 for 0, -1, 1, -2, 2."""
    code: cython.ulonglong
    if cython.compiled:
        code = cython.cast(cython.ulonglong, value)
        code = (code << 1) ^ cython.cast(cython.ulonglong, value >> 63)
    else:
        code = ((value << 1) ^ (value >> 63)) & LOW_64
    return code


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def unfold(code: cython.ulonglong) -> cython.longlong:
    """Undo ``fold``."""
    value: cython.longlong
    if cython.compiled:
        value = cython.cast(cython.longlong, (code >> 1) ^ (0 - (code & 1)))
    else:
        value = (code >> 1) ^ -(code & 1)
    return value


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def apart(later: cython.longlong, earlier: cython.longlong) -> cython.longlong:
    """Return the difference of two values, modulo 2^64."""
    value: cython.longlong
    if cython.compiled:
        value = cython.cast(
            cython.longlong, cython.cast(cython.ulonglong, later) - cython.cast(cython.ulonglong, earlier)
        )
    else:
        value = ((later - earlier + TOP) & LOW_64) - TOP
    return value


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def onward(value: cython.longlong, by: cython.longlong) -> cython.longlong:
    """Return the sum of two values, modulo 2^64."""
    result: cython.longlong
    if cython.compiled:
        result = cython.cast(cython.longlong, cython.cast(cython.ulonglong, value) + cython.cast(cython.ulonglong, by))
    else:
        result = ((value + by + TOP) & LOW_64) - TOP
    return result


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def code_after(value: cython.longlong, last: cython.longlong) -> cython.ulonglong:
    """Return the code of a value that is 0, most often, or near *last*: 0 for 0, 1 for *last* itself, and so on."""
    code: cython.ulonglong = fold(apart(value, last))
    zero: cython.ulonglong = fold(apart(0, last))
    if code == zero:
        code = 0
    elif code < zero:
        code += 1
    return code


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def value_after(code: cython.ulonglong, last: cython.longlong) -> cython.longlong:
    """Undo ``code_after``."""
    zero: cython.ulonglong = fold(apart(0, last))
    if code == 0:
        code = zero
    elif code <= zero:
        code -= 1
    return onward(last, unfold(code))


@cython.final
@cython.cclass
class Cells:
    """A walk over fields: ``begin``, the fields, ``finish``; or ``read`` and the same fields in the same order.

    ``writing`` says which of the two it is.
    """

    writing: bool

    def __init__(self) -> None:
        self.writing = False
        self.short = False
        self.ts = self.frame = 0
        self.zeros = 0
        self.at = 0
        self.octets = b""
        if not cython.compiled:
            self.room = bytearray(SIZE)

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, ts: cython.longlong) -> cython.int:
        """Begin to write; times near *ts* will be short."""
        self.writing = True
        self.short = False
        self.ts = ts
        self.frame = 0
        self.zeros = 0
        self.at = 0
        return 0

    @cython.cfunc
    def finish(self) -> bytes:
        """Return what was written. Raises ``OverflowError`` beyond 4 KiB."""
        if self.zeros:
            self._flush()
        if self.short:
            raise OverflowError("more fields than there is room for")
        if cython.compiled:
            whole: bytes = cython.cast(cython.p_const_uchar, self.room)[: self.at]
        else:
            whole = bytes(self.room[: self.at])
        return whole

    @cython.cfunc
    @cython.exceptval(check=False)
    def read(self, octets: bytes, ts: cython.longlong) -> cython.int:
        """Begin to read what ``finish`` returned after ``begin(ts)``."""
        self.writing = False
        self.octets = octets
        self.ts = ts
        self.frame = 0
        self.zeros = 0
        self.at = 0
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _flush(self) -> cython.int:
        """Write the zeros that were only counted."""
        count: cython.ulonglong = self.zeros
        self.zeros = 0
        if count == 1:
            self.room[self.at] = 0
        else:
            self.room[self.at] = _ZEROS + count - 2
        self.at += 1
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def put(self, code: cython.ulonglong) -> cython.int:
        """Write a code."""
        start: cython.Py_ssize_t
        if code == 0:
            self.zeros += 1
            if self.zeros < _MOST_ZEROS:
                return 0
            if self.at + 16 > SIZE:
                self.short = True
                self.zeros = 0
                return 0
            self._flush()
            return 0
        if self.at + 16 > SIZE:
            self.short = True
            return 0
        if self.zeros:
            self._flush()
        start = self.at
        if code < _ZEROS:
            self.room[start] = code
            self.at = start + 1
        elif code < _PAIRS:
            code -= _ZEROS
            self.room[start] = _PAIR + (code >> 8)
            self.room[start + 1] = code & 0xFF
            self.at = start + 2
        else:
            self.at = start + 1
            while code:
                self.room[self.at] = code & 0xFF
                code >>= 8
                self.at += 1
            self.room[start] = _LONG + (self.at - start - 2)
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def get(self) -> cython.ulonglong:
        """Read a code; behind the end all are 0."""
        code: cython.ulonglong
        count: cython.Py_ssize_t
        start: cython.Py_ssize_t
        octets: cython.p_const_uchar = self.octets
        if self.zeros:
            self.zeros -= 1
            return 0
        if self.at >= len(self.octets):
            return 0
        code = octets[self.at]
        self.at += 1
        if code < _ZEROS:
            return code
        if code < _LONG:
            self.zeros = code - _ZEROS + 1
            return 0
        if code >= _PAIR:
            code = ((code - _PAIR) << 8 | octets[self.at]) + _ZEROS
            self.at += 1
            return code
        start = self.at
        count = code - _LONG + 1
        self.at += count
        code = 0
        while count > 0:
            count -= 1
            code = code << 8 | octets[start + count]
        return code

    @cython.cfunc
    @cython.exceptval(check=False)
    def number(self, value: cython.longlong) -> cython.longlong:
        """A value that is small, or often 0."""
        if self.writing:
            self.put(fold(value))
            return value
        return unfold(self.get())

    @cython.cfunc
    @cython.exceptval(check=False)
    def plain(self, value: cython.ulonglong) -> cython.ulonglong:
        """A value of 64 bits without a sign."""
        if self.writing:
            self.put(value)
            return value
        return self.get()

    @cython.cfunc
    @cython.exceptval(check=False)
    def flag(self, value: cython.bint) -> cython.bint:
        """True or false."""
        if self.writing:
            self.put(1 if value else 0)
            return value
        return self.get() != 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def near(self, value: cython.longlong, reference: cython.longlong) -> cython.longlong:
        """A value that is most often *reference*, which is known when it is read."""
        if self.writing:
            self.put(fold(apart(value, reference)))
            return value
        return onward(reference, unfold(self.get()))

    @cython.cfunc
    @cython.exceptval(check=False)
    def time(self, value: cython.longlong) -> cython.longlong:
        """A time in ns: 0 (never), or near the one before it."""
        if self.writing:
            self.put(code_after(value, self.ts))
        else:
            value = value_after(self.get(), self.ts)
        if value:
            self.ts = value
        return value

    @cython.cfunc
    @cython.exceptval(check=False)
    def seen(self, value: cython.longlong) -> cython.longlong:
        """The number of a frame: 0 (none), or near the one before it."""
        if self.writing:
            self.put(code_after(value, self.frame))
        else:
            value = value_after(self.get(), self.frame)
        if value:
            self.frame = value
        return value

    @cython.cfunc
    def text(self, value: bytes | None) -> bytes | None:
        """A few octets, or None."""
        count: cython.Py_ssize_t
        source: cython.p_const_uchar
        if self.writing:
            if value is None:
                self.put(0)
                return None
            count = len(value)
            self.put(count + 1)
            if self.at + count + 16 > SIZE:
                self.short = True
                return value
            if cython.compiled:
                source = value
                for i in range(count):
                    self.room[self.at + i] = source[i]
            else:
                self.room[self.at : self.at + count] = value
            self.at += count
            return value
        count = self.get()
        if count == 0:
            return None
        self.at += count - 1
        return self.octets[self.at - count + 1 : self.at]


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
