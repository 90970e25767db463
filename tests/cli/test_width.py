"""Test line widths: output fits a terminal within readable limits, and files and pipes do not depend on it."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys

import pytest

import tflint
from tests.helpers.paths import ROOT as CHECKOUT
from tests.helpers.reports import FULL, at, finding, hostile, report
from tflint.cli import console
from tflint.findings import FileReport, Location, NotChecked, Overview
from tflint.report.text_layout import MIN_WIDTH, WIDTH, wrap_beside, wrap_line, wrap_paragraph
from tflint.report.text_report import Style, render

#: Addresses, paths and commands are not broken, since people copy them: they stand out where they are too wide.
COPIED = re.compile(r"<https?://\S+>|\S*/\S*|allow  tflint allow .*")

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


def on_a_terminal(columns: int, *arguments: str, **variables: str) -> list[str]:
    """The lines that a command prints on a terminal so wide."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    environment |= {"PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", "TERM": "xterm", **variables}
    started = subprocess.Popen(
        [sys.executable, "-m", "tflint", *arguments],
        stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=CHECKOUT, env=environment,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # how Linux says that the other side is closed
        pass
    finally:
        os.close(ours)
    _, err = started.communicate(timeout=60)
    assert err == b""
    return written.decode("utf-8").splitlines()


def require_width(lines: list[str], width: int) -> None:
    """No line is wider, but for what people copy."""
    assert lines
    wide = [line for line in lines if len(line) > width and not COPIED.fullmatch(line.strip())]
    assert wide == []


COMMANDS = (
    ("check", "examples", "rules/models", "--exit-zero"),
    ("check", "examples", "rules/models", "--exit-zero", "-v", "--statistics"),
    ("explain", "Q001"),
    ("explain", "Q013"),
    ("facts",),
    ("facts", "operator"),
    ("facts", "--language"),
    ("rules",),
)


@needs_pty
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_line_is_wider_than_a_terminal_of_60_columns(arguments):
    lines = on_a_terminal(60, *arguments)
    require_width(lines, 60)
    assert max(map(len, lines)) > 50, "the width is used"


@needs_pty
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_words_are_those_of_a_wide_page(arguments):
    """Narrow lines lose nothing, and break no word that has room on a line of its own."""

    def words(lines: list[str]) -> list[str]:
        return re.sub(r"\d+\.\d s\b", "", " ".join(lines)).replace("·", " ").split()

    done = subprocess.run(
        [sys.executable, "-m", "tflint", *arguments],
        cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "60"},
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    narrow, wide = words(on_a_terminal(60, *arguments)), words(done.stdout.splitlines())
    assert "".join(narrow) == "".join(wide)
    assert [word for word in wide if len(word) < 49] == [word for word in narrow if len(word) < 49 and word in wide]


@needs_pty
def test_columns_say_it_of_a_terminal():
    require_width(on_a_terminal(0, "rules", COLUMNS="50"), 50)
    require_width(on_a_terminal(200, "rules", COLUMNS="50"), 50)


@needs_pty
def test_a_file_is_not_written_as_wide_as_the_terminal(tmp_path):
    on_a_terminal(50, "check", "examples", "--exit-zero", "--output", str(tmp_path / "report.txt"))
    lines = (tmp_path / "report.txt").read_text(encoding="utf-8").splitlines()
    assert 60 < max(map(len, lines)) <= WIDTH


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("columns", "expected"), [(10, MIN_WIDTH), (60, 60), (WIDTH, WIDTH), (400, WIDTH)])
def test_the_width_stays_within_what_can_be_read(monkeypatch, columns, expected):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback: os.terminal_size((columns, 24)))
    assert console.output_width(Terminal()) == expected
    assert console.output_width(io.StringIO()) == WIDTH
    assert console.output_width(io.StringIO(), default=7) == 7


@pytest.mark.parametrize("width", [40, 50, 60, 80, WIDTH])
@pytest.mark.parametrize("verbose", [False, True])
class TestTheReport:
    def test_fits_whatever_it_says(self, width, verbose):
        entries = tuple(NotChecked(f"Q{number:03}", 3, "no range") for number in range(5))
        overview = Overview("dynamic range", 12_345, 99_999, 2**31)
        found = (at(1, "a/b"), at(2, "c/d", message="x " * 90), finding(severity="note", is_newer=True, target="tflm"))
        files = (FileReport("m.tflite", findings=(*found, FULL), not_checked=entries, overview=overview),) * 2
        targets = ("litert==2.3.0", "tflm", "a-board-with-a-long-name")
        lines = render(report(files=files, targets=targets), Style(verbose=verbose, width=width), statistics=True)
        require_width(lines.splitlines(), width)

    def test_breaks_a_long_name_at_its_slashes(self, width, verbose):
        name = "/".join(["model", "expanded_conv_12", "depthwise", "BatchNormV3", "bias"])
        place = Location("m.tflite", "subgraphs[0].tensors[2]", ("main", name))
        text = render(report(finding(location=place)), Style(verbose=verbose, width=width))
        require_width(text.splitlines(), width)
        segments = {part for line in text.splitlines() for part in re.split(r"[/\s]", line)}
        assert {"expanded_conv_12", "depthwise", "BatchNormV3", "bias"} <= segments

    @pytest.mark.parametrize("text", ["x" * 5000, "x/" * 5000, "x y " * 5000, "a\x1b[2J\n\u202eb"], ids=lambda t: t[:4])
    def test_fits_whatever_a_model_is_called(self, width, verbose, text):
        _, *lines = render(hostile(text), Style(verbose=verbose, width=width)).splitlines()  # the first is a path
        require_width(lines, width)
        assert len(lines) < 300


def test_a_text_stands_beside_or_below_what_it_belongs_to():
    assert wrap_beside("name  ", "what it means, in a few words", 60) == ["name  what it means, in a few words"]
    assert wrap_beside("name  ", "what it means, in a few words", 30) == [
        "name",
        "      what it means, in a few",
        "      words",
    ]
    assert wrap_beside("a name  ", "one two three four five six seven", 42) == [
        "a name  one two three four five six seven"[:41],
    ]


def test_a_line_is_broken_between_words_only():
    assert wrap_line("one two", 7) == ["one two"]
    assert wrap_line("one two", 6) == ["one", "  two"]
    assert wrap_line("a_very_long_word after", 8) == ["a_very_long_word", "  after"]


def test_a_paragraph_breaks_what_no_line_holds():
    assert wrap_paragraph("see a/bb/ccc/dddd/eeeee", 0, 2, 12) == ["see", "  a/bb/ccc/", "  dddd/eeeee"]
    assert wrap_paragraph("x" * 20, 0, 0, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert wrap_paragraph("either/or, this/that", 0, 0, 12) == ["either/or,", "this/that"]


def test_the_check_from_python_does_not_know_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, render(tflint.check(CHECKOUT / "examples"), Style()).splitlines())) > 60
