"""Test the README and the examples: transcripts match the commands, code runs, models match their generator."""

import re
import tomllib

import pytest

from tests.helpers.float_int8_pairs import needs_runtime
from tests.helpers.models.examples import EXAMPLES, EXAMPLES_DIRECTORY
from tests.helpers.transcripts import FILES, ROOT, blocks, normalize_output, rendered
from tflint.resources import json_schema
from tflint.userfiles.schema_check import is_valid

TRANSCRIPTS = [
    pytest.param(block, id=f"{name}-{number}", marks=[needs_runtime] if "$ tflint compare" in block else [])
    for name in FILES
    for number, block in enumerate(blocks((ROOT / name).read_text(encoding="utf-8")))
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", TRANSCRIPTS)
def test_a_transcript_is_what_the_commands_print(block):
    assert normalize_output(block) == rendered(block), "renew them: python -m tools.regenerate transcripts"


COMMAND = "$ tflint facts associated_file\n"


@pytest.mark.parametrize(
    ("shown", "is_true"),
    [
        ("…\nassociated_file: each row is a file named in the metadata, packed after the model, or both\n…\n", True),
        ("…\n  name         string    name of the file; absent: the file has no name\n…\n", True),
        ("…\nassociated_file: each row is something else\n…\n", False),
        ("…\n…\nno such line\n", False),
    ],
)
def test_a_transcript_may_leave_lines_out_and_is_true_otherwise(shown, is_true):
    assert (rendered(COMMAND + shown) == COMMAND + shown) == is_true


def test_there_are_transcripts():
    assert len(TRANSCRIPTS) >= 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_model_is_as_its_builder_makes_it(name):
    assert (EXAMPLES_DIRECTORY / f"{name}.tflite").read_bytes() == EXAMPLES[name]()


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_configuration_of_the_readme_is_valid():
    (configuration,) = [text for text in fenced("toml") if "fail-on" in text]
    assert is_valid(tomllib.loads(configuration), json_schema("config"))


def test_the_rule_of_the_readme_is_the_example():
    assert (ROOT / "examples" / "rules" / "acme.toml").read_text(encoding="utf-8") in fenced("toml")


def test_the_python_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = fenced("python")
    exec(compile(code, "README.md", "exec"), {})
    assert "Q001 error" in capsys.readouterr().out


def test_ci_runs_the_second_command_of_the_readme():
    commands = [line for text in fenced("bash") for line in text.splitlines()]
    second = commands[1]
    assert second.split(" && ")[-1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
