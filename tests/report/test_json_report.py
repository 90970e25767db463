"""Test the JSON report: real and hand-made reports against its schema, which allows no undeclared key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

import tflint
from tests.helpers.models.named import NAMED
from tests.helpers.reports import EDITS, FULL, VALIDATOR, finding, report, variants
from tflint.findings import (
    FileReport,
    NotChecked,
    Notice,
    Report,
)
from tflint.report import json_report
from tflint.writer.model_edits import edit_model


def reread(made: Report) -> Any:
    """The report's JSON, read again as strictly as other programs do: UTF-8, and no NaN."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(json_report.render(made).encode("utf-8"), parse_constant=refuse)


def objects(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of the schema that lists properties."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield path, schema
        for key, part in schema.items():
            yield from objects(part, f"{path}/{key}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from objects(part, f"{path}/{number}")


class TestTheSchema:
    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)
        assert VALIDATOR.schema["properties"]["schema_version"] == {
            "description": VALIDATOR.schema["properties"]["schema_version"]["description"],
            "const": json_report.SCHEMA_VERSION,
        }

    def test_requires_every_key_describes_it_and_allows_no_other(self):
        parts = list(objects(VALIDATOR.schema))
        assert len(parts) > 10
        for path, part in parts:
            assert part["additionalProperties"] is False, path
            assert sorted(part["required"]) == sorted(part["properties"]), path
            for key, value in part["properties"].items():
                assert value.get("description", "").endswith("."), f"{path}/{key}"

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: data.update(more=1),
            lambda data: data.update(schema_version=2),
            lambda data: data["files"][0]["findings"][0].update(level="error"),
            lambda data: data["files"][0]["findings"][0].update(severity="fatal"),
            lambda data: data["files"][0]["findings"][0]["location"].pop("names"),
            lambda data: data["files"][0]["findings"][0]["related"][0]["location"].update(text={"line": 0}),
            lambda data: data["files"][0]["findings"][0]["evidence"].update(scale={1}),
            lambda data: data["files"][0]["findings"][0].update(verdict="perhaps"),
            lambda data: data["files"][0]["findings"][0]["suppressed"].update(until="2027-01-01"),
            lambda data: data["summary"].pop("not_checked"),
        ],
    )
    def test_refuses_what_is_no_report(self, spoil):
        data = json_report.to_data(report(FULL))
        assert VALIDATOR.is_valid(data)
        spoil(data)
        assert not VALIDATOR.is_valid(data)


class TestHandMadeReports:
    @pytest.mark.parametrize("findings", [(), (finding(),), (FULL,), (FULL, finding())])
    def test_fit_the_schema(self, findings):
        VALIDATOR.validate(reread(report(*findings)))

    def test_of_every_kind_of_file_fit_the_schema(self):
        files = [
            FileReport("a.tflite", kind, status, not_checked=(NotChecked("Q026", 3, "no range"),), sha256="0" * 64)
            for kind in ("model", "contract", "source", "pair")
            for status in ("checked", "unreadable")
        ]
        files.append(FileReport("b.tflite", predicted="refused"))
        notices = (Notice("unused-allow", "tflint.toml: remove it"),)
        VALIDATOR.validate(reread(report(files=tuple(files), notices=notices)))

    def test_hold_numbers_that_json_cannot_as_text(self):
        evidence = reread(report(FULL))["files"][0]["findings"][0]["evidence"]
        assert (evidence["shift"], evidence["largest"]) == ("nan", "inf")
        assert evidence["scale"] == [0.5, 1, "-inf"]

    def test_hold_a_probe_whatever_it_measured(self):
        probe = reread(report(FULL))["files"][0]["findings"][0]["probe"]
        assert probe == {
            "name": "saturation",
            "runtime": "litert 2.3.0",
            "step": "invoke",
            "message": "at most 0.02% is saturated",
            "numbers": [123.675, "nan", {"margin": 3.5}],
        }

    def test_are_utf8_whatever_a_file_is_called(self):
        path = b"caf\xe9 \xe2\x98\x83.tflite".decode("utf-8", "surrogateescape")
        assert reread(report(files=(FileReport(path),)))["files"][0]["path"] == path

    def test_count_open_findings_only(self):
        data = reread(report(finding(), FULL, finding(severity="warning")))
        expected = {"error": 1, "warning": 1, "note": 0, "suppressed": 1, "not_checked": 0}
        assert data["summary"] == data["files"][0]["summary"] == expected


class TestRealReports:
    def test_fit_the_schema(self):
        spoken = set()
        for label, content in variants():
            made = tflint.check(content)
            problems = [error.message for error in VALIDATOR.iter_errors(reread(made))]
            assert problems == [], label
            spoken |= {found.rule for found in made.findings()}
        assert len(spoken) >= 10

    def test_of_several_targets_and_suppressions_fit_the_schema(self):
        content = edit_model(NAMED["conv_int8"](), EDITS["axis"])
        config = tflint.Config(targets=("tflm", "litert==2.1.0"), per_file_ignores={"*": ("Q009",)})
        made = tflint.check(content, config=config)
        assert any(found.suppressed for found in made.findings())
        VALIDATOR.validate(reread(made))
