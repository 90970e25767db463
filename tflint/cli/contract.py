"""`tflint contract`: drafts a contract for a model, checks its form, and shows what it asks of a caller."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import output
from tflint.errors import UserError
from tflint.report.names import plural

if TYPE_CHECKING:
    from tflint.observing import Observed

#: The languages that a recipe can be written in.
LANGUAGES = ("numpy", "c", "kotlin", "swift", "dart", "js")


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "contract",
        help="draft what a model's caller has to do, or look at it",
        description="Contracts: what a caller does before and after a model.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    drafting = actions.add_parser("init", help="draft a contract from what a model says")
    drafting.add_argument("model", metavar="MODEL")
    drafting.add_argument(
        "--output", metavar="FILE", help="where to write it (default: beside the model; '-': print it)"
    )
    drafting.add_argument("--force", action="store_true", help="write over a contract that is there")
    drafting.set_defaults(run=run_init)
    checking = actions.add_parser("check", help="check the form of contracts, by themselves")
    checking.add_argument("files", nargs="+", metavar="FILE")
    checking.set_defaults(run=run_check)
    showing = actions.add_parser("show", help="what a caller has to do, in words and as code")
    showing.add_argument("file", metavar="FILE", help="a contract, or the model that one lies beside")
    showing.add_argument("--model", metavar="MODEL", help="the model it is for (default: the one beside it)")
    form = showing.add_mutually_exclusive_group()
    form.add_argument("--as", dest="language", choices=LANGUAGES, help="code in this language alone")
    form.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    showing.set_defaults(run=run_show)
    exporting = actions.add_parser("export", help="write it into a copy of its model, as TFLite metadata")
    exporting.add_argument("model", metavar="MODEL")
    exporting.add_argument(
        "--to", choices=("tflite-metadata",), default="tflite-metadata", help="(default: the only one)"
    )
    exporting.add_argument("--contract", metavar="FILE", help="the contract (default: the one beside the model)")
    exporting.add_argument("--output", metavar="FILE", help="the copy (default: MODEL with _metadata in its name)")
    exporting.add_argument("--force", action="store_true", help="write over a file, or what contradicts the model")
    exporting.set_defaults(run=run_export)
    observing = actions.add_parser("observe", help="write the range of real data into it")
    observing.add_argument("file", metavar="CONTRACT", help="the contract, or the model that it lies beside")
    observing.add_argument(
        "--data", metavar="PATH", required=True, help="a .npy, .npz or picture, or a folder of these"
    )
    observing.add_argument("--model", metavar="MODEL", help="the model it is for (default: the one beside it)")
    observing.add_argument("--dry-run", action="store_true", help="print what was seen, and write nothing")
    observing.set_defaults(run=run_observe)


def run_init(options: argparse.Namespace) -> int:
    """Write a draft; returns the exit code."""
    from tflint.api import load
    from tflint.contract import SUFFIX
    from tflint.drafting import draft
    from tflint.facts.facts import Facts
    from tflint.portrait.gather import portrait_of

    model = load(options.model)
    if not model.is_readable:
        raise UserError(f"'{model.name}' is no model that can be read", hint=f"'tflint check {model.name}' says why")
    text = draft(portrait_of(Facts(model.tables), model.name))
    if options.output == "-":
        output.write(text)
        return 0
    path = Path(options.output or Path(options.model).with_name(Path(options.model).stem + SUFFIX))
    _require_free(path, force=options.force)
    output.require_writable(str(path))
    output.write(text, str(path))
    output.write(f"{path.as_posix()}: a draft; confirm what it guesses, then delete draft = true\n")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Read contracts; what is wrong with one is an error of the run. Returns the exit code."""
    from tflint.contract import load_contract

    for path in options.files:
        contract = load_contract(path)
        entries = f"{plural(len(contract.inputs), 'input')}, {plural(len(contract.outputs), 'output')}"
        output.write(f"{path}: in order ({entries}); 'tflint check {path}' compares it with its model\n")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print the recipe of a contract; returns the exit code."""
    from tflint.calling.find import recipe_at, standing
    from tflint.calling.words import words

    recipe = recipe_at(options.file, options.model)
    if options.language == "numpy":
        from tflint.calling.numpy_code import numpy_code

        output.write(numpy_code(recipe))
    elif options.language:
        from tflint.calling.languages import code_in

        output.write(code_in(options.language, recipe))
    elif options.format == "json":
        from tflint.calling.data import render

        output.write(render(recipe))
    else:
        output.write(words(recipe, standing(recipe)))
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write a copy of a model with its contract as metadata; returns the exit code."""
    from tflint.api import load
    from tflint.calling.find import contradicting, recipe_at
    from tflint.exporting import exported

    model = Path(options.model)
    path = Path(options.output or model.with_name(f"{model.stem}_metadata{model.suffix}"))
    recipe = recipe_at(options.contract or options.model, options.model)
    against = contradicting(recipe)
    if against and not options.force:
        raise UserError(
            f"'{recipe.contract.path}' does not fit '{options.model}': {', '.join(against)}",
            hint=f"'tflint check {options.model}' says more; --force writes it all the same",
        )
    _require_free(path, force=options.force)
    output.require_writable(str(path))
    loaded = load(options.model)
    made = exported(recipe, model.read_bytes(), loaded.tables.extras[0].metadata)
    output.write_bytes(made.content, str(path))
    lines = [f"{path.as_posix()}: {options.model} with the metadata of {recipe.contract.path}"]
    lines += [f"  packed into it: {', '.join(made.packed)}"] if made.packed else []
    lines += [f"  not found, and only named: {', '.join(made.missing)}"] if made.missing else []
    lines += [f"  metadata has no words for: {', '.join(made.unheld)}"] if made.unheld else []
    output.write("\n".join(lines) + "\n")
    return 0


def _require_free(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise UserError(f"'{path}' is there already", hint="--force writes over it")


def run_observe(options: argparse.Namespace) -> int:
    """Write the ranges of data into a contract; returns the exit code."""
    from tflint.calling.find import recipe_at
    from tflint.contract.edit import filled
    from tflint.observing import observe

    recipe = recipe_at(options.file, options.model)
    contract = recipe.contract
    found = observe(options.data, recipe)
    for seen in found:
        output.write("\n".join(_seen(seen)) + "\n")
        contract = filled(contract, "inputs", seen.feeding.number, {"observed": seen.entry()})
    if not options.dry_run:
        output.write(contract.text, contract.path)
        hint = f"'tflint check {contract.path}' compares it" if recipe.model else "no model lies beside it"
        output.write(f"{contract.path}: observed is written; {hint}\n")
    return 0


def _seen(seen: Observed) -> Iterator[str]:
    """What data holds, and what the input cannot hold of it."""
    numbers = f"{plural(seen.n_samples, 'sample')}, {seen.n_values:,} values"
    yield f'input {seen.feeding.position} "{seen.feeding.name}": {numbers}'
    pairs = zip(seen.low, seen.high, strict=True)
    yield f"  the data   {', '.join(f'{low:.6g} … {high:.6g}' for low, high in pairs)}"
    if seen.held is not None:
        low, high = seen.held
        yield f"  it holds   {low:.6g} … {high:.6g}, of which the data uses {seen.used:.0%}"
        n_clipped = seen.n_below + seen.n_above
        if n_clipped:
            share = n_clipped / seen.n_values
            yield f"  clipped    {n_clipped:,} values, {share:.2%}: {seen.n_below:,} below, {seen.n_above:,} above"
