"""Starts the command line: `tflint`, `tflite-lint`, `python -m tflint`."""
# PYTHON_ARGCOMPLETE_OK (argcomplete's own mark: where it completes every Python program, it completes this one)

from __future__ import annotations

import os
import sys


def entry() -> None:
    """Run the command line and leave the process with its exit code."""
    # numpy's BLAS starts a thread for each processor when it is imported, and nothing here multiplies matrices.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _fill_closed_descriptors()
    code = 3
    try:
        from tflint.cli.signals import Terminated, raise_on_termination

        raise_on_termination()
        try:
            from tflint.cli.main import run

            if "_ARGCOMPLETE" in os.environ:
                _complete()
            code = run(sys.argv[1:])
        except Terminated as ended:  # while modules were still imported, or at the very end
            code = ended.code
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed before the start
                stream.flush()
    except KeyboardInterrupt:  # while modules were still imported, or at the very end
        code = 130
    except OSError:  # standard error cannot be written, or the reader of standard output has gone
        pass
    # Taking numpy apart at exit costs a fifth of a short run, and there is nothing left to take apart.
    os._exit(code)


def _fill_closed_descriptors() -> None:
    """Open the null device for standard streams that are closed: else a report could become descriptor 1 or 2, and
    receive what something else prints there.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


def _complete() -> None:
    """Answer a shell in which TAB was pressed; that leaves the process."""
    from tflint.cli.commands.completion_command import complete
    from tflint.cli.main import build_parser
    from tflint.errors import MissingExtraError

    try:
        complete(build_parser())
    except MissingExtraError:  # nobody reads a message in the middle of a line
        os._exit(1)


if __name__ == "__main__":
    entry()
