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
_ZSTD_INPUT = 1 << 18  # a block of zstd, which is decoded as a whole, may take half of it
# What a library raises on corrupt input it raises instead of the output of that call, so calls are kept small.
_OUTPUT = 1 << 15
_ZSTD_BLOCK = 1 << 17  # no block expands to more
_XZ_MEMORY = 256 << 20  # a dictionary larger than this is an attack: xz -9 needs 65 MB


class Decoder(Protocol):
    """One compressed stream.

    ``input_size`` is how much of it to read at a time, ``room`` how much output to make room for at least, and
    ``taken`` how much of its last input was taken: the rest is to be given again, with more behind it.
    """

    input_size: int
    room: int
    taken: int

    @property
    def eof(self) -> bool:
        """Whether the stream has ended, and all of its output was handed out."""

    @property
    def needs_input(self) -> bool:
        """Whether there is no output without more input."""

    @property
    def unused_data(self) -> bytes | None:
        """What was taken of the octets behind the end."""

    def into(self, data: memoryview, view: memoryview) -> int:
        """Take *data* and write output to *view* as far as there is both; raises when the data is corrupt."""


class DecodedOctets:
    """The decompressed octets of one or more compressed streams that follow one another in a file."""

    def __init__(self, raw: FileOctets, head: bytes, name: str, make: Callable[[], Decoder]) -> None:
        self._raw = raw
        self._name = name
        self._make = make
        self._decoder = make()
        self._input = memoryview(head)  # not yet taken by the decoder
        self._seen = 0  # as much of it was given without being taken
        self._chunk = memoryview(bytearray(self._decoder.input_size))
        self._begun = True  # inside a stream: the end of the file would cut it
        self._broken: BrokenOctets | None = None
        self.size = raw.size

    @property
    def bytes_read(self) -> int:
        """Compressed octets read so far."""
        return self._raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill *view*, but for less than a piece; a pipe is only asked for more while nothing could be returned."""
        filled = 0
        try:
            while True:
                if self._broken is not None:
                    raise self._broken
                count = self._step(view[filled:], wait=filled == 0 or self._raw.regular)
                filled += count
                if not count or len(view) - filled < self._decoder.room:
                    break
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
        decoder = self._decoder
        while True:
            if decoder.eof:
                if not self._next_stream(wait=wait):
                    return 0
                decoder = self._decoder
            if decoder.needs_input and len(self._input) == self._seen:
                if not wait:
                    return 0
                if not self._more():
                    raise BrokenOctets(f"the {self._name} data is cut short")
            try:
                count = decoder.into(self._input, view)
            except (ArithmeticError, AttributeError, TypeError):
                raise  # ours
            except Exception as error:  # each library has its own, lz4 a bare RuntimeError
                raise BrokenOctets(f"the {self._name} data is corrupt") from error
            self._input = self._input[decoder.taken :]
            self._seen = len(self._input)
            if count:
                return count

    def _next_stream(self, *, wait: bool) -> bool:
        """Begin the stream behind the one that ended; return False when there is none, or none to be had yet."""
        if self._begun:
            self._begun = False
            if unused := self._decoder.unused_data:
                self._input = memoryview(unused)
        self._skip_padding()
        while not self._input:
            if not wait or not self._more():
                return False
            self._skip_padding()
        while len(self._input) < formats.MAGIC_LENGTH and self._more():
            pass
        if formats.compression(bytes(self._input[: formats.MAGIC_LENGTH])) != self._name:
            raise BrokenOctets(f"the {self._name} data is followed by something else")
        self._decoder, self._begun, self._seen = self._make(), True, 0
        return True

    def _skip_padding(self) -> None:
        """Pass over the zeros of tapes and xz."""
        if self._input and not self._input[0]:
            self._input = memoryview(bytes(self._input).lstrip(b"\0"))

    def _more(self) -> bool:
        """Read more input behind what is left of it; return False at the end."""
        left = len(self._input)
        self._chunk[:left] = self._input
        count = self._raw.readinto(self._chunk[left:])
        self._input = self._chunk[: left + count]
        return count > 0


class _Pulled:
    """A library in the manner of ``bz2.BZ2Decompressor``, asked again and again until *view* is full."""

    input_size, room = _INPUT, 1

    def __init__(self, library: Any) -> None:
        self._library = library
        self.taken = 0
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

    def into(self, data: bytes | memoryview, view: memoryview) -> int:
        self.taken = len(data)  # whatever it does not need yet it keeps
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

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        return bytes(self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length))


class _Starved(Exception):
    """Less is there than the next piece of a zstd frame needs."""


class _ZstdBlocks:
    """A zstd frame (RFC 8878 section 3.1) given to the library block by block.

    A block never expands to more than 128 KiB, so output is bounded without asking the library, it is written where
    it belongs, and each block is decoded as soon as it is there.
    """

    input_size, room = _ZSTD_INPUT, _ZSTD_BLOCK
    unused_data = b""  # what is behind the end is not taken

    def __init__(self) -> None:
        decompressor: Any = import_module("zstandard").ZstdDecompressor(max_window_size=1 << 27)
        self._frame: Any = decompressor.stream_reader(self, closefd=False)  # which asks this object to read
        self._data = memoryview(b"")  # input; the first *taken* octets of it the library has
        self.taken = 0
        self._starved = False  # what is left of it is less than a piece
        self._block = memoryview(b"")  # where a block goes that the caller has no room for
        self._ready = memoryview(b"")  # what of it was not handed out yet
        self._state = "header"
        self._skip = 0  # octets of a skippable frame still to come
        self._checksum = False
        self._ended = False

    @property
    def eof(self) -> bool:
        return self._ended and not self._ready

    @property
    def needs_input(self) -> bool:
        return self._starved and not self._ready

    def into(self, data: memoryview, view: memoryview) -> int:
        self._data, self.taken = data, 0
        if self._ready:
            return self._hand_out(view)
        if len(view) >= _ZSTD_BLOCK:
            return self._decode(view)
        if not self._block:
            self._block = memoryview(bytearray(_ZSTD_BLOCK))
        self._ready = self._block[: self._decode(self._block)]
        return self._hand_out(view)

    def _hand_out(self, view: memoryview) -> int:
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _decode(self, view: memoryview) -> int:
        """Decode one block into *view*; 0 without a whole one, and at the end."""
        self._starved = False
        count = 0
        try:
            if self._state != "skip":
                count = self._frame.readinto1(view)
            if not count:
                if self._state == "skip":
                    self.read(0)  # the library sees nothing of it
                if self._state != "end":
                    raise ValueError("the library and the blocks disagree about the end of a frame")
                self._ended = True
        except _Starved:
            self._starved = True
        return count

    def read(self, _size: int) -> bytes | memoryview:
        """Give the library the next piece of the frame, nothing at its end; raises ``_Starved``."""
        data, at = self._data, self.taken
        if self._state == "block" and len(data) - at >= 3:
            header = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            size = 1 if header >> 1 & 3 == 1 else header >> 3  # a run-length block holds one octet
            if size > _ZSTD_BLOCK:
                raise ValueError("a block larger than any can be")
            end = at + 3 + size
            if end > len(data):
                raise _Starved
            self.taken = end
            if header & 1:  # the last one
                self._state = "checksum" if self._checksum else "end"
            return data[at:end]
        while self._state != "end":
            length = self._piece(data[at:])
            if not length or len(data) - at < length:
                raise _Starved
            piece = bytes(data[at : at + length])
            at = self.taken = at + length
            if self._advance(piece):
                return piece
        return b""

    def _piece(self, held: memoryview) -> int:
        """Return the length of the next piece (header or checksum) of what is *held*; 0 when it cannot be told."""
        if self._state == "header":
            if len(held) < 8:
                return 0
            if bytes(held[1:4]) == b"\x2a\x4d\x18":
                return 8
            descriptor = held[4]
            single = descriptor >> 5 & 1
            self._checksum = bool(descriptor & 4)
            return 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        if self._state == "skip":
            return min(self._skip, len(held))
        return 4 if self._state == "checksum" else 0

    def _advance(self, piece: bytes) -> bool:
        """Know what follows *piece*; return whether it is for the library."""
        if self._state == "skip":
            self._skip -= len(piece)
        elif self._state == "header" and piece[1:4] == b"\x2a\x4d\x18":
            self._skip, self._state = int.from_bytes(piece[4:], "little"), "skip"
        else:
            self._state = "block" if self._state == "header" else "end"
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
