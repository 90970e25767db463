"""Matches the subgraphs, inputs and outputs of two versions of a model.

Two inputs (or outputs) match if signatures with the same key give them the same name. Otherwise they match if their
tensors have the same name, the name is unique, and a converter did not generate it. The remaining inputs (or outputs)
are matched by position, which proves nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.findings.fingerprint import is_generated
from tflint.values import frozen

SIDES = ("input", "output")
SIGNATURE, TENSOR, POSITION = "signature", "tensor", "position"

#: Tensor names that the converter derives from a signature. They do not count as tensor names, because the names in the
#: signature itself are more reliable.
_FROM_SIGNATURE = re.compile(r"serving_default_.*|.*PartitionedCall.*", re.DOTALL)


@frozen
class InterfaceTensor:
    """An input (or output) of a subgraph.

    `row` is its row in the input or output table. `tensor` is the row of its tensor (-1: the index is out of range).
    `tensor_name` is the name of the tensor, or empty if a converter generated it. `label` is the name for display.
    `names` has a pair for each name in a signature: the signature's number among the matched ones, and the name.
    """

    row: int
    position: int
    tensor: int
    tensor_name: str
    label: str
    names: tuple[tuple[int, str], ...] = ()

    def identifiers(self, how: str) -> Sequence[object]:
        """Return the names that identify the input (or output) in both models.

        If `how` is SIGNATURE, they are its names in signatures. Otherwise it is the name of its tensor, if it has one.
        """
        return self.names if how == SIGNATURE else [self.tensor_name] if self.tensor_name else []


@frozen
class MatchedEntry:
    """An input (or output) in both models, or in only one of them.

    `new` is None if the input was removed, `old` is None if it was added. `matched` says how the two were matched: by
    SIGNATURE, TENSOR or POSITION (None: there is only one).
    """

    new: InterfaceTensor | None
    old: InterfaceTensor | None
    matched: str | None = None

    @property
    def name(self) -> str:
        """Name for display: the new name, or the old one if it was removed."""
        tensor = self.new or self.old
        assert tensor is not None
        if (
            self.new and self.old and self.matched == SIGNATURE
        ):  # if there are several names, take a name in both models
            old_names = set(self.old.names)
            return next(name for key, name in self.new.names if (key, name) in old_names)
        return tensor.label


@frozen(eq=False)
class Subgraphs:
    """Two matched subgraphs that client code can run.

    `pair` is the number of the pair. `new` and `old` are the rows of the subgraphs. `entries` contains their inputs
    under "input" and their outputs under "output".
    """

    pair: int
    new: int
    old: int
    entries: dict[str, list[MatchedEntry]]


@frozen(eq=False)
class Signatures:
    """The signatures of a pair.

    `pair` is the number of the pair. `rows` maps each signature key to two rows: that in the new model and that in the
    old model (-1: missing).
    """

    pair: int
    rows: dict[str, tuple[int, int]]


def signatures(facts: Facts) -> list[Signatures]:
    """Return the signatures of each pair. If a model has several signatures with the same key, the first one counts."""
    return facts.memoize("signatures of pairs", lambda: _match_signatures(facts))


def _match_signatures(facts: Facts) -> list[Signatures]:
    matches = []
    for number, (new, old) in enumerate(facts.pairs.items()):
        new_rows, old_rows = _signatures_by_key(facts, new), _signatures_by_key(facts, old)
        rows = {key: (new_rows.get(key, -1), old_rows.get(key, -1)) for key in [*new_rows, *old_rows]}
        matches.append(Signatures(number, rows))
    return matches


def _signatures_by_key(facts: Facts, model: int) -> dict[str, int]:
    keys, rows = facts.column("signature", "key"), facts.table("signature").rows_of(model)
    by_key: dict[str, int] = {}
    for row in range(rows.start, rows.stop):
        by_key.setdefault(text_of(keys, row) or "", row)
    return by_key


def subgraphs(facts: Facts) -> list[Subgraphs]:
    """Return, for all pairs, the matched subgraphs that client code can run. A subgraph is in at most one match."""
    return facts.memoize("subgraphs of pairs", lambda: list(_match_subgraphs(facts)))


def _match_subgraphs(facts: Facts) -> Iterator[Subgraphs]:
    subgraph_of = facts.rows("signature", "subgraph")
    for number, (new_model, old_model) in enumerate(facts.pairs.items()):
        shared = _shared_signatures(signatures(facts)[number].rows)
        candidates = [
            (_first_subgraph(facts, new_model), _first_subgraph(facts, old_model)),
            *((int(subgraph_of[a]), int(subgraph_of[b])) for a, b in shared),
        ]
        used: tuple[set[int], set[int]] = (set(), set())
        for new, old in candidates:
            if min(new, old) < 0 or new in used[0] or old in used[1]:
                continue
            used[0].add(new)
            used[1].add(old)
            keys = [(a, b) for a, b in shared if subgraph_of[a] == new and subgraph_of[b] == old]
            yield Subgraphs(number, new, old, {side: _match_side(facts, side, new, old, keys) for side in SIDES})


def _first_subgraph(facts: Facts, model: int) -> int:
    rows = facts.table("subgraph").rows_of(model)
    return rows.start if rows.stop > rows.start else -1


def _shared_signatures(rows: dict[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the signatures that both models have, as (new row, old row).

    If each model has exactly one signature, these two match even if their keys differ.
    """
    shared = [pair for pair in rows.values() if min(pair) >= 0]
    new, old = ([pair[side] for pair in rows.values() if pair[side] >= 0] for side in (0, 1))
    return [(new[0], old[0])] if len(new) == len(old) == 1 else shared


def signature_names(facts: Facts, signature: int, side: str) -> dict[str, int]:
    """Return the tensor row of each input (or output) of a signature, by name, in stored order.

    A row is -1 if the tensor index is out of range.
    """
    if signature < 0:
        return {}
    directions, names = facts.column("signature_tensor", "direction"), facts.column("signature_tensor", "name")
    tensors = facts.rows("signature_tensor", "tensor")
    rows = facts.lists("signature", "tensors").row(signature)
    return {text_of(names, row) or "": int(tensors[row]) for row in rows if text_of(directions, row) == side}


def _match_side(facts: Facts, side: str, new: int, old: int, keys: Sequence[tuple[int, int]]) -> list[MatchedEntry]:
    return match_tensors(
        _interface_tensors(facts, side, new, [key for key, _ in keys]),
        _interface_tensors(facts, side, old, [key for _, key in keys]),
    )


def _interface_tensors(facts: Facts, side: str, subgraph: int, keys: Sequence[int]) -> list[InterfaceTensor]:
    """Return the inputs (or outputs) of a subgraph in order. `keys` are the rows of its matched signatures."""
    rows = _rows_by_subgraph(facts, side)[subgraph]
    tensor_rows, stored_names = facts.rows(side, "tensor"), facts.column("tensor", "name")
    counts = Counter(int(tensor_rows[row]) for row in rows)
    names: dict[int, list[tuple[int, str]]] = {}
    for number, key in enumerate(keys):
        for name, tensor in signature_names(facts, key, side).items():
            if counts[tensor] == 1:  # a tensor that is listed more than once has several positions for the same name
                names.setdefault(tensor, []).append((number, name))
    tensor_names = {tensor: text_of(stored_names, tensor) or "" for tensor in counts if tensor >= 0}
    tensors = []
    for position, row in enumerate(rows):
        tensor = int(tensor_rows[row])
        stored = tensor_names.get(tensor, "")
        own_names = tuple(names.get(tensor, ()))
        label = own_names[0][1] if own_names else stored or f"{side} {position}"
        name = "" if is_generated(stored) or _FROM_SIGNATURE.fullmatch(stored) else stored
        tensors.append(InterfaceTensor(row, position, tensor, name, label, own_names))
    return tensors


def _rows_by_subgraph(facts: Facts, side: str) -> Mapping[int, list[int]]:
    def group() -> Mapping[int, list[int]]:
        rows: dict[int, list[int]] = defaultdict(list)
        for row, subgraph in enumerate(facts.rows(side, "subgraph").tolist()):
            rows[subgraph].append(row)
        return rows

    return facts.memoize(f"{side}s by subgraph", group)


def match_tensors(new: Sequence[InterfaceTensor], old: Sequence[InterfaceTensor]) -> list[MatchedEntry]:
    """Match the inputs (or outputs) of two subgraphs.

    Returns the inputs (or outputs) of the new subgraph in order, then the removed ones.
    """
    partners: dict[int, tuple[InterfaceTensor, str]] = {}
    left_new, left_old = list(new), list(old)
    for how in (SIGNATURE, TENSOR):
        new_by_id, old_by_id = _by_identifier(left_new, how), _by_identifier(left_old, how)
        used: set[int] = set()
        for identifier, tensor in new_by_id.items():
            partner = old_by_id.get(identifier)
            if partner is not None and tensor.position not in partners and partner.position not in used:
                partners[tensor.position] = partner, how
                used.add(partner.position)
        left_new = [tensor for tensor in left_new if tensor.position not in partners]
        left_old = [tensor for tensor in left_old if tensor.position not in used]
    partners |= {a.position: (b, POSITION) for a, b in zip(left_new, left_old, strict=False)}
    entries = [MatchedEntry(tensor, *partners.get(tensor.position, (None, None))) for tensor in new]
    return [*entries, *(MatchedEntry(None, tensor) for tensor in left_old[len(left_new) :])]


def _by_identifier(tensors: Iterable[InterfaceTensor], how: str) -> dict[object, InterfaceTensor]:
    """Return the inputs (or outputs) by identifier. Identifiers that several of them share are left out."""
    pairs = [(identifier, tensor) for tensor in tensors for identifier in tensor.identifiers(how)]
    counts = Counter(identifier for identifier, _ in pairs)
    return {identifier: tensor for identifier, tensor in pairs if counts[identifier] == 1}
