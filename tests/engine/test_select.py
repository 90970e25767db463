"""Test rule selection and severities, and that a pinned ruleset keeps the exit code across upgrades."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY, NAMED
from tflint.api import check
from tflint.catalog import Catalog, Rule, builtin_catalog
from tflint.catalog.rule_compiler import compile_file
from tflint.cli.main import run
from tflint.config import Config
from tflint.engine.select import RULESET, require_ruleset, select_rules, specificity
from tflint.errors import UserError
from tflint.findings import Report
from tflint.report.text_report import Style, render

RULES = builtin_catalog().rules
LEVELS = ("error", "warning", "note", "never")


def ids(**options: Any) -> set[str]:
    return {selected.rule.id for selected in select_rules(RULES, Config(**options))}


def every(condition: Callable[[Rule], bool]) -> set[str]:
    return {rule.id for rule in RULES if condition(rule)}


# --- selecting ------------------------------------------------------------------------------------------------------


def test_by_default_all_stable_rules_run() -> None:
    assert ids() == every(lambda rule: rule.status == "stable")


@pytest.mark.parametrize(
    ("token", "condition"),
    [
        ("Q001", lambda rule: rule.id == "Q001"),
        ("bias-scale-mismatch", lambda rule: rule.id == "Q001"),
        ("Q00", lambda rule: rule.id.startswith("Q00")),
        ("Q", lambda rule: rule.id.startswith("Q")),
        ("graph", lambda rule: rule.category == "graph"),
        ("all", lambda rule: True),
    ],
)
def test_tokens(token: str, condition: Callable[[Rule], bool]) -> None:
    stable = every(lambda rule: rule.status == "stable")
    assert ids(select=(token,)) & stable == every(condition) & stable
    if token != "all":
        assert ids(ignore=(token,)) == stable - every(condition)


@pytest.mark.parametrize(
    ("select", "ignore", "runs"),
    [
        (("Q",), ("Q001",), False),
        (("Q001",), ("Q",), True),
        (("Q001",), ("quantization",), True),
        (("quantization",), ("Q0",), False),
        (("Q00",), ("Q0",), True),
        (("all",), ("Q001",), False),
        (("Q001", "Q004"), ("Q001",), False),
        (("Q", "Q001"), ("Q00",), True),
    ],
)
def test_the_more_exact_token_wins_and_ignore_wins_a_tie(
    select: tuple[str, ...], ignore: tuple[str, ...], runs: bool
) -> None:
    assert ("Q001" in ids(select=(*select, "G001"), ignore=ignore)) is runs


def test_selecting_and_ignoring_all_is_no_clean_run() -> None:
    for options in ({"ignore": ("all",)}, {"select": ("Q001",), "ignore": ("Q001",)}):
        with pytest.raises(UserError, match="left to run"):
            ids(**options)


@pytest.mark.parametrize("token", ["", "q", "q001", "Q9", "*", "Q001 ", "ALL", "quant"])
def test_tokens_that_mean_nothing(token: str) -> None:
    for key in ("select", "ignore"):
        with pytest.raises(UserError, match="is not a rule"):
            ids(**{key: (token,)})
    for rule in RULES:
        assert specificity(token, rule) == 0


def test_severities_by_id_and_name() -> None:
    for key in ("Q001", "bias-scale-mismatch"):
        chosen = {s.rule.id: s.severity for s in select_rules(RULES, Config(severity={key: "note"}))}
        assert chosen["Q001"] == "note"
        assert chosen["G003"] == "error"


def test_severities_are_for_single_rules() -> None:
    for key in ("Q", "quantization", "all", "Q0001"):
        with pytest.raises(UserError, match="is not a rule"):
            ids(severity={key: "note"})


def test_a_chosen_severity_is_in_the_report_with_what_the_rule_says() -> None:
    report = check(NAMED["truncated"](), config=Config(severity={"G003": "warning"}))
    (finding,) = report.findings()
    assert (finding.severity, finding.severity_before) == ("warning", "error")


def test_lfs_pointers_as_notes() -> None:
    for wanted in ("error", "note"):
        report = check(NAMED["git_lfs_pointer"](), config=Config(lfs_pointers=wanted))
        assert [(finding.rule, finding.severity) for finding in report.findings()] == [("G001", wanted)]
        assert report.fails("error") is (wanted == "error")


# --- preview and deprecated rules -----------------------------------------------------------------------------------

USER_RULE = """
[[rule]]
id = "ACME001"
name = "acme-tensor"
severity = "error"
status = "{status}"
category = "size"
for-each = "tensor"
require = "count(shape) > 90"
message = "a tensor"
summary = "A rule for the tests."
why = "It always speaks."
fix = "Do not select it."
"""


@pytest.mark.parametrize("status", ["preview", "deprecated"])
def test_preview_and_deprecated_rules_run_only_when_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", "m.tflite")
    Path("acme.toml").write_text(USER_RULE.format(status=status))

    def code(*options: str) -> int:
        return run(["check", "m.tflite", "--rules", "acme.toml", *options])

    assert code() == 0
    assert code("--select", "all") == 0
    assert code("--select", "ACME,Q") == 0
    assert code("--select", "size,Q") == 0
    assert code("--select", "ACME001") == 1
    assert code("--select", "acme-tensor") == 1
    assert code("--select", "all,acme-tensor") == 1


def test_a_stable_rule_of_a_user_runs_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", "m.tflite")
    Path("acme.toml").write_text(USER_RULE.format(status="stable"))
    assert run(["check", "m.tflite", "--rules", "acme.toml"]) == 1
    assert run(["check", "m.tflite", "--rules", "acme.toml", "--ignore", "ACME"]) == 0


# --- rulesets -------------------------------------------------------------------------------------------------------

SYNTHETIC = """
[[rule]]
id = "S{number}"
name = "{name}"
severity = "{severity}"
since = "{since}"
for-each = "tensor"
where = "{where}"
require = "count(shape) > 90"
message = "tensor {{name}}"
summary = "A rule for the tests."
why = "It speaks of what its condition names."
fix = "Nothing."
{more}
"""


def synthetic(folder: Path, number: int, severity: str, since: str, where: str = "index >= 0", more: str = "") -> Rule:
    path = folder / f"S{number}.toml"
    name = f"made-up-{number}"
    text = SYNTHETIC.format(number=number, name=name, severity=severity, since=since, where=where, more=more)
    path.write_text(text)
    return compile_file(path, builtin=True).rules[0]


def frozen(monkeypatch: pytest.MonkeyPatch, rules: list[Rule], current: str = "0.2", **options: Any) -> Report:
    """A run of a version whose ruleset is `current`, with these rules and the one for crashes."""
    catalog = Catalog((builtin_catalog().rule("G000"), *rules), {}, "digest")
    monkeypatch.setattr("tflint.catalog.rule_loader.load_catalog", lambda *_: catalog)
    monkeypatch.setattr("tflint.engine.select.RULESET", current)
    return check(NAMED["conv_int8"](), config=Config(**options))


@pytest.mark.parametrize("new", ["error", "warning", "note"])
@pytest.mark.parametrize("old", ["error", "warning", "note", None])
def test_an_older_ruleset_keeps_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str | None, new: str
) -> None:
    older = synthetic(tmp_path, 900, old or "error", "0.1", "index >= 0" if old else "index < 0")
    newer = synthetic(tmp_path, 901, new, "0.2")
    before = frozen(monkeypatch, [older], current="0.1")
    after = frozen(monkeypatch, [older, newer], ruleset="0.1")
    upgraded = frozen(monkeypatch, [older, newer])
    for level in LEVELS:
        assert after.fails(level) is before.fails(level)
    assert upgraded.fails(new)
    assert after.ruleset == "0.1"
    assert {(f.severity, f.severity_before, f.is_newer) for f in after.findings() if f.rule == "S901"} == {
        ("note", new, True)
    }
    assert [f.message for f in after.findings() if f.rule == "S900"] == [f.message for f in before.findings()]


def test_notes_of_newer_rules_are_counted_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = synthetic(tmp_path, 901, "error", "0.2")
    report = frozen(monkeypatch, [newer], ruleset="0.1")
    count = sum(1 for _ in report.findings())
    lines = [line for line in render(report, Style()).splitlines() if "newer than ruleset 0.1" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{count} notes")


def test_a_severity_given_to_a_newer_rule_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = synthetic(tmp_path, 901, "note", "0.2")
    report = frozen(monkeypatch, [newer], ruleset="0.1", severity={"S901": "error"})
    assert report.fails("error")
    assert not any(finding.is_newer for finding in report.findings())


def test_a_rule_of_a_user_is_never_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(USER_RULE.format(status="stable").replace("status", 'since = "9.9"\nstatus'))
    report = check(NAMED["conv_int8"](), config=Config(ruleset="0.1", rules=(str(path),)))
    assert report.fails("error")


def test_a_newer_rule_mutes_no_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = synthetic(tmp_path, 900, "error", "0.1")
    newer = synthetic(tmp_path, 901, "error", "0.2", more='mutes = ["S900"]')
    before = frozen(monkeypatch, [older], current="0.1")
    after = frozen(monkeypatch, [older, newer], ruleset="0.1")
    for level in LEVELS:
        assert after.fails(level) is before.fails(level)


@pytest.mark.parametrize("ruleset", ["", "0.0", RULESET, f"{RULESET}.99"])
def test_rulesets_up_to_this_version_are_known(ruleset: str) -> None:
    require_ruleset(ruleset)


@pytest.mark.parametrize("ruleset", ["9.0", "0.999", "1000.0.1"])
def test_a_ruleset_of_the_future_is_an_error(ruleset: str) -> None:
    with pytest.raises(UserError, match=r"newer than 0\.1") as raised:
        check(NAMED["conv_int8"](), config=Config(ruleset=ruleset))
    assert "upgrade" in raised.value.hint


def test_every_built_in_rule_has_a_ruleset_that_this_version_knows() -> None:
    for rule in RULES:
        require_ruleset(rule.since)
        assert rule.since
