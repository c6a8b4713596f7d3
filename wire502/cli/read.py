"""``wire502 read``: its options, and what is wrong with them; ``reading`` does what they say."""

from __future__ import annotations

import sys
from typing import Any

import click

from wire502.cli.moments import convert, zone
from wire502.cli.reading import run
from wire502.cli.sections import sectioned
from wire502.cli.writers import check_gateway

_MOST_SLACK_S = 3600
_SECTIONS = {
    "What to read": ("upstream", "gateway", "follow", "settings", "jobs"),
    "What to hold against it": ("logs", "log_slack", "log_zone"),
    "What to print": ("everything", "kinds", "to", "host", "path", "since", "until", "limit"),
    "How to print it": ("as_json", "quiet", "redacted", "local", "color", "exit_code"),
    "What to keep": ("report",),
}


@click.command("read", cls=sectioned(_SECTIONS), short_help="Find the failed requests of a capture.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the summary last (see: wire502 schema).")
@click.option("--all", "everything", is_flag=True, help="Healthy exchanges and oddities too.")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Failures of this kind only; repeatable.")
@click.option("--to", metavar="ADDR[:PORT]", help="Attempts to this upstream only.")
@click.option("--host", metavar="HOST", help="Requests for this host only.")
@click.option("--path", metavar="GLOB", help="Requests for a matching target only: '/api/*'.")
@click.option(
    "--since", callback=convert, metavar="TIME", help="From then on: 12:04, 12:04:31.8, 2026-11-22T12:04:31Z."
)
@click.option("--until", callback=convert, metavar="TIME", help="Up to then. UTC, unless the time has a zone.")
@click.option("--limit", type=int, metavar="N", help="N failures at most; all are counted.")
@click.option("--upstream", metavar="ADDR[:PORT]", multiple=True, help="This is an upstream, whatever it looks like.")
@click.option("--gateway", metavar="NAME[:VERSION]", help="What the gateway is (see: wire502 gateways).")
@click.option("--log", "logs", metavar="FILE", multiple=True, help="Join this log of the gateway (repeatable).")
@click.option("--log-slack", type=float, default=2.0, metavar="SECONDS", help="How far the clocks may be apart: 2.")
@click.option("--log-zone", callback=zone, metavar="+HH:MM", help="The zone of log times that name none: UTC.")
@click.option("--follow", is_flag=True, help="Wait at the end of a file that still grows.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting (see: wire502 settings).")
@click.option("-j", "--jobs", type=int, default=1, metavar="N", help="Read captures each for itself, N side by side.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when a request failed that no retry made good.")
@click.option("--quiet", is_flag=True, help="Failures only: no table, no last line, no progress bar.")
@click.option("--local", is_flag=True, help="Print times of the local zone instead of UTC.")
@click.option("--redact", "redacted", is_flag=True, help="Mask the values of queries.")
@click.option(
    "--report", metavar="DIR", help="Write the evidence for what is printed into this folder, as `report` does."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours or none.")
def command(captures: tuple[str, ...], **options: Any) -> int:
    """Find the failed requests of a capture, each with the frame that doomed it.

    \b
    Examples:
      wire502 read capture.pcap
      wire502 read capture.pcap --json | jq 'select(.type == "failure")'
      wire502 read gateway.pcap upstream.pcap.gz --to 10.0.0.2:8080
      wire502 read capture.pcap --kind rst_before_response --since 12:00 --until 12:05
      wire502 read capture.pcap --log error.log --log access.log
      tcpdump -i any -U -w - 'tcp port 8080 or icmp' | wire502 read -

    CAPTURE is a pcap or pcapng file, compressed or not, or - for standard input. Several are read as one, in order
    of time; with -j each for itself, in the order given, which is faster but joins nothing across files. A good capture
    holds whole packets and both legs of the gateway:

    \b
      tcpdump -i any -s 0 -w capture.pcap 'tcp or icmp or icmp6'

    Exit status: 0 read whole, 1 failures found (with --exit-code), 2 nothing could be read, 3 read in part,
    130 interrupted.
    """  # noqa: D301 - click's \b keeps the lines as they are
    _check(captures, **options)
    return run(captures, **options)


def _check(
    captures: tuple[str, ...],
    *,
    jobs: int,
    limit: int | None,
    kinds: tuple[str, ...],
    gateway: str | None,
    log_slack: float,
    **others: Any,
) -> None:
    """Raise a usage error for options that make no sense, or not together."""
    if "-" in captures and sys.stdin.isatty():
        raise click.UsageError("standard input is a terminal; pipe a capture into it: tcpdump -U -w - | wire502 read -")
    if jobs < 1:
        raise click.UsageError("--jobs must be 1 or more")
    if jobs > 1 and ("-" in captures or any(others[name] for name in ("logs", "report", "follow"))):
        raise click.UsageError("--jobs reads captures each for itself: not with --log, --report, --follow or -")
    if limit is not None and limit < 0:
        raise click.UsageError("--limit must be 0 or more")
    if kinds:
        from wire502.cli.pages import known_kind

        for kind in kinds:
            known_kind(kind)
    if gateway is not None:
        check_gateway(gateway)
    if not 0 <= log_slack <= _MOST_SLACK_S:
        raise click.UsageError(f"--log-slack must be 0 to {_MOST_SLACK_S} seconds")
