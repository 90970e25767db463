"""Runs jobs in a warm child process, which is replaced after a crash.

A model may corrupt the memory of the child, which then crashes while it runs the next model or exits. So after a crash,
the model and the one before it are repeated, each in a child of its own.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from tflint.confirm.child_process import TIMED_OUT, ChildError, ChildProcess, Children, StoppedError
from tflint.confirm.model_probes import Job, Probes
from tflint.facts.run.model_run import Attempt, ModelRun
from tflint.values import replace

#: Number of results that may wait until they are settled.
MAX_WAITING = 8
#: Number of models after which a child is replaced, so that leaks of a runtime do not add up.
MAX_MODELS = 200


class _Done:
    """A job with its result. The result is settled once the child of the job ran another model, or exited, in peace."""

    def __init__(self, job: Job, run: ModelRun) -> None:
        self.job, self.run, self.is_settled = job, run, False

    @property
    def module(self) -> str:
        """The module of the job's runtime."""
        return self.job.runtime.package.module


class Supervisor:
    """Runs jobs, with a warm child per runtime. Use it as a context manager and in one thread."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._warm: dict[str, ChildProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._warm.values():
            child.kill()

    def run(self, jobs: Iterable[Job]) -> Iterator[ModelRun]:
        """Yield the result of each job, in order, as soon as it is settled."""
        waiting: deque[_Done] = deque()
        for job in jobs:
            done, has_crashed = self._run_warm(job)
            earlier = next((one for one in reversed(waiting) if one.module == done.module), None)
            if earlier is not None and not earlier.is_settled:
                if has_crashed:
                    earlier.run = self._run_alone(earlier.job)
                earlier.is_settled = True
            if has_crashed:
                done.run, done.is_settled = self._run_alone(job), True
            waiting.append(done)
            if len(waiting) > MAX_WAITING:
                self._settle(waiting[0])
            while waiting and waiting[0].is_settled:
                yield waiting.popleft().run
        for done in waiting:
            self._settle(done)
            yield done.run

    def _settle(self, done: _Done) -> None:
        """Let the child of a job exit, and repeat the job alone if the child crashes meanwhile."""
        if not done.is_settled and self._close(done.module) is not None:
            done.run = self._run_alone(done.job)
        done.is_settled = True

    def _run_warm(self, job: Job) -> tuple[_Done, bool]:
        """Run a job in the warm child of its runtime; return the result and whether the child crashed."""
        module = job.runtime.package.module
        try:
            if module not in self._warm:
                self._warm[module] = self._children.start(module)
        except ChildError as failure:
            return _Done(job, _without_runtime(job, failure)), False
        child = self._warm[module]
        probes = Probes(child, job)
        try:
            probes.run()
        except ChildError as error:
            self._abandon(module)
            return _Done(job, probes.result()), error.cause != TIMED_OUT
        except StoppedError:
            raise
        except Exception as error:  # a file that changed, or an invalid reply: other models go on
            self._abandon(module)
            return _Done(job, _with_problem(probes, error)), False
        if probes.is_child_worn or child.n_models >= MAX_MODELS:
            return _Done(job, probes.result()), self._close(module) is not None
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
        except StoppedError:
            raise
        except Exception as error:  # as in `_run_warm`
            return _with_problem(probes, error)
        finally:
            if child.is_alive:
                child.kill()
        if failure_at_exit is None:
            return probes.result()
        message = f"the process crashed after the model had run: {failure_at_exit.message}"
        return probes.result([Attempt("default", "invoke", failure_at_exit.cause, message)])

    def _close(self, module: str) -> ChildError | None:
        """Let a warm child exit; return how it failed if it crashed meanwhile."""
        child = self._warm.pop(module, None)
        return child.close() if child is not None else None

    def _abandon(self, module: str) -> None:
        child = self._warm.pop(module, None)
        if child is not None and child.is_alive:
            with contextlib.suppress(OSError):
                child.kill()


def _with_problem(probes: Probes, error: Exception) -> ModelRun:
    """Return what probes showed until an error of tflint or of a file, which is added as a problem."""
    probes.session.problems.append(f"the run failed: {type(error).__name__}: {error}")
    return probes.result()


def _without_runtime(job: Job, failure: ChildError) -> ModelRun:
    """Return the result of a job whose runtime cannot be imported: nothing was attempted."""
    runtime = job.runtime
    text = f"{runtime.package.name} {runtime.version} cannot be imported: {failure.message}"
    return ModelRun(runtime.package.runtime, runtime.version, job.targets, problems=(text,))
