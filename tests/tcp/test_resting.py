"""Connections that rest: each field comes back as it was, and none can be forgotten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import GET, OK, Watch
from tests.wire import Wire
from wire502.model.cells_cy import Cells
from wire502.model.flow_cy import Connection, Half
from wire502.protocol.http1_cy import Http1
from wire502.tcp.resting_cy import NOT_PACKED, pack, unpack

ROOT = Path(__file__).parents[2] / "wire502"
FIELD = re.compile(r"^    cdef (?:public )?([\w ]+?) (\w+)(?:\[\d+\])?(?:  #.*)?$", re.MULTILINE)
RANGES = {
    "int": (-(2**31), 2**31 - 1),
    "unsigned int": (0, 2**32 - 1),
    "long long": (-(2**63), 2**63 - 1),
    "unsigned long long": (0, 2**64 - 1),
    "bint": (0, 1),
}
# Of a decoder: what it was made with, what is None or empty when it rests, and what is nothing between two messages.
DECODER_NOT_PACKED = {
    *("conn", "observer", "reader", "max_head", "max_queue", "keep"),
    *("current", "queue", "asking", "early", "preface", "marks", "buffer_a", "buffer_b"),
    *("growing", "head_a", "head_b"),
}


def declared(file: str, record: str) -> dict[str, str]:
    """Return the fields of a record as its declaration has them, each with its type in C."""
    text = (ROOT / file).read_text()
    begin = re.search(rf"^cdef class {record}(?:\(\w+\))?:$", text, re.MULTILINE)
    assert begin is not None
    body = text[begin.end() :].split("\ncdef ")[0]
    return {name: kind for kind, name in FIELD.findall(body)}


def values(kind: str) -> st.SearchStrategy[int]:
    """Return any value of a type, small ones and times more often."""
    low, high = RANGES[kind]
    near = st.integers(1_700_000_000_000_000_000, 1_700_000_100_000_000_000)
    found = st.integers(max(low, -2), min(high, 200)) | st.integers(low, high)
    return found | near if kind == "long long" else found


def packed_fields(file: str, record: str) -> dict[str, str]:
    """Return the fields that are packed, those that are plain numbers."""
    left_out = NOT_PACKED[record]
    return {name: kind for name, kind in declared(file, record).items() if name not in left_out and name != "ring"}


HALF = packed_fields("model/flow_cy.pxd", "Half")
CONNECTION = packed_fields("model/flow_cy.pxd", "Connection")
HALVES = st.fixed_dictionaries({name: values(kind) for name, kind in HALF.items()})
CONNECTIONS = st.fixed_dictionaries(
    {name: values(kind) for name, kind in CONNECTION.items() if not name.startswith("ring_")}
)


def one() -> tuple[Watch, Connection]:
    """Return a connection with an exchange behind it, and who watches it."""
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    conn.client.send(GET)
    conn.server.send(OK)
    seen = Watch().feed(wire)
    return seen, seen.only


def again(seen: Watch, conn: Connection) -> Connection:
    """Have a connection rest and wake."""
    cells = Cells()
    resting = pack(conn, cells)
    assert resting is not None
    woken = Connection()
    woken.decoder = seen.tracker.new_decoder(woken)
    unpack(resting, woken, cells)
    return woken


def test_the_declarations_are_read() -> None:
    """The fields of the records are found in their declarations, with types that are known here."""
    assert {"nxt", "off", "skip", "rst_flags", "lane"} <= HALF.keys()
    assert {"first_ts", "sign", "mid", "opaque_ts"} <= CONNECTION.keys()
    assert set(HALF.values()) | set(CONNECTION.values()) <= RANGES.keys()
    assert {"chunk_state_a", "foreign_octets", "unseen"} <= declared("protocol/http1_cy.pxd", "Http1").keys()


@given(HALVES, HALVES, CONNECTIONS)
def test_every_field_comes_back(a: dict[str, int], b: dict[str, int], fields: dict[str, int]) -> None:
    """Whatever the numbers of a connection and its halves are, they are the same after a rest."""
    seen, conn = one()
    for record, chosen in ((conn.a, a), (conn.b, b), (conn, fields)):
        for name, value in chosen.items():
            setattr(record, name, value)
    conn.last_ts = 1_700_000_000_000_000_000
    woken = again(seen, conn)
    for found, chosen in ((woken.a, a), (woken.b, b), (woken, fields)):
        assert {name: getattr(found, name) for name in chosen} == chosen
    assert woken.steps() == conn.steps()
    for name in ("stream", "last_ts", "local", "slot", "hash", "upstream"):
        assert getattr(woken, name) == getattr(conn, name)
    for mine, theirs in ((conn.a, woken.a), (conn.b, woken.b)):
        assert (mine.high, mine.low, mine.port) == (theirs.high, theirs.low, theirs.port)


def test_what_is_not_packed_is_as_new() -> None:
    """A field that is not packed has, in a connection that may rest, the value that a new record has."""
    _, conn = one()
    fresh: dict[str, Any] = {"Connection": Connection(), "Half": Half()}
    kept = {"a", "b", "decoder", "upstream", "stream", "last_ts", "local", "slot", "hash", "high", "low", "port"}
    for name, records in (("Connection", [conn]), ("Half", [conn.a, conn.b])):
        for field in set(NOT_PACKED[name]) - kept:
            for record in records:
                assert getattr(record, field) == getattr(fresh[name], field), field


def test_no_field_of_a_decoder_is_forgotten() -> None:
    """Each field of a decoder is walked when it rests, or is one of those known to need it not."""
    source = (ROOT / "protocol/http1_cy.py").read_text()
    walk = source[source.index("    def rest(self") : source.index("    # -- requests")]
    walked = set(re.findall(r"self\.(\w+) = ", walk))
    fields = {**declared("model/flow_cy.pxd", "Decoder"), **declared("protocol/http1_cy.pxd", "Http1")}
    assert fields.keys() - walked == DECODER_NOT_PACKED
    assert walked <= fields.keys()


@pytest.mark.parametrize("proxied", [None, b"", b"PROXY TCP4 10.0.0.9 10.0.0.1 4000 80\r\n", bytes(256)])
@pytest.mark.parametrize("name", [None, "TLS (handshake)"])
def test_a_decoder_comes_back(proxied: bytes | None, name: str | None) -> None:
    """What a decoder found out of its connection, and the octets that it keeps, are there again."""
    seen, conn = one()
    decoder = conn.decoder
    assert isinstance(decoder, Http1)
    decoder.proxied = proxied
    decoder.looks_like = name
    decoder.acks = 17
    woken = again(seen, conn).decoder
    assert isinstance(woken, Http1)
    for field in ("proxied", "looks_like", "acks", "exchanges", "http", "decided", "tunnel", "skip"):
        assert getattr(woken, field) == getattr(decoder, field)


def test_a_connection_that_rests_is_small() -> None:
    """A connection with an exchange behind it takes less than 200 octets while it rests, beside its ends."""
    _, conn = one()
    resting = pack(conn, Cells())
    assert resting is not None
    assert resting.packed is not None
    assert len(resting.packed) < 200
