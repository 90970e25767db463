"""The command line's entry: parses arguments, runs a command, turns every error into one message and an exit code.

0: nothing at or above --fail-on; 1: findings; 2: usage or configuration, or nothing to check; 3: internal error;
129, 130, 143: hung up, interrupted, terminated.
"""

from __future__ import annotations

import argparse
import errno
import functools
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tflint._version import __version__
from tflint.cli import console
from tflint.cli.signals import Terminated
from tflint.errors import ResourceError, UserError
from tflint.userfiles.nearest_word import nearest

OK, FINDINGS, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130

#: Prints tracebacks, as --debug does.
DEBUG_VARIABLE = "TFLITE_LINT_DEBUG"

#: The commands in the order of the help; each has a module in `cli/commands`.
COMMANDS = ("check", "diff", "show", "contract", "allow", "explain", "rules", "facts", "completion")

_UNSEEN = functools.partial(argparse.HelpFormatter, width=80)
_INVALID_CHOICE = re.compile(r"argument (?:COMMAND|ACTION): invalid choice: '(.*?)'")


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would exit with; shortened options are none, since a new option would change them."""

    def __init__(self, **options: Any) -> None:
        # argparse lays out each argument as it is added, to test it; asking for the terminal's width imports shutil.
        super().__init__(**options, allow_abbrev=False, formatter_class=_UNSEEN)
        # Before and after the command; without a default, so that one does not undo the other.
        self.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="print the traceback of an internal error"
        )

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


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of all commands, or of the one that is run: the others need not be imported then."""
    main = _Parser(prog="tflint", description="A static linter for TensorFlow Lite models.")
    main.add_argument("--version", action="version", version=f"tflint {__version__}")
    commands = main.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser, prog=main.prog
    )
    for name in [command] if command in COMMANDS else COMMANDS:
        importlib.import_module(f"tflint.cli.commands.{name}_command").add_parser(commands)
    return main


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code, and never raises."""
    is_debug = "--debug" in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    try:
        _refuse_names_like_options(arguments)
        options = build_parser(_command_of(arguments)).parse_args(arguments)
        code: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UserError as error:
        return _fail(str(error), USAGE)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except Terminated as ended:
        return _fail(ended.reason, ended.code)
    except BrokenPipeError:
        console.discard_output()
        return OK
    except SystemExit as leaving:  # --help and --version
        return leaving.code if isinstance(leaving.code, int) else OK
    except ResourceError as error:
        return _fail(f"{error}\n  hint: {error.hint}", INTERNAL)
    except MemoryError:
        return _fail("out of memory\n  hint: check fewer files at a time, or raise the process's limit", INTERNAL)
    except Exception as error:  # a defect of tflint: named, with where it happened, and never taken for a finding
        return _fail_internally(error, is_debug=is_debug)


def _command_of(arguments: Sequence[str]) -> str:
    """The command, if it comes first or behind --debug."""
    return next((argument for argument in arguments if argument != "--debug"), "")


def _refuse_names_like_options(arguments: Sequence[str]) -> None:
    """Raise `UserError` for an argument that would be taken as an option and is the name of a file.

    pre-commit appends the names of committed files to a hook's command: a file called `--output=x.tflite` must not
    become an option.
    """
    for argument in arguments:
        if argument == "--":
            return
        if argument.startswith("-") and argument != "-" and os.path.lexists(argument):
            raise UserError(
                f"'{argument}' is the name of a file, but tflint would read it as an option",
                hint=f"rename the file, or write './{argument}' or '-- {argument}'",
            )


def _fail_internally(error: Exception, *, is_debug: bool) -> int:
    """Say what crashed and where; a path that is too long, or that may not be read, is the user's."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        start = console.escape_newlines(str(error.filename)[:80])
        return _fail(f"a path is longer than the file system allows: {start}…", USAGE)
    if isinstance(error, PermissionError) and error.filename is not None:
        return _fail(f"'{console.escape_newlines(str(error.filename))}': permission denied", USAGE)
    import traceback

    where = traceback.extract_tb(error.__traceback__)[-1]
    name = os.path.basename(where.filename)  # noqa: PTH119 (no pathlib object is at hand)
    what = console.escape_newlines(f"{type(error).__name__}: {error}")
    if not is_debug:
        return _fail(
            f"internal error: {what} ({name}, line {where.lineno})\n  hint: --debug prints the traceback", INTERNAL
        )
    from tflint.catalog.rule_pages import home_url

    home = home_url()
    where_to = f"at {home}" if home else "to the project"
    console.warn("".join(traceback.format_exception(error)).rstrip())
    console.warn(f"tflint {__version__}, Python {sys.version.split()[0]}, {sys.platform}")
    return _fail(
        f"internal error: {what}\n  hint: please report this output {where_to}, with the model if you may share it",
        INTERNAL,
    )


def _fail(message: str, code: int) -> int:
    """Print a message to standard error and return the exit code; without standard error, the code alone."""
    console.warn(f"tflint: {message}")
    return code
