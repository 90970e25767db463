"""Builds the parts of a file's report other than findings: overview, digest, status and container contents."""

from __future__ import annotations

from tflint.columns.column import text_of
from tflint.facts.facts import FactError, Facts
from tflint.findings import ContainerOverview, Overview
from tflint.model.tables import FileFacts, Tables
from tflint.source.file_kind import UNREADABLE_FOLDER


def overviews(facts: Facts) -> list[Overview | None]:
    """Return the overview of each file. It is None for a file that is not a model, or if a fact crashed."""
    n_files = facts.tables.n_files
    if not facts.tables.is_readable:
        return [None] * n_files
    try:
        schemes = facts.column("model", "scheme")
        operators, tensors = facts.numbers("model", "n_operators"), facts.numbers("model", "n_tensors")
        sizes = facts.numbers("model", "size")
        accelerators = _accelerators(facts)
    except FactError:  # the rules that read the fact report it
        return [None] * n_files
    return [
        Overview(text_of(schemes, k) or "", int(operators[k]), int(tensors[k]), int(sizes[k]), accelerators[k])
        for k in range(n_files)
    ]


def digests(facts: Facts) -> dict[int, str]:
    """Return the SHA-256 of the models whose contract sets `sha256`. Other models are skipped: hashing is slow."""
    if not any("sha256" in contract.model for contract in facts.contracts.values()):
        return {}
    column = facts.column("model", "sha256")
    return {number: text for number in facts.contracts if (text := text_of(column, number)) is not None}


def kind_of_file(file: FileFacts) -> str:
    """Return the kind of a file for its report. A folder that cannot be listed has the kind `source`."""
    if file.contents is not None:
        return "container"
    return "source" if file.kind.kind == UNREADABLE_FOLDER else "model"


def status_of_file(tables: Tables, number: int) -> str:
    """Return whether a file was checked or is unreadable."""
    file = tables.files[number]
    is_listed = file.contents is not None and file.contents.reason is None
    return "checked" if tables.is_readable or is_listed else "unreadable"


def contained_in(file: FileFacts) -> ContainerOverview | None:
    """Return the overview of a container, or None for any other file."""
    contents = file.contents
    if contents is None:
        return None
    return ContainerOverview(contents.format, len(contents.members), contents.n_models, file.size)


def _accelerators(facts: Facts) -> list[tuple[str, ...]]:
    """Return the accelerators that each model was compiled for, each with its chip if the model names the chip."""
    accelerators = facts.lists("model", "compiled_for")
    found: list[tuple[str, ...]] = []
    for model, length in enumerate(accelerators.lengths.tolist()):
        labels = accelerators.labels if length and accelerators.labels else []
        names = [labels[code] for code in accelerators.row(model)] if labels else []
        soc = text_of(facts.column("model", "soc"), model) if names else None
        found.append((*names, soc) if soc else tuple(names))
    return found
