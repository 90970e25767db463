"""Counts the operators of a model by kind and version."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, read_number, read_string
from tflint.summary.summary_values import OperatorCount


def count_operators(facts: Facts) -> tuple[OperatorCount, ...]:
    """The operators of all subgraphs by label and version; operators whose code is out of range are left out.

    A code that no operator uses counts 0: runtimes look up every code, and refuse a model for any of them.
    """
    codes = facts.rows("operator", "operator_code")
    counts = np.bincount(codes[codes >= 0], minlength=facts.n("operator_code"))
    found: dict[tuple[str, int, str | None], int] = {}
    for code in range(min(len(counts), MAX_LISTED)):
        opcode = read_string(facts, "operator_code", "opcode", code) or ""
        custom = (text_of(facts.column("operator_code", "custom_code"), code) or "") if opcode == "CUSTOM" else None
        key = (opcode, read_number(facts, "operator_code", "version", code), custom)
        found[key] = found.get(key, 0) + int(counts[code])
    entries = [OperatorCount(opcode, version, custom, n) for (opcode, version, custom), n in found.items()]
    return tuple(sorted(entries, key=lambda entry: (entry.label, entry.opcode, entry.version)))
