"""Facts about duplicate names in signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts


def duplicate_keys(facts: Facts) -> Scalars:
    """Return, for each signature, whether another signature of the model has the same key."""
    keys = facts.column("signature", "key")
    models = facts.table("signature").model.tolist()
    return _mark_duplicates((model, text_of(keys, row)) for row, model in enumerate(models))


def duplicate_names(facts: Facts) -> Scalars:
    """Return, for each signature tensor, whether another input (or output) of its signature has the same name."""
    names = facts.column("signature_tensor", "name")
    signatures = facts.rows("signature_tensor", "signature").tolist()
    directions = facts.column("signature_tensor", "direction")
    return _mark_duplicates(
        (owner, text_of(directions, row), text_of(names, row)) for row, owner in enumerate(signatures)
    )


def _mark_duplicates(keys: Iterable[object]) -> Scalars:
    listed = list(keys)
    counts = Counter(listed)
    return Scalars(np.array([counts[key] > 1 for key in listed], dtype=np.bool_))
