"""Test the schemas as editors use them: taplo, the TOML toolkit of editors, accepts good files and refuses mistakes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import EXAMPLES, ROOT
from tflint import resources
from tflint.catalog.rule_loader import rule_files
from tflint.cli.commands.schema_command import SCHEMAS
from tflint.cli.main import run
from tflint.config import load_config
from tflint.contract import load_contract
from tflint.contract.schema_directive import schema_directive, schema_file_name
from tflint.errors import UserError

TAPLO = shutil.which("taplo", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
needs_taplo = pytest.mark.skipif(TAPLO is None, reason="taplo has no wheel for this platform")

INPUT = '[[inputs]]\nkind = "image"\n'
NORMALIZED = INPUT + 'mean = 127.5\nstd = 127.5\nunits = "u8"\n'
RULE = """\
[[rule]]
id = "ACME001"
name = "float-input"
severity = "error"
for-each = "input"
require = 'tensor.dtype == "INT8"'
message = "text"
summary = "text"
why = "text"
fix = "text"
limits = "text"
"""
#: Files that are right up to one planted mistake: the schema, a right text, and the mistake.
MISTAKES = [
    ("contract", INPUT, INPUT + 'chanels = "RGB"\n'),
    ("contract", INPUT, INPUT.replace("image", "picture")),
    ("contract", INPUT, "[[inputs]]\nindex = 0\n"),
    ("contract", NORMALIZED, INPUT + "mean = 0\nstd = 1\n"),
    ("contract", NORMALIZED, NORMALIZED.replace('"u8"', '"pixels"')),
    ("contract", NORMALIZED, NORMALIZED.replace("std = 127.5", 'std = "127.5"')),
    ("contract", INPUT, INPUT + "scale = 0.5\n"),
    ("contract", INPUT, INPUT + 'dtype = "float"\n'),
    ("contract", INPUT, INPUT + "shape = [1, 224, 224, -3]\n"),
    ("contract", INPUT, INPUT + "range = [0]\n"),
    ("contract", INPUT, INPUT + 'resize = { size = [224, 224] }\n'),
    ("contract", INPUT, INPUT + 'resize = { mode = "cover", size = [224, 99999] }\n'),
    ("contract", INPUT, INPUT + 'crop = { mode = "center", share = 2 }\n'),
    ("contract", INPUT, "[model]\nsha256 = 'abc'\n"),
    ("contract", INPUT, "[model]\nmax-bytes = 0\n"),
    ("contract", INPUT, '[model]\nscheme = "int8"\n'),
    ("contract", INPUT, '[[outputs]]\nkind = "class_scores"\nlabels = "labels.txt"\n'),
    ("contract", INPUT, '[[allow]]\nrule = "P001"\n'),
    ("contract", INPUT, INPUT.replace("[[inputs]]", "[inputs]")),
    ("config", 'fail-on = "error"\n', 'fail-on = "errors"\n'),
    ("config", 'fail-on = "error"\n', 'fail_on = "error"\n'),
    ("config", 'targets = ["tflm"]\n', "targets = 3\n"),
    ("config", '[severity]\nQ100 = "error"\n', '[severity]\nQ100 = "fatal"\n'),
    ("config", '[[allow]]\nrule = "Q001"\npath = "**"\nreason = "known"\n', '[[allow]]\nrule = "Q001"\npath = "**"\n'),
    ("rule", RULE, RULE.replace("for-each", "for_each")),
    ("rule", RULE, RULE.replace('"error"', '"fatal"')),
    ("rule", RULE, RULE.replace("float-input", "Float Input")),
]  # fmt: skip
_LOAD = {"contract": load_contract, "config": load_config}


def errors(path: Path, *options: str) -> str:
    """What taplo reports about a file; empty if the file is right."""
    assert TAPLO is not None
    command = [TAPLO, "lint", *options, str(path)]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, encoding="utf-8", timeout=60)
    return done.stderr if done.returncode else ""


def errors_by_schema(path: Path, name: str) -> str:
    return errors(path, "--schema", (resources.schemas_folder() / f"{name}.schema.json").as_uri())


@needs_taplo
def test_the_examples_satisfy_the_schemas() -> None:
    files = [(path, "contract") for path in EXAMPLES.rglob("*.contract.toml")]
    files += [(path, "rule") for path in (EXAMPLES / "rules").glob("*.toml")]
    files += [(path, "rule") for path in list(rule_files([str(ROOT / "rules" / "security")]))[:3]]
    assert len(files) >= 6
    for path, name in files:
        assert errors_by_schema(path, name) == ""


@needs_taplo
@pytest.mark.parametrize(("name", "text", "mistake"), MISTAKES)
def test_a_mistake_is_marked(tmp_path: Path, name: str, text: str, mistake: str) -> None:
    assert len(MISTAKES) >= 20
    path = tmp_path / "file.toml"
    path.write_text(text, encoding="utf-8")
    assert errors_by_schema(path, name) == ""
    path.write_text(mistake, encoding="utf-8")
    assert "\nerror: " in errors_by_schema(path, name)  # unlike "ERROR", which taplo may log too late


@pytest.mark.parametrize(("name", "text", "mistake"), [one for one in MISTAKES if one[0] in _LOAD])
def test_tflint_refuses_the_same_mistakes(tmp_path: Path, name: str, text: str, mistake: str) -> None:
    path = tmp_path / ("tflint.toml" if name == "config" else "m.contract.toml")
    path.write_text(text, encoding="utf-8")
    _LOAD[name](str(path))
    path.write_text(mistake, encoding="utf-8")
    with pytest.raises(UserError):
        _LOAD[name](str(path))


@needs_taplo
def test_a_draft_and_a_new_configuration_refer_to_their_schemas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "models").mkdir()
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "models" / "bird.tflite")
    for name in ("contract", "config"):
        assert run(["schema", name]) == 0
        (tmp_path / schema_file_name(name)).write_text(capsys.readouterr().out, encoding="utf-8")
    assert run(["contract", "init", "models/bird.tflite"]) == 0
    assert run(["allow", "Q001", "models", "--reason", "known"]) == 0
    for path, begin in (
        (tmp_path / "models" / "bird.contract.toml", "#:schema ../tflite-lint.contract.schema.json\n"),
        (tmp_path / "tflint.toml", "#:schema tflite-lint.config.schema.json\n"),
    ):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(begin)
        assert errors(path) == ""
        path.write_text(text + "\n[unknown]\nkey = 1\n", encoding="utf-8")
        assert "'unknown' was unexpected" in errors(path)


def test_an_imported_draft_refers_to_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["contract", "import", "--from", "keras", "MobileNetV2"]) == 0
    assert capsys.readouterr().out.startswith("#:schema tflite-lint.contract.schema.json\n# From keras")


def test_the_schema_is_searched_in_the_checkout_only(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / schema_file_name("contract")).write_text("{}")
    assert schema_directive("contract", folder) == "#:schema tflite-lint.contract.schema.json"
    (tmp_path / "repository" / "a" / schema_file_name("contract")).write_text("{}")
    assert schema_directive("contract", folder) == "#:schema ../tflite-lint.contract.schema.json"


def test_every_schema_is_printed_and_has_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    names = {path.name.removesuffix(".schema.json") for path in resources.schemas_folder().glob("*.schema.json")}
    assert names == set(SCHEMAS)
    assert {"config", "contract", "rule", "report", "show"} <= names
    for name in SCHEMAS:
        assert run(["schema", name]) == 0
        assert json.loads(capsys.readouterr().out)["$id"] == f"urn:tflite-lint:schema:{name}"
