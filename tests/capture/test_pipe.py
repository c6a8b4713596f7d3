"""Pipes, standard input and files that grow: frames are delivered as soon as they are whole."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING, cast

import pytest

from tests.capture.octets import expected, numbered, pcap, pcapng, rows
from wire502.capture import open_source
from wire502.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = numbered(6)


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("buffered", [False, True])
def test_frames_come_while_the_pipe_is_open(make: Callable[..., bytes], buffered: bool) -> None:
    """Each frame is returned before its writer writes on or closes, half a record behind it or not."""
    octets = make(FRAMES)
    reader, writer = os.pipe()
    inlet = os.fdopen(reader, "rb", buffering=-1 if buffered else 0)
    with inlet, os.fdopen(writer, "wb", buffering=0) as outlet:
        sent = 0
        source = None
        for count in range(1, len(FRAMES) + 1):
            upto = len(make(FRAMES[:count])) + (9 if count < len(FRAMES) else 0)
            outlet.write(octets[sent:upto])
            sent = upto
            source = source or open_source(cast("io.BytesIO", inlet))
            batch = source.read_batch()
            assert batch is not None
            assert [batch.frame[row] for row in range(batch.count)] == [count]
        outlet.close()
        assert source is not None
        assert source.read_batch() is None
        assert source.damage is None
        assert source.size is None
        assert source.bytes_read == len(octets)


def test_header_is_enough_to_open() -> None:
    """Opening a pipe waits for the header, not for a first frame."""
    for octets in (pcap([]), pcapng([])):
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as inlet, os.fdopen(writer, "wb", buffering=0) as outlet:
            outlet.write(octets)
            with open_source(cast("io.BytesIO", inlet)) as source:
                assert source.format in ("pcap", "pcapng")


def test_fifo(tmp_path: Path) -> None:
    """A named pipe is read like a file."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcap(FRAMES),))
    writer.start()
    with open_source(path) as source:
        assert rows(source) == expected(FRAMES)
        assert source.size is None
    writer.join()


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash is standard input."""

    class Input:
        buffer = io.BytesIO(pcap(FRAMES))

    monkeypatch.setattr(sys, "stdin", Input)
    with open_source("-") as source:
        assert source.path == "standard input"
        assert rows(source) == expected(FRAMES)
    assert not Input.buffer.closed


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is no capture, and is not waited for."""

    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    class Input:
        buffer = Terminal()

    monkeypatch.setattr(sys, "stdin", Input)
    with pytest.raises(CaptureError, match="is a terminal"):
        open_source("-")


def test_stream_with_read_only() -> None:
    """A stream object needs no more than ``read``."""

    class Minimal:
        def __init__(self) -> None:
            self._inner = io.BytesIO(pcap(FRAMES))

        def read(self, size: int) -> bytes:
            return self._inner.read(min(size, 50))

    with open_source(cast("io.BytesIO", Minimal())) as source:
        assert source.path == "(stream)"
        assert rows(source) == expected(FRAMES)


def test_non_blocking_pipe() -> None:
    """A pipe that does not block is waited for."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    octets = pcap(FRAMES)

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as outlet:
            for start in range(0, len(octets), 100):
                outlet.write(octets[start : start + 100])

    thread = threading.Timer(0.05, write)
    thread.start()
    with os.fdopen(reader, "rb", buffering=0) as inlet, open_source(cast("io.BytesIO", inlet)) as source:
        assert rows(source) == expected(FRAMES)
    thread.join()


def test_read_error() -> None:
    """An error of the device ends the reading with what came before, and its words."""

    class Failing(io.RawIOBase):
        def __init__(self, octets: bytes) -> None:
            super().__init__()
            self._octets = octets

        def readable(self) -> bool:
            return True

        def readinto(self, view: object) -> int:
            if not self._octets:
                raise OSError(5, "Input/output error")
            part, self._octets = self._octets[:1000], self._octets[1000:]
            memoryview(view)[: len(part)] = part  # type: ignore[arg-type]
            return len(part)

    octets = pcap(FRAMES)
    with open_source(cast("io.BytesIO", Failing(octets))) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is not None
        assert source.damage.reason == "cannot be read any further: input/output error"
        assert source.damage.offset == len(octets)
    with pytest.raises(CaptureError, match="input/output error"):
        open_source(cast("io.BytesIO", Failing(b"")))


class Growing:
    """Appends to a file whenever its reader sleeps; says stop when all is written and read."""

    def __init__(self, path: Path, octets: bytes, step: int) -> None:
        self.path, self.octets, self.step = path, octets, step
        self.sleeps = 0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps += 1
        with self.path.open("ab") as stream:
            stream.write(self.octets[: self.step])
        self.octets = self.octets[self.step :]

    def stop(self) -> bool:
        return not self.octets


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("step", [1, 37, 1000])
def test_follow(make: Callable[..., bytes], step: int, tmp_path: Path) -> None:
    """A file that grows, by whatever pieces and even from nothing, is read until it is said to stop."""
    path = tmp_path / "growing"
    path.write_bytes(b"")
    growing = Growing(path, make(FRAMES), step)
    with open_source(path, follow=True, sleep=growing.sleep, stop=growing.stop) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is None
        assert growing.sleeps >= len(make(FRAMES)) // step


def test_follow_stopped_inside_a_record(tmp_path: Path) -> None:
    """A record that is not whole yet when the following stops is no damage."""
    path = tmp_path / "growing"
    path.write_bytes(pcap(FRAMES)[:-3])
    with open_source(path, follow=True, sleep=lambda _: None, stop=lambda: True) as source:
        assert rows(source) == expected(FRAMES)[:-1]
        assert source.damage is None


def test_follow_a_file_that_shrinks(tmp_path: Path) -> None:
    """A followed file that becomes shorter was replaced: the reading ends and says so."""
    path = tmp_path / "growing"
    path.write_bytes(pcap(FRAMES))

    def shrink(_seconds: float) -> None:
        path.write_bytes(b"")

    with open_source(path, follow=True, sleep=shrink) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is not None
        assert "became shorter" in source.damage.reason
        assert "wire502 live --follow" in source.damage.way_out


def test_follow_a_file_that_is_replaced(tmp_path: Path) -> None:
    """Where a rotation gives the name to another file, the old one is read to its last octet, then the reading ends."""
    path = tmp_path / "growing"
    octets = pcap(FRAMES)
    path.write_bytes(octets[:-10])
    steps = []

    def rotate(_seconds: float) -> None:
        steps.append(path)
        if len(steps) == 1:
            path.rename(tmp_path / "growing.1")
        elif len(steps) == 2:
            path.write_bytes(pcap(FRAMES[:1]))
        elif len(steps) == 3:  # only now the writer turns to the new file
            with (tmp_path / "growing.1").open("ab") as stream:
                stream.write(octets[-10:])

    with open_source(path, follow=True, sleep=rotate) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is not None
        assert "was replaced" in source.damage.reason
        assert "wire502 live --follow" in source.damage.way_out
    assert len(steps) < 10


def test_follow_compressed(tmp_path: Path) -> None:
    """A compressed file that grows is followed like any other."""
    import gzip

    path = tmp_path / "growing.gz"
    path.write_bytes(b"")
    growing = Growing(path, gzip.compress(pcap(FRAMES)), 50)
    with open_source(path, follow=True, sleep=growing.sleep, stop=growing.stop) as source:
        assert rows(source) == expected(FRAMES)
        assert source.damage is None
