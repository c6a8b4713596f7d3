"""A machine that runs filter programs as the kernel does: a second opinion on every program that is attached."""

from __future__ import annotations

from collections.abc import Sequence

from wire502.capture.live.bpf import _ABOUT_INTERFACE, _ABOUT_PROTOCOL, _ABOUT_TYPE, Instruction

_CLASS, _MODE = 0x07, 0xE0
_ABSOLUTE, _INDIRECT, _HEADER_LENGTH = 0x20, 0x40, 0xA0


def matches(
    program: Sequence[Instruction], octets: bytes, *, kind: int = 0, interface: int = 0, protocol: int = 0
) -> int:
    """Run a program over a frame as the kernel would; return how many octets of it are captured, 0 for none.

    What is not a load, a jump on a constant or on X, arithmetic or a return ends as the kernel ends a bad load: 0.
    """
    about = {_ABOUT_PROTOCOL: protocol, _ABOUT_TYPE: kind, _ABOUT_INTERFACE: interface}
    accumulator = index = at = 0
    memory = [0] * 16
    while at < len(program):
        code, true, false, k = program[at]
        at += 1
        operation = code & 0xF0
        value = index if code & 0x08 else k
        match code & _CLASS:
            case 0x00 | 0x01 if code & _MODE in (_ABSOLUTE, _INDIRECT, _HEADER_LENGTH):
                width = {0x00: 4, 0x08: 2, 0x10: 1}[code & 0x18]
                offset = k + (index if code & _MODE == _INDIRECT else 0)
                if k in about:
                    accumulator = about[k]
                    continue
                if offset + width > len(octets):
                    return 0
                loaded = int.from_bytes(octets[offset : offset + width], "big")
                if code & _MODE == _HEADER_LENGTH:
                    index = 4 * (loaded & 0xF)
                else:
                    accumulator = loaded
            case 0x00 | 0x01:
                loaded = {0x00: k, 0x60: memory[k & 15], 0x80: len(octets)}[code & _MODE]
                if code & _CLASS:
                    index = loaded
                else:
                    accumulator = loaded
            case 0x02 | 0x03:
                memory[k & 15] = index if code & _CLASS == 0x03 else accumulator
            case 0x04:
                accumulator = _calculated(operation, accumulator, value)
            case 0x05 if operation == 0x00:
                at += k
            case 0x05:
                holds = {
                    0x10: accumulator == value,
                    0x20: accumulator > value,
                    0x30: accumulator >= value,
                    0x40: bool(accumulator & value),
                }[operation]
                at += true if holds else false
            case 0x06:
                return accumulator if code & 0x18 == 0x10 else k
            case _:
                if code & 0xF8:
                    accumulator = index
                else:
                    index = accumulator
    return 0


def _calculated(operation: int, left: int, right: int) -> int:
    done = {
        0x00: left + right, 0x10: left - right, 0x20: left * right, 0x30: left // right if right else 0,
        0x40: left | right, 0x50: left & right, 0x60: left << (right & 31), 0x70: left >> (right & 31),
        0x80: -left, 0x90: left % right if right else 0, 0xA0: left ^ right,
    }[operation]  # fmt: skip
    return done & 0xFFFF_FFFF
