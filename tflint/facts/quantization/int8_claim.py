"""Facts about claims of int8 quantization in the names and the description of a model."""

from __future__ import annotations

import re

import numpy as np

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts

#: Words for integer inference in file names and descriptions. "integer_quant" is from PINTO's model zoo.
_INT8 = re.compile(
    r"(?<![a-z0-9])"
    r"(int8|i8|w8a8|a8w8|full[-_ ]?(int|integer)([-_ ]?quant\w*)?|integer[-_ ]?(only|quant\w*))"
    r"(?![a-z0-9])"
)
#: Words that limit the claim to the weights.
_WEIGHTS = re.compile(r"dynamic|drq|hybrid|weight|(?<![a-z0-9])(dr|w8a32|w8a16|wo|float\w*|fp16|fp32)(?![a-z0-9])")


def claims_int8(facts: Facts) -> Scalars:
    """Return whether each model claims int8 inference.

    Its file name, metadata name or description calls the model int8, and none of them limits that to the weights.
    """
    names = [facts.column("file", "name"), *(facts.column("model", name) for name in ("description", "metadata_name"))]
    texts = [[(text_of(column, row) or "").lower() for column in names] for row in range(facts.n("model"))]
    return Scalars(np.array([_is_int8_claim(of_model) for of_model in texts], dtype=np.bool_))


def classify_name(name: str) -> tuple[bool, bool]:
    """Return two flags: whether a file name calls the model int8, and whether the name limits that to the weights."""
    return _INT8.search(name.lower()) is not None, _WEIGHTS.search(name.lower()) is not None


def _is_int8_claim(texts: list[str]) -> bool:
    return any(_INT8.search(text) for text in texts) and not any(_WEIGHTS.search(text) for text in texts)
