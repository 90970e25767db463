"""`tflint contract init`: drafts a contract for a model."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path, PurePosixPath
from typing import Any

from tflint.cli import console, output_file
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER
from tflint.program_name import program_name
from tflint.userfiles.toml_strings import quote


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("init", help="draft a contract from the metadata and the graph of a model")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--output", metavar="FILE", help="output file, or - for standard output (default: next to the model)"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing contract")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write a draft; return the exit code."""
    from tflint.contract import SUFFIX

    if MEMBER not in options.model:
        _require_model(options.model)
    if options.output == "-":
        console.print_text(draft_text(options.model, Path(options.model).parent))
        return 0
    if MEMBER in options.model and not options.output:
        raise UserError(
            f"'{options.model}' is in a bundle, so the contract cannot be next to it",
            hint=f"write it to a file: {_member_command(options.model)}",
        )
    default = Path(options.model).with_name(Path(options.model).stem + SUFFIX).as_posix()
    output_file.require_free(options.output or default, force=options.force)
    file = (
        output_file.prepare_named(options.output, output_file.CONTRACT)
        if options.output
        else output_file.prepare_derived(default, output_file.CONTRACT)
    )
    file.write(draft_text(options.model, Path(file.path).parent))
    lines = [f"{file.path}: a draft; confirm its guesses, then delete draft = true"]
    if MEMBER in options.model and options.model.isprintable():
        entry = f"{quote(options.model)} = {quote(Path(file.path).as_posix())}"
        lines.append(f"  to use it, add under [contracts] in the configuration: {entry}")
    console.print_lines(lines)
    return 0


def _require_model(path: str) -> None:
    """Raise `UserError` for a container. Its hint has the commands for the models in it."""
    from tflint.runner.model_loader import MAX_NAMED, list_models

    models = list_models(path)
    if models:
        commands = [_member_command(model) for model in models[:MAX_NAMED]]
        more = f"; and {len(models) - MAX_NAMED:,} more" if len(models) > MAX_NAMED else ""
        what = f"'{path}' is a container of models, not a model"
        raise UserError(what, hint=f"draft one contract per model: {'; '.join(commands)}{more}")


def _member_command(path: str) -> str:
    """Return the command that drafts the contract of a model in a container."""
    from tflint.contract import SUFFIX

    output = PurePosixPath(path.rpartition(MEMBER)[2]).stem + SUFFIX
    return f"{program_name()} contract init {shlex.quote(path)} --output {shlex.quote(output)}"


def draft_text(path: str, folder: Path) -> str:
    """Return the text of a draft for the model at a path. `folder` is the folder of the contract."""
    from tflint.contract.schema_directive import schema_directive
    from tflint.inspection import draft_contract
    from tflint.runner.model_loader import load_readable

    return f"{schema_directive('contract', folder)}\n{draft_contract(load_readable(path))}"
