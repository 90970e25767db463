"""Frozen value classes that are fast to define: `@frozen` acts like `@dataclass(frozen=True, slots=True)`.

`dataclasses` compiles seven methods per class and takes half a millisecond per method. The sixty classes of a start
took as long as importing numpy. Here, a class takes a fortieth of that time: its `__init__` is compiled only if it has
many objects, and all classes share the other methods. Assigning to a field raises `FrozenError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

_T = TypeVar("_T")


class FrozenError(AttributeError):
    """A field of a frozen value was assigned or deleted."""


class _EmptyMapping(dict[Any, Any]):
    """A dict that stays empty, so that all frozen values can share it as the default of a field."""

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise TypeError("the default mapping of frozen values cannot be changed")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> str:
        return "EMPTY"  # copying or unpickling returns the shared object


#: The default for fields that are mappings.
EMPTY: dict[Any, Any] = _EmptyMapping()


@overload
def frozen(cls: type[_T]) -> type[_T]: ...


@overload
def frozen(*, eq: bool) -> Callable[[type[_T]], type[_T]]: ...


@dataclass_transform(frozen_default=True)
def frozen(cls: type[_T] | None = None, *, eq: bool = True) -> Any:
    """Build an immutable value class from annotated fields; defaults must be immutable.

    Values with equal fields are equal and have the same hash. With `eq=False`, an object equals only itself. Use this
    for classes with fields that cannot be compared, such as numpy arrays.
    """
    if cls is None:
        return lambda decorated: _build_class(decorated, eq=eq)
    return _build_class(cls, eq=eq)


def replace(value: _T, **changes: Any) -> _T:
    """Return a copy of a frozen value with some fields changed."""
    reduced: Any = value.__reduce__()  # as for pickling: a derived class may return its base
    cls, content = reduced
    result: _T = cls(**dict(zip(_fields(value), content, strict=True)) | changes)
    return result


def _build_class(cls: type[_T], *, eq: bool) -> type[_T]:
    """Create the class anew, since slots cannot be added to an existing one."""
    own_names = tuple(cls.__annotations__)
    own = {name: item for name, item in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: own.pop(name) for name in own_names if name in own}
    inherited = {} if cls.__base__ is object else vars(cls.__base__).get("_defaults", {})
    names = (*getattr(cls.__base__, "__match_args__", ()), *own_names)
    init = _LazyInit(names, inherited | defaults)
    content = {
        **_SHARED_METHODS,
        **(_EQUALITY if eq else {}),
        **own,
        "__slots__": own_names,
        "__match_args__": names,
        "_defaults": inherited | defaults,
        "__init__": init,
    }
    return type(cls.__name__, cls.__bases__, content)


#: Objects of a class that are created before its `__init__` is compiled, which takes as long as creating 30 objects.
_FEW_OBJECTS = 16


class _LazyInit:
    """Placeholder for a class's `__init__`: assigns the fields of few objects, then compiles and replaces itself."""

    def __init__(self, names: tuple[str, ...], defaults: dict[str, Any]) -> None:
        self._names, self._defaults = names, defaults
        self._n_objects = 0

    def __set_name__(self, owner: type[Any], _name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, _owner: type[Any]) -> Any:
        self._n_objects += 1
        if instance is not None and self._n_objects <= _FEW_OBJECTS:
            return lambda *values, **named: self._assign(instance, values, named)
        method = self._compile()
        return method if instance is None else method.__get__(instance)

    def _assign(self, instance: object, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Assign the fields of an object. For wrong arguments, the compiled `__init__` raises the error."""
        given = {**dict(zip(self._names, values, strict=False)), **named}
        fields = self._defaults | given
        if len(given) < len(values) + len(named) or fields.keys() != set(self._names):
            self._compile()(instance, *values, **named)
        for name in self._names:
            object.__setattr__(instance, name, fields[name])

    def _compile(self) -> Any:
        parameters = [f"{name}=_defaults['{name}']" if name in self._defaults else name for name in self._names]
        body = "\n".join(f" _set_{name}(self, {name})" for name in self._names)
        # The descriptor of the slot sets the field without calling `__setattr__`, which raises `FrozenError`.
        namespace = {f"_set_{name}": getattr(self._owner, name).__set__ for name in self._names}
        namespace |= {"_defaults": self._defaults, "__name__": self._owner.__module__}
        # Safe to execute: the only variable parts of the text are the names of fields.
        exec(f"def __init__(self, {', '.join(parameters)}):\n{body}", namespace)
        method = namespace["__init__"]
        classes = reversed(self._owner.__mro__)
        annotations = {name: kind for cls in classes for name, kind in vars(cls).get("__annotations__", {}).items()}
        method.__annotations__ = {name: annotations[name] for name in self._names} | {"return": None}
        method.__qualname__ = f"{self._owner.__qualname__}.__init__"
        self._owner.__init__ = method
        return method


def _fields(value: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = type(value).__match_args__
    return names


def _content(value: object) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name in _fields(value)])


def _refuse_to_set(self: object, name: str, _value: object) -> NoReturn:
    raise FrozenError(f"cannot assign to '{name}': {type(self).__qualname__} is frozen")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise FrozenError(f"cannot delete '{name}': {type(self).__qualname__} is frozen")


def _reduce(self: object) -> tuple[Any, ...]:
    # Unpickle with the constructor: the default would assign to the slots, which raises `FrozenError`.
    return type(self), _content(self)


def _represent(self: object) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields(self))
    return f"{type(self).__qualname__}({fields})"


def _equals(self: object, other: object) -> bool:
    return _content(self) == _content(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash(_content(self))


_SHARED_METHODS = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__reduce__": _reduce,
    "__repr__": _represent,
}
_EQUALITY = {"__eq__": _equals, "__hash__": _hash}
