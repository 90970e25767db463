"""Test the concise format: one line per finding, which the problem matchers of the documentation parse."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import tflint
from tests.helpers.paths import ROOT
from tests.helpers.report_readers import concise_place
from tests.helpers.reports import finding, report
from tflint.findings import FileReport, Location, TextSpan
from tflint.report.concise_report import render
from tflint.report.text_layout import Style

QUIET = Style(quiet=True)
PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def lines_of(*findings: Any, **options: Any) -> list[str]:
    return render(report(*findings, **options), QUIET).splitlines()


def problem_matchers(owner: str) -> list[dict[str, Any]]:
    """The problem matchers of the documentation in the JSON block that contains a word."""
    (block,) = [text for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if owner in text]
    data = json.loads(block)
    tasks = data.get("tasks")
    matchers: list[dict[str, Any]] = tasks[0]["problemMatcher"] if tasks else data["problemMatcher"]
    return matchers


def parsed(matcher: dict[str, Any], line: str) -> dict[str, str | None] | None:
    """What a matcher reads from a line, by the names of its groups."""
    pattern = matcher["pattern"][0] if isinstance(matcher["pattern"], list) else matcher["pattern"]
    found = re.match(pattern["regexp"], line)
    return {key: found[group] for key, group in pattern.items() if isinstance(group, int)} if found else None


def test_a_finding_is_a_line_with_file_severity_rule_name_message_and_place():
    (line,) = lines_of(finding(message="scale\n  is 0"))
    assert re.fullmatch(r"\S+\.tflite: error Q001 bias-scale-mismatch: scale is 0 \[at .+\]", line)


def test_the_place_of_a_finding_about_a_file_is_left_out():
    (line,) = lines_of(finding(location=Location("a.tflite")))
    assert line.startswith("m.tflite: error Q001 bias-scale-mismatch: ")
    assert "[at" not in line


def test_a_text_file_has_line_and_column():
    place = Location("a.contract.toml", text=TextSpan(7, 3, 7, 9))
    files = (FileReport("a.contract.toml", kind="contract", findings=(finding(location=place),)),)
    (line,) = lines_of(files=files)
    assert line.startswith("a.contract.toml:7:3: error Q001 ")
    assert concise_place(files[0].findings[0]) == ""


def test_the_most_severe_findings_of_a_file_come_first():
    lines = lines_of(finding(severity="note"), finding(rule="Q004"), finding(severity="warning"))
    assert [line.split()[1] for line in lines] == ["error", "warning", "note"]


def test_names_cannot_add_lines_or_codes():
    (line,) = lines_of(finding(location=Location("a\nb\x1b.tflite", "tensors[0]", ("x\ny",)), message="m\x07"))
    assert line.isprintable()


def test_a_report_that_is_not_quiet_says_what_was_checked():
    text = render(tflint.check(ROOT / "examples"), Style())
    assert "\nchecked: " in text
    assert "\nnot checked: preprocessing of 1 model" in text


EXAMPLE_LINES = (
    ("m/a b.tflite: error Q001 bias-scale-mismatch: scale: 1 [at #2 x]", "m/a b.tflite", None, "error", "Q001"),
    ("C:\\m\\a.tflite: note M002 metadata-missing: text", "C:\\m\\a.tflite", None, "note", "M002"),
    ("a.contract.toml:7:3: warning P001 input-range: text", "a.contract.toml", "7", "warning", "P001"),
)


@pytest.mark.parametrize(("line", "file", "number", "severity", "code"), EXAMPLE_LINES)
def test_exactly_one_matcher_of_vs_code_reads_a_line(line, file, number, severity, code):
    found = [
        (matcher["pattern"].get("kind"), values)
        for matcher in problem_matchers('"version": "2.0.0"')
        if (values := parsed(matcher, line))
    ]
    ((kind, values),) = found
    assert (values["file"], values["severity"], values["code"]) == (file, severity, code)
    assert values.get("line") == number
    assert (kind == "file") == (number is None)  # a matcher of this kind needs no line


@pytest.mark.parametrize(("line", "file", "number", "severity", "code"), EXAMPLE_LINES)
def test_the_matcher_of_github_reads_errors_and_warnings(line, file, number, severity, code):
    (matcher,) = problem_matchers('"owner": "tflite-lint"}'[:-1])
    values = parsed(matcher, line)
    if severity == "note":  # GitHub only knows errors and warnings
        assert values is None
        return
    assert values is not None
    assert (values["file"], values["line"], values["severity"], values["code"]) == (file, number, severity, code)


def test_matchers_ignore_the_closing_lines():
    for line in render(tflint.check(ROOT / "examples" / "good.tflite"), Style()).splitlines():
        for block in ('"version": "2.0.0"', '"owner": "tflite-lint"'):
            assert not any(parsed(matcher, line) for matcher in problem_matchers(block)) or ".tflite" in line
