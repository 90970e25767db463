"""The baseline: known findings, which do not fail a run. It has the number of findings by file and fingerprint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tflint.errors import Place, UserError
from tflint.findings.finding import FileReport, Finding, Suppression
from tflint.findings.path_globs import relative_to_folder
from tflint.findings.suppressions import mark_suppressed
from tflint.resources import json_schema
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import load_json, read_text

SCHEMA_VERSION = 1
#: Maximum size of a baseline in bytes: 700,000 findings, with 44 bytes per line.
MAX_BYTES = 32 << 20
#: Maximum number of keys, commas and brackets in a baseline: to parse 32 MB of empty tables would take 1 GB of memory.
MAX_ENTRIES = 1_000_000

#: Rules about unread files and contracts. A baseline does not cover their findings, because the contents of such a file
#: may change.
ABOUT_THE_RUN = frozenset({"G102", "G119", "P116"})

Counts = Mapping[str, Mapping[str, int]]


def read_baseline(path: str) -> Counts:
    """Read a baseline; return the numbers of known findings by file and fingerprint.

    Raises `UserError` if the file does not exist or is not a baseline.
    """
    if not Path(path).exists():
        hint = "'tflint check --write-baseline FILE' writes one"
        raise UserError(f"the baseline '{path}' does not exist", hint=hint)
    return parse_baseline(read_text(path, limit=MAX_BYTES), path)


def parse_baseline(text: str, path: str) -> Counts:
    """Parse the text of a baseline; return the numbers of known findings. `path` is used only in error messages."""
    if max(text.count(":"), text.count(","), text.count("{") + text.count("[")) > MAX_ENTRIES:
        raise UserError(f"has more than {MAX_ENTRIES:,} entries, the limit for a baseline", place=Place(path))
    data = load_json(path, text)
    check(data, json_schema("baseline"), path=path, what="baseline")
    counts: Counts = data["files"]
    return counts


def build_baseline(files: Sequence[FileReport], folder: str = ".") -> dict[str, Any]:
    """Return a baseline that covers every open finding. For readable diffs, it is sorted by file and fingerprint.

    Paths are relative to `folder`, the folder of the configuration, so they do not depend on the current folder.
    """
    known = {
        relative_to_folder(folder, file.path): Counter(
            finding.fingerprint for finding in file.open_findings if can_be_in_baseline(finding)
        )
        for file in files
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "files": {path: dict(sorted(counts.items())) for path, counts in sorted(known.items()) if counts},
    }


def can_be_in_baseline(finding: Finding) -> bool:
    """Return whether a baseline can cover a finding: the finding has exactly one location, in a file that was read."""
    return not finding.n_more and finding.rule not in ABOUT_THE_RUN


def dump_baseline(files: Sequence[FileReport], folder: str = ".") -> str:
    """Return the text of the baseline that covers every open finding."""
    return json.dumps(build_baseline(files, folder), indent=2, ensure_ascii=False) + "\n"


def apply_baseline(files: Sequence[FileReport], known: Counts, folder: str = ".") -> list[FileReport]:
    """Return the files with known findings marked as suppressed.

    If a file has more findings with a fingerprint than the baseline, only as many as in the baseline are suppressed.
    """
    result = []
    for file in files:
        remaining = Counter(known.get(relative_to_folder(folder, file.path), {}))

        def suppress(finding: Finding, remaining: Counter[str] = remaining) -> Suppression | None:
            if not can_be_in_baseline(finding) or remaining[finding.fingerprint] <= 0:
                return None
            remaining[finding.fingerprint] -= 1
            return Suppression("baseline", "known when the baseline was written")

        result.append(mark_suppressed(file, suppress))
    return result
