"""Arbitrary attempts: any field may hold anything that its type allows, sensible or not."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.kinds.factory import BEGIN_NS
from wire502.model.attempt import (
    Attempt,
    ClientView,
    Closing,
    Gap,
    Handshake,
    Point,
    Request,
    Response,
    Silence,
    Unreachable,
    Violation,
)

TIMES = st.integers(0, 70_000).map(lambda ms: BEGIN_NS + ms * 1_000_000)
POINTS = st.builds(Point, st.integers(1, 40), st.integers(0, 1), TIMES)
OFFSETS = st.integers(0, 300)
FLAGS = st.booleans()


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Nothing, or something of *strategy*."""
    return st.none() | strategy


CLOSINGS = st.builds(
    Closing,
    POINTS,
    maybe(OFFSETS),
    maybe(OFFSETS),
    accepted=st.sampled_from([None, True, False]),
    echoes_request_ack=FLAGS,
)
UNREACHABLE = st.builds(Unreachable, POINTS, FLAGS, st.just("host unreachable"), st.just("10.0.0.9"), FLAGS)
HANDSHAKES = st.builds(
    Handshake,
    st.lists(POINTS, max_size=3).map(tuple),
    st.lists(POINTS, max_size=2).map(tuple),
    maybe(POINTS),
    maybe(POINTS),
    maybe(UNREACHABLE),
    FLAGS,
)
REQUESTS = st.builds(
    Request,
    POINTS,
    POINTS,
    OFFSETS,
    OFFSETS,
    FLAGS,
    method=st.sampled_from(["", "GET", "POST", "HEAD"]),
    target=st.sampled_from(["", "/", "/a?b=c", "/" + "x" * 300]),
    expects_continue=FLAGS,
    http=FLAGS,
    cut=FLAGS,
)
RESPONSES = st.builds(
    Response,
    POINTS,
    POINTS,
    OFFSETS,
    status=maybe(st.sampled_from([101, 200, 204, 413, 500, 502])),
    status_point=maybe(POINTS),
    head_end=maybe(POINTS),
    head_bytes=st.sampled_from([0, 10, 80, 9000]),
    body_bytes=OFFSETS,
    expected_body_bytes=maybe(OFFSETS),
    framing=st.sampled_from(["length", "chunked", "close", "none", "tunnel", "unknown"]),
    complete=FLAGS,
    cut=FLAGS,
    over_limit=maybe(POINTS),
)
VIOLATIONS = st.builds(
    Violation,
    st.sampled_from(["status_line", "header", "framing", "chunk", "something new"]),
    POINTS,
    OFFSETS,
    st.just("why"),
    maybe(st.sampled_from(["tls", "ssh"])),
    FLAGS,
)
GAPS = st.builds(
    Gap, st.sampled_from(["capture", "wire", "unknown"]), FLAGS, OFFSETS, OFFSETS, POINTS, FLAGS, FLAGS
)  # fmt: skip
CLIENTS = st.builds(
    ClientView,
    POINTS,
    st.sampled_from(["complete", "error", "cut", "closed_without_response", "reset", "pending"]),
    maybe(st.sampled_from([200, 413, 500, 502, 504])),
    st.just("10.0.0.9:50110"),
    POINTS,
    left_first=maybe(POINTS),
    zero_window=FLAGS,
    idle=FLAGS,
)
SILENCES = st.builds(Silence, POINTS, maybe(POINTS), st.floats(0, 100), maybe(st.floats(0, 100)))

ATTEMPTS = st.builds(
    Attempt,
    stream=st.integers(0, 5),
    gateway=st.just("10.1.0.2:41822"),
    upstream=st.just("10.2.0.2:8080"),
    first_frame=st.integers(1, 40),
    exchange=st.integers(0, 3),
    reused=FLAGS,
    opener_known=FLAGS,
    handshake=HANDSHAKES,
    judged_at_ns=TIMES,
    capture_ended=FLAGS,
    is_http=st.sampled_from([True, True, False]),
    request=maybe(REQUESTS),
    response=maybe(RESPONSES),
    interim=st.lists(st.tuples(st.sampled_from([100, 103]), POINTS), max_size=2).map(tuple),
    violation=maybe(VIOLATIONS),
    oddities=st.sampled_from([(), ("something",)]),
    secondary=FLAGS,
    upgraded=st.sampled_from([False, False, True]),
    streaming=st.sampled_from([False, False, True]),
    upstream_fin=maybe(CLOSINGS),
    upstream_rst=maybe(CLOSINGS),
    gateway_fin=maybe(CLOSINGS),
    gateway_rst=maybe(CLOSINGS),
    later_from_upstream=maybe(POINTS),
    upstream_acked=maybe(OFFSETS),
    upstream_acked_point=maybe(POINTS),
    gateway_acked=maybe(OFFSETS),
    gateway_fin_ack_of_upstream_fin=maybe(POINTS),
    request_retransmissions=st.integers(0, 4),
    request_retransmitted_last=maybe(POINTS),
    response_retransmissions=st.integers(0, 4),
    response_retransmitted_last=maybe(POINTS),
    upstream_window_zero=maybe(POINTS),
    gateway_window_zero=maybe(POINTS),
    unanswered_since=maybe(POINTS),
    silence=maybe(SILENCES),
    excess=FLAGS,
    foreign_answer=maybe(st.just(408)),
    next_request=maybe(POINTS),
    connection_kept_ns=maybe(st.integers(0, 10**11)),
    gaps=st.lists(GAPS, max_size=2).map(tuple),
    one_sided=st.sampled_from([None, None, None, "gateway", "upstream"]),
    client=maybe(CLIENTS),
    client_leg_seen=FLAGS,
    neighbour_answered=maybe(POINTS),
    later_success=maybe(POINTS),
    overlap_conflict=maybe(st.tuples(POINTS, POINTS)),
    dropped_nearby=st.sampled_from([0, 0, 7]),
    clock_step=maybe(POINTS),
    snaplen_cut=FLAGS,
    evicted=st.sampled_from([False, False, False, True]),
    response_from=maybe(OFFSETS),
    next_attempt=maybe(POINTS),
    similar_silence=FLAGS,
    excess_point=maybe(POINTS),
    client_request_open=maybe(FLAGS),
    request_acks=maybe(OFFSETS),
)
