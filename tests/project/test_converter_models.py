"""Test converter output: every model is recognized, and a correct one gives no warning."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.converter import FOLDER
from tflint.api import check, load
from tflint.columns.column import text_of
from tflint.contract import parse_contract
from tflint.facts.facts import Facts
from tflint.findings import FileReport
from tflint.model.tables import Tables

MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
MODELS: dict[str, dict[str, Any]] = MANIFEST["models"]
RUNNABLE = [name for name, made in MODELS.items() if made["is_runnable"]]

MAX_BYTES = 60_000


def path_of(name: str) -> Path:
    return FOLDER / "models" / f"{name}.tflite"


@functools.cache
def tables_of(name: str) -> Tables:
    return load(path_of(name)).tables


def dtypes(facts: Facts, table: str, reference: str) -> list[str]:
    """Types of the tensors that rows of the first subgraph refer to."""
    subgraphs = facts.rows(table, "subgraph").tolist()
    rows = facts.rows(table, reference).tolist()
    found = [text_of(facts.column("tensor", "dtype"), row) for row, of in zip(rows, subgraphs, strict=True) if of == 0]
    return [dtype or "" for dtype in found]


def test_the_manifest_names_every_model_and_no_other():
    assert sorted(MODELS) == sorted(path.stem for path in (FOLDER / "models").glob("*.tflite"))
    for name, made in MODELS.items():
        assert path_of(name).stat().st_size == made["bytes"] <= MAX_BYTES, name


@pytest.mark.parametrize("name", MODELS)
def test_the_scheme_is_recognised(name):
    assert text_of(Facts(tables_of(name)).column("model", "scheme"), 0) == MODELS[name]["scheme"]


@pytest.mark.parametrize("name", MODELS)
def test_the_types_at_the_border_and_of_weights(name):
    facts, made = Facts(tables_of(name)), MODELS[name]
    assert dtypes(facts, "input", "tensor") == made["inputs"]
    assert dtypes(facts, "output", "tensor") == made["outputs"]
    weights = [row for row in facts.rows("operator", "weights").tolist() if row >= 0]
    assert sorted({text_of(facts.column("tensor", "dtype"), row) or "" for row in weights}) == made["weights"]


@pytest.mark.parametrize("name", MODELS)
def test_the_runtime_version_that_the_converter_wrote_is_read(name):
    version = text_of(tables_of(name).column("model", "min_runtime_version"), 0)
    assert version == MODELS[name]["min_runtime_version"]
    assert version.split(".")[0] in ("1", "2")


@pytest.mark.parametrize("name", MODELS)
def test_no_alarm_but_those_that_the_manifest_has_a_reason_for(name):
    (file,) = check(path_of(name)).files
    alarms = [finding.rule for finding in file.findings if finding.severity != "note"]
    assert sorted(set(alarms)) == sorted(MODELS[name]["alarms"])
    assert file.not_checked == ()


def test_signatures_keep_their_names():
    tables = tables_of("two_signatures")
    keys = tables.column("signature", "key")
    assert [text_of(keys, row) for row in range(len(keys))] == ["encode", "score"]
    names = tables.column("signature_tensor", "name")
    assert [text_of(names, row) for row in range(len(names))] == ["features", "code", "features", "score"]


@pytest.mark.parametrize("name", RUNNABLE)
def test_they_run(name):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(path_of(name)))
    interpreter.allocate_tensors()
    generator = np.random.default_rng(3)
    for declared in interpreter.get_input_details():
        values = generator.uniform(0, 2, declared["shape"])
        interpreter.set_tensor(declared["index"], values.astype(declared["dtype"]))
    interpreter.invoke()
    for declared in interpreter.get_output_details():
        assert np.isfinite(interpreter.get_tensor(declared["index"])).all()


def test_what_cannot_run_is_refused_for_the_reason_given():
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    with pytest.raises(RuntimeError, match="Flex"):
        interpreters.Interpreter(str(path_of("flex"))).allocate_tensors()


class TestAFloatModelThatItsCallerNormalises:
    """Trained on x / 127.5 − 1, which nothing in the file shows: what can be said is said, the rest is not checked."""

    def report(self, mean: float, std: float) -> FileReport:
        text = f'[[inputs]]\nkind = "image"\nchannels = "RGB"\nmean = {mean}\nstd = {std}\nunits = "u8"\n'
        found = check(FOLDER / "models" / "webcam_float32.tflite", contract=parse_contract(text, "c.toml"))
        return next(file for file in found.files if file.kind == "model")

    def test_another_normalization_is_no_finding_and_not_checked(self) -> None:
        report = self.report(0, 255)
        assert [f.rule for f in report.findings if f.severity != "note"] == []
        (unchecked,) = [entry for entry in report.not_checked if entry.rule == "P003"]
        assert "a float input accepts any range" in unchecked.reason
        assert "run the model on one image scaled to [0, 1], to [-1, 1] and to [0, 255]" in unchecked.reason

    def test_the_right_one_cannot_be_told_from_it(self) -> None:
        assert [entry.rule for entry in self.report(127.5, 127.5).not_checked] == ["P003"]

    def test_raw_pixels_are_a_note(self) -> None:
        text = '[[inputs]]\nkind = "image"\nmean = 0\nstd = 1\nunits = "u8"\n'
        found = check(FOLDER / "models" / "webcam_float32.tflite", contract=parse_contract(text, "c.toml"))
        assert "P003" in [finding.rule for finding in found.findings()]

    def test_its_weights_would_show_a_run_the_difference(self) -> None:
        """So that it is a question worth a run: the answers differ."""
        litert = pytest.importorskip("ai_edge_litert.interpreter")
        interpreter = litert.Interpreter(str(FOLDER / "models" / "webcam_float32.tflite"))
        interpreter.allocate_tensors()
        (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
        pixels = np.random.default_rng(0).integers(0, 256, given["shape"]).astype(np.float32)
        answers = []
        for prepared in (pixels / 255, pixels / 127.5 - 1):
            interpreter.set_tensor(given["index"], prepared)
            interpreter.invoke()
            answers.append(interpreter.get_tensor(made["index"]))
        assert not np.allclose(*answers, atol=1e-4)
