"""What few attempts have: an ICMP error, packets that the capture itself lost, a request that nobody passed on."""

from __future__ import annotations

from collections.abc import Sequence

from wire502.model import head_fields
from wire502.model.attempt import Attempt, Handshake, Point, Request, TooBig, Unreachable
from wire502.model.capture_info import DropReport, RareFrame, place_of
from wire502.model.endpoints import address_text, endpoint_text
from wire502.model.flow_cy import Connection

_LONG_NS = 60 * 10**9  # a counter of losses that covers more says nothing of any one moment

_UNREACHABLE = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "communication administratively prohibited",
}
_UNREACHABLE_6 = {
    0: "no route to destination",
    1: "communication administratively prohibited",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed policy",
    6: "route rejected",
}


def unreachable(conn: Connection, record: RareFrame, quotes_syn: bool, file: int) -> Unreachable:
    """Return what the ICMP error *record*, a frame of *file*, says of *conn*."""
    if record.kind == "time_exceeded":
        text = "time exceeded"
    else:
        texts = _UNREACHABLE_6 if record.icmp_version == 6 else _UNREACHABLE
        text = texts.get(record.icmp_code, f"unreachable (code {record.icmp_code})")
    return Unreachable(
        point=Point(record.frame, file, record.ts_ns),
        quoted_syn=quotes_syn,
        text=text,
        sender=address_text(*record.sender),
        from_gateway=record.sender == (conn.a.high, conn.a.low),
    )


def too_big(conn: Connection, record: RareFrame, file: int) -> TooBig:
    """Return what the ICMP error *record*, a frame of *file*, asks of *conn*."""
    return TooBig(
        Point(record.frame, file, record.ts_ns),
        address_text(*record.sender),
        record.quoted_source == (conn.a.high, conn.a.low),
        record.mtu,
    )


def unattempted(conn: Connection, head: bytes, asked: Point, now_ns: int) -> Attempt:
    """Return the record of a client's request on *conn*, begun at *asked*, for which no attempt was seen."""
    method, target, length, host = head_fields.request_names(head)
    first = Point(conn.first_frame, conn.file, conn.first_ts)
    attempt = Attempt(
        stream=conn.stream,
        gateway=endpoint_text(conn.b.high, conn.b.low, conn.b.port),
        upstream="",
        first_frame=first.frame,
        first_file=first.file,
        exchange=0,
        reused=False,
        opener_known=True,
        handshake=Handshake(),
        judged_at_ns=now_ns,
        capture_ended=False,
        request=Request(asked, asked, 0, len(head), True, method, target, length, host, head_fields.correlation(head)),
    )
    attempt.unattempted = True
    attempt.client_leg_seen = True
    return attempt


def dropped(drops: Sequence[DropReport], conn: Connection, attempt: Attempt) -> tuple[int, int]:
    """Return how many packets the files of *conn* say were lost while the attempt lasted: around it, sometime.

    A counter of a long while (dumpcap writes one for the whole capture) says little of any one moment in it.
    """
    request, shake = attempt.request, attempt.handshake
    since = request.first.time_ns if request is not None else shake.syns[0].time_ns if shake.syns else None
    if since is None:
        return 0, 0
    files = {conn.file, *(place_of(half.last_frame, conn.file)[1] for half in (conn.a, conn.b))}
    until = attempt.judged_at_ns
    nearby = sometime = 0
    for drop in drops:
        if drop.file not in files or drop.to_ns < since:
            continue
        if drop.from_ns is None or drop.to_ns - drop.from_ns > _LONG_NS:
            sometime += drop.count if drop.from_ns is None or drop.from_ns <= until else 0
        elif drop.from_ns <= until:
            nearby += drop.count
    return nearby, sometime
