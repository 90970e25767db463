"""Test outputs that would overwrite an input or go through a link."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.processes import command, place
from tflint.cli.main import run
from tflint.report.report_formats import FORMATS

pytestmark = pytest.mark.security
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")

Contents = Callable[[], dict[str, bytes]]


@pytest.fixture
def bird(here: Path) -> Path:
    """A model with a contract beside it, and a configuration."""
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "bird.tflite")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", here / "bird.contract.toml")
    (here / "tflint.toml").write_text('fail-on = "error"\n')
    (here / "notes.txt").write_text("mine\n")
    (here / "labels.txt").write_text("cat\ndog\nbird\n")
    return here


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "good.tflite", "--output", "good.tflite"],
        ["check", "good.tflite", "--report", "json=good.tflite"],
        ["check", "good.tflite", "--write-baseline", "good.tflite"],
        ["check", "good.tflite", "--write-baseline", "notes.txt"],
        ["check", "good.tflite", "--report", "sarif=tflint.toml"],
        ["check", "good.tflite", "--output", "bird.contract.toml"],
        ["check", "good.tflite", "--output", "notes.txt"],
        ["diff", "good.tflite", "bird.tflite", "--output", "good.tflite"],
        ["contract", "init", "good.tflite", "--output", "good.tflite", "--force"],
        ["contract", "init", "good.tflite", "--output", "tflint.toml", "--force"],
        ["contract", "init", "good.tflite", "--output", "notes.txt", "--force"],
        ["contract", "export", "bird.tflite", "--output", "bird.tflite", "--force"],
        ["contract", "export", "bird.tflite", "--output", "notes.txt", "--force"],
        ["contract", "export", "bird.tflite", "--output", "bird.contract.toml", "--force"],
        ["contract", "export", "bird.tflite", "--output", "good.tflite"],
    ],
    ids=" ".join,
)
def test_no_command_replaces_a_file_that_is_not_its_own(bird: Path, contents: Contents, arguments: list[str]) -> None:
    before = contents()
    assert run(arguments) == 2
    assert contents() == before


def test_a_model_is_replaced_by_a_copy_of_another_with_force_only(bird: Path) -> None:
    place("conv_int8", bird / "old.tflite")
    assert run(["contract", "export", "bird.tflite", "--output", "old.tflite"]) == 2
    assert run(["contract", "export", "bird.tflite", "--output", "old.tflite", "--force"]) == 0


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("models", [["broken.tflite"], ["good.tflite"], ["good.tflite", "broken.tflite"], ["empty"]])
def test_a_report_replaces_a_report_of_any_format(here: Path, before: str, models: list[str]) -> None:
    (here / "empty").mkdir()
    for options in ([], ["-q"], ["--statistics", "-v", "--color", "always"], ["--sarif-profile", "spec"]):
        run(["check", *models, "--format", before, "--output", "out", "--allow-empty", *options])
        written = (here / "out").read_bytes()
        code = run(["check", "good.tflite", "--format", "json", "--output", "out"])
        assert code == 0, (options, written[:300])
        (here / "out").unlink()


def test_a_baseline_replaces_a_baseline_and_no_report(here: Path) -> None:
    assert run(["check", "broken.tflite", "--write-baseline", "known.json"]) == 0
    assert run(["check", "broken.tflite", "--write-baseline", "known.json"]) == 0
    assert run(["check", "broken.tflite", "--output", "known.json"]) == 2
    assert run(["check", "broken.tflite", "--format", "json", "--output", "report.json"]) == 1
    assert run(["check", "broken.tflite", "--write-baseline", "report.json"]) == 2


def test_a_broken_contract_is_replaced_with_force(bird: Path) -> None:
    (bird / "bird.contract.toml").write_text("no TOML")
    assert run(["contract", "init", "bird.tflite"]) == 2
    assert run(["contract", "init", "bird.tflite", "--force"]) == 0


# --- links ------------------------------------------------------------------------------------------------------------


@needs_links
@pytest.mark.parametrize("target", ["victim", "nowhere"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "good.tflite", "--output", "link"],
        ["check", "good.tflite", "--report", "json=link"],
        ["check", "good.tflite", "--write-baseline", "link"],
        ["contract", "init", "good.tflite", "--output", "link", "--force"],
        ["contract", "export", "bird.tflite", "--output", "link", "--force"],
    ],
    ids=" ".join,
)
def test_a_named_output_never_goes_through_a_link(
    bird: Path, contents: Contents, arguments: list[str], target: str
) -> None:
    (bird / "victim").write_bytes(b"")
    (bird / "link").symlink_to(target)
    before = contents()
    assert run(arguments) == 2
    assert contents() == before


@needs_links
@pytest.mark.parametrize(
    ("link", "arguments"),
    [
        ("good.contract.toml", ["contract", "init", "good.tflite", "--force"]),
        ("good_metadata.tflite", ["contract", "export", "good.tflite", "--contract", "bird.contract.toml", "--force"]),
        ("linked.contract.toml", ["contract", "observe", "linked.contract.toml", "--data", "data.npy"]),
        ("linked.contract.toml", ["contract", "import", "none.json", "--from", "keras", "--into", "linked.tflite"]),
        ("tflint.toml", ["allow", "G003", "broken.tflite", "--reason", "known"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_derived_output_never_goes_through_a_link(
    bird: Path, contents: Contents, link: str, arguments: list[str], exists: bool
) -> None:
    import numpy as np

    np.save(bird / "data.npy", np.zeros((1, 8, 8, 3), dtype=np.float32))
    shutil.copy(bird / "bird.tflite", bird / "linked.tflite")
    (bird / link).unlink(missing_ok=True)
    if exists:
        shutil.copy(bird / "bird.contract.toml", bird / "victim.toml")
    (bird / link).symlink_to("victim.toml")
    before = contents()
    assert run(arguments) == 2
    assert contents() == before


@needs_links
@pytest.mark.parametrize("has_git", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        ["contract", "init", "models/bird.tflite"],
        ["contract", "export", "models/bird.tflite", "--contract", "bird.contract.toml", "--force"],
    ],
    ids=" ".join,
)
def test_a_derived_output_does_not_leave_the_checkout_by_a_linked_folder(
    bird: Path, tmp_path_factory: pytest.TempPathFactory, arguments: list[str], has_git: bool
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    shutil.copy(bird / "bird.tflite", outside)
    (bird / "models").symlink_to(outside)
    if has_git:
        (bird / ".git").mkdir()
    assert run(arguments) == 2
    assert [path.name for path in outside.iterdir()] == ["bird.tflite"]


# --- what stays as it was ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="modes are different there")
def test_a_mode_stays_and_no_temporary_file_does(here: Path) -> None:
    assert run(["check", "good.tflite", "--output", "report.txt"]) == 0
    (here / "report.txt").chmod(0o640)
    before = {path.name for path in here.iterdir()}
    assert run(["check", "good.tflite", "--output", "report.txt"]) == 0
    assert stat.S_IMODE((here / "report.txt").stat().st_mode) == 0o640
    assert {path.name for path in here.iterdir()} == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1"])
def test_a_stream_of_the_process_is_written_behind_what_it_holds(here: Path, name: str) -> None:
    with (here / "log").open("wb") as log:
        log.write(b"first\n")
        log.flush()
        command("check", "good.tflite", "--output", name, stdout=log)
    text = (here / "log").read_text()
    assert text.startswith("first\n")
    assert "1 model: " in text


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes of this kind")
def test_a_pipe_takes_a_report(here: Path) -> None:
    os.mkfifo(here / "pipe")
    reader = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(["check", "good.tflite", "--output", "pipe"]) == 0
        assert b"1 model: " in os.read(reader, 65536)
    finally:
        os.close(reader)
