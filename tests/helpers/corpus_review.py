"""Generate the rule table of docs/corpus-review.md: `python -m tools.regenerate review`.

The table counts findings and files per rule over the corpus. A test compares it with a new run.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

from tests.helpers.corpus import CORPUS, manifest
from tests.helpers.paths import ROOT

REVIEW = ROOT / "docs" / "corpus-review.md"
_TABLE = re.compile(r"(## Findings per rule\n.*?\n\|---[^\n]*\n)(?:\|[^\n]*\n)*", re.DOTALL)


def run(*options: str, paths: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `tflint check -` in the corpus folder, with the paths on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "tflint", "check", "-", *options],
        cwd=CORPUS,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/nonexistent"},
        input="\n".join(paths),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@functools.cache
def report() -> dict[str, Any]:
    """Return the JSON report of one run over all files."""
    done = run("--format", "json", paths=[row["path"] for row in manifest()])
    assert done.stderr == ""
    assert done.returncode == 1
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def invoked() -> set[str]:
    """Return the files that LiteRT invokes."""
    return {row["path"] for row in manifest() if row["invoke_ok"] == "yes"}


def measured() -> list[list[str]]:
    """Return a row per reported rule: id, severity, name, findings, files, invoked files, and those without SEANet."""
    counts: Counter[tuple[str, str, str]] = Counter()
    files: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for file in report()["files"]:
        for finding in file["findings"]:
            key = (finding["rule"], finding["severity"], finding["name"])
            counts[key] += 1
            files[key].add(file["path"])
    rows = []
    for key in sorted(counts):
        ran = files[key] & invoked()
        others = [path for path in ran if "seanet" not in path]
        rows.append([*key, *map(str, (counts[key], len(files[key]), len(ran), len(others)))])
    return rows


def review_rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading of the review."""
    section = REVIEW.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def main() -> None:
    """Write the table."""
    table = "".join(f"| {' | '.join(row)} |\n" for row in measured())
    text = REVIEW.read_text(encoding="utf-8")
    REVIEW.write_text(_TABLE.sub(lambda match: match[1] + table, text), encoding="utf-8")


if __name__ == "__main__":
    main()
