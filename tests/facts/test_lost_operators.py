"""Test operator code 127 without builtin_code: which operators it may stand for, and the rule that reports it."""

from __future__ import annotations

import pytest

from tests.helpers.facts import named, rows
from tests.helpers.models.named import NAMED
from tflint.api import check
from tflint.config import Config
from tflint.writer.model_edits import edit_model

LOST = {"operator_codes.0.builtin_code": 127}


def with_options(type_: str) -> dict:
    return {**LOST, "subgraphs.0.operators.0.builtin_options": {"type": type_}}


def candidates(edit: dict) -> list[str]:
    column = named("conv_float32", edit).lists("operator_code", "lost_operators")
    assert column.labels is not None
    return [column.labels[code] for code in column.row(0)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("GeluOptions", ["GELU"]),
        ("Conv3DOptions", ["CONV_3D", "CONV_3D_TRANSPOSE"]),
        ("RandomOptions", ["RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "MULTINOMIAL"]),
    ],
)
def test_the_type_of_the_options_narrows_the_lost_operators(options: str, expected: list[str]) -> None:
    assert candidates(with_options(options)) == expected


def test_without_options_it_may_be_any_later_operator() -> None:
    found = candidates({**LOST, "subgraphs.0.operators.0.builtin_options": "absent"})
    assert found[0] == "CUMSUM"
    assert {"GELU", "IMAG", "STABLEHLO_CASE"} <= set(found)
    assert "CONV_2D" not in found


def test_other_operator_codes_are_not_lost() -> None:
    assert rows(named("conv_float32"), "operator_code", "lost_operators") == [None]


@pytest.mark.parametrize("target", ["litert", "litert==9.9", "litert==1.0.1", "tflite==2.11", "tflm"])
def test_a_file_that_lost_its_builtin_codes_is_one_error_on_every_target(target: str) -> None:
    content = edit_model(NAMED["conv_float32"](), with_options("GeluOptions"))
    report = check(content, config=Config(targets=(target,), select=("O",)))
    (finding,) = report.findings()
    assert (finding.rule, finding.severity, finding.target) == ("O101", "error", None)
    assert "[GELU]" in finding.message
    assert "newer runtime does not help" in finding.fix
    assert report.files[0].not_checked == ()
