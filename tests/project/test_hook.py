"""Test the pre-commit hooks as a user gets them: pre-commit clones, installs and runs the project."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.packages import environment, git
from tests.helpers.paths import ROOT
from tflint.resources import named_model_path

#: Which named model lies under which name in the repository that is linted.
GOOD, BROKEN, POINTER = "models/good.tflite", "models/broken.tflite", "models/pointer.tflite"
MODELS = {GOOD: "conv_int8", BROKEN: "truncated", POINTER: "git_lfs_pointer"}

needs_pre_commit = pytest.mark.skipif(
    importlib.util.find_spec("pre_commit") is None or shutil.which("git") is None, reason="needs git and pre-commit"
)


def commit_all(folder: Path) -> str:
    """Make a folder a repository with one commit; its id."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "all")
    return git(folder, "rev-parse", "HEAD").strip()


def manifest() -> dict[str, Any]:
    """The hook's entry in the manifest, with pre-commit's defaults."""
    from pre_commit.clientlib import load_manifest

    hooks = {hook["id"]: hook for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))}
    return hooks["tflite-lint"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the project as it is here, uncommitted changes too."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs the project's git checkout")
    folder = tmp_path_factory.mktemp("project")
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    commit_all(folder)
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where pip cannot get what the hook's environment is built with."""
    folder = tmp_path_factory.mktemp("index")
    download = ["download", "--quiet", "--no-deps", "--retries", "1", "--dest", str(folder), "hatchling>=1.27"]
    done = subprocess.run([sys.executable, "-m", "pip", *download], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the package index has no hatchling for pip: {done.stderr.strip().splitlines()[-1:]}")


@pytest.fixture(scope="module")
def home(project: Path, index: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pre-commit's own folder, with the hook installed."""
    folder = tmp_path_factory.mktemp("home")
    repository = tmp_path_factory.mktemp("first")
    write_repository(repository, project, [GOOD])
    done = pre_commit(repository, folder, "install-hooks")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def write_repository(
    folder: Path, project: Path, models: list[str], config: str = "", hook: str = "tflite-lint"
) -> None:
    """A user's repository: models, a file that is none, and the hook in its configuration."""
    files = {
        ".pre-commit-config.yaml": f"""
repos:
- repo: '{project.as_posix()}'
  rev: {git(project, "rev-parse", "HEAD").strip()}
  hooks:
  - id: {hook}
""",
        "notes.txt": "TFL3, but no model\n",
        **({"tflint.toml": config} if config else {}),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in models:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(named_model_path(MODELS[name]), folder / name)
    commit_all(folder)


def pre_commit(repository: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=repository,
        env=environment(PRE_COMMIT_HOME=str(home), PRE_COMMIT_COLOR="never"),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def assert_speaks_of_broken_and_pointer(output: str) -> None:
    assert BROKEN in output
    assert "G003" in output
    assert POINTER in output
    assert "G001" in output
    assert "git lfs pull" in output
    assert GOOD not in output
    assert "notes.txt" not in output


@needs_pre_commit
def test_the_manifest_takes_models_and_what_lies_in_their_place():
    hook = manifest()
    takes = ["m.tflite", "a b/m.tflite", "m.lite", "m.task", "m.litertlm", "M.TFLITE", "Model.TfLite"]
    leaves = ["m.tflite.md", "tflite", "m.tflite.contract.toml", "lite.py", "elite", "m.onnx"]
    assert [name for name in takes + leaves if re.search(hook["files"], name)] == takes
    assert hook["types"] == ["file"], "a Git-LFS pointer is text: [binary] would leave it out"
    assert hook["require_serial"], "tflint has processes of its own"
    assert hook["minimum_pre_commit_version"] == "3.2.0"


@needs_pre_commit
@pytest.mark.slow
def test_the_hook_of_contracts_lints_the_model_beside(project, home, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    write_repository(repository, project, [GOOD], hook="tflite-lint-contract")
    entry = '[[inputs]]\nkind = "raw"\ndtype = "float32"\n'
    (repository / "models" / "good.contract.toml").write_text(entry, encoding="utf-8")
    git(repository, "add", "--all")
    done = pre_commit(repository, home, "run", "--all-files")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "models/good.contract.toml" in done.stdout
    assert "D001" in done.stdout
    assert BROKEN not in done.stdout


@needs_pre_commit
@pytest.mark.slow
def test_try_repo_names_what_is_broken_and_what_is_not_there(project, home, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    write_repository(repository, project, [GOOD, BROKEN, POINTER])
    done = pre_commit(repository, home, "try-repo", str(project), "tflite-lint", "--all-files")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "exit code: 1" in done.stdout
    assert_speaks_of_broken_and_pointer(done.stdout)


@needs_pre_commit
@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "config", "code"),
    [
        ([GOOD, BROKEN, POINTER], "", 1),
        ([GOOD], "", 0),
        ([POINTER], "", 1),
        ([POINTER], 'lfs-pointers = "note"\n', 0),
        ([BROKEN, POINTER], 'lfs-pointers = "note"\n', 1),
    ],
    ids=["all", "good", "pointer", "expected pointer", "broken and expected pointer"],
)
def test_the_installed_hook_fails_where_something_is_wrong(project, home, tmp_path, models, config, code):
    write_repository(tmp_path, project, models, config)
    done = pre_commit(tmp_path, home, "run", "--all-files")
    assert done.returncode == code, done.stdout + done.stderr
    assert ("Passed" if code == 0 else "Failed") in done.stdout
    assert "Skipped" not in done.stdout
    if len(models) == len(MODELS):
        assert_speaks_of_broken_and_pointer(done.stdout)


@needs_pre_commit
@pytest.mark.slow
def test_the_hooks_own_entry_line_runs(project, home, tmp_path):
    write_repository(tmp_path, project, [GOOD, BROKEN, POINTER])
    (scripts,) = {path.parent for path in home.glob("repo*/py_env-*/*/tflite-lint*")}
    program, *arguments = shlex.split(manifest()["entry"])
    program = shutil.which(program, path=str(scripts)) or program

    def entry(*files: str) -> subprocess.CompletedProcess[str]:
        command = [program, *arguments, *files]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")

    assert entry(GOOD).returncode == 0
    failed = entry(GOOD, BROKEN, POINTER)
    assert failed.returncode == 1
    assert_speaks_of_broken_and_pointer(failed.stdout)
    assert entry("models/gone.tflite").returncode == 2
