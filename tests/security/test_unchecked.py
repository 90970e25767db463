"""Test runs in which not everything was checked, compared or decided: none passes."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers.processes import place
from tflint.api import check
from tflint.cli.main import run
from tflint.config import Config
from tflint.findings.suppressions import Allow
from tflint.testing import assert_clean

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there"),
]


def test_links_out_alone_are_nothing_to_check(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bird.tflite").unlink()
    Path("bird.tflite").symlink_to("../outside/bird.tflite")
    assert run(["check", "."]) == 2
    assert "only links to files outside of the checkout" in capsys.readouterr().err
    assert run(["check", ".", "--ignore", "G109"]) == 2
    assert run(["check", ".", "--allow-empty"]) == 0
    with pytest.raises(AssertionError):
        assert_clean(".")
    shutil.copy("../outside/bird.tflite", "real.tflite")
    assert run(["check", "."]) == 0


def test_a_bundle_without_a_checked_model_is_nothing_to_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "m").mkdir()
    place("bundle_task", here / "m" / "b.task")
    report = check("m")
    n_models = sum(file.kind == "model" for file in report.files)
    assert (n_models > 0, report.left_out.excluded_models) == (True, 0)
    Path("tflint.toml").write_text('exclude = ["*.tflite"]\n')
    assert run(["check", "m"]) == 2
    assert f"{n_models} models are excluded" in capsys.readouterr().err.replace("the only model is", "1 models are")
    assert run(["check", "m", "good.tflite"]) == 0


def test_a_bundle_in_a_bundle_without_a_checked_model_is_nothing_to_check(here: Path) -> None:
    def zipped(name: str, content: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, content)
        return file.getvalue()

    inner = zipped("m.tflite", Path("good.tflite").read_bytes())
    Path("outer.task").write_bytes(zipped("inner.task", inner))
    assert run(["check", "outer.task"]) == 0
    report = check("outer.task", config=Config(exclude=("m.tflite",)))
    assert (report.has_checked, report.left_out.excluded_models) == (False, 1)
    Path("tflint.toml").write_text('exclude = ["m.tflite"]\n')
    assert run(["check", "outer.task"]) == 2


def test_files_that_nobody_could_read_are_not_checked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "broken.tflite", "--select", "P"]) == 2
    assert "no file is readable" in capsys.readouterr().err
    assert run(["check", "broken.tflite", "good.tflite", "--select", "P"]) == 0


def test_a_baseline_of_nothing_replaces_none(here: Path) -> None:
    assert run(["check", "broken.tflite", "--write-baseline", "known.json"]) == 0
    known = Path("known.json").read_text()
    Path("tflint.toml").write_text('exclude = ["*.tflite"]\n')
    assert run(["check", ".", "--write-baseline", "known.json"]) == 2
    assert Path("known.json").read_text() == known
    lines = known.splitlines(keepends=True)
    merged = [*lines[:3], "<<<<<<< ours\n", "=======\n", ">>>>>>> theirs\n", *lines[3:]]
    Path("known.json").write_text("".join(merged))
    assert run(["check", "broken.tflite", "--write-baseline", "known.json"]) == 0
    assert Path("known.json").read_text() == known


def test_a_project_file_that_leads_nowhere_is_no_configuration(here: Path) -> None:
    Path("pyproject.toml").symlink_to("nowhere")
    assert run(["check", "good.tflite"]) == 0


def test_a_comparison_that_did_not_happen_is_not_green(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["diff", "good.tflite", "broken.tflite"]
    assert run(arguments) == 1
    capsys.readouterr()
    assert run([*arguments, "--ignore", "G"]) == 2
    assert "nothing was compared" in capsys.readouterr().err
    assert run([*arguments, "--exit-zero"]) == 0


def test_a_baseline_holds_no_file_that_could_not_be_read(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("gone.tflite").symlink_to("nowhere")
    assert run(["check", ".", "--write-baseline", "known.json", "--report", "json=out.json"]) == 0
    assert "does not cover 1 unreadable file" in capsys.readouterr().err
    assert {file["path"] for file in json.loads(Path("out.json").read_text())["files"]} == {
        "bird.tflite", "gone.tflite",
    }  # fmt: skip
    known = json.loads(Path("known.json").read_text())
    assert "gone.tflite" not in known["files"]
    (finding,) = [finding for finding in check("gone.tflite").findings() if finding.rule == "G102"]
    known["files"]["gone.tflite"] = {finding.fingerprint: 1}
    Path("known.json").write_text(json.dumps(known))
    assert run(["check", ".", "--baseline", "known.json"]) == 1


def test_a_folder_that_is_named_like_a_bundle_is_no_bundle(here: Path) -> None:
    for path in (here / "b.task!" / "m.tflite", here / "c.task!" / "m.tflite"):
        place("truncated", path)
    allow = Config(allow=(Allow("G003", "known", path="b.task"),))
    assert check("b.task!/m.tflite", config=allow).fails("error")
    by_path = Config(allow=(Allow("G003", "known", path="c.task!/*.tflite"),))
    assert not check("c.task!/m.tflite", config=by_path).fails("error")
    ignored = Config(per_file_ignores={"b.task": ("G003",)})
    assert check("b.task!/m.tflite", config=ignored).fails("error")


@pytest.mark.parametrize("value", ["1e308", "1e10", "inf"])
@pytest.mark.parametrize("option", ["--max-memory", "--max-seconds"])
def test_a_limit_beyond_all_machines_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert run(["check", "good.tflite", option, value]) == 2
    assert option in capsys.readouterr().err
