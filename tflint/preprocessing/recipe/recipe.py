"""A recipe: a contract's entries with the numbers of the model that they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import text_of
from tflint.contract import Contract
from tflint.contract.contract import N_CHANNELS, Keys
from tflint.facts.facts import Facts
from tflint.facts.quantization.quantization_parameters import INTEGER_RANGES
from tflint.values import frozen

Entry = Mapping[str, Any]
Values = NDArray[np.float64]

#: The byte that a raw feed hands over is the pixel's less this.
_RAW_SHIFT = {"int8": 128, "uint8": 0}


@frozen
class _Border:
    """What inputs and outputs have in common.

    `entry` is the contract's, `number` its place there; `position`, `tensor`, `dtype`, `shape`, `scale` and
    `zero_point` are the model's, the contract's own where no model is given; None where neither says it.
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
        """What it is: image, audio, class_scores, and so on."""
        return str(self.entry.get("kind", "raw"))

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.entry.get("name") or self.tensor or f"#{self.position}")

    @property
    def is_quantized(self) -> bool:
        """Whether integers with a scale that makes sense stand for real values."""
        is_sound = self.scale is not None and math.isfinite(self.scale) and self.scale > 0
        return is_sound and (self.dtype or "").upper() in INTEGER_RANGES

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest integer of its type."""
        return INTEGER_RANGES[(self.dtype or "").upper()]

    def part(self, key: str) -> Entry:
        """A table of the entry, empty where it has none."""
        found: Entry = self.entry.get(key, {})
        return found


@frozen
class Feeding(_Border):
    """What is done for one input; `calibrated` tells whether the model's own range agrees, None where it cannot."""

    calibrated: bool | None = None

    @property
    def layout(self) -> str:
        """What the axes are; of a picture whose contract does not say it, by the axis that is as long as it has
        channels, empty where none is, or not one.
        """
        if "layout" in self.entry or self.kind != "image" or not self.shape:
            return str(self.entry.get("layout", ""))
        numbers = [N_CHANNELS[self.entry["channels"]]] if "channels" in self.entry else [1, 3, 4]
        layouts = {4: ("NHWC", "NCHW"), 3: ("HWC", "CHW")}.get(len(self.shape), ())
        fitting = [layout for layout in layouts if self.shape[layout.index("C")] in numbers]
        return fitting[0] if fitting else ""

    @property
    def n_channels(self) -> int:
        """Colour channels of the picture that the model takes; by the shape where the contract does not name them."""
        if "channels" in self.entry:
            return N_CHANNELS[self.entry["channels"]]
        at = self.layout.find("C")
        size = self.shape[at] if self.shape and 0 <= at < len(self.shape) else 3
        return size if size > 0 else 3

    @property
    def channels(self) -> str:
        """Their order; by their number where the contract does not say it."""
        return str(self.entry.get("channels") or {1: "GRAY", 4: "RGBA"}.get(self.n_channels, "RGB"))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that the model takes; None where they are not fixed."""
        layout = self.layout
        if not self.shape or len(layout) != len(self.shape):
            return None
        height, width = self.shape[layout.index("H")], self.shape[layout.index("W")]
        return (height, width) if height > 0 and width > 0 else None

    @property
    def needs_layout(self) -> bool:
        """Whether nothing tells where in its shape the channels of a picture stand."""
        return self.kind == "image" and bool(self.shape) and not self.layout

    @property
    def is_raw(self) -> bool:
        """Whether the source's bytes go in as they are."""
        return self.entry.get("feed") == "raw" and self.dtype in _RAW_SHIFT

    @property
    def raw_shift(self) -> int:
        """What a raw feed subtracts from a byte."""
        return _RAW_SHIFT[self.dtype or ""]

    @property
    def is_unit(self) -> bool:
        """Whether mean and std are of pixels of 0 to 1."""
        return self.entry.get("units") == "unit"

    @property
    def takes_bytes(self) -> bool:
        """Whether the source is pixels of 0 to 255; a contract may name another range."""
        ordinary = (0, 1) if self.is_unit else (0, 255)
        return tuple(self.entry.get("range", ordinary)) == ordinary

    @property
    def normalization(self) -> tuple[Values, Values]:
        """Mean and std, one number each where one serves all channels; 0 and 1 where the contract says none."""
        pair = np.atleast_1d(self.entry.get("mean", 0.0)), np.atleast_1d(self.entry.get("std", 1.0))
        mean, std = np.broadcast_arrays(pair[0].astype(np.float64), pair[1].astype(np.float64))
        same = bool((mean == mean[0]).all() and (std == std[0]).all())
        return (mean[:1], std[:1]) if same else (mean, std)

    @property
    def pad_value(self) -> list[float]:
        """What a letterbox is filled with, in the source's units."""
        return [float(value) for value in np.atleast_1d(self.part("padding").get("value", 0))]


@frozen
class Reading(_Border):
    """What is done with one output."""

    @property
    def labels(self) -> Entry:
        """What the contract says of labels."""
        return self.part("labels")


@frozen
class Recipe:
    """All that a caller does: a contract with its model, None where there is none."""

    contract: Contract
    model: str | None
    inputs: tuple[Feeding, ...]
    outputs: tuple[Reading, ...]

    def head(self, against: Sequence[str]) -> list[str]:
        """What stands above printed code: of what it is, and which rules the contract breaks (`against`)."""
        lines = [f"What a caller of {self.model or 'the model'} does, made from {self.contract.path}."]
        if against:
            lines.append(f"CAREFUL: the contract does not fit the model: {', '.join(against)}.")
        if self.is_draft:
            lines.append("CAREFUL: the contract is a draft, whose guesses nobody confirmed.")
        return lines

    @property
    def is_draft(self) -> bool:
        """Whether the contract holds guesses that nobody confirmed."""
        return bool(self.contract.model.get("draft"))

    def line(self, side: str, number: int, *keys: str) -> int:
        """The contract's line of a key of an entry, of the entry where it has none of these."""
        for key in keys:
            place: Keys = (side, number, *key.split("."))
            if self.contract.has(place):
                return self.contract.place(place).line
        return self.contract.place((side, number)).line


def recipe_of(contract: Contract, facts: Facts | None = None, model: str | None = None) -> Recipe:
    """The recipe of a contract; `facts` are those of its model with this contract, `model` what that is called."""
    inputs = [
        Feeding(**_border(entry, number, facts, "input"), calibrated=_calibrated(facts, number))
        for number, entry in enumerate(contract.inputs)
    ]
    outputs = [Reading(**_border(entry, number, facts, "output")) for number, entry in enumerate(contract.outputs)]
    return Recipe(contract, model, tuple(inputs), tuple(outputs))


def _calibrated(facts: Facts | None, row: int) -> bool | None:
    if facts is None:
        return None
    column = facts.column("contract_input", "fits_calibration")
    if column.state is not None and column.state[row]:
        return None
    return bool(facts.numbers("contract_input", "fits_calibration")[row])


def _border(entry: Entry, number: int, facts: Facts | None, side: str) -> dict[str, Any]:
    """The values of a border."""
    dtype, shape = entry.get("dtype"), entry.get("shape")
    scale, zero_point = _only(entry.get("scale")), _only(entry.get("zero-point"))
    position, name = int(entry.get("index", number)), ""
    matched = int(facts.rows(f"contract_{side}", side)[number]) if facts is not None else -1
    tensor = int(facts.rows(side, "tensor")[matched]) if facts is not None and matched >= 0 else -1
    if facts is not None and tensor >= 0:
        position = int(facts.numbers(side, "position")[matched])
        name = text_of(facts.column("tensor", "name"), tensor) or ""
        dtype = (text_of(facts.column("tensor", "dtype"), tensor) or "").lower() or dtype
        shape = [int(size) for size in facts.lists("tensor", "shape").row(tensor)]
        signed = facts.lists("tensor", "shape_signature").row(tensor)
        shape = [int(size) for size in signed] if len(signed) == len(shape) else shape
        scale = _only(list(facts.lists("tensor", "scale").row(tensor)))
        zero_point = _only(list(facts.lists("tensor", "zero_point").row(tensor)))
    is_whole = scale is not None and zero_point is not None and math.isfinite(scale)
    return {
        "entry": entry,
        "number": number,
        "position": position,
        "tensor": name,
        "dtype": dtype,
        "shape": None if shape is None else tuple(shape),
        "scale": float(scale) if is_whole else None,
        "zero_point": int(zero_point) if is_whole else None,
    }


def _only(value: Any) -> Any:
    """A number, or the only one of a list; None where there is none or there are several."""
    if isinstance(value, Sequence):
        return value[0] if len(value) == 1 else None
    return value
