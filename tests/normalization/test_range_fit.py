"""Test the table of pixel normalizations and their identification by the quantization of an input."""

from __future__ import annotations

import math
import re
import struct

import pytest

from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.normalization.known_normalizations import known_normalizations
from tflint.normalization.range_fit import (
    ACTIVATION_TYPES,
    OBSERVED_WIDTH,
    activation_range,
    fitting_normalizations,
    unseen_part,
)
from tflint.resources import table

KNOWN = {known.name: known for known in known_normalizations()}

SAME_SIGNED = {"unit", "minus-one-to-one", "mean-128-std-128", "mean-127-std-128"}
SAME_HALF = {"unit-minus-half", "minus-half-to-half"}
IMAGENET = {"imagenet", "imagenet-bgr"}
CAFFE = {"caffe", "ssd-caffe"}
#: Means of 127.5 are rounded to 127 or 128: half a step either way.
ROUNDED = [
    ("mean-128-std-128", {"mean-128-std-128", "mean-127.5-std-128"}),
    ("mean-127.5-std-128", {"mean-128-std-128", "mean-127.5-std-128"}),
    ("mean-127-std-128", {"mean-127-std-128", "mean-127.5-std-128"}),
]
#: What else fits the numbers of a normalisation, by type; all others are found alone.
NOT_ALONE: dict[str, dict[str, set[str]]] = {
    "UINT8": dict([*ROUNDED, *((name, IMAGENET) for name in IMAGENET)]),
    # zero point 0 may also be a symmetric scale, which says nothing but the larger end
    "INT8": dict(
        [*ROUNDED, *((name, IMAGENET) for name in IMAGENET), ("mean-128-std-127", {"mean-128-std-127", *SAME_SIGNED})]
    ),
    "INT16": {name: group for group in (SAME_SIGNED, SAME_HALF, IMAGENET, CAFFE) for name in group},
}


def as_float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def quantized(low: float, high: float, dtype: str) -> tuple[float, int]:
    """Scale and zero point that the specification's quantizer gives a range: asymmetric, symmetric for int16."""
    low, high = min(low, 0.0), max(high, 0.0)
    if dtype == "INT16":
        return as_float32(max(-low, high) / 32767), 0
    qmin, qmax = INTEGER_RANGES[dtype]
    scale = as_float32((high - low) / (qmax - qmin))
    return scale, round(qmin - low / scale)


def named(dtype: str, scale: float, zero_point: int) -> set[str]:
    return {fit.name for fit in fitting_normalizations(dtype, scale, zero_point)}


# -- the table ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", table("normalizations")["normalizations"], ids=lambda entry: entry["name"])
def test_an_entry_of_the_table_agrees_with_itself(entry):
    known = KNOWN[entry["name"]]
    assert len(entry["mean"]) == len(entry["std"])
    assert len(entry["mean"]) in (1, 3)
    assert entry["units"] in ("u8", "unit")
    assert entry["order"] in ("RGB", "BGR", None)
    assert entry["order"] is None or len(set(zip(entry["mean"], entry["std"], strict=True))) > 1, "no order to tell"
    assert (known.low, known.high) == pytest.approx(entry["real_range"], abs=1e-6)
    assert re.match(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/", entry["source"])


@pytest.mark.parametrize("known", known_normalizations(), ids=lambda known: known.name)
@pytest.mark.parametrize("pixel", [0, 1, 100, 255])
def test_the_formula_of_an_entry_is_its_mean_and_std(known, pixel):
    """The formula, read as Python with lists as channels, gives what mean, std and units give."""
    channels = max(len(known.mean), 1)
    for channel in range(channels):
        formula = re.sub(r"\[([^\]]*)\]", lambda m, c=channel: m[1].split(",")[c].strip(), known.formula)
        value = eval(formula, {"__builtins__": {}}, {"x": pixel})
        mean, std = known.channels[channel]
        assert value == pytest.approx((pixel * known.max_pixel / 255 - mean) / std, abs=1e-9)


def test_names_are_distinct_and_so_are_the_numbers():
    numbers = [(known.mean, known.std, known.units) for known in known_normalizations()]
    assert len(KNOWN) == len(known_normalizations()) == len(set(numbers))


# -- what fits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", sorted(ACTIVATION_TYPES))
@pytest.mark.parametrize("name", KNOWN)
def test_a_normalisation_is_found_alone_or_with_those_that_nobody_can_tell_from_it(name, dtype):
    known = KNOWN[name]
    found = fitting_normalizations(dtype, *quantized(known.low, known.high, dtype))
    assert {fit.name for fit in found} == NOT_ALONE[dtype].get(name, {name})
    assert all(fit.unseen == 0 for fit in found)


@pytest.mark.parametrize("dtype", sorted(ACTIVATION_TYPES))
@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("seen", [(0.0, 0.015), (0.015, 0.0), (0.008, 0.007)], ids=["top", "bottom", "both"])
def test_calibration_that_saw_no_extremes_comes_close(name, dtype, seen):
    """Data within the full range by a hundredth and a half at one end, or at both ends together."""
    known = KNOWN[name]
    width = known.high - known.low
    low, high = known.low + seen[0] * width, known.high - seen[1] * width
    expected = _lost(known, low, high, dtype)
    unseen = unseen_part(known.low, known.high, dtype, *quantized(low, high, dtype))
    if expected > OBSERVED_WIDTH:  # of a symmetric scale only the larger end counts, and may lose more
        assert unseen is None
    else:
        assert unseen == pytest.approx(expected, abs=1.1e-3)


def _lost(known, low: float, high: float, dtype: str) -> float:
    """The part of the full range, widened to zero, that a quantizer of [low, high] does not see."""
    if dtype == "INT16":
        return 1 - max(-low, high) / max(-known.low, known.high)
    return 1 - (max(high, 0) - min(low, 0)) / (max(known.high, 0) - min(known.low, 0))


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "expected"),
    [
        ("UINT8", 0.007843137718737125, 127, {"minus-one-to-one"}),
        ("UINT8", 0.007843137718737125, 128, {"minus-one-to-one"}),  # rounded the other way
        ("INT8", 0.007843137718737125, -1, {"minus-one-to-one"}),
        ("UINT8", 0.0078125, 128, {"mean-128-std-128", "mean-127.5-std-128"}),
        ("UINT8", 0.0078125, 127, {"mean-127-std-128", "mean-127.5-std-128"}),
        ("UINT8", 0.007874015718698502, 128, {"mean-128-std-127"}),
        ("UINT8", 0.003921568859368563, 0, {"unit"}),
        ("INT8", 0.003921568859368563, -128, {"unit"}),
        ("INT8", 0.018658, -14, {"imagenet", "imagenet-bgr"}),
        ("INT8", 0.0186584480, -14, {"imagenet", "imagenet-bgr"}),
        ("UINT8", 1.0, 0, {"raw"}),
        ("INT8", 1.0, -128, {"raw"}),
        ("INT8", 1.0, 0, {"minus-128"}),
        ("INT16", 1 / 32767, 0, SAME_SIGNED),
        ("INT16", 1 / 32768, 0, SAME_SIGNED),  # a quantizer that divides by 2 ** 15
        ("INT8", 1 / 127, 0, {"mean-128-std-127", *SAME_SIGNED}),  # a symmetric one
        ("UINT8", 0.10196, 0, set()),  # features of a sound
        ("INT8", 0.584703, 83, set()),
        ("INT8", 0.0078125, -128, set()),  # the scale of one, the zero point of another
        ("UINT8", 0.007843137718737125, 130, set()),  # two and a half steps off
        ("UINT8", 0.0039, 3, set()),  # a range that begins below zero
        ("UINT8", 0.02, 128, set()),
    ],
)
def test_numbers_as_files_have_them(dtype, scale, zero_point, expected):
    assert named(dtype, scale, zero_point) == expected


def test_a_range_that_is_partly_unseen_says_how_much():
    found = fitting_normalizations("INT8", 0.018631115555763245, -14)  # of a MobileNet v2 calibrated on photos
    assert [(fit.name, round(fit.unseen, 4)) for fit in found] == [("imagenet", 0.0015), ("imagenet-bgr", 0.0015)]


def test_one_that_fits_wholly_leaves_no_room_for_those_that_come_close():
    assert named("INT8", *quantized(-1.0, 0.992188, "INT8")) == {"mean-128-std-128", "mean-127.5-std-128"}


@pytest.mark.parametrize("part", [0.03, 0.1, 0.5])
def test_more_than_a_fiftieth_unseen_is_no_fit(part):
    assert named("UINT8", *quantized(0.0, 1 - part, "UINT8")) == set()


def test_a_range_that_is_wider_than_a_normalisation_does_not_fit_it():
    assert named("UINT8", *quantized(0.0, 1.02, "UINT8")) == set()


@pytest.mark.parametrize("scale", [0.0, -0.0078, math.nan, math.inf, -math.inf, 1e-40])
def test_an_unusable_scale_fits_nothing(scale):
    assert fitting_normalizations("INT8", scale, 0) == ()


@pytest.mark.parametrize("zero_point", [-129, 128, 2**40])
def test_a_zero_point_outside_of_the_type_fits_nothing(zero_point):
    assert activation_range("INT8", 0.0078, zero_point) is None
    assert fitting_normalizations("INT8", 0.0078, zero_point) == ()


@pytest.mark.parametrize("dtype", ["FLOAT32", "INT32", "UINT16", "INT4"])
def test_a_type_that_no_quantized_activation_has_fits_nothing(dtype):
    assert fitting_normalizations(dtype, 1.0, 0) == ()


# -- raw bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "name", "steps"),
    [
        ("UINT8", 1 / 127.5, 127, "minus-one-to-one", 0.5),
        ("INT8", 1 / 127.5, -1, "minus-one-to-one", 0.5),
        ("UINT8", 1 / 128, 128, "mean-128-std-128", 0.0),
        ("UINT8", 1 / 128, 128, "mean-127.5-std-128", 0.5),
        ("UINT8", 1 / 255, 0, "unit", 0.0),
        ("INT8", 1 / 255, -128, "unit", 0.0),
        ("UINT8", 1.0, 0, "raw", 0.0),
        ("INT8", 0.018658, -14, "imagenet", None),  # three channels, one scale
        ("INT16", 1 / 32767, 0, "unit", None),
    ],
)
def test_how_far_a_raw_byte_is_from_what_the_normalisation_gives(dtype, scale, zero_point, name, steps):
    (fit,) = [fit for fit in fitting_normalizations(dtype, scale, zero_point) if fit.name == name]
    assert fit.raw_steps == (None if steps is None else pytest.approx(steps, abs=1e-3))


def test_the_distance_of_raw_bytes_holds_for_every_byte():
    """Byte by byte, as a caller would: normalise, quantize without rounding, compare."""
    scale, zero_point = as_float32(1 / 127.5), 127
    (fit,) = fitting_normalizations("UINT8", scale, zero_point)
    distances = [abs((byte / 127.5 - 1) / scale + zero_point - byte) for byte in range(256)]
    assert fit.raw_steps == pytest.approx(max(distances))
