"""Facts about claims of a quantization scheme in the names and the description of a model."""

from __future__ import annotations

import re

from tflint.columns.column import Strings, strings_of, text_of
from tflint.facts.facts import Facts

INT8, DYNAMIC_RANGE = "int8", "dynamic-range"
#: Words for integer inference in file names and descriptions. "integer_quant" is from PINTO's model zoo.
_INT8 = (
    r"(?<![a-z0-9])"
    r"(int8|i8|w8a8|a8w8|full[-_ ]?(int|integer)([-_ ]?quant\w*)?|integer[-_ ]?(only|quant\w*))"
    r"(?![a-z0-9])"
)
#: Words that limit the claim to the weights.
_WEIGHTS = r"dynamic|drq|hybrid|weight|(?<![a-z0-9])(dr|w8a32|w8a16|wo|float\w*|fp16|fp32)(?![a-z0-9])"
#: Words for dynamic range quantization. The dynamic range of an image or of audio is something else.
_DYNAMIC_RANGE = (
    r"(?<![a-z0-9])(?<!high[-_ ])(?<!wide[-_ ])(?<!low[-_ ])(?<!standard[-_ ])"
    r"(dynamic[-_ ]?range([-_ ]?quant\w*)?|drq)(?![a-z0-9])"
    r"(?![-_ ]?(of|compress\w*|expan\w*|imag\w*|photo\w*|video\w*|reduc\w*|enhanc\w*)(?![a-z0-9]))"
)
#: Words that contradict the claim of dynamic range quantization, such as in "calibrated dynamic range, float32".
_FLOAT = r"(?<![a-z0-9])(float\w*|fp16|fp32)(?![a-z0-9])"


def claimed_scheme(facts: Facts) -> Strings:
    """Return the scheme that the file name, metadata name or description of each model claims."""
    names = [facts.column("file", "name"), *(facts.column("model", name) for name in ("description", "metadata_name"))]
    texts = [[(text_of(column, row) or "").lower() for column in names] for row in range(facts.n("model"))]
    return strings_of(map(_find_claim, texts))


def classify_name(name: str) -> tuple[bool, ...]:
    """Return which of the words that make or limit a claim are in a file name."""
    return tuple(_has_words(words, [name.lower()]) for words in (_INT8, _WEIGHTS, _DYNAMIC_RANGE, _FLOAT))


def _find_claim(texts: list[str]) -> str | None:
    if _has_words(_INT8, texts) and not _has_words(_WEIGHTS, texts):
        return INT8
    if _has_words(_DYNAMIC_RANGE, texts) and not _has_words(_FLOAT, texts):
        return DYNAMIC_RANGE
    return None


def _has_words(words: str, texts: list[str]) -> bool:
    """Return whether one of some words, given as a pattern, is in a text.

    A pattern is compiled only for texts that contain a part of each match: compiling takes longer than other facts.
    """
    parts = _PARTS[words]
    return any(re.search(words, text) is not None for text in texts if any(part in text for part in parts))


#: For each pattern, texts of which every match contains one.
_PARTS = {
    _INT8: ("int", "8"),
    _WEIGHTS: ("d", "w", "fl", "fp"),
    _DYNAMIC_RANGE: ("range", "drq"),
    _FLOAT: ("float", "fp"),
}
