"""Tells which rules apply to a file: those for which a row of the file is in scope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflint.engine.plan import JudgedRule, Plan


def rules_in_scope(judged: Sequence[JudgedRule], plan: Plan, n_files: int) -> list[int]:
    """Return a number per file with a bit per rule of the plan. The bit is set if a row of the file is in scope.

    A row is in scope if the condition `where` of the rule holds, or is unknown.
    """
    positions = {selected.rule.id: position for position, selected in enumerate(plan.rules)}
    is_in_scope = np.zeros((n_files, len(plan.rules)), dtype=np.bool_)
    for entry in judged:
        position = positions.get(entry.rule.id)
        if position is not None and len(entry.case.in_scope):
            is_in_scope[:, position] |= entry.case.in_scope
    bits = np.packbits(is_in_scope, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in bits]
