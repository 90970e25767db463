"""`tflint contract`: drafts a contract for a model, checks its form, and shows what it asks of a caller."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import console, output
from tflint.cli.check import load_named_or_nearest
from tflint.config import Config
from tflint.errors import UserError
from tflint.findings.paths import MEMBER
from tflint.importing.dispatch import ECOSYSTEMS
from tflint.report.layout import WIDTH, broken
from tflint.report.names import clean, plural

if TYPE_CHECKING:
    from tflint.contract import Contract
    from tflint.observing import Observed

#: The languages that a recipe can be written in.
LANGUAGES = ("numpy", "c", "kotlin", "swift", "dart", "js")


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "contract",
        help="draft, inspect and export preprocessing contracts",
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
    importing = actions.add_parser("import", help="fill it from the file of another ecosystem")
    importing.add_argument("source", metavar="FILE|NAME", help="the ecosystem's own file, or a model's name there")
    importing.add_argument("--from", dest="ecosystem", choices=ECOSYSTEMS, required=True, help="whose file it is")
    importing.add_argument(
        "--into", metavar="FILE", help="the contract to fill, or a model: its contract, drafted where there is none"
    )
    importing.add_argument("--input", metavar="NAME", help="name or number of the contract's input that it is about")
    importing.add_argument("--force", action="store_true", help="replace what the contract says otherwise")
    importing.set_defaults(run=run_import)
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
    observing = actions.add_parser("observe", help="write the observed range of real data into a contract")
    observing.add_argument("file", metavar="CONTRACT", help="the contract, or the model that it lies beside")
    observing.add_argument(
        "--data", metavar="PATH", required=True, help="a .npy file, .npz file or image, or a folder of these"
    )
    observing.add_argument("--model", metavar="MODEL", help="the model it is for (default: the one beside it)")
    observing.add_argument("--dry-run", action="store_true", help="print what was seen, and write nothing")
    observing.set_defaults(run=run_observe)


def run_init(options: argparse.Namespace) -> int:
    """Write a draft; returns the exit code."""
    from tflint.contract import SUFFIX

    if options.output == "-":
        console.print_text(_draft(options.model))
        return 0
    if MEMBER in options.model and not options.output:
        raise UserError(
            f"'{options.model}' lies in a bundle, where no contract can lie beside it", hint="--output FILE"
        )
    beside = Path(options.model).with_name(Path(options.model).stem + SUFFIX).as_posix()
    output.require_free(options.output or beside, force=options.force)
    file = output.named(options.output, output.CONTRACT) if options.output else output.derived(beside, output.CONTRACT)
    file.write(_draft(options.model))
    console.print_lines([f"{file.path}: a draft; confirm what it guesses, then delete draft = true"])
    return 0


def _draft(path: str) -> str:
    """The draft of a contract for a model."""
    from tflint.api import load_readable
    from tflint.drafting import draft
    from tflint.facts.facts import Facts
    from tflint.portrait.gather import portrait_of

    model = load_readable(path)
    return draft(portrait_of(Facts(model.tables), model.name))


def run_import(options: argparse.Namespace) -> int:
    """Fill a contract, or print one; returns the exit code."""
    from tflint.contract.edit import comment
    from tflint.importing import import_preparation
    from tflint.importing.fill import contract_of, fill

    imported = import_preparation(options.ecosystem, options.source)
    if options.into is None:
        notes = [f"# {comment(line)}" for line in (f"From {imported.source}.", *imported.unsaid)]
        console.print_text("\n".join(notes) + "\n\n" + contract_of(imported, "the import").text)
        return 0
    contract = _contract_to_fill(options.into)
    done = fill(contract, imported, options.input, over=options.force)
    output.derived(contract.path, output.CONTRACT).write(done.contract.text)
    lines = [f"{contract.path}: {imported.source}: {', '.join(done.filled) or 'nothing that it does not say'}"]
    lines += (
        [f"  kept, and other than what was read: {', '.join(done.kept)} (--force replaces it)"] if done.kept else []
    )
    lines += [f"  {sentence}" for sentence in (*done.left, *imported.unsaid)]
    console.print_lines(_fitted(lines))
    return 0


def _contract_to_fill(path: str) -> Contract:
    """A contract; of a model the one beside it, or a draft where none is."""
    from tflint.contract import SUFFIX, load_contract, parse_contract
    from tflint.contract.find import contract_beside, load_found

    if path.endswith(".toml"):
        return load_contract(path)
    beside = contract_beside(path)
    if beside is not None:
        return load_found(beside)
    place = Path(path).with_name(Path(path).stem + SUFFIX).as_posix()
    return parse_contract(_draft(path), place)


def run_check(options: argparse.Namespace) -> int:
    """Read contracts; what is wrong with one is an error of the run. Returns the exit code."""
    from tflint.contract import load_contract

    for path in options.files:
        contract = load_contract(path)
        entries = f"{plural(len(contract.inputs), 'input')}, {plural(len(contract.outputs), 'output')}"
        console.print_lines([f"{path}: in order ({entries}); 'tflint check {path}' compares it with its model"])
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print the recipe of a contract; returns the exit code."""
    from tflint.calling.find import contradicting, recipe_at, standing

    recipe, model = recipe_at(options.file, options.model)
    against = contradicting(recipe, model, _config())
    if options.language == "numpy":
        from tflint.calling.numpy_code import numpy_code

        console.print_verbatim(numpy_code(recipe, against))
    elif options.language:
        from tflint.calling.languages import code_in

        console.print_verbatim(code_in(options.language, recipe, against))
    elif options.format == "json":
        from tflint.calling.data import render

        console.print_json(render(recipe, against))
    else:
        from tflint.calling.words import words

        console.print_text(words(recipe, standing(recipe, against)))
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write a copy of a model with its contract as metadata; returns the exit code."""
    from tflint.calling.find import contradicting, recipe_at
    from tflint.exporting import exported

    source = Path(options.model)
    if not source.is_file():
        raise UserError(f"there is no file '{options.model}'", hint="a model in a bundle has to be unpacked first")
    file = _copy_of(source, options)
    recipe, model = recipe_at(options.contract or options.model, options.model)
    assert model is not None, "it is given"
    against = contradicting(recipe, model, _config())
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
    console.print_lines(_fitted(lines))
    return 0


def _copy_of(source: Path, options: argparse.Namespace) -> output.OutputFile:
    """The file for the copy of a model: never the model itself."""
    path = str(options.output or source.with_name(f"{source.stem}_metadata{source.suffix}"))
    output.require_free(path, force=options.force)
    if Path(path).exists() and source.samefile(path):
        raise UserError(f"'{path}' is the model itself; export writes a copy", hint="name another file")
    return output.named(path, output.MODEL) if options.output else output.derived(path, output.MODEL)


def _fitted(lines: Sequence[str]) -> list[str]:
    """Lines of an answer, none wider than a screen."""
    return [part for line in lines for part in broken(clean(line), WIDTH, 4)]


def _config() -> Config:
    """The nearest configuration, as a check of the model has it."""
    return load_named_or_nearest(None)


def run_observe(options: argparse.Namespace) -> int:
    """Write the ranges of data into a contract; returns the exit code."""
    from tflint.calling.find import recipe_at
    from tflint.contract.edit import filled
    from tflint.observing import observe

    recipe, _ = recipe_at(options.file, options.model)
    file = None if options.dry_run else output.derived(recipe.contract.path, output.CONTRACT)
    found = observe(options.data, recipe)
    console.print_lines(line for seen in found for line in _seen(seen))
    if file is not None:
        changes = {("inputs", seen.feeding.number): {"observed": seen.entry()} for seen in found}
        contract = filled(recipe.contract, changes)
        file.write(contract.text)
        hint = f"'tflint check {contract.path}' compares it" if recipe.model else "no model lies beside it"
        console.print_lines([f"{contract.path}: wrote 'observed'; {hint}"])
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
