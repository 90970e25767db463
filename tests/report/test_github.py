"""Test the GitHub format: parsed like GitHub's runner does, within its limits, and safe against command injection."""

from __future__ import annotations

import pytest

from tests.helpers.reports import FULL, TENSOR, finding, report
from tests.helpers.workflow_commands import Command, command_in
from tflint.findings import FileReport, Finding, Location, Notice, TextSpan
from tflint.report import github_report
from tflint.values import replace


def commands(*findings: Finding, **changes: object) -> list[Command]:
    lines = github_report.render(report(*findings, **changes)).splitlines()
    return [command for line in lines if (command := command_in(line))]


def at(file: str, rule: str = "Q001", severity: str = "error", name: str = "stem/bias") -> Finding:
    return finding(rule=rule, severity=severity, location=Location(file, "subgraphs[0].tensors[2]", ("main", name)))


def test_an_annotation_says_file_rule_message_place_and_fix():
    (command,) = commands(finding())
    assert command.name == "error"
    assert command.properties == {"file": "m.tflite", "title": "Q001 bias scale mismatch"}
    assert command.message == "the bias scale is wrong (tensor 'stem/bias'). Fix: quantize again."


def test_levels_are_those_of_the_format_and_sorted():
    made = commands(finding(severity="note"), finding(severity="error"), finding(severity="warning"))
    assert [command.name for command in made] == ["error", "warning", "notice"]


def test_suppressed_findings_are_only_counted():
    assert commands(FULL) == []
    assert "· 1 suppressed ·" in github_report.render(report(FULL))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (TextSpan(9, 1, 9, 5), {"line": "9", "endLine": "9", "col": "1", "endColumn": "5"}),
        (TextSpan(9, 1, 10, 5), {"line": "9", "endLine": "10"}),
    ],
)
def test_a_text_file_is_annotated_at_its_lines(span, expected):
    (command,) = commands(finding(location=Location("bird.contract.toml", text=span)))
    assert {"file": "bird.contract.toml", **expected}.items() <= command.properties.items()


def test_a_target_is_named_where_there_are_several():
    (one,) = commands(finding(target="tflm"))
    (of_two,) = commands(finding(target="tflm"), targets=("tflm", "litert==2.3.0"))
    assert "tflm" not in one.properties["title"]
    assert of_two.properties["title"].endswith(" for tflm")


class TestTheLimit:
    def test_is_ten_of_a_level_the_tenth_tells_of_the_rest(self):
        found = [at(f"{number}.tflite", severity=severity) for severity in ("note", "error") for number in range(30)]
        made = commands(*found)
        assert [command.name for command in made] == ["error"] * 10 + ["notice"] * 10
        assert made[9].properties == {"title": "tflite-lint: 21 more errors in 21 files"}
        assert made[9].message.startswith("21 more errors in 21 files: GitHub shows 10 annotations per level.")

    def test_is_kept_by_one_more_than_ten(self):
        made = commands(*(at(f"{number}.tflite") for number in range(11)))
        assert len(made) == 10
        assert made[9].message.startswith("2 more errors in 2 files:")

    def test_is_not_reached_by_ten(self):
        made = commands(*(at(f"{number}.tflite") for number in range(10)))
        assert [command.properties["file"] for command in made] == [f"{number}.tflite" for number in range(10)]

    def test_leaves_room_for_other_files_and_rules(self):
        many = [at("many.tflite", name=f"n{number}") for number in range(40)]
        made = commands(*many, at("many.tflite", rule="Q009"), at("one.tflite"))
        assert [command.properties.get("file") for command in made[:3]] == ["many.tflite", "many.tflite", "one.tflite"]
        assert made[9].message.startswith("33 more errors in 1 file:")


class TestNames:
    @pytest.mark.security
    @pytest.mark.parametrize("text", ["100%", "a,b=c", "a::b", "%0A", "%25", "C:/x", "a\r\nb", "a]b;c", "=a"])
    def test_come_back_as_they_were_or_as_escapes(self, text):
        place = replace(TENSOR, file=f"x{text}", names=("main", text))
        (command,) = commands(finding(location=place, message=f"tensor {text} is wrong"))
        shown = text.replace("\r", "\\r").replace("\n", "\\n")
        assert command.properties["file"] == f"x{shown}"
        assert f"(tensor '{shown}')" in command.message

    @pytest.mark.security
    @pytest.mark.parametrize(
        "text",
        [
            "a\n::add-mask::b",
            "::stop-commands::x",
            "##[add-mask]x",
            "x ##[error]y",
            "a\r::debug::c",
            "\x1b[2J::error::x",
        ],
    )
    def test_give_no_command(self, text):
        place = replace(TENSOR, file=text, names=("main", text))
        found = finding(location=place, message=text, fix=text)
        notices = (Notice("unused-allow", text),)
        files = (FileReport(text, findings=(found,)),)
        targets = ("long " * 30, text)  # so wide that the second one begins a line of the summary
        written = github_report.render(report(files=files, notices=notices, targets=targets))
        lines = written.splitlines()
        made = [command for line in lines if not line.startswith("::error file=") and (command := command_in(line))]
        assert made == []
        assert sum(line.startswith("::error file=") for line in lines) == 1
        assert written.replace("\n", "").isprintable()
