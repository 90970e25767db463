"""`tflint compare`: compares a model with its reference, such as a quantized model with its float original."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tflint.cli import console, output_file
from tflint.cli.exit_codes import FINDINGS, OK

#: Largest time limit in seconds, and largest seed.
_MAX_SECONDS, _MAX_SEED = 1_000_000, 2**31 - 1
_SVG_BEGINNING = b'<svg xmlns="http://www.w3.org/2000/svg" id="tflint-compare"'
PLOT = output_file.Kind("plot", lambda _path, head, _tail: not head or head.startswith(_SVG_BEGINNING))


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "compare",
        help="find the cause of lost accuracy in a quantized model",
        description="Compare a model with its reference, such as a quantized model with its float original: the error "
        "of weights, and with a runtime the error of all activations and the operators at which errors are born.",
    )
    parser.add_argument(
        "reference", metavar="REFERENCE", help="model with the expected values, such as the float model"
    )
    parser.add_argument("model", metavar="MODEL", help="model to compare, such as the quantized model")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.add_argument("--svg", metavar="FILE", help="write a plot of the SQNR along the graph")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="use colors (default: on a terminal)"
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 even if there are warnings")
    group = parser.add_argument_group("run options", "Both models run in child processes.")
    group.add_argument(
        "--samples",
        metavar="PATH",
        help=".npy file, .npz file or image, or a folder of these (default: golden samples of the contract, else "
        "generated values)",
    )
    group.add_argument("--runtime", metavar="NAME", help="runtime to use: ai-edge-litert, tensorflow or tflite-runtime")
    group.add_argument("--seed", type=_parse_seed, default=0, metavar="N", help="seed of generated values (default: 0)")
    group.add_argument(
        "--seconds", type=_parse_seconds, metavar="N", help="limit of wall-clock seconds for the runs (default: 60)"
    )
    parser.set_defaults(run=run)


def _parse_seed(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_SEED:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {_MAX_SEED:,}, not '{text}'")
    return int(text)


def _parse_seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= _MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"must be a number greater than 0 and at most {_MAX_SECONDS:,}, not '{text}'")
    return number


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    plot = None if options.svg is None else output_file.prepare_named(options.svg, PLOT)
    from tflint.confirm.compare.comparison import MAX_SECONDS, CompareOptions, compare_models

    for path in (options.reference, options.model):
        _require_file(path)
    seconds = options.seconds or MAX_SECONDS
    comparison = compare_models(
        options.reference, options.model, CompareOptions(options.samples, options.runtime, options.seed, seconds)
    )
    if options.format == "json":
        from tflint.confirm.compare import comparison_json

        console.print_json(comparison_json.render(comparison))
    else:
        from tflint.confirm.compare.comparison_text import render
        from tflint.report.text_layout import Style

        style = Style(console.wants_color(options.color, sys.stdout), width=console.output_width(sys.stdout))
        console.print_text(render(comparison, style), has_color=style.color)
    if plot is not None:
        from tflint.confirm.compare import comparison_svg

        plot.write(comparison_svg.render(comparison), console.safe_xml)
    return FINDINGS if comparison.has_warnings and not options.exit_zero else OK


def _require_file(path: str) -> None:
    from tflint.errors import UserError

    if path and Path(path).is_dir():
        raise UserError(f"'{path}' is a folder", hint="name a model in it")
