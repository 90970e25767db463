"""Facts of the label files that contracts name, beside the contract or inside the model."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of, text_of
from tflint.contract.label_file import Labels, parse_labels, read_labels
from tflint.facts.facts import Facts
from tflint.model.model_extras import MAX_LIST_BYTES
from tflint.model.trailing_data import read_packed_file


def n_lines(facts: Facts) -> Scalars:
    """How many labels the file has."""
    return scalars_of(len(labels.lines) or None if labels is not None else None for labels in _labels(facts))


def problem(facts: Facts) -> Strings:
    """What is wrong with the file."""
    return strings_of(labels.problem or None if labels is not None else None for labels in _labels(facts))


def begins_with_background(facts: Facts) -> Scalars:
    """Whether the first label is called as that of the background is."""
    found = [labels.begins_with_background if labels and labels.lines else None for labels in _labels(facts)]
    return scalars_of(found, np.bool_)


def _labels(facts: Facts) -> list[Labels | None]:
    """The labels of each output; None where the contract names no file, or one in the model that cannot be had."""
    return facts.once("labels", lambda: _read(facts))


def _read(facts: Facts) -> list[Labels | None]:
    found: list[Labels | None] = []
    for model, contract in facts.contracts.items():
        for entry in contract.outputs:
            name = entry.get("labels", {}).get("file")
            found.append(None if name is None else _of_file(facts, model, contract.path, name))
    return found


def _of_file(facts: Facts, model: int, contract: str, name: str) -> Labels | None:
    """Of the file beside the contract; where none is, of the one inside the model."""
    labels = read_labels(contract, name)
    if labels.problem != "missing" or name not in _files_of(facts, model):
        return labels
    content = read_packed_file(facts.tables, model, name, MAX_LIST_BYTES)
    return None if content is None else parse_labels(content)


def _files_of(facts: Facts, model: int) -> set[str | None]:
    """Names of the files inside a model."""
    names = facts.column("associated_file", "name")
    rows = facts.table("associated_file").rows_of(model)
    return {text_of(names, row) for row in range(rows.start, rows.stop)}
