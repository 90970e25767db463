"""Collects the project's prose with its places: Markdown, docstrings, comments, messages, rule texts, schema texts."""

from __future__ import annotations

import ast
import functools
import io
import json
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.helpers.paths import ROOT

CODE = ("tflint", "tools", "benchmarks")
_FENCE = re.compile(r"^(\s*)(```+).*?^\1\2$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\([^)]*\)|<https?://[^>]*>|https?://\S+")
#: Keys of rules that contain prose.
_RULE_TEXTS = ("message", "summary", "why", "fix", "limits", "note")


class Prose(NamedTuple):
    """A text with its kind (doc, docstring, comment, message, rule, schema) and place."""

    kind: str
    place: str
    text: str


@functools.cache
def all_prose() -> tuple[Prose, ...]:
    """Return all texts of the project that people read."""
    return (*_documents(), *_code(), *_rules(), *_schemas())


def _documents() -> Iterator[Prose]:
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")]):
        text = _LINK.sub("]", _INLINE.sub("code", _FENCE.sub("", path.read_text(encoding="utf-8"))))
        yield Prose("doc", path.relative_to(ROOT).as_posix(), text)


def _code() -> Iterator[Prose]:
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        place = path.relative_to(ROOT).as_posix()
        docstrings = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text is not None:
                    constant = node.body[0].value  # type: ignore[attr-defined]
                    docstrings.add(constant)
                    yield Prose("docstring", f"{place}:{constant.lineno}", _INLINE.sub("code", text))
        for node in ast.walk(ast.parse(source)):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_sentence(node.value)
            if is_text and node.lineno not in {constant.lineno for constant in docstrings}:
                yield Prose("message", f"{place}:{node.lineno}", node.value)
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                text = token.string.lstrip("#: ")
                yield Prose("comment", f"{place}:{token.start[0]}", _INLINE.sub("code", text))


def python_files() -> list[Path]:
    """Return the Python files of the package and its tools."""
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= 3 and "import " not in text


def _rules() -> Iterator[Prose]:
    for path in sorted((ROOT / "rules").glob("*/*.toml")):
        place = path.relative_to(ROOT).as_posix()
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for text in _texts([*data.get("rule", ()), *data.get("family", ())]):
            yield Prose("rule", place, re.sub(r"\{[^}]*\}", "x", text))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                if key in _RULE_TEXTS:
                    yield item
            else:
                yield from _texts(item)


def _schemas() -> Iterator[Prose]:
    for path in sorted((ROOT / "schemas").glob("*.json")):
        for text in re.findall(r'"description": ("(?:[^"\\]|\\.)*")', path.read_text(encoding="utf-8")):
            yield Prose("schema", path.relative_to(ROOT).as_posix(), json.loads(text))
