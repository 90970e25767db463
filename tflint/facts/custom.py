"""Facts of custom operators: what their options say, and for which accelerator a compiler made them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint.columns.column import PRESENT, Lists, Scalars, Strings, state_of, texts_of
from tflint.facts.facts import Facts
from tflint.flexbuffer import Budget, FlexbufferError, decode
from tflint.model.custom import options_bytes

#: Values of all options of a batch that are decoded, a second's work; real options hold some ten. What comes after that
#: is unknown.
MAX_VALUES = 1_000_000
_TOO_MANY = object()

#: Operators that compilers for accelerators leave in place of those that they compiled: edgetpu.h of libedgetpu, Vela's
#: tflite_mapping.py, and build_stamp.h of LiteRT, whose dispatch operator hands over to the delegate of an NPU.
COMPILED = {"edgetpu-custom-op": "edgetpu", "ethos-u": "ethos-u", "DISPATCH_OP": "npu"}


def option_keys(facts: Facts) -> Lists:
    """The keys of each operator's custom options, sorted as they are stored; absent where these are no map."""
    found = _decoded(facts)
    keys = [list(value) if isinstance(value, dict) else [] for value in found]
    unknown = np.array([value is _TOO_MANY for value in found], dtype=np.bool_)
    absent = np.array([not isinstance(value, dict) for value in found], dtype=np.bool_)
    return texts_of(keys, state_of(absent & ~unknown, unknown))


def options_valid(facts: Facts) -> Scalars:
    """Whether each operator's custom options are a whole FlexBuffer."""
    found = _decoded(facts)
    unknown = np.array([value is _TOO_MANY for value in found], dtype=np.bool_)
    absent = facts.lists("operator", "custom_options").lengths == 0
    is_valid = np.array([not isinstance(value, FlexbufferError) for value in found], dtype=np.bool_)
    return Scalars(is_valid, state_of(absent, unknown))


def _decoded(facts: Facts) -> list[Any]:
    """For each operator its decoded options, or the error, or None where it has none, or `_TOO_MANY`."""
    options = facts.lists("operator", "custom_options")
    budget = Budget(MAX_VALUES)
    known: dict[tuple[int, int], Any] = {}  # operators may share their options
    found = []
    for row, place in enumerate(zip(options.starts.tolist(), options.lengths.tolist(), strict=True)):
        if place not in known:
            known[place] = _decode(options_bytes(options, row), budget) if place[1] else None
        found.append(known[place])
    return found


def _decode(data: bytes, budget: Budget) -> Any:
    try:
        return decode(data, budget)
    except FlexbufferError as error:
        return error if budget.values >= 0 else _TOO_MANY


def operator_compiled_for(facts: Facts) -> Strings:
    """For which accelerator a compiler made each operator."""
    custom = facts.strings("operator", "custom_code")
    targets = [COMPILED.get(label) for label in custom.labels]
    labels = sorted(set(COMPILED.values()))
    numbers = np.array([labels.index(target) if target else -1 for target in targets], dtype=np.int64)
    codes = numbers[custom.codes] if len(numbers) else np.full(len(custom.codes), -1)
    absent = codes < 0 if custom.state is None else (codes < 0) | (custom.state != PRESENT)
    return Strings(np.maximum(codes, 0), labels, state_of(absent))


def model_compiled_for(facts: Facts) -> Lists:
    """The accelerators that operators of each model were compiled for, each once."""
    targets = facts.strings("operator", "compiled_for")
    models = facts.table("operator").model
    kept = np.arange(len(models)) if targets.state is None else np.flatnonzero(targets.state == PRESENT)
    found: list[set[str]] = [set() for _ in range(facts.n("model"))]
    for model, code in set(zip(models[kept].tolist(), targets.codes[kept].tolist(), strict=True)):
        found[model].add(targets.labels[code])
    return texts_of([sorted(names) for names in found])
