"""Parse the reports of all formats into one structure, so that tests can compare them."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from tests.helpers.markdown_page import Page
from tests.helpers.workflow_commands import command_in
from tflint.catalog import load_catalog
from tflint.findings import SEVERITIES, Finding, Report
from tflint.findings.path_globs import relative_to_folder
from tflint.report import (
    concise_report,
    github_report,
    gitlab_report,
    json_report,
    junit_report,
    markdown_report,
    sarif_report,
    text_report,
)
from tflint.report.display_names import clean, format_location, shared_prefix
from tflint.report.finding_sentences import place_name
from tflint.report.text_layout import Style


@dataclass
class Seen:
    """The open findings and suppressed count of a report (`suppressed` is None if the format has no such count).

    `found` counts by file, rule and severity; `places` by file, rule and place as the format writes it.
    """

    found: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    places: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    suppressed: int | None = None

    def add(self, file: str, rule: str, severity: str, where: str) -> None:
        self.found[file, rule, severity] += 1
        self.places[file, rule, where] += 1


def truth(made: Report, where: Callable[[Finding], str], name: Callable[[str], str] = clean) -> Seen:
    """Return what a report must contain, with places and files as the format writes them."""
    seen = Seen(suppressed=made.summary()["suppressed"])
    for file in made.files:
        for finding in file.open_findings:
            seen.add(name(file.path), finding.rule, finding.severity, where(finding))
    return seen


def route(finding: Finding) -> str:
    return finding.location.path


def named(finding: Finding) -> str:
    return place_name(finding.location)


def text_places(made: Report) -> Counter[tuple[str, str, str]]:
    """Return the places as the text report writes them; a finding about a whole file has none."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for file in made.files:
        prefix = shared_prefix(f.location.names[-1] for f in file.open_findings if f.location.names)
        places = ((finding.rule, format_location(finding.location, prefix)) for finding in file.open_findings)
        counts.update((clean(file.path), rule, where) for rule, where in places if where)
    return counts


def read_json(made: Report) -> Seen:
    data = json.loads(json_report.render(made))
    seen = Seen(suppressed=data["summary"]["suppressed"])
    for file in data["files"]:
        for found in file["findings"]:
            if found["suppressed"] is None:
                seen.add(file["path"], found["rule"], found["severity"], found["location"]["path"])
    return seen


def read_sarif(made: Report, profile: str) -> Seen:
    (run,) = json.loads(sarif_report.render(made, load_catalog(()).rules, profile))["runs"]
    taken_back = [result for result in run["results"] if "suppressions" in result]
    seen = Seen(suppressed=None if profile == "github" else len(taken_back))
    for result in run["results"]:
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        (logical,) = location.get("logicalLocations", [{"fullyQualifiedName": ""}])
        assert result["properties"]["path"] in logical["fullyQualifiedName"]  # behind the member of a container
        if result not in taken_back:
            member = result["properties"].get("member")  # no viewer opens one: the location is the container's
            file = os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))) + (f"!/{member}" if member else "")
            seen.add(file, result["ruleId"], result["level"], result["properties"]["path"])
    return seen


def read_junit(made: Report) -> Seen:
    seen = Seen(suppressed=0)
    for suite in ElementTree.fromstring(junit_report.render(made)):
        for case in suite.iter("testcase"):
            outcome = next(iter(case), ElementTree.Element("passed"))
            lines = (outcome.text or "").split("\n")
            severity = lines[0].split(":")[0]
            if severity in SEVERITIES:
                where = next((line[3:] for line in lines if line.startswith("at ")), "")
                seen.add(suite.get("name", ""), case.get("name", "").split(" ")[0], severity, where)
            elif outcome.tag == "skipped":
                seen.suppressed = (seen.suppressed or 0) + (outcome.get("type") != "not-checked")
            else:
                assert (outcome.tag, case.get("name")) == ("passed", "no findings")
    return seen


def read_gitlab(made: Report) -> Seen:
    severities = {"critical": "error", "major": "warning", "info": "note"}
    known = set(map(named, made.findings()))
    seen = Seen()
    for violation in json.loads(gitlab_report.render(made)):
        rule = violation["check_name"].split(" ")[0]
        where = _place_in(violation["description"], known)
        seen.add(violation["location"]["path"], rule, severities[violation["severity"]], where)
    return seen


def read_github(made: Report) -> Seen:
    """Parse workflow commands; findings beyond GitHub's limit are counted without a file and rule."""
    lines = github_report.render(made).splitlines()
    known = set(map(named, made.findings()))
    seen = Seen(suppressed=_suppressed(lines))
    for command in filter(None, map(command_in, lines)):
        severity = {"notice": "note"}.get(command.name, command.name)
        rest = re.match(r"tflite-lint: ([\d,]+) more ", command.properties["title"])
        if rest:
            seen.found["", "", severity] += int(rest[1].replace(",", ""))
        else:
            rule = command.properties["title"].split(" ")[0]
            seen.add(command.properties["file"], rule, severity, _place_in(command.message, known))
    return seen


def _place_in(sentences: str, known: set[str]) -> str:
    """Return the known place that ends the first sentence. Names may contain brackets and full stops."""
    return max((where for where in known if where and f" ({where}). " in sentences), key=len, default="")


def read_text(made: Report) -> Seen:
    """Parse the text report, rendered with all places and without line breaks."""
    lines = text_report.render(made, Style(verbose=True, width=100_000)).splitlines()
    seen = Seen(suppressed=_suppressed(lines))
    names = {clean(file.path) for file in made.files}
    file = rule = ""
    for line in lines:
        where = re.match(r"    (?:first |at    |      ) (\S.*?)(?:  \(.*)?$", line)
        if line.split(" · ")[0] in names:
            file = line.split(" · ")[0]
        elif group := _group(line):
            rule = group[0]
            seen.found[file, rule, group[1]] += group[2]
        elif where:
            seen.places[file, rule, where[1]] += 1
    return seen


def read_concise(made: Report) -> Seen:
    """Parse the lines of findings; the line and column of a text file follow its name."""
    lines = concise_report.render(made, Style()).splitlines()
    seen = Seen(suppressed=_suppressed(lines))
    for line in lines:
        found = re.match(r"(.+?)(?::\d+:\d+)?: (error|warning|note) ([A-Z]+\d+) [a-z0-9-]+: ", line)
        if found:
            _, at, where = line.rpartition(" [at ")
            seen.add(found[1], found[3], found[2], where.removesuffix("]") if at else "")
    return seen


def concise_place(finding: Finding) -> str:
    return "" if finding.location.text else format_location(finding.location)


def read_markdown(made: Report) -> Seen:
    """Parse Markdown and compare its table with the groups. Lines are broken, so known places are searched for."""
    page = Page(markdown_report.render(made, verbose=True, max_bytes=100_000_000))
    rows = {row[0]: [int(number) for number in row[2:6]] for row in page.rows[1:]}
    seen = Seen(suppressed=_suppressed(page.blocks[-1].splitlines()))
    places = text_places(made)
    for summary, block in zip(page.summaries, page.blocks, strict=False):
        file = summary.rsplit(": ", 1)[0]
        for rule, severity, count in filter(None, map(_group, block.splitlines())):
            seen.found[file, rule, severity] += count
        joined = "".join(block.split())
        found = {key: n for key, n in places.items() if key[0] == file and "".join(key[2].split()) in joined}
        seen.places.update(found)
    for row, (*numbers, _) in rows.items():
        counts = Counter(dict.fromkeys(reversed(SEVERITIES), 0))
        for (file, _, severity), count in seen.found.items():
            counts[severity] += count if file == row else 0
        assert [*counts.values()] == numbers
    assert sum(row[3] for row in rows.values()) == seen.suppressed
    return seen


def _group(line: str) -> tuple[str, str, int] | None:
    """Return rule, severity and number of findings from the first line of a group."""
    found = re.match(r"  (error|warning|note) +([A-Z0-9]+) ", line)
    count = line[64:].split()
    return (found[2], found[1], int(count[0].replace(",", "")) if count else 1) if found else None


def _suppressed(lines: list[str]) -> int:
    (number,) = re.findall(r"(?:^  | · )([\d,]+) suppressed", "\n".join(lines), re.MULTILINE)
    return int(number.replace(",", ""))


#: Of each format: how to read it, and its words for a place (None: compared apart) and for a file's name.
READERS: dict[str, tuple[Callable[[Report], Seen], Callable[[Finding], str], Callable[[str], str]]] = {
    "json": (read_json, route, str),
    "sarif, spec": (lambda made: read_sarif(made, "spec"), route, str),
    "sarif, github": (lambda made: read_sarif(made, "github"), route, str),
    "junit": (read_junit, route, clean),
    "concise": (read_concise, concise_place, clean),
    "gitlab": (read_gitlab, named, lambda path: clean(relative_to_folder(".", path.split("!/")[0]))),
}


def all_seen(made: Report) -> Iterator[tuple[str, Seen, Seen]]:
    """Yield for each format its name, the parsed report and the expected content."""
    for name, (read, where, file) in READERS.items():
        yield name, read(made), truth(made, where, file)
    for name, read in (("text", read_text), ("markdown", read_markdown)):
        expected = truth(made, route)
        expected.places = text_places(made)
        yield name, read(made), expected
