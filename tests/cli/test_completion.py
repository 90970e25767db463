"""Test shell completion: the printed script in every installed shell, the candidates and the response time."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY
from tests.helpers.paths import ROOT as CHECKOUT
from tflint.catalog import builtin_catalog
from tflint.cli.commands.completion_command import SHELLS
from tflint.cli.main import run

ACME = CHECKOUT / "examples" / "rules" / "acme.toml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with models and other files, and `tflint` of this checkout on the path."""
    folder = tmp_path / "here"
    (folder / "models" / "sub").mkdir(parents=True)
    (folder / "model notes.txt").touch()
    for name in ("mine.tflite", "models/a b.tflite", "models/c.TFLITE", ".hidden.tflite"):
        shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", folder / name)
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("tflint", "tflite-lint"):
        command = scripts / name
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tflint "$@"\n')
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.chdir(folder)
    return folder


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["completion", shell]) == 0
    return capsys.readouterr().out


#: What bash does when TAB is pressed at the end of a line, and what it would then offer, one a line.
BASH = """
eval "$(tflint completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
"$(complete -p tflint | sed 's/.*-F \\([^ ]*\\).*/\\1/')" tflint
printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSH = """
compdef() { : }
_describe() { print -rl -- "${(@P)2}" }
eval "$(tflint completion zsh)"
BUFFER=$1 CURSOR=${#1} words=(${(z)1})
_python_argcomplete
"""

FISH = "tflint completion fish | source; complete --do-complete $argv[1]"

needs_bash = pytest.mark.skipif(shutil.which("bash") is None or sys.platform == "win32", reason="needs bash")


def shell(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def offered(line: str) -> list[str]:
    """What bash offers at the end of a line, without the space that ends a single word."""
    return sorted(word.removesuffix(" ") for word in shell("bash", "-c", BASH, "bash", line) if word)


IDS = [rule.id for rule in builtin_catalog().rules]


# --- bash -----------------------------------------------------------------------------------------------------------


@needs_bash
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tflint ex", ["explain"]),
        ("tflint explain Q00", [name for name in IDS if name.startswith("Q00")]),
        ("tflint explain bias-scale-mi", ["bias-scale-mismatch"]),
        ("tflint allow Q001", ["Q001"]),
        ("tflint allow Q001 mi", ["mine.tflite"]),
        ("tflint allow Q001 mine.tflite --rea", ["--reason"]),
        ("tflint check --sel", ["--select"]),
        ("tflint check --select quant", ["quantization"]),
        ("tflint check --ignore K10", [name for name in IDS if name.startswith("K10")]),
        ("tflint check --select Q001,K1", [f"Q001,{name}" for name in IDS if name.startswith("K1")]),
        ("tflint check --format js", ["json"]),
        ("tflint check --fail-on w", ["warning"]),
        ("tflint check --report js", ["json="]),
        ("tflint check --report json=mod", ["model\\ notes.txt", "models/"]),
        ("tflint check --target tflm", ["tflm"]),
        ("tflint check m", ["mine.tflite", "models/"]),
        ("tflint check models/", ["models/a\\ b.tflite", "models/c.TFLITE", "models/sub/"]),
        ("tflint check .h", [".hidden.tflite"]),
        ("tflint check nowhere/", []),
        ("tflint check --output mo", ["model\\ notes.txt", "models/"]),
        ("tflint facts signature_", ["signature_tensor"]),
        ("tflint rules ch", ["check"]),
        ("tflint completion po", ["powershell"]),
        ("tflint check --nonsense ", ["mine.tflite", "models/"]),
    ],
)  # fmt: skip
def test_bash_completes(here: Path, line: str, expected: list[str]) -> None:
    assert offered(line) == sorted(expected)


@needs_bash
def test_bash_completes_commands_and_versions(here: Path) -> None:
    commands = offered("tflint ")
    assert {"check", "allow", "explain", "rules", "facts", "completion"} <= set(commands)
    assert not any(word.startswith("-") for word in commands)
    # An equals sign ends a word for bash: what follows it is offered.
    assert "2.1.0" in offered("tflint check --target litert==2.1")


@needs_bash
def test_both_names_are_completed(here: Path) -> None:
    registered = shell("bash", "-c", 'eval "$(tflint completion bash)"; complete -p')
    assert {line.split()[-1] for line in registered if "argcomplete" in line} == {"tflint", "tflite-lint"}


@needs_bash
def test_rules_and_targets_of_the_configuration_are_completed(here: Path) -> None:
    shutil.copy(ACME, here)
    assert offered("tflint explain ACME") == []
    assert offered("tflint explain --rules acme.toml ACME") == ["ACME001"]
    (here / "tflint.toml").write_text('rules = ["acme.toml"]\n[targets.board]\nruntime = "tflm"\n')
    assert offered("tflint check --select ACME") == ["ACME", "ACME001"]
    assert offered("tflint check --target bo") == ["board"]
    (here / "tflint.toml").write_text("rules = [")
    assert offered("tflint explain Q001") == ["Q001"], "a broken configuration takes nothing away"


@needs_bash
def test_installed_plugins_are_completed_and_not_imported(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = here.parent / "site" / "acme_lint-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-lint\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tflint.facts]\nacme = not_there_at_all:FACTS\n")
    monkeypatch.setenv("PYTHONPATH", f"{info.parent}{os.pathsep}{CHECKOUT}")
    assert offered("tflint check --allow-plugin ac") == ["acme-lint"]


# --- other shells ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_completes_with_meanings(here: Path) -> None:
    words = shell("zsh", "-f", "-c", ZSH, "zsh", "tflint explain Q00")
    assert "Q001:bias-scale-mismatch" in words
    assert [word.split(":")[0] for word in shell("zsh", "-f", "-c", ZSH, "zsh", "tflint check mi")] == ["mine.tflite"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes_with_meanings(here: Path) -> None:
    words = shell("fish", "--no-config", "-c", FISH, "tflint explain Q00")
    assert "Q001\tbias-scale-mismatch" in words
    assert shell("fish", "--no-config", "-c", FISH, "tflint check mi") == ["mine.tflite"]


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_registers_the_commands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = script(name, capsys)
    registers = {"bash": "complete", "zsh": "compdef", "fish": "complete", "powershell": "Register-ArgumentCompleter"}
    assert registers[name] in printed
    assert "tflite-lint" in printed
    assert printed.endswith("\n")


def test_the_second_name_asks_for_itself_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tflite-lint"])
    assert "tflint" not in script("bash", capsys)


# --- speed, and without the library ---------------------------------------------------------------------------------


def asked(line: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """tflint, asked as the script asks it; what it offers is written to a file."""
    return subprocess.run(
        [sys.executable, *options, "-m", "tflint"],
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": "offered",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "line", ["tflint ", "tflint explain Q", "tflint check --target l", "tflint check m", "tflint facts t"]
)
def test_tab_imports_no_numpy(here: Path, line: str) -> None:
    done = asked(line, "-X", "importtime")
    assert done.returncode == 0
    assert Path("offered").read_text() != ""
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "argcomplete" in imported
    assert not imported & {"numpy", "jsonschema", "rich"}


def test_tab_is_answered_soon(here: Path) -> None:
    """Half of it is Python's own start; the least of several, since the machine may have other work."""
    asked("tflint explain Q")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        asked("tflint explain Q")
        times.append(time.perf_counter() - started)
    assert min(times) < 1


@pytest.fixture
def without_library(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An argcomplete that cannot be imported, as where it is not installed."""
    broken = here.parent / "broken"
    broken.mkdir()
    (broken / "argcomplete.py").write_text("raise ModuleNotFoundError('made for the test', name='argcomplete')\n")
    monkeypatch.setenv("PYTHONPATH", f"{broken}{os.pathsep}{CHECKOUT}")
    return broken


def test_without_the_library_the_script_cannot_be_printed(without_library: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tflint", "completion", "bash"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "shell completion needs the Python package 'argcomplete'" in done.stderr
    assert 'pip install "tflite-lint[completion]"' in done.stderr


def test_without_the_library_tab_says_nothing(without_library: Path) -> None:
    done = asked("tflint ", PYTHONPATH=os.environ["PYTHONPATH"])
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_without_the_library_a_check_runs(without_library: Path) -> None:
    assert subprocess.run([sys.executable, "-m", "tflint", "check", "mine.tflite"], capture_output=True).returncode == 0


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err
