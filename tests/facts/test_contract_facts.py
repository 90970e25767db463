"""Test the facts about preprocessing in contracts, and what rules report of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.models.named import NAMED
from tflint.api import check
from tflint.config import Config
from tflint.contract import parse_contract
from tflint.findings import Finding
from tflint.writer import edit_model

IMAGE = '[[inputs]]\nkind = "image"\nchannels = "RGB"\n'


def findings(model: str, text: str, rule: str, edit: dict[str, Any] | None = None) -> list[Finding]:
    """Return the findings of a rule for a named model with a contract."""
    content = NAMED[model]()
    contract = parse_contract(text, "m.contract.toml")
    report = check(edit_model(content, edit) if edit else content, contract=contract, config=Config(select=(rule,)))
    return list(report.findings())


def message(model: str, text: str, rule: str, edit: dict[str, Any] | None = None) -> str:
    """Return the message of the only finding of a rule."""
    (finding,) = findings(model, text, rule, edit)
    return finding.message


# -- bytes of a raw feed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "range_", "fits"),
    [
        ("int8", "[0, 255]", True),
        ("int8", "[-128, 127]", True),
        ("int8", "[-1, 255]", False),
        ("int8", "[0, 256]", False),
        ("uint8", "[0, 255]", True),
        ("uint8", "[-128, 127]", False),
    ],
)
def test_raw_bytes_of_0_to_255_fit_int8_because_128_is_subtracted(dtype: str, range_: str, fits: bool) -> None:
    text = f'[[inputs]]\nkind = "image"\ndtype = "{dtype}"\nfeed = "raw"\nrange = {range_}\n'
    edit = {"tensors.input.type": dtype.upper()}
    assert (findings("pixels_int8", text, "P016", edit) == []) is fits


RAW = f'{IMAGE}mean = 127.5\nstd = 127.5\nunits = "u8"\nfeed = "raw"\n'


def calibrated_to(pixel: float) -> dict[str, Any]:
    """Return the edit for calibration data that reached only this pixel."""
    scale = (pixel / 127.5) / 255
    return {
        "tensors.input.quantization.scale": [scale],
        "tensors.input.quantization.zero_point": [round(-128 + 1 / scale)],
    }


@pytest.mark.parametrize(
    ("pixel", "rules"), [(255, []), (253, ["P113"]), (250, ["P113"]), (240, ["P101"]), (128, ["P101"])]
)
def test_raw_bytes_a_few_steps_off_are_a_warning_not_an_error(pixel: float, rules: list[str]) -> None:
    found = [
        finding.rule
        for rule in ("P101", "P113")
        for finding in findings("pixels_int8", RAW, rule, calibrated_to(pixel))
    ]
    assert [rule for rule in found if not (rule == "P113" and "P101" in found)] == rules


@pytest.mark.parametrize(
    ("range_", "units"), [("[16, 235]", "u8"), ("[0, 127]", "u8"), ("[0, 1]", "unit"), ("[-128, 127]", "u8")]
)
def test_raw_bytes_of_a_source_with_another_range_are_compared_where_they_are(range_: str, units: str) -> None:
    factor = {"u8": 127.5, "unit": 0.5}[units]
    mean = 0 if range_.startswith("[-") else factor  # signed bytes are centered already
    numbers = f'mean = {mean}\nstd = {factor}\nunits = "{units}"\nrange = {range_}\n'
    for rule in ("P101", "P113"):
        assert findings("pixels_int8", f'{IMAGE}{numbers}feed = "raw"\n', rule) == []


# -- numbers and names in messages -------------------------------------------------------------------------------------


def test_the_smallest_std_is_named_not_the_first() -> None:
    text = f'{IMAGE}mean = 127.5\nstd = [127.5, 0, 127.5]\nunits = "u8"\n'
    assert message("image_float32", text, "P005") == "std must be greater than 0 (smallest value: 0)"


def test_metadata_that_differs_in_the_second_channel_shows_all_channels() -> None:
    text = f'{IMAGE}mean = [127.5, 100, 127.5]\nstd = 127.5\nunits = "u8"\n'
    assert message("image_float32", text, "P004") == (
        "the contract specifies mean [127.5, 100, 127.5] and std 127.5 in units u8; "
        "the model's metadata specifies mean 127.5 and std 127.5"
    )


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ("", "channels, mean and std (or range), resize"),
        ('channels = "RGB"\n', "mean and std (or range), resize"),
        ('channels = "RGB"\nrange = [0, 255]\n', "resize"),
        ('channels = "RGB"\nfeed = "raw"\n', "resize"),
        ('mean = 127.5\nstd = 127.5\nunits = "u8"\n[inputs.resize]\nmode = "stretch"\n', "channels"),
    ],
)
def test_only_missing_keys_are_listed_as_missing(keys: str, missing: str) -> None:
    text = f'[[inputs]]\nkind = "image"\n{keys}'
    assert message("image_float32", text, "P018").endswith(f"it does not set {missing}")


def test_a_range_that_fits_no_known_normalization_is_not_an_empty_list() -> None:
    edit = {"tensors.input.quantization.scale": [0.3], "tensors.input.quantization.zero_point": [7]}
    text = f'{IMAGE}mean = 127.5\nstd = 127.5\nunits = "u8"\n'
    assert "known normalizations with this scale and zero point: none)" in message("pixels_int8", text, "P001", edit)


# -- known normalizations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize(
    "numbers",
    [
        'mean = 127.5\nstd = 255\nunits = "u8"',
        'mean = 128\nstd = 256\nunits = "u8"',
        'mean = 0.5\nstd = 1\nunits = "unit"',
        'mean = [127.5, 127.5, 127.5]\nstd = [255, 255, 255]\nunits = "u8"',
    ],
)
def test_equal_numbers_for_all_channels_have_no_order(channels: str, numbers: str) -> None:
    assert findings("image_float32", f'[[inputs]]\nkind = "image"\nchannels = "{channels}"\n{numbers}\n', "P007") == []


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ('mean = [103.53, 116.28, 123.675]\nstd = [57.375, 57.12, 58.395]\nunits = "u8"', "ImageNet mean and std"),
        ('mean = [104.1, 116.7, 122.8]\nstd = [70.3, 66.6, 68.5]\nunits = "u8"', "CLIP mean and std"),
        ('mean = [104, 117, 123]\nstd = 1\nunits = "u8"', "BGR − [104, 117, 123]"),
        ('mean = [103.939, 116.779, 123.68]\nstd = 1\nunits = "u8"', "BGR − [103.939, 116.779, 123.68]"),
    ],
)
def test_the_nearest_normalization_is_named_in_either_units(numbers: str, name: str) -> None:
    assert f"({name}) are in BGR order" in message("image_float32", f"{IMAGE}{numbers}\n", "P007")


# -- amplitude of audio ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amplitude", [1, 32768])
def test_an_amplitude_that_nothing_in_the_graph_scales_is_not_checked_in_both_directions(amplitude: int) -> None:
    contract = parse_contract(f'[[inputs]]\nkind = "audio"\naudio = {{ amplitude = {amplitude} }}\n', "c.toml")
    report = check(NAMED["waveform_float32"](), contract=contract, config=Config(select=("P109",)))
    assert list(report.findings()) == []
    (entry,) = [entry for file in report.files for entry in file.not_checked if entry.rule == "P109"]
    assert "accepts any amplitude" in entry.reason


@pytest.mark.parametrize(("factor", "amplitude"), [(1 / 32768, 1), (1 / 32767, 1), (32768.0, 32768)])
def test_an_amplitude_that_the_graph_scales_is_compared_with_its_factor(factor: float, amplitude: int) -> None:
    edit = {"tensors.factor.data": [factor], "tensors.one.data": [0.0, 0.0, 0.0]}
    text = '[[inputs]]\nkind = "audio"\naudio = {{ amplitude = {} }}\n'
    assert len(findings("rescaled_float32", text.format(amplitude), "P109", edit)) == 1
    assert findings("rescaled_float32", text.format(32769 - amplitude), "P109", edit) == []


def test_features_have_no_amplitude_of_samples() -> None:
    edit = {"tensors.factor.data": [1 / 32768], "tensors.one.data": [0.0, 0.0, 0.0]}
    text = '[[inputs]]\nkind = "audio"\naudio = { amplitude = 1, features = "log-mel" }\n'
    assert findings("rescaled_float32", text, "P109", edit) == []


# -- casts -------------------------------------------------------------------------------------------------------------

UINT8 = {
    "tensors.input.type": "UINT8",
    "tensors.input.quantization.scale": [1 / 255],
    "tensors.input.quantization.zero_point": [0],
}
CASTS = f'{IMAGE}dtype = "uint8"\nmean = 0\nstd = 255\nunits = "u8"\ncast = "uint8"\n'
SCORES = '[[outputs]]\nkind = "class_scores"\nactivation = "{}"\ndequantize = false\n'


def rules(model: str, text: str, edit: dict[str, Any] | None = None) -> list[str]:
    """Return the rules with errors and warnings for a named model with a contract."""
    content = NAMED[model]()
    contract = parse_contract(text, "m.contract.toml")
    report = check(edit_model(content, edit) if edit else content, contract=contract, config=Config(select=("P", "D")))
    return sorted(finding.rule for finding in report.findings() if finding.severity != "note")


@pytest.mark.parametrize("feed", ["", 'feed = "fold"\n'])
def test_pixels_divided_by_255_and_cast_to_uint8_are_one_error(feed: str) -> None:
    assert rules("pixels_int8", CASTS + feed, UINT8) == ["D004"]


def test_a_cast_in_code_for_a_float_input_is_too_coarse() -> None:
    assert rules("image_float32", CASTS.replace('dtype = "uint8"\n', "")) == ["P004", "P114"]


def test_a_cast_of_values_around_zero_is_one_error() -> None:
    text = f'{IMAGE}mean = 127.5\nstd = 127.5\nunits = "u8"\ncast = "uint8"\n'
    assert rules("image_float32", text) == ["P114"]
    assert rules("pixels_int8", text) == ["D004"]


def test_a_cast_of_pixels_is_right_whatever_the_calibrated_range() -> None:
    text = CASTS.replace("std = 255", "std = 1")
    for zero_point, scale in ((0, 1 / 255), (128, 1 / 127.5), (0, 1.0)):
        parameters = {
            "tensors.input.quantization.scale": [scale],
            "tensors.input.quantization.zero_point": [zero_point],
        }
        assert rules("pixels_int8", text, UINT8 | parameters) == []


def test_a_raw_feed_does_not_cast() -> None:
    assert rules("pixels_int8", f'{CASTS}feed = "raw"\n', UINT8) == []


# -- probabilities that are not dequantized ----------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_probabilities_without_dequantizing_are_found_without_a_range(activation: str) -> None:
    model = {"softmax": "softmax_int8", "sigmoid": "logistic_int8"}[activation]
    assert rules(model, SCORES.format(activation)) == ["D103"]
    assert rules(model, SCORES.format(activation).replace("false", "true")) == []


def test_probabilities_in_code_for_a_float_model_are_an_error() -> None:
    text = '[[inputs]]\nkind = "raw"\nrange = [0, 1]\ncast = "uint8"\n'
    found = rules("softmax_int8", text + SCORES.format("softmax"))
    assert "D005" in found
    assert "D103" not in found
