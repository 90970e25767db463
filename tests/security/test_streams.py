"""Test closed and full streams, encodings and memory limits: the exit code and the message stay correct."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.helpers.processes import command, environment, place
from tflint.cli.main import run
from tflint.writer.model_edits import edit_model

pytestmark = [pytest.mark.security, pytest.mark.skipif(sys.platform == "win32", reason="starts a POSIX shell")]

TFLINT = f'"{sys.executable}" -P -m tflint'


def shell(line: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell in which $TFLINT is the program."""
    return subprocess.run(
        ["sh", "-c", line.replace("tflint ", f"{TFLINT} ", 1)], env=environment(**more), capture_output=True, timeout=60
    )


def test_closed_standard_output_that_is_wanted_is_an_error(here: Path) -> None:
    done = shell("tflint check good.tflite >&-")
    assert (done.returncode, done.stderr) == (
        2, b"tflint: standard output is closed\n  hint: use --output FILE to write to a file\n",
    )  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [("good.tflite", 0), ("broken.tflite", 1), ("none.tflite", 2)])
def test_closed_standard_error_leaves_the_verdict(here: Path, name: str, code: int) -> None:
    done = shell(f"tflint check {name} 2>&-")
    assert done.returncode == code
    assert b"tflint:" not in done.stdout, "a message must not end up in the report"


def test_both_closed_is_an_error(here: Path) -> None:
    assert shell("tflint check good.tflite >&- 2>&-").returncode == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_report_in_a_file_needs_no_stream(here: Path, closed: str) -> None:
    done = shell(f"tflint check broken.tflite --format json --output report.json {closed}")
    assert done.returncode == 1
    assert json.loads((here / "report.json").read_text())["summary"]["error"] == 1


def test_no_report_becomes_a_standard_stream(here: Path) -> None:
    script = "import os, sys; from tflint.__main__ import _fill_closed_descriptors as fill; fill(); os.write(2, b'x')"
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{script}; sys.exit(os.open(os.devnull, 0))" 2>&-'], env=environment()
    )
    assert done.returncode > 2, "the next file that is opened is no standard stream"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_a_full_disk_under_any_format_is_an_error(here: Path, form: str) -> None:
    done = shell(f"tflint check good.tflite --format {form} >/dev/full")
    assert (done.returncode, done.stderr) == (
        2, b"tflint: standard output cannot be written: No space left on device\n",
    )  # fmt: skip


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.fixture
def strange(here: Path) -> Path:
    """A broken model with a name beyond ASCII, also inside."""
    name = {"tensors.bias.quantization.quantized_dimension": 3, "tensors.bias.name": "Größe→×😀"}
    (here / "mö.tflite").write_bytes(edit_model((here / "good.tflite").read_bytes(), name))
    return here


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
@pytest.mark.parametrize("form", ["json", "sarif", "gitlab", "junit", "github"])
def test_formats_for_machines_are_utf_8_whatever_the_stream_is(strange: Path, encoding: str, form: str) -> None:
    done = command("check", "mö.tflite", "--format", form, env=environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0"))
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode("utf-8")
    if form == "junit":
        ElementTree.fromstring(text)
    elif form != "github":
        json.loads(text)
    assert "Größe→×😀" in text or "&#" in text


def test_text_degrades_to_ascii(strange: Path) -> None:
    done = command("check", "mö.tflite", env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert done.returncode == 1
    text = done.stdout.decode("ascii")
    assert "refused by litert >= 1.1.0" in text
    assert "Gr\\xf6\\xdfe->x\\U0001f600" in text


def test_an_error_degrades_as_well(here: Path) -> None:
    done = command("check", "nö.tflite", env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"tflint: 'n\\xf6.tflite' does not exist")


# --- memory and defects -----------------------------------------------------------------------------------------------


def test_running_out_of_memory_is_no_internal_error(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def starved(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tflint.model.batch_reader.Window.of_bytes", starved)
    assert run(["check", "good.tflite"]) == 3
    assert capsys.readouterr().err == (
        "tflint: out of memory\n  hint: check fewer files at a time, or raise the memory limit\n"
    )


@pytest.mark.parametrize("where", ["before", "behind", "variable"])
def test_debug_prints_the_traceback_and_where_to_report(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setattr("tflint.api.check_items", lambda *_, **__: 1 / 0)
    if where == "variable":
        monkeypatch.setenv("TFLITE_LINT_DEBUG", "1")
    arguments = {"before": ["--debug", "check"], "behind": ["check", "--debug"], "variable": ["check"]}[where]
    assert run([*arguments, "good.tflite"]) == 3
    err = capsys.readouterr().err
    assert "Traceback (most recent call last):" in err
    assert "please report this output" in err
    assert "tflint 0." in err


def test_without_debug_a_defect_is_one_line_with_a_hint(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("tflint.api.check_items", fail)
    assert run(["check", "good.tflite"]) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("tflint: internal error: RuntimeError: two\\nlines (")
    assert second == "  hint: --debug prints the traceback"


def test_a_read_only_folder_needs_no_cache_and_no_home(here: Path) -> None:
    more = {name: value for name, value in environment().items() if name not in ("HOME", "XDG_CACHE_HOME")}
    done = command("check", "good.tflite", env={**more, "XDG_CACHE_HOME": "cache"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (here / "cache").exists()
    assert {path.name for path in here.iterdir()} == {"good.tflite", "broken.tflite"}


def test_names_of_terminals_and_runners_are_not_needed(here: Path) -> None:
    place("conv_int8", here / "m.tflite")
    bare = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": environment()["PYTHONPATH"]}
    done = command("check", "m.tflite", env=bare)
    assert done.returncode == 0
