"""Test which repository and program `diff --git` uses: files of an untrusted checkout influence neither."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.git import git
from tflint.cli.main import run
from tflint.errors import UserError
from tflint.resources import named_model_path
from tflint.source import git_program
from tflint.source.checkout_boundary import worktree_of
from tflint.source.git_program import find_program, run_git
from tflint.source.git_revision import read_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def committed(folder: Path, name: str, content: bytes) -> Path:
    """Make a repository with one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    return folder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = committed(tmp_path / "checkout", "models/m.tflite", b"the user's")
    monkeypatch.chdir(folder)
    return folder


#: The configuration of a repository that has git fetch a missing object, by a command of the attacker's.
_PROMISOR = """\
[core]
repositoryformatversion = 1
bare = true
[extensions]
partialClone = origin
[remote "origin"]
url = ext::sh -c touch% {marker}
promisor = true
partialclonefilter = blob:none
[protocol "ext"]
allow = always
"""


def embed(checkout: Path, tmp_path: Path, *, is_complete: bool) -> tuple[str, Path]:
    """Commit a bare repository as `models/`. Return its blob of m.tflite and the file that its command creates."""
    other = committed(tmp_path / "other", "m.tflite", b"the attacker's")
    blob = git(other, "rev-parse", "HEAD:m.tflite")
    if not is_complete:
        (other / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    shutil.copy(other / ".git" / "HEAD", checkout / "models")
    for name in ("objects", "refs"):
        shutil.copytree(other / ".git" / name, checkout / "models" / name)
    marker = tmp_path / "executed"
    (checkout / "models" / "config").write_text(_PROMISOR.format(marker=marker.as_posix()))
    git(checkout, "add", "models")
    git(checkout, "commit", "-m", "two")
    return blob, marker


# --- embedded repositories --------------------------------------------------------------------------------------------


@pytest.mark.security
@pytest.mark.parametrize("start", [".", "models"])
@pytest.mark.parametrize("revision", ["HEAD", "main"])
def test_a_bare_repository_among_the_models_does_not_falsify_the_version(
    checkout: Path, tmp_path: Path, start: str, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(checkout, tmp_path, is_complete=True)
    assert git(checkout / "models", "cat-file", "blob", "HEAD:m.tflite") == "the attacker's"  # what git alone does
    monkeypatch.chdir(checkout / start)
    assert read_revision(revision, os.path.relpath(checkout / "models" / "m.tflite")) == b"the user's"


@pytest.mark.security
@pytest.mark.skipif(os.name == "nt", reason="the attack is written for a POSIX shell")
def test_a_bare_repository_among_the_models_executes_nothing(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(named_model_path("conv_int8"), checkout / "models" / "m.tflite")
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "a model")
    _, marker = embed(checkout, tmp_path, is_complete=False)
    monkeypatch.delitem(git_program._ENVIRONMENT, "GIT_NO_LAZY_FETCH")  # as git before 2.45 ignores it
    monkeypatch.chdir(checkout / "models")
    assert run(["diff", "m.tflite", "--git", "HEAD"]) == 0
    assert capsys.readouterr().out.startswith("1 pair: no findings")
    assert not marker.exists()


@pytest.mark.security
@pytest.mark.skipif(os.name == "nt", reason="the attack is written for a POSIX shell")
@pytest.mark.parametrize(
    ("left_out", "refusal"),
    [
        ((), "cannot use bare repository"),
        (("safe.bareRepository",), "."),
        (("safe.bareRepository", "GIT_NO_LAZY_FETCH"), "transport 'ext' not allowed"),
        (("safe.bareRepository", "GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH"), None),
    ],
)
def test_each_setting_alone_stops_a_repository_that_fetches_by_a_command(
    checkout: Path, tmp_path: Path, left_out: tuple[str, ...], refusal: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last case is the attack without a defense: it must succeed, or the other cases would show nothing."""
    blob, marker = embed(checkout, tmp_path, is_complete=False)
    if "safe.bareRepository" in left_out:
        monkeypatch.setattr(git_program, "_SETTINGS", git_program._SETTINGS[2:])
    for name in left_out[1:]:
        monkeypatch.delitem(git_program._ENVIRONMENT, name)
    with pytest.raises(UserError, match=refusal):
        run_git(["cat-file", "blob", blob], str(checkout / "models"), "wrong")
    assert marker.exists() is (refusal is None)


@pytest.mark.security
def test_a_broken_git_folder_does_not_let_its_neighbors_be_a_repository(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(checkout, tmp_path, is_complete=True)
    (checkout / "models" / ".git").mkdir()
    with pytest.raises(UserError, match="is not in a readable Git repository"):
        read_revision("HEAD", "models/m.tflite")
    monkeypatch.setattr(git_program, "_SETTINGS", git_program._SETTINGS[2:])  # as git before 2.38 ignores it
    with pytest.raises(UserError, match=r"models/\.git' is invalid"):
        read_revision("HEAD", "models/m.tflite")


# --- top levels -------------------------------------------------------------------------------------------------------


def test_a_file_in_a_linked_worktree(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", str(tmp_path / "linked"))
    path = tmp_path / "linked" / "models" / "m.tflite"
    path.write_bytes(b"changed")
    assert (tmp_path / "linked" / ".git").is_file()
    assert read_revision("HEAD", str(path)) == b"the user's"


def test_a_file_in_a_submodule_is_compared_with_the_submodules_version(checkout: Path, tmp_path: Path) -> None:
    other = committed(tmp_path / "other", "deep/m.tflite", b"the submodule's")
    git(checkout, "submodule", "add", other.as_posix(), "sub")
    git(checkout, "commit", "-m", "two")
    assert (checkout / "sub" / ".git").is_file()
    assert read_revision("HEAD", "sub/deep/m.tflite") == b"the submodule's"


def test_a_file_below_a_linked_folder_is_named_where_it_is(checkout: Path) -> None:
    try:
        (checkout / "latest").symlink_to("models")
    except OSError:
        pytest.skip("links need a privilege")
    with pytest.raises(
        UserError, match=r"'latest/m\.tflite' is not in 'HEAD'\n.*checkout/models': use the path in that folder"
    ):
        read_revision("HEAD", "latest/m.tflite")


def test_the_top_level_is_the_nearest_folder_with_a_git_entry(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert worktree_of(tmp_path / "a" / "b" / "c") == worktree_of(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a" / "b" / ".git").write_text("gitdir: elsewhere\n")
    assert worktree_of(tmp_path / "a" / "b" / "c") == tmp_path / "a" / "b"


def test_a_path_that_is_too_long_is_an_error(checkout: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_revision("HEAD", "a/" * 5000 + "m.tflite")


# --- owners and programs ----------------------------------------------------------------------------------------------


@pytest.mark.security
def test_a_repository_of_another_user_is_refused_with_the_remedy(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert run(["diff", "models/m.tflite", "--git", "HEAD"]) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "because another user owns it" in message
    assert f"git config --global --add safe.directory {checkout.as_posix()}" in message


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program named git, which is the current one."""
    folder = tmp_path / "fake"
    folder.mkdir()
    program = folder / ("git.exe" if os.name == "nt" else "git")
    program.write_text("#!/bin/sh\ntouch executed\n")
    program.chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.security
@pytest.mark.parametrize("path", ["", ".", ":", ".:", "..:../fake", "nowhere:./", "{here}", "{here}/../fake"])
def test_a_program_in_the_current_folder_is_not_run(fake: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path.replace(":", os.pathsep).format(here=fake))
    assert find_program("git") is None
    (fake / ".git").mkdir()
    with pytest.raises(UserError, match="needs the program 'git'"):
        read_revision("HEAD", "m.tflite")
    assert not (fake / "executed").exists()


@pytest.mark.security
def test_the_program_is_that_of_the_first_absolute_entry(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", str(fake), str(fake / "none"), os.environ["PATH"]]))
    found = find_program("git")
    assert found == shutil.which("git", path=os.environ["PATH"].split(os.pathsep, 4)[4])
    monkeypatch.chdir(fake.parent)
    assert find_program("git") == str(fake / Path(found or "").name)
