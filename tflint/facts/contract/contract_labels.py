"""Facts about the label files that contracts name. A label file is next to the contract or packed with the model."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of, text_of
from tflint.contract.label_file import Labels, read_labels
from tflint.facts.facts import Facts
from tflint.facts.interface.packed_labels import read_packed_labels


def n_lines(facts: Facts) -> Scalars:
    """Return the number of labels in each output's label file, absent if there is no file or it has no labels."""
    return scalars_of(len(labels.lines) or None if labels is not None else None for labels in _labels(facts))


def problem(facts: Facts) -> Strings:
    """Return what is wrong with each output's label file, absent if nothing is wrong."""
    return strings_of(labels.problem or None if labels is not None else None for labels in _labels(facts))


def begins_with_background(facts: Facts) -> Scalars:
    """Return whether the first label of each output has one of the usual names of the background class."""
    flags = [labels.begins_with_background if labels and labels.lines else None for labels in _labels(facts)]
    return scalars_of(flags, np.bool_)


def _labels(facts: Facts) -> list[Labels | None]:
    """Return the labels of each output.

    The element is None if the contract does not name a label file, or if tflint cannot unpack the file from the model.
    """
    return facts.memoize("labels", lambda: _read_all(facts))


def _read_all(facts: Facts) -> list[Labels | None]:
    labels: list[Labels | None] = []
    for model, contract in facts.contracts.items():
        for entry in contract.outputs:
            name = entry.get("labels", {}).get("file")
            labels.append(None if name is None else _read_file(facts, model, contract.path, name))
    return labels


def _read_file(facts: Facts, model: int, contract: str, name: str) -> Labels | None:
    """Read the label file next to the contract. If that is missing, read the one packed with the model.

    Returns None if the file is packed with the model but tflint cannot unpack it.
    """
    labels = read_labels(contract, name)
    if labels.problem != "missing" or name not in _associated_files(facts, model):
        return labels
    return read_packed_labels(facts, model, name)


def _associated_files(facts: Facts, model: int) -> set[str | None]:
    names = facts.column("associated_file", "name")
    rows = facts.table("associated_file").rows_of(model)
    return {text_of(names, row) for row in range(rows.start, rows.stop)}
