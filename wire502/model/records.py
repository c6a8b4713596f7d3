"""``record``: a dataclass with slots, whose methods are written when they are first called.

``dataclasses`` writes and compiles source for every method of a class when the class is defined. For the records that
`read` needs that took a quarter of its start, and a run calls the ``__init__`` of some of them and hardly anything
else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, replace
from typing import Any, NoReturn, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(field_specifiers=(field,))
def record(*, frozen: bool = False, eq: bool = True) -> Callable[[type[_T]], type[_T]]:
    """Return a decorator for what ``dataclass(slots=True, frozen=frozen, eq=eq)`` makes.

    The annotations of the class are strings (``from __future__ import annotations``), it derives from no other, and
    all of its fields are arguments of its ``__init__``.
    """

    def decorate(plain: type[_T]) -> type[_T]:
        given = dict(vars(plain))
        fields = {name: text for name, text in plain.__annotations__.items() if "ClassVar" not in text}
        names = tuple(fields)
        defaults = {name: given.pop(name) for name in names if name in given}
        del given["__dict__"], given["__weakref__"]
        space: dict[str, Any] = {
            "__slots__": names,
            "__qualname__": plain.__qualname__,
            "__match_args__": names,
            "__dataclass_fields__": _Described(),
            "__dataclass_params__": _Described(),
            "__init__": _init,
            "__repr__": _repr,
            "__replace__": _replace,
            "__unwritten__": (
                defaults
                | {"__annotations__": fields, "__module__": plain.__module__, "__qualname__": plain.__qualname__}
                | {"__doc__": plain.__doc__ or plain.__name__},  # or dataclasses would write one
                frozen,
            ),
        }
        if eq:
            space |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
        if frozen:
            space |= {"__setattr__": _set, "__delattr__": _delete, "__getstate__": _state, "__setstate__": _restore}
        return type(plain.__name__, (), space | given)

    return decorate


def _owner(cls: type) -> Any:
    """Return the record that *cls* is, or is based on."""
    return next(one for one in cls.__mro__ if "__unwritten__" in vars(one))


def _constructor(owner: Any) -> Callable[..., None]:
    """Write the ``__init__`` of a record, in a third of the time that ``dataclasses`` takes for all that it may hold.

    The source holds names of fields of our own and nothing else; defaults come in beside it.
    """
    space, frozen = owner.__unwritten__
    scope: dict[str, Any] = {"MISSING": MISSING}
    given, steps = ["self"], []
    for name in owner.__slots__:
        default = space.get(name, MISSING)
        if isinstance(default, Field) and default.default_factory is not MISSING:
            scope[f"make_{name}"] = default.default_factory
            given.append(f"{name}=MISSING")
            steps.append(f"if {name} is MISSING: {name} = make_{name}()")
        else:
            if isinstance(default, Field):
                default = default.default
            scope[f"default_{name}"] = default
            given.append(name if default is MISSING else f"{name}=default_{name}")
        if frozen:  # past __setattr__
            scope[f"set_{name}"] = vars(owner)[name].__set__
        steps.append(f"set_{name}(self, {name})" if frozen else f"self.{name} = {name}")
    exec(f"def __init__({', '.join(given)}):\n  " + "\n  ".join(steps or ["pass"]), scope)  # noqa: S102 - see above
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{owner.__qualname__}.__init__"
    made.__module__ = owner.__module__
    return made


def _write(cls: type, *names: str, **wanted: bool) -> Any:
    """Let ``dataclasses`` write what is *wanted* for the record *cls*, or is based on, and take *names* of it.

    Returns that record.
    """
    owner = _owner(cls)
    space, frozen = owner.__unwritten__
    options = {"init": False, "repr": False, "eq": False, "match_args": False, "frozen": frozen} | wanted
    twin: type = dataclass(**options)(type(owner.__name__, (), dict(space)))
    for name in names:
        setattr(owner, name, vars(twin)[name])
    return owner


class _Described:
    """What ``dataclasses`` asks a class for, be it for ``fields``, ``replace`` or a class derived from it."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, _instance: object, cls: type) -> Any:
        return getattr(_write(cls, "__dataclass_fields__", "__dataclass_params__"), self._name)


# The methods that a record has until they are first called.


def _init(self: Any, /, *values: Any, **named: Any) -> None:
    owner: Any = _owner(type(self))
    owner.__init__ = _constructor(owner)
    owner.__init__(self, *values, **named)


def _repr(self: Any) -> Any:
    return _write(type(self), "__repr__", repr=True).__repr__(self)


def _eq(self: Any, other: object) -> Any:
    return _write(type(self), "__eq__", eq=True).__eq__(self, other)


def _hash(self: Any) -> Any:
    return _write(type(self), "__hash__", eq=True).__hash__(self)


def _replace(self: _T, /, **changes: Any) -> _T:
    return replace(self, **changes)  # type: ignore[type-var]


# The methods of frozen records, the same for all of them.


def _set(_self: Any, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)
