"""Test `tflint.testing`: the assertion passes on clean models and fails with the text report on others."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tflint
from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.models.named import MODELS_DIRECTORY, NAMED
from tests.helpers.transcripts import ROOT, normalize_output
from tflint.report.text_report import Style, render
from tflint.testing import assert_clean

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BROKEN = MODELS_DIRECTORY / "truncated.tflite"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def error_of(model: object, **options: object) -> str:
    with pytest.raises(AssertionError) as raised:
        assert_clean(model, **options)  # type: ignore[arg-type]
    return str(raised.value)


@pytest.mark.parametrize("model", [MODELS_DIRECTORY / "conv_int8.tflite", NAMED["conv_int8"]()], ids=["path", "bytes"])
def test_a_clean_model_gives_its_report(model: Path | bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (model, tflint.load(model)):
        report = assert_clean(source)
        assert isinstance(report, tflint.Report)
        assert len(report.files) == 1
    assert capsys.readouterr() == ("", "")


def test_the_error_is_the_text_report() -> None:
    assert normalize_output(error_of(BROKEN) + "\n") == normalize_output(render(tflint.check(BROKEN), Style()))


@pytest.mark.parametrize(("fail_on", "fails"), [("", False), ("error", False), ("warning", True), ("note", True)])
@pytest.mark.parametrize("where", ["argument", "configuration"])
def test_the_severity_from_which_on_it_fails(fail_on: str, fails: bool, where: str) -> None:
    config = tflint.Config(severity={"G003": "warning"})
    if where == "configuration":
        config = tflint.Config(severity={"G003": "warning"}, fail_on=fail_on or "error")
        fail_on = ""
    if fails:
        assert "warning G003" in error_of(BROKEN, config=config, fail_on=fail_on)
    else:
        assert assert_clean(BROKEN, config=config, fail_on=fail_on).summary()["warning"] == 1


def test_arguments_win_over_the_configuration() -> None:
    broken = EXAMPLES_DIRECTORY / "broken.tflite"
    config = tflint.Config(select=("G",), targets=("tflm",), ignore=("Q001",))
    assert_clean(broken, config=config)
    assert "target litert 2.1.0" in error_of(broken, config=config, select=["Q013"], targets="litert==2.1.0")


def test_a_model_that_nobody_could_read_is_not_clean() -> None:
    with pytest.raises(AssertionError, match="1 unreadable"):
        assert_clean(BROKEN, select="Q")


def test_a_configuration_by_its_path_with_its_baseline(tmp_path: Path) -> None:
    path = tmp_path / "tflint.toml"
    path.write_text('baseline = "known.json"\n')
    with pytest.raises(tflint.UserError, match=r"known\.json"):
        assert_clean(BROKEN, config=path)
    path.write_text('[[allow]]\nrule = "G003"\nreason = "known"\n')
    for config in (path, str(path)):
        assert assert_clean(BROKEN, config=config).summary()["suppressed"] == 1


def test_no_configuration_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tflint.toml").write_text('ignore = ["G003"]\n')
    monkeypatch.chdir(tmp_path)
    assert "G003" in error_of(BROKEN)


def test_allow_adds_suppressions_with_reasons() -> None:
    assert_clean(BROKEN, allow={"G003": "a known download"})
    assert_clean(BROKEN, allow=[tflint.Allow("flatbuffer-invalid", "a known download")])
    config = tflint.Config(allow=(tflint.Allow("G003", "of the configuration"),))
    (found,) = assert_clean(BROKEN, config=config, allow={"Q001": "another"}).findings()
    assert found.suppressed is not None
    assert found.suppressed.reason == "of the configuration"
    ended = tflint.Allow("G003", "known", until=datetime.date(2001, 1, 1), origin="here")
    assert "warning: here: the suppression of G003 expired on 2001-01-01" in error_of(BROKEN, allow=[ended])


def test_nothing_to_check_is_not_clean(tmp_path: Path) -> None:
    assert "nothing to check" in error_of(tmp_path)


def test_a_rule_that_crashed_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("made for the test")

    monkeypatch.setattr("tflint.language.evaluator.Evaluator.value", crash)
    assert "rule Q001 could not run" in error_of(NAMED["conv_int8"](), select="Q001")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fail_on": "never"}, "fail_on must be error, warning or note"),
        ({"fail_on": "errors"}, "fail_on must be"),
        ({"config": tflint.Config(fail_on="never")}, "fail_on must be"),
        ({"allow": {"G003": ""}}, "needs a reason"),
        ({"allow": {"G003": None}}, "needs a reason"),
        ({"allow": {"G999": "known"}}, "'G999' is not a rule"),
        ({"select": "Q0011"}, "'Q0011' is not a rule"),
        ({"targets": "litrt"}, "unknown target 'litrt'"),
        ({"config": "no.toml"}, "there is no such file"),
    ],
)
def test_wrong_arguments_are_no_assertion(options: dict[str, object], message: str) -> None:
    with pytest.raises(tflint.UserError, match=re.escape(message)):
        assert_clean(BROKEN, **options)  # type: ignore[arg-type]


def test_it_imports_no_test_runner() -> None:
    code = "import sys, tflint.testing as t; t.assert_clean(sys.argv[1]); print('pytest' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(MODELS_DIRECTORY / "conv_int8.tflite")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    (code,) = blocks("python")
    (tmp_path / "test_example.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{code.count('def test_')} passed" in done.stdout


def test_the_error_of_the_page_is_what_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (shown,) = blocks("text")
    assert normalize_output(f"AssertionError: {error_of('examples/broken.tflite', select='Q009')}\n") == shown
