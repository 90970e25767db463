"""Test SARIF with the validator of the SARIF SDK: GitHub's rules (Ghas) report nothing.

`SARIF_MULTITOOL` names the validator, a program of 96 MB. `.ci/run` downloads it if npm is installed.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tflint
from tests.helpers.models.containers import bundle_compressed, bundle_escaping, bundle_nested, task
from tests.helpers.models.named import NAMED
from tests.helpers.reports import FULL, finding, report
from tests.helpers.sarif_runs import URIS, broken, many
from tflint.catalog import builtin_catalog
from tflint.findings import FileReport, Location, NotChecked, Notice, Report, TextSpan
from tflint.report import sarif_report

TOOL = os.environ.get("SARIF_MULTITOOL", "")
WHY = (
    "SARIF_MULTITOOL does not name the validator: npm install --ignore-scripts @microsoft/sarif-multitool-linux@5.7.0, "
    "chmod +x its Sarif.Multitool"
)
pytestmark = [pytest.mark.sarif_multitool, pytest.mark.skipif(not TOOL, reason=WHY)]

#: What it remarks on and we do not follow. Notes are advice that does not fit: file contents and snippets of binary
#: files, message templates, rule names in Pascal case where users write them with hyphens, a number for the rule that
#: tells of what is left out. The warning goes once the project has an address.
REMARKS = {
    "SARIF2002": "note", "SARIF2003": "note", "SARIF2009": "note", "SARIF2010": "note",
    "SARIF2011": "note", "SARIF2012": "note", "SARIF2013": "note", "SARIF2005": "warning",
}  # fmt: skip


@functools.cache
def configuration(folder: Path) -> Path:
    """A configuration in which every rule about GitHub is an error (they are off by default), and none asks the web."""
    path = folder / "rules.xml"
    run("export-validation-config", str(path))
    text = path.read_text(encoding="utf-8-sig")
    for rules, state, least in ((r"GH\d[^\"]*", "Error", 10), (r"SARIF2006\.[^\"]*", "Disabled", 1)):
        pattern = rf'(Key="{rules}">\s*<Property Key="RuleEnabled" Value=)"Default"'
        text, count = re.subn(pattern, rf'\1"{state}"', text)
        assert count >= least
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str) -> None:
    """Run the tool, which needs to be told that there may be no ICU; its exit code is 0 whatever it finds."""
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run([TOOL, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def validated(tmp_path_factory, tmp_path) -> Callable[[dict[str, Any]], dict[str, str]]:
    """A function from a log to the rules of the validator that speak of it, and their levels."""
    rules = configuration(tmp_path_factory.getbasetemp())

    def validate(log: dict[str, Any]) -> dict[str, str]:
        (tmp_path / "log.sarif").write_text(json.dumps(log), encoding="utf-8")
        output = tmp_path / "found.sarif"
        options = ["--config", str(rules), "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note"]
        run("validate", str(tmp_path / "log.sarif"), *options, "--output", str(output), "--log", "ForceOverwrite")
        (found,) = json.loads(output.read_text(encoding="utf-8-sig"))["runs"]
        return {result["ruleId"]: result.get("level", "warning") for result in found["results"]}

    return validate


def bundle_with_findings() -> bytes:
    """A bundle with members in folders, two of which have findings."""
    return task({"folder/a b.tflite": broken(), "b.tflite": broken("depthwise_int8"), "c.tflite": NAMED["add_int8"]()})


def log_of(made: Report, **options: Any) -> dict[str, Any]:
    return sarif_report.to_data(made, builtin_catalog().rules, options.pop("profile", "github"), **options)


REPORTS: dict[str, Callable[[], Report]] = {
    "real": lambda: tflint.check([broken(), broken("depthwise_int8"), *(build() for build in NAMED.values())]),
    "bundles": lambda: tflint.check([bundle_with_findings(), bundle_nested(), bundle_compressed(), bundle_escaping()]),
    "clean": report,
    "of nothing": lambda: report(files=()),
    "with everything": lambda: report(FULL, finding(), notices=(Notice("unused-allow", "remove it"),)),
    "text files": lambda: report(finding(location=Location("bird.contract.toml", text=TextSpan(9, 1, 9, 12)))),
    "not checked": lambda: report(files=(FileReport("m.tflite", not_checked=(NotChecked("Q026", 3, "no range"),)),)),
    "too many": lambda: report(*many()[:40]),
    "odd names": lambda: report(
        files=tuple(
            FileReport(path, findings=(finding(location=Location(path, names=(path,))),))
            for path in URIS
            if not path.startswith(("/", "\\", "C:", "s3:"))
        )
    ),
}


@pytest.mark.parametrize(("name", "max_level"), [*((name, "error") for name in REPORTS), ("real", "note")])
def test_nothing_is_found(validated, name, max_level, monkeypatch):
    monkeypatch.setattr(
        sarif_report, "GITHUB_RESULTS", 20
    )  # so many that some are left out; it knows a limit of 1,000 only
    found = validated(log_of(REPORTS[name](), max_level=max_level))
    assert {rule: level for rule, level in found.items() if REMARKS.get(rule) != level} == {}


def spoilt(path: str) -> dict[str, Any]:
    """A good log without one thing."""
    log = copy.deepcopy(log_of(report(finding())))
    *parents, last = path.split(".")
    part: Any = log
    for key in parents:
        part = part[int(key) if key.isdigit() else key]
    del part[last]
    return log


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("runs.0.results.0.locations.0.physicalLocation.region", "GH1003"),
        ("runs.0.results.0.locations.0.physicalLocation.region.startLine", "GH1003"),
        ("runs.0.tool.driver.rules.0.fullDescription", "GH2012"),
    ],
)
def test_what_github_needs_is_missed(validated, path, rule):
    assert validated(spoilt(path))[rule] == "error"


def test_the_other_profile_is_not_for_github(validated):
    assert validated(log_of(report(finding()), profile="spec"))["GH1003"] == "error"
