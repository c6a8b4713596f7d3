"""Frames of network interfaces as batches, as they come: the ring's side of what ``Source`` is for files."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Sequence

from wire502.capture.live import interfaces as net
from wire502.capture.live.bpf import WHOLE, FilterError, Program, accept, once_on, only_interfaces, uncooked
from wire502.capture.live.libpcap import COOKED, ETHERNET, compile_filter
from wire502.capture.live.ring import BLOCK, Ring
from wire502.capture.live.ring_cy import BlockScanner
from wire502.capture.live.steps import Step, Steps
from wire502.capture.source import BATCH_ROWS
from wire502.errors import CaptureError
from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch
from wire502.model.records import record

LINK_ETHERNET, LINK_COOKED = 1, 276
PATIENCE_S = 0.1  # an empty batch is returned after so long without a frame
LAG_NS = 120_000_000  # frames are handed over by then at the latest, but for a kernel whose timers are late
MOST_LAG_NS = 1_000_000_000
MOST_DROPS = 256  # windows of loss that are remembered apart
RING_SIZE = 64 << 20
_LOOK_NS = 1_000_000_000  # interfaces are looked at no more often
_STATE_NS = 200_000_000
_ASK_NS = 100_000_000  # how often interfaces are asked what they lost: a verdict is held longer than that


@record(frozen=True)
class LiveOptions:
    """How to capture: the filter expression, octets kept of a frame, octets of the ring, whether frames for others.

    *fanout*: number of the group of processes that share the traffic; None: not shared.
    """

    expression: str = ""
    snaplen: int = WHOLE
    ring_size: int = RING_SIZE
    promiscuous: bool = True
    fanout: int | None = None


@record()
class Totals:
    """What the kernel counted since the start; *interface* is what the interfaces themselves say they lost."""

    packets: int = 0
    drops: int = 0
    freezes: int = 0
    interface: int = 0
    absences: int = 0  # times that an interface was down or gone


class LiveSource:
    """Batches of the frames on *names* (or ``any``); made by ``open_live``.

    ``read_batch`` waits ``PATIENCE_S`` at most and then returns a batch without frames; ``quiet_until`` says up to
    which time of the capture all frames were handed over. A batch points into the ring and is valid until the next
    call. ``drops`` holds what the kernel and the interfaces lost, ``totals`` the same in numbers. An interface that
    goes away is waited for, and bound again when it is back.
    """

    format = "live"
    size: int | None = None

    def __init__(
        self,
        names: Sequence[str],
        options: LiveOptions,
        *,
        file: int = 0,
        interfaces: list[Interface] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = ",".join(names)
        self.interfaces = [] if interfaces is None else interfaces
        self.damage: InputDamage | None = None
        self.drops: list[DropReport] = []
        self.totals = Totals()
        self.absent: list[str] = []
        self.bytes_read = 0
        self._names = list(names)
        self._options = options
        self._closed = False
        self._clock = clock
        self._wall = wall
        self._steps = Steps(clock, wall)
        self.step: Step | None = None  # of the clock, in the batch that was returned last
        self._devices = {} if net.ANY in names else {name: _device(name) for name in names}
        only = next(iter(self._devices.values())) if len(self._devices) == 1 else None
        self.cooked = only is None or not only.ethernet
        self._interface = Interface(
            len(self.interfaces),
            file,
            LINK_COOKED if self.cooked else LINK_ETHERNET,
            name=self.path,
            snaplen=options.snaplen,
            nanoseconds=True,
        )
        self._user = self._compiled()
        self._ring = Ring(cooked=self.cooked, size=options.ring_size)
        try:
            self._ring.attach(self._program())
            self._bind()
            if options.fanout is not None:
                self._ring.share(options.fanout)
        except BaseException:
            self._ring.close()
            raise
        self.interfaces.append(self._interface)
        self._scanner = BlockScanner(self.cooked, self._interface.index)
        self._batch = Batch(BATCH_ROWS)
        self._batch.interfaces = self.interfaces  # type: ignore[assignment]  # a list of what it says it lists
        self._batch.data = self._ring.data
        self._block = -1
        self._seen_at = self._clock()  # when the last frame was read, on a clock that nobody sets
        self._counted_ns = self._missed_ns = self._wall()
        self._looked_at = self._state_at = self._asked_at = self._seen_at
        self._watched = {name: net.Watched(name) for name in self._devices}
        self._lost = {name: one.lost() for name, one in self._watched.items()}

    @property
    def frames(self) -> int:
        """The number of the last frame read."""
        return self._scanner.frame

    @property
    def occupied(self) -> float:
        """The part of the ring that waits to be read, 0 to 1."""
        return self._ring.occupied()

    def first_ns(self) -> int | None:
        """Return None: the first frame is not there yet."""
        return None

    def read_batch(self) -> Batch | None:
        """Return the next frames; none of them after a while in which none came. None once closed."""
        if self._closed:
            return None
        batch, scanner = self._batch, self._scanner
        batch.count = 0
        self.step = None
        if self._block >= 0 and not scanner.left:
            self._ring.give_back()
            self._block = -1
        if self._block < 0:
            self._block = self._next_block()
            if self._block < 0:
                self._look()
                return batch
            self._count()
            scanner.begin(self._ring.data, self._block, BLOCK)
        scanner.scan(batch)
        self.step = self._steps.find(batch)
        if batch.count:
            self._seen_at = self._clock()
            last = batch.count - 1
            self.bytes_read += int(batch.start[last]) + int(batch.captured[last]) - int(batch.start[0])
        self._look()
        return batch

    def quiet_until(self) -> int | None:
        """Return the time of the capture up to which all frames were handed over; None before the first frame.

        Measured from the last frame by a clock that nobody sets: a step of the host's clock passes no time.
        """
        if not self._scanner.frame:
            return None
        passed = self._clock() - self._seen_at - LAG_NS
        if passed <= 0 or (passed < MOST_LAG_NS and (self._ring.ready() >= 0 or self._ring.filling())):
            return None
        return self._scanner.last_ns + passed

    def close(self) -> None:
        """Give the ring back; what was counted stays readable."""
        if not self._closed:
            self._count()
            self._count_missed()
            self._closed = True
            for one in self._watched.values():
                one.close()
            self._batch.data = memoryview(bytearray(1))
            self._ring.close()

    # -- filter and interfaces ------------------------------------------------------------------------------------

    def _compiled(self) -> Program:
        options = self._options
        if not options.expression.strip():
            return accept(options.snaplen)
        try:
            program = compile_filter(options.expression, COOKED if self.cooked else ETHERNET, options.snaplen)
            return uncooked(program) if self.cooked else program
        except FilterError as error:
            raise CaptureError(f"filter {options.expression!r}", 0, str(error)) from error

    def _program(self) -> Program:
        """Return the filter as it has to be now: the indices of interfaces may have changed."""
        devices = self._devices.values() if self._devices else net.devices()
        program: Program = []
        if self._devices and not self._bound_to:
            program += only_interfaces([device.index for device in self._devices.values()])
        for device in devices:
            if device.loopback:
                program += once_on(device.index)
        return program + self._user

    @property
    def _bound_to(self) -> int:
        """The index that the socket is bound to; 0 for all, where the filter says which.

        Who shares traffic stays bound to all: such a socket cannot be bound anew when its interface is another one.
        """
        only = next(iter(self._devices.values())) if len(self._devices) == 1 else None
        return 0 if only is None or self._options.fanout is not None else only.index

    def _bind(self, again: bool = False) -> None:
        if not again or self._options.fanout is None:
            self._ring.bind(self._bound_to)
        if self._options.promiscuous:
            for device in self._devices.values():
                if not device.loopback:
                    self._ring.promiscuous(device.index)

    def _look(self) -> None:
        """See now and then what the interfaces lost, and whether one of them is away or back."""
        now = self._clock()
        if now - self._state_at >= _STATE_NS and self._devices:
            self._state_at = now
            self._see_states()
        if now - self._asked_at >= _ASK_NS and self._devices:
            self._asked_at = now
            self._count_missed()
        if now - self._looked_at >= _LOOK_NS:
            self._looked_at = now
            self._count()

    def _see_states(self) -> None:
        changed, absent = False, []
        for name, known in self._devices.items():
            try:
                device = self._watched[name].device()
            except OSError:
                absent.append(name)
                continue
            if not device.flags & net.UP:
                absent.append(name)
            if device.index != known.index:  # another interface of this name: bound by index, we would miss it
                self._devices[name] = device
                self._lost[name] = 0
                changed = True
        self.totals.absences += len(set(absent) - set(self.absent))
        self.absent = absent
        if changed and not absent:
            try:
                self._ring.attach(self._program())
                self._bind(again=True)
            except OSError:  # gone again since it was looked at
                self.absent = absent = list(self._devices)
        if changed and absent:
            self._devices = {name: self._forgotten(name, device, absent) for name, device in self._devices.items()}

    @staticmethod
    def _forgotten(name: str, device: net.Device, absent: list[str]) -> net.Device:
        """Return a device that is absent with an index that no device has, so that it is bound when it is back."""
        return net.Device(name, -1, device.hardware, device.flags) if name in absent else device

    # -- losses ---------------------------------------------------------------------------------------------------

    def _next_block(self) -> int:
        block = self._ring.ready()
        if block >= 0:
            return block
        if not self._ring.wait(PATIENCE_S):
            time.sleep(PATIENCE_S)  # an interface that is down answers at once
        return self._ring.ready()

    def _count(self) -> None:
        """Ask the kernel what it lost since it was asked last; a few microseconds, so with each block."""
        counted, now = self._ring.counted(), self._wall()
        totals = self.totals
        totals.packets += counted.packets
        totals.drops += counted.drops
        totals.freezes += counted.freezes
        self._lose(counted.drops, self._counted_ns, now)
        self._counted_ns = now

    def _count_missed(self) -> None:
        """Ask the interfaces what they lost: files of sysfs, which cost more than a block of frames does."""
        now, missed = self._wall(), 0
        for name, before in self._lost.items():
            after = self._watched[name].lost()
            missed += max(0, after - before)
            self._lost[name] = after
        self.totals.interface += missed
        self._lose(missed, self._missed_ns, now)
        self._missed_ns = now

    def _lose(self, count: int, since_ns: int, now_ns: int) -> None:
        if not count:
            return
        drops = self.drops
        if drops and drops[-1].to_ns >= since_ns:  # one loss that lasts
            drops[-1].from_ns = min(drops[-1].from_ns or since_ns, since_ns)
            drops[-1].to_ns = now_ns
            drops[-1].count += count
            return
        if len(drops) >= MOST_DROPS:  # the oldest are told as one
            drops[1].from_ns = drops[0].from_ns
            drops[1].count += drops[0].count
            del drops[0]
        drops.append(DropReport(self._interface.file, self._interface.index, since_ns, now_ns, count))


def open_live(
    names: Sequence[str],
    options: LiveOptions | None = None,
    *,
    file: int = 0,
    interfaces: list[Interface] | None = None,
) -> LiveSource:
    """Open the interfaces *names* (``any``: all of them) for capture; see ``LiveSource``.

    Raises ``CaptureError`` for an interface that does not exist or is down, a filter that cannot be, a system that is
    not Linux, and without the right to capture.
    """
    if not sys.platform.startswith("linux"):
        raise CaptureError(
            ",".join(names), 0, "the packet ring is Linux's", "elsewhere: --backend scapy, or tcpdump -U -w - | …"
        )
    try:
        return LiveSource(names, options or LiveOptions(), file=file, interfaces=interfaces)
    except PermissionError as error:
        raise CaptureError(",".join(names), 0, "this user may not capture", GRANT) from error
    except OSError as error:
        way_out = "a smaller ring may do: --buffer-size" if error.errno == errno.ENOMEM else ""
        raise CaptureError(",".join(names), 0, f"cannot be captured on: {error.strerror or error}", way_out) from error


GRANT = (
    "grant CAP_NET_RAW: run it as root, which it gives up before it reads a packet; or under systemd with "
    "AmbientCapabilities=CAP_NET_RAW; or let tcpdump capture: sudo tcpdump -i any -U -w - | wire502 live --from-pipe -"
)


def _device(name: str) -> net.Device:
    try:
        device = net.device(name)
    except OSError as error:
        near = ", ".join(device.name for device in net.devices())
        raise CaptureError(name, 0, "there is no such interface", f"there are: {net.ANY}, {near}") from error
    if not device.flags & net.UP:
        raise CaptureError(name, 0, "is down", f"bring it up: ip link set {name} up")
    return device
