"""Random conversations: a few connections side by side, each with a random story, sizes, segments and losses."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.property.transform import Raw, load
from tests.wire import Wire
from tests.wire_tcp import Connection

ENDS = ("fin", "rst", "idle", "gateway fin", "gateway rst", "stall")
Draw = Callable[[st.SearchStrategy[int]], int]


@st.composite
def conversations(draw: Draw) -> list[Raw]:
    """Return the frames of up to four connections, merged by time."""
    frames: list[Raw] = []
    for number in range(draw(st.integers(1, 4))):
        wire = Wire(start_ns=1_700_000_000 * 10**9 + draw(st.integers(0, 3_000_000)) * 1000)
        version = draw(st.booleans())
        gateway, upstream = ("[2001:db8::1]", "[2001:db8::2]") if version else ("10.0.0.1", "10.0.0.2")
        connection = wire.connection(
            f"{gateway}:{41000 + number}",
            f"{upstream}:8080",
            # never those of another connection: that would be the same packet on both sides of a translation
            client_isn=8 * draw(st.integers(0, 2**29 - 1)) + number,
            server_isn=8 * draw(st.integers(0, 2**29 - 1)) + number,
            timestamps=bool(draw(st.booleans())),
            rtt=draw(st.integers(200, 40_000)) / 1e6,
        )
        _story(draw, wire, connection)
        frames += load(wire.octets("pcap", nanoseconds=True))
    frames.sort(key=lambda frame: frame.time_ns)
    return [
        Raw(identity, frame.time_ns, frame.octets, frame.length, frame.link) for identity, frame in enumerate(frames, 1)
    ]


def _story(draw: Draw, wire: Wire, connection: Connection) -> None:
    if not draw(st.integers(0, 9)):
        connection.client.syn()
        connection.server.reset()
        return
    connection.handshake()
    for number in range(draw(st.integers(0, 3))):
        if not _exchange(draw, wire, connection, f"/{connection.client.port}/{number}"):
            return
        wire.sleep(draw(st.integers(0, 2_000_000)) / 1e6)
    end = ENDS[draw(st.integers(0, 2))]
    if end == "fin":
        connection.server.fin()
        connection.client.fin()
        connection.server.ack()
    elif end == "rst":
        connection.server.reset()


def _exchange(draw: Draw, wire: Wire, connection: Connection, target: str) -> bool:
    """Add an exchange; return whether the connection goes on."""
    connection.client.send(f"GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
    connection.server.ack()
    wire.sleep(draw(st.integers(100, 400_000)) / 1e6)
    size = draw(st.integers(0, 6000))
    if draw(st.booleans()):
        framing, body = b"Content-Length: %d\r\n" % size, b"x" * size
    else:
        chunks = b"".join(b"%x\r\n%s\r\n" % (part, b"y" * part) for part in (size // 2, size // 3) if part)
        framing, body = b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n"
    response = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + body
    whole = draw(st.integers(0, 3)) > 0
    cut = len(response) if whole else draw(st.integers(0, len(response) - 1))
    mss = draw(st.integers(100, 1460))
    for start in range(0, cut, mss):
        piece = response[start : min(start + mss, cut)]
        if not draw(st.integers(0, 7)):
            lost = connection.server.send(piece, lost=True)
            wire.sleep(0.2)
            connection.server.retransmit(lost)
        else:
            connection.server.send(piece)
        connection.client.ack()
    if whole:
        return True
    _break_off(ENDS[draw(st.integers(0, len(ENDS) - 1))], wire, connection)
    return False


def _break_off(end: str, wire: Wire, connection: Connection) -> None:
    if end == "fin":
        connection.server.fin()
        connection.client.fin()
        connection.server.ack()
    elif end == "rst":
        connection.server.reset()
    elif end == "gateway fin":
        connection.client.fin()
        connection.server.fin()
        connection.client.ack()
    elif end == "gateway rst":
        connection.client.reset()
    elif end == "stall":
        wire.sleep(30.004)
        connection.client.reset()
