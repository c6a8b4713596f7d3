"""Puts other addresses into a slice, in place and at equal length, wherever an address stands.

First in the octets that TCP carried, where addresses stand as text (forwarded-for fields, Host, URLs, the PROXY
protocol), over the streams as ``redaction`` finds them, so that segment borders and retransmissions do not matter. Then
in the headers of each frame (``layers``), with the checksums over them. What may hold an address in a form that is not
known becomes zeros.
"""

from __future__ import annotations

import mmap
import re
from itertools import pairwise

from wire502.capture import open_source
from wire502.evidence.addresses import Addresses
from wire502.evidence.checksums import mend
from wire502.evidence.layers import SUPPORTED, layout
from wire502.evidence.redaction import Joined, Stream, overlay, streams_of
from wire502.evidence.slices import Slice
from wire502.model.capture_info import Interface
from wire502.packet.linktypes import linktype_name

_NOP = b"\x01"
_PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_BINARY = {0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16}  # PROXY protocol version 2: octets of an address by its family
_UNIX = range(0x31, 0x33)
# a piece of an address at the begin or the end of what was captured; a version of HTTP looks like one
_FIRST_PIECE = re.compile(rb"\A[0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f.:]{0,38}")
_LAST_PIECE = re.compile(rb"(?<!HTTP/)(?<![\w.:])[0-9A-Fa-f.:]{1,38}[.:][0-9A-Fa-f]{0,4}\Z")
_ZEROS = bytes(0x30 if chr(octet) in "0123456789abcdefABCDEF" else octet for octet in range(256))


class LinkTypeError(ValueError):
    """A capture of a link type whose addresses are not known."""


def anonymise(made: Slice, addresses: Addresses) -> None:
    """Map every address of *made*. Raises ``LinkTypeError`` where it is not known in which octets they are."""
    if not made.places:
        return
    made.stream.flush()
    streams, _ = streams_of(made)
    with mmap.mmap(made.stream.fileno(), 0) as octets:
        for stream in streams:
            _stream(octets, made, stream, addresses)
        octets.flush()
        _frames(octets, made, addresses)
        octets.flush()


def _stream(octets: mmap.mmap, made: Slice, stream: Stream, addresses: Addresses) -> None:
    joined = Joined(octets, stream)
    source = bytes(joined.octets)
    now = bytearray()
    for low, high in pairwise([0, *(index for index, _ in joined.holes if index), len(source)]):
        run = addresses.wire(source[low:high])
        if low or not joined.whole:
            run = _FIRST_PIECE.sub(_zeros, run)
        if high < len(source) or any(one.captured < one.length for one in stream.segments):
            run = _LAST_PIECE.sub(_zeros, run)
        now += run
    if joined.whole and source.startswith(_PROXY_V2) and len(source) >= 16:
        _preface(source, now, addresses)
    overlay(octets, made, stream, joined, now)


def _zeros(found: re.Match[bytes]) -> bytes:
    """Return a piece of an address without what it says."""
    return found[0].translate(_ZEROS)


def _preface(source: bytes, now: bytearray, addresses: Addresses) -> None:
    """Map the addresses of a PROXY protocol preface of version 2, which are binary."""
    size = _BINARY.get(source[13], 0)
    stop = min(16 + int.from_bytes(source[14:16], "big"), len(source))
    for at in (16, 16 + size):
        if size and at + size <= stop:
            now[at : at + size] = addresses.mapped(source[at : at + size])
    if source[13] in _UNIX:
        now[16:stop] = bytes(stop - 16)


def _frames(octets: mmap.mmap, made: Slice, addresses: Addresses) -> None:
    made.stream.seek(0)
    interfaces: list[Interface] = []
    with open_source(made.stream, interfaces=interfaces) as source:
        while (batch := source.read_batch()) is not None:
            for row in range(batch.count):
                linktype = interfaces[batch.interface[row]].linktype
                if linktype not in SUPPORTED:
                    name = linktype_name(linktype)
                    raise LinkTypeError(f"frames of link type {name} cannot be anonymised: convert the capture first")
                place = batch.frame[row] - 1
                start, size = made.starts[place], made.sizes[place]
                was = octets[start : start + size]
                now = frame(was, linktype, batch.length[row], addresses)
                if now != was:
                    octets[start : start + size] = now


def frame(was: bytes, linktype: int, length: int, addresses: Addresses) -> bytes:
    """Return the frame *was*, of *length* octets on the wire, with other addresses and checksums as right as before."""
    found = layout(was, linktype, length)
    now = bytearray(was)
    for low, high in found.blanks:
        now[low:high] = bytes(max(high - low, 0))
    for low, high in found.fillers:
        now[low:high] = _NOP * (high - low)
    for at, size in found.addresses:
        now[at : at + size] = addresses.mapped(was[at : at + size])
    for one in reversed(found.sums):  # an outer one is over the inner ones
        mend(one, was, now)
    return bytes(now)
