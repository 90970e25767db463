"""Test links, cycles and deep folders in an untrusted checkout: tflint stays inside, completes and misses no file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.processes import SECRET, command, place, powerless
from tflint.cli.main import run
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.source.model_search import select

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there"),
]


def paths_of(*selected: str) -> dict[str, bool]:
    """The selected paths, and whether each is opened."""
    return {item if isinstance(item, str) else item.path: isinstance(item, str) for item in select(selected).items}


# --- what is found by its name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["../outside/secret.toml", ".git/config"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["contract", "show", "bird.tflite"],
        ["contract", "export", "bird.tflite"],
        ["contract", "observe", "bird.tflite", "--data", "data.npy"],
        ["contract", "import", "preprocessor_config.json", "--from", "huggingface", "--into", "bird.tflite"],
        ["check", "bird.tflite"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_a_found_contract_that_is_a_link_out_is_never_quoted(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], target: str
) -> None:
    np.save("data.npy", np.zeros((1, 8, 8, 3), dtype=np.float32))
    Path("preprocessor_config.json").write_text('{"do_normalize": true, "image_mean": [0.5], "image_std": [0.5]}')
    Path("bird.contract.toml").symlink_to(target)
    assert run(arguments) == (1 if arguments[0] == "check" else 2)
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert "points outside the checkout" in " ".join((out + err).split())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["check", "bird.contract.toml", "--format", "json"], 2), (["contract", "show", "bird.contract.toml"], 2)],
)
def test_a_contract_does_not_lead_to_a_model_outside(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    Path("bird.tflite").unlink()
    Path("bird.tflite").symlink_to("../outside/bird.tflite")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", "bird.contract.toml")
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert "outside of the checkout" in err
    assert "operators" not in out
    if out:
        file, contract = json.loads(out)["files"]
        assert contract["kind"] == "contract"
        assert (file["status"], [finding["rule"] for finding in file["findings"]]) == ("unreadable", ["G109"])


@pytest.mark.parametrize("target", ["nowhere", "bird.contract.toml"])
def test_a_contract_or_configuration_that_leads_nowhere_is_not_absent(
    repository: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    Path("bird.contract.toml").symlink_to(target)
    assert run(["check", "bird.tflite"]) == 1
    assert "P116" in capsys.readouterr().out
    Path("bird.contract.toml").unlink()
    Path("tflint.toml").symlink_to(target if target == "nowhere" else "tflint.toml")
    assert run(["check", "bird.tflite"]) == 2
    assert "tflint.toml" in capsys.readouterr().err


def test_what_lies_in_git_is_outside_and_the_contents_of_git_annex_are_not(repository: Path) -> None:
    annex = repository / ".git" / "annex" / "objects"
    annex.mkdir(parents=True)
    shutil.copy("bird.tflite", annex / "SHA256-1.tflite")
    shutil.copy("bird.tflite", repository / ".git" / "a.tflite")
    Path("annexed.tflite").symlink_to(".git/annex/objects/SHA256-1.tflite")
    (repository / ".git" / "annex" / "creds").mkdir()
    shutil.copy("bird.tflite", repository / ".git" / "annex" / "creds" / "1")
    Path("creds.tflite").symlink_to(".git/annex/creds/1")
    Path("inner.tflite").symlink_to(".git/a.tflite")
    found = {"annexed.tflite": True, "bird.tflite": True, "creds.tflite": False, "inner.tflite": False}
    assert paths_of(".") == found
    boundary = boundary_of(repository)
    assert not is_within(".GIT/config", boundary)
    assert is_within(".github/x", boundary)
    assert not is_within("a\0b", boundary)


def test_a_file_of_git_is_not_packed_into_a_copy(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = '[model]\ndraft = true\n[[outputs]]\nkind = "class_scores"\nlabels.file = "{}"\n'
    for name, is_packed in (("mine.txt", True), (".git/config", False)):
        Path("mine.txt").write_text(SECRET + "\n")
        Path("bird.contract.toml").write_text(contract.format(name))
        assert run(["contract", "export", "bird.tflite", "--output", "copy.tflite", "--force"]) == 0
        assert (SECRET.encode() in Path("copy.tflite").read_bytes()) is is_packed
    assert "in its .git" in capsys.readouterr().out


# --- globs ------------------------------------------------------------------------------------------------------------


def test_a_glob_opens_nothing_outside(repository: Path) -> None:
    Path("linked").symlink_to("../outside")
    Path("linked.tflite").symlink_to("../outside/bird.tflite")
    Path("inside.tflite").symlink_to("bird.tflite")
    all_of_it = {"bird.tflite": True, "inside.tflite": True, "linked.tflite": False}
    assert paths_of("*.tflite") == all_of_it
    assert paths_of("*/*.tflite") == {"linked/bird.tflite": False}
    found = select(["*"])
    assert {item: True for item in found.items if item == "bird.tflite"}
    assert (found.left_out.linked_folders, found.left_out.models) == (1, 1)
    assert paths_of("linked/*.tflite") == {"linked/bird.tflite": True}, "the user named that folder"
    assert paths_of("../outside/*.tflite") == {"../outside/bird.tflite": True}


@pytest.fixture
def closed(repository: Path) -> Iterator[None]:
    """A folder that cannot be listed."""
    Path("m/closed").mkdir(parents=True)
    shutil.copy("bird.tflite", "m")
    shutil.copy("bird.tflite", "m/closed")
    Path("m/closed").chmod(0)
    yield
    Path("m/closed").chmod(0o755)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "pattern", ["m/**/*.tflite", "m/*/*.tflite", "m/cl*/*.tflite", "m/*/bird.tflite", "m/*/sub/*.tflite"]
)
def test_a_folder_that_a_glob_cannot_list_is_a_finding(pattern: str) -> None:
    done = command("check", pattern, "--format", "json", prefix=powerless())
    assert done.returncode == 1, done.stderr
    files = {file["path"]: file for file in json.loads(done.stdout)["files"]}
    assert [finding["rule"] for finding in files["m/closed"]["findings"]] == ["G102"]


@pytest.mark.usefixtures("closed")
def test_a_folder_that_is_excluded_need_not_be_listed() -> None:
    Path("tflint.toml").write_text('exclude = ["m/closed"]\n')
    for path in ("m", "m/**/*.tflite"):
        assert command("check", path, prefix=powerless()).returncode == 0, path


def test_a_glob_of_folders_has_the_boundary_of_a_walk(repository: Path) -> None:
    shutil.rmtree(".git")
    for name in ("models", "shared"):
        Path(name).mkdir()
    shutil.copy("bird.tflite", "shared/y.tflite")
    Path("models/y.tflite").symlink_to("../shared/y.tflite")
    assert paths_of(".") == paths_of("*")


def test_a_closed_folder_above_hides_nothing(here: Path) -> None:
    place("conv_int8", here / "a" / "b" / "m.tflite")
    script = 'cd a/b && chmod 0 .. && exec "$@"'
    try:
        done = command("check", ".", "--format", "json", prefix=["sh", "-c", script, "sh", *powerless()])
    finally:
        (here / "a").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == ["m.tflite"]


def test_a_file_of_unknown_kind_that_permissions_hide_is_a_finding(repository: Path) -> None:
    Path("m").mkdir()
    shutil.copy("bird.tflite", "m/a.bin")
    Path("m").chmod(0o444)
    try:
        done = command("check", "m", "--format", "json", prefix=powerless())
    finally:
        Path("m").chmod(0o755)
    assert done.returncode == 1
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == ["m/a.bin"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "", "a\nb"), "'a\\nb': permission denied"),
        (OSError(errno.ENAMETOOLONG, "", "a\nb"), "a path is too long for the file system: a\\nb…"),
    ],
)
def test_what_nothing_foresaw_about_a_path_is_the_users(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tflint.api.check_items", refuse)
    assert run(["check", "good.tflite"]) == 2
    assert capsys.readouterr().err == f"tflint: {said}\n"


# --- circles and depths -----------------------------------------------------------------------------------------------


def test_links_in_a_circle_crash_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.tflite", "a.bin", "folder", "rules.toml"):
        Path(name).symlink_to(name)
    Path("rules").mkdir()
    Path("rules/r.toml").symlink_to("r.toml")
    assert run(["check", "."]) == 1
    assert "G102" in capsys.readouterr().out
    for arguments in (["check", "*"], ["check", "folder/x.tflite"], ["check", ".", "--rules", "rules"]):
        assert run(arguments) in (1, 2)
        assert "internal error" not in capsys.readouterr().err


def test_a_deep_folder_is_walked(here: Path) -> None:
    at = os.open(here, os.O_RDONLY)
    for number in range(1_500):  # no path of this length can be opened: level by level
        name = "d" if number else "deep"
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    Path("deep/d/d/m.tflite").write_bytes(Path("good.tflite").read_bytes())
    try:
        found = paths_of("deep")
    finally:
        for depth in range(1_499, -1, -1):  # rmtree calls itself for each level
            folder = Path("deep", *["d"] * depth)
            (folder / "m.tflite").unlink(missing_ok=True)
            folder.rmdir()
    assert found["deep/d/d/m.tflite"]
    assert len(found) == 1 or not found[max(found, key=len)], "where a path becomes too long, a finding says so"


def test_a_walk_is_in_order(here: Path) -> None:
    for name in ("b/z", "b/a", "a", "c"):
        place("conv_int8", here / "m" / name / "x.tflite")
    place("conv_int8", here / "m" / "y.tflite")
    assert list(paths_of("m")) == ["m/y.tflite", *(f"m/{name}/x.tflite" for name in ("a", "b/a", "b/z", "c"))]


def chain(n_links: int, step: str = "", name: str = "c") -> None:
    """Make links that lead to each other, the last one to nothing; `step` comes before each name."""
    for number in range(n_links):
        Path(f"{name}{number}").symlink_to(f"{step}{name}{number + 1}" if number < n_links - 1 else f"{step}nowhere")


def test_a_chain_of_links_crashes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain(1_500)
    Path("m.tflite").symlink_to("c0")
    for arguments in (["check", "."], ["check", "*.tflite"], ["check", "m.tflite"]):
        assert run(arguments) == 1
        assert "G102" in capsys.readouterr().out
    for path in ("c0", "c0/x"):
        assert run(["check", "bird.tflite", "--output", path]) == 2
    Path("bird.contract.toml").symlink_to("c0")
    assert run(["check", "bird.tflite"]) == 1
    Path("bird.contract.toml").unlink()
    Path("tflint.toml").symlink_to("c0")
    assert run(["check", "bird.tflite"]) == 2
    assert "internal error" not in capsys.readouterr().err


def test_many_links_through_many_folders_are_walked_in_time(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    real = os.lstat

    def counted(*arguments: Any, **options: Any) -> os.stat_result:
        nonlocal asked
        asked += 1
        return real(*arguments, **options)

    monkeypatch.setattr("os.lstat", counted)
    Path("x").mkdir()
    chain(30, "x/../" * 700)
    n_links = 20
    for number in range(n_links):
        Path(f"m{number}.tflite").symlink_to("c0")
    assert len(paths_of(".")) == n_links + 1
    assert n_links * 100 < asked < n_links * 2_500


def test_a_link_through_too_many_folders_is_outside(repository: Path) -> None:
    Path("x").mkdir()
    Path("far").symlink_to("x/../" * 700 + "../outside")
    assert is_within("bird.tflite", boundary_of("."))
    assert not is_within("far/bird.tflite", boundary_of("."))
    assert run(["contract", "init", "far/bird.tflite", "--force"]) == 2
