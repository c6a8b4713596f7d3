"""Capture by scapy's sockets, for systems without a packet ring: slow (some thousand frames a second), but portable.

Needs the extra ``live``. Frames are copied into the batch; what was lost on the way nobody counts.
"""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from wire502.capture.live import interfaces as net
from wire502.capture.live.ring import AWAY
from wire502.capture.live.source import LiveOptions
from wire502.errors import CaptureError
from wire502.model.capture_info import DropReport, InputDamage, Interface
from wire502.model.frames_cy import Batch

_ROWS = 256
_SIZE = 1 << 20
_GATHER_S = 0.05
_WAIT_S = 0.5
_ETHERNET = 1


class SocketSource:
    """Batches of frames that scapy's sockets deliver; a ``Blocking`` source."""

    size: int | None = None

    def __init__(
        self, names: Sequence[str], options: LiveOptions, *, file: int = 0, interfaces: list[Interface] | None = None
    ) -> None:
        self.path = ",".join(names)
        self.interfaces: list[Interface] = [] if interfaces is None else interfaces
        self.damage: InputDamage | None = None
        self.drops: Sequence[DropReport] = ()
        self.bytes_read = 0
        self._frames = 0
        self._snaplen = options.snaplen
        self._closed = False
        self._sockets: list[tuple[Any, int]] = []
        self._indices: dict[int, int | None] = {}  # the system's, by ours
        self._own: dict[int, bytes] = {}  # addresses of the interfaces
        for name in _each(names):
            found = _opened(name, options)
            interface = Interface(len(self.interfaces), file, _link_of(found), name=name, snaplen=options.snaplen)
            self.interfaces.append(interface)
            self._sockets.append((found, interface.index))
            self._indices[interface.index] = net.index_of(name)
            if interface.linktype == _ETHERNET and (own := _address(name)):
                self._own[interface.index] = own
        self._batch = Batch(_ROWS)
        self._batch.interfaces = self.interfaces  # type: ignore[assignment]  # a list of what it says it lists
        self._batch.data = memoryview(bytearray(_SIZE))

    def read_batch(self) -> Batch | None:
        """Return what comes within a moment of the first frame; None once closed."""
        batch = self._batch
        batch.count = used = 0
        until: float | None = None
        while not self._closed and batch.count < batch.capacity:
            if until is not None and time.monotonic() >= until:
                break
            ready, _, _ = select.select([one for one, _ in self._sockets], [], [], _GATHER_S if until else _WAIT_S)
            for one, index in self._sockets:
                if one in ready and batch.count < batch.capacity:
                    try:
                        _, octets, stamp = one.recv_raw(self._snaplen)
                    except OSError as error:
                        self._see(index, error)
                        continue
                    if octets is None or used + len(octets) > _SIZE:
                        continue
                    used = self._add(octets, stamp, index, used)
                    until = until or time.monotonic() + _GATHER_S
        return None if self._closed and not batch.count else batch

    def close(self) -> None:
        """Close the sockets."""
        self._closed = True
        for one, _ in self._sockets:
            with suppress(OSError):
                one.close()

    def _see(self, index: int, error: OSError) -> None:
        """Wait for an interface that is down; end where it is gone, since opening it anew would take rights."""
        interface = self.interfaces[index]
        if error.errno in AWAY and net.index_of(interface.name or "") == self._indices.get(index):
            time.sleep(_GATHER_S)
            return
        reason = f"{interface.name} is gone: {error.strerror}"
        self.damage = InputDamage(self.path, self.bytes_read, reason, "Linux's ring waits for it: --backend ring")
        self._closed = True

    def _add(self, octets: bytes, stamp: float | None, index: int, used: int) -> int:
        batch, row = self._batch, self._batch.count
        self._frames += 1
        end = used + len(octets)
        batch.data[used:end] = octets
        batch.frame[row] = self._frames
        batch.ts_ns[row] = time.time_ns() if stamp is None else round(float(stamp) * 1e9)
        batch.start[row] = used
        batch.captured[row] = batch.length[row] = len(octets)
        batch.interface[row] = index
        batch.direction[row] = _direction(octets, self._own.get(index))
        batch.count += 1
        self.bytes_read += len(octets)
        return end


def _address(name: str) -> bytes:
    """Return the Ethernet address of an interface, b"" where it has none."""
    with suppress(Exception):  # scapy raises what it likes
        from scapy.arch import get_if_hwaddr

        own = bytes.fromhex(get_if_hwaddr(name).replace(":", ""))
        return own if any(own) else b""
    return b""


def _direction(octets: bytes, own: bytes | None) -> int:
    """Return 2 for a frame that this host sent, 1 for one that it was sent, 0 where that is not known."""
    if not own:
        return 0
    return 2 if octets[6:12] == own else 1 if octets[:6] == own else 0


def _each(names: Sequence[str]) -> Sequence[str]:
    """Return the interfaces to capture on: scapy has no socket for all of them, so ``any`` is each that is up."""
    if net.ANY not in names:
        return names
    found: list[str] = []
    with suppress(ImportError):  # who opens the first one says so
        import scapy.arch  # noqa: F401 - it finds the interfaces
        from scapy.interfaces import get_working_ifaces

        found = [str(one.network_name) for one in get_working_ifaces()]
    return found or names


def _opened(name: str, options: LiveOptions) -> Any:
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of interfaces that it knows no class for
    try:
        from scapy.config import conf
    except ImportError as error:
        raise CaptureError(name, 0, "scapy is not installed", "pip install 'wire502[live]'") from error
    chosen: dict[str, Any] = {"iface": name, "promisc": options.promiscuous}
    if options.expression:
        chosen["filter"] = options.expression
    try:
        import scapy.arch  # noqa: F401 - it puts the system's sockets into conf

        return conf.L2listen(**chosen)
    except PermissionError as error:
        raise CaptureError(name, 0, "this user may not capture", "run it as root") from error
    except Exception as error:  # scapy raises what it likes
        raise CaptureError(name, 0, f"cannot be captured on: {error}", "") from error


def _link_of(opened: Any) -> int:
    from scapy.config import conf

    with suppress(Exception):
        return int(conf.l2types.layer2num.get(opened.LL, _ETHERNET))
    return _ETHERNET
