"""Test rules about preprocessing on rebuilt public bug reports, with contracts of the keys that people write."""

from __future__ import annotations

import pytest

from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.api import check
from tflint.contract import parse_contract
from tflint.findings import Finding

CAST = """\
[[inputs]]
kind = "image"
dtype = "uint8"
channels = "RGB"
mean = 0
std = 255
units = "u8"
cast = "uint8"

[[outputs]]
kind = "class_scores"
activation = "softmax"
dequantize = false
"""


def findings(folder: str, text: str | None = None) -> list[Finding]:
    """Return the errors and warnings for a report's model, with its own contract or another one."""
    model = REPORTS / folder / "model.tflite"
    contract = None if text is None else parse_contract(text, "model.contract.toml")
    return [finding for finding in check(model, contract=contract).findings() if finding.severity != "note"]


@needs_reports
def test_float_code_on_a_uint8_model_is_found_with_natural_keys() -> None:
    found = findings("aE4-raw-integers", CAST)
    assert sorted((finding.rule, finding.severity) for finding in found) == [("D004", "error"), ("D005", "error")]


@needs_reports
@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("aE3-normalized-twice", [("P002", "error")]),
        ("t11c-int8-raw-bytes", [("P113", "warning")]),
        ("t24-no-dequantize", [("D103", "warning")]),
    ],
)
def test_a_report_is_found_with_its_severity(folder: str, wanted: list[tuple[str, str]]) -> None:
    assert [(finding.rule, finding.severity) for finding in findings(folder)] == wanted
