"""Test SARIF in both profiles: the standard's schema, its rules beyond the schema, and GitHub's requirements."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import tflint
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import MODELS_DIRECTORY, NAMED
from tests.helpers.reports import FULL, OPERATOR, OVERVIEW, TENSOR, finding, report
from tests.helpers.sarif_runs import AXIS, URI_TEXT, URIS, broken, many, run_of
from tflint.catalog import builtin_catalog, load_catalog, rule_pages
from tflint.cli.main import run as main
from tflint.findings import FileReport, Finding, Location, NotChecked, Notice, Report, TextSpan, severity_rank
from tflint.report import sarif_report
from tflint.report.sarif_locations import to_uri
from tflint.values import replace
from tflint.writer.model_edits import edit_model

PROFILES = ("github", "spec")

both_profiles = pytest.mark.parametrize("profile", PROFILES)


def results_of(*findings: Finding, profile: str = "github", **changes: Any) -> list[dict[str, Any]]:
    return run_of(report(*findings, **changes), profile)["results"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let GitHub keep 100 results, which are 50 times faster to write and validate than 5,000."""
    monkeypatch.setattr(sarif_report, "GITHUB_RESULTS", 100)


def regions(run: dict[str, Any]) -> Iterator[dict[str, int]]:
    for result in run["results"]:
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            yield place["physicalLocation"]["region"]


@functools.cache
def real_report() -> Report:
    """Many findings of many rules, in models that are right, wrong and none at all."""
    contents = [
        edit_model(broken(), {"file.trailing_bytes": "left over " * 10}),
        broken("depthwise_int8"),
        *(build() for build in NAMED.values()),
    ]
    return tflint.check(contents)


class TestBothProfiles:
    @both_profiles
    def test_of_real_reports_fit_the_schema(self, profile):
        run = run_of(real_report(), profile)
        assert len({result["ruleId"] for result in run["results"]}) >= 8

    @both_profiles
    @pytest.mark.parametrize("findings", [(), (FULL,), (finding(), FULL)])
    def test_of_hand_made_reports_fit_the_schema(self, profile, findings):
        run_of(report(*findings, notices=(Notice("unused-allow", "an entry is unused"),)), profile)

    @both_profiles
    def test_hold_together_rules_and_results(self, profile):
        run = run_of(real_report(), profile)
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        assert {rule["id"] for rule in rules} == {result["ruleId"] for result in run["results"]}
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]

    @both_profiles
    def test_are_sorted_by_severity(self, profile):
        ranks = [severity_rank(result["level"]) for result in run_of(real_report(), profile)["results"]]
        assert len(set(ranks)) > 1
        assert ranks == sorted(ranks, reverse=True)

    @both_profiles
    def test_tell_the_severity_that_counts_and_the_rules_own(self, profile):
        run = run_of(report(finding(severity="note")), profile)
        assert run["results"][0]["level"] == "note"
        assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == "error"

    @both_profiles
    def test_list_the_files_also_those_without_findings(self, profile):
        files = (FileReport("a b.tflite", overview=OVERVIEW, sha256="0" * 64), FileReport("cut.tflite"))
        artifacts = run_of(report(files=files), profile)["artifacts"]
        assert artifacts[0] == {
            "location": {"uri": "a%20b.tflite"},
            "roles": ["analysisTarget"],
            "length": OVERVIEW.n_bytes,
            "hashes": {"sha-256": "0" * 64},
        }
        assert "length" not in artifacts[1]

    @both_profiles
    def test_tell_what_was_not_checked(self, profile):
        files = (FileReport("m.tflite", not_checked=(NotChecked("Q026", 1, "no range"),)),)
        (note,) = run_of(report(files=files), profile)["invocations"][0]["toolExecutionNotifications"]
        assert note["message"]["text"] == "Q026 not checked at 1 place: no range"
        assert note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "m.tflite"

    @both_profiles
    def test_admit_crashes(self, profile):
        assert run_of(report(), profile)["invocations"][0]["executionSuccessful"] is True
        assert run_of(report(crashes=1), profile)["invocations"][0]["executionSuccessful"] is False

    @both_profiles
    def test_describe_no_rule_that_is_not_there(self, profile):
        run = run_of(report(finding(rule="ZZ9")), profile)
        assert run["tool"]["driver"]["rules"] == []
        assert "ruleIndex" not in run["results"][0]

    @both_profiles
    def test_name_the_place_by_its_route(self, profile):
        (result,) = results_of(finding(location=OPERATOR), profile=profile)
        assert result["locations"][0]["logicalLocations"] == [
            {
                "name": "stem/conv",
                "fullyQualifiedName": "subgraphs[0].operators[0]/stem/conv",
                "kind": "operator",
            }
        ]

    @both_profiles
    def test_number_the_related_places(self, profile):
        (result,) = results_of(replace(FULL, suppressed=None), profile=profile)
        (related,) = result["relatedLocations"]
        assert related["id"] == 1
        assert related["message"]["text"] == "bias of operator 0 CONV_2D"


class TestTheRegion:
    @both_profiles
    def test_is_never_mixed(self, profile):
        keys = {tuple(sorted(region)) for region in regions(run_of(tflint_report_with_related(), profile))}
        text, span = ("endColumn", "endLine", "startColumn", "startLine"), ("byteLength", "byteOffset")
        assert keys == {text if profile == "github" else span}

    def test_is_the_first_character_for_github(self):
        (result,) = results_of(finding())
        place = result["locations"][0]["physicalLocation"]
        assert place["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}
        assert result["properties"]["tflint/byteRange"] == [512, 64]

    def test_is_the_bytes_by_the_standard(self):
        (result,) = results_of(finding(), profile="spec")
        assert result["locations"][0]["physicalLocation"]["region"] == {"byteOffset": 512, "byteLength": 64}

    def test_is_the_whole_file_where_no_place_in_it_is_meant(self):
        (result,) = results_of(finding(location=Location("m.tflite")), profile="spec")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region == {"byteOffset": 0, "byteLength": OVERVIEW.n_bytes}
        assert "logicalLocations" not in result["locations"][0]

    def test_is_left_out_where_nobody_knows_how_large_the_file_is(self):
        files = (FileReport("m.tflite", status="unreadable", findings=(finding(location=Location("m.tflite")),)),)
        (by_standard,) = results_of(profile="spec", files=files)
        assert by_standard["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "m.tflite"}}}]
        (for_github,) = results_of(files=files)
        assert for_github["locations"][0]["physicalLocation"]["region"]["startLine"] == 1

    @both_profiles
    def test_of_a_text_file_is_its_lines(self, profile):
        place = Location("m.contract.toml", text=TextSpan(9, 1, 9, 12), bytes=TENSOR.bytes)
        (result,) = results_of(finding(location=place), profile=profile)
        assert result["locations"][0]["physicalLocation"]["region"] == {
            "startLine": 9,
            "startColumn": 1,
            "endLine": 9,
            "endColumn": 12,
        }


def tflint_report_with_related() -> Report:
    made = tflint.check([broken(), broken("depthwise_int8"), edit_model(NAMED["conv_int8"](), {"version": 1})])
    assert any(found.related for found in made.findings())
    assert any(not found.location.path for found in made.findings())
    return made


class TestSuppressedFindings:
    def test_are_absent_for_github(self):
        assert results_of(FULL) == []
        assert run_of(report(FULL))["tool"]["driver"]["rules"] == []

    def test_are_there_by_the_standard(self):
        (result,) = results_of(FULL, profile="spec")
        assert result["suppressions"] == [{"kind": "external", "justification": "runs on TFLM only"}]
        (still_open,) = results_of(finding(), profile="spec")
        assert "suppressions" not in still_open


def two_convolutions(*, bias: str = "second/bias", metadata: bytes = b"", front: int = 0) -> bytes:
    """Two convolutions, each with the axis of its bias wrong; `front` weights more lie before them in the file."""
    builder = ModelBuilder().tensor("input", "INT8", [1, 4, 4, 2], scale=0.01)
    if front:
        builder.tensor("unused", "INT8", [front], data=bytes(front))
    before = "input"
    for name, bias_name in (("first", "first/bias"), ("second", bias)):
        builder.tensor(f"{name}/weights", "INT8", [2, 1, 1, 2], data=[1, 2, 3, 4], scale=0.5)
        builder.tensor(bias_name, "INT32", [2], data=[1, 2], scale=0.005, axis=3)
        builder.tensor(f"{name}/conv", "INT8", [1, 4, 4, 2], scale=0.01)
        builder.operator("CONV_2D", [before, f"{name}/weights", bias_name], [f"{name}/conv"])
        before = f"{name}/conv"
    if metadata:
        builder.metadata("more", metadata)
    return builder.inputs("input").outputs("second/conv").build()


def hashes(content: bytes, rule: str = "Q009", profile: str = "github") -> list[str]:
    results = run_of(tflint.check(content), profile)["results"]
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results if result["ruleId"] == rule]


class TestFingerprints:
    @both_profiles
    def test_keep_two_findings_of_a_rule_in_a_file_apart(self, profile):
        first, second = hashes(two_convolutions(), profile=profile)
        assert first != second
        assert re.fullmatch(r"[0-9a-f]{32}:1", first)

    def test_keep_all_findings_of_a_file_apart(self):
        made = real_report()
        for file in made.files:
            found = [result.fingerprint for result in file.findings]
            assert len(set(found)) == len(found), file.path

    def test_keep_findings_at_places_without_names_apart(self):
        nameless = edit_model(two_convolutions(), {"tensors.2.name": "", "tensors.5.name": ""})
        assert len(set(hashes(nameless))) == 2

    def test_do_not_follow_offsets(self):
        plain, moved = two_convolutions(), two_convolutions(metadata=b"x" * 5000, front=4096)
        at = [found.location.bytes for found in tflint.check(plain).findings() if found.rule == "Q009"]
        now_at = [found.location.bytes for found in tflint.check(moved).findings() if found.rule == "Q009"]
        assert at != now_at
        assert hashes(plain) == hashes(moved)

    def test_follow_names(self):
        first, second = hashes(two_convolutions())
        renamed = edit_model(two_convolutions(), {"tensors.second/conv.name": "other/conv"})
        assert hashes(renamed)[0] == first
        assert hashes(renamed)[1] != second

    def test_differ_by_rule(self):
        made = tflint.check(edit_model(NAMED["conv_int8"](), AXIS | {"tensors.bias.quantization.scale": [0.5]}))
        at_bias = [found for found in made.findings() if found.location.names[-1:] == ("bias",)]
        assert len({found.rule for found in at_bias}) == len({found.fingerprint for found in at_bias})


class TestTheCap:
    def test_keeps_the_most_severe_and_says_so(self):
        run = run_of(report(*many()))
        *kept, last = run["results"]
        assert len(kept) + 1 == sarif_report.GITHUB_RESULTS
        assert sum(result["level"] == "error" for result in kept) == sum(f.severity == "error" for f in many())
        assert last["ruleId"] == run["tool"]["driver"]["rules"][last["ruleIndex"]]["id"] == "more-findings"
        assert last["level"] == "note"
        text = "12 more findings are omitted: GitHub keeps 5,000 per run"
        assert last["message"]["text"] == f"{text}."
        notes = run["invocations"][0]["toolExecutionNotifications"]
        assert [note["message"]["text"] for note in notes] == [text]

    def test_is_not_reached_by_as_many_as_github_takes(self, few):
        results = results_of(*many()[: sarif_report.GITHUB_RESULTS])
        assert len(results) == sarif_report.GITHUB_RESULTS
        assert {result["ruleId"] for result in results} == {"Q001"}

    def test_does_not_count_suppressed_findings(self, few):
        results = results_of(*many()[: sarif_report.GITHUB_RESULTS], *[FULL] * 20)
        assert {result["ruleId"] for result in results} == {"Q001"}

    def test_is_githubs_alone(self, few):
        assert len(results_of(*many(), profile="spec")) == len(many())


class TestTheHighestLevel:
    """GitHub's check of a pull request fails on alerts of level error and of high security severity."""

    @pytest.mark.parametrize("max_level", ["error", "warning", "note"])
    def test_is_kept_by_results_and_rules(self, max_level):
        run = run_of(real_report(), max_level=max_level)
        rules = run["tool"]["driver"]["rules"]
        levels = [*(result["level"] for result in run["results"])]
        levels += [rule["defaultConfiguration"]["level"] for rule in rules]
        assert max(levels, key=severity_rank) == max_level
        assert all(rule["properties"]["problem.severity"] != "error" for rule in rules) == (max_level != "error")

    @both_profiles
    def test_leaves_what_is_less_severe_and_the_own_severity(self, profile):
        found = [finding(severity=severity) for severity in ("error", "warning", "note")]
        results = run_of(report(*found), profile, max_level="warning")["results"]
        assert [result["level"] for result in results] == ["warning", "warning", "note"]
        assert [result["properties"]["tflint/severity"] for result in results] == ["error", "warning", "note"]

    @pytest.mark.parametrize(("max_level", "is_high"), [("error", True), ("warning", False), ("note", False)])
    def test_holds_for_security_too(self, max_level, is_high):
        (rule, *_) = [
            rule for rule in builtin_catalog().rules if (rule.category, rule.severity) == ("security", "error")
        ]
        (described,) = run_of(report(finding(rule=rule.id)), max_level=max_level)["tool"]["driver"]["rules"]
        assert (float(described["properties"]["security-severity"]) >= 7) == is_high

    def test_does_not_change_what_is_kept_of_too_many(self, few):
        results = run_of(report(*many()), max_level="note")["results"]
        kept = [result["properties"]["tflint/severity"] for result in results[:-1]]
        assert kept.count("error") == sum(found.severity == "error" for found in many())

    def test_is_an_option_of_the_command_line(self, tmp_path):
        output = tmp_path / "out.sarif"
        arguments = ["check", str(MODELS_DIRECTORY / "truncated.tflite"), "--format", "sarif", "--output", str(output)]
        assert main([*arguments, "--sarif-max-level", "warning"]) == 1
        (result,) = json.loads(output.read_text(encoding="utf-8"))["runs"][0]["results"]
        assert (result["level"], result["properties"]["tflint/severity"]) == ("warning", "error")


class TestARule:
    def test_has_a_page_as_help_and_no_address_while_there_is_none(self, monkeypatch):
        monkeypatch.setattr(rule_pages, "home_url", lambda: "")
        rules = builtin_catalog().rules
        every = tuple(finding(rule=rule.id, name=rule.name) for rule in rules)
        run = run_of(report(*every))
        assert len(run["tool"]["driver"]["rules"]) == len(rules)
        for rule in run["tool"]["driver"]["rules"]:
            assert rule["help"]["markdown"].startswith("## What it does\n\n")
            assert rule["help"]["text"]
            assert ".." not in rule["help"]["text"].replace("...", "")
            assert "helpUri" not in rule
            assert len(rule["name"]) <= 255
            assert len(rule["shortDescription"]["text"]) <= 1024
            assert len(rule["fullDescription"]["text"]) <= 1024
            assert rule["properties"]["precision"] in ("high", "medium", "low")

    def test_has_its_address_once_the_documentation_has_one(self, monkeypatch):
        monkeypatch.setattr(rule_pages, "home_url", lambda: "https://docs.example.org/tflint")
        (rule,) = run_of(report(finding()))["tool"]["driver"]["rules"]
        assert rule["helpUri"] == "https://docs.example.org/tflint/rules/Q001"

    def test_of_a_user_has_no_address_in_our_documentation(self, monkeypatch):
        monkeypatch.setattr(rule_pages, "home_url", lambda: "https://docs.example.org/tflint")
        own = replace(builtin_catalog().rule("Q001"), id="ACME1", origin="lint/acme.toml", category="")
        (rule,) = run_of(report(finding(rule="ACME1")), rules=[own])["tool"]["driver"]["rules"]
        assert "helpUri" not in rule
        assert rule["properties"]["tags"] == ["tflite"]

    def test_of_security_and_no_other_has_a_security_severity(self):
        rules = load_catalog(()).rules
        run = run_of(report(*(finding(rule=rule.id) for rule in rules)))
        graded = {rule["id"] for rule in run["tool"]["driver"]["rules"] if "security-severity" in rule["properties"]}
        assert graded == {rule.id for rule in rules if rule.category == "security"}

    @pytest.mark.parametrize(("version", "is_semantic"), [("0.1.0", True), ("1.2.3-rc.1", True), ("0.1.dev3", False)])
    def test_comes_from_a_driver_with_a_version(self, version, is_semantic):
        driver = run_of(report(version=version))["tool"]["driver"]
        assert (driver["name"], driver["version"]) == ("tflite-lint", version)
        assert ("semanticVersion" in driver) == is_semantic


class TestTheMessage:
    def message(self, **changes: Any) -> str:
        return results_of(finding(**changes))[0]["message"]["text"]

    def test_says_what_where_and_what_to_do(self):
        expected = "the bias scale is wrong (tensor 'stem/bias'). Fix: quantize again."
        assert self.message() == expected
        assert self.message(message="the bias scale is wrong.", fix="quantize again.") == expected

    def test_says_who_refuses_the_model(self):
        text = self.message(refused_by=("litert>=1.1.0",), runs_on=("tflm",))
        assert "Refused by litert>=1.1.0; runs on tflm. Fix:" in text

    @pytest.mark.security
    def test_has_no_control_characters(self):
        hostile = replace(TENSOR, names=("main", "a\x1b[2J\n\u202eb\u2028c\udcff"))
        text = self.message(location=hostile, message="tensor 'a\x1b\x07'")
        assert text.isprintable()

    @pytest.mark.security
    def test_has_no_links_by_accident(self):
        hostile = replace(TENSOR, names=("main", "[click](https://example.org)"))
        assert r"'\[click](https://example.org)'" in self.message(location=hostile)
        assert "shape [1, 2] (of 3)" in self.message(message="shape [1, 2] (of 3)")


class TestUris:
    @pytest.mark.parametrize(("path", "expected"), URIS.items(), ids=[ascii(path) for path in URIS])
    def test_are_as_the_standard_wants_them(self, path, expected):
        assert to_uri(path) == expected
        assert URI_TEXT.fullmatch(to_uri(path))

    @both_profiles
    @pytest.mark.parametrize("path", URIS, ids=ascii)
    def test_stand_wherever_a_file_is_named(self, path, profile):
        place = Location(path)
        files = (FileReport(path, findings=(finding(location=place),), not_checked=(NotChecked("Q026", 2, "why"),)),)
        run = run_of(report(files=files), profile)
        (note,) = run["invocations"][0]["toolExecutionNotifications"]
        places = [run["results"][0]["locations"][0], *note["locations"]]
        uris = [place["physicalLocation"]["artifactLocation"]["uri"] for place in places]
        assert {*uris, run["artifacts"][0]["location"]["uri"]} == {URIS[path]}

    def test_of_windows_have_slashes(self, monkeypatch):
        assert to_uri(r"models\a.tflite") == "models%5Ca.tflite"
        monkeypatch.setattr("os.sep", "\\")
        assert to_uri(r"models\a.tflite") == "models/a.tflite"
