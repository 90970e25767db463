"""Indexes of the built-in rules for the documentation: by category, by error text and by failure class."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tflint.catalog.rule import CATEGORIES, Rule
from tflint.catalog.rule_loader import builtin_catalog
from tflint.catalog.rule_pages import severity_text
from tflint.resources import table

_GENERATED = "Generated from the rule files; do not edit."
#: A quotation in a rule's `why`: the error text of a runtime or tool.
_QUOTED = re.compile(r'"([^"]{12,})"')


def index_pages() -> dict[str, str]:
    """Return the names and texts of the index pages in the folder of the rule pages."""
    rules = builtin_catalog().rules
    return {"README.md": _index_by_category(rules), "by-error-text.md": _index_by_error_text(rules)}


def failure_classes_page() -> str:
    """Return the page of failure classes, with the rules of each."""
    rules: dict[str, list[str]] = {}
    for rule in builtin_catalog().rules:
        rules.setdefault(rule.failure_class, []).append(f"[{rule.id}](rules/{rule.id}.md)")
    classes = table("failure_classes")["classes"]
    rows = [
        f"| {name} | {entry['name']} | {entry['category']} | {', '.join(rules.get(name, ['–']))} |"
        for name, entry in sorted(classes.items())
    ]
    n_covered = sum(name in rules for name in classes)
    text = (
        f"The ways in which models are known to fail, and the rules that report them. {n_covered} of {len(classes)} "
        "have a rule; a dash means that there is none yet."
    )
    head = ["# Failure classes", "", _GENERATED, "", text, ""]
    return "\n".join([*head, "| class | name | category | rules |", "|---|---|---|---|", *rows]) + "\n"


def error_texts(rule: Rule) -> list[str]:
    """Return the error texts that a rule quotes, with `…` in place of their variable parts."""
    return _QUOTED.findall(rule.why)


def _index_by_category(rules: Sequence[Rule]) -> str:
    parts = [
        "# Rules",
        _GENERATED,
        "Rules by category. [by-error-text.md](by-error-text.md) lists the error texts of runtimes with the rules that "
        "predict them; the [glossary](../glossary.md) explains the terms.",
    ]
    for category in CATEGORIES.values():
        of_category = [rule for rule in rules if rule.category == category]
        if of_category:
            rows = [
                f"| [{rule.id}]({rule.id}.md) | {rule.name} | {severity_text(rule)} | {rule.summary} |"
                for rule in of_category
            ]
            head = ["| id | name | severity | what it finds |", "|---|---|---|---|"]
            parts.append(f"## {category.capitalize()}\n\n" + "\n".join([*head, *rows]))
    return "\n\n".join(parts) + "\n"


def _index_by_error_text(rules: Sequence[Rule]) -> str:
    by_text: dict[str, list[Rule]] = {}
    for rule in rules:
        for text in error_texts(rule):
            by_text.setdefault(text, []).append(rule)
    rows = [
        f"| {text} | {', '.join(f'[{rule.id}]({rule.id}.md) {rule.name}' for rule in found)} |"
        for text, found in sorted(by_text.items(), key=lambda entry: entry[0].lower())
    ]
    head = [
        "# Rules by error text",
        "",
        _GENERATED,
        "",
        "Messages of runtimes and tools, and the rules that predict them. `…` stands for a part that differs.",
        "",
        "| error text | rule |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"
