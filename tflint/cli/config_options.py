"""Options that `check` and `diff` share: rules to run, failing severities, and the resulting configuration."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import plugin_option
from tflint.config import Config, find_config, load_config
from tflint.errors import UserError
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.findings import Report


def add_rule_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which rules run, and for which targets."""
    group = parser.add_argument_group("what is looked for")
    add = group.add_argument
    add("--select", action="append", metavar="RULES", help="run only these: ids, prefixes, names, categories, all")
    add("--ignore", action="append", metavar="RULES", help="do not run these")
    add(
        "--target",
        action="append",
        metavar="TARGET",
        help="a runtime that must run the models, such as litert==2.3.0 or tflm, or a name from the configuration",
    )
    add("--rules", action="append", metavar="PATH", help="rule file or folder of your own")
    add(
        "--config",
        metavar="FILE",
        help="configuration to use instead of the nearest tflint.toml, or pyproject.toml with [tool.tflint]",
    )
    plugin_option.add_option(group)


def add_verdict_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say which findings fail the run."""
    add = group.add_argument
    add(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        help="exit with 1 from this severity on (default: error)",
    )
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--baseline", metavar="FILE", help="known findings that do not count")


def read_config(options: argparse.Namespace) -> Config:
    """The configuration that is named or nearest, with what the command line overrides."""
    config = load_named_or_nearest(options.config)
    changes: dict[str, Any] = {}
    for name, value in (("select", options.select), ("ignore", options.ignore), ("targets", options.target)):
        if value:
            changes[name] = _split(value)
    if options.rules:
        changes["rules"] = tuple(options.rules)
    if options.fail_on:
        changes["fail_on"] = options.fail_on
    if options.baseline:
        changes["baseline"] = options.baseline
    return replace(config, **changes)


def load_named_or_nearest(named: str | None) -> Config:
    """The configuration that the user named, or the nearest one, which must not name files outside of its checkout."""
    path = config_path(named)
    return Config() if path is None else load_config(path, is_trusted=named is not None)


def config_path(named: str | None) -> Path | None:
    """The configuration's file, the named or the nearest one; None where there is none."""
    if named is not None:
        if not named:
            raise UserError("--config names no file")
        return Path(named)
    try:
        return find_config(Path.cwd())
    except OSError as error:
        raise UserError("the current folder does not exist any more", hint="change to another one") from error


def exit_code(report: Report, options: argparse.Namespace, config: Config) -> int:
    """What a run with a report ends with."""
    if options.exit_zero:
        return 0
    if report.fails(config.fail_on):
        return 1
    return 3 if report.crashes else 0


def _split(values: Sequence[str]) -> tuple[str, ...]:
    parts = [part.strip() for value in values for part in value.split(",")]
    if not all(parts):
        raise UserError("an empty name in a list of rules or targets", hint="separate names by single commas")
    return tuple(parts)
