"""Golden samples: the operator models of the corpus, and small models whose samples are right, wrong or unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, needs_corpus
from tflint.api import check
from tflint.config import Config
from tflint.confirm import ConfirmOptions

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
