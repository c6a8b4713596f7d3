"""A live run from its plan: everything is opened, rights are given up, then frames are read."""

from __future__ import annotations

import os
import unicodedata  # noqa: F401 - the report loads it when it meets wide text, when it may be too late: rights are gone
from collections.abc import Callable, Mapping, Sequence

from wire502.agent.counters import Counting
from wire502.agent.evidence import Keeper
from wire502.agent.loop import Loop
from wire502.agent.notify import Notifier
from wire502.agent.output import Lines
from wire502.agent.packets import PacketRing
from wire502.agent.parts import Part, Shown
from wire502.agent.privileges import DEFAULT_USER, User, drop, user
from wire502.agent.recording import Recording, Rotation
from wire502.agent.syslog import Syslog, Where
from wire502.agent.table import LiveTable
from wire502.api import Feed, Filter, Reading, Result, live
from wire502.capture import open_source
from wire502.capture.live import ANY, Device, LiveOptions, devices, open_live
from wire502.capture.live.following import FollowedFiles
from wire502.capture.live.waiting import WaitingSource
from wire502.errors import CaptureError
from wire502.model.capture_info import Interface
from wire502.model.records import field, record
from wire502.report.text import Clock
from wire502.settings import context

__all__ = ["ANY", "Clock", "Device", "LiveOptions", "Plan", "Rotation", "devices", "run"]

ROOT = "root"
Writer = Callable[[Result], str]


@record()
class Plan:
    """What is to be captured, how it is analysed, where results and packets go, and as whom.

    Of *interfaces*, *pipe* and *follow* one says where frames come from. *become* is ``USER[:GROUP]``, None the
    default: nobody if started as root, else who we are; ``root`` keeps all rights. *output* None is standard output,
    *metrics* where counters are served (``[ADDRESS:]PORT``), *log_to* the daemon that hears of failures, *otlp* the
    address of a collector of OpenTelemetry that does, *version* the program's, *table* that a table is drawn, with
    times as it says, *greet* that somebody waits to hear that it has begun, *evidence* the folder for bundles, if any.
    """

    interfaces: Sequence[str] = ()
    pipe: str | None = None
    follow: str | None = None
    backend: str = "ring"
    options: LiveOptions = field(default_factory=LiveOptions)
    most_frames: int | None = None
    record: str | None = None
    rotation: Rotation = field(default_factory=Rotation)
    output: str | None = None
    metrics: str | None = None
    log_to: Where | None = None
    otlp: str | None = None
    version: str = ""
    table: Clock | None = None
    greet: bool = False
    evidence: str | None = None
    become: str | None = None
    upstream: Sequence[str] = ()
    gateway: str | None = None
    everything: bool = False
    settings: Mapping[str, str | float] = field(default_factory=dict)
    filter: Filter | None = None


def run(plan: Plan, writer: Callable[[Reading], Writer], say: Callable[[str], object]) -> Reading:
    """Run *plan* until its input ends or a signal ends it, and return the reading, read to its end.

    *writer* makes what turns results into lines; *say* takes lines for the operator. Raises ``CaptureError`` for what
    cannot be captured or written, ``SettingError`` for what cannot be so.
    """
    become = _becomes(plan.become)
    notifier = Notifier()
    parts: list[Part] = []
    counting = Counting(parts)
    feeds: list[Feed] = []

    def feed(interfaces: list[Interface]) -> Feed:
        source = _opened(plan, interfaces)
        feeds.append(source)
        return Shown(source, parts, plan.most_frames)

    reading = live(
        feed,
        upstream=plan.upstream,
        gateway=plan.gateway,
        all=plan.everything,
        settings=plan.settings,
        filter=plan.filter,
    )
    try:
        if len({one.linktype for one in reading.interfaces}) > 1 and (plan.record or plan.evidence):
            raise CaptureError(
                reading.inputs[0], 0, "frames of several kinds of link do not go into one file", "see -i"
            )
        recording = None
        if plan.record is not None:
            recording = Recording(
                plan.record, plan.rotation, reading.interfaces[0], owner=become, say=say, full=reading.stop
            )
            parts.append(recording)
        lines = Lines(writer(reading), plan.output, become, say, reading.stop)
        if plan.table is not None:
            parts.append(LiveTable(lambda: counting.state(reading, feeds[0]), reading.worst, plan.table))
        parts += [lines, notifier]
        keeper = None
        if plan.evidence is not None:
            plain = context(plan.settings)
            ring = PacketRing(plain.evidence_memory)
            keeper = Keeper(
                plan.evidence,
                ring,
                reading.interfaces[0],
                plain,
                arguments=_as_arguments(plan),
                owner=become,
                say=say,
            )
            parts += [ring, keeper]
        if plan.log_to is not None:
            parts.append(Syslog(plan.log_to))
        if plan.otlp is not None:
            from wire502.agent.otlp import Otlp

            parts.append(Otlp(plan.otlp, plan.version, os.environ, say))
        if plan.metrics is not None:
            from wire502.agent.metrics import Metrics

            parts.append(Metrics(plan.metrics, lambda: counting.state(reading, feeds[0]), reading.first_bytes))
        drop(become, keep=plan.become == ROOT)
        if recording is not None:
            recording.check()
        if keeper is not None:
            keeper.check()
        if not lines.can_reopen():
            say(f"{plan.output} cannot be opened again by {become.name if become else 'this user'} when it is rotated")
        for part in parts:
            part.start()
        doing = f"{'reading' if plan.pipe or plan.follow else 'capturing on'} {reading.inputs[0]}"
        notifier.ready(doing)
        if plan.greet:
            say(f"{doing}{f' as {become.name}' if become else ''}; Ctrl-C ends it")
        Loop(reading, feeds[0], parts, counting, say=say).run()
    finally:
        reading.close()
    return reading


def _as_arguments(plan: Plan) -> list[str]:
    """Return the options of ``wire502 report`` that make it read as this run does."""
    pairs = [("--upstream", one) for one in plan.upstream]
    pairs += [("--gateway", plan.gateway)] if plan.gateway is not None else []
    pairs += [("--set", f"{name}={value}") for name, value in plan.settings.items() if not name.startswith("evidence_")]
    return [word for pair in pairs for word in pair]


def _becomes(name: str | None) -> User | None:
    """Return who to become; None to stay who we are."""
    if name == ROOT or (name is None and os.geteuid() != 0):
        return None
    return user(name or DEFAULT_USER)


def _opened(plan: Plan, interfaces: list[Interface]) -> Feed:
    """Open where the frames come from."""
    if plan.pipe is not None:
        return WaitingSource(open_source(plan.pipe, interfaces=interfaces))
    if plan.follow is not None:
        return WaitingSource(FollowedFiles(plan.follow, interfaces=interfaces))
    names = list(plan.interfaces) or [ANY]
    if plan.backend == "scapy":
        from wire502.capture.live.sockets import SocketSource

        return WaitingSource(SocketSource(names, plan.options, interfaces=interfaces))
    return open_live(names, plan.options, interfaces=interfaces)
