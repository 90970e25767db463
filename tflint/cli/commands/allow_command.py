"""`tflint allow`: adds a suppression with a reason to the configuration, and changes nothing else in it."""

from __future__ import annotations

import argparse
import datetime
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
from tflint.wildcards import has_wildcard

#: Minimum length of a reason, as in the schema of the configuration.
MIN_REASON = 3
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "allow",
        help="suppress findings of a rule",
        description="Add a suppression to the nearest tflint.toml or pyproject.toml. If there is none, "
        "create tflint.toml in the current folder.",
    )
    parser.add_argument("rule", metavar="RULE", help="id or name of the rule")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="model, folder, or quoted glob")
    parser.add_argument(
        "--at", metavar="NAME", help="name or path of the location, such as a tensor name; may be a glob"
    )
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why the findings are suppressed")
    parser.add_argument("--until", metavar="DATE", help="last day of the suppression: YYYY-MM-DD")
    parser.add_argument("--config", metavar="FILE", help="configuration to change (default: the nearest one)")
    plugin_option.add_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Add the suppression to the configuration; return the exit code."""
    path = options.paths[0]
    folder = path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120
    config_file = config_path(options.config, folder)
    config = load_config(config_file, is_trusted=options.config is not None) if config_file else Config()
    path = str(config_file or "tflint.toml")
    rule, entry = _build_entry(options, config)
    _require_new(rule, entry, config)
    _write_entry(path, entry, is_new=config_file is None)
    limits = f" at {entry['at']}" if "at" in entry else ""
    until = f" until {entry['until']}" if "until" in entry else ""
    scope = f"{entry['path']}{limits}{until}"
    console.print_lines([f"{relative_to_folder('.', path)}: {rule[0]} {rule[1]} is allowed in {scope}"])
    return 0


def _build_entry(options: argparse.Namespace, config: Config) -> tuple[tuple[str, str], dict[str, str]]:
    """Return the id and name of the rule, and the [[allow]] entry with its keys in the order to write."""
    from tflint.catalog import load_catalog

    rule = load_catalog(config.rules, plugin_option.load_allowed(options)).rule(options.rule)
    if len(options.paths) > 1:
        raise UserError(
            f"allow takes one PATH, not {len(options.paths)}", hint="put a glob in quotes: 'models/*.tflite'"
        )
    entry = {
        "rule": rule.name if options.rule == rule.name else rule.id,
        "path": build_glob(options.paths[0], config.folder),
        "at": options.at,
        "reason": options.reason.strip(),
        "until": None if options.until is None else _parse_date(options.until),
    }
    if options.at == "":
        raise UserError("--at is empty", hint="'tflint check -v' shows the locations of findings")
    if len(entry["reason"]) < MIN_REASON:
        raise UserError("--reason is too short", hint=f"give a reason with at least {MIN_REASON} characters")
    return (rule.id, rule.name), {key: value for key, value in entry.items() if value is not None}


def _parse_date(text: str) -> str:
    """Return a date in the form YYYY-MM-DD. Raises `UserError` if the text is not a date, or the date has passed."""
    try:
        day = datetime.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise UserError(f"--until: '{text}' is not a date", hint="write it as YYYY-MM-DD")
    if day < datetime.date.today():
        raise UserError(f"--until: {text} has passed", hint="name a future day")
    return text


def build_glob(path: str, folder: str) -> str:
    """Convert a path or glob that the user passed to a glob that is relative to `folder`, that of the configuration.

    Raises `UserError` if the path does not exist or is not in `folder`.
    """
    from tflint.source.model_search import select

    is_folder = bool(path) and Path(path).is_dir()
    files = [] if is_folder else [item for item in select([path]).items if isinstance(item, str)]
    pattern = os.path.join(path, "**") if is_folder else path  # noqa: PTH118 (a Path would normalize the glob)
    if not Path(os.path.abspath(pattern)).is_relative_to(os.path.abspath(folder)):  # noqa: PTH100 (links stay links)
        hint = "use --config with a configuration in a folder above the file"
        raise UserError(f"'{path}' is not in the folder '{folder}' of the configuration", hint=hint)
    relative = relative_to_folder(folder, pattern)
    # A glob without a slash would match the files with this name in all subfolders too.
    result = relative if "/" in relative or relative == "**" else f"./{relative}"
    unmatched = [file for file in files if not matches(relative_to_folder(folder, file), result)]
    if has_wildcard(path) and unmatched:
        hint = "* matches any name, ** any folders, ? one character; brackets have no special meaning"
        raise UserError(f"as a glob of the configuration, '{path}' does not match '{unmatched[0]}'", hint=hint)
    return result


def _require_new(rule: tuple[str, str], entry: Mapping[str, str], config: Config) -> None:
    """Raise `UserError` if the configuration already suppresses the same rule in the same scope."""
    today = datetime.date.today()
    for number, allow in enumerate(config.allow):
        is_same = allow.rule in rule and (allow.path, allow.at) == (entry["path"], entry.get("at", ""))
        if is_same and (allow.until is None or allow.until >= today):
            message = f"{rule[0]} is already allowed in {allow.path}"
            hint = "change this entry" + (f", which is valid until {allow.until}" if allow.until else "")
            raise error_in(config.origin, read_text(config.origin), ("allow", number), message, hint=hint)


def _write_entry(path: str, entry: Mapping[str, str], *, is_new: bool) -> None:
    """Write the [[allow]] entry to the configuration at `path`, and verify it. If that fails, restore the file."""
    from tflint.config.config_edit import add_allow, require_added
    from tflint.contract.schema_directive import schema_directive

    file = output_file.prepare_derived(path, output_file.CONFIGURATION)
    before = f"{schema_directive('config', Path(path).parent)}\n" if is_new else read_text(path)
    file.write(add_allow(path, before, entry))
    try:
        require_added(path, before, read_text(path), entry)
        load_config(path, is_trusted=False)
    except UserError as error:
        if is_new:
            Path(path).unlink()
        else:
            file.write(before)
        raise UserError(f"the entry could not be written; '{path}' is unchanged: {error.message}") from error
