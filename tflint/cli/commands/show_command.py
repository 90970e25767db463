"""`tflint show`: prints summaries of models as text, as JSON, or as one fact per line for diffs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import console
from tflint.cli.exit_codes import OK, USAGE
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER

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
        help="summarize models",
        description="Summarize models: inputs and outputs, quantization scheme, runtime, memory, sizes, metadata. A "
        "container stands for the models in it.",
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="models and containers to summarize")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.add_argument(
        "--plain", action="store_true", help="print one fact per line, for diffs (git config diff.tflite.textconv)"
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="use colors (default: on a terminal)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the summaries; return the exit code."""
    if options.plain and options.format == "json":
        raise UserError("--plain and --format json exclude each other", hint="choose one")
    _require_files(options.models)
    if options.plain:
        for path in options.models:
            if len(options.models) > 1:
                console.print_lines([f"path {path}"])
            _print_plain(path)
        return OK
    if options.format == "json":
        return _print_json(options.models)
    return _print_text(options)


def _require_files(paths: list[str]) -> None:
    """Raise `UserError` for a path that does not exist or is a folder, before anything is printed."""
    from tflint.runner.model_loader import require_existing

    for path in paths:
        if path and Path(path).is_dir():
            raise UserError(f"'{path}' is a folder", hint="name models in it; 'tflint check' accepts folders")
        require_existing(path)


def _load(path: str) -> Iterator[Model]:
    from tflint.runner.model_loader import load_with_members

    return load_with_members(path)


def _print_text(options: argparse.Namespace) -> int:
    """Print the summaries, separated by empty lines. An unreadable model is only reported if there are others."""
    from tflint.report.text_layout import Style
    from tflint.summary import container_text
    from tflint.summary.summary_text import render

    style = Style(console.wants_color(options.color, sys.stdout), width=console.output_width(sys.stdout))
    code, is_first = OK, True
    for path in options.models:
        for model in _load(path):
            contents = _contents_of(model)
            try:
                if contents is not None:
                    text = container_text.render(model.name, contents, model.opened.size, style)
                else:
                    text = render(_summarize(model), style)
            except UserError as error:
                code = _report(error, is_alone=model.name == path and len(options.models) == 1)
                continue
            console.print_text(text if is_first else f"\n{text}", has_color=style.color)
            is_first = False
    return code


def _print_json(paths: list[str]) -> int:
    """Print the summary of a model as an object. Print an array for several models and for a container."""
    from tflint.summary import summary_json

    code, summaries, is_array = OK, [], len(paths) > 1
    for path in paths:
        for model in _load(path):
            if _contents_of(model) is not None:
                is_array = True
                continue
            try:
                summaries.append(summary_json.to_data(_summarize(model)))
            except UserError as error:
                code = _report(error, is_alone=not is_array)
    console.print_json(summary_json.render_data(summaries if is_array else summaries[0]))
    return code


def _report(error: UserError, *, is_alone: bool) -> int:
    """Raise the error of the only model; print that of one of several, and return the exit code."""
    if is_alone:
        raise error
    console.print_notice(str(error))
    return USAGE


def _print_plain(path: str) -> None:
    """Print the facts of a model, or those of a container with the name of the member before each."""
    from tflint.summary import container_text, plain_lines

    for model in _load(path):
        contents = _contents_of(model)
        if contents is not None:
            text = "".join(f"{line}\n" for line in container_text.plain_lines(contents, model.opened.size))
        elif model.is_readable:
            text = plain_lines.render(_summarize(model))
        else:
            text = _format_file(model.tables.files[0])
        _, _, member = model.name.removeprefix(path).partition(MEMBER)
        prefix = f"member {console.escape_newlines(member)} " if member else ""
        console.print_text("".join(f"{prefix}{line}\n" for line in text.splitlines()))


def _contents_of(model: Model) -> Any:
    """Return the contents of a container that can be listed, else None."""
    contents = model.opened.contents
    return contents if contents is not None and contents.reason is None else None


def _summarize(model: Model) -> Summary:
    """Return the summary of a model. Raises `UserError` if it is not a readable model, or reading its file fails."""
    from tflint.facts.facts import FactError, Facts
    from tflint.source import SourceError
    from tflint.summary.summarize import summarize

    if not model.is_readable:
        (file,) = model.tables.files
        hint = _HINTS.get(file.kind.kind, "'tflint check' shows details")
        raise UserError(f"'{model.name}' is {_describe_file(file)}", hint=hint)
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
