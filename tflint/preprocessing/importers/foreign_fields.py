"""A mapping from somebody else's file, read key by key: a value of another type is an error that names the key."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.errors import Place, UserError
from tflint.userfiles.error_wording import show

#: Largest size, id or count that is believed; the format's own integers have 32 bits.
MAX_COUNT = 2**31 - 1
#: Most numbers of a list: those of a contract's mean.
MAX_NUMBERS = 4096
#: Keys that nobody asked for which get a sentence each.
MAX_UNREAD = 50


class Fields:
    """One mapping of a file. `null` counts as absent. What nobody asked for can be asked for at the end."""

    def __init__(self, data: Mapping[Any, Any], path: str, prefix: str = "") -> None:
        self.path = path
        self._data = data
        self._prefix = prefix
        self._asked: set[Any] = set()

    @classmethod
    def of(cls, data: Any, path: str, prefix: str = "") -> Fields:
        """The fields of a value that must be a mapping."""
        if not isinstance(data, Mapping):
            what = prefix.rstrip(".") or "the file"
            raise UserError(f"{what} must be a mapping of keys to values, not {shown(data)}", place=Place(path))
        return cls(data, path, prefix)

    def __contains__(self, key: str) -> bool:
        return self._data.get(key) is not None

    def wrong(self, key: str, wanted: str) -> UserError:
        """The error for a value that is not what it must be."""
        return UserError(
            f"{self._prefix}{key} must be {wanted}, not {shown(self._data.get(key))}", place=Place(self.path)
        )

    def get(self, key: str) -> Any:
        """The value as it is, None where it is absent."""
        self._asked.add(key)
        return self._data.get(key)

    def passes_over(self, *keys: str) -> None:
        """Keys that have no bearing on a preparation."""
        self._asked.update(keys)

    def text(self, key: str) -> str | None:
        """A text."""
        value = self.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        """One of some texts."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self.wrong(key, f"one of {', '.join(allowed)}")
        return value

    def truth(self, key: str) -> bool | None:
        """True or false."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def number(self, key: str, *, is_positive: bool = False) -> float | None:
        """A finite number, above 0 where that is asked for."""
        value = self.get(key)
        if value is None:
            return None
        if not _is_number(value) or (is_positive and value <= 0):
            raise self.wrong(key, "a number above 0" if is_positive else "a number")
        number: float = value
        return number

    def numbers(self, key: str, *, is_positive: bool = False) -> float | list[float] | None:
        """A finite number or a list of them."""
        value = self.get(key)
        if value is None:
            return None
        values = value if isinstance(value, list) else [value]
        kind = "numbers above 0" if is_positive else "numbers"
        if not 0 < len(values) <= MAX_NUMBERS or not all(map(_is_number, values)):
            raise self.wrong(key, f"a number or a list of {kind}")
        if is_positive and min(values) <= 0:
            raise UserError(f"{self._prefix}{key} must hold {kind}, not {show(min(values))}", place=Place(self.path))
        found: float | list[float] = value
        return found

    def count(self, key: str, *, least: int = 1) -> int | None:
        """A whole number from `least` on."""
        value: int | None = self.get(key)
        if value is not None and not is_count(value, least):
            raise self.wrong(key, f"a whole number from {least} to {MAX_COUNT}")
        return value

    def counts(self, key: str, n: int) -> list[int] | None:
        """A list of so many whole numbers above 0."""
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != n or not all(is_count(one, 1) for one in value):
            raise self.wrong(key, f"a list of {n} whole numbers above 0")
        return list(value)

    def table(self, key: str) -> Fields | None:
        """A mapping."""
        value = self.get(key)
        return None if value is None else Fields.of(value, self.path, f"{self._prefix}{key}.")

    def tables(self, key: str) -> Iterator[Fields]:
        """The mappings of a list; none where it is absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, list):
            raise self.wrong(key, "a list")
        for number, one in enumerate(value or ()):
            yield Fields.of(one, self.path, f"{self._prefix}{key}[{number}].")

    def __iter__(self) -> Iterator[Any]:
        """All keys, in the file's order."""
        return iter(self._data)

    def unread(self) -> Iterator[str]:
        """A sentence for each key that nobody asked for and that is not null; of very many for the first ones."""
        left = [key for key, value in self._data.items() if key not in self._asked and value is not None]
        for key in left[:MAX_UNREAD]:
            name = self._prefix + key if isinstance(key, str) else shown(key)
            yield f"{show(name)} ({shown(self._data[key])}) has no place in a contract."
        if len(left) > MAX_UNREAD:
            yield f"{len(left) - MAX_UNREAD:,} more keys have no place in a contract."


def shown(value: Any) -> str:
    """A value as a message repeats it; YAML knows more kinds of values than JSON."""
    plain = value is None or isinstance(value, str | int | float | list | dict | datetime.date | datetime.time)
    return show(value) if plain else f"a {type(value).__name__}"


def is_count(value: Any, least: int) -> bool:
    """Whether a value is a whole number from `least` on; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_COUNT


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= 2**63 if isinstance(value, int) else math.isfinite(value)
