"""Facts of runtime versions: which TensorFlow Lite release has all operators of a model, and what the file says."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, state_of, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.resources import table

_Version = tuple[int, ...]


def required_version(facts: Facts) -> Strings:
    """The first TensorFlow release that has every operator of a model in its version."""
    return strings_of(None if found is None else ".".join(map(str, found)) for found in _required(facts))


def is_understated(facts: Facts) -> Scalars:
    """Whether the file names an older release than its operators need."""
    stated = facts.column("model", "min_runtime_version")
    pairs = [(_parsed(text_of(stated, row)), needed) for row, needed in enumerate(_required(facts))]
    values = np.array([bool(said and needed and said < needed) for said, needed in pairs], dtype=np.bool_)
    return Scalars(values, state_of(np.array([not said or not needed for said, needed in pairs], dtype=np.bool_)))


def _required(facts: Facts) -> list[_Version | None]:
    """The newest of the releases that the operators came with; None where the table knows none of them."""
    releases = table("op_versions")["tflite"]
    opcodes, versions = facts.column("operator_code", "opcode"), facts.numbers("operator_code", "version")
    newest: list[_Version | None] = [None] * facts.n("model")
    for row, model in enumerate(facts.table("operator_code").model.tolist()):
        release = releases.get(text_of(opcodes, row) or "", {}).get(str(int(versions[row])))
        found = _parsed(release)
        if found is not None:
            newest[model] = max(newest[model] or found, found)
    return newest


def _parsed(text: str | None) -> _Version | None:
    """A version's three numbers; None where a text is none."""
    parts = (text or "").split(".")
    if not 2 <= len(parts) <= 4 or not all(part.isdecimal() and len(part) < 6 for part in parts):
        return None
    return tuple(int(part) for part in [*parts, "0"][:3])
