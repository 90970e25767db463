"""Reads a mapping in a file of another ecosystem, key by key. A value of the wrong type is an error with its key."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.errors import Place, UserError
from tflint.userfiles.error_wording import show

#: Maximum size, id or count: integers of TFLite have 32 bits.
MAX_COUNT = 2**31 - 1
#: Maximum number of elements of a list of numbers, as for the mean of a contract.
MAX_NUMBERS = 4096
#: Maximum number of unread keys that have a note of their own.
MAX_UNREAD = 50


class Fields:
    """A mapping in a file that tracks which keys were read. `null` counts as absent."""

    def __init__(self, data: Mapping[Any, Any], path: str, prefix: str = "") -> None:
        self.path = path
        self._data = data
        self._prefix = prefix
        self._read: set[Any] = set()

    @classmethod
    def of(cls, data: Any, path: str, prefix: str = "") -> Fields:
        """Return the fields of a value. Raises `UserError` if the value is not a mapping."""
        if not isinstance(data, Mapping):
            what = prefix.rstrip(".") or "the file"
            raise UserError(f"{what} must be a mapping of keys to values, not {format_value(data)}", place=Place(path))
        return cls(data, path, prefix)

    def __contains__(self, key: str) -> bool:
        return self._data.get(key) is not None

    def value_error(self, key: str, wanted: str) -> UserError:
        """Return the error for a value that is not as expected."""
        return UserError(
            f"{self._prefix}{key} must be {wanted}, not {format_value(self._data.get(key))}", place=Place(self.path)
        )

    def get(self, key: str) -> Any:
        """Return the value of a key, or None if the key is absent."""
        self._read.add(key)
        return self._data.get(key)

    def ignore(self, *keys: str) -> None:
        """Mark keys that do not affect preprocessing as read, so that they get no note."""
        self._read.update(keys)

    def text(self, key: str) -> str | None:
        """Return the string of a key, or None if the key is absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, str):
            raise self.value_error(key, "a string")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        """Return the string of a key, which must be one of `allowed`, or None if the key is absent."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self.value_error(key, f"one of {', '.join(allowed)}")
        return value

    def boolean(self, key: str) -> bool | None:
        """Return true or false, or None if the key is absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.value_error(key, "true or false")
        return value

    def number(self, key: str, *, is_positive: bool = False, most: float = math.inf) -> float | None:
        """Return a finite number, or None if the key is absent; at most `most`, with `is_positive` above 0."""
        value = self.get(key)
        if value is None:
            return None
        if not _is_number(value) or (is_positive and value <= 0) or value > most:
            kind = "a number above 0" if is_positive else "a number"
            raise self.value_error(key, kind if most == math.inf else f"{kind}, at most {most:,}")
        number: float = value
        return number

    def numbers(self, key: str, *, is_positive: bool = False) -> float | list[float] | None:
        """Return a finite number or a list of finite numbers, or None if the key is absent."""
        value = self.get(key)
        if value is None:
            return None
        values = value if isinstance(value, list) else [value]
        kind = "numbers above 0" if is_positive else "numbers"
        if not 0 < len(values) <= MAX_NUMBERS or not all(map(_is_number, values)):
            raise self.value_error(key, f"a number or a list of {kind}")
        if is_positive and min(values) <= 0:
            raise UserError(f"{self._prefix}{key} must hold {kind}, not {show(min(values))}", place=Place(self.path))
        numbers: float | list[float] = value
        return numbers

    def count(self, key: str, *, least: int = 1) -> int | None:
        """Return an integer of at least `least`, or None if the key is absent."""
        value: int | None = self.get(key)
        if value is not None and not is_count(value, least):
            raise self.value_error(key, f"an integer from {least} to {MAX_COUNT}")
        return value

    def counts(self, key: str, n: int) -> list[int] | None:
        """Return a list of `n` integers above 0, or None if the key is absent."""
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != n or not all(is_count(one, 1) for one in value):
            raise self.value_error(key, f"a list of {n} integers above 0")
        return list(value)

    def table(self, key: str) -> Fields | None:
        """Return the fields of a nested mapping, or None if the key is absent."""
        value = self.get(key)
        return None if value is None else Fields.of(value, self.path, f"{self._prefix}{key}.")

    def tables(self, key: str) -> Iterator[Fields]:
        """Yield the fields of each mapping in a list. Yield nothing if the key is absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, list):
            raise self.value_error(key, "a list")
        for number, one in enumerate(value or ()):
            yield Fields.of(one, self.path, f"{self._prefix}{key}[{number}].")

    def __iter__(self) -> Iterator[Any]:
        """Iterate over all keys in the file's order."""
        return iter(self._data)

    def describe_unread(self) -> Iterator[str]:
        """Yield a note for each of the first `MAX_UNREAD` unread keys, and one note for the rest."""
        unread = [key for key, value in self._data.items() if key not in self._read and value is not None]
        for key in unread[:MAX_UNREAD]:
            name = self._prefix + key if isinstance(key, str) else format_value(key)
            yield f"{show(name)} ({format_value(self._data[key])}) has no contract key."
        if len(unread) > MAX_UNREAD:
            yield f"{len(unread) - MAX_UNREAD:,} more keys have no contract key."


def format_value(value: Any) -> str:
    """Format a value for a message. YAML has types of values that JSON does not have; for these, return the type."""
    is_known = value is None or isinstance(value, str | int | float | list | dict | datetime.date | datetime.time)
    return show(value) if is_known else f"a {type(value).__name__}"


def is_count(value: Any, least: int) -> bool:
    """Return whether a value is an integer of at least `least`. true and false are not integers."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_COUNT


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= 2**63 if isinstance(value, int) else math.isfinite(value)
