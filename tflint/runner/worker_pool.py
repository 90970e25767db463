"""Calls a function in several processes, which never outlive the run and never import from the current folder."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from tflint.errors import ResourceError

_Result = TypeVar("_Result")

#: Windows waits for at most 63 handles at once, two of which are the pool's own.
MAX_WINDOWS_WORKERS = 61
#: Interval at which a worker checks whether its parent process still runs.
_CHECK_PARENT_SECONDS = 0.25


def map_in_processes(
    function: Callable[..., _Result], calls: Iterable[tuple[Any, ...]], jobs: int, *, shared: tuple[Any, ...] = ()
) -> Generator[_Result, None, None]:
    """Yield the results of a function for tuples of arguments, in order, from up to `jobs` processes.

    `shared` are further arguments of every call; each process gets them once. Closing the generator ends the
    processes. Raises `ResourceError` if the system killed one of them.
    """
    workers = min(jobs, MAX_WINDOWS_WORKERS) if sys.platform == "win32" else jobs
    with _safe_path():
        pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(function, shared))
        try:
            yield from _results(pool, iter(calls), workers + 1)
        except BrokenProcessPool as error:
            raise ResourceError(
                "a worker process was killed, most likely because memory ran out",
                "run again with a smaller --jobs, or with --jobs 1",
            ) from error
        except BaseException:
            _terminate(pool)
            raise
        pool.shutdown()


def _results(pool: ProcessPoolExecutor, calls: Iterator[tuple[Any, ...]], n_ahead: int) -> Generator[Any, None, None]:
    """Yield the results in order, with at most `n_ahead` calls submitted.

    Waiting calls must fit into the pool's pipe: with a full pipe, the thread that fills it would wait forever after
    the workers ended.
    """
    with _blocked_signals():  # the first calls start the processes
        waiting = deque(pool.submit(_call, call) for call in itertools.islice(calls, n_ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(_call, call) for call in itertools.islice(calls, 1))


#: In a worker: the function, and the arguments that all of its calls share.
_work: tuple[Callable[..., Any], tuple[Any, ...]]


def _call(arguments: tuple[Any, ...]) -> Any:
    function, shared = _work
    return function(*arguments, *shared)


def _terminate(pool: ProcessPoolExecutor) -> None:
    """End all workers of a pool now, without waiting for the files that they are checking."""
    # `terminate_workers` is new in Python 3.14; before that, the processes are known only under this name.
    for process in [*(getattr(pool, "_processes", None) or {}).values()]:
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Keep new processes (spawn, forkserver) from importing modules of the current folder.

    They start with `python -c`, which puts that folder first on the path, and a pull request can add modules to it.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


#: Signals that end a run; Windows has no SIGHUP.
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def _blocked_signals() -> Iterator[None]:
    """Block signals that end the run while workers start: an unprepared worker would print a traceback.

    Workers unblock the signals once they are prepared.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(function: Callable[..., Any], shared: tuple[Any, ...]) -> None:
    """Prepare a worker: it ends silently on signals that end the run, and soon after the main process."""
    global _work
    _work = function, shared
    for number in _ENDING:
        # Workers ignore the signals that the run ignores (SIGINT in a background job, SIGHUP under nohup).
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """End this process after its parent, or it would keep the output pipe open."""
    if sys.platform == "win32":
        import multiprocessing

        main = multiprocessing.parent_process()
        if main is not None:
            main.join()
            os._exit(1)
        return
    while os.getppid() == parent:
        time.sleep(_CHECK_PARENT_SECONDS)
    os._exit(1)
