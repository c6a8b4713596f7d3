"""Octets in order: what arrives ahead of its turn waits here, what the decoder need not see is only counted.

Overlap: the first copy of an octet wins. A hole is never filled with anything: it is closed by the missing octets,
or, when their receiver has shown that it got them, by ``Decoder.on_gap``.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython

if cython.compiled:
    from cython.cimports.wire502.model.flow_cy import Connection, Decoder, Half, Piece
else:
    from wire502.model.flow_cy import Connection, Decoder, Half, Piece

# Typed: a plain module constant, or a literal beyond 31 bits, is a Python object to the compiler.
MAX_PIECES = cython.declare(cython.Py_ssize_t, 8192)
MAX_GAPS = cython.declare(cython.Py_ssize_t, 64)
LOW_32 = cython.declare(cython.uint, 0xFFFFFFFF)
# places in Half.lost
CAPTURE = 0
WIRE = 1
UNKNOWN = 2


@cython.cfunc
@cython.exceptval(-1, check=False)
def deliver(
    conn: Connection,
    half: Half,
    side: cython.int,
    octets: cython.p_const_uchar,
    n: cython.longlong,
    captured: cython.longlong,
    frame: cython.longlong,
    ts: cython.longlong,
    acks: cython.longlong,
) -> cython.int:
    """Hand *n* octets that stand at ``half.off`` to the decoder; *captured* of them are at hand.

    A frame that was cut short has fewer than *n*; -1 means that the octets were there, but were not kept.
    """
    decoder: Decoder | None = conn.decoder
    done: cython.longlong = 0
    step: cython.longlong
    if decoder is None:
        half.off += n
        half.nxt = (half.nxt + n) & LOW_32
        return 0
    decoder.acks = acks
    while done < n:
        if half.skip > 0:
            step = n - done
            if step > half.skip:
                step = half.skip
            half.skip -= step
            half.off += step
            half.nxt = (half.nxt + step) & LOW_32
            done += step
            if half.skip == 0:
                decoder.skip = 0
                decoder.on_skipped(side, half.off, frame, ts)
                half.skip = decoder.skip
            continue
        decoder.skip = 0
        if done >= captured:
            step = n - done
            if captured < 0:
                conn.unkept = True
            else:
                conn.snap_cut = True
            decoder.on_gap(side, half.off, step, frame, ts)
        else:
            if cython.compiled:
                step = decoder.on_octets(side, octets + done, captured - done, half.off, frame, ts)
            else:
                step = decoder.on_octets(side, octets[done:captured], captured - done, half.off, frame, ts)
            if step == -1:
                # The decoder says that the opener is the other side; nothing has been decoded so far.
                swap(conn)
                side = 1 - side
                conn.opener = 1
                continue
            if step == 0 or step > captured - done:
                step = captured - done
        half.skip = decoder.skip
        half.off += step
        half.nxt = (half.nxt + step) & LOW_32
        done += step
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def swap(conn: Connection) -> cython.int:
    """Exchange the roles of the two halves."""
    conn.a, conn.b = conn.b, conn.a
    if conn.local > 0:
        conn.local = ((conn.local & 1) << 1) | (conn.local >> 1)
    return 0


@cython.cfunc
def hold(
    conn: Connection,
    half: Half,
    octets: cython.p_const_uchar,
    n: cython.longlong,
    captured: cython.longlong,
    offset: cython.longlong,
    frame: cython.longlong,
    ts: cython.longlong,
    acks: cython.longlong,
    keep: cython.bint,
) -> cython.longlong:
    """Keep octets that stand ahead of ``half.off`` until the hole before them closes.

    Octets inside a skip are remembered by place only. Returns how many of them were new, -1 when the limit of pieces is
    reached.
    """
    pieces: list[Piece]
    piece: Piece
    end: cython.longlong = offset + n
    begin: cython.longlong = offset
    fresh: cython.longlong = 0
    stop: cython.longlong
    known: cython.longlong = min(n, captured)
    at: cython.Py_ssize_t
    low: cython.Py_ssize_t = 0
    middle: cython.Py_ssize_t
    if half.pieces is None:
        half.pieces = []
    pieces = half.pieces
    at = len(pieces)
    if at:
        piece = pieces[at - 1]
        if offset == piece.end and piece.octets is None and not (keep and end > half.off + half.skip):
            piece.end = end
            piece.frame = frame
            piece.ts_ns = ts
            return n
        if offset < piece.end:
            while low < at:  # the first piece that ends behind the beginning of these octets
                middle = (low + at) >> 1
                piece = pieces[middle]
                if piece.end <= offset:
                    low = middle + 1
                else:
                    at = middle
    # Pieces never overlap: of octets that are there already the first copy stays.
    while begin < end:
        stop = end
        if at < len(pieces):
            piece = pieces[at]
            if piece.offset <= begin:
                if conn.conflict is None and piece.octets is not None and begin - offset < known:
                    compare(
                        conn, piece.octets, piece.offset, piece.frame, piece.ts_ns, octets[:known], offset, frame, ts
                    )
                begin = piece.end
                at += 1
                continue
            if piece.offset < stop:
                stop = piece.offset
        if len(pieces) >= MAX_PIECES:
            return -1
        piece = Piece()
        piece.offset = begin
        piece.end = stop
        piece.frame = frame
        piece.ts_ns = ts
        piece.acks = acks
        if keep and stop > half.off + half.skip:
            piece.octets = octets[min(begin - offset, known) : min(stop - offset, known)]
            half.buffered += stop - begin
        pieces.insert(at, piece)
        at += 1
        fresh += stop - begin
        begin = stop
    return fresh


def compare(
    conn: Connection,
    old: bytes,
    old_offset: int,
    old_frame: int,
    old_ts: int,
    new: bytes,
    offset: int,
    frame: int,
    ts: int,
) -> None:
    """Remember the first pair of copies of the same octets that differ."""
    begin, end = max(old_offset, offset), min(old_offset + len(old), offset + len(new))
    if begin < end and old[begin - old_offset : end - old_offset] != new[begin - offset : end - offset]:
        conn.conflict = (old_frame, old_ts, frame, ts)


@cython.cfunc
@cython.exceptval(-1, check=False)
def drain(conn: Connection, side: cython.int) -> cython.int:
    """Deliver the pieces whose turn has come."""
    half: Half = conn.b if side else conn.a
    pieces: list[Piece] | None = half.pieces
    piece: Piece
    used: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t
    late: cython.longlong
    captured: cython.longlong
    data: bytes
    octets: cython.p_const_uchar
    if pieces is None:
        return 0
    count = len(pieces)
    while used < count:
        piece = pieces[used]
        if piece.offset > half.off:
            break
        used += 1
        if piece.octets is not None:
            half.buffered -= piece.end - piece.offset
        if piece.end <= half.off:
            continue
        late = half.off - piece.offset
        data = piece.octets if piece.octets is not None else b""
        captured = len(data) - late
        if captured < 0:
            captured = 0
        if cython.compiled:
            octets = data
            octets = octets + (late if captured else 0)
        else:
            octets = data[late:]
        if piece.octets is None:
            captured = -1
        if conn.a is half:
            side = 0
        else:
            side = 1
        deliver(conn, half, side, octets, piece.end - half.off, captured, piece.frame, piece.ts_ns, piece.acks)
    if used == count:
        half.pieces = None
        half.hole_acked_ts = 0
    elif used:
        del pieces[:used]
        piece = pieces[0]
        if half.acked <= piece.offset:
            half.hole_acked_ts = 0
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def finish_fin(conn: Connection, side: cython.int) -> cython.int:
    """Tell the decoder of the FIN once all octets before it have been delivered."""
    half: Half = conn.b if side else conn.a
    if half.fin_off >= 0 and not half.fin_done and half.off >= half.fin_off:
        half.fin_done = True
        if conn.decoder is not None:
            conn.decoder.on_fin(side, half.fin_frame, half.fin_ts)
    return 0


@cython.ccall
def release(conn: Connection, side: cython.int, now: cython.longlong, closing: cython.bint) -> cython.int:
    """Close the holes of one side that its receiver has acknowledged, as octets that the capture lost.

    The receiver must have acknowledged past the hole, and something behind it: data, or (with *closing*) the FIN.
    Returns the number of holes closed.
    """
    half: Half = conn.b if side else conn.a
    other: Half = conn.a if side else conn.b
    piece: Piece
    upto: cython.longlong
    acked: cython.longlong = half.acked
    closed: cython.int = 0
    if closing and other.rst_acks > acked and (other.rst_state == 1 or other.rst_state == 2):
        acked = other.rst_acks  # what an accepted RST says of the octets that it answers
    while True:
        if half.pieces is not None:
            piece = half.pieces[0]
            upto = piece.offset
            if conn.mid and half.off == 0 and acked >= upto:
                # Not a hole: the capture began behind these octets.
                half.off = upto
                half.nxt = (half.nxt + upto) & LOW_32
                drain(conn, side)
                continue
            if acked <= upto and len(half.pieces) < MAX_PIECES:
                half.hole_acked_ts = 0  # acknowledged up to its end only: the next acknowledgement raises it anew
                break
        elif closing and half.fin_off > half.off and acked > half.fin_off:
            upto = half.fin_off
        elif closing and acked > half.off and half.off == half.top and half.fin_off < 0:
            # acknowledged octets that were never captured, with nothing behind them: say so, decode nothing
            break
        else:
            break
        closed += 1
        leap(conn, half, side, upto, acked > upto, now)
        drain(conn, side)
        if closed > MAX_PIECES:
            break
    finish_fin(conn, side)
    return closed


@cython.cfunc
@cython.exceptval(-1, check=False)
def leap(
    conn: Connection,
    half: Half,
    side: cython.int,
    upto: cython.longlong,
    beyond: cython.bint,
    now: cython.longlong,
) -> cython.int:
    """Pass over the hole between ``half.off`` and *upto*; *beyond*: what stands behind it was acknowledged too."""
    decoder: Decoder | None = conn.decoder
    missing: cython.longlong = upto - half.off
    step: cython.longlong
    frame: cython.longlong = half.acked_frame
    in_head: cython.bint = half.skip < missing
    label = "capture" if beyond else "unknown"
    count_hole(half, CAPTURE if beyond else UNKNOWN)
    if half.gaps is None:
        half.gaps = []
    if len(half.gaps) < MAX_GAPS:
        half.gaps.append((label, half.off, missing, frame, half.acked_ts, bool(in_head)))
    while half.off < upto:
        step = upto - half.off
        if half.skip > 0:
            if step > half.skip:
                step = half.skip
            half.skip -= step
            half.off += step
            half.nxt = (half.nxt + step) & LOW_32
            if half.skip == 0 and decoder is not None:
                decoder.skip = 0
                decoder.on_skipped(side, half.off, frame, now)
                half.skip = decoder.skip
            continue
        if decoder is not None:
            decoder.skip = 0
            decoder.on_gap(side, half.off, step, frame, now)
            half.skip = decoder.skip
        half.off += step
        half.nxt = (half.nxt + step) & LOW_32
    return 0


def count_hole(half: Half, whose: int) -> None:
    """Count a hole; *whose* fault it was is a place in ``Half.lost``."""
    if half.lost is None:
        half.lost = [0, 0, 0]
    half.lost[whose] += 1


def holes(half: Half) -> tuple[int, int, int]:
    """Return how many holes one direction had by fault of the capture, of the wire, of nobody knows whom.

    What is open still counts too: octets that were never acknowledged were lost on their way, as far as can be seen.
    """
    capture, wire, unknown = half.lost or (0, 0, 0)
    if half.pieces:
        if half.acked <= half.off:
            wire += 1
        else:
            unknown += 1
    elif half.frames and half.acked > half.off + (1 if half.fin_off >= 0 else 0):
        unknown += 1
    return capture, wire, unknown


def _is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
