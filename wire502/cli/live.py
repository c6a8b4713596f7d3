"""``wire502 live``: interfaces in, failures out, for months."""

from __future__ import annotations

import sys
from typing import Any, Literal

import click

from wire502.cli.sections import sectioned
from wire502.cli.terminal import say
from wire502.settings import assignments, context

_SECTIONS = {
    "Where packets come from": ("interfaces", "pipe", "follow", "backend", "list_interfaces"),
    "How they are captured": ("snaplen", "buffer_kib", "count", "no_promiscuous", "fanout", "become"),
    "Where packets go": ("record", "megabytes", "files", "seconds"),
    "Always on": ("evidence", "log_to", "otlp", "metrics"),
    "What they mean": ("upstream", "gateway", "settings"),
    "What to print": ("everything", "kinds", "to", "host", "path"),
    "How to print it": ("as_json", "output", "table", "quiet", "redacted", "local", "color"),
}


@click.command("live", cls=sectioned(_SECTIONS), short_help="Find failed requests as they happen.")
@click.argument("expression", metavar="[FILTER]...", nargs=-1)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    metavar="NAME",
    multiple=True,
    help="Capture here; repeatable. any: all (default).",
)
@click.option("--from-pipe", "pipe", metavar="FILE", help="Read what tcpdump -U -w - writes; -: standard input.")
@click.option("--follow", metavar="FILE", help="Read a file that still grows, or a rotated set: 'ring*'.")
@click.option("--backend", type=click.Choice(["ring", "scapy"]), default="ring", help="Linux's packet ring, or scapy.")
@click.option("-D", "--list-interfaces", is_flag=True, help="List the interfaces, and end.")
@click.option(
    "-s", "--snapshot-length", "snaplen", type=click.IntRange(0), metavar="N", help="Octets kept of a packet; 0: all."
)
@click.option(
    "-B", "--buffer-size", "buffer_kib", type=click.IntRange(1), metavar="KIB", help="Size of the ring: 65536."
)
@click.option("-c", "--count", type=click.IntRange(1), metavar="N", help="End after N packets.")
@click.option("-p", "--no-promiscuous-mode", "no_promiscuous", is_flag=True, help="Leave packets for others alone.")
@click.option(
    "--fanout", type=click.IntRange(0, 65535), metavar="GROUP", help="Share the traffic with others of GROUP."
)
@click.option("-Z", "--relinquish-privileges", "become", metavar="USER[:GROUP]", help="Become USER; as root: nobody.")
@click.option("-w", "--write", "record", metavar="FILE", help="Write the packets too; pcapng by that name.")
@click.option(
    "-C", "--file-size", "megabytes", type=click.IntRange(1), metavar="MB", help="Next file after MB 1,000,000 octets."
)
@click.option(
    "-W",
    "--file-count",
    "files",
    type=click.IntRange(1),
    metavar="N",
    help="Keep N files: with -C a ring, with -G the end.",
)
@click.option(
    "-G",
    "--rotate-seconds",
    "seconds",
    type=click.IntRange(1),
    metavar="S",
    help="Next file after S seconds; FILE as for strftime.",
)
@click.option("--evidence", metavar="DIR", help="Write a bundle of evidence for failures, redacted; see: settings.")
@click.option(
    "--log-to", type=click.Choice(["journal", "syslog"]), help="Tell the journal, or syslog, of each failure too."
)
@click.option(
    "--otlp",
    metavar="URL",
    is_flag=False,
    flag_value="http://127.0.0.1:4318",
    help="Send log records to a collector of OpenTelemetry (OTLP/HTTP); alone: http://127.0.0.1:4318.",
)
@click.option(
    "--metrics",
    metavar="[ADDR:]PORT",
    is_flag=False,
    flag_value="127.0.0.1:9502",
    help="Serve counters to Prometheus, and /healthz; alone: 127.0.0.1:9502.",
)
@click.option("--upstream", metavar="ADDR[:PORT]", multiple=True, help="This is an upstream, whatever it looks like.")
@click.option("--gateway", metavar="NAME[:VERSION]", help="What the gateway is (see: wire502 gateways).")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting (see: wire502 settings).")
@click.option("--all", "everything", is_flag=True, help="Healthy exchanges and oddities too.")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Failures of this kind only; repeatable.")
@click.option("--to", metavar="ADDR[:PORT]", help="Attempts to this upstream only.")
@click.option("--host", metavar="HOST", help="Requests for this host only.")
@click.option("--path", metavar="GLOB", help="Requests for a matching target only: '/api/*'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the summary last (see: wire502 schema).")
@click.option("-o", "--output", metavar="FILE", help="Append the lines to FILE; SIGHUP opens it anew.")
@click.option("--table", is_flag=True, help="Draw a table of the upstreams on the terminal instead.")
@click.option("--quiet", is_flag=True, help="Failures only: no table at the end.")
@click.option("--redact", "redacted", is_flag=True, help="Mask the values of queries.")
@click.option("--local", is_flag=True, help="Print times of the local zone instead of UTC.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours or none.")
def command(expression: tuple[str, ...], **options: Any) -> int:
    """Find failed requests as they happen, each with the frame that doomed it.

    \b
    Examples:
      wire502 live -i eth0 'tcp port 8080 or icmp'
      wire502 live -i any --json -o /var/log/wire502.json
      wire502 live -i eth0 -w ring.pcap -C 100 -W 10 'port 8080'
      tcpdump -i any -U -w - | wire502 live --from-pipe -

    FILTER is tcpdump's language. Needs the right to capture (CAP_NET_RAW), which is given up before the first packet
    is read: started as root it becomes nobody, or who -Z says.

    A failure is printed within about a second. A wait past its deadline is told as pending; it becomes a failure or is
    cleared. SIGINT and SIGTERM end with the summary, SIGUSR1 prints counters, SIGHUP opens files anew.

    Exit status: 0 ended as told, 2 nothing could be captured, 3 the input is damaged.
    """  # noqa: D301 - click's \b keeps the lines as they are
    if options.pop("list_interfaces"):
        return _list_interfaces()
    return run(expression, **options)


def run(
    expression: tuple[str, ...],
    *,
    interfaces: tuple[str, ...],
    pipe: str | None,
    follow: str | None,
    backend: str,
    snaplen: int | None,
    buffer_kib: int | None,
    count: int | None,
    no_promiscuous: bool,
    fanout: int | None,
    become: str | None,
    record: str | None,
    megabytes: int | None,
    files: int | None,
    seconds: int | None,
    evidence: str | None,
    log_to: Literal["journal", "syslog"] | None,
    otlp: str | None,
    metrics: str | None,
    upstream: tuple[str, ...],
    gateway: str | None,
    settings: tuple[str, ...],
    everything: bool,
    kinds: tuple[str, ...],
    to: str | None,
    host: str | None,
    path: str | None,
    as_json: bool,
    output: str | None,
    table: bool,
    quiet: bool,
    redacted: bool,
    local: bool,
    color: str,
) -> int:
    """Capture, print, and return the exit status."""
    from wire502 import __version__
    from wire502.agent.run import Clock, LiveOptions, Plan, Rotation
    from wire502.agent.run import run as run_agent
    from wire502.api import Filter, Reading
    from wire502.cli import writers

    _check_usage(expression, interfaces, pipe, follow, record, megabytes, files, seconds)
    if gateway is not None:
        writers.check_gateway(gateway)
    if kinds:
        from wire502.cli.pages import known_kind

        for kind in kinds:
            known_kind(kind)
    chosen = assignments(settings)
    if snaplen is not None:
        chosen["snaplen"] = str(snaplen or 262_144)
    if buffer_kib is not None:
        chosen["ring_size"] = str(buffer_kib * 1024)
    plain = context(chosen)
    if table and (not sys.stdout.isatty() or (as_json and output is None)):
        raise click.UsageError("--table draws on a terminal; send the lines elsewhere with -o FILE")
    plan = Plan(
        interfaces=interfaces,
        pipe=pipe,
        follow=follow,
        backend=backend,
        options=LiveOptions(" ".join(expression), plain.snaplen, plain.ring_size, not no_promiscuous, fanout),
        most_frames=count,
        record=record,
        rotation=Rotation(megabytes, seconds, files),
        output=output,
        evidence=evidence,
        log_to=log_to,
        otlp=otlp,
        version=__version__,
        table=Clock(local=local) if table else None,
        greet=sys.stderr.isatty() and not table,
        metrics=metrics,
        become=become,
        upstream=upstream,
        gateway=gateway,
        everything=everything,
        settings=chosen,
        filter=Filter(frozenset(kinds), to, host, path),
    )

    def writer(reading: Reading) -> writers.Writer:
        write = (
            writers.json_writer(reading)
            if as_json
            else writers.text_writer(reading, everything, quiet, local, color if output is None else "never")
        )
        if table and output is None:
            from wire502.api import Summary

            told = write
            return lambda result: told(result) if isinstance(result, Summary) else ""
        return writers.redacting(write) if redacted else write

    reading = run_agent(plan, writer, say)
    for damage in reading.damage:
        say(f"{damage.path}: octet {damage.offset}: {damage.reason}")
    return 3 if reading.damage else 0


def _check_usage(
    expression: tuple[str, ...],
    interfaces: tuple[str, ...],
    pipe: str | None,
    follow: str | None,
    record: str | None,
    megabytes: int | None,
    files: int | None,
    seconds: int | None,
) -> None:
    """Raise a usage error for options that contradict each other."""
    if sum(map(bool, (interfaces, pipe, follow))) > 1:
        raise click.UsageError("-i, --from-pipe and --follow exclude each other")
    if expression and (pipe or follow):
        raise click.UsageError("a filter goes to the program that captures: tcpdump -U -w - FILTER | …")
    if record == "-":
        raise click.UsageError("-w - would mix packets with the results; name a file")
    if record is None and (megabytes or seconds or files):
        raise click.UsageError("-C, -G and -W say how -w FILE is rotated; there is no -w")
    if files and not (megabytes or seconds):
        raise click.UsageError("-W counts files; -C or -G says when the next one begins")
    if pipe == "-" and sys.stdin.isatty():
        raise click.UsageError("standard input is a terminal; pipe a capture into it: tcpdump -U -w - | wire502 live …")


def _list_interfaces() -> int:
    from wire502.agent.run import ANY, devices

    found = devices()
    width = max(map(len, [ANY, *(device.name for device in found)]))
    click.echo(f"{ANY:<{width}}  all interfaces")
    for device in found:
        kind = "loopback, " if device.loopback else ""
        click.echo(f"{device.name:<{width}}  {kind}{device.state}")
    return 0
