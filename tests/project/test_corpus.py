"""Test all rules on the corpus by the command line: every file gets a status, and a valid model no error."""

import json
import re

import pytest

from tests.helpers.corpus import manifest, needs_corpus
from tests.helpers.corpus_review import invoked, measured, report, review_rows, run

pytestmark = pytest.mark.xdist_group("corpus")


@needs_corpus
def test_every_file_has_a_status():
    files = [file for file in report()["files"] if file["within"] is None]
    assert [file["path"] for file in files] == [row["path"] for row in manifest()]
    parses = {row["path"]: row["parses"] == "yes" or row["parses"].startswith("container") for row in manifest()}
    for file in files:
        assert file["status"] == ("checked" if parses[file["path"]] else "unreadable")
        assert file["status"] == "checked" or file["findings"]


@needs_corpus
def test_every_model_in_a_container_is_checked():
    containers = {row["path"] for row in manifest() if row["parses"].startswith("container")}
    members = [file for file in report()["files"] if file["within"] is not None]
    assert {file["within"]["path"] for file in members} == containers
    assert {file["status"] for file in members} == {"checked"}


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
    assert review_rows("Findings per rule") == measured(), "write it anew: python -m tools.regenerate review"


@needs_corpus
class TestPersonDetect:
    def path(self) -> str:
        (path,) = [row["path"] for row in manifest() if row["path"].endswith("micro/models/person_detect.tflite")]
        return path

    def test_is_one_grouped_error_that_names_both_runtimes(self):
        done = run(paths=[self.path()])
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        (heading,) = [line for line in lines if line.startswith("  error")]
        assert "Q009" in heading
        assert "14 tensors" in heading
        text = " ".join(done.stdout.split())
        assert "quantized_dimension is 3" in text
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
