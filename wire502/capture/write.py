"""Writers of pcap and pcapng: small, and the same octets for the same calls, always."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMENT, _FLAGS, _DROPS = 1, 2, 4


class PcapWriter:
    """Writes classic pcap to *stream*, which stays open. One link type; no place for comments.

    With *nanoseconds* false, time stamps lose what is finer than a microsecond.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        linktype: int = 1,
        nanoseconds: bool = False,
        snaplen: int = 262_144,
        big: bool = False,
    ) -> None:
        self._stream = stream
        self._order = ">" if big else "<"
        self._tick = 1 if nanoseconds else 1000
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        stream.write(pack(self._order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype))

    def write(self, ts_ns: int, octets: bytes | memoryview, length: int | None = None) -> None:
        """Write one frame: *octets* were captured of the *length* octets (default: all) that were on the wire.

        *ts_ns*: nanoseconds since 1970, 0 to 2**32 s; raises ``struct.error`` beyond.
        """
        seconds, rest = divmod(ts_ns, 1_000_000_000)
        wire = len(octets) if length is None else length
        self._stream.write(pack(self._order + "IIII", seconds, rest // self._tick, len(octets), wire))
        self._stream.write(octets)


class PcapngWriter:
    """Writes one pcapng section to *stream*, which stays open. ``interface()`` comes before the first frame.

    *comments* belong to the file as a whole; *application* names the writer.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        comments: Iterable[str] = (),
        application: str | None = None,
        big: bool = False,
    ) -> None:
        self._stream = stream
        self._order = ">" if big else "<"
        self._clocks: list[tuple[int, int]] = []  # units a second, offset in seconds
        options = [(_COMMENT, comment.encode()) for comment in comments]
        if application is not None:
            options.append((4, application.encode()))
        # The section's length is left open (-1): it may be written to a pipe.
        self._block(0x0A0D0D0A, self._pack("IHHq", 0x1A2B3C4D, 1, 0, -1), options)

    def interface(
        self,
        linktype: int = 1,
        *,
        name: str | None = None,
        snaplen: int = 0,
        resolution: int = 9,
        offset_s: int = 0,
        comment: str | None = None,
    ) -> int:
        """Describe an interface and return its number.

        *resolution* is the octet of ``if_tsresol``: n for 10**-n s, 0x80 + n for 2**-n s. *offset_s* is subtracted from
        its time stamps and stands in ``if_tsoffset``.
        """
        options = []
        if comment is not None:
            options.append((_COMMENT, comment.encode()))
        if name is not None:
            options.append((2, name.encode()))
        if resolution != 6:
            options.append((9, bytes((resolution,))))
        if offset_s:
            options.append((14, self._pack("q", offset_s)))
        self._block(1, self._pack("HHI", linktype, 0, snaplen), options)
        self._clocks.append(((2 if resolution & 0x80 else 10) ** (resolution & 0x7F), offset_s))
        return len(self._clocks) - 1

    def write(
        self,
        interface: int,
        ts_ns: int,
        octets: bytes | memoryview,
        length: int | None = None,
        *,
        comments: Iterable[str] = (),
        direction: int = 0,
        drops: int | None = None,
    ) -> None:
        """Write one frame of *interface*, as ``PcapWriter.write``.

        *direction*: 0 not known, 1 inbound, 2 outbound. *drops*: packets lost between the frame before and this one.
        """
        wire = len(octets) if length is None else length
        options = [(_COMMENT, comment.encode()) for comment in comments]
        if direction:
            options.append((_FLAGS, self._pack("I", direction)))
        if drops is not None:
            options.append((_DROPS, self._pack("Q", drops)))
        high, low = self._ticks(interface, ts_ns)
        head = self._pack("IIIII", interface, high, low, len(octets), wire)
        self._block(6, b"".join((head, octets, bytes(-len(octets) % 4))), options)

    def statistics(
        self,
        interface: int,
        ts_ns: int,
        *,
        start_ns: int | None = None,
        received: int | None = None,
        dropped: int | None = None,
        dropped_by_system: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Write the counters of *interface*, as of *ts_ns*, each since the start of the capture."""
        options = []
        if comment is not None:
            options.append((_COMMENT, comment.encode()))
        if start_ns is not None:
            options.append((2, self._pack("II", *self._ticks(interface, start_ns))))
        for code, count in ((4, received), (5, dropped), (7, dropped_by_system)):
            if count is not None:
                options.append((code, self._pack("Q", count)))
        self._block(5, self._pack("III", interface, *self._ticks(interface, ts_ns)), options)

    def secrets(self, kind: int, octets: bytes) -> None:
        """Write decryption secrets of *kind* (0x544c534b: a TLS key log); they come before the frames they open."""
        self._block(10, self._pack("II", kind, len(octets)) + octets + bytes(-len(octets) % 4), [])

    def block(self, kind: int, body: bytes) -> None:
        """Write any other block; *body* is padded to a multiple of four octets."""
        self._block(kind, body + bytes(-len(body) % 4), [])

    def _ticks(self, interface: int, ts_ns: int) -> tuple[int, int]:
        units, offset_s = self._clocks[interface]
        ticks, rest = divmod((ts_ns - offset_s * 1_000_000_000) * units, 1_000_000_000)
        if rest and units > 1_000_000_000:
            ticks += 1  # readers round down to nanoseconds: so they come back to ts_ns
        return ticks >> 32, ticks & 0xFFFFFFFF

    def _pack(self, layout: str, *values: int) -> bytes:
        return pack(self._order + layout, *values)

    def _block(self, kind: int, body: bytes, options: list[tuple[int, bytes]]) -> None:
        parts = [body]
        for code, value in options:
            parts += (self._pack("HH", code, len(value)), value, bytes(-len(value) % 4))
        if options:
            parts.append(bytes(4))  # end of options
        content = b"".join(parts)
        length = self._pack("I", len(content) + 12)
        self._stream.write(b"".join((self._pack("I", kind), length, content, length)))
