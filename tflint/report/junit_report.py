"""The report as JUnit XML, which Jenkins, GitLab and others show as test results.

A file is a test suite and a finding a test case. What fails the run fails here, and nothing else does, so that a build
is red in both or in neither: a finding below `--fail-on` is a case that passes, with the finding as its output.
An error is, as the format means it, a test that could not be carried out: a file that cannot be read, a rule that
crashed. What is suppressed, or could not be decided, is a skipped case with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from tflint.findings import CRASH_RULE, FileReport, Finding, NotChecked, Report
from tflint.report.display_names import clean, plural
from tflint.report.finding_sentences import describe_fault, describe_remedy, place_name

NAME = "tflite-lint"
#: What a case can be besides passed, and the attribute of a suite that counts it.
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
#: Text of XML is written in ASCII, the rest as references: it holds whatever the encoding of a stream is.
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(report: Report, fail_on: str) -> str:
    """The XML text of a report, ended by a newline; findings fail from the severity `fail_on` on."""
    suites = [_suite(file, report, fail_on) for file in report.files]
    root = ElementTree.Element("testsuites", name=NAME, time=f"{report.elapsed:.3f}")
    for attribute in ("tests", "failures", "errors"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    root.extend(suites)
    if report.notices:
        root.append(_notices(report))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=False)
    return f"{_HEAD}{text.decode('ascii')}\n"


def _suite(file: FileReport, report: Report, fail_on: str) -> ElementTree.Element:
    """A file: its counts, and a case for each finding, for each rule that was not decided, or for being clean."""
    path = clean(file.path)
    cases = [*_cases(file, fail_on, with_target=len(report.targets) > 1)]
    for case, name in zip(cases, _unique(case.get("name", "") for case in cases), strict=True):
        case.set("classname", path)
        case.set("name", name)
    counts = Counter(child.tag for case in cases for child in case)
    suite = ElementTree.Element("testsuite", name=path, file=clean(file.path_on_disk), tests=str(len(cases)))
    for tag, attribute in _COUNTED.items():
        suite.set(attribute, str(counts[tag]))
    suite.append(_properties(file, report))
    suite.extend(cases)
    return suite


def _properties(file: FileReport, report: Report) -> ElementTree.Element:
    """What the format has no word for: the run's targets and ruleset, the file's findings by severity."""
    properties = ElementTree.Element("properties")
    values = {"targets": ", ".join(report.targets), "ruleset": report.ruleset, "status": file.status}
    for name, value in {**values, **file.summary()}.items():
        ElementTree.SubElement(properties, "property", name=name, value=clean(str(value)))
    return properties


def _cases(file: FileReport, fail_on: str, *, with_target: bool) -> Iterator[ElementTree.Element]:
    for finding in file.findings:
        yield _case(finding, file, fail_on, with_target=with_target)
    if not file.findings:
        case = ElementTree.Element("testcase", name="no findings")
        if file.status == "unreadable":
            _add(case, "skipped", "not-checked", "it cannot be read as a model, and the rules that say why did not run")
        yield case
    for entry in file.not_checked:
        yield _undecided(entry)


def _case(finding: Finding, file: FileReport, fail_on: str, *, with_target: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=_name(finding, with_target=with_target))
    text = _text(finding)
    if finding.rule == CRASH_RULE:  # it ends a run with an error, suppressed or not
        _add(case, "error", finding.severity, describe_fault(finding), text)
    elif finding.suppressed is not None:
        _add(case, "skipped", finding.suppressed.kind, finding.suppressed.reason)
    elif finding.fails(fail_on):
        _add(
            case, "error" if file.status == "unreadable" else "failure", finding.severity, describe_fault(finding), text
        )
    elif file.status == "unreadable":  # it fails nothing, but nobody looked into it
        _add(case, "skipped", "not-checked", describe_fault(finding), text)
    else:
        ElementTree.SubElement(case, "system-out").text = text
    return case


def _undecided(entry: NotChecked) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=clean(f"{entry.rule} not checked"))
    _add(case, "skipped", "not-checked", f"not checked at {plural(entry.rows, 'place')}: {entry.reason}")
    return case


def _add(case: ElementTree.Element, tag: str, kind: str, message: str, text: str = "") -> None:
    """Add an outcome. Jenkins shows the message, GitLab the text only: it has the message where there is no other."""
    outcome = ElementTree.SubElement(case, tag, type=kind, message=clean(message))
    outcome.text = text or clean(message)


def _name(finding: Finding, *, with_target: bool) -> str:
    """What a case is known by from run to run: names rather than numbers, and no severity, which can be configured."""
    where = place_name(finding.location)
    target = f" for {finding.target}" if with_target and finding.target else ""
    return clean(f"{finding.rule} {finding.name}{f': {where}' if where else ''}{target}")


def _text(finding: Finding) -> str:
    """A finding in some lines, with its place in the file."""
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
        lines.append("a rule newer than the configured ruleset: it fails no run")
    return "\n".join(map(clean, lines))


def _notices(report: Report) -> ElementTree.Element:
    """What there is to say of the run: a suite without cases, so that it counts nowhere."""
    suite = ElementTree.Element("testsuite", name=NAME, tests="0", failures="0", errors="0", skipped="0")
    out = ElementTree.SubElement(suite, "system-out")
    out.text = "\n".join(f"{notice.level}: {clean(notice.message)}" for notice in report.notices)
    return suite


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Names, each once: GitLab ignores a case whose name another one has."""
    seen: set[str] = set()
    times: Counter[str] = Counter()
    for name in names:
        unique = name
        while unique in seen:
            times[name] += 1
            unique = f"{name} ({times[name] + 1})"
        seen.add(unique)
        yield unique
