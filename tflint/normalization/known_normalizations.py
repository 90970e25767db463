"""The known pixel normalizations, from `rules/tables/normalizations.json`, with the real range of each."""

from __future__ import annotations

import functools

from tflint.resources import table
from tflint.values import frozen


@frozen
class Normalization:
    """The normalization (v − mean) / std of a pixel v.

    `units` is `u8` if v is between 0 and 255, or `unit` if v is between 0 and 1. `mean` and `std` have one element for
    all channels, or one per channel in the channel order `order` (None if there is one element). `short` is the usual
    name, and `formula` the complete formula.
    """

    name: str
    short: str
    formula: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    units: str
    order: str | None
    used_by: str

    @property
    def max_pixel(self) -> float:
        """The largest pixel value before normalization."""
        return 1.0 if self.units == "unit" else 255.0

    @property
    def low(self) -> float:
        """The smallest real value in any channel: that of the smallest pixel, 0."""
        return min(-mean / std for mean, std in self.channels)

    @property
    def high(self) -> float:
        """The largest real value in any channel: that of the largest pixel, `max_pixel`."""
        return max((self.max_pixel - mean) / std for mean, std in self.channels)

    @property
    def channels(self) -> tuple[tuple[float, float], ...]:
        """Pairs of mean and std, one per channel or one for all channels."""
        return tuple(zip(self.mean, self.std, strict=True))


@functools.cache
def known_normalizations() -> tuple[Normalization, ...]:
    """Return all known normalizations, the most common one first."""
    return tuple(
        Normalization(
            entry["name"],
            entry["short"],
            entry["formula"],
            tuple(map(float, entry["mean"])),
            tuple(map(float, entry["std"])),
            entry["units"],
            entry["order"],
            entry["used_by"],
        )
        for entry in table("normalizations")["normalizations"]
    )
