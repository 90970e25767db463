"""All rules over the corpus of real models, through the command line: every file has a status, good models no error."""

import functools
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.corpus import CORPUS, manifest, needs_corpus

ROOT = Path(__file__).parents[1]
REVIEW = ROOT / "docs" / "corpus-review.md"

pytestmark = pytest.mark.xdist_group("corpus")


def run(*options: str, paths: list[str]) -> subprocess.CompletedProcess[str]:
    """`tflint check -` with the paths on standard input, run from the corpus' folder."""
    return subprocess.run(
        [sys.executable, "-m", "tflint", "check", "-", *options],
        cwd=CORPUS,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/nonexistent"},
        input="\n".join(paths),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@functools.cache
def report() -> dict:
    """The JSON report of one run over all files."""
    done = run("--format", "json", paths=[row["path"] for row in manifest()])
    assert done.stderr == ""
    assert done.returncode == 1
    return json.loads(done.stdout)


def invoked() -> set[str]:
    """The files that LiteRT invokes."""
    return {row["path"] for row in manifest() if row["invoke_ok"] == "yes"}


def review_rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading of the review."""
    section = REVIEW.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@needs_corpus
def test_every_file_has_a_status():
    files = report()["files"]
    assert [file["path"] for file in files] == [row["path"] for row in manifest()]
    parses = {row["path"]: row["parses"] == "yes" for row in manifest()}
    for file in files:
        assert file["status"] == ("checked" if parses[file["path"]] else "unreadable")
        assert file["status"] == "checked" or file["findings"]


@needs_corpus
def test_the_lfs_pointers_are_named_with_what_they_point_to():
    pointers = {row["path"]: row for row in manifest() if row["parses"] == "no: git-lfs pointer"}
    named = {
        file["path"]: finding for file in report()["files"] for finding in file["findings"] if finding["rule"] == "G001"
    }
    assert set(named) == set(pointers)
    assert len(named) == 47
    for finding in named.values():
        assert re.search(r"sha256 [0-9a-f]{64}", finding["message"])


@needs_corpus
def test_no_error_on_a_model_that_litert_invokes_but_those_defended():
    defended = {(row[0].strip("`"), row[1]) for row in review_rows("Errors on models that run")}
    errors = {
        (file["path"], finding["rule"])
        for file in report()["files"]
        if file["path"] in invoked()
        for finding in file["findings"]
        if finding["severity"] == "error"
    }
    assert errors == defended


@needs_corpus
def test_no_rule_crashes():
    assert [f for file in report()["files"] for f in file["findings"] if f["rule"] == "G000"] == []


@needs_corpus
def test_the_review_tells_what_fires():
    counts: Counter[tuple[str, str, str]] = Counter()
    files = defaultdict(set)
    for file in report()["files"]:
        for finding in file["findings"]:
            key = (finding["rule"], finding["severity"], finding["name"])
            counts[key] += 1
            files[key].add(file["path"])
    measured = [
        [*key, str(counts[key]), str(len(files[key])), str(len(files[key] & invoked()))] for key in sorted(counts)
    ]
    assert review_rows("What fires") == measured


@needs_corpus
class TestPersonDetect:
    def path(self) -> str:
        (path,) = [row["path"] for row in manifest() if row["path"].endswith("micro/models/person_detect.tflite")]
        return path

    def test_is_one_grouped_error_that_names_both_runtimes(self):
        done = run(paths=[self.path()])
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        assert sum(line.startswith("  error") for line in lines) == 1
        assert "Q009" in lines[1]
        assert "14 tensors" in lines[1]
        text = " ".join(done.stdout.split())
        assert "quantized_dimension 3" in text
        assert "refused by litert ≥ 1.1.0" in text
        assert "runs on tflm" in text
        assert "#33 …/Conv2d_0/Conv2D_bias" in text

    def test_has_no_error_on_tflm(self):
        done = run("--target", "tflm", paths=[self.path()])
        assert done.returncode == 0
        assert "error" not in done.stdout.split("\n1 ")[0]


@needs_corpus
def test_two_processes_give_what_one_gives():
    paths = [row["path"] for row in manifest()][:300]
    alone, shared = (json.loads(run("--format", "json", "--jobs", jobs, paths=paths).stdout) for jobs in ("1", "2"))
    for data in (alone, shared):
        del data["run"]["elapsed_seconds"]
    assert alone == shared
