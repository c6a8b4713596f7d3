"""The parts of the agent without an interface: packets to files, lines out, rights, signals, what is said."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tcp.watch import batches
from tests.wire import Wire
from wire502 import read
from wire502.agent.loop import _Troubles
from wire502.agent.notify import Notifier
from wire502.agent.output import Lines
from wire502.agent.parts import Shown
from wire502.agent.privileges import user
from wire502.agent.recording import Recording, Rotation, name_of
from wire502.agent.signals import Signals
from wire502.api import Failure, Summary, live
from wire502.capture import open_source
from wire502.errors import CaptureError, SettingError
from wire502.model.capture_info import Interface
from wire502.model.frames_cy import Batch

ETHERNET = Interface(0, 0, 1)


def nothing(*_: object) -> None:
    pass


def conversation(requests: int = 3) -> Wire:
    wire = Wire()
    conn = wire.connection("10.0.0.1:41000", "10.0.0.2:8080")
    conn.handshake()
    for number in range(requests):
        conn.client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        conn.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900)
    conn.client.send(b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
    conn.server.ack()
    conn.server.reset()
    return wire


def recording(path: Path, rotation: Rotation | None = None, **options: Any) -> Recording:
    chosen = {"owner": None, "say": nothing, "full": nothing, **options}
    return Recording(str(path), rotation or Rotation(), ETHERNET, **chosen)


def rows(path: Path) -> list[tuple[int, int, bytes, int]]:
    """Return time, length, octets and direction of each frame of a file."""
    found = []
    with open_source(path) as source:
        while (batch := source.read_batch()) is not None:
            for row in range(batch.count):
                start = batch.start[row]
                octets = bytes(batch.data[start : start + batch.captured[row]])
                found.append((batch.ts_ns[row], batch.length[row], octets, batch.direction[row]))
    return found


# -- packets to files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_recorded_packets_are_those_that_came(tmp_path: Path, suffix: str) -> None:
    """A file that was recorded holds the frames as they came: octets, lengths, nanoseconds; pcapng its direction."""
    source = conversation().write(tmp_path / "from.pcap")
    path, expected = tmp_path / f"to.{suffix}", rows(source)
    out = recording(path)
    with open_source(source) as opened:
        while (batch := opened.read_batch()) is not None:
            for row in range(batch.count):
                batch.direction[row] = row % 3
            out.frames(batch)
            out.beat(0)
    out.close()
    known = [(*row[:3], number % 3 if suffix == "pcapng" else 0) for number, row in enumerate(expected)]
    assert rows(path) == known


@pytest.mark.parametrize("suffix", ["", ".pcapng"])
@given(st.lists(st.tuples(st.integers(0, 260_000), st.integers(0, 2)), min_size=1, max_size=30))
def test_files_are_no_larger_than_they_may_be(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, frames: list[tuple[int, int]]
) -> None:
    """Whatever the frames, no file of -C 1 is larger than a megabyte, and all frames stand in them in order."""
    folder = tmp_path_factory.mktemp("rotation")
    first = folder / f"p{suffix}"
    out = recording(first, Rotation(megabytes=1))
    for number, (size, direction) in enumerate(frames):
        batch = Batch(1)
        batch.data = memoryview(bytearray(size))
        batch.count, batch.captured[0], batch.length[0], batch.direction[0] = 1, size, size, direction
        batch.ts_ns[0] = number * 1_000_000_000 + 1
        out.frames(batch)
    out.close()
    files = [first] + [folder / f"p{suffix}{number}" for number in range(1, len(list(folder.iterdir())))]
    assert all(path.stat().st_size <= 1_000_000 for path in files)
    told = [(length, direction) for path in files for _, length, _, direction in rows(path)]
    assert told == [(size, direction if suffix else 0) for size, direction in frames]


@pytest.mark.parametrize(
    ("rotation", "names"),
    [
        (Rotation(), ["p", "p", "p"]),
        (Rotation(megabytes=1), ["p", "p1", "p2"]),
        (Rotation(megabytes=1, files=2), ["p0", "p1", "p0"]),
        (Rotation(megabytes=1, files=11), ["p00", "p01", "p02"]),
        (Rotation(megabytes=1, seconds=9, files=2), ["p", "p1", "p2"]),
    ],
)
def test_names_are_tcpdumps(rotation: Rotation, names: list[str]) -> None:
    """Files are called as tcpdump calls them."""
    assert [name_of("p", rotation, number, 0) for number in range(3)] == names


def test_files_by_time(tmp_path: Path) -> None:
    """With -G a new file begins when its time has come, named by its time; after -W of them it is said to be full."""
    now, full = [1_795_000_000.0], []
    out = recording(
        tmp_path / "%H%M%S.pcap", Rotation(seconds=60, files=2), clock=lambda: now[0], full=lambda: full.append(1)
    )
    for _ in range(3):
        out.beat(0)
        now[0] += 30
    assert len(list(tmp_path.iterdir())) == 2
    assert full == []
    now[0] += 30
    out.beat(0)
    out.close()
    assert full == [1]


def test_a_recording_that_was_not_moved_is_kept(tmp_path: Path) -> None:
    """A signal that is meant for another file begins nothing anew; where the file is gone, a new one is begun."""
    path, moved = tmp_path / "p", tmp_path / "moved"
    out = recording(path)
    (batch,) = batches(conversation().frames)
    for _ in range(2):
        out.frames(batch)
        out.reopen()
    assert len(rows(path)) == 2 * batch.count
    path.rename(moved)
    out.reopen()
    out.frames(batch)
    out.close()
    assert (len(rows(moved)), len(rows(path))) == (2 * batch.count, batch.count)


def test_a_disk_that_is_full_is_said_once(tmp_path: Path) -> None:
    """Packets that cannot be written are counted and said once, and the run goes on."""
    said: list[str] = []
    out = recording(tmp_path / "p", say=said.append)
    os.dup2(os.open("/dev/full", os.O_WRONLY), out._descriptor)
    for batch in batches(conversation().frames) * 2:
        out.frames(batch)
        out.beat(0)
    assert out.lost > 0
    assert len(said) == 1
    assert "No space left" in said[0]
    out.close()


def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file that cannot be opened is refused before anything is captured."""
    with pytest.raises(CaptureError, match="cannot be written"):
        recording(tmp_path / "none" / "p")


# -- the end of a run --------------------------------------------------------------------------------------------------


class Slow:
    """A feed whose frames come only after it was asked *idle* times, then one batch; it never ends."""

    path, size, step, damage, bytes_read, drops = "slow", None, None, None, 0, ()

    def __init__(self, frames: list[Batch], idle: int, interfaces: list[Interface]) -> None:
        self.interfaces = interfaces
        interfaces.append(ETHERNET)
        self._frames, self._idle, self.asked = frames, idle, 0

    def read_batch(self) -> Batch:
        self.asked += 1
        return self._frames.pop(0) if self.asked > self._idle and self._frames else Batch(1)

    def quiet_until(self) -> None:
        return None

    def close(self) -> None:
        pass


def test_what_had_come_when_it_was_stopped_is_read() -> None:
    """Frames that were on their way when a live run was stopped are judged; it ends all the same."""
    feeds: list[Slow] = []

    def feed(interfaces: list[Interface]) -> Any:
        feeds.append(Slow(list(batches(conversation().frames)), 2, interfaces))
        return feeds[0]

    reading = live(feed)
    found = []
    for group in reading.batches():
        found += group
        if feeds[0].asked == 2:
            reading.stop()
    assert any(isinstance(one, Failure) for one in found)
    assert isinstance(found[-1], Summary)
    assert found[-1].frames == len(conversation().frames)


# -- lines out --------------------------------------------------------------------------------------------------------


def lines_to(path: str | None, **options: Any) -> Lines:
    made = Lines(lambda result: f"{result}\n", path, None, options.pop("say", nothing), **options)
    made.start()
    return made


def test_lines_come_in_order_and_survive_the_move_of_their_file(tmp_path: Path) -> None:
    """Lines stand in the file in their order; after it was moved, those that follow stand in a new one."""
    path = tmp_path / "out"
    lines = lines_to(str(path))
    lines.results(["a", "b"])  # type: ignore[list-item]
    while path.read_text() != "a\nb\n":
        time.sleep(0.01)
    path.rename(tmp_path / "old")
    lines.reopen()
    lines.results(["c"])  # type: ignore[list-item]
    lines.close()
    assert (path.read_text(), (tmp_path / "old").read_text()) == ("c\n", "a\nb\n")


def test_a_reader_that_stands_still_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines beyond what may wait are lost, which is said; handing them over never waits; the end comes soon."""
    monkeypatch.setattr("wire502.agent.output.MOST_WAITING", 100_000)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    said: list[str] = []
    lines = lines_to(str(path), say=said.append)
    for _ in range(100):
        lines.put("x" * 9_999 + "\n")
    assert lines.lost > 50
    for now in (100, 101):
        lines.beat(now)
    assert said == [f"{lines.lost} lines were lost: nobody reads them as fast as they come"]
    began = time.monotonic()
    lines.close()
    assert time.monotonic() - began < 5
    os.close(reader)


def test_nobody_reads_any_more(tmp_path: Path) -> None:
    """When the reader of a pipe has gone it is told, so that the run can end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    gone = threading.Event()
    lines = lines_to(str(path), unread=gone.set)
    os.close(reader)
    lines.put("x\n")
    assert gone.wait(10)
    lines.close()


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_frames_are_shown_to_the_parts_and_counted() -> None:
    """Each part sees every frame before the engine does, and none behind the last one that was asked for."""
    seen: list[int] = []
    source = SimpleNamespace(read_batch=iter(batches(conversation(8).frames)).__next__)
    part = SimpleNamespace(frames=lambda batch: seen.append(batch.count))
    shown = Shown(source, [part], 5)  # type: ignore[arg-type, list-item]
    batch = shown.read_batch()
    assert batch is not None
    assert batch.count == 5
    assert seen == [5]
    assert shown.read_batch() is None


def test_users() -> None:
    """Users and groups are found by name or number; one that does not exist is refused."""
    root = user("root")
    assert (root.uid, root.gid) == (0, 0)
    assert user("0:0") == root
    for name in ("nosuchuser", "99999999", "root:nosuchgroup"):
        with pytest.raises(SettingError, match="there is no"):
            user(name)


def test_signals_are_flags() -> None:
    """Signals set flags and do nothing else; afterwards they do what they did before."""
    before = signal.getsignal(signal.SIGHUP)
    stopped: list[int] = []
    with Signals(lambda: stopped.append(1)) as signals:
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert (signals.counters, signals.reopen, signals.stop, stopped) == (True, True, True, [1])
    assert signal.getsignal(signal.SIGHUP) == before


def test_the_manager_is_told(tmp_path: Path) -> None:
    """A service manager hears READY, signs of life in time, and STOPPING; without one nothing happens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
        notifier.ready("capturing")
        notifier.beat(10.0)
        notifier.beat(10.5)
        notifier.beat(11.0)
        notifier.close()
        heard = [manager.recv(999).decode() for _ in range(4)]
    assert heard == ["READY=1\nSTATUS=capturing", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]
    silent = Notifier({})
    silent.ready("capturing")
    silent.close()


def test_what_was_let_go_is_said_but_not_all_the_time() -> None:
    """Evictions are said at once, then summed up to once a minute."""
    said: list[str] = []
    now = [0.0]
    troubles = _Troubles(said.append, lambda: now[0])
    feed: Any = SimpleNamespace()
    for evicted, at in ((0, 0), (5, 1), (9, 30), (9, 62), (9, 130)):
        now[0] = at
        troubles.look(feed, {"evicted": evicted, "unfollowed": 0})
    assert [text.split()[0] for text in said] == ["5", "4"]


def test_nothing_is_loaded_once_frames_come(tmp_path: Path) -> None:
    """What a live run needs is loaded before rights are given up: a failure in it loads no further module of ours."""
    import subprocess
    import sys

    path = conversation().write(tmp_path / "c.pcap")
    code = (
        "import sys\n"
        "import wire502.agent.run\n"
        "from wire502.api import live\n"
        "from wire502.capture import open_source\n"
        "from wire502.capture.live.waiting import WaitingSource\n"
        "from wire502.cli.writers import json_writer, text_writer\n"
        f"path = {str(path)!r}\n"
        "reading = live(lambda interfaces: WaitingSource(open_source(path, interfaces=interfaces)))\n"
        "write, text = json_writer(reading), text_writer(reading, False, False, False, 'never')\n"
        "before = set(sys.modules)\n"
        "assert {'ipaddress', 'shlex', 'wire502.capture.compressed', 'wire502.capture.pcapng'} <= before\n"
        "kinds = [write(one) + text(one) for group in reading.batches() for one in group]\n"
        "assert 'rst_before_response' in kinds[0], kinds\n"
        "print(sorted(name for name in set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_live_run_of_a_file_says_what_read_says(tmp_path: Path) -> None:
    """The same frames give the same results whether they are read or come live."""
    from wire502.api import live
    from wire502.capture.live.waiting import WaitingSource

    path = conversation().write(tmp_path / "c.pcap")
    *found, summary = read(path)
    reading = live(lambda interfaces: WaitingSource(open_source(path, interfaces=interfaces)))  # type: ignore[arg-type]
    assert [one.type for one in found] == ["failure"]
    *again, last = [one for group in reading.batches() for one in group]
    assert [repr(one) for one in again] == [repr(one) for one in found]
    assert isinstance(summary, Summary)
    assert isinstance(last, Summary)
    assert last.failures == summary.failures
