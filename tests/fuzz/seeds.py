"""The models that fuzzing starts from: the named ones, a few larger, and what earlier runs kept."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from flatbuffers import flexbuffers as official

from tests.fuzz.places import places_of
from tests.models.large import hub_model, shared_reference_bomb, shared_vector_bomb
from tests.models.named import CONTAINERS, NAMED

FOLDER = Path(__file__).parent
KEPT = ("corpus", "crashers")
#: A larger bundle is no better a beginning.
MAX_CONTAINER_BYTES = 16 * 1024


@functools.cache
def models() -> tuple[bytes, ...]:
    """The models that can be read; mutations take parts of them."""
    built = (build() for build in (*NAMED.values(), lambda: hub_model(20)))
    return tuple(content for content in built if places_of(content) is not None)


@functools.cache
def inputs() -> tuple[bytes, ...]:
    """All that fuzzing of models begins with."""
    built = [build() for build in NAMED.values()] + [shared_reference_bomb(300), shared_vector_bomb(300)]
    return (*models(), *built, *kept().values())


@functools.cache
def flexbuffers() -> tuple[bytes, ...]:
    """FlexBuffers of every kind of value, as the official package writes them."""
    values = [None, True, -7, 2**40, 1.5, "text", b"\0\1" * 40, [1, 2, 300], [1.5, 2.5], ["a", "b"], [[1], {"k": [2]}],
              {"name": "x", "sizes": [1, 2], "inner": {"flag": True, "rate": 0.25}}]  # fmt: skip
    return tuple(bytes(official.Dumps(value)) for value in values)


@functools.cache
def containers() -> tuple[bytes, ...]:
    """The named bundles that are small enough."""
    return tuple(content for build in CONTAINERS.values() if len(content := build()) <= MAX_CONTAINER_BYTES)


def write(folder: Path, contents: Iterable[bytes]) -> None:
    """Write seeds into a folder, each under its checksum."""
    for content in contents:
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def kept() -> dict[str, bytes]:
    """What earlier runs kept, by path below this folder."""
    files = (path for place in KEPT for path in sorted((FOLDER / place).rglob("*")) if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}
