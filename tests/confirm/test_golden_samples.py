"""Golden samples: the operator models of the corpus, and small models whose samples are right, wrong or unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, needs_corpus
from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.named import NAMED
from tflint.api import check
from tflint.config import Config
from tflint.confirm import ConfirmOptions
from tflint.findings import Report

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

N_MODELS = 127


def _seanet_models() -> list[Path]:
    models = sorted(
        CORPUS.glob("models/tensorflow__tflite-micro/tensorflow/lite/micro/integration_tests/seanet/*/*.tflite")
    )
    return [model for model in models if list(model.parent.glob(f"{model.stem}_golden_*.csv"))]


def _write_contract(model: Path, folder: Path, *, is_altered: bool) -> Path:
    """Write a contract with one golden sample from the integers in the CSV files beside a model."""
    inputs = sorted(model.parent.glob(f"{model.stem}_input*_*.csv"))
    (expected,) = model.parent.glob(f"{model.stem}_golden_*.csv")
    names = []
    for file in (*inputs, expected):
        values = np.loadtxt(file, delimiter=",", dtype=np.int64, ndmin=1).reshape(-1)
        if is_altered and file == expected:
            values[len(values) // 2] += 1
        names.append(f"{file.stem}.npy")
        np.save(folder / names[-1], values.astype(file.stem.rsplit("_", 1)[1]))
    contract = folder / f"{model.stem}.contract.toml"
    contract.write_text(f"[[golden]]\ninputs = {names[:-1]!r}\noutputs = [{names[-1]!r}]\n".replace("'", '"'))
    return contract


@needs_corpus
@pytest.mark.parametrize("is_altered", [False, True], ids=["as stored", "one value altered"])
def test_the_seanet_models_agree_with_their_golden_outputs(tmp_path: Path, is_altered: bool) -> None:
    models = _seanet_models()
    assert len(models) == N_MODELS
    contracts = {
        str(model).lstrip("/"): str(_write_contract(model, tmp_path, is_altered=is_altered)) for model in models
    }
    config = Config(select=("R109", "R110"), contracts=contracts, folder="/")
    report = check(models, config=config, confirm=ConfirmOptions())
    assert not [problem for file in report.files for run in file.runs for problem in run.problems]
    mismatched = {finding.location.file for finding in report.findings() if finding.rule == "R109"}
    assert mismatched == (set(contracts.values()) if is_altered else set())


def _confirm_golden(folder: Path, golden: str) -> Report:
    (folder / "model.tflite").write_bytes(NAMED["fully_connected_int8"]())
    (folder / "model.contract.toml").write_text(golden)
    return check(folder / "model.tflite", config=Config(select=("R",)), confirm=ConfirmOptions())


def _write_arrays(folder: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Write an input and the output that LiteRT computes for it; return their shapes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=NAMED["fully_connected_int8"](), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    values = np.arange(int(np.prod(source["shape"]))).reshape(source["shape"]).astype(source["dtype"])
    interpreter.set_tensor(source["index"], values)
    interpreter.invoke()
    np.save(folder / "input.npy", values)
    np.save(folder / "output.npy", interpreter.get_tensor(result["index"]))
    return tuple(source["shape"]), tuple(result["shape"])


GOOD = '[[golden]]\ninputs = ["input.npy"]\noutputs = ["output.npy"]\n'


def test_a_right_sample_agrees_and_tolerances_decide(tmp_path: Path) -> None:
    _write_arrays(tmp_path)
    assert [*_confirm_golden(tmp_path, GOOD).findings()] == []
    expected = np.load(tmp_path / "output.npy")
    np.save(tmp_path / "output.npy", expected + np.int8(2))
    (finding,) = _confirm_golden(tmp_path, GOOD).findings()
    assert (finding.rule, finding.severity, finding.location.path) == ("R109", "error", "golden[0]")
    assert "by up to 2; integers must be equal" in finding.message
    assert [*_confirm_golden(tmp_path, f"{GOOD}atol = 2\n").findings()] == []
    assert len([*_confirm_golden(tmp_path, f"{GOOD}atol = 1\n").findings()]) == 1
    assert [*_confirm_golden(tmp_path, f"{GOOD}cosine = 0.9\n").findings()] == []


def test_real_values_are_quantized_and_outputs_are_dequantized(tmp_path: Path) -> None:
    _write_arrays(tmp_path)
    model = NAMED["fully_connected_int8"]()
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    for name, (details,) in (("input", interpreter.get_input_details()), ("output", interpreter.get_output_details())):
        scale, zero_point = details["quantization"]
        real = (np.load(tmp_path / f"{name}.npy").astype(np.float64) - zero_point) * scale
        np.save(tmp_path / f"{name}.npy", real.astype(np.float32))
    assert [*_confirm_golden(tmp_path, GOOD).findings()] == []


@pytest.mark.parametrize(
    ("golden", "problem"),
    [
        (GOOD.replace("input.npy", "missing.npy"), "missing.npy"),
        (GOOD.replace("input.npy", "../outside.npy"), "outside of the checkout"),
        (GOOD.replace("input.npy", "text.txt"), "is not a .npy file or an image"),
        (GOOD.replace("input.npy", "short.npy"), "has the shape [3], but the model takes"),
        (GOOD.replace("input.npy", "words.npy"), "objects"),
        (GOOD.replace("input.npy", "long.npy"), "has the type int64, but the model takes int8"),
        (GOOD.replace('"input.npy"', '"input.npy", "input.npy"'), "it has 2 inputs, but the model takes 1"),
        (GOOD.replace("input.npy", "truncated.npy"), "truncated"),
        (GOOD.replace("input.npy", "image.png"), "is an image, but the contract does not describe input 0"),
    ],
)
def test_a_sample_that_cannot_be_used_is_a_warning_that_names_the_reason(
    tmp_path: Path, golden: str, problem: str
) -> None:
    shape, _ = _write_arrays(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "text.txt").write_text("1 2 3")
    (tmp_path / "image.png").write_bytes(b"not an image")
    np.save(tmp_path / "short.npy", np.zeros(3, dtype=np.int8))
    np.save(tmp_path / "long.npy", np.zeros(shape, dtype=np.int64))
    np.save(tmp_path / "words.npy", np.array(["a", None], dtype=object), allow_pickle=True)
    (tmp_path / "truncated.npy").write_bytes((tmp_path / "input.npy").read_bytes()[:-1])
    report = _confirm_golden(tmp_path, golden)
    (finding,) = report.findings()
    assert (finding.rule, finding.severity, finding.location.path) == ("R114", "warning", "golden[0]")
    assert finding.message.startswith("golden sample 0 cannot be compared: ")
    assert problem in finding.message
    assert "R109" in [entry.rule for file in report.files for entry in file.not_checked]


def test_saturated_activations_are_counted_on_golden_samples_only(tmp_path: Path) -> None:
    """The scale of the hidden tensor is ten times too small, so most of its values are at the limits."""
    model = (
        ModelBuilder()
        .tensor("input", "INT8", [1, 8], scale=0.1, zero_point=0)
        .tensor("hidden", "INT8", [1, 8], scale=0.01, zero_point=0)
        .operator("QUANTIZE", ["input"], ["hidden"])
        .tensor("output", "INT8", [1, 8], scale=0.02, zero_point=0)
        .operator("QUANTIZE", ["hidden"], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )
    (tmp_path / "model.tflite").write_bytes(model)
    np.save(tmp_path / "input.npy", np.array([[-100, -50, -5, 0, 5, 50, 100, 120]], dtype=np.int8))
    np.save(tmp_path / "output.npy", np.zeros((1, 8), dtype=np.int8))
    (tmp_path / "model.contract.toml").write_text(f"{GOOD}atol = 1000\n")
    report = check(tmp_path / "model.tflite", config=Config(select=("R112",)), confirm=ConfirmOptions())
    (finding,) = report.findings()
    assert finding.location.path == "subgraphs[0].tensors[1]"
    assert "62% of the values are saturated" in finding.message
