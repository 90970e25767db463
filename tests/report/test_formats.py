"""Test all formats together: each contains the same findings, and any file name is safe."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest

import tflint
from tests.helpers import report_schemas, reports, sarif_runs
from tests.helpers.corpus import model_paths, needs_corpus
from tests.helpers.markdown_page import Page
from tests.helpers.models.named import MODELS_DIRECTORY
from tests.helpers.paths import ROOT
from tests.helpers.report_readers import all_seen, read_github, truth
from tests.helpers.reports import variants
from tests.helpers.workflow_commands import command_in
from tflint.cli.main import run
from tflint.config import Config
from tflint.findings import Report
from tflint.findings.baseline import build_baseline
from tflint.report.display_names import clean
from tflint.report.report_formats import FORMATS

# --- agreement ------------------------------------------------------------------------------------------------------


def check_with_suppressions(sources: Any, config: Config) -> Report:
    """A report in which every third file's findings are known from a baseline."""
    before = tflint.check(sources, config=config)
    return tflint.check(sources, config=config, baseline=build_baseline(before.files[::3])["files"])


@functools.cache
def edited_models() -> list[bytes]:
    return [content for _, content in variants()]


RUNS: dict[str, Callable[[], Report]] = {
    "examples": lambda: tflint.check(ROOT / "examples"),
    "named models": lambda: tflint.check(MODELS_DIRECTORY),
    "edited models": lambda: tflint.check(edited_models()),
    "several targets": lambda: tflint.check(edited_models(), config=Config(targets=("tflm", "litert==2.1.0"))),
    "suppressions": lambda: check_with_suppressions(edited_models(), Config()),
    "other severities": lambda: tflint.check(
        edited_models(), config=Config(severity={"G003": "note", "Q009": "warning"}, per_file_ignores={"*": ("G014",)})
    ),
    "nothing": lambda: tflint.check([]),
}


@functools.cache
def report_of(name: str) -> Report:
    return RUNS[name]()


def require_agreement(made: Report) -> None:
    for name, seen, expected in all_seen(made):
        assert seen.found == expected.found, name
        assert seen.places == expected.places, name
        if seen.suppressed is not None:
            assert seen.suppressed == expected.suppressed, name
    require_agreement_of_annotations(made)


def require_agreement_of_annotations(made: Report) -> None:
    """GitHub's report shows some findings of each severity and the number of all others."""
    on_disk = truth(made, lambda finding: "", lambda path: path.split("!/")[0])
    seen, expected = read_github(made), on_disk
    assert seen.suppressed == expected.suppressed
    assert by_severity(seen.found) == by_severity(expected.found)
    assert all(count <= expected.found[key] for key, count in seen.found.items() if key[0])


def by_severity(found: Counter[tuple[str, str, str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (_, _, severity), count in found.items():
        counts[severity] += count
    return counts


@pytest.mark.parametrize("name", RUNS)
def test_all_formats_tell_the_same(name):
    require_agreement(report_of(name))


def test_the_runs_have_what_could_be_told_differently():
    totals: Counter[str] = Counter()
    for name in RUNS:
        totals.update(report_of(name).summary())
    assert all(totals[key] for key in ("error", "warning", "note", "suppressed"))


@needs_corpus
def test_all_formats_tell_the_same_of_real_models():
    paths = model_paths()
    made = tflint.check(paths[:: len(paths) // 40])
    assert len(made.files) >= 40
    require_agreement(made)


# --- names ----------------------------------------------------------------------------------------------------------

NAMES = {
    "newline": b"new\nline",
    "carriage return": b"a\r\nb",
    "escape code": b"a\x1b[31mred\x1b]0;owned\x07",
    "C1 control": "a\u009b31m".encode(),
    "quotes": b'it\'s "quoted" `so`',
    "not UTF-8": b"caf\xe9",
    "UTF-8": "café ☃ 模型".encode(),
    "astral and hidden": "a\U000e0041\U0001f600".encode(),
    "right to left": "a\u202egnp".encode(),
    "markup": b"<b>a|b<br> [x](y) *z* &amp; ]]>",
    "workflow command": b"::error::x, %0A##[add-mask]y",
    "spaces": b" a  b ",
    "backslash": b"a\\nb\\",
}


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a broken model in the current folder."""
    if sys.platform != "linux":
        pytest.skip("file names are bytes there")
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(NAMES[request.param] + b".tflite")
    shutil.copy(MODELS_DIRECTORY / "truncated.tflite", name)
    return name


def written(name: str, form: str, *options: str) -> str:
    """What a run on the file writes: text of UTF-8 without anything that could drive a terminal."""
    assert run(["check", name, "--format", form, "--output", "report.out", *options]) == 1
    text = Path("report.out").read_bytes().decode("utf-8")
    assert text.replace("\n", "").isprintable()
    return text


class TestAFileName:
    @pytest.mark.security
    def test_is_shown_in_text(self, named):
        assert written(named, "text").startswith(f"{clean(named)}\n  error   G003 ")

    @pytest.mark.security
    def test_is_itself_in_json(self, named):
        data = json.loads(written(named, "json"))
        assert reports.VALIDATOR.is_valid(data)
        assert [file["path"] for file in data["files"]] == [named]

    @pytest.mark.security
    @pytest.mark.parametrize("profile", ["github", "spec"])
    def test_is_a_uri_in_sarif(self, named, profile):
        log = json.loads(written(named, "sarif", "--sarif-profile", profile))
        assert sarif_runs.VALIDATOR.is_valid(log)
        uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert sarif_runs.URI_TEXT.fullmatch(uri)
        assert unquote_to_bytes(uri) == os.fsencode(named)

    @pytest.mark.security
    def test_is_shown_in_junit(self, named):
        text = written(named, "junit")
        assert report_schemas.JUNIT_SCHEMA.is_valid(text)
        (suite,) = ElementTree.fromstring(text)
        assert {suite.get("name"), *(case.get("classname") for case in suite.iter("testcase"))} == {clean(named)}

    @pytest.mark.security
    def test_is_shown_in_workflow_commands(self, named):
        commands = list(filter(None, map(command_in, written(named, "github").splitlines())))
        assert [command.properties["file"] for command in commands] == [clean(named)]

    @pytest.mark.security
    def test_is_shown_in_gitlab(self, named):
        (violation,) = json.loads(written(named, "gitlab"))
        assert report_schemas.GITLAB_VALIDATOR.is_valid([violation])
        assert violation["location"]["path"] == clean(named)

    @pytest.mark.security
    def test_is_shown_in_markdown(self, named):
        page = Page(written(named, "markdown"))
        assert page.rows[1][0] == clean(named)
        assert page.summaries == [f"{clean(named)}: 1 error"]


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_ends_with_a_newline_and_has_no_other_exit_code(form, capsys):
    assert run(["check", str(ROOT / "examples"), "--format", form]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("\n")
    assert err == ""
    assert run(["check", str(ROOT / "examples" / "good.tflite"), "--format", form]) == 0
