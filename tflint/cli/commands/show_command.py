"""`tflint show`: prints a summary of one model as text, as JSON, or as one fact per line for diffs."""

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

#: Hints for files that are not models, by kind of file.
_HINTS = {
    "git-lfs-pointer": "run git lfs pull to fetch the model",
    "html": "download the model again: this is an error page of the server",
    "truncated": "copy or download the model again",
    "empty": "copy or download the model again",
    "gzip": "unpack it first",
    "zip": "unpack it first",
}


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "show",
        help="summarize a model",
        description="Summarize a model: inputs and outputs, quantization scheme, runtime, memory, sizes, metadata.",
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="model to summarize")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.add_argument(
        "--plain", action="store_true", help="print one fact per line, for diffs (git config diff.tflite.textconv)"
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="use colors (default: on a terminal)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the summary; return the exit code."""
    if options.plain and options.format == "json":
        raise UserError("--plain and --format json exclude each other", hint="choose one")
    path = _require_one_model(options.models)
    from tflint.api import load

    try:
        model = load(path)
    except UserError:
        if not (options.plain and Path(path).is_file()):
            raise
        console.print_text(_format_container(path))
    else:
        _print(model, options)
    return 0


def _require_one_model(models: list[str]) -> str:
    if len(models) > 1:
        raise UserError(f"show takes one model, not {len(models)}", hint="run the command for each model")
    if models[0] and Path(models[0]).is_dir():
        raise UserError(f"'{models[0]}' is a folder", hint="name a model in it; 'tflint check' accepts folders")
    return models[0]


def _print(model: Model, options: argparse.Namespace) -> None:
    (file,) = model.tables.files
    if not model.is_readable:
        if options.plain:
            console.print_text(_format_file(file))
            return
        hint = _HINTS.get(file.kind.kind, "'tflint check' shows details")
        raise UserError(f"'{model.name}' is {_describe_file(file)}", hint=hint)
    summary = _summarize(model)
    if options.plain:
        from tflint.summary import plain_lines

        console.print_text(plain_lines.render(summary))
    elif options.format == "json":
        from tflint.summary import summary_json

        console.print_json(summary_json.render(summary))
    else:
        from tflint.report.text_layout import Style
        from tflint.summary.summary_text import render

        style = Style(console.wants_color(options.color, sys.stdout), width=console.output_width(sys.stdout))
        console.print_text(render(summary, style), has_color=style.color)


def _summarize(model: Model) -> Summary:
    """Return the summary of a model. Raises `UserError` if reading its file fails."""
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


def _describe_file(file: FileFacts) -> str:
    """Describe what kind of file it is, and why it is not a readable model."""
    if file.kind.kind == "unreadable":
        return f"unreadable: {file.kind.detail}"
    if file.reason is None:
        return f"{file.kind.detail}, not a model"
    offset = f" (byte {file.reason_offset:,})" if file.reason_offset is not None else ""
    return f"{file.kind.detail}: {file.reason}{offset}"


def _format_file(file: FileFacts) -> str:
    """Return the lines for a file that is not a readable model.

    A Git textconv must succeed for these too: a Git history may contain LFS pointers and invalid files, and Git stops
    the whole diff if a textconv fails.
    """
    lines = [f"file {file.kind.kind}", f"size file {file.size}"]
    if file.kind.lfs_oid:
        lines.append(f"lfs oid {file.kind.lfs_oid}")
    if file.kind.lfs_size is not None:
        lines.append(f"lfs size {file.kind.lfs_size}")
    return "\n".join(lines) + "\n"


def _format_container(path: str) -> str:
    from tflint.model.tables import FileFacts
    from tflint.source import FileSource
    from tflint.source.file_kind import detect_kind

    with FileSource(path) as source:
        return _format_file(FileFacts(detect_kind(source), source.size))
