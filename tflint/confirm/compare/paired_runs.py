"""Runs both models on the same samples, each in a child process, and sums up the errors of all paired tensors."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.child_process import ChildError, ChildProcess, Children
from tflint.confirm.compare.activation_errors import ActivationError, ActivationSums, PerturbationSums
from tflint.confirm.compare.compared_graph import ComparedGraph
from tflint.confirm.compare.comparison_samples import MAX_SAMPLES, FedSample
from tflint.confirm.compare.fed_inputs import FedInput
from tflint.confirm.compare.output_agreement import OutputAgreement, OutputSums
from tflint.confirm.compare.tensor_pairing import Pairing, input_names
from tflint.confirm.model_probes import Job
from tflint.confirm.model_session import Session, Subject
from tflint.confirm.runtimes import InstalledRuntime
from tflint.errors import TflintError, UserError
from tflint.values import frozen

Array = NDArray[Any]

#: The kernels that run: those that keep all tensors and have no delegates.
KERNELS = "builtin"
#: Maximum number of bytes of tensors of one model that are requested at a time.
MAX_CHUNK_BYTES = 128 << 20
#: Number of samples on which the reference also runs with changed inputs, and the size of the changes.
CHANGED_SAMPLES = 4
CHANGE = 0.02
#: Share of the time limit after which no further sample is started.
_TIME_SHARE = 0.7


class CannotRunError(TflintError):
    """The models cannot be run, for the reason in the message."""


@frozen(eq=False)
class ComparedSide:
    """A model of the pair: its path in messages, its graph, and what a run needs to know about it."""

    name: str
    graph: ComparedGraph
    subject: Subject


@frozen(eq=False)
class RunSums:
    """The results of all samples.

    `activations` has the error of each compared tensor of the model. `natural` maps tensors of the reference to the
    noise-to-signal ratios that small changes of the inputs cause in it.
    """

    n_samples: int
    activations: dict[int, ActivationError]
    natural: dict[int, tuple[float, ...]]
    outputs: tuple[OutputAgreement, ...]
    problems: tuple[str, ...]


class PairedRuns:
    """Both models, loaded. Use it as a context manager: leaving it ends the child processes."""

    def __init__(
        self,
        reference: ComparedSide,
        model: ComparedSide,
        pairing: Pairing,
        runtime: InstalledRuntime,
        seed: int,
        max_seconds: float,
    ) -> None:
        self._reference, self._model, self._pairing = reference, model, pairing
        self._runtime, self._seed, self._max_seconds = runtime, seed, max_seconds
        self._children = Children()
        self._started: list[ChildProcess] = []
        self._began = time.monotonic()
        self._pairs = list(_compared_tensors(reference.graph, model.graph, pairing))

    def __enter__(self) -> PairedRuns:
        self._children.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        for child in self._started:
            if child.is_alive:
                child.kill()
        self._children.__exit__(*error)

    # -- loading -------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Load both models. Raises `CannotRunError` if the runtime refuses one of them."""
        self._ours, self._theirs = self._load(self._model), self._load(self._reference)

    def _load(self, side: ComparedSide) -> Session:
        try:
            child = self._children.start(self._runtime.package.module)
            self._started.append(child)
            session = Session(child, side.subject, self._seed)
            child.clock.set(self._max_seconds)
            job = Job(side.subject, self._runtime, (), self._seed, self._max_seconds)
            session.begin(job.max_bytes, 2 * self._max_seconds)
            if session.load(KERNELS, keeps_tensors=True):
                return session
            failure = session.attempts[-1]
            raise CannotRunError(
                f"{self._runtime.label} refuses {side.name} ({failure.step}: {failure.message or failure.outcome})"
            )
        except ChildError as error:
            raise CannotRunError(f"{self._runtime.label} cannot run {side.name} ({error})") from error

    def fed_inputs(self, ranges: Sequence[tuple[float, float]]) -> list[FedInput]:
        """Return the paired inputs. Raises `CannotRunError` if both models cannot be fed with the same values.

        `ranges` has the range of values to generate per input of the model.
        """
        ours, theirs = self._ours.details[KERNELS]["inputs"], self._theirs.details[KERNELS]["inputs"]
        if not len(ours) == len(theirs) == len(self._pairing.inputs):
            raise CannotRunError(f"the models have different inputs: {len(theirs)} and {len(ours)}")
        found = []
        for position, partner in sorted(self._pairing.inputs):
            tensors = ours[position], theirs[partner]
            if any(np.dtype(one["dtype"]).kind not in "biuf" for one in tensors):
                raise CannotRunError(f"input {position} takes strings or other values that are not numbers")
            shapes = [list(one["shape"]) for one in tensors]
            if np.prod(shapes[0]) != np.prod(shapes[1]) or not np.prod(shapes[0]):
                raise CannotRunError(
                    f"input {position} has the shape {shapes[0]}, and {shapes[1]} in the reference; a contract next to "
                    "the model can set dynamic dimensions"
                )
            names = tuple(dict.fromkeys(input_names(self._model.graph, position)))
            found.append(FedInput(position, partner, *tensors, names, ranges[position]))
        return found

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self, inputs: Sequence[FedInput], samples: Iterable[FedSample]) -> RunSums:
        """Run both models on the samples. Raises `UserError` if a sample does not fit, `CannotRunError` if none ran."""
        tensors, partners = self._model.graph.tensors, self._reference.graph.tensors
        sums = {one: ActivationSums(tensors[one], partners[other]) for one, other in self._pairs}
        changed = {other: [PerturbationSums(partners[other]) for _ in range(2)] for _, other in self._pairs}
        outputs = self._output_sums()
        # Invoking only the reference once more would put the states of both models out of step.
        has_state = self._model.graph.has_state or self._reference.graph.has_state
        n_changed = 0 if has_state else CHANGED_SAMPLES
        n_done, problems = 0, []
        iterator = iter(samples)
        while (sample := next(iterator, None)) is not None:
            if n_done == MAX_SAMPLES:
                problems.append(f"only the first {MAX_SAMPLES} samples were run")
                break
            if n_done and time.monotonic() - self._began > _TIME_SHARE * self._max_seconds:
                problems.append(f"stopped after {n_done} samples because of the time limit")
                break
            try:
                if n_done == 0 and not has_state:
                    self._require_repeatable(inputs, sample)
                self._run_sample(inputs, sample, sums, outputs, changed if n_done < n_changed else {})
            except ChildError as error:
                if not n_done:
                    what = sample.names[0] if sample.names else "the models"
                    raise CannotRunError(f"{self._runtime.label} failed on {what} ({error})") from error
                problems.append(f"stopped after {n_done} samples: {error}")
                break
            n_done += 1
        if not n_done:
            raise UserError("there are no samples")
        return self._result(n_done, sums, changed, outputs, problems)

    def _require_repeatable(self, inputs: Sequence[FedInput], sample: FedSample) -> None:
        """Raise `CannotRunError` if a model gives different outputs for a sample: nothing can be compared."""
        arranged = _arrange(inputs, sample.values, sample.names)
        for side, session, arrays in zip(
            (self._model, self._reference), (self._ours, self._theirs), arranged, strict=True
        ):
            first, second = (session.invoke(KERNELS, arrays) for _ in range(2))
            if any(one.tobytes() != other.tobytes() for one, other in zip(first, second, strict=True)):
                raise CannotRunError(
                    f"{side.name} gives different outputs for the same sample twice ({self._runtime.label}): "
                    "it uses random numbers or memory that nothing has written"
                )

    def _run_sample(
        self,
        inputs: Sequence[FedInput],
        sample: FedSample,
        sums: dict[int, ActivationSums],
        outputs: dict[tuple[int, int], OutputSums],
        changed: dict[int, list[PerturbationSums]],
    ) -> None:
        ours, theirs = _arrange(inputs, sample.values, sample.names)
        variants = [_arrange(inputs, values, sample.names)[1] for values in _change(inputs, sample, self._seed)]
        for chunk in _chunks(self._pairs, self._model.graph, self._reference.graph):
            partners = list(dict.fromkeys(other for _, other in chunk))
            actual = self._ours.read_tensors(KERNELS, ours, [one for one, _ in chunk])
            wanted = dict(zip(partners, self._theirs.read_tensors(KERNELS, theirs, partners), strict=True))
            for (one, other), values in zip(chunk, actual, strict=True):
                sums[one].add(values, wanted[other])
                if (one, other) in outputs:
                    outputs[one, other].add(values, wanted[other])
            if not changed:
                continue
            for number, arrays in enumerate(variants):
                found = self._theirs.read_tensors(KERNELS, arrays, partners)
                for other, values in zip(partners, found, strict=True):
                    changed[other][number].add(values, wanted[other])

    def _output_sums(self) -> dict[tuple[int, int], OutputSums]:
        tensors, partners = self._model.graph.tensors, self._reference.graph.tensors
        pairs = [self._output_pair(*positions) for positions in self._pairing.outputs]
        return {(one, other): OutputSums(tensors[one], partners[other]) for one, other in pairs if min(one, other) >= 0}

    def _output_pair(self, position: int, partner: int) -> tuple[int, int]:
        one, other = self._model.graph.outputs[position], self._reference.graph.outputs[partner]
        if min(one, other) < 0:
            return -1, -1
        return self._model.graph.origin(one), self._reference.graph.origin(other)

    def _result(
        self,
        n_done: int,
        sums: dict[int, ActivationSums],
        changed: dict[int, list[PerturbationSums]],
        outputs: dict[tuple[int, int], OutputSums],
        problems: Sequence[str],
    ) -> RunSums:
        activations = {one: error for one, found in sums.items() if (error := found.result()) is not None}
        agreements = []
        for position, partner in self._pairing.outputs:
            pair = self._output_pair(position, partner)
            if pair not in outputs or pair[0] not in activations:
                continue
            name = self._model.graph.tensors[self._model.graph.outputs[position]].name
            agreements.append(outputs[pair].result(position, partner, name, activations[pair[0]].sqnr))
        return RunSums(
            n_done,
            activations,
            {other: tuple(one.noise for one in found) for other, found in changed.items()},
            tuple(agreements),
            tuple(problems),
        )


def _compared_tensors(reference: ComparedGraph, model: ComparedGraph, pairing: Pairing) -> Iterator[tuple[int, int]]:
    """Yield the pairs of tensors to compare, in execution order. Dequantized copies are left out."""
    order = [*model.inputs, *(tensor for operator in model.operators for tensor in operator.outputs)]
    for tensor in dict.fromkeys(order):
        partner = pairing.activations.get(tensor, -1)
        producer = model.producer(tensor)
        if partner < 0 or (producer is not None and producer.opcode == "DEQUANTIZE"):
            continue
        if model.tensors[tensor].is_real and reference.tensors[partner].is_real:
            yield tensor, partner


def _chunks(
    pairs: Sequence[tuple[int, int]], model: ComparedGraph, reference: ComparedGraph
) -> Iterator[list[tuple[int, int]]]:
    """Yield parts of the pairs whose tensors fit into `MAX_CHUNK_BYTES`, or single pairs."""
    chunk: list[tuple[int, int]] = []
    n_bytes = 0
    for one, other in pairs:
        size = 8 * max(model.tensors[one].size, reference.tensors[other].size, 1)
        if chunk and n_bytes + size > MAX_CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
        chunk.append((one, other))
        n_bytes += size
    if chunk:
        yield chunk


def _arrange(
    inputs: Sequence[FedInput], values: Sequence[Array], names: Sequence[str]
) -> tuple[list[Array], list[Array]]:
    """Return the values in the order and type of the inputs of the model and of the reference."""
    ours: dict[int, Array] = {}
    theirs: dict[int, Array] = {}
    for one, value, name in zip(inputs, values, names, strict=True):
        ours[one.position], theirs[one.reference_position] = one.convert(value, name)
    return [ours[place] for place in sorted(ours)], [theirs[place] for place in sorted(theirs)]


def _change(inputs: Sequence[FedInput], sample: FedSample, seed: int) -> Iterator[list[Array]]:
    """Yield the values of a sample with noise, and with an offset, in proportion to their size."""
    rng = np.random.default_rng(seed)
    for is_noise in (True, False):
        changed = []
        for one, value in zip(inputs, sample.values, strict=True):
            if value.dtype.kind != "f" or not one.takes_real:
                changed.append(value)
                continue
            size = CHANGE * float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))) if value.size else 0.0
            offset = rng.normal(0.0, size, value.shape) if is_noise else size
            changed.append((value + offset).astype(value.dtype))
        yield changed
