"""`tflint completion`: prints the script that lets a shell complete tflint's commands; and what such a script asks for.

The library argcomplete, an extra, does both; it is imported for nothing else. Nothing here imports numpy: TAB is waited
for.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tflint.cli import console
from tflint.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    from tflint.catalog import Rule
    from tflint.config import Config

SHELLS = ("bash", "zsh", "fish", "powershell")
#: The command's names; on a machine where `tflint` is another program, who calls the second asks for the second.
NAMES = ("tflint", "tflite-lint")

#: Words with what they mean, or without.
Words: TypeAlias = Mapping[str, str] | Iterable[str]


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "completion",
        help="print a script for completion in a shell",
        description='Print the script that completes commands, rules and models in a shell. bash: eval "$(tflint '
        'completion bash)" in .bashrc; zsh: the same in .zshrc; fish: tflint completion fish | source; PowerShell: '
        "tflint completion powershell | Out-String | Invoke-Expression.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script; returns the exit code."""
    names = NAMES[1:] if Path(sys.argv[0]).stem == NAMES[1] else NAMES
    console.print_verbatim(_argcomplete().shellcode(names, shell=options.shell).rstrip("\n") + "\n")
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks how its line could go on (argcomplete's protocol), and leave the process."""
    for action in _actions(parser):
        completer = _completer(action)
        if completer is not None:
            action.completer = completer  # type: ignore[attr-defined]  # where argcomplete looks for it
    _argcomplete().autocomplete(parser, always_complete_options=False)


def _argcomplete() -> Any:
    try:
        import argcomplete
    except ImportError:
        raise MissingExtraError("completion", "argcomplete", "completion in a shell") from None
    return argcomplete


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument of a parser and of the commands in it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _actions(inner)


def _completer(action: argparse.Action) -> Callable[..., Words] | None:
    """What an argument stands for, by the word that its help calls it; None: a file, or one of its choices."""
    if not action.option_strings and action.metavar in ("PATH", "MODEL"):
        return complete_models
    return _COMPLETERS.get(str(action.metavar))


# -- what can be completed; each takes what argcomplete gives ----------------------------------------------------------


def complete_rules(parsed_args: argparse.Namespace, **_: object) -> Words:
    """Ids and names of rules, with what they are about."""
    found: dict[str, str] = {}
    for rule in _rules(parsed_args):
        found[rule.id] = rule.name
        found[rule.name] = rule.summary
    return found


def complete_selections(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Words:
    """Ids, prefixes, names and categories of rules, and `all`; the last one of those that commas separate."""
    head, comma, _last = prefix.rpartition(",")
    words = {"all": "every rule"}
    for rule in _rules(parsed_args):
        words |= {rule.id: rule.name, rule.name: rule.summary, rule.prefix: "", rule.category: ""}
    return {f"{head}{comma}{word}": meaning for word, meaning in words.items() if word}


def complete_targets(parsed_args: argparse.Namespace, **_: object) -> Words:
    """Runtimes with their known versions, newest first, and targets of the configuration."""
    from tflint.targets.target import RUNTIMES, releases

    words = dict.fromkeys(_config(parsed_args).named_targets, "of the configuration")
    for runtime in RUNTIMES:
        versions = releases(runtime)
        words |= {runtime: f"the newest, {versions[0]}" if versions else "has no versions"}
        words |= {f"{runtime}=={version}": "" for version in versions}
    return words


def complete_reports(prefix: str, **_: object) -> Iterable[str]:
    """A format and an equals sign, then a file."""
    from argcomplete.completers import FilesCompleter

    from tflint.report.report_formats import FORMATS

    form, equals, path = prefix.partition("=")
    return [f"{form}={file}" for file in FilesCompleter()(path)] if equals else [f"{form}=" for form in FORMATS]


def complete_tables(**_: object) -> Words:
    """Tables that rules can use, with what a row of each is."""
    from tflint.facts.fact_registry import all_tables

    return {name: table.row for name, table in all_tables().items()}


def complete_distributions(**_: object) -> Words:
    """Installed distributions that have facts, with the prefix of these; nothing of them is loaded."""
    from tflint.facts.plugin_loader import available

    return {name: f"{prefix}.…" for prefix, names in available().items() for name in names}


def complete_models(prefix: str, **_: object) -> Iterator[str]:
    """Files that may be models, and folders, that begin with what is written."""
    from tflint.source.model_search import DOUBTFUL_SUFFIXES, SUFFIXES

    folder, slash, begun = prefix.rpartition("/")
    base = folder + slash
    with contextlib.suppress(OSError), os.scandir(base or ".") as entries:
        for entry in entries:
            if entry.name.startswith(".") and not begun.startswith("."):
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


def _rules(options: argparse.Namespace) -> Iterable[Rule]:
    """The rules that a run with these options would know; only tflint's own where a file of the user's is wrong."""
    from tflint.catalog import builtin_catalog, load_catalog

    with contextlib.suppress(UserError, OSError):
        return load_catalog(getattr(options, "rules", None) or _config(options).rules).rules
    return builtin_catalog().rules


def _config(options: argparse.Namespace) -> Config:
    """The configuration that a run with these options would have; an empty one where it is wrong."""
    from tflint.cli.config_options import load_named_or_nearest
    from tflint.config import Config

    with contextlib.suppress(UserError, OSError):
        return load_named_or_nearest(getattr(options, "config", None))
    return Config()
