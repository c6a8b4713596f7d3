"""What the capture did not see, and what may therefore not be claimed.

A kind that says "not one octet came" or "it never ended" rests on absence. Each function here answers whether the
capture could have missed the very thing whose absence is claimed; where it could, nobody is accused.
"""

from __future__ import annotations

from wire502.model.attempt import Attempt, Closing, Request, Response

# Methods whose requests have no body: the end of what was sent is the end of the request (RFC 9110 section 9.3).
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})


def sent_whole(request: Request) -> bool:
    """Whether the gateway sent all of *request*; one whose head was cut by the capture is judged by its method."""
    return request.whole or (request.cut and request.method in BODILESS)


def finished(response: Response | None) -> bool:
    """Whether the final response came to its end (RFC 9112 section 6.3)."""
    if response is None:
        return False
    if response.complete:
        return True
    if response.head_end is None:
        return False
    if response.framing in ("none", "tunnel"):
        return True
    expected = response.expected_body_bytes
    return response.framing == "length" and expected is not None and response.body_bytes >= expected


def seen_end(attempt: Attempt) -> int | None:
    """Return the offset up to which the response was seen; None when it is not known where it would begin."""
    response = attempt.response
    if response is None:
        return attempt.response_from
    return response.start + response.head_bytes + response.body_bytes


def sent_end(attempt: Attempt, closing: Closing | None = None) -> int | None:
    """Return the offset that the upstream must have reached: by octets seen, by its *closing*, by the gateway's ACK."""
    known = [end for end in (seen_end(attempt),) if end is not None]
    if closing is not None and closing.offset is not None:
        known.append(closing.offset)
    if attempt.gateway_acked is not None:
        # the ACK of a FIN counts one more than there are octets
        known.append(attempt.gateway_acked - (1 if attempt.upstream_fin is not None else 0))
    return max(known) if known else None


def lost_on_wire(attempt: Attempt) -> bool:
    """Whether octets of the response were lost on their way and never came again."""
    end = seen_end(attempt) or 0
    return any(gap.label == "wire" and not gap.from_gateway and gap.offset + gap.octets > end for gap in attempt.gaps)


def _unseen(attempt: Attempt) -> bool:
    """Whether the capture lacks octets of the response direction that the gateway may have got."""
    return any(gap.label != "wire" and not gap.from_gateway for gap in attempt.gaps)


def _beyond(attempt: Attempt, closing: Closing | None) -> bool:
    """Whether the upstream must have sent more than was seen, while nothing says that the wire lost it."""
    seen, sent = seen_end(attempt), sent_end(attempt, closing)
    return seen is not None and sent is not None and sent > seen and not lost_on_wire(attempt)


def blind(attempt: Attempt, closing: Closing | None = None) -> str | None:
    """Return why the capture cannot tell how far this attempt came; None when it can.

    *closing* is the upstream's FIN or RST that is about to be blamed: its sequence number may prove that octets
    are missing, or that the response is short in spite of a hole.
    """
    if attempt.evicted:
        return "the connection was dropped from memory under load before it ended"
    if attempt.one_sided == "gateway":
        return "the upstream's direction is not in the capture"
    request = attempt.request
    if request is None and attempt.response is not None and attempt.response.body_bytes == 0:
        return "the request is not in the capture, so the response may be one to HEAD"
    if request is not None and not sent_whole(request) and request.cut:
        return "parts of the request are not in the capture"
    if closing is not None and _acks_unseen(attempt, closing):
        return "the upstream acknowledged what is not in the capture, perhaps the gateway's own FIN"
    if attempt.response is None and (attempt.excess or attempt.foreign_answer is not None):
        return "octets that came before the request may belong to requests that are not in the capture"
    if misplaced(attempt, closing):
        return "the capture lacks octets between the request and what would be its response"
    return _blind_to_response(attempt, closing)


def misplaced(attempt: Attempt, closing: Closing | None = None) -> bool:
    """Whether a response cannot begin where one was found, or octets came after the request that belong to nothing.

    A request acknowledges all that came before it, so its response begins right there, unless the capture lost a part
    or paired a response with the wrong request.
    """
    begin, response = attempt.request_acks, attempt.response
    if begin is None or attempt.interim or attempt.upgraded:
        return False
    if response is not None:
        return response.start > begin
    sent = sent_end(attempt, closing)
    return sent is not None and sent > begin and not lost_on_wire(attempt)


def unframed(attempt: Attempt, offset: int) -> bool:
    """Whether framing octets of the response before *offset* are not in the capture: what stands there is a guess."""
    response = attempt.response
    begin = 0 if response is None else response.start
    return any(
        gap.in_head and gap.label != "wire" and not gap.from_gateway and begin <= gap.offset < offset
        for gap in attempt.gaps
    )


def _acks_unseen(attempt: Attempt, closing: Closing) -> bool:
    """Whether *closing* acknowledges more than the gateway was seen to send: octets, or a FIN of its own."""
    request = attempt.request
    if request is None or closing.acks is None or attempt.next_request is not None or attempt.gateway_fin is not None:
        return False
    return closing.acks > max(request.end, attempt.gateway_sent)


def _blind_to_response(attempt: Attempt, closing: Closing | None) -> str | None:
    response = attempt.response
    if response is None:
        if attempt.one_sided is not None:
            return "only the upstream's direction is in the capture"
        if _unseen(attempt) or _beyond(attempt, closing):
            return "the capture lacks octets of the upstream, which may be its response"
        return None
    if response.head_end is not None and response.framing == "length" and response.expected_body_bytes is not None:
        end = response.start + response.head_bytes + response.expected_body_bytes
        sent = sent_end(attempt, closing)
        if sent is not None and sent >= end and not lost_on_wire(attempt):
            return "the rest of the response was sent, but is not in the capture"
        positioned = attempt.gateway_acked is not None or (closing is not None and closing.offset is not None)
        return "the capture lacks octets of the body" if _unseen(attempt) and not positioned else None
    if response.head_end is not None and response.framing == "close" and not response.cut:
        return None  # only a FIN could have ended it
    in_framing = any(gap.in_head and gap.label != "wire" and not gap.from_gateway for gap in attempt.gaps)
    if response.cut or in_framing or response.framing == "unknown":
        return "the capture lacks octets of the response's head or chunk framing"
    if _beyond(attempt, closing) or (response.head_end is None and _unseen(attempt)):
        return "the capture lacks octets of the response"
    return None
