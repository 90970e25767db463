"""Test facts about arithmetic, float islands, fixed outputs, runtime versions and claims, with known answers."""

from __future__ import annotations

import pytest

import tflint
from tests.helpers.facts import facts_of, named, rows
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.source import BytesSource
from tflint.writer.model_edits import edit_model

UNIT = 1 / 127.5


def fully_connected(dtype: str, shape: list[int]) -> bytes:
    """A FULLY_CONNECTED with constant weights."""
    data = [0.5] * (shape[0] * shape[1])
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, shape[1]]).tensor("weights", dtype, shape, data=data)
    builder.tensor("output", "FLOAT32", [1, shape[0]])
    return (
        builder.operator("FULLY_CONNECTED", ["input", "weights"], ["output"]).inputs("input").outputs("output").build()
    )


class TestMacs:
    @pytest.mark.parametrize(
        ("model", "macs"),
        [
            ("conv_int8", 4 * 4 * 3 * (1 * 1 * 2)),  # outputs × weights of a channel
            ("fully_connected_int8", 3 * 4),
            ("wide_int8", 40),
            ("add_int8", None),
        ],
    )
    def test_are_those_of_the_stored_shapes(self, model, macs):
        assert rows(named(model), "operator", "n_macs") == [macs]

    def test_of_a_depthwise_convolution_count_one_plane_of_weights(self):
        facts = named("depthwise_int8")
        shapes = dict(zip(rows(facts, "tensor", "name"), rows(facts, "tensor", "shape"), strict=True))
        _, kernel_height, kernel_width, _ = shapes["weights"]
        n, height, width, channels = shapes["output"]
        assert rows(facts, "operator", "n_macs") == [n * height * width * channels * kernel_height * kernel_width]

    def test_of_a_transposed_convolution_count_from_its_input(self):
        facts = named("transpose_conv_int8")
        shapes = dict(zip(rows(facts, "tensor", "name"), rows(facts, "tensor", "shape"), strict=True))
        n, height, width, channels = shapes["input"]
        out, kernel_height, kernel_width, _ = shapes["weights"]
        assert rows(facts, "operator", "n_macs") == [n * height * width * channels * out * kernel_height * kernel_width]

    @pytest.mark.parametrize(("adjoint", "macs"), [(False, 2 * 3 * 5), (True, 2 * 2 * 5)])
    def test_of_a_matrix_product_are_outputs_times_the_inner_dimension(self, adjoint, macs):
        builder = ModelBuilder()
        for name, shape in (("a", [1, 2, 3]), ("b", [1, 3, 5]), ("output", [1, 2, 5])):
            builder.tensor(name, "FLOAT32", shape)
        builder.operator("BATCH_MATMUL", ["a", "b"], ["output"], {"adj_x": adjoint}).inputs("a", "b").outputs("output")
        assert rows(facts_of(builder.build()), "operator", "n_macs") == [macs]

    def test_of_weights_without_channels_are_unknown(self):
        facts = named("conv_int8", {"tensors.weights.shape": [0, 1, 1, 2]})
        assert rows(facts, "operator", "n_macs") == ["?"]

    @pytest.mark.parametrize(
        ("model", "share"), [("conv_int8", 1.0), ("conv_float32", 0.0), ("conv_hybrid", 0.0), ("add_int8", None)]
    )
    def test_in_integers_are_a_share_of_all(self, model, share):
        assert rows(named(model), "model", "integer_share") == [share]

    def test_of_a_3d_convolution_are_outputs_times_the_weights_of_a_channel(self):
        builder = ModelBuilder().tensor("input", "FLOAT32", [1, 4, 4, 4, 2])
        builder.tensor("weights", "FLOAT32", [3, 3, 3, 2, 5], data=[0.0] * 270)
        builder.tensor("output", "FLOAT32", [1, 2, 2, 2, 5])
        builder.operator("CONV_3D", ["input", "weights"], ["output"]).inputs("input").outputs("output")
        assert rows(facts_of(builder.build()), "operator", "n_macs") == [2 * 2 * 2 * 5 * 3 * 3 * 3 * 2]


class TestIslands:
    def test_lie_between_a_dequantize_and_a_quantize(self):
        facts = named("island_int8")
        assert rows(facts, "island", "first") == [2]
        assert [list(found) for found in rows(facts, "island", "operators")] == [[2]]
        assert rows(facts, "island", "macs_share") == [0.0]

    def test_of_a_model_are_counted(self):
        facts = named("island_int8")
        assert rows(facts, "model", "islands") == [[0]]
        assert rows(facts, "model", "n_island_conversions") == [2]
        assert rows(facts, "model", "island_operator_share") == [pytest.approx(1 / 3)]
        assert rows(facts, "model", "island_macs_share") == [0]

    @pytest.mark.parametrize(
        ("first", "last"), [("INT8", "INT8"), ("FLOAT32", "INT8"), ("INT8", "FLOAT32"), ("FLOAT32", "FLOAT32")]
    )
    def test_reach_an_integer_input_or_output_but_no_float_one(self, first, last):
        """The DEQUANTIZE may be the first operator and the QUANTIZE the last one."""
        builder = ModelBuilder()
        for name in ("codes", "codes_again"):
            builder.tensor(name, "INT8", [1, 4], scale=UNIT, zero_point=-1)
        for name in ("a", "b"):
            builder.tensor(name, "FLOAT32", [1, 4])
        if first == "INT8":
            builder.inputs("codes").operator("DEQUANTIZE", ["codes"], ["a"], version=2)
        else:
            builder.inputs("a")
        builder.operator("COS", ["a"], ["b"])
        if last == "INT8":
            builder.operator("QUANTIZE", ["b"], ["codes_again"]).outputs("codes_again")
        else:
            builder.outputs("b")
        assert len(rows(facts_of(builder.build()), "island", "first")) == (first == last == "INT8")

    @pytest.mark.parametrize("model", ["border_float32", "conv_int8", "conv_float32", "conv_float16_weights"])
    def test_are_no_border_and_no_whole_model(self, model):
        assert rows(named(model), "island", "first") == []

    def test_hang_together_through_several_operators(self):
        builder = ModelBuilder().tensor("input", "INT8", [1, 4], scale=UNIT, zero_point=-1)
        for name in ("codes", "codes_again", "output"):
            builder.tensor(name, "INT8", [1, 4], scale=UNIT, zero_point=-1)
        for name in ("a", "b", "c", "d"):
            builder.tensor(name, "FLOAT32", [1, 4])
        builder.operator("RELU", ["input"], ["codes"], version=2)
        builder.operator("DEQUANTIZE", ["codes"], ["a"], version=2).operator("COS", ["a"], ["b"])
        builder.operator("SIN", ["b"], ["c"]).operator("ADD", ["b", "c"], ["d"])
        builder.operator("QUANTIZE", ["d"], ["codes_again"]).operator("RELU", ["codes_again"], ["output"], version=2)
        facts = facts_of(builder.inputs("input").outputs("output").build())
        assert [list(found) for found in rows(facts, "island", "operators")] == [[2, 3, 4]]

    def test_of_two_models_in_a_batch_stay_apart(self):
        from tflint.model.batch_reader import read_batches

        ((_, tables),) = read_batches([open_model(BytesSource(NAMED["island_int8"]())) for _ in range(2)])
        assert Facts(tables).table("island").model.tolist() == [0, 1]


class TestFixedOutputs:
    @pytest.mark.parametrize(
        ("model", "scale", "zero_point"),
        [
            ("logistic_int8", 1 / 256, -128),
            ("logistic_int16", 1 / 32768, 0),
            ("softmax_int8", 1 / 256, -128),
            ("tanh_int8", 1 / 128, 0),
            ("tanh_int16", 1 / 32768, 0),
            ("l2_normalization_int8", 1 / 128, 0),
            ("log_softmax_int8", 16 / 256, 127),
        ],
    )
    def test_are_what_the_kernel_computes_for(self, model, scale, zero_point):
        facts = named(model, {"tensors.output.quantization.scale": [0.5]})
        assert rows(facts, "operator", "required_output_scale") == [scale]
        assert rows(facts, "operator", "required_output_zero_point") == [zero_point]

    def test_of_other_operators_and_of_floats_there_are_none(self):
        assert rows(named("conv_int8"), "operator", "required_output_scale") == [None]
        assert rows(named("chain_float32"), "operator", "required_output_scale") == [None] * 3

    def test_an_output_of_another_type_than_the_input_is_not_fixed(self):
        facts = named("softmax_int8", {"tensors.output.type": "INT16"})
        assert rows(facts, "operator", "required_output_scale") == [None]


class TestRuntimeVersions:
    def test_are_the_newest_that_an_operator_needs(self):
        assert rows(named("conv_int8"), "model", "required_runtime_version") == ["1.14.0"]
        assert rows(named("custom_op"), "model", "required_runtime_version") == [None]

    @pytest.mark.parametrize(
        ("said", "is_understated"),
        [("1.14.0", False), ("2.3.0", False), ("1.13.9", True), ("1.5", True), ("", None), ("new", None)],
    )
    def test_are_compared_with_what_the_file_says(self, said, is_understated):
        builder = (
            ModelBuilder()
            .tensor("input", "INT8", [1, 4], scale=UNIT)
            .tensor("output", "INT8", [1, 4], scale=UNIT)
            .operator("TANH", ["input"], ["output"], version=2)
            .inputs("input")
            .outputs("output")
            .metadata("min_runtime_version", said.encode().ljust(16, b"\0"))
        )
        facts = facts_of(builder.build())
        assert rows(facts, "model", "required_runtime_version") == ["1.14.0"]
        assert rows(facts, "model", "is_version_understated") == [is_understated]


class TestClaims:
    @pytest.mark.parametrize(
        ("name", "claims"),
        [
            ("person_int8.tflite", "int8"),
            ("efficientdet_full_integer_quant.tflite", "int8"),
            ("yolo-w8a8.tflite", "int8"),
            ("net.INT8.tflite", "int8"),
            ("model_integer_quant.tflite", "int8"),
            ("int8_dynamic_range.tflite", "dynamic-range"),
            ("net_dynamic_range_quant.tflite", "dynamic-range"),
            ("net-DRQ.tflite", "dynamic-range"),
            ("dynamic_range_fp32.tflite", None),
            ("dynamic_shape.tflite", None),
            ("high_dynamic_range.tflite", None),
            ("audio-dynamic-range-compression.tflite", None),
            ("w8a32_int8.tflite", None),
            ("weight_only_int8.tflite", None),
            ("pint8s.tflite", None),
            ("float16.tflite", None),
            ("", None),
        ],
    )
    def test_are_whole_words_of_the_files_name(self, name, claims):
        facts = Facts(read_one(open_model(BytesSource(NAMED["conv_int8"]()), name)))
        assert rows(facts, "model", "claimed_scheme") == [claims]

    def test_are_words_of_the_description_too(self):
        content = edit_model(NAMED["conv_int8"](), {"description": "an int8 model"})
        assert rows(facts_of(content), "model", "claimed_scheme") == ["int8"]

    @pytest.mark.parametrize(("n_weights", "expected"), [(1024, ["Q029"]), (1020, [])])
    def test_a_float_model_named_dynamic_range_is_reported_unless_its_weights_are_small(
        self, n_weights, expected, tmp_path
    ):
        """The converter leaves weights with fewer than 1,024 elements in float."""
        path = tmp_path / "model_dynamic_range.tflite"
        path.write_bytes(fully_connected("FLOAT32", [n_weights // 4, 4]))
        found = [finding.rule for finding in tflint.check(path).findings() if finding.rule == "Q029"]
        assert found == expected
