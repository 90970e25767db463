"""Facts about language models: whether the name of a model is the one that LLM runtimes look for."""

from __future__ import annotations

import re

import numpy as np

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts

#: Name of the member in a .task bundle, or of the section's model type in a .litertlm bundle. `#2` marks a second one.
_PREFILL_DECODE = re.compile(r"tf_lite_prefill_decode(#\d+)?(\.tflite)?", re.IGNORECASE)


def is_language_model(facts: Facts) -> Scalars:
    """Return whether each model is the one that LLM runtimes run to read a prompt and to generate tokens."""
    names = facts.column("file", "name")
    matches = (_PREFILL_DECODE.fullmatch(text_of(names, row) or "") for row in range(facts.n("model")))
    return Scalars(np.array([match is not None for match in matches], dtype=np.bool_))
