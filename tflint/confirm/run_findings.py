"""Judges the rules about runs: what a run showed becomes findings of its own."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.contract import Contract
from tflint.engine.plan import Plan, rules_for_runs
from tflint.engine.run import run_batch
from tflint.facts.run.model_run import ModelRun
from tflint.findings import Finding
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
