"""The middle of the pipeline with nobody who judges: frames in, connections and exchanges out, nothing thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from tests import wire_headers as headers
from tests.wire import Frame, Wire
from wire502.exchange.legs_cy import Legs
from wire502.exchange.tracker_cy import Tracker
from wire502.model.capture_info import Interface, RareFrame
from wire502.model.context import Context
from wire502.model.flow_cy import Connection, Decoder, Exchange, Observer
from wire502.model.frames_cy import Batch
from wire502.packet import PacketStage
from wire502.protocol.http1_cy import Http1
from wire502.tcp.connections_cy import Connections
from wire502.tcp.reassembly_cy import release

ETHERNET = 1
COOKED = 113
GATEWAY, UPSTREAM = 0, 1
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def batches(
    frames: Sequence[Frame], *, rows: int = 64, snaplen: int | None = None, cooked: bool = False
) -> list[Batch]:
    """Return *frames* as batches of at most *rows*, as a source would give them."""
    found = []
    count = max((frame.interface for frame in frames), default=0) + 1
    interfaces = [Interface(index, 0, COOKED if cooked else ETHERNET) for index in range(count)]
    link = "sll" if cooked else "ethernet"
    for start in range(0, len(frames), rows):
        part = frames[start : start + rows]
        batch = Batch(len(part))
        block = bytearray(b"\xee" * 3)
        for row, frame in enumerate(part):
            octets = headers.link_header(
                link, frame.ethertype, frame.source, frame.target, outgoing=frame.outgoing, vlan=frame.vlan
            )
            octets += frame.network
            batch.frame[row] = start + row + 1
            batch.ts_ns[row] = frame.time_ns
            batch.start[row] = len(block)
            batch.length[row] = len(octets)
            batch.captured[row] = len(octets) if snaplen is None else min(snaplen, len(octets))
            batch.interface[row] = frame.interface
            block += octets[:snaplen]
        batch.interfaces = list(interfaces)
        batch.data = memoryview(block)
        batch.count = len(part)
        found.append(batch)
    return found


def copy_of(exchange: Exchange) -> Any:
    """Return what an exchange says now; the record itself may be used again."""
    names = [name for name in dir(exchange) if name[0] != "_"]
    fields = {name: getattr(exchange, name) for name in names}
    return SimpleNamespace(**{name: value for name, value in fields.items() if not callable(value)})


class Watch:
    """``packet``, ``tcp`` and ``protocol`` on one capture; also the desk that the tracker calls.

    ``finished`` holds copies of the exchanges that went well, in the order in which they ended, ``alarms`` the
    connections that were laid on the desk as (stream, time, ended), ``rare_frames`` the frames beside TCP. With
    *forgetful* the decoders keep no head that nobody would ask for, were exchanges that went well not wanted.
    """

    def __init__(self, context: Context | None = None, forgetful: bool = False) -> None:
        self.context = context or Context(keep_exchanges=True)
        self.forgetful = forgetful
        self.known: list[Connection] = []
        self.finished_on: list[tuple[int, Any]] = []
        self.alarms: list[tuple[int, int, bool]] = []
        self.rare_frames: list[RareFrame] = []
        self.dues: list[int] = []
        self.stage = PacketStage()
        self.tracker = Tracker(self.context, self, self._decoder, Legs(self.context))
        self.connections = Connections(self.tracker, self.context)

    def _decoder(self, conn: Connection, observer: Observer) -> Decoder:
        self.known.append(conn)
        return Http1(conn, observer, self.context.max_head, self.context.max_pipelined, not self.forgetful)

    # The desk

    def settle(self, conn: Connection, now_ns: int, ended: bool) -> bool:
        self.resolve(conn, now_ns, closing=True)
        self.alarms.append((conn.stream, now_ns, ended))
        return True

    def resolve(self, conn: Connection, now_ns: int, closing: bool = False) -> None:
        release(conn, 0, now_ns, closing)
        release(conn, 1, now_ns, closing)

    def finished(self, conn: Connection, exchange: Exchange, now_ns: int) -> None:
        self.finished_on.append((conn.stream, copy_of(exchange)))

    def began(self, conn: Connection, exchange: Exchange) -> None:
        pass

    def rare(self, record: RareFrame) -> None:
        self.rare_frames.append(record)

    def due(self, now_ns: int) -> None:
        self.dues.append(now_ns)

    # What a test does and asks

    def feed(self, wire: Wire, **options: Any) -> Watch:
        """Take all frames of *wire*; *options* are those of ``batches``."""
        for batch in batches(wire.frames, **options):
            self.connections.interfaces(batch.interfaces)
            for segments in self.stage.segments(batch):
                self.connections.feed(segments)
        return self

    def finish(self) -> Watch:
        """End the capture."""
        known = self.connections.remaining()
        self.tracker.unveil(self.connections.up(known))
        self.tracker.finish(self.connections.awake(known), self.connections.now)
        return self

    @property
    def only(self) -> Connection:
        """The only connection."""
        assert len(self.known) == 1
        return self.known[0]

    def exchanges(self, stream: int = 0) -> list[Any]:
        """Return copies of all exchanges of a connection, in the order of their requests, done or not."""
        conn = self.known[stream]
        found = [exchange for of, exchange in self.finished_on if of == stream]
        found += [copy_of(exchange) for exchange in conn.pending or ()]
        if conn.decoder is not None:
            if conn.decoder.current is not None:
                found.append(copy_of(conn.decoder.current))
            found += [copy_of(exchange) for exchange in conn.decoder.queue or ()]
        return sorted(found, key=lambda exchange: int(exchange.number))

    def one(self) -> Any:
        """Return the only exchange of the only connection."""
        (exchange,) = self.exchanges(self.only.stream)
        return exchange


def watch(wire: Wire, context: Context | None = None, forgetful: bool = False, **options: Any) -> Watch:
    """Return what became of the frames of *wire*, the capture not being over."""
    return Watch(context, forgetful).feed(wire, **options)


def steps(conn: Connection) -> list[str]:
    """Return the names of the remembered frames of a connection, oldest first."""
    from wire502.model.flow_cy import STEP_NAMES

    return [STEP_NAMES[step[2]] for step in conn.steps()]
