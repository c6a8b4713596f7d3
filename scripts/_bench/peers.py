"""Programs of Debian that read captures, with the commands that the comparison uses."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """`command` holds FILE and DIR where a capture and an empty folder go; `slow` ones run in fewer rounds."""

    name: str
    package: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    slow: bool = False

    def installed(self) -> bool:
        """Whether the program is on the PATH."""
        return shutil.which(self.command[0]) is not None

    def argv(self, capture: str, folder: str) -> list[str]:
        """The command for one capture."""
        return [{"FILE": capture, "DIR": folder}.get(word, word) for word in self.command]

    def shown(self) -> str:
        """The command as a person types it."""
        return " ".join(f"'{word}'" if " " in word else word for word in self.command)

    def version_line(self) -> str:
        """What the program says about itself, one line."""
        try:
            done = subprocess.run(self.version, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return "unknown version"
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if any(map(str.isdigit, line))]
        lines.sort(key=lambda line: self.name not in line.lower())
        return lines[0][:80] if lines else "unknown version"


# Without -Z it would make its output, a device of all, the file of a user of its own.
TCPDUMP = Peer(
    "tcpdump", "tcpdump", ("tcpdump", "-Z", "root", "-r", "FILE", "-w", "/dev/null"), ("tcpdump", "--version")
)
NFPCAPD = Peer("nfpcapd", "nfdump", ("nfpcapd", "-r", "FILE", "-w", "DIR"), ("nfpcapd", "-V"))
TCPTRACE = Peer("tcptrace", "tcptrace", ("tcptrace", "-n", "-b", "FILE"), ("tcptrace",))
TSHARK = Peer(
    "tshark",
    "tshark",
    (
        "tshark", "-r", "FILE", "-Y", "http.response or tcp.flags.reset==1",
        "-T", "fields", "-e", "frame.number", "-e", "http.response.code",
    ),
    ("tshark", "--version"),
    slow=True,
)  # fmt: skip
PEERS = (TCPDUMP, NFPCAPD, TCPTRACE, TSHARK)
