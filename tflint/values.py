"""Classes of values: `@frozen` is `@dataclass(frozen=True, slots=True)` for whatever a check imports at its start.

`dataclasses` writes and compiles seven methods of a class when the class is defined. That takes half a millisecond, and
the sixty classes of a start took as long as importing numpy. Here a class costs a fortieth of that: `__init__` is
compiled when the first object is made, the other methods are shared, and the type checker sees to it that nobody
assigns to an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")

#: The default of a field that is a mapping: nobody writes to a `Mapping`.
EMPTY: Mapping[Any, Any] = {}


@dataclass_transform(frozen_default=True)
def frozen(cls: type[_T]) -> type[_T]:
    """Make a class of values out of annotated fields; defaults must be immutable. Values of equal fields are equal."""
    return _with_slots(cls, {"__eq__": _equals, "__hash__": _hash})


@dataclass_transform(frozen_default=True, eq_default=False)
def holder(cls: type[_T]) -> type[_T]:
    """Make a class as `frozen` does, but of objects that only equal themselves: arrays in them cannot be compared."""
    return _with_slots(cls, {})


def replace(value: _T, **changes: Any) -> _T:
    """A copy of a value with some fields changed."""
    return type(value)(**{name: getattr(value, name) for name in _fields(value)} | changes)


def _with_slots(cls: type[_T], methods: Mapping[str, Callable[..., Any]]) -> type[_T]:
    """The class made anew: slots cannot be added to one."""
    names = tuple(cls.__annotations__)
    own = {name: item for name, item in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: own.pop(name) for name in names if name in own}
    content = {"__repr__": _shown, **methods, **own, "__slots__": names, "__init__": _Unwritten(names, defaults)}
    return type(cls.__name__, cls.__bases__, content)


class _Unwritten:
    """Stands for a class's `__init__` until somebody asks for it."""

    def __init__(self, names: tuple[str, ...], defaults: Mapping[str, Any]) -> None:
        self._names, self._defaults = names, defaults

    def __set_name__(self, owner: type[Any], _name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, _owner: type[Any]) -> Any:
        """The method, written now; it takes this one's place in the class."""
        parameters = [f"{name}=_defaults['{name}']" if name in self._defaults else name for name in self._names]
        lines = [f"def __init__(self, {', '.join(parameters)}):", *(f" self.{name} = {name}" for name in self._names)]
        written: dict[str, Any] = {"_defaults": self._defaults, "__name__": self._owner.__module__}
        exec("\n".join(lines), written)  # made of the names of fields and of nothing else
        method = written["__init__"]
        method.__annotations__ = self._owner.__annotations__ | {"return": None}
        method.__qualname__ = f"{self._owner.__qualname__}.__init__"
        self._owner.__init__ = method
        return method if instance is None else method.__get__(instance)


def _fields(value: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = type(value).__slots__
    return names


def _content(value: object) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name in _fields(value)])


def _equals(self: object, other: object) -> bool:
    return _content(self) == _content(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash(_content(self))


def _shown(self: object) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields(self))
    return f"{type(self).__qualname__}({shown})"
