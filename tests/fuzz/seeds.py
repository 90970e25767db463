"""The models that fuzzing starts from: the named ones, a few larger, and what earlier runs kept."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from tests.fuzz.places import places_of
from tests.models.large import hub_model, shared_reference_bomb, shared_vector_bomb
from tests.models.named import NAMED

FOLDER = Path(__file__).parent
KEPT = ("corpus", "crashers")


@functools.cache
def models() -> tuple[bytes, ...]:
    """The models that can be read; mutations take parts of them."""
    built = (build() for build in (*NAMED.values(), lambda: hub_model(20)))
    return tuple(content for content in built if places_of(content) is not None)


def write(folder: Path) -> None:
    """Write all seeds into a folder, each under its checksum."""
    built = [build() for build in NAMED.values()] + [shared_reference_bomb(300), shared_vector_bomb(300)]
    for content in (*models(), *built, *kept().values()):
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def kept() -> dict[str, bytes]:
    """What earlier runs kept, by path below this folder."""
    files = (path for place in KEPT for path in sorted((FOLDER / place).rglob("*")) if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}
