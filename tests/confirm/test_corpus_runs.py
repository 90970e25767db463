"""Runs real models and compares the outcomes with the corpus's record of LiteRT 2.3.0.

`python -m tools.confirm_models` runs all of them; the tests run a sample, and with other runtimes only if these are
installed.
"""

from __future__ import annotations

import importlib.util
import random

import pytest

from tests.helpers.corpus import CORPUS, manifest, needs_corpus
from tflint.api import check
from tflint.config import Config
from tflint.confirm import ConfirmOptions
from tflint.findings import Report
from tools.confirm_models import list_differences

#: Files that abort the runtime, corrupt its heap, or need more than the usual memory to allocate.
DANGEROUS = ("blockwise_quantized.tflite", "keyword_scrambled_8bit.tflite")
N_SAMPLE, N_TENSORFLOW = 40, 100


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _sample(count: int) -> list[dict[str, str]]:
    rows = sorted(manifest(), key=lambda row: row["path"])
    dangerous = [row for row in rows if row["path"].endswith(DANGEROUS)]
    others = [row for row in rows if not row["path"].endswith((*DANGEROUS, "huge_im2col.bin"))]
    return [*random.Random(1).sample(others, count), *dangerous]


def _confirm(rows: list[dict[str, str]], runtime: str, target: str) -> Report:
    paths = [str(CORPUS / row["path"]) for row in rows]
    return check(paths, config=Config(targets=(target,)), confirm=ConfirmOptions(runtime, jobs=2))


def _differences(report: Report) -> list[str]:
    """Return the models that load or allocate differently than recorded."""
    known = {str(CORPUS / row["path"]): row for row in manifest()}
    return [line for step, line in list_differences(report.files, known) if step != "invoke"]


@needs_corpus
@pytest.mark.skipif(not _is_installed("ai_edge_litert"), reason="ai-edge-litert is not installed")
def test_litert_loads_and_allocates_what_it_is_recorded_to() -> None:
    report = _confirm(_sample(N_SAMPLE), "ai-edge-litert", "litert==2.3.0")
    assert _differences(report) == []
    crashed = {file.path for file in report.files for finding in file.findings if finding.rule == "R102"}
    assert sorted(path.rpartition("/")[2] for path in crashed) == sorted(DANGEROUS)
    assert not [finding for finding in report.findings() if finding.verdict == "not-reproduced"]


@needs_corpus
@pytest.mark.slow
@pytest.mark.skipif(not _is_installed("tensorflow"), reason="tensorflow is not installed")
def test_tensorflow_loads_and_allocates_the_same_models() -> None:
    report = _confirm(_sample(N_TENSORFLOW), "tensorflow", "tflite==2.21")
    assert report.confirmation is not None
    assert report.confirmation.n_runs >= N_TENSORFLOW
    assert _differences(report) == []


@needs_corpus
@pytest.mark.slow
@pytest.mark.skipif(not _is_installed("tflite_micro"), reason="tflite-micro is not installed")
def test_tflm_runs_most_int8_models() -> None:
    rows = [row for row in manifest() if row["parses"] == "yes" and row["scheme"].startswith("full int8")]
    report = _confirm(rows, "tflite-micro", "tflm")
    has_run = [file for file in report.files if any(run.steps["default"].get("invoke") == "ok" for run in file.runs)]
    assert len(has_run) >= 0.8 * len(rows)
    assert all(run.arena_bytes for file in has_run for run in file.runs)
