"""Facts of the values of constants, against plain numpy on small arrays; and what a pass over them reads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.models import ModelBuilder
from tests.test_facts import by_name, facts_of
from tests.test_reader import CountingSource
from tflint.facts.facts import Facts
from tflint.facts.weights.constants import constants_of
from tflint.facts.weights.survey import Survey
from tflint.flatbuffer.window import Window
from tflint.writer import packed_numbers

INTEGERS = {
    "INT2": (-2, 1), "INT4": (-8, 7), "UINT4": (0, 15), "INT8": (-128, 127), "UINT8": (0, 255),
    "INT16": (-(2**15), 2**15 - 1), "UINT16": (0, 2**16 - 1), "INT32": (-(2**31), 2**31 - 1),
    "UINT32": (0, 2**32 - 1), "INT64": (-(2**63), 2**63 - 1), "UINT64": (0, 2**64 - 1),
}  # fmt: skip
FLOATS = {"FLOAT16": "<f2", "BFLOAT16": "<f4", "FLOAT32": "<f4", "FLOAT64": "<f8"}
NUMBERS = ("n_nan", "n_inf", "n_denormal")
LISTS = ("value_min", "value_max", "zero_share", "saturated_share")


def packed(dtype: str, values: np.ndarray) -> bytes:
    """The bytes of a constant; a BFLOAT16 is the upper half of a float32."""
    if dtype == "BFLOAT16":
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype(FLOATS[dtype]).tobytes() if dtype in FLOATS else packed_numbers(dtype, values.ravel().tolist())


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
    }  # fmt: skip


def with_chunks(facts: Facts, chunk_bytes: int) -> Facts:
    """Facts that look at so many bytes at a time."""
    facts.once("survey", lambda: Survey(facts.tables.window, constants_of(facts), chunk_bytes))
    return facts


def over_source(content: bytes) -> tuple[Facts, CountingSource]:
    """Facts of a model that is read from a source."""
    from tests.test_reader import tables_over

    source = CountingSource(content)
    return Facts(tables_over(Window.of_source(source))), source


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
        odd = draw(
            st.lists(st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-7, -1e-40, 1e-310]), max_size=9)
        )
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


@settings(max_examples=400, deadline=None)
@given(constants(), st.sampled_from([16, 64, 100, 512, 4096, 1 << 19]), st.booleans())
def test_facts_are_those_of_plain_numpy(constant, chunk_bytes, is_read):
    dtype, values, axis, zero = constant
    n = 1 if axis is None else values.shape[axis]
    builder = ModelBuilder().tensor(
        "w", dtype, values.shape, data=packed(dtype, values), scale=[1.0] * n, zero_point=zero, axis=axis or 0
    )
    content = builder.build()
    facts = over_source(content)[0] if is_read else facts_of(content)
    ours, plain = found(with_chunks(facts, chunk_bytes), "w"), expected(dtype, values, axis, zero)
    for column, value in plain.items():
        assert (
            ours[column] == value if not isinstance(value, list) else ours[column] == pytest.approx(value, rel=1e-15)
        ), column
