"""Judges the rules about runs: what a run showed becomes findings of its own."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.confirm.golden_samples import GOLDEN_PROBLEM
from tflint.contract import Contract
from tflint.engine.plan import Plan, rules_for_runs
from tflint.engine.run import run_batch
from tflint.facts.run.model_run import ModelRun
from tflint.findings import Finding, NotChecked
from tflint.runner.model_loader import Model
from tflint.values import replace


def find_in_runs(
    model: Model, path: str, contract: Contract | None, runs: Sequence[ModelRun], plan: Plan
) -> list[Finding]:
    """Return the findings of the rules about runs. Each names the runtime that ran in its `probe`."""
    if not rules_for_runs(plan) or not model.is_readable:
        return []
    contracts = {} if contract is None else {0: contract}
    found: list[Finding] = []
    for run in runs:
        report = run_batch(model.tables, [path], plan, contracts, runs={0: (run,)})[0]
        target = ", ".join(run.targets) or None
        probe = {"name": "run", "runtime": run.label, "step": None, "message": None}
        found += [replace(finding, target=target, probe=probe) for finding in report.findings]
    return found


#: Rules that need inner tensors or both sets of kernels, which not every run shows.
_NEED_BUILTIN = ("R106", "R111", "R113")
_NEED_GOLDEN = ("R109", "R110", "R112")


def list_not_judged(runs: Sequence[ModelRun], rules: Sequence[str], reason: str) -> list[NotChecked]:
    """Return which rules about runs (`rules` are their ids) could not be decided for a model, and why.

    `reason` says why the model was not run at all; empty if it was.
    """
    if not any(run.attempts for run in runs):
        text = reason or next((text for run in runs for text in run.problems), "no runtime is installed")
        return [NotChecked(rule, 1, f"the model was not run: {text}") for rule in rules]
    entries = []
    for run in runs:
        ended = next((text for text in run.problems if text.startswith("not all probes")), "")
        died = next((one for one in run.attempts if one.outcome in ("timed-out", "crashed", "out-of-memory")), None)
        if run.runtime != "tflm" and (ended or died is not None) and not run.tensors:
            why = ended or f"the run ended early: {died.step} {died.outcome}" if died else ended
            entries += [NotChecked(rule, 1, why) for rule in _NEED_BUILTIN if rule in rules]
        golden = next((text for text in run.problems if text.startswith(GOLDEN_PROBLEM)), "")
        if golden:
            entries += [NotChecked(rule, 1, golden) for rule in _NEED_GOLDEN if rule in rules]
    return list(dict.fromkeys(entries))
