"""The blocks of a pcapng file that are no packets: sections, interfaces, statistics, secrets.

Format: draft-ietf-opsawg-pcapng. What is kept is bounded, since a file may repeat any block for ever.
"""

from __future__ import annotations

from contextlib import suppress
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from wire502.capture.pcap import record_limit
from wire502.capture.pcapng_cy import INTERFACE, OPTION_COMMENT, OPTION_DROPS, Clock, DamagedBlock
from wire502.model.capture_info import DropReport, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION_HEADER_MIN = 28
MAX_BLOCK = 16 << 20  # as in Wireshark and libpcap; a longer length is a damaged one

_STATISTICS = 5
_SECRETS = 10
# Journal entries, Sysdig events (three forms) and custom blocks have frame numbers in Wireshark.
_COUNTED = frozenset((9, 0x204, 0x216, 0x221, 0xBAD, 0x40000BAD))

_IF_NAME, _IF_TSRESOL, _IF_TSOFFSET = 2, 9, 14
_ISB_START, _ISB_IFDROP, _ISB_OSDROP = 2, 5, 7

# What is read of the end of a file, for the statistics that programs write there when they stop.
TAIL = 64 * 1024
_PACKETS = frozenset((2, 3, 6))

_MAX_INTERFACES = 65_536
_MAX_DROPS = 4_096
_MAX_COMMENT_OCTETS = 4 << 20
_MAX_SECRET_OCTETS = 16 << 20


class Comment(NamedTuple):
    """A comment in the capture: *kind* is ``section``, ``interface``, ``statistics`` or ``frame``.

    *number* is that of the frame, the index of the interface, or 0 for a section.
    """

    kind: str
    number: int
    text: str


class Secrets(NamedTuple):
    """A decryption secrets block: the secrets type of the specification (0x544c534b: TLS key log) and its octets."""

    kind: int
    octets: bytes


class Blocks:
    """Takes the rarer blocks of one file; appends its interfaces to *interfaces*, which other files may share."""

    def __init__(self, file: int, interfaces: list[Interface]) -> None:
        self._file = file
        self._interfaces = interfaces
        self._section: list[Clock] = []
        self._count = 0
        self._order = "<"
        self._last_drops: dict[int, tuple[int | None, int]] = {}  # interface → time, counter of its last statistics
        self._comment_octets = 0
        self._secret_octets = 0
        self._ahead: dict[int, bytes] = {}  # identity → its statistics, found at the end of the file
        self._foreseen: dict[int, DropReport] = {}  # interface → losses whose block was not reached yet
        self.drops: list[DropReport] = []
        self.comments: list[Comment] = []
        self.secrets: list[Secrets] = []

    def section(self, body: bytes, big: bool) -> None:
        """Begin a section. Its length is not looked at: blocks say themselves where they end."""
        self._order = order = ">" if big else "<"
        if len(body) < 16:
            raise DamagedBlock("the section header is too short")
        major, minor = unpack_from(order + "HH", body, 4)
        if major != 1 or minor not in (0, 2):  # 1.2 was written by some tools and means the same
            raise DamagedBlock(f"is a pcapng section of version {major}.{minor}; only 1.0 is defined")
        self._section = []
        self._ahead.clear()  # the end of the file tells of another section
        self._foreseen.clear()
        for code, value in self._options(body, 16, "the section header"):
            if code == OPTION_COMMENT:
                self._comment("section", 0, value)

    @property
    def foreseen(self) -> list[DropReport]:
        """What the end of the file says was lost, as far as no block read so far has said it."""
        return list(self._foreseen.values())

    def foresee(self, tail: bytes) -> None:
        """Look into *tail*, the last octets of the file, for statistics: what they tell happened during the packets.

        To be called when the first section header was read; a further section makes it void.
        """
        end = len(tail)
        while end >= 12:
            (length,) = unpack_from(self._order + "I", tail, end - 4)
            if length % 4 or not 12 <= length <= end:
                return
            end -= length
            kind, same = unpack_from(self._order + "II", tail, end)
            if same != length or kind in _PACKETS:
                return
            if kind == _STATISTICS and length >= 24:
                (identity,) = unpack_from(self._order + "I", tail, end + 8)
                self._ahead.setdefault(identity, tail[end + 8 : end + length - 4])

    def block(self, kind: int, body: bytes) -> Clock | None:
        """Take a block that is neither section header nor packet; unknown ones are passed over."""
        if kind == INTERFACE:
            return self._interface(body)
        if kind == _STATISTICS:
            self._statistics(body)
        elif kind == _SECRETS:
            self._secrets(body)
        return None

    def packet_option(self, code: int, value: bytes, frame: int, interface: int, time: int) -> None:
        """Take a comment of packet *frame*, or the number of packets lost on *interface* just before it."""
        if code == OPTION_COMMENT:
            self._comment("frame", frame, value)
        elif code == OPTION_DROPS:
            self._dropped(interface, time, time, unpack_from(self._order + "Q", value)[0])

    def counts_as_frame(self, kind: int) -> bool:
        """Return whether Wireshark gives blocks of this *kind* a frame number although they hold no packet."""
        return kind in _COUNTED

    def _interface(self, body: bytes) -> Clock:
        if len(body) < 8:
            raise DamagedBlock("an interface description is too short")
        if self._count >= _MAX_INTERFACES:
            raise DamagedBlock(f"more than {_MAX_INTERFACES} interfaces are described")
        linktype, _, snaplen = unpack_from(self._order + "HHI", body)
        interface = Interface(len(self._interfaces), self._file, linktype, snaplen=snaplen)
        units, offset = 1_000_000, 0
        for code, value in self._options(body, 8, "an interface description"):
            if code == _IF_NAME:
                interface.name = _text(value)
            elif code == _IF_TSRESOL and len(value) == 1:
                units = int((2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F))
            elif code == _IF_TSOFFSET and len(value) == 8:
                offset = unpack_from(self._order + "q", value)[0]
            elif code == OPTION_COMMENT:
                self._comment("interface", interface.index, value)
        interface.nanoseconds = units > 1_000_000
        self._interfaces.append(interface)
        self._count += 1
        clock = Clock(interface.index, snaplen, record_limit(linktype, snaplen), units, offset)
        self._section.append(clock)
        if len(self._section) - 1 in self._ahead:
            with suppress(DamagedBlock):  # said when the block is reached
                _, since, now, dropped, _ = self._counted(self._ahead.pop(len(self._section) - 1))
                if dropped:
                    self._foreseen[interface.index] = DropReport(self._file, interface.index, since, now, dropped)
        return clock

    def _counted(self, body: bytes) -> tuple[int, int | None, int, int, list[bytes]]:
        """Return what statistics hold: interface, since when (None: not said), until when, lost, and comments."""
        if len(body) < 12:
            raise DamagedBlock("interface statistics are too short")
        identity, high, low = unpack_from(self._order + "III", body)
        if identity >= len(self._section):
            raise DamagedBlock(f"statistics name interface {identity} of {len(self._section)}")
        clock = self._section[identity]
        interface = clock.interface
        begin, dropped = None, 0
        comments = []
        for code, value in self._options(body, 12, "interface statistics"):
            if code in (_ISB_IFDROP, _ISB_OSDROP) and len(value) == 8:
                dropped += unpack_from(self._order + "Q", value)[0]
            elif code == _ISB_START and len(value) == 8:
                begin_high, begin_low = unpack_from(self._order + "II", value)
                begin = clock.nanoseconds(begin_high << 32 | begin_low)
            elif code == OPTION_COMMENT:
                comments.append(value)
        return interface, begin, clock.nanoseconds(high << 32 | low), dropped, comments

    def _statistics(self, body: bytes) -> None:
        interface, begin, now, dropped, comments = self._counted(body)
        for comment in comments:
            self._comment("statistics", interface, comment)
        # Counters run from the start of the capture, so what a later block adds happened since the one before.
        since, before = self._last_drops.get(interface, (begin, 0))
        if dropped > before:
            self._dropped(interface, since, now, dropped - before)
        self._last_drops[interface] = now, dropped
        foreseen = self._foreseen.pop(interface, None)
        # These were not the last ones: what those add happened later.
        if foreseen is not None and (rest := foreseen.count - (dropped - before)) > 0 and foreseen.to_ns >= now:
            self._foreseen[interface] = DropReport(self._file, interface, now, foreseen.to_ns, rest)

    def _dropped(self, interface: int, since: int | None, until: int, count: int) -> None:
        if not count:
            return
        if len(self.drops) < _MAX_DROPS:
            self.drops.append(DropReport(self._file, interface, since, until, count))
            return
        last = self.drops[-1]  # too many to tell apart: the last one grows
        last.interface = interface if last.interface == interface else None
        last.to_ns = max(last.to_ns, until)
        last.count += count

    def _secrets(self, body: bytes) -> None:
        if len(body) < 8:
            raise DamagedBlock("a secrets block is too short")
        kind, length = unpack_from(self._order + "II", body)
        if length > len(body) - 8:
            raise DamagedBlock(f"secrets of {length} octets are longer than their block")
        if self._secret_octets + length <= _MAX_SECRET_OCTETS:
            self._secret_octets += length + 64
            self.secrets.append(Secrets(kind, body[8 : 8 + length]))

    def _comment(self, kind: str, number: int, value: bytes) -> None:
        if self._comment_octets + len(value) <= _MAX_COMMENT_OCTETS:
            self._comment_octets += len(value) + 128  # the object around it counts too
            self.comments.append(Comment(kind, number, _text(value)))

    def _options(self, body: bytes, position: int, what: str) -> Iterator[tuple[int, bytes]]:
        """Yield (code, value) of the options of *body* from *position* on."""
        while len(body) - position >= 4:
            code, length = unpack_from(self._order + "HH", body, position)
            if code == 0:
                return
            position += 4
            if length > len(body) - position:
                raise DamagedBlock(f"option {code} of {what} is {length} octets, beyond its block")
            yield code, body[position : position + length]
            position += length + 3 & ~3


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")
