"""The SHA-256 digest of a file, for contracts that are bound to one file."""

from __future__ import annotations

import hashlib

import numpy as np

from tflint.columns.column import Strings, strings_of
from tflint.facts.facts import Facts

#: Bytes read at a time. A model may be larger than memory.
_CHUNK_BYTES = 1 << 20


def sha256(facts: Facts) -> Strings:
    """Return the SHA-256 of each model's file in hexadecimal. Files are read only if their contract sets `sha256`."""
    needed = {model for model, contract in facts.contracts.items() if "sha256" in contract.model}
    return strings_of(_digest(facts, model) if model in needed else None for model in range(facts.n("model")))


def _digest(facts: Facts, model: int) -> str:
    window = facts.tables.window
    begin, end = int(window.starts[model]), int(window.ends[model])
    scratch = np.empty(min(_CHUNK_BYTES, end - begin), dtype=np.uint8)
    digest = hashlib.sha256()
    for at in range(begin, end, _CHUNK_BYTES):
        digest.update(window.read_once(at, min(at + _CHUNK_BYTES, end), scratch).tobytes())
    return digest.hexdigest()
