"""Names the causes of lost accuracy with the numbers that support them, and what to do.

A cause is named if it accounts for a large part of the error that is born at an operator. The parts are estimates: the
error of storing the reference in the range of the output, that of the weights, and that of the bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tflint.confirm.compare.activation_errors import ActivationError
from tflint.confirm.compare.compared_graph import ComparedGraph
from tflint.confirm.compare.error_birth import ErrorBirth
from tflint.confirm.compare.range_sharing import SharedRange, find_padding, find_shared_range
from tflint.confirm.compare.weight_errors import WeightError, by_operator
from tflint.report.display_names import plural, short_name
from tflint.summary.number_text import format_number, format_percent, format_range
from tflint.values import frozen

WARNING, NOTE = "warning", "note"

#: Share of the power of an error that a cause must account for.
MIN_SHARE = 0.25
#: A birth is a warning if it costs that many dB more than its inputs explain and leaves less than the limit.
WARNING_EXCESS, WARNING_SQNR = 10.0, 15.0
#: The same limit for clipped ranges on generated inputs, which may exceed the calibration data.
WARNING_SQNR_GENERATED = 5.0
#: Weights with one scale have an outlier channel if its largest value exceeds the median of the channels by this
#: factor, and the SQNR of a channel is below the limit.
OUTLIER_RATIO, OUTLIER_SQNR = 8.0, 15.0
#: A bias is wrong if its SQNR is below this limit: biases have 32 bits.
BIAS_SQNR = 20.0
#: Weights differ from those of the reference if their SQNR is below this limit: 8 bits give about 40 dB, 4 bits 18 dB.
WEIGHTS_SQNR = 10.0
#: Share of clipped weights that is worth a note.
CLIPPED_WEIGHTS = 0.01

_INT16 = "exclude the operator from quantization, or quantize activations with 16 bits (int16x8)"
ADVICE = {
    "clipped-range": "calibrate with data that reaches these values; else exclude the operator from quantization",
    "outlier-channels": "quantize the weights per channel, or equalize the channels before the conversion",
    "wrong-bias": "convert the float model again; never change a bias or a scale alone",
    "different-weights": "convert this float model again, or compare with the float model of the same training",
    "swamped-concatenation": "scale the inputs of the operator to similar ranges, return them as separate outputs, or "
    "exclude the operator from quantization",
    "padding-constant": "pad with a value within the range of the activations, or pool with SAME padding, then "
    "quantize again",
    "coarse-output": f"{_INT16}; or return the output in float",
    "coarse-range": f"check the calibration data for extreme values; {_INT16}",
    "weights-error": _INT16,
    "unexplained": f"{_INT16}; to narrow it down, exclude one operator at a time",
}


@frozen
class LossFinding:
    """A loss of accuracy with its cause.

    `kind` is a key of `ADVICE`. `operator` is the number of the operator in the model (-1: an input), `tensor` its
    output or constant. `share` is the share of the error's power that the cause accounts for (None: not measured).
    `is_storage` is whether `sqnr` and `excess` are those of storing the values of the reference.
    """

    kind: str
    severity: str
    operator: int
    opcode: str
    tensor: int
    name: str
    text: str
    advice: str
    excess: float | None = None
    sqnr: float | None = None
    share: float | None = None
    is_storage: bool = False


class CauseFinder:
    """Names the causes for a pair of models."""

    def __init__(
        self,
        model: ComparedGraph,
        weights: Sequence[WeightError],
        activations: Mapping[int, ActivationError],
        *,
        is_generated: bool,
    ) -> None:
        self._model, self._is_generated = model, is_generated
        self._weights, self._activations = by_operator(list(weights)), activations

    def explain(self, birth: ErrorBirth) -> LossFinding:
        """Return the finding for an error that is born at an operator."""
        error = self._activations[birth.tensor]
        causes = sorted(self._causes(birth, error), key=lambda cause: -cause[0])
        if causes and causes[0][0] >= MIN_SHARE:
            share, kind, text = causes[0]
            share = min(share, 1.0)
        else:
            share, kind, text = 0.0, "unexplained", "neither range, weights nor bias account for the error"
        limit = WARNING_SQNR_GENERATED if kind == "clipped-range" and self._is_generated else WARNING_SQNR
        is_severe = birth.excess >= WARNING_EXCESS and birth.sqnr < limit
        return LossFinding(
            kind,
            WARNING if is_severe else NOTE,
            birth.operator,
            self._opcode(birth.operator),
            birth.tensor,
            self._model.tensors[birth.tensor].name,
            text,
            ADVICE[kind],
            birth.excess,
            birth.sqnr,
            share,
            birth.is_storage,
        )

    def _opcode(self, number: int) -> str:
        return self._model.operators[number].opcode if number >= 0 else "input"

    def _causes(self, birth: ErrorBirth, error: ActivationError) -> Iterator[tuple[float, str, str]]:
        """Yield the share of the error, the kind and the text of each possible cause."""
        tensor = self._model.tensors[birth.tensor]
        if tensor.limits is not None:
            text = (
                f"{format_percent(error.clipped_share)} of the values are clipped: the range is "
                f"{format_range(*tensor.limits)}, and the reference has {format_range(error.low, error.high)}"
            )
            yield error.clipped_noise, "clipped-range", text
            yield self._describe_rounding(birth.tensor, error)
        for constant in self._weights.get(birth.operator, ()):
            if constant.role == "bias":
                yield constant.error_power / error.error_power, "wrong-bias", describe_bias(constant)
            elif has_outlier(constant):
                yield constant.mean_noise / error.noise, "outlier-channels", describe_outlier(constant)
            else:
                yield constant.mean_noise / error.noise, "weights-error", describe_weights(constant)

    def _describe_rounding(self, tensor: int, error: ActivationError) -> tuple[float, str, str]:
        step = self._model.tensors[tensor].step
        assert step is not None, "only tensors with one scale are rounded"
        size = f"the step is {format_number(step)}, and the values of the reference have a root mean square of "
        size += format_number(error.root_mean_square)
        padding = find_padding(self._model, tensor)
        if padding is not None:
            opcode, value = padding
            return error.rounding_noise, "padding-constant", f"{opcode} pads with {format_number(value)}: {size}"
        shared = find_shared_range(self._model, tensor)
        if shared is not None and self._is_swamped(shared, error):
            return error.rounding_noise, "swamped-concatenation", f"{self._describe_sharing(shared)}: {size}"
        is_output = self._model.origin(tensor) in {self._model.origin(one) for one in self._model.outputs if one >= 0}
        return error.rounding_noise, "coarse-output" if is_output else "coarse-range", size

    def _is_swamped(self, shared: SharedRange, error: ActivationError) -> bool:
        """Return whether another tensor with the same scale is larger."""
        sizes = [self._activations[one].root_mean_square for one in shared.others if one in self._activations]
        return bool(sizes) and max(sizes) > error.root_mean_square

    def _describe_sharing(self, shared: SharedRange) -> str:
        known = [one for one in shared.others if one in self._activations]
        largest = max(known, key=lambda one: self._activations[one].root_mean_square)
        error = self._activations[largest]
        name = short_name(self._model.tensors[largest].name)
        return f"shares a scale at {shared.opcode} with '{name}', which has {format_range(error.low, error.high)}"

    # -- without a run -------------------------------------------------------------------------------------------------

    def find_different_weights(self) -> LossFinding | None:
        """Return the finding that the models do not have the same weights, if most weights differ."""
        weights = [one for found in self._weights.values() for one in found if one.role == "weights"]
        different = [one for one in weights if one.sqnr < WEIGHTS_SQNR and not has_outlier(one)]
        if len(different) < 2 or len(different) <= len(weights) / 2:
            return None
        text = (
            f"{len(different):,} of {plural(len(weights), 'operator')} with weights have weights with an SQNR below "
            f"{WEIGHTS_SQNR:.0f} dB: the models do not have the same weights"
        )
        return self._constant_finding("different-weights", different[0], text, has_run=False)

    def judge_constants(self, *, has_run: bool, born: set[int]) -> Iterator[LossFinding]:
        """Yield the findings about constants alone. `born` has the operators that have findings already.

        If the models were run and the error of an operator's output is small, its findings are notes.
        """
        for one in [one for found in self._weights.values() for one in found if one.operator not in born]:
            if one.role == "bias" and self._is_wrong_bias(one):
                yield self._constant_finding("wrong-bias", one, describe_bias(one), has_run=has_run)
            elif has_outlier(one):
                yield self._constant_finding("outlier-channels", one, describe_outlier(one), has_run=has_run)
            elif one.role == "weights" and (one.sqnr < WEIGHTS_SQNR or one.clipped_share > CLIPPED_WEIGHTS):
                yield self._constant_finding("weights-error", one, describe_weights(one), has_run=has_run)

    def _is_wrong_bias(self, bias: WeightError) -> bool:
        """Return whether a bias has a large error, also in steps of the output, if it is quantized."""
        step = self._model.tensors[self._model.operators[bias.operator].outputs[0]].step
        return bias.sqnr < BIAS_SQNR and (step is None or bias.largest_error > step)

    def _constant_finding(self, kind: str, error: WeightError, text: str, *, has_run: bool) -> LossFinding:
        output = self._model.operators[error.operator].outputs[0]
        is_harmless = has_run and output in self._activations
        return LossFinding(
            kind,
            NOTE if is_harmless else WARNING,
            error.operator,
            error.opcode,
            output,
            self._model.tensors[output].name,
            text,
            ADVICE[kind],
            None,
            self._activations[output].sqnr if output in self._activations else None,
        )


def has_outlier(error: WeightError) -> bool:
    """Return whether weights with one scale have an outlier channel that costs the other channels their accuracy."""
    return (
        error.role == "weights"
        and error.n_scales == 1
        and error.worst_sqnr is not None
        and error.worst_sqnr < OUTLIER_SQNR
        and error.channel_ratio >= OUTLIER_RATIO
    )


def describe_outlier(error: WeightError) -> str:
    """Return the text about weights with an outlier channel."""
    return (
        f"the weights have one scale, and channel {error.outlier} is {error.channel_ratio:.0f} times as large as the "
        f"median; the worst channel, {error.worst_channel}, has an SQNR of {error.worst_sqnr or 0.0:.1f} dB"
    )


def describe_weights(error: WeightError) -> str:
    """Return the text about weights with a large error."""
    noun = "weights have" if error.role == "weights" else "constant has"
    clipped = f", and {format_percent(error.clipped_share)} of the values are clipped" if error.clipped_share else ""
    return f"the {noun} an SQNR of {error.sqnr:.1f} dB{clipped}"


def describe_bias(error: WeightError) -> str:
    """Return the text about a wrong bias."""
    factor = f", {error.gain:.3g} times the reference fits best" if abs(error.gain - 1) > 0.05 else ""
    return f"the bias differs from the reference by up to {format_number(error.largest_error)}{factor}"
