"""Test JUnit XML: the schema of Jenkins, failures that match the exit code, and no missing finding."""

from __future__ import annotations

import functools
from xml.etree import ElementTree

import pytest

import tflint
from tests.helpers.models.named import NAMED
from tests.helpers.report_schemas import JUNIT_SCHEMA as SCHEMA
from tests.helpers.reports import FULL, OPERATOR, TENSOR, finding, report, variants
from tflint.findings import FileReport, Finding, Location, NotChecked, Notice, Report, Suppression, TextSpan
from tflint.report import junit_report
from tflint.values import replace

ALLOWED = Suppression("allow", "runs on TFLM only")


def read(made: Report, fail_on: str = "error") -> ElementTree.Element:
    """A report's XML, read again from its text and checked against the schema and against its own counts."""
    made = replace(made, files=tuple(replace(file, fail_on=fail_on) for file in made.files))
    text = junit_report.render(made)
    assert text.isascii()
    assert [error.reason for error in SCHEMA.iter_errors(text)] == []
    root = ElementTree.fromstring(text)
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(sum(case.find(tag) is not None for case in cases)), attribute
    for attribute in ("tests", "failures", "errors"):
        assert root.get(attribute) == str(sum(int(suite.get(attribute, "0")) for suite in root))
    return root


def cases(*findings: Finding, fail_on: str = "error", **changes: object) -> list[ElementTree.Element]:
    return read(report(*findings, **changes), fail_on).findall("testsuite/testcase")


def outcome(case: ElementTree.Element) -> str:
    """What a case is: passed, failure, error or skipped."""
    (tag,) = [child.tag for child in case if child.tag != "system-out"] or ["passed"]
    return tag


@functools.cache
def real_report() -> Report:
    return tflint.check([content for _, content in variants()])


class TestTheSchema:
    @pytest.mark.parametrize("fail_on", ["error", "note", "never"])
    def test_holds_for_real_reports(self, fail_on):
        found = {outcome(case) for case in read(real_report(), fail_on).iter("testcase")}
        assert found == {"passed", "skipped"} if fail_on == "never" else {"passed", "failure", "error"}

    @pytest.mark.parametrize("findings", [(), (FULL,), (finding(), FULL, finding(severity="note"))])
    def test_holds_for_hand_made_reports(self, findings):
        read(report(*findings, notices=(Notice("unused-allow", "an entry is unused"),)))

    def test_refuses_what_is_no_report(self):
        assert not SCHEMA.is_valid(junit_report.render(report(finding())).replace("testcase", "test-case"))


class TestAFile:
    def test_is_a_suite_with_a_case_for_each_finding(self):
        root = read(report(finding(), finding(rule="Q004", name="another")))
        (suite,) = root
        assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("m.tflite", "2", "2")
        assert {case.get("classname") for case in suite.findall("testcase")} == {"m.tflite"}

    def test_without_findings_passes(self):
        (case,) = cases()
        assert (case.get("name"), outcome(case)) == ("no findings", "passed")

    def test_that_nobody_could_read_is_an_error_and_no_failure(self):
        files = (FileReport("cut.tflite", status="unreadable", findings=(finding(rule="G003"),)),)
        assert [outcome(case) for case in cases(files=files)] == ["error"]

    @pytest.mark.parametrize("found", [(), (finding(severity="note", rule="G001"),)])
    def test_that_nobody_could_read_is_never_passed(self, found):
        """A pointer that is to be a note, or rules about files that were not selected."""
        files = (FileReport("pointer.tflite", status="unreadable", findings=found),)
        (case,) = cases(files=files)
        assert (outcome(case), case[0].get("type")) == ("skipped", "not-checked")

    def test_tells_what_could_not_be_decided_as_skipped(self):
        files = (FileReport("m.tflite", not_checked=(NotChecked("Q026", 3, "no range"),)),)
        clean, undecided = cases(files=files)
        assert (outcome(clean), outcome(undecided)) == ("passed", "skipped")
        assert undecided[0].get("message") == "not checked at 3 places: no range"

    def test_tells_its_counts_by_severity(self):
        found = (finding(), finding(severity="warning"), FULL)
        properties = read(report(*found)).findall("testsuite/properties/property")
        values = {entry.get("name"): entry.get("value") for entry in properties}
        assert values == {
            "targets": "litert==2.3.0",
            "ruleset": "0.1",
            "status": "checked",
            "configuration": "none",
            "fail-on": "error",
            "error": "1",
            "warning": "1",
            "note": "0",
            "suppressed": "1",
            "not_checked": "0",
        }


class TestAFinding:
    @pytest.mark.parametrize("fail_on", ["error", "warning", "note", "never"])
    @pytest.mark.parametrize("severity", ["error", "warning", "note"])
    def test_is_red_where_the_exit_code_is(self, severity, fail_on):
        made = report(finding(severity=severity))
        (case,) = cases(finding(severity=severity), fail_on=fail_on)
        assert (outcome(case) == "failure") == made.fails(fail_on)

    def test_below_the_limit_passes_and_is_shown(self):
        (case,) = cases(finding(severity="warning"))
        assert outcome(case) == "passed"
        assert case.findtext("system-out", "").startswith("warning: the bias scale is wrong (tensor 'stem/bias').")

    def test_of_a_newer_rule_fails_nothing(self):
        (case,) = cases(finding(is_newer=True))
        assert outcome(case) == "passed"
        assert "newer than the configured ruleset" in case.findtext("system-out", "")

    def test_that_is_suppressed_is_skipped_with_its_reason(self):
        (case,) = cases(finding(suppressed=ALLOWED))
        (skipped,) = case
        assert (skipped.tag, skipped.get("type"), skipped.get("message")) == ("skipped", "allow", ALLOWED.reason)
        assert skipped.text == ALLOWED.reason

    @pytest.mark.parametrize("suppressed", [None, ALLOWED])
    def test_of_a_crash_is_an_error_as_the_exit_code_is(self, suppressed):
        (case,) = cases(finding(rule="G000", severity="warning", suppressed=suppressed), crashes=1)
        assert outcome(case) == "error"

    def test_says_what_and_where_and_what_to_do(self):
        (case,) = cases(replace(FULL, suppressed=None, is_newer=False, severity="error", location=TENSOR))
        (failure,) = case
        assert failure.get("type") == "error"
        assert failure.get("message") == "the bias scale is wrong (tensor 'stem/bias')."
        assert failure.text.split("\n") == [
            "error: the bias scale is wrong (tensor 'stem/bias').",
            "Refused by litert>=1.1.0; runs on tflm, litert<1.1.0.",
            "Not-reproduced: litert 2.3.0, invoke: at most 0.02% is saturated.",
            "Fix: quantize again.",
            "at subgraphs[0].tensors[2]",
            "bytes 512 to 576",
            "bias of operator 0 CONV_2D",
        ]

    def test_in_a_text_file_names_its_line(self):
        place = Location("bird.contract.toml", text=TextSpan(9, 1, 9, 5))
        assert "at bird.contract.toml:9:1" in cases(finding(location=place))[0][0].text.split("\n")


class TestANameOfACase:
    def names(self, *findings: Finding, **changes: object) -> list[str | None]:
        return [case.get("name") for case in cases(*findings, **changes)]

    def test_stays_the_same_when_the_severity_is_configured(self):
        assert self.names(finding()) == self.names(finding(severity="note"))

    def test_has_no_index_where_there_is_a_name(self):
        assert self.names(finding()) == ["Q001 bias-scale-mismatch: tensor 'stem/bias'"]
        nameless = Location("m.tflite", "subgraphs[0].operators[3]", ("main", "ADD", ""))
        assert self.names(finding(location=nameless)) == [
            "Q001 bias-scale-mismatch: operator subgraphs[0].operators[3]"
        ]

    def test_names_the_target_where_there_are_several(self):
        found = (finding(target="litert==2.3.0"), finding(target="tflm"))
        assert all(name.endswith("'stem/bias'") for name in self.names(found[0]))
        several = self.names(*found, targets=("litert==2.3.0", "tflm"))
        assert [name.rsplit(" for ")[1] for name in several] == ["litert==2.3.0", "tflm"]

    def test_is_its_own(self):
        """GitLab shows one case of a name."""
        hostile = replace(TENSOR, names=("main", "stem/bias' (2)"))
        found = [finding(), finding(), finding(location=hostile), finding(location=OPERATOR)]
        names = self.names(*found, *found)
        assert len(set(names)) == len(names) == 8

    def test_is_its_own_in_real_reports(self):
        for suite in read(real_report()):
            names = [case.get("name") for case in suite.iter("testcase")]
            assert len(set(names)) == len(names)


class TestTheRun:
    def test_tells_its_time_and_notices(self):
        root = read(report(notices=(Notice("unused-allow", "tflint.toml: remove it"),)))
        assert (root.get("name"), root.get("time"), root.get("tests")) == ("tflite-lint", "0.250", "1")
        assert root.findtext("testsuite/system-out") == "note: tflint.toml: remove it"

    def test_of_nothing_has_no_suites(self):
        assert list(read(report(files=()))) == []

    @pytest.mark.security
    def test_holds_what_xml_cannot_as_escapes(self):
        hostile = replace(TENSOR, names=("main", "a\x00\x1b[2J\ufffe\ud800]]>&<b>\u2028\x85"))
        (case,) = cases(finding(location=hostile, message="tensor 'a\x0b'"))
        assert case.get("name").endswith(r"tensor 'a\x00\x1b[2J\ufffe\ud800]]>&<b>\u2028\x85'")
        assert r"tensor 'a\x0b'" in case[0].text


def test_a_real_file_is_as_red_as_the_exit_code():
    made = tflint.check(NAMED["truncated"]())
    (case,) = read(made).iter("testcase")
    assert (outcome(case), made.fails("error")) == ("error", True)
