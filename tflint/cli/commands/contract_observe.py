"""`tflint contract observe`: measures sample data and writes its range into a contract."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.cli import console, output_file
from tflint.report.display_names import plural

if TYPE_CHECKING:
    from tflint.preprocessing.observe import Observed


def add_parser(verbs: Any) -> None:
    """Add the verb's parser."""
    parser = verbs.add_parser("observe", help="write the range of real data into a contract")
    parser.add_argument("file", metavar="CONTRACT", help="contract, or a model with a contract next to it")
    parser.add_argument(
        "--data", metavar="PATH", required=True, help="a .npy file, .npz file or image, or a folder of these"
    )
    parser.add_argument("--model", metavar="MODEL", help="the contract's model (default: the one next to it)")
    parser.add_argument("--dry-run", action="store_true", help="print the range without writing it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the ranges of data into a contract; return the exit code."""
    from tflint.contract.contract_edit import filled
    from tflint.preprocessing.observe import observe
    from tflint.preprocessing.recipe.recipe_search import recipe_at

    recipe, _ = recipe_at(options.file, options.model)
    file = None if options.dry_run else output_file.prepare_derived(recipe.contract.path, output_file.CONTRACT)
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
