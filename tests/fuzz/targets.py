"""The targets of fuzzing by name: one input as it is, or as the first of a batch of mutations of it.

A batch costs little more than one model, so that a target of batches sees far more models in the same time; what a
batch says must be what its models say one by one.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

from tests.fuzz import mutate, properties, seeds
from tests.fuzz.places import places_of

#: Models in a batch: as many as the library reads in one go.
BATCH_MODELS = 64
#: What is larger than this, in bytes or in tables and elements, is looked at alone.
MAX_BATCH_MODEL_BYTES = 8 * 1024
MAX_BATCH_MODEL_PARTS = 5_000


def batch_of(content: bytes) -> list[bytes]:
    """The input and mutations of it that keep it readable for the most part; the input alone where it is not."""
    places = places_of(content)
    if places is None or len(content) > MAX_BATCH_MODEL_BYTES or places.n_parts > MAX_BATCH_MODEL_PARTS:
        return [content]
    generator = random.Random(zlib.crc32(content))
    donors = seeds.models()
    others = [mutate.with_other_values(content, generator, donors) for _ in range(BATCH_MODELS - 1)]
    return [content, *others]


def reader_batch(content: bytes) -> int:
    """`properties.reader` of a batch."""
    return properties.reader(*batch_of(content))


def check_batch(content: bytes) -> int:
    """`properties.checked` of a batch."""
    return properties.checked(*batch_of(content))


#: Each returns how many models it looked at.
TARGETS: dict[str, Callable[[bytes], int]] = {
    "reader": properties.reader,
    "check": properties.checked,
    "reader-batch": reader_batch,
    "check-batch": check_batch,
}
