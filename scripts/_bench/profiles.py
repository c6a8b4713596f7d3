"""What each benchmark capture is like: sizes, pace, how many connections at once, how often something fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

MS = 1_000_000  # nanoseconds


@dataclass(frozen=True)
class Profile:
    """One kind of traffic. Sizes in octets, times in nanoseconds."""

    name: str
    meaning: str
    concurrency: int
    frames_each: int  # a connection's frames, roughly, before there is anything to count
    exchanges: tuple[int, int]  # on one connection
    bodies: tuple[tuple[int, int, int], ...]  # (percent, least, most) octets of a response body
    uploads: tuple[int, int]  # octets of a request body
    ack_every: int
    gap_ns: int  # between two segments of a burst
    idle_ns: tuple[int, int]  # between two exchanges
    fail_every: int  # every so many connections one is doomed; 0: none
    waits_s: tuple[float, ...]  # time limits at which the gateway gives up
    spread_ns: int = 1000 * MS  # the first connections appear within
    most: int = 1 << 62  # connections
    leave_open: bool = False


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "small", "JSON exchanges, about 250 octets a frame", concurrency=400, frames_each=21, exchanges=(1, 8),
            bodies=((83, 100, 800), (15, 700, 1300), (2, 1300, 6000)), uploads=(40, 700), ack_every=2,
            gap_ns=12_000, idle_ns=(50 * MS, 1100 * MS), fail_every=400, waits_s=(2.0, 5.0, 10.0, 30.0, 60.0),
        ),
        Profile(
            "mixed", "pages, API calls, some downloads and uploads, about 850 octets a frame", concurrency=128,
            frames_each=165, exchanges=(1, 12), bodies=((62, 300, 9000), (32, 9000, 50_000), (6, 50_000, 250_000)),
            uploads=(100, 40_000), ack_every=2, gap_ns=14_000, idle_ns=(50 * MS, 900 * MS), fail_every=33,
            waits_s=(2.0, 5.0, 10.0, 30.0, 60.0),
        ),
        Profile(
            "bulk", "downloads of megabytes, about 1300 octets a frame", concurrency=16, frames_each=3000,
            exchanges=(1, 5), bodies=((70, 300_000, 1_500_000), (30, 1_500_000, 4_000_000)), uploads=(10_000, 900_000),
            ack_every=8, gap_ns=30_000, idle_ns=(50 * MS, 300 * MS), fail_every=8, waits_s=(2.0, 5.0, 10.0),
        ),
        Profile(
            "open", "connections with one exchange each that stay open", concurrency=64, frames_each=6,
            exchanges=(1, 1), bodies=((100, 80, 700),), uploads=(40, 600), ack_every=2, gap_ns=12_000,
            idle_ns=(MS, 2 * MS), fail_every=0, waits_s=(2.0,), leave_open=True,
        ),
        Profile(
            "ten", "one connection, ten frames", concurrency=1, frames_each=10, exchanges=(1, 1),
            bodies=((100, 80, 700),), uploads=(40, 600), ack_every=2, gap_ns=12_000, idle_ns=(MS, 2 * MS), fail_every=0,
            waits_s=(2.0,), most=1,
        ),
    )
}  # fmt: skip
PROFILES["failing"] = replace(
    PROFILES["small"], name="failing", meaning="small, and one connection in fifty is doomed", fail_every=50
)
