"""Conversations told as octets: who says what, cut into segments as a test likes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.tcp.watch import GET, OK, Watch, watch
from tests.wire import Wire
from wire502.model.context import Context

__all__ = ["GET", "OK", "answer", "talk"]


def talk(
    *said: tuple[str, bytes],
    cut: int | Iterable[int] | None = None,
    mid: bool = False,
    context: Context | None = None,
    close: str = "",
    forgetful: bool = False,
) -> Watch:
    """Return what is seen of one connection: *said* are pairs of ``>`` (gateway) or ``<`` (upstream) and octets.

    *cut* is the size of all segments, or the sizes in turn; *close* the side that sends a FIN at the end; for
    *forgetful* see ``Watch``.
    """
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    if mid:
        conn.established()
    else:
        conn.handshake()
    sizes = iter(cut) if cut is not None and not isinstance(cut, int) else None
    for who, octets in said:
        side = conn.client if who == ">" else conn.server
        at = 0
        while at < len(octets):
            size = cut if isinstance(cut, int) else next(sizes, 1460) if sizes is not None else len(octets)
            side.send(octets[at : at + size])
            at += size
        side.peer.ack()
    if close:
        (conn.client if close == ">" else conn.server).fin()
    return watch(wire, context, forgetful)


def answer(response: bytes, request: bytes = GET, **options: Any) -> Any:
    """Return the exchange that *request* and *response* make."""
    return talk((">", request), ("<", response), **options).exchanges()[0]
