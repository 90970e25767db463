"""Test facts on small models with known answers, and the guarantees of the registry on all named models."""

from typing import Any

import pytest

from tests.helpers.facts import by_name, facts_of, named, rows
from tests.helpers.models import ModelBuilder
from tflint import resources
from tflint.columns.column import Lists, References, Scalars, Strings, Texts, text_of
from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING
from tflint.facts import facts as facts_module
from tflint.facts.fact_registry import PAIR_TABLES, RUN_TABLES, all_tables
from tflint.facts.facts import FactBudgetError, FactError, Facts
from tflint.facts.pair import pair_declarations
from tflint.facts.run import run_declarations
from tflint.model.batch_reader import open_model, read_batches, read_one
from tflint.source import BytesSource, FileSource

# -- the registry ------------------------------------------------------------------------------------------------------

READABLE = [
    name
    for name in resources.named_models()
    if name
    not in ("empty_file", "git_lfs_pointer", "gzip_data", "html_page", "no_identifier", "truncated", "zip_archive")
    and resources.named_model_path(name).suffix == ".tflite"
]
CONTAINERS = [name for name in resources.named_models() if resources.named_model_path(name).suffix != ".tflite"]


def test_the_names_of_tables_about_pairs_and_runs_are_those_of_their_declarations() -> None:
    assert {declared.name for declared in pair_declarations.TABLES} == PAIR_TABLES
    assert {declared.name for declared in run_declarations.TABLES} == RUN_TABLES


@pytest.mark.parametrize("name", [*READABLE, *CONTAINERS])
def test_every_column_has_the_declared_type_and_a_value_for_each_row(name):
    facts = Facts(read_one(open_model(FileSource(resources.named_model_path(name)))))
    for table, declared in all_tables().items():
        n = facts.n(table)
        for column in declared.columns.values():
            values = facts.column(table, column.name)
            assert len(values) == n, f"{table}.{column.name}"
            assert values.state is None or len(values.state) == n
            assert isinstance(values, _classes(column.type)), f"{table}.{column.name}: {type(values).__name__}"
            if column.domain and isinstance(values, Strings) and n:
                used = {text_of(values, row) for row in range(n)} - {None}
                assert used <= set(column.domain), f"{table}.{column.name}"


def _classes(type_):
    if type_.is_list:
        return Lists
    return {NUMBER: Scalars, BOOL: Scalars, STRING: (Strings, Texts), REFERENCE: References}[type_.kind]


def test_what_a_fact_needs_is_declared():
    tables = all_tables()
    for table, declared in tables.items():
        for column in declared.columns.values():
            for need in column.needs:
                owner, name = need.split(".", 1)
                assert name in tables[owner].columns or (owner == "index" and name), f"{table}.{column.name}: {need}"
            assert column.meaning
            assert bool(column.needs) <= bool(column.compute)


def test_a_fact_is_computed_only_when_asked_for_and_only_once(monkeypatch):
    facts = named("conv_int8")
    facts.column("tensor", "producer")
    assert ("operator", "bias_shift_steps") not in facts._columns
    assert facts.column("tensor", "producer") is facts.column("tensor", "producer")


def test_a_fact_that_crashes_is_named(monkeypatch):
    facts = named("conv_int8")
    monkeypatch.setattr("tflint.facts.graph.tensor_uses.producer", lambda _facts: 1 // 0)
    with pytest.raises(FactError, match=r"fact tensor.producer failed: ZeroDivisionError"):
        facts.column("tensor", "producer")


def test_a_fact_stays_within_its_budget(monkeypatch):
    monkeypatch.setattr(facts_module, "MAX_ELEMENTS", 2)
    with pytest.raises(FactBudgetError, match="3 values of biases, more than the limit of 2"):
        named("conv_int8").column("operator", "bias_shift_steps")


# -- graph -------------------------------------------------------------------------------------------------------------


def test_producers_consumers_and_use():
    facts = named("chain_float32")  # input -> RELU -> a -> TANH -> b -> LOGISTIC -> output
    assert by_name(facts, "producer") == {"input": None, "a": 0, "b": 1, "output": 2}
    assert by_name(facts, "consumers") == {"input": [0], "a": [1], "b": [2], "output": []}
    assert by_name(facts, "first_use") == {"input": 0, "a": 0, "b": 1, "output": 2}
    assert by_name(facts, "last_use") == {"input": 0, "a": 1, "b": 2, "output": 2}
    assert by_name(facts, "is_input") == {"input": True, "a": False, "b": False, "output": False}
    assert by_name(facts, "is_output") == {"input": False, "a": False, "b": False, "output": True}


def test_a_tensor_made_twice_has_its_first_producer_and_both():
    facts = named("chain_float32", {"operators.1.outputs": [1]})
    assert by_name(facts, "producer")["a"] == 0
    assert by_name(facts, "producers")["a"] == [0, 1]


def test_availability_of_inputs():
    swapped = {
        "operators.0.inputs": [1],
        "operators.0.outputs": [2],
        "operators.1.inputs": [0],
        "operators.1.outputs": [1],
    }
    assert rows(named("chain_float32"), "operand", "is_available") == [True, None, True, None, True, None]
    assert rows(named("chain_float32", swapped), "operand", "is_available")[0] is False
    # An optional operand that is not given is neither available nor missing.
    assert rows(named("conv_int8", {"operators.0.inputs": [0, 1, -1]}), "operand", "is_available")[2] is None
    # Nothing can be missing of a tensor without elements.
    empty = {"tensors.bias.buffer": 0, "tensors.bias.shape": [0]}
    assert rows(named("conv_int8", empty), "operand", "is_available")[2] is True


def test_reachability():
    model = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [2])
        .tensor("constant", "FLOAT32", [2], data=[1.0, 2.0])
        .tensor("kept", "FLOAT32", [2])
        .tensor("lost", "FLOAT32", [2])
        .tensor("fixed", "FLOAT32", [2])
        .operator("RELU", ["input"], ["kept"])
        .operator("RELU", ["input"], ["lost"])
        .operator("RELU", ["constant"], ["fixed"])
        .inputs("input")
        .outputs("kept", "fixed")
        .build()
    )
    facts = facts_of(model)
    assert rows(facts, "operator", "reaches_output") == [True, False, True]
    assert by_name(facts, "depends_on_input") == {
        "input": True, "constant": False, "kept": True, "lost": True, "fixed": False,
    }  # fmt: skip


def test_subgraphs_are_reached_by_calls_and_signatures():
    assert all(rows(named("two_subgraphs"), "subgraph", "is_reachable"))
    calls_itself_only = {"operators.0.builtin_options.then_subgraph_index": 0}
    assert rows(named("two_subgraphs", calls_itself_only), "subgraph", "is_reachable") == [True, False, True]


# -- roles -------------------------------------------------------------------------------------------------------------


def test_roles_of_operands_and_tensors():
    facts = named("transpose_conv_int8")  # output_shape, weights, input, bias
    assert rows(facts, "operand", "role") == ["constant", "weights", "input", "bias", "output"]
    assert rows(facts, "operator", "input") == ["input"]
    assert rows(facts, "operator", "weights") == ["weights"]
    assert rows(facts, "operator", "bias") == ["bias"]
    assert rows(facts, "operator", "output") == ["output"]
    assert rows(facts, "operator", "channel_axis") == [0]
    roles = by_name(facts, "role")
    assert (roles["weights"], roles["bias"], roles["input"], roles["output"]) == ("weights", "bias", "input", "output")


def test_an_operator_without_weights_has_none():
    facts = named("add_int8")
    assert rows(facts, "operator", "weights") == [None]
    assert rows(facts, "operator", "bias") == [None]
    assert rows(facts, "operator", "input") == ["a"]


# -- sizes -------------------------------------------------------------------------------------------------------------


def test_sizes_of_tensors_and_models():
    facts = named("conv_int8")
    assert by_name(facts, "n_elements") == {"input": 32, "weights": 6, "bias": 3, "output": 48}
    assert by_name(facts, "n_bytes") == {"input": 32, "weights": 6, "bias": 12, "output": 48}
    assert by_name(facts, "stored_bytes") == {"input": None, "weights": 6, "bias": 12, "output": None}
    assert by_name(facts, "rank") == {"input": 4, "weights": 4, "bias": 1, "output": 4}
    assert by_name(facts, "is_constant") == {"input": False, "weights": True, "bias": True, "output": False}
    assert rows(facts, "model", "n_operators") == [1]
    assert rows(facts, "model", "n_tensors") == [4]
    assert rows(facts, "model", "constant_bytes") == [18]


def test_packed_strings_and_unknown_sizes():
    assert by_name(named("fully_connected_int4"), "bits")["weights"] == 4
    assert by_name(named("string_const"), "n_bytes").get("strings", None) is None
    negative = named("conv_int8", {"tensors.input.shape": [1, -1, 4, 2]})
    assert by_name(negative, "n_elements")["input"] == "?"
    assert by_name(negative, "n_bytes")["input"] == "?"


def test_a_shape_whose_product_does_not_fit_an_integer():
    facts = named("conv_int8", {"tensors.input.shape": [2**31 - 1] * 4})
    assert by_name(facts, "n_elements")["input"] == float(2**31 - 1) ** 4


# -- quantization ------------------------------------------------------------------------------------------------------


def test_parameters_of_quantized_tensors():
    facts = named("conv_int8")
    assert by_name(facts, "granularity") == {
        "input": "per-tensor", "weights": "per-channel", "bias": "per-channel", "output": "per-tensor",
    }  # fmt: skip
    assert by_name(facts, "is_quantized") == dict.fromkeys(["input", "weights", "bias", "output"], True)
    assert by_name(facts, "per_tensor_scale")["input"] == pytest.approx(1 / 127.5)
    assert by_name(facts, "per_tensor_scale")["weights"] is None
    assert by_name(facts, "per_tensor_zero_point")["input"] == -1
    assert by_name(facts, "qmin")["input"] == -128
    assert by_name(facts, "qmax")["bias"] == 2**31 - 1
    assert by_name(facts, "real_min")["input"] == pytest.approx([-127 / 127.5])
    assert by_name(facts, "real_max")["input"] == pytest.approx([128 / 127.5])
    assert by_name(facts, "real_max")["weights"] == pytest.approx([0.004 * 127, 0.006 * 127, 0.003 * 127])


def test_float_tensors_have_no_integer_facts():
    facts = named("conv_float32")
    for column in ("granularity", "qmin", "real_min", "per_tensor_scale"):
        assert by_name(facts, column)["input"] is None
    assert by_name(facts, "is_integer")["input"] is False


def test_unlike_numbers_of_scales_and_zero_points_are_unknown():
    facts = named("conv_int8", {"tensors.weights.quantization.zero_point": [0]})
    assert by_name(facts, "real_min")["weights"] == "?"


# -- biases and multipliers --------------------------------------------------------------------------------------------


def test_the_expected_bias_scale_and_what_a_wrong_one_does():
    facts = named("conv_int8")
    expected = [1 / 127.5 * scale for scale in (0.004, 0.006, 0.003)]
    assert rows(facts, "operator", "expected_bias_scale")[0] == pytest.approx(expected, rel=1e-6)
    assert max(rows(facts, "operator", "bias_scale_error")[0]) < 1e-6
    assert max(rows(facts, "operator", "bias_shift_steps")[0]) < 0.01

    doubled = named("conv_int8", {"tensors.bias.quantization.scale": [2 * scale for scale in expected]})
    stored = [round(real / scale) for real, scale in zip((0.25, -0.125, 0.0625), expected, strict=True)]
    shift = [abs(q) * scale * 127.5 for q, scale in zip(stored, expected, strict=True)]
    assert rows(doubled, "operator", "bias_scale_error")[0] == pytest.approx([1, 1, 1], rel=1e-5)
    assert rows(doubled, "operator", "bias_shift_steps")[0] == pytest.approx(shift, rel=1e-5)


def test_one_bias_scale_stands_for_all_channels_and_other_counts_are_unknown():
    one = named("conv_int8", {"tensors.bias.quantization.scale": [1.0], "tensors.bias.quantization.zero_point": [0]})
    assert len(rows(one, "operator", "bias_shift_steps")[0]) == 3
    two = {"tensors.bias.quantization.scale": [1.0, 2.0], "tensors.bias.quantization.zero_point": [0, 0]}
    assert rows(named("conv_int8", two), "operator", "bias_shift_steps") == ["?"]
    assert rows(named("conv_int8", two), "operator", "bias_scale_error") == ["?"]


def test_what_is_absent_of_biases():
    assert rows(named("conv_hybrid"), "operator", "bias_shift_steps") == [None]
    assert rows(named("add_int8"), "operator", "expected_bias_scale") == [None]
    assert rows(named("conv_int8", {"operators.0.inputs": [0, 1]}), "operator", "bias_shift_steps") == [None]


def test_all_zero_biases():
    assert by_name(named("conv_int8"), "all_zero") == {"input": None, "weights": None, "bias": False, "output": None}
    assert by_name(named("conv_int8", {"tensors.bias.data": [0, 0, 0]}), "all_zero")["bias"] is True
    assert by_name(named("conv_int16x8", {"tensors.bias.data": [0, 0, 0]}), "all_zero")["bias"] is True
    assert by_name(named("conv_int16x8"), "all_zero")["bias"] is False


def test_biases_shared_by_operators_are_judged_for_each():
    scale = 0.5
    builder = ModelBuilder().tensor("input", "INT8", [1, 2], scale=scale)
    builder.tensor("weights", "INT8", [2, 2], data=[1, 2, 3, 4], scale=scale)
    builder.tensor("bias", "INT32", [2], data=[4, 0], scale=1.0)
    for name in ("one", "two"):
        builder.tensor(name, "INT8", [1, 2], scale=1.0)
        builder.operator("FULLY_CONNECTED", ["input", "weights", "bias"], [name], version=4)
    facts = facts_of(builder.inputs("input").outputs("one", "two").build())
    assert rows(facts, "operator", "bias_shift_steps") == [[3.0, 0.0], [3.0, 0.0]]


@pytest.mark.parametrize(
    ("edit", "stateful"),
    [
        ({}, True),
        ({"operators.4": "absent"}, False),  # only CALL_ONCE assigns the variable
        ({"operators.4": "absent", "subgraphs.1.operators": []}, False),  # no operator assigns it
        ({"operators.4": "absent", "tensors.total.is_variable": True}, True),
    ],
)
def test_a_model_that_only_reads_variables_keeps_no_state(edit, stateful):
    assert rows(named("variable_state", edit), "model", "is_stateful") == [stateful]


def test_output_multipliers():
    facts = named("add_int8", {"tensors.output.quantization.scale": [2.0**-20]})
    (a, b) = (by_name(facts, "per_tensor_scale")[name] for name in ("a", "b"))
    assert rows(facts, "operator", "output_multiplier") == [[pytest.approx(2 * max(a, b))]]
    facts = named("conv_int8")
    expected = rows(facts, "operator", "expected_bias_scale")[0]
    assert rows(facts, "operator", "output_multiplier")[0] == pytest.approx([s * 127.5 for s in expected], rel=1e-6)
    assert rows(named("add_float32"), "operator", "output_multiplier") == [None]


# -- same scale --------------------------------------------------------------------------------------------------------


def test_operands_that_must_share_a_scale():
    assert rows(named("concat_int8"), "operator", "same_scale_operands")[0][-1] == "output"
    assert len(rows(named("concat_int8"), "operator", "same_scale_operands")[0]) >= 3
    assert rows(named("reshape_int8"), "operator", "same_scale_operands") == [["input", "output"]]
    assert rows(named("conv_int8"), "operator", "same_scale_operands") == [None]


def test_a_uint8_concatenation_rescales():
    builder = ModelBuilder()
    for name in ("a", "b", "output"):
        builder.tensor(name, "UINT8", [1, 2 if name != "output" else 4], scale=0.5, zero_point=3)
    builder.operator("CONCATENATION", ["a", "b"], ["output"], {"axis": 1}).inputs("a", "b").outputs("output")
    assert rows(facts_of(builder.build()), "operator", "same_scale_operands") == [[]]


def test_constant_operands_of_a_selection_may_differ():
    builder = ModelBuilder().tensor("a", "INT8", [2], scale=0.5).tensor("b", "INT8", [2], scale=0.1, data=[1, 2])
    builder.tensor("output", "INT8", [2], scale=0.5).operator("MAXIMUM", ["a", "b"], ["output"])
    facts = facts_of(builder.inputs("a").outputs("output").build())
    assert rows(facts, "operator", "same_scale_operands") == [["a", "output"]]


def test_chains_of_the_same_scale():
    builder = ModelBuilder()
    for name in ("a", "b", "c", "x", "y", "alone"):
        builder.tensor(name, "INT8", [4], scale=0.5)
    builder.tensor("shape", "INT32", [1], data=[4])
    for source, target in (("b", "c"), ("a", "b"), ("x", "y")):
        builder.operator("RESHAPE", [source, "shape"], [target])
    facts = facts_of(builder.inputs("a", "x", "alone").outputs("c", "y").build())
    assert rows(facts, "group", "tensors") == [["a", "b", "c"], ["x", "y"]]
    assert rows(facts, "group", "operators") == [[0, 1], [2]]


# -- schemes -----------------------------------------------------------------------------------------------------------

SCHEMES = {
    "conv_float32": ("float32", "float32"),
    "conv_hybrid": ("dynamic-range", "dynamic range"),
    "conv_int8": ("int8", "full int8"),
    "conv_uint8": ("uint8", "legacy uint8"),
    "conv_int16x8": ("int16x8", "int16x8"),
    "fully_connected_int4": (None, None),
    "add_int8": ("int8", "full int8"),
    "add_float32": ("float32", "float32"),
}


@pytest.mark.parametrize(("name", "scheme"), SCHEMES.items())
def test_schemes_of_operators_and_models(name, scheme):
    facts = named(name)
    if scheme[0] is None:
        assert rows(facts, "operator", "scheme")[0] in ("int4", "dynamic-range")
    else:
        assert rows(facts, "operator", "scheme")[-1] == scheme[0]
        assert rows(facts, "model", "scheme") == [scheme[1]]


def test_float16_weights_behind_dequantize():
    facts = named("conv_float16_weights")
    assert "float16-weights" in rows(facts, "operator", "scheme")
    assert rows(facts, "model", "scheme") == ["float16 weights"]


def test_weights_alone_quantized_behind_dequantize():
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 2])
        .tensor("packed", "INT8", [2, 2], data=[1, 2, 3, 4], scale=0.5)
        .tensor("weights", "FLOAT32", [2, 2])
        .tensor("output", "FLOAT32", [1, 2])
        .operator("DEQUANTIZE", ["packed"], ["weights"])
        .operator("FULLY_CONNECTED", ["input", "weights"], ["output"])
        .inputs("input")
        .outputs("output")
    )
    facts = facts_of(builder.build())
    assert rows(facts, "operator", "scheme")[1] == "weight-only"
    assert rows(facts, "model", "scheme") == ["weight-only"]


def test_float_borders_and_mixtures_of_int8():
    def model(*, float_middle: bool) -> bytes:
        builder = (
            ModelBuilder()
            .tensor("input", "FLOAT32", [1, 2])
            .tensor("q", "INT8", [1, 2], scale=0.5)
            .tensor("w", "INT8", [2, 2], data=[1, 2, 3, 4], scale=0.5)
            .tensor("y", "INT8", [1, 2], scale=0.5)
            .tensor("real", "FLOAT32", [1, 2])
            .tensor("output", "FLOAT32", [1, 2])
            .operator("QUANTIZE", ["input"], ["q"])
            .operator("FULLY_CONNECTED", ["q", "w"], ["y"], version=4)
            .operator("DEQUANTIZE", ["y"], ["real" if float_middle else "output"])
        )
        if float_middle:
            builder.operator("EXP", ["real"], ["output"])
        return builder.inputs("input").outputs("output").build()

    assert rows(facts_of(model(float_middle=False)), "model", "scheme") == ["full int8, float32 input and output"]
    assert rows(facts_of(model(float_middle=True)), "model", "scheme") == ["mixed (float32, int8)"]


def float_model(dtype: str, **fields: Any) -> ModelBuilder:
    """A FULLY_CONNECTED with float activations and quantized weights."""
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 4])
    builder.tensor("weights", dtype, [2, 4], data=bytes(8), scale=None if fields else 0.5, **fields)
    builder.tensor("output", "FLOAT32", [1, 2]).operator("FULLY_CONNECTED", ["input", "weights"], ["output"])
    return builder.inputs("input").outputs("output")


BLOCKWISE = {"quantization": {"details": {"type": "BlockwiseQuantization", "scales": 2, "block_size": 32}}}


@pytest.mark.parametrize(
    ("dtype", "fields", "scheme"),
    [
        ("INT8", {}, "dynamic range"),
        ("INT4", {}, "dynamic range (int4 weights)"),
        ("INT2", {}, "dynamic range (int2 weights)"),
        ("INT4", BLOCKWISE, "dynamic range (blockwise int4 weights)"),
        ("INT8", BLOCKWISE, "dynamic range (blockwise int8 weights)"),
    ],
)
def test_dynamic_range_of_other_than_int8_weights_is_told_apart(dtype, fields, scheme):
    facts = facts_of(float_model(dtype, **fields).build())
    assert rows(facts, "model", "scheme") == [scheme]
    assert rows(facts, "model", "base_scheme") == ["dynamic range"]


@pytest.mark.parametrize(("dtype", "scheme"), [("INT4", "int4"), ("INT2", "int2"), ("INT8", "full int8")])
def test_integer_models_are_named_after_their_narrowest_weights(dtype, scheme):
    builder = ModelBuilder().tensor("input", "INT8", [1, 4], scale=0.5).tensor("between", "INT8", [1, 4], scale=0.5)
    builder.tensor("weights", "INT8", [4, 4], data=bytes(16), scale=0.5)
    builder.tensor("narrow", dtype, [4, 4], data=bytes(16), scale=0.5).tensor("output", "INT8", [1, 4], scale=0.5)
    builder.operator("FULLY_CONNECTED", ["input", "weights"], ["between"], version=4)
    builder.operator("FULLY_CONNECTED", ["between", "narrow"], ["output"], version=4)
    assert rows(facts_of(builder.inputs("input").outputs("output").build()), "model", "scheme") == [scheme]


def test_a_mixed_scheme_lists_float32_operators_without_weights():
    builder = ModelBuilder().tensor("input", "INT8", [1, 4], scale=0.5).tensor("wide", "INT16", [1, 4], scale=0.5)
    builder.tensor("weights", "INT8", [4, 4], data=bytes(16), scale=0.5).tensor("between", "INT8", [1, 4], scale=0.5)
    builder.tensor("real", "FLOAT32", [1, 4]).tensor("output", "FLOAT32", [1, 4])
    builder.tensor("last", "INT16", [1, 4], scale=0.5)
    builder.operator("FULLY_CONNECTED", ["input", "weights"], ["between"], version=4)
    builder.operator("QUANTIZE", ["between"], ["wide"])
    builder.operator("FULLY_CONNECTED", ["wide", "weights"], ["last"], version=4)
    builder.operator("DEQUANTIZE", ["last"], ["real"]).operator("EXP", ["real"], ["output"])
    facts = facts_of(builder.inputs("input").outputs("output").build())
    assert rows(facts, "model", "scheme") == ["mixed (float32, int16x8, int8)"]


# -- indices -----------------------------------------------------------------------------------------------------------


def test_the_table_of_indices_has_every_kind():
    facts = named("two_subgraphs")
    fields = set(rows(facts, "index", "field"))
    assert {
        "operand.inputs", "operand.outputs", "input.tensor", "output.tensor", "tensor.buffer", "operator.opcode_index",
        "operator.options.then_subgraph_index", "operator.options.else_subgraph_index",
    } <= fields  # fmt: skip
    values, limits = rows(facts, "index", "value"), rows(facts, "index", "limit")
    assert all(value < limit for value, limit in zip(values, limits, strict=True))


def test_signatures_that_callers_cannot_tell_apart():
    assert rows(named("two_signatures"), "signature", "is_duplicate") == [False, False]
    same = {"signature_defs.1.signature_key": "add"}
    assert rows(named("two_signatures", same), "signature", "is_duplicate") == [True, True]
    names = {"signature_defs.0.inputs.1.name": "x"}
    assert rows(named("signature_float32", names), "signature_tensor", "is_duplicate") == [True, True, False]


# -- batches -----------------------------------------------------------------------------------------------------------


def test_facts_of_a_batch_are_those_of_the_models_one_by_one():
    contents = [resources.named_model_path(name).read_bytes() for name in READABLE if name != "older_schema"]
    ((numbers, tables),) = read_batches([open_model(BytesSource(content)) for content in contents])
    assert numbers == list(range(len(contents)))
    together, apart = Facts(tables), [facts_of(content) for content in contents]
    for table, declared in all_tables().items():
        for column in declared.columns.values():
            if column.type.kind == REFERENCE:
                continue  # the rows of a batch are numbered in sequence; their targets are compared below
            alone = [value for facts in apart for value in rows(facts, table, column.name)]
            assert _same(rows(together, table, column.name), alone), f"{table}.{column.name}"


def _same(left: list, right: list) -> bool:
    return repr(left) == repr(right)
