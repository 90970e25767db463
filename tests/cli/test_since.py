"""Test `check --since`: which models differ, which findings are new, and what happens without an old version."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models.named import NAMED
from tests.helpers.packages import git
from tests.helpers.paths import ROOT
from tflint.cli.main import run
from tflint.resources import json_schema
from tflint.userfiles.schema_check import is_valid
from tflint.writer import edit_model

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

#: A model with four errors, and the same model with one of them repaired.
BROKEN = (ROOT / "examples" / "broken.tflite").read_bytes()
WORSE = edit_model(BROKEN, {"tensors.image.quantization.scale": [0.0]})
CONTRACT = """\
[[inputs]]
index = 0
kind = "tabular"
dtype = "int8"

[[outputs]]
index = 0
kind = "class_scores"
labels = { file = "labels.txt" }
"""


def pointer(content: bytes) -> bytes:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


def commit(message: str = "x") -> None:
    git(Path.cwd(), "add", "--all", "--force")
    git(Path.cwd(), "commit", "--quiet", "--no-verify", "--allow-empty", "--message", message)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a broken model and a good one, in the current folder."""
    folder = tmp_path / "checkout"
    (folder / "models").mkdir(parents=True)
    monkeypatch.chdir(folder)
    git(folder, "init", "--quiet")
    Path("models/broken.tflite").write_bytes(BROKEN)
    Path("models/good.tflite").write_bytes(NAMED["conv_int8"]())
    commit()
    return folder


def since(capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> dict[str, Any]:
    """Return the JSON report of a run that compares with HEAD."""
    assert run(["check", *arguments, "--since", "HEAD", "--format", "json", "--no-cache"]) == code
    data = json.loads(capsys.readouterr().out)
    assert is_valid(data, json_schema("report"))
    return data


def found(data: dict[str, Any], *, is_new: bool = True) -> dict[str, list[str]]:
    """Return the rules per file, of findings that are new or suppressed because of the revision."""
    wanted = (None,) if is_new else ("since",)
    return {
        file["path"]: sorted({
            one["rule"] for one in file["findings"] if (one["suppressed"] or {}).get("kind") in wanted
        })
        for file in data["files"]
    }  # fmt: skip


def messages(data: dict[str, Any]) -> list[str]:
    return [notice["message"] for notice in data["notices"] if notice["kind"] == "since"]


def errors(rules: dict[str, list[str]]) -> dict[str, list[str]]:
    return {path: [rule for rule in own if rule[0] in "QGD"] for path, own in rules.items()}


def test_nothing_changed_is_exit_code_0(checkout, capsys):
    data = since(capsys, "models", code=0)
    assert data["files"] == []
    assert messages(data) == ["models that differ from 'HEAD': none of 2"]


def test_only_changed_models_are_checked_and_only_new_findings_are_open(checkout, capsys):
    Path("models/broken.tflite").write_bytes(WORSE)
    data = since(capsys, "models", code=1)
    assert errors(found(data))["models/broken.tflite"] == ["Q004"]
    assert "Q013" in found(data, is_new=False)["models/broken.tflite"]
    assert list(found(data)) == ["models/broken.tflite"]
    assert messages(data) == ["models that differ from 'HEAD': 1 of 2; findings that 'HEAD' has, too, are suppressed"]


def test_a_change_without_new_findings_passes(checkout, capsys):
    Path("models/broken.tflite").write_bytes(edit_model(BROKEN, {"description": "newer"}))
    data = since(capsys, "models", code=0)
    assert errors(found(data)) == {"models/broken.tflite": []}


def test_a_new_model_has_only_new_findings(checkout, capsys):
    Path("models/new.tflite").write_bytes(BROKEN)
    data = since(capsys, "models", code=1)
    assert "Q001" in found(data)["models/new.tflite"]
    assert found(data, is_new=False) == {"models/new.tflite": []}


def test_a_deleted_model_is_not_checked(checkout, capsys):
    Path("models/broken.tflite").unlink()
    assert since(capsys, "models", code=0)["files"] == []


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_renamed_model_keeps_its_findings(checkout, capsys, is_committed):
    Path("models/broken.tflite").rename("models/renamed.tflite")
    revision = "HEAD"
    if is_committed:
        Path("models/renamed.tflite").write_bytes(edit_model(BROKEN, {"description": "newer"}))
        commit()
        revision = "HEAD~1"
    assert run(["check", "models", "--since", revision, "--format", "json", "--no-cache"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert errors(found(data)) == {"models/renamed.tflite": []}
    assert "Q001" in found(data, is_new=False)["models/renamed.tflite"]


def test_a_copied_model_is_new(checkout, capsys):
    shutil.copy("models/broken.tflite", "models/copy.tflite")
    assert "Q001" in found(since(capsys, "models", code=1))["models/copy.tflite"]


def test_a_model_whose_contract_changed_differs(checkout, capsys):
    Path("models/labels.txt").write_text("a\nb\n")
    Path("models/good.contract.toml").write_text(CONTRACT)
    data = since(capsys, "models", code=0)
    assert set(found(data)) == {"models/good.tflite", "models/good.contract.toml"}
    commit()
    assert since(capsys, "models", code=0)["files"] == []
    Path("models/good.contract.toml").write_text(CONTRACT.replace("int8", "uint8"))
    data = since(capsys, "models", code=1)
    assert "D003" in found(data)["models/good.contract.toml"]
    commit()
    Path("models/labels.txt").write_text("a\nc\n")
    data = since(capsys, "models", code=0)  # the wrong type was committed
    assert "D003" in found(data, is_new=False)["models/good.contract.toml"]
    Path("models/good.contract.toml").unlink()
    assert set(found(since(capsys, "models", code=0))) == {"models/good.tflite"}


def test_a_contract_of_the_configuration_counts(checkout, capsys):
    Path("contracts").mkdir()
    Path("tflint.toml").write_text('[contracts]\n"models/good*" = "contracts/good.toml"\n')
    Path("contracts/good.toml").write_text(CONTRACT.replace("int8", "uint8").replace("labels.txt", "../l.txt"))
    Path("l.txt").write_text("a\nb\n")
    commit()
    assert since(capsys, "models", code=0)["files"] == []
    Path("l.txt").write_text("a\nb\nc\n")
    data = since(capsys, "models", code=0)
    (rules,) = [own for path, own in found(data, is_new=False).items() if path.endswith("contracts/good.toml")]
    assert "D003" in rules


def test_a_new_contract_of_the_configuration_does_not_make_old_findings_new(checkout, capsys):
    Path("contracts").mkdir()
    Path("tflint.toml").write_text('[contracts]\n"models/broken*" = "contracts/broken.toml"\n')
    Path("contracts/broken.toml").write_text('[[inputs]]\nindex = 0\nkind = "image"\n')
    data = since(capsys, "models", code=0)
    assert "Q001" in found(data, is_new=False)["models/broken.tflite"]


def test_a_contract_on_the_command_line_stands_for_its_model(checkout, capsys):
    Path("models/good.contract.toml").write_text(CONTRACT.split("[[outputs]]")[0])
    commit()
    assert since(capsys, "models/good.contract.toml", code=0)["files"] == []
    Path("models/good.contract.toml").write_text(CONTRACT.split("[[outputs]]")[0].replace("int8", "uint8"))
    assert "D003" in found(since(capsys, "models/good.contract.toml", code=1))["models/good.contract.toml"]


def test_line_ends_that_git_converts_are_no_change(checkout, capsys):
    Path("models/good.contract.toml").write_bytes(b'[[inputs]]\nindex = 0\nkind = "tabular"\n')
    commit()
    Path("models/good.contract.toml").write_bytes(b'[[inputs]]\r\nindex = 0\r\nkind = "tabular"\r\n')
    assert since(capsys, "models", code=0)["files"] == []


def test_the_models_of_a_bundle_are_compared_by_name(checkout, capsys):
    import zipfile

    def write(first: bytes, second: bytes) -> None:
        with zipfile.ZipFile("models/b.task", "w") as archive:
            archive.writestr("first.tflite", first)
            archive.writestr("second.tflite", second)

    write(BROKEN, NAMED["conv_int8"]())
    commit()
    write(BROKEN, BROKEN)
    data = since(capsys, "models", code=1)
    assert errors(found(data))["models/b.task!/first.tflite"] == []
    assert "Q001" in found(data)["models/b.task!/second.tflite"]


# -- no old version ----------------------------------------------------------------------------------------------------


def test_a_model_that_was_a_pointer_to_itself_is_unchanged(checkout, capsys):
    """The working tree has the content, and the revision the Git LFS pointer to it."""
    Path("models/broken.tflite").write_bytes(pointer(BROKEN))
    commit()
    Path("models/broken.tflite").write_bytes(BROKEN)
    assert since(capsys, "models", code=0)["files"] == []


def test_findings_are_new_if_the_old_model_is_a_pointer_and_that_is_said_once(checkout, capsys):
    for name in ("a", "b"):
        Path(f"models/{name}.tflite").write_bytes(pointer(NAMED["conv_int8"]()))
    commit()
    for name in ("a", "b"):
        Path(f"models/{name}.tflite").write_bytes(BROKEN)
    data = since(capsys, "models", code=1)
    assert "Q001" in found(data)["models/a.tflite"]
    _, message = messages(data)
    assert message == (
        "'models/a.tflite', 'models/b.tflite' are Git LFS pointers in 'HEAD': all findings there count as new"
    )


def test_a_renamed_pointer_to_the_same_content_has_no_new_findings(checkout, capsys):
    Path("models/broken.tflite").write_bytes(pointer(BROKEN))
    commit()
    git(checkout, "mv", "models/broken.tflite", "models/renamed.tflite")
    commit()
    Path("models/renamed.tflite").write_bytes(BROKEN)
    assert run(["check", "models", "--since", "HEAD~1", "--format", "json", "--no-cache"]) == 0
    assert errors(found(json.loads(capsys.readouterr().out)))["models/renamed.tflite"] == []


def test_an_old_contract_that_is_invalid_makes_all_findings_new(checkout, capsys):
    Path("models/broken.contract.toml").write_text("no TOML")
    commit()
    Path("models/broken.contract.toml").write_text('[[inputs]]\nindex = 0\nkind = "tabular"\n')
    data = since(capsys, "models", code=1)
    assert "Q001" in found(data)["models/broken.tflite"]
    assert "'models/broken.tflite' of 'HEAD' cannot be linted (" in messages(data)[1]


def test_no_filter_of_the_configuration_runs(checkout, capsys, tmp_path):
    """`git diff` would run the clean filter of a changed file."""
    git(checkout, "config", "filter.trap.clean", f"touch {tmp_path / 'trapped'}; cat")
    Path(".gitattributes").write_text("*.tflite filter=trap\n")
    Path("models/broken.tflite").write_bytes(WORSE)
    since(capsys, "models", code=1)
    assert not (tmp_path / "trapped").exists()


# -- errors ------------------------------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["check", *arguments, "--no-cache"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_folder_without_a_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(BROKEN)
    message = refused(capsys, ".", "--since", "HEAD")
    assert "'.' is not in a Git repository" in message
    assert "--since compares files with a revision of their repository" in message


@pytest.mark.parametrize("revision", ["gone", "v9.9"])
def test_a_revision_that_does_not_exist(checkout, capsys, revision):
    assert f"there is no revision '{revision}' in the repository of 'models'" in refused(
        capsys, "models", "--since", revision
    )


@pytest.mark.parametrize("revision", ["", "--output=x"])
def test_a_text_that_is_no_revision(checkout, capsys, revision):
    assert "is not a revision" in refused(capsys, "models", f"--since={revision}")


def test_a_shallow_clone_gets_a_hint(checkout, tmp_path, monkeypatch, capsys):
    commit("two")
    git(tmp_path, "-c", "protocol.file.allow=always", "clone", "--quiet", "--depth=1", checkout.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    message = refused(capsys, "models", "--since", "HEAD~1")
    assert "there is no revision 'HEAD~1'" in message
    assert "hint: the clone is shallow: git fetch --unshallow, or fetch-depth: 0 for actions/checkout" in message


def test_a_baseline_is_not_written_from_a_part_of_the_models(checkout, capsys):
    message = refused(capsys, "models", "--since", "HEAD", "--write-baseline", "b.json")
    assert "--since and --write-baseline exclude each other" in message


def test_a_folder_without_models_is_still_an_error(checkout, capsys):
    Path("empty").mkdir()
    assert run(["check", "empty", "--since", "HEAD"]) == 2
    assert "no models found" in capsys.readouterr().err


def test_a_link_to_a_model_of_the_repository_counts_as_that_model(checkout, capsys):
    Path("models/link.tflite").symlink_to("broken.tflite")
    assert since(capsys, "models/link.tflite", code=0)["files"] == []
    Path("models/broken.tflite").write_bytes(WORSE)
    assert errors(found(since(capsys, "models/link.tflite", code=1)))["models/link.tflite"] == ["Q004"]


def test_a_run_is_not_repeated_from_its_record(checkout, capsys):
    """The record does not have the state of the repository."""
    assert run(["check", "models", "--since", "HEAD"]) == 0
    Path("models/broken.tflite").write_bytes(WORSE)
    commit()
    assert run(["check", "models", "--since", "HEAD~1"]) == 1
    assert run(["check", "models", "--since", "HEAD"]) == 0
