"""The table of changes in the quantization of constants: per pair and kind of change, the constants of both models.

A new version of the converter reorders, renames, fuses and shares constants. Two constants are compared only if they
are the same operand of two matched operators and have the same type and shape.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, lists_by_counts, references_of, scalars_of, strings_of, text_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts, require_budget
from tflint.facts.pair.pair_matching import subgraphs
from tflint.facts.pair.pair_tables import MAX_AXES, Makers, new_models
from tflint.findings.fingerprint import is_generated
from tflint.values import frozen

#: Scales that differ by less than this are equal, as for inputs and outputs (D126).
_RELATIVE_TOLERANCE = 1e-6
#: Kinds of change. A constant counts for the first one that applies.
CHANGES = ("axis", "granularity", "zero-point", "scale")

#: An operand in both models: a tensor of the new one, a tensor of the old one.
_Match = tuple[int, int]


@frozen
class _Change:
    """The constants of a pair that changed in the same way. `matches` are in the order of execution.

    `channel` is the number of the first changed scale or zero point of the first constant. It is None if all are equal,
    or if the numbers of scales differ.
    """

    pair: int
    kind: str
    matches: Sequence[_Match]
    channel: int | None
    n_compared: int


def constants_table(facts: Facts) -> Table:
    """Return the changes in the quantization of constants, one row per pair and kind of change."""
    listed = list(_find_changes(facts))
    makers: Makers = {
        "pair": lambda: references_of(one.pair for one in listed),
        "change": lambda: strings_of(one.kind for one in listed),
        "constants": lambda: _rows([[new for new, _ in one.matches] for one in listed]),
        "old_constants": lambda: _rows([[old for _, old in one.matches] for one in listed]),
        "first": lambda: references_of(one.matches[0][0] for one in listed),
        "old_first": lambda: references_of(one.matches[0][1] for one in listed),
        "channel": lambda: scalars_of(one.channel for one in listed),
        "n_compared": lambda: scalars_of(one.n_compared for one in listed),
    }
    return Table("pair_constants", new_models(facts, (one.pair for one in listed)), makers)


def _rows(lists: Sequence[Sequence[int]]) -> Lists:
    flat = np.array([row for one in lists for row in one], dtype=np.int64)
    return lists_by_counts(flat, np.array([len(one) for one in lists], dtype=np.int64))


def _find_changes(facts: Facts) -> Iterator[_Change]:
    """Yield the changes of all pairs. Each constant of the new model counts once."""
    operators, quantization = _Operators(facts), _Quantization(facts)
    matches: dict[int, dict[int, int]] = defaultdict(dict)
    for one in subgraphs(facts):
        for new, old in operators.match(one.new, one.old):
            for tensor, partner in operators.constants(new, old):
                if quantization.is_comparable(tensor, partner):
                    matches[one.pair].setdefault(tensor, partner)
    for pair, partners in sorted(matches.items()):
        by_kind: dict[str, list[_Match]] = defaultdict(list)
        for match in partners.items():
            by_kind[quantization.change(*match)].append(match)
        for kind in CHANGES:
            if kind in by_kind:
                channel = quantization.first_changed(*by_kind[kind][0])
                yield _Change(pair, kind, by_kind[kind], channel, len(partners))


# -- operators ---------------------------------------------------------------------------------------------------------


class _Operators:
    """Matches the operators of two subgraphs, and the constants that they read."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._operands = facts.lists("operator", "operands")
        self._tensors = facts.rows("operand", "tensor")
        self._positions = facts.numbers("operand", "position")
        self._is_constant = facts.numbers("tensor", "is_constant")
        self._is_input = facts.is_one_of("operand", "direction", {"input"})
        self._shapes = facts.lists("tensor", "shape")
        self._lists = facts.lists("subgraph", "operators")

    def match(self, new: int, old: int) -> Iterator[_Match]:
        """Yield the pairs of operators: by the name of the output, then by opcode and shapes of the constants.

        Operators without a name match by their order if both subgraphs have the same ones, and otherwise only if they
        are unique.
        """
        left = [[one for one in self._lists.row(row) if self._constants_of(one)] for row in (new, old)]
        for key_of in (self._name, self._signature):
            keys = [{operator: key_of(operator) for operator in operators} for operators in left]
            pairs = list(_match_keys(*keys))
            yield from pairs
            used = {operator for pair in pairs for operator in pair}
            left = [[operator for operator in operators if operator not in used] for operators in left]

    def constants(self, new: int, old: int) -> Iterator[_Match]:
        """Yield the constants that two operators have at the same position."""
        partners = self._constants_of(old)
        yield from ((row, partners[at]) for at, row in self._constants_of(new).items() if at in partners)

    def _constants_of(self, operator: int) -> dict[int, int]:
        """Return the constants that an operator reads, by position."""
        rows = [row for row in self._operands.row(operator) if self._is_input[row] and self._tensors[row] >= 0]
        tensors = {int(self._positions[row]): int(self._tensors[row]) for row in rows}
        return {position: tensor for position, tensor in tensors.items() if self._is_constant[tensor]}

    def _opcode(self, operator: int) -> tuple[str, str]:
        opcodes, customs = self._facts.column("operator", "opcode"), self._facts.column("operator", "custom_code")
        return text_of(opcodes, operator) or "", text_of(customs, operator) or ""

    def _name(self, operator: int) -> object:
        output = int(self._facts.rows("operator", "output")[operator])
        name = text_of(self._facts.column("tensor", "name"), output) or "" if output >= 0 else ""
        return None if is_generated(name) else (*self._opcode(operator), name)

    def _signature(self, operator: int) -> object:
        """Return the opcode, and the shapes of the constants by position."""
        shapes = [
            (position, *self._shapes.row(row))
            for position, row in self._constants_of(operator).items()
            if self._shapes.lengths[row] <= MAX_AXES
        ]
        return (*self._opcode(operator), *shapes)


def _match_keys(new: Mapping[int, object], old: Mapping[int, object]) -> Iterator[_Match]:
    """Yield the operators with equal keys. Keys that are not unique match only if their order is the same in both."""
    new = {operator: key for operator, key in new.items() if key is not None}
    old = {operator: key for operator, key in old.items() if key is not None}
    if list(new.values()) == list(old.values()):
        yield from zip(new, old, strict=True)
        return
    counts = Counter(new.values()), Counter(old.values())
    partners = {key: operator for operator, key in old.items() if counts[1][key] == 1}
    yield from ((one, partners[key]) for one, key in new.items() if counts[0][key] == 1 and key in partners)


# -- quantization ------------------------------------------------------------------------------------------------------


class _Quantization:
    """Compares the quantization of two constants."""

    def __init__(self, facts: Facts) -> None:
        self._shapes = facts.lists("tensor", "shape")
        self._scales = facts.lists("tensor", "scale")
        self._zero_points = facts.lists("tensor", "zero_point")
        self._axes = facts.numbers("tensor", "quantized_dimension")
        self._block_sizes = facts.numbers("tensor", "quantization.block_size")
        self._types, self._roles = facts.column("tensor", "dtype"), facts.column("tensor", "role")
        self._granularity = facts.column("tensor", "granularity")
        self._n_read = 0

    def is_comparable(self, new: int, old: int) -> bool:
        """Return whether one of two constants is quantized, and both have the same type and shape.

        Biases are left out: their scales follow from those of the input and the weights.
        """
        if "bias" in (text_of(self._roles, new), text_of(self._roles, old)):
            return False
        if text_of(self._granularity, new) is None and text_of(self._granularity, old) is None:
            return False
        n_axes = self._shapes.lengths[new]
        if n_axes != self._shapes.lengths[old] or n_axes > MAX_AXES:
            return False
        is_same_type = text_of(self._types, new) == text_of(self._types, old)
        return is_same_type and self._shapes.row(new) == self._shapes.row(old)

    def change(self, new: int, old: int) -> str:
        """Return how the quantization of two constants differs; empty if it does not."""
        granularity = text_of(self._granularity, new)
        if granularity != text_of(self._granularity, old) or self._scales.lengths[new] != self._scales.lengths[old]:
            return "granularity"
        has_axis = granularity != "per-tensor" and self._shapes.lengths[new] > 1
        if has_axis and self._axes[new] != self._axes[old]:
            return "axis"
        if self._block_sizes[new] != self._block_sizes[old]:
            return "granularity"
        zero_points = self._values(self._zero_points, new), self._values(self._zero_points, old)
        if self._is_symmetric(old) and zero_points[0].any() and not zero_points[1].any():
            return "zero-point"
        return "" if self.first_changed(new, old) is None else "scale"

    def first_changed(self, new: int, old: int) -> int | None:
        """Return the number of the first changed scale or zero point of a constant; None if their numbers differ."""
        places = []
        for lists, tolerance in ((self._scales, _RELATIVE_TOLERANCE), (self._zero_points, 0.0)):
            values = self._values(lists, new), self._values(lists, old)
            if len(values[0]) != len(values[1]):
                return None
            differs = ~np.isclose(*values, rtol=tolerance, atol=0, equal_nan=True)
            places += np.flatnonzero(differs)[:1].tolist()
        return min(places, default=None)

    def _is_symmetric(self, tensor: int) -> bool:
        """Return whether kernels expect the zero point 0: the tensor contains weights of a signed type."""
        return text_of(self._roles, tensor) == "weights" and text_of(self._types, tensor) != "UINT8"

    def _values(self, lists: Lists, tensor: int) -> NDArray[Any]:
        self._n_read += int(lists.lengths[tensor])
        require_budget(self._n_read, "scales and zero points of constants")
        return lists.flatten(np.array([tensor]))[0].astype(np.float64)
