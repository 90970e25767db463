"""`tflint contract import`: fills a contract from a file of another ecosystem or from a known model name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import console, exit_codes, output_file
from tflint.cli.commands.contract_init import draft_text
from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS

if TYPE_CHECKING:
    from tflint.contract import Contract


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("import", help="fill a contract from a file of another ecosystem")
    parser.add_argument("source", metavar="FILE|NAME", help="file of the ecosystem, or name of one of its models")
    parser.add_argument(
        "--from", dest="ecosystem", choices=ECOSYSTEMS, help="ecosystem (default: the one that the file belongs to)"
    )
    parser.add_argument(
        "--into", metavar="FILE", help="contract to fill, or its model; if the model has no contract, draft one first"
    )
    parser.add_argument("--input", metavar="NAME", help="name or index of the contract's input to fill")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--force", action="store_true", help="replace values that have a different effect")
    choice.add_argument("--keep", action="store_true", help="keep values that have a different effect")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fill a contract, or print a new one if there is no `--into`; return the exit code."""
    from tflint.contract.contract_edit import make_comment
    from tflint.contract.schema_directive import schema_directive
    from tflint.preprocessing.importers import import_preprocessing
    from tflint.preprocessing.importers.contract_filling import build_draft, fill
    from tflint.preprocessing.importers.recognition import recognize_ecosystem

    imported = import_preprocessing(options.ecosystem or recognize_ecosystem(options.source), options.source)
    if options.into is None:
        notes = [f"# {make_comment(line)}" for line in (f"From {imported.source}.", *imported.notes)]
        head = "\n".join([schema_directive("contract", "."), *notes])
        console.print_text(f"{head}\n\n{build_draft(imported, 'the import').text}")
        return 0
    contract = _load_or_draft(options.into)
    result = fill(contract, imported, options.input, over=options.force)
    file = output_file.prepare_derived(contract.path, output_file.CONTRACT)
    if result.different and not (options.force or options.keep):
        lines = [f"{contract.path}: not written, because {imported.source} has values with a different effect"]
        lines += [f"  {keys}" for keys in result.different]
        lines.append("  --force takes the values of the source, --keep those of the contract")
        console.print_lines(console.fit_lines(lines))
        return exit_codes.FINDINGS
    file.write(result.contract.text)
    lines = [f"{contract.path}: filled from {imported.source}: {', '.join(result.filled) or 'no new keys'}"]
    lines += [f"  {'replaced' if options.force else 'kept'} · {keys}" for keys in result.different]
    lines += [f"  equal in effect · {keys}" for keys in result.equal]
    lines += [f"  {sentence}" for sentence in (*result.notes, *imported.notes)]
    console.print_lines(console.fit_lines(lines))
    return exit_codes.OK


def _load_or_draft(path: str) -> Contract:
    """Return the contract at `path`. For a model, return the contract next to it, or a draft if there is none."""
    from tflint.contract import SUFFIX, load_contract, parse_contract
    from tflint.contract.contract_search import find_adjacent_contract, load_discovered_contract

    if path.endswith(".toml"):
        return load_contract(path)
    contract_file = find_adjacent_contract(path)
    if contract_file is not None:
        return load_discovered_contract(contract_file)
    place = Path(path).with_name(Path(path).stem + SUFFIX)
    return parse_contract(draft_text(path, place.parent), place.as_posix())
