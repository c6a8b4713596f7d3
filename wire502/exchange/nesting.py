"""Which spans can only lie in which other ones: like attempts inside like requests, told apart by their times alone."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 12  # spans of each kind that are compared: more alike are not told apart

Span = tuple[int, int | None]  # begin and end in nanoseconds; the end may not be known


def only_pairs(outer: Sequence[Span], inner: Sequence[Span], early_ns: int, late_ns: int) -> list[int | None]:
    """Return for each of *inner* the index of the one of *outer* that it lies in, None where there are several.

    Every inner span lies in one outer span of its own; it may begin *early_ns* before that and end *late_ns* after it.
    A pair counts as the only one when all ways to place all spans hold it. Without any way nothing is said.
    """
    if len(outer) != len(inner) or len(inner) > MOST:
        return [None] * len(inner)
    fits = [[_lies(one, other, early_ns, late_ns) for other in outer] for one in inner]
    placed = _place(fits)
    if placed is None:
        return [None] * len(inner)
    found: list[int | None] = []
    for one, other in enumerate(placed):
        fits[one][other] = False
        found.append(other if _place(fits) is None else None)
        fits[one][other] = True
    return found


def _lies(one: Span, other: Span, early_ns: int, late_ns: int) -> bool:
    if one[0] < other[0] - early_ns or (other[1] is not None and one[0] > other[1] + early_ns):
        return False
    return one[1] is None or other[1] is None or one[1] <= other[1] + late_ns


def _place(fits: Sequence[Sequence[bool]]) -> list[int] | None:
    """Return a place of its own for each row (a perfect matching by augmenting paths), None if there is no way."""
    holder: dict[int, int] = {}

    def settle(row: int, tried: set[int]) -> bool:
        for place, fit in enumerate(fits[row]):
            if fit and place not in tried:
                tried.add(place)
                if place not in holder or settle(holder[place], tried):
                    holder[place] = row
                    return True
        return False

    if not all(settle(row, set()) for row in range(len(fits))):
        return None
    placed = [0] * len(fits)
    for place, row in holder.items():
        placed[row] = place
    return placed
