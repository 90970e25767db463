"""Prints what a run would check, and with which settings: `--show-files` and `--show-settings`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from tflint.cli import console
from tflint.cli.exit_codes import OK
from tflint.config import Config, Configurations
from tflint.findings.path_globs import relative_to_folder
from tflint.source.model_search import Selection


def print_selection(selection: Selection, options: argparse.Namespace, configurations: Configurations) -> int:
    """Print the selected files, the settings of their configurations, or both; return the exit code."""
    placed = [(path, configurations.of(path)) for path in selection.paths]
    if options.show_files:
        console.print_lines([f"{path}  ({_name(config)})" for path, config in placed])
    if options.show_settings:
        distinct = {id(config): config for _, config in placed} or {0: configurations.of_folder(".")}
        for config in distinct.values():
            n_files = sum(one is config for _, one in placed)
            console.print_lines(_format_settings(config, n_files))
    return OK


def _name(config: Config) -> str:
    return relative_to_folder(".", config.origin) if config.origin else "no configuration"


def _format_settings(config: Config, n_files: int) -> Iterator[str]:
    """Yield the settings of a configuration that differ from the defaults, in the notation of TOML."""
    yield f"# {_name(config)}: {n_files:,} {'file' if n_files == 1 else 'files'}"
    for key, value in config.changes().items():
        if key == "allow":
            yield f"# {value:,} {'suppression' if value == 1 else 'suppressions'} in [[allow]]"
        else:
            yield f"{key} = {_format_value(value)}"


def _format_value(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)} = {_format_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_format_value, value))}]"
    return json.dumps(value, ensure_ascii=False)
