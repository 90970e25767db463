"""Facts about language models: whether the name of a model is the one that LLM runtimes look for."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts

#: Name of the member in a .task bundle, or of the section's model type in a .litertlm bundle. `#2` marks a second one.
_PREFILL_DECODE = "tf_lite_prefill_decode"


def is_language_model_name(name: str) -> bool:
    """Return whether a file or member of this name is the model with which LLM runtimes generate text."""
    stem, _, number = name.lower().removesuffix(".tflite").partition("#")
    return stem == _PREFILL_DECODE and (number.isdecimal() or "#" not in name)


def is_language_model(facts: Facts) -> Scalars:
    """Return whether each model is the one with which LLM runtimes generate text, by its name."""
    names = facts.column("file", "name")
    matches = [is_language_model_name(text_of(names, row) or "") for row in range(facts.n("model"))]
    return Scalars(np.array(matches, dtype=np.bool_))
