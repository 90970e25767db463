"""A rule's page: the same text on the web, in `tflint explain` and in SARIF.

`python -m tflint.catalog.rule_pages FOLDER` compiles the built-in rules and writes their pages.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tflint.catalog.rule import Example, Rule
from tflint.catalog.rule_loader import builtin_catalog, builtin_files, write_compiled
from tflint.resources import table

_PROJECT = "tflite-lint"


def page(rule: Rule, examples: Sequence[Example]) -> str:
    """The page in Markdown."""
    status = "" if rule.status == "stable" else f" · {rule.status}"
    since = f" · since ruleset {rule.since}" if rule.since else ""
    head = [
        f"# {rule.id} {rule.name}",
        f"{severity_text(rule)} · confidence {rule.confidence} · {rule.category}{since}{status}",
        help_markdown(rule),
    ]
    return "\n\n".join([*head, *_examples(examples), *_references(rule)]) + "\n"


def severity_text(rule: Rule) -> str:
    """Return the severity, with those that differ by runtime: `warning, error on tflm`."""
    return ", ".join([rule.severity, *(f"{value} on {name}" for name, value in rule.severity_by_runtime.items())])


def help_markdown(rule: Rule) -> str:
    """What it does, why it is bad, how to fix it, and its limits, in Markdown."""
    sections = [
        f"## What it does\n\n{rule.summary}",
        f"## Why is this bad\n\n{rule.why}",
        f"## How to fix it\n\n{_sentence(rule.fix)}",
    ]
    if rule.refused_by:
        runs = f" Runs on {', '.join(rule.runs_on)}." if rule.runs_on else ""
        sections.append(f"## Runtimes\n\nRefused by {', '.join(rule.refused_by)}.{runs}")
    if rule.limits:
        sections.append(f"## Limits\n\n{rule.limits}")
    sections.append(f"## The rule\n\n{_condition(rule)}")
    return "\n\n".join(sections)


def help_text(rule: Rule) -> str:
    """The same without Markdown, in short."""
    parts = [rule.summary, rule.why, f"Fix: {full_stop(rule.fix)}", f"Limits: {rule.limits}" if rule.limits else ""]
    return "\n".join(part for part in parts if part)


def _sentence(text: str) -> str:
    return text[:1].upper() + full_stop(text[1:])


def full_stop(text: str) -> str:
    """A text on one line with a full stop at its end."""
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."


def _condition(rule: Rule) -> str:
    lines = [f"for each {rule.for_each}"]
    if rule.where is not None:
        lines.append(f"where    {_indented(rule.where.text)}")
    lines.append(f"require  {_indented(rule.require.text)}")
    return "```text\n" + "\n".join(lines) + "\n```"


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n         ")


def _examples(examples: Sequence[Example]) -> list[str]:
    if not examples:
        return []
    return ["## Examples", "\n".join(f"- {_example(example)}{_contract(example)}" for example in examples)]


def _contract(example: Example) -> str:
    """An example's contract, as a block of the list's entry."""
    lines = "".join(f"  {line}".rstrip() + "\n" for line in example.contract.strip().splitlines())
    return f"\n\n  ```toml\n{lines}  ```\n" if example.contract else ""


def _example(example: Example) -> str:
    verdict = "silent" if example.expect is None else "speaks of " + ", ".join(f"`{place}`" for place in example.expect)
    changes = "; ".join(f"`{key}` = `{_value(value)}`" for key, value in example.edit.items())
    old = f" after `{example.old}`" if example.old else ""
    targets = f" for {', '.join(example.targets)}" if example.targets else ""
    note = f" ({example.note})" if example.note else ""
    return f"`{example.model}`" + (f" with {changes}" if changes else "") + f"{old}{targets}: {verdict}{note}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else str(value).replace("True", "true").replace("False", "false")


def _references(rule: Rule) -> list[str]:
    return ["## References", "\n".join(f"- <{url}>" for url in rule.references)] if rule.references else []


@functools.cache
def home_url() -> str:
    """The documentation's address in the project's own metadata; empty while the project has none."""
    from importlib import metadata

    try:
        urls = metadata.metadata(_PROJECT).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named = dict(entry.split(", ", 1) for entry in urls if ", " in entry)
    return str(named.get("Documentation", "")).rstrip("/")


def page_url(rule_id: str) -> str:
    """The address of a rule's page; empty while the project has no home on the web."""
    base = home_url()
    return f"{base}/rules/{rule_id}" if base else ""


@functools.cache
def builtin_examples() -> Mapping[str, tuple[Example, ...]]:
    """The examples of the built-in rules by id: read from their files, since a run does not need them."""
    from tflint.catalog.rule_compiler import compile_file

    found: dict[str, tuple[Example, ...]] = {}
    for path in builtin_files():
        found.update(compile_file(path, builtin=True).examples)
    return found


def write_pages(folder: Path) -> None:
    """Write a page for each built-in rule, an index, and beside the folder the page of failure classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in all_pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder.parent / "failure-classes.md").write_text(classes_page(), encoding="utf-8")


def classes_page() -> str:
    """The text of the page on failure classes: which rules speak of each, and which classes have none."""
    rules: dict[str, list[str]] = {}
    for rule in builtin_catalog().rules:
        rules.setdefault(rule.failure_class, []).append(f"[{rule.id}](rules/{rule.id}.md)")
    classes = table("failure_classes")["classes"]
    rows = [
        f"| {name} | {entry['name']} | {entry['category']} | {', '.join(rules.get(name, ['–']))} |"
        for name, entry in sorted(classes.items())
    ]
    covered = sum(name in rules for name in classes)
    text = (
        "Ways in which models fail, as far as they are known here, and the rules that speak of them. "
        f"{covered} of {len(classes)} have a rule; a dash is a class without one yet."
    )
    head = ["# Failure classes", "", "Made from the rule files; do not edit.", "", text, ""]
    return "\n".join([*head, "| class | name | category | rules |", "|---|---|---|---|", *rows]) + "\n"


def all_pages() -> dict[str, str]:
    """File names and texts of the pages of all built-in rules, and of their index."""
    rules = builtin_catalog().rules
    pages = {f"{rule.id}.md": page(rule, builtin_examples()[rule.id]) for rule in rules}
    rows = [f"| [{rule.id}]({rule.id}.md) | {rule.name} | {severity_text(rule)} | {rule.summary} |" for rule in rules]
    head = ["# Rules", "", "Made from the rule files; do not edit.", ""]
    columns = ["| id | name | severity | what it finds |", "|---|---|---|---|"]
    pages["README.md"] = "\n".join([*head, *columns, *rows]) + "\n"
    return pages


if __name__ == "__main__":
    write_compiled()
    write_pages(Path(sys.argv[1]))
