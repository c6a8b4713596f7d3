"""The tables against gateways that really ran."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.gateways.truth import GATEWAYS, measure
from wire502.gateways import recognise

FLOOR = 0.95
FOLDER = "captures-groundtruth"


def test_status_and_log_are_as_predicted(truth: Path) -> None:
    """In 95 of 100 failures of nginx, HAProxy and Apache the client got, and the log says, what the table says.

    Where the log of an event was cut before its end the status alone counts; with all of these taken for misses the
    floor holds too.
    """
    count, misses = measure(truth / FOLDER)

    assert count["all"] > 500
    assert (count["right"] - count["log unseen"]) / count["all"] >= FLOOR, "\n".join(misses)


@pytest.mark.slow
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_every_error_page_is_recognised(gateway: str, truth: Path, tshark: str) -> None:
    """Each error page that a gateway wrote itself, in the captures of its client leg, names it and surely."""
    fields = ["http.response.code", "http.server", "http.file_data"]
    pages = 0
    for capture in sorted((truth / FOLDER / gateway).glob("*-any.pcap*")):
        command = [tshark, "-r", str(capture), "-Y", "http.response.code >= 500 && tcp.srcport == 8080", "-T", "fields"]
        done = subprocess.run(
            [*command, *(part for field in fields for part in ("-e", field))],
            capture_output=True,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            status, server, body = (line + "\t\t").split("\t")[:3]
            if "from the origin side" in body or not body:
                continue  # relayed
            page = body.encode().decode("unicode_escape").encode("latin-1", "replace")
            assert recognise(int(status), server or None, None, page)[0] == (gateway, "high"), (capture.name, line)
            pages += 1

    assert pages >= 20
