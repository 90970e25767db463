"""The project's prose and names: phrases to avoid, rule names, docstrings, function names, and the glossary."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.prose import Prose, all_prose, python_files
from tflint.catalog import builtin_catalog
from tools.new_rule import fault_of, naming

PHRASES = tomllib.loads((ROOT / "tests" / "project" / "writing.toml").read_text(encoding="utf-8"))["phrase"]
#: Words with which the docstring of a function does not start: it states what the function does.
NO_VERBS = frozenset(["what", "which", "how", "where", "whether", "who", "whose", "none", "nothing"])
#: Single words that end like participles, but are verbs or nouns.
NO_PARTICIPLES = frozenset({"embed", "feed", "need", "seed", "speed"})
#: Participles and verbs of speech that say nothing about what a function does.
PARTICIPLES = frozenset(
    [
        "told",
        "taken",
        "said",
        "made",
        "given",
        "found",
        "broken",
        "written",
        "held",
        "shown",
        "known",
        "seen",
        "kept",
        "left",
        "gone",
    ]
)


def matches(phrase: dict, prose: Prose) -> list[str]:
    if prose.kind not in phrase.get("kinds", (prose.kind,)):
        return []
    text = prose.text
    for allowed in phrase.get("except", ()):
        text = text.replace(allowed, "")
    return [match[0] for match in re.finditer(phrase.get("british", phrase["pattern"]), text, re.IGNORECASE)]


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase["reason"])
def test_no_text_contains_a_phrase_to_avoid(phrase):
    found = [f"{prose.place}: {match}" for prose in all_prose() for match in matches(phrase, prose)]
    assert found == [], phrase["reason"]


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ('"is not a X", not "is no X"', "'x' is no model that can be read"),
        ('"if" or "when" for conditions; "where" is for places', "None where there is none"),
        ("rules report or do not report", "the rule stays silent"),
        ('"one per channel"', "scales, one a channel"),
        ("American spelling", "the colour of a channel"),
    ],
)
def test_the_phrases_are_found(phrase, text):
    (entry,) = (entry for entry in PHRASES if entry["reason"] == phrase)
    assert matches(entry, Prose("docstring", "here", text))
    assert not matches(entry, Prose("docstring", "here", "Return the scale per channel, or None if there is no color."))


@pytest.mark.parametrize("kinds", [("doc", "docstring"), ("message", "comment"), ("rule",), ("schema",)])
def test_conditions_use_if_and_when(kinds):
    words = Counter(
        word
        for prose in all_prose()
        if prose.kind in kinds
        for word in re.findall(r"\b(where|if|when)\b", prose.text.lower())
    )
    assert words["where"] / words.total() < 0.25, words


def test_rule_names_are_a_subject_and_a_fault():
    things = naming("things")
    for rule in builtin_catalog().rules:
        fault = fault_of(rule.name)
        assert fault or rule.name in things, rule.name
        words = rule.name.removesuffix(f"-{fault}").split("-") if fault else rule.name.split("-")
        assert 1 <= len(words) <= 4, rule.name
    names = [rule.name for rule in builtin_catalog().rules]
    assert len(set(names)) == len(names)
    assert things.keys() <= set(names)


def test_every_fault_is_used_and_no_retired_id():
    rules = builtin_catalog().rules
    assert {fault_of(rule.name) for rule in rules} - {""} == naming("faults").keys()
    assert not naming("retired").keys() & {rule.id for rule in rules}
    assert set(naming("retired").values()) <= {rule.id for rule in rules}


def functions():
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node


def is_property(node: ast.FunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_docstrings_of_functions_state_what_they_do():
    wrong = []
    for place, node in functions():
        text = ast.get_docstring(node)
        if text is None or is_property(node):
            continue
        if text.split()[0].strip(",;:").lower() in NO_VERBS:
            wrong.append(f"{place} {text.splitlines()[0]}")
    assert wrong == []


def test_functions_are_not_named_by_participles():
    wrong = []
    for place, node in functions():
        name = node.name.strip("_")
        if is_property(node) or "_" in name:
            continue
        if name in PARTICIPLES or (name.endswith("ed") and name not in NO_PARTICIPLES):
            wrong.append(f"{place} {node.name}")
    assert wrong == []


def test_the_glossary_defines_the_terms():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    defined = {term.strip() for line in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for term in line.split(",")}
    # The terms of the project itself, as DESIGN and README use them.
    ours = (
        "rule", "finding", "location", "fact", "column", "table", "contract", "report", "suppression", "baseline",
        "target", "runtime", "refused", "not checked", "fingerprint", "ruleset", "container", "member", "metadata",
        "interface", "scheme", "scale", "zero point", "calibrated range", "kernel", "delegate", "client code", "draft",
        "preprocessing", "normalization", "recipe", "importer", "absent", "unknown", "named model", "plugin", "summary",
    )  # fmt: skip
    assert set(ours) <= defined
    for page in ("README.md", "docs/rules/README.md"):
        assert "glossary.md" in (ROOT / page).read_text(encoding="utf-8"), page


def test_module_names_are_unique():
    names = Counter(path.name for path in (ROOT / "tflint").rglob("*.py") if not path.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []
    tests = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in tests.items() if count > 1] == []


def test_no_test_module_imports_another():
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests."):
                assert not re.search(r"(^|\.)(test_\w+|conftest)$", node.module), path
