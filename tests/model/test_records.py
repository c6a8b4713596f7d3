"""Records against the dataclasses that they are to be like."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire502.model.records import Field, changed, default_of, field, field_types, metadata_of, record


class _Plain:
    """Something of each sort that a record may have."""

    kind: ClassVar[str] = "plain"
    number: int
    names: list[str] = field(default_factory=list)
    note: str | None = field(default=None, compare=False)
    secret: int = field(default=7, repr=False, metadata={"json": False})

    def doubled(self) -> int:
        """Twice its number."""
        return 2 * self.number


def _copied(decorate: Callable[[type], type]) -> Any:
    """Return a fresh class like ``_Plain``, decorated."""
    space = {key: value for key, value in vars(_Plain).items() if key not in ("__dict__", "__weakref__")}
    return decorate(type("_Plain", (), {**space, "__qualname__": "_Plain"}))


def _pair(*, frozen: bool) -> tuple[Any, Any]:
    return _copied(record(frozen=frozen)), _copied(
        lambda plain: dataclass(slots=True, frozen=frozen)(_described(plain))
    )


def _described(plain: type) -> type:
    """Return *plain* with its fields in the words of ``dataclasses``."""
    for name, one in list(vars(plain).items()):
        if isinstance(one, Field):
            setattr(plain, name, one.described())
    return plain


@record(frozen=True)
class Fixed:
    """At the top of a module, as pickle wants it."""

    number: int
    names: tuple[str, ...] = ()


@record()
class Open:
    """Likewise, to be changed."""

    number: int = 1


VALUES = st.tuples(st.integers(0, 2), st.lists(st.sampled_from("ab"), max_size=2), st.sampled_from([None, "x"]))


@pytest.mark.parametrize("frozen", [False, True])
@given(one=VALUES, other=VALUES)
def test_like_a_dataclass(frozen: bool, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    """A record prints, compares, hashes and is replaced as a dataclass of the same fields."""
    made, like = _pair(frozen=frozen)

    assert (made(*one) == made(*other)) is (like(*one) == like(*other))
    assert (made(*one) != made(*other)) is (like(*one) != like(*other))
    assert repr(made(*one)) == repr(like(*one))
    assert asdict(replace(made(*one), note="n")) == asdict(replace(like(*one), note="n"))
    fixed = (one[0], tuple(one[1]))
    outcomes = []
    for kind in (made, like):
        try:
            outcomes.append(hash(kind(*fixed)))
        except TypeError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("frozen", [False, True])
@given(one=VALUES, times=st.sampled_from([1, 2, 198, 199, 200, 201]))
def test_made_often(frozen: bool, one: tuple[Any, ...], times: int) -> None:
    """A record is the same and takes the same arguments, however often one of its sort was made before."""
    made, like = _pair(frozen=frozen)
    number, names, note = one
    for _ in range(times):
        made(number)
    for kind in (made, like):
        with pytest.raises(TypeError, match="multiple values for argument 'number'"):
            kind(number, number=1)
        with pytest.raises(TypeError, match="takes from 2 to 5 positional arguments but 6 were given"):
            kind(number, names, note, 7, 8)

    assert asdict(made(number, note=note, names=names)) == asdict(like(number, note=note, names=names))
    assert made(number, names, note, 7) == changed(made(number, secret=7), names=names, note=note)


def test_told_without_dataclasses() -> None:
    """What a record's fields are, by default and besides, can be asked without a dataclass being made of it."""
    made, _ = _pair(frozen=False)

    assert field_types(made) == {
        "number": "int",
        "names": "list[str]",
        "note": "str | None",
        "secret": "int",
    }
    assert (default_of(made, "secret"), default_of(made, "note")) == (7, None)
    assert (metadata_of(made, "secret"), metadata_of(made, "number")) == ({"json": False}, {})


@pytest.mark.parametrize("frozen", [False, True])
def test_described_like_a_dataclass(frozen: bool) -> None:
    """Fields, type hints, what can be matched and what takes no further attributes are those of a dataclass."""
    made, like = _pair(frozen=frozen)

    assert is_dataclass(made)
    for kind in (made, made(1)):
        assert [repr(one) for one in fields(kind)] == [repr(one) for one in fields(like)]
    assert get_type_hints(made) == get_type_hints(like)
    assert made.__match_args__ == like.__match_args__
    assert made.__slots__ == like.__slots__
    assert made.__doc__ == like.__doc__
    assert (made.kind, made(4).doubled()) == ("plain", 8)
    with pytest.raises((AttributeError, FrozenInstanceError)):
        made(1).unknown = 2


def test_refuses_what_a_dataclass_refuses() -> None:
    """Missing and unknown arguments are refused in the words of a dataclass, the first time and later."""
    made, like = _pair(frozen=False)
    for arguments in ({}, {"number": 1, "unknown": 2}, {}):
        told = []
        for kind in (made, like):
            with pytest.raises(TypeError) as error:
                kind(**arguments)
            told.append(str(error.value))
        assert told[0] == told[1]


def test_refuses_descriptions_by_dataclasses() -> None:
    """A field that dataclasses describes would be taken for a default, so it is refused where the class is defined."""

    class Mixed:
        names: "list[str]" = dataclasses.field(default_factory=list)  # noqa: UP037

    with pytest.raises(TypeError, match="Mixed: its fields are to be described"):
        record()(Mixed)


def test_defaults_are_not_shared() -> None:
    """Each record has a list of its own."""
    made, _ = _pair(frozen=False)
    one, other = made(1), made(1)
    one.names.append("x")
    assert other.names == []


def test_frozen() -> None:
    """The fields of a frozen record can be neither assigned nor deleted."""
    one = Fixed(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'number'"):
        one.number = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'number'"):
        del one.number
    assert one == Fixed(1)


@pytest.mark.parametrize("one", [Fixed(3, ("a",)), Open(4)])
def test_copies(one: Fixed | Open) -> None:
    """Copied or pickled, a record equals itself."""
    assert one == copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one))
    assert one is not copy.copy(one)


def test_identity() -> None:
    """Without equality of its own a record equals itself alone, and has a hash."""
    made = _copied(record(eq=False))
    one = made(1)
    assert one != made(1)
    assert {one: 1}[one] == 1


def test_derived() -> None:
    """A class may derive from a record before and after that is used, by itself or as a dataclass."""
    made = _copied(record())

    class Named(made):  # type: ignore[misc]
        def __init__(self, number: int) -> None:
            super().__init__(number, note="named")

    @dataclass
    class More(made):  # type: ignore[misc]
        more: int = 5

    assert [(one.number, one.note) for one in (Named(1), Named(2))] == [(1, "named"), (2, "named")]
    assert (More(1, more=6).more, More(1).secret) == (6, 7)
    assert made(3).note is None
