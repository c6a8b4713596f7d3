"""What Wireshark's own dissector says of the frames that a verdict cites, and whether that is the same.

tshark is asked through pyshark (the extra ``tshark``) about the finished slice, so about nothing that was to be hidden.
It knows frames, not verdicts: it can confirm that the failure point is what the verdict says it is (a RST of the
upstream, a SYN of the gateway, a status line with that status), not that nothing else was decisive. What it says
depends on its version, which is written down.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wire502.api import Failure
from wire502.evidence.bundle import EvidenceError, Findings
from wire502.evidence.cited import Place, failure_notes, incident_notes, merged
from wire502.evidence.verifying import source_places
from wire502.model.records import field, record

LEAST = (3, 0)
EXTRA = "the second opinion needs the extra tshark: pip install 'wire502[tshark]'"
_AT_ONCE = 200  # frames that one run of tshark is asked for
_MOST_FRAMES = 5000  # asked about
_MOST_SHOWN = 1000  # dissections that are written down
_MOST_LINE, _MOST_LINES = 500, 400
# each message in the frame where it begins, not where it was put together
_PREFERENCES = (
    "tcp.desegment_tcp_streams:FALSE", "http.desegment_headers:FALSE", "http.desegment_body:FALSE",
)  # fmt: skip
_OF_THE_READER = frozenset({"frame.time", "frame.time_utc"})  # written in the time zone of whoever asks
_TRUE = frozenset({"1", "True", "true"})


@record()
class Seen:
    """What tshark says of one frame: *sender* as ``address:port``, *flags* of TCP, *status* of a response, *lines*."""

    frame: int
    protocols: str = ""
    sender: str = ""
    flags: frozenset[str] = frozenset()
    payload: int = 0
    status: int | None = None
    layers: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list)


@record()
class Opinion:
    """The text for the bundle, and in one sentence what it comes to."""

    text: str
    sentence: str


def tshark_version() -> str:
    """Return the version of tshark. Raises ``EvidenceError`` when it, or pyshark, is missing or too old."""
    try:
        from pyshark.tshark.tshark import get_tshark_version
    except ImportError as error:
        raise EvidenceError(EXTRA) from error
    if shutil.which("tshark") is None:
        raise EvidenceError("the second opinion needs tshark, and there is none: apt-get install tshark")
    try:
        version = str(get_tshark_version())
    except Exception as error:  # a program that is no tshark, or one that does not run
        raise EvidenceError(f"tshark does not say its version: {error}") from error
    known = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if known < LEAST:
        least = ".".join(map(str, LEAST))
        raise EvidenceError(f"tshark {version} is too old for a second opinion: {least} or newer is needed")
    return version


def second_opinion(evidence: Path, told: Findings, version: str) -> Opinion:
    """Return what tshark says of each frame that *told* cites in the slice *evidence*."""
    numbers = {place: number for number, place in enumerate(source_places(evidence), 1)}
    notes = merged([*map(failure_notes, told.failures), *map(incident_notes, told.incidents)])
    cited = sorted(numbers[place] for place in notes if place in numbers)
    seen = {one.frame: one for one in dissected(evidence, cited[:_MOST_FRAMES])}
    lines = [f"tshark {version} on the frames that the verdicts cite", ""]
    counts = {True: 0, False: 0, None: 0}
    for failure in told.failures:
        number = numbers.get((failure.file, failure.frame))
        agrees, why = judged(failure, seen.get(number or 0))
        counts[agrees] += 1
        word = {True: "agrees", False: "DISAGREES", None: "has no opinion"}[agrees]
        lines.append(f"{failure.id} {failure.kind} at frame {failure.frame}: {word}: {_plain(why)}")
    sentence = f"tshark {version} agrees with {counts[True]} of {len(told.failures)} verdicts"
    if counts[False]:
        sentence += f", DISAGREES with {counts[False]}"
    if counts[None]:
        sentence += f", has no opinion on {counts[None]}"
    lines += ["", sentence, ""]
    lines += _dissections(notes, numbers, seen)
    if len(cited) > _MOST_SHOWN:
        lines.append(f"and {len(cited) - _MOST_SHOWN} more cited frames")
    return Opinion("\n".join(lines) + "\n", sentence)


def _dissections(
    notes: Mapping[Place, list[str]], numbers: Mapping[Place, int], seen: Mapping[int, Seen]
) -> Iterator[str]:
    for place, comments in sorted(notes.items())[:_MOST_SHOWN]:
        number = numbers.get(place)
        if number is None or number not in seen:
            continue
        yield f"--- frame {number} (frame {place[1]} of input {place[0]})"
        yield from (f"  cited as: {_plain(comment)}" for comment in comments)
        yield from seen[number].lines
        yield ""


def dissected(evidence: Path, frames: Iterable[int]) -> Iterator[Seen]:
    """Yield what tshark says of *frames* of *evidence*. Raises ``EvidenceError`` when it fails."""
    import pyshark
    from pyshark.capture.capture import TSharkCrashException

    wanted = list(frames)
    options = ["-n", *(part for preference in _PREFERENCES for part in ("-o", preference))]
    for start in range(0, len(wanted), _AT_ONCE):
        chosen = " || ".join(f"frame.number == {frame}" for frame in wanted[start : start + _AT_ONCE])
        with _own_loop():
            capture = pyshark.FileCapture(
                str(evidence), display_filter=chosen, keep_packets=False, custom_parameters=options
            )
            try:
                for packet in capture:
                    yield _seen(packet)
            except TSharkCrashException as error:
                raise EvidenceError(f"tshark failed on {evidence.name}: {error}") from error
            finally:
                capture.close()


@contextmanager
def _own_loop() -> Iterator[None]:
    """Give pyshark an event loop and take back what it sets for the whole process: its watcher of children, SIGCHLD.

    Left as they are, every child that ends later writes to a socket that nobody reads any more.
    """
    import asyncio
    import signal
    import threading

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        if main and hasattr(asyncio, "get_child_watcher"):  # gone from Python 3.14 on
            asyncio.get_child_watcher().close()
            asyncio.set_child_watcher(None)  # type: ignore[arg-type]  # None: the default one
        loop.close()
        asyncio.set_event_loop(None)
        if main:
            signal.signal(signal.SIGCHLD, handler)
            signal.set_wakeup_fd(-1)


def _seen(packet: Any) -> Seen:
    made = Seen(int(packet.number))
    address, flags = "", set()
    names = []
    for layer in packet.layers:
        name = str(layer.layer_name)
        names.append(name)
        if name in ("ip", "ipv6"):
            address = str(layer.get_field_value("src") or "")
        elif name == "tcp":
            port = layer.get_field_value("srcport")
            made.sender = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            made.payload = int(layer.get_field_value("len") or 0)
            words = (("syn", "syn"), ("ack", "ack"), ("fin", "fin"), ("reset", "rst"))
            flags = {word for field_, word in words if str(layer.get_field_value(f"flags_{field_}")) in _TRUE}
        elif name == "http" and (status := layer.get_field_value("response_code")):
            made.status = int(status)
        made.lines += _lines(layer, name)
    made.flags = frozenset(flags)
    made.layers = frozenset(names)
    made.protocols = ":".join(names)
    del made.lines[_MOST_LINES:]
    return made


def _lines(layer: Any, name: str) -> Iterator[str]:
    yield f"  {name}"
    for one in layer._get_all_fields_with_alternates():  # noqa: SLF001 - pyshark has no other way to all of them
        if one.showname and not one.hide and one.name not in _OF_THE_READER:
            yield f"    {_plain(str(one.showname))[:_MOST_LINE]}"


def _plain(text: str) -> str:
    """Return *text* with everything that is no visible character as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def judged(failure: Failure, seen: Seen | None) -> tuple[bool | None, str]:
    """Return whether what tshark says of the failure point of *failure* is what the verdict says; and why."""
    if seen is None:
        return None, "the failure point was not asked about"
    kind, upstream, gateway = failure.kind, failure.connection.upstream, failure.connection.gateway
    what = f"{'+'.join(sorted(seen.flags)) or seen.protocols} from {seen.sender or 'no TCP port'}"
    if kind == "connect_unreachable":
        return bool(seen.layers & {"icmp", "icmpv6", "arp"}), seen.protocols
    if kind == "no_attempt":
        status = failure.client.status if failure.client is not None else None
        return (seen.status == status if status and seen.status else None), f"status {seen.status}, {what}"
    if not seen.sender:
        return None, f"it sees no TCP in the frame: {seen.protocols}"
    wanted, sender = _expected(kind, upstream, gateway)
    if sender and seen.sender != sender:
        return False, f"{what}, not from {sender}"
    if wanted is not None:
        return any(one <= seen.flags for one in wanted), what
    if kind == "relayed_error" and failure.response is not None:
        if seen.status is None:
            return None, f"it reads no status line there: {what}"
        return seen.status == failure.response.status, f"status {seen.status} from {seen.sender}"
    if kind.startswith(("invalid_", "header_too_large")):
        return seen.payload > 0, f"{seen.payload} octets from {seen.sender}, read as {seen.protocols}"
    return None, f"a silence is no frame; the last one before it is {what}"


_RST, _FIN = frozenset({"rst"}), frozenset({"fin"})


def _expected(kind: str, upstream: str, gateway: str) -> tuple[tuple[frozenset[str], ...] | None, str]:
    """Return which flags the failure point of *kind* has to have (any of these sets) and who has to have sent it."""
    match kind.partition("_")[0], kind:
        case "rst", _:
            return (_RST,), upstream
        case "fin", _:
            return (_FIN,), upstream
        case _, "connect_refused":
            return (_RST | {"ack"},), upstream
        case _, "connect_timeout":
            return (frozenset({"syn"}),), gateway
        case _, "stale_keepalive":
            return (_RST, _FIN), upstream
        case _, "gateway_abort" | "client_abort":
            return (_RST, _FIN), gateway
        case "invalid" | "header" | "relayed", _:
            return None, upstream
    return None, ""
