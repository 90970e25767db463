"""The probes of a model, in order: load and allocate, survey, golden samples, normalizations, allocations."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Sequence
from typing import Any

from tflint.confirm.child_process import ChildError, ChildProcess
from tflint.confirm.delegate_origin import MIN_OUTPUT_STEPS, MIN_SHARE, find_origin
from tflint.confirm.model_session import Session, Subject, SurveyResult, describe_outputs
from tflint.confirm.runtimes import InstalledRuntime
from tflint.confirm.sample_probes import GoldenProbe, try_normalizations
from tflint.facts.run.model_run import Attempt, ModelRun, OutputRun
from tflint.preprocessing.recipe import Recipe
from tflint.values import frozen

#: The number of the part of TFLM's printed allocations that says how much of the arena is used.
_ARENA = re.compile(r"Arena allocation total (\d+) bytes")

#: Maximum number of digits of a printed size.
_MAX_DIGITS = 15
#: Copies of the tensors that a run may hold: the runtime's own, its temporary memory, and those of the survey.
_TENSOR_COPIES = 4
#: Maximum number of bytes that the memory limit grows for the tensors of a model.
MAX_TENSOR_BYTES = 8 << 30


@frozen(eq=False)
class Job:
    """A model to run with a runtime.

    `recipe` is the recipe of its contract if that has golden samples. `image_inputs` are the positions of float image
    inputs whose normalization is unknown. `memory_factor` multiplies the memory limit.
    """

    subject: Subject
    runtime: InstalledRuntime
    targets: tuple[str, ...]
    seed: int
    max_seconds: float
    recipe: Recipe | None = None
    image_inputs: tuple[int, ...] = ()
    memory_factor: int = 1

    @property
    def max_bytes(self) -> int:
        """The limit of the child's address space while the model runs.

        It grows with the file and with the tensors, up to `MAX_TENSOR_BYTES` for the tensors.
        """
        subject = self.subject
        tensors = min(_TENSOR_COPIES * subject.n_tensor_bytes, MAX_TENSOR_BYTES)
        return self.memory_factor * (self.runtime.package.memory_bytes + 3 * subject.n_bytes + tensors)


def _differs_clearly(output: OutputRun) -> bool:
    """Return whether default and built-in kernels differ clearly in an output, as rule R111 defines it."""
    return (output.delegate_steps or 0) > MIN_OUTPUT_STEPS and (output.delegate_share or 0) > MIN_SHARE


class Probes:
    """Runs the probes of a job in a child. `result` returns what they showed, even if the child ended meanwhile."""

    def __init__(self, child: ChildProcess, job: Job) -> None:
        self.job = job
        self.session = Session(child, job.subject, job.seed)
        self.is_child_worn = False
        self._golden = None if job.recipe is None else GoldenProbe(job.recipe, job.max_seconds / 4)
        self._values: dict[str, Any] = {}

    def run(self) -> None:
        """Run all probes. Raises `ChildError` if the child ended; what was recorded until then stays valid."""
        child, session = self.session.child, self.session
        child.clock.set(self.job.max_seconds)
        try:
            # The CPU limit is a second line of defence, for children whose parent is gone.
            session.begin(self.job.max_bytes, 2 * self.job.max_seconds)
            if self.job.runtime.package.runtime == "tflm":
                self._run_tflm()
            else:
                self._run_litert()
            self.is_child_worn = bool(child.request({"do": "free"})[0]["is_worn"])
        except ChildError as failure:
            if child.is_alive:
                raise
            session.note_death(failure)
            raise
        finally:
            child.clock.set(None)

    def _run_litert(self) -> None:
        session, subject = self.session, self.job.subject
        delegated = None
        has_default = session.load("default")
        if has_default:
            delegated = session.survey("default", repeats=True)
            self._note_survey("default", delegated)
            self._run_samples("default")
        session.unload("default")
        if session.load("builtin", keeps_tensors=True):
            main = session.survey("builtin", tensors=subject.tensors, repeats=True)
            self._note_survey("builtin", main, delegated)
            if not has_default:
                self._run_samples("builtin")
            if subject.saturation and self._golden is not None:
                self._golden.measure_saturation(session, "builtin")
                self._values["saturated"] = self._golden.saturated
        session.unload("builtin")
        session.load("reference")
        if any(map(_differs_clearly, self._values.get("outputs", ()))):
            self._values["delegate_tensor"] = find_origin(session, self.job.max_bytes, 2 * self.job.max_seconds)

    def _run_tflm(self) -> None:
        session = self.session
        if not session.load("default"):
            return
        self._measure_arena()
        survey = session.survey("default", repeats=True)
        self._note_survey("default", survey)
        self._run_samples("default")

    def _measure_arena(self) -> None:
        """Read the size of TFLM's arena from what it prints."""
        child = self.session.child
        try:
            child.request({"do": "allocations"})
        except ChildError as failure:
            if not child.is_alive:
                raise
            self.session.problems.append(f"the arena was not measured: {failure.message}")
            return
        time.sleep(0.05)  # the allocations arrive through another pipe
        found = _ARENA.findall(child.errors())
        if found and len(found[-1]) < _MAX_DIGITS:
            self._values["arena_bytes"] = int(found[-1])

    def _note_survey(self, kernels: str, survey: SurveyResult | None, delegated: SurveyResult | None = None) -> None:
        """Record what a survey showed. `delegated` is the survey of the default kernels, to compare with."""
        if survey is None:
            return
        watched = self.job.subject.tensors if kernels == "builtin" else ()
        self._values |= {
            "outputs": tuple(describe_outputs(self.job.subject.output_scales, survey, delegated)),
            "tensors": tuple(tensor for tensor in watched if tensor not in survey.unreadable),
            "unchanged": survey.unchanged,
            "seconds": statistics.median((delegated or survey).seconds or (0.0,)),
        }

    def _run_samples(self, kernels: str) -> None:
        golden = self._golden
        if golden is not None:
            golden.run(self.session, kernels)
            if golden.results:
                self.session.note_invocation(kernels)
            self._values |= {"golden": tuple(golden.results), "changes": tuple(golden.changes)}
        if self.job.image_inputs:
            found = try_normalizations(self.session, kernels, self.job.image_inputs)
            self._values["normalizations"] = tuple(found)

    def result(self, more: Sequence[Attempt] = ()) -> ModelRun:
        """Return what the probes showed so far; `more` are attempts that were recorded elsewhere."""
        runtime = self.job.runtime
        return ModelRun(
            runtime.package.runtime,
            runtime.version,
            self.job.targets,
            attempts=(*self.session.attempts, *more),
            inputs_from=self.job.subject.limits_from,
            problems=tuple(self.session.problems),
            max_seconds=self.job.max_seconds,
            has_free_integers=self.job.subject.has_free_integers,
            **self._values,
        )
