"""Reads the golden samples of a contract, and compares the outputs of the model with the expected ones."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.wire import Message
from tflint.errors import UserError
from tflint.facts.run.model_run import GoldenRun
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.preprocessing.observe.npy_files import open_arrays
from tflint.preprocessing.observe.sample_files import ARRAY_SUFFIXES, IMAGE_SUFFIXES
from tflint.preprocessing.observe.sample_images import preprocess_pixels, read_image
from tflint.preprocessing.recipe import Recipe, RecipeInput
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.values import frozen

Array = NDArray[Any]

#: Maximum number of bytes of an array of a golden sample.
MAX_ARRAY_BYTES = 512 << 20
#: How a note about a sample that cannot be compared begins.
GOLDEN_PROBLEM = "golden sample "
#: Tolerance for float outputs if a sample declares none, relative to the largest expected value.
FLOAT_TOLERANCE = 1e-5


@frozen(eq=False)
class Source:
    """The data of one input of a sample: an array as client code feeds it, or the pixels of an image (`is_image`)."""

    values: Array
    is_image: bool
    what: str


@frozen(eq=False)
class Sample:
    """A golden sample: the data of each input in the order of the model, the expected outputs, and the tolerances."""

    number: int
    sources: tuple[Source, ...]
    expected: tuple[Array, ...]
    tolerances: Mapping[str, float]

    @property
    def has_image(self) -> bool:
        """Whether an input is an image that the recipe preprocesses."""
        return any(source.is_image for source in self.sources)


def read_samples(recipe: Recipe) -> tuple[list[Sample], list[str]]:
    """Return the samples of a contract, and why others cannot be used."""
    samples, problems = [], []
    for number, entry in enumerate(recipe.contract.data.get("golden", ())):
        try:
            samples.append(_read_sample(recipe, number, entry))
        except UserError as error:
            problems.append(f"golden sample {number}: {error.message}")
    return samples, problems


def _read_sample(recipe: Recipe, number: int, entry: Mapping[str, Any]) -> Sample:
    sources = tuple(_read_source(recipe, position, name) for position, name in enumerate(entry["inputs"]))
    expected = tuple(_read_expected(_resolve(recipe, name)) for name in entry["outputs"])
    tolerances = {key: float(entry[key]) for key in ("atol", "cosine", "top-k") if key in entry}
    return Sample(number, sources, expected, tolerances)


def _resolve(recipe: Recipe, name: str) -> Path:
    """Return the path of a file, which is relative to the contract and must be in the checkout."""
    folder = Path(recipe.contract.path).parent
    path = folder / name
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        if is_within(path, boundary_of(folder)):
            return path
    raise UserError(f"'{name}' is outside of the checkout", hint="keep golden samples next to the contract")


def _read_source(recipe: Recipe, position: int, name: str) -> Source:
    path = _resolve(recipe, name)
    entry = find_entry(recipe, position)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        if entry is None:
            raise UserError(f"'{name}' is an image, but the contract does not describe input {position}")
        return Source(read_image(path, entry, recipe), True, str(path))
    array = _read_array(path)
    return Source(array, entry is not None and _has_pixels(array, entry), str(path))


def _has_pixels(array: Array, entry: RecipeInput) -> bool:
    """Return whether an array holds the pixels of an image, not the values that client code feeds."""
    shape = entry.shape or ()
    is_fed = entry.dtype == "uint8" and array.shape == shape[1:]
    return entry.kind == "image" and array.dtype == np.uint8 and array.ndim == 3 and len(shape) == 4 and not is_fed


def find_entry(recipe: Recipe, position: int) -> RecipeInput | None:
    """Return the recipe of the input at a position of the model, or None if the contract does not describe it."""
    return next((one for one in recipe.inputs if one.position == position), None)


def _read_expected(path: Path) -> Array:
    """Return expected values, which must be finite numbers."""
    array = _read_array(path)
    if array.dtype.kind not in "biuf":
        raise UserError(f"'{path}' does not contain numbers, but {array.dtype}")
    if not np.isfinite(array).all():
        raise UserError(f"'{path}' has NaN or infinity, with which no output can be compared")
    return array


def _read_array(path: Path) -> Array:
    if path.suffix.lower() not in ARRAY_SUFFIXES:
        raise UserError(f"'{path}' is not a .npy file or an image", hint="save arrays with numpy.save")
    with open_arrays(path) as arrays:
        if len(arrays) != 1:
            raise UserError(f"'{path}' has {len(arrays)} arrays, but a sample names one file per input and output")
        numbers = arrays[0][1]
        n_bytes = numbers.size * numbers.dtype.itemsize
        if n_bytes > MAX_ARRAY_BYTES:
            raise UserError(f"'{path}' has {n_bytes:,} bytes of values; the limit is {MAX_ARRAY_BYTES:,}")
        content = numbers.read(n_bytes)
        if len(content) != n_bytes:
            raise UserError(f"'{path}' is truncated")
        return np.frombuffer(content, numbers.dtype).reshape(numbers.shape, order="F" if numbers.is_fortran else "C")


# -- what the model takes ----------------------------------------------------------------------------------------------


def prepare_inputs(sample: Sample, recipe: Recipe, details: Sequence[Message]) -> list[Array]:
    """Return the arrays that the model takes for a sample. `details` describes its inputs.

    Raises `UserError` if the number, shape or type of an input does not fit.
    """
    if len(sample.sources) != len(details):
        raise UserError(f"it has {len(sample.sources)} inputs, but the model takes {len(details)}")
    return [
        _prepare_input(source, recipe, position, tensor)
        for position, (source, tensor) in enumerate(zip(sample.sources, details, strict=True))
    ]


def _prepare_input(source: Source, recipe: Recipe, position: int, tensor: Message) -> Array:
    values = source.values
    if source.is_image:
        entry = find_entry(recipe, position)
        assert entry is not None, "only described inputs have images"
        values = preprocess_pixels(values, entry, recipe, source.what)
    return fit_to_tensor(values, tensor, source.what)


def fit_to_tensor(values: Array, tensor: Message, what: str) -> Array:
    """Return values in the type and shape of a tensor. Real values of a quantized tensor are quantized."""
    dtype, shape = np.dtype(tensor["dtype"]), tuple(tensor["shape"])
    if values.dtype != dtype:
        is_real = values.dtype.kind == "f"
        if is_real and dtype.kind in "iu" and tensor["scale"]:
            if not np.isfinite(values).all():
                raise UserError(f"'{what}' has NaN or infinity, which a quantized input cannot take")
            low, high = INTEGER_RANGES[dtype.name.upper()]
            steps = np.floor(values.astype(np.float64) / tensor["scale"] + 0.5) + tensor["zero_point"]
            values = np.clip(steps, low, high)
        elif not (is_real and dtype.kind == "f"):
            raise UserError(f"'{what}' has the type {values.dtype}, but the model takes {dtype}")
        values = values.astype(dtype)
    if values.shape != shape:
        if values.size != int(np.prod(shape)):
            raise UserError(f"'{what}' has the shape {list(values.shape)}, but the model takes {list(shape)}")
        values = values.reshape(shape)
    return values


# -- comparison --------------------------------------------------------------------------------------------------------


def compare_outputs(sample: Sample, actual: Sequence[Array], details: Sequence[Message]) -> Iterator[GoldenRun]:
    """Yield the comparison of each output with the expected one."""
    for position, expected in enumerate(sample.expected):
        if position >= len(actual):
            text = f"it does not exist: the model has {len(actual)}"
            yield GoldenRun(sample.number, position, False, None, text)
            continue
        values = real_values(actual[position], expected, details[position])
        if values.size != expected.size:
            text = f"its shape is {list(values.shape)}, and the expected one is {list(expected.shape)}"
            yield GoldenRun(sample.number, position, False, None, text)
            continue
        one, other = (array.reshape(-1).astype(np.float64) for array in (values, expected))
        difference = float(np.abs(one - other).max()) if one.size else 0.0
        problem = _find_violation(one, other, difference, sample.tolerances, is_exact=expected.dtype.kind in "iub")
        text = f"it differs from the expected values by up to {difference:.6g}; {problem}" if problem else ""
        yield GoldenRun(sample.number, position, not problem, difference, text)


def real_values(actual: Array, expected: Array, tensor: Message) -> Array:
    """Return an output in the units of the expected one: dequantized if the expected values are real numbers."""
    if actual.dtype.kind in "iu" and expected.dtype.kind == "f" and tensor["scale"]:
        return (actual.astype(np.float64) - int(tensor["zero_point"])) * float(tensor["scale"])
    return actual


def _find_violation(
    actual: Array, expected: Array, difference: float, tolerances: Mapping[str, float], *, is_exact: bool
) -> str:
    """Return the first tolerance that is not met; empty if all are. NaN meets none."""
    if "atol" in tolerances and not difference <= tolerances["atol"]:
        return f"the tolerance is {tolerances['atol']:g}"
    if "cosine" in tolerances:
        cosine = cosine_similarity(actual, expected)
        if not cosine >= tolerances["cosine"]:
            return f"the cosine similarity is {cosine:.4f}, and must be at least {tolerances['cosine']:g}"
    if "top-k" in tolerances and len(actual):
        k = int(tolerances["top-k"])
        rank = int((actual > actual[int(expected.argmax())]).sum())
        if rank >= k:
            return f"the expected class has rank {rank + 1}, and must be among the first {k}"
    if not tolerances:
        limit = 0.0 if is_exact else FLOAT_TOLERANCE * float(np.abs(expected).max(initial=0.0))
        if not difference <= limit:
            return "integers must be equal" if is_exact else f"the tolerance is {limit:.3g}"
    return ""


def cosine_similarity(one: Array, other: Array) -> float:
    """Return the cosine of the angle between two vectors; 1 if both are zero."""
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    if norms == 0:
        return 1.0 if not one.any() and not other.any() else 0.0
    return float(np.dot(one, other)) / norms


def measure_error(actual: Sequence[Array], expected: Sequence[Array], details: Sequence[Message]) -> float:
    """Return the mean absolute difference of all outputs, each relative to the spread of its expected values.

    It is infinite if an output is missing, has a different size, or differs by NaN.
    """
    errors = []
    for position, wanted in enumerate(expected):
        if position >= len(actual) or actual[position].size != wanted.size or not wanted.size:
            return float("inf")
        values = real_values(actual[position], wanted, details[position]).reshape(-1).astype(np.float64)
        flat = wanted.reshape(-1).astype(np.float64)
        errors.append(float(np.abs(values - flat).mean()) / _spread(flat))
    mean = float(np.mean(errors)) if errors else 0.0
    return float("inf") if math.isnan(mean) else mean


def rounding_error(expected: Sequence[Array], details: Sequence[Message]) -> float:
    """Return the error of `measure_error` if every value of quantized outputs is off by one quantization step."""
    errors = []
    for wanted, tensor in zip(expected, details, strict=False):
        flat = wanted.reshape(-1).astype(np.float64)
        step = float(tensor["scale"] or 0) if wanted.dtype.kind == "f" else 1.0
        errors.append(step / _spread(flat) if np.dtype(tensor["dtype"]).kind in "iu" and flat.size else 0.0)
    return float(np.mean(errors)) if errors else 0.0


def _spread(values: Array) -> float:
    """Return the difference of the largest and the smallest value, or the largest if all are equal; never zero."""
    return float(values.max() - values.min()) or max(abs(float(values.max())), 1.0)
