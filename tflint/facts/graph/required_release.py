"""Facts of runtime versions: which TensorFlow Lite release has all operators of a model, and what the file says."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.targets.runtime import TENSORFLOW, first_tensorflow_version
from tflint.targets.version import Version, parse_version


def required_version(facts: Facts) -> Strings:
    """The first TensorFlow release that has every operator of a model in its version."""
    return strings_of(None if found is None else str(found) for found in _required(facts))


def is_understated(facts: Facts) -> Scalars:
    """Whether the file names an older release than its operators need."""
    stated = facts.column("model", "min_runtime_version")
    said = [parse_version(TENSORFLOW, text_of(stated, row) or "") for row in range(facts.n("model"))]
    pairs = zip(said, _required(facts), strict=True)
    return scalars_of((stated < needed if stated and needed else None for stated, needed in pairs), np.bool_)


def _required(facts: Facts) -> list[Version | None]:
    """The newest of the releases that the operators came with; None where the table knows none of them."""
    opcodes, versions = facts.column("operator_code", "opcode"), facts.numbers("operator_code", "version")
    newest: list[Version | None] = [None] * facts.n("model")
    for row, model in enumerate(facts.table("operator_code").model.tolist()):
        found = first_tensorflow_version(text_of(opcodes, row) or "", int(versions[row]))
        if found is not None:
            newest[model] = max(newest[model] or found, found)
    return newest
