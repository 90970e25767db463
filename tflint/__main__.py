"""Entry point of the command line: `tflint`, `tflite-lint`, `python -m tflint`."""
# PYTHON_ARGCOMPLETE_OK (marks a program that argcomplete's global completion may complete)

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # see `tflint/__init__.py`
if TYPE_CHECKING:
    from tflint.cache.run_record import Record


def entry() -> None:
    """Run the command line and exit the process with its exit code."""
    # When numpy is imported, its BLAS starts a thread per processor, but tflint does not multiply matrices.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    gc.disable()  # the imports create many objects and no garbage; `run` enables it before it runs a command
    _fill_closed_descriptors()
    code = 3
    try:
        code = _replay_or_run()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # None if the stream was closed before the start
                stream.flush()
    except KeyboardInterrupt:  # during imports or at exit
        code = 130
    except OSError:  # standard error is not writable, or the reader of standard output has exited
        pass
    # Skip interpreter shutdown: unloading numpy takes a fifth of the time of a short run.
    os._exit(code)


def _replay_or_run() -> int:
    """Repeat an earlier run if nothing has changed since, otherwise run the command. Return the exit code."""
    record = None
    if sys.argv[1:2] == ["check"] and "--no-cache" not in sys.argv:
        from tflint.cache.run_record import find_record, replay

        record = find_record(sys.argv[1:])
        code = None if record is None else replay(record)
        if code is not None:
            return code
    return _run(record)


def _run(record: Record | None) -> int:
    """Run the command; return the exit code. Signals end the run with their own exit codes."""
    from tflint.cli.signals import Terminated, raise_on_termination

    raise_on_termination()
    try:
        from tflint.cli.main import run

        if "_ARGCOMPLETE" in os.environ:
            _complete()
        return run(sys.argv[1:], record)
    except Terminated as signal:  # during imports or at exit
        return signal.code


def _fill_closed_descriptors() -> None:
    """Open the null device for closed standard streams.

    Otherwise a report file could get descriptor 1 or 2, and receive the output of other code.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor


def _complete() -> None:
    """Answer a completion request of a shell, and exit the process."""
    from tflint.cli.commands.completion_command import complete
    from tflint.cli.main import build_parser
    from tflint.errors import MissingExtraError

    try:
        complete(build_parser())
    except MissingExtraError:  # a message would garble the line that the user is typing
        os._exit(1)


if __name__ == "__main__":
    entry()
