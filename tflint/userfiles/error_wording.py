"""Describes one violation of a schema in terms of the user's file: what is wrong, where, and what is allowed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.schema_check import find_repeated, is_type, resolve, unknown_keys
from tflint.userfiles.schema_mistakes import Mistake
from tflint.userfiles.toml_positions import Path
from tflint.values import frozen

MAX_VALUE = 60
"""Maximum number of characters of a value in a message."""

_MAX_BITS = 128  # longer integers are not printed: Python refuses to format more than 4,300 digits

MAX_CHOICES = 24
"""Maximum number of allowed keys or values in a message. All rule ids, for example, would fill a page."""


@frozen
class Document:
    """The file that an error is about: its data, the name of its kind in messages, and the root of its schema."""

    data: object
    what: str
    schema: Mapping[str, Any]


@frozen
class ErrorText:
    """An error message, with the path of the value in the data. If `is_about_key` is true, the error is in the key."""

    message: str
    path: Path
    hint: str = ""
    is_about_key: bool = False


def describe_mistake(mistake: Mistake, document: Document) -> ErrorText:
    """Return the message and hint for a mistake. The default hint is the description of the value in the schema."""
    if isinstance(mistake.value, str) and isinstance(_value_at(document.data, mistake.path), dict):
        return _property_name(mistake, document)
    describe = _WORDINGS.get(mistake.keyword, _not_allowed)
    return describe(mistake, document)


def format_path(path: Path) -> str:
    """Return a path as text, such as `rule[0].invalid[1].edit`."""
    parts = (f"[{part}]" if isinstance(part, int) else "." + _key(part) for part in path)
    return _clip("".join(parts).removeprefix("."))


def _key(name: str) -> str:
    """Return a key in TOML notation. Quotes are added unless TOML allows the key without them."""
    return name if re.fullmatch(r"[\w-]+", name) else '"' + repr(_clip(name))[1:-1] + '"'


def show(value: object) -> str:
    """Format a value for a message: a quoted and shortened string, a number, or a description such as "a table"."""
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


def join_choices(values: Iterable[object]) -> str:
    """Return the first `MAX_CHOICES` allowed values or keys, separated by commas, and how many more there are."""
    texts = [value if isinstance(value, str) and value else show(value) for value in values]
    rest = len(texts) - MAX_CHOICES
    return ", ".join(texts[:MAX_CHOICES]) + (f" and {rest} more" if rest > 0 else "")


def _value_at(data: Any, path: Path) -> object:
    for part in path:
        data = data[part]
    return data


def _clip(text: str) -> str:
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _subject(path: Path, document: Document) -> str:
    """Return the quoted key of a value. For an element of a list, the index is added: 'severity', 'select[2]'."""
    start = max((index for index, part in enumerate(path) if isinstance(part, str)), default=None)
    if start is None:
        return f"the {document.what}"
    return show(path[start]) if start == len(path) - 1 else f"'{format_path(path[start:])}'"


def _describe_table(path: Path, document: Document) -> str:
    """Describe the table at `path`: "in the configuration", "in rule 'Q001'", "in 'edit' of rule 'Q001'"."""
    if not path:
        return f"in the {document.what}"
    for end in range(len(path), 1, -1):
        owner, key, index = _value_at(document.data, path[:end]), path[end - 2], path[end - 1]
        name = (owner.get("id") or owner.get("name")) if isinstance(owner, dict) and isinstance(index, int) else None
        if isinstance(name, str) and isinstance(key, str):
            inner = f"'{format_path(path[end:])}' of " if path[end:] else ""
            return f"in {inner}{key} {show(name)}"
    return f"in '{format_path(path)}'"


def _description(mistake: Mistake) -> str:
    return str(mistake.schema.get("description", ""))


_KINDS = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "null",
}


def _kind(value: object) -> str:
    """Return the kind of a value, as the end of "must be a string, not …"."""
    if isinstance(value, bool | None):
        return show(value)
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, datetime.date | datetime.time):
        return "a date or time"
    return next((_KINDS[name] for name in ("string", "array", "object") if is_type(value, name)), type(value).__name__)


def _names(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _type(mistake: Mistake, document: Document) -> ErrorText:
    allowed, value = _names(mistake.wanted), mistake.value
    actual = show(value) if isinstance(value, float) and "integer" in allowed else _kind(value)
    expected = " or ".join(_KINDS[name] for name in allowed)
    message = f"{_subject(mistake.path, document)} must be {expected}, not {actual}"
    return ErrorText(message, mistake.path, _type_hint(value, allowed) or _description(mistake))


def _type_hint(value: object, allowed: list[str]) -> str:
    if isinstance(value, datetime.date | datetime.time) and "string" in allowed:
        return f'put the date in quotes: "{value.isoformat()}"'
    if isinstance(value, str) and "array" in allowed:
        return f"put the value in brackets: [{show(value)}]"
    is_number_like = isinstance(value, str) and value.strip("+-").replace(".", "", 1).isdecimal()
    if is_number_like and {"number", "integer"} & set(allowed):
        return "remove the quotes around the number"
    if value in ("true", "false") and "boolean" in allowed:
        return f"remove the quotes around {value}"
    return ""


def _additional(mistake: Mistake, document: Document) -> ErrorText:
    known = list(mistake.schema.get("properties", {}))
    key = next(unknown_keys(mistake.value, mistake.schema))
    hint = nearest(key, [name for name in known if name not in mistake.value]) or nearest(key, known)
    if not hint and known:
        hint = f"allowed keys: {join_choices(known)}"
    message = f"unknown key {show(key)} {_describe_table(mistake.path, document)}"
    return ErrorText(message, (*mistake.path, key), hint, is_about_key=True)


def _describe_missing(mistake: Mistake, document: Document) -> ErrorText:
    missing = [key for key in mistake.wanted if key not in mistake.value]
    word = "key" if len(missing) == 1 else "keys"
    keys = ", ".join(show(key) for key in missing)
    inner = mistake.schema.get("properties", {}).get(missing[0], {}) if len(missing) == 1 else {}
    while isinstance(inner, Mapping) and "description" not in inner and "$ref" in inner:
        inner = resolve(inner["$ref"], document.schema)
    about = inner.get("description", "") if isinstance(inner, Mapping) else ""
    hint = f"{missing[0]}: {about}" if about else ""
    return ErrorText(
        f"missing {word} {keys} {_describe_table(mistake.path, document)}", mistake.path, hint, is_about_key=True
    )


def _property_name(mistake: Mistake, document: Document) -> ErrorText:
    demand = _demand(mistake)
    message = f"invalid key {show(mistake.value)} {_describe_table(mistake.path, document)}"
    message += f": it must {demand}" if demand else ""
    hint = nearest(mistake.value, mistake.wanted) if mistake.keyword == "enum" else ""
    return ErrorText(message, (*mistake.path, mistake.value), hint or _description(mistake), is_about_key=True)


def _unique(mistake: Mistake, document: Document) -> ErrorText:
    index = find_repeated(mistake.value) or 0
    message = f"{_subject(mistake.path, document)} has {show(mistake.value[index])} more than once"
    return ErrorText(message, (*mistake.path, index))


_DEMANDS: dict[str, Callable[[Any], str]] = {
    "enum": lambda value: f"be one of {join_choices(value)}",
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
    """Return the words after "must" in a message, or an empty string if the keyword has no short description."""
    describe = _DEMANDS.get(mistake.keyword)
    return describe(mistake.wanted) if describe else ""


def _unmet_demand(mistake: Mistake, document: Document) -> ErrorText:
    subject, demand = _subject(mistake.path, document), _demand(mistake)
    hint = nearest(mistake.value, mistake.wanted) if mistake.keyword == "enum" else ""
    message = f"{subject} {_describe_actual(mistake)}, but must {demand}"
    return ErrorText(message, mistake.path, hint or _description(mistake))


def _describe_actual(mistake: Mistake) -> str:
    if mistake.keyword in ("minProperties", "maxProperties"):
        return f"has {_count(len(mistake.value), 'key', 'keys')}"
    return f"is {show(mistake.value)}"


def _alternatives(mistake: Mistake, document: Document) -> ErrorText:
    """Describe a failed anyOf or oneOf of which no alternative is closer to the data than the others."""
    keys = [" and ".join(branch.get("required", ())) for branch in mistake.wanted if isinstance(branch, Mapping)]
    if isinstance(mistake.value, dict) and all(keys) and _all_break(mistake, "required"):
        quantity = "exactly one" if mistake.keyword == "oneOf" else "at least one"
        table = _describe_table(mistake.path, document)
        message = f"{quantity} of the keys {join_choices(dict.fromkeys(keys))} is required {table}"
        return ErrorText(message, mistake.path, _description(mistake), is_about_key=True)
    demands = dict.fromkeys(_demand(inner) for inner in mistake.alternatives if inner.path == mistake.path)
    alternatives = " or ".join(demand for demand in demands if demand)
    if not alternatives:
        return _not_allowed(mistake, document)
    subject = _subject(mistake.path, document)
    if _all_break(mistake, "type"):
        message = f"{subject} must {alternatives.replace(' or be ', ' or ')}, not {_kind(mistake.value)}"
    else:
        message = f"{subject} is {show(mistake.value)}, but must {alternatives}"
    return ErrorText(message, mistake.path, _description(mistake))


def _all_break(mistake: Mistake, keyword: str) -> bool:
    """Return whether all alternatives fail because of `keyword`.

    Also true if no alternative fails, which happens for a oneOf with several matches.
    """
    return all(inner.keyword == keyword for inner in mistake.alternatives)


def _describe_not(mistake: Mistake, document: Document) -> ErrorText:
    """Describe a failed `not`. If its schema has more than one keyword, the message is general."""
    if not isinstance(mistake.wanted, Mapping) or len(mistake.wanted) != 1:
        return _not_allowed(mistake, document)
    [(keyword, wanted)] = mistake.wanted.items()
    if keyword == "required" and len(wanted) > 1:
        message = f"the keys {join_choices(wanted)} cannot be combined {_describe_table(mistake.path, document)}"
        return ErrorText(message, mistake.path, _description(mistake), is_about_key=True)
    if keyword == "required" and wanted:
        message = f"the key {show(wanted[0])} is not allowed {_describe_table(mistake.path, document)}"
        return ErrorText(message, (*mistake.path, wanted[0]), is_about_key=True)
    if keyword in ("enum", "const", "pattern"):
        message = (
            f"{_subject(mistake.path, document)} is {show(mistake.value)}, but must not {_DEMANDS[keyword](wanted)}"
        )
        return ErrorText(message, mistake.path, _description(mistake))
    return _not_allowed(mistake, document)


def _not_allowed(mistake: Mistake, document: Document) -> ErrorText:
    if not mistake.keyword or mistake.wanted == {}:  # `false` or `not: {}`: the key itself is not allowed
        return ErrorText(f"{_subject(mistake.path, document)} is not allowed here", mistake.path, is_about_key=True)
    message = f"{_subject(mistake.path, document)} is {show(mistake.value)}, which is not allowed here"
    return ErrorText(message, mistake.path, _description(mistake))


_WORDINGS: dict[str, Callable[[Mistake, Document], ErrorText]] = {
    **dict.fromkeys(_DEMANDS, _unmet_demand),
    "type": _type,
    "additionalProperties": _additional,
    "required": _describe_missing,
    "uniqueItems": _unique,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "not": _describe_not,
}
