"""The two sides of a TCP connection, for ``wire.py``, which says how to use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from tests import wire_headers as headers
from tests.wire_headers import ACK, FIN, PSH, RST, SYN, Address

if TYPE_CHECKING:
    from tests.wire import Wire

CLOSE_NS = 10_000  # between two frames of the same sender


class Connection:
    """Two sides of one TCP connection; ``client`` is the opener.

    ``rtt`` in seconds; ``client_isn`` and ``server_isn`` choose the initial sequence numbers; ``vlan`` is the
    tuple of tags, outermost first; ``mss``, ``scale``, ``sack``, ``timestamps`` choose options; ``local`` says which
    side the capture was made at.
    """

    def __init__(
        self,
        wire: Wire,
        client: tuple[Address, int],
        server: tuple[Address, int],
        *,
        rtt: float = 0.001,
        client_isn: int | None = None,
        server_isn: int | None = None,
        vlan: tuple[int, ...] = (),
        interface: int = 0,
        mss: int | None = 1460,
        scale: int | None = None,
        sack: bool = True,
        timestamps: bool = False,
        local: str = "client",
    ) -> None:
        self.wire = wire
        self.rtt_ns = round(rtt * 1e9)
        self.vlan = vlan
        self.interface = interface
        self.mss, self.scale, self.sack, self.timestamps = mss, scale, sack, timestamps
        number = len(wire.connections) + 1
        self.client = Side(self, *client, 1_000_000 * number if client_isn is None else client_isn)
        self.server = Side(self, *server, 2_000_000_000 + 1_000_000 * number if server_isn is None else server_isn)
        self.local = self.client if local == "client" else self.server
        for side, peer in ((self.client, self.server), (self.server, self.client)):
            side.peer = peer
            side.expected = peer.isn
        self.last_sender = self.server

    def handshake(self, **options: Any) -> list[int]:
        """SYN, SYN-ACK, ACK; return the three frame numbers. *options* go to each ``Side.segment``."""
        return [self.client.syn(**options), self.server.syn_ack(**options), self.client.ack(**options)]

    def established(self) -> Connection:
        """Do the handshake before the capture begins, and return the connection."""
        self.handshake(drop=True)
        return self


@dataclass(slots=True, eq=False)
class Side:
    """One side of a connection. Its numbers are unwrapped: they never fall back to 0 at 2**32."""

    connection: Connection
    address: Address
    port: int
    isn: int
    seq: int = field(init=False)  # of the next new octet
    expected: int = field(init=False)  # of the peer, next in order
    beyond: list[tuple[int, int]] = field(default_factory=list)  # got out of order, sorted, apart
    peer: Side = field(init=False, repr=False)
    window: int = 64_240
    ttl: int = 64
    opened: bool = False  # has sent its SYN
    ts_recent: int = 0
    last: tuple[int, int, bytes] | None = None  # unwrapped seq, flags, payload of the last new segment

    def __post_init__(self) -> None:
        self.seq = self.isn

    def syn(self, **options: Any) -> int:
        """Send a SYN; again: its retransmission."""
        return self._synchronise(SYN, options)

    def syn_ack(self, **options: Any) -> int:
        """Send a SYN-ACK; again: its retransmission."""
        return self._synchronise(SYN | ACK, options)

    def _synchronise(self, flags: int, options: dict[str, Any]) -> int:
        payload = options.pop("payload", b"")
        number = self.segment(flags, payload, **{"seq": self.isn, **options})
        self.opened = True
        self.seq = max(self.seq, self.isn + 1 + len(payload))
        return number

    def ack(self, **options: Any) -> int:
        """Acknowledge everything that arrived in order."""
        return self.segment(ACK, **options)

    @overload
    def send(self, data: bytes, mss: None = None, **options: Any) -> int: ...
    @overload
    def send(self, data: bytes, mss: int, **options: Any) -> list[int]: ...
    def send(self, data: bytes, mss: int | None = None, **options: Any) -> int | list[int]:
        """Send *data* in one segment, or in segments of *mss* octets; return the frame number, or their list."""
        if mss is None:
            return self.segment(PSH | ACK, data, **options)
        pieces = [data[start : start + mss] for start in range(0, len(data), mss)]
        numbers = [self.segment(ACK, piece, **options) for piece in pieces[:-1]]
        return [*numbers, self.segment(PSH | ACK, pieces[-1], **options)]

    def fin(self, data: bytes = b"", **options: Any) -> int:
        """Close this direction, after a last *data*."""
        return self.segment(FIN | ACK, data, **options)

    def reset(self, *, bare: bool = False, **options: Any) -> int:
        """Send RST,ACK, or with *bare* a RST without ACK. A side that never opened answers with sequence number 0."""
        if not self.opened and self.seq == self.isn:
            options.setdefault("seq", 0)
        return self.segment(RST if bare else RST | ACK, **options)

    def keep_alive(self, data: bytes = b"", **options: Any) -> int:
        """Send a keep-alive: an old sequence number, none or one octet."""
        return self.segment(ACK, data, **{"seq": self.seq - 1, **options})

    def retransmit(self, number: int | None = None, **options: Any) -> int:
        """Send what frame *number* of this side carried once more (None: the last new segment, captured or not)."""
        sent = self.last
        if number is not None:
            frame = self.connection.wire.frames[number - 1].sent
            if frame is None or frame[0] is not self:
                raise ValueError(f"frame {number} is no segment of {self.address}:{self.port}")
            sent = frame[1:]
        if sent is None:
            raise ValueError(f"{self.address}:{self.port} has sent nothing yet")
        seq, flags, payload = sent
        return self.segment(flags, payload, **{"seq": seq, **options})

    def segment(
        self,
        flags: int | str,
        payload: bytes = b"",
        *,
        seq: int | None = None,
        ack: int | None = None,
        window: int | None = None,
        ttl: int | None = None,
        ip_id: int | None = None,
        ip_length: int | None = None,
        at: float | None = None,
        drop: bool = False,
        lost: bool = False,
        bad_checksum: bool = False,
        comment: str = "",
        interface: int | None = None,
    ) -> int:
        """Send one segment and return its frame number, 0 when the capture did *drop* it.

        *flags* are bits or letters (``"PA"``). Without *seq* the segment is new: it advances ``seq``. With one (as on
        the wire or unwrapped) it does not. What arrives counts for the peer's acknowledgements, also when out of
        order, unless it is *lost*.
        """
        connection, wire = self.connection, self.connection.wire
        bits = flags if isinstance(flags, int) else sum(headers.FLAG_LETTERS[letter] for letter in flags)
        wire.clock_ns += connection.rtt_ns if self._answers() else CLOSE_NS
        connection.last_sender = self
        first = self.seq if seq is None else _unwrapped(seq, self.seq)
        last = first + len(payload) + bool(bits & SYN) + bool(bits & FIN)
        if seq is None:
            self.seq = last
        if seq is None or last > self.seq:
            self.last = (first, bits, payload)
        stamp = wire.clock_ns // 10**6 + (self.isn & 0xFFFF)
        segment = headers.tcp(
            (self.address, self.port),
            (self.peer.address, self.peer.port),
            seq=first,
            ack=(self.expected if ack is None else ack) if bits & ACK else 0,
            flags=bits,
            window=self.window if window is None else window,
            options=self._options(bits, stamp),
            payload=payload,
            bad_checksum=bad_checksum,
        )
        if not lost:
            self.peer.receive(first, last, stamp)
        identification = wire.next_ip_id(self.address) if ip_id is None else ip_id
        if drop:
            wire.pass_until(at)
            return 0
        network = headers.ip(
            self.address,
            self.peer.address,
            headers.PROTOCOL_TCP,
            segment,
            ttl=self.ttl if ttl is None else ttl,
            ip_id=identification,
            length=ip_length,
        )
        return wire.packet(
            network,
            self.address,
            self.peer.address,
            at=at,
            outgoing=self is connection.local,
            vlan=connection.vlan,
            interface=connection.interface if interface is None else interface,
            comment=comment,
            sent=(self, first, bits, payload),
        )

    def receive(self, first: int, last: int, stamp: int) -> None:
        """Take the peer's octets from *first* up to *last* (not included), in whatever order they come."""
        self.ts_recent = stamp
        if last <= self.expected or first == last:
            return
        self.beyond = sorted([*self.beyond, (first, last)])
        while self.beyond and self.beyond[0][0] <= self.expected:
            self.expected = max(self.expected, self.beyond.pop(0)[1])

    def _answers(self) -> bool:
        return self is not self.connection.local and self.connection.last_sender is not self

    def _options(self, bits: int, stamp: int) -> bytes:
        connection = self.connection
        if bits & RST:
            return b""
        stamps = (stamp, self.ts_recent) if connection.timestamps else None
        if bits & SYN:
            return headers.tcp_options(
                mss=connection.mss, scale=connection.scale, sack_permitted=connection.sack, timestamps=stamps
            )
        return headers.tcp_options(timestamps=stamps, sack=self.beyond if connection.sack and bits & ACK else None)


def _unwrapped(seq: int, near: int) -> int:
    """Return the number that is *seq* on the wire and lies closest to *near*."""
    return near + (seq - near + 2**31) % 2**32 - 2**31
