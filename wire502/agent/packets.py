"""The latest packets, kept in memory that another process can read: what a bundle of evidence is made from.

The memory is cut into slots, filled one after another with blocks of a pcapng file. Slots that are being read
are skipped until they are given back, so nothing waits and nothing is copied twice.
"""

from __future__ import annotations

import mmap
import os

from wire502.agent.parts import Part
from wire502.capture.pack_cy import Packer
from wire502.model.frames_cy import Batch
from wire502.model.records import record

SLOT = 1 << 19  # holds the largest frame that is captured
LEAST_SLOTS = 8


@record()
class Slot:
    """A piece of the memory: *used* octets from *start*, of frames from *first_ns* to *last_ns*."""

    start: int
    used: int = 0
    first_ns: int = 0
    last_ns: int = 0
    readers: int = 0


class PacketRing(Part):
    """Keeps the packets of about *octets* octets. ``lost`` counts those that found no slot."""

    def __init__(self, octets: int) -> None:
        count = max(LEAST_SLOTS, octets // SLOT)
        self.descriptor = os.memfd_create("wire502-packets", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, count * SLOT)
        self._memory = memoryview(mmap.mmap(self.descriptor, count * SLOT))
        self._slots = [Slot(number * SLOT) for number in range(count)]
        self._at = 0
        self._packer = Packer(blocks=True)
        self.lost = 0

    def frames(self, batch: Batch) -> None:
        """Keep the frames of a batch, in place of the oldest ones."""
        packer = self._packer
        packer.begin(batch)
        while packer.row < batch.count:
            slot = self._slots[self._at]
            row, end = packer.row, slot.start + SLOT
            written = packer.pack(batch, self._memory[slot.start + slot.used : end])
            if written:
                if slot.used == 0:
                    slot.first_ns = int(batch.ts_ns[row])
                slot.used += written
                slot.last_ns = int(batch.ts_ns[packer.row - 1])
            # without room: a frame larger than any slot, or every slot is being read
            if packer.row < batch.count and (slot.used == 0 or not self._turn()):
                self.lost += batch.count - packer.row
                return

    def take(self, since_ns: int) -> list[Slot]:
        """Return the slots with frames from *since_ns* on, oldest first, as they are now; ``give_back`` them."""
        count = len(self._slots)
        order = [self._slots[(self._at + 1 + step) % count] for step in range(count)]
        taken = [slot for slot in order if slot.used and slot.last_ns >= since_ns]
        for slot in taken:
            slot.readers += 1
        return [Slot(slot.start, slot.used, slot.first_ns, slot.last_ns) for slot in taken]

    def give_back(self, taken: list[Slot]) -> None:
        """Let slots be filled anew."""
        for slot in taken:
            self._slots[slot.start // SLOT].readers -= 1

    def counts(self) -> dict[str, int]:
        """Return how many packets were not kept."""
        return {"unkept": self.lost}

    def close(self) -> None:
        """Give the memory back; whoever maps it keeps it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _turn(self) -> bool:
        """Go to the next slot that nobody reads; return whether there is one."""
        count = len(self._slots)
        for step in range(1, count):
            slot = self._slots[(self._at + step) % count]
            if slot.readers == 0:
                slot.used = 0
                self._at = (self._at + step) % count
                return True
        return False
