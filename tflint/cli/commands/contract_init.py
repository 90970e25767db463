"""`tflint contract init`: drafts a contract for a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tflint.cli import console, output_file
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER


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

    if options.output == "-":
        console.print_text(draft_text(options.model))
        return 0
    if MEMBER in options.model and not options.output:
        raise UserError(
            f"'{options.model}' is in a bundle, so the contract cannot be next to it", hint="add --output FILE"
        )
    default = Path(options.model).with_name(Path(options.model).stem + SUFFIX).as_posix()
    output_file.require_free(options.output or default, force=options.force)
    file = (
        output_file.prepare_named(options.output, output_file.CONTRACT)
        if options.output
        else output_file.prepare_derived(default, output_file.CONTRACT)
    )
    file.write(draft_text(options.model))
    console.print_lines([f"{file.path}: a draft; confirm its guesses, then delete draft = true"])
    return 0


def draft_text(path: str) -> str:
    """Return the text of a draft for the model at a path."""
    from tflint.facts.facts import Facts
    from tflint.preprocessing.draft import draft_contract
    from tflint.runner.model_loader import load_readable
    from tflint.summary.summarize import summarize

    model = load_readable(path)
    return draft_contract(summarize(Facts(model.tables), model.name))
