"""Links, circles and depths of a checkout that someone else made: nothing leads out, nothing crashes, nothing hides."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.examples import EXAMPLES_DIRECTORY
from tests.security.conftest import command, environment, place, powerless
from tflint.api import check
from tflint.cli.main import run
from tflint.config import Config
from tflint.findings.suppress import Allow
from tflint.source.boundary import boundary_of, is_within, leads_out
from tflint.source.walk import select
from tflint.testing import assert_clean

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there"),
]

SECRET = "root:x:0:0 secret"
Contents = Callable[[], dict[str, bytes]]


@pytest.fixture
def repository(here: Path) -> Path:
    """A checkout with a model; beside it lie a secret, and a model with a contract."""
    (here / "outside").mkdir()
    (here / "outside" / "secret.toml").write_text(SECRET + "\n")
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "outside" / "bird.tflite")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", here / "outside" / "bird.contract.toml")
    (here / "repo" / ".git").mkdir(parents=True)
    (here / "repo" / ".git" / "config").write_text(SECRET + "\n")
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "repo" / "bird.tflite")
    os.chdir(here / "repo")
    return here / "repo"


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
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert "leads out of the checkout" in err


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
    assert "out of the checkout" in err
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
    assert run(["check", "bird.tflite"]) == 2
    assert "bird.contract.toml" in capsys.readouterr().err
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
        (OSError(errno.ENAMETOOLONG, "", "a\nb"), "a path is longer than the file system allows: a\\nb…"),
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
    assert run(["check", "bird.tflite"]) == 2
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


# --- outputs ----------------------------------------------------------------------------------------------------------


def test_a_linked_folder_is_no_checkout_of_its_own(repository: Path, contents: Contents) -> None:
    (repository.parent / "outside" / ".git").mkdir()
    (repository.parent / "outside" / "bird.contract.toml").unlink()
    Path("models").symlink_to("../outside")
    before = contents()
    assert run(["contract", "init", "models/bird.tflite"]) == 2
    assert contents() == before
    assert leads_out("models") == repository.parent / "outside"
    Path("sub/.git").mkdir(parents=True)
    assert leads_out("sub") is None, "a submodule lies in the checkout"
    assert leads_out(repository.parent / "outside") is None
    shutil.copy("bird.tflite", repository.parent / "bird.tflite")
    before = contents()
    assert run(["contract", "init", "models/../bird.tflite"]) == 2
    assert contents() == before, "the kernel follows the link before it goes up"
    Path(".git/hooks").mkdir()
    Path("hooks").symlink_to(".git/hooks")
    assert leads_out("hooks") is not None
    assert leads_out(".git/hooks") is not None
    shutil.rmtree(".git")
    assert leads_out("models") == repository.parent / "outside"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs /dev/shm")
def test_a_checkout_under_dev_has_no_links_of_the_system(here: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        (Path(folder) / "victim").touch()
        (Path(folder) / "link").symlink_to("victim")
        assert run(["check", "good.tflite", "--output", f"{folder}/link"]) == 2
        assert (Path(folder) / "victim").read_bytes() == b""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("form", ["text", "json", "sarif", "gitlab", "junit"])
@pytest.mark.parametrize("stream", ["/dev/stdout", "/proc/self/fd/1"])
def test_a_named_stream_is_as_safe_as_standard_output(here: Path, form: str, stream: str) -> None:
    (here / "a\n::error::forged ##[error]x.tflite").write_bytes(b"no model")
    runner = environment(GITHUB_ACTIONS="true")
    named = command("check", ".", "--format", form, "--output", stream, env=runner)
    assert named.returncode == 1
    assert b"##[" not in named.stdout
    assert not [line for line in named.stdout.splitlines() if line.lstrip().startswith(b"::")]
    baseline = command("check", ".", "--write-baseline", stream, env=runner)
    assert baseline.returncode == 0
    assert b"##[" not in baseline.stdout


DOCUMENTS = [*Path(__file__).parents[2].glob("*.md"), *Path(__file__).parents[2].glob("docs/**/*.md")]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_a_page_that_quotes_reports_is_not_replaced_by_one(here: Path, page: Path) -> None:
    shutil.copy(page, here / "page.md")
    before = (here / "page.md").read_bytes()
    assert run(["check", "good.tflite", "--output", "page.md"]) == 2
    assert run(["check", "good.tflite", "--write-baseline", "page.md"]) == 2
    assert (here / "page.md").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "# Notes\n\na.tflite\n  error   Q001  x\n",
        "See:\n\n::error title=x::y\n",
        "1 model: no findings · 0 suppressed · target x\nand so on\n",
        '{"schema_version": 1, "files": {"a": 1}}',
        "### tflite-lint setup notes\nmy own text\n",
        "3 models: no findings, 0 suppressed here\n",
        "```\na.tflite\n  error   Q001  x\n```\n",
    ],
)
def test_text_that_looks_like_a_report_is_none(here: Path, text: str) -> None:
    (here / "mine").write_text(text)
    assert run(["check", "good.tflite", "--output", "mine"]) == 2
    assert run(["check", "good.tflite", "--write-baseline", "mine"]) == 2


def test_quiet_reports_of_notes_and_counts_replace_each_other(here: Path) -> None:
    (here / "broken.tflite").unlink()
    place("conv_int8", here / "second.tflite")
    Path("tflint.toml").write_text('metadata.require = ["license"]\n')
    for options in (["-q"], ["-q", "--statistics"], ["-q", "-v"][:1]):
        for _ in range(2):
            assert run(["check", ".", "--output", "out", *options]) in (0, 1)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_links_out_alone_are_nothing_to_check(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bird.tflite").unlink()
    Path("bird.tflite").symlink_to("../outside/bird.tflite")
    assert run(["check", "."]) == 2
    assert "only links that lead out of the checkout" in capsys.readouterr().err
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
    assert f"{n_models} models are excluded" in capsys.readouterr().err.replace("its only model is", "1 models are")
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
    assert "no file can be read" in capsys.readouterr().err
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
    assert "does not cover 1 file that could not be read" in capsys.readouterr().err
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
