"""Connections that carry any octets, in any segments, in any order, with anything between them."""

from __future__ import annotations

from random import Random

from scripts._fuzz import http
from scripts._fuzz.packets import ACK, FIN, PSH, RST, START_NS, SYN, Frame, ipv4, ipv6, linked, tcp

_OPTIONS = [b"", b"", b"\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02", b"\x02\x04\x05\xb4\x01\x03\x03\x07", b"\x02\x04\x00",
            b"\x03\x03\xff", b"\xfd\x00\x01", b"\x08\x0a\x01", b"\x05\xff" + bytes(8), b"\x01" * 40]  # fmt: skip
_JUMPS = [10**3, 10**4, 10**6, 10**6, 10**8, 6 * 10**8, 2 * 10**9, 11 * 10**9, 61 * 10**9, -(10**6), -3 * 10**9, 0,
          3601 * 10**9, -(10**17), 2**60]  # fmt: skip


class Talk:
    """A clock and a few flows; ``frames`` grows."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = START_NS
        self.frames: list[Frame] = []
        self.flows = [_Flow(rng, number) for number in range(rng.choice((1, 1, 2, 3)))]

    def add(self, flow: _Flow, side: int, flags: int, payload: bytes = b"", *, seq: int | None = None,
            ack: int | None = None) -> None:  # fmt: skip
        """Add a segment of one side of a flow."""
        rng = self.rng
        me, peer = (flow, side), 1 - side
        source, target = flow.ends[me[1]], flow.ends[peer]
        self.now += rng.choice((1000, 10_000, 100_000)) if rng.random() < 0.93 else rng.choice(_JUMPS)
        self.now = max(-(2**62), min(self.now, 2**62))
        window = 64240 if rng.random() < 0.95 else rng.choice((0, 1, 65535))
        segment = tcp(
            source[1], target[1], flow.seq[side] if seq is None else seq,
            (flow.seq[peer] if ack is None else ack) if flags & ACK else rng.choice((0, 0, 0xFFFFFFFF)),
            flags, payload, window=window, options=rng.choice(_OPTIONS) if rng.random() < 0.2 else b"",
        )  # fmt: skip
        if flow.six:
            packet = ipv6(source[0], target[0], segment)
        else:
            flow.ip_id += 1
            place = 0x4000 if rng.random() < 0.99 else rng.choice((0x2000, 1, 0x2005, 0x8000, 0))
            packet = ipv4(source[0], target[0], segment, ip_id=flow.ip_id, place=place)
        self.frames.append(Frame(self.now, linked(packet, 1)))

    def play(self) -> list[Frame]:
        """Let all flows say what they have to, mixed; return the frames."""
        rng = self.rng
        steps = [(flow, step) for flow in self.flows for step in flow.script(rng)]
        if len(self.flows) > 1 and rng.random() < 0.5:
            order = sorted(range(len(steps)), key=lambda at: (at // 3, rng.random()))
            steps = [steps[at] for at in order]
        for flow, (side, flags, payload) in steps:
            if not payload:
                self.add(flow, side, flags)
                flow.seq[side] += bool(flags & (SYN | FIN))
            else:
                self._send(flow, side, flags, payload)
        return self.frames

    def _send(self, flow: _Flow, side: int, flags: int, payload: bytes) -> None:
        """Send in segments; now and then out of order, twice, overlapping, with other octets, or not at all."""
        rng = self.rng
        size = rng.choice((1460, 1460, 1460, 400, 60, 7, 3, 1))
        size = max(size, len(payload) // 25)
        base = flow.seq[side]
        flow.seq[side] = base + len(payload)
        pieces = [(at, payload[at : at + size]) for at in range(0, len(payload), size)]
        disorder = rng.random()
        if disorder < 0.25:
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(pieces))
                what = rng.randrange(6)
                if what == 0:
                    pieces.insert(rng.randrange(len(pieces)), pieces.pop(at))
                elif what == 1:
                    pieces.append(pieces[at])
                elif what == 2 and len(pieces) > 1:
                    del pieces[at]
                elif what == 3:
                    offset, octets = pieces[at]
                    offset += rng.choice((-5, -1, 1, 5, -2000, 70000, 2**31, -(2**31), 2**30))
                    pieces.append((offset, http.mutated(rng, octets)))
                elif what == 4:
                    pieces.insert(at, (pieces[at][0], payload[pieces[at][0] :][: rng.choice((2, 50, 3000))]))
                else:
                    rng.shuffle(pieces)
        for offset, octets in pieces:
            last = offset + len(octets) >= len(payload)
            self.add(flow, side, flags if last else ACK, octets, seq=base + offset)
            if rng.random() < 0.15:
                odd = rng.random() < 0.1
                self.add(
                    flow, 1 - side, ACK, ack=base + rng.choice((0, 5, 2**31, -1, len(payload) + 70)) if odd else None
                )


class _Flow:
    """Two ends, their next sequence numbers."""

    def __init__(self, rng: Random, number: int) -> None:
        self.six = rng.random() < 0.2
        first = 0x0A000001 + rng.choice((0, 0, number))
        ports = rng.choice(((40000 + number, 80), (40000, 8080), (80, 40000), (80, 80), (0, 0), (65535, 1)))
        self.ends = ((first, ports[0]), (0x0A000002 + rng.choice((0, 0, number, -1)), ports[1]))
        edge = rng.random() < 0.2
        self.seq = [2**32 - rng.randrange(1, 60) if edge else rng.getrandbits(32) for _ in range(2)]
        self.ip_id = 0

    def script(self, rng: Random) -> list[tuple[int, int, bytes]]:
        """What happens: (side, flags, octets)."""
        steps: list[tuple[int, int, bytes]] = []
        if rng.random() < 0.8:
            steps += [(0, SYN, b""), (1, SYN | ACK, b""), (0, ACK, b"")]
            if rng.random() < 0.15:
                del steps[rng.randrange(3)]
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
            asked = rng.choice((1, 1, 1, 1, 2, 5))
            steps.append((0, ACK | PSH, b"".join(http.request(rng) for _ in range(asked))))
            if rng.random() < 0.9:
                steps.append((1, ACK | PSH, b"".join(http.response(rng) for _ in range(asked))))
            if rng.random() < 0.2:
                rng.shuffle(steps)
            if rng.random() < 0.2:
                flags = rng.choice((FIN | ACK, RST, RST | ACK, SYN, SYN | ACK, FIN, 0, 255, SYN | FIN | RST, SYN | PSH))
                steps.insert(
                    rng.randrange(len(steps) + 1), (rng.randrange(2), flags, b"" if rng.random() < 0.8 else b"x")
                )
        end = rng.choice(((FIN | ACK, FIN | ACK), (FIN | ACK, RST), (RST, 0), (RST | ACK, RST), (0, 0)))
        side = rng.randrange(2)
        steps += [(side, end[0], b""), (1 - side, end[1], b"")]
        return [
            (side, flags, http.mutated(rng, data) if data and rng.random() < 0.3 else data)
            for side, flags, data in steps
        ]
