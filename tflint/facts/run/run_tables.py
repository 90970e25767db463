"""The tables about runs: what a runtime did with each model of the batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tflint.columns.column import Column, references_of, scalars_of, strings_of, text_of, texts_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.run.dead_operators import are_outputs_unchanged, find_dead_operator, find_selections
from tflint.facts.run.main_subgraph import main_subgraph, tensor_row
from tflint.facts.run.model_run import Attempt, ModelRun, NormalizationRun

#: A problem of a run that is about a golden sample.
_SAMPLE_PROBLEM = re.compile(r"golden sample (\d{1,6}): (.*)", re.DOTALL)

Makers = dict[str, Callable[[], Column]]


def run_table(facts: Facts) -> Table:
    """Return the runs."""
    models, runs = _runs(facts)
    failures = [run.failure() for run in runs]
    builtin = [run.failure("builtin") for run in runs]
    return Table(
        "run",
        models,
        {
            "runtime": lambda: strings_of(run.runtime for run in runs),
            "release": lambda: strings_of(run.label for run in runs),
            "targets": lambda: texts_of([run.targets for run in runs]),
            "is_target": lambda: scalars_of((bool(run.targets) for run in runs), np.bool_),
            "step": lambda: _texts(failures, "step"),
            "outcome": lambda: _texts(failures, "outcome"),
            "message": lambda: _texts(failures, "message"),
            "builtin_step": lambda: _texts(builtin, "step"),
            "builtin_message": lambda: _texts(builtin, "message"),
            "has_invoked": lambda: scalars_of((run.has_run("invoke") for run in runs), np.bool_),
            "is_predicted": lambda: scalars_of((run.is_predicted for run in runs), np.bool_),
            "has_free_integers": lambda: scalars_of((run.has_free_integers for run in runs), np.bool_),
            "inputs_from": lambda: strings_of(run.inputs_from or "default" for run in runs),
            "max_seconds": lambda: scalars_of(run.max_seconds for run in runs),
            "seconds": lambda: scalars_of(run.seconds for run in runs),
            "arena_bytes": lambda: scalars_of(run.arena_bytes for run in runs),
            "delegate_start": lambda: strings_of(
                _name_producer(facts, model, run) for model, run in zip(models.tolist(), runs, strict=True)
            ),
            "n_compared": lambda: scalars_of(len(run.tensors) for run in runs),
            "n_unchanged": lambda: scalars_of(len(run.unchanged) for run in runs),
            "are_outputs_unchanged": lambda: scalars_of(
                (are_outputs_unchanged(facts, model, run) for model, run in zip(models.tolist(), runs, strict=True)),
                np.bool_,
            ),
            "dead_operator": lambda: references_of(
                find_dead_operator(facts, model, run) for model, run in zip(models.tolist(), runs, strict=True)
            ),
        },
    )


def _texts(attempts: Sequence[Attempt | None], field: str) -> Column:
    return strings_of(None if attempt is None else getattr(attempt, field) for attempt in attempts)


def output_table(facts: Facts) -> Table:
    """Return the outputs of the models that ran."""
    rows = [(number, model, output) for number, model, run in _number_runs(facts) for output in run.outputs]
    found = [_interface_row(facts, "output", model, output.position) for _, model, output in rows]
    tensors = [int(facts.rows("output", "tensor")[row]) if row >= 0 else -1 for row in found]
    outputs = [output for _, _, output in rows]
    makers: Makers = {
        "run": lambda: references_of(number for number, _, _ in rows),
        "output": lambda: references_of(found),
        "tensor": lambda: references_of(tensors),
        "nonfinite_share": lambda: scalars_of(one.nonfinite_share for one in outputs),
        "is_unchanged": lambda: scalars_of((one.is_unchanged for one in outputs), np.bool_),
        "is_repeatable": lambda: scalars_of((one.is_repeatable for one in outputs), np.bool_),
        "is_selection": lambda: scalars_of(find_selections(facts, tensors), np.bool_),
        "delegate_steps": lambda: scalars_of(one.delegate_steps for one in outputs),
        "delegate_share": lambda: scalars_of(one.delegate_share for one in outputs),
        "delegate_top1": lambda: scalars_of(one.delegate_top1 for one in outputs),
    }
    return Table("run_output", _models(model for _, model, _ in rows), makers)


def tensor_table(facts: Facts) -> Table:
    """Return the tensors whose saturated values were counted."""
    rows = [
        (number, model, row, share)
        for number, model, run in _number_runs(facts)
        for index, share in sorted(run.saturated.items())
        if (row := tensor_row(facts, model, index)) >= 0
    ]
    makers: Makers = {
        "run": lambda: references_of(row[0] for row in rows),
        "tensor": lambda: references_of(row[2] for row in rows),
        "saturated_share": lambda: scalars_of(row[3] for row in rows),
    }
    return Table("run_tensor", _models(row[1] for row in rows), makers)


def golden_table(facts: Facts) -> Table:
    """Return the comparisons with golden samples."""
    rows = [(number, model, golden) for number, model, run in _number_runs(facts) for golden in run.golden]
    compared = [golden for _, _, golden in rows]
    makers: Makers = {
        "run": lambda: references_of(number for number, _, _ in rows),
        "position": lambda: scalars_of(golden.sample for golden in compared),
        "output": lambda: references_of(
            _interface_row(facts, "output", model, golden.output) for _, model, golden in rows
        ),
        "agrees": lambda: scalars_of((golden.agrees for golden in compared), np.bool_),
        "difference": lambda: scalars_of(golden.difference for golden in compared),
        "output_position": lambda: scalars_of(golden.output for golden in compared),
        "problem": lambda: strings_of(golden.problem for golden in compared),
    }
    return Table("run_golden", _models(model for _, model, _ in rows), makers)


def sample_table(facts: Facts) -> Table:
    """Return the golden samples that cannot be compared. The problems of a run contain them as texts."""
    rows = [
        (number, model, int(found[1]), found[2])
        for number, model, run in _number_runs(facts)
        for text in dict.fromkeys(run.problems)
        if (found := _SAMPLE_PROBLEM.fullmatch(text)) is not None
    ]
    makers: Makers = {
        "run": lambda: references_of(row[0] for row in rows),
        "position": lambda: scalars_of(row[2] for row in rows),
        "problem": lambda: strings_of(row[3] for row in rows),
    }
    return Table("run_sample", _models(row[1] for row in rows), makers)


def change_table(facts: Facts) -> Table:
    """Return the changes of the preprocessing that fit better."""
    rows = [(number, model, change) for number, model, run in _number_runs(facts) for change in run.changes]
    changes = [change for _, _, change in rows]
    makers: Makers = {
        "run": lambda: references_of(number for number, _, _ in rows),
        "position": lambda: scalars_of(change.entry for change in changes),
        "key": lambda: strings_of(change.key for change in changes),
        "declared": lambda: strings_of(change.declared for change in changes),
        "changed": lambda: strings_of(change.changed for change in changes),
        "error": lambda: scalars_of(change.error for change in changes),
        "changed_error": lambda: scalars_of(change.changed_error for change in changes),
        "samples": lambda: scalars_of(change.samples for change in changes),
    }
    return Table("run_change", _models(model for _, model, _ in rows), makers)


def normalization_table(facts: Facts) -> Table:
    """Return the inputs that were run with several normalizations: the best and the next best."""
    rows = [
        (number, model, best, following)
        for number, model, run in _number_runs(facts)
        for best, following in _best_two(run)
    ]
    makers: Makers = {
        "run": lambda: references_of(row[0] for row in rows),
        "input": lambda: references_of(_interface_row(facts, "input", row[1], row[2].input) for row in rows),
        "best": lambda: strings_of(row[2].normalization for row in rows),
        "spread": lambda: scalars_of(row[2].spread for row in rows),
        "confidence": lambda: scalars_of(row[2].confidence for row in rows),
        "next_spread": lambda: scalars_of(row[3].spread for row in rows),
        "next": lambda: strings_of(row[3].normalization for row in rows),
    }
    return Table("run_normalization", _models(row[1] for row in rows), makers)


def _name_producer(facts: Facts, model: int, run: ModelRun) -> str | None:
    """Return the operator that computes the first tensor that differs, such as `operator 12 DEPTHWISE_CONV_2D`."""
    tensor = -1 if run.delegate_tensor is None else tensor_row(facts, model, run.delegate_tensor)
    operator = int(facts.rows("tensor", "producer")[tensor]) if tensor >= 0 else -1
    if operator < 0:
        return None
    index = int(facts.numbers("operator", "index")[operator])
    return f"operator {index} {text_of(facts.column('operator', 'opcode'), operator)}"


def _best_two(run: ModelRun) -> Iterator[tuple[NormalizationRun, NormalizationRun]]:
    """Yield, per input, the two normalizations with the largest spread."""
    for position in sorted({one.input for one in run.normalizations}):
        ranked = sorted((one for one in run.normalizations if one.input == position), key=lambda one: -one.spread)
        if len(ranked) > 1:
            yield ranked[0], ranked[1]


# -- helpers -----------------------------------------------------------------------------------------------------------


def _runs(facts: Facts) -> tuple[Any, list[ModelRun]]:
    pairs = [(model, run) for model, runs in facts.runs.items() for run in runs]
    return _models(model for model, _ in pairs), [run for _, run in pairs]


def _number_runs(facts: Facts) -> Iterator[tuple[int, int, ModelRun]]:
    """Yield the number of each run, the number of its model, and the run."""
    models, runs = _runs(facts)
    yield from zip(range(len(runs)), models.tolist(), runs, strict=True)


def _models(numbers: Any) -> Any:
    return np.array(list(numbers), dtype=np.int32)


def _interface_row(facts: Facts, side: str, model: int, position: int) -> int:
    subgraph = main_subgraph(facts, model)
    rows = facts.table(side).rows_of(model)
    row = rows.start + position
    return row if position >= 0 and row < rows.stop and int(facts.rows(side, "subgraph")[row]) == subgraph else -1
