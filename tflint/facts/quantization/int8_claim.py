"""Facts of what a model says of itself in its name and description, beside what it is."""

from __future__ import annotations

import re

import numpy as np

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts

#: Words for integer inference in file names and descriptions, as whole words; PINTO's zoo writes "integer_quant".
_INT8 = re.compile(
    r"(?<![a-z0-9])"
    r"(int8|i8|w8a8|a8w8|full[-_ ]?(int|integer)([-_ ]?quant\w*)?|integer[-_ ]?(only|quant\w*))"
    r"(?![a-z0-9])"
)
#: Words that say of the 8 bits that they are those of the weights.
_WEIGHTS = re.compile(r"dynamic|drq|hybrid|weight|(?<![a-z0-9])(dr|w8a32|w8a16|wo|float\w*|fp16|fp32)(?![a-z0-9])")


def claims_int8(facts: Facts) -> Scalars:
    """Whether name or description call a model int8 without saying that only weights are."""
    names = [facts.column("file", "name"), *(facts.column("model", name) for name in ("description", "metadata_name"))]
    texts = [[(text_of(column, row) or "").lower() for column in names] for row in range(facts.n("model"))]
    return Scalars(np.array([_claims(found) for found in texts], dtype=np.bool_))


def words_in(name: str) -> tuple[bool, bool]:
    """All that the name of a file says here: whether it calls the model int8, and whether only its weights."""
    return _INT8.search(name.lower()) is not None, _WEIGHTS.search(name.lower()) is not None


def _claims(texts: list[str]) -> bool:
    return any(_INT8.search(text) for text in texts) and not any(_WEIGHTS.search(text) for text in texts)
