"""``--otlp``: verdicts as log records of OpenTelemetry, posted as JSON to a collector (OTLP/HTTP, ``/v1/logs``).

A thread of its own sends; the loop only puts records into a queue of fixed length. A collector that is away is tried
again, later and later; what does not fit the queue meanwhile is lost, oldest first, counted and said.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - looking up a name loads it, when rights are gone and nothing may be readable
import http.client
import json
import socket
import ssl
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from wire502.agent.threaded import Threaded
from wire502.api import Failure, Incident, Result
from wire502.errors import SettingError
from wire502.report import otlp
from wire502.report.redact import redact

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"  # name=value,name=value: for tokens, which do not belong on a command line
PATH = "/v1/logs"
MOST_WAITING = 4096  # records
MOST_AT_ONCE = 256  # records of one request
MOST_TRACES = 1024  # failures whose trace their incident will want
MOST_ANSWER = 65_536  # octets
PATIENCE_S = 10.0  # with one request
GATHER_S = 0.1
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
CLOSING_S = 0.9
SAY_S = 60.0
TRY_AGAIN = frozenset({429, 502, 503, 504})  # OTLP, section "Failures": all other codes are final


class Otlp(Threaded):
    """Posts to *url* (``http[s]://HOST[:PORT][/PATH]``; without a path ``/v1/logs``). *version* is the program's.

    Nothing is sent when this is made; raises ``SettingError`` for an address, or headers in *environment*, that
    cannot be. ``sent`` and ``lost`` count records.
    """

    def __init__(
        self,
        url: str,
        version: str,
        environment: Mapping[str, str],
        say: Callable[[str], object],
        first_pause: float = FIRST_PAUSE_S,
    ) -> None:
        super().__init__("otlp", CLOSING_S)
        self._where = _address(url)
        self._headers = {
            **_headers(environment.get(HEADERS, "")),
            "Content-Type": "application/json",
            "User-Agent": f"wire502/{version}",
        }
        self._tls = ssl.create_default_context() if self._where.secure else None
        self._version = version
        self._resource = {
            "service.name": environment.get("OTEL_SERVICE_NAME", "") or "wire502",
            "service.version": version,
            "host.name": socket.gethostname(),
        }
        self._say = say
        self._first_pause = first_pause
        self._traces: OrderedDict[str, otlp.Trace] = OrderedDict()
        self._waiting: deque[dict[str, Any]] = deque()
        self._failing = False
        self._told_lost = 0
        self._tell_at = 0.0
        self.sent = self.lost = 0

    def counts(self) -> dict[str, int]:
        """Return how many records were not taken."""
        return {"lost_otlp": self.lost}

    def results(self, results: Sequence[Result]) -> None:
        """Put what is told into the queue."""
        now = time.time_ns()
        made = [one for result in results if (one := otlp.record(redact(result), now, self._trace(result)))]
        if not made:
            return
        with self._turn:
            self._waiting += made
            self._shorten()
            self._turn.notify()

    def beat(self, now: float) -> None:
        """Say that records were lost, at most once a minute."""
        if self.lost > self._told_lost and now >= self._tell_at:
            more = self.lost - self._told_lost
            self._say(f"{more:,} log record{' was' if more == 1 else 's were'} lost: {self._where.text} took none")
            self._told_lost, self._tell_at = self.lost, now + SAY_S

    def _trace(self, result: Result) -> otlp.Trace | None:
        """Return the trace of an incident: that of a failure behind it."""
        if isinstance(result, Failure) and (found := otlp.trace_of(result)) is not None:
            self._traces[result.id] = found
            if len(self._traces) > MOST_TRACES:
                self._traces.popitem(last=False)
        if isinstance(result, Incident):
            return next((self._traces[one] for one in result.attempts if one in self._traces), None)
        return None

    def _shorten(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1

    def _run(self) -> None:
        pause = self._first_pause
        while True:
            with self._turn:
                while not self._waiting and not self._ending:
                    self._turn.wait()
                if not self._waiting:
                    return
                if len(self._waiting) < MOST_AT_ONCE:
                    self._rest(min(GATHER_S, self._first_pause))  # a burst is one request
                batch = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            again = self._send(batch)
            if again is None:
                pause = self._first_pause
                continue
            with self._turn:
                self._waiting.extendleft(reversed(batch))
                self._shorten()
                if self._ending:  # this was the last try
                    self.lost += len(self._waiting)
                    self._waiting.clear()
                    return
                self._rest(max(pause, min(again, LONGEST_PAUSE_S)))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _rest(self, seconds: float) -> None:
        """Wait, however many records come meanwhile, but not when it ends."""
        until = time.monotonic() + seconds
        while not self._ending and (left := until - time.monotonic()) > 0:
            self._turn.wait(left)

    def _send(self, batch: list[dict[str, Any]]) -> float | None:
        """Post *batch*; return None when it is done with, else after how many seconds it may be tried again."""
        body = json.dumps(otlp.request(self._resource, self._version, batch)).encode()
        try:
            status, wait, answer = self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self._fail(str(error) or type(error).__name__, "until it does they wait")
            return 0.0
        if status in TRY_AGAIN:
            self._fail(f"it answers {status}", "until it does they wait")
            return wait
        refused = len(batch) if not 200 <= status < 300 else min(len(batch), _rejected(answer))
        self.sent += len(batch) - refused
        if refused:
            with self._turn:
                self.lost += refused
            self._fail(f"it answers {status}" if refused == len(batch) else f"it rejects {refused}", "they are lost")
        elif self._failing:
            self._failing = False
            self._say(f"log records reach {self._where.text} again")
        return None

    def _post(self, body: bytes) -> tuple[int, float, bytes]:
        where = self._where
        connection: http.client.HTTPConnection
        if self._tls is not None:
            connection = http.client.HTTPSConnection(where.host, where.port, timeout=PATIENCE_S, context=self._tls)
        else:
            connection = http.client.HTTPConnection(where.host, where.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", where.path, body, self._headers)
            response = connection.getresponse()
            wait = response.getheader("Retry-After", "")
            return response.status, float(wait) if wait.isdecimal() else 0.0, response.read(MOST_ANSWER)
        finally:
            connection.close()

    def _fail(self, why: str, then: str) -> None:
        if not self._failing:
            self._failing = True
            self._say(f"{self._where.text} does not take log records: {why}; {then}")


class _Where:
    """An address taken apart; *text* is what may be shown of it."""

    def __init__(self, host: str, port: int | None, path: str, secure: bool, text: str) -> None:
        self.host = host
        self.port = port
        self.path = path
        self.secure = secure
        self.text = text


def _address(url: str) -> _Where:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isascii():
        raise SettingError(
            f"--otlp wants http://HOST[:PORT][/PATH] or https://…, not {url!r}; tokens go into {HEADERS}"
        )
    path = parts.path if parts.path not in ("", "/") else PATH
    shown = f"[{host}]" if ":" in host else host
    text = f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}"
    return _Where(host, port, f"{path}?{parts.query}" if parts.query else path, parts.scheme == "https", text)


def _headers(text: str) -> dict[str, str]:
    """Return the headers of ``name=value,name=value``, values as in a URL (the form of OpenTelemetry's variables)."""
    found = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, equals, value = pair.partition("=")
        name, value = name.strip(), unquote(value.strip())
        plain = value.isascii() and value.isprintable() and name.isascii() and name.replace("-", "").isalnum()
        if not equals or not plain:
            raise SettingError(f"{HEADERS} wants name=value,name=value in ASCII")  # the value may be a secret
        found[name] = value
    return found


def _rejected(answer: bytes) -> int:
    """Return how many records a collector that answered 200 did not take (``ExportLogsPartialSuccess``)."""
    try:
        return max(0, int(json.loads(answer)["partialSuccess"]["rejectedLogRecords"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
