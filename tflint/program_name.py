"""The name by which the user called the program, for usage, hints and commands to copy.

The package installs one command under two names, because `tflint` is a different program on machines that have the
linter of Terraform. Imports no module that a cached run does not need.
"""

from __future__ import annotations

import os
import sys

NAMES = ("tflint", "tflite-lint")

#: A command in a text that tflint's authors wrote. "tflint checks" is not a command.
_COMMAND = (
    r"(?<![\w./-])tflint(?=\s+(?:check|diff|compare|show|contract|allow|explain|rules|facts|registry|cache|completion|schema|help)"
    r"(?![\w-])|\s+--?\w)"
)


def program_name() -> str:
    """Return the name by which the user called the program, `tflint` if it was called in a different way."""
    stem, _ = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))  # noqa: PTH119, PTH122
    return stem if stem in NAMES else NAMES[0]


def rename_commands(text: str) -> str:
    """Return a text in which commands such as `tflint check` have the name by which the user called the program."""
    name = program_name()
    if name == NAMES[0]:
        return text
    import re  # not needed by most runs

    return re.sub(_COMMAND, name, text)
