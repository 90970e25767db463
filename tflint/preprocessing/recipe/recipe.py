"""A recipe: the entries of a contract, completed with the types, shapes and quantization of the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import text_of
from tflint.contract import Contract
from tflint.contract.contract import N_CHANNELS, Keys, passes_cast_values
from tflint.facts.facts import Facts
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.values import frozen

Entry = Mapping[str, Any]
Values = NDArray[np.float64]

#: A raw feed passes the byte of the pixel minus this.
_RAW_SHIFT = {"int8": 128, "uint8": 0}


@frozen
class _RecipeEntry:
    """The common part of inputs and outputs.

    `entry` is the contract's entry, and `number` is the index of the entry in the contract. `position` (the index in
    the model), `tensor`, `dtype`, `shape`, `scale` and `zero_point` come from the model. If there is no model, they
    come from the contract. They are None if neither specifies them.
    """

    entry: Entry
    number: int
    position: int
    tensor: str
    dtype: str | None
    shape: tuple[int, ...] | None
    scale: float | None
    zero_point: int | None

    @property
    def kind(self) -> str:
        """The contract's `kind`, such as image, audio or class_scores."""
        return str(self.entry.get("kind", "raw"))

    @property
    def name(self) -> str:
        """The name in the contract, else the tensor's name, else `#` and the position."""
        return str(self.entry.get("name") or self.tensor or f"#{self.position}")

    @property
    def is_quantized(self) -> bool:
        """Whether the type is an integer with a finite scale above 0."""
        has_scale = self.scale is not None and math.isfinite(self.scale) and self.scale > 0
        return has_scale and (self.dtype or "").upper() in INTEGER_RANGES

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and largest integer of the type."""
        return INTEGER_RANGES[(self.dtype or "").upper()]

    def part(self, key: str) -> Entry:
        """Return a table of the entry; empty if the entry does not have it."""
        table: Entry = self.entry.get(key, {})
        return table


@frozen
class RecipeInput(_RecipeEntry):
    """An input of a recipe.

    `calibrated` is whether the contract agrees with the model's calibrated range, or None if that is not known.
    """

    calibrated: bool | None = None

    @property
    def layout(self) -> str:
        """The layout, such as NHWC; empty if unknown.

        If the contract of an image does not specify it, it follows from the axis whose size is the number of channels.
        """
        if "layout" in self.entry or self.kind != "image" or not self.shape:
            return str(self.entry.get("layout", ""))
        numbers = [N_CHANNELS[self.entry["channels"]]] if "channels" in self.entry else [1, 3, 4]
        layouts = {4: ("NHWC", "NCHW"), 3: ("HWC", "CHW")}.get(len(self.shape), ())
        fitting = [layout for layout in layouts if self.shape[layout.index("C")] in numbers]
        return fitting[0] if fitting else ""

    @property
    def n_channels(self) -> int:
        """The number of color channels by the contract's `channels`, else by the shape, else 3."""
        if "channels" in self.entry:
            return N_CHANNELS[self.entry["channels"]]
        at = self.layout.find("C")
        size = self.shape[at] if self.shape and 0 <= at < len(self.shape) else 3
        return size if size > 0 else 3

    @property
    def channels(self) -> str:
        """The channel order by the contract, else by the number of channels."""
        return str(self.entry.get("channels") or {1: "GRAY", 4: "RGBA"}.get(self.n_channels, "RGB"))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that the model takes; None if they are dynamic or the layout is unknown."""
        layout = self.layout
        if not self.shape or len(layout) != len(self.shape):
            return None
        height, width = self.shape[layout.index("H")], self.shape[layout.index("W")]
        return (height, width) if height > 0 and width > 0 else None

    @property
    def needs_layout(self) -> bool:
        """Whether the channel axis of an image is unknown."""
        return self.kind == "image" and bool(self.shape) and not self.layout

    @property
    def is_raw(self) -> bool:
        """Whether client code passes the bytes of the source without normalization."""
        return self.entry.get("feed") == "raw" and self.dtype in _RAW_SHIFT

    @property
    def raw_shift(self) -> int:
        """The number that a raw feed subtracts from each byte. A source with negative values has signed bytes."""
        return _RAW_SHIFT[self.dtype or ""] if min(self.entry.get("range", (0,))) >= 0 else 0

    @property
    def is_cast(self) -> bool:
        """Whether client code casts the values after mean and std to bytes. A raw feed passes bytes anyway."""
        return "cast" in self.entry and not self.is_raw

    @property
    def quantizes(self) -> bool:
        """Whether client code quantizes real values with scale and zero point."""
        return self.is_quantized and self.kind != "tokens" and not self.is_raw and not passes_cast_values(self.entry)

    @property
    def is_unit(self) -> bool:
        """Whether mean and std apply to pixels from 0 to 1."""
        return self.entry.get("units") == "unit"

    @property
    def takes_bytes(self) -> bool:
        """Whether the source has pixels from 0 to 255, which is so unless the contract specifies a different range."""
        default = (0, 1) if self.is_unit else (0, 255)
        return tuple(self.entry.get("range", default)) == default

    @property
    def normalization(self) -> tuple[Values, Values]:
        """Mean and std per channel, or one number each if all channels have the same; 0 and 1 by default."""
        pair = np.atleast_1d(self.entry.get("mean", 0.0)), np.atleast_1d(self.entry.get("std", 1.0))
        mean, std = np.broadcast_arrays(pair[0].astype(np.float64), pair[1].astype(np.float64))
        is_uniform = bool((mean == mean[0]).all() and (std == std[0]).all())
        return (mean[:1], std[:1]) if is_uniform else (mean, std)

    @property
    def pad_value(self) -> list[float]:
        """The padding of a letterbox, in pixel values before mean and std."""
        return [float(value) for value in np.atleast_1d(self.part("padding").get("value", 0))]


@frozen
class RecipeOutput(_RecipeEntry):
    """An output of a recipe."""

    @property
    def labels(self) -> Entry:
        """The contract's `labels`; empty if it does not specify them."""
        return self.part("labels")


@frozen
class Recipe:
    """The steps of client code for a contract and its model. `model` is its name, or None if there is no model."""

    contract: Contract
    model: str | None
    inputs: tuple[RecipeInput, ...]
    outputs: tuple[RecipeOutput, ...]

    def head(self, violated_rules: Sequence[str]) -> list[str]:
        """Return the lines above printed code: its origin, and warnings if the contract must not be relied on."""
        lines = [f"Pre- and postprocessing for {self.model or 'the model'}, generated from {self.contract.path}."]
        if violated_rules:
            lines.append(f"WARNING: the contract does not fit the model: {', '.join(violated_rules)}.")
        if self.is_draft:
            lines.append("WARNING: the contract is a draft; its guesses are not confirmed.")
        return lines

    @property
    def is_draft(self) -> bool:
        """Whether the contract is a draft, with guesses that are not confirmed."""
        return bool(self.contract.model.get("draft"))

    def line(self, side: str, number: int, *keys: str) -> int:
        """Return the contract's line of the first of these keys that an entry has, else the line of the entry."""
        for key in keys:
            place: Keys = (side, number, *key.split("."))
            if self.contract.has(place):
                return self.contract.place(place).line
        return self.contract.place((side, number)).line


def build_recipe(contract: Contract, facts: Facts | None = None, model: str | None = None) -> Recipe:
    """Return the recipe of a contract; `facts` are of its model with this contract, `model` is the model's name."""
    inputs = [
        RecipeInput(**_entry_values(entry, number, facts, "input"), calibrated=_fits_calibration(facts, number))
        for number, entry in enumerate(contract.inputs)
    ]
    outputs = [
        RecipeOutput(**_entry_values(entry, number, facts, "output")) for number, entry in enumerate(contract.outputs)
    ]
    return Recipe(contract, model, tuple(inputs), tuple(outputs))


def _fits_calibration(facts: Facts | None, row: int) -> bool | None:
    if facts is None:
        return None
    column = facts.column("contract_input", "fits_calibration")
    if column.state is not None and column.state[row]:
        return None
    return bool(facts.numbers("contract_input", "fits_calibration")[row])


def _entry_values(entry: Entry, number: int, facts: Facts | None, side: str) -> dict[str, Any]:
    """Return the arguments of `_RecipeEntry`: those of the model override those of the contract."""
    dtype, shape = entry.get("dtype"), entry.get("shape")
    scale, zero_point = _single_value(entry.get("scale")), _single_value(entry.get("zero-point"))
    position, name = int(entry.get("index", number)), ""
    matched = int(facts.rows(f"contract_{side}", side)[number]) if facts is not None else -1
    tensor = int(facts.rows(side, "tensor")[matched]) if facts is not None and matched >= 0 else -1
    if facts is not None and tensor >= 0:
        position = int(facts.numbers(side, "position")[matched])
        name = text_of(facts.column("tensor", "name"), tensor) or ""
        dtype = (text_of(facts.column("tensor", "dtype"), tensor) or "").lower() or dtype
        shape = [int(size) for size in facts.lists("tensor", "shape").row(tensor)]
        signature = facts.lists("tensor", "shape_signature").row(tensor)
        shape = [int(size) for size in signature] if len(signature) == len(shape) else shape
        scale = _single_value(list(facts.lists("tensor", "scale").row(tensor)))
        zero_point = _single_value(list(facts.lists("tensor", "zero_point").row(tensor)))
    is_complete = scale is not None and zero_point is not None and math.isfinite(scale)
    return {
        "entry": entry,
        "number": number,
        "position": position,
        "tensor": name,
        "dtype": dtype,
        "shape": None if shape is None else tuple(shape),
        "scale": float(scale) if is_complete else None,
        "zero_point": int(zero_point) if is_complete else None,
    }


def _single_value(value: Any) -> Any:
    """Return a number, or the only one of a list; None if there are none or several."""
    if isinstance(value, Sequence):
        return value[0] if len(value) == 1 else None
    return value
