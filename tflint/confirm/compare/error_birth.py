"""Finds the operators at which errors are born: those that lose more than the errors of their inputs explain.

The noise of an output is explained by the noise of the inputs times the gain of the operator. The gain is measured on
the reference: how much a small change of the model's inputs grows, relative to the signal, from the operator's inputs
to its output. Errors of a quantized model are often correlated, which averaging does not remove, so a gain is never
below 1.
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
#: Maximum number of steps back to a compared tensor.
_MAX_STEPS = 64


@frozen
class ErrorBirth:
    """An operator at which an error is born (-1: an input of the model).

    `tensor` is its output, `sqnr` the SQNR of that in dB, `explained_sqnr` the SQNR that the inputs explain, and
    `excess` the difference in dB.
    """

    operator: int
    tensor: int
    sqnr: float
    explained_sqnr: float
    excess: float


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
        operator = model.producer(tensor)
        explained = EXPECTED_NOISE
        if operator is not None:
            inputs = list(_compared_inputs(model, tensor, activations))
            noise = sum(min(activations[one].noise, 1.0) for one in inputs)
            explained += SLACK * _gain(pairing, tensor, inputs, natural) * noise
        sqnr, explained_sqnr = error.sqnr, to_decibels(explained)
        if explained_sqnr - sqnr >= MIN_EXCESS and sqnr < MAX_SQNR_OF_BIRTH:
            number = -1 if operator is None else operator.number
            births.append(ErrorBirth(number, tensor, sqnr, explained_sqnr, explained_sqnr - sqnr))
    return sorted(births, key=lambda birth: (-birth.excess, birth.operator))


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
