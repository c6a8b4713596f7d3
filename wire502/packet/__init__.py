"""From octets as captured to rows of TCP header fields: ``PacketStage`` turns a ``Batch`` into ``Segments``.

Knows headers and nothing of connections. ``decode_cy`` is the loop, ``layers_cy`` what may stand before TCP,
``options_cy`` the TCP options; ``fragments`` puts IP datagrams together; ``icmp`` and ``neighbours`` read the rare
frames that matter; ``linktypes`` has the names.
"""

from __future__ import annotations

from wire502.packet.stage import PacketStage

__all__ = ["PacketStage"]
