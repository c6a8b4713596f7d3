"""Which product a gateway is, told by the error pages of its own that its clients got."""

from __future__ import annotations

from wire502.model import head_fields
from wire502.model.verdict import CONFIDENCES, ClientRef, Confidence, Failure, GatewayView

Address = tuple[int, int]
MOST = 1024  # gateways that are told apart


class Recognised:
    """The gateways of a capture, by the address at which their clients ask."""

    def __init__(self, named: str | None = None) -> None:
        self._named = named
        self._known: dict[Address, tuple[str, Confidence]] = {}

    def see(self, address: Address, status: int, head: bytes, page: bytes, relayed: bool) -> None:
        """Look at an error that a client got; of a *relayed* one neither header nor page are the gateway's."""
        if self._named is not None or relayed or len(self._known) >= MOST:
            return
        from wire502.gateways import recognise  # reads what a capture without such pages does not need

        server, via = head_fields.text_field(head, b"server", 128), head_fields.text_field(head, b"via", 128)
        found = recognise(status, server, via, page)
        if not found:
            return
        before = self._known.get(address)
        if before is None or CONFIDENCES.index(found[0][1]) > CONFIDENCES.index(before[1]):
            self._known[address] = found[0]

    def views(self, failure: Failure, client: ClientRef | None, address: Address | None) -> dict[str, GatewayView]:
        """Return what the gateway at *address* (None: the only one known) answers and logs for *failure*."""
        name = self._name(address)
        if name is None:
            return {}
        from wire502.diagnosis.dialect import views  # as above

        return views(failure, name, client)

    def _name(self, address: Address | None) -> str | None:
        if self._named is not None:
            return self._named
        known = self._known.get(address) if address is not None else None
        if known is None and len({name for name, _ in self._known.values()}) == 1:
            known = next(iter(self._known.values()))
        return None if known is None or known[1] == "low" else known[0]
