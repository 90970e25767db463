"""`tflint check --confirm` on the command line: options, missing runtimes, reports, and interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.models.named import NAMED
from tflint.cli.main import run
from tflint.resources import named_model_path
from tools.interrupt_confirm import find_processes

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """Twelve copies of a good model and one that LiteRT refuses."""
    folder = tmp_path / "models"
    folder.mkdir()
    for number in range(12):
        (folder / f"good{number}.tflite").write_bytes(NAMED["conv_int8"]())
    (folder / "refused.tflite").write_bytes(named_model_path("custom_op").read_bytes())
    return sorted(str(path) for path in folder.iterdir())


def run_json(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict:
    run(["check", "--format", "json", *arguments])
    return json.loads(capsys.readouterr().out)


def test_a_refusal_is_confirmed_and_good_models_stay_clean(models: list[str], capsys) -> None:
    report = run_json("--confirm", *models, capsys=capsys)
    assert report["run"]["confirmation"]["runs"] == 13
    assert report["run"]["confirmation"]["seed"] == 0
    by_rule = {finding["rule"]: finding for file in report["files"] for finding in file["findings"]}
    assert by_rule["O004"]["verdict"] == "confirmed"
    assert by_rule["O004"]["probe"]["step"] == "allocate"
    assert not [rule for rule in by_rule if rule.startswith("R")]
    steps = report["files"][0]["runs"][0]["steps"]
    assert steps["default"] == {"load": "ok", "allocate": "ok", "invoke": "ok"}


def test_without_the_option_no_model_is_run(models: list[str], capsys) -> None:
    report = run_json(*models, capsys=capsys)
    assert report["run"]["confirmation"] is None
    assert not [file for file in report["files"] if file["runs"]]


def test_a_different_release_gives_no_verdict_and_names_both(models: list[str], capsys) -> None:
    report = run_json("--confirm", "--target", "litert==2.1.0", models[-1], capsys=capsys)
    (finding,) = [one for file in report["files"] for one in file["findings"] if one["rule"] == "O004"]
    assert finding["verdict"] == "could-not-run"
    assert finding["severity"] == finding["severity_before"] == "error"
    assert "litert==2.1.0" in finding["probe"]["message"]
    assert "litert 2.3.0" in finding["probe"]["message"]
    assert "R100" in [one["rule"] for file in report["files"] for one in file["findings"]]


def test_without_a_runtime_every_verdict_says_what_to_install(models: list[str], capsys, monkeypatch) -> None:
    monkeypatch.setattr("tflint.confirm.confirmation.find_installed", lambda: ())
    report = run_json("--confirm", models[-1], capsys=capsys)
    (finding,) = [one for file in report["files"] for one in file["findings"] if one["rule"] == "O004"]
    assert finding["verdict"] == "could-not-run"
    assert "pip install tflite-lint[runtime]" in finding["probe"]["message"]
    assert any("no runtime is installed" in notice["message"] for notice in report["notices"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--confirm", "--runtime", "litertt"], "'litertt' is not a runtime that tflint can run"),
        (["--confirm", "--runtime", "tflite-micro"], "the runtime 'tflite-micro' is not installed"),
        (["--runtime", "ai-edge-litert"], "--runtime needs --confirm"),
        (["--confirm-seconds", "3"], "--confirm-seconds needs --confirm"),
        (["--confirm", "--confirm-seconds", "0"], "must be a number greater than 0"),
        (["--select", "R101"], "all selected rules are about runs of the models"),
    ],
)
def test_wrong_options_are_usage_errors(models: list[str], capsys, arguments: list[str], message: str) -> None:
    try:
        code = run(["check", *arguments, models[0]])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_a_configuration_cannot_request_a_run(tmp_path: Path, models: list[str], capsys) -> None:
    for key in ("confirm = true", 'runtime = "ai-edge-litert"'):
        (tmp_path / "tflint.toml").write_text(key)
        code = run(["check", "--config", str(tmp_path / "tflint.toml"), models[0]])
        assert code == 2
        assert "unknown key" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("seconds", [0.3, 0.6, 0.9, 1.3])
def test_an_interrupted_run_leaves_no_process_and_no_file(
    tmp_path: Path, models: list[str], number: signal.Signals, seconds: float
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-m", "tflint", "check", "--confirm", "--jobs", "2", *(models * 8)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert process.returncode in (0, 1, 128 + number)  # 0 or 1: it had ended
    assert not list(folder.iterdir())
    assert not find_processes(str(folder))


def test_no_model_is_run_after_the_time_limit_of_the_run(models: list[str], capsys) -> None:
    report = run_json("--confirm", "--max-seconds", "0.000001", models[-1], capsys=capsys)
    assert report["run"]["confirmation"]["runs"] == 0


def test_a_model_that_was_not_run_is_not_checked(models: list[str], capsys, monkeypatch) -> None:
    monkeypatch.setattr("tflint.confirm.confirmation.find_installed", lambda: ())
    report = run_json("--confirm", models[0], capsys=capsys)
    reasons = {entry["rule"]: entry["reason"] for file in report["files"] for entry in file["not_checked"]}
    assert reasons["R106"] == "the model was not run: no runtime is installed"


def test_no_report_about_tflint_if_the_rule_that_predicts_a_refusal_is_deselected(models: list[str], capsys) -> None:
    report = run_json("--confirm", "--select", "R", models[-1], capsys=capsys)
    assert [finding["rule"] for file in report["files"] for finding in file["findings"]] == ["R101"]
    assert not [notice for notice in report["notices"] if notice["kind"] == "self-check"]
