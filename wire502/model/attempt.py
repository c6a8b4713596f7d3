"""What was seen of one attempt: the only thing that the failure kinds look at.

An attempt is one try of the gateway to get one request answered by one upstream. The records here say what the
wire showed, in stream offsets and frames; they hold no opinion. Offsets count payload octets of one direction from
the start of its stream (the octet after the SYN is 0; begun mid-connection: the first octet seen is 0).
"""

from __future__ import annotations

from typing import NamedTuple, Self

from wire502.model.capture_info import STAMP, place_of
from wire502.model.records import record

_new = tuple.__new__  # what the constructor of a named tuple comes down to


# not a class: typing would compile annotations that are strings, which takes a tenth of a start
_Place = NamedTuple("_Place", [("frame", int), ("file", int), ("time_ns", int)])  # noqa: UP014


class Point(_Place):
    """A frame that proves something: its number in its file, the file's index, its time (ns since 1970 UTC).

    A *frame* that bears the stamp of its file (``model.capture_info``) is of that file, whatever *file* says: a
    connection may go on in another file than it began in.
    """

    __slots__ = ()

    def __new__(cls, frame: int, file: int, time_ns: int) -> Self:
        """Return the point, without a stamp."""
        if frame >= STAMP:
            frame, file = place_of(frame, file)
        return _new(cls, (frame, file, time_ns))

    def before(self, other: Point) -> bool:
        """Whether this frame comes before *other*: by number in the same file, by time in another one."""
        return self.frame < other.frame if self.file == other.file else self.time_ns < other.time_ns


@record()
class Step:
    """One rung of the ladder: a noteworthy frame, or a run of in-order data as one.

    ``what`` is one of ``syn syn_ack ack data request response interim fin rst probe retransmission zero_window
    unreachable address_request gap``; ``count`` frames and ``octets`` of payload are folded into it.
    """

    point: Point
    from_gateway: bool
    what: str
    octets: int = 0
    count: int = 1
    note: str = ""


@record()
class Closing:
    """A FIN or RST as captured."""

    point: Point
    offset: int | None  # where it stands in its own direction's stream; None: unknown (begun mid-connection)
    acks: int | None  # offset of the other direction that it acknowledges; None: no ACK flag, or unknown
    ttl: int = 0
    ip_id: int = -1
    window: int = 0
    dont_fragment: bool = False
    timestamps: bool = False
    # RST only: None not decided, True accepted by its receiver, False ignored (outside the window, or the receiver
    # went on as if nothing had happened)
    accepted: bool | None = None
    # RST only: its sequence number equals the ACK number that the gateway's request carried
    echoes_request_ack: bool = False


@record()
class Manners:
    """How the packets of one sender look (RSTs aside), to compare a RST with, and how large they grew."""

    ttl: int = 0  # of the last one; 0: none seen
    dont_fragment: bool = False  # of the first one
    timestamps: bool = False  # its SYN had the option
    ip_id: int = -1  # of the last one, and of the one before it
    ip_id_before: int = -1
    window: int = 0  # last advertised, unscaled
    mss: int = 0  # announced for what it receives; 0: unknown
    largest: int = 0  # payload of its largest segment


@record()
class TooBig:
    """An ICMP error about a segment of this connection that asks for smaller packets."""

    point: Point
    sender: str  # address
    from_gateway: bool  # it is about a segment of the gateway
    mtu: int  # 0: not said


@record()
class Unreachable:
    """An ICMP error that quotes a segment of this connection, or an address that nobody answered for."""

    point: Point
    quoted_syn: bool  # the quoted sequence number is that of the SYN
    text: str  # "host unreachable", "port unreachable", "time exceeded", "no ARP reply", ...
    sender: str  # address
    from_gateway: bool = False  # the gateway's own host said so


@record()
class Handshake:
    """How the connection began."""

    syns: tuple[Point, ...] = ()  # every SYN of the opener with this sequence number, oldest first (at most 16)
    syn_acks: tuple[Point, ...] = ()  # at most 16
    ack: Point | None = None  # the opener's first acknowledgement of the SYN-ACK
    refused: Point | None = None  # RST,ACK with ack = ISN + 1 before any SYN-ACK
    unreachable: Unreachable | None = None
    mid_connection: bool = False  # the capture began after the handshake
    numbered: bool = False  # the RST of ``refused`` has a sequence number of its own, as behind a SYN-ACK
    refusal: Closing | None = None  # how the RST of ``refused`` looks

    @property
    def done(self) -> bool:
        """Whether a SYN-ACK was seen, or the connection was open before the capture began."""
        return bool(self.syn_acks) or self.mid_connection


@record()
class Request:
    """The request of the attempt, as far as it was seen on this connection."""

    first: Point  # frame with its first octet
    last: Point  # frame with the last octet seen of it
    start: int  # offset of its first octet
    end: int  # offset after the last octet sent so far (after the whole request once ``whole``)
    whole: bool  # the gateway sent all of it (head and body by its own framing)
    method: str = ""
    target: str = ""  # octets that are no UTF-8 and controls as \xNN; cut at 8192 octets
    target_length: int = 0
    host: str | None = None
    id: str | None = None  # correlation header
    trace: tuple[str, str] | None = None  # of a traceparent: trace id, and id of the span that asked
    expects_continue: bool = False
    http: bool = True  # False: opaque octets, no HTTP request
    cut: bool = False  # parts of it are not in the capture


@record()
class Violation:
    """The first octet of the response that the grammar forbids."""

    part: str  # "status_line", "header", "framing" (contradicting or unusable Content-Length …), "chunk"
    point: Point  # frame that carried the octet
    offset: int  # of the octet in the response direction's stream
    why: str  # "space before colon", "no three-digit status", "chunk size is no hexadecimal number", ...
    looks_like: str | None = None  # "tls", "h2", "ssh", "fastcgi", "html", ... of foreign first octets
    framing_lost: bool = False  # the end of the response cannot be found even by a forgiving reader


@record()
class Response:
    """The final response of the attempt, as far as it was seen."""

    first: Point  # frame with its first octet
    last: Point  # last frame that brought new octets of it
    start: int  # offset of its first octet
    status: int | None = None
    status_point: Point | None = None
    head_end: Point | None = None  # frame with the empty line; None: head not complete
    head_bytes: int = 0  # with the empty line; so far, when incomplete
    body_bytes: int = 0  # octets on the wire after the head, chunk framing included
    expected_body_bytes: int | None = None  # Content-Length; None when chunked or close-delimited
    framing: str = "none"  # "length" "chunked" "close" "none" "tunnel" "unknown" (parts of the head not captured)
    complete: bool = False
    content_type: str | None = None
    server: str | None = None
    via: str | None = None
    marks: tuple[tuple[str, str], ...] = ()  # fields that caches and delivery networks add: name, value
    cut: bool = False  # octets of head or chunk framing are not in the capture: the end cannot be known
    over_limit: Point | None = None  # frame that took the head over ``Context.header_limit``


@record()
class Silence:
    """The longest wait of the attempt that nothing but its end broke."""

    since: Point  # last frame that made progress before it
    until: Point | None  # the frame that ended it; None: the capture's end
    seconds: float  # from the last progress
    seconds_since_request: float | None  # from the request's last octet


@record()
class Gap:
    """Octets that are not there. ``label`` is ``capture``, ``wire`` or ``unknown`` (vocabulary: what was not seen)."""

    label: str
    from_gateway: bool
    offset: int
    octets: int
    point: Point  # the frame that showed it
    in_head: bool = False  # inside a head or chunk line, so that framing was lost
    before_close: bool = False  # right before the FIN or RST


@record()
class ClientView:
    """What the client got for this attempt, from the client leg."""

    point: Point
    outcome: str  # as output.md: complete error cut closed_without_response reset pending
    status: int | None
    connection: str
    request_point: Point
    left_first: Point | None = None  # the client's FIN or RST before it had its response
    zero_window: bool = False
    idle: bool = False  # the client stopped sending its request body
    score: float = 1.0
    by: tuple[str, ...] = ()
    runner_up: float | None = None
    answer: Point | None = None  # first frame of the response; ``point`` is where its fate was sealed
    hidden: bool = False  # octets that the client got are not in the capture: it may have had its answer
    skew_ns: int = 0  # what was added to the times of these points to put them on the upstream leg's clock


@record()
class Attempt:
    """Everything that was seen of one attempt, at the moment when it is judged."""

    stream: int
    gateway: str  # endpoint text
    upstream: str
    first_frame: int  # of the connection, in the file ``first_file``
    exchange: int  # number of the exchange on its connection, from 1; 0: none began
    reused: bool  # an earlier exchange (or evidence of one) was on this connection
    opener_known: bool  # False: who opened the connection is a guess
    handshake: Handshake
    judged_at_ns: int
    capture_ended: bool  # judged because the capture ended, not because something happened
    is_http: bool = True  # False: only transport facts may be judged
    protocol: str = "http/1.1"
    request: Request | None = None
    response: Response | None = None
    interim: tuple[tuple[int, Point], ...] = ()  # 1xx responses
    violation: Violation | None = None
    oddities: tuple[str, ...] = ()
    secondary: bool = False  # stands behind another outstanding request on the same connection
    upgraded: bool = False  # 101 or CONNECT: a tunnel now
    streaming: bool = False  # text/event-stream, multipart/x-mixed-replace, gRPC: silence is normal
    # closes, in the order of the wire for each side; the earliest of each (an ignored RST has accepted=False)
    upstream_fin: Closing | None = None
    upstream_rst: Closing | None = None
    gateway_fin: Closing | None = None
    gateway_rst: Closing | None = None
    later_from_upstream: Point | None = None  # payload of the upstream after its RST or the gateway's RST
    # acknowledgement of the request direction by the upstream
    upstream_acked: int | None = None  # highest offset acknowledged; None: none seen
    upstream_acked_point: Point | None = None  # frame that acknowledged it first
    upstream_acked_point_rtt_ms: float | None = None
    gateway_sent: int = 0  # highest offset of the request direction seen, whatever request it belongs to
    gateway_acked: int | None = None  # highest offset of the response direction acknowledged by the gateway
    gateway_fin_ack_of_upstream_fin: Point | None = None  # where the gateway first acknowledged the upstream's FIN
    request_retransmissions: int = 0  # of the oldest unacknowledged octets of the gateway, in this attempt
    request_retransmitted_last: Point | None = None
    response_retransmissions: int = 0
    response_retransmitted_last: Point | None = None
    upstream_window_zero: Point | None = None  # first frame of a zero window that still lasts
    gateway_window_zero: Point | None = None
    last_from_upstream: Point | None = None  # any frame
    last_from_gateway: Point | None = None
    unanswered_since: Point | None = None  # opaque connections: the opener's last write that nothing answered
    silence: Silence | None = None
    excess: bool = False  # octets after a complete response came before this request and nothing else answered it
    foreign_answer: int | None = None  # status of a response that stood on the connection before the request (408 …)
    next_request: Point | None = None  # the gateway sent a further request on this connection afterwards
    connection_kept_ns: int | None = None  # the gateway kept the connection open for so long after the response
    gaps: tuple[Gap, ...] = ()
    one_sided: str | None = None  # "gateway" or "upstream": the only direction that was captured
    ladder: tuple[Step, ...] = ()
    client: ClientView | None = None
    first_file: int = 0
    client_leg_seen: bool = False  # the capture holds client legs of this gateway
    unattempted: bool = False  # no attempt at all: the record stands for a client's request that was never passed on
    own_answer: tuple[bytes, bytes] | None = (
        None  # unattempted: head and page of the error that the gateway gave itself
    )
    client_candidates: int = 0  # client requests that came into question, where no single one was found
    neighbour_answered: Point | None = None  # another connection to the endpoint was answered within 60 s
    later_success: Point | None = None  # IPv4 success within 300 ms after a refused IPv6 attempt
    overlap_conflict: tuple[Point, Point] | None = None  # retransmission with other octets: first copy, second copy
    dropped_nearby: int = 0  # packets that the capture says it lost around this attempt
    dropped_sometime: int = 0  # ... and that it lost at some time in a long while, in which the attempt lies
    clock_step: Point | None = None
    snaplen_cut: bool = False
    unkept: bool = False  # octets ahead of their turn were too many to be kept in memory: what they said is unknown
    evicted: bool = False
    response_from: int | None = None  # offset in the response direction where the final response would begin
    next_attempt: Point | None = None  # the gateway tried again elsewhere for the same client request
    similar_silence: bool = False  # another attempt of the capture ended in the same way after the same wait (2 %)
    excess_point: Point | None = None  # frame with the first of the octets that ``excess`` or ``foreign_answer`` tell
    idle_since: Point | None = None  # on a reused connection: the last octets of the upstream before this request
    upstream_manners: Manners | None = None
    gateway_manners: Manners | None = None
    too_big: TooBig | None = None
    # an empty segment of the upstream whose number tells of response octets before it that were never seen: how many
    upstream_ahead: int = 0
    upstream_ahead_point: Point | None = None
    client_request_open: bool | None = None  # a client request was open when it began; None: cannot be told
    # offset of the response direction that the first frame of the request acknowledged; None: unknown, or the request
    # was sent before the answers to earlier ones had come (pipelining)
    request_acks: int | None = None
