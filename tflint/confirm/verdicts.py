"""Compares findings with what a run showed, and gives each finding that a probe can confirm a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tflint.catalog import Rule
from tflint.confirm.subjects import tensor_index
from tflint.facts.run.model_run import STEPS, Attempt, ModelRun
from tflint.findings import SEVERITIES, VERDICTS, Finding, severity_rank
from tflint.values import frozen, replace

CONFIRMED, NOT_REPRODUCED, COULD_NOT_RUN = VERDICTS

#: The probes that show a refusal, and the steps of each.
REFUSALS = {"load": STEPS[:1], "allocate": STEPS[:2], "invoke": STEPS, "kernels": STEPS}
#: Smallest share of saturated values that confirms a finding about saturation.
MIN_SATURATED_SHARE = 0.01


@frozen
class Evidence:
    """What a probe showed: whether it confirms the finding (None: it could not tell), and a readable text."""

    holds: bool | None
    text: str
    step: str = ""


def judge_findings(
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    runs: Sequence[ModelRun],
    targets: Sequence[str],
    missing: Callable[[str], str],
) -> list[Finding]:
    """Return the findings with verdicts.

    `targets` are the names of the declared targets. `missing` returns, for a target without a run, what is not
    installed.
    """
    return [_judge(finding, rules.get(finding.rule), runs, targets, missing) for finding in findings]


def _judge(
    finding: Finding,
    rule: Rule | None,
    runs: Sequence[ModelRun],
    targets: Sequence[str],
    missing: Callable[[str], str],
) -> Finding:
    if rule is None or not rule.confirm or finding.n_more or (finding.refused_by and finding.target is None):
        return finding  # it is about runtimes that are not targets
    named = finding.target.split(", ") if finding.target else list(targets)
    judged = [(run, gather_evidence(rule.confirm, run, finding)) for run in runs if set(run.targets) & set(named)]
    if not judged:
        return _with_verdict(finding, COULD_NOT_RUN, rule.confirm, "", missing(named[0]))
    decided = [(run, evidence) for run, evidence in judged if evidence.holds is not None]
    run, evidence = next(((run, one) for run, one in decided if one.holds), (decided or judged)[0])
    if evidence.holds is None:
        return _with_verdict(finding, COULD_NOT_RUN, rule.confirm, run.label, evidence.text, evidence.step)
    if evidence.holds:
        return _with_verdict(finding, CONFIRMED, rule.confirm, run.label, evidence.text, evidence.step)
    undecided = [name for name in named if not any(name in one.targets for one, _ in decided)]
    if undecided:  # the finding may still hold there
        return _with_verdict(finding, COULD_NOT_RUN, rule.confirm, "", missing(undecided[0]))
    lower = SEVERITIES[max(severity_rank(finding.severity) - 1, 0)]
    judged_finding = _with_verdict(finding, NOT_REPRODUCED, rule.confirm, run.label, evidence.text, evidence.step)
    return replace(judged_finding, severity=lower)


def _with_verdict(finding: Finding, verdict: str, probe: str, runtime: str, message: str, step: str = "") -> Finding:
    measured = {"name": probe, "runtime": runtime or None, "step": step or None, "message": message}
    return replace(finding, verdict=verdict, probe=measured)


def gather_evidence(probe: str, run: ModelRun, finding: Finding) -> Evidence:
    """Return what a run showed about a finding of a rule with this probe."""
    if not run.attempts:
        return Evidence(None, "; ".join(run.problems) or "the model was not run")
    if probe in REFUSALS:
        return _find_refusal(run, "builtin" if probe == "kernels" else "default", REFUSALS[probe])
    if not run.outputs:
        failed = run.failure() or run.failure("builtin")
        text = f"the model did not run: {failed.message}" if failed else "the model has no outputs to compare"
        return Evidence(None, text, failed.step if failed else "")
    return _PROBES[probe](run, finding)


def _find_refusal(run: ModelRun, kernels: str, steps: tuple[str, ...]) -> Evidence:
    failed = run.failure(kernels, steps)
    if failed is None:
        if not any(one.kernels == kernels for one in run.attempts):
            return Evidence(None, f"the run ended before the {kernels} kernels were tried")
        last = [step for step in STEPS if run.has_run(step, kernels)]
        return Evidence(False, f"the model passes {', '.join(last)}" if last else "no step failed", steps[-1])
    if failed.outcome in ("out-of-memory", "timed-out"):
        return Evidence(None, failed.message, failed.step)
    return Evidence(True, describe_attempt(failed), failed.step)


def describe_attempt(attempt: Attempt) -> str:
    """Return a failed attempt as text: the kernels if they are not the default ones, and the runtime's message."""
    kernels = "" if attempt.kernels == "default" else f"{attempt.kernels} kernels: "
    return f"{kernels}{attempt.message}"


def _find_nonfinite(run: ModelRun, _finding: Finding) -> Evidence:
    shares = [output.nonfinite_share or 0.0 for output in run.outputs]
    worst = max(shares)
    if worst > 0:
        return Evidence(True, f"an output has NaN or infinity for {worst:.0%} of the generated inputs", "invoke")
    return Evidence(False, "the outputs are finite for all generated inputs", "invoke")


def _find_constant(run: ModelRun, finding: Finding) -> Evidence:
    index = tensor_index(finding.location.path)
    known = [output.is_unchanged for output in run.outputs if output.is_unchanged is not None]
    if index is not None and index in run.unchanged:
        return Evidence(True, "the tensor is the same for six different inputs", "invoke")
    if not known:
        return Evidence(None, "the outputs cannot be compared", "invoke")
    if all(known):
        return Evidence(True, "the outputs are the same for six different inputs", "invoke")
    return Evidence(False, "the outputs differ between six generated inputs", "invoke")


def _find_state(run: ModelRun, _finding: Finding) -> Evidence:
    known = [output.is_repeatable for output in run.outputs if output.is_repeatable is not None]
    if not known:
        return Evidence(None, "the outputs cannot be compared", "invoke")
    if not all(known):
        return Evidence(True, "the same input twice in a row gives different outputs", "invoke")
    return Evidence(False, "the same input twice in a row gives equal outputs", "invoke")


def _find_saturation(run: ModelRun, finding: Finding) -> Evidence:
    index = tensor_index(finding.location.path)
    share = run.saturated.get(index) if index is not None else None
    if share is None:
        return Evidence(None, "saturated values are counted on golden samples only", "invoke")
    text = f"{share:.2%} of the values are saturated on golden samples"
    return Evidence(share >= MIN_SATURATED_SHARE, text, "invoke")


_PROBES: Mapping[str, Callable[[ModelRun, Finding], Evidence]] = {
    "finite": _find_nonfinite,
    "alive": _find_constant,
    "twice": _find_state,
    "saturation": _find_saturation,
}
