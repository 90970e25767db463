"""Compares two JSON reports except for names and texts: `python -m tools.compare_reports OLD NEW [--merged ID=ID …]`.

Proves that a change of wording changed nothing else. Names, messages, fixes, reasons, times and versions may differ.
`--merged G120=G009` counts the findings of the retired id G120 as findings of G009. The exit code is 1 if the reports
differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Keys that a change of wording may change, wherever they are in a finding or file.
TEXTS = frozenset({"name", "message", "fix", "reason"})
#: Keys of a finding that contain the rule's id or a text, compared by their other parts.
FILE_KEYS = ("path", "kind", "sha256", "status", "contract", "compared_with", "model", "container", "within", "summary")
#: Separates the scheme of a model from the text about its inputs and outputs.
_COMMA = ", "


def without_texts(value: Any) -> Any:
    """Return a value of a report without its texts."""
    if isinstance(value, dict):
        return {key: without_texts(item) for key, item in value.items() if key not in TEXTS}
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    return value


def finding_key(finding: Mapping[str, Any], merged: Mapping[str, str]) -> str:
    """Return everything about a finding that must be the same in both reports, as text to compare."""
    kept = without_texts(finding)
    kept["evidence"] = {key: _without_sentence(value) for key, value in kept["evidence"].items()}
    rule = finding["rule"]
    if rule in merged:  # the fingerprint depends on the id of the rule
        kept |= {"rule": merged[rule], "fingerprint": None}
    elif rule in merged.values():
        kept["fingerprint"] = None
    return json.dumps(kept, sort_keys=True)


def differences(old: Mapping[str, Any], new: Mapping[str, Any], merged: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each difference."""
    old_files = {file["path"]: _without_interface(file) for file in old["files"]}
    new_files = {file["path"]: _without_interface(file) for file in new["files"]}
    for path in old_files.keys() ^ new_files.keys():
        yield f"{path}: only in the {'old' if path in old_files else 'new'} report"
    if old["summary"] != new["summary"]:
        yield f"summary: {old['summary']} is now {new['summary']}"
    for path in sorted(old_files.keys() & new_files.keys()):
        before, after = old_files[path], new_files[path]
        for key in FILE_KEYS:
            if before[key] != after[key]:
                yield f"{path}: {key} {before[key]} is now {after[key]}"
        yield from _findings(path, before, after, merged)


def _without_sentence(value: Any) -> Any:
    """Return a value of the evidence, or a placeholder for a sentence, such as the reason why a file is unreadable."""
    return "…" if isinstance(value, str) and " " in value else value


def _without_interface(file: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report of a file. In the scheme of the model, the text about inputs and outputs is removed."""
    model = file["model"]
    return file if model is None else {**file, "model": {**model, "scheme": model["scheme"].split(_COMMA)[0]}}


def _findings(path: str, old: Mapping[str, Any], new: Mapping[str, Any], merged: Mapping[str, str]) -> Iterator[str]:
    before = Counter(finding_key(finding, merged) for finding in old["findings"])
    after = Counter(finding_key(finding, merged) for finding in new["findings"])
    for key, count in (before - after).items():
        yield f"{path}: {count} × only in the old report: {key}"
    for key, count in (after - before).items():
        yield f"{path}: {count} × only in the new report: {key}"
    rows = [
        Counter({(merged.get(entry["rule"], entry["rule"]), entry["rows"]): 1 for entry in file["not_checked"]})
        for file in (old, new)
    ]
    if rows[0] != rows[1]:
        yield f"{path}: not checked {sorted(rows[0])} is now {sorted(rows[1])}"


def main(arguments: list[str] | None = None) -> int:
    """Compare two files and print the differences."""
    parser = argparse.ArgumentParser(prog="python -m tools.compare_reports", description=__doc__)
    parser.add_argument("old", type=Path, metavar="OLD", help="JSON report before a change")
    parser.add_argument("new", type=Path, metavar="NEW", help="JSON report after the change")
    parser.add_argument("--merged", action="append", default=[], metavar="ID=ID", help="a retired id and its successor")
    options = parser.parse_args(arguments)
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (options.old, options.new))
    merged = dict(pair.split("=", 1) for pair in options.merged)
    found = list(differences(old, new, merged))
    n_findings = sum(len(file["findings"]) for file in new["files"])
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"{len(new['files'])} files, {n_findings} findings: {len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
