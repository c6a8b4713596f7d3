"""TCP options (RFC 9293 section 3.1, RFC 7323, RFC 2018): the few that later stages ask about."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

HAS_TIMESTAMP = cython.declare(cython.uint, 0x4000)  # as in model.frames_cy
HAS_SACK = cython.declare(cython.uint, 0x8000)
MOST_SCALE = cython.declare(cython.int, 14)  # RFC 7323 section 2.3: a larger shift is to be taken for this one


@cython.cclass
class Options:
    """What one header's options said: ``ts_value`` (0 none), ``mss`` (0 none), ``scale`` (-1 none)."""

    ts_value: int
    mss: int
    scale: int

    @cython.cfunc
    def read(
        self, octets: cython.p_const_uchar, at: cython.Py_ssize_t, end: cython.Py_ssize_t, syn: cython.bint
    ) -> cython.uint:
        """Read the options in [at, end) and return the bits of ``Segments.flags`` for them.

        The last of repeated options counts; none counts that was cut or has another length than its RFC says.
        Maximum segment size and window scale mean something in a *syn* only.
        """
        bits: cython.uint = 0
        size: cython.Py_ssize_t
        kind: cython.int
        value: cython.uint
        self.ts_value = 0
        self.mss = 0
        self.scale = -1
        while at < end:
            kind = octets[at]
            if kind == 1:
                at += 1
                continue
            if kind == 0 or at + 1 >= end:
                break
            size = octets[at + 1]
            if size < 2 or size > end - at:
                break
            if kind == 8 and size == 10:
                value = octets[at + 2]  # no casts: each would cost the interpreter a call
                value = value << 8 | octets[at + 3]
                value = value << 8 | octets[at + 4]
                self.ts_value = value << 8 | octets[at + 5]
                bits |= HAS_TIMESTAMP
            elif kind == 5 and size >= 10:
                bits |= HAS_SACK
            elif syn and kind == 2 and size == 4:
                self.mss = octets[at + 2] << 8 | octets[at + 3]
            elif syn and kind == 3 and size == 3:
                self.scale = min(octets[at + 2], MOST_SCALE)
            at += size
        return bits
