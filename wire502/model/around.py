"""What else happened around an attempt, as the causes are told of it: plain records, filled by ``exchange``."""

# no annotations in strings: typing would compile each of a named tuple's, which takes a tenth of a start
from typing import NamedTuple

from wire502.model.attempt import Point
from wire502.model.records import record


class Ending(NamedTuple):
    """How the upstream endpoint ended one connection: its first FIN or RST."""

    point: Point
    stream: int
    how: str  # "fin", "rst"
    busy: bool  # something was open on it
    fresh: bool  # no request had been read on it
    waited_ns: int  # since the request that was open, else since the last octets of the upstream (fresh: handshake)
    open_before: int  # connections to the endpoint that were open, this one included
    exchanges: int  # that had begun on it


class FirstBytes(NamedTuple):
    """First-byte times of the responses that began within one second."""

    since_ns: int
    number: int
    mean_ns: int
    most_ns: int


class Outage(NamedTuple):
    """A time in which an endpoint gave no good response: from its first failure to the next good one, if there was."""

    begin: Point
    end: Point | None
    failures: int


class Refusals(NamedTuple):
    """The latest run of refused connects without a SYN-ACK between them; ``well``: the SYN-ACK that ended it."""

    since: Point
    last: Point
    number: int
    well: Point | None


class Failed(NamedTuple):
    """Another failed attempt of the capture."""

    kind: str
    gateway: str  # address, without the port
    upstream: str  # endpoint
    stream: int
    point: Point
    waited_ns: int  # from the request's last octet (no request: the first SYN) to what ended it
    opened: int  # connections to that endpoint that were open then
    tenant: int | None = None  # VLAN or virtual network, where several have the upstream's address


@record()
class Endpoint:
    """One upstream endpoint over the capture, as far as it was read."""

    name: str
    connections: int = 0
    answers: int = 0  # SYN-ACKs
    exchanges: int = 0  # complete ones
    first_answer: Point | None = None
    last_answer: Point | None = None
    heard: Point | None = None  # the last response that began, of those that were complete
    open_now: int = 0
    open_most: int = 0
    ttl: int = 0  # of its last SYN-ACK; 0: none seen
    dont_fragment: bool = False
    ip_id: int = -1
    reuse_ns: int = 0  # the longest idle time after which the gateway used a connection to it again
    reuse: Point | None = None
    kept_ns: int = 0  # the longest idle time after which the gateway itself closed a connection to it
    kept: Point | None = None
    refusals: Refusals | None = None
    largest_acked: int = 0  # largest segment of the gateway that it acknowledged
    largest_got: int = 0  # largest segment that came from it
