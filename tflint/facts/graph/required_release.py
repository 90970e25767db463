"""Facts about runtime versions: the release that operators need, and whether the model file declares an older one."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.targets.runtime import TENSORFLOW, first_tensorflow_version
from tflint.targets.version import Version, parse_version


def required_version(facts: Facts) -> Strings:
    """Return the oldest TensorFlow release that supports all operators of each model in their versions."""
    return strings_of(None if release is None else str(release) for release in _required_releases(facts))


def is_understated(facts: Facts) -> Scalars:
    """Return whether each file declares an older release than its operators need."""
    column = facts.column("model", "min_runtime_version")
    declared = [parse_version(TENSORFLOW, text_of(column, row) or "") for row in range(facts.n("model"))]
    pairs = zip(declared, _required_releases(facts), strict=True)
    return scalars_of((version < needed if version and needed else None for version, needed in pairs), np.bool_)


def _required_releases(facts: Facts) -> list[Version | None]:
    """Return the oldest release that has all operators of each model in their versions.

    Operators that the data file of releases does not list are left out. If it lists none, the result is None.
    """
    opcodes, versions = facts.column("operator_code", "opcode"), facts.numbers("operator_code", "version")
    newest: list[Version | None] = [None] * facts.n("model")
    for row, model in enumerate(facts.table("operator_code").model.tolist()):
        release = first_tensorflow_version(text_of(opcodes, row) or "", int(versions[row]))
        if release is not None:
            newest[model] = max(newest[model] or release, release)
    return newest
