"""Declarations of the tables about runs of models. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import ColumnDeclaration, ColumnType, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TEXT, TEXTS, TRUTH

_NOT_RUN = "the model did not run"
_NO_FAILURE = "no step failed"
_NO_DELEGATE = "the model did not run with both sets of kernels, or the output has no numbers that can be compared"


def _table(name: str, row: str, compute: str, *columns: ColumnDeclaration) -> TableDeclaration:
    return TableDeclaration(name, row, {column.name: column for column in columns}, (), f"run.{compute}")


def _column(name: str, type_: ColumnType, meaning: str, absent: str = "", domain: str = "") -> ColumnDeclaration:
    return ColumnDeclaration(name, type_, meaning, absent, domain=tuple(domain.split()))


_RUN = _table(
    "run",
    "a model that a runtime tried to run (--confirm)",
    "run_tables:run_table",
    _column("runtime", TEXT, "name of the runtime", domain="litert tflite tflm"),
    _column("release", TEXT, "runtime and version, such as litert 2.3.0"),
    _column("targets", TEXTS, "declared targets that the release stands for"),
    _column("is_target", TRUTH, "whether the release is a declared target"),
    _column("step", TEXT, "step that failed first with default kernels", _NO_FAILURE, "load allocate invoke"),
    _column(
        "outcome",
        TEXT,
        "how the first failed step with default kernels ended",
        _NO_FAILURE,
        "refused crashed timed-out out-of-memory",
    ),
    _column("message", TEXT, "the runtime's message about the first failed step", _NO_FAILURE),
    _column("builtin_step", TEXT, "first failed step with the built-in kernels, without delegates", _NO_FAILURE),
    _column("builtin_message", TEXT, "the runtime's message about that step", _NO_FAILURE),
    _column("has_invoked", TRUTH, "whether the model ran on at least one input with default kernels"),
    _column("is_predicted", TRUTH, "whether a finding predicted that the runtime refuses the model"),
    _column(
        "has_free_integers",
        TRUTH,
        "whether an input takes integers without quantization, such as indices or a shape, and nothing tells which ones"
        " are valid",
    ),
    _column("inputs_from", TEXT, "origin of the input ranges", domain="contract metadata graph quantization default"),
    _column("max_seconds", NUM, "time limit in seconds"),
    _column("seconds", NUM, "median time of an invocation in seconds", _NOT_RUN),
    _column(
        "arena_bytes", NUM, "bytes of the arena that TFLM needs", "the runtime is not TFLM, or it did not allocate"
    ),
    _column(
        "delegate_start",
        TEXT,
        "first operator whose output differs by more than 8 steps between default and built-in kernels",
        "the outputs do not differ clearly, or the operator was not found",
    ),
    _column("n_compared", NUM, "number of computed tensors that were compared over all generated inputs"),
    _column("n_unchanged", NUM, "number of these tensors that were the same for all generated inputs"),
    _column(
        "are_outputs_unchanged",
        TRUTH,
        "whether all outputs that depend on an input were the same for all generated inputs",
        _NOT_RUN,
    ),
    _column(
        "dead_operator",
        reference("operator"),
        "first operator whose outputs were the same for all generated inputs although an input of it was not",
        "there is none, or later operators only select, round or limit its values",
    ),
)
_OUTPUT = _table(
    "run_output",
    "an output of a model that ran",
    "run_tables:output_table",
    _column("run", reference("run"), "its run"),
    _column("output", reference("output"), "the output"),
    _column("tensor", reference("tensor"), "its tensor"),
    _column("nonfinite_share", NUM, "share of the generated inputs for which it has NaN or infinity", _NOT_RUN),
    _column("is_unchanged", TRUTH, "whether it was the same for all generated inputs", _NOT_RUN),
    _column("is_repeatable", TRUTH, "whether the same input gave the same output twice in a row", _NOT_RUN),
    _column(
        "is_selection",
        TRUTH,
        "whether an operator that selects or counts (ARG_MAX, TOPK_V2, NON_MAX_SUPPRESSION_V4, …) computes it or an"
        " operand of it",
    ),
    _column(
        "delegate_steps",
        NUM,
        "largest difference between default and built-in kernels in quantization steps, median over the inputs",
        _NO_DELEGATE + ", or it is not quantized",
    ),
    _column("delegate_share", NUM, "the same difference as a share of the output's range of values", _NO_DELEGATE),
    _column("delegate_top1", NUM, "number of inputs for which the position of the largest value differs", _NO_DELEGATE),
)
_TENSOR = _table(
    "run_tensor",
    "a computed tensor whose saturated values were counted on golden samples",
    "run_tables:tensor_table",
    _column("run", reference("run"), "its run"),
    _column("tensor", reference("tensor"), "the tensor"),
    _column("saturated_share", NUM, "share of its values that are saturated, 0 to 1"),
)
_GOLDEN = _table(
    "run_golden",
    "an output that was compared with a golden sample",
    "run_tables:golden_table",
    _column("run", reference("run"), "its run"),
    _column("position", NUM, "position among the contract's golden samples, from 0"),
    _column("output", reference("output"), "the output", "the model has fewer outputs"),
    _column("agrees", TRUTH, "whether it is within the tolerances"),
    _column("difference", NUM, "largest absolute difference from the expected output", "the shapes differ"),
    _column("output_position", NUM, "position of the output among the sample's outputs, from 0"),
    _column("problem", TEXT, "what does not agree; empty if it agrees"),
)
_CHANGE = _table(
    "run_change",
    "a change of the contract's preprocessing with which the golden samples fit better",
    "run_tables:change_table",
    _column("run", reference("run"), "its run"),
    _column("position", NUM, "position of the input among the contract's inputs, from 0"),
    _column("key", TEXT, "contract key that changes"),
    _column("declared", TEXT, "value of the contract"),
    _column("changed", TEXT, "value with which the golden samples fit better"),
    _column("error", NUM, "mean difference from the expected outputs with the contract's preprocessing"),
    _column("changed_error", NUM, "the same difference with the changed preprocessing"),
    _column("samples", NUM, "number of golden samples"),
)
_NORMALIZATION = _table(
    "run_normalization",
    "a float image input that was run with several known normalizations",
    "run_tables:normalization_table",
    _column("run", reference("run"), "its run"),
    _column("input", reference("input"), "the input"),
    _column("best", TEXT, "the known normalization for which the outputs differ most between images"),
    _column("spread", NUM, "how much the outputs differ between images, relative to their size"),
    _column("confidence", NUM, "mean of the largest probability", "the outputs are not probabilities"),
    _column("next_spread", NUM, "spread with the next best normalization"),
    _column("next", TEXT, "the next best normalization"),
)

_SAMPLE = _table(
    "run_sample",
    "a golden sample that cannot be compared",
    "run_tables:sample_table",
    _column("run", reference("run"), "its run"),
    _column("position", NUM, "position among the contract's golden samples, from 0"),
    _column("problem", TEXT, "why it cannot be compared"),
)

TABLES = (_RUN, _OUTPUT, _TENSOR, _GOLDEN, _SAMPLE, _CHANGE, _NORMALIZATION)
