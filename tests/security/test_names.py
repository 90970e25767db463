"""Test file names in a checkout that look like options."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import ROOT as CHECKOUT
from tests.helpers.processes import environment, place
from tflint.cli.main import run

pytestmark = [pytest.mark.security, pytest.mark.skipif(sys.platform == "win32", reason="names are restricted there")]

NAMES = [
    "--write-baseline=x.tflite",
    "--output=good.tflite",
    "--report=json=out.lite",
    "--config=cfg.lite",
    "--exit-zero",
    "--allow-plugin=evil.tflite",
    "--debug",
    "-v.tflite",
    "-q",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_named_like_an_option_is_refused(
    here: Path, contents: Callable[[], dict[str, bytes]], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    place("truncated", here / name)
    before = contents()
    assert run(["check", "broken.tflite", name]) == 2
    err = capsys.readouterr().err
    assert f"'{name}' is the name of a file, but would be parsed as an option" in err
    assert f"write './{name}'" in err
    assert contents() == before


def test_a_path_whose_first_folder_is_named_like_an_option_is_refused(here: Path) -> None:
    name = f"--report=json={here}/outside.lite"
    place("truncated", Path(str(here / "--report=json=") + name.removeprefix("--report=json=")))
    assert run(["check", name]) == 2
    assert not (here / "outside.lite").exists()


def test_a_dangling_link_named_like_an_option_is_refused(here: Path) -> None:
    (here / "--exit-zero").symlink_to("nowhere")
    assert run(["check", "broken.tflite", "--exit-zero"]) == 2


def test_such_a_file_is_checked_by_another_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place("truncated", here / "--exit-zero")
    assert run(["check", "./--exit-zero"]) == 1
    assert run(["check", "--", "--exit-zero"]) == 1
    assert run(["check", "broken.tflite", "--", "--exit-zero"]) == 1
    capsys.readouterr()


def test_a_list_on_standard_input_holds_no_options(here: Path) -> None:
    place("truncated", here / "--exit-zero")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tflint", "check", "-"],
        input=b"--exit-zero\n",
        capture_output=True,
        env=environment(),
        cwd=here,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"G003" in done.stdout


def hooks() -> dict[str, Any]:
    """The project's hooks as its manifest has them."""
    from pre_commit.clientlib import load_manifest

    return {hook["id"]: hook for hook in load_manifest(str(CHECKOUT / ".pre-commit-hooks.yaml"))}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_pre_commit_on_a_branch_with_such_names_fails_and_writes_nothing(
    here: Path, contents: Callable[[], dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("pre_commit")
    hook = hooks()["tflite-lint"]
    scripts = Path(sys.executable).parent
    if not (scripts / "tflite-lint").exists():
        pytest.skip("tflint is not installed beside this Python")
    (here / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n  - id: tflite-lint\n    name: tflite-lint\n    language: system\n"
        f"    entry: {hook['entry']}\n    files: '{hook['files']}'\n    types: {hook['types']}\n"
        f"    require_serial: {str(hook['require_serial']).lower()}\n",
        encoding="utf-8",
    )
    for name in ("--write-baseline=x.tflite", "--output=victim.lite", "--report=text=out.lite", "--exit-zero.TFLITE"):
        place("truncated", here / name)
    (here / "victim.lite").write_bytes(b"mine")
    more = environment(
        PATH=f"{scripts}:/usr/local/bin:/usr/bin:/bin",
        PRE_COMMIT_HOME=str(tmp_path_factory.mktemp("home")),
        **{f"GIT_{role}_{what}": "test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    )
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=here, env=more, check=True)
    (here / "out.lite").symlink_to(".git/hooks/pre-commit")
    before = {name: content for name, content in contents().items() if not name.startswith(".git/")}
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"], cwd=here, env=more, capture_output=True, timeout=120
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert b"would be parsed as an option" in done.stdout
    assert {name: content for name, content in contents().items() if not name.startswith(".git/")} == before
    assert not (here / ".git" / "hooks" / "pre-commit").exists()


def test_the_hooks_take_suffixes_in_any_case() -> None:
    pytest.importorskip("pre_commit")
    assert all(hook["files"].startswith("(?i)") for hook in hooks().values())
    assert not any("--" in hook["entry"].split() for hook in hooks().values()), "users' own arguments come behind it"
