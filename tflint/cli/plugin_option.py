"""The option that allows plugins: on the command line only, since to load one is to run its code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


def add_option(parser: Any, *, default: str | None = None) -> None:
    """Add the option to a parser or a group of one."""
    parser.add_argument(
        "--allow-plugin",
        action="append",
        default=default,
        metavar="DIST",
        help="load the facts of an installed distribution, which runs its code; may be given again",
    )


def plugin_names(options: argparse.Namespace) -> tuple[str, ...]:
    """The distributions that are named."""
    return tuple(options.allow_plugin or ())


def load_allowed(options: argparse.Namespace) -> Plugins | None:
    """The facts of the distributions that are named; None where none is."""
    names = plugin_names(options)
    if not names:
        return None
    from tflint.facts.plugin_loader import load_plugins

    return load_plugins(names)
