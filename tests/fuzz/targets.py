"""Fuzz targets by name: each runs one input, or a batch of mutations that starts with the input.

A batch costs little more than one model, so batch targets run far more models in the same time. A batch must give the
same results as its models one by one.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from typing import TypeAlias
from unittest import mock

from tests.fuzz import mutate, properties, seeds, text_edits, texts
from tests.fuzz.edits import edited_fields
from tests.fuzz.places import places_of
from tflint.model import batch_reader
from tflint.source import BytesSource

Mutator: TypeAlias = Callable[[bytes, random.Random, Sequence[bytes], int], bytes]

#: Models in a batch: reading 2,048 costs, for each, a quarter of reading 64.
CHECK_MODELS = 64
READ_MODELS = 2048
#: What is larger than this, in bytes or in tables and elements, is looked at alone.
MAX_MODEL_BYTES = 8 * 1024
MAX_MODEL_PARTS = 2500
#: Of so many mutations in a batch one edits fields, which costs a hundred times what other values cost.
FIELDS_ONE_IN = {CHECK_MODELS: 32, READ_MODELS: 512}


def batch_of(content: bytes, n_models: int) -> list[bytes]:
    """Return the input and readable mutations of it, or the input alone if it is unreadable or large."""
    places = places_of(content)
    is_small = len(content) <= MAX_MODEL_BYTES and batch_reader.open_model(BytesSource(content)).is_small
    if not is_small or places is None or places.n_parts > MAX_MODEL_PARTS:
        return [content]
    generator = random.Random(zlib.crc32(content))
    batch = [content]
    while len(batch) < n_models:
        changed = None
        if generator.randrange(FIELDS_ONE_IN[n_models]) == 0:
            changed = edited_fields(content, generator, seeds.models())
        batch.append(changed or mutate.with_other_values(content, places, generator))
    return batch


def reader_batch(content: bytes) -> int:
    """Run `properties.reader` on a batch larger than the library's own batches."""
    with mock.patch.object(batch_reader, "BATCH_FILES", READ_MODELS):
        return properties.reader(*batch_of(content, READ_MODELS))


def check_batch(content: bytes) -> int:
    """Run `properties.checked` on a batch."""
    return properties.checked(*batch_of(content, CHECK_MODELS))


#: Each returns how many models it looked at.
TARGETS: dict[str, Callable[[bytes], int]] = {
    "reader": properties.reader,
    "check": properties.checked,
    "reader-batch": reader_batch,
    "check-batch": check_batch,
    "caller": properties.called,
    "flexbuffer": properties.flexbuffer,
    "container": properties.container,
    "text": texts.text,
}

#: How the inputs of a target are changed.
MUTATORS: dict[str, Mutator] = {
    "reader-batch": mutate.readable,
    "check-batch": mutate.readable,
    "flexbuffer": mutate.any_bytes,
    "container": mutate.any_bytes,
    "text": text_edits.mutated,
}

#: What fuzzing of a target begins with.
SEEDS: dict[str, Callable[[], Sequence[bytes]]] = {
    "flexbuffer": seeds.flexbuffers,
    "container": seeds.containers,
    "text": seeds.texts,
}

#: Most bytes of an input where that is not what `run` says: long texts are what benchmarks/worst.py is for.
MAX_SIZES = {"text": 4096}
