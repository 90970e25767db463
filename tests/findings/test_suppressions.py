"""Test suppressions, per-file ignores and baselines: what they suppress, report and never hide."""

from __future__ import annotations

import datetime
import fnmatch
import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.models.named import MODELS_DIRECTORY
from tflint.api import check
from tflint.cli.main import run
from tflint.config import Config, load_config
from tflint.errors import UserError
from tflint.findings import FileReport, Finding, Location
from tflint.findings.baseline import (
    MAX_ENTRIES,
    apply_baseline,
    build_baseline,
    count_entry,
    read_baseline,
    report_unmatched,
)
from tflint.findings.location_globs import FirstGlob
from tflint.findings.path_globs import matches, relative_to_folder
from tflint.findings.suppressions import Allow, apply_allows
from tflint.values import replace

TODAY = datetime.date(2025, 6, 15)


def finding(rule: str = "Q001", *, path: str = "subgraphs[0].tensors[2]", place: str = "bias") -> Finding:
    location = Location("m/a.tflite", path, ("main", "stem/conv/bias"))
    return Finding(rule, "bias-scale-mismatch", "error", "error", "high", "text", location, "fix", (place,))


def report(*findings: Finding, path: str = "m/a.tflite") -> FileReport:
    return FileReport(path, findings=findings)


def allowed(allow: Allow, *findings: Finding) -> tuple[FileReport, list[str]]:
    files, notices = apply_allows([report(*(findings or (finding(),)))], [allow], TODAY)
    return files[0], [notice.kind for notice in notices]


# --- globs of places ------------------------------------------------------------------------------------------------

PATTERNS = st.text("ab/[]*?!", max_size=6)


@given(st.lists(PATTERNS, max_size=6), st.lists(st.text("ab/[]*!", max_size=6), min_size=1, max_size=3))
@settings(max_examples=1000, deadline=None)
def test_the_first_glob_is_that_of_a_loop_over_all(patterns: list[str], places: list[str]) -> None:
    def is_meant(pattern: str) -> bool:
        return not pattern or any(place == pattern or fnmatch.fnmatchcase(place, pattern) for place in places)

    expected = next((number for number, pattern in enumerate(patterns) if is_meant(pattern)), None)
    assert FirstGlob(enumerate(patterns)).find(places) == expected


def test_a_route_with_indices_means_no_other_place() -> None:
    route = "subgraphs[0].tensors[12]"
    assert FirstGlob([(0, route)]).find((route,)) == 0
    assert FirstGlob([(0, route)]).find(("subgraphs0.tensors1",)) is None
    assert FirstGlob([(0, "conv[12]/bias")]).find(("conv1/bias",)) == 0


@pytest.mark.security
@pytest.mark.parametrize("at", ["subgraphs[0].tensors[{}]", "stem/{}/*", "*/{}/bias", "*x{}*"])
def test_a_thousand_entries_and_ten_thousand_findings_take_seconds(at: str) -> None:
    allows = [Allow("Q001", "known", at=at.format(number + 20_000)) for number in range(1000)]
    findings = [finding(path=f"subgraphs[0].tensors[{number}]") for number in range(10_000)]
    started = time.process_time()
    files, notices = apply_allows([report(*findings)], allows, TODAY)
    assert time.process_time() - started < 5
    assert len(files[0].open_findings) == 10_000
    assert len(notices) == 1000


# --- allow ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "allow",
    [
        Allow("Q001", "known"),
        Allow("bias-scale-mismatch", "known"),
        Allow("Q001", "known", path="a.tflite"),
        Allow("Q001", "known", path="m/*.tflite"),
        Allow("Q001", "known", path="**/a.*"),
        Allow("Q001", "known", path="m/"),
        Allow("Q001", "known", at="subgraphs[0].tensors[2]"),
        Allow("Q001", "known", at="stem/conv/bias"),
        Allow("Q001", "known", at="stem/*"),
        Allow("Q001", "known", until=TODAY),
    ],
)
def test_an_entry_takes_back_what_it_means(allow: Allow) -> None:
    file, notices = allowed(allow)
    assert file.open_findings == ()
    assert file.summary()["suppressed"] == 1
    assert file.findings[0].suppressed is not None
    assert (file.findings[0].suppressed.kind, file.findings[0].suppressed.reason) == ("allow", "known")
    assert notices == []


@pytest.mark.parametrize(
    "allow",
    [
        Allow("Q002", "known"),
        Allow("Q00", "known"),
        Allow("Q001", "known", at="subgraphs[0].tensors[1]"),
        Allow("Q001", "known", at="tensors*"),
    ],
)
def test_an_entry_that_takes_nothing_back_is_told(allow: Allow) -> None:
    file, notices = allowed(allow)
    assert len(file.open_findings) == 1
    assert notices == ["unused-allow"]


def test_an_entry_for_files_that_were_not_looked_at_is_not_called_unused() -> None:
    assert allowed(Allow("Q001", "known", path="other/*.tflite"))[1] == []


def test_an_expired_entry_is_told_and_the_finding_is_back() -> None:
    file, notices = allowed(Allow("Q001", "known", until=TODAY - datetime.timedelta(days=1), origin="tflint.toml"))
    assert len(file.open_findings) == 1
    assert notices == ["expired-allow"]


def test_entries_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path)
    entry = '[[allow]]\nrule = "{}"\nreason = "a known download"\n{}\n'
    (tmp_path / "tflint.toml").write_text(entry.format("G003", ""))
    assert run(["check", "truncated.tflite"]) == 0
    assert "1 suppressed" in capsys.readouterr().out
    (tmp_path / "tflint.toml").write_text(entry.format("G003", 'until = "2001-01-01"') + entry.format("Q001", ""))
    assert run(["check", "truncated.tflite"]) == 1
    out = capsys.readouterr().out
    assert "warning: tflint.toml: allow 1: the suppression of G003 expired on 2001-01-01" in out
    assert "note: tflint.toml: allow 2: the entry for Q001 suppresses nothing" in out
    assert "0 suppressed" in out
    assert run(["check", "truncated.tflite", "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    told = [(notice["kind"], notice["level"]) for notice in data["notices"]]
    assert told == [("expired-allow", "warning"), ("unused-allow", "note")]
    assert run(["check", "truncated.tflite", "--format", "sarif"]) == 1
    (log,) = json.loads(capsys.readouterr().out)["runs"]
    notifications = log["invocations"][0]["toolExecutionNotifications"]
    assert [entry["level"] for entry in notifications[:2]] == ["warning", "note"]


def test_a_warning_of_the_run_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", tmp_path)
    (tmp_path / "tflint.toml").write_text('[[allow]]\nrule = "G003"\nreason = "known"\nuntil = "2001-01-01"\n')
    assert run(["check", ".", "--fail-on", "note", "--ignore", "M"]) == 0


# --- per-file-ignores -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["G003", "flatbuffer-invalid", "G", "graph", "all"])
def test_per_file_ignores_suppress_in_matching_files_only(tmp_path: Path, token: str) -> None:
    for name in ("a.tflite", "b.tflite"):
        shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path / name)
    (tmp_path / "tflint.toml").write_text(f'per-file-ignores = {{ "a.tflite" = ["{token}"] }}')
    one, other = check(
        [tmp_path / "a.tflite", tmp_path / "b.tflite"], config=load_config(tmp_path / "tflint.toml")
    ).files
    assert (one.summary()["error"], one.summary()["suppressed"]) == (0, 1)
    assert one.findings[0].suppressed is not None
    assert one.findings[0].suppressed.kind == "per-file-ignore"
    assert (other.summary()["error"], other.summary()["suppressed"]) == (1, 0)


# --- globs count from the configuration -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "argument"), [(".", "m/a.tflite"), ("m", "a.tflite"), ("n", "../m/a.tflite"), (".", None)]
)
@pytest.mark.parametrize("kind", ["allow", "per-file-ignores", "baseline", "exclude"])
def test_what_names_files_holds_wherever_a_run_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    start: str, argument: str | None, kind: str,
) -> None:  # fmt: skip
    for name in ("m", "n"):
        (tmp_path / name).mkdir()
    model = shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path / "m" / "a.tflite")
    monkeypatch.chdir(tmp_path)
    texts = {
        "allow": '[[allow]]\nrule = "G003"\npath = "m/a.tflite"\nreason = "known"',
        "per-file-ignores": 'per-file-ignores = { "m/a.tflite" = ["G003"] }',
        "baseline": 'baseline = "known.json"',
        "exclude": 'exclude = ["m/a.tflite"]',
    }
    (tmp_path / "tflint.toml").write_text(texts[kind])
    if kind == "baseline":
        assert run(["check", "m", "--write-baseline", "known.json"]) == 0
    monkeypatch.chdir(tmp_path / start)
    path = str(Path(argument or model).parent) if kind == "exclude" else argument or str(model)
    assert run(["check", path]) == (2 if kind == "exclude" else 0)
    if kind == "exclude":
        assert "the only model is excluded" in capsys.readouterr().err


def test_a_path_as_it_reads_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    assert relative_to_folder("..", "b.tflite") == "a/b.tflite"
    assert relative_to_folder(".", "./b.tflite") == "b.tflite"
    assert relative_to_folder(str(tmp_path), str(tmp_path / "a" / "b.tflite")) == "a/b.tflite"
    assert relative_to_folder(".", "../b.tflite") == "../b.tflite"
    assert relative_to_folder(str(tmp_path / "ab"), str(tmp_path / "a" / "b")) == str(tmp_path / "a" / "b")


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("m/a.tflite", "*.tflite", True),
        ("m/a.tflite", "a.*", True),
        ("m/a.tflite", "m/*.tflite", True),
        ("m/n/a.tflite", "m/*.tflite", False),
        ("m/n/a.tflite", "m/**/*.tflite", True),
        ("m/a.tflite", "m/**/*.tflite", True),
        ("m/n/a.tflite", "m", False),
        ("m/n/a.tflite", "m/", True),
        ("m/n/a.tflite", "./m/n", True),
        ("m[1].tflite", "m[1].tflite", True),
        ("ab.tflite", "a?.tflite", True),
        ("a/b.tflite", "a?b.tflite", False),
        ("a+b.tflite", "a+b.tflite", True),
    ],
)
def test_globs(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


# --- the baseline ---------------------------------------------------------------------------------------------------


def test_a_written_baseline_takes_everything_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("truncated", "custom_op", "flex_op", "two_signatures", "html_page", "conv_int8"):
        shutil.copy(MODELS_DIRECTORY / f"{name}.tflite", tmp_path)
    assert run(["check", "."]) == 1
    assert run(["check", ".", "--write-baseline", "known.json"]) == 0
    count = sum(count_entry(entry) for known in read_baseline("known.json").values() for entry in known.values())
    assert count >= 4
    assert f"wrote {count} findings to known.json" in capsys.readouterr().err
    for level in ("error", "warning", "note"):
        assert run(["check", ".", "--baseline", "known.json", "--fail-on", level]) == 0
    assert f"{count} suppressed" in capsys.readouterr().out
    shutil.copy(tmp_path / "truncated.tflite", tmp_path / "new.tflite")
    assert run(["check", ".", "--baseline", "known.json"]) == 1


def test_writing_a_baseline_ignores_the_configured_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path)
    (tmp_path / "tflint.toml").write_text('baseline = "known.json"')
    assert run(["check", ".", "--write-baseline", "known.json"]) == 0
    first = (tmp_path / "known.json").read_text()
    assert run(["check", ".", "--write-baseline", "known.json"]) == 0
    assert (tmp_path / "known.json").read_text() == first
    assert run(["check", "."]) == 0


def test_a_baseline_counts() -> None:
    known = build_baseline([report(finding(), finding())])
    entry = {"rule": "Q001", "message": finding().message, "count": 2}
    assert known["files"] == {"m/a.tflite": {finding().fingerprint: entry}}
    three = report(*(replace(finding(), message=str(number)) for number in range(3)))
    (file,) = apply_baseline([three], known["files"])
    assert [entry.message for entry in file.open_findings] == ["2"]
    assert file.summary()["suppressed"] == 2


def test_a_baseline_is_by_file_and_leaves_suppressed_findings_out() -> None:
    known = build_baseline([report(finding())])["files"]
    (other,) = apply_baseline([report(finding(), path="m/b.tflite")], known)
    assert len(other.open_findings) == 1
    file, _ = allowed(Allow("Q001", "known"))
    assert build_baseline([file])["files"] == {}


def test_entries_of_a_baseline_carry_rule_and_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path)
    assert run(["check", ".", "--write-baseline", "known.json"]) == 0
    (entries,) = json.loads((tmp_path / "known.json").read_text())["files"].values()
    found = check("truncated.tflite").findings()
    assert sorted((entry["rule"], entry["message"], entry["count"]) for entry in entries.values()) == sorted(
        (one.rule, one.message[:200], 1) for one in found
    )


def test_entries_of_a_baseline_that_match_nothing_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "custom_op.tflite", tmp_path / "a.tflite")
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", tmp_path / "b.tflite")
    assert run(["check", ".", "--write-baseline", "known.json"]) == 0
    capsys.readouterr()
    assert run(["check", ".", "--baseline", "known.json"]) == 0
    assert "match" not in capsys.readouterr().out
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", tmp_path / "a.tflite")
    assert run(["check", ".", "--baseline", "known.json", "--format", "json"]) == 0
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert (notice["kind"], notice["level"]) == ("unused-baseline", "note")
    assert re.fullmatch(
        r"known.json: (1 entry matches|\d entries match) no finding \(O004 in a.tflite.*\); write the baseline again",
        notice["message"],
    )
    for arguments in (["b.tflite"], ["a.tflite", "--select", "Q"]):
        assert run(["check", *arguments, "--baseline", "known.json"]) == 0
        assert "match" not in capsys.readouterr().out


def test_a_baseline_of_very_many_entries_has_only_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflint.findings.baseline.MAX_DESCRIBED", 1)
    known = build_baseline([report(finding(), replace(finding(), identity=("other",)))])["files"]["m/a.tflite"]
    assert list(known.values()) == [1, 1]
    (file,) = apply_baseline([report(finding())], {"m/a.tflite": known})
    assert file.open_findings == ()
    assert report_unmatched([file], {"m/a.tflite": known}, {"Q001"}, "known.json") == []


WRONG_BASELINES = {
    "not json": ("{", "known.json:1:2: not valid JSON"),
    "a list": ("[]", "must be"),
    "no files": ('{"schema_version": 1}', "missing key 'files'"),
    "another version": ('{"schema_version": 3, "files": {}}', "schema_version"),
    "a key too many": ('{"schema_version": 1, "files": {}, "x": 1}', "unknown key 'x'"),
    "no fingerprint": ('{"schema_version": 1, "files": {"a": {"xyz": 1}}}', "xyz"),
    "no count": ('{"schema_version": 1, "files": {"a": {"' + "a" * 32 + '": 0}}}', "at least 1"),
    "a model": (b"\x00\x00\xff\xfe", "UTF-8"),
    "NaN": ('{"schema_version": NaN, "files": {}}', "NaN"),
}


@pytest.mark.parametrize("name", WRONG_BASELINES)
def test_what_is_no_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    content, message = WRONG_BASELINES[name]
    Path("known.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as raised:
        read_baseline("known.json")
    assert message in str(raised.value)
    assert "known.json" in str(raised.value)


def test_a_baseline_that_is_a_folder_or_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is a folder"):
        read_baseline(str(tmp_path))
    with pytest.raises(UserError, match="does not exist") as raised:
        read_baseline(str(tmp_path / "no.json"))
    assert "--write-baseline" in raised.value.hint


def test_equal_findings_of_one_model_have_fingerprints_of_their_own() -> None:
    model = (MODELS_DIRECTORY / "two_signatures.tflite").read_bytes()
    found = check(model, config=Config()).files[0].findings
    assert len({entry.fingerprint for entry in found}) == len(found)


@pytest.mark.security
@pytest.mark.parametrize("entry", ["{}", "[]", '""', '"k": 0'])
def test_a_baseline_of_too_many_entries_is_refused_before_they_are_read(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "known.json"
    path.write_text("[" + ",".join([entry] * (MAX_ENTRIES + 2)) + "]", encoding="utf-8")
    with pytest.raises(UserError, match="more than 1,000,000 entries"):
        read_baseline(str(path))


@pytest.mark.security
def test_a_baseline_of_wrong_keys_is_explained_by_the_first(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    keys = ", ".join(f'"{number}": 1' for number in range(200_000))
    path.write_text(f'{{"schema_version": 1, "files": {{"a": {{{keys}}}}}}}', encoding="utf-8")
    with pytest.raises(UserError, match="invalid key '0'") as caught:
        read_baseline(str(path))
    assert len(str(caught.value)) < 1000


@pytest.mark.security
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_baseline_that_is_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "known.json")
    with pytest.raises(UserError, match="a named pipe"):
        read_baseline(str(tmp_path / "known.json"))
