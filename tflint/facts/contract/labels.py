"""Facts of the label files that contracts name, beside the contract or inside the model."""

from __future__ import annotations

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of, text_of
from tflint.contract.labels import Labels, read_labels
from tflint.facts.facts import Facts


def n_lines(facts: Facts) -> Scalars:
    """How many labels the file beside the contract has."""
    return scalars_of(len(labels.lines) or None if labels is not None else None for labels in _labels(facts))


def problem(facts: Facts) -> Strings:
    """What is wrong with the file."""
    return strings_of(labels.problem or None if labels is not None else None for labels in _labels(facts))


def _labels(facts: Facts) -> list[Labels | None]:
    """The labels of each output; None where the contract names no file, or one that lies inside the model."""
    return facts.once("labels", lambda: _read(facts))


def _read(facts: Facts) -> list[Labels | None]:
    found: list[Labels | None] = []
    for model, contract in facts.contracts.items():
        for entry in contract.outputs:
            name = entry.get("labels", {}).get("file")
            labels = None if name is None else read_labels(contract.path, name)
            is_inside = labels is not None and labels.problem == "missing" and name in _files_of(facts, model)
            found.append(None if is_inside else labels)
    return found


def _files_of(facts: Facts, model: int) -> set[str | None]:
    """Names of the files inside a model."""
    names = facts.column("associated_file", "name")
    rows = facts.table("associated_file").rows_of(model)
    return {text_of(names, row) for row in range(rows.start, rows.stop)}
