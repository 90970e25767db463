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


def test_a_range_that_fits_no_known_normalization_is_not_an_empty_list() -> None:
    edit = {"tensors.input.quantization.scale": [0.3], "tensors.input.quantization.zero_point": [7]}
    text = f'{IMAGE}mean = 127.5\nstd = 127.5\nunits = "u8"\n'
    assert "known normalizations with this scale and zero point: none)" in message("pixels_int8", text, "P001", edit)
