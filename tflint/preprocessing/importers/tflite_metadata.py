"""What the metadata inside a .tflite says of its inputs and outputs, read by tflint's own reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.import_entries import identified, label
from tflint.preprocessing.importers.imported import Imported
from tflint.summary.summary_values import Input, InterfaceMetadata, Output, Subgraph, Summary


def read(source: str) -> Imported:
    """What the metadata of a model says; `UserError` where there is none."""
    portrait = _portrait(source)
    entry = next((subgraph for subgraph in portrait.subgraphs if subgraph.index == 0), None)
    if entry is None or not any(_told(entry)):
        message = "has no metadata on its inputs and outputs"
        raise UserError(message, place=Place(source), hint="'tflint contract init' drafts a contract from the graph")
    unsaid: list[str] = []
    inputs = [(_name(one), _input(one, unsaid)) for one in entry.inputs]
    outputs = [(_name(one), _output(one, portrait, unsaid)) for one in entry.outputs]
    return Imported(
        identified(inputs), identified(outputs), f"tflite-metadata of {PurePath(source).name}", tuple(unsaid)
    )


def _told(entry: Subgraph) -> Iterator[InterfaceMetadata | None]:
    yield from (given.metadata for given in entry.inputs)
    yield from (made.metadata for made in entry.outputs)


def _portrait(source: str) -> Summary:
    from tflint.facts.facts import Facts
    from tflint.runner.model_loader import load_readable
    from tflint.summary.summarize import summarize

    model = load_readable(source)
    return summarize(Facts(model.tables), model.name)


def _name(one: Input | Output) -> str:
    return one.tensor.name if one.tensor is not None else ""


def _input(given: Input, unsaid: list[str]) -> dict[str, Any]:
    from tflint.preprocessing.draft import COLOR_SPACES, KINDS

    told, name = given.metadata, _name(given)
    if told is None:
        unsaid.append(f"The metadata says nothing of the input {label(name)}.")
        return {"kind": "raw"}
    kind = KINDS.get(told.content or "", "raw")
    entry: dict[str, Any] = {"kind": kind}
    if told.color_space in COLOR_SPACES:
        entry["channels"] = COLOR_SPACES[told.color_space]
    if told.mean and told.std:
        entry |= _normalization(told, name, kind, unsaid)
    _say_the_rest(told, name, unsaid)
    return entry


def _normalization(told: InterfaceMetadata, name: str, kind: str, unsaid: list[str]) -> dict[str, Any]:
    mean, std = ([float(f"{value:.7g}") for value in values] for values in (told.mean, told.std))  # of float32
    if kind != "image":
        unsaid.append(f"Mean and std of {label(name)} are not those of pixels: their units are not said.")
        return {}
    if not all(one > 0 for one in std) or len(mean) != len(std):
        unsaid.append(
            f"Mean and std of {label(name)} make no sense together: {len(mean)} and {len(std)}, or not above 0."
        )
        return {}
    return {
        "mean": mean if len(set(mean)) > 1 else mean[0],
        "std": std if len(set(std)) > 1 else std[0],
        "units": "u8",
    }


def _output(made: Output, portrait: Summary, unsaid: list[str]) -> dict[str, Any]:
    told, name = made.metadata, _name(made)
    if told is None:
        unsaid.append(f"The metadata says nothing of the output {label(name)}.")
        return {"kind": "raw"}
    labels = [file for file in portrait.about.files if file.name in told.files and file.lines]
    entry: dict[str, Any] = {"kind": "raw"}
    if labels:
        entry["labels"] = {"file": labels[0].name, "count": labels[0].lines}
    _say_the_rest(told, name, unsaid)
    return entry


def _say_the_rest(told: InterfaceMetadata, name: str, unsaid: list[str]) -> None:
    if told.description:
        unsaid.append(f"{label(name)} is described as {label(told.description)}.")
    if told.stats_min or told.stats_max:
        unsaid.append(
            f"The metadata gives smallest and largest values of {label(name)}; whether before or after mean and std,"
            " and of which data, it does not say."
        )
