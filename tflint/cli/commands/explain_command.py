"""`tflint explain`: prints the page of a rule."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from tflint.cli import console, plugin_option
from tflint.program_name import rename_commands

#: Maximum width of a page, in characters.
WIDTH = 100


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser("explain", help="explain a rule", description="Explain a rule.")
    parser.add_argument("rule", metavar="RULE", help="id or name of the rule")
    parser.add_argument(
        "--rules", action="append", default=[], metavar="PATH", help="file or folder with additional rules"
    )
    plugin_option.add_option(parser)
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text", help="format (default: text)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the page; return the exit code."""
    from tflint.catalog import load_catalog
    from tflint.catalog.rule_pages import builtin_examples, page

    rule = load_catalog(options.rules, plugin_option.load_allowed(options)).rule(options.rule)
    if options.format == "json":
        from tflint.cli.commands.rules_command import to_json

        console.print_json(to_json([rule]))
        return 0
    examples = builtin_examples()[rule.id] if rule.is_builtin and options.format == "markdown" else ()
    text = rename_commands(page(rule, examples))
    width = min(console.output_width(sys.stdout), WIDTH)
    console.print_text(text if options.format == "markdown" else _format_plain(text, width))
    return 0


def _format_plain(markdown: str, width: int) -> str:
    """Convert Markdown to plain text: write headings in capitals, wrap paragraphs, and leave code unchanged."""
    from tflint.report.text_layout import wrap_line

    lines: list[str] = []
    is_code = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            is_code = not is_code
            continue
        heading = re.match(r"#+ (.*)", line)
        if heading and not is_code:
            lines.append(heading[1].upper() if line.startswith("##") else heading[1])
        else:
            lines += wrap_line(line, width, 9 if is_code else 0)
    return "\n".join(lines) + "\n"
