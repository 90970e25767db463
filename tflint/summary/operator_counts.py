"""Counts the operators of a model by operator code and version."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, read_number, read_string
from tflint.summary.summary_values import OperatorCount


def count_operators(facts: Facts) -> tuple[OperatorCount, ...]:
    """Count the operators of all subgraphs by label and version. Operators whose code is out of range do not count.

    An operator code that no operator uses has a count of 0. It is listed because runtimes resolve every code when they
    load a model, and refuse the model if they do not support one.
    """
    codes = facts.rows("operator", "operator_code")
    counts = np.bincount(codes[codes >= 0], minlength=facts.n("operator_code"))
    totals: dict[tuple[str, int, str | None], int] = {}
    for code in range(min(len(counts), MAX_LISTED)):
        opcode = read_string(facts, "operator_code", "opcode", code) or ""
        custom = (text_of(facts.column("operator_code", "custom_code"), code) or "") if opcode == "CUSTOM" else None
        key = (opcode, read_number(facts, "operator_code", "version", code), custom)
        totals[key] = totals.get(key, 0) + int(counts[code])
    entries = [OperatorCount(opcode, version, custom, n) for (opcode, version, custom), n in totals.items()]
    return tuple(sorted(entries, key=lambda entry: (entry.label, entry.opcode, entry.version)))
