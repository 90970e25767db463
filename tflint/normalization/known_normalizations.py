"""The known normalisations of pixels, from their table, as values with the real range that each leads to."""

from __future__ import annotations

import functools

from tflint.resources import table
from tflint.values import frozen


@frozen
class Normalization:
    """(v − mean) / std, v being a pixel of 0 to 255 (`u8`) or of 0 to 1 (`unit`); one mean and std, or one a channel.

    `order` is the order of channels that mean and std stand in, None where one serves all. `short` is what people
    call it, `formula` the whole of it.
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
    def one(self) -> float:
        """What the brightest pixel is, before mean and std."""
        return 1.0 if self.units == "unit" else 255.0

    @property
    def low(self) -> float:
        """The smallest value over all channels: the real value of a pixel 0 in one of them."""
        return min(-mean / std for mean, std in self.channels)

    @property
    def high(self) -> float:
        """The largest value over all channels: the real value of a pixel 255 in one of them."""
        return max((self.one - mean) / std for mean, std in self.channels)

    @property
    def channels(self) -> tuple[tuple[float, float], ...]:
        """Mean and standard deviation of each channel; one pair where one serves all."""
        return tuple(zip(self.mean, self.std, strict=True))


@functools.cache
def known_normalizations() -> tuple[Normalization, ...]:
    """All normalisations of the table, in its order: the commonest first."""
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
