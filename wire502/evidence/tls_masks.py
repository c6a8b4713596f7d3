"""What of a TLS stream may be shown: how it is cut into records, and what is said in the open about failing.

RFC 8446 section 5.1 (records), 4 (handshake messages), 6 (alerts). Everything else is opaque or might be a ticket.
"""

from __future__ import annotations

from bisect import bisect_right

_HEADER = 5
_ALERT, _HANDSHAKE = 21, 22
_TYPES = range(20, 25)
_SAID = 6  # octets of a handshake message: type, length, version
_MOST_RECORD = (1 << 14) + 2048


def tls_parts(octets: bytes, holes: list[int]) -> list[tuple[int, int]]:
    """Return begin and end of what stays of the TLS records that *octets* begin with; nothing if they are none.

    *holes*: sorted indices before which octets are missing: nothing is known behind the first.
    """
    parts: list[tuple[int, int]] = []
    first = bisect_right(holes, 0)
    end = holes[first] if first < len(holes) else len(octets)
    at = 0
    while at + _HEADER <= end and octets[at] in _TYPES and octets[at + 1] == 3 and octets[at + 2] <= 4:
        size = int.from_bytes(octets[at + 3 : at + 5], "big")
        if size > _MOST_RECORD:
            break
        said = 0
        if octets[at] == _HANDSHAKE and not any(octets[low] == _TYPES[0] for low, _ in parts):
            said = min(_SAID, size)
        elif octets[at] == _ALERT and size == 2:
            said = 2
        parts.append((at, min(at + _HEADER + said, end)))
        at += _HEADER + size
    return parts
