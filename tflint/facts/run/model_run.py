"""What a run of a model by a runtime showed, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.values import EMPTY, frozen

#: The steps of a run, in order.
STEPS = ("load", "allocate", "invoke")
#: The kernels of a runtime: its default with delegates, the built-in ones without delegates, the reference kernels.
KERNELS = ("default", "builtin", "reference")


@frozen
class Attempt:
    """One step with one set of kernels, how it ended, and the runtime's message if it did not succeed.

    `outcome` is ok, refused, crashed, timed-out or out-of-memory.
    """

    kernels: str
    step: str
    outcome: str
    message: str = ""


@frozen
class OutputRun:
    """What a run showed about an output of the main subgraph.

    `nonfinite_share` is the share of the generated inputs for which the output has NaN or infinity. `is_unchanged` is
    whether the output is the same for all generated inputs. `is_repeatable` is whether the same input gives the same
    output twice in a row. `delegate_steps` is the median over the inputs of the largest difference between default and
    built-in kernels, in quantization steps; `delegate_share` is this difference as a share of the range of the output's
    values; `delegate_top1` is the number of inputs for which the largest value moved.
    """

    position: int
    nonfinite_share: float | None = None
    is_unchanged: bool | None = None
    is_repeatable: bool | None = None
    delegate_steps: float | None = None
    delegate_share: float | None = None
    delegate_top1: int | None = None


@frozen
class GoldenRun:
    """The comparison of one golden sample with an output of the model.

    `sample` and `output` are positions in the contract and in the model. `difference` is the largest absolute
    difference (None: the shapes differ), and `agrees` whether all tolerances are met; `problem` describes what is not.
    """

    sample: int
    output: int
    agrees: bool
    difference: float | None
    problem: str


@frozen
class ChangeRun:
    """A change of the declared preprocessing with which the golden outputs fit better than without.

    `entry` is the position of the input in the contract, `key` the contract key that changes, `declared` and `changed`
    its values. `error` and `changed_error` are the mean differences from the expected outputs before and after.
    """

    entry: int
    key: str
    declared: str
    changed: str
    error: float
    changed_error: float
    samples: int


@frozen
class NormalizationRun:
    """How a float model reacts to image-like inputs that a known normalization rescaled.

    `input` is the position of the input. `spread` is how much the outputs differ between images, relative to their own
    size. `confidence` is the mean of the largest value of an output whose values add up to 1; None for other outputs.
    """

    input: int
    normalization: str
    spread: float
    confidence: float | None = None


@frozen
class ModelRun:
    """What a runtime did with a model.

    `runtime` and `version` name the runtime, `targets` the declared targets that it stands for. `tensors` are the inner
    tensors that were compared, in execution order, and `unchanged` those that were the same for all generated inputs.
    `saturated` has the share of saturated values of tensors on golden samples. `inputs_from` is the origin of the
    ranges of generated inputs: contract, metadata, quantization, graph or default. `problems` lists what could not be
    examined, and why. `delegate_tensor` is the first tensor in which default and built-in kernels differ clearly.
    `is_predicted` is whether a finding predicted that the runtime refuses the model, `has_free_integers` whether an
    input takes integers and nothing tells which ones are valid, and `max_seconds` the time limit of the run.
    """

    runtime: str
    version: str
    targets: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    outputs: tuple[OutputRun, ...] = ()
    tensors: tuple[int, ...] = ()
    unchanged: frozenset[int] = frozenset()
    saturated: Mapping[int, float] = EMPTY
    golden: tuple[GoldenRun, ...] = ()
    changes: tuple[ChangeRun, ...] = ()
    normalizations: tuple[NormalizationRun, ...] = ()
    inputs_from: str = ""
    seconds: float | None = None
    arena_bytes: int | None = None
    problems: tuple[str, ...] = ()
    delegate_tensor: int | None = None
    is_predicted: bool = False
    has_free_integers: bool = False
    max_seconds: float = 0.0

    @property
    def label(self) -> str:
        """The runtime and its version, as in reports: `litert 2.3.0`."""
        return f"{self.runtime} {self.version}"

    def failure(self, kernels: str = "default", steps: tuple[str, ...] = STEPS) -> Attempt | None:
        """Return the first attempt with some kernels that failed in one of the steps."""
        found = [one for one in self.attempts if one.kernels == kernels and one.step in steps and one.outcome != "ok"]
        return found[0] if found else None

    def has_run(self, step: str, kernels: str = "default") -> bool:
        """Return whether a step succeeded with some kernels."""
        return any(one.step == step and one.kernels == kernels and one.outcome == "ok" for one in self.attempts)


def parse_run(data: Mapping[str, Any]) -> ModelRun:
    """Return the run that the data of a rule's example describes."""
    kinds: dict[str, Any] = {
        "attempts": Attempt,
        "outputs": OutputRun,
        "golden": GoldenRun,
        "changes": ChangeRun,
        "normalizations": NormalizationRun,
    }
    values: dict[str, Any] = {}
    for key, value in data.items():
        name = key.replace("-", "_")
        if name in kinds:
            value = tuple(
                kinds[name](**{one.replace("-", "_"): _freeze(item) for one, item in entry.items()}) for entry in value
            )
        elif name == "unchanged":
            value = frozenset(value)
        elif name == "saturated":
            value = {int(index): share for index, share in value.items()}
        values[name] = _freeze(value)
    return ModelRun(**values)


def _freeze(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
