"""Input *n* of seed *s*: always the same octets, whatever was made before it."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from scripts._fuzz import http, packets
from scripts._fuzz.packets import LINKS, Frame, relinked
from scripts._fuzz.talk import Talk

_NUMBERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 19, 20, 24, 28, 31, 32, 40, 60, 64, 127, 128, 255, 256, 1500,
            0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
_LINK_TYPES = (*LINKS, 14, 117, 166, 258, 105, 127, 147, 195, 65535)
_PROTOCOLS = (0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 60, 97, 132, 135, 137)


@dataclass(slots=True)
class Input:
    """Captures to read as one, and how: ``settings`` are those of ``wire502.read``."""

    kind: str
    files: list[bytes]
    settings: dict[str, str | float]
    everything: bool
    chop: int  # octets of a read at most, 0: as many as asked for


class Maker:
    """Makes inputs out of *seeds* (frames of captures)."""

    def __init__(self, seeds: Sequence[list[Frame]]) -> None:
        self._seeds = seeds

    def make(self, seed: int, number: int) -> Input:
        """Return input *number* of *seed*."""
        rng = Random(f"{seed}/{number}")
        kind, play = rng.choice(_KINDS)
        files = play(self, rng)
        settings: dict[str, str | float] = {}
        if rng.random() < 0.3:
            tight: dict[str, str | float] = {
                "max_connections": rng.choice((1, 2, 3)), "max_closed": 1, "closed_linger": "1ms",
                "max_head": rng.choice((1, 40, 300)), "max_pipelined": rng.choice((1, 2)),
                "max_out_of_order": rng.choice((1, 100)), "max_buffered": rng.choice((1, 200)),
                "history_rows": 1, "hold": rng.choice((0, 1)), "settle": 0,
                "header_limit": 100, "gateway_timeouts": "1s,60s",
            }  # fmt: skip
            settings = {name: tight[name] for name in rng.sample(sorted(tight), rng.randrange(1, 5))}
        if rng.random() < 0.95:
            settings.setdefault("history_rows", 64)  # making room for all of them takes longer than most inputs do
        if number % 2:  # connections rest wherever they can
            settings |= {"rest_after": 0, "rest_from": 1, "history_rows": 1}
        chop = rng.choice((1, 7, 7, 100, 100, 1000, 1000)) if rng.random() < 0.1 else 0
        if kind == "compressed":
            chop = 0  # a library that meets damage keeps back the output of that call
        return Input(kind, files, settings, rng.random() < 0.3, chop)

    # Each returns the octets of one or more files.

    def octets(self, rng: Random) -> list[bytes]:
        """A capture with wrong octets anywhere, its headers above all."""
        return [_wrong(rng, self._file(rng, self._some(rng)))]

    def frames(self, rng: Random) -> list[bytes]:
        """A sound file of frames that are wrong, gone, doubled, late, cut, or of another link type."""
        return [self._file(rng, _shaken(rng, self._some(rng)))]

    def headers(self, rng: Random) -> list[bytes]:
        """Frames whose headers are wrong in a few octets."""
        frames = [replace(frame, octets=_bad_header(rng, frame.octets)) if rng.random() < 0.5 else frame
                  for frame in self._some(rng)]  # fmt: skip
        return [self._file(rng, frames)]

    def links(self, rng: Random) -> list[bytes]:
        """The packets on any link type, real or only claimed."""
        link = rng.choice(_LINK_TYPES)
        if link in LINKS and rng.random() < 0.7:
            frames = [relinked(frame, link) for frame in self._some(rng)]
        else:
            frames = [replace(frame, link=link) for frame in self._some(rng)]
        if rng.random() < 0.6:
            frames = [replace(frame, octets=_bad_header(rng, frame.octets)) for frame in frames]
        return [self._file(rng, frames)]

    def talk(self, rng: Random) -> list[bytes]:
        """Connections with HTTP of every kind, in segments of every kind."""
        frames = Talk(rng).play()
        if rng.random() < 0.2:
            frames = _shaken(rng, frames)
        return [self._file(rng, frames)]

    def blocks(self, rng: Random) -> list[bytes]:
        """Any blocks of pcapng in any order."""
        order = rng.choice("<>")
        parts = [packets.section(order)]
        frames = self._some(rng)
        for _ in range(rng.randrange(1, 30)):
            what = rng.randrange(9)
            if rng.random() < 0.03:
                order = "<" if order == ">" else ">"
            options = b"".join(
                packets.option(rng.choice((0, 1, 2, 3, 4, 5, 7, 9, 14, 2988, 65535)),
                               rng.randbytes(rng.choice((0, 1, 3, 4, 8, 8, 8, 20))), order)
                for _ in range(rng.choice((0, 0, 1, 3)))
            ) + rng.choice((b"", bytes(4)))  # fmt: skip
            if what == 0:
                parts.append(packets.section(order))
            elif what <= 2:
                parts.append(packets.interface(rng.choice(_LINK_TYPES), options, order, rng.choice((0, 40, 262144))))
            elif what <= 5:
                frame = replace(rng.choice(frames), interface=rng.choice((0, 0, 0, 1, 2, 9)))
                parts.append(packets.packet_block(frame, order, options, rng.choice((1, 1000))))
            elif what == 6:
                octets = rng.choice(frames).octets
                parts.append(packets.block(3, struct.pack(order + "I", len(octets)) + octets, order))
            elif what == 7:
                body = struct.pack(order + "HHIIII", 0, 7, 1, 2, 40, 40) + bytes(40)
                parts.append(packets.block(2, body + options, order))
            else:
                kind = rng.choice((4, 5, 5, 5, 9, 10, 10, 0xBAD, 0x40000BAD, 0x204, rng.getrandbits(32)))
                body = struct.pack(order + "III", rng.choice((0, 0, 1, 99)), rng.choice(_NUMBERS), rng.choice(_NUMBERS))
                parts.append(packets.block(kind, body + options, order))
        data = b"".join(parts)
        return [_wrong(rng, data) if rng.random() < 0.4 else data]

    def compressed(self, rng: Random) -> list[bytes]:
        """A compressed capture, wrong before or after."""
        data = gzip.compress(self._file(rng, self._some(rng)), 1, mtime=0)
        return [_wrong(rng, data)]

    def several(self, rng: Random) -> list[bytes]:
        """Two or three captures at once."""
        files = []
        for _ in range(rng.choice((2, 2, 3))):
            frames = self._some(rng)
            shift = rng.choice((0, 0, 10**6, 10**9, -(10**9), 10**12))
            shifted = [replace(frame, ts_ns=frame.ts_ns + shift) for frame in frames]
            files.append(self._file(rng, _shaken(rng, shifted) if rng.random() < 0.5 else shifted))
        if rng.random() < 0.3:
            files[0] = _wrong(rng, files[0])
        return files

    def _some(self, rng: Random) -> list[Frame]:
        frames = rng.choice(self._seeds)
        if rng.random() < 0.15:
            frames = sorted(frames + rng.choice(self._seeds), key=lambda frame: frame.ts_ns)
        return frames[:80]

    def _file(self, rng: Random, frames: Sequence[Frame]) -> bytes:
        if rng.random() < 0.4 or len({frame.link for frame in frames}) > 1:
            return packets.pcapng(frames, big=rng.random() < 0.2)
        link = frames[0].link if frames else 1
        return packets.pcap(
            frames, link=link, nanoseconds=rng.random() < 0.4, big=rng.random() < 0.2, modified=rng.random() < 0.05
        )


_KINDS = (
    ("octets", Maker.octets), ("frames", Maker.frames), ("headers", Maker.headers), ("headers", Maker.headers),
    ("links", Maker.links), ("talk", Maker.talk), ("talk", Maker.talk), ("talk", Maker.talk),
    ("blocks", Maker.blocks), ("compressed", Maker.compressed), ("several", Maker.several),
)  # fmt: skip


def _wrong(rng: Random, octets: bytes) -> bytes:
    """Change a few octets of a file: bits, numbers of either byte order, cuts, copies."""
    data = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 10))):
        if not data:
            break
        at = rng.randrange(len(data)) if rng.random() < 0.6 else rng.randrange(min(len(data), 120))
        what = rng.randrange(7)
        if what == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[at] = rng.randrange(256)
        elif what in (2, 3):
            number = rng.choice(_NUMBERS)
            size = rng.choice((2, 4, 4))
            at &= ~3
            data[at : at + size] = (number & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(("little", "big")))
        elif what == 4:
            del data[at : at + rng.choice((1, 4, 16, 100))]
        elif what == 5:
            data[at:at] = data[at : at + rng.choice((4, 16, 100))]
        elif rng.random() < 0.5:
            del data[at:]
    return bytes(data)


def _bad_header(rng: Random, octets: bytes) -> bytes:
    """Change a few of the first hundred octets of a frame, or of all."""
    data = bytearray(octets)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        if not data:
            break
        at = rng.randrange(min(len(data), rng.choice((40, 60, 100, 2000))))
        what = rng.randrange(6)
        if what == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[at] = rng.choice(_NUMBERS) & 0xFF
        elif what == 2:
            data[at : at + 2] = (rng.choice(_NUMBERS) & 0xFFFF).to_bytes(2, "big")
        elif what == 3:
            data[at] = rng.choice(_PROTOCOLS)
        elif what == 4:
            del data[at : at + rng.choice((1, 2, 4, 8))]
        else:
            data[at:at] = rng.choice((b"\x81\0\0\5", b"\x88\x47\0\0\1\0", b"\x08\0\x45", rng.randbytes(4), bytes(8)))
    return bytes(data)


def _shaken(rng: Random, frames: Sequence[Frame]) -> list[Frame]:
    """Frames lost, doubled, in another order, at another time, cut, or with other octets."""
    found = list(frames)
    for _ in range(rng.choice((1, 2, 4, 8))):
        if not found:
            break
        at = rng.randrange(len(found))
        frame = found[at]
        what = rng.randrange(9)
        if what == 0:
            del found[at]
        elif what == 1:
            found.insert(rng.randrange(len(found)), frame)
        elif what == 2:
            found.insert(rng.randrange(len(found)), found.pop(at))
        elif what == 3:
            jump = rng.choice((10**6, 10**9, 11 * 10**9, 61 * 10**9, 4000 * 10**9, -(10**9), -(10**15), 2**61))
            found[at:] = [replace(one, ts_ns=one.ts_ns + jump) for one in found[at:]]
        elif what == 4:
            cut = rng.randrange(len(frame.octets) + 1)
            found[at] = replace(frame, octets=frame.octets[:cut], length=len(frame.octets))
        elif what == 5:
            cut = rng.choice((40, 54, 60, 68, 96, 128))
            found = [replace(one, octets=one.octets[:cut], length=len(one.octets)) for one in found]
        elif what == 6:
            found[at] = replace(frame, octets=http.mutated(rng, frame.octets), length=None)
        elif what == 7:
            found[at] = replace(frame, length=rng.choice(_NUMBERS))
        else:
            found = found[:at]
    return found
