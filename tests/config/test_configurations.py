"""Test which configuration applies to a file, and what reports say about it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.git import commit_all, git
from tests.helpers.models.named import MODELS_DIRECTORY
from tflint.cli.main import run
from tflint.config import Configurations

ALLOW = '[[allow]]\nrule = "M002"\nreason = "a model of the tests"\n'
DRAFT = '[model]\ndraft = true\n[[inputs]]\nkind = "raw"\n'


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a model at the top level and one in each of the folders `a`, `a/deep` and `b`."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    for name in ("top.tflite", "a/one.tflite", "a/deep/two.tflite", "b/three.tflite"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MODELS_DIRECTORY / "conv_float32.tflite", name)
    return Path.cwd()


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict:
    capsys.readouterr()
    assert run(["check", "--no-cache", "--format", "json", *arguments]) == code
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["check", "--no-cache", *arguments]) == 2
    return capsys.readouterr().err


@pytest.fixture
def committed(repository: Path) -> Path:
    """The repository as a real one, with a configuration and a contract in its only commit."""
    shutil.rmtree(".git")
    write("tflint.toml", 'rules = ["lint"]\nbaseline = "known.json"\n' + ALLOW)
    write("lint/house.toml", RULE)
    write("known.json", '{"schema_version": 1, "files": {}}')
    write("top.contract.toml", '[model]\ntargets = ["tflm"]\n[[inputs]]\nindex = 0\nkind = "raw"\n' + ALLOW)
    commit_all(".")
    return repository


RULE = """
[[rule]]
id = "HOUSE1"
name = "house-rule"
severity = "error"
for-each = "model"
require = "n_operators > 1000"
message = "the model is small"
summary = "A model is small."
why = "Small models are not accurate."
fix = "use a larger model"
mutes = ["M104"]
"""


# --- which one applies ----------------------------------------------------------------------------------------------


def test_each_model_has_the_nearest_configuration(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'ignore = ["M"]\n')
    write("a/tflint.toml", 'targets = ["tflm"]\nfail-on = "never"\n')
    data = report_of(capsys)
    of_file = {file["path"]: (file["configuration"], file["fail_on"]) for file in data["files"]}
    assert of_file == {
        "top.tflite": ("tflint.toml", "error"),
        "a/deep/two.tflite": ("a/tflint.toml", "never"),
        "a/one.tflite": ("a/tflint.toml", "never"),
        "b/three.tflite": ("tflint.toml", "error"),
    }
    rules = {file["path"]: {finding["rule"] for finding in file["findings"]} for file in data["files"]}
    assert "M002" in rules["a/one.tflite"]  # nothing is merged: `ignore` of the outer configuration does not count
    assert not rules["b/three.tflite"]
    assert set(data["run"]["targets"]) == {"litert==2.3.0", "tflm"}


def test_a_configuration_above_the_repository_does_not_count(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("../tflint.toml", 'fail-on = "never"\n')
    assert all(file["configuration"] is None for file in report_of(capsys)["files"])
    (repository / ".git").rmdir()
    assert all(file["fail_on"] == "never" for file in report_of(capsys)["files"])


def test_the_current_folder_does_not_decide(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a/tflint.toml", 'ignore = ["M"]\n')
    os.chdir("b")
    (file,) = report_of(capsys, "../a/one.tflite")["files"]
    assert file["configuration"] is not None
    assert file["findings"] == []


def test_fail_on_of_each_file_decides(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a/tflint.toml", 'fail-on = "note"\n')
    report_of(capsys, "b")
    report_of(capsys, "a", code=1)
    report_of(capsys, code=1)
    report_of(capsys, "--fail-on", "never")


def test_options_replace_the_keys_of_every_configuration(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'select = ["Q"]\n')
    write("a/tflint.toml", 'select = ["D"]\n')
    for file in report_of(capsys, "--select", "M002")["files"]:
        assert {finding["rule"] for finding in file["findings"]} == {"M002"}


def test_isolated_ignores_all_configurations(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a/tflint.toml", 'ignore = ["M"]\n')
    data = report_of(capsys, "--isolated")
    assert all(file["configuration"] is None and file["findings"] for file in data["files"])
    assert "exclude each other" in refused(capsys, "--isolated", "--config", "a/tflint.toml")


def test_a_broken_configuration_below_is_an_error_with_its_path(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("a/tflint.toml", 'ignored = ["M"]\n')
    assert "a/tflint.toml:1" in refused(capsys)
    report_of(capsys, "b")


def test_deep_folders_do_not_exceed_the_recursion_limit(tmp_path: Path) -> None:
    assert Configurations().of("/".join([str(tmp_path), *["d"] * 1500, "m.tflite"])).origin == ""


def test_show_files_and_settings(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a/tflint.toml", 'ignore = ["M"]\nseverity = { Q001 = "note" }\n' + ALLOW)
    assert run(["check", "--show-files", "--show-settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "top.tflite  (no configuration)",
        "a/one.tflite  (a/tflint.toml)",
        "a/deep/two.tflite  (a/tflint.toml)",
    ] or lines[0].startswith("top.tflite")
    assert "# a/tflint.toml: 2 files" in lines
    assert 'severity = { "Q001" = "note" }' in lines
    assert "# 1 suppression in [[allow]]" in lines


# --- which models are skipped ---------------------------------------------------------------------------------------


def test_exclude_is_relative_to_its_configuration(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a/tflint.toml", 'exclude = ["deep/**"]\n')
    data = report_of(capsys)
    assert "a/deep/two.tflite" not in {file["path"] for file in data["files"]}
    assert data["run"]["left_out"]["excluded_models"] == 1


def test_an_excluded_folder_is_skipped_with_its_own_configuration(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("tflint.toml", 'exclude = ["a/**"]\n')
    write("a/tflint.toml", 'fail-on = "note"\n')
    assert {file["path"] for file in report_of(capsys)["files"]} == {"top.tflite", "b/three.tflite"}


def test_an_option_adds_excluded_files(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'exclude = ["b"]\n')
    data = report_of(capsys, "--exclude", "a/deep", "--exclude", "top.tflite")
    assert {file["path"] for file in data["files"]} == {"a/one.tflite"}
    assert "needs a glob" in refused(capsys, "--exclude", "")


def test_named_files_are_excluded_only_by_force(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'exclude = ["a"]\n')
    named = ("a/one.tflite", "a/deep/two.tflite")
    assert len(report_of(capsys, *named)["files"]) == 2
    data = report_of(capsys, "--force-exclude", *named, "b/three.tflite")
    assert [file["path"] for file in data["files"]] == ["b/three.tflite"]
    assert data["run"]["left_out"]["excluded_models"] == 2
    assert report_of(capsys, "--force-exclude", *named)["files"] == []  # a hook may name excluded files only


def test_globs_that_match_nothing_are_reported_after_a_complete_search(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("tflint.toml", 'exclude = ["old/**", "b"]\n[per-file-ignores]\n"older/**" = ["Q"]\n')
    notices = [notice["message"] for notice in report_of(capsys)["notices"]]
    assert notices == [
        "tflint.toml: 'old/**' in 'exclude' matches no file; remove or correct it",
        "tflint.toml: 'older/**' in 'per-file-ignores' matches no file; remove or correct it",
    ]
    assert report_of(capsys, "a")["notices"] == []
    report_of(capsys, "--strict", code=1)


def test_files_that_git_ignores_are_skipped_on_request(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(".gitignore", "*.tflite\nbuild/\n")
    Path("build/x").mkdir(parents=True)
    shutil.copy("top.tflite", "build/x/new.tflite")
    shutil.copy("top.tflite", "b/new.tflite")
    assert len(report_of(capsys, "--isolated")["files"]) == 7  # six models and a contract
    write("tflint.toml", "respect-gitignore = true\n")
    data = report_of(capsys)
    assert {file["path"] for file in data["files"] if file["kind"] == "model"} == {
        "top.tflite", "a/one.tflite", "a/deep/two.tflite", "b/three.tflite",  # tracked, although they match
    }  # fmt: skip
    assert data["run"]["left_out"]["ignored_models"] == 2
    assert "2 Git-ignored models" in text_of(capsys)


def text_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    run(["check", "--no-cache", *arguments])
    return " ".join(capsys.readouterr().out.split())


# --- who decides ----------------------------------------------------------------------------------------------------


def test_with_a_pinned_configuration_contracts_decide_nothing(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("ci.toml", 'fail-on = "never"\n')
    data = report_of(capsys, "--config", "ci.toml", "top.tflite")
    assert data["files"][0]["summary"]["suppressed"] == 0
    assert data["run"]["targets"] == ["litert==2.3.0"]
    assert data["run"]["configurations"][0]["contracts"][0]["is_limited"]
    trusted = report_of(capsys, "--config", "ci.toml", "--trust-contracts", "top.tflite")
    assert trusted["files"][0]["summary"]["suppressed"] == 1
    assert trusted["run"]["targets"] == ["tflm"]
    assert "needs --config" in refused(capsys, "--trust-contracts")


def test_a_pull_request_cannot_change_the_configuration_of_a_revision(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = report_of(capsys, code=1)
    write("tflint.toml", 'select = ["G001"]\nfail-on = "never"\nexclude = ["**"]\n')
    write("a/tflint.toml", 'fail-on = "never"\n')
    write("lint/house.toml", RULE.replace("1000", "0"))
    write("top.contract.toml", '[[inputs]]\nindex = 0\nkind = "raw"\n[[allow]]\nrule = "HOUSE1"\nreason = "hidden"\n')
    write("known.json", "broken")
    data = report_of(capsys, "--config-from", "HEAD", code=1)
    assert {file["configuration"] for file in data["files"]} == {"HEAD:tflint.toml"}
    assert data["summary"] == before["summary"]
    assert data["run"]["targets"] == before["run"]["targets"]
    (use,) = data["run"]["configurations"]
    assert use["settings"] == {"rules": ["lint"], "baseline": "known.json", "allow": 1}
    assert report_of(capsys, "--config-from", "HEAD", code=1)["run"]["config_digest"] == data["run"]["config_digest"]
    assert "HEAD:tflint.toml" in text_of(capsys, "--config-from", "HEAD")


def test_a_missing_revision_says_how_to_fetch_it(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, "--config-from", "origin/main")
    assert "no revision 'origin/main'" in error
    assert "fetch-depth" in error
    assert "is not a revision" in refused(capsys, "--config-from=--upload-pack=x")


def test_a_revision_without_a_configuration_has_the_defaults(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(".", "rm", "-q", "--cached", "tflint.toml")
    git(".", "commit", "-q", "-m", "remove the configuration")
    assert all(file["configuration"] is None for file in report_of(capsys, "--config-from", "HEAD")["files"])


def test_a_pinned_configuration_of_a_revision(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'fail-on = "never"\n')
    data = report_of(capsys, "--config-from", "HEAD", "--config", "tflint.toml", code=1)
    assert {file["configuration"] for file in data["files"]} == {"HEAD:tflint.toml"}
    assert "'HEAD:ci.toml' does not exist" in refused(capsys, "--config-from", "HEAD", "--config", "ci.toml")


def test_a_link_in_a_revision_is_not_followed(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tflint.toml").unlink()
    Path("tflint.toml").symlink_to("/etc/passwd")
    git(".", "add", "tflint.toml")
    git(".", "commit", "-q", "-m", "link")
    assert "is not a file in 'HEAD'" in refused(capsys, "--config-from", "HEAD")


def test_worker_processes_use_the_revision_too(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("top.contract.toml", '[[inputs]]\nindex = 0\nkind = "raw"\n')
    for number in range(140):
        shutil.copy("top.tflite", f"b/m{number}.tflite")
    data = report_of(capsys, "--config-from", "HEAD", "--jobs", "2", code=1)
    (top,) = [file for file in data["files"] if file["path"] == "top.tflite"]
    assert top["summary"]["suppressed"] >= 1
    assert "tflm" in data["run"]["targets"]


# --- what reports say -----------------------------------------------------------------------------------------------


def test_reports_say_what_a_configuration_changed(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", 'rules = ["lint"]\nfail-on = "never"\nseverity = { M002 = "warning" }\n' + ALLOW)
    (use,) = report_of(capsys)["run"]["configurations"]
    assert use["path"] == "tflint.toml"
    assert use["settings"] == {"severity": {"M002": "warning"}, "fail-on": "never", "rules": ["lint"], "allow": 1}
    assert use["suppressed"] == {"allow": 4}
    assert use["contracts"] == [
        {"path": "top.contract.toml", "suppressed": 0, "targets": ["tflm"], "is_draft": False, "is_limited": False}
    ]
    text = text_of(capsys)
    assert "configuration tflint.toml: severity M002 warning · fail-on never · rules lint" in text
    assert "1 allow entry (4 findings suppressed)" in text
    assert "contract top.contract.toml: adds tflm to the targets" in text


@pytest.mark.parametrize("form", ["markdown", "github", "sarif", "junit"])
def test_other_formats_name_the_configuration(repository: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    write("a/tflint.toml", 'fail-on = "never"\n')
    run(["check", "--no-cache", "--format", form, "a"])
    shown = capsys.readouterr().out
    assert "a/tflint.toml" in shown
    assert "never" in shown


def test_findings_that_users_rules_mute_are_counted(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("lint/house.toml", RULE)
    write("tflint.toml", 'rules = ["lint"]\nfail-on = "never"\n')
    (use,) = report_of(capsys)["run"]["configurations"]
    assert use["muted"] == 4
    assert "4 findings muted by these rules" in text_of(capsys)


def test_the_digest_covers_all_settings(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def digest(text: str, contract: str = "") -> str:
        write("tflint.toml", text)
        if contract:
            write("top.contract.toml", contract)
        digest: str = report_of(capsys, "--exit-zero")["run"]["config_digest"]
        return digest

    inputs = '[[inputs]]\nindex = 0\nkind = "raw"\n'
    texts = ["", 'fail-on = "never"', 'exclude = ["b"]', 'ignore = ["M"]', "require-contract = true"]
    digests = [digest(text) for text in texts]
    digests += [digest("", inputs), digest("", inputs + ALLOW), digest("", '[model]\ntargets = ["tflm"]\n' + inputs)]
    assert len(set(digests)) == len(digests) - 1  # a contract without decisions changes no setting
    assert digests[0] == digests[5]


def test_the_number_of_rules_depends_on_the_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("b/pointer.tflite", "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12\n")
    write("top.contract.toml", '[[inputs]]\nindex = 0\nkind = "image"\n')
    files = {file["path"]: file for file in report_of(capsys, "--exit-zero")["files"]}
    pointer, plain, contracted = (
        files[name]["rules_run"] for name in ("b/pointer.tflite", "a/one.tflite", "top.tflite")
    )
    assert 0 < pointer < plain < contracted
    assert f"b/pointer.tflite: {pointer} rules" in text_of(capsys, "-v")


def test_drafts_are_named_in_words(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("top.contract.toml", DRAFT)
    assert "what 1 draft contract left open (top.contract.toml)" in text_of(capsys)
    data = report_of(capsys, "--strict", code=1)
    assert "1 contract is a draft" in data["run"]["strict_problems"]
    assert "strict: " in text_of(capsys, "--strict")


# --- strict runs ----------------------------------------------------------------------------------------------------


def test_strict_fails_for_suppressions_without_effect(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", '[[allow]]\nrule = "Q001"\nreason = "no longer needed"\n')
    report_of(capsys)
    assert report_of(capsys, "--strict", code=1)["run"]["strict_problems"] == ["1 unused suppression"]
    write("tflint.toml", ALLOW + 'until = "2020-01-01"\n')
    assert report_of(capsys, "--strict", code=1)["run"]["strict_problems"] == ["1 expired suppression"]
    report_of(capsys, "--strict", "--exit-zero")


def test_a_required_contract_that_is_missing_is_an_error(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("b/tflint.toml", "require-contract = true\n")
    data = report_of(capsys, code=1)
    assert [(file["path"]) for file in data["files"] if file["summary"]["error"]] == ["b/three.tflite"]
    write("b/three.contract.toml", '[[inputs]]\nindex = 0\nkind = "raw"\n')
    report_of(capsys)


# --- baselines ------------------------------------------------------------------------------------------------------


def test_the_baseline_of_a_configuration_covers_its_own_files(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("a/tflint.toml", 'baseline = "known.json"\n')
    assert run(["check", "--write-baseline", "a/known.json"]) == 0
    assert set(json.loads(Path("a/known.json").read_text())["files"]) == {"one.tflite", "deep/two.tflite"}
    files = {file["path"]: file["summary"]["suppressed"] for file in report_of(capsys)["files"]}
    assert files["a/one.tflite"] > 0
    assert files["b/three.tflite"] == 0


def test_a_named_baseline_covers_the_files_of_all_configurations(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("a/tflint.toml", 'targets = ["tflm"]\n')
    assert run(["check", "--write-baseline", "all.json"]) == 0
    data = report_of(capsys, "--baseline", "all.json", "--fail-on", "note")
    assert all(file["summary"]["suppressed"] for file in data["files"])


def test_allow_writes_to_the_configuration_of_the_model(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("tflint.toml", "")
    write("a/tflint.toml", "")
    assert run(["allow", "M002", "a/one.tflite", "--reason", "a model of the tests"]) == 0
    assert "M002" in Path("a/tflint.toml").read_text()
    assert Path("tflint.toml").read_text() == ""
