"""`tflint contract show`: prints the preprocessing steps of a contract as text, JSON or code."""

from __future__ import annotations

import argparse
from typing import Any

from tflint.cli import console
from tflint.cli.config_options import load_named_or_nearest

#: Languages of `--as`.
LANGUAGES = ("numpy", "c", "kotlin", "swift", "dart", "js")


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("show", help="print the preprocessing steps as text or code")
    parser.add_argument("file", metavar="FILE", help="contract, or a model with a contract next to it")
    parser.add_argument("--model", metavar="MODEL", help="model of the contract (default: the one next to it)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--as", dest="language", choices=LANGUAGES, help="print code in this language")
    form.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the recipe of a contract; return the exit code."""
    from tflint.cli.contract_agreement import describe_agreement
    from tflint.inspection import contradicting_rules
    from tflint.preprocessing.recipe.recipe_search import load_recipe

    recipe, model = load_recipe(options.file, options.model)
    rules = contradicting_rules(recipe, model, load_named_or_nearest(None))
    if options.language == "numpy":
        from tflint.preprocessing.codegen.numpy_code import numpy_code

        console.print_verbatim(numpy_code(recipe, rules))
    elif options.language:
        from tflint.preprocessing.codegen.app_code import app_code

        console.print_verbatim(app_code(options.language, recipe, rules))
    elif options.format == "json":
        from tflint.preprocessing.codegen.recipe_json import render

        console.print_json(render(recipe, rules))
    else:
        from tflint.preprocessing.codegen.recipe_text import render_text

        console.print_text(render_text(recipe, describe_agreement(recipe, rules)))
    return 0
