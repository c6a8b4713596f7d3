"""Compressed octets, decompressed as a stream: bounded memory whatever the file claims to expand to.

The libraries of the extra ``fast`` are used when they are there, then the standard library, then (``child.py``) the
``zstd`` and ``lz4`` programs. Each is imported only when a file needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from wire502.capture import formats
from wire502.capture.octets import BrokenOctets, FileOctets, Octets
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable

_INPUT = 1 << 16
# What a library raises on corrupt input it raises instead of the output of that call, so calls are kept small.
_OUTPUT = 1 << 15
_ZSTD_BLOCK = 1 << 17  # no block expands to more
_XZ_MEMORY = 256 << 20  # a dictionary larger than this is an attack: xz -9 needs 65 MB


class Decoder(Protocol):
    """One compressed stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended, and all of its output was handed out."""

    @property
    def needs_input(self) -> bool:
        """Whether there is no output without more input."""

    @property
    def unused_data(self) -> bytes | None:
        """What was given of the octets behind the end."""

    def into(self, data: bytes, view: memoryview) -> int:
        """Take *data* and write output to *view* as far as there is both; raises when the data is corrupt."""


class DecodedOctets:
    """The decompressed octets of one or more compressed streams that follow one another in a file."""

    def __init__(self, raw: FileOctets, head: bytes, name: str, make: Callable[[], Decoder]) -> None:
        self._raw = raw
        self._name = name
        self._make = make
        self._decoder = make()
        self._input = head  # not yet given to the decoder
        self._chunk = memoryview(bytearray(_INPUT))
        self._begun = True  # inside a stream: the end of the file would cut it
        self._broken: BrokenOctets | None = None
        self.size = raw.size

    @property
    def bytes_read(self) -> int:
        """Compressed octets read so far."""
        return self._raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill *view*; a pipe is only asked for more while nothing could be returned."""
        filled = 0
        try:
            while filled < len(view):
                if self._broken is not None:
                    raise self._broken
                count = self._step(view[filled:], wait=filled == 0 or self._raw.regular)
                if not count:
                    break
                filled += count
        except BrokenOctets as broken:
            if not filled:
                raise
            self._broken = broken
        return filled

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def _step(self, view: memoryview, *, wait: bool) -> int:
        """Write some output to *view*; return 0 at the end, or where more input is needed and not waited for."""
        while True:
            if self._decoder.eof and not self._next_stream(wait=wait):
                return 0
            if self._decoder.needs_input and not self._input:
                if not wait:
                    return 0
                self._input = self._more()
                if not self._input:
                    raise BrokenOctets(f"the {self._name} data is cut short")
            data, self._input = self._input, b""
            try:
                count = self._decoder.into(data, view)
            except (ArithmeticError, AttributeError, TypeError):
                raise  # ours
            except Exception as error:  # each library has its own, lz4 a bare RuntimeError
                raise BrokenOctets(f"the {self._name} data is corrupt") from error
            if count:
                return count

    def _next_stream(self, *, wait: bool) -> bool:
        """Begin the stream behind the one that ended; return False when there is none, or none to be had yet."""
        if self._begun:
            self._input, self._begun = self._decoder.unused_data or b"", False  # lz4 says None for nothing
        self._input = self._input.lstrip(b"\0")  # padding of tapes and xz
        while not self._input:
            if not wait:
                return False
            self._input = self._more().lstrip(b"\0")
            if not self._input and self._ended:
                return False
        while len(self._input) < formats.MAGIC_LENGTH and (more := self._more()):
            self._input += more
        if formats.compression(self._input) != self._name:
            raise BrokenOctets(f"the {self._name} data is followed by something else")
        self._decoder, self._begun = self._make(), True
        return True

    _ended = False

    def _more(self) -> bytes:
        count = self._raw.readinto(self._chunk)
        self._ended = count == 0
        return bytes(self._chunk[:count])


class _Pulled:
    """A library in the manner of ``bz2.BZ2Decompressor``, asked again and again until *view* is full."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._corrupt: Exception | None = None  # to be raised when the output before it has been taken

    @property
    def eof(self) -> bool:
        return self._corrupt is None and bool(self._library.eof)

    @property
    def needs_input(self) -> bool:
        return self._corrupt is None and bool(self._library.needs_input)

    @property
    def unused_data(self) -> bytes | None:
        return self._library.unused_data  # type: ignore[no-any-return]

    def into(self, data: bytes, view: memoryview) -> int:
        if self._corrupt is not None:
            raise self._corrupt
        library, decompress = self._library, self._library.decompress
        filled, room = 0, len(view)
        try:
            while True:
                output = decompress(data, min(room - filled, _OUTPUT))
                if output:
                    end = filled + len(output)
                    view[filled:end] = output
                    filled = end
                if filled == room or library.needs_input or library.eof:
                    return filled
                data = b""
        except Exception as error:
            if not filled:
                raise
            self._corrupt = error
            return filled


class _Zlib:
    """``zlib.decompressobj`` for gzip, in the manner of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        self._inflate: Any = import_module("zlib").decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return bool(self._inflate.eof)

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inflate.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return bytes(self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length))


class _Starved(Exception):
    """Less is there than the next piece of a zstd frame needs."""


class _ZstdBlocks:
    """A zstd frame (RFC 8878 section 3.1) given to the library block by block.

    A block never expands to more than 128 KiB, so output is bounded without asking the library, it is written where
    it belongs, and each block is decoded as soon as it is there.
    """

    def __init__(self) -> None:
        decompressor: Any = import_module("zstandard").ZstdDecompressor(max_window_size=1 << 27)
        self._frame: Any = decompressor.stream_reader(self, closefd=False)  # which asks this object to read
        self._held = b""  # input; from _at on it was not looked at, the next piece being incomplete
        self._at = 0
        self._starved = True  # what is held is less than a piece
        self._block = memoryview(b"")  # where a block goes that the caller has no room for
        self._ready = memoryview(b"")  # what of it was not taken yet
        self._state = "header"
        self._skip = 0  # octets of a skippable frame still to come
        self._checksum = False
        self.eof = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        return self._starved and not self._ready

    def into(self, data: bytes, view: memoryview) -> int:
        if data:
            self._starved = False
            self._held, self._at = self._held[self._at :] + data, 0
        if self._ready:
            return self._take(view)
        if len(view) >= _ZSTD_BLOCK:
            return self._decode(view)
        if not self._block:
            self._block = memoryview(bytearray(_ZSTD_BLOCK))
        self._ready = self._block[: self._decode(self._block)]
        return self._take(view)

    def _take(self, view: memoryview) -> int:
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _decode(self, view: memoryview) -> int:
        """Decode one block into *view*; 0 without a whole one, and at the end."""
        count = 0
        try:
            if self._state != "skip":
                count = self._frame.readinto1(view)
            if not count:
                if self._state == "skip":
                    self.read(0)  # the library sees nothing of it
                if self._state != "end":
                    raise ValueError("the library and the blocks disagree about the end of a frame")
                self.eof, self.unused_data = True, self._held[self._at :]
        except _Starved:
            self._starved = True
        return count

    def read(self, _size: int) -> bytes:
        """Give the library the next piece of the frame, nothing at its end; raises ``_Starved``."""
        while self._state != "end":
            length = self._piece()
            if not length or len(self._held) - self._at < length:
                raise _Starved
            piece = self._held[self._at : self._at + length]
            self._at += length
            if self._advance(piece):
                return piece
        return b""

    def _piece(self) -> int:
        """Return the length of the next piece (frame header, block, checksum); 0 when too little is there to say."""
        held, at = self._held, self._at
        if self._state == "header":
            if len(held) - at < 8:
                return 0
            if held[at + 1 : at + 4] == b"\x2a\x4d\x18":
                return 8
            descriptor = held[at + 4]
            single = descriptor >> 5 & 1
            self._checksum = bool(descriptor & 4)
            return 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        if self._state == "checksum":
            return 4
        if self._state == "skip":
            return min(self._skip, len(held) - at)
        if len(held) - at < 3:
            return 0
        header = int.from_bytes(held[at : at + 3], "little")
        return 3 + (1 if header >> 1 & 3 == 1 else header >> 3)  # a run-length block holds one octet

    def _advance(self, piece: bytes) -> bool:
        """Know what follows *piece*; return whether it is for the library."""
        if self._state == "skip":
            self._skip -= len(piece)
        elif self._state == "header" and piece[1:4] == b"\x2a\x4d\x18":
            self._skip, self._state = int.from_bytes(piece[4:], "little"), "skip"
        else:
            if self._state == "header":
                self._state = "block"
            elif self._state == "checksum" or (piece[0] & 1 and not self._checksum):
                self._state = "end"
            elif piece[0] & 1:
                self._state = "checksum"
            return True
        if not self._skip:
            self._state = "end"
        return False


def _gzip() -> Callable[[], Decoder]:
    try:
        fast = import_module("isal.igzip_lib")
    except ImportError:
        return lambda: _Pulled(_Zlib())
    return lambda: _Pulled(fast.IgzipDecompressor(flag=fast.DECOMP_GZIP))


def _xz() -> Callable[[], Decoder]:
    lzma = import_module("lzma")
    return lambda: _Pulled(lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))


def _bzip2() -> Callable[[], Decoder]:
    return lambda: _Pulled(import_module("bz2").BZ2Decompressor())


def _zstd() -> Callable[[], Decoder]:
    import_module("zstandard")
    return _ZstdBlocks


def _lz4() -> Callable[[], Decoder]:
    frame = import_module("lz4.frame")
    return lambda: _Pulled(frame.LZ4FrameDecompressor())


_LIBRARIES = {
    formats.GZIP: _gzip,
    formats.ZSTD: _zstd,
    formats.LZ4: _lz4,
    formats.XZ: _xz,
    formats.BZIP2: _bzip2,
}


def decompressed(raw: FileOctets, head: bytes, name: str, path: str) -> Octets:
    """Return the decompressed octets of *raw*, of which *head* was read already and shows *name* as compression.

    Raises ``CaptureError`` when neither a library nor a program can decompress it.
    """
    try:
        make = _LIBRARIES[name]()
    except ImportError:
        from wire502.capture.child import ChildOctets, program  # which loads what starts programs

        command = program(name)
        if command is None:
            raise CaptureError(
                path,
                0,
                f"is compressed with {name}, which needs a library or the program {name}",
                "install it with: pip install 'wire502[fast]'",
            ) from None
        return ChildOctets(raw, head, name, command)
    return DecodedOctets(raw, head, name, make)
