"""Facts about label lists that are packed with a model and that its metadata assigns to outputs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, state_of, strings_of
from tflint.contract.label_file import Labels, parse_labels
from tflint.facts.facts import Facts
from tflint.model.model_extras import MAX_LIST_BYTES, JsonTable
from tflint.model.trailing_data import read_packed_file
from tflint.values import frozen

#: Maximum number of label lists that are unpacked per model. A hostile zip can list the same bytes 10,000 times.
MAX_READ = 16
#: The type of a list with a label for each position along an axis. `TENSOR_VALUE_LABELS` are for values of the tensor.
_AXIS_LABELS = "TENSOR_AXIS_LABELS"


@frozen
class PackedLabels:
    """A label list packed with a model for one of its outputs. `labels` is None if tflint did not read it."""

    name: str
    labels: Labels | None

    @property
    def n_lines(self) -> int | None:
        """Number of labels; None if they are unknown, or the file is empty or not text."""
        return len(self.labels.lines) or None if self.labels is not None else None


def file_name(facts: Facts) -> Strings:
    """Return the name of each output's packed label list, absent if there is none."""
    return strings_of(one.name if one is not None else None for one in _labels_of_outputs(facts))


def n_lines(facts: Facts) -> Scalars:
    """Return the number of labels in each output's packed label list, unknown if tflint did not read the list."""
    return _with_unknown(facts, [one.n_lines if one is not None else None for one in _labels_of_outputs(facts)])


def begins_with_background(facts: Facts) -> Scalars:
    """Return whether the first label of each output's packed label list is a name for the background."""
    flags = [
        one.labels.begins_with_background if one is not None and one.labels is not None and one.labels.lines else None
        for one in _labels_of_outputs(facts)
    ]
    return _with_unknown(facts, flags, np.bool_)


def fits_other_output(facts: Facts) -> Scalars:
    """Return whether the number of labels of each output is a number of classes of another output of its subgraph."""
    subgraph_of = facts.rows("output", "subgraph").tolist()
    lists = facts.lists("output", "class_counts")
    own = [set(lists.row(row)) for row in range(len(lists))]
    n_outputs = Counter(
        (subgraph, count) for subgraph, counts in zip(subgraph_of, own, strict=True) for count in counts
    )
    fits: list[bool | None] = []
    for labels, subgraph, counts in zip(_labels_of_outputs(facts), subgraph_of, own, strict=True):
        n_labels = labels.n_lines if labels is not None else None
        fits.append(None if n_labels is None else n_outputs[subgraph, n_labels] > (n_labels in counts))
    return _with_unknown(facts, fits, np.bool_)


def read_packed_labels(facts: Facts, model: int, name: str) -> Labels | None:
    """Return the labels of a file in the zip after a model; None if tflint cannot unpack it."""
    content = read_packed_file(facts.tables, model, name, MAX_LIST_BYTES)
    return None if content is None else parse_labels(content)


def _with_unknown(facts: Facts, values: Sequence[float | None], dtype: type[np.generic] = np.float64) -> Scalars:
    """Return a column in which the rows whose list was not read are unknown, and other rows without value absent."""
    unknown = np.array([one is not None and one.labels is None for one in _labels_of_outputs(facts)], dtype=np.bool_)
    absent = np.array([value is None for value in values], dtype=np.bool_) & ~unknown
    return Scalars(scalars_of(values, dtype).values, state_of(absent, unknown))


def _labels_of_outputs(facts: Facts) -> list[PackedLabels | None]:
    return facts.memoize("labels packed for outputs", lambda: _read_all(facts))


def _read_all(facts: Facts) -> list[PackedLabels | None]:
    subgraph_of = facts.rows("output", "subgraph").tolist()
    ordinals, positions = facts.numbers("subgraph", "index"), facts.numbers("output", "position").tolist()
    models = facts.table("output").model.tolist()
    named = _names_in_contracts(facts)
    n_read: Counter[int] = Counter()
    read: dict[tuple[int, str], Labels | None] = {}
    listed: list[PackedLabels | None] = []
    for row, model in enumerate(models):
        name = _list_name(facts, model, int(ordinals[subgraph_of[row]]), int(positions[row]))
        if name is None or name in named[model]:
            listed.append(None)
            continue
        if (model, name) not in read:
            n_read[model] += 1
            read[model, name] = read_packed_labels(facts, model, name) if n_read[model] <= MAX_READ else None
        listed.append(PackedLabels(name, read[model, name]))
    return listed


def _list_name(facts: Facts, model: int, subgraph: int, position: int) -> str | None:
    """Return the name of the first packed label list that the metadata lists for an output."""
    extras = facts.tables.extras[model]
    graphs = (extras.metadata or {}).get("subgraph_metadata", [])
    entries = graphs[subgraph].get("output_tensor_metadata", []) if subgraph < len(graphs) else []
    files: list[JsonTable] = entries[position].get("associated_files", []) if position < len(entries) else []
    names = (str(file.get("name", "")) for file in files if file.get("type") == _AXIS_LABELS)
    return next((name for name in names if name in extras.packed), None)


def _names_in_contracts(facts: Facts) -> defaultdict[int, set[str]]:
    """Return the label files that the contract of each model names for class scores: other facts compare these."""
    names: defaultdict[int, set[str]] = defaultdict(set)
    for model, contract in facts.contracts.items():
        for entry in contract.outputs:
            if entry.get("kind") == "class_scores" and "file" in entry.get("labels", {}):
                names[model].add(entry["labels"]["file"])
    return names
