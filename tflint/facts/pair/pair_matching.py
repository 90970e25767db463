"""Finds what belongs together in two versions of a model: subgraphs that callers call, their inputs and outputs.

Inputs that a signature of the same key gives the same name belong together; else those whose tensors have the same
name, where that is one that people gave and no other has it; what is left goes by position, which proves nothing.
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

#: Names that the converter makes of a signature's: the signature itself says more.
_OF_SIGNATURE = re.compile(r"serving_default_.*|.*PartitionedCall.*", re.DOTALL)


@frozen
class Face:
    """An input (or output) of a subgraph as callers see it.

    `row` is that of its table, `tensor` the tensor's (-1: the index is out of range), `tensor_name` as people gave it,
    empty where a converter made it up. `names` are those that signatures give it, by the key's number.
    """

    row: int
    position: int
    tensor: int
    tensor_name: str
    label: str
    names: tuple[tuple[int, str], ...] = ()

    def known_as(self, how: str) -> Sequence[object]:
        """What it is known as by signatures, or by its tensor."""
        return self.names if how == SIGNATURE else [self.tensor_name] if self.tensor_name else []


@frozen
class Entry:
    """An input (or output) of both models, or of one of them (the other is None); how both were found to be one."""

    new: Face | None
    old: Face | None
    matched: str | None = None

    @property
    def name(self) -> str:
        """What callers know it by; of one that is gone, what they knew."""
        face = self.new or self.old
        assert face is not None
        if self.new and self.old and self.matched == SIGNATURE:  # of several names the one that both have
            known = set(self.old.names)
            return next(name for key, name in self.new.names if (key, name) in known)
        return face.label


@frozen(eq=False)
class Subgraphs:
    """Two subgraphs that callers call: the number of the pair, both rows, and the entries of both sides."""

    pair: int
    new: int
    old: int
    entries: dict[str, list[Entry]]


@frozen(eq=False)
class Signatures:
    """The signatures of a pair by key, each with its row in the new model and in the old one (-1: none)."""

    pair: int
    rows: dict[str, tuple[int, int]]


def signatures(facts: Facts) -> list[Signatures]:
    """The signatures of each pair; of several with one key the first."""
    return facts.once("signatures of pairs", lambda: _signatures(facts))


def _signatures(facts: Facts) -> list[Signatures]:
    found = []
    for number, (new, old) in enumerate(facts.pairs.items()):
        ours, theirs = _by_key(facts, new), _by_key(facts, old)
        rows = {key: (ours.get(key, -1), theirs.get(key, -1)) for key in [*ours, *theirs]}
        found.append(Signatures(number, rows))
    return found


def _by_key(facts: Facts, model: int) -> dict[str, int]:
    keys, rows = facts.column("signature", "key"), facts.table("signature").rows_of(model)
    found: dict[str, int] = {}
    for row in range(rows.start, rows.stop):
        found.setdefault(text_of(keys, row) or "", row)
    return found


def subgraphs(facts: Facts) -> list[Subgraphs]:
    """The subgraphs of each pair that callers call, each subgraph in one place only."""
    return facts.once("subgraphs of pairs", lambda: list(_subgraphs(facts)))


def _subgraphs(facts: Facts) -> Iterator[Subgraphs]:
    called = facts.rows("signature", "subgraph")
    for number, (new, old) in enumerate(facts.pairs.items()):
        both = _shared(signatures(facts)[number].rows)
        couples = [(_first(facts, new), _first(facts, old)), *((int(called[a]), int(called[b])) for a, b in both)]
        used: tuple[set[int], set[int]] = (set(), set())
        for ours, theirs in couples:
            if min(ours, theirs) < 0 or ours in used[0] or theirs in used[1]:
                continue
            used[0].add(ours)
            used[1].add(theirs)
            keys = [(a, b) for a, b in both if called[a] == ours and called[b] == theirs]
            yield Subgraphs(number, ours, theirs, {side: _entries(facts, side, ours, theirs, keys) for side in SIDES})


def _first(facts: Facts, model: int) -> int:
    """A model's first subgraph; -1 where it has none."""
    rows = facts.table("subgraph").rows_of(model)
    return rows.start if rows.stop > rows.start else -1


def _shared(rows: dict[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Signatures that both models have; where each has one, these are the same whatever their keys."""
    both = [couple for couple in rows.values() if min(couple) >= 0]
    ours, theirs = ([couple[side] for couple in rows.values() if couple[side] >= 0] for side in (0, 1))
    return [(ours[0], theirs[0])] if len(ours) == len(theirs) == 1 else both


def names_of(facts: Facts, signature: int, side: str) -> dict[str, int]:
    """The names of a signature's inputs (or outputs), in stored order, and the tensor of each (-1: out of range)."""
    if signature < 0:
        return {}
    directions, names = facts.column("signature_tensor", "direction"), facts.column("signature_tensor", "name")
    tensors = facts.rows("signature_tensor", "tensor")
    rows = facts.lists("signature", "tensors").row(signature)
    return {text_of(names, row) or "": int(tensors[row]) for row in rows if text_of(directions, row) == side}


def _entries(facts: Facts, side: str, ours: int, theirs: int, keys: Sequence[tuple[int, int]]) -> list[Entry]:
    new = _faces(facts, side, ours, [couple[0] for couple in keys])
    old = _faces(facts, side, theirs, [couple[1] for couple in keys])
    return matched(new, old)


def _faces(facts: Facts, side: str, subgraph: int, keys: Sequence[int]) -> list[Face]:
    """The inputs (or outputs) of a subgraph in order."""
    rows = _rows_by_subgraph(facts, side)[subgraph]
    tensors, names = facts.rows(side, "tensor"), facts.column("tensor", "name")
    times = Counter(int(tensors[row]) for row in rows)
    called: dict[int, list[tuple[int, str]]] = {}
    for number, key in enumerate(keys):
        for name, tensor in names_of(facts, key, side).items():
            if times[tensor] == 1:  # which place of a tensor that stands in several is meant, nobody can say
                called.setdefault(tensor, []).append((number, name))
    given = {tensor: _given(text_of(names, tensor) or "") for tensor in times if tensor >= 0}
    faces = []
    for position, row in enumerate(rows):
        tensor = int(tensors[row])
        stored, meant = given.get(tensor, ("", ""))
        mine = tuple(called.get(tensor, ()))
        label = mine[0][1] if mine else stored or f"{side} {position}"
        faces.append(Face(row, position, tensor, meant, label, mine))
    return faces


def _given(stored: str) -> tuple[str, str]:
    """A tensor's name, and the same where people gave it, else nothing."""
    return stored, "" if is_generated(stored) or _OF_SIGNATURE.fullmatch(stored) else stored


def _rows_by_subgraph(facts: Facts, side: str) -> Mapping[int, list[int]]:
    def gather() -> Mapping[int, list[int]]:
        rows: dict[int, list[int]] = defaultdict(list)
        for row, subgraph in enumerate(facts.rows(side, "subgraph").tolist()):
            rows[subgraph].append(row)
        return rows

    return facts.once(f"{side}s by subgraph", gather)


def matched(new: Sequence[Face], old: Sequence[Face]) -> list[Entry]:
    """All of both sides, those that belong together in one entry: in the new order, then those that are gone."""
    partners: dict[int, tuple[Face, str]] = {}
    left_new, left_old = list(new), list(old)
    for how in (SIGNATURE, TENSOR):
        ours, theirs = _known(left_new, how), _known(left_old, how)
        taken: set[int] = set()
        for name, face in ours.items():
            partner = theirs.get(name)
            if partner is not None and face.position not in partners and partner.position not in taken:
                partners[face.position] = partner, how
                taken.add(partner.position)
        left_new = [face for face in left_new if face.position not in partners]
        left_old = [face for face in left_old if face.position not in taken]
    partners |= {a.position: (b, POSITION) for a, b in zip(left_new, left_old, strict=False)}
    both = [Entry(face, *partners.get(face.position, (None, None))) for face in new]
    return [*both, *(Entry(None, face) for face in left_old[len(left_new) :])]


def _known(faces: Iterable[Face], how: str) -> dict[object, Face]:
    """Faces by what they are known as, where that means one of them only."""
    known = [(name, face) for face in faces for name in face.known_as(how)]
    times = Counter(name for name, _ in known)
    return {name: face for name, face in known if times[name] == 1}
