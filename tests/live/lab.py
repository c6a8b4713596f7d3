"""A client, a gateway and an upstream: three network namespaces with a cable from each to the next, on this machine.

Needs root, iproute2, and a kernel that allows namespaces; where any of them is missing the tests are skipped, and say
so. Everything that is started is ended by its own process, and stops by itself after two minutes.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from tests.live.upstream import PORTS

ROOT = Path(__file__).parents[2]
CLIENT, GATEWAY, UPSTREAM = "10.78.0.2", "10.77.0.1", "10.77.0.2"
CLIENTS_WAY = "10.78.0.1"  # the gateway's other address
NEIGHBOUR, NEIGHBOURS_WAY = "10.77.0.3", "10.77.0.9"  # a client on the upstream's cable, and where it finds the gateway
CABLE, FRONT_CABLE = "wire0", "front0"
FRONT = 8000
PATIENCE_S = 20


def why_not() -> str | None:
    """Return why there can be no lab here, None if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "needs root: packets are captured in network namespaces"
    if shutil.which("ip") is None:
        return "needs ip (iproute2)"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"network namespaces are not allowed here: {tried.stderr.strip()}"


def for_nobody() -> tuple[str, ...]:
    """Return the options with which bundles can be made: none where Python, and this, may be read by everybody."""
    code = [sys.executable, "-c", "import wire502"]
    nobody = pwd.getpwnam("nobody")
    with contextlib.suppress(OSError):
        done = subprocess.run(
            code, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd=ROOT, capture_output=True, check=False
        )
        if done.returncode == 0:
            return ()
    return ("-Z", "root")


class Process:
    """A program that runs in a namespace, with its output in files."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        name: str,
        stdout: int | None = None,
        stderr: int | None = None,
        **environment: str,
    ) -> None:
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self._files: list[IO[bytes]] = [self.out.open("wb"), self.err.open("wb")]
        self.running = subprocess.Popen(
            command,
            stdout=self._files[0] if stdout is None else stdout,
            stderr=self._files[1] if stderr is None else stderr,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            cwd=ROOT,
            start_new_session=True,  # so that whatever it starts can be ended with it
        )

    def send(self, number: signal.Signals) -> None:
        self.running.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, patience: float = PATIENCE_S) -> int:
        """Send a signal, wait, and return the exit status."""
        if self.running.poll() is None:
            self.send(number)
        try:
            return self.running.wait(patience)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, and what it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.wait(2)
        for file in self._files:
            file.close()

    def status(self) -> dict[str, str]:
        """Return /proc/PID/status."""
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def wait_for(what: Callable[[], object], why: str, patience: float = PATIENCE_S) -> None:
    """Wait until *what* is true; fail saying *why* it should be."""
    until = time.monotonic() + patience
    while not what():
        if time.monotonic() > until:
            pytest.fail(f"not within {patience} s: {why}")
        time.sleep(0.02)


class Lab:
    """The three hosts; ``with`` takes everything down again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = [f"w502-{os.getpid()}-{role}" for role in ("gw", "up", "cl")]
        self._processes: list[Process] = []
        self._disks: list[Path] = []

    def __enter__(self) -> Self:
        gateway, _, client = self._names
        try:
            for name in self._names:
                self.ip("netns", "add", name)
                self.ip("-n", name, "link", "set", "lo", "up")
            self.cable()
            self.ip(
                "link", "add", FRONT_CABLE, "netns", gateway, "type", "veth", "peer", "name", CABLE, "netns", client
            )
            for name, cable, address in ((gateway, FRONT_CABLE, CLIENTS_WAY), (client, CABLE, CLIENT)):
                self.ip("-n", name, "addr", "add", f"{address}/24", "dev", cable)
                self.ip("-n", name, "link", "set", cable, "up")
            self.ip("-n", client, "route", "add", "default", "via", CLIENTS_WAY)
        except subprocess.CalledProcessError as error:
            self.__exit__(None, None, None)
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.kill()
        for disk in self._disks:
            subprocess.run(["umount", "--lazy", str(disk)], check=False, capture_output=True)
        for name in self._names:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.ip("netns", "del", name)

    def cable(self) -> None:
        """Put the cable between gateway and upstream."""
        gateway, upstream, _ = self._names
        self.ip("link", "add", CABLE, "netns", gateway, "type", "veth", "peer", "name", CABLE, "netns", upstream)
        for name, address in ((gateway, GATEWAY), (upstream, UPSTREAM)):
            self.ip("-n", name, "addr", "add", f"{address}/24", "dev", CABLE)
            self.ip("-n", name, "link", "set", CABLE, "up")

    def at_gateway(self, *arguments: str) -> None:
        """Run ``ip`` on the gateway's host."""
        self.ip("-n", self._names[0], *arguments)

    def disk(self, octets: int) -> Path:
        """Return the folder of a disk of that size, which belongs to nobody; skip where nothing can be mounted."""
        self.open_to_all()
        folder = self.folder / f"disk{len(self._disks)}"
        folder.mkdir()
        nobody = pwd.getpwnam("nobody")
        options = f"size={octets},mode=0755,uid={nobody.pw_uid},gid={nobody.pw_gid}"
        command = ["mount", "-t", "tmpfs", "-o", options, "wire502-test", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        self._disks.append(folder)
        return folder

    def open_to_all(self) -> None:
        """Let every user reach what is in the folder, by its name."""
        for folder in (self.folder, *self.folder.parents):
            if folder.stat().st_mode & 0o001 == 0:
                folder.chmod(folder.stat().st_mode | 0o011)

    def fetch(self, url: str) -> str:
        """Return what *url* on the gateway's host answers, "" when it does not."""
        code = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
        command = ["ip", "netns", "exec", self._names[0], sys.executable, "-c", code, url]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout

    @staticmethod
    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)

    def start(self, name: str, *command: str, upstream: bool = False, **environment: str) -> Process:
        """Start a program on the gateway's host, or on the upstream's."""
        inside = ["ip", "netns", "exec", self._names[int(upstream)], *command]
        process = Process(inside, self.folder, name, **environment)
        self._processes.append(process)
        return process

    def upstreams(self) -> Process:
        """Start the upstreams and wait until they listen."""
        process = self.start("upstream", sys.executable, "-m", "tests.live.upstream", UPSTREAM, upstream=True)
        wait_for(lambda: b"ready" in process.out.read_bytes(), "the upstreams listen")
        return process

    def on_terminal(self, terminal: int, *arguments: str, stderr: int | None = None) -> Process:
        """Start ``wire502 live`` with its output on *terminal*."""
        inside = ["ip", "netns", "exec", self._names[0], sys.executable, "-m", "wire502", "live", *arguments]
        process = Process(inside, self.folder, "terminal", stdout=terminal, stderr=stderr, TERM="xterm")
        self._processes.append(process)
        return process

    def live(self, *arguments: str, name: str = "live", **environment: str) -> Process:
        """Start ``wire502 live`` and wait until it captures."""
        address = self.folder / f"{name}.notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(PATIENCE_S)
            command = [sys.executable, "-m", "wire502", "live", *arguments]
            process = self.start(name, *command, NOTIFY_SOCKET=str(address), **environment)
            while True:
                try:
                    if b"READY=1" in manager.recv(4096):
                        return process
                except TimeoutError:
                    pytest.fail(f"live did not begin: {process.err.read_text()}")

    def tcpdump(self, path: Path, *arguments: str) -> Process:
        """Start tcpdump and wait until it captures."""
        process = self.start(
            "tcpdump", "tcpdump", "--immediate-mode", "-B", "65536", "-Z", "root", "-U", "-w", str(path), *arguments
        )
        wait_for(lambda: b"listening on" in process.err.read_bytes(), "tcpdump captures")
        return process

    def ask(self, *targets: str, patience: float = 6) -> None:
        """Have the client ask the gateway for each target, one after the other, each on a connection of its own."""
        self._ask(self._names[2], GATEWAY, FRONT, patience, targets)

    def neighbour(self) -> None:
        """Put a client on the upstream's cable, and give the gateway an address there that is for clients only."""
        for name, address in ((self._names[0], NEIGHBOURS_WAY), (self._names[1], NEIGHBOUR)):
            self.ip("-n", name, "addr", "add", f"{address}/24", "dev", CABLE)

    def ask_as_neighbour(self, *targets: str) -> None:
        """Have that client ask the gateway."""
        self._ask(self._names[1], NEIGHBOURS_WAY, FRONT, 6, targets, NEIGHBOUR)

    def ask_upstream(self, port: int, target: str = "/", patience: float = 6) -> None:
        """Ask an upstream from the gateway's host, without a gateway."""
        self._ask(self._names[0], UPSTREAM, port, patience, (target,))

    def flood(self, octets: int) -> None:
        """Send so many octets from the gateway's host to the upstream, where nobody takes them."""
        code = (
            "import socket, sys\n"
            "out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "for _ in range(int(sys.argv[2]) // 1000): out.sendto(bytes(958), (sys.argv[1], 9))\n"
        )
        command = [sys.executable, "-c", code, UPSTREAM, str(octets)]
        subprocess.run(["ip", "netns", "exec", self._names[0], *command], check=True, timeout=60)

    def _ask(self, name: str, host: str, port: int, patience: float, targets: tuple[str, ...], own: str = "") -> None:
        code = (
            "import socket, sys\n"
            "host, port, patience, own, *targets = sys.argv[1:]\n"
            "for target in targets:\n"
            "    try:\n"
            "        with socket.create_connection((host, int(port)), float(patience), (own, 0)) as conn:\n"
            "            head = f'GET {target} HTTP/1.1', 'Host: lab', 'Connection: close', '', ''\n"
            "            conn.sendall('\\r\\n'.join(head).encode())\n"
            "            while conn.recv(65536): pass\n"
            "    except OSError: pass\n"
        )
        command = [sys.executable, "-c", code, host, str(port), str(patience), own, *targets]
        subprocess.run(["ip", "netns", "exec", name, *command], check=True, timeout=60)

    def nginx(self) -> Process:
        """Start nginx, with a location for each upstream."""
        folder = self.folder / "nginx"
        folder.mkdir()
        locations = "\n".join(
            f"location = /{name} {{ proxy_pass http://{UPSTREAM}:{port}; }}" for name, port in PORTS.items()
        )
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"user root; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ worker_connections 256; }}\n"
            f"http {{ access_log off; {temporary} proxy_next_upstream off; proxy_read_timeout 1s;\n"
            f"server {{ listen {FRONT}; {locations} }} }}\n"
        )
        found = shutil.which("nginx") or "/usr/sbin/nginx"
        process = self.start("nginx", found, "-p", str(folder), "-c", str(folder / "nginx.conf"))
        self._listens(process)
        return process

    def haproxy(self) -> Process:
        """Start HAProxy, with a backend for each upstream."""
        backends = "\n".join(f"backend {name}\n  server one {UPSTREAM}:{port}\n" for name, port in PORTS.items())
        uses = "\n".join(f"  use_backend {name} if {{ path /{name} }}" for name in PORTS)
        path = self.folder / "haproxy.cfg"
        path.write_text(
            "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 1s\n  retries 0\n"
            f"frontend front\n  bind :{FRONT}\n{uses}\n{backends}"
        )
        process = self.start("haproxy", shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(path))
        self._listens(process)
        return process

    def _listens(self, process: Process) -> None:
        def listens() -> bool:
            if process.running.poll() is not None:
                pytest.fail(f"the gateway ended: {process.err.read_text()}")
            code = f"import socket; socket.create_connection(('{GATEWAY}', {FRONT}), timeout=1).close()"
            command = ["ip", "netns", "exec", self._names[2], sys.executable, "-c", code]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

        wait_for(listens, "the gateway listens")


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Lab]:
    """Make a lab in *folder*, or skip."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with Lab(folder) as lab:
        yield lab
