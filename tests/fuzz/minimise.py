"""Minimize a grown corpus by coverage: `python -m tests.fuzz.minimise FOLDER [FOLDER …]` (extra `dev`).

Keeps, smallest first, each input that takes a branch which neither the named models nor the inputs before it take.
Kept inputs go to `tests/fuzz/corpus`, within its limits.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import coverage

from tests.fuzz import properties, seeds
from tests.fuzz.warm import import_all

#: What the repository carries: enough to begin the next run where the last one ended.
MAX_FILES = 300
MAX_BYTES = 1_000_000

Arc = tuple[str, int, int]


def main(folders: list[str]) -> None:
    """Write the inputs worth keeping."""
    import_all()
    found = (path.read_bytes() for folder in folders for path in Path(folder).iterdir())
    inputs = sorted({*found, *seeds.kept().values()}, key=lambda content: (len(content), content))
    kept = minimised(inputs, seeds.models())
    target = seeds.FOLDER / "corpus"
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    for content in kept:
        (target / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    print(f"{len(kept)} of {len(inputs)} inputs kept, {sum(map(len, kept)):,} bytes")


def minimised(inputs: Iterable[bytes], known: Iterable[bytes]) -> list[bytes]:
    """Return the inputs, in order, that take a branch which neither the known inputs nor those before take."""
    seen: set[Arc] = set()
    for content in known:
        seen |= arcs_of(content)
    kept: list[bytes] = []
    for content in inputs:
        if len(kept) == MAX_FILES or sum(map(len, kept)) + len(content) > MAX_BYTES:
            break
        new = arcs_of(content) - seen
        if new:
            seen |= new
            kept.append(content)
    return kept


def arcs_of(content: bytes) -> set[Arc]:
    """Return the branches of the package that reading and checking an input takes."""
    measure = coverage.Coverage(branch=True, source=["tflint"], data_file=None, config_file=False)
    measure.start()
    try:
        properties.reader(content)
        properties.checked(content)
    finally:
        measure.stop()
    data = measure.get_data()
    return {(file, *arc) for file in data.measured_files() for arc in data.arcs(file) or ()}


if __name__ == "__main__":
    main(sys.argv[1:])
