"""The line of an attempt that got no further than one packet, and of which nothing else is known: without judging it.

A flood leaves hundreds of thousands of these when the capture ends or memory is full, and all that can be said of one
is that it waits. It says what ``diagnosis`` says of the attempt that ``attempts_cy.build`` makes of the same
connection; a test holds the two together.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Half
else:
    from wire502.model.flow_cy import Connection, Decoder, Half

from wire502.model.capture_info import place_of
from wire502.model.endpoints import endpoint_text
from wire502.model.flow_cy import RST_NONE
from wire502.model.verdict import ConnectionRef, Open

_RST_NONE = cython.declare(cython.int, RST_NONE)
_UNDER_LOAD = "the connection was dropped from memory under load before it "


def waiting_line(conn: Connection, now_ns: int, deadline_ns: int) -> Open | None:
    """Return the line of a connection of one packet that waits for less than *deadline_ns*; None: judge it.

    To be asked only where no client leg is in the capture, and its clock made no step.
    """
    a: Half = conn.a
    b: Half = conn.b
    decoder: Decoder | None = conn.decoder
    now: cython.longlong = now_ns
    deadline: cython.longlong = deadline_ns
    frame: cython.longlong
    ts: cython.longlong
    why: str
    if a.frames != 1 or b.frames != 0 or now - conn.first_ts >= deadline or now < conn.first_ts:
        return None
    if a.fin_off >= 0 or a.rst_state != _RST_NONE or b.fin_off >= 0 or b.rst_state != _RST_NONE:
        return None
    if decoder is None or decoder.exchanges or decoder.current is not None or decoder.http or decoder.tunnel:
        return None
    if conn.pending is not None or conn.unreachable is not None or conn.too_big is not None or conn.snap_cut:
        return None
    if conn.established:
        if a.top <= 0 or a.progress_frame == 0 or a.pieces is not None or a.gaps is not None:
            return None
        frame = conn.opaque_frame or a.progress_frame
        ts = conn.opaque_ts or a.progress_ts
        why = "the last octets of the gateway were not answered when the capture ended"
        if conn.evicted:
            why = _UNDER_LOAD + "ended"
    else:
        if conn.mid or conn.syn_frame == 0 or a.top > 0:
            return None
        frame = conn.syn_frame
        ts = conn.syn_ts
        why = "the SYN was not answered, and nothing shows that the gateway gave up on it"
        if conn.evicted:
            why = _UNDER_LOAD + "was answered"
    number, file = place_of(frame, conn.file)
    first, first_file = place_of(conn.first_frame, conn.file)
    return Open(
        ConnectionRef(
            conn.stream,
            endpoint_text(a.high, a.low, a.port),
            endpoint_text(b.high, b.low, b.port),
            first,
            0,
            False,
            first_file,
        ),
        None,
        None,
        number,
        file,
        ts,
        why,
    )


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
