"""The probes that feed chosen inputs: golden samples, changed preprocessing, and known normalizations."""

from __future__ import annotations

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
)
from tflint.confirm.model_session import Session
from tflint.confirm.preprocessing_changes import Change, list_changes
from tflint.errors import UserError
from tflint.facts.run.model_run import ChangeRun, GoldenRun, NormalizationRun
from tflint.normalization.known_normalizations import known_normalizations
from tflint.preprocessing.observe.sample_images import preprocess_pixels
from tflint.preprocessing.recipe import Recipe, RecipeInput

Array = NDArray[Any]

#: A changed preprocessing must reduce the error to this share of it, or to the second share if the tolerances are met.
CLEAR_SHARE, CLEAR_SHARE_WITHIN_TOLERANCE = 0.5, 0.25
#: Errors below this share of the output's spread are rounding.
MIN_ERROR = 1e-4
#: Number of generated images per normalization.
_IMAGES = 4
#: Outputs whose values add up to 1 within this are probabilities.
_SUM_TOLERANCE = 0.02


class GoldenProbe:
    """Runs the golden samples of a contract, and again with every single change of the preprocessing."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.results: list[GoldenRun] = []
        self.changes: list[ChangeRun] = []
        self.saturated: dict[int, float] = {}

    def run(self, session: Session, kernels: str) -> None:
        """Run all samples; fill `results` and `changes`. Problems are noted in the session."""
        samples, problems = read_samples(self._recipe)
        session.problems += problems
        details = session.details[kernels]
        inputs: dict[int, list[Array]] = {}
        errors: dict[int, float] = {}
        for sample in samples:
            try:
                inputs[sample.number] = prepare_inputs(sample, self._recipe, details["inputs"])
            except UserError as error:
                session.problems.append(f"golden sample {sample.number}: {error.message}")
                continue
            outputs = session.try_invoke(kernels, inputs[sample.number], f"golden sample {sample.number}")
            if outputs is not None:
                self.results += compare_outputs(sample, outputs, details["outputs"])
                errors[sample.number] = measure_error(outputs, sample.expected, details["outputs"])
        self._try_changes(session, kernels, [one for one in samples if one.has_image and one.number in errors], errors)

    def _try_changes(self, session: Session, kernels: str, samples: Sequence[Sample], errors: dict[int, float]) -> None:
        """Find the change with which all samples fit clearly better, if there is one."""
        if not samples:
            return
        agrees = all(result.agrees for result in self.results)
        share = CLEAR_SHARE_WITHIN_TOLERANCE if agrees else CLEAR_SHARE
        declared = float(np.mean([errors[sample.number] for sample in samples]))
        if declared <= MIN_ERROR:
            return
        best: tuple[float, int, Change] | None = None
        for entry in {one.number: one for one in self._recipe.inputs if one.kind == "image"}.values():
            for change in list_changes(entry):
                changed = [self._measure(session, kernels, sample, entry, change) for sample in samples]
                if any(one > errors[sample.number] for one, sample in zip(changed, samples, strict=True)):
                    continue
                mean = float(np.mean(changed))
                if mean <= share * declared and (best is None or mean < best[0]):
                    best = (mean, entry.number, change)
        if best is not None:
            mean, number, change = best
            self.changes.append(
                ChangeRun(number, change.key, change.declared, change.changed, declared, mean, len(samples))
            )

    def _measure(self, session: Session, kernels: str, sample: Sample, entry: RecipeInput, change: Change) -> float:
        """Return the error of a sample with a changed preprocessing; infinity if it cannot run."""
        details = session.details[kernels]
        try:
            arrays = prepare_inputs(sample, self._recipe, details["inputs"])
            source = sample.sources[entry.position]
            if not source.is_image:
                return float("inf")
            values = preprocess_pixels(source.values, change.recipe_input, self._recipe, source.what)
            arrays[entry.position] = change.after(fit_to_tensor(values, details["inputs"][entry.position], source.what))
        except UserError:
            return float("inf")
        outputs = session.try_invoke(kernels, arrays, "")
        return float("inf") if outputs is None else measure_error(outputs, sample.expected, details["outputs"])

    def measure_saturation(self, session: Session, kernels: str) -> None:
        """Count the saturated values of computed tensors on the golden samples, with kernels that keep all tensors."""
        samples, _ = read_samples(self._recipe)
        shares: dict[int, list[float]] = {}
        for sample in samples:
            try:
                arrays = prepare_inputs(sample, self._recipe, session.details[kernels]["inputs"])
                found = session.measure_saturation(kernels, arrays)
            except (UserError, ChildError):
                if not session.child.is_alive:
                    raise
                continue
            for index, share in found.items():
                shares.setdefault(index, []).append(share)
        self.saturated = {index: float(np.mean(values)) for index, values in shares.items()}


def try_normalizations(session: Session, kernels: str, inputs: Sequence[int]) -> Iterator[NormalizationRun]:
    """Yield how the outputs react to generated images under each known normalization.

    `inputs` are the positions of float image inputs. Other inputs get generated values.
    """
    details = session.details[kernels]
    for position in inputs:
        shape = details["inputs"][position]["shape"]
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
