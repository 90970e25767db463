"""Finds the operators at which errors are born: those that lose more than the errors of their inputs explain.

The noise of an output is explained by the noise of the inputs times the gain of the operator. The gain is measured on
the reference: how much a small change of the model's inputs grows, relative to the signal, from the operator's inputs
to its output. Errors of a quantized model are often correlated, which averaging does not remove, so a gain is never
below 1.

Errors of storage are known without the inputs: the values of the reference, rounded and clipped to the range of a
tensor. They count as born even if the inputs already have large errors, unless the inputs lose as much by storage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tflint.confirm.compare.activation_errors import ActivationError
from tflint.confirm.compare.compared_graph import ComparedGraph
from tflint.confirm.compare.error_measures import to_decibels
from tflint.confirm.compare.tensor_pairing import Pairing
from tflint.values import frozen

#: Noise-to-signal ratio that every quantized operator may add: rounding to 8 bits costs 30 to 45 dB.
EXPECTED_NOISE = 1e-3
#: Factor by which the noise of an output may exceed its explanation: gains are averages over the whole tensor.
SLACK = 2.0
#: Largest gain of an operator.
MAX_GAIN = 1e3
#: An error counts as born if the SQNR is that many dB below its explanation, and below the limit.
MIN_EXCESS = 6.0
MAX_SQNR_OF_BIRTH = 20.0
#: Share of the noise of a tensor that its storage must account for, and vice versa, if nothing else shows a birth.
MIN_STORAGE_SHARE = 0.25
#: Maximum number of steps back to a compared tensor.
_MAX_STEPS = 64


@frozen
class ErrorBirth:
    """An operator at which an error is born (-1: an input of the model).

    `tensor` is its output, `sqnr` the SQNR of that in dB, `explained_sqnr` the SQNR that the inputs explain, and
    `excess` the difference in dB. If `is_storage` is true, `sqnr` and `explained_sqnr` are those of storage alone.
    """

    operator: int
    tensor: int
    sqnr: float
    explained_sqnr: float
    excess: float
    is_storage: bool


def find_births(
    model: ComparedGraph,
    pairing: Pairing,
    activations: Mapping[int, ActivationError],
    natural: Mapping[int, Sequence[float]],
) -> list[ErrorBirth]:
    """Return the operators at which errors are born, that with the largest excess first.

    `natural` has the noise of tensors of the reference after small changes of the inputs.
    """
    births = []
    for tensor, error in activations.items():
        if error.root_mean_square == 0:
            continue  # without a signal, there is no ratio
        inputs = list(_compared_inputs(model, tensor, activations))
        gain = _gain(pairing, tensor, inputs, natural)
        found = [_judge(model, tensor, error.noise, gain * sum(min(activations[one].noise, 1.0) for one in inputs))]
        if MIN_STORAGE_SHARE * error.noise <= error.storage_noise <= error.noise / MIN_STORAGE_SHARE:
            stored = gain * sum(activations[one].storage_noise for one in inputs)
            found.append(_judge(model, tensor, error.storage_noise, stored, is_storage=True))
        births += sorted((birth for birth in found if birth is not None), key=lambda birth: -birth.excess)[:1]
    return sorted(births, key=lambda birth: (-birth.excess, birth.operator))


def _judge(
    model: ComparedGraph, tensor: int, noise: float, inherited: float, *, is_storage: bool = False
) -> ErrorBirth | None:
    """Return the birth of an error if the noise of a tensor exceeds the noise that it inherits."""
    sqnr, explained = to_decibels(noise), to_decibels(EXPECTED_NOISE + SLACK * inherited)
    if explained - sqnr < MIN_EXCESS or sqnr >= MAX_SQNR_OF_BIRTH:
        return None
    number = model.producers.get(tensor, -1)
    return ErrorBirth(number, tensor, sqnr, explained, explained - sqnr, is_storage)


def _compared_inputs(model: ComparedGraph, tensor: int, activations: Mapping[int, ActivationError]) -> Iterator[int]:
    """Yield the nearest compared tensors from which a tensor is computed."""
    waiting, seen = [(tensor, 0)], {tensor}
    while waiting:
        one, n_steps = waiting.pop()
        operator = model.producer(one)
        if operator is None or n_steps == _MAX_STEPS:
            continue
        for source in operator.inputs:
            if source < 0 or source in seen or model.is_constant(source):
                continue
            seen.add(source)
            if source in activations:
                yield source
            else:
                waiting.append((source, n_steps + 1))


def _gain(pairing: Pairing, tensor: int, inputs: Sequence[int], natural: Mapping[int, Sequence[float]]) -> float:
    """Return how much noise grows, relative to the signal, from inputs to an output."""
    after = natural.get(pairing.activations[tensor], ())
    before = [natural.get(pairing.activations[one], ()) for one in inputs]
    gains = [1.0]
    for number, noise in enumerate(after):
        total = sum(values[number] for values in before if number < len(values))
        if total > 0:
            gains.append(noise / total)
    return min(max(gains), MAX_GAIN)
