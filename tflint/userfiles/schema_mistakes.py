"""Finds the first mistakes in data that violates a JSON schema, in the order of the data.

Mistakes are found lazily and values are not copied, so that data with a million mistakes takes no more time than data
with a few. `schema_check` defines the keywords, and `error_wording` describes a mistake.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tflint.userfiles.schema_check import COUNTS, Schema, is_type, is_valid_in, resolve, unknown_keys, violates
from tflint.userfiles.toml_positions import Path
from tflint.values import frozen

MAX_MISTAKES = 100
"""Maximum number of mistakes to find, in total and per alternative of anyOf. Only one of them is reported."""


@frozen
class Mistake:
    """A violated keyword of a schema: the value at `path` does not satisfy `keyword`, whose value is `wanted`.

    `keyword` is empty if the schema is `false`. For anyOf and oneOf, `alternatives` are the mistakes of all branches.
    """

    path: Path
    value: Any
    keyword: str
    wanted: Any
    schema: Mapping[str, Any]
    alternatives: tuple[Mistake, ...] = ()


def first_mistakes(data: object, schema: Schema) -> list[Mistake]:
    """Return at most `MAX_MISTAKES` mistakes of `data`, or an empty list if `data` satisfies `schema`."""
    return list(itertools.islice(_mistakes(data, schema, schema, ()), MAX_MISTAKES))


def pick_most_specific(mistake: Mistake) -> Mistake:
    """Return the most specific mistake.

    This is the mistake itself. For a failed anyOf or oneOf, it is the deepest mistake of the alternatives, if only one
    is the deepest.
    """
    while mistake.alternatives:
        first, *others = sorted(mistake.alternatives, key=_relevance)[:2]
        if others and _relevance(first) == _relevance(others[0]):
            return mistake
        mistake = first
    return mistake


def _relevance(mistake: Mistake) -> tuple[object, ...]:
    """Return a key that sorts deeper mistakes first, then earlier ones, then those that are not about the type."""
    order = tuple((isinstance(part, str), part) for part in mistake.path)
    return -len(mistake.path), order, mistake.keyword not in ("anyOf", "oneOf"), not _accepts_type(mistake)


def _accepts_type(mistake: Mistake) -> bool:
    names = mistake.schema.get("type", ())
    return any(is_type(mistake.value, name) for name in ([names] if isinstance(names, str) else names))


def _mistakes(data: Any, schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(schema, bool):
        if not schema:
            yield Mistake(path, data, "", None, {})
        return
    # Counts come first: if a list is too long, its entries are not checked.
    for keyword in sorted(schema, key=lambda keyword: keyword not in COUNTS):
        find = _FINDERS.get(keyword)
        if find is not None:
            yield from find(schema[keyword], data, schema, root, path)
        elif violates(keyword, data, schema, root):
            yield Mistake(path, data, keyword, schema[keyword], schema)
            if keyword in COUNTS:
                return


def _in_properties(value: Any, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(data, dict):
        for key, inner in data.items():
            if key in value:
                yield from _mistakes(inner, value[key], root, (*path, key))


def _in_patterns(value: Any, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(data, dict):
        for key, inner in data.items():
            for pattern in value:
                if re.search(pattern, key):
                    yield from _mistakes(inner, value[pattern], root, (*path, key))


def _in_additional(value: Any, data: Any, schema: Any, root: Schema, path: Path) -> Iterator[Mistake]:
    if not isinstance(data, dict):
        return
    for key in unknown_keys(data, schema):
        if value is False:
            yield Mistake(path, data, "additionalProperties", value, schema)
            return
        yield from _mistakes(data[key], value, root, (*path, key))


def _in_names(value: Any, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(data, dict):
        for key in data:
            yield from _mistakes(key, value, root, path)


def _in_items(value: Any, data: Any, schema: Any, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(data, list):
        for index in range(len(schema.get("prefixItems", ())), len(data)):
            yield from _mistakes(data[index], value, root, (*path, index))


def _in_first_items(value: Any, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    if isinstance(data, list):
        for index, (item, inner) in enumerate(zip(data, value, strict=False)):
            yield from _mistakes(item, inner, root, (*path, index))


def _in_all(value: Any, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    for inner in value:
        yield from _mistakes(data, inner, root, path)


def _any_of(value: Any, data: Any, schema: Any, root: Schema, path: Path) -> Iterator[Mistake]:
    if not any(is_valid_in(data, inner, root) for inner in value):
        yield Mistake(path, data, "anyOf", value, schema, _alternatives(value, data, root, path))


def _one_of(value: Any, data: Any, schema: Any, root: Schema, path: Path) -> Iterator[Mistake]:
    n_valid = sum(is_valid_in(data, inner, root) for inner in value)
    if n_valid != 1:
        alternatives = () if n_valid else _alternatives(value, data, root, path)
        yield Mistake(path, data, "oneOf", value, schema, alternatives)


def _alternatives(branches: Sequence[Schema], data: Any, root: Schema, path: Path) -> tuple[Mistake, ...]:
    per_branch = (itertools.islice(_mistakes(data, branch, root, path), MAX_MISTAKES) for branch in branches)
    return tuple(itertools.chain.from_iterable(per_branch))


def _in_if(value: Any, data: Any, schema: Any, root: Schema, path: Path) -> Iterator[Mistake]:
    branch = "then" if is_valid_in(data, value, root) else "else"
    yield from _mistakes(data, schema.get(branch, True), root, path)


def _in_reference(value: str, data: Any, _schema: Schema, root: Schema, path: Path) -> Iterator[Mistake]:
    yield from _mistakes(data, resolve(value, root), root, path)


#: Keywords that contain schemas. All other keywords are checked by `schema_check`.
_FINDERS: dict[str, Callable[[Any, Any, Any, Schema, Path], Iterator[Mistake]]] = {
    "properties": _in_properties,
    "patternProperties": _in_patterns,
    "additionalProperties": _in_additional,
    "propertyNames": _in_names,
    "items": _in_items,
    "prefixItems": _in_first_items,
    "allOf": _in_all,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "if": _in_if,
    "$ref": _in_reference,
}
