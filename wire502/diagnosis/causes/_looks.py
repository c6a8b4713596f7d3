"""How a RST looks beside the packets of the host that it claims to come from: the signs of a stranger.

Each sign has a weight. Initial values of the TTL are 64, 128 or 255: a RST whose TTL differs, but not the number of
hops that it tells, may come from another part of the same system and weighs less. Kernels answer for sockets that
they do not know with an IP ID of zero: then neither the ID nor the missing don't-fragment bit says anything.
"""

# no annotations in strings: see model.around
from typing import NamedTuple

from wire502.model.attempt import Closing, Manners

FAR_HOPS = 2  # routes change by one or two
NEAR_IDS = 1024
STEP_IDS = 64  # a sender that counts its packets


class Sign(NamedTuple):
    """One thing that does not fit."""

    weight: int
    note: str


def hops(ttl: int) -> int:
    """Return how many routers a packet has probably passed."""
    return min(start for start in (64, 128, 255) if ttl <= start) - ttl if ttl <= 255 else 0


def ttl_sign(ttl: int, usual: int) -> Sign | None:
    """Return the sign of a TTL that is not the sender's usual one."""
    if not ttl or not usual or abs(ttl - usual) <= FAR_HOPS:
        return None
    weight = 2 if abs(hops(ttl) - hops(usual)) > FAR_HOPS else 1
    return Sign(weight, f"its TTL is {ttl}, that of the host's other packets {usual}")


def fragment_sign(rst: Closing, dont_fragment: bool) -> Sign | None:
    """Return the sign of a missing don't-fragment bit (IPv4 only)."""
    if rst.ip_id > 0 and dont_fragment and not rst.dont_fragment:
        return Sign(1, "it may be fragmented, unlike the host's other packets")
    return None


def id_sign(rst: Closing, sender: Manners, peer: Manners | None) -> Sign | None:
    """Return the sign of an IP ID that is not the sender's next one, or a copy of its peer's."""
    if rst.ip_id <= 0:
        return None
    if peer is not None and peer.ttl and rst.ip_id in (peer.ip_id, peer.ip_id_before):
        return Sign(2, f"its IP ID {rst.ip_id:#06x} is that of a packet of the gateway")
    step = (sender.ip_id - sender.ip_id_before) & 0xFFFF
    if sender.ip_id_before <= 0 or not 0 < step <= STEP_IDS:
        return None  # not a sender that counts
    ahead = (rst.ip_id - sender.ip_id) & 0xFFFF
    if min(ahead, 0x10000 - ahead) <= NEAR_IDS:
        return None
    return Sign(1, f"its IP ID {rst.ip_id:#06x} is far from the host's count ({sender.ip_id:#06x})")


def stamp_sign(rst: Closing, sender: Manners) -> Sign | None:
    """Return the sign of a RST with an ACK number, but without the timestamp that the connection uses (RFC 7323).

    A kernel that resets a connection which it knows sends both, one that does not know it sends neither.
    """
    if sender.timestamps and rst.acks is not None and not rst.timestamps:
        return Sign(1, "it acknowledges octets, but lacks the timestamp that the connection uses")
    return None


def window_sign(rst: Closing, sender: Manners, peer: Manners | None) -> Sign | None:
    """Return the sign of a window that was copied from the other side."""
    if rst.window and peer is not None and rst.window == peer.window and rst.window != sender.window:
        return Sign(1, f"its window {rst.window} is the gateway's, not the host's")
    return None
