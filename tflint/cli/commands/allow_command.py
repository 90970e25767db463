"""`tflint allow`: writes a suppression, with its reason, into the configuration, and changes nothing else there."""

from __future__ import annotations

import argparse
import datetime
import glob
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflint.cli import console, output_file, plugin_option
from tflint.cli.config_options import config_path
from tflint.config import Config, load_config
from tflint.config.config_positions import error_in
from tflint.errors import UserError
from tflint.findings.path_globs import matches, relative_to_folder
from tflint.userfiles.userfile import read_text

#: As the schema of the configuration has it.
MIN_REASON = 3
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "allow",
        help="suppress a rule's findings, with a reason",
        description="Add a suppression to the nearest tflint.toml or pyproject.toml; where there is none, "
        "write tflint.toml in the current folder.",
    )
    parser.add_argument("rule", metavar="RULE", help="id or name")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a model, a folder, or a glob in quotes")
    parser.add_argument("--at", metavar="NAME", help="only there: name or route of a tensor, an operator, …; or a glob")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why the findings do not count")
    parser.add_argument("--until", metavar="DATE", help="the last day on which it holds: YYYY-MM-DD")
    parser.add_argument("--config", metavar="FILE", help="configuration to write to, instead of the nearest")
    plugin_option.add_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the entry; returns the exit code."""
    found = config_path(options.config)
    config = load_config(found, is_trusted=options.config is not None) if found else Config()
    path = str(found or "tflint.toml")
    rule, entry = _entry(options, config)
    _require_new(rule, entry, config)
    _add(path, entry, is_new=found is None)
    limits = f" at {entry['at']}" if "at" in entry else ""
    until = f" until {entry['until']}" if "until" in entry else ""
    place = f"{entry['path']}{limits}{until}"
    console.print_lines([f"{relative_to_folder('.', path)}: {rule[0]} {rule[1]} is allowed in {place}"])
    return 0


def _entry(options: argparse.Namespace, config: Config) -> tuple[tuple[str, str], dict[str, str]]:
    """The rule's id and name, and the entry in the order in which its keys are written."""
    from tflint.catalog import load_catalog

    rule = load_catalog(config.rules, plugin_option.load_allowed(options)).rule(options.rule)
    if len(options.paths) > 1:
        raise UserError("one PATH at a time can be allowed", hint="put a glob in quotes: 'models/*.tflite'")
    entry = {
        "rule": rule.name if options.rule == rule.name else rule.id,
        "path": build_glob(options.paths[0], config.folder),
        "at": options.at,
        "reason": options.reason.strip(),
        "until": None if options.until is None else _date(options.until),
    }
    if options.at == "":
        raise UserError("--at names no place", hint="'tflint check -v' names the places of findings")
    if len(entry["reason"]) < MIN_REASON:
        raise UserError("--reason must say why", hint=f"in at least {MIN_REASON} characters")
    return (rule.id, rule.name), {key: value for key, value in entry.items() if value is not None}


def _date(text: str) -> str:
    """The text of a day that has not passed."""
    try:
        day = datetime.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise UserError(f"--until: '{text}' is not a date", hint="write it as YYYY-MM-DD")
    if day < datetime.date.today():
        raise UserError(f"--until: {text} has passed", hint="name a day on which it should still hold")
    return text


def build_glob(given: str, folder: str) -> str:
    """What the user named, as a glob that counts from the configuration's folder.

    `UserError` where there is no such file, or where it does not lie in that folder.
    """
    from tflint.source.model_search import select

    is_folder = bool(given) and Path(given).is_dir()
    files = [] if is_folder else [item for item in select([given]).items if isinstance(item, str)]
    whole = os.path.join(given, "**") if is_folder else given  # noqa: PTH118 (a Path would lose what makes it a glob)
    if not Path(os.path.abspath(whole)).is_relative_to(os.path.abspath(folder)):  # noqa: PTH100 (links stay links)
        hint = "--config names another configuration; one in a folder above the file can speak of it"
        raise UserError(f"'{given}' does not lie in the configuration's folder '{folder}'", hint=hint)
    relative = relative_to_folder(folder, whole)
    # Without a slash it would mean every file of that name, in all folders below.
    written = relative if "/" in relative or relative == "**" else f"./{relative}"
    unmatched = [file for file in files if not matches(relative_to_folder(folder, file), written)]
    if glob.has_magic(given) and unmatched:
        hint = "* is any name, ** any folders, ? one character; brackets stand for themselves"
        raise UserError(f"as a glob of the configuration, '{given}' does not match '{unmatched[0]}'", hint=hint)
    return written


def _require_new(rule: tuple[str, str], entry: Mapping[str, str], config: Config) -> None:
    """`UserError` where an entry that still holds says the same of the same place."""
    today = datetime.date.today()
    for number, allow in enumerate(config.allow):
        is_same = allow.rule in rule and (allow.path, allow.at) == (entry["path"], entry.get("at", ""))
        if is_same and (allow.until is None or allow.until >= today):
            message = f"{rule[0]} is allowed in {allow.path} already"
            hint = "change that entry" + (f", which holds until {allow.until}" if allow.until else "")
            raise error_in(config.origin, read_text(config.origin), ("allow", number), message, hint=hint)


def _add(path: str, entry: Mapping[str, str], *, is_new: bool) -> None:
    """Write the entry, and look whether it is there; else the file is again as it was."""
    from tflint.config.config_edit import require_added, with_allow

    file = output_file.prepare_derived(path, output_file.CONFIGURATION)
    before = "" if is_new else read_text(path)
    file.write(with_allow(path, before, entry))
    try:
        require_added(path, before, read_text(path), entry)
        load_config(path, is_trusted=False)
    except UserError as error:
        if is_new:
            Path(path).unlink()
        else:
            file.write(before)
        raise UserError(f"the entry could not be written; '{path}' is unchanged: {error.message}") from error
