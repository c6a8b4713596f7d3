"""Rows of segments: what stands in a row is the same however it is read."""

from __future__ import annotations

import pytest

from wire502.model.frames_cy import COLUMNS, Segments


def filled(rows: int) -> Segments:
    """Return segments with a different number in each place."""
    segments = Segments(rows)
    segments.count = rows
    for row in range(rows):
        for place, name in enumerate(COLUMNS):
            getattr(segments, name)[row] = row + 5 * place
    return segments


def test_a_row_says_what_its_columns_say() -> None:
    """Each field of a row that was asked for as a whole is the number in that column and row."""
    segments = filled(3)
    for row in range(3):
        one = segments.at(row)
        assert {name: getattr(one, name) for name in COLUMNS} == {
            name: getattr(segments, name)[row] for name in COLUMNS
        }
        assert [getattr(one, name) for name in COLUMNS] == [row + 5 * place for place in range(len(COLUMNS))]


def test_the_ends_of_a_segment() -> None:
    """Sender and receiver have the addresses of their columns and one half of the ports each."""
    segments = filled(2)
    segments.ports[1] = 41000 << 16 | 8080
    sender, receiver = segments.ends(1)
    assert sender == (segments.source_high[1], segments.source_low[1], 41000)
    assert receiver == (segments.target_high[1], segments.target_low[1], 8080)


@pytest.mark.parametrize("row", [-1, 2, 1 << 40])
def test_there_is_no_such_row(row: int) -> None:
    """A row that does not exist is an IndexError, never what happens to stand beside."""
    segments = filled(2)
    with pytest.raises(IndexError):
        segments.at(row)
    with pytest.raises(IndexError):
        segments.ends(row)
