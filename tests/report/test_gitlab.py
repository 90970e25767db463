"""Test the GitLab Code Quality format: its documented fields, fingerprints and paths."""

from __future__ import annotations

import json
from typing import Any

import pytest

import tflint
from tests.helpers.models.named import MODELS_DIRECTORY
from tests.helpers.report_schemas import GITLAB_VALIDATOR as VALIDATOR
from tests.helpers.reports import FULL, TENSOR, finding, report, variants
from tflint.findings import FileReport, Finding, Location, Report, TextSpan
from tflint.report import gitlab_report
from tflint.values import replace


def read(made: Report) -> list[dict[str, Any]]:
    """A report's violations, read again from its text and checked against the schema."""
    data = json.loads(gitlab_report.render(made).encode("utf-8"))
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)] == []
    keys = [violation["fingerprint"] for violation in data]
    assert len(set(keys)) == len(keys)
    return data


def violations(*findings: Finding, **changes: Any) -> list[dict[str, Any]]:
    return read(report(*findings, **changes))


def test_a_violation_has_the_documented_fields():
    (violation,) = violations(finding())
    assert violation.pop("fingerprint")
    assert violation == {
        "description": "the bias scale is wrong (tensor 'stem/bias'). Fix: quantize again.",
        "check_name": "Q001 bias-scale-mismatch",
        "severity": "critical",
        "location": {"path": "m.tflite", "lines": {"begin": 1}},
    }


def test_real_reports_fit_the_schema():
    made = tflint.check([content for _, content in variants()])
    assert len({violation["check_name"] for violation in read(made)}) >= 10


@pytest.mark.parametrize("spoil", ["fingerprint", "severity", "location", "description", "check_name"])
def test_the_schema_refuses_what_is_no_report(spoil):
    (violation,) = violations(finding())
    assert not VALIDATOR.is_valid([{**violation, spoil: ""}])
    assert not VALIDATOR.is_valid([{key: value for key, value in violation.items() if key != spoil}])


@pytest.mark.parametrize(("severity", "expected"), [("error", "critical"), ("warning", "major"), ("note", "info")])
def test_severities_are_those_of_the_format(severity, expected):
    assert [violation["severity"] for violation in violations(finding(severity=severity))] == [expected]


def test_a_text_file_has_its_line():
    place = Location("bird.contract.toml", text=TextSpan(9, 1, 9, 5))
    assert violations(finding(location=place))[0]["location"] == {"path": "bird.contract.toml", "lines": {"begin": 9}}


def test_nothing_found_or_all_suppressed_is_an_empty_list():
    assert violations() == violations(FULL) == violations(files=()) == []


class TestFingerprints:
    def test_of_copies_of_a_model_differ(self):
        files = [
            FileReport(name, findings=(finding(location=replace(TENSOR, file=name)),))
            for name in ("a.tflite", "b.tflite")
        ]
        assert len(violations(files=tuple(files))) == 2
        assert violations(files=(files[1],)) == violations(files=tuple(files))[1:], "whatever becomes of the other one"

    def test_of_a_rule_that_speaks_of_a_place_twice_differ(self):
        assert len(violations(finding(), finding(), finding(target="tflm"))) == 3

    def test_stay_the_same_wherever_other_findings_come_and_go(self):
        (alone,) = violations(finding())
        other = finding(rule="G014", identity=("other",))
        assert alone in violations(other, finding(), other)


class TestPaths:
    def test_are_relative_to_the_current_folder(self, tmp_path, monkeypatch):
        model = tmp_path / "models" / "cut.tflite"
        model.parent.mkdir()
        model.write_bytes((MODELS_DIRECTORY / "truncated.tflite").read_bytes())
        monkeypatch.chdir(tmp_path)
        for path in (model, "models/cut.tflite", "./models/cut.tflite"):
            (violation,) = read(tflint.check(path))
            assert violation["location"]["path"] == "models/cut.tflite"

    def test_decide_the_fingerprint_as_they_are_written(self, tmp_path, monkeypatch):
        (tmp_path / "cut.tflite").write_bytes((MODELS_DIRECTORY / "truncated.tflite").read_bytes())
        monkeypatch.chdir(tmp_path)
        assert read(tflint.check(tmp_path / "cut.tflite")) == read(tflint.check("cut.tflite"))
