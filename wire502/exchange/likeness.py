"""What two request heads have in common that tells one client's request from another's.

Heads come here only of requests that are candidates already: same method and target, or the same end of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wire502.exchange.history_cy import Row
from wire502.model import head_fields
from wire502.model.endpoints import address_text
from wire502.model.flow_cy import Connection
from wire502.model.preface import client_of

LEAST_VALUE = 4  # octets of a field's value that may identify a request
MOST_FIELDS = 128
_FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip", b"true-client-ip", b"x-client-ip", b"client-ip")
_NUMBER = rb"\d+"
_ADDRESS = rb"[0-9a-f.:]+"


def narrow(rows: list[Row], head: bytes, proxied: bytes = b"") -> tuple[list[Row], list[str]]:
    """Return those of *rows* that *head*, a request to an upstream, speaks for, and what it was that spoke.

    *proxied* is the PROXY preface of the upstream's connection, if it has one: it was opened for one client.

    A witness that speaks for none of them is not heard: gateways change and drop fields.
    """
    said: list[str] = []
    named = client_of(proxied) if proxied else None
    mine = [row for row in rows if named is not None and named in (end_of(row.conn), client_of(preface_of(row.conn)))]
    if mine:
        rows = mine
        said.append("proxy-protocol")
    ident = head_fields.correlation(head)
    if ident is not None:
        same = [row for row in rows if head_fields.correlation(row.head) == ident]
        rows = same or [row for row in rows if head_fields.correlation(row.head) is None]
        if same:
            said.append("id")
    for name, same in (
        ("body-size", [row for row in rows if _length(row.head) == _length(head)]),
        ("host", [row for row in rows if _host(row.head) == _host(head)]),
        ("forwarded-for", [row for row in rows if forwards(head, row.conn)]),
        ("forwarded-port", [row for row in rows if forwards_port(head, row.conn)]),
    ):
        # Two requests without a body are alike in nothing; an address counts even where there is no other.
        if same and (len(same) < len(rows) or name == "forwarded-for"):
            rows = same
            said.append(name)
    if len(rows) > 1:
        row, name = _by_a_field(rows, head)
        if row is not None:
            rows = [row]
            said.append(name)
    return rows, said


def preface_of(conn: Connection) -> bytes:
    """Return the PROXY preface that a connection began with, empty without one."""
    return getattr(conn.decoder, "proxied", None) or b""


def end_of(conn: Connection) -> tuple[int, int, int]:
    """Return address and port of the client of a connection."""
    return conn.a.high, conn.a.low, conn.a.port


def forwards(head: bytes, client: Connection) -> bool:
    """Whether a request names a client's address in a forwarding header."""
    address = address_text(client.a.high, client.a.low).encode()
    given = b" ".join(filter(None, (head_fields.field(head, name) for name in _FORWARDED)))
    return any(one == address or one.startswith(address + b":") for one in re.findall(_ADDRESS, given.lower()))


def forwards_port(head: bytes, client: Connection) -> bool:
    """Whether a field that speaks of the client, or of a port, holds the port of the client's connection."""
    port = str(client.a.port).encode()
    for name, value in _fields(head).items():
        if (name in _FORWARDED or name.endswith(b"port")) and port in re.findall(_NUMBER, value):
            return True
    return False


def _by_a_field(rows: Sequence[Row], head: bytes) -> tuple[Row | None, str]:
    """Return the only row that has a field's value in common with *head*, whatever the fields' names are."""
    fields = _fields(head)
    values = {value: name for name, value in fields.items() if len(value) >= LEAST_VALUE}
    theirs = [set(_fields(row.head).values()) for row in rows]
    found: tuple[Row | None, str] = (None, "")
    for value, name in values.items():
        having = [row for row, given in zip(rows, theirs, strict=True) if value in given]
        if len(having) != 1:
            continue
        if found[0] is not None and found[0] is not having[0]:
            return None, ""  # the witnesses contradict each other
        found = having[0], name.decode("ascii", "replace")
    return found


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Return the fields of a head, names in lower case; of a repeated one the last value."""
    found = {}
    for line in head.split(b"\n", MOST_FIELDS)[1:MOST_FIELDS]:
        name, colon, value = line.partition(b":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


def _length(head: bytes) -> bytes | None:
    return head_fields.field(head, b"content-length")


def _host(head: bytes) -> bytes | None:
    value = head_fields.field(head, b"host")
    return None if value is None else value.lower()
