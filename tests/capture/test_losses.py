"""What a pcapng file says at its end was lost is known before: it stands where programs write it when they stop."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.capture.octets import rows
from tests.property.transform import load
from tests.wire import Wire
from wire502.api import Failure, Summary, read
from wire502.capture import PcapngWriter, merge_sources, open_source
from wire502.model.capture_info import DropReport

SECOND = 10**9


def section(*statistics: tuple[int, int, int | None, int], times: tuple[int, ...] = (1, 2, 3)) -> bytes:
    """Return a section: two interfaces, packets of the first, *statistics* (interface, time, start, lost)."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface()
    writer.interface()
    for time in times:
        writer.write(0, time, b"x")
    for interface, until, since, lost in statistics:
        writer.statistics(interface, until, start_ns=since, dropped=lost)
    return stream.getvalue()


def losses(path: Path) -> tuple[list[DropReport], list[DropReport]]:
    """Return the losses known before the end of *path*, when its first packet is there, and at the end."""
    with open_source(path) as source:
        source.first_ns()
        early = list(source.losses)
        rows(source)
        assert list(source.losses) == list(source.drops)
        return early, list(source.losses)


def test_end_of_the_file_is_read_first(tmp_path: Path) -> None:
    """Losses at the end of a file are known at its first packet, once for each interface, and counted once."""
    path = tmp_path / "a.pcapng"
    path.write_bytes(section((0, 9, 1, 17), (1, 9, None, 2)))
    first = open_source(path)
    assert list(first.losses) == []  # not one interface was read
    first.close()
    expected = [DropReport(0, 0, 1, 9, 17), DropReport(0, 1, None, 9, 2)]
    path.write_bytes(section((0, 9, 1, 17), (1, 9, None, 2), times=tuple(range(200_000))))
    early, late = losses(path)
    assert early == expected
    assert late == expected


def test_statistics_on_the_way(tmp_path: Path) -> None:
    """Where a file counts losses on its way too, the end adds only what came after the last of these."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface()
    for time in range(200_000):
        writer.write(0, time, b"x")
        if time in (50_000, 100_000):
            writer.statistics(0, time, start_ns=0, dropped=5 if time == 50_000 else 8)
    writer.statistics(0, 200_000, start_ns=0, dropped=20)
    path = tmp_path / "a.pcapng"
    path.write_bytes(stream.getvalue())
    seen = []
    with open_source(path) as source:
        while source.read_batch() is not None:
            if not seen or seen[-1] != list(source.losses):
                seen.append(list(source.losses))
    a, b, c = (
        DropReport(0, 0, 0, 50_000, 5),
        DropReport(0, 0, 50_000, 100_000, 3),
        DropReport(0, 0, 100_000, 200_000, 12),
    )
    assert seen == [
        [DropReport(0, 0, 0, 200_000, 20)],
        [a, DropReport(0, 0, 50_000, 200_000, 15)],
        [a, b, c],
    ]
    assert list(source.drops) == [a, b, c]


def test_another_section_takes_it_back(tmp_path: Path) -> None:
    """The end of a file of several sections speaks of the last one; in the end each section said its own."""
    path = tmp_path / "a.pcapng"
    path.write_bytes(section((0, 3, 1, 4)) + section((0, 9, 5, 17)))
    assert losses(path)[1] == [DropReport(0, 0, 1, 3, 4), DropReport(0, 2, 5, 9, 17)]


@pytest.mark.parametrize(
    "end", [b"\0" * 12, b"\5\0\0\0\x0c\0\0\0\x0c\0\0\0", b"\5\0\0\0\x18\0\0\0" + b"\xff" * 12 + b"\x18\0\0\0"]
)
def test_nonsense_at_the_end(end: bytes, tmp_path: Path) -> None:
    """Whatever stands at the end of a file, it promises nothing that its blocks do not hold."""
    path = tmp_path / "a.pcapng"
    path.write_bytes(section((0, 9, 1, 17)) + end)
    assert losses(path)[1] == [DropReport(0, 0, 1, 9, 17)]


def test_merged_sources(tmp_path: Path) -> None:
    """Of several captures, each one's losses are known early, at the times that the reading gives them."""
    for name in "ab":
        (tmp_path / name).write_bytes(section((0, 9, 1, 17), times=tuple(range(200_000))))
    interfaces = []  # type: ignore[var-annotated]
    source = merge_sources(
        [open_source(tmp_path / name, file=file, interfaces=interfaces) for file, name in enumerate("ab")], [0, 100]
    )
    with source:
        assert source.read_batch() is not None
        assert source.drops == []
        assert source.losses == [DropReport(0, 0, 1, 9, 17), DropReport(1, 2, 101, 109, 17)]


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("lasting", [False, True])
def test_every_verdict_that_a_loss_overlaps_says_so(start: bool, lasting: bool, tmp_path: Path) -> None:
    """Losses of a short while are told with the verdicts in it; those of a long one with all, as not more than that."""
    wire = Wire()
    for number in range(600 if lasting else 20):
        c = wire.connection(f"10.0.0.1:{41000 + number}", "10.0.0.2:8080")
        c.handshake()
        c.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        c.server.ack()
        c.server.reset()
        wire.sleep(1)
    plain = tmp_path / "plain.pcap"
    wire.write(plain)
    frames = load(plain)
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface()
    for frame in frames:
        writer.write(0, frame.time_ns, frame.octets, frame.length)
    begin, end = frames[0].time_ns, frames[-1].time_ns
    writer.statistics(0, end, start_ns=begin if start else None, dropped=1)
    path = tmp_path / "a.pcapng"
    path.write_bytes(stream.getvalue())

    results = list(read(path))
    failures = [result for result in results if isinstance(result, Failure)]
    assert len(failures) == (600 if lasting else 20)
    words = {caveat for failure in failures for caveat in failure.caveats}
    if start and not lasting:
        assert words == {"the capture lost 1 packet around this moment"}
    else:
        assert words == {"the capture lost 1 packet and does not say when: perhaps around this moment"}
    assert all(failure.caveats for failure in failures)
    assert {failure.confidence for failure in failures} <= ({"medium", "low"} if start and not lasting else {"high"})
    assert not any("nothing was lost" in failure.summary for failure in failures)
    summary = results[-1]
    assert isinstance(summary, Summary)
    assert summary.dropped == 1
