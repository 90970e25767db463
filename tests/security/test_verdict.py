"""Test the verdict: limits apply before suppressions, and runs that checked nothing or could not read a path fail."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tflint
from tests.helpers.models.large import shared_vector_bomb
from tests.helpers.processes import command, place, powerless
from tflint.api import check
from tflint.catalog import load_catalog
from tflint.cli.main import run
from tflint.config import Config
from tflint.engine import judge
from tflint.findings import MAX_PLACES, SkippedPaths
from tflint.findings.baseline import build_baseline, count_entry
from tflint.findings.finding_limits import MAX_LISTED, limit_findings
from tflint.findings.suppressions import Allow

pytestmark = pytest.mark.security
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")

ONLY = Config(select=("G008",))


def report_of(here: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a check, and its report as JSON."""
    (here / "out.json").unlink(missing_ok=True)
    code = run(["check", *arguments, "--format", "json", "--output", "out.json"])
    return code, json.loads((here / "out.json").read_text("utf-8"))


# --- the cap of places --------------------------------------------------------------------------------------------


def test_a_thousand_suppressed_places_hide_no_new_one() -> None:
    content = shared_vector_bomb(40)  # 1,600 places of one rule
    all_of_it = check(content, config=ONLY)
    known = build_baseline([tflint.FileReport("<bytes>", findings=tuple(all_of_it.findings())[:-1])])["files"]
    report = check(content, config=ONLY, baseline=known)
    assert report.fails("error")
    (file,) = limit_findings(report).files
    assert [finding.suppressed is None for finding in file.findings].count(True) == 1
    assert len(file.findings) == MAX_LISTED


def test_what_lies_beyond_all_places_fails_whatever_a_place_or_a_baseline_suppresses() -> None:
    content = shared_vector_bomb(110)  # 12,100 places
    first = check(content, config=ONLY)
    (more,) = [finding for finding in first.findings() if finding.n_more]
    assert (more.n_more, more.severity) == (110 * 110 - MAX_PLACES, "error")
    by_place = tflint.Config(select=("G008",), allow=(Allow("G008", "known", at="*"),))
    assert check(content, config=by_place).fails("error")
    known = build_baseline(first.files)["files"]
    assert sum(count_entry(entry) for entries in known.values() for entry in entries.values()) == MAX_PLACES
    assert check(content, config=ONLY, baseline=known).fails("error")
    by_rule = tflint.Config(select=("G008",), allow=(Allow("G008", "known"),))
    assert not check(content, config=by_rule).fails("error")


def test_many_rules_with_many_places_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflint.engine.findings.MAX_FINDINGS", 50)
    (file,) = check(shared_vector_bomb(20), config=ONLY).files
    assert len(file.findings) == 51
    assert file.findings[-1].n_more == 20 * 20 - 50


# --- users' rules ---------------------------------------------------------------------------------------------------

_RULE = """
[[rule]]
id       = "ACME{number:03}"
name     = "costly-{number}"
severity = "error"
for-each = "operator"
require  = 'all(inputs.index + {number} >= 0)'
message  = "too many"
summary  = "Costs a lot."
why      = "It reads a list for each operator."
fix      = "do not"
"""


def test_users_rules_share_one_budget(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "rules.toml").write_text("".join(_RULE.format(number=number) for number in range(1, 7)))
    content = shared_vector_bomb(60)
    config = Config(rules=("rules.toml",), select=("ACME",))
    names = {rule.id for rule in load_catalog(("rules.toml",)).rules if not rule.is_builtin}
    (file,) = check(content, config=config).files
    assert (file.not_checked, file.findings) == ((), ())
    monkeypatch.setattr(judge, "TOTAL_ELEMENTS", 30_000)
    (file,) = check(content, config=config).files
    gone = {entry.rule for entry in file.not_checked}
    assert gone and gone < names, "the first are judged, the others are told as not checked"
    small = (here / "good.tflite").read_bytes()
    both = check([content, small], config=config).files
    assert both[0].not_checked == file.not_checked
    assert both[1].not_checked == (), "the verdict of a file does not depend on the others"


# --- nothing to check -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "no models found in 'm'"),
        ('exclude = ["*.tflite"]', "nothing to check in 'm': all 2 models are excluded"),
        ('exclude = ["m/sub"]', "nothing to check in 'm': all 2 models are excluded"),
    ],
)
def test_a_run_that_checked_nothing_is_not_green(
    here: Path, capsys: pytest.CaptureFixture[str], config: str, message: str
) -> None:
    (here / "m" / "sub").mkdir(parents=True)
    if config:
        for name in ("a.tflite", "b.tflite"):
            shutil.copy(here / "good.tflite", here / "m" / "sub" / name)
    (here / "tflint.toml").write_text(config)
    code, report = report_of(here, "m")
    assert code == 2
    assert message in capsys.readouterr().err
    assert report["files"] == []
    assert report["run"]["left_out"]["excluded_models"] == (2 if config else 0)
    assert run(["check", "m", "--allow-empty"]) == 0
    (here / "tflint.toml").write_text(config + "\nallow-empty = true")
    assert run(["check", "m"]) == 0


def test_a_member_that_is_not_there_is_not_a_run_of_nothing(here: Path) -> None:
    place("bundle_task", here / "b.task")
    assert run(["check", "b.task!/none.tflite"]) == 2


def test_an_assertion_on_nothing_fails(here: Path) -> None:
    (here / "empty").mkdir()
    from tflint.testing import assert_clean

    with pytest.raises(AssertionError):
        assert_clean("empty")


# --- what cannot be looked at ---------------------------------------------------------------------------------------


@pytest.fixture
def locked(here: Path) -> Iterator[Path]:
    """A folder of models of which one subfolder cannot be listed, and one can be listed but not entered."""
    for name in ("closed", "listed", "open"):
        (here / "m" / name).mkdir(parents=True)
        shutil.copy(here / "good.tflite", here / "m" / name)
    (here / "m" / "closed").chmod(0)
    (here / "m" / "listed").chmod(0o444)
    yield here / "m"
    for name in ("closed", "listed"):
        (here / "m" / name).chmod(0o755)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("m", {"m/closed", "m/listed/good.tflite"}),
        ("m/closed", {"m/closed"}),
        ("m/closed/good.tflite", {"m/closed/good.tflite"}),
        ("m/closed/sub/none.tflite", {"m/closed/sub/none.tflite"}),
    ],
)
def test_what_permissions_hide_is_a_finding(locked: Path, path: str, named: set[str]) -> None:
    done = command("check", path, "--format", "json", prefix=powerless())
    assert (done.returncode, done.stderr) == (1, b"")
    files = {file["path"]: file for file in json.loads(done.stdout)["files"]}
    found = {name for name, file in files.items() if file["status"] == "unreadable"}
    assert found == named
    for name in named:
        (finding,) = files[name]["findings"]
        assert (finding["rule"], finding["severity"]) == ("G102", "error")
        assert "permission denied" in finding["message"]
    assert files.get("m/closed", {"kind": "source"})["kind"] == "source"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("good.tflite", ["check", "good.tflite"], 1),
        ("m.bin", ["check", "."], 1),
        ("tflint.toml", ["check", "good.tflite"], 2),
        ("good.contract.toml", ["check", "good.tflite"], 1),
        ("acme.toml", ["check", "good.tflite", "--rules", "acme.toml"], 2),
        ("known.json", ["check", "good.tflite", "--baseline", "known.json"], 2),
        ("good.tflite", ["show", "good.tflite"], 2),
        ("good.tflite", ["contract", "init", "good.tflite"], 2),
        ("good.tflite", ["diff", "broken.tflite", "good.tflite"], 1),
    ],
)
def test_a_file_that_must_not_be_read_is_named(here: Path, name: str, arguments: list[str], code: int) -> None:
    (here / "broken.tflite").unlink()
    place("conv_int8", here / "broken.tflite")
    if not (here / name).exists():
        (here / name).write_text("{}")
    (here / name).chmod(0)
    done = command(*arguments, prefix=powerless())
    assert done.returncode == code, done.stdout + done.stderr
    assert b"internal error" not in done.stderr
    said = done.stdout + done.stderr
    assert name.encode() in said
    assert b"permission denied" in said or b"is not a readable model" in said or b"no model that can be read" in said


@needs_links
def test_what_a_walk_leaves_out_is_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (".hidden", ".git", "real"):
        (here / "m" / name).mkdir(parents=True)
        shutil.copy(here / "good.tflite", here / "m" / name)
    (here / "elsewhere").mkdir()
    shutil.copy(here / "good.tflite", here / "elsewhere")
    (here / "m" / "link").symlink_to(here / "elsewhere")
    (here / "m" / "circle").symlink_to(here / "m")
    code, report = report_of(here, "m")
    assert code == 0
    assert [file["path"] for file in report["files"]] == ["m/real/good.tflite"]
    assert report["run"]["left_out"] == {
        "excluded_models": 0, "ignored_models": 0, "hidden_folders": 2, "linked_folders": 2, "models": 2,
    }  # fmt: skip
    capsys.readouterr()
    run(["check", "m"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "left out: 2 hidden folders, 2 linked folders, with 2 models (name the folder to check it)"


def test_hidden_folders_without_models_are_told_on_request_only(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".venv").mkdir()
    run(["check", "."])
    assert "left out" not in capsys.readouterr().out
    run(["check", ".", "-v"])
    assert capsys.readouterr().out.splitlines()[-1] == "left out: 1 hidden folder"


def test_counting_what_is_left_out_is_bounded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflint.source.model_search.MAX_PEEKED_ENTRIES", 5)
    (here / ".many").mkdir()
    for number in range(20):
        (here / ".many" / f"{number}.tflite").touch()
    assert check(".").left_out == SkippedPaths(0, 1, 0, 5)


# --- limits of a run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [["--max-seconds", "0.000001"], ["--max-memory", "1"]])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_the_limits_of_a_run_do_not_reach_is_an_error_each(here: Path, options: list[str], jobs: str) -> None:
    if sys.platform == "win32" and options[0] == "--max-memory":
        pytest.skip("Windows does not tell the peak")
    (here / "m").mkdir()
    for number in range(20):
        shutil.copy(here / "good.tflite", here / "m" / f"{number}.tflite")
    code, report = report_of(here, "m", *options, "--jobs", jobs)
    assert code == 1
    assert len(report["files"]) == 20
    assert {finding["rule"] for file in report["files"] for finding in file["findings"]} == {"G119"}
    assert {file["status"] for file in report["files"]} == {"unreadable"}


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_a_limit_that_is_no_number_is_refused(here: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert run(["check", f"--max-seconds={value}"]) == 2
    assert "--max-seconds" in capsys.readouterr().err


def test_limits_that_are_not_reached_change_nothing(here: Path) -> None:
    code, limited = report_of(here, "good.tflite", "broken.tflite", "--max-seconds", "600", "--max-memory", "10000")
    assert code == 1
    _, free = report_of(here, "good.tflite", "broken.tflite")
    assert limited["files"] == free["files"]


def test_the_process_says_its_own_peak() -> None:
    from tflint.runner.run_limits import peak_bytes

    assert os.name == "nt" or peak_bytes() > 10_000_000
