"""The baseline: known findings, which do not fail a run.

It has the number of findings by file and fingerprint, with their rule and, for readers, their message.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tflint.errors import Place, UserError
from tflint.findings.finding import FileReport, Finding, Notice, Suppression
from tflint.findings.path_globs import relative_to_folder
from tflint.findings.suppressions import mark_suppressed
from tflint.resources import json_schema
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import load_json, read_text

SCHEMA_VERSION = 2
#: Maximum size of a baseline in bytes: 700,000 findings without messages, with 44 bytes per line.
MAX_BYTES = 32 << 20
#: Maximum number of keys, commas and brackets in a baseline: to parse 32 MB of empty tables would take 1 GB of memory.
MAX_ENTRIES = 1_000_000

#: Rules about unread files and contracts. A baseline does not cover their findings, because the contents of such a file
#: may change.
ABOUT_THE_RUN = frozenset({"G102", "G119", "P116"})

#: Maximum number of entries of a baseline that are written with rule and message, and of characters of a message. They
#: keep a written baseline below the two limits above.
MAX_DESCRIBED = 20_000
MAX_MESSAGE = 200
#: Maximum number of entries that the notice about entries without findings names.
MAX_NAMED = 3

#: The known findings with the same fingerprint: their number, or their number, rule and message.
Entry: TypeAlias = int | Mapping[str, Any]
Counts = Mapping[str, Mapping[str, Entry]]


def read_baseline(path: str) -> Counts:
    """Read a baseline; return the known findings by file and fingerprint.

    Raises `UserError` if the file does not exist or is not a baseline.
    """
    if not Path(path).exists():
        hint = "'tflint check --write-baseline FILE' writes one"
        raise UserError(f"the baseline '{path}' does not exist", hint=hint)
    return parse_baseline(read_text(path, limit=MAX_BYTES), path)


def parse_baseline(text: str, path: str) -> Counts:
    """Parse the text of a baseline; return the known findings. `path` is used only in error messages."""
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
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for file in files:
        entries = known.setdefault(relative_to_folder(folder, file.path), {})
        for finding in filter(can_be_in_baseline, file.open_findings):
            described = {"rule": finding.rule, "message": finding.message[:MAX_MESSAGE], "count": 0}
            entries.setdefault(finding.fingerprint, described)["count"] += 1
    is_described = sum(map(len, known.values())) <= MAX_DESCRIBED
    return {
        "schema_version": SCHEMA_VERSION,
        "files": {
            path: {key: entry if is_described else entry["count"] for key, entry in sorted(entries.items())}
            for path, entries in sorted(known.items())
            if entries
        },
    }


def count_entry(entry: Entry) -> int:
    """Return the number of known findings of an entry."""
    return int(entry["count"] if isinstance(entry, Mapping) else entry)


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
        entries = known.get(relative_to_folder(folder, file.path), {})
        remaining = Counter({fingerprint: count_entry(entry) for fingerprint, entry in entries.items()})

        def suppress(finding: Finding, remaining: Counter[str] = remaining) -> Suppression | None:
            if not can_be_in_baseline(finding) or remaining[finding.fingerprint] <= 0:
                return None
            remaining[finding.fingerprint] -= 1
            return Suppression("baseline", "known when the baseline was written")

        result.append(mark_suppressed(file, suppress))
    return result


def report_unmatched(
    files: Sequence[FileReport], known: Counts, rules: Container[str], origin: str, folder: str = "."
) -> list[Notice]:
    """Return a notice about entries of the baseline without findings in the files that were checked, if there are any.

    `files` are the result of `apply_baseline`, and `rules` are the ids of the rules that ran. Entries without a rule
    are not reported: their rule may not have run. `origin` is the path of the baseline.
    """
    unmatched = [one for file in files for one in _unmatched_in(file, known, rules, folder)]
    if not unmatched:
        return []
    places = list(dict.fromkeys(f"{rule} in {path}" for rule, path in unmatched))
    listed = ", ".join([*places[:MAX_NAMED], *(["…"] if len(places) > MAX_NAMED else [])])
    count = "1 entry matches" if len(unmatched) == 1 else f"{len(unmatched):,} entries match"
    message = f"{origin or 'the baseline'}: {count} no finding ({listed}); write the baseline again"
    return [Notice("unused-baseline", message)]


def _unmatched_in(file: FileReport, known: Counts, rules: Container[str], folder: str) -> Iterator[tuple[str, str]]:
    """Yield rule and path of each entry about a checked file that has more findings than the file."""
    path = relative_to_folder(folder, file.path)
    if file.status != "checked" or path not in known:
        return
    matched = Counter(
        finding.fingerprint
        for finding in file.findings
        if finding.suppressed is not None and finding.suppressed.kind == "baseline"
    )
    for fingerprint, entry in known[path].items():
        if isinstance(entry, Mapping) and entry["rule"] in rules and matched[fingerprint] < count_entry(entry):
            yield entry["rule"], path
