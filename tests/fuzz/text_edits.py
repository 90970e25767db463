"""Mutations of a user's text that know TOML and JSON: of lines, of keys and values, of single characters.

Takes bytes and a random generator, returns mutated bytes; the same seed gives the same bytes. The first byte selects
the kind of text and rarely changes.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Callable, Sequence

from tests.fuzz.mutate import any_bytes
from tflint.resources import schemas_folder

#: A key, a value, or a sign: what a mutation replaces.
_TOKEN = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|\"(?:[^\"\\\n]|\\.)*\"|[\w.+-]+|[^\s\w]", re.DOTALL)
_VALUES = (
    "0", "-1", "1", "2", "255", "1e308", "-1e400", "nan", "inf", "-0.0", "0.5", "1_000", "0xff", "9" * 20, "9" * 5000,
    "true", "false", "null", "[]", "{}", "[[]]", "[1, 'a']", "{a = 1}", '{"a": 1}', '""', "''", '"x"', "'a.b'",
    '"\\u0000"', '"\\ud800"', "\'\'\'\n\'\'\'", '"""a\\\n b"""', "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00",
    '"2024-02-30"', '"2024-01-01\\n"', '"*"', '"**/"', '"**/**/**"', '"[!a]*"', '"RGB"', '"all"', '"Q001"', '"{name}"',
    '"count(shape) <= 6"', '"{"', '"((((("', '"a and"', '"lookup(t.k, 1)"', '"tensor"', '"https://x"',
    '"' + "x" * 500 + '"', '"' + "(" * 200 + '"', '"not ' * 3 + '"',
)  # fmt: skip
_CHARACTERS = (
    "\0", "\t", "\r", "\r\n", "\n", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "ü", "\U0001f600", '"',
    "'", "\\", "#", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", ":", "*", "?", "**/", "!/", "/", " ",
)  # fmt: skip
MAX_LINES = 300

Edit = Callable[[str, random.Random, Sequence[bytes]], str]


def mutated(content: bytes, generator: random.Random, donors: Sequence[bytes], max_size: int) -> bytes:
    """Return the text with one to four mutations."""
    kind, rest = content[:1] or b"\0", content[1:]
    if generator.randrange(50) == 0:
        kind = bytes([generator.randrange(5)])
    if generator.randrange(10) == 0:
        return (kind + any_bytes(rest, generator, donors, max_size))[:max_size]
    text = rest.decode("utf-8", "surrogateescape")
    for _ in range(generator.choice((1, 1, 2, 4))):
        text = generator.choice(EDITS)(text, generator, donors)
    return (kind + text.encode("utf-8", "surrogatepass"))[:max_size]


@functools.cache
def known_words() -> tuple[str, ...]:
    """Return the keys and values in the schemas of users' files."""
    found: set[str] = set()
    waiting = [json.loads((schemas_folder() / f"{name}.schema.json").read_bytes()) for name in _SCHEMAS]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= set(value.get("properties", {})) | {
                word for word in value.get("enum", ()) if isinstance(word, str)
            }
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return tuple(sorted(found))


_SCHEMAS = ("config", "contract", "rule", "baseline")


def _other_token(text: str, generator: random.Random, _donors: Sequence[bytes]) -> str:
    """Replace a key or value by a known word, an odd value, or another token of the text."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return generator.choice(_VALUES)
    token = generator.choice(tokens)
    word = generator.choice(known_words())
    new = generator.choice(
        (generator.choice(_VALUES), word, f'"{word}"', generator.choice(tokens)[0], "", token[0] * 2)
    )
    return text[: token.start()] + new + text[token.end() :]


def _other_lines(text: str, generator: random.Random, donors: Sequence[bytes]) -> str:
    """Delete, copy, swap or repeat a line, or insert lines of another text."""
    lines = text.splitlines(keepends=True)[:MAX_LINES] or [""]
    at, other = generator.randrange(len(lines)), generator.randrange(len(lines))
    match generator.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at:at] = [lines[at]] * generator.choice((10, 100))
        case _:
            foreign = generator.choice(donors)[1:].decode("utf-8", "replace").splitlines(keepends=True)
            begin = generator.randrange(len(foreign) or 1)
            lines[at:at] = foreign[begin : begin + generator.choice((1, 2, 8))]
    return "".join(lines)


def _odd_characters(text: str, generator: random.Random, _donors: Sequence[bytes]) -> str:
    at = generator.randrange(len(text) + 1)
    return (
        text[:at]
        + generator.choice(_CHARACTERS) * generator.choice((1, 1, 1, 3, 200))
        + text[at + generator.randrange(2) :]
    )


def _wrapped(text: str, generator: random.Random, _donors: Sequence[bytes]) -> str:
    """Put a value into brackets, repeat it in a list, or nest it."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text
    token = generator.choice(tokens)
    depth = generator.choice((1, 1, 2, 120))
    new = generator.choice((
        "[" * depth + token[0] + "]" * depth,
        "[" + f"{token[0]}, " * generator.choice((2, 20)) + "]",
        "{ a = " * depth + token[0] + " }" * depth,
        ".".join([token[0]] * generator.choice((2, 40))),
    ))  # fmt: skip
    return text[: token.start()] + new + text[token.end() :]


def _cut(text: str, generator: random.Random, _donors: Sequence[bytes]) -> str:
    at, end = sorted(generator.randrange(len(text) + 1) for _ in range(2))
    return generator.choice((text[:at], text[at:], text[:at] + text[end:]))


EDITS: tuple[Edit, ...] = (
    _other_token, _other_token, _other_token, _other_token, _other_lines, _other_lines, _odd_characters, _wrapped, _cut,
)  # fmt: skip
