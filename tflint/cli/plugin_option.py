"""The option `--allow-plugin`. The configuration cannot allow plugins, because loading a plugin runs its code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


def add_option(parser: Any, *, default: str | None = None) -> None:
    """Add `--allow-plugin` to a parser or an argument group."""
    parser.add_argument(
        "--allow-plugin",
        action="append",
        default=default,
        metavar="DIST",
        help="load the facts of an installed distribution, which runs its code; may be repeated",
    )


def plugin_names(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of the allowed distributions."""
    return tuple(options.allow_plugin or ())


def load_allowed(options: argparse.Namespace) -> Plugins | None:
    """Load the facts of the allowed distributions. Return None if no distribution is allowed."""
    names = plugin_names(options)
    if not names:
        return None
    from tflint.facts.plugin_loader import load_plugins

    return load_plugins(names)
