"""The baseline: findings that are known and do not count, by file and fingerprint, counted."""

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
#: A program writes it, with a line of 44 bytes for each finding: 700,000 findings.
MAX_BYTES = 32 << 20
#: Most keys, commas and brackets: 32 MB of empty tables would take a gigabyte of memory before they are checked.
MAX_ENTRIES = 1_000_000

#: Rules about the run and not about the model: a file that nobody could read may hold anything the next time.
ABOUT_THE_RUN = frozenset({"G102", "G119"})

Counts = Mapping[str, Mapping[str, int]]


def read_baseline(path: str) -> Counts:
    """Numbers of known findings by file and fingerprint; `UserError` where the file is no baseline."""
    if not Path(path).exists():
        hint = "'tflint check --write-baseline FILE' writes one"
        raise UserError(f"the baseline '{path}' does not exist", hint=hint)
    return parse_baseline(read_text(path, limit=MAX_BYTES), path)


def parse_baseline(text: str, path: str) -> Counts:
    """The numbers in the text of a baseline; `path` only names the file in errors."""
    if max(text.count(":"), text.count(","), text.count("{") + text.count("[")) > MAX_ENTRIES:
        raise UserError(f"has more than {MAX_ENTRIES:,} entries, the most that a baseline can have", place=Place(path))
    data = load_json(path, text)
    check(data, json_schema("baseline"), path=path, what="baseline")
    counts: Counts = data["files"]
    return counts


def build_baseline(files: Sequence[FileReport], folder: str = ".") -> dict[str, Any]:
    """The baseline that takes back every open finding; files and fingerprints sorted, so that changes read well.

    Paths count from `folder`, the configuration's, so that it holds wherever a run is started.
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
    """Whether a baseline can hold a finding: one place of a file that was looked at."""
    return not finding.n_more and finding.rule not in ABOUT_THE_RUN


def dump_baseline(files: Sequence[FileReport], folder: str = ".") -> str:
    """The text of the baseline of these reports."""
    return json.dumps(build_baseline(files, folder), indent=2, ensure_ascii=False) + "\n"


def apply_baseline(files: Sequence[FileReport], known: Counts, folder: str = ".") -> list[FileReport]:
    """Files with known findings marked: of each fingerprint as many as the baseline counts, the first ones."""
    result = []
    for file in files:
        left = Counter(known.get(relative_to_folder(folder, file.path), {}))

        def suppress(finding: Finding, left: Counter[str] = left) -> Suppression | None:
            if not can_be_in_baseline(finding) or left[finding.fingerprint] <= 0:
                return None
            left[finding.fingerprint] -= 1
            return Suppression("baseline", "known when the baseline was written")

        result.append(mark_suppressed(file, suppress))
    return result
