"""The command line's entry: parses arguments, runs a command, turns every error into one message and an exit code.

0: nothing at or above --fail-on; 1: findings; 2: usage or configuration; 3: internal error; 130: interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from tflint._version import __version__
from tflint.cli import check, explain, facts, rules
from tflint.errors import UserError

OK, FINDINGS, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # argparse says it never returns, and it does not
        command = self.prog
        raise UserError(message, hint=f"'{command} --help' lists commands and options")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    main = _Parser(prog="tflint", description="A static linter for TensorFlow Lite models.")
    main.add_argument("--version", action="version", version=f"tflint {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in (check, explain, rules, facts):
        command.add_parser(commands)
    return main


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code, and never raises."""
    try:
        options = parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _say(f"tflint: {error}", USAGE)
    except KeyboardInterrupt:
        return _say("tflint: interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is still buffered must not fail once more at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except SystemExit as leaving:  # --help and --version
        return leaving.code if isinstance(leaving.code, int) else OK
    except Exception as error:  # a defect of tflint: named, with where it happened, and never taken for a finding
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        name = os.path.basename(where.filename)  # noqa: PTH119 (no pathlib object is at hand)
        return _say(f"tflint: internal error: {type(error).__name__}: {error} ({name}, line {where.lineno})", INTERNAL)


def _say(message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        print(message, file=sys.stderr)
    return code
