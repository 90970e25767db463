"""`tflint contract import`: fills a contract from another ecosystem's file or from a known model name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import console, output_file
from tflint.cli.commands.contract_init import draft_text
from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS

if TYPE_CHECKING:
    from tflint.contract import Contract


def add_parser(verbs: Any) -> None:
    """Add the verb's parser."""
    parser = verbs.add_parser("import", help="fill a contract from another ecosystem's file")
    parser.add_argument("source", metavar="FILE|NAME", help="file of the ecosystem, or a model name that it knows")
    parser.add_argument("--from", dest="ecosystem", choices=ECOSYSTEMS, required=True, help="ecosystem of the file")
    parser.add_argument(
        "--into", metavar="FILE", help="contract to fill, or a model: its contract, drafted if there is none"
    )
    parser.add_argument("--input", metavar="NAME", help="name or index of the contract's input to fill")
    parser.add_argument("--force", action="store_true", help="replace keys that have other values")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fill a contract, or print one; return the exit code."""
    from tflint.contract.contract_edit import comment
    from tflint.preprocessing.importers import import_preparation
    from tflint.preprocessing.importers.contract_filling import contract_of, fill

    imported = import_preparation(options.ecosystem, options.source)
    if options.into is None:
        notes = [f"# {comment(line)}" for line in (f"From {imported.source}.", *imported.unsaid)]
        console.print_text("\n".join(notes) + "\n\n" + contract_of(imported, "the import").text)
        return 0
    contract = _contract_to_fill(options.into)
    done = fill(contract, imported, options.input, over=options.force)
    output_file.prepare_derived(contract.path, output_file.CONTRACT).write(done.contract.text)
    lines = [f"{contract.path}: {imported.source}: {', '.join(done.filled) or 'nothing that it does not say'}"]
    lines += (
        [f"  kept, and other than what was read: {', '.join(done.kept)} (--force replaces it)"] if done.kept else []
    )
    lines += [f"  {sentence}" for sentence in (*done.left, *imported.unsaid)]
    console.print_lines(console.fit_lines(lines))
    return 0


def _contract_to_fill(path: str) -> Contract:
    """A contract; of a model the one beside it, or a draft where none is."""
    from tflint.contract import SUFFIX, load_contract, parse_contract
    from tflint.contract.contract_search import contract_beside, load_found

    if path.endswith(".toml"):
        return load_contract(path)
    beside = contract_beside(path)
    if beside is not None:
        return load_found(beside)
    place = Path(path).with_name(Path(path).stem + SUFFIX).as_posix()
    return parse_contract(draft_text(path), place)
