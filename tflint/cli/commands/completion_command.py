"""`tflint completion`: prints a completion script for a shell, and answers the requests that the script sends.

Uses the optional dependency argcomplete. Does not import numpy, because the user waits while tflint answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tflint.cli import console
from tflint.errors import MissingExtraError, UserError
from tflint.program_name import NAMES, program_name

if TYPE_CHECKING:
    from tflint.catalog import Rule
    from tflint.config import Config

SHELLS = ("bash", "zsh", "fish", "powershell")

#: Words to offer for completion. A mapping has the description of each word.
Words: TypeAlias = Mapping[str, str] | Iterable[str]


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "completion",
        help="print a shell completion script",
        description='Print a script that completes commands, rules and models in a shell. bash: eval "$(tflint '
        'completion bash)" in .bashrc; zsh: the same in .zshrc; fish: tflint completion fish | source; PowerShell: '
        "tflint completion powershell | Out-String | Invoke-Expression.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    # If the user calls `tflite-lint`, `tflint` may be a different program on the machine.
    names = NAMES[1:] if program_name() == NAMES[1] else NAMES
    console.print_verbatim(_import_argcomplete().shellcode(names, shell=options.shell).rstrip("\n") + "\n")
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a completion request of a shell (argcomplete's protocol), and exit the process."""
    for action in _list_actions(parser):
        completer = _find_completer(action)
        if completer is not None:
            action.completer = completer  # type: ignore[attr-defined]  # read by argcomplete
    _import_argcomplete().autocomplete(parser, always_complete_options=False)


def _import_argcomplete() -> Any:
    try:
        import argcomplete
    except ImportError:
        raise MissingExtraError("completion", "argcomplete", "shell completion") from None
    return argcomplete


def _list_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options and arguments of a parser and its subparsers."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _list_actions(inner)


def _find_completer(action: argparse.Action) -> Callable[..., Words] | None:
    """Return the completer of an argument by its metavar, or None for files and choices."""
    if not action.option_strings and action.metavar in ("PATH", "MODEL"):
        return complete_models
    return _COMPLETERS.get(str(action.metavar))


# -- completers, with the arguments that argcomplete passes ------------------------------------------------------------


def complete_rules(parsed_args: argparse.Namespace, **_: object) -> Words:
    """Return the ids of rules with the names as descriptions, and the names with the summaries as descriptions."""
    words: dict[str, str] = {}
    for rule in _load_rules(parsed_args):
        words[rule.id] = rule.name
        words[rule.name] = rule.summary
    return words


def complete_selections(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Words:
    """Complete the last word of a comma-separated list: ids, prefixes, names and categories of rules, and `all`."""
    head, comma, _last = prefix.rpartition(",")
    words = {"all": "every rule"}
    for rule in _load_rules(parsed_args):
        words |= {rule.id: rule.name, rule.name: rule.summary, rule.prefix: "", rule.category: ""}
    return {f"{head}{comma}{word}": meaning for word, meaning in words.items() if word}


def complete_targets(parsed_args: argparse.Namespace, **_: object) -> Words:
    """Return the runtimes with their known releases, newest first, and the targets of the configuration."""
    from tflint.targets.runtime import runtimes_by_age

    words = dict.fromkeys(_load_config(parsed_args).named_targets, "from the configuration")
    for runtime in runtimes_by_age():
        words[runtime.name] = f"newest release, {runtime.newest}" if runtime.newest else "no versions"
        words |= {f"{runtime.name}=={release.version}": release.date for release in reversed(runtime.releases)}
    return words


def complete_reports(prefix: str, **_: object) -> Iterable[str]:
    """Return the formats, each with an equals sign. If `prefix` has an equals sign, return files instead."""
    from argcomplete.completers import FilesCompleter

    from tflint.report.report_formats import FORMATS

    form, equals, path = prefix.partition("=")
    return [f"{form}={file}" for file in FilesCompleter()(path)] if equals else [f"{form}=" for form in FORMATS]


def complete_tables(**_: object) -> Words:
    """Return the tables that rules can use, with descriptions of their rows."""
    from tflint.facts.fact_registry import all_tables

    return {name: table.row for name, table in all_tables().items()}


def complete_distributions(**_: object) -> Words:
    """Return the installed distributions that add facts, described by the prefix of their facts. None is loaded."""
    from tflint.facts.plugin_loader import installed_plugins

    return {name: f"{prefix}.…" for prefix, names in installed_plugins().items() for name in names}


def complete_models(prefix: str, **_: object) -> Iterator[str]:
    """Yield folders and files that may be models. Hidden ones are included only if their prefix starts with a dot."""
    from tflint.source.model_search import DOUBTFUL_SUFFIXES, SUFFIXES

    folder, slash, name = prefix.rpartition("/")
    base = folder + slash
    with contextlib.suppress(OSError), os.scandir(base or ".") as entries:
        for entry in entries:
            if entry.name.startswith(".") and not name.startswith("."):
                continue
            if entry.is_dir():
                yield f"{base}{entry.name}/"
            elif Path(entry.name).suffix.lower() in SUFFIXES | DOUBTFUL_SUFFIXES:
                yield f"{base}{entry.name}"


_COMPLETERS: dict[str, Callable[..., Words]] = {
    "RULE": complete_rules,
    "RULES": complete_selections,
    "TARGET": complete_targets,
    "TABLE": complete_tables,
    "FORMAT=FILE": complete_reports,
    "DIST": complete_distributions,
}


def _load_rules(options: argparse.Namespace) -> Iterable[Rule]:
    """Return the rules for these options, or only the built-in rules if a file is invalid."""
    from tflint.catalog import builtin_catalog, load_catalog

    with contextlib.suppress(UserError, OSError):
        return load_catalog(getattr(options, "rules", None) or _load_config(options).rules).rules
    return builtin_catalog().rules


def _load_config(options: argparse.Namespace) -> Config:
    """Return the configuration for these options, or an empty one if it is invalid."""
    from tflint.cli.config_options import load_named_or_nearest
    from tflint.config import Config

    with contextlib.suppress(UserError, OSError):
        return load_named_or_nearest(getattr(options, "config", None))
    return Config()
