"""Test the text report: layout, limits, and safety against control characters from a model."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

import tflint
from tests.helpers.models.named import NAMED
from tests.helpers.reports import FULL, OPERATOR, TENSOR, at, finding, hostile, report
from tflint.findings import (
    FileReport,
    Finding,
    Location,
    NotChecked,
    Notice,
    Overview,
    Related,
    Suppression,
    TextSpan,
)
from tflint.report.display_names import (
    format_location,
    format_runtime,
    format_size,
    format_title,
    plural,
    shared_prefix,
    short_name,
)
from tflint.report.text_layout import WIDTH, join_pieces, wrap_paragraph
from tflint.report.text_report import Style, render
from tflint.values import replace
from tflint.writer.model_edits import edit_model

PLAIN, VERBOSE = Style(), Style(verbose=True)


def text_of(*findings: Finding, style: Style = PLAIN, statistics: bool = False, **changes: Any) -> str:
    return render(report(*findings, **changes), style, statistics=statistics)


def lines_of(*findings: Finding, **options: Any) -> list[str]:
    return text_of(*findings, **options).splitlines()


def files_of(*statuses: str, findings: tuple[Finding, ...] = ()) -> tuple[FileReport, ...]:
    """Files of these statuses; the first one has the findings."""
    return tuple(
        FileReport(f"{number}.tflite", status=status, findings=findings if number == 0 else ())
        for number, status in enumerate(statuses)
    )


MOCKUP = """\
models/person_detect.tflite · full int8 · 31 operators · 293.5 KiB
  error   Q009  per-channel axis out of range                    14 tensors
    biases of rank 1 say quantized_dimension 3
    refused by litert ≥ 1.1.0; runs on tflm, litert < 1.1.0
    first  #33 …/Conv2d_0/bias  (bias of operator 0 DEPTHWISE_CONV_2D)
    fix    set quantized_dimension to 0, or declare targets = ["tflm"]
  warning Q029  name lies about quantization
    the file is named int8, inference is float
    fix    convert with a representative dataset
12 models: 14 errors, 1 warning in 1 file · 11 clean · 0 suppressed · target litert 2.3.0 (default)
  ruleset 0.1 · 0.2 s
checked: 44 of 50 rules applied to the bytes of each file; no model was run
not checked: preprocessing of 12 models without a contract (tflint contract init MODEL)
more: tflint explain Q009
"""


def test_reads_as_it_should():
    axis = [
        at(
            33 - number,
            f"Mobilenet/Conv2d_{number}/bias;fused/{number}",
            rule="Q009",
            name="per-channel-axis-out-of-range",
            message="biases of rank 1 say quantized_dimension 3",
            fix='set quantized_dimension to 0, or declare targets = ["tflm"]',
            related=(Related(OPERATOR, f"bias of operator {number} DEPTHWISE_CONV_2D"),),
            refused_by=("litert>=1.1.0",),
            runs_on=("tflm", "litert<1.1.0"),
        )
        for number in range(14)
    ]
    lying = finding(
        rule="Q029",
        name="name-lies-about-quantization",
        severity="warning",
        message="the file is named int8, inference is float",
        location=Location("m.tflite"),
        fix="convert with a representative dataset",
    )
    overview = Overview("full int8", 31, 90, 300_544)
    files = (
        FileReport("models/person_detect.tflite", findings=(lying, *axis), overview=overview),
        *(FileReport(f"{number}.tflite") for number in range(11)),
    )
    assert text_of(files=files) == MOCKUP


class TestAGroup:
    def test_is_of_one_rule_with_its_count_message_and_first_place(self):
        lines = lines_of(at(1, "a"), at(2, "b"), at(3, "c"))
        assert lines[1].endswith("3 tensors")
        assert sum("the bias scale is wrong" in line for line in lines) == 1
        assert [line for line in lines if " #" in line] == ["    first  #1 a"]
        assert sum(line.startswith("    fix    quantize again") for line in lines) == 1

    def test_of_one_has_no_count(self):
        lines = lines_of(at(1, "a"))
        assert lines[1] == "  error   Q001  bias scale mismatch"
        assert lines[3] == "    at     #1 a"

    def test_is_listed_in_full_when_asked(self):
        lines = lines_of(at(1, "a"), at(2, "b", message="another value"), at(3, "c"), style=VERBOSE)
        start = lines.index("    first  #1 a")
        assert lines[start : start + 7] == [
            "    first  #1 a",
            '    allow  tflint allow Q001 m.tflite --at a --reason "…"',
            "           #2 b",
            "             another value",
            '    allow  tflint allow Q001 m.tflite --at b --reason "…"',
            "           #3 c",
            '    allow  tflint allow Q001 m.tflite --at c --reason "…"',
        ]

    @pytest.mark.parametrize(
        ("messages", "expected"),
        [
            (("x", "x", "x"), None),
            (("x", "y"), "and 1 more with different values"),
            (("x", "y", "z"), "and 2 more with different values"),
            (("x", "x", "z"), "and 2 more, 1 with different values"),
        ],
    )
    def test_says_when_others_differ(self, messages, expected):
        group = [at(number, f"n{number}", message=message) for number, message in enumerate(messages)]
        lines = lines_of(*group)
        assert [line.strip() for line in lines if line.strip().startswith("and ")] == ([expected] if expected else [])
        assert not any("different values" in line for line in lines_of(*group, style=VERBOSE))

    def test_stands_before_less_severe_ones(self):
        lines = lines_of(
            at(1, "a", rule="A001", severity="note"),
            at(2, "b", rule="B001", severity="warning"),
            at(3, "c", rule="C001"),
        )
        assert [line.split()[1] for line in lines if re.match(r"  \S", line) and not line.startswith("  0")] == [
            "C001",
            "B001",
            "A001",
        ]

    def test_is_of_one_target_and_names_it_where_there_are_several(self):
        found = (at(1, "a", target="litert==2.3.0"), at(1, "a", target="tflm"))
        several = lines_of(*found, targets=("litert==2.3.0", "tflm"))
        assert [line for line in several if line.startswith("    for")] == [
            "    for    litert 2.3.0",
            "    for    tflm",
        ]
        assert not any(line.startswith("    for") for line in lines_of(found[0]))

    def test_tells_who_refuses_what_a_run_said_and_that_a_rule_is_newer(self):
        lines = lines_of(replace(FULL, suppressed=None, location=TENSOR))
        assert "    refused by litert ≥ 1.1.0; runs on tflm, litert < 1.1.0" in lines
        assert "    newer than the configured ruleset: does not fail the run" in lines
        assert "    not-reproduced: litert 2.3.0, invoke: at most 0.02% is saturated" in lines
        assert "1 note from rules newer than ruleset 0.1: it does not fail the run" in lines

    def test_refused_everywhere_names_no_runtime_that_runs_it(self):
        lines = lines_of(finding(refused_by=("litert",)))
        assert "    refused by litert" in lines

    def test_in_a_text_file_is_where_an_editor_finds_it(self):
        location = Location("bird.contract.toml", text=TextSpan(9, 1, 9, 5))
        assert "    at     bird.contract.toml:9:1" in lines_of(finding(location=location))

    def test_suppressed_is_only_counted(self):
        text = text_of(FULL)
        assert "Q001" not in text
        assert text.startswith("1 model: no findings · 1 suppressed")


class TestPlaces:
    PLACES = (
        (Location("m"), ""),
        (TENSOR, "#2 stem/bias"),
        (OPERATOR, "operator 0 CONV_2D → stem/conv"),
        (Location("m", "subgraphs[0].operators[3]", ("main", "ADD", "")), "operator 3 ADD"),
        (Location("m", "subgraphs[0].operators[3].inputs[1]", ("main", "ADD", "x")), "operator 3 ADD input 1 x"),
        (Location("m", "subgraphs[0].operators[3].inputs[1]", ("main", "ADD", "")), "operator 3 ADD input 1"),
        (Location("m", "subgraphs[2].tensors[7]", ("body", "x")), "subgraph 2 #7 x"),
        (Location("m", "subgraphs[2].tensors[7]", ("body", "")), "subgraph 2 #7"),
        (Location("m", "subgraphs[0]", ("main",)), "subgraph 0 main"),
        (Location("m", "subgraphs[0].inputs[0]", ("main", "x")), "input 0 x"),
        (Location("m", "signature_defs[0]", ("serving_default",)), "signature 0 serving_default"),
        (Location("m", "signature_defs[0].inputs[1]", ("serve", "x")), "signature 0 input 1 x"),
        (Location("m", "operator_codes[1]", ("ADD",)), "operator code 1 ADD"),
        (Location("m", "metadata[0]", ("min_runtime_version",)), "metadata entry 0 min_runtime_version"),
        (Location("m", "buffers[4]"), "buffer 4"),
        (Location("m", "external_buffers[4]"), "external buffer 4"),
        (Location("m", "associated_files", ("labels.txt",)), "labels.txt"),
        (Location("m", "subgraphs[0].tensors[1].sparsity.dim_metadata[0]", ("main", "w")), "tensor 1 dimension 0 w"),
    )

    @pytest.mark.parametrize(("location", "expected"), PLACES, ids=[expected for _, expected in PLACES])
    def test_are_short_and_say_what_they_are(self, location, expected):
        assert format_location(location) == expected

    def test_drop_what_all_names_of_a_file_share(self):
        names = ["net/block_1/conv/bias;net/block_1/add", "net/block_1/dense/bias"]
        prefix = shared_prefix(names)
        assert prefix == "net/block_1/"
        assert [short_name(name, prefix) for name in names] == ["…/conv/bias", "…/dense/bias"]

    def test_keep_the_whole_name_where_there_is_only_one(self):
        assert shared_prefix(["net/conv/bias", "net/conv/bias"]) == ""

    def test_show_the_first_of_fused_names(self):
        assert short_name("a/b;c/d;e") == "a/b"
        assert short_name(";c") == ";c"

    def test_lose_the_beginning_of_very_long_names(self):
        long = "/".join(f"segment_{number}" for number in range(40))
        assert short_name(long).startswith("…/")
        assert short_name(long).endswith("/segment_39")
        assert len(short_name(long)) <= 56
        assert len(short_name("x" * 5000)) == 72
        assert short_name("x" * 5000 + "end").endswith("end")


class TestHostileNames:
    @pytest.mark.parametrize(
        "text",
        [
            "a\x1b[2J\x1b]0;owned\x07b",
            "a\n1 model: no findings\nb",
            "a\r\tb\x00c\x7f\x9bd",
            "a\u202eb\u2066c\u200bd\ufeffe",
            "a\u2028b\u2029c\x85d",
            "a\udcffb\ud800c",
            "\x1b" * 3000,
        ],
        ids=ascii,
    )
    @pytest.mark.parametrize("style", [PLAIN, VERBOSE])
    def test_do_not_reach_the_terminal(self, text, style):
        written = render(hostile(text), style, statistics=True)
        assert written.replace("\n", "").isprintable()
        assert not any(line.startswith("1 model: no findings") for line in written.split("\n"))

    @pytest.mark.parametrize("text", ["x" * 50_000, "x/" * 20_000, "x y " * 20_000, "é;" * 9000], ids=lambda t: t[:4])
    def test_of_any_length_give_few_and_short_lines(self, text):
        lines = render(hostile(text), VERBOSE).split("\n")
        assert len(lines) < 100
        commands = [line for line in lines if line.startswith("    allow  ")]
        assert max(len(line) for line in lines[1:] if line not in commands) <= WIDTH
        assert max(map(len, commands)) < 300  # half of it is this path

    def test_of_a_real_model_do_not_reach_the_terminal(self):
        edits = {
            "tensors.bias.quantization.quantized_dimension": 3,
            "tensors.bias.name": "a\x1b[2J\n\u202eb" + "x" * 3000,
        }
        written = render(tflint.check(edit_model(NAMED["conv_int8"](), edits)), VERBOSE)
        assert "#2 " in written
        assert written.replace("\n", "").isprintable()
        assert max(map(len, written.split("\n"))) <= WIDTH


class TestWrapping:
    LONG = "quantize again from the float model, and never change the scale of an input by itself; " * 3

    def test_hangs_the_fix_below_its_beginning(self):
        lines = lines_of(finding(fix=self.LONG))
        first = next(number for number, line in enumerate(lines) if line.startswith("    fix    quantize"))
        assert re.match(r" {11}\S", lines[first + 1])
        assert max(map(len, lines)) <= WIDTH

    def test_hangs_the_message_a_little(self):
        lines = lines_of(finding(message=self.LONG))
        assert lines[2].startswith("    quantize again")
        assert re.match(r" {6}\S", lines[3])

    def test_joins_the_lines_of_a_rule_file(self):
        assert wrap_paragraph("one\n   two\tthree  four\n", 0) == ["one two three  four"]

    def test_breaks_a_row_of_pieces_only_between_them(self):
        pieces = [f"piece number {number}" for number in range(20)]
        assert " · ".join(line.strip() for line in join_pieces(pieces, " · ")) == " · ".join(pieces)
        assert " ".join(line.strip() for line in join_pieces(pieces, ", ")) == ", ".join(pieces)
        assert all(len(line) <= WIDTH + 1 for line in join_pieces(pieces, ", "))


class TestTheSummary:
    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            (("checked",), "1 model: no findings · 0 suppressed"),
            (("checked",) * 3, "3 models: no findings · 3 clean · 0 suppressed"),
            (("unreadable",), "1 file: no findings · 1 unreadable · 0 suppressed"),
            (("checked", "unreadable"), "2 files: no findings · 1 clean · 1 unreadable · 0 suppressed"),
            (("checked",) * 1200, "1,200 models: no findings · 1,200 clean · 0 suppressed"),
        ],
    )
    def test_counts_models_or_files(self, statuses, expected):
        assert text_of(files=files_of(*statuses)).startswith(f"{expected} · target litert 2.3.0 (default)")

    def test_of_contracts_counts_files(self):
        files = (FileReport("m.tflite", contract="m.contract.toml"), FileReport("m.contract.toml", "contract"))
        found = text_of(files=files)
        assert found.startswith("1 model and 1 contract: no findings · 1 clean")
        assert "not checked" not in found

    def test_counts_findings_by_severity(self):
        found = (finding(), finding(severity="warning"), finding(severity="warning"), finding(severity="note"))
        assert "\n1 model: 1 error, 2 warnings, 1 note · 0 suppressed · " in text_of(*found)
        several = text_of(files=files_of("checked", "checked", findings=(*found, FULL)))
        assert "\n2 models: 1 error, 2 warnings in 1 file, 1 note · 1 clean · 1 suppressed · " in several

    def test_does_not_call_clean_what_nobody_could_read(self):
        muted = finding(suppressed=Suppression("allow", "known"))
        text = text_of(files=files_of("unreadable", "checked", findings=(muted,)))
        assert text.startswith("2 files: no findings · 1 clean · 1 unreadable · 1 suppressed")
        assert "the graph of 1 unreadable file" in text

    def test_names_the_targets(self):
        text = text_of(targets=("litert==2.1.0", "board"), is_default_target=False)
        assert " · targets litert 2.1.0, board · " in text
        assert "(default)" not in text

    def test_says_of_a_clean_run_what_was_checked_and_what_was_not(self):
        assert text_of().splitlines()[-2:] == [
            "checked: 44 of 50 rules applied to the bytes of each file; no model was run",
            "not checked: preprocessing of 1 model without a contract (tflint contract init MODEL)",
        ]
        assert "checked: 1 of 1 rule applied" in text_of(rules_run=1, rules_selected=1)

    def test_names_rules_that_could_not_be_decided_but_not_all_of_very_many(self):
        def undecided(n_rules: int) -> tuple[FileReport, ...]:
            entries = tuple(NotChecked(f"Q{number:03}", number + 1, "why") for number in range(n_rules))
            return (FileReport("m.tflite", not_checked=entries), FileReport("n.tflite", not_checked=entries[:1]))

        bare = "not checked: preprocessing of 2 models without a contract (tflint contract init MODEL)"
        two = f"{bare}, Q000 at 2 places,\n  Q001 at 2 places\n"
        assert text_of(files=undecided(2)).endswith(two)
        many = text_of(files=undecided(40))
        assert many.endswith(",\n  34 more rules at some places\n")
        assert "Q006" not in many

    def test_folds_the_notes_of_several_files_where_asked(self):
        noted = finding(rule="M002", name="metadata-missing", severity="note")
        files = (
            FileReport("a.tflite", findings=(noted, finding())),
            FileReport("b.tflite", findings=(replace(noted, location=Location("b.tflite")),)),
        )
        folded = text_of(files=files, style=Style(folds_notes=True))
        assert "\nnotes · M002 metadata missing in 2 files · -v lists them\n" in folded
        assert "b.tflite" not in folded
        assert "b.tflite" in text_of(files=files)
        assert "notes · " not in text_of(files=files[1:], style=Style(folds_notes=True))

    def test_points_to_the_page_of_the_most_severe_rule(self):
        files = (
            FileReport("a.tflite", findings=(finding(rule="G014", severity="warning"),)),
            FileReport("b.tflite", findings=(finding(rule="Q001"),)),
        )
        assert text_of(files=files).endswith("more: tflint explain Q001\n")
        assert "explain" not in text_of()

    def test_of_nothing_does_not_look_clean(self):
        text = text_of(files=())
        assert text.startswith("nothing to check · 0 suppressed")
        assert "checked:" not in text

    def test_tells_the_notices(self):
        text = text_of(notices=(Notice("unused-allow", "tflint.toml:3: nothing is suppressed"),))
        assert text.startswith("note: tflint.toml:3: nothing is suppressed\n1 model:")

    def test_tells_a_warning_of_the_run_as_one(self):
        notice = Notice("expired-allow", "tflint.toml: allow 1 ended", "warning")
        assert text_of(notices=(notice,)).startswith("warning: tflint.toml: allow 1 ended\n1 model:")
        assert text_of(notices=(notice,), style=Style(color=True)).startswith("\x1b[33mwarning: ")


class TestQuiet:
    NOTICES = (Notice("expired-allow", "ended", "warning"),)

    def test_is_nothing_where_nothing_was_found(self):
        assert text_of(style=Style(quiet=True), notices=self.NOTICES) == ""

    def test_is_the_findings_as_they_are(self):
        loud = text_of(finding(), notices=self.NOTICES)
        quiet = text_of(finding(), style=Style(quiet=True), notices=self.NOTICES)
        assert loud.startswith(f"{quiet}warning: ended\n1 model: 1 error")

    def test_has_the_statistics_that_were_asked_for(self):
        assert "in 1 file\n" in text_of(finding(), style=Style(quiet=True), statistics=True)


def commands_of(*findings: Finding, path: str = "m.tflite", config: str = "") -> list[str]:
    """The commands that a verbose report of one file offers."""
    style = Style(verbose=True, config=config)
    text = render(report(files=(FileReport(path, findings=findings),)), style)
    return [line.removeprefix("    allow  ") for line in text.splitlines() if line.startswith("    allow  ")]


class TestCommandsThatAllow:
    def test_are_there_only_where_every_finding_is_listed(self):
        assert "allow" not in text_of(at(1, "a"))

    def test_name_no_place_where_the_rule_speaks_of_one_only(self):
        assert commands_of(at(1, "a"), at(2, "b", rule="Q009")) == [
            'tflint allow Q001 m.tflite --reason "…"',
            'tflint allow Q009 m.tflite --reason "…"',
        ]

    def test_name_the_place_where_there_are_several(self):
        assert commands_of(at(1, "stem/a"), at(2, "it's b")) == [
            'tflint allow Q001 m.tflite --at stem/a --reason "…"',
            """tflint allow Q001 m.tflite --at 'it'"'"'s b' --reason "…\"""",
        ]

    @pytest.mark.parametrize(
        "name", ["", "twin", "main", "a*", "a[0]", "line\nbreak", "\x1b[2J", "x" * 300, "half \udcff"]
    )
    def test_name_the_route_where_the_name_is_not_enough(self, name):
        commands = commands_of(at(1, name), at(2, "twin"), at(3, "twin"))
        assert commands[0] == """tflint allow Q001 m.tflite --at 'subgraphs[0].tensors[1]' --reason "…\""""

    def test_are_told_once_a_place(self):
        assert len(commands_of(at(1, "a", message="one"), at(1, "a", message="two"))) == 1

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            ("a b.tflite", "'a b.tflite'"),
            ("-v.tflite", "./-v.tflite"),
            ("new\nline.tflite", "'new?line.tflite'"),
            ("b\udcff.tflite", "'b?.tflite'"),
        ],
    )
    def test_quote_the_path(self, path, shown):
        assert commands_of(at(1, "a"), path=path) == [f'tflint allow Q001 {shown} --reason "…"']

    def test_tie_values_to_options_that_look_like_options(self):
        assert commands_of(at(1, "-x"), at(2, "b"))[0] == 'tflint allow Q001 m.tflite --at=-x --reason "…"'

    def test_name_the_configuration_that_was_named(self):
        (command,) = commands_of(at(1, "a"), config="my lint.toml")
        assert command == """tflint allow Q001 m.tflite --config 'my lint.toml' --reason "…\""""

    def test_are_never_broken(self):
        (command,) = commands_of(at(1, "a"), path="folder/" * 60 + "m.tflite")
        assert command.endswith(' --reason "…"')

    def test_of_many_findings_take_no_longer_than_they_must(self):
        started = time.perf_counter()
        assert len(commands_of(*(at(number, f"t{number}") for number in range(20_000)))) == 20_000
        assert time.perf_counter() - started < 10


class TestStatistics:
    def test_count_by_rule_the_most_frequent_first(self):
        files = (
            FileReport("a.tflite", findings=(finding(), finding(), finding(rule="G014", severity="warning"))),
            FileReport("b.tflite", findings=(finding(), FULL)),
        )
        lines = [line for line in lines_of(files=files, statistics=True) if line.startswith("      ")]
        assert lines == [
            "      3 error   Q001  bias-scale-mismatch, in 2 files",
            "      1 warning G014  bias-scale-mismatch, in 1 file",
            "      3 in a.tflite: 2 errors, 1 warning",
            "      1 in b.tflite: 1 error",
        ]

    def test_of_many_files_the_files_with_the_most_findings_are_listed(self):
        files = tuple(FileReport(f"{n}.tflite", findings=(finding(),) * (1 + (n == 30))) for n in range(40))
        lines = [line for line in lines_of(files=files, statistics=True) if re.match(r" +\S* ?in ", line)]
        assert lines[:2] == ["      2 in 30.tflite: 2 errors", "      1 in 0.tflite: 1 error"]
        assert lines[20:] == ["        in 20 more files (-v lists them)"]
        verbose = lines_of(files=files, statistics=True, style=Style(verbose=True))
        assert len([line for line in verbose if re.match(r" +\S+ in ", line)]) == 40

    def test_are_there_only_when_asked(self):
        assert "in 1 file\n" not in text_of(finding())


class TestColours:
    def test_are_there_only_when_asked(self):
        made = (at(1, "a"), at(2, "b", severity="warning"), finding(severity="note"))
        options: dict[str, Any] = {"notices": (Notice("unused-allow", "unused"),), "statistics": True}
        plain = text_of(*made, **options)
        assert "\x1b" not in plain
        painted = text_of(*made, style=Style(color=True), **options)
        assert "\x1b[1;31merror" in painted
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain

    @pytest.mark.parametrize(
        ("findings", "files", "color"),
        [((), None, "\x1b[32m"), ((finding(),), None, "\x1b[1;31m"), ((), (), "\x1b[33m")],
    )
    def test_of_the_summary_tell_the_worst(self, findings, files, color):
        changes = {} if files is None else {"files": files}
        text = text_of(*findings, style=Style(color=True), **changes)
        line = next(line for line in text.splitlines() if "suppressed" in line)
        assert line.startswith(color)
        assert line.count("\x1b") == 2


class TestWords:
    @pytest.mark.parametrize(
        ("count", "noun", "expected"),
        [
            (1, "tensor", "1 tensor"),
            (0, "tensor", "0 tensors"),
            (14, "metadata entry", "14 metadata entries"),
            (2, "box", "2 boxes"),
            (12345, "file", "12,345 files"),
        ],
    )
    def test_are_counted_properly(self, count, noun, expected):
        assert plural(count, noun) == expected

    @pytest.mark.parametrize(
        ("n_bytes", "expected"),
        [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (300_544, "293.5 KiB"),
            (2**31, "2.0 GiB"),
            (2**50, "1,048,576 GiB"),
        ],
    )
    def test_tell_sizes(self, n_bytes, expected):
        assert format_size(n_bytes) == expected

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            ("litert==2.3.0", "litert 2.3.0"),
            ("litert>=1.1.0", "litert ≥ 1.1.0"),
            ("tflite < 2.11", "tflite < 2.11"),
            ("tflite>=2.7,<2.19", "tflite ≥ 2.7, < 2.19"),
            ("tflm", "tflm"),
        ],
    )
    def test_name_runtimes(self, spec, expected):
        assert format_runtime(spec) == expected

    def test_make_titles_of_rule_names(self):
        assert format_title("per-channel-axis-out-of-range") == "per-channel axis out of range"
        assert format_title("trailing-data-unknown") == "trailing data unknown"
