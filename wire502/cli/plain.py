"""``read`` with captures and switches only, which most calls are: understood without click, whose loading they spare.

Whatever else there is, be it a mistake, is left to click.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SWITCHES = {
    "--json": "as_json",
    "--all": "everything",
    "--quiet": "quiet",
    "--local": "local",
    "--redact": "redacted",
    "--exit-code": "exit_code",
}


def plain_read(arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """Return the captures and the arguments of ``reading.run`` that *arguments* ask for; None: ask click."""
    if not arguments or arguments[0] != "read":
        return None
    captures = tuple(one for one in arguments[1:] if not one.startswith("-"))
    switches = [one for one in arguments[1:] if one.startswith("-")]
    if not captures or not SWITCHES.keys() >= set(switches):
        return None
    return captures, {SWITCHES[one]: True for one in switches}
