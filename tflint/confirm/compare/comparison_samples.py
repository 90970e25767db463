"""The samples on which both models run: files, the golden samples of a contract, or generated values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.child.generated_inputs import generate
from tflint.confirm.compare.fed_inputs import FedInput
from tflint.confirm.golden_samples import prepare_inputs, read_samples
from tflint.errors import UserError
from tflint.preprocessing.observe.array_chunks import Numbers
from tflint.preprocessing.observe.npy_files import open_arrays
from tflint.preprocessing.observe.sample_arrays import require_single_input
from tflint.preprocessing.observe.sample_files import ARRAY_SUFFIXES, find_files
from tflint.preprocessing.observe.sample_images import preprocess_image
from tflint.preprocessing.recipe import Recipe
from tflint.values import frozen

Array = NDArray[Any]

#: Maximum number of samples that are run.
MAX_SAMPLES = 100
#: Maximum number of bytes of one sample of one input.
MAX_SAMPLE_BYTES = 512 << 20
#: Number of generated samples, and their kinds in turn.
GENERATED_SAMPLES = 8
_KINDS = ("noise", "smooth")


@frozen(eq=False)
class FedSample:
    """A sample: a value per input, as client code has it, and the name of each value in messages."""

    values: tuple[Array, ...]
    names: tuple[str, ...]


# -- generated ---------------------------------------------------------------------------------------------------------


def generate_samples(inputs: Sequence[FedInput], seed: int) -> Iterator[FedSample]:
    """Yield samples of noise and of smooth patterns. If the models have no inputs, yield a single sample."""
    for number in range(GENERATED_SAMPLES if inputs else 1):
        kind = _KINDS[number % len(_KINDS)]
        values, names = [], []
        for one in inputs:
            dtype = np.dtype(np.float32) if one.takes_real else np.dtype(one.tensor["dtype"])
            values.append(generate(kind, one.shape, dtype, one.limits, seed + 1000 * number + one.position))
            names.append(f"generated sample {number}")
        yield FedSample(tuple(values), tuple(names))


# -- golden samples ----------------------------------------------------------------------------------------------------


def read_golden(recipe: Recipe, inputs: Sequence[FedInput], *, is_reference: bool) -> tuple[list[FedSample], list[str]]:
    """Return the golden samples of a contract, and why others cannot be used.

    `is_reference` is whether the contract belongs to the reference.
    """
    details = [one.reference_tensor if is_reference else one.tensor for one in inputs]
    order = sorted(range(len(inputs)), key=lambda number: _own_position(inputs[number], is_reference=is_reference))
    samples, problems = read_samples(recipe)
    found = []
    for sample in samples:
        try:
            arrays = prepare_inputs(sample, recipe, [details[number] for number in order])
        except UserError as error:
            problems.append(f"golden sample {sample.number}: {error.message}")
            continue
        values = dict(zip(order, arrays, strict=True))
        names = dict(zip(order, (source.what for source in sample.sources), strict=True))
        numbers = range(len(inputs))
        found.append(FedSample(tuple(values[one] for one in numbers), tuple(names[one] for one in numbers)))
    return found[:MAX_SAMPLES], problems


def _own_position(one: FedInput, *, is_reference: bool) -> int:
    return one.reference_position if is_reference else one.position


# -- files -------------------------------------------------------------------------------------------------------------


def read_files(path: str, inputs: Sequence[FedInput], recipe: Recipe | None) -> Iterator[FedSample]:
    """Yield the samples at a path: a .npy or .npz file, an image, or a folder of these.

    An array of an .npz file belongs to the input with its name or index, a single array to a single input. An array has
    the shape of the input, or one more axis in front, or a longer first axis, for several samples. Raises `UserError`
    if a file cannot be read or does not fit.
    """
    if not inputs:
        raise UserError("the models take no inputs", hint="run the command without --samples")
    for file in find_files(path):
        if file.suffix.lower() in ARRAY_SUFFIXES:
            with open_arrays(file) as arrays:
                yield from _zip_samples(_match_arrays(arrays, inputs, file), inputs, file)
        else:
            yield _read_image_sample(file, inputs, recipe)


def _read_image_sample(file: Path, inputs: Sequence[FedInput], recipe: Recipe | None) -> FedSample:
    if recipe is None:
        raise UserError(
            f"'{file}' is an image, but no contract describes its preprocessing",
            hint="write a contract next to the model ('tflint contract init'), or save arrays with numpy.savez",
        )
    if len(inputs) != 1:
        raise UserError(f"'{file}' is an image, but the models take {len(inputs)} inputs", hint="save an .npz file")
    values = preprocess_image(file, require_single_input(recipe, str(file)), recipe)
    return FedSample((np.asarray(values),), (str(file),))


def _match_arrays(
    arrays: Sequence[tuple[str, Numbers]], inputs: Sequence[FedInput], file: Path
) -> Mapping[int, Numbers]:
    """Return the array of each input, by its number among the inputs."""
    if len(arrays) == len(inputs) == 1:
        return {0: arrays[0][1]}
    known = ", ".join(one.names[0] if one.names else str(one.position) for one in inputs)
    found: dict[int, Numbers] = {}
    for name, numbers in arrays:
        matching = [number for number, one in enumerate(inputs) if name in (*one.names, str(one.position))]
        if not matching:
            raise UserError(f"the array '{name}' of '{file}' does not match an input", hint=f"inputs: {known}")
        for number in matching:
            found.setdefault(number, numbers)
    missing = [one.label for number, one in enumerate(inputs) if number not in found]
    if missing:
        raise UserError(
            f"'{file}' has no array for {', '.join(missing)}", hint=f"save an .npz file with arrays named {known}"
        )
    return found


def _zip_samples(arrays: Mapping[int, Numbers], inputs: Sequence[FedInput], file: Path) -> Iterator[FedSample]:
    counts = {number: _count_samples(numbers, inputs[number]) for number, numbers in arrays.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{inputs[number].label}: {count}" for number, count in counts.items())
        raise UserError(f"the arrays of '{file}' have different numbers of samples: {listed}")
    streams = [_split_samples(arrays[number], one) for number, one in enumerate(inputs)]
    for number in range(next(iter(counts.values()))):
        with contextlib.suppress(StopIteration):
            values = tuple(next(stream) for stream in streams)
            yield FedSample(values, tuple(f"{arrays[one].what}, sample {number}" for one in range(len(inputs))))


def _count_samples(numbers: Numbers, one: FedInput) -> int:
    """Return the number of samples in an array. Raises `UserError` if its shape does not fit."""
    shape, wanted = numbers.shape, one.shape
    if numbers.size and shape in (wanted, wanted[1:]):
        return 1
    if numbers.size and shape and (shape[1:] == wanted or (wanted[:1] == (1,) and shape[1:] == wanted[1:])):
        return shape[0]
    raise UserError(
        f"'{numbers.what}' has the shape {list(shape)}, but {one.label} takes {list(wanted)}",
        hint="several samples have an additional first axis",
    )


def _split_samples(numbers: Numbers, one: FedInput) -> Iterator[Array]:
    count = _count_samples(numbers, one)
    n_bytes = numbers.size // count * numbers.dtype.itemsize
    if n_bytes * (count if numbers.is_fortran else 1) > MAX_SAMPLE_BYTES:
        raise UserError(f"'{numbers.what}' has {n_bytes:,} bytes per sample; the limit is {MAX_SAMPLE_BYTES:,}")
    if numbers.is_fortran:
        everything = np.frombuffer(_read(numbers, n_bytes * count), numbers.dtype).reshape(numbers.shape, order="F")
        yield from np.ascontiguousarray(everything).reshape(count, *one.shape)
        return
    for _ in range(count):
        yield np.frombuffer(_read(numbers, n_bytes), numbers.dtype).reshape(one.shape)


def _read(numbers: Numbers, n_bytes: int) -> bytes:
    content = bytes(numbers.read(n_bytes))
    if len(content) != n_bytes:
        raise UserError(f"'{numbers.what}' is truncated")
    return content
