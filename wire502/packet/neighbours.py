"""ARP (RFC 826): who asks for which IPv4 address, and who answers. ND is ICMPv6's, see ``icmp``."""

from __future__ import annotations

import struct

from wire502.model.capture_info import RareFrame

_IPV4_OVER_ETHERNET = bytes.fromhex("000108000604")  # hardware and protocol type, and the lengths of both
_REQUEST, _REPLY = 1, 2
_MAPPED = 0xFFFF << 32


def read_arp(message: bytes) -> RareFrame | None:
    """Return the ARP request or reply in *message*, from its hardware type on; None for anything else.

    ``sender`` is the host that sent it, ``receiver`` the protocol address it is for; ``asked`` is the address that
    a request asks for and that a reply answers for. A request for the sender's own address is an announcement
    (RFC 5227 section 3) and counts as a reply. The caller fills in row, frame, time and interface.
    """
    if len(message) < 28 or message[:6] != _IPV4_OVER_ETHERNET:
        return None
    operation, source, target = struct.unpack_from(">6xH6xI6xI", message, 0)
    if operation not in (_REQUEST, _REPLY):
        return None
    answers = operation == _REPLY or source == target
    return RareFrame(
        "address_reply" if answers else "address_request",
        0,
        0,
        0,
        0,
        (0, _MAPPED | source),
        (0, _MAPPED | target),
        asked=(0, _MAPPED | (source if answers else target)),
    )
