"""The development tools: the comparison of reports, the scaffold of rules, and the readers of releases and layers."""

from __future__ import annotations

import copy
import hashlib
import http.server
import json
import threading
from pathlib import Path

import pytest

from tests.helpers.reports import FULL, report
from tflint.normalization.known_layers import known_layers
from tflint.report import json_report
from tflint.resources import named_model_path
from tflint.userfiles.userfile import load_toml
from tools import compare_reports, new_rule, read_releases, regenerate, sample_first_layers

REPORT = json.loads(json_report.render(report(FULL)))


def changed(*path, value):
    other = copy.deepcopy(REPORT)
    target = other
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return other


def differences(new, merged=None):
    return list(compare_reports.differences(REPORT, new, merged or {}))


# --- comparing --------------------------------------------------------------------------------------------------------


FINDING = ("files", 0, "findings", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*FINDING, "name"), "other-name"),
        ((*FINDING, "message"), "other words"),
        ((*FINDING, "fix"), "other words"),
        (("run", "elapsed_seconds"), 9.0),
    ],
)
def test_names_and_texts_may_differ(path, value):
    assert differences(changed(*path, value=value)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*FINDING, "severity"), "warning"),
        ((*FINDING, "target"), "another"),
        ((*FINDING, "fingerprint"), "0" * 32),
        ((*FINDING, "location", "path"), "subgraphs[9]"),
        ((*FINDING, "evidence"), {"x": 1}),
        (("files", 0, "findings"), []),
        (("files", 0, "status"), "unreadable"),
        (("files", 0, "path"), "other.tflite"),
        (("files", 0, "not_checked"), [{"rule": "Q001", "rows": 3, "reason": "x"}]),
    ],
)
def test_everything_else_must_not(path, value):
    assert differences(changed(*path, value=value))


def test_a_retired_id_counts_as_its_successor():
    new = changed(*FINDING, "rule", value="G009")
    assert differences(new)
    assert differences(new, {REPORT["files"][0]["findings"][0]["rule"]: "G009"}) == []


def test_the_command_compares_two_files(tmp_path: Path, capsys):
    for name, data in (("old", REPORT), ("new", changed(*FINDING, "severity", value="warning"))):
        (tmp_path / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    assert compare_reports.main([str(tmp_path / "old.json"), str(tmp_path / "old.json")]) == 0
    assert compare_reports.main([str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 1
    assert "only in the new report" in capsys.readouterr().out


# --- new rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule_id", "name", "table", "message"),
    [
        ("Q001", "scale-mismatch", "tensor", "is used or retired"),
        ("G120", "scale-mismatch", "tensor", "is used or retired"),
        ("Z001", "scale-mismatch", "tensor", "is not an id"),
        ("Q999", "scale-is-wrong", "tensor", "does not end with a fault"),
        ("Q999", "bias-scale-mismatch", "tensor", "there is already a rule"),
        ("Q999", "scale-mismatch", "tensors", "did you mean 'tensor'"),
    ],
)
def test_arguments_that_the_scaffold_refuses(rule_id, name, table, message):
    with pytest.raises(new_rule.MistakeError, match=message):
        new_rule.rule_text(rule_id, name, table)


def test_the_scaffold_is_valid_toml_with_all_keys():
    path, text = new_rule.rule_text("Q999", "tensor-scale-unknown", "tensor")
    assert (path.parent.name, path.name) == ("quantization", "Q999-tensor-scale-unknown.toml")
    (rule,) = load_toml(str(path), text)["rule"]
    assert {
        "id",
        "name",
        "severity",
        "for-each",
        "require",
        "message",
        "summary",
        "why",
        "fix",
        "invalid",
    } <= rule.keys()


def test_two_ids_make_a_family():
    path, text = new_rule.rule_text("D998,D999", "<side>-scale-unknown", "tensor")
    assert path.name == "D998-D999-scale-unknown.toml"
    (family,) = load_toml(str(path), text)["family"]
    assert family["sides"] == {"input": "D998", "output": "D999"}


# --- releases ---------------------------------------------------------------------------------------------------------


def test_releases_are_read_from_an_index(tmp_path: Path):
    files = [
        {"filename": "toyrt-1.1.0-py3-none-any.whl", "upload-time": "2026-02-02T00:00:00Z", "yanked": False},
        {"filename": "toyrt-1.1.0.tar.gz", "upload-time": "2026-02-01T00:00:00Z", "yanked": False},
        {"filename": "toyrt-1.0.0.tar.gz", "upload-time": "2026-01-01T00:00:00Z", "yanked": False},
        {"filename": "toyrt-1.2.0rc1.tar.gz", "upload-time": "2026-03-01T00:00:00Z", "yanked": False},
        {"filename": "toyrt-0.9.0.tar.gz", "upload-time": "2025-01-01T00:00:00Z", "yanked": False},
        {"filename": "toyrt-1.0.1.tar.gz", "upload-time": "2026-01-02T00:00:00Z", "yanked": "broken"},
    ]

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/simple/toyrt/"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"files": files}).encode())

        def log_message(self, *_: object) -> None:
            pass

    path = tmp_path / "toyrt.json"
    data = {"version_line": "toyrt", "package": "toyrt", "oldest_release": "1.0.0", "releases": {"1.0.0": ""}}
    path.write_text(json.dumps(data), encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        added = read_releases.update(path, f"http://127.0.0.1:{server.server_port}/simple/")
        server.shutdown()
    assert added == ["1.1.0"]
    assert json.loads(path.read_text(encoding="utf-8"))["releases"] == {"1.0.0": "2026-01-01", "1.1.0": "2026-02-01"}


@pytest.mark.parametrize("path", sorted(read_releases.RUNTIMES.glob("*.json")), ids=lambda path: path.stem)
def test_the_data_of_runtimes_is_written_as_the_tool_writes_it(path: Path):
    text = path.read_text(encoding="utf-8")
    assert read_releases.dump(json.loads(text)) == text


# --- known first layers -----------------------------------------------------------------------------------------------


def test_an_entry_has_the_samples_of_a_first_layer(capsys):
    path = named_model_path("pretrained_float32")
    known = next(layer for layer in known_layers() if layer.name == "MobileNet v1 0.25 (224)")
    assert sample_first_layers.main([str(path), str(named_model_path("add_float32"))]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["shape"] == list(known.shape)
    assert tuple(entry["weights"]) == known.weights
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_distances_of_first_layers_are_sorted(capsys):
    assert sample_first_layers.main(["--distances", str(named_model_path("pretrained_float32"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0.0000  MobileNet v1 0.25 (224)  pretrained_float32.tflite"
    assert lines == sorted(lines)
    assert len(lines) > 20


def test_parts_to_regenerate_are_named(capsys):
    with pytest.raises(SystemExit):
        regenerate.main(["everything"])
    assert "rules" in capsys.readouterr().err
