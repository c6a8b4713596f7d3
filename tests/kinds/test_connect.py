"""The connect kinds."""

from __future__ import annotations

import pytest

from tests.kinds.factory import at, client, connecting, rst, said, shaken, unreachable, verdict
from wire502.model.attempt import Closing, Handshake


def test_reset_of_the_syn_refuses() -> None:
    """A RST,ACK for the SYN is connect_refused at that RST, at fault the upstream."""
    made = connecting(handshake=Handshake(syns=(at(1),), refused=at(2, 0.1)))
    word = verdict(made)
    assert said(made) == ("connect_refused", 2)
    assert (word.at_fault, word.confidence) == ("upstream", "high")
    assert word.caveats == ["no client request is linked to this connection: it may be a health check"]


def test_refusal_with_a_client_has_no_health_check_caveat() -> None:
    """A refusal behind a client request cannot be a health check."""
    made = connecting(handshake=Handshake(syns=(at(1),), refused=at(2, 0.1)), client=client(), client_leg_seen=True)
    assert verdict(made).caveats == []


def test_refusal_that_no_client_asked_for_is_an_oddity() -> None:
    """With the client leg in the capture and no client request open, a refusal is no failure."""
    refused = Handshake(syns=(at(1),), refused=at(2, 0.1))
    word = verdict(connecting(handshake=refused, client_leg_seen=True, client_request_open=False))
    assert word.outcome == "healthy"
    assert word.oddities == ["refused_without_client_request"]
    assert verdict(connecting(handshake=refused, client_leg_seen=True)).outcome == "failure"
    assert verdict(connecting(handshake=refused, client_leg_seen=True, client_request_open=True)).outcome == "failure"


def test_ipv6_refused_then_ipv4_is_masked() -> None:
    """A refused attempt that another address family made good at once is masked."""
    made = connecting(handshake=Handshake(syns=(at(1),), refused=at(2, 0.1)), later_success=at(9, 5.0))
    assert verdict(made).masked


def test_other_answers_do_not_refuse() -> None:
    """A RST that the SYN's sender would not accept leaves the SYN unanswered."""
    made = connecting(upstream_rst=Closing(at(2, 0.1), None, None, accepted=False))
    assert said(made) == "open"
    assert verdict(made).oddities == ["ignored_reset"]


@pytest.mark.parametrize(
    ("syns", "judged_ms", "ended", "expected"),
    [
        ((0.0,), 500.0, True, "open"),
        ((0.0, 400.0), 900.0, True, "open"),
        ((0.0, 1016.0), 1500.0, True, ("connect_timeout", 2)),
        ((0.0, 1016.0), 1500.0, False, "open"),
        ((0.0, 1000.0, 3000.0, 7000.0), 10_000.0, False, ("connect_timeout", 4)),
        ((0.0,), 10_000.0, False, ("connect_timeout", 1)),
    ],
)
def test_syns_without_an_answer(
    syns: tuple[float, ...], judged_ms: float, ended: bool, expected: tuple[str, int] | str
) -> None:
    """Only the deadline, or an unanswered repetition 1 s later at the end of the capture, proves a timeout."""
    points = tuple(at(number, ms) for number, ms in enumerate(syns, 1))
    made = connecting(*points, judged_ms=judged_ms, capture_ended=ended)
    assert said(made) == expected


def test_timeout_at_the_end_of_the_capture_is_low() -> None:
    """A timeout that only the end of the capture proves has low confidence, a caveat, and cites every SYN."""
    word = verdict(connecting(at(1), at(7, 1016.0), judged_ms=1500.0, capture_ended=True))
    assert (word.confidence, word.at_fault) == ("low", "unknown")
    assert [seen.frame for seen in word.evidence] == [1, 7]
    assert word.caveats


def test_client_error_proves_a_timeout() -> None:
    """An error to the client ends the wait for the SYN's answer before the deadline."""
    made = connecting(at(1), at(2, 1000.0), judged_ms=2100.0, client=client(status=504, ms=2001.0))
    word = verdict(made)
    assert said(made) == ("connect_timeout", 2)
    assert word.confidence == "high"
    assert word.finding is not None
    assert word.finding.until is not None
    assert word.finding.until.seconds == pytest.approx(2.001)


def test_attempt_elsewhere_proves_a_timeout() -> None:
    """A further attempt for the same client request ends the wait."""
    made = connecting(at(1), judged_ms=2100.0, next_attempt=at(9, 2000.0))
    assert said(made) == ("connect_timeout", 1)


def test_answered_neighbour_puts_a_timeout_on_the_upstream() -> None:
    """When other connections to the endpoint were answered, the upstream is at fault for a timeout."""
    made = connecting(at(1), judged_ms=10_000.0, neighbour_answered=at(30, 100.0))
    assert verdict(made).at_fault == "upstream"


def test_late_answer_is_a_slow_connect() -> None:
    """A SYN that is answered late did not fail."""
    shake = Handshake(syns=(at(1), at(2, 1000.0), at(3, 3000.0)), syn_acks=(at(4, 12_000.0),))
    assert said(connecting(handshake=shake, judged_ms=12_000.0)) == "healthy"


def test_no_timeout_from_one_direction() -> None:
    """A capture of the gateway's direction alone proves no timeout."""
    assert said(connecting(at(1), judged_ms=60_000.0, one_sided="gateway")) == "open"


def test_no_timeout_when_the_handshake_went_on() -> None:
    """An ACK of the opener shows that a SYN-ACK came, though the capture lacks it."""
    made = connecting(handshake=Handshake(syns=(at(1),), ack=at(3, 0.3)), judged_ms=60_000.0)
    assert said(made) == "healthy"


def test_clock_step_starts_the_wait_anew() -> None:
    """A jump of the clock does not make a SYN ten seconds older."""
    made = connecting(at(1), judged_ms=11_000.0, clock_step=at(2, 9000.0))
    assert said(made) == "open"


def test_icmp_error_for_the_syn() -> None:
    """An ICMP error that quotes the SYN is connect_unreachable, its sender named, at fault the network."""
    made = connecting(handshake=Handshake(syns=(at(1),), unreachable=unreachable()), judged_ms=60_000.0)
    word = verdict(made)
    assert said(made) == ("connect_unreachable", 5)
    assert word.at_fault == "network"
    assert word.finding is not None
    assert word.finding.sender == "10.0.0.254"


def test_the_gateways_own_icmp_error() -> None:
    """An error of the gateway's own host is the gateway's fault."""
    shake = Handshake(syns=(at(1),), unreachable=unreachable(from_gateway=True))
    assert verdict(connecting(handshake=shake)).at_fault == "gateway"


def test_icmp_error_for_something_else() -> None:
    """An ICMP error that quotes no SYN of this attempt proves nothing."""
    shake = Handshake(syns=(at(1),), unreachable=unreachable(quoted_syn=False))
    assert said(connecting(handshake=shake)) == "open"


def test_icmp_error_and_an_answer() -> None:
    """A SYN-ACK makes an earlier ICMP error harmless."""
    shake = Handshake(syns=(at(1),), unreachable=unreachable(), syn_acks=(at(6, 3.0),))
    assert said(connecting(handshake=shake)) == "healthy"


def test_nobody_answers_arp() -> None:
    """An address that nobody answers for, with no SYN, is connect_unreachable at the last request for it."""
    shake = Handshake(unreachable=unreachable(quoted_syn=False, text="no ARP reply", sender=""))
    assert said(connecting(handshake=shake)) == ("connect_unreachable", 5)


def test_gateway_gives_up_before_the_syn_ack() -> None:
    """A FIN or RST of the gateway before any SYN-ACK is gateway_abort."""
    assert said(connecting(at(1), gateway_rst=rst(2, 300.0))) == ("gateway_abort", 2)


def test_syn_ack_that_came_too_late_for_the_gateway() -> None:
    """A gateway that closed before the SYN-ACK came gave up on the connection all the same."""
    shake = Handshake(syns=(at(1),), syn_acks=(at(3, 301.0),))
    assert said(connecting(handshake=shake, gateway_fin=rst(2, 300.0))) == ("gateway_abort", 2)


def test_deadline_before_the_gateways_close() -> None:
    """A gateway that closes long after the connect deadline had a timeout, not a whim."""
    made = connecting(at(1), at(2, 1000.0), judged_ms=20_000.0, gateway_rst=rst(3, 15_000.0))
    assert said(made) == ("connect_timeout", 2)


def test_gateway_closes_after_the_syn_ack() -> None:
    """A connection that the gateway opens and closes without a word did not fail."""
    assert said(connecting(handshake=shaken(), gateway_rst=rst(4, 1.0))) == "healthy"
