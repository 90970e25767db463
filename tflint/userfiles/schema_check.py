"""Checks whether data satisfies a JSON schema (draft 2020-12), for the keywords that tflint's schemas use.

If data is invalid, `schema_mistakes` finds the reason. A test compares the results with those of jsonschema.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, cast

Schema = Mapping[str, Any] | bool
_Check = Callable[[Any, Any, Mapping[str, Any], Schema], bool]  # keyword's value, data, enclosing schema, root schema


def is_valid(data: object, schema: Schema) -> bool:
    """Return whether `data` satisfies `schema`. Data that is nested too deeply to be checked does not.

    Raises `TypeError` if the schema has an unsupported keyword.
    """
    try:
        return is_valid_in(data, schema, schema)
    except RecursionError:
        return False


def is_valid_in(data: Any, schema: Schema, root: Schema) -> bool:
    """Return whether `data` satisfies a part of the schema `root`."""
    if isinstance(schema, bool):
        return schema
    for keyword, value in schema.items():
        check = _CHECKS.get(keyword) or _accept_all(keyword)
        if not check(value, data, schema, root):
            return False
    return True


def violates(keyword: str, data: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    """Return whether `data` violates one keyword of `schema`, which is a part of `root`."""
    check = _CHECKS.get(keyword) or _accept_all(keyword)
    return not check(schema[keyword], data, schema, root)


def _accept_all(keyword: str) -> _Check:
    """Return the check of a keyword that is only an annotation: any data satisfies it."""
    if keyword not in _NOT_CHECKED:
        raise TypeError(f"JSON schema keyword {keyword!r} is not supported")
    return lambda _value, _data, _schema, _root: True


def are_equal(one: object, two: object) -> bool:
    """Return whether two values are equal in JSON: 1 equals 1.0, but true does not equal 1."""
    return bool(_hashable_key(one) == _hashable_key(two))


def find_repeated(items: Sequence[object]) -> int | None:
    """Return the index of the first item that equals an earlier one, or None if there is none. Takes linear time."""
    earlier = set()
    for index, item in enumerate(items):
        frozen = _hashable_key(item)
        if frozen in earlier:
            return index
        earlier.add(frozen)
    return None


def _hashable_key(value: Any) -> Hashable:
    """Return a key for a value. The keys of two values are equal if and only if the values are equal in JSON."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", *map(_hashable_key, value))
    if isinstance(value, dict):
        return ("object", frozenset((key, _hashable_key(item)) for key, item in value.items()))
    return cast(Hashable, value)


def is_type(data: object, name: str) -> bool:
    """Return whether data has the JSON type `name`.

    2.0 is an integer. A bool is not a number. A date of TOML does not have a JSON type.
    """
    if name in ("integer", "number") and isinstance(data, bool):
        return False
    if name == "integer" and isinstance(data, float):
        return data.is_integer()
    return isinstance(data, _TYPES[name])


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def _type(names: str | Sequence[str], data: Any, _schema: Mapping[str, Any], _root: Schema) -> bool:
    return any(is_type(data, name) for name in ([names] if isinstance(names, str) else names))


def _only_for(name: str, check: Callable[[Any, Any], bool]) -> _Check:
    """Return the check of a keyword that applies only to the type `name`. Data of other types satisfies the keyword."""
    return lambda value, data, _schema, _root: not is_type(data, name) or check(value, data)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern. As in JSON schemas, a final `$` matches only at the end, and not before a final newline."""
    return re.compile(text.removesuffix("$") + r"\Z" if text.endswith("$") else text)


def _properties(value: Mapping[str, Schema], data: Any, _schema: Mapping[str, Any], root: Schema) -> bool:
    if not isinstance(data, dict):
        return True
    return all(is_valid_in(data[key], inner, root) for key, inner in value.items() if key in data)


def _pattern_properties(value: Mapping[str, Schema], data: Any, _schema: Mapping[str, Any], root: Schema) -> bool:
    if not isinstance(data, dict):
        return True
    pairs = ((data[key], inner) for pattern, inner in value.items() for key in data if re.search(pattern, key))
    return all(is_valid_in(item, inner, root) for item, inner in pairs)


def unknown_keys(data: Mapping[str, object], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of `data` that match neither `properties` nor `patternProperties`, in the order of the data."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return (key for key in data if key not in known and not any(re.search(pattern, key) for pattern in patterns))


def _additional_properties(value: Schema, data: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    if value is True or not isinstance(data, dict):
        return True
    return all(is_valid_in(data[key], value, root) for key in unknown_keys(data, schema))


def _property_names(value: Schema, data: Any, _schema: Mapping[str, Any], root: Schema) -> bool:
    return not isinstance(data, dict) or all(is_valid_in(key, value, root) for key in data)


def _items(value: Schema, data: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    if not isinstance(data, list):
        return True
    return all(is_valid_in(item, value, root) for item in data[len(schema.get("prefixItems", ())) :])


def _prefix_items(value: Sequence[Schema], data: Any, _schema: Mapping[str, Any], root: Schema) -> bool:
    if not isinstance(data, list):
        return True
    return all(is_valid_in(item, inner, root) for item, inner in zip(data, value, strict=False))


def _if(value: Schema, data: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    return is_valid_in(data, schema.get("then" if is_valid_in(data, value, root) else "else", True), root)


def _ref(value: str, data: Any, _schema: Mapping[str, Any], root: Schema) -> bool:
    return is_valid_in(data, resolve(value, root), root)


def resolve(value: str, root: Schema) -> Schema:
    """Return the part of the schema `root` to which a reference such as `#/$defs/rules` refers."""
    target: Any = root
    if value.startswith("#/"):
        for part in value[2:].split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
    elif value != "#":
        raise TypeError(f"JSON schema reference {value!r} is not supported")
    return cast(Schema, target)


_ANNOTATIONS = {"title", "description", "$schema", "$id", "$comment", "default", "examples", "$defs", "deprecated"}
_NOT_CHECKED = _ANNOTATIONS | {"then", "else"}  # these two are read by `if`
#: Keywords about the number of entries. They are checked before the entries themselves.
COUNTS = frozenset(("minItems", "maxItems", "minProperties", "maxProperties"))
_CHECKS: dict[str, _Check] = {
    "type": _type,
    "enum": lambda value, data, _schema, _root: any(are_equal(item, data) for item in value),
    "const": lambda value, data, _schema, _root: are_equal(value, data),
    "pattern": _only_for("string", lambda value, data: _pattern(value).search(data) is not None),
    "minLength": _only_for("string", lambda value, data: len(data) >= value),
    "maxLength": _only_for("string", lambda value, data: len(data) <= value),
    # `not data < value` accepts NaN, which TOML allows, as jsonschema does.
    "minimum": _only_for("number", lambda value, data: not data < value),
    "maximum": _only_for("number", lambda value, data: not data > value),
    "exclusiveMinimum": _only_for("number", lambda value, data: not data <= value),
    "exclusiveMaximum": _only_for("number", lambda value, data: not data >= value),
    "required": _only_for("object", lambda value, data: all(key in data for key in value)),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "items": _items,
    "prefixItems": _prefix_items,
    "minItems": _only_for("array", lambda value, data: len(data) >= value),
    "maxItems": _only_for("array", lambda value, data: len(data) <= value),
    "minProperties": _only_for("object", lambda value, data: len(data) >= value),
    "maxProperties": _only_for("object", lambda value, data: len(data) <= value),
    "uniqueItems": _only_for("array", lambda value, data: not value or find_repeated(data) is None),
    "anyOf": lambda value, data, _schema, root: any(is_valid_in(data, inner, root) for inner in value),
    "oneOf": lambda value, data, _schema, root: sum(is_valid_in(data, inner, root) for inner in value) == 1,
    "allOf": lambda value, data, _schema, root: all(is_valid_in(data, inner, root) for inner in value),
    "not": lambda value, data, _schema, root: not is_valid_in(data, value, root),
    "if": _if,
    "$ref": _ref,
}
