"""`tflint contract export`: writes a contract into a copy of its model as TFLite metadata."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tflint.cli import console, output_file
from tflint.cli.config_options import load_named_or_nearest
from tflint.errors import UserError


def add_parser(verbs: Any) -> None:
    """Add the verb's parser."""
    parser = verbs.add_parser("export", help="write the contract into a copy of its model, as TFLite metadata")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--to", choices=("tflite-metadata",), default="tflite-metadata", help="(default: the only one)")
    parser.add_argument("--contract", metavar="FILE", help="the contract (default: the one next to the model)")
    parser.add_argument("--output", metavar="FILE", help="the copy (default: MODEL with _metadata in its name)")
    parser.add_argument("--force", action="store_true", help="replace an existing file; export despite contradictions")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write a copy of a model with its contract as metadata; return the exit code."""
    from tflint.cli.contract_agreement import contradicting_rules
    from tflint.preprocessing.export import exported
    from tflint.preprocessing.recipe.recipe_search import recipe_at

    source = Path(options.model)
    if not source.is_file():
        raise UserError(f"there is no file '{options.model}'", hint="a model in a bundle has to be unpacked first")
    file = _copy_of(source, options)
    recipe, model = recipe_at(options.contract or options.model, options.model)
    assert model is not None, "it is given"
    against = contradicting_rules(recipe, model, load_named_or_nearest(None))
    if against and not options.force:
        raise UserError(
            f"'{recipe.contract.path}' does not fit '{options.model}': {', '.join(against)}",
            hint=f"'tflint check {options.model}' says more; --force writes it all the same",
        )
    made = exported(recipe, model, source.read_bytes())
    file.write(made.content)
    lines = [f"{Path(file.path).as_posix()}: {options.model} with the metadata of {recipe.contract.path}"]
    lines += ["  the contract is a draft: keys it leaves out are not exported"] if recipe.is_draft else []
    lines += [f"  packed into it: {', '.join(made.packed)}"] if made.packed else []
    lines += [f"  only named: {', '.join(made.unpacked)}"] if made.unpacked else []
    lines += [f"  metadata has no words for: {', '.join(made.unheld)}"] if made.unheld else []
    console.print_lines(console.fit_lines(lines))
    return 0


def _copy_of(source: Path, options: argparse.Namespace) -> output_file.OutputFile:
    """The file for the copy of a model: never the model itself."""
    path = str(options.output or source.with_name(f"{source.stem}_metadata{source.suffix}"))
    output_file.require_free(path, force=options.force)
    if Path(path).exists() and source.samefile(path):
        raise UserError(f"'{path}' is the model itself; export writes a copy", hint="name another file")
    return (
        output_file.prepare_named(path, output_file.MODEL)
        if options.output
        else output_file.prepare_derived(path, output_file.MODEL)
    )
