"""Test the sums over samples, and where an error counts as born."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import ModelBuilder
from tflint.api import load
from tflint.confirm.compare.activation_errors import ActivationError, ActivationSums
from tflint.confirm.compare.compared_graph import ComparedGraph, GraphTensor
from tflint.confirm.compare.error_birth import find_births
from tflint.confirm.compare.error_measures import cosine, noise_ratio, to_decibels
from tflint.confirm.compare.tensor_pairing import pair_graphs
from tflint.facts.facts import Facts

FLOAT = GraphTensor(0, "f", "FLOAT32", (4,), (), (), 0, False, True, -1)
INT8 = GraphTensor(0, "q", "INT8", (4,), (0.5,), (0,), 0, False, True, -1)


def sum_up(*pairs: tuple[list[float], list[float]], tensor: GraphTensor = INT8) -> ActivationError:
    sums = ActivationSums(tensor, FLOAT)
    for actual, wanted in pairs:
        dtype = np.int8 if tensor is INT8 else np.float32
        sums.add(np.array(actual, dtype), np.array(wanted, np.float32))
    result = sums.result()
    assert result is not None
    return result


def test_the_sums_are_those_of_numpy():
    rng = np.random.default_rng(1)
    actual, wanted = rng.integers(-128, 128, (5, 40)).astype(np.int8), rng.normal(0, 20, (5, 40)).astype(np.float32)
    found = sum_up(*zip(actual, wanted, strict=True))
    ours, theirs = actual * 0.5, wanted.astype(np.float64)
    error = ours - theirs
    assert found.sqnr == pytest.approx(10 * np.log10((theirs**2).sum() / (error**2).sum()))
    assert found.bias == pytest.approx(error.mean() / 0.5)
    assert found.cosine == pytest.approx((ours * theirs).sum() / np.sqrt((ours**2).sum() * (theirs**2).sum()))
    assert found.largest_error == pytest.approx(np.abs(error).max() / 0.5)
    assert (found.n_values, found.low, found.high) == (200, theirs.min(), theirs.max())


def test_clipping_and_rounding_are_told_apart():
    found = sum_up(([127, 127, 2, 0], [100.0, 63.5, 1.2, 0.0]))
    assert found.clipped_share == 0.25
    assert found.clipped_noise == pytest.approx((100 - 63.5) ** 2 / ((100 - 63.5) ** 2 + 0.2**2))
    assert found.rounding_noise == pytest.approx(0.2**2 / ((100 - 63.5) ** 2 + 0.2**2), rel=1e-4)
    assert found.storage_noise == pytest.approx(found.noise)


def test_values_that_are_not_finite_are_left_out_and_counted():
    found = sum_up(([1.0, np.nan, 3.0, 4.0], [1.0, 2.0, np.inf, -3.4e38]), tensor=FLOAT)
    assert (found.n_values, found.n_excluded, found.sqnr) == (1, 3, 120.0)
    assert ActivationSums(INT8, FLOAT).result() is None


def test_ratios_have_limits():
    assert to_decibels(noise_ratio(0.0, 0.0)) == 120.0
    assert to_decibels(noise_ratio(1.0, 0.0)) == -120.0
    assert to_decibels(0.01) == pytest.approx(20.0)
    assert (cosine(0, 0, 0), cosine(0, 1, 0)) == (1.0, 0.0)


# -- birth -------------------------------------------------------------------------------------------------------------


def chain(n: int) -> ComparedGraph:
    builder = ModelBuilder().tensor("t0", "FLOAT32", [4]).inputs("t0")
    for number in range(1, n):
        builder.tensor(f"t{number}", "FLOAT32", [4]).operator("TANH", [f"t{number - 1}"], [f"t{number}"])
    return ComparedGraph(Facts(load(builder.outputs(f"t{n - 1}").build()).tables))


def error_of(sqnr: float) -> ActivationError:
    noise = 10 ** (-sqnr / 10)
    return ActivationError(4, sqnr, noise, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 1.0, 1.0, noise, 0)


def births(levels: list[float], natural: list[float] | None = None) -> list[int]:
    graph = chain(len(levels))
    errors = {number: error_of(level) for number, level in enumerate(levels)}
    gains = {} if natural is None else {number: (noise,) for number, noise in enumerate(natural)}
    return [birth.tensor for birth in find_births(graph, pair_graphs(graph, graph), errors, gains)]


def test_an_error_is_born_where_the_sqnr_falls_not_where_it_is_lowest():
    assert births([50, 40, 12, 11, 9, 8]) == [2]


def test_errors_that_accumulate_are_not_born():
    assert births([50, 40, 35, 31, 28, 25, 22, 20, 18, 16, 14, 12]) == []


def test_the_natural_gain_of_an_operator_explains_a_fall():
    assert births([50, 30, 12]) == [2]
    assert births([50, 30, 12], natural=[1e-4, 1e-4, 1e-2]) == []


def test_a_gain_below_one_explains_nothing():
    """Averaging removes noise, but not the correlated errors of a clipped range."""
    assert births([50, 12, 11], natural=[1e-4, 1e-4, 1e-8]) == [1]


def test_the_largest_fall_ranks_first():
    assert births([50, 18, 2, 1]) == [2, 1]


def test_an_input_may_be_where_an_error_is_born():
    assert births([5, 5]) == [0]
