"""Test that usage, hints and commands to copy have the name by which the user called the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.processes import environment, place
from tflint.cache.cache_folder import FOLDER_VARIABLE
from tflint.cli.main import COMMANDS, HELP, run
from tflint.program_name import program_name, rename_commands

OTHER = "tflite-lint"
#: A command in tflint's own texts.
COMMAND = re.compile(rf"(?<![\w./-])tflint\s+(?:{'|'.join(COMMANDS)})(?![\w-])")


@pytest.fixture
def as_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"/usr/bin/{OTHER}"])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/tflint", "tflint"),
        ("/usr/bin/tflite-lint", OTHER),
        ("tflite-lint.exe", OTHER),
        ("/lib/tflint/__main__.py", "tflint"),
        ("/usr/bin/pytest", "tflint"),
        ("", "tflint"),
    ],
)
def test_the_name_is_one_of_the_two_that_the_package_installs(monkeypatch, path, name):
    monkeypatch.setattr(sys, "argv", [path])
    assert program_name() == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'tflint check a.tflite' shows details", "'tflite-lint check a.tflite' shows details"),
        ("tflint --help, tflint contract\ninit", "tflite-lint --help, tflite-lint contract\ninit"),
        ("tflint checks only the first", "tflint checks only the first"),
        ("tflint show-all and docs/tflint check.toml", "tflint show-all and docs/tflint check.toml"),
        ("see tflint.toml and [tool.tflint]", "see tflint.toml and [tool.tflint]"),
    ],
)
def test_only_commands_are_renamed(as_other, text, expected):
    assert rename_commands(text) == expected


@pytest.mark.parametrize("command", [*COMMANDS, HELP])
def test_every_command_is_renamed(as_other, command):
    assert rename_commands(f"run 'tflint {command}'") == f"run '{OTHER} {command}'"


def test_texts_of_a_run_under_the_first_name_stay_as_they_are():
    assert rename_commands("'tflint check' shows details") == "'tflint check' shows details"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_usage_has_the_name_of_the_call(as_other, capsys, command):
    assert run([*filter(None, [command]), "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: {OTHER} {command}".rstrip())
    assert not COMMAND.search(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["shwo"],
        ["check", "--fromat"],
        ["diff", "a.tflite"],
        ["show", "."],
        ["contract", "show", "a.tflite"],
        ["check", "--select", "zzzzz"],
        ["check", "--baseline", "none.json", "a.tflite"],
        ["allow", "Q001", "a.tflite", "--at", "", "--reason", "x"],
    ],
)
def test_hints_have_the_name_of_the_call(as_other, capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    place("conv_int8", Path("a.tflite"))
    assert run(arguments) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"{OTHER}: ")
    assert OTHER in text.split("hint: ", 1)[1] or "did you mean" in text
    assert not COMMAND.search(text)


def test_a_report_names_commands_by_the_name_of_the_call(as_other, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "broken.tflite", "a.tflite")
    run(["check", "a.tflite", "-v", "--no-cache"])
    text = capsys.readouterr().out
    assert f"{OTHER} allow " in text
    assert f"more: {OTHER} explain " in text
    assert f"({OTHER} contract init MODEL)" in text
    assert not COMMAND.search(text)


@pytest.mark.parametrize("arguments", [["explain", "K105"], ["rules"], ["completion", "bash"]])
def test_other_commands_name_commands_by_the_name_of_the_call(as_other, capsys, arguments):
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert OTHER in text
    assert not COMMAND.search(text)


def call(name: str, *arguments: str, folder: Path) -> str:
    """Return what `tflint check` prints if the program is called by a name."""
    time.sleep(0.03)  # the cache distrusts a file that has just been written
    code = f"import sys; sys.argv[0] = '/usr/bin/{name}'; from tflint.__main__ import entry; entry()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "check", *arguments],
        cwd=folder,
        env=environment(**{FOLDER_VARIABLE: str(folder / "cache")}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_stored_run_is_not_repeated_under_the_other_name(tmp_path):
    place("conv_int8", tmp_path / "models" / "a.tflite")
    for name in ("tflint", OTHER, "tflint"):
        call(name, "models", folder=tmp_path)
        text = call(name, "models", folder=tmp_path)
        assert "from the cache" in text
        assert f"({name} contract init MODEL)" in text
