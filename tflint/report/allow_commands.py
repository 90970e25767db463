"""Builds the `tflint allow` commands that `tflint check -v` shows, for users to copy. Reads no files."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable

from tflint.findings import Finding
from tflint.program_name import program_name
from tflint.wildcards import has_wildcard

#: Maximum length of a name in a command. Instead of a longer name, the command has the path through the schema.
MAX_NAME = 200


class AllowCommands:
    """The commands for the findings of one file. `config` is the value of `--config`, or empty if it is not used."""

    def __init__(self, path: str, findings: Iterable[Finding], config: str = "") -> None:
        printable = "".join(char if char.isprintable() else "?" for char in path)  # `?` matches the character
        self._path = f"./{printable}" if printable.startswith("-") else printable
        self._options = _format_option("--config", config) if config else ""
        self._names: dict[str, Counter[str]] = defaultdict(Counter)
        self._n_places: Counter[str] = Counter()
        for rule, place, names in {(f.rule, f.location.path, f.location.names) for f in findings}:
            self._names[rule].update({place, *names})
            self._n_places[rule] += 1

    def command(self, finding: Finding) -> str:
        """Return the command that suppresses only this finding, quoted for a POSIX shell.

        Return an empty string if nothing distinguishes the location from other findings of the rule.
        """
        at = ""
        if self._n_places[finding.rule] > 1:
            at = self._find_unique_name(finding)
            if not at:
                return ""
        limits = _format_option("--at", at) if at else ""
        return f'{program_name()} allow {finding.rule} {shlex.quote(self._path)}{limits}{self._options} --reason "…"'

    def _find_unique_name(self, finding: Finding) -> str:
        """Return the last name of the location, or its path through the schema if other findings have the same name."""
        name = finding.location.names[-1] if finding.location.names else ""
        is_plain = name.isprintable() and len(name) <= MAX_NAME and not has_wildcard(name)
        return name if name and is_plain and self._names[finding.rule][name] == 1 else finding.location.path


def _format_option(name: str, value: str) -> str:
    # After a space, argparse would parse a value that starts with a dash as an option.
    return f" {name}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"
