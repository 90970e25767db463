"""Test Markdown as GitHub renders it: a table, folded findings, the size limit, and no markup from a model."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pytest

import tflint
from tests.helpers.markdown_page import Page
from tests.helpers.reports import FULL, OPERATOR, OVERVIEW, TENSOR, finding, report, variants
from tflint.findings import FileReport, Finding, Location, NotChecked, Notice, Related, Report
from tflint.report import markdown_report
from tflint.values import replace

#: What tflint itself makes.
OWN_TAGS = {"h3", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "pre", "p"}


def page(*findings: Finding, verbose: bool = False, **changes: object) -> Page:
    return Page(markdown_report.render(report(*findings, **changes), verbose=verbose))


def files_of(*found: Sequence[Finding]) -> tuple[FileReport, ...]:
    return tuple(
        FileReport(f"{number}.tflite", findings=tuple(findings), overview=OVERVIEW)
        for number, findings in enumerate(found)
    )


@functools.cache
def real_report() -> Report:
    return tflint.check([content for _, content in variants()])


def test_there_is_a_row_for_each_file_that_is_not_clean_the_most_severe_first():
    made = page(
        files=(
            *files_of((), [FULL], [finding(severity="warning")], [finding(), finding(), FULL]),
            FileReport("cut.tflite", status="unreadable"),
            FileReport("odd.tflite", "contract", not_checked=(NotChecked("Q026", 3, "no range"),)),
        )
    )
    head, *rows = made.rows
    assert head == ["file", "kind", "errors", "warnings", "notes", "suppressed", "not checked"]
    kind = "full int8 · 4 operators · 2.0 KiB"
    assert rows == [
        ["3.tflite", kind, "2", "0", "0", "1", "0"],
        ["2.tflite", kind, "0", "1", "0", "0", "0"],
        ["1.tflite", kind, "0", "0", "0", "1", "0"],
        ["cut.tflite", "unreadable", "0", "0", "0", "0", "0"],
        ["odd.tflite", "contract", "0", "0", "0", "0", "1"],
    ]


def test_findings_are_folded_by_file():
    made = page(finding(), finding(severity="note", rule="G014"))
    assert made.summaries == ["m.tflite: 1 error, 1 note"]
    assert made.blocks[0].startswith("  error   Q001  bias scale mismatch\n    the bias scale is wrong\n")
    assert "    fix    quantize again\n" in made.blocks[0]


def test_every_place_is_listed_when_asked():
    found = [
        finding(location=Location("m.tflite", f"subgraphs[0].tensors[{k}]", ("main", f"tensor_{k}"))) for k in range(3)
    ]
    assert "tensor_2" not in page(*found).blocks[0]
    assert "#2 tensor_2" in page(*found, verbose=True).blocks[0]


def test_the_end_is_that_of_the_text_report():
    made = page(finding(), notices=(Notice("unused-allow", "tflint.toml: remove it"),))
    lines = made.blocks[-1].splitlines()
    assert lines[0].startswith("1 model: 1 error · 0 suppressed · target litert 2.3.0 (default)")
    assert "not checked: preprocessing of 1 model without a contract (tflint contract init MODEL)" in lines
    assert lines[-1] == "note: tflint.toml: remove it"


def test_a_clean_run_has_neither_table_nor_findings():
    made = page()
    assert (made.rows, made.summaries) == ([], [])
    assert made.blocks[0].startswith("1 model: no findings")


def test_real_reports_have_the_tags_of_the_format_only():
    assert Page(markdown_report.render(real_report(), max_bytes=10_000_000)).tags == OWN_TAGS - {"p"}


HOSTILE = [
    "<script>alert(1)</script>",
    "</code></summary></details><img src=x onerror=alert(1)>",
    "[click](https://example.org)",
    "![x](https://example.org/x.png)",
    "https://example.org www.example.org a@example.org",
    "*bold* _em_ ~~gone~~ **more**",
    "`a` ``b`` ```c```",
    "`",
    "\\`",
    "a|b\\|c||d",
    "|",
    "\\",
    "\\|<b>x</b>|",
    "`|<b>x</b>|`",
    "````\n</details><b>x</b>",
    "\n\n# heading\n\n- item\n",
    "&lt;b&gt; &#60;b&#62; &amp;",
    "<!-- x",
    " padded ",
    "@octocat #1 :+1: GH-1",
    "\x1b[2J\u202e\u2028",
    "a\r\n\r\n<b>x</b>",
]


@pytest.mark.security
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("verbose", [False, True])
def test_names_are_shown_and_mean_nothing(text, verbose):
    place = Location(f"{text}.tflite", "subgraphs[0].tensors[2]", (text, text))
    found = finding(location=place, message=f"tensor '{text}'", related=(Related(OPERATOR, text),), fix=f"see {text}")
    files = (FileReport(f"{text}.tflite", findings=(found, found), overview=OVERVIEW),)
    targets = ("long " * 30, text)  # so wide that the second one begins a line of the end
    made = page(files=files, verbose=verbose, notices=(Notice("unused-allow", text),), targets=targets)
    assert made.tags <= OWN_TAGS
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in f"{text}.tflite")
    assert made.rows[1][0] == shown
    assert made.rows[1][1:] == ["full int8 · 4 operators · 2.0 KiB", "2", "0", "0", "0", "0"]
    assert made.summaries == [f"{shown}: 2 errors"]
    assert len(made.blocks) == 2
    assert made.paragraphs == []


class TestTheSize:
    """Everything is there while it is small enough; what is left out is said."""

    @pytest.mark.security
    def test_has_room_in_a_comment(self):
        assert markdown_report.MAX_BYTES < 65_536 < 1024**2

    @pytest.mark.parametrize("max_bytes", [2000, 5000, 20_000, markdown_report.MAX_BYTES])
    @pytest.mark.parametrize(
        "made",
        [
            pytest.param(report(files=files_of(*[[finding()]] * 4000)), id="many files"),
            pytest.param(report(*(finding(rule=f"Z{k}") for k in range(4000))), id="many rules"),
            pytest.param(
                report(finding(message="é" * 3000, location=replace(TENSOR, file="é" * 9000))),
                id="long names",
            ),
            pytest.param(report(finding(), notices=(Notice("unused-allow", "remove it"),) * 4000), id="many notices"),
            pytest.param(report(finding(), targets=tuple(f"t{k}" for k in range(9000))), id="many targets"),
            pytest.param(report(files=(FileReport("é" * 9000, findings=(finding(),)),) * 9), id="long paths"),
        ],
    )
    def test_is_kept_and_the_page_stays_whole(self, made, max_bytes):
        text = markdown_report.render(made, verbose=True, max_bytes=max_bytes)
        assert len(text.encode()) <= max_bytes
        assert Page(text).tags <= OWN_TAGS
        assert text.count("<details>") == text.count("</details>")

    def test_leaves_out_the_least_severe_and_says_how_many(self):
        files = files_of(
            *[[finding(severity=severity)] for severity in ("note", "warning", "error") for _ in range(100)]
        )
        made = Page(markdown_report.render(report(files=files), max_bytes=20_000))
        n_shown = len(made.summaries)
        assert 0 < n_shown < 300
        assert all(summary.endswith("1 error") for summary in made.summaries[:100])
        n_rows = len(made.rows) - 1
        table = [f"{300 - n_rows} more files omitted."] if n_rows < 300 else []
        details = f"The findings of {300 - n_shown} more files are omitted: the text would be too large for a comment."
        assert made.paragraphs == [*table, details]

    def test_cuts_the_findings_of_one_file_between_lines(self):
        text = markdown_report.render(report(*(finding(rule=f"Z{k}") for k in range(4000))), max_bytes=5000)
        (block, _) = Page(text).blocks
        assert block.splitlines()[-1].endswith(" more lines omitted")
        assert block.startswith("  error   Z0")
