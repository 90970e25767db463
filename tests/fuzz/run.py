"""Fuzz a target with libFuzzer: `python -m tests.fuzz.run TARGET FOLDER [libFuzzer options]` (extra `fuzz`).

FOLDER holds the growing corpus, which starts with the seeds; counts go to `FOLDER.tally`. The first failure ends the
run. With `--keep-going` the run continues and saves one input in `FOLDER.found` for each place that fails.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tflint"]):
    from tests.fuzz import mutate, seeds
    from tests.fuzz.tally import Tally
    from tests.fuzz.targets import MAX_SIZES, MUTATORS, SEEDS, TARGETS
    from tests.fuzz.warm import import_all

    import_all()

#: Longer inputs find little that shorter ones do not, and cost in proportion.
MAX_BYTES = 32 * 1024


def main(arguments: list[str]) -> None:
    """Fuzz until a limit of libFuzzer ends the run."""
    rest = [argument for argument in arguments if argument != "--keep-going"]
    target, folder, options = rest[0], Path(rest[1]), rest[2:]
    folder.mkdir(parents=True, exist_ok=True)
    begin = SEEDS.get(target, seeds.inputs)()
    seeds.write(folder, begin)
    found = folder.with_suffix(".found") if "--keep-going" in arguments else None
    tally = Tally(TARGETS[target], folder.with_suffix(".tally"), found)

    change = MUTATORS.get(target, mutate.mutated)
    donors = begin if target in SEEDS else seeds.models()

    def mutator(content: bytes, max_size: int, seed: int) -> bytes:
        return change(content, random.Random(seed), donors, max_size)

    libfuzzer = [
        f"-max_len={MAX_SIZES.get(target, MAX_BYTES)}",
        "-timeout=300",
        "-rss_limit_mb=3000",
        "-print_final_stats=1",
        *options,
    ]
    atheris.Setup([sys.argv[0], str(folder), *libfuzzer], tally.run, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
