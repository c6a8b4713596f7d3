"""Settings as they go down into the stages: plain values, never the table."""

from __future__ import annotations

from wire502.model.records import record


@record(frozen=True)
class Context:
    """Deadlines in nanoseconds, limits in octets or counts; ``settings.SETTINGS`` says what each means."""

    connect_deadline_ns: int = 10_000_000_000
    first_byte_deadline_ns: int = 60_000_000_000
    response_deadline_ns: int = 60_000_000_000
    settle_ns: int = 500_000_000
    hold_ns: int = 5_000_000_000
    history_ns: int = 120_000_000_000
    history_rows: int = 32_768
    max_connections: int = 1_048_576
    rest_after_ns: int = 1_000_000_000
    rest_from: int = 16_384
    closed_linger_ns: int = 60_000_000_000
    max_closed: int = 16_384
    max_head: int = 1_048_576
    max_out_of_order: int = 4_194_304
    max_buffered: int = 268_435_456
    max_pipelined: int = 64
    gateway_timeouts_ns: tuple[int, ...] = ()
    header_limit: int | None = None
    ring_size: int = 67_108_864
    snaplen: int = 262_144
    evidence_memory: int = 67_108_864
    evidence_window_ns: int = 120_000_000_000
    evidence_after_ns: int = 1_000_000_000
    evidence_every_ns: int = 300_000_000_000
    evidence_most: int = 60
    evidence_quota: int = 1_073_741_824
    redact: tuple[str, ...] = (  # what evidence overwrites; the engine never looks at it
        *("auth", "cookie", "token", "secret", "api-key", "access-key", "passw", "credential", "session"),
        *("signature", "jwt", "csrf", "xsrf", "private", "query", "userinfo", "bodies"),
    )
    upstreams: tuple[tuple[int, int, int | None], ...] = ()  # --upstream: address high, low, port
    gateway: str | None = None  # --gateway NAME[:VERSION]
    keep_exchanges: bool = False  # --all: an object for each exchange
    live: bool = False  # waits past their deadline are told before they end
