"""`tflint contract export`: writes a contract into a copy of its model as TFLite metadata."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tflint.cli import console, output_file
from tflint.cli.config_options import load_named_or_nearest
from tflint.errors import UserError


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("export", help="write a contract into a copy of its model, as TFLite metadata")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--to", choices=("tflite-metadata",), default="tflite-metadata", help="format (default: tflite-metadata)"
    )
    parser.add_argument("--contract", metavar="FILE", help="contract (default: the one next to the model)")
    parser.add_argument("--output", metavar="FILE", help="output file (default: MODEL with _metadata in its name)")
    parser.add_argument("--force", action="store_true", help="replace an existing file; export despite contradictions")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write a copy of a model with its contract as metadata; return the exit code."""
    from tflint.inspection import contradicting_rules
    from tflint.preprocessing.export import export_metadata
    from tflint.preprocessing.recipe.recipe_search import load_recipe

    source = Path(options.model)
    if not source.is_file():
        raise UserError(f"'{options.model}' is not a file", hint="unpack a model in a bundle first")
    file = _prepare_copy(source, options)
    recipe, model = load_recipe(options.contract or options.model, options.model)
    assert model is not None, "the model is an argument"
    rules = contradicting_rules(recipe, model, load_named_or_nearest(None))
    if rules and not options.force:
        raise UserError(
            f"'{recipe.contract.path}' contradicts '{options.model}': {', '.join(rules)}",
            hint=f"'tflint check {options.model}' shows details; --force exports anyway",
        )
    result = export_metadata(recipe, model, source.read_bytes())
    file.write(result.content)
    lines = [f"{Path(file.path).as_posix()}: {options.model} with the metadata of {recipe.contract.path}"]
    lines += ["  the contract is a draft: missing keys are not exported"] if recipe.is_draft else []
    if result.runtime_version is not None:
        lines.append(f"  min_runtime_version {result.runtime_version}, computed from the operators")
    lines += [f"  packed files: {', '.join(result.packed)}"] if result.packed else []
    lines += [f"  named but not packed: {', '.join(result.unpacked)}"] if result.unpacked else []
    lines += [f"  not expressible in metadata: {', '.join(result.lost_keys)}"] if result.lost_keys else []
    console.print_lines(console.fit_lines(lines))
    return 0


def _prepare_copy(source: Path, options: argparse.Namespace) -> output_file.OutputFile:
    """Return the output file for the copy. Raises `UserError` if it is the model itself."""
    path = str(options.output or source.with_name(f"{source.stem}_metadata{source.suffix}"))
    output_file.require_free(path, force=options.force)
    if Path(path).exists() and source.samefile(path):
        raise UserError(f"'{path}' is the model itself; export writes a copy", hint="name another file")
    return (
        output_file.prepare_named(path, output_file.MODEL)
        if options.output
        else output_file.prepare_derived(path, output_file.MODEL)
    )
