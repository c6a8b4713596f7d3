"""Whether a slice tells the same story as its source, and if not, in what it differs."""

from __future__ import annotations

from collections.abc import Iterable

from wire502.api import Failure, Incident
from wire502.evidence.cited import Place, Signature, causes_of, signature
from wire502.model.records import field, record

Verdict = Failure | Incident


@record()
class Difference:
    """*lost*: verdicts that are not found again; *new*: verdicts of the slice that the source does not have, with the
    frame of the source; *causes*: failures that are the same but for their causes, and the causes found in the slice.
    """

    lost: list[Verdict] = field(default_factory=list)
    new: list[tuple[Verdict, int]] = field(default_factory=list)
    causes: dict[str, list[str]] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return the first difference in words; "" when there is none but in causes."""
        if self.lost:
            return f"{self.lost[0].id} at frame {self.lost[0].frame} is not found again"
        if self.new:
            return f"a verdict at frame {self.new[0][1]} is new"
        return ""

    def __bool__(self) -> bool:
        return bool(self.lost or self.new or self.causes)


def compared(
    again: Iterable[Verdict], everything: Iterable[Verdict], chosen: Iterable[Verdict], source: dict[int, Place]
) -> Difference:
    """Return in what the verdicts *again*, of a slice with frames of *source*, differ from those of its source.

    Each *chosen* one has to be there, and none that is not in *everything*.
    """
    found: dict[Signature, list[str]] = {}
    made = Difference()
    known = {signature(one) for one in everything}
    for other in again:
        same = signature(other, source)
        found[same] = causes_of(other)
        if same not in known:
            made.new.append((other, source.get(other.frame, (0, 0))[1]))
    for one in chosen:
        causes = found.get(signature(one))
        if causes is None:
            made.lost.append(one)
        elif causes != causes_of(one):
            made.causes[one.id] = causes
    return made
