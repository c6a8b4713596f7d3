"""``record``: a dataclass with slots, whose methods are written when they are first called.

``dataclasses`` writes and compiles source for every method of a class when the class is defined. For the records that
`read` needs that took a quarter of its start, and a run calls the ``__init__`` of some of them and hardly anything
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

from wire502.model.filling_cy import fill

if TYPE_CHECKING:
    import dataclasses

_T = TypeVar("_T")
_MISSING: Any = object()
_SELDOM = 200  # records of a kind that are made before it pays to write what makes them


class Field:
    """What ``field`` returns: what ``dataclasses.field`` is to be told if it is ever asked."""

    __slots__ = ("default", "default_factory", "options")

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.default = options.get("default", _MISSING)
        self.default_factory = options.get("default_factory", _MISSING)

    def described(self) -> dataclasses.Field[Any]:
        """Return the same as ``dataclasses`` writes it."""
        from dataclasses import field as describe

        made: dataclasses.Field[Any] = describe(**self.options)
        return made


def field(**options: Any) -> Any:
    """Describe a field of a record: ``default``, ``default_factory``, ``compare``, ... as ``dataclasses.field``."""
    return Field(options)


@dataclass_transform(field_specifiers=(field,))
def record(*, frozen: bool = False, eq: bool = True) -> Callable[[type[_T]], type[_T]]:
    """Return a decorator for what ``dataclass(slots=True, frozen=frozen, eq=eq)`` makes.

    The class derives from no other, and all of its fields are arguments of its ``__init__``.
    """

    def decorate(plain: type[_T]) -> type[_T]:
        given = dict(vars(plain))
        fields = {name: text for name, text in plain.__annotations__.items() if "ClassVar" not in str(text)}
        names = tuple(fields)
        defaults = {name: given.pop(name) for name in names if name in given}
        if any(type(one).__module__ == "dataclasses" for one in defaults.values()):
            raise TypeError(f"{plain.__name__}: its fields are to be described with records.field")
        del given["__dict__"], given["__weakref__"]
        space: dict[str, Any] = {
            "__slots__": names,
            "__qualname__": plain.__qualname__,
            "__match_args__": names,
            "__dataclass_fields__": _Described(),
            "__dataclass_params__": _Described(),
            "__init__": _init,
            "__repr__": _repr,
            "__replace__": changed,
            "__unwritten__": _Unwritten(plain, fields, defaults, frozen=frozen),
        }
        if eq:
            space |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
        if frozen:
            space |= {"__setattr__": _set, "__delattr__": _delete, "__getstate__": _state, "__setstate__": _restore}
        return type(plain.__name__, (), space | given)

    return decorate


def changed(self: _T, /, **changes: Any) -> _T:
    """Return a copy of a record with *changes*, as ``dataclasses.replace`` does, which takes long to load."""
    for name in self.__slots__:  # type: ignore[attr-defined]
        if name not in changes:
            changes[name] = getattr(self, name)
    return type(self)(**changes)


def field_types(kind: type) -> dict[str, str]:
    """Return the fields of a record, name to type as its source says it, in order."""
    found: dict[str, str] = _owner(kind).__unwritten__.fields
    return found


def default_of(kind: type, name: str) -> Any:
    """Return the default of a record's field."""
    default = _owner(kind).__unwritten__.defaults[name]
    return default.default if isinstance(default, Field) else default


def metadata_of(kind: type, name: str) -> Mapping[str, Any]:
    """Return what a record says about one of its fields besides."""
    default = _owner(kind).__unwritten__.defaults.get(name)
    metadata: Mapping[str, Any] = default.options.get("metadata", {}) if isinstance(default, Field) else {}
    return metadata


class _Unwritten:
    """What the methods of a record are written from when they are."""

    __slots__ = ("compared", "defaults", "factories", "fields", "frozen", "made", "names", "plain", "usual")

    def __init__(self, plain: type, fields: dict[str, str], defaults: dict[str, Any], *, frozen: bool) -> None:
        self.plain = plain
        self.fields = fields
        self.defaults = defaults
        self.frozen = frozen
        self.names = tuple(fields)
        self.usual: tuple[Any, ...] = ()
        self.factories: tuple[Any, ...] = ()
        self.made = 0
        self.compared: Callable[[Any], Any] | None = None

    def complete(self) -> None:
        """Set ``usual`` and ``factories``: what ``fill`` takes for each of ``names``."""
        given = [self.defaults.get(name, _MISSING) for name in self.names]
        self.usual = tuple(one.default if isinstance(one, Field) else one for one in given)
        made = [one.default_factory if isinstance(one, Field) else _MISSING for one in given]
        self.factories = tuple(None if one is _MISSING else one for one in made)

    def space(self) -> dict[str, Any]:
        """Return the body of a class that ``dataclasses`` can make something of."""
        return {
            **{name: one.described() if isinstance(one, Field) else one for name, one in self.defaults.items()},
            "__annotations__": self.fields,
            "__module__": self.plain.__module__,
            "__qualname__": self.plain.__qualname__,
            "__doc__": self.plain.__doc__ or self.plain.__name__,  # or dataclasses would write one
        }


def _owner(cls: type) -> Any:
    """Return the record that *cls* is, or is based on."""
    return next(one for one in cls.__mro__ if "__unwritten__" in vars(one))


def _constructor(owner: Any) -> Callable[..., None]:
    """Write the ``__init__`` of a record, in a third of the time that ``dataclasses`` takes for all that it may hold.

    The source holds names of fields of our own and nothing else; defaults come in beside it.
    """
    unwritten: _Unwritten = owner.__unwritten__
    scope: dict[str, Any] = {"MISSING": _MISSING}
    given, steps = ["self"], []
    for name in unwritten.fields:
        default = unwritten.defaults.get(name, _MISSING)
        if isinstance(default, Field) and default.default_factory is not _MISSING:
            scope[f"make_{name}"] = default.default_factory
            given.append(f"{name}=MISSING")
            steps.append(f"if {name} is MISSING: {name} = make_{name}()")
        else:
            if isinstance(default, Field):
                default = default.default
            scope[f"default_{name}"] = default
            given.append(name if default is _MISSING else f"{name}=default_{name}")
        if unwritten.frozen:  # past __setattr__
            scope[f"set_{name}"] = vars(owner)[name].__set__
        steps.append(f"set_{name}(self, {name})" if unwritten.frozen else f"self.{name} = {name}")
    exec(f"def __init__({', '.join(given)}):\n  " + "\n  ".join(steps or ["pass"]), scope)  # noqa: S102 - see above
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{owner.__qualname__}.__init__"
    made.__module__ = owner.__module__
    return made


def _write(cls: type, *names: str, **wanted: bool) -> Any:
    """Let ``dataclasses`` write what is *wanted* for the record *cls*, or is based on, and take *names* of it.

    Returns that record.
    """
    from dataclasses import dataclass

    owner = _owner(cls)
    unwritten: _Unwritten = owner.__unwritten__
    options = {"init": False, "repr": False, "eq": False, "match_args": False, "frozen": unwritten.frozen} | wanted
    twin: type = dataclass(**options)(type(owner.__name__, (), unwritten.space()))
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
    one: _Unwritten = self.__unwritten__
    one.made += 1
    if one.made == 1:
        one.complete()
    if one.made < _SELDOM and fill(self, one.names, one.usual, one.factories, _MISSING, values, named, one.frozen):
        return
    owner: Any = _owner(type(self))
    owner.__init__ = _constructor(owner)
    owner.__init__(self, *values, **named)


def _repr(self: Any) -> Any:
    return _write(type(self), "__repr__", repr=True).__repr__(self)


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    unwritten: _Unwritten = _owner(type(self)).__unwritten__
    if unwritten.compared is None:
        chosen = [
            name
            for name in unwritten.fields
            if not isinstance(one := unwritten.defaults.get(name), Field) or one.options.get("compare", True)
        ]
        unwritten.compared = attrgetter(*chosen) if chosen else type
    return unwritten.compared(self) == unwritten.compared(other)


def _hash(self: Any) -> Any:
    return _write(type(self), "__hash__", eq=True).__hash__(self)


# The methods of frozen records, the same for all of them.


def _set(_self: Any, name: str, _value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: Any, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)
