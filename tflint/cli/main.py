"""The command line's entry: parses arguments, runs a command, turns every error into one message and an exit code.

0: nothing at or above --fail-on; 1: findings; 2: usage or configuration; 3: internal error; 130: interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tflint._version import __version__
from tflint.cli import output
from tflint.documents.nearest import nearest
from tflint.errors import UserError

OK, FINDINGS, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130

#: The commands in the order of the help; each is a module beside this one.
COMMANDS = ("check", "diff", "show", "contract", "allow", "explain", "rules", "facts", "completion")

_UNSEEN = functools.partial(argparse.HelpFormatter, width=80)
_INVALID_CHOICE = re.compile(r"argument (?:COMMAND|ACTION): invalid choice: '(.*?)'")


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would exit with; shortened options are none, since a new option would change them."""

    def __init__(self, **options: Any) -> None:
        # argparse lays out each argument as it is added, to test it; asking for the terminal's width imports shutil.
        super().__init__(**options, allow_abbrev=False, formatter_class=_UNSEEN)

    def format_help(self) -> str:
        """The help, as wide as the terminal."""
        self.formatter_class = argparse.HelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        hint = f"'{self.prog} --help' lists commands and options"
        wrong = _INVALID_CHOICE.match(message)
        if wrong and os.path.lexists(wrong[1]):
            hint = f"did you mean '{self.prog} check {wrong[1]}'?"
        elif wrong:
            commands = [name for action in self._actions if isinstance(action.choices, dict) for name in action.choices]
            hint = nearest(wrong[1], commands) or hint
        raise UserError(f"there is no command '{wrong[1]}'" if wrong else message, hint=hint)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; an option that this command does not have is an error here, where those that it has are known."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            hint = nearest(unknown[0].split("=")[0], known) or f"'{self.prog} --help' lists the options"
            what = "option" if unknown[0].startswith("-") else "argument"
            raise UserError(f"unknown {what} '{unknown[0]}' of '{self.prog}'", hint=hint)
        return options, unknown


def parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of all commands, or of the one that is run: the others need not be imported then."""
    main = _Parser(prog="tflint", description="A static linter for TensorFlow Lite models.")
    main.add_argument("--version", action="version", version=f"tflint {__version__}")
    commands = main.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser, prog=main.prog
    )
    for name in [command] if command in COMMANDS else COMMANDS:
        importlib.import_module(f"tflint.cli.{name}").add_parser(commands)
    return main


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code, and never raises."""
    try:
        options = parser(*arguments[:1]).parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _say(f"tflint: {error}", USAGE)
    except KeyboardInterrupt:
        return _say("tflint: interrupted", INTERRUPTED)
    except BrokenPipeError:
        output.discard_output()
        return OK
    except SystemExit as leaving:  # --help and --version
        return leaving.code if isinstance(leaving.code, int) else OK
    except Exception as error:  # a defect of tflint: named, with where it happened, and never taken for a finding
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return _say(f"tflint: a path is longer than the file system allows: {str(error.filename)[:80]}…", USAGE)
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        name = os.path.basename(where.filename)  # noqa: PTH119 (no pathlib object is at hand)
        return _say(f"tflint: internal error: {type(error).__name__}: {error} ({name}, line {where.lineno})", INTERNAL)


def _say(message: str, code: int) -> int:
    """Print a message, control characters of names shown as escapes, and give the exit code back."""
    if not message.isprintable():
        message = "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in message)
    with contextlib.suppress(OSError, ValueError):
        print(message, file=sys.stderr)
    return code
