"""Puts one mistake in words of the user's file: what is wrong, where, and what would be right."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.schema_check import find_repeated, is_type, unknown_keys
from tflint.userfiles.schema_mistakes import Mistake
from tflint.userfiles.toml_positions import Path

MAX_VALUE = 60
"""Most characters of a value that a message repeats."""

_MAX_BITS = 128  # a longer integer is not written out: Python refuses from 4,300 digits on

MAX_CHOICES = 24
"""Most allowed keys or values that a message lists: all ids of a catalogue are a page."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the error is about: the whole data, and the word for such a file."""

    data: object
    what: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error in words; `path` is the place in the data, `is_about_key` says that its key is meant, not its value."""

    message: str
    path: Path
    hint: str = ""
    is_about_key: bool = False


def complaint(mistake: Mistake, document: Document) -> Complaint:
    """The mistake in words. Where nothing better is known, the schema's description of the place is the hint."""
    if isinstance(mistake.value, str) and isinstance(_value_at(document.data, mistake.path), dict):
        return _property_name(mistake, document)
    words = _WORDINGS.get(mistake.keyword, _not_allowed)
    return words(mistake, document)


def dotted(path: Path) -> str:
    """A path as text, such as `rule[0].invalid[1].edit`."""
    parts = (f"[{part}]" if isinstance(part, int) else "." + _key(part) for part in path)
    return _clip("".join(parts).removeprefix("."))


def _key(name: str) -> str:
    """A key as TOML writes it: in quotes where it has other signs than a bare key."""
    return name if re.fullmatch(r"[\w-]+", name) else '"' + repr(_clip(name))[1:-1] + '"'


def show(value: object) -> str:
    """A value as a message repeats it: quoted and clipped text, a number, or what kind of container it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {_count(len(value), 'entry', 'entries')}"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(_clip(value)) if isinstance(value, str) else repr(value)


def choices(values: Iterable[object]) -> str:
    """Allowed values or keys in one line, text without quotes; of very many only the first."""
    words = [value if isinstance(value, str) and value else show(value) for value in values]
    rest = len(words) - MAX_CHOICES
    return ", ".join(words[:MAX_CHOICES]) + (f" and {rest} more" if rest > 0 else "")


def _value_at(data: Any, path: Path) -> object:
    for part in path:
        data = data[part]
    return data


def _clip(text: str) -> str:
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _subject(path: Path, document: Document) -> str:
    """The quoted key that a value belongs to, with the index in its list: 'severity', 'select[2]'."""
    start = max((index for index, part in enumerate(path) if isinstance(part, str)), default=None)
    if start is None:
        return f"the {document.what}"
    return show(path[start]) if start == len(path) - 1 else f"'{dotted(path[start:])}'"


def _where(path: Path, document: Document) -> str:
    """The table at `path` for people: in the configuration, in rule 'Q001', in 'edit' of rule 'Q001'."""
    if not path:
        return f"in the {document.what}"
    for end in range(len(path), 1, -1):
        owner, key, index = _value_at(document.data, path[:end]), path[end - 2], path[end - 1]
        name = (owner.get("id") or owner.get("name")) if isinstance(owner, dict) and isinstance(index, int) else None
        if isinstance(name, str) and isinstance(key, str):
            inner = f"'{dotted(path[end:])}' of " if path[end:] else ""
            return f"in {inner}{key} {show(name)}"
    return f"in '{dotted(path)}'"


def _description(mistake: Mistake) -> str:
    return str(mistake.schema.get("description", ""))


_KINDS = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "null",
}


def _kind(value: object) -> str:
    """What a value is, as the other half of 'must be a string, not …'."""
    if isinstance(value, bool | None):
        return show(value)
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, datetime.date | datetime.time):
        return "a date or time"
    return next((_KINDS[name] for name in ("string", "array", "object") if is_type(value, name)), type(value).__name__)


def _names(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _type(mistake: Mistake, document: Document) -> Complaint:
    allowed, value = _names(mistake.wanted), mistake.value
    given = show(value) if isinstance(value, float) and "integer" in allowed else _kind(value)
    expected = " or ".join(_KINDS[name] for name in allowed)
    message = f"{_subject(mistake.path, document)} must be {expected}, not {given}"
    return Complaint(message, mistake.path, _type_hint(value, allowed) or _description(mistake))


def _type_hint(value: object, allowed: list[str]) -> str:
    if isinstance(value, datetime.date | datetime.time) and "string" in allowed:
        return f'a date stands in quotes here: "{value.isoformat()}"'
    if isinstance(value, str) and "array" in allowed:
        return f"a list stands in brackets: [{show(value)}]"
    is_number_like = isinstance(value, str) and value.strip("+-").replace(".", "", 1).isdecimal()
    if is_number_like and {"number", "integer"} & set(allowed):
        return "numbers stand without quotes"
    if value in ("true", "false") and "boolean" in allowed:
        return "true and false stand without quotes"
    return ""


def _additional(mistake: Mistake, document: Document) -> Complaint:
    known = list(mistake.schema.get("properties", {}))
    key = next(unknown_keys(mistake.value, mistake.schema))
    hint = nearest(key, [name for name in known if name not in mistake.value]) or nearest(key, known)
    if not hint and known:
        hint = f"allowed keys: {choices(known)}"
    message = f"unknown key {show(key)} {_where(mistake.path, document)}"
    return Complaint(message, (*mistake.path, key), hint, is_about_key=True)


def _required(mistake: Mistake, document: Document) -> Complaint:
    missing = [key for key in mistake.wanted if key not in mistake.value]
    word = "key" if len(missing) == 1 else "keys"
    keys = ", ".join(show(key) for key in missing)
    inner = mistake.schema.get("properties", {}).get(missing[0], {}) if len(missing) == 1 else {}
    about = inner.get("description", "") if isinstance(inner, Mapping) else ""
    hint = f"{missing[0]}: {about}" if about else ""
    return Complaint(f"missing {word} {keys} {_where(mistake.path, document)}", mistake.path, hint, is_about_key=True)


def _property_name(mistake: Mistake, document: Document) -> Complaint:
    demand = _demand(mistake)
    message = f"{show(mistake.value)} cannot be a key {_where(mistake.path, document)}"
    message += f": it must {demand}" if demand else ""
    hint = nearest(mistake.value, mistake.wanted) if mistake.keyword == "enum" else ""
    return Complaint(message, (*mistake.path, mistake.value), hint or _description(mistake), is_about_key=True)


def _unique(mistake: Mistake, document: Document) -> Complaint:
    index = find_repeated(mistake.value) or 0
    message = f"{_subject(mistake.path, document)} has {show(mistake.value[index])} more than once"
    return Complaint(message, (*mistake.path, index))


_DEMANDS: dict[str, Callable[[Any], str]] = {
    "enum": lambda value: f"be one of {choices(value)}",
    "const": lambda value: f"be {show(value)}",
    "pattern": lambda value: f"match the pattern {value}",
    "minimum": lambda value: f"be at least {value}",
    "maximum": lambda value: f"be at most {value}",
    "exclusiveMinimum": lambda value: f"be more than {value}",
    "exclusiveMaximum": lambda value: f"be less than {value}",
    "minLength": lambda value: "not be empty" if value == 1 else f"have at least {value} characters",
    "maxLength": lambda value: f"have at most {_count(value, 'character', 'characters')}",
    "minItems": lambda value: f"have at least {_count(value, 'entry', 'entries')}",
    "maxItems": lambda value: f"have at most {_count(value, 'entry', 'entries')}",
    "minProperties": lambda value: f"have at least {_count(value, 'key', 'keys')}",
    "maxProperties": lambda value: f"have at most {_count(value, 'key', 'keys')}",
    "type": lambda value: "be " + " or ".join(_KINDS[name] for name in _names(value)),
}


def _demand(mistake: Mistake) -> str:
    """What a value must be or have, as the words after 'must'; empty where a few words cannot say it."""
    words = _DEMANDS.get(mistake.keyword)
    return words(mistake.wanted) if words else ""


def _demanding(mistake: Mistake, document: Document) -> Complaint:
    subject, demand = _subject(mistake.path, document), _demand(mistake)
    hint = nearest(mistake.value, mistake.wanted) if mistake.keyword == "enum" else ""
    message = f"{subject} {_what_it_is(mistake)}, but must {demand}"
    return Complaint(message, mistake.path, hint or _description(mistake))


def _what_it_is(mistake: Mistake) -> str:
    if mistake.keyword in ("minProperties", "maxProperties"):
        return f"has {_count(len(mistake.value), 'key', 'keys')}"
    return f"is {show(mistake.value)}"


def _alternatives(mistake: Mistake, document: Document) -> Complaint:
    """Of anyOf and oneOf, where no alternative is nearer to the data than the others."""
    keys = [" and ".join(branch.get("required", ())) for branch in mistake.wanted if isinstance(branch, Mapping)]
    if isinstance(mistake.value, dict) and all(keys) and _all_break(mistake, "required"):
        word = "exactly one" if mistake.keyword == "oneOf" else "at least one"
        message = f"{word} of the keys {choices(dict.fromkeys(keys))} must be given {_where(mistake.path, document)}"
        return Complaint(message, mistake.path, _description(mistake), is_about_key=True)
    demands = dict.fromkeys(_demand(inner) for inner in mistake.alternatives if inner.path == mistake.path)
    words = " or ".join(demand for demand in demands if demand)
    if not words:
        return _not_allowed(mistake, document)
    subject = _subject(mistake.path, document)
    if _all_break(mistake, "type"):
        message = f"{subject} must {words.replace(' or be ', ' or ')}, not {_kind(mistake.value)}"
    else:
        message = f"{subject} is {show(mistake.value)}, but must {words}"
    return Complaint(message, mistake.path, _description(mistake))


def _all_break(mistake: Mistake, keyword: str) -> bool:
    """Whether each alternative fails by `keyword`; true, too, of a oneOf with more than one that fits: it has none."""
    return all(inner.keyword == keyword for inner in mistake.alternatives)


def _negated(mistake: Mistake, document: Document) -> Complaint:
    """A `not` around one keyword; around more than that, words would not get shorter than the schema."""
    if not isinstance(mistake.wanted, Mapping) or len(mistake.wanted) != 1:
        return _not_allowed(mistake, document)
    [(keyword, wanted)] = mistake.wanted.items()
    if keyword == "required" and len(wanted) > 1:
        message = f"the keys {choices(wanted)} cannot stand together {_where(mistake.path, document)}"
        return Complaint(message, mistake.path, _description(mistake), is_about_key=True)
    if keyword == "required" and wanted:
        message = f"the key {show(wanted[0])} is not allowed {_where(mistake.path, document)}"
        return Complaint(message, (*mistake.path, wanted[0]), is_about_key=True)
    if keyword in ("enum", "const", "pattern"):
        message = (
            f"{_subject(mistake.path, document)} is {show(mistake.value)}, but must not {_DEMANDS[keyword](wanted)}"
        )
        return Complaint(message, mistake.path, _description(mistake))
    return _not_allowed(mistake, document)


def _not_allowed(mistake: Mistake, document: Document) -> Complaint:
    if not mistake.keyword or mistake.wanted == {}:  # false, or `not: {}`: the key itself is what is wrong
        return Complaint(f"{_subject(mistake.path, document)} is not allowed here", mistake.path, is_about_key=True)
    message = f"{_subject(mistake.path, document)} is {show(mistake.value)}, which is not allowed here"
    return Complaint(message, mistake.path, _description(mistake))


_WORDINGS: dict[str, Callable[[Mistake, Document], Complaint]] = {
    **dict.fromkeys(_DEMANDS, _demanding),
    "type": _type,
    "additionalProperties": _additional,
    "required": _required,
    "uniqueItems": _unique,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "not": _negated,
}
