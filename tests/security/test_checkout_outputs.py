"""Test outputs in an untrusted checkout: they stay inside, replace only reports, and are safe in a stream."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.processes import command, environment, place
from tflint.cli.main import run
from tflint.source.checkout_boundary import find_outside_target

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there"),
]

Contents = Callable[[], dict[str, bytes]]


def test_a_linked_folder_is_no_checkout_of_its_own(repository: Path, contents: Contents) -> None:
    (repository.parent / "outside" / ".git").mkdir()
    (repository.parent / "outside" / "bird.contract.toml").unlink()
    Path("models").symlink_to("../outside")
    before = contents()
    assert run(["contract", "init", "models/bird.tflite"]) == 2
    assert contents() == before
    assert find_outside_target("models") == repository.parent / "outside"
    Path("sub/.git").mkdir(parents=True)
    assert find_outside_target("sub") is None, "a submodule lies in the checkout"
    assert find_outside_target(repository.parent / "outside") is None
    shutil.copy("bird.tflite", repository.parent / "bird.tflite")
    before = contents()
    assert run(["contract", "init", "models/../bird.tflite"]) == 2
    assert contents() == before, "the kernel follows the link before it goes up"
    Path(".git/hooks").mkdir()
    Path("hooks").symlink_to(".git/hooks")
    assert find_outside_target("hooks") is not None
    assert find_outside_target(".git/hooks") is not None
    shutil.rmtree(".git")
    assert find_outside_target("models") == repository.parent / "outside"


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


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


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
