"""Test users' files: positions of keys and values in TOML, validation against jsonschema, and clear errors."""

from __future__ import annotations

import datetime
import math
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflint.errors import UserError
from tflint.resources import json_schema
from tflint.userfiles.schema_check import are_equal, find_repeated, is_valid
from tflint.userfiles.schema_errors import check
from tflint.userfiles.schema_mistakes import MAX_MISTAKES, first_mistakes
from tflint.userfiles.toml_positions import MAX_DEPTH, Span, content_position, locate
from tflint.userfiles.userfile import (
    MAX_KEY_PARTS,
    MAX_SHOWN,
    MAX_TEXT_BYTES,
    load_json,
    load_toml,
    read_text,
    source_line,
)

# --- places in TOML -------------------------------------------------------------------------------------------------

DOCUMENT = """\
# a comment with [brackets] and key = 1
title = "x"  # one more
a . b."c d" = 'literal'
numbers = [ 1, [2.5,   # a comment, with a comma and a ]
  -3e2], 1979-05-27 07:32:00 , true ]

[[rule]]
id = "Q001"
require = '''
all(x < 1)
  and has(bias)'''

[[ rule ]]
id = "Q\\u0030"
  [[rule.invalid]]
  model = "conv"
  edit = { "tensors.bias.x" = [0.5], deep = { er = [ { k = 1 } ] } }
  [[rule.invalid]]
[rule.page]
"why\\tnot" = \"\"\"
one \\
     two\"\"\"
[targets.phone]
[targets]
"""


def place(path: tuple[str | int, ...], document: str = DOCUMENT) -> tuple[int, int, int, int]:
    span = locate(document)[path]
    return span.line, span.column, span.value_line, span.value_column


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("title",), (2, 1, 2, 10)),
        (("a",), (3, 1, 3, 1)),
        (("a", "b", "c d"), (3, 7, 3, 16)),
        (("numbers",), (4, 1, 4, 11)),
        (("numbers", 1, 0), (4, 17, 4, 17)),
        (("numbers", 1, 1), (5, 3, 5, 3)),
        (("numbers", 2), (5, 10, 5, 10)),
        (("rule",), (7, 3, 7, 3)),
        (("rule", 0, "require"), (9, 1, 10, 1)),
        (("rule", 1), (13, 4, 13, 4)),
        (("rule", 1, "id"), (14, 1, 14, 7)),
        (("rule", 1, "invalid", 0, "edit", "tensors.bias.x"), (17, 12, 17, 31)),
        (("rule", 1, "invalid", 0, "edit", "deep", "er", 0, "k"), (17, 56, 17, 60)),
        (("rule", 1, "invalid", 1), (18, 10, 18, 10)),
        (("rule", 1, "page", "why\tnot"), (20, 1, 21, 1)),
        (("targets", "phone"), (23, 10, 23, 10)),
        (("targets",), (24, 2, 24, 2)),
    ],
)
def test_a_place_is_where_a_reader_would_point(
    path: tuple[str | int, ...], expected: tuple[int, int, int, int]
) -> None:
    assert place(path) == expected


def test_every_path_of_a_document_has_a_place() -> None:
    assert set(locate(DOCUMENT)) == set(dict(paths(tomllib.loads(DOCUMENT))))


def test_lengths_cover_a_key_with_its_quotes_and_a_value_up_to_the_end_of_its_line() -> None:
    spans = locate(DOCUMENT)
    assert spans["a", "b", "c d"].length == len('"c d"')
    assert spans["title",].value_length == 1
    assert spans["numbers", 2].value_length == len("1979-05-27 07:32:00")
    assert spans["rule", 0, "require"].value_length == len("all(x < 1)")


def test_windows_line_ends_change_no_place() -> None:
    assert locate(DOCUMENT.replace("\n", "\r\n")) == locate(DOCUMENT)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a=1", "[a]", "[[a]]", "a=''", "a={}", "a=[ ]", "''=1"])
def test_the_smallest_documents_have_places(text: str) -> None:
    assert set(locate(text)) == set(dict(paths(tomllib.loads(text))))


@pytest.mark.parametrize(
    "text", ['a=""""x"""""', "a=''''x'''''", 'a="""a""b"c"""', 'a="""\\\n\n  x"""', 'a=["""""","", 1]']
)
def test_quotes_inside_multi_line_strings(text: str) -> None:
    check_document(tomllib.loads(text), text)


def test_newlines_and_a_last_comma_in_an_inline_table_are_taken_as_toml_1_1_has_them() -> None:
    spans = locate("a = { b = 1, # why\n  c = 2,\n}\nd = 3")
    assert spans["a", "c"].line == 2
    assert spans["d",].line == 4


def test_a_thousand_levels_have_places_down_to_the_limit() -> None:
    spans = locate("a=" + "[" * 1000 + "]" * 1000 + "\nb=1")
    assert max(map(len, spans)) == MAX_DEPTH
    assert spans["b",].line == 2


def test_unicode_line_separators_end_no_line() -> None:
    assert place(("b",), "a = 'x\u2028y\x85z'\nb = 1")[0] == 2


# --- characters of a string -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a = 'one'", "one", [(1, 6), (1, 7), (1, 8), (1, 9)]),
        ("a = '''\nx\n y'''", "x\n y", [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]),
        ('a = "\\tx\\u0041\\U0001F600"', "\txA\U0001f600", [(1, 6), (1, 8), (1, 9), (1, 15), (1, 25)]),
        ('a = """\nx \\  \n\n   y\\n"""', "x y\n", [(2, 1), (2, 2), (4, 4), (4, 5), (4, 7)]),
        ('a = """\\\n  x"""', "x", [(2, 3), (2, 4)]),
        ("a = '''\r\nx\r\ny'''", "x\ny", [(2, 1), (2, 2), (3, 1), (3, 2)]),
    ],
)
def test_each_character_of_a_string_is_found(text: str, value: str, expected: list[tuple[int, int]]) -> None:
    assert tomllib.loads(text) == {"a": value}
    span = locate(text)["a",]
    assert [content_position(text, span, offset) for offset in range(len(value) + 1)] == expected
    assert content_position(text, span, 10_000) == expected[-1]


def test_a_character_of_what_is_no_string_is_its_start() -> None:
    text = "b = '''x'''\na = 12345"
    assert content_position(text, locate(text)["a",], 3) == (2, 5)


# --- places in documents that nobody thought of ---------------------------------------------------------------------

KEYS = st.one_of(st.sampled_from(["a", "b", "rule", "x-y", "1"]), st.text(st.characters(codec="utf-8"), max_size=4))
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.text("ab\"'\\\n\t ", max_size=8),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.times(),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=5)


@given(TABLES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_any_document_in_any_style_has_exactly_the_places_of_its_data(data: dict[str, Any], rng: random.Random) -> None:
    text = Writer(rng).document(data)
    assert tomllib.loads(text) == data
    check_document(data, text)


def check_document(data: dict[str, Any], text: str) -> None:
    spans = locate(text)
    found = dict(paths(data))
    assert set(spans) == set(found)
    lines = text.split("\n")
    for path, span in spans.items():
        key = lines[span.line - 1][span.column - 1 :][: span.length]
        if isinstance(path[-1], str):
            assert list(tomllib.loads(f"{key} = 1")) == [path[-1]]
        check_value(text, lines, span, found[path], key)


def check_value(text: str, lines: list[str], span: Span, value: object, key: str) -> None:
    shown = lines[span.value_line - 1][span.value_column - 1 :][: span.value_length]
    if isinstance(value, str):
        check_characters(text, lines, span, value)
    elif isinstance(value, dict | list):
        assert shown in ("{", "[", key)
    else:
        assert tomllib.loads(f"x = {shown}") == {"x": value}


def check_characters(text: str, lines: list[str], span: Span, value: str) -> None:
    for offset, char in enumerate(value):
        line, column = content_position(text, span, offset)
        rest = lines[line - 1][column - 1 :]
        if rest.startswith("\\") and '"' in span.quote:
            escape = rest[: {"u": 6, "U": 10}.get(rest[1], 2)]
            assert tomllib.loads(f'x = "{escape}"') == {"x": char}
        else:
            assert (rest or "\n")[0] == char
    line, column = content_position(text, span, len(value))
    assert lines[line - 1][column - 1 :].startswith(span.quote)


def paths(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [pair for key, value in items for pair in [((*path, key), value), *paths(value, (*path, key))]]


class Writer:
    """Writes data as TOML, each key and value in one of the styles that TOML has for it, drawn by chance."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def document(self, data: dict[str, Any]) -> str:
        return self.blank() + self.table(data, [])

    def table(self, data: dict[str, Any], header: list[str]) -> str:
        """The table's own pairs first, then those of its tables and lists of tables that get headers of their own."""
        own, later = "", ""
        for key, value in data.items():
            name = [*header, self.key(key)]
            if isinstance(value, dict) and self.rng.random() < 0.5:
                later += f"[{self.dots(name)}]{self.end()}" + self.table(value, name)
            elif (
                value
                and isinstance(value, list)
                and all(isinstance(i, dict) for i in value)
                and self.rng.random() < 0.7
            ):
                for item in value:
                    later += f"[[{self.dots(name)}]]{self.end()}" + self.table(item, name)
            elif value and isinstance(value, dict) and self.rng.random() < 0.5:
                own += "".join(self.pair(self.dots([name[-1], self.key(k)]), v) + self.end() for k, v in value.items())
            else:
                own += self.pair(name[-1], value) + self.end()
        return own + later

    def dots(self, names: list[str]) -> str:
        return self.rng.choice([".", " . ", "\t."]).join(names)

    def pair(self, key: str, value: object) -> str:
        return f"{key}{self.rng.choice([' = ', '=', '  =  '])}{self.value(value)}"

    def key(self, key: str) -> str:
        is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
        return (
            key
            if is_bare and self.rng.random() < 0.7
            else self.rng.choice([s for s in self.strings(key) if not s.startswith(('"""', "'''"))])
        )

    def value(self, value: object) -> str:
        if isinstance(value, str):
            return self.rng.choice(self.strings(value))
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict):
            return "{ " + ", ".join(self.pair(self.key(key), item) for key, item in value.items()) + "}"
        if isinstance(value, list):
            gap = self.blank if self.rng.random() < 0.5 else str
            return "[" + "".join(f"{gap()}{self.value(item)}{gap()}," for item in value) + gap() + "]"
        if isinstance(value, datetime.datetime):
            return value.isoformat(self.rng.choice("T "))
        return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)

    def strings(self, value: str) -> list[str]:
        """The value as a basic string, then in the other kinds that can hold it."""
        escaped = "".join(self.escaped(char) for char in value)
        found = [f'"{escaped}"']
        is_plain = all((char >= " " and char != "\x7f") or char == "\t" for char in value)
        if is_plain and "'" not in value:
            found.append(f"'{value}'")
        found += [f'"""\n{escaped}"""', f'"""\\\n   {escaped}"""' if not value[:1].isspace() else found[0]]
        if all((char >= " " and char != "\x7f") or char in "\t\n" for char in value) and "''" not in value + "'":
            found.append(f"'''\n{value}'''")
        return found

    def escaped(self, char: str) -> str:
        if char in '"\\':
            return "\\" + char
        if char < " " or char == "\x7f" or self.rng.random() < 0.1:
            return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04X}"
        return char

    def end(self) -> str:
        return self.rng.choice(["\n", "\n\n", " # a [comment] = 'x\n"])

    def blank(self) -> str:
        return self.rng.choice(["", " ", "\n", '\n\t# ], } "\n  '])


# --- reading --------------------------------------------------------------------------------------------------------


def error_of(text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        load_toml("rules.toml", text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a = 1\nb = tru\n", 2, 5, "invalid value"),
        ("a = 1\nb = [1,\n", 2, 7, "invalid value"),
        ("a = 1 2", 1, 7, "expected a new line"),
        ("a = 'x", 1, 6, "a string is not closed"),
        ('a = "x\ny"', 1, 7, "the string is not closed on its line"),
        ('a = "\\d"', 1, 8, "must be doubled"),
        ("a = 1\na = 2\n", 2, 6, "already defined"),
        ("[a]\n[a]\n", 2, 3, "already defined"),
        ("= 1", 1, 1, "expected a key"),
        ("a = 1\x00", 1, 6, "not valid TOML"),
        ("\x00", 1, 1, "not valid TOML"),
    ],
)
def test_what_is_no_toml_is_said_at_its_place(text: str, line: int, column: int, words: str) -> None:
    error = error_of(text)
    assert error.place is not None
    assert (error.place.path, error.place.line) == ("rules.toml", line)
    assert abs(error.place.column - column) <= 1, "tomllib points to the sign or behind it, as versions have it"
    assert words in error.message
    assert "\x00" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "[" * 100_000,
        "a=" + "{a=" * 100_000,
        "a=" + "1" * 5_000,
        "a." * 100_000 + "a=1",
        "'a' . " * 100_000 + "a=1",
        "\ufeffa = 1",
        "a = 1\ra = 2",
        "x" * 1_000_000,
    ],
    ids=["brackets", "braces", "digits", "dots", "quoted dots", "byte order mark", "old Mac", "long line"],
)
def test_a_hostile_toml_is_an_error_of_a_few_lines(text: str) -> None:
    assert len(str(error_of(text))) < 3 * MAX_SHOWN


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 5_000, "\ufeff{}", "{", "[1,]", "NaN", '{"a": -Infinity}', "\x00"]
)
def test_a_hostile_json_is_an_error_of_a_few_lines(text: str) -> None:
    with pytest.raises(UserError) as caught:
        load_json("baseline.json", text)
    assert str(caught.value).startswith("baseline.json")
    assert len(str(caught.value)) < 3 * MAX_SHOWN


def test_a_key_of_as_many_parts_as_allowed_is_read() -> None:
    text = "a." * (MAX_KEY_PARTS - 1) + "a = 1"
    assert load_toml("t", text)["a"]


def test_a_prose_string_with_many_sentences_is_no_long_key() -> None:
    assert load_toml("t", "why = '" + "It is so. " * 500 + "'")


def test_json_is_read_with_its_place() -> None:
    assert load_json("b.json", '{"a": [1]}') == {"a": [1]}
    with pytest.raises(UserError, match=r"b\.json:2:1: not valid JSON"):
        load_json("b.json", '{"a":\n}')


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes("a = 'ü'\r\n".encode())
    assert read_text(str(file)) == "a = 'ü'\r\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = 1\nb = '\xff'\n", "byte 11 is 0xff"),
        (b"\xef\xbb\xbfa = 1", "byte order mark"),
        ("a = 1".encode("utf-16"), "UTF-16"),
        (b" " * (MAX_TEXT_BYTES + 1), "larger than 1,048,576 bytes"),
    ],
)
def test_a_file_that_is_no_text_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=words):
        read_text(str(file))


def test_a_byte_that_is_not_utf8_has_a_place(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes("ü = 1\nä = '".encode() + b"\xff'")
    with pytest.raises(UserError) as caught:
        read_text(str(file))
    assert str(caught.value.place).endswith("a.toml:2:6")


def test_a_path_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, words in [(tmp_path / "none", "no such file"), (tmp_path, "a folder"), ("a\x00b", "NUL")]:
        with pytest.raises(UserError, match=words):
            read_text(str(path))


@pytest.mark.security
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.toml", tmp_path / "link.toml"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    for path, words in [(pipe, "it is a named pipe, not a file"), (link, "it is a device, not a file")]:
        with pytest.raises(UserError, match=words):
            read_text(str(path))


@pytest.mark.security
def test_of_a_file_that_is_too_large_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(UserError, match="larger than 1,048,576 bytes"):
        read_text(str(file))


def test_places_that_are_not_wanted_are_left_out() -> None:
    everything = locate(DOCUMENT)
    for path, span in everything.items():
        assert locate(DOCUMENT, {path}) == {path: span}


def test_a_shown_line_is_short_and_safe_for_a_terminal() -> None:
    assert source_line("a\nb\x1b[2J\tc\r\n", 2) == "b\N{REPLACEMENT CHARACTER}[2J\tc"
    assert len(source_line("x" * 10_000, 1)) == MAX_SHOWN + 1
    assert source_line("x" * 10_000, 1, MAX_SHOWN + 1) == ""
    assert source_line("a", 5) == ""


# --- verdict --------------------------------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 2.5]), st.text("ab", max_size=3)
)
NAMES = st.sampled_from(["a", "b", "ab"])
DATA = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=6)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
PATTERNS = st.sampled_from(["^a", "b$", "^[ab]+$", "aa"])
SIZES = st.integers(0, 3)
PLAIN_KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(DATA, min_size=1, max_size=4),
    "const": DATA,
    "pattern": PATTERNS,
    **dict.fromkeys(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"], SIZES),
    **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], st.integers(-2, 2)),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two"]),
    "title": st.just("x"),
}


def keywords_with(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        **dict.fromkeys(["additionalProperties", "propertyNames", "items", "not", "if", "then", "else"], inner),
        **dict.fromkeys(["anyOf", "oneOf", "allOf", "prefixItems"], st.lists(inner, min_size=1, max_size=3)),
    }


def some_of(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


LEAF_SCHEMAS = st.booleans() | some_of({k: v for k, v in PLAIN_KEYWORDS.items() if k != "$ref"})
SCHEMAS = st.recursive(
    st.booleans() | some_of(PLAIN_KEYWORDS),
    lambda inner: some_of({**PLAIN_KEYWORDS, **keywords_with(inner)}),
    max_leaves=6,
)


@given(SCHEMAS, LEAF_SCHEMAS, LEAF_SCHEMAS, DATA)
@settings(max_examples=200, deadline=None)
def test_the_verdict_is_that_of_jsonschema(schema: Any, one: Any, two: Any, data: Any) -> None:
    if isinstance(schema, dict):
        schema = {**schema, "$defs": {"one": one, "two": two}}
    assert is_valid(data, schema) == jsonschema.Draft202012Validator(schema).is_valid(data)


@given(SCHEMAS, LEAF_SCHEMAS, DATA)
@settings(max_examples=150, deadline=None)
def test_whatever_is_invalid_is_explained(schema: Any, one: Any, data: Any) -> None:
    whole = {"allOf": [schema], "$defs": {"one": one, "two": one}}
    if is_valid(data, whole):
        check(data, whole, path="x.json")
        return
    with pytest.raises(UserError) as caught:
        check(data, whole, path="x.json")
    assert len(str(caught.value)) < 3 * MAX_SHOWN


def test_types_are_jsons() -> None:
    assert are_equal(1, 1.0) and not are_equal(1, True) and not are_equal([0], [False])
    assert is_valid(2.0, {"type": "integer"}) and not is_valid(True, {"type": ["integer", "number"]})
    assert not is_valid(datetime.date(2026, 1, 1), {"type": "string"})
    assert is_valid(math.nan, {"minimum": 1})
    assert find_repeated([{"a": [1]}, 1, True, {"a": [1.0]}]) == 3


@pytest.mark.parametrize(
    "schema", [{"multipleOf": 2}, {"properties": {"a": {"format": "date"}}}, {"$ref": "other.json"}]
)
def test_an_unknown_keyword_is_a_type_error(schema: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="not supported"):
        is_valid({"a": 1}, schema)


@given(SCHEMAS, LEAF_SCHEMAS, LEAF_SCHEMAS, DATA)
@settings(max_examples=200, deadline=None)
def test_every_mistake_is_one_that_jsonschema_finds(schema: Any, one: Any, two: Any, data: Any) -> None:
    if isinstance(schema, dict):
        schema = {**schema, "$defs": {"one": one, "two": two}}
    theirs = {str(error.validator or "") for error in jsonschema.Draft202012Validator(schema).iter_errors(data)}
    ours = {mistake.keyword for mistake in first_mistakes(data, schema)}
    assert ours - {""} <= theirs  # jsonschema names the keyword around a schema `false`
    assert bool(ours) == bool(theirs)


@pytest.mark.security
def test_mistakes_are_looked_for_until_there_are_enough() -> None:
    """An unknown keyword is noticed when it is met: no entry behind the first mistakes is."""
    data = [1] * MAX_MISTAKES + [{"a": 1}] * 100_000
    entries = {"items": {"type": "string", "properties": {"a": {"unknown keyword": 1}}}}
    assert len(first_mistakes(data, entries)) == MAX_MISTAKES
    either = {"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "null"}}]}
    assert len(first_mistakes(data, either)[0].alternatives) == 2 * MAX_MISTAKES


@pytest.mark.security
def test_nothing_in_a_list_that_is_too_long_is_looked_at() -> None:
    schema = {"items": {"type": "string"}, "maxItems": 3}
    assert [mistake.keyword for mistake in first_mistakes([1, 2, 3, 4], schema)] == ["maxItems"]
    assert [mistake.keyword for mistake in first_mistakes([1, 2, 3], schema)] == ["type"] * 3


def lists_and_tables(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of a schema about lists and about tables of any keys, with their paths."""
    if isinstance(schema, dict):
        if "items" in schema or isinstance(schema.get("additionalProperties"), dict):
            yield path, schema
        for key, inner in schema.items():
            yield from lists_and_tables(inner, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from lists_and_tables(inner, f"{path}/{index}")


#: Tables whose keys a rule's author chooses: what is in them is not looked at.
FREE = {"/properties/tables/additionalProperties"}


@pytest.mark.security
@pytest.mark.parametrize("name", ["config", "contract", "rule", "baseline"])
def test_every_list_and_table_of_a_users_file_has_a_limit_that_comes_before_its_entries(name: str) -> None:
    found = {path: schema for path, schema in lists_and_tables(json_schema(name)) if path not in FREE}
    assert found
    for path, schema in found.items():
        keys = list(schema)
        count, entries = ("maxItems", "items") if "items" in keys else ("maxProperties", "additionalProperties")
        assert count in keys, f"{path} has no limit"
        first = min(keys.index(key) for key in (entries, "propertyNames") if key in keys)
        assert keys.index(count) < first, f"{path}: the limit is checked too late"


@pytest.mark.security
def test_a_long_list_is_refused_by_its_length() -> None:
    text = "select = [" + "1," * 500_000 + "]"
    with pytest.raises(UserError, match="'select' is a list of 500,000 entries, but must have at most 1,000 entries"):
        check(load_toml("t", text), json_schema("config"), path="t", text=text)


def test_a_valid_file_imports_nothing_that_explains() -> None:
    code = (
        "import sys; from tflint.userfiles.schema_errors import check; from tflint.userfiles.userfile import load_toml;"
        "check(load_toml('t', 'a = 1'), {'required': ['a']}, path='t', text='a = 1');"
        "sys.exit(any(name in sys.modules for name in ('tflint.userfiles.schema_mistakes', 'jsonschema', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- explanations ---------------------------------------------------------------------------------------------------

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "select": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]+[0-9]*$"}, "uniqueItems": True},
        "fail-on": {"type": "string", "enum": ["error", "warning", "note", "never"]},
        "jobs": {"type": "integer", "minimum": 1},
        "color": {"type": ["string", "boolean"]},
        "until": {"type": "string"},
        "paths": {"anyOf": [{"type": "string"}, {"type": "array"}]},
        "rules": {"type": "array", "minItems": 1},
        "exclude": {"type": "string", "minLength": 1, "description": "A glob of files to leave out."},
        "ids": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$", "description": "Capitals only."}},
        "quiet": {"type": "object", "not": {"required": ["a", "b"]}},
        "size": {"type": "object", "oneOf": [{"required": ["bytes"]}, {"required": ["lines"]}]},
        "gone": False,
        "rule": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
    },
    "$defs": {
        "rule": {
            "type": "object",
            "required": ["id", "require"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "require": {"type": "string", "description": "What must hold."},
                "severity": {"enum": ["error", "warning", "note"]},
                "edit": {"type": "object", "additionalProperties": {"type": "array"}},
                "page": {"type": "object", "properties": {"why": {"type": "string"}}, "additionalProperties": False},
            },
        }
    },
}


def explained(text: str, **options: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        check(tomllib.loads(text), SCHEMA, path="tflint.toml", text=text, what="configuration", **options)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ('selct = ["Q"]', "1:1", "unknown key 'selct' in the configuration", "did you mean 'select'?"),
        ("\nfail-on = 3", "2:11", "'fail-on' must be a string, not a number", ""),
        ("fail-on = 'fatal'", "1:12", "'fail-on' is 'fatal', but must be one of error, warning, note, never", ""),
        ("fail-on = 'Warnings'", "1:12", None, "did you mean 'warning'?"),
        ("[[rule]]\nid = 'Q001'", "1:3", "missing key 'require' in rule 'Q001'", "require: What must hold."),
        ("[[rule]]", "1:3", "missing keys 'id', 'require' in 'rule[0]'", ""),
        (
            "[[rule]]\nid = 'Q1'\nrequires = 'x'",
            "3:1",
            "unknown key 'requires' in rule 'Q1'",
            "did you mean 'require'?",
        ),
        (
            "[[rule]]\nid = 'Q1'\nrequire = ''\nseverity = \"fatal\"",
            "4:13",
            "'severity' is 'fatal', but must be one of error, warning, note",
            "",
        ),
        (
            "[[rule]]\nid = 'Q1'\nrequire = ''\npage.zz = 1",
            "4:6",
            "unknown key 'zz' in 'page' of rule 'Q1'",
            "allowed keys: why",
        ),
        (
            "[[rule]]\nid = 'Q1'\nrequire = ''\nedit = {'a.b' = 'x'}",
            "4:18",
            "'a.b' must be a list, not a string",
            "put the value in brackets: ['x']",
        ),
        ('select = ["Q1", "q2"]', "1:18", "'select[1]' is 'q2', but must match the pattern ^[A-Z]+[0-9]*$", ""),
        ('select = ["Q1", "Q2", "Q1"]', "1:24", "'select' has 'Q1' more than once", ""),
        ("select = 'Q1'", "1:11", "'select' must be a list, not a string", "put the value in brackets: ['Q1']"),
        ("jobs = 0", "1:8", "'jobs' is 0, but must be at least 1", ""),
        ("jobs = 1.5", "1:8", "'jobs' must be an integer, not 1.5", ""),
        ("jobs = '4'", "1:9", "'jobs' must be an integer, not a string", "remove the quotes around the number"),
        ("jobs = true", "1:8", "'jobs' must be an integer, not true", ""),
        ("color = 1", "1:9", "'color' must be a string or true or false, not a number", ""),
        ("until = 2026-01-31", "1:9", None, 'put the date in quotes: "2026-01-31"'),
        ("paths = 1", "1:9", "'paths' must be a string or a list, not a number", ""),
        ("rules = []", "1:9", "'rules' is a list of 0 entries, but must have at least 1 entry", ""),
        ("exclude = ''", "1:12", "'exclude' is '', but must not be empty", "A glob of files to leave out."),
        ("[ids]\nab = 1", "2:1", "invalid key 'ab' in 'ids': it must match the pattern ^[A-Z]+$", "Capitals only."),
        ("quiet = {a = 1, b = 2}", "1:1", "the keys a, b cannot be combined in 'quiet'", ""),
        ("size = {}", "1:1", "exactly one of the keys bytes, lines is required in 'size'", ""),
        ("size = {bytes = 1, lines = 1}", "1:1", "exactly one of the keys bytes, lines is required in 'size'", ""),
        ("gone = 'x'", "1:1", "'gone' is not allowed here", ""),
        ("rule = 1", "1:8", "'rule' must be a list, not a number", ""),
    ],
)
def test_an_error_in_words(text: str, place: str, message: str | None, hint: str) -> None:
    error = explained(text)
    assert str(error.place) == f"tflint.toml:{place}"
    assert message is None or error.message == message
    assert error.hint == hint


def test_an_error_shows_its_line_with_the_value_marked() -> None:
    assert str(explained('jobs = 2\nfail-on = "fatl"')).splitlines()[1:3] == [
        '  fail-on = "fatl"',
        "             ^^^^",
    ]


def test_an_unknown_key_far_from_all_lists_the_allowed_ones() -> None:
    assert explained("zzz = 1").hint.startswith("allowed keys: select, fail-on, jobs")


def test_the_first_error_of_a_file_is_told() -> None:
    assert explained("jobs = 0\ncolor = 1\nfail-on = 'x'").message.startswith("'jobs'")


def test_a_part_of_a_file_has_its_place_in_the_whole() -> None:
    text = "[project]\nname = 'x'\n[tool.tflint]\nselct = []"
    with pytest.raises(UserError) as caught:
        check(tomllib.loads(text)["tool"]["tflint"], SCHEMA, path="p", text=text, prefix=("tool", "tflint"))
    assert str(caught.value.place) == "p:4:1"


def test_json_has_the_path_in_the_message() -> None:
    with pytest.raises(UserError) as caught:
        check({"rule": [{"id": "Q1", "require": "", "severity": 3}]}, SCHEMA, path="r.json")
    assert caught.value.message.endswith("(at rule[0].severity)")
    assert str(caught.value.place) == "r.json"


def test_long_values_and_many_choices_are_cut() -> None:
    error = explained(f"fail-on = '{'x' * 10_000}'")
    assert len(str(error)) < 3 * MAX_SHOWN
    with pytest.raises(UserError, match=r"0, 1, .* and 976 more"):
        check("x", {"enum": list(range(1000))}, path="p")


@pytest.mark.parametrize(
    "text",
    ["jobs = 0x" + "f" * 10_000, "rule = " + "[" * 300 + "]" * 300, 'ids = {"\\u001b" = 1}', '"\\u001b[2J" = 1'],
)
def test_hostile_values_are_explained(text: str) -> None:
    with pytest.raises(UserError) as caught:
        check(load_toml("p", text), {**SCHEMA, "enum": [0]}, path="p", text=text)
    assert len(str(caught.value)) < 3 * MAX_SHOWN
    assert "\x1b" not in str(caught.value)


def test_data_too_deep_to_check_is_an_error() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    schema = {"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}
    with pytest.raises(UserError, match="nested too deeply"):
        check(deep, schema, path="p")
