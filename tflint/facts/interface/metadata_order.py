"""Facts about the order in which the metadata describes the outputs of a subgraph.

An entry of the metadata belongs to the output at the same position. Its name tells which output it describes: that of a
tensor or signature, or a usual name for a part of a detection result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tflint.columns.column import Lists, References, absent_where_none, text_of, texts_of
from tflint.facts.facts import Facts
from tflint.values import frozen

#: Names that metadata writers give the parts of a detection result, by the meaning of the output.
_DETECTION_NAMES = {
    "detection-boxes": {"location", "locations", "boxes", "bounding boxes", "detection_boxes"},
    "detection-classes": {"category", "categories", "class", "classes", "detection_classes"},
    "detection-scores": {"score", "scores", "detection_scores"},
    "detection-count": {"number of detections", "num_detections", "count", "detection_count"},
}


@frozen
class _Order:
    """The outputs of a subgraph: their rows in the model's order, the names in the metadata, and which is which.

    The name at position k describes the output at position `described[k]`.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    described: tuple[int, ...]


def metadata_outputs(facts: Facts) -> Lists:
    """Return the names in the metadata of the outputs of each subgraph, in the order of the metadata."""
    return _texts([None if order is None else order.names for order in _orders(facts)])


def identified_outputs(facts: Facts) -> Lists:
    """Return the same names in the order of the model's outputs that they describe."""
    return _texts(
        [None if order is None else [order.names[k] for k in np.argsort(order.described)] for order in _orders(facts)]
    )


def misplaced_output(facts: Facts) -> References:
    """Return the first output of each subgraph whose metadata describes a different output, absent if there is none."""
    rows = [-1 if order is None else _first_misplaced(order) for order in _orders(facts)]
    return References(np.array(rows, dtype=np.int32))


def _first_misplaced(order: _Order) -> int:
    return next((order.rows[k] for k, described in enumerate(order.described) if described != k), -1)


def _texts(items: Sequence[Sequence[str] | None]) -> Lists:
    return texts_of([[] if texts is None else texts for texts in items], absent_where_none(items))


def _orders(facts: Facts) -> list[_Order | None]:
    return facts.memoize("metadata orders", lambda: _compute_orders(facts))


def _compute_orders(facts: Facts) -> list[_Order | None]:
    """Return, per subgraph, what its metadata describes, or None if a name does not identify exactly one output."""
    outputs: dict[int, list[int]] = {}
    for row, subgraph in enumerate(facts.rows("output", "subgraph").tolist()):
        outputs.setdefault(subgraph, []).append(row)
    has_names = np.zeros(facts.n("subgraph"), np.bool_)
    names = facts.column("output", "metadata.name")
    for subgraph, rows in outputs.items():
        has_names[subgraph] = len(rows) > 1 and all(text_of(names, row) for row in rows)
    if not has_names.any():
        return [None] * len(has_names)
    signature_names = _signature_names(facts)
    return [_find_order(facts, outputs[k], signature_names) if has_names[k] else None for k in range(len(has_names))]


def _find_order(facts: Facts, rows: list[int], signature_names: Mapping[int, set[str]]) -> _Order | None:
    """Return what the metadata of some outputs describes. The time is linear: a file may have very many outputs."""
    by_name, by_part = _positions_by_name(facts, rows, signature_names), _positions_by_part(facts, rows)
    labels = [text_of(facts.column("output", "metadata.name"), row) or "" for row in rows]
    described: list[int] = []
    for position, label in enumerate(labels):
        matches = by_name.get(label) or by_part.get(label.lower(), set())
        if position not in matches and len(matches) != 1:
            return None
        described.append(position if position in matches else next(iter(matches)))
    return _Order(tuple(rows), tuple(labels), tuple(described)) if len(set(described)) == len(rows) else None


def _positions_by_name(facts: Facts, rows: list[int], signature_names: Mapping[int, set[str]]) -> dict[str, set[int]]:
    """Return the positions of outputs by the names of their tensors, and by their names in signatures."""
    positions: dict[str, set[int]] = {}
    for position, row in enumerate(rows):
        tensor = int(facts.rows("output", "tensor")[row])
        own = text_of(facts.column("tensor", "name"), tensor) if tensor >= 0 else None
        for name in (own, *signature_names.get(tensor, ())):
            positions.setdefault(name or "", set()).add(position)
    return positions


def _positions_by_part(facts: Facts, rows: list[int]) -> dict[str, set[int]]:
    """Return the positions of the parts of a detection result by their usual names."""
    positions: dict[str, set[int]] = {}
    for position, row in enumerate(rows):
        for name in _DETECTION_NAMES.get(text_of(facts.column("output", "meaning"), row) or "", ()):
            positions.setdefault(name, set()).add(position)
    return positions


def _signature_names(facts: Facts) -> dict[int, set[str]]:
    """Return the names of outputs in signatures, by the row of the tensor."""
    names, directions = facts.column("signature_tensor", "name"), facts.column("signature_tensor", "direction")
    found: dict[int, set[str]] = {}
    for row, tensor in enumerate(facts.rows("signature_tensor", "tensor").tolist()):
        if text_of(directions, row) == "output":
            found.setdefault(tensor, set()).add(text_of(names, row) or "")
    return found
