"""From a name to a source: opens, recognises by magic, decompresses, reads the header."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO

from wire502.capture import formats, pcap
from wire502.capture.octets import BrokenOctets, FileOctets, open_octets
from wire502.capture.pcap_cy import PcapScanner
from wire502.capture.source import BUFFER_SIZE, HEAD_SIZE, Head, Source
from wire502.errors import CaptureError
from wire502.model.capture_info import Interface

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

# Four blocks and what is left of a record before them: while a block is decoded its window should be in the cache.
_ZSTD_BUFFER = 4 * 128 * 1024 + 64 * 1024


def open_source(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    file: int = 0,
    interfaces: list[Interface] | None = None,
    follow: bool = False,
    buffer_size: int | None = None,
    sleep: Callable[[float], object] = time.sleep,
    stop: Callable[[], bool] | None = None,
    alone: bool = True,
) -> Source:
    """Open the capture *path*: a file, ``-`` for standard input, or a binary stream (which stays the caller's).

    *file* is the position of the input among all inputs, and *interfaces* the list, shared by all of them, to
    which its interfaces are appended. With *follow*, the end of a file is waited at by *sleep(seconds)* until
    *stop()* is true, or until another file has its name (unless it is not *alone* but one of a set). Raises
    ``CaptureError`` for what cannot be opened or is no capture; whatever breaks later is ``Source.damage``. Waits
    for a pipe until its header is there.
    """
    raw, name = open_octets(path, follow=follow, sleep=sleep, stop=stop, alone=alone)
    head = Head(raw, name, bytearray(HEAD_SIZE), 0)
    try:
        compression = _recognise(head, raw)
        suffix = f" ({compression})" if compression else ""
        make = _pcap if pcap.is_pcap(bytes(head.buffer[: head.filled])) else _pcapng
        size = buffer_size or (_ZSTD_BUFFER if compression == formats.ZSTD else BUFFER_SIZE)
        return make(head, suffix, file, [] if interfaces is None else interfaces, follow=follow, buffer_size=size)
    except BaseException:
        head.octets.close()
        raise


def _recognise(head: Head, raw: FileOctets) -> str | None:
    """Read into *head* until it holds the header of a pcap or pcapng; return the compression around it, if any."""
    _read_head(head)
    if not head.filled:
        way_out = "check that the capturing program could write and has ended"
        raise CaptureError(head.path, 0, "is empty: no capture header", way_out)
    first = bytes(head.buffer[: head.filled])
    compression = formats.compression(first)
    if compression:
        from wire502.capture.compressed import decompressed  # each format is loaded for the file that is in it

        head.octets = decompressed(raw, first, compression, head.path)
        _read_head(head)
        first = bytes(head.buffer[: head.filled])
        if not first:
            raise CaptureError(head.path, 0, f"is empty: there is nothing in the {compression} data", "capture again")
    if not pcap.is_pcap(first) and not formats.is_pcapng(first):
        raise CaptureError(head.path, 0, *formats.foreign(first, head.path))
    if len(first) < pcap.FILE_HEADER:
        raise CaptureError(head.path, len(first), "is cut short inside its file header", "it holds no frame")
    return compression


def _read_head(head: Head) -> None:
    """Read until the format can be told; as much more as is there without waiting comes along."""
    head.filled = 0
    view = memoryview(head.buffer)
    try:
        while head.filled < formats.MAGIC_LENGTH:
            count = head.octets.readinto(view[head.filled :])
            if not count:
                break
            head.filled += count
    except BrokenOctets as broken:
        if not head.filled:
            raise CaptureError(head.path, 0, str(broken), "copy the file again, or capture again") from broken


def _pcap(head: Head, suffix: str, file: int, interfaces: list[Interface], *, follow: bool, buffer_size: int) -> Source:
    try:
        header = pcap.read_header(bytes(head.buffer[: pcap.FILE_HEADER]))
    except ValueError as error:
        raise CaptureError(head.path, 0, str(error), "convert it with the tool that wrote it") from error
    interface = Interface(len(interfaces), file, header.linktype, snaplen=header.snaplen, nanoseconds=header.scale == 1)
    interfaces.append(interface)
    limit = pcap.record_limit(header.linktype, header.snaplen)
    scanner = PcapScanner(header.big, header.record_header, header.scale, interface.index, limit, header.swap)
    return Source(
        head,
        "pcap" + suffix,
        scanner,
        position=pcap.FILE_HEADER,
        interfaces=interfaces,
        follow=follow,
        buffer_size=buffer_size,
        file=file,
    )


def _pcapng(
    head: Head, suffix: str, file: int, interfaces: list[Interface], *, follow: bool, buffer_size: int
) -> Source:
    from wire502.capture import pcapng
    from wire502.capture.pcapng_cy import PcapngScanner

    blocks = pcapng.Blocks(file, interfaces)
    scanner = PcapngScanner(blocks, pcapng.MAX_BLOCK)
    source = Source(
        head,
        "pcapng" + suffix,
        scanner,
        position=0,
        interfaces=interfaces,
        follow=follow,
        buffer_size=buffer_size,
        file=file,
    )
    source.drops, source.comments, source.secrets = blocks.drops, blocks.comments, blocks.secrets
    source.foreseen = lambda: blocks.foreseen
    # The section header is read now: without a whole and sound one this is no capture.
    length = int.from_bytes(head.buffer[4:8], "big" if head.buffer[8:12] == formats.PCAPNG_ORDERS[0] else "little")
    if not pcapng.SECTION_HEADER_MIN <= length <= pcapng.MAX_BLOCK:
        raise CaptureError(head.path, 4, f"says its section header is {length} octets long", "the file is damaged")
    reason = source.begin(length + 3 & ~3)
    if reason:
        raise CaptureError(head.path, 0, reason, "the file is damaged from its start: capture again")
    if isinstance(head.octets, FileOctets) and not follow:
        blocks.foresee(head.octets.tail(pcapng.TAIL))
    return source
