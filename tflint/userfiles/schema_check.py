"""Whether data satisfies a JSON schema (draft 2020-12): yes or no, for the keywords that tflint's own schemas use.

`mistakes` finds out why data is not valid. The meaning of each keyword is jsonschema's, to which a test compares it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, cast

Schema = Mapping[str, Any] | bool
_Check = Callable[[Any, Any, Mapping[str, Any], Schema], bool]  # keyword's value, data, schema around it, whole schema


def is_valid(data: object, schema: Schema) -> bool:
    """Whether `data` satisfies `schema`; False, too, for data nested so deeply that it cannot be looked through.

    Raises `TypeError` for a keyword that it does not know, when it meets it.
    """
    try:
        return is_valid_in(data, schema, schema)
    except RecursionError:
        return False


def is_valid_in(data: Any, schema: Schema, root: Schema) -> bool:
    """Whether `data` satisfies a part of the schema `root`."""
    if isinstance(schema, bool):
        return schema
    for keyword, value in schema.items():
        check = _CHECKS.get(keyword) or _silent(keyword)
        if not check(value, data, schema, root):
            return False
    return True


def breaks(keyword: str, data: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    """Whether `data` does not satisfy one keyword of `schema`, which is a part of `root`."""
    check = _CHECKS.get(keyword) or _silent(keyword)
    return not check(schema[keyword], data, schema, root)


def _silent(keyword: str) -> _Check:
    """The check of an annotation, which any data satisfies."""
    if keyword not in _SILENT:
        raise TypeError(f"JSON schema keyword {keyword!r} is not supported")
    return lambda _value, _data, _schema, _root: True


def same(one: object, two: object) -> bool:
    """Whether two values are equal in JSON's sense: 1 equals 1.0, true does not equal 1."""
    return bool(_frozen(one) == _frozen(two))


def find_repeated(items: Sequence[object]) -> int | None:
    """Index of the first item that equals an earlier one; in linear time, whatever the items are."""
    seen = set()
    for index, item in enumerate(items):
        frozen = _frozen(item)
        if frozen in seen:
            return index
        seen.add(frozen)
    return None


def _frozen(value: Any) -> Hashable:
    """A stand-in that can be hashed and is equal where values are equal in JSON's sense."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", *map(_frozen, value))
    if isinstance(value, dict):
        return ("object", frozenset((key, _frozen(item)) for key, item in value.items()))
    return cast(Hashable, value)


def is_type(data: object, name: str) -> bool:
    """Whether data is of the JSON type `name`; 2.0 is an integer, a bool is no number, a TOML date is nothing."""
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


def _for(name: str, check: Callable[[Any, Any], bool]) -> _Check:
    """A keyword that speaks of data of one type only: any other data satisfies it."""
    return lambda value, data, _schema, _root: not is_type(data, name) or check(value, data)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """A schema's pattern; its `$` is the end of the text, as JSON schemas have it, not a newline before the end."""
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
    """Keys of `data` that neither `properties` nor `patternProperties` of `schema` name, in the data's order."""
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
    """The part of the schema `root` that a reference such as `#/$defs/rules` names."""
    target: Any = root
    if value.startswith("#/"):
        for part in value[2:].split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
    elif value != "#":
        raise TypeError(f"JSON schema reference {value!r} is not supported")
    return cast(Schema, target)


_ANNOTATIONS = {"title", "description", "$schema", "$id", "$comment", "default", "examples", "$defs", "deprecated"}
_SILENT = _ANNOTATIONS | {"then", "else"}  # these two are read by `if`
#: Keywords about the number of entries. A schema names them before the keywords about the entries.
COUNTS = frozenset(("minItems", "maxItems", "minProperties", "maxProperties"))
_CHECKS: dict[str, _Check] = {
    "type": _type,
    "enum": lambda value, data, _schema, _root: any(same(item, data) for item in value),
    "const": lambda value, data, _schema, _root: same(value, data),
    "pattern": _for("string", lambda value, data: _pattern(value).search(data) is not None),
    "minLength": _for("string", lambda value, data: len(data) >= value),
    "maxLength": _for("string", lambda value, data: len(data) <= value),
    # "not less" and not "at least": nothing is less than NaN, which TOML has, and jsonschema lets it pass.
    "minimum": _for("number", lambda value, data: not data < value),
    "maximum": _for("number", lambda value, data: not data > value),
    "exclusiveMinimum": _for("number", lambda value, data: not data <= value),
    "exclusiveMaximum": _for("number", lambda value, data: not data >= value),
    "required": _for("object", lambda value, data: all(key in data for key in value)),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "items": _items,
    "prefixItems": _prefix_items,
    "minItems": _for("array", lambda value, data: len(data) >= value),
    "maxItems": _for("array", lambda value, data: len(data) <= value),
    "minProperties": _for("object", lambda value, data: len(data) >= value),
    "maxProperties": _for("object", lambda value, data: len(data) <= value),
    "uniqueItems": _for("array", lambda value, data: not value or find_repeated(data) is None),
    "anyOf": lambda value, data, _schema, root: any(is_valid_in(data, inner, root) for inner in value),
    "oneOf": lambda value, data, _schema, root: sum(is_valid_in(data, inner, root) for inner in value) == 1,
    "allOf": lambda value, data, _schema, root: all(is_valid_in(data, inner, root) for inner in value),
    "not": lambda value, data, _schema, root: not is_valid_in(data, value, root),
    "if": _if,
    "$ref": _ref,
}
