"""The probes that feed chosen inputs: golden samples, changed preprocessing, and known normalizations."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.child.generated_inputs import generate
from tflint.confirm.child_process import ChildError
from tflint.confirm.golden_samples import (
    Sample,
    compare_outputs,
    fit_to_tensor,
    measure_error,
    prepare_inputs,
    read_samples,
    rounding_error,
)
from tflint.confirm.model_session import Session
from tflint.confirm.preprocessing_changes import Change, is_specified, list_changes
from tflint.errors import UserError
from tflint.facts.run.model_run import ChangeRun, GoldenRun, NormalizationRun
from tflint.normalization.known_normalizations import known_normalizations
from tflint.preprocessing.observe.sample_images import preprocess_pixels
from tflint.preprocessing.recipe import Recipe, RecipeInput
from tflint.values import frozen

Array = NDArray[Any]

#: A changed preprocessing must reduce the mean error to this share of it, by the number of samples that differ from the
#: expected outputs by more than rounding. Measured with an int8 classifier (`tests/confirm`) and outputs that its float
#: model recorded from pixels rounded to bytes, for 60 sets of images: with the right contract, the best change reached
#: 0.35 with one image, 0.45 with two and 0.53 with three. With three images and wrong contracts, the wrong key reached
#: 0.44 or less in 119 of 120 sets, recorded without the rounding.
CLEAR_SHARES = {1: 0.1, 2: 0.25, 3: 0.45}
#: If all tolerances are met, as many samples must differ, and the error must fall to this share of it.
SAMPLES_WITHIN_TOLERANCE, SHARE_WITHIN_TOLERANCE = 3, 0.1
#: Errors below this share of the output's spread are rounding.
MIN_ERROR = 1e-4
#: Changes of several keys whose errors differ by less than this factor explain the samples equally well.
_TIE_FACTOR = 1.5
#: Maximum number of samples for which changes are tried.
_CHANGED_SAMPLES = 16
#: Maximum number of values of a generated image.
_MAX_PIXELS = 1 << 20
#: Number of generated images per normalization.
_IMAGES = 4
#: Outputs whose values add up to 1 within this are probabilities.
_SUM_TOLERANCE = 0.02


@frozen(eq=False)
class _Run:
    """A golden sample that ran: the arrays that the model took, the error of its outputs, and the error of rounding."""

    sample: Sample
    inputs: Sequence[Array]
    error: float
    rounding: float


class GoldenProbe:
    """Runs the golden samples of a contract, and again with every single change of the preprocessing.

    `max_seconds` is the wall-clock time for the changes. If it is not enough for all changes, none counts.
    """

    def __init__(self, recipe: Recipe, max_seconds: float) -> None:
        self._recipe = recipe
        self._max_seconds = max_seconds
        self.results: list[GoldenRun] = []
        self.changes: list[ChangeRun] = []
        self.saturated: dict[int, float] = {}
        self._inputs: list[list[Array]] = []

    def run(self, session: Session, kernels: str) -> None:
        """Run all samples; fill `results` and `changes`. Problems are noted in the session."""
        samples, problems = read_samples(self._recipe)
        session.problems += problems
        found = [self._run_sample(session, kernels, sample) for sample in samples]
        self._try_changes(session, kernels, [run for run in found if run is not None and run.sample.has_image])

    def _run_sample(self, session: Session, kernels: str, sample: Sample) -> _Run | None:
        """Run a sample and compare its outputs; None if it cannot run."""
        details, what = session.details[kernels], f"golden sample {sample.number}"
        try:
            inputs = prepare_inputs(sample, self._recipe, details["inputs"])
        except UserError as error:
            session.problems.append(f"{what}: {error.message}")
            return None
        self._inputs.append(inputs)
        outputs = session.try_invoke(kernels, inputs, what)
        if outputs is None:
            return None
        self.results += compare_outputs(sample, outputs, details["outputs"])
        return _Run(
            sample,
            inputs,
            measure_error(outputs, sample.expected, details["outputs"]),
            max(MIN_ERROR, rounding_error(sample.expected, details["outputs"])),
        )

    def _try_changes(self, session: Session, kernels: str, all_runs: Sequence[_Run]) -> None:
        """Find the change with which the samples fit clearly better, if there is one."""
        runs = all_runs[:_CHANGED_SAMPLES]
        agrees = self._agrees(all_runs)
        limit = _clear_share(sum(run.error > run.rounding for run in runs), agrees=agrees)
        if limit is None:
            return
        end = time.monotonic() + self._max_seconds
        declared = float(np.mean([run.error for run in runs]))
        fitting: list[tuple[float, int, Change]] = []
        for entry, change in self._list_changes(only_specified=agrees):
            if time.monotonic() > end:
                session.problems.append("golden samples: there was not enough time to try other preprocessing")
                return
            mean = self._measure_all(session, kernels, runs, entry, change)
            if mean is not None and mean <= limit * declared:
                fitting.append((mean, entry.number, change))
        if fitting:
            mean, number, change, changed = _choose(fitting)
            self.changes.append(ChangeRun(number, change.key, change.declared, changed, declared, mean, len(runs)))

    def _agrees(self, runs: Sequence[_Run]) -> bool:
        numbers = {run.sample.number for run in runs}
        return all(result.agrees for result in self.results if result.sample in numbers)

    def _list_changes(self, *, only_specified: bool) -> Iterator[tuple[RecipeInput, Change]]:
        """Yield the changes of all images: of all keys, or only of those that the contract specifies."""
        for entry in self._recipe.inputs:
            for change in list_changes(entry) if entry.kind == "image" else ():
                if not only_specified or is_specified(entry, change.key):
                    yield entry, change

    def _measure_all(
        self, session: Session, kernels: str, runs: Sequence[_Run], entry: RecipeInput, change: Change
    ) -> float | None:
        """Return the mean error with a changed preprocessing; None if a sample gets worse or cannot run."""
        errors = []
        for run in runs:
            error = self._measure(session, kernels, run, entry, change)
            if not (math.isfinite(error) and error <= max(run.error, run.rounding)):
                return None
            errors.append(error)
        return float(np.mean(errors))

    def _measure(self, session: Session, kernels: str, run: _Run, entry: RecipeInput, change: Change) -> float:
        """Return the error of a sample with a changed preprocessing; infinity if it cannot run."""
        details, sample = session.details[kernels], run.sample
        if entry.position >= len(sample.sources) or not sample.sources[entry.position].is_image:
            return run.error
        source = sample.sources[entry.position]
        arrays = list(run.inputs)
        try:
            values = change.after(preprocess_pixels(source.values, change.recipe_input, self._recipe, source.what))
            arrays[entry.position] = fit_to_tensor(values, details["inputs"][entry.position], source.what)
        except UserError:
            return float("inf")
        if np.array_equal(arrays[entry.position], run.inputs[entry.position]):
            return run.error
        outputs = session.try_invoke(kernels, arrays, "")
        return float("inf") if outputs is None else measure_error(outputs, sample.expected, details["outputs"])

    def measure_saturation(self, session: Session, kernels: str) -> None:
        """Count the saturated values of computed tensors on the samples of `run`; the kernels keep all tensors."""
        shares: dict[int, list[float]] = {}
        for inputs in self._inputs:
            try:
                found = session.measure_saturation(kernels, inputs)
            except ChildError:
                if not session.child.is_alive:
                    raise
                continue
            for index, share in found.items():
                shares.setdefault(index, []).append(share)
        self.saturated = {index: float(np.mean(values)) for index, values in shares.items()}


def _clear_share(n_different: int, *, agrees: bool) -> float | None:
    """Return the share to which a change must reduce the error; None if there is not enough evidence for any.

    `n_different` is the number of samples that differ from the expected outputs by more than rounding, and `agrees`
    whether the samples meet their tolerances.
    """
    if agrees:
        return SHARE_WITHIN_TOLERANCE if n_different >= SAMPLES_WITHIN_TOLERANCE else None
    return CLEAR_SHARES[min(n_different, max(CLEAR_SHARES))] if n_different else None


def _choose(fitting: Sequence[tuple[float, int, Change]]) -> tuple[float, int, Change, str]:
    """Return the change to report, with its error, its input, and its value as text.

    If changes of different keys fit equally well, the one that was listed first is reported, and the text names the
    others.
    """
    best: dict[tuple[int, str], tuple[float, int, Change]] = {}
    for one in fitting:
        place = (one[1], one[2].key)
        if place not in best or one[0] < best[place][0]:
            best[place] = one
    limit = max(MIN_ERROR, _TIE_FACTOR * min(mean for mean, _, _ in best.values()))
    (mean, number, change), *others = [one for one in best.values() if one[0] <= limit]
    texts = [change.changed, *(f"{other.key} = {other.changed}" for _, _, other in others)]
    return mean, number, change, " or ".join(texts)


def try_normalizations(session: Session, kernels: str, inputs: Sequence[int]) -> Iterator[NormalizationRun]:
    """Yield how the outputs react to generated images under each known normalization.

    `inputs` are the positions of float image inputs. Other inputs get generated values.
    """
    details = session.details[kernels]
    if any(np.dtype(tensor["dtype"]).kind not in "biuf" for tensor in details["inputs"]):
        return
    for position in inputs:
        shape = details["inputs"][position]["shape"]
        if math.prod(shape) > _MAX_PIXELS:
            session.problems.append(f"no normalizations were tried: an image has more than {_MAX_PIXELS:,} values")
            continue
        images = [
            generate("smooth", shape, np.dtype(np.float32), (0.0, 255.0), session.seed + number)
            for number in range(_IMAGES)
        ]
        for known in known_normalizations():
            if len(known.mean) not in (1, shape[-1]):
                continue
            scale = known.max_pixel / 255
            outputs = []
            for image in images:
                values = ((image * scale - np.array(known.mean)) / np.array(known.std)).astype(np.float32)
                found = session.try_invoke(kernels, _with_input(details["inputs"], position, values, session.seed), "")
                if found is not None:
                    outputs.append([one.astype(np.float64).reshape(-1) for one in found if one.dtype.kind == "f"])
            if len(outputs) == len(images) and outputs[0]:
                yield NormalizationRun(position, known.name, *_measure_reaction(outputs))


def _with_input(details: Sequence[Any], position: int, values: Array, seed: int) -> list[Array]:
    arrays = []
    for number, tensor in enumerate(details):
        dtype = np.dtype(tensor["dtype"])
        limits = (-1.0, 1.0) if dtype.kind == "f" else (0.0, 1.0)
        arrays.append(values if number == position else generate("noise", tensor["shape"], dtype, limits, seed))
    return arrays


def _measure_reaction(outputs: Sequence[Sequence[Array]]) -> tuple[float, float | None]:
    """Return the spread of the outputs between images, and the mean of the largest probability if there are any."""
    spreads, peaks = [], []
    for values in zip(*outputs, strict=True):
        if len({len(one) for one in values}) != 1 or not len(values[0]):
            continue
        stacked = np.stack(values)
        if not np.isfinite(stacked).all():
            continue
        size = float(np.abs(stacked).mean())
        spreads.append(float(stacked.std(axis=0).mean()) / size if size > 0 else 0.0)
        if stacked.shape[1] > 1 and bool((np.abs(stacked.sum(axis=1) - 1) < _SUM_TOLERANCE).all()):
            peaks.append(float(stacked.max(axis=1).mean()))
    return (max(spreads) if spreads else 0.0), (float(np.mean(peaks)) if peaks else None)
