"""One packet socket of Linux with its memory-mapped ring (TPACKET_V3): opened, filtered, bound, emptied.

The order matters: the socket is opened for no protocol, then filtered, then bound, so that no frame gets in that the
filter would have kept out. Opening needs CAP_NET_RAW; nothing after it does, neither binding anew nor filtering anew.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import socket
import struct
import threading
from contextlib import suppress

from wire502.capture.live.bpf import Program, packed
from wire502.model.records import record

BLOCK = (
    1 << 19
)  # holds the largest frame; many blocks, since each is handed over after RETIRE_MS, however little is in it
LEAST_RING = 8 * BLOCK
MOST_BLOCKS = 0xFFFF_FFFF // (BLOCK // 2048)  # a request has 32 bits for the number of frames; no host has so much
RETIRE_MS = 50  # a block that is not full is handed over after so long
ROOM = 32  # octets that the kernel leaves in front of a frame beyond those that it needs

_PACKET = 263  # SOL_PACKET
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _RESERVE, _FANOUT = 1, 5, 6, 10, 12, 18
_VERSION_3 = 2
_PROMISCUOUS = 1
_FANOUT_HASH, _FANOUT_DEFRAG = 0, 0x8000
_ATTACH_FILTER = 26
_ALL_PROTOCOLS = 0x0003
_STATUS, _COUNT = 8, 12  # offsets in a block
_TO_KERNEL, _TO_USER = 0, 1
_REQUEST = struct.Struct("=7I")
_NUMBER = struct.Struct("=I")
_THREE = struct.Struct("=III")
AWAY = frozenset({errno.ENETDOWN, errno.ENODEV, errno.ENXIO})  # what a socket says when its interface is down or gone


@record()
class Counted:
    """What the kernel counted since it was asked last: frames that passed the filter, lost ones, times it was full."""

    packets: int = 0
    drops: int = 0
    freezes: int = 0


class Ring:
    """A packet socket and its ring of *size* octets, in blocks of ``BLOCK``.

    *cooked*: frames come without their link header. Nothing is captured before ``bind``. Raises ``OSError``:
    PermissionError without CAP_NET_RAW, ENOMEM for a ring that cannot be had.
    """

    def __init__(self, *, cooked: bool, size: int) -> None:
        kind = socket.SOCK_DGRAM if cooked else socket.SOCK_RAW
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        self._blocks = min(max(size, LEAST_RING) // BLOCK, MOST_BLOCKS)
        self._next = 0  # the block that is filled, or was handed over, next
        self._fence = threading.Lock()  # taking it orders memory: the block is read after its status
        try:
            self._socket.setsockopt(_PACKET, _VERSION, _VERSION_3)
            self._socket.setsockopt(_PACKET, _RESERVE, ROOM)
            request = _REQUEST.pack(BLOCK, self._blocks, 2048, BLOCK // 2048 * self._blocks, RETIRE_MS, 0, 0)
            self._socket.setsockopt(_PACKET, _RX_RING, request)
            self._memory = mmap.mmap(self._socket.fileno(), BLOCK * self._blocks)
        except BaseException:
            self._socket.close()
            raise
        self.data = memoryview(self._memory)
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN | select.POLLERR)

    def attach(self, program: Program) -> None:
        """Filter by *program*, from the next frame on. Raises ``FilterError``, or ``OSError`` if refused."""
        code = ctypes.create_string_buffer(packed(program))
        pointer = struct.pack("@HP", len(program), ctypes.addressof(code))
        self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, pointer)

    def bind(self, index: int) -> None:
        """Capture on the interface *index*, 0 for all. Raises ``OSError``."""
        address = struct.pack("=H", socket.AF_PACKET) + struct.pack(">H", _ALL_PROTOCOLS)
        address += struct.pack("=iHBB8s", index, 0, 0, 0, b"")
        bind = ctypes.CDLL(None, use_errno=True).bind  # Python's own takes a name, and there is none for all
        if bind(self._socket.fileno(), address, len(address)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def promiscuous(self, index: int) -> None:
        """Have the interface *index* take frames for other hosts too. Raises ``OSError``."""
        self._socket.setsockopt(_PACKET, _ADD_MEMBERSHIP, struct.pack("=iHH8s", index, _PROMISCUOUS, 0, b""))

    def share(self, group: int) -> None:
        """Share the traffic with the other sockets of *group* (0 to 65535), each connection to one of them.

        Afterwards the socket cannot be bound anew. Raises ``OSError``: EINVAL where the group captures otherwise.
        """
        asked = _NUMBER.pack(group | (_FANOUT_HASH | _FANOUT_DEFRAG) << 16)  # beyond what a number may be in Python
        self._socket.setsockopt(_PACKET, _FANOUT, asked)

    def ready(self) -> int:
        """Return where in ``data`` the next block stands, -1 while the kernel still has it."""
        block = self._next * BLOCK
        if not _NUMBER.unpack_from(self._memory, block + _STATUS)[0] & _TO_USER:
            return -1
        with self._fence:
            return block

    def filling(self) -> bool:
        """Whether frames wait in the block that the kernel has not handed over yet."""
        return bool(_NUMBER.unpack_from(self._memory, self._next * BLOCK + _COUNT)[0])

    def give_back(self) -> None:
        """Let the kernel fill the block that ``ready`` returned anew."""
        with self._fence:
            _NUMBER.pack_into(self._memory, self._next * BLOCK + _STATUS, _TO_KERNEL)
        self._next = (self._next + 1) % self._blocks

    def wait(self, seconds: float) -> bool:
        """Wait until a block is ready or *seconds* have passed; return False when the interface is down or gone."""
        for _, event in self._poll.poll(seconds * 1000):
            if event & select.POLLERR:
                return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) not in AWAY
        return True

    def counted(self) -> Counted:
        """Return what was counted since the last call."""
        packets, drops, freezes = _THREE.unpack(self._socket.getsockopt(_PACKET, _STATISTICS, _THREE.size))
        return Counted(packets, drops, freezes)

    def occupied(self) -> float:
        """Return the part of the ring that waits to be read, 0 to 1; an estimate that costs a look at every block."""
        waiting = 0
        for ahead in range(self._blocks):
            place = (self._next + ahead) % self._blocks
            if not _NUMBER.unpack_from(self._memory, place * BLOCK + _STATUS)[0] & _TO_USER:
                break
            waiting += 1
        return waiting / self._blocks

    def close(self) -> None:
        """Give everything back; the memory when the last view of ``data`` is let go."""
        self._socket.close()
        with suppress(BufferError):  # who read the last batch may still hold its octets
            self.data.release()
            self._memory.close()
