"""Compressed captures: every form, every library, cut, corrupt and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import random
import shutil
import subprocess
import tracemalloc
from typing import TYPE_CHECKING, Any, cast

import lz4.frame
import pytest
import zstandard

from tests.capture.octets import Frame, Pieces, expected, numbered, pcap, pcapng, rows
from wire502.capture import compressed, open_source
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = numbered(3000, size=120)
OCTETS = pcap(FRAMES)
_NOISE = random.Random(1)
NOISY = [Frame(frame.ts_ns, _NOISE.randbytes(120), 120) for frame in FRAMES]  # nothing to compress


def zstd(octets: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(octets)


def zstd_streamed(octets: bytes) -> bytes:
    """Compress without content size or checksum, in small blocks."""
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    parts = []
    for start in range(0, len(octets), 5000):
        parts += [
            compressor.compress(octets[start : start + 5000]),
            compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK),
        ]
    return b"".join([*parts, compressor.flush()])


FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zstd": ("zstd", zstd),
    "zstd streamed": ("zstd", zstd_streamed),
    "lz4": ("lz4", lambda octets: bytes(lz4.frame.compress(octets, content_checksum=True))),
    "xz": ("xz", lzma.compress),
    "bzip2": ("bzip2", lambda octets: bz2.compress(octets, 1)),
}
forms = pytest.mark.parametrize("form", FORMS)
FAST = ("isal", "zstandard", "lz4")


@pytest.fixture(params=["fast", "plain"])
def libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the libraries of the extra, and as if they were not installed."""
    if request.param == "plain":

        def refuse(name: str) -> Any:
            if name.partition(".")[0] in FAST:
                raise ImportError(name)
            return importlib.import_module(name)

        monkeypatch.setattr(compressed, "import_module", refuse)
    return str(request.param)


@forms
def test_all_forms(form: str, libraries: str, tmp_path: Path) -> None:
    """Each compression gives back the capture, from a file and from a stream, with or without fast libraries."""
    name, compress = FORMS[form]
    for make, kind in ((pcap, "pcap"), (pcapng, "pcapng")):
        octets = compress(make(FRAMES))
        path = tmp_path / "capture"
        path.write_bytes(octets)
        with open_source(path) as source:
            assert source.format == f"{kind} ({name})"
            assert rows(source) == expected(FRAMES)
            assert source.damage is None
            assert source.bytes_read == source.size == len(octets)
        with open_source(io.BytesIO(octets)) as source:
            assert rows(source) == expected(FRAMES)
            assert source.size is None


@forms
def test_several_streams(form: str, libraries: str) -> None:
    """Compressed streams that follow one another, padding between them, are one capture."""
    _, compress = FORMS[form]
    third = len(OCTETS) // 3
    parts = [OCTETS[:third], b"", OCTETS[third:]]
    padding = bytes(8) if form in ("gzip", "xz") else b""
    with open_source(io.BytesIO(padding.join(compress(part) for part in parts) + padding)) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is None


@forms
@pytest.mark.parametrize("sizes", [[1], [7, 3000]])
def test_pieces(form: str, sizes: list[int]) -> None:
    """However a compressed stream is cut into pieces, the frames are the same."""
    _, compress = FORMS[form]
    frames = numbered(100)
    with open_source(cast("io.BytesIO", Pieces(compress(pcap(frames)), sizes))) as source:
        assert rows(source) == expected(frames)
        assert source.damage is None


@forms
def test_cut(form: str, libraries: str) -> None:
    """A cut compressed stream gives what could be decompressed, and is damaged wherever it was cut."""
    _, compress = FORMS[form]
    octets = compress(pcap(NOISY))
    for cut in (len(octets) - 1, len(octets) - 5, len(octets) * 3 // 4, len(octets) // 2):
        with open_source(io.BytesIO(octets[:cut])) as source:
            found = rows(source)
            assert found == expected(NOISY)[: len(found)]
            assert source.damage is not None
            assert "cut short" in source.damage.reason


@pytest.mark.parametrize("form", ["gzip", "zstd streamed"])
def test_cut_keeps_what_was_there(form: str) -> None:
    """Of a stream cut in the middle, about the half can be read."""
    octets = FORMS[form][1](pcap(NOISY))
    with open_source(io.BytesIO(octets[: len(octets) // 2])) as source:
        assert len(rows(source)) > len(FRAMES) * 0.45


@forms
def test_corrupt(form: str, libraries: str) -> None:
    """A corrupt compressed stream is damaged, whichever octet was changed; nothing else happens."""
    _, compress = FORMS[form]
    octets = compress(OCTETS)
    told = 0
    places = range(12, len(octets), max(1, len(octets) // 40))
    for at in places:
        broken = bytearray(octets)
        broken[at] ^= 0x55
        try:
            with open_source(io.BytesIO(bytes(broken))) as source:
                rows(source)
                told += source.damage is not None
        except CaptureError:
            told += 1
    # Checksums notice nearly all; a streamed zstd frame and the fields of a header have none.
    assert told >= len(places) * (0.3 if form == "zstd streamed" else 0.9)


@forms
def test_followed_by_something_else(form: str) -> None:
    """Octets behind the compressed stream that are no stream are damage; the frames before them are read."""
    _, compress = FORMS[form]
    with open_source(io.BytesIO(compress(OCTETS) + b"something else, and not short")) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is not None
        assert "followed by something else" in source.damage.reason


@forms
def test_nothing_inside(form: str, libraries: str) -> None:
    """An empty compressed file is an empty file, a compressed text is a text, a compressed archive is named."""
    _, compress = FORMS[form]
    for content, words in (
        (b"", "is empty"),
        (b"a line of text\n" * 9, "is text"),
        (gzip.compress(OCTETS), "holds gzip data inside"),
    ):
        with pytest.raises(CaptureError, match=words):
            open_source(io.BytesIO(compress(content)))


def test_no_way_to_decompress(libraries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither library nor program is installed, the extra is named."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    octets = zstd(OCTETS)
    if libraries == "plain":
        with pytest.raises(CaptureError, match=r"zstd.*wire502\[fast\]"):
            open_source(io.BytesIO(octets))
    else:
        with open_source(io.BytesIO(octets)) as source:
            assert len(rows(source)) == len(FRAMES)


def bomb(form: str) -> bytes:
    """Return a small file that claims to hold hundreds of megabytes."""
    if form.startswith("zstd"):  # a frame of run-length blocks, four octets for 128 KiB each
        block = ((131072 << 3) | 2).to_bytes(3, "little") + b"\0"
        return b"\x28\xb5\x2f\xfd" + b"\0\x58" + block * 4000 + b"\1\0\0"
    name, compress = FORMS[form]
    if name == "lz4":
        return compress(bytes(64 << 20))
    return compress(bytes(200 << 20)) if name != "xz" else lzma.compress(bytes(100 << 20), preset=0)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["gzip", "zstd", "lz4", "xz", "bzip2"])
def test_bomb(form: str, libraries: str) -> None:
    """Memory does not grow with what a compressed file claims to hold, even if it is one giant record."""
    octets = bomb(form)
    # USB captures may have records of this length, so this one is believed until its octets do not come
    record = FORMS[form][1](pcap([], linktype=189) + bytes(8) + (120 << 20).to_bytes(4, "little") * 2)
    header = FORMS[form][1](pcap([]))
    tracemalloc.start()
    try:
        for content in (octets, header + octets, record):
            try:
                with open_source(io.BytesIO(content)) as source:
                    count = 0
                    while (batch := source.read_batch()) is not None and count < 200_000:
                        count += batch.count
            except CaptureError:
                pass
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_skippable_zstd_frame() -> None:
    """A skippable frame, however long it says it is, is passed over without being held."""
    skippable = b"\x50\x2a\x4d\x18" + (100_000).to_bytes(4, "little") + bytes(100_000)
    with open_source(io.BytesIO(skippable + zstd(OCTETS))) as source:
        assert rows(source) == expected(FRAMES)
    with pytest.raises(CaptureError, match="cut short"):
        open_source(io.BytesIO(b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + bytes(50_000)))


def test_no_zstd_block_is_that_large() -> None:
    """A block that says it is larger than any can be is corrupt at once: nobody waits for its octets."""
    head = b"\x28\xb5\x2f\xfd\x00\x58"  # neither size nor checksum, a window of 2 MiB
    for size, words in ((1 << 17, "cut short"), ((1 << 17) + 1, "corrupt")):
        with pytest.raises(CaptureError, match=words):
            open_source(io.BytesIO(head + (size << 3).to_bytes(3, "little") + bytes(100)))


@pytest.mark.parametrize("room", [20_000, 131_072, 131_073, 300_000, 600_000])
@pytest.mark.parametrize("form", ["zstd", "zstd streamed"])
def test_zstd_blocks_and_buffers(form: str, room: int) -> None:
    """Blocks of every sort reach a buffer of any size whole and in order."""
    frames = [Frame(frame.ts_ns, bytes(200) + frame.octets * 9, 1280) for frame in NOISY]
    with open_source(io.BytesIO(FORMS[form][1](pcap(frames))), buffer_size=room) as source:
        assert rows(source) == expected(frames)
        assert source.damage is None


@pytest.mark.parametrize("form", ["gzip", "zstd streamed"])
def test_prompt(form: str) -> None:
    """Frames whose compressed octets are in a pipe are delivered while the pipe is open."""
    if form == "gzip":
        import zlib

        compressor = zlib.compressobj(wbits=31)
        first = compressor.compress(pcap(numbered(5))) + compressor.flush(zlib.Z_SYNC_FLUSH)
    else:
        stream = zstandard.ZstdCompressor().compressobj()
        first = stream.compress(pcap(numbered(5))) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as inlet, os.fdopen(writer, "wb", buffering=0) as outlet:
        outlet.write(first)
        with open_source(cast("io.BytesIO", inlet)) as source:
            batch = source.read_batch()
            assert batch is not None
            assert batch.count == 5


def test_programs_write_what_is_read(tmp_path: Path) -> None:
    """Files of the usual programs are read, with the options that change their layout."""
    plain = tmp_path / "plain.pcap"
    plain.write_bytes(OCTETS)
    commands = [
        ["gzip", "-9"],
        ["xz", "-0"],
        ["bzip2", "-1"],
        ["zstd", "-19"],
        ["zstd", "--no-check"],
        ["zstd", "--long"],
    ]
    commands += [["lz4", "-9"], ["lz4", "-BD"], ["lz4", "--content-size"]]
    for command in commands:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        octets = subprocess.run([*command, "-c", plain], check=True, capture_output=True).stdout
        with open_source(io.BytesIO(octets)) as source:
            assert len(rows(source)) == len(FRAMES), command
            assert source.damage is None, command
