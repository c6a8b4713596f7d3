"""The parts of live capture that need no right: filter programs, blocks of a ring, what is waited for."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.machine import matches
from tests.capture.octets import Frame, pcap
from wire502.capture.live import bpf, interfaces, libpcap
from wire502.capture.live.bpf import FilterError
from wire502.capture.live.following import FollowedFiles
from wire502.capture.live.ring_cy import BlockScanner
from wire502.capture.live.steps import Steps
from wire502.capture.live.waiting import WaitingSource
from wire502.errors import CaptureError
from wire502.model.capture_info import Interface
from wire502.model.frames_cy import Batch
from wire502.packet import PacketStage

BLOCK = 1 << 16
ETHERNET = bytes(range(12)) + b"\x08\x00"
TCP = bytes.fromhex("45000028000140004006000001020304050607081f9000500000000100000002") + bytes.fromhex(
    "5012ffff00000000"
)
UDP = bytes.fromhex("4500001c000140004011000001020304050607081f900050000800000000")


def needs_libpcap() -> None:
    if libpcap._library() is None:
        pytest.skip("libpcap is not installed")


# -- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cooked", [False, True])
@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("tcp", True),
        ("udp", False),
        ("port 80", True),
        ("port 81", False),
        ("tcp src port 8080 and host 1.2.3.4", True),
        ("host 1.2.3.5 or icmp", False),
        ("tcp[tcpflags] & tcp-syn != 0", True),
        ("tcp[tcpflags] & tcp-rst != 0", False),
        ("ip6", False),
        ("not port 22", True),
        ("less 20", False),
    ],
)
def test_filters_mean_what_they_say(expression: str, taken: bool, cooked: bool) -> None:
    """An expression takes the same frames where they come with their link header and where they come without."""
    needs_libpcap()
    program = libpcap.compile_filter(expression, libpcap.COOKED if cooked else libpcap.ETHERNET, 96)
    frame = TCP if cooked else ETHERNET + TCP
    if cooked:
        program = bpf.uncooked(program)
        if expression.startswith("less"):
            return  # the length of a frame without its header is another one
    assert matches(program, frame, protocol=0x0800) == (96 if taken else 0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20, unique=True), st.integers(1, 50), st.integers(0, 4))
def test_beginnings_of_programs(chosen: list[int], interface: int, kind: int) -> None:
    """Only frames of the chosen interfaces are taken, and of the loopback's two copies the received one."""
    program = bpf.only_interfaces(chosen) + bpf.once_on(chosen[0]) + bpf.accept(64)
    taken = interface in chosen and not (kind == 4 and interface == chosen[0])
    assert matches(program, b"", kind=kind, interface=interface) == (64 if taken else 0)


def test_too_many_interfaces_are_refused() -> None:
    """More interfaces than a jump can reach over are refused, not captured wrongly."""
    with pytest.raises(FilterError, match="capture on any"):
        bpf.only_interfaces(range(1, 300))
    with pytest.raises(FilterError, match="too long"):
        bpf.packed(bpf.accept(1) * 5000)


def test_an_expression_that_is_none() -> None:
    """What libpcap does not understand is said in its words; a VLAN, which it would never match, is refused."""
    needs_libpcap()
    with pytest.raises(FilterError, match="cannot be compiled: "):
        libpcap.compile_filter("tcp and and", 1, 96)
    with pytest.raises(FilterError, match="VLAN"):
        libpcap.compile_filter("vlan 3 and tcp", 1, 96)


def test_without_libpcap_the_way_out_is_named() -> None:
    """Where there is no libpcap, a filter is refused with the package that brings it."""
    with pytest.raises(FilterError, match=r"libpcap0\.8"):
        libpcap.compile_filter("tcp", 1, 96, lambda: None)


def test_link_layer_addresses_of_cooked_frames() -> None:
    """A filter for link-layer addresses is refused where frames have none."""
    with pytest.raises(FilterError, match="link-layer addresses"):
        bpf.uncooked([(0x20, 0, 0, 6), (0x06, 0, 0, 1)])


# -- blocks -----------------------------------------------------------------------------------------------------------


def block(frames: list[tuple[bytes, int, dict[str, int]]], room: int = 96) -> bytearray:
    """Return a block as the kernel fills it: frames (octets, packet type, what is special)."""
    made = bytearray(BLOCK)
    at = 48
    for number, (octets, kind, special) in enumerate(frames):
        step = -(-(room + len(octets)) // 16) * 16
        following = step if number + 1 < len(frames) else 0
        status = 1
        if "vlan" in special:
            status |= 0x10 | (0x40 if special.get("tpid") else 0)
        length = special.get("length", len(octets))
        struct.pack_into("=6IHH", made, at, following, 7, 9 + number, len(octets), length, status, room, room)
        struct.pack_into("=IIHH", made, at + 28, 0, special.get("vlan", 0), special.get("tpid", 0), 0)
        struct.pack_into("=H", made, at + 48, 17)
        struct.pack_into(">H", made, at + 50, special.get("protocol", 0x0800))
        struct.pack_into("=iHBB8s", made, at + 52, special.get("interface", 3), 1, kind, 6, b"\x02\0\0\0\0\x01\0\0")
        made[at + room : at + room + len(octets)] = octets
        at += step
    struct.pack_into("=II", made, 12, len(frames), 48)
    return made


def scanned(made: bytearray, *, cooked: bool = False, rows: int = 64) -> tuple[list[tuple[Any, ...]], BlockScanner]:
    scanner = BlockScanner(cooked, 0)
    batch = Batch(rows)
    batch.data = memoryview(made)
    scanner.begin(memoryview(made), 0, len(made))
    found = []
    while True:
        batch.count = 0
        scanner.scan(batch)
        for row in range(batch.count):
            octets = bytes(batch.data[batch.start[row] : batch.start[row] + batch.captured[row]])
            found.append((batch.frame[row], batch.ts_ns[row], octets, batch.length[row], batch.direction[row]))
        if not scanner.left:
            return found, scanner


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_frames_of_a_block(rows: int) -> None:
    """Frames of a block come in order, numbered, with their times, lengths and directions, whatever the batch holds."""
    frames = [(ETHERNET + TCP, 0, {}), (ETHERNET + UDP, 4, {"length": 1500}), (ETHERNET + TCP, 3, {})]
    found, scanner = scanned(block(frames), rows=rows)
    assert found == [
        (1, 7_000_000_009, ETHERNET + TCP, len(ETHERNET + TCP), 1),
        (2, 7_000_000_010, ETHERNET + UDP, 1500, 2),
        (3, 7_000_000_011, ETHERNET + TCP, len(ETHERNET + TCP), 0),
    ]
    assert scanner.torn == 0


@pytest.mark.parametrize(("tpid", "tag"), [(0, "8100"), (0x88A8, "88a8")])
def test_vlan_tags_come_back(tpid: int, tag: str) -> None:
    """A tag that hardware took out of a frame stands in it again, with the protocol that it had."""
    (found,), _ = scanned(block([(ETHERNET + TCP, 0, {"vlan": 0x6123, "tpid": tpid})]))
    assert found[2] == ETHERNET[:12] + bytes.fromhex(tag + "6123") + ETHERNET[12:] + TCP
    (found,), _ = scanned(block([(TCP, 0, {"vlan": 0x6123, "tpid": tpid})]), cooked=True)
    assert found[2][:2] == bytes.fromhex(tag)
    assert found[2][20:] == bytes.fromhex("61230800") + TCP


def test_cooked_frames_are_decoded() -> None:
    """A frame without link header gets the cooked one of capture files, and is decoded as from a file."""
    made = block([(TCP, 4, {"interface": 0x01020304}), (TCP, 0, {"vlan": 5})])
    (first, second), scanner = scanned(made, cooked=True)
    assert first[2][:20] == bytes.fromhex("0800000001020304000104060200000000010000")
    batch = Batch(4)
    batch.interfaces = [Interface(0, 0, 276)]
    batch.data = memoryview(bytearray(first[2] + second[2]))
    batch.start[1] = len(first[2])
    for row, (_, ts_ns, octets, length, _) in enumerate((first, second)):
        batch.frame[row], batch.ts_ns[row] = row + 1, ts_ns
        batch.captured[row], batch.length[row] = len(octets), length
    batch.count = 2
    (segments,) = PacketStage().segments(batch)
    assert segments.count == 2
    assert segments.ports.tolist()[:2] == [0x1F900050] * 2
    assert scanner.frame == 2


@given(st.binary(min_size=48, max_size=400), st.booleans())
def test_a_block_that_lies(noise: bytes, cooked: bool) -> None:
    """Whatever stands in a block, frames that reach out of it are counted and never read."""
    made = block([(ETHERNET + TCP, 0, {})] * 3)
    made[48 : 48 + len(noise)] = noise
    struct.pack_into("=II", made, 12, 1000, 48)
    found, scanner = scanned(made, cooked=cooked)
    assert len(found) + scanner.torn <= 1000
    assert scanner.left == 0


# -- what is waited for -----------------------------------------------------------------------------------------------


class Slow:
    """A source whose batches come when the test says so."""

    path = "slow"
    damage = None
    drops = ()
    bytes_read = 0
    size = None

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.batches: list[Any] = []
        self.closed = False
        self.interfaces: list[Interface] = []

    def read_batch(self) -> Any:
        self.go.acquire()
        found = self.batches.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed = True


def one_frame(ts_ns: int) -> Batch:
    batch = Batch(1)
    batch.count, batch.ts_ns[0] = 1, ts_ns
    return batch


def test_waiting_ends_with_an_empty_batch() -> None:
    """While a source gives nothing there are empty batches; then what it gave; time passes only behind a frame."""
    now = [0]
    slow = Slow()
    waiting = WaitingSource(slow, clock=lambda: now[0])
    empty = waiting.read_batch()
    assert empty is not None
    assert empty.count == 0
    assert waiting.quiet_until() is None
    slow.batches = [one_frame(1000), ValueError("broken")]
    slow.go.release()
    found = waiting.read_batch()
    while found is not None and not found.count:
        found = waiting.read_batch()
    assert found is not None
    assert found.ts_ns[0] == 1000
    assert waiting.quiet_until() is None
    now[0] = 10_000_000_000
    assert waiting.quiet_until() == 1000 + 8_500_000_000
    slow.go.release()
    with pytest.raises(ValueError, match="broken"):
        list(iter(waiting.read_batch, None))
    waiting.close()
    assert slow.closed


@pytest.mark.parametrize("step", [0, 2, 3600, -50])
@pytest.mark.parametrize("late", [0, 1, 5])
def test_steps_of_the_clock(step: int, late: int) -> None:
    """A clock set ahead by more than a second is found at its frame, however late it is read; nothing else is."""
    now = [0, 0]  # seconds of the clock that nobody sets, and what the other one is ahead of it
    steps = Steps(lambda: now[0] * 10**9, lambda: sum(now) * 10**9)
    stamped = [10, 11, 12, 13 + step, 14 + step]
    found = []
    for number, second in enumerate(stamped):
        if number == 3 - min(late, 1):
            now[1] = step
        now[0] += 1 if number > late else 0
        batch = one_frame(second * 10**9)
        batch.frame[0] = number + 1
        found.append(steps.find(batch))
    ahead = (4, 12 * 10**9, (13 + step) * 10**9)
    assert found == [None, None, None, ahead if step > 1 else None, None]


# -- files that are followed ------------------------------------------------------------------------------------------


def test_a_rotated_set_is_one_capture(tmp_path: Any) -> None:
    """Files of a ring are read in the order in which they were written, each to its end, with numbers that run on."""
    given = [tmp_path / f"ring{number}" for number in (2, 0, 1)]
    made = [pcap([Frame((10 * place + n) * 1000, bytes(14), 14) for n in range(3)]) for place in range(3)]

    def write(place: int, octets: bytes) -> None:
        with given[place].open("ab") as stream:
            stream.write(octets)
        os.utime(given[place], ns=(place * 10**9 + 10**18,) * 2)

    write(0, made[0][:-20])
    steps = iter(
        [
            lambda: None,
            lambda: write(0, made[0][-20:]),
            lambda: write(1, made[1]),
            lambda: None,
            lambda: None,
            lambda: write(2, made[2][:10]),
            lambda: None,
            lambda: write(2, made[2][10:]),
        ]
    )
    followed = FollowedFiles(str(tmp_path / "ring*"), sleep=lambda _: next(steps, lambda: followed.close())())
    found = []
    while (batch := followed.read_batch()) is not None:
        found += [(batch.frame[row], batch.ts_ns[row] // 1000) for row in range(batch.count)]
    assert found == [(3 * place + n + 1, 10 * place + n) for place in range(3) for n in range(3)]
    assert len(followed.interfaces) == 1


def test_a_file_that_is_written_anew(tmp_path: Any) -> None:
    """A file that is begun anew under its name is read from its start, with numbers that run on."""
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap([Frame(n, bytes(14), 14) for n in range(3)]))
    steps = iter([lambda: path.write_bytes(pcap([Frame(9, bytes(14), 14)]))])
    followed = FollowedFiles(str(path), sleep=lambda _: next(steps, lambda: followed.close())())
    found = []
    while (batch := followed.read_batch()) is not None:
        found += [(batch.frame[row], batch.ts_ns[row]) for row in range(batch.count)]
    assert found == [(1, 0), (2, 1), (3, 2), (4, 9)]


def test_a_set_without_files(tmp_path: Any) -> None:
    """A pattern that matches nothing, and a name that does not exist, are refused with what to check."""
    with pytest.raises(CaptureError, match="matches no file"):
        FollowedFiles(str(tmp_path / "none*"))
    with pytest.raises(CaptureError, match="does not exist"):
        FollowedFiles(str(tmp_path / "none"))


# -- interfaces -------------------------------------------------------------------------------------------------------


def test_this_host_has_interfaces() -> None:
    """The host's interfaces are listed by index, its loopback among them, and asked for by name."""
    found = interfaces.devices()
    if not found:
        pytest.skip("this host has no network interface")
    assert [device.index for device in found] == sorted(device.index for device in found)
    for device in found:
        assert interfaces.device(device.name).hardware == device.hardware
    with pytest.raises(OSError, match="no interface"):
        interfaces.device("nosuch0")


def test_what_an_interface_lost(tmp_path: Any) -> None:
    """Losses of an interface are the sum of two counters; one that is missing or no number counts as none."""
    folder = tmp_path / "eth9" / "statistics"
    folder.mkdir(parents=True)
    (folder / "rx_missed_errors").write_text("7\n")
    watched, gone = interfaces.Watched("eth9", str(tmp_path)), interfaces.Watched("gone", str(tmp_path))
    assert watched.lost() == 7
    (folder / "rx_fifo_errors").write_text("5\n")
    (folder / "rx_dropped").write_text("100\n")
    assert watched.lost() == 12
    (folder / "rx_missed_errors").write_text("8\n")
    assert watched.lost() == 13
    assert gone.lost() == 0
    watched.close()
    gone.close()


def test_an_interface_that_is_watched() -> None:
    """Looked at again and again it is what it is by its name; one that is none is an error, each time."""
    for device in interfaces.devices():
        watched = interfaces.Watched(device.name)
        assert [watched.device(), watched.device()] == [interfaces.device(device.name)] * 2
        watched.close()
    none = interfaces.Watched("nosuch0")
    for _ in range(2):
        with pytest.raises(OSError, match="No such device"):
            none.device()
    none.close()


def test_instructions_have_the_size_of_the_kernels() -> None:
    """A program is written out as the kernel's eight octets for each instruction."""
    assert ctypes.sizeof(libpcap._Instruction) == 8
    assert bpf.packed([(0x06, 1, 2, 0x01020304)]) == struct.pack("=HBBI", 0x06, 1, 2, 0x01020304)
