"""The commands that would suppress findings of a file: what `tflint check -v` offers to copy. No file is looked at."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable

from tflint.findings import Finding

#: A name longer than this is not offered: the route says the same.
MAX_NAME = 200
_GLOB = re.compile(r"[*?[]")


class AllowCommands:
    """The commands for the findings of one file; `config` is the configuration that was named, if one was."""

    def __init__(self, path: str, findings: Iterable[Finding], config: str = "") -> None:
        printable = "".join(char if char.isprintable() else "?" for char in path)  # as a glob it means the same file
        self._path = f"./{printable}" if printable.startswith("-") else printable
        self._options = _option("--config", config) if config else ""
        self._names: dict[str, Counter[str]] = defaultdict(Counter)
        self._n_places: Counter[str] = Counter()
        for rule, place, names in {(f.rule, f.location.path, f.location.names) for f in findings}:
            self._names[rule].update({place, *names})
            self._n_places[rule] += 1

    def command(self, finding: Finding) -> str:
        """The command that suppresses a finding and, where that can be said, no other; quoted for a POSIX shell.

        Empty where the finding's rule speaks of other places too, and nothing tells this one from them.
        """
        at = ""
        if self._n_places[finding.rule] > 1:
            at = self._at(finding)
            if not at:
                return ""
        limits = _option("--at", at) if at else ""
        return f'tflint allow {finding.rule} {shlex.quote(self._path)}{limits}{self._options} --reason "…"'

    def _at(self, finding: Finding) -> str:
        """What names the place and no other of its rule: the last of its names, else its route."""
        name = finding.location.names[-1] if finding.location.names else ""
        is_plain = name.isprintable() and len(name) <= MAX_NAME and not _GLOB.search(name)
        return name if name and is_plain and self._names[finding.rule][name] == 1 else finding.location.path


def _option(name: str, value: str) -> str:
    """An option as it is written in a command; a value that looks like an option is tied to it."""
    return f" {name}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"
