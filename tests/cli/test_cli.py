"""Test the command line: exit codes, one message for invalid usage, and no traceback for any model."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import tflint.api
from tests.helpers.models.named import MODELS_DIRECTORY
from tests.helpers.paths import ROOT as CHECKOUT
from tflint._version import __version__
from tflint.cli import output_file
from tflint.cli.main import run
from tflint.errors import UserError
from tflint.report.report_formats import FORMATS

#: What an earlier run wrote.
OLD = '{"schema_version": 1, "tool": {"name": "tflite-lint"}}'


def model(name: str, folder: Path, to: str | None = None) -> Path:
    target = folder / (to or f"{name}.tflite")
    shutil.copy(MODELS_DIRECTORY / f"{name}.tflite", target)
    return target


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with one model that has no findings and one that has an error."""
    monkeypatch.chdir(tmp_path)
    model("conv_int8", tmp_path, "good.tflite")
    model("truncated", tmp_path, "broken.tflite")
    return tmp_path


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tflint", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        timeout=60,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a run that was not done: exit code 2, nothing on standard output, one message."""
    code = run(arguments)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert err.count("tflint: ") == 1
    assert "Traceback" not in err
    return err


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--debug"], "COMMAND", "tflint --help"),
        (["chek"], "unknown command 'chek'", "did you mean 'check'?"),
        (["good.tflite"], "unknown command 'good.tflite'", "did you mean 'tflint check good.tflite'?"),
        (["check", "--selct", "Q001"], "unknown option '--selct'", "did you mean '--select'?"),
        (["check", "--sel", "Q001"], "unknown option '--sel'", "did you mean '--select'?"),
        (["check", "--zzzzzz"], "unknown option '--zzzzzz'", "'tflint check --help'"),
        (["explain", "Q001", "Q004"], "unknown argument 'Q004'", "'tflint explain --help'"),
        (["rules", "lst"], "unknown command 'lst'", "did you mean 'list'?"),
        (["check", "--format", "yaml"], "invalid choice: 'yaml'", "'tflint check --help'"),
        (["check", "--format", "sarf"], "invalid choice: 'sarf'", "did you mean 'sarif'?"),
        (["check", "--fail-on", "errors"], "invalid choice: 'errors'", "did you mean 'error'?"),
        (["completion", "bsh"], "invalid choice: 'bsh'", "did you mean 'bash'?"),
        (["help", "chek"], "unknown command 'chek'", "did you mean 'check'?"),
        (["check", "--fail-on", "all"], "invalid choice: 'all'", "'tflint check --help'"),
        (["check", "-q", "-v"], "-v/--verbose: not allowed with argument -q/--quiet", "'tflint check --help'"),
        (["check", "--jobs", "0"], "--jobs must be at least 1, not 0", "tflint chooses"),
        (["check", "--jobs", "x"], "invalid int value: 'x'", "'tflint check --help'"),
        (["check", "--select", "K05"], "'K05' is not a rule, prefix or category", "did you mean 'K105'?"),
        (["check", "--select", "q001"], "'q001' is not a rule", "did you mean 'Q001'?"),
        (["check", "--ignore", "quantisation"], "'quantisation' is not a rule", "did you mean 'quantization'?"),
        (["check", "--select", "Q001,,Q004"], "an empty name", "single commas"),
        (["check", "--select", "Q001", "--ignore", "Q001"], "left to run", "preview"),
        (["check", "--target", "litrt"], "unknown target 'litrt'", "did you mean 'litert'?"),
        (["check", "--target", "litert>=2"], "unknown target 'litert>=2'", "litert==X"),
        (["check", "--target", "litert=="], "'' is not a version", "targets are litert==2.3.0"),
        (["check", "--target", "tflite==2.x"], "'2.x' is not a version", "targets are"),
        (["check", "--target", "litert==9999999999"], "'9999999999' is not a version", "targets are"),
        (["check", "--target", "tflm==1.0"], "tflm has no versions", "declare tflm"),
        (["check", "--config", ""], "--config needs the path of a file", ""),
        (["check", "--config", "no.toml"], "no.toml: cannot be read: there is no such file", ""),
        (["check", "--config", "."], "it is a folder, not a file", ""),
        (["check", "--config", "good.tflite"], "is not UTF-8", "UTF-8"),
        (["check", "--baseline", "no.json"], "the baseline 'no.json' does not exist", "--write-baseline"),
        (["check", "--rules", "no.toml"], "the rule file 'no.toml' does not exist", ""),
        (["check", "--rules", "."], "contains no .toml file", "does not search its subfolders"),
        (["check", "--output", "no/report"], "the folder 'no' does not exist", "create"),
        (["check", "--output", "good.tflite/report"], "'good.tflite' is not a folder", ""),
        (["check", "--output", "x" * 300], "cannot be written: ", ""),
        (["check", "--output", "."], "'.' cannot be written: it is a folder", "a file in it"),
        (["check", "--output", ""], "a report needs the path of a file", ""),
        (["check", "--report", "jsn=r.json"], "unknown format 'jsn'", "did you mean 'json'?"),
        (["check", "--report", "x=y"], "unknown format 'x'", "formats: text, concise, json, sarif"),
        (["check", "--report", "json"], "no file given", "--report json=FILE"),
        (["check", "--report", "json=-"], "no file given", "--format is for standard output"),
        (["check", "--report", "json=no/r.json"], "the folder 'no' does not exist", "create"),
        (["check", "--report", "json=r", "--report", "sarif=./r"], "cannot be written to the same file", ""),
        (["check", "--report", "json=r", "--output", "r"], "two reports cannot be written to the same file", ""),
        (["check", "--write-baseline", "no/b.json"], "the folder 'no' does not exist", "create"),
        (["check", ""], "the path is empty", ""),
        (["check", "goood.tflite"], "'goood.tflite' does not exist", "did you mean 'good.tflite'?"),
        (["check", "no/good.tflite"], "'no/good.tflite' does not exist", "the folder 'no' does not exist"),
        (["check", "no*.tflite"], "no file matches 'no*.tflite'", "**"),
        (["check", "no\x00.tflite"], "does not exist", ""),
        (["check", "no\x1b[31m*"], "no file matches 'no\\x1b[31m*'", ""),
        (["explain", "Q01"], "there is no rule 'Q01'", "did you mean"),
        (["facts", "tensr"], "unknown table 'tensr'", "did you mean 'tensor'?"),
        (["rules", "check", "no.toml"], "the rule file 'no.toml' does not exist", ""),
        (["rules", "test", "no.toml"], "the rule file 'no.toml' does not exist", ""),
    ],
)  # fmt: skip
def test_wrong_options_are_named_with_a_hint(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str
) -> None:
    said = refused(capsys, *arguments)
    assert message in said
    if hint:
        assert hint in said.split("hint: ", 1)[1]


@pytest.fixture
def powerless() -> Iterator[Path]:
    """A folder of another user's, which this process may read and not write to, whoever runs the tests."""
    if sys.platform != "linux":
        pytest.skip("permissions as there are not everywhere, nor a way back from giving up root's")
    folder = Path(tempfile.mkdtemp())
    (folder / "report.txt").write_text(OLD)
    folder.chmod(0o555)
    (folder / "report.txt").chmod(0o444)
    was_root = os.geteuid() == 0
    if was_root:
        os.setresuid(65534, 65534, 0)  # nobody, and back
    try:
        yield folder
    finally:
        if was_root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [("new.txt", "cannot create a file in"), ("report.txt", "it is read-only"), ("no/new.txt", "the folder")],
)
def test_an_output_without_permission_is_told(powerless: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        output_file.prepare_named(str(powerless / name), output_file.REPORT)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, not even of root")
def test_an_output_is_tried_where_permissions_do_not_tell(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot create a file in '/proc'" in refused(capsys, "check", "--output", "/proc/report.txt")


def test_an_output_at_the_end_of_a_circle_of_links(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        (here / "one").symlink_to("two")
        (here / "two").symlink_to("one")
    except OSError:
        pytest.skip("links need a privilege")
    assert "'one' cannot be written" in refused(capsys, "check", "--output", "one")


@pytest.mark.parametrize("option", ["--output", "--write-baseline"])
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("tflint.api.check_items", lambda *a, **k: pytest.fail("models were checked"))
    refused(capsys, "check", option, "no/such/file")


def test_to_see_whether_an_output_can_be_written_leaves_nothing(here: Path) -> None:
    before = set(here.iterdir())
    output_file.prepare_named("report.txt", output_file.REPORT)
    assert set(here.iterdir()) == before


def test_a_call_without_a_command_prints_help(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not a success: a script that loses its arguments must not pass."""
    assert run([]) == 2
    bare = capsys.readouterr()
    assert run(["--help"]) == 0
    assert bare == capsys.readouterr()
    assert "'tflint help COMMAND' describes a command." in bare.out


@pytest.mark.parametrize("words", [[], ["check"], ["contract", "init"], ["rules", "list"]])
def test_help_is_a_command(here: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run([*words, "--help"]) == 0
    expected = capsys.readouterr().out
    assert run(["help", *words]) == 0
    assert run(["--debug", "help", *words]) == 0
    assert capsys.readouterr().out == 2 * expected


def test_help_version_and_explain(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--version", "-V"):
        assert run([option]) == 0
        assert capsys.readouterr().out == f"tflint {__version__}\n"
    assert run(["check", "--help"]) == 0
    assert "--fail-on" in capsys.readouterr().out
    for token in ("Q001", "q001", "bias-scale-mismatch"):
        assert run(["explain", token]) == 0
        assert capsys.readouterr().out.startswith("Q001 bias-scale-mismatch")


def test_options_before_and_after_an_action_hold_alike(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for arguments in (
        ["rules", "--format", "json"],
        ["rules", "--format", "json", "list"],
        ["rules", "list", "--format", "json"],
    ):
        assert run(arguments) == 0
        outputs.append(capsys.readouterr().out)
    assert len({json.loads(text)[0]["id"] for text in outputs}) == 1
    assert outputs[0] == outputs[1] == outputs[2]


def test_a_current_folder_that_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    before = Path.cwd()
    os.chdir(gone)
    try:
        gone.rmdir()
        assert "current folder no longer exists" in refused(capsys, "check")
    except OSError:
        pytest.skip("the system does not let go of a current folder")
    finally:
        os.chdir(before)


# --- paths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_without_models(here: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    (here / "empty").mkdir()
    assert run(["check", "empty", "--format", form]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("tflint: nothing to check: no models found in 'empty'\n  hint: ")
    if form == "json":
        assert json.loads(out)["files"] == []
    if form == "sarif":
        assert json.loads(out)["runs"][0]["results"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_wrong_selection_is_an_error_without_models_too(
    here: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    (here / "empty").mkdir()
    assert run(["check", "empty", "--select", "Q999", "--format", form]) == 2
    assert "'Q999' is not a rule" in capsys.readouterr().err


def test_a_folder_without_models_writes_the_output_all_the_same(here: Path) -> None:
    (here / "empty").mkdir()
    assert run(["check", "empty", "--output", "report.txt"]) == 2
    assert (here / "report.txt").exists()
    assert run(["check", "empty", "--output", "report.txt", "--allow-empty"]) == 0
    (here / "tflint.toml").write_text("allow-empty = true\n")
    assert run(["check", "empty"]) == 0


def test_a_list_on_standard_input(here: Path) -> None:
    model("conv_int8", here, "with space.tflite")
    found = command("check", "-", "--format", "json", input=b"good.tflite\r\n\r\n\n   \nwith space.tflite\r\n")
    assert found.returncode == 0
    assert [file["path"] for file in json.loads(found.stdout)["files"]] == ["good.tflite", "with space.tflite"]


def test_an_empty_list_on_standard_input(here: Path) -> None:
    found = command("check", "-", input=b"\n\n")
    assert found.returncode == 2
    assert found.stderr.startswith(b"tflint: nothing to check: no models found in the list on standard input\n")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_names_that_are_no_text(here: Path) -> None:
    for name in (b"b\xff.tflite", b"new\nline.tflite"):
        shutil.copy(here / "broken.tflite", os.fsdecode(name))
    for form in FORMATS:
        found = command("check", b"b\xff.tflite", "new\nline.tflite", "--format", form)  # type: ignore[arg-type]
        assert found.returncode == 1
        assert found.stderr == b""
        found.stdout.decode("utf-8")
    found = command("check", "-", "--format", "json", input=b"b\xff.tflite\n")
    assert json.loads(found.stdout)["files"][0]["path"] == "b\udcff.tflite"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_a_baseline_of_a_name_that_is_no_text(here: Path) -> None:
    name = os.fsdecode(b"b\xff.tflite")
    shutil.copy(here / "broken.tflite", name)
    assert run(["check", name, "--write-baseline", "base.json"]) == 0
    assert run(["check", name, "--baseline", "base.json"]) == 0
    assert run(["check", name, "--format", "json", "--output", "out.json"]) == 1
    assert json.loads((here / "out.json").read_text("utf-8"))["files"][0]["path"] == name


def test_a_file_named_is_read_whatever_its_suffix_and_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model("conv_int8", here, "model.xyz")
    assert run(["check", "model.xyz", "./model.xyz", "model.xyz", "--format", "json"]) == 0
    assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == ["model.xyz"]


def test_a_walk_takes_model_suffixes_and_bin_by_its_identifier(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "models"
    (folder / ".git").mkdir(parents=True)
    for name in ("b.TFLITE", "a.lite", "c.bin", ".hidden.tflite", ".git/x.tflite"):
        model("conv_int8", folder, name)
    model("html_page", folder, "page.bin")
    (folder / "notes.txt").write_text("no model")
    assert run(["check", "models", "--format", "json"]) == 0
    paths = [file["path"] for file in json.loads(capsys.readouterr().out)["files"]]
    assert paths == ["models/.hidden.tflite", "models/a.lite", "models/b.TFLITE", "models/c.bin"]


def test_globs_and_names_with_brackets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model("conv_int8", here, "m[1].tflite")
    for pattern in ("m[1].tflite", "m*", "**/m*.tflite"):
        assert run(["check", pattern, "--format", "json"]) == 0
        assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == ["m[1].tflite"]


def test_a_file_that_cannot_be_read_is_a_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        (here / "dangling.tflite").symlink_to("nowhere.tflite")
    except OSError:
        pytest.skip("links need a privilege")
    assert run(["check", "dangling.tflite", "--format", "json"]) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [finding["rule"] for finding in file["findings"]] == ["G102"]
    assert file["status"] == "unreadable"


@pytest.mark.security
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_does_not_hang(here: Path) -> None:
    os.mkfifo(here / "pipe.tflite")
    assert run(["check", "pipe.tflite"]) == 1


# --- exit codes -----------------------------------------------------------------------------------------------------


RANK = {"note": 0, "warning": 1, "error": 2, "never": 9}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("fail_on", ["error", "warning", "note", "never"])
@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_the_exit_code_goes_by_severity_and_never_by_format(
    here: Path, capsys: pytest.CaptureFixture[str], form: str, fail_on: str, severity: str
) -> None:
    (here / "tflint.toml").write_text(f'select = ["G003"]\nseverity = {{ G003 = "{severity}" }}\n')
    expected = int(RANK[severity] >= RANK[fail_on])
    assert run(["check", "broken.tflite", "--fail-on", fail_on, "--format", form]) == expected
    assert run(["check", "good.tflite", "--fail-on", fail_on, "--format", form]) == 0
    assert run(["check", "broken.tflite", "--fail-on", fail_on, "--format", form, "--exit-zero"]) == 0


def test_the_command_line_wins_over_the_configuration(here: Path) -> None:
    (here / "tflint.toml").write_text('fail-on = "never"\n')
    assert run(["check", "broken.tflite"]) == 0
    assert run(["check", "broken.tflite", "--fail-on", "error"]) == 1


def test_statistics_count_findings_by_rule(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model("truncated", here, "broken2.tflite")
    assert run(["check", ".", "--statistics"]) == 1
    text = capsys.readouterr().out
    assert re.search(r"^ *2 .*G003.* 2 files", text, re.MULTILINE)
    assert re.search(r"^ *1 in broken2.tflite: 1 error$", text, re.MULTILINE)


def test_quiet_is_findings_only(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "good.tflite", "-q", "--ignore", "M"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["check", ".", "--quiet"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("broken.tflite")
    assert "    fix " in out
    assert "suppressed" not in out
    assert "explain" not in out


def test_a_crash_of_a_rule_is_exit_code_3_unless_findings_decide(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("made for the test")

    monkeypatch.setattr("tflint.language.evaluator.Evaluator.value", crash)
    assert run(["check", "good.tflite", "--select", "Q001"]) == 3
    out, err = capsys.readouterr()
    assert "rule Q001 could not run: ZeroDivisionError: made for the test" in out
    assert "Traceback" not in out + err
    assert run(["check", "good.tflite", "--select", "Q001", "--fail-on", "warning"]) == 1


def test_a_defect_is_exit_code_3_and_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tflint.api.check_items", lambda *a, **k: 1 / 0)
    assert run(["check", "good.tflite"]) == 3
    assert capsys.readouterr().err.startswith("tflint: internal error: ZeroDivisionError")


# --- output ---------------------------------------------------------------------------------------------------------


def test_output_replaces_a_file_whole_and_leaves_nothing_else(here: Path) -> None:
    (here / "report.json").write_text(OLD)
    before = set(here.iterdir())
    assert run(["check", "broken.tflite", "--format", "json", "--output", "report.json"]) == 1
    assert set(here.iterdir()) == before
    assert json.loads((here / "report.json").read_text("utf-8"))["summary"]["error"] == 1


def test_one_run_writes_any_number_of_reports(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    real = tflint.api.check_items
    monkeypatch.setattr("tflint.api.check_items", lambda *a, **k: runs.append(1) or real(*a, **k))
    reports = {form: here / f"report = {form}" for form in FORMATS}
    options = [word for form, path in reports.items() for word in ("--report", f"{form}={path.name}")]
    assert run(["check", "broken.tflite", "--format", "github", *options]) == 1
    assert len(runs) == 1
    assert capsys.readouterr().out.startswith("::error ")
    found = {form: path.read_text("utf-8") for form, path in reports.items()}
    assert found["text"].startswith("broken.tflite")
    assert json.loads(found["json"])["summary"]["error"] == 1
    assert len(json.loads(found["sarif"])["runs"][0]["results"]) == 1


def test_a_report_beside_is_as_the_main_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "sarif", "markdown"):
        options = ["--format", form, "--sarif-max-level", "note", "-v", "--statistics"]
        assert run(["check", "broken.tflite", *options, "--report", f"{form}=beside", "--output", "main"]) == 1
        times = re.compile(r"\d+\.\d s")
        assert times.sub("", Path("beside").read_text("utf-8")) == times.sub("", Path("main").read_text("utf-8"))
    assert run(["check", "good.tflite", "--report", f"json={os.devnull}", "--report", f"text={os.devnull}"]) == 0


def test_a_failure_while_writing_leaves_the_old_file(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "report.json").write_text(OLD)
    before = set(here.iterdir())

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in refused(capsys, "check", "good.tflite", "--output", "report.json")
    assert set(here.iterdir()) == before
    assert (here / "report.json").read_text() == OLD


@pytest.mark.skipif(sys.platform == "win32", reason="no device files")
def test_a_device_stays_a_device(here: Path) -> None:
    assert run(["check", "good.tflite", "--output", os.devnull]) == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_an_output_never_goes_through_a_link(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "real.txt").write_text(OLD)
    (here / "link.txt").symlink_to("real.txt")
    assert "it is a link to 'real.txt'" in refused(capsys, "check", "good.tflite", "--output", "link.txt")
    assert (here / "link.txt").is_symlink()
    assert (here / "real.txt").read_text() == OLD


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_standard_output(here: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(
            [sys.executable, "-m", "tflint", "check", "good.tflite"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            check=False,
        )
    assert found.returncode == 2
    assert found.stderr == b"tflint: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
@pytest.mark.parametrize(("name", "expected"), [("good.tflite", 0), ("broken.tflite", 1)])
def test_a_broken_pipe_keeps_the_exit_code_and_says_nothing(here: Path, name: str, expected: int) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "tflint", "check", name, "--format", "json"],
            stdout=write,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            check=False,
        )
    finally:
        os.close(write)
    assert (found.returncode, found.stderr) == (expected, b"")


# --- interruption ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def checking_many(folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run over many files, in a process group of its own as a terminal gives it."""
    (folder / "many").mkdir()
    content = (folder / "good.tflite").read_bytes()
    for number in range(600):
        (folder / "many" / f"m{number}.tflite").write_bytes(content)
    started = subprocess.Popen(
        # Slow enough to be interrupted, and it says when the first files are done.
        [
            sys.executable,
            "-c",
            "import sys, time, tflint.runner.scheduler as scheduler, tflint.cli.progress as p\n"
            "real = scheduler._Checker.check_group\n"
            "def slow(*a):\n    time.sleep(0.3)\n    return real(*a)\n"
            "scheduler._Checker.check_group = slow\n"
            "p.Progress.__call__ = lambda self, done, total: print('done', done, flush=True)\n"
            "sys.argv[0] = 'tflint'\n"
            "from tflint.__main__ import entry\n"
            "entry()",
            "check", "many", "--format", "json", "--output", "report.json", *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        start_new_session=True,
        # As a terminal starts it; a background job has inherited that the signal is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        yield started
    finally:
        with contextlib.suppress(OSError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and signals a process group")
@pytest.mark.parametrize("options", [("--jobs", "1"), ("--jobs", "3")])
@pytest.mark.parametrize("to_group", [True, False])
def test_an_interrupted_run_ends_with_130_and_no_half_report(
    here: Path, options: tuple[str, ...], to_group: bool
) -> None:
    (here / "report.json").write_text(OLD)
    with checking_many(here, *options) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith(b"done")
        time.sleep(0.05)
        (os.killpg if to_group else os.kill)(started.pid, signal.SIGINT)
        _, err = started.communicate(timeout=30)
    assert started.returncode == 130
    assert err == b"tflint: interrupted\n"
    assert (here / "report.json").read_text() == OLD
    assert not [path for path in here.iterdir() if path.name.startswith(".report")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such error")
@pytest.mark.parametrize(
    "arguments",
    [["check"], ["show"], ["diff", "other.tflite"], ["contract", "init"], ["contract", "check"], ["contract", "show"]],
)
def test_a_name_that_is_too_long_is_an_error_of_the_user(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "a" * 300 + ".tflite"]) == 2
    assert "internal error" not in capsys.readouterr().err
