"""Runs one model in a child: the steps in order, what each showed, and how it ended."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.child_process import CRASHED, REFUSED, TIMED_OUT, ChildError, ChildProcess, describe_step
from tflint.confirm.wire import MAX_REPLY_BYTES, Message, WireError, pack_arrays, unpack_arrays
from tflint.facts.run.model_run import KERNELS, Attempt, OutputRun
from tflint.values import frozen

Array = NDArray[Any]

#: Maximum number of outputs.
_MAX_OUTPUTS = 10_000
#: Maximum number of output values of one input for which the largest value is compared.
_MAX_CLASSES = 100_000


@frozen(eq=False)
class Subject:
    """A model to run, and what is known about it.

    `read` returns its bytes; `n_bytes` is their number, and `n_tensor_bytes` the stored size of all tensors. `shapes`
    are the shapes of inputs to resize, by position. `limits` is the range of values of each input in the units of its
    type (None: unknown), and `limits_from` the origin of the ranges. `tensors` are the computed tensors of the main
    subgraph in execution order. `saturation` lists the tensors whose saturated values are counted: index, smallest and
    largest integer (None if an end does not count, such as the floor of a RELU). `output_scales` are the quantization
    steps of the outputs, None if an output is not quantized. `has_free_integers` is whether an input takes integers
    without quantization, such as indices or a shape, and nothing tells which ones are valid.
    """

    read: Callable[[], bytes]
    n_bytes: int
    n_tensor_bytes: int
    shapes: Mapping[int, tuple[int, ...]]
    limits: tuple[tuple[float, float] | None, ...]
    limits_from: str
    tensors: tuple[int, ...]
    output_scales: tuple[float | None, ...] = ()
    has_free_integers: bool = False
    saturation: tuple[tuple[int, int | None, int | None], ...] = ()


class Session:
    """A model in a child process; `attempts` and `problems` are filled while it runs."""

    def __init__(self, child: ChildProcess, subject: Subject, seed: int) -> None:
        self.child = child
        self.subject = subject
        self.seed = seed
        self.attempts: list[Attempt] = []
        self.problems: list[str] = []
        self.details: dict[str, Message] = {}
        self.shapes = subject.shapes
        self._running = ("default", "load")

    def begin(self, max_bytes: int, max_seconds: float) -> None:
        """Send the model. Raises `ChildError`."""
        self.child.n_models += 1
        self.child.forget_errors()
        self._running = ("default", "load")
        request = {"do": "model", "max_bytes": max_bytes, "max_seconds": max_seconds}
        self.child.request(request, [self.subject.read()])

    def load(self, kernels: str, *, keeps_tensors: bool = False) -> bool:
        """Load the model and allocate its tensors; return whether the runtime did.

        If it refuses the shapes of the contract, the inputs keep their stored shapes.
        """
        if not self.shapes:
            return self._load(kernels, keeps_tensors=keeps_tensors)
        before = list(self.attempts)
        if self._load(kernels, keeps_tensors=keeps_tensors):
            return True
        refused = self.attempts[-1]
        shapes, self.shapes = self.shapes, {}
        self.attempts = before
        self.problems.append(f"the shapes of the contract were refused, {dict(shapes)}: {refused.message}")
        return self._load(kernels, keeps_tensors=keeps_tensors)

    def _load(self, kernels: str, *, keeps_tensors: bool) -> bool:
        self._running = (kernels, "load")
        shapes = {str(position): list(shape) for position, shape in self.shapes.items()}
        request = {"do": "load", "kernels": kernels, "keeps_tensors": keeps_tensors, "shapes": shapes}
        try:
            self.details[kernels] = self.child.request(request)[0]
        except ChildError as failure:
            if not self.child.is_alive:
                raise
            step = describe_step(failure.step)[0]
            if step == "allocate":
                self.attempts.append(Attempt(kernels, "load", "ok"))
            self.attempts.append(Attempt(kernels, step, failure.cause, failure.message))
            return False
        self.attempts += [Attempt(kernels, "load", "ok"), Attempt(kernels, "allocate", "ok")]
        return True

    def unload(self, kernels: str) -> None:
        """Free the interpreter of some kernels, so that not all of them need memory at the same time."""
        self.child.request({"do": "unload", "kernels": kernels})

    def run_noise(self, kernels: str) -> list[Array]:
        """Load the child's model with some kernels, run it on noise, and return its outputs. Raises `ChildError`."""
        self._running = (kernels, "invoke")
        self.child.request({"do": "load", "kernels": kernels, "keeps_tensors": False, "shapes": {}})
        limits, seed = self.subject.limits, self.seed
        request: Message = {"do": "invoke", "kernels": kernels, "kind": "noise", "limits": limits, "seed": seed}
        reply, pieces = self.child.request(request, max_bytes=MAX_REPLY_BYTES)
        self.unload(kernels)
        try:
            return unpack_arrays(reply["arrays"], pieces)
        except (WireError, KeyError) as error:
            raise self._invalid_reply(error) from error

    def note_invocation(self, kernels: str) -> None:
        """Record that the model ran on a golden sample, which outweighs generated inputs on which it failed."""
        others = [one for one in self.attempts if (one.kernels, one.step) != (kernels, "invoke")]
        self.attempts = [*others, Attempt(kernels, "invoke", "ok")]

    def note_death(self, failure: ChildError) -> None:
        """Record the step in which the child ended."""
        step, detail = describe_step(failure.step)
        kernels, running = self._running
        if step in ("load", "allocate") and detail in KERNELS:
            kernels = detail
        elif step not in ("load", "allocate", "invoke"):
            step = running
        if failure.cause == TIMED_OUT and Attempt(kernels, step, "ok") in self.attempts:
            self.problems.append(f"not all probes ended within the time limit (last step: {failure.step})")
            return
        if step == "allocate":
            self.attempts.append(Attempt(kernels, "load", "ok"))
        self.attempts.append(Attempt(kernels, step, failure.cause, failure.message))

    def survey(self, kernels: str, *, tensors: Sequence[int] = (), repeats: bool = False) -> SurveyResult | None:
        """Run the loaded model on all kinds of generated input; None if the runtime failed on every kind."""
        self._running = (kernels, "invoke")
        request = {
            "do": "survey",
            "kernels": kernels,
            "tensors": list(tensors),
            "limits": self.subject.limits,
            "seed": self.seed,
            "repeats": repeats,
        }
        try:
            reply, pieces = self.child.request(request, max_bytes=MAX_REPLY_BYTES)
            arrays = unpack_arrays(reply["arrays"], pieces)
            result = _read_survey(reply, arrays)
        except ChildError as failure:
            if not self.child.is_alive:
                raise
            self.attempts.append(Attempt(kernels, "invoke", failure.cause, failure.message))
            return None
        except (WireError, KeyError, TypeError, ValueError) as error:  # the runtime overwrote the child's memory
            raise self._invalid_reply(error) from error
        if not result.outputs:
            message = next(iter(result.failures.values()), "")
            self.attempts.append(Attempt(kernels, "invoke", REFUSED, " ".join(message.split())))
            return None
        self.attempts.append(Attempt(kernels, "invoke", "ok"))
        self.problems += [f"invoke ({kernels}, {kind}): {text}" for kind, text in result.failures.items()]
        return result

    def _invalid_reply(self, error: Exception) -> ChildError:
        self.child.kill()
        return ChildError(CRASHED, self.child.step, f"the child sent an invalid reply: {error}")

    def invoke(self, kernels: str, arrays: Sequence[Array]) -> list[Array]:
        """Run the loaded model on arrays and return its outputs. Raises `ChildError`."""
        self._running = (kernels, "invoke")
        kinds, pieces = pack_arrays(arrays)
        reply, outputs = self.child.request(
            {"do": "invoke", "kernels": kernels, "arrays": kinds}, pieces, MAX_REPLY_BYTES
        )
        try:
            return unpack_arrays(reply["arrays"], outputs)
        except (WireError, KeyError) as error:
            raise self._invalid_reply(error) from error

    def read_tensors(self, kernels: str, arrays: Sequence[Array], indices: Sequence[int]) -> list[Array]:
        """Run the loaded model on arrays and return inner tensors; one that cannot be read is empty.

        The kernels must keep all tensors. Raises `ChildError`.
        """
        self._running = (kernels, "invoke")
        kinds, pieces = pack_arrays(arrays)
        request = {"do": "invoke", "kernels": kernels, "arrays": kinds, "tensors": list(indices)}
        reply, content = self.child.request(request, pieces, MAX_REPLY_BYTES)
        try:
            found = unpack_arrays(reply["arrays"], content)
        except (WireError, KeyError) as error:
            raise self._invalid_reply(error) from error
        if len(found) != len(indices):
            raise self._invalid_reply(WireError(f"{len(found)} tensors instead of {len(indices)}"))
        return found

    def try_invoke(self, kernels: str, arrays: Sequence[Array], what: str) -> list[Array] | None:
        """Run the loaded model on arrays; None if the runtime refused them, which is noted under the name `what`."""
        try:
            return self.invoke(kernels, arrays)
        except ChildError as failure:
            if not self.child.is_alive:
                raise
            if what:
                self.problems.append(f"{what}: {failure.message}")
            return None

    def measure_saturation(self, kernels: str, arrays: Sequence[Array]) -> dict[int, float]:
        """Run the loaded model on arrays; return the share of saturated values per computed tensor."""
        self._running = (kernels, "invoke")
        kinds, pieces = pack_arrays(arrays)
        request = {
            "do": "invoke",
            "kernels": kernels,
            "arrays": kinds,
            "tensors": [],
            "saturation": self.subject.saturation,
        }
        reply = self.child.request(request, pieces)[0]
        try:
            return {int(index): float(share) for index, share in reply["saturated"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._invalid_reply(error) from error


@frozen(eq=False)
class SurveyResult:
    """The reply to a survey: see `child.survey.Survey`. `outputs` has the outputs per kind of input, by position."""

    failures: Mapping[str, str]
    outputs: Mapping[str, Mapping[int, Array]]
    unchanged: frozenset[int]
    unreadable: frozenset[int]
    repeated_differs: frozenset[int]
    seconds: tuple[float, ...]


def _read_survey(reply: Message, arrays: Sequence[Array]) -> SurveyResult:
    outputs: dict[str, dict[int, Array]] = {}
    for (kind, position), array in zip(reply["outputs"], arrays, strict=True):
        if not 0 <= int(position) < _MAX_OUTPUTS:
            raise WireError(f"output {position}")
        outputs.setdefault(str(kind), {})[int(position)] = array
    if not outputs and reply["seconds"]:
        outputs[""] = {}  # the model ran, but has no outputs that can be compared
    return SurveyResult(
        failures={str(kind): str(text) for kind, text in reply["failures"].items()},
        outputs=outputs,
        unchanged=frozenset(map(int, reply["unchanged"])),
        unreadable=frozenset(map(int, reply["unreadable"])),
        repeated_differs=frozenset(map(int, reply["repeated_differs"])),
        seconds=tuple(map(float, reply["seconds"])),
    )


def describe_outputs(
    scales: Sequence[float | None], main: SurveyResult, delegated: SurveyResult | None
) -> Iterator[OutputRun]:
    """Yield what surveys showed about each output. `main` ran on built-in kernels, `delegated` on the default ones.

    `scales` are the quantization steps of the outputs.
    """
    for position in sorted({position for outputs in main.outputs.values() for position in outputs}):
        values = [outputs[position] for outputs in main.outputs.values() if position in outputs]
        scale = scales[position] if position < len(scales) else None
        difference = _compare_kernels(position, scale, main, delegated)
        yield OutputRun(
            position,
            nonfinite_share=sum(not np.isfinite(one).all() for one in values if one.dtype.kind == "f") / len(values),
            is_unchanged=_are_equal(values) if len(values) > 1 else None,
            is_repeatable=position not in main.repeated_differs,
            **difference,
        )


def _are_equal(arrays: Sequence[Array]) -> bool:
    first = arrays[0]
    return all(one.shape == first.shape and one.tobytes() == first.tobytes() for one in arrays[1:])


def _compare_kernels(
    position: int, scale: float | None, main: SurveyResult, delegated: SurveyResult | None
) -> dict[str, Any]:
    """Return the difference between two sets of kernels in an output, as arguments of `OutputRun`."""
    if delegated is None:
        return {}
    steps, shares, n_moved = [], [], 0
    for kind, outputs in main.outputs.items():
        one, other = outputs.get(position), delegated.outputs.get(kind, {}).get(position)
        if one is None or other is None or one.shape != other.shape or not one.size or one.dtype.kind not in "iuf":
            continue
        if not np.isfinite(one).all() or not np.isfinite(other).all():
            continue
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
        largest = float(difference.max())
        spread = float(one.max()) - float(one.min())
        if scale is not None:
            steps.append(largest if one.dtype.kind in "iu" else largest / scale)
        shares.append(largest / spread if spread > 0 else (0.0 if largest == 0 else float("inf")))
        n_moved += _has_moved(one, other)
    if not shares:
        return {}
    return {
        "delegate_steps": statistics.median(steps) if steps else None,
        "delegate_share": statistics.median(shares),
        "delegate_top1": n_moved,
    }


def _has_moved(one: Array, other: Array) -> bool:
    """Return whether the largest value of an output has a different position; ties do not count."""
    if one.size > _MAX_CLASSES:
        return False
    flat, changed = one.reshape(-1), other.reshape(-1)
    return bool(flat[int(changed.argmax())] < flat.max())
