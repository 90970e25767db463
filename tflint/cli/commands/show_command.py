"""`tflint show`: what one model is, on one screen; or as lines for diffs, or as JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import console
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.api import Model
    from tflint.model.tables import FileFacts
    from tflint.summary.summary_values import Summary

#: What to do about a file that is no model, by what it is.
_HINTS = {
    "git-lfs-pointer": "git lfs pull fetches the model itself",
    "html": "download the model anew: this is what the server said instead",
    "truncated": "copy or download the model anew",
    "empty": "copy or download the model anew",
    "gzip": "unpack it first",
    "zip": "unpack it first",
}


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "show",
        help="what a model is, on one screen",
        description="What a model is: inputs and outputs, scheme, runtime, memory, sizes, metadata.",
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="one model")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.add_argument(
        "--plain", action="store_true", help="one fact a line, stable: for diffs (git config diff.tflite.textconv)"
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colors (default: on a terminal)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the portrait; returns the exit code."""
    if options.plain and options.format == "json":
        raise UserError("--plain and --format json are two formats", hint="choose one")
    path = _only(options.models)
    from tflint.api import load

    try:
        model = load(path)
    except UserError:
        if not (options.plain and Path(path).is_file()):
            raise
        console.print_text(_plain_container(path))
    else:
        _print(model, options)
    return 0


def _only(models: list[str]) -> str:
    """The one path; `UserError` for several and for a folder."""
    if len(models) > 1:
        raise UserError(f"show takes one model, not {len(models)}", hint="run it for each of them")
    if models[0] and Path(models[0]).is_dir():
        raise UserError(f"'{models[0]}' is a folder", hint="name a model in it; 'tflint check' looks at folders")
    return models[0]


def _print(model: Model, options: argparse.Namespace) -> None:
    (file,) = model.tables.files
    if not model.is_readable:
        if options.plain:
            console.print_text(_plain_file(file))
            return
        raise UserError(f"'{model.name}' is {_what(file)}", hint=_HINTS.get(file.kind.kind, "'tflint check' says more"))
    portrait = _portrait(model)
    if options.plain:
        from tflint.summary import plain_lines

        console.print_text(plain_lines.render(portrait))
    elif options.format == "json":
        from tflint.summary import summary_json

        console.print_json(summary_json.render(portrait))
    else:
        from tflint.report.text_layout import Style
        from tflint.summary.summary_text import render

        style = Style(console.wants_color(options.color, sys.stdout), width=console.output_width(sys.stdout))
        console.print_text(render(portrait, style), has_color=style.color)


def _portrait(model: Model) -> Summary:
    """The portrait; `UserError` where the file can no longer be read in the middle of it."""
    from tflint.facts.facts import FactError, Facts
    from tflint.source import SourceError
    from tflint.summary.summarize import summarize

    try:
        return summarize(Facts(model.tables), model.name)
    except (SourceError, FactError) as error:
        cause = error if isinstance(error, SourceError) else error.__cause__
        if not isinstance(cause, SourceError):
            raise
        raise UserError(f"'{model.name}' cannot be read: {cause.reason}") from error


def _what(file: FileFacts) -> str:
    """What a file is that is no model, or a broken one."""
    if file.kind.kind == "unreadable":
        return f"a file that cannot be read: {file.kind.detail}"
    if file.reason is None:
        return f"{file.kind.detail}, no model"
    where = f" (byte {file.reason_offset:,})" if file.reason_offset is not None else ""
    return f"{file.kind.detail}: {file.reason}{where}"


def _plain_file(file: FileFacts) -> str:
    """The lines for a file that is no model.

    Git stops a whole diff where its textconv fails, and histories hold pointers and broken files.
    """
    lines = [f"file {file.kind.kind}", f"size file {file.size}"]
    if file.kind.lfs_oid:
        lines.append(f"lfs oid {file.kind.lfs_oid}")
    if file.kind.lfs_size is not None:
        lines.append(f"lfs size {file.kind.lfs_size}")
    return "\n".join(lines) + "\n"


def _plain_container(path: str) -> str:
    """The lines for a file that holds models, whatever it is called."""
    from tflint.model.tables import FileFacts
    from tflint.source import FileSource
    from tflint.source.file_kind import kind_of

    with FileSource(path) as source:
        return _plain_file(FileFacts(kind_of(source), source.size))
