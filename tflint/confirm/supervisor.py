"""Runs jobs in a warm child process, which is replaced after a crash.

A model may corrupt the memory of the child, which then crashes while it runs the next model or exits. So after a crash,
the model and the one before it are repeated, each in a child of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from tflint.confirm.child_process import TIMED_OUT, ChildError, ChildProcess, Children
from tflint.confirm.model_probes import Job, Probes
from tflint.facts.run.model_run import Attempt, ModelRun
from tflint.values import frozen, replace

#: Number of models after which a child is replaced, so that leaks of a runtime do not add up.
MAX_MODELS = 200


@frozen(eq=False)
class _Done:
    job: Job
    run: ModelRun


class Supervisor:
    """Runs the jobs of one runtime. Use it as a context manager and in one thread: leaving it ends the child."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._child: ChildProcess | None = None
        self._module = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()

    def run(self, jobs: Iterable[Job]) -> Iterator[ModelRun]:
        """Yield the result of each job, in order. A result is final when the next job ended without a crash."""
        previous: _Done | None = None
        for job in jobs:
            done, has_crashed = self._run_warm(job)
            if has_crashed and previous is not None:
                previous = _Done(previous.job, self._run_alone(previous.job))
            if has_crashed:
                done = _Done(job, self._run_alone(job))
            if previous is not None:
                yield previous.run
            previous = done
        if previous is not None:
            yield previous.run if self._close() is None else self._run_alone(previous.job)

    def _run_warm(self, job: Job) -> tuple[_Done, bool]:
        """Run a job in the warm child; return the result and whether the child crashed."""
        module = job.runtime.package.module
        try:
            if self._child is None or self._module != module:
                self._close()
                self._child, self._module = self._children.start(module), module
        except ChildError as failure:
            return _Done(job, _without_runtime(job, failure)), False
        probes = Probes(self._child, job)
        try:
            probes.run()
        except ChildError as error:
            self._abandon()
            return _Done(job, probes.result()), error.cause != TIMED_OUT
        except BaseException:
            self._abandon()
            raise
        if probes.is_child_worn or self._child.n_models >= MAX_MODELS:
            failure_at_exit = self._close()
            return _Done(job, probes.result()), failure_at_exit is not None
        return _Done(job, probes.result()), False

    def _run_alone(self, job: Job) -> ModelRun:
        """Run a job in a child of its own, which then exits; a crash at exit belongs to the job.

        It may use twice the memory: runtimes crash if an allocation fails, which is not a fault of the model.
        """
        job = replace(job, memory_factor=2)
        try:
            child = self._children.start(job.runtime.package.module)
        except ChildError as failure:
            return _without_runtime(job, failure)
        probes = Probes(child, job)
        try:
            probes.run()
            failure_at_exit = child.close()
        except ChildError:
            return probes.result()
        finally:
            if child.is_alive:
                child.kill()
        if failure_at_exit is None:
            return probes.result()
        message = f"the process crashed after the model had run: {failure_at_exit.message}"
        return probes.result([Attempt("default", "invoke", failure_at_exit.cause, message)])

    def _close(self) -> ChildError | None:
        """Let the warm child exit; return how it failed if it crashed meanwhile."""
        child, self._child = self._child, None
        return child.close() if child is not None else None

    def _abandon(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.is_alive:
            with contextlib.suppress(OSError):
                child.kill()


def _without_runtime(job: Job, failure: ChildError) -> ModelRun:
    """Return the result of a job whose runtime cannot be imported: nothing was attempted."""
    runtime = job.runtime
    text = f"{runtime.package.name} {runtime.version} cannot be imported: {failure.message}"
    return ModelRun(runtime.package.runtime, runtime.version, job.targets, problems=(text,))
