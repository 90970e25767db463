"""Test names and texts that contain terminal controls, line breaks or commands of a CI runner."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.processes import command, environment, place
from tflint.cli import console
from tflint.cli.main import run
from tflint.userfiles.toml_strings import quote
from tflint.writer.model_edits import edit_model

pytestmark = [pytest.mark.security, pytest.mark.skipif(sys.platform == "win32", reason="names are restricted there")]

#: Erases the screen, reverses text, forges a line, stops and gives commands, in both of the runner's ways.
HOSTILE = "a\x1b[2J\u202eb\n::stop-commands::x\n::error::forged\r##[error]old\x9b31m\u2028c"
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
ACTIONS = {"GITHUB_ACTIONS": "true"}


@pytest.fixture
def hostile(here: Path) -> Path:
    """A model, a contract, rules and a configuration whose names and texts are hostile."""
    model = (EXAMPLES_DIRECTORY / "good.tflite").read_bytes()
    names = {"tensors.image.quantization.scale": [0.5], "tensors.image.name": HOSTILE}
    (here / "bird.tflite").write_bytes(edit_model(model, names))
    contract = (
        f"[model]\ndraft = true\n[[inputs]]\nname = {quote(HOSTILE)}\nkind = 'image'\nlayout = 'NHWC'\n"
        "channels = 'RGB'\nmean = 127.5\nstd = 127.5\nunits = 'u8'\n"
        "[[outputs]]\nname = 'scores'\nkind = 'class_scores'\n"
    )
    (here / "bird.contract.toml").write_text(contract, encoding="utf-8")
    (here / "rules.toml").write_text(
        '[[rule]]\nid = "ACME001"\nname = "hostile-rule"\nseverity = "error"\nfor-each = "input"\n'
        f"require = 'position > 5'\nmessage = {quote(HOSTILE)}\nsummary = {quote(HOSTILE)}\nwhy = {quote(HOSTILE)}\n"
        f"fix = {quote(HOSTILE)}\n",
        encoding="utf-8",
    )
    shutil.copy(here / "broken.tflite", here / HOSTILE.replace("/", ""))
    return here


def lines_of(out: str) -> Iterator[str]:
    """The lines as a terminal or runner takes them."""
    yield from re.split(r"\r\n|[\n\r]", out)


def assert_harmless(text: str) -> None:
    found = _UNSAFE.search(text)
    assert found is None, text[max(0, found.start() - 60) : found.start() + 20].encode("unicode_escape")
    assert not [line for line in lines_of(text) if line.lstrip().startswith("::")]
    assert "##[" not in text


COMMANDS = [
    ["contract", "show", "bird.contract.toml"],
    ["contract", "show", "bird.contract.toml", "--format", "json"],
    ["contract", "check", "bird.contract.toml"],
    ["contract", "init", "bird.tflite", "--output", "-"],
    ["contract", "init", "bird.tflite", "--force"],
    ["contract", "export", "bird.tflite", "--force", "--output", "copy.tflite"],
    ["contract", "import", "preprocessor_config.json", "--from", "huggingface"],
    ["contract", "import", "preprocessor_config.json", "--from", "huggingface", "--into", "bird.contract.toml"],
    ["explain", "ACME001", "--rules", "rules.toml"],
    ["explain", "ACME001", "--rules", "rules.toml", "--format", "markdown"],
    ["explain", "ACME001", "--rules", "rules.toml", "--format", "json"],
    ["rules", "--rules", "rules.toml"],
    ["rules", "--rules", "rules.toml", "--format", "json"],
    ["allow", "G003", "{name}", "--reason", HOSTILE],
    ["check", "{name}", "bird.tflite", "--rules", "rules.toml", "-v", "--statistics"],
    ["check", "{name}", "--write-baseline", "base{name}.json"],
    *[["check", "{name}", "bird.tflite", "--rules", "rules.toml", "--format", form]
      for form in ("json", "sarif", "junit", "gitlab", "markdown")],
    ["show", "bird.tflite"],
    ["show", "bird.tflite", "--plain"],
    ["show", "bird.tflite", "--format", "json"],
    ["diff", "good.tflite", "bird.tflite"],
    ["compare", "bird.tflite", "bird.tflite"],
    ["compare", "bird.tflite", "bird.tflite", "--format", "json"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:4]).replace(HOSTILE, "…"))
def test_no_command_prints_what_drives_a_terminal_or_runner(hostile: Path, arguments: list[str]) -> None:
    (hostile / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "ViTImageProcessor", "do_normalize": True, "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3, "do_rescale": True, "_name_or_path": HOSTILE, HOSTILE: 1,
    }))  # fmt: skip
    filled = [argument.replace("{name}", HOSTILE) for argument in arguments]
    done = command(*filled, env=environment(**ACTIONS))
    assert b"internal error" not in done.stderr
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert_harmless(out)
    assert_harmless(err)
    if "json" in arguments or "sarif" in arguments or "gitlab" in arguments:
        json.loads(out)
    if "junit" in arguments:
        ElementTree.fromstring(out)
    assert out or err


def test_the_escapes_of_json_are_read_back(hostile: Path) -> None:
    arguments = ("check", "bird.tflite", "--rules", "rules.toml", "--format", "json", "--select", "ACME001")
    free = json.loads(command(*arguments).stdout)
    escaped = command(*arguments, env=environment(**ACTIONS)).stdout
    assert b"\\u003a\\u003aerror" in escaped
    assert json.loads(escaped)["files"] == free["files"]


def test_messages_escape_the_newlines_of_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["check", HOSTILE], ["explain", HOSTILE], ["check", "--select", HOSTILE], ["show", HOSTILE]):
        assert run(arguments) == 2
        err = capsys.readouterr().err
        assert err.startswith("tflint: ")
        assert "\\n::stop-commands::x\\n" in err
        assert all(line.startswith(("tflint: ", "  ")) for line in err.splitlines()), err


def test_messages_on_standard_error_give_no_commands(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (here / "tflint.toml").write_text("::error::forged\n  ::stop-commands::x\nselect = '##[group]'\n")
    assert run(["check", "good.tflite"]) == 2
    assert_harmless(capsys.readouterr().err)


def test_the_commands_of_the_github_format_are_left_alone(hostile: Path) -> None:
    done = command("check", "bird.tflite", "--rules", "rules.toml", "--format", "github", env=environment(**ACTIONS))
    lines = [line for line in lines_of(done.stdout.decode("utf-8")) if line.startswith("::")]
    assert lines
    assert all(re.match(r"::(error|warning|notice) ", line) for line in lines)


@pytest.mark.parametrize("language", ["numpy", "c", "kotlin", "swift", "dart", "js"])
def test_generated_code_is_the_same_under_a_runner(hostile: Path, language: str) -> None:
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", hostile / "good.tflite")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", hostile / "good.contract.toml")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", hostile / "labels.txt")
    arguments = ("contract", "show", "good.contract.toml", "--as", language)
    assert command(*arguments).stdout == command(*arguments, env=environment(**ACTIONS)).stdout


def test_colors_are_kept_and_other_escapes_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_text("\x1b[1;31merror\x1b[0m \x1b[2J\x1b]0;title\x07\n", has_color=True)
    assert capsys.readouterr().out == "\x1b[1;31merror\x1b[0m \\x1b[2J\\x1b]0;title\\x07\n"
    console.print_text("\x1b[1;31merror\x1b[0m\n")
    assert capsys.readouterr().out == "\\x1b[1;31merror\\x1b[0m\n"


def test_a_draft_is_printable_and_means_the_same(hostile: Path) -> None:
    import tomllib

    (hostile / "bird.contract.toml").unlink()
    assert run(["contract", "init", "bird.tflite"]) == 0
    text = (hostile / "bird.contract.toml").read_text("utf-8")
    assert_harmless(text.replace("::", ": "))
    assert tomllib.loads(text)["inputs"][0]["name"] in (HOSTILE, "image")


def test_text_of_a_good_model_is_the_same_under_a_runner(here: Path) -> None:
    place("conv_int8", here / "m.tflite")
    times = re.compile(rb"\d+\.\d s")
    plain, under = command("check", "m.tflite"), command("check", "m.tflite", env=environment(**ACTIONS))
    assert times.sub(b"", plain.stdout) == times.sub(b"", under.stdout)
