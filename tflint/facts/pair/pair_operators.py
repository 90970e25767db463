"""The table of the operators of pairs, with the versions that both models use."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import references_of, scalars_of, strings_of, text_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_tables import Makers, new_models
from tflint.targets.runtime import TENSORFLOW, first_tensorflow_version
from tflint.targets.version import Version, parse_version

_Code = tuple[str, str]


def operator_table(facts: Facts) -> Table:
    """Return the operators of the new models, one row per pair and operator."""
    listed = [
        (pair, new, old, row, _newest_by_code(facts, old).get(code, -1))
        for pair, (new, old) in enumerate(facts.pairs.items())
        for code, row in _newest_by_code(facts, new).items()
    ]
    since = [_first_release(facts, row) for _, _, _, row, _ in listed]
    needed = [_required_release(facts, old) for _, _, old, _, _ in listed]
    makers: Makers = {
        "pair": lambda: references_of(pair for pair, *_ in listed),
        "operator_code": lambda: references_of(row for *_, row, _ in listed),
        "old": lambda: references_of(row for *_, row in listed),
        "since": lambda: strings_of(None if release is None else str(release) for release in since),
        "raises_runtime": lambda: scalars_of(map(_is_later, since, needed), np.bool_),
    }
    return Table("pair_operator", new_models(facts, (pair for pair, *_ in listed)), makers)


def _newest_by_code(facts: Facts, model: int) -> dict[_Code, int]:
    """Return the row of the newest version of each operator in a model. If several rows have it, the first counts."""

    def find_rows() -> dict[_Code, int]:
        opcodes, customs = facts.column("operator_code", "opcode"), facts.column("operator_code", "custom_code")
        versions = facts.numbers("operator_code", "version")
        rows = facts.table("operator_code").rows_of(model)
        newest: dict[_Code, int] = {}
        for row in range(rows.start, rows.stop):
            code = (text_of(opcodes, row) or "", text_of(customs, row) or "")
            if code not in newest or versions[row] > versions[newest[code]]:
                newest[code] = row
        return newest

    return facts.memoize(f"operators of model {model}", find_rows)


def _first_release(facts: Facts, row: int) -> Version | None:
    opcode = text_of(facts.column("operator_code", "opcode"), row)
    return first_tensorflow_version(opcode or "", int(facts.numbers("operator_code", "version")[row]))


def _required_release(facts: Facts, model: int) -> Version | None:
    text = text_of(facts.column("model", "required_runtime_version"), model)
    return None if text is None else parse_version(TENSORFLOW, text)


def _is_later(release: Version | None, required: Version | None) -> bool | None:
    return None if release is None or required is None else release > required
