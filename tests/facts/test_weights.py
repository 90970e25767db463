"""Test facts about constant values against plain numpy, and how many bytes one pass reads."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.helpers.facts import by_name, facts_of, named, rows
from tests.helpers.models import ModelBuilder
from tests.helpers.models.large import write_big_weights, write_sparse_2gb
from tests.helpers.models.named import RUNNABLE
from tests.helpers.reading import CountingSource, tables_over, weight_spans
from tflint.api import check
from tflint.facts.fact_registry import all_tables
from tflint.facts.facts import Facts
from tflint.facts.weights.readable_constants import constants_of
from tflint.facts.weights.weight_scan import WeightScan
from tflint.flatbuffer.byte_window import Window
from tflint.model.batch_reader import WHOLE_FILE_BYTES, open_model, read_batches, read_one
from tflint.source import BytesSource, FileSource
from tflint.writer import pack_numbers

INTEGERS = {
    "INT2": (-2, 1), "INT4": (-8, 7), "UINT4": (0, 15), "INT8": (-128, 127), "UINT8": (0, 255),
    "INT16": (-(2**15), 2**15 - 1), "UINT16": (0, 2**16 - 1), "INT32": (-(2**31), 2**31 - 1),
    "UINT32": (0, 2**32 - 1), "INT64": (-(2**63), 2**63 - 1), "UINT64": (0, 2**64 - 1),
}  # fmt: skip
FLOATS = {"FLOAT16": "<f2", "BFLOAT16": "<f4", "FLOAT32": "<f4", "FLOAT64": "<f8"}
LARGEST = {
    "FLOAT16": 65504.0,
    "BFLOAT16": 255 * 2.0**120,
    "FLOAT32": 3.4028234663852886e38,
    "FLOAT64": float(np.finfo(np.float64).max),
}
ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-7, -1e-40, 1e-310)
NUMBERS = ("n_nan", "n_inf", "n_denormal", "n_extreme")
LISTS = ("value_min", "value_max", "zero_share", "saturated_share")


def packed(dtype: str, values: np.ndarray) -> bytes:
    """The bytes of a constant; a BFLOAT16 is the upper half of a float32."""
    if dtype == "BFLOAT16":
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype(FLOATS[dtype]).tobytes() if dtype in FLOATS else pack_numbers(dtype, values.ravel().tolist())


def rounded(dtype: str, values: np.ndarray) -> np.ndarray:
    """Float values as a type can hold them."""
    if dtype == "BFLOAT16":
        return (values.astype("<f4").view("<u4") & 0xFFFF0000).view("<f4")
    return values.astype(FLOATS[dtype])


def expected(dtype: str, values: np.ndarray, axis: int | None, zero: int) -> dict[str, Any]:
    """All facts of a constant, the plain way; '?' for unknown, None for absent."""
    channels = [values.ravel()] if axis is None else list(np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1))
    if dtype in FLOATS:
        finite = [channel[np.isfinite(channel)].astype(np.float64) for channel in channels]
        known = all(len(channel) for channel in finite)
        tiny = {"FLOAT16": 2.0**-14, "FLOAT64": 2.0**-1022}.get(dtype, 2.0**-126)
        exact = values.astype(np.float64)
        return {
            "value_min": [channel.min() for channel in finite] if known else "?",
            "value_max": [channel.max() for channel in finite] if known else "?",
            "zero_share": [np.mean(channel == 0) for channel in channels],
            "saturated_share": None,
            "n_nan": np.isnan(exact).sum(),
            "n_inf": np.isinf(exact).sum(),
            "n_denormal": ((exact != 0) & (np.abs(exact) < tiny)).sum(),
            "n_extreme": (np.abs(exact) == LARGEST[dtype]).sum(),
        }
    low, high = INTEGERS[dtype]
    extremes = {low, high, -high} if low and zero == 0 else {low, high}
    saturated = [np.mean([int(q) in extremes for q in channel]) for channel in channels]
    return {
        "value_min": [float(channel.min()) for channel in channels],
        "value_max": [float(channel.max()) for channel in channels],
        "zero_share": [np.mean(channel == zero) for channel in channels],
        "saturated_share": None if dtype == "INT2" else saturated,
        "n_nan": None,
        "n_inf": None,
        "n_denormal": None,
        "n_extreme": None,
    }  # fmt: skip


def with_chunks(facts: Facts, chunk_bytes: int) -> Facts:
    """Facts that look at so many bytes at a time."""
    facts.memoize("weight scan", lambda: WeightScan(facts.tables.window, constants_of(facts), chunk_bytes))
    return facts


class TallySource(CountingSource):
    """Counts how often each byte is read into a buffer: passes over values read so, structure is read otherwise."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.tally = np.zeros(len(content), dtype=np.int64)

    def read_into(self, begin: int, buffer: memoryview) -> None:
        self.tally[begin : begin + len(buffer)] += 1
        super().read_into(begin, buffer)


def over_source(content: bytes, *wanted: str) -> tuple[Facts, TallySource]:
    """Facts of a model that is read from a source."""
    source = TallySource(content)
    return Facts(tables_over(Window.of_source(source)), {("tensor", column) for column in wanted}), source


def found(facts: Facts, name: str) -> dict[str, Any]:
    return {column: by_name(facts, column)[name] for column in (*LISTS, *NUMBERS)}


# -- values ------------------------------------------------------------------------------------------------------------

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=9) | st.sampled_from(
    [(70,), (2, 65), (65, 2), (3, 70, 2), (2, 3, 65), (300, 3), (3, 300), (2, 129, 3), (1, 3, 3, 40), (520, 1, 2)]
)


@st.composite
def constants(draw: st.DrawFn) -> tuple[str, np.ndarray, int | None, int]:
    """A type, values, the axis of channels and a zero point."""
    dtype = draw(st.sampled_from([*INTEGERS, *FLOATS]))
    shape = draw(SHAPES)
    axis = draw(st.none() | st.integers(0, len(shape) - 1))
    if axis is not None and shape[axis] == 1:
        axis = None
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    if dtype in FLOATS:
        values = random.normal(size=shape) * 10.0 ** random.integers(-3, 3)
        odd = draw(st.lists(st.sampled_from([*ODD, LARGEST[dtype], -LARGEST[dtype]]), max_size=9))
        values.ravel()[random.integers(0, values.size, len(odd))] = odd
        with np.errstate(over="ignore"):
            return dtype, rounded(dtype, values), axis, 0
    low, high = INTEGERS[dtype]
    few = [low, high, -high, 0, 1, low + 1]
    chosen = [value for value in few if low <= value <= high]
    unsigned = random.integers(0, 2**64, size=shape, dtype=np.uint64).astype(object)
    values = np.where(
        random.random(shape) < 0.5,
        random.choice(np.array(chosen, dtype=object), shape),
        unsigned % (high - low + 1) + low,
    )
    zero = draw(st.sampled_from([0, 0, 0, 1, low, 300]))
    return dtype, values, axis, zero


def with_constant(builder: ModelBuilder, name: str, constant: tuple[str, np.ndarray, int | None, int]) -> ModelBuilder:
    """Adds a constant, with scales along its axis of channels (floats too: it is they that say where channels are)."""
    dtype, values, axis, zero = constant
    scales = [1.0] * (1 if axis is None else values.shape[axis])
    data = packed(dtype, values)
    return builder.tensor(name, dtype, values.shape, data=data, scale=scales, zero_point=zero, axis=axis or 0)


def assert_plain(facts: Facts, name: str, constant: tuple[str, np.ndarray, int | None, int]) -> None:
    ours = found(facts, name)
    for column, value in expected(*constant).items():
        wanted = pytest.approx(value, rel=1e-15) if isinstance(value, list) else value
        assert ours[column] == wanted, (column, constant)


CHUNKS = st.sampled_from([16, 64, 100, 512, 4096, 1 << 19])


@settings(max_examples=200, deadline=None)
@given(constants(), CHUNKS, st.booleans())
def test_a_constant_has_the_facts_that_plain_numpy_finds(constant, chunk_bytes, is_read):
    content = with_constant(ModelBuilder(), "w", constant).build()
    facts = over_source(content)[0] if is_read else facts_of(content)
    assert_plain(with_chunks(facts, chunk_bytes), "w", constant)


@settings(max_examples=40, deadline=None)
@given(st.lists(constants(), min_size=2, max_size=12), CHUNKS, st.booleans())
def test_many_constants_have_the_facts_of_each(many, chunk_bytes, is_read):
    builder = ModelBuilder()
    for number, constant in enumerate(many):
        with_constant(builder, f"w{number}", constant)
    content = builder.build()
    facts = over_source(content)[0] if is_read else facts_of(content)
    with_chunks(facts, chunk_bytes)
    for number, constant in enumerate(many):
        assert_plain(facts, f"w{number}", constant)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(constants(), min_size=1, max_size=3), min_size=2, max_size=5), CHUNKS)
def test_a_batch_of_models_has_the_facts_of_each(models, chunk_bytes):
    contents = []
    for many in models:
        builder = ModelBuilder()
        for number, constant in enumerate(many):
            with_constant(builder, f"w{number}", constant)
        contents.append(builder.build())
    ((_, tables),) = read_batches([open_model(BytesSource(content)) for content in contents])
    together = with_chunks(Facts(tables), chunk_bytes)
    alone = [with_chunks(facts_of(content), chunk_bytes) for content in contents]
    for column in (*LISTS, *NUMBERS):
        of_each = [value for facts in alone for value in rows(facts, "tensor", column)]
        assert rows(together, "tensor", column) == of_each, column


@pytest.mark.parametrize("shape", [(3, 1, 1, 7000), (7001, 3), (3, 7001), (70, 3, 101), (9000, 3, 1), (2, 9001)])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_constants_larger_than_a_chunk(shape, axis):
    random = np.random.default_rng(7)
    values = random.integers(-128, 128, size=shape) * (random.random(shape) < 0.7)
    constant = ("INT16", values, axis if axis is not None and shape[axis] > 1 else None, 0)
    content = with_constant(ModelBuilder(), "w", constant).build()
    assert_plain(with_chunks(facts_of(content), 40_000), "w", constant)


@pytest.mark.parametrize(("shape", "axis"), [((3, 70_001), None), ((3, 70_001), 0), ((700, 3, 101), 1)])
def test_constants_larger_than_a_chunk_of_a_run(shape, axis):
    constant = ("INT16", np.random.default_rng(7).integers(-128, 128, size=shape), axis, 0)
    assert_plain(facts_of(with_constant(ModelBuilder(), "w", constant).build()), "w", constant)


@pytest.mark.parametrize(("shape", "axis"), [((600_000, 2), 1), ((2, 3000), 0), ((2, 3001), 0), ((6001,), None)])
@pytest.mark.parametrize(("value", "zero"), [(0, 0), (127, 0), (5, 5)])
def test_marks_are_counted_beyond_what_a_byte_holds(shape, axis, value, zero):
    constant = ("INT8", np.full(shape, value), axis, zero)
    assert_plain(facts_of(with_constant(ModelBuilder(), "w", constant).build()), "w", constant)


@pytest.mark.parametrize("dtype", ["INT2", "INT4", "UINT4"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_pieces_of_packed_constants_begin_within_a_byte(dtype, axis):
    low, high = INTEGERS[dtype]
    constant = (dtype, np.random.default_rng(5).integers(low, high + 1, size=(37, 17)), axis, 0)
    facts = facts_of(with_constant(ModelBuilder(), "w", constant).build())
    assert_plain(with_chunks(facts, 16), "w", constant)


@pytest.mark.parametrize("dtype", sorted(FLOATS))
def test_the_largest_finite_values_are_finite(dtype):
    constant = (dtype, rounded(dtype, np.array([-LARGEST[dtype], math.inf, LARGEST[dtype]])), None, 0)
    facts = facts_of(with_constant(ModelBuilder(), "w", constant).build())
    assert by_name(facts, "value_min")["w"] == [-LARGEST[dtype]]
    assert by_name(facts, "value_max")["w"] == [LARGEST[dtype]]
    assert_plain(facts, "w", constant)


@pytest.mark.parametrize("dtype", sorted(FLOATS))
def test_values_below_the_largest_are_not_extreme(dtype):
    values = rounded(dtype, np.array([LARGEST[dtype] * 0.99, -LARGEST[dtype], math.nan, 1.0, math.inf]))
    constant = (dtype, values, None, 0)
    facts = facts_of(with_constant(ModelBuilder(), "w", constant).build())
    assert_plain(facts, "w", constant)
    assert by_name(facts, "n_extreme")["w"] == 1


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_channel_without_a_finite_value_has_no_range(odd):
    constant = ("FLOAT32", np.array([[1.0, 2.0], [odd, odd]]), 0, 0)
    facts = facts_of(with_constant(ModelBuilder(), "w", constant).build())
    assert by_name(facts, "value_min")["w"] == "?"
    assert by_name(facts, "zero_share")["w"] == [0.0, 0.0]


# -- channels ----------------------------------------------------------------------------------------------------------


def test_float_weights_have_the_channels_of_their_operator():
    values = np.arange(18, dtype="<f4").reshape(1, 3, 3, 2)
    content = (
        ModelBuilder()
        .tensor("x", "FLOAT32", [1, 3, 3, 2])
        .tensor("w", "FLOAT32", values.shape, data=values.tobytes())
        .tensor("b", "FLOAT32", [2], data=[0.5, 0.25])
        .tensor("y", "FLOAT32", [1, 1, 1, 2])
        .operator("DEPTHWISE_CONV_2D", ["x", "w", "b"], ["y"], {"stride_w": 1, "stride_h": 1, "depth_multiplier": 1})
        .inputs("x")
        .outputs("y")
        .build()
    )
    largest = by_name(facts_of(content), "value_max")
    assert largest == {"x": None, "w": [16.0, 17.0], "b": [0.5], "y": None}


def test_weights_with_one_scale_are_one_channel():
    assert by_name(named("fully_connected_int8"), "value_min")["weights"] == [-126.0]


def test_packed_weights_are_spread():
    facts = named("fully_connected_int4")
    assert (by_name(facts, "value_min")["weights"], by_name(facts, "value_max")["weights"]) == ([-7.0], [7.0])


# -- what has no value, or none that can be known ----------------------------------------------------------------------


def of_constant(dtype: str, shape: list[int], data: Any, **fields: Any) -> dict[str, Any]:
    """The facts of one constant."""
    return found(facts_of(ModelBuilder().tensor("w", dtype, shape, data=data, **fields).build()), "w")


@pytest.mark.parametrize("dtype", ["BOOL", "STRING", "COMPLEX64"])
def test_what_is_no_number_has_no_values(dtype):
    assert set(of_constant(dtype, [1], bytes(8)).values()) == {None}


@pytest.mark.parametrize(
    ("dtype", "shape", "fields"),
    [
        ("INT8", [5], {}),  # fewer bytes than elements
        ("INT8", [3], {}),
        ("INT8", [-1], {}),
        ("INT8", [-2, -2], {}),
        ("INT8", [0], {}),
        ("INT8", [1 << 31 - 1, 1 << 31 - 1, 1 << 31 - 1, 4], {}),
        ("INT4", [5], {}),
        ("FLOAT8_E5M2", [4], {}),
        ("INT8", [2, 2], {"scale": [1.0, 1.0, 1.0]}),  # three scales of an axis of two
        ("INT8", [2, 2], {"scale": [1.0, 1.0], "axis": 2}),
        ("INT8", [2, 2], {"scale": [1.0, 1.0], "axis": -1}),
        ("INT8", [4], {"sparsity": {"traversal_order": [0], "dim_metadata": [{"format": "DENSE", "dense_size": 4}]}}),
    ],
)
def test_what_cannot_be_read_is_unknown(dtype, shape, fields):
    facts = of_constant(dtype, shape, bytes(4), **fields)
    assert (facts["value_min"], facts["value_max"], facts["zero_share"]) == ("?", "?", "?")


def test_a_type_that_is_not_known_is_unknown():
    model = ModelBuilder().tensor("w", "INT8", [4], data=bytes(4))
    model.to_dict()["subgraphs"][0]["tensors"][0]["type"] = 99
    assert by_name(facts_of(model.build()), "value_min")["w"] == "?"


def test_data_outside_of_the_file_is_unknown():
    model = ModelBuilder().tensor("w", "FLOAT32", [4], data=bytes(16))
    for offset in (1 << 20, 1 << 62, (1 << 64) - 8):
        model.to_dict()["buffers"][1] = {"offset": offset, "size": 16}
        facts = facts_of(model.build())
        assert (by_name(facts, "value_min")["w"], by_name(facts, "n_nan")["w"]) == ("?", "?")
        assert rows(facts, "buffer", "identity") == [None, "?"]


def test_unlike_zero_points_leave_the_share_of_zeros_unknown():
    facts = of_constant("INT8", [2, 2], [1, 2, 3, 4], scale=[1.0, 1.0], zero_point=[1, 3])
    assert (facts["value_min"], facts["zero_share"]) == ([1.0, 3.0], "?")


def test_more_channels_than_allowed_are_unknown(monkeypatch):
    monkeypatch.setattr("tflint.facts.facts.MAX_ELEMENTS", 3)
    model = ModelBuilder().tensor("a", "INT8", [2], data=[1, 2], scale=[1.0, 1.0])
    model.tensor("b", "INT8", [2], data=[3, 4], scale=[1.0, 1.0]).tensor("c", "INT8", [1], data=[5])
    smallest = by_name(facts_of(model.build()), "value_min")
    assert sorted(smallest.values(), key=str).count("?") >= 1
    assert [1.0, 2.0] in smallest.values() or [3.0, 4.0] in smallest.values()


# -- what is read ------------------------------------------------------------------------------------------------------


def mixed() -> bytes:
    """Constants of several types and sizes, some of which share a buffer."""
    random = np.random.default_rng(3)
    builder = ModelBuilder()
    for number, size in enumerate((5, 4000, 17, 300, 9000, 64)):
        dtype = ("INT8", "FLOAT32", "INT4")[number % 3]
        data = packed(dtype, random.integers(-8, 8, size))
        builder.tensor(f"w{number}", dtype, [size], data=data)
    tensors = builder.to_dict()["subgraphs"][0]["tensors"]
    tensors += [tensors[0] | {"name": "same"}, tensors[3] | {"name": "reshaped", "shape": [3, 100]}]
    return builder.build()


@pytest.mark.parametrize("chunk_bytes", [16, 100, 4096, 1 << 19])
def test_a_pass_reads_each_byte_once(chunk_bytes):
    facts, source = over_source(mixed())
    with_chunks(facts, chunk_bytes)
    facts.column("tensor", "value_min")
    facts.column("tensor", "value_max")
    assert source.tally.max() == 1
    facts.column("tensor", "zero_share")
    assert source.tally.max() == 2


def test_what_is_wanted_together_is_read_in_one_pass():
    facts, source = over_source(mixed(), *LISTS, *NUMBERS)
    for column in (*NUMBERS, *LISTS):
        facts.column("tensor", column)
    assert source.tally.max() == 1


def test_a_statistic_reads_only_what_it_concerns():
    model = (
        ModelBuilder().tensor("a", "FLOAT32", [100], data=bytes(400)).tensor("b", "INT8", [40_000], data=bytes(40_000))
    )
    facts, source = over_source(model.tensor("c", "FLOAT16", [50], data=bytes(100)).build())
    facts.column("tensor", "n_nan")
    assert source.tally.sum() == 400 + 100
    facts.column("tensor", "saturated_share")
    assert source.tally.sum() == 400 + 100 + 40_000


@pytest.mark.parametrize("name", sorted(RUNNABLE))
def test_facts_of_structure_read_no_weight_byte(name):
    facts, source = over_source(RUNNABLE[name]())
    for table, declared in all_tables().items():
        for column in declared.columns.values():
            if not column.values and (table, column.name) != ("buffer", "data"):
                facts.column(table, column.name)
    for begin, end in weight_spans(facts.tables):
        assert not source.asked[begin:end].any()


def test_values_beyond_two_gigabytes(tmp_path):
    path = tmp_path / "sparse.tflite"
    write_sparse_2gb(path)
    with FileSource(path) as source:
        facts = Facts(read_one(open_model(source)))
        assert by_name(facts, "value_max")["weights"] == [127.0, 14.0, 22.0, 30.0]
        assert by_name(facts, "zero_share")["bias"] == [0.0, 0.0, 0.0, 1.0]
        assert rows(facts, "buffer", "identity")[1:] == [1, 2]


def test_overlapping_buffers_are_looked_at_up_to_the_size_of_the_file(tmp_path):
    """A buffer that many tensors see in many shapes costs no more than a file of that size."""
    n = 1 << 20
    model = ModelBuilder().tensor("w0", "INT8", [n], data=bytes(n))
    tensors = model.to_dict()["subgraphs"][0]["tensors"]
    tensors += [tensors[0] | {"name": f"w{k}", "shape": [k, n // k], "quantization": _scales(k)} for k in (2, 4, 8, 16)]
    facts, source = over_source(model.build())
    with_chunks(facts, 4096)
    smallest = by_name(facts, "value_min")
    assert source.tally.sum() <= source.size + (1 << 20)
    assert [value for value in smallest.values() if value == "?"] == ["?"] * 3
    assert [value for value in smallest.values() if value != "?"] == [[0.0], [0.0, 0.0]]


def test_small_constants_that_overlap_are_gather_some_at_a_time(monkeypatch):
    builder = ModelBuilder().tensor("w", "INT8", [4096], data=bytes(4096))
    tensors = builder.to_dict()["subgraphs"][0]["tensors"]
    tensors += [tensors[0] | {"shape": [k + 1, 1], "buffer": 1, "quantization": _scales(k + 1)} for k in (1, 3, 7, 15)]
    for tensor in tensors[1:]:
        tensor["shape"][1] = 4096 // tensor["shape"][0]
    sizes = []
    real = WeightScan._gather

    def gathered(*arguments):
        elements = real(*arguments)
        sizes.append(len(elements))
        return elements

    monkeypatch.setattr(WeightScan, "_gather", gathered)
    facts = with_chunks(facts_of(builder.build()), 4096)
    assert [len(value) for value in rows(facts, "tensor", "value_min")] == [1, 2, 4, 8, 16]
    assert sum(sizes) == 5 * 4096
    assert max(sizes) <= 2 * 4096


def _scales(n: int) -> dict[str, Any]:
    return {"scale": [1.0] * n, "zero_point": [0] * n}


def test_a_file_that_shrinks_while_values_are_read_is_a_finding(tmp_path, monkeypatch):
    path = tmp_path / "model.tflite"
    write_big_weights(path, 2 * WHOLE_FILE_BYTES, 64)
    real = FileSource.read_into

    def shrink(self: FileSource, begin: int, buffer: memoryview) -> None:
        os.truncate(path, begin + 1)
        real(self, begin, buffer)

    monkeypatch.setattr(FileSource, "read_into", shrink)
    report = check(path)
    (finding,) = report.findings()
    assert (report.files[0].status, finding.rule) == ("unreadable", "G102")
    assert "file shrank while tflint read it" in finding.message
    assert report.crashes == 0


# -- equal buffers -----------------------------------------------------------------------------------------------------


def of_buffers(*contents: bytes) -> bytes:
    builder = ModelBuilder()
    for number, content in enumerate(contents):
        builder.tensor(f"w{number}", "UINT8", [len(content)], data=content)
    return builder.build()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 7, 8, 9, 16, 17, 33, 100, 20_000]), max_size=8), st.data())
def test_a_buffer_is_the_first_of_its_content(sizes, data):
    contents = [b""]
    for size in sizes:
        content = bytearray(size)
        if size and data.draw(st.booleans()):
            content[data.draw(st.integers(0, size - 1))] = 1
        contents.append(bytes(content))
    expected = [contents.index(content) if content else None for content in contents]
    assert rows(facts_of(of_buffers(*contents[1:])), "buffer", "identity") == expected
    assert rows(over_source(of_buffers(*contents[1:]))[0], "buffer", "identity") == expected


def test_equal_buffers_of_several_models_are_apart():
    contents = [of_buffers(b"x" * 40, b"y" * 40, b"x" * 40), of_buffers(b"x" * 40, b"x" * 40)]
    ((_, tables),) = read_batches([open_model(BytesSource(content)) for content in contents])
    assert rows(Facts(tables), "buffer", "identity") == [None, 1, 2, 1, None, 5, 5]


def test_large_equal_buffers_and_one_that_differs_in_a_byte():
    content = bytes(1_000_003)
    other = bytearray(content)
    other[700_000] = 1
    facts, source = over_source(of_buffers(content, bytes(other), content))
    assert rows(facts, "buffer", "identity") == [None, 1, 2, 1]
    assert source.tally.max() == 1


def test_only_buffers_that_may_be_equal_are_read():
    facts, source = over_source(of_buffers(b"a" * 50_000, b"b" * 50_000, b"a" * 50_001))
    assert rows(facts, "buffer", "identity") == [None, 1, 2, 3]
    assert source.tally.sum() == 0
    assert source.asked.sum() < 2000
