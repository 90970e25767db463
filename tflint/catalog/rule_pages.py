"""Builds the page of a rule, with the same text for the documentation, `tflint explain` and SARIF."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.catalog.rule import Example, Rule
from tflint.catalog.rule_loader import builtin_catalog, builtin_files

_PROJECT = "tflite-lint"


def page(rule: Rule, examples: Sequence[Example]) -> str:
    """Return the page of a rule in Markdown."""
    status = "" if rule.status == "stable" else f" · {rule.status}"
    since = f" · since ruleset {rule.since}" if rule.since else ""
    parts = [
        f"# {rule.id} {rule.name}",
        f"{severity_text(rule)} · confidence {rule.confidence} · {rule.category}{since}{status}",
        help_markdown(rule),
        *_examples(examples),
        *_references(rule),
    ]
    return "\n\n".join(parts) + "\n"


def severity_text(rule: Rule) -> str:
    """Return the severity of a rule and the different severities on some runtimes: `warning, error on tflm`."""
    return ", ".join([rule.severity, *(f"{value} on {name}" for name, value in rule.severity_by_runtime.items())])


def help_markdown(rule: Rule) -> str:
    """Return the sections of a page in Markdown: what the rule does, why, fix, suppression, limits, condition."""
    sections = [
        f"## What it does\n\n{rule.summary}",
        f"## Why is this bad\n\n{rule.why}",
        f"## How to fix it\n\n{_sentence(rule.fix)}",
        f"## How to suppress it\n\n`{suppress_command(rule)}`",
    ]
    if rule.refused_by:
        runs = f" Runs on {', '.join(rule.runs_on)}." if rule.runs_on else ""
        sections.append(f"## Runtimes\n\nRefused by {', '.join(rule.refused_by)}.{runs}")
    if rule.limits:
        sections.append(f"## Limits\n\n{rule.limits}")
    sections.append(f"## The rule\n\n{_condition(rule)}")
    return "\n\n".join(sections)


def help_text(rule: Rule) -> str:
    """Return the short help of a rule as text without Markdown."""
    parts = [rule.summary, rule.why, f"Fix: {full_stop(rule.fix)}", f"Limits: {rule.limits}" if rule.limits else ""]
    return "\n".join(part for part in parts if part)


def suppress_command(rule: Rule) -> str:
    """Return the command that suppresses the rule's findings for a model."""
    return f"tflint allow {rule.id} MODEL --reason TEXT"


def full_stop(text: str) -> str:
    """Return a text on one line with a full stop at its end."""
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."


def _sentence(text: str) -> str:
    return text[:1].upper() + full_stop(text[1:])


def _condition(rule: Rule) -> str:
    lines = [f"for each {rule.for_each}"]
    if rule.where is not None:
        lines.append(f"where    {_indent(rule.where.text)}")
    lines.append(f"require  {_indent(rule.require.text)}")
    return "```text\n" + "\n".join(lines) + "\n```"


def _indent(text: str) -> str:
    return text.strip().replace("\n", "\n         ")


def _examples(examples: Sequence[Example]) -> list[str]:
    if not examples:
        return []
    return ["## Examples", "\n".join(f"- {_example(example)}{_contract(example)}" for example in examples)]


def _contract(example: Example) -> str:
    """Return the example's contract as a code block, indented so that it belongs to the example's list item."""
    lines = "".join(f"  {line}".rstrip() + "\n" for line in example.contract.strip().splitlines())
    return f"\n\n  ```toml\n{lines}  ```\n" if example.contract else ""


def _example(example: Example) -> str:
    places = ", ".join(f"`{place}`" for place in example.expect or ())
    verdict = "not reported" if example.expect is None else f"reported at {places}"
    changes = "; ".join(f"`{key}` = `{_value(value)}`" for key, value in example.edit.items())
    old = f" compared with `{example.old}`" if example.old else ""
    targets = f" for {', '.join(example.targets)}" if example.targets else ""
    note = f" ({example.note})" if example.note else ""
    return f"`{example.model}`" + (f" with {changes}" if changes else "") + f"{old}{targets}: {verdict}{note}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else str(value).replace("True", "true").replace("False", "false")


def _references(rule: Rule) -> list[str]:
    return ["## References", "\n".join(f"- <{url}>" for url in rule.references)] if rule.references else []


@functools.cache
def home_url() -> str:
    """Return the web address of the documentation from the project's metadata; empty if the metadata has none."""
    from importlib import metadata

    try:
        urls = metadata.metadata(_PROJECT).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named = dict(entry.split(", ", 1) for entry in urls if ", " in entry)
    return str(named.get("Documentation", "")).rstrip("/")


def page_url(rule_id: str) -> str:
    """Return the web address of a rule's page; empty if the documentation has no web address."""
    base = home_url()
    return f"{base}/rules/{rule_id}" if base else ""


@functools.cache
def builtin_examples() -> Mapping[str, tuple[Example, ...]]:
    """Return the examples of the built-in rules by rule id, read from the rule files (a run does not need them)."""
    from tflint.catalog.rule_compiler import compile_file

    found: dict[str, tuple[Example, ...]] = {}
    for path in builtin_files():
        found.update(compile_file(path, builtin=True).examples)
    return found


def rule_pages() -> dict[str, str]:
    """Return the names and texts of the pages of all built-in rules."""
    return {f"{rule.id}.md": page(rule, builtin_examples()[rule.id]) for rule in builtin_catalog().rules}
