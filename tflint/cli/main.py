"""Parses arguments, runs a command, and turns errors into a message and an exit code.

Exit codes: 0: no findings at or above --fail-on; 1: findings; 2: usage or configuration error, or nothing to check;
3: internal error; 129, 130, 143: ended by SIGHUP, SIGINT, SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from tflint._version import __version__
from tflint.cli import console
from tflint.cli.exit_codes import INTERNAL, INTERRUPTED, OK, USAGE
from tflint.cli.signals import Terminated
from tflint.errors import ResourceError, UserError
from tflint.program_name import program_name, rename_commands
from tflint.userfiles.nearest_word import nearest

if TYPE_CHECKING:
    from tflint.cache.run_record import Record

#: Environment variable that has the same effect as --debug, if it is set and not empty.
DEBUG_VARIABLE = "TFLITE_LINT_DEBUG"

#: The commands in the order of the help; each has a module in `cli/commands`.
COMMANDS = (
    "check",
    "diff",
    "compare",
    "show",
    "contract",
    "allow",
    "explain",
    "rules",
    "facts",
    "schema",
    "registry",
    "cache",
    "completion",
)

#: The command that describes another command.
HELP = "help"

#: Number of new objects before a garbage collection. With the default of 700, collections take 3 % of a short run.
#: tflint breaks the reference cycles of large objects itself.
_COLLECTION_THRESHOLD = 50_000


class _HelpFormatter(argparse.HelpFormatter):
    """Formats help in which commands have the name by which the user called the program."""

    def add_text(self, text: str | None) -> None:
        super().add_text(None if text is None else rename_commands(text))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = super()._get_help_string(action)
        return None if text is None else rename_commands(text)


#: Metavars of the arguments that are commands.
_COMMAND_ARGUMENTS = ("COMMAND", "ACTION")
_FIXED_WIDTH = functools.partial(_HelpFormatter, width=80)
#: A message of argparse: the names of an argument, joined by slashes, and the value that is not a choice.
_INVALID_CHOICE = r"argument (\S+): invalid choice: '(.*?)' \(choose from"


class _Parser(argparse.ArgumentParser):
    """Parser that raises `UserError` instead of exiting.

    Options cannot be abbreviated, because a new option could change the meaning of an abbreviation.
    """

    def __init__(self, **options: Any) -> None:
        # argparse formats each argument when it is added, to validate it. A fixed width avoids importing shutil then.
        super().__init__(**options, allow_abbrev=False, formatter_class=_FIXED_WIDTH)
        # Allowed before and after the command. Without a default, the parser of the command does not reset a value that
        # the main parser has set.
        self.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="print the traceback of an internal error"
        )

    def format_help(self) -> str:
        """Return the help text in the width of the terminal."""
        self.formatter_class = _HelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        hint = f"'{self.prog} --help' lists commands and options"
        unknown = re.match(_INVALID_CHOICE, message)
        if unknown is None:
            raise UserError(message, hint=hint)
        argument, value = unknown.groups()
        hint = nearest(value, self._choices_of(argument)) or hint
        if argument not in _COMMAND_ARGUMENTS:
            raise UserError(message, hint=hint)
        if os.path.lexists(value):
            hint = f"did you mean '{self.prog} check {value}'?"
        raise UserError(f"unknown command '{value}'", hint=hint)

    def _choices_of(self, argument: str) -> list[str]:
        """Return the choices of an argument, which has the name that argparse uses in its messages."""
        for action in self._actions:
            if argument in ("/".join(action.option_strings), action.metavar, action.dest):
                return list(map(str, action.choices or ()))
        return []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments. For an unknown one, raise `UserError` with the most similar option as hint."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            hint = nearest(unknown[0].split("=")[0], known) or f"'{self.prog} --help' lists the options"
            kind = "option" if unknown[0].startswith("-") else "argument"
            raise UserError(f"unknown {kind} '{unknown[0]}' of '{self.prog}'", hint=hint)
        return options, unknown


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of one command, or of all commands if `command` is not the name of one.

    The modules of other commands are then not imported, which saves time.
    """
    main = _Parser(
        prog=program_name(),
        description="A static linter for TensorFlow Lite models.",
        epilog="'tflint help COMMAND' describes a command.",
    )
    main.add_argument("-V", "--version", action="version", version=f"tflint {__version__}")
    commands = main.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser, prog=main.prog
    )
    for name in [command] if command in COMMANDS else COMMANDS:
        importlib.import_module(f"tflint.cli.commands.{name}_command").add_parser(commands)
    return main


def run(arguments: Sequence[str], record: Record | None = None) -> int:
    """Run a command and return the exit code. Does not raise exceptions.

    `record` is the record of an earlier run with the same arguments, of which an input has changed.
    """
    is_debug = "--debug" in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    try:
        _refuse_names_like_options(arguments)
        if not arguments:
            build_parser().print_help()
            return USAGE  # a script that loses its arguments must not pass
        words = _expand_help(arguments)
        options = build_parser(_find_command(words)).parse_args(words)
        options.arguments, options.record = arguments, record
        gc.freeze()  # garbage collections skip the objects of the imports
        gc.set_threshold(_COLLECTION_THRESHOLD)
        gc.enable()
        with contextlib.ExitStack() as options.resources:  # what the command must close, such as temporary files
            code: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UserError as error:
        return _fail(str(error), USAGE)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except Terminated as signal:
        return _fail(signal.reason, signal.code)
    except BrokenPipeError:
        console.discard_output()
        return OK
    except SystemExit as exiting:  # --help and --version
        return exiting.code if isinstance(exiting.code, int) else OK
    except ResourceError as error:
        return _fail(f"{error}\n  hint: {error.hint}", INTERNAL)
    except MemoryError:
        return _fail("out of memory\n  hint: check fewer files at a time, or raise the memory limit", INTERNAL)
    except Exception as error:  # a bug in tflint must not look like a finding
        return _fail_internally(error, is_debug=is_debug)


def _expand_help(arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments, with --help instead of the command `help`."""
    if _find_command(arguments) != HELP:
        return arguments
    number = arguments.index(HELP)
    return [*arguments[:number], *arguments[number + 1 :], "--help"]


def _find_command(arguments: Sequence[str]) -> str:
    """Return the first argument that is not --debug, or an empty string if there is none."""
    return next((argument for argument in arguments if argument != "--debug"), "")


def _refuse_names_like_options(arguments: Sequence[str]) -> None:
    """Raise `UserError` if an argument starts with a dash and is the name of an existing file.

    pre-commit appends the names of committed files to the command of a hook: a file called `--output=x.tflite` must
    not become an option.
    """
    for argument in arguments:
        if argument == "--":
            return
        if argument.startswith("-") and argument != "-" and os.path.lexists(argument):
            raise UserError(
                f"'{argument}' is the name of a file, but would be parsed as an option",
                hint=f"rename the file, or write './{argument}' or '-- {argument}'",
            )


def _fail_internally(error: Exception, *, is_debug: bool) -> int:
    """Print a message for an unexpected exception and return the exit code.

    It is an internal error, unless a path is too long or not accessible: this is a usage error.
    """
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        start = console.escape_newlines(str(error.filename)[:80])
        return _fail(f"a path is too long for the file system: {start}…", USAGE)
    if isinstance(error, PermissionError) and error.filename is not None:
        return _fail(f"'{console.escape_newlines(str(error.filename))}': permission denied", USAGE)
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    name = os.path.basename(frame.filename)  # noqa: PTH119 (there is no pathlib object)
    message = console.escape_newlines(f"{type(error).__name__}: {error}")
    if not is_debug:
        return _fail(
            f"internal error: {message} ({name}, line {frame.lineno})\n  hint: --debug prints the traceback", INTERNAL
        )
    from tflint.catalog.rule_pages import home_url

    home = home_url()
    destination = f"at {home}" if home else "to the project"
    console.warn("".join(traceback.format_exception(error)).rstrip())
    console.warn(f"tflint {__version__}, Python {sys.version.split()[0]}, {sys.platform}")
    return _fail(
        f"internal error: {message}\n  hint: please report this output {destination}, with the model if possible",
        INTERNAL,
    )


def _fail(message: str, code: int) -> int:
    """Print a message to standard error and return the exit code."""
    console.print_notice(message)
    return code
