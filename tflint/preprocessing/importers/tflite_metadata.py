"""Imports the metadata of a .tflite file about its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.import_entries import identify_entries, label
from tflint.preprocessing.importers.imported import Imported
from tflint.summary.summary_values import Input, InterfaceMetadata, Output, Subgraph, Summary


def read(source: str) -> Imported:
    """Import the metadata of a model. Raises `UserError` if it does not describe inputs or outputs."""
    summary = _summarize(source)
    entry = next((subgraph for subgraph in summary.subgraphs if subgraph.index == 0), None)
    if entry is None or not any(_metadata_entries(entry)):
        message = "has no metadata about its inputs and outputs"
        raise UserError(message, place=Place(source), hint="'tflint contract init' drafts a contract from the graph")
    notes: list[str] = []
    inputs = [(_name(model_input), _input(model_input, notes)) for model_input in entry.inputs]
    outputs = [(_name(model_output), _output(model_output, summary, notes)) for model_output in entry.outputs]
    source_name = f"tflite-metadata of {PurePath(source).name}"
    return Imported(identify_entries(inputs), identify_entries(outputs), source_name, tuple(notes))


def has_metadata(source: str) -> bool:
    """Return whether a file is a model with metadata about its inputs or outputs."""
    summary = _summarize(source)
    entry = next((subgraph for subgraph in summary.subgraphs if subgraph.index == 0), None)
    return entry is not None and any(_metadata_entries(entry))


def _metadata_entries(entry: Subgraph) -> Iterator[InterfaceMetadata | None]:
    yield from (model_input.metadata for model_input in entry.inputs)
    yield from (model_output.metadata for model_output in entry.outputs)


def _summarize(source: str) -> Summary:
    from tflint.facts.facts import Facts
    from tflint.runner.model_loader import load_readable
    from tflint.summary.summarize import summarize

    model = load_readable(source)
    return summarize(Facts(model.tables), model.name)


def _name(entry: Input | Output) -> str:
    return entry.tensor.name if entry.tensor is not None else ""


def _input(model_input: Input, notes: list[str]) -> dict[str, Any]:
    from tflint.preprocessing.draft import COLOR_SPACES, KINDS

    metadata, name = model_input.metadata, _name(model_input)
    if metadata is None:
        notes.append(f"The metadata does not describe the input {label(name)}.")
        return {"kind": "raw"}
    kind = KINDS.get(metadata.content or "", "raw")
    entry: dict[str, Any] = {"kind": kind}
    if metadata.color_space in COLOR_SPACES:
        entry["channels"] = COLOR_SPACES[metadata.color_space]
    if metadata.mean and metadata.std:
        entry |= _normalization(metadata, name, kind, notes)
    _add_notes(metadata, name, notes)
    return entry


def _normalization(metadata: InterfaceMetadata, name: str, kind: str, notes: list[str]) -> dict[str, Any]:
    # Metadata stores float32: 7 digits restore decimals such as 0.485.
    mean, std = ([float(f"{value:.7g}") for value in values] for values in (metadata.mean, metadata.std))
    if kind != "image":
        notes.append(f"Mean and std of {label(name)} are not imported: it is not an image, so their units are unknown.")
        return {}
    if not all(value > 0 for value in std) or len(mean) != len(std):
        notes.append(
            f"Mean and std of {label(name)} are not imported: {len(mean)} and {len(std)} numbers, or std not above 0."
        )
        return {}
    return {
        "mean": mean if len(set(mean)) > 1 else mean[0],
        "std": std if len(set(std)) > 1 else std[0],
        "units": "u8",
    }


def _output(model_output: Output, summary: Summary, notes: list[str]) -> dict[str, Any]:
    metadata, name = model_output.metadata, _name(model_output)
    if metadata is None:
        notes.append(f"The metadata does not describe the output {label(name)}.")
        return {"kind": "raw"}
    labels = [file for file in summary.about.files if file.name in metadata.files and file.lines]
    entry: dict[str, Any] = {"kind": "raw"}
    if labels:
        entry["labels"] = {"file": labels[0].name, "count": labels[0].lines}
    _add_notes(metadata, name, notes)
    return entry


def _add_notes(metadata: InterfaceMetadata, name: str, notes: list[str]) -> None:
    if metadata.description:
        notes.append(f"The description of {label(name)} is {label(metadata.description)}.")
    if metadata.stats_min or metadata.stats_max:
        notes.append(
            f"The smallest and largest values of {label(name)} are not imported: the metadata does not specify whether"
            " they apply before or after mean and std."
        )
