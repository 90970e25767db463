"""Renders a report as JUnit XML, which Jenkins, GitLab and others show as test results.

A file is a test suite, and a finding is a test case. A case fails if and only if its finding fails the run; a finding
below `--fail-on` is a passed case with the finding as its output. As JUnit defines it, an error is a test that could
not run: an unreadable file or a crashed rule. Suppressed findings and undecided rules are skipped cases with a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tflint.findings import CRASH_RULE, FileReport, Finding, NotChecked, Report
from tflint.report.display_names import clean, plural
from tflint.report.finding_sentences import describe_fault, describe_remedy, place_name

if TYPE_CHECKING:
    from tflint.report.report_options import Options

NAME = "tflite-lint"
#: The outcomes of a case that did not pass, each with the attribute of the suite that counts it.
_OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}
#: The XML is ASCII with character references, so it is valid in any encoding of a stream.
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render_report(report: Report, _options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report)


def render(report: Report) -> str:
    """Return the XML text, with a final newline. Findings that fail the run are failures."""
    suites = [_build_suite(file, report) for file in report.files]
    root = ElementTree.Element("testsuites", name=NAME, time=f"{report.elapsed:.3f}")
    for attribute in ("tests", "failures", "errors"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    root.extend(suites)
    if report.notices:
        root.append(_build_notices(report))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=False)
    return f"{_HEAD}{text.decode('ascii')}\n"


def _build_suite(file: FileReport, report: Report) -> ElementTree.Element:
    """Build the suite of a file: one case per finding and per undecided rule, or one passed case if there are none."""
    path = clean(file.path)
    cases = [*_build_cases(file, with_target=len(report.targets) > 1)]
    for case, name in zip(cases, _make_unique(case.get("name", "") for case in cases), strict=True):
        case.set("classname", path)
        case.set("name", name)
    counts = Counter(child.tag for case in cases for child in case)
    suite = ElementTree.Element("testsuite", name=path, file=clean(file.path_on_disk), tests=str(len(cases)))
    for tag, attribute in _OUTCOMES.items():
        suite.set(attribute, str(counts[tag]))
    suite.append(_build_properties(file, report))
    suite.extend(cases)
    return suite


def _build_properties(file: FileReport, report: Report) -> ElementTree.Element:
    """Build the properties of a suite, for values without a JUnit attribute: targets, ruleset, status, counts."""
    properties = ElementTree.Element("properties")
    values = {"targets": ", ".join(report.targets), "ruleset": report.ruleset, "status": file.status}
    values |= {"configuration": file.configuration or "none", "fail-on": file.fail_on}
    for name, value in {**values, **file.summary()}.items():
        ElementTree.SubElement(properties, "property", name=name, value=clean(str(value)))
    return properties


def _build_cases(file: FileReport, *, with_target: bool) -> Iterator[ElementTree.Element]:
    for finding in file.findings:
        yield _build_case(finding, file, with_target=with_target)
    if not file.findings:
        case = ElementTree.Element("testcase", name="no findings")
        if file.status == "unreadable":
            _add(case, "skipped", "not-checked", "not a readable model; the rules that report why are not selected")
        yield case
    for entry in file.not_checked:
        yield _build_undecided_case(entry)


def _build_case(finding: Finding, file: FileReport, *, with_target: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=_format_name(finding, with_target=with_target))
    text = _format_text(finding)
    if finding.rule == CRASH_RULE:  # a crash is an error of the run even if the finding is suppressed
        _add(case, "error", finding.severity, describe_fault(finding), text)
    elif finding.suppressed is not None:
        _add(case, "skipped", finding.suppressed.kind, finding.suppressed.reason)
    elif finding.fails(file.fail_on):
        _add(
            case, "error" if file.status == "unreadable" else "failure", finding.severity, describe_fault(finding), text
        )
    elif file.status == "unreadable":  # the finding does not fail the run, but the contents were not checked
        _add(case, "skipped", "not-checked", describe_fault(finding), text)
    else:
        ElementTree.SubElement(case, "system-out").text = text
    return case


def _build_undecided_case(entry: NotChecked) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=clean(f"{entry.rule} not checked"))
    _add(case, "skipped", "not-checked", f"not checked at {plural(entry.rows, 'place')}: {entry.reason}")
    return case


def _add(case: ElementTree.Element, tag: str, kind: str, message: str, text: str = "") -> None:
    """Add an outcome to a case. The text defaults to the message: Jenkins shows the message, GitLab only the text."""
    outcome = ElementTree.SubElement(case, tag, type=kind, message=clean(message))
    outcome.text = text or clean(message)


def _format_name(finding: Finding, *, with_target: bool) -> str:
    # The name identifies a case across runs. It has no indices, which shift, and no severity, which is configurable.
    location = place_name(finding.location)
    target = f" for {finding.target}" if with_target and finding.target else ""
    return clean(f"{finding.rule} {finding.name}{f': {location}' if location else ''}{target}")


def _format_text(finding: Finding) -> str:
    location = finding.location
    lines = [f"{finding.severity}: {describe_fault(finding)}", *describe_remedy(finding)]
    if location.text is not None:
        lines.append(f"at {location.file}:{location.text.line}:{location.text.column}")
    elif location.path:
        lines.append(f"at {location.path}")
    if location.bytes is not None:
        lines.append(f"bytes {location.bytes.offset} to {location.bytes.offset + location.bytes.length}")
    lines += [related.message for related in finding.related]
    if finding.is_newer:
        lines.append("newer than the configured ruleset: does not fail the run")
    return "\n".join(map(clean, lines))


def _build_notices(report: Report) -> ElementTree.Element:
    """Build a suite for the notices. It has no cases, so that notices do not change the counts."""
    suite = ElementTree.Element("testsuite", name=NAME, tests="0", failures="0", errors="0", skipped="0")
    out = ElementTree.SubElement(suite, "system-out")
    out.text = "\n".join(f"{notice.level}: {clean(notice.message)}" for notice in report.notices)
    return suite


def _make_unique(names: Iterable[str]) -> Iterator[str]:
    """Yield the names, with a number added to each repetition: GitLab ignores a case with an earlier case's name."""
    used: set[str] = set()
    counts: Counter[str] = Counter()
    for name in names:
        unique = name
        while unique in used:
            counts[name] += 1
            unique = f"{name} ({counts[name] + 1})"
        used.add(unique)
        yield unique
