"""Findings and reports made by hand, and the validator of the JSON report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jsonschema

from tests.helpers.models.named import NAMED
from tflint.findings import (
    ByteSpan,
    FileReport,
    Finding,
    Location,
    Notice,
    Overview,
    Related,
    Report,
    Suppression,
    TextSpan,
)
from tflint.resources import json_schema
from tflint.values import replace
from tflint.writer.model_edits import edit_model

VALIDATOR = jsonschema.Draft202012Validator(json_schema("report"))


OPERATOR = Location("m.tflite", "subgraphs[0].operators[0]", ("main", "CONV_2D", "stem/conv"), ByteSpan(100, 20))


TENSOR = Location("m.tflite", "subgraphs[0].tensors[2]", ("main", "stem/bias"), ByteSpan(512, 64))


OVERVIEW = Overview("full int8", 4, 9, 2048)


def finding(**changes: Any) -> Finding:
    """A finding as a rule makes it, with some fields changed."""
    plain = Finding(
        rule="Q001",
        name="bias-scale-mismatch",
        severity="error",
        severity_before="error",
        confidence="high",
        message="the bias scale is wrong",
        location=TENSOR,
        fix="quantize again",
        identity=("stem", "bias"),
    )
    return replace(plain, **changes)


FULL = finding(
    severity="note",
    severity_before="error",
    target="litert==2.3.0, board",
    location=replace(TENSOR, text=TextSpan(3, 1, 4, 9)),
    related=(Related(OPERATOR, "bias of operator 0 CONV_2D"),),
    evidence={
        "shift": math.nan,
        "largest": math.inf,
        "scale": [0.5, 1.0, -math.inf],
        "count": 3,
        "is_zero": False,
        "name": "stem/bias",
        "nothing": None,
        "nested": [[1.5], ["x"]],
    },
    refused_by=("litert>=1.1.0",),
    runs_on=("tflm", "litert<1.1.0"),
    verdict="not-reproduced",
    probe={
        "name": "saturation",
        "runtime": "litert 2.3.0",
        "step": "invoke",
        "message": "at most 0.02% is saturated",
        "numbers": [123.675, math.nan, {"margin": 3.5}],
    },
    suppressed=Suppression("allow", "runs on TFLM only"),
    is_newer=True,
)


def report(*findings: Finding, **changes: Any) -> Report:
    """A report of one file with these findings."""
    plain = Report(
        files=(FileReport("m.tflite", findings=findings, overview=OVERVIEW),),
        targets=("litert==2.3.0",),
        ruleset="0.1",
        version="0.1.0",
        rules_digest="a" * 64,
        settings="default",
        rules_run=44,
        rules_selected=50,
        elapsed=0.25,
    )
    return replace(plain, **changes)


EDITS: dict[str, dict[str, Any]] = {
    "as they are": {},
    "scale gone": {"tensors.bias.quantization.scale": [0.5]},
    "axis": {"tensors.bias.quantization.quantized_dimension": 3},
    "not finite": {"tensors.bias.quantization.scale": [math.nan]},
    "version": {"version": 1},
    "trailing bytes": {"file.trailing_bytes": "what follows"},
    "cut": {"file.truncate": -40},
    "hostile name": {"tensors.bias.name": "a\x1b[2J\n\u202eb\u2028" + "x" * 3000},
}


def variants() -> Iterator[tuple[str, bytes]]:
    for name, build in NAMED.items():
        for label, edit in EDITS.items():
            try:
                yield f"{name}: {label}", edit_model(build(), edit)
            except ValueError:
                continue  # the model has no such tensor, or is no model


def at(index: int, tensor: str, /, **changes: Any) -> Finding:
    """A finding at a tensor."""
    location = Location("m.tflite", f"subgraphs[0].tensors[{index}]", ("main", tensor), ByteSpan(64 * index, 4))
    return finding(location=location, **changes)


def hostile(text: str) -> Report:
    """A report in which everything that comes from a file is this text."""
    location = Location("m.tflite", "subgraphs[0].operators[1].inputs[0]", (text, text, text))
    found = finding(
        message=f"tensor '{text}'",
        location=location,
        related=(Related(OPERATOR, f"input of operator 0 {text}"),),
        evidence={"name": text},
    )
    other = replace(found, location=Location("m.tflite", "signature_defs[0]", (text,)), rule="K100")
    files = (FileReport(text[:200], findings=(found, found, other), overview=OVERVIEW),)
    return report(files=files, notices=(Notice("unused-allow", text),))
