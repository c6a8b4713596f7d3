"""Frames of several captures put in order of time. Hot where captures overlap: one turn of the loop for each frame."""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from wire502 import _cython as cython
if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.wire502.model.frames_cy import Batch
else:
    from wire502.model.frames_cy import Batch


@cython.cclass
class Head:
    """The rows of one source that come next: from *row* on of *batch*. *order* decides between equal times."""

    batch: Batch
    row: int
    order: int
    source: Any

    def __init__(self, source: Any, batch: Batch, order: int) -> None:
        self.batch = batch
        self.row = 0
        self.order = order
        self.source = source


def shift(batch: Batch, by_ns: cython.longlong) -> None:
    """Add *by_ns* to the times of all rows."""
    times: cython.longlong[::1] = batch.ts_ns
    row: cython.Py_ssize_t
    for row in range(batch.count):
        times[row] += by_ns


def stamp(batch: Batch, by: cython.longlong) -> None:
    """Add *by* to the numbers of all rows."""
    frames: cython.longlong[::1] = batch.frame
    row: cython.Py_ssize_t
    for row in range(batch.count):
        frames[row] += by


@cython.cclass
class Merger:
    """Copies rows, and their octets, to *out*; ``used`` octets of ``out.data`` are taken.

    No row of (``bound_ns``, ``bound_order``) or later is copied: a source that is not open yet may begin there.
    """

    out: Batch
    used: int
    bound_ns: int
    bound_order: int

    def __init__(self, out: Batch) -> None:
        self.out = out
        self.used = 0
        self.bound_ns = 0
        self.bound_order = 0

    def run(self, head: Head, others: list[Head]) -> int:
        """Return how many rows of *head* in a row come before all *others* and the bound."""
        best_ns: cython.longlong = self.bound_ns
        best_order: cython.int = self.bound_order
        other: Head
        other_ns: cython.longlong
        for other in others:
            if other is not head:
                other_ns = other.batch.ts_ns[other.row]
                if other_ns < best_ns or (other_ns == best_ns and other.order < best_order):
                    best_ns = other_ns
                    best_order = other.order
        times: cython.longlong[::1] = head.batch.ts_ns
        row: cython.Py_ssize_t = head.row
        count: cython.Py_ssize_t = head.batch.count
        while row < count and (times[row] < best_ns or (times[row] == best_ns and head.order < best_order)):
            row += 1
        return int(row - head.row)

    def merge(self, heads: list[Head]) -> Head | None:
        """Copy rows until a head has none left (it is returned), ``out`` is full or the bound is met (None)."""
        out: Batch = self.out
        target: cython.uchar[::1] = out.data
        room: cython.Py_ssize_t = len(target)
        used: cython.Py_ssize_t = self.used
        count: cython.Py_ssize_t = out.count
        capacity: cython.Py_ssize_t = out.capacity
        head: Head
        best: Head
        batch: Batch
        time: cython.longlong
        best_ns: cython.longlong
        row: cython.Py_ssize_t
        start: cython.Py_ssize_t
        captured: cython.Py_ssize_t
        exhausted: Head | None = None
        if not heads:
            return None
        best = heads[0]
        while count < capacity:
            best = heads[0]
            best_ns = best.batch.ts_ns[best.row]
            for head in heads:
                time = head.batch.ts_ns[head.row]
                if time < best_ns or (time == best_ns and head.order < best.order):
                    best = head
                    best_ns = time
            if best_ns > self.bound_ns or (best_ns == self.bound_ns and best.order >= self.bound_order):
                break
            batch = best.batch
            row = best.row
            captured = batch.captured[row]
            if captured > room - used:
                break
            start = batch.start[row]
            if cython.compiled:
                if captured:
                    if start < 0 or start + captured > len(batch.data):
                        raise IndexError("a row beyond its data")
                    memcpy(cython.address(target[used]), cython.address(batch.data[start]), captured)
            else:
                target[used : used + captured] = batch.data[start : start + captured]
            out.frame[count] = batch.frame[row]
            out.ts_ns[count] = best_ns
            out.start[count] = used
            out.captured[count] = batch.captured[row]
            out.length[count] = batch.length[row]
            out.interface[count] = batch.interface[row]
            out.direction[count] = batch.direction[row]
            used += captured
            count += 1
            best.row = row + 1
            if row + 1 == batch.count:
                exhausted = best
                break
        self.used = used
        out.count = count
        return exhausted


def is_compiled() -> bool:
    """Return whether this module runs compiled."""
    return bool(cython.compiled)
