"""`tflint contract observe`: measures the range of sample data and writes it into a contract."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.cli import console, output_file
from tflint.program_name import program_name
from tflint.report.display_names import plural

if TYPE_CHECKING:
    from tflint.preprocessing.observe import Observation, Observed


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("observe", help="write the observed range of sample data into a contract")
    parser.add_argument("file", metavar="CONTRACT", help="contract, or a model with a contract next to it")
    parser.add_argument(
        "--data", metavar="PATH", required=True, help=".npy file, .npz file or image, or a folder of these"
    )
    parser.add_argument("--model", metavar="MODEL", help="model of the contract (default: the one next to it)")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_parse_limit,
        help="read at most N files, spread evenly over the data (default: all)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the range, but do not write it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the observed ranges into a contract; return the exit code."""
    from tflint.cli.progress import Progress
    from tflint.contract.contract_edit import require_tomlkit, set_keys
    from tflint.preprocessing.observe import observe
    from tflint.preprocessing.recipe.recipe_search import load_recipe

    recipe, _ = load_recipe(options.file, options.model)
    file = None if options.dry_run else output_file.prepare_derived(recipe.contract.path, output_file.CONTRACT)
    if file is not None:
        require_tomlkit()  # before data are read, which may take hours
    with Progress("reading") as progress:
        observation = observe(options.data, recipe, limit=options.limit, progress=progress)
    console.print_lines(console.fit_lines(list(_format_files(observation))))
    console.print_lines(line for observed in observation.inputs for line in _format_observed(observed))
    if file is not None:
        changes = {
            ("inputs", observed.recipe_input.number): {"observed": observed.entry()} for observed in observation.inputs
        }
        contract = set_keys(recipe.contract, changes)
        file.write(contract.text)
        hint = (
            f"'{program_name()} check {contract.path}' compares it with the model"
            if recipe.model
            else "there is no model next to it"
        )
        console.print_lines([f"{contract.path}: wrote 'observed'; {hint}"])
    return 0


def _parse_limit(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer above 0, not '{text}'")
    return int(text)


def _format_files(observation: Observation) -> Iterator[str]:
    """Yield lines about files that were not measured: those beyond the limit, and broken images."""
    if observation.n_read < observation.n_files:
        yield f"{observation.n_read:,} of {plural(observation.n_files, 'file')} read"
    if observation.n_broken:
        yield f"{plural(observation.n_broken, 'broken image')} skipped; the first: {observation.first_broken}"


def _format_observed(observed: Observed) -> Iterator[str]:
    """Yield lines with the range of the data, the calibrated range of the input, and the number of clipped values."""
    numbers = f"{plural(observed.n_samples, 'sample')}, {observed.n_values:,} values"
    yield f'input {observed.recipe_input.position} "{observed.recipe_input.name}": {numbers}'
    pairs = zip(observed.low, observed.high, strict=True)
    yield f"  data       {', '.join(f'{low:.6g} … {high:.6g}' for low, high in pairs)}"
    if observed.representable_range is not None:
        low, high = observed.representable_range
        yield f"  calibrated {low:.6g} … {high:.6g}, of which the data uses {observed.used_share:.0%}"
        n_clipped = observed.n_below + observed.n_above
        if n_clipped:
            share = n_clipped / observed.n_values
            sides = f"{observed.n_below:,} below, {observed.n_above:,} above"
            yield f"  clipped    {n_clipped:,} values, {share:.2%}: {sides}"
