"""Compares tflint's own predictions with what runtimes did: a disagreement is a defect of tflint or of its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tflint._version import __version__
from tflint.catalog import Rule
from tflint.columns.column import text_of
from tflint.confirm.verdicts import NOT_REPRODUCED, REFUSALS, describe_attempt
from tflint.facts.facts import Facts
from tflint.facts.run.model_run import ModelRun
from tflint.findings import Finding, Notice

#: Maximum number of operators in the text of a report.
_MAX_OPERATORS = 5


def find_disagreements(
    path: str,
    facts: Facts | None,
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    runs: Sequence[ModelRun],
    *,
    is_complete: bool,
) -> Iterator[Notice]:
    """Yield a notice for each prediction about a refusal that a run of the same release contradicts.

    A refusal that no rule predicts counts only if all rules that could predict it were selected (`is_complete`). The
    text is a report that a user can send: it has no bytes, names or paths of the model but the path in front.
    """
    operators = _describe_operators(facts)
    seen = set()
    for finding in findings:
        probe = finding.probe or {}
        rule = rules.get(finding.rule)
        is_refusal = rule is not None and rule.is_builtin and rule.confirm in REFUSALS
        if finding.verdict != NOT_REPRODUCED or not is_refusal or finding.rule in seen:
            continue
        seen.add(finding.rule)
        claim = f"{finding.rule} predicts that {probe['runtime']} refuses a model, but {probe['message']}"
        yield _notice(path, claim, operators)
    for run in runs if is_complete else ():
        failed = run.failure("default", REFUSALS["allocate"])
        if failed is None or not run.targets or run.is_predicted or failed.outcome != "refused":
            continue
        claim = (
            f"{run.label} refuses a model in the step {failed.step}, which no rule predicts: {describe_attempt(failed)}"
        )
        yield _notice(path, claim, operators)


def _notice(path: str, claim: str, operators: str) -> Notice:
    text = f"tflite-lint {__version__}: {claim}{operators}"
    return Notice(
        "self-check", f"{path}: please report this disagreement to the maintainers of tflint: “{text}”", "warning"
    )


def _describe_operators(facts: Facts | None) -> str:
    """Return the first operators with their versions and types: `; operators: ADD v2 (int8, int8 → int8)`."""
    if facts is None or not facts.n("operator"):
        return ""
    found: dict[str, None] = {}
    for operator in range(facts.n("operator")):
        found[_describe_operator(facts, operator)] = None
        if len(found) > _MAX_OPERATORS:
            break
    shown = list(found)[:_MAX_OPERATORS]
    more = ", …" if len(found) > _MAX_OPERATORS else ""
    return f"; operators: {', '.join(shown)}{more}"


def _describe_operator(facts: Facts, operator: int) -> str:
    dtypes = facts.column("tensor", "dtype")
    sides = []
    for name in ("inputs", "outputs"):
        rows = facts.lists("operator", name).row(operator)
        sides.append(", ".join((text_of(dtypes, row) or "?").lower() if row >= 0 else "none" for row in rows))
    code = int(facts.rows("operator", "operator_code")[operator])
    version = int(facts.numbers("operator_code", "version")[code]) if code >= 0 else 0
    opcode = text_of(facts.column("operator", "opcode"), operator) or "?"
    return f"{opcode} v{version} ({sides[0]} → {sides[1]})"
