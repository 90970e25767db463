"""Runs many models with `tflint check --confirm` and prints tables: `python -m tools.confirm_models FOLDER [MANIFEST]`.

The tables have the outcomes of the steps, the verdicts by rule, and the findings about runs. With a manifest (CSV with
the columns path, load_ok, alloc_ok and invoke_ok), the outcomes are compared with it. The exit code is 1 if loading or
allocating a model ended differently than in the manifest.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tflint.api import check
from tflint.config import Config
from tflint.confirm import ConfirmOptions
from tflint.findings import VERDICTS, FileReport, Report

#: Columns of the manifest by step.
_COLUMNS = {"load": "load_ok", "allocate": "alloc_ok", "invoke": "invoke_ok"}
_ANSWERS = {"ok": "yes", "refused": "no"}


def list_differences(
    files: Sequence[FileReport], manifest: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the step and a line for each outcome that differs from the manifest. Empty entries are not compared."""
    for file in files:
        entry = manifest.get(file.path)
        if entry is None or not file.runs:
            continue
        steps = file.runs[0].steps.get("default", {})
        for step, column in _COLUMNS.items():
            outcome = _ANSWERS.get(steps.get(step, ""), steps.get(step, ""))
            if entry[column] and outcome and outcome != entry[column]:
                yield (
                    step,
                    f"{file.path}: {step} {outcome}, manifest {entry[column]} ({'; '.join(file.runs[0].problems)})",
                )


def print_verdicts(report: Report) -> None:
    """Print the number of findings per rule and verdict, and the findings about runs."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in report.findings():
        if finding.verdict or finding.rule.startswith("R"):
            counts[finding.rule][finding.verdict or "found by running"] += 1
    columns = (*VERDICTS, "found by running")
    print(f"| rule | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for rule in sorted(counts):
        print(f"| {rule} | {' | '.join(str(counts[rule][column] or '') for column in columns)} |")
    print()
    for file in report.files:
        for finding in file.findings:
            if finding.rule.startswith("R") or finding.verdict == "not-reproduced":
                print(f"{finding.rule} {file.path}: {finding.message[:200]}")


def main() -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("manifest", type=Path, nargs="?")
    parser.add_argument("--runtime")
    parser.add_argument("--target", action="append", default=[])
    options = parser.parse_args()
    manifest = {}
    if options.manifest is not None:
        with options.manifest.open(newline="", encoding="utf-8") as file:
            manifest = {str(options.folder / row["path"]): row for row in csv.DictReader(file)}
    paths = sorted(manifest) or sorted(str(path) for path in options.folder.rglob("*.tflite"))
    begin = time.perf_counter()
    report = check(
        paths, config=Config(targets=tuple(options.target)), jobs=2, confirm=ConfirmOptions(options.runtime, jobs=2)
    )
    models = [file for file in report.files if file.runs]
    print(f"{len(models)} models with {report.confirmation}, {time.perf_counter() - begin:.0f} s\n")
    outcomes = Counter(str(dict(file.runs[0].steps.get("default", {}))) for file in models)
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")
    print()
    print_verdicts(report)
    differences = list(list_differences(models, manifest))
    print(f"\n{len(differences)} outcomes differ from the manifest")
    for _, line in differences:
        print(line)
    for notice in report.notices:
        print(f"{notice.kind}: {notice.message}")
    return int(any(step != "invoke" for step, _ in differences))


if __name__ == "__main__":
    sys.exit(main())
