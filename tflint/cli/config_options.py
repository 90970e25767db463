"""Options of `check` and `diff` that override the configuration: rules, targets and what fails a run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tflint.cli import plugin_option
from tflint.config import Config, find_config, load_config
from tflint.errors import UserError
from tflint.values import replace


def add_rule_options(parser: argparse.ArgumentParser, *, has_plugins: bool = True) -> None:
    """Add the options that select rules and targets and, with `has_plugins`, plugins."""
    group = parser.add_argument_group("rules and targets")
    add = group.add_argument
    add("--select", action="append", metavar="RULES", help="rules to run: ids, prefixes, names, categories or all")
    add("--ignore", action="append", metavar="RULES", help="rules not to run")
    add(
        "--target",
        action="append",
        metavar="TARGET",
        help="a runtime that must run the models, such as litert==2.3.0 or tflm, or a name from the configuration",
    )
    add("--rules", action="append", metavar="PATH", help="file or folder with additional rules")
    add(
        "--config",
        metavar="FILE",
        help="configuration file (default: the nearest tflint.toml, or pyproject.toml with [tool.tflint])",
    )
    if has_plugins:
        plugin_option.add_option(group)


def add_fail_on(group: argparse._ArgumentGroup) -> None:
    """Add the option with the lowest severity that fails the run."""
    group.add_argument(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        help="exit with 1 for findings of this severity or higher (default: error)",
    )


def add_verdict_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that decide which findings fail the run."""
    add = group.add_argument
    add_fail_on(group)
    add("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    add("--baseline", metavar="FILE", help="file of known findings, which do not fail the run")


def read_config(options: argparse.Namespace) -> Config:
    """Return the configuration with the values of the command line, which override those of the file."""
    config = load_named_or_nearest(options.config)
    changes: dict[str, Any] = {}
    for name, value in (("select", options.select), ("ignore", options.ignore), ("targets", options.target)):
        if value:
            changes[name] = _split_names(value)
    if options.rules:
        changes["rules"] = tuple(options.rules)
    if options.fail_on:
        changes["fail_on"] = options.fail_on
    if getattr(options, "baseline", None):  # registry commands have no baseline
        changes["baseline"] = options.baseline
    return replace(config, **changes)


def load_named_or_nearest(path: str | None) -> Config:
    """Return the configuration at `path` (from `--config`), or the nearest one.

    The nearest configuration must not name files outside of its checkout.
    """
    file = config_path(path)
    return Config() if file is None else load_config(file, is_trusted=path is not None)


def config_path(path: str | None) -> Path | None:
    """Return `path` (from `--config`), else the path of the nearest configuration, or None if there is none.

    Raises `UserError` if `path` is empty or the current folder no longer exists.
    """
    if path is not None:
        if not path:
            raise UserError("--config needs the path of a file")
        return Path(path)
    try:
        return find_config(Path.cwd())
    except OSError as error:
        raise UserError("the current folder no longer exists", hint="change to another folder") from error


def _split_names(values: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise UserError("a list of rules or targets has an empty name", hint="separate names with single commas")
    return tuple(names)
