"""Measure rows, print the table, and write JSON if requested."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.models import Workspace
from benchmarks.rows import ROWS, Row
from benchmarks.table import as_json, machine, measure_row, render


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. The measurements do not affect the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="measure only these rows; * and ? are wildcards")
    parser.add_argument("--runs", type=int, metavar="N", help="measure each row N times (default: depends on the row)")
    parser.add_argument("--json", metavar="FILE", help="write all measurements to a file")
    parser.add_argument("--cache", metavar="FOLDER", help="keep the generated models in FOLDER for the next run")
    parser.add_argument(
        "--peers-python", default="", metavar="PYTHON", help="Python interpreter with the peers installed"
    )
    options = parser.parse_args(arguments)
    if options.runs is not None and options.runs < 1:
        parser.error("--runs must be at least 1")
    rows = [row for row in ROWS if _is_wanted(row, options.rows)]
    if not rows:
        parser.error(f"no row matches; rows: {', '.join(row.name for row in ROWS)}")
    outcomes = []
    with _folder(options.cache) as folder:
        workspace = Workspace(folder)
        workspace.peers_python = options.peers_python
        for row in rows:
            print(f"measuring {row.name} …", file=sys.stderr)
            outcomes.append(measure_row(row, workspace, options.runs))
    print(machine())
    print(render(outcomes))
    if options.json:
        Path(options.json).write_text(json.dumps(as_json(outcomes), indent=2) + "\n", encoding="utf-8")
    return 0


def _is_wanted(row: Row, patterns: Sequence[str] | None) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(row.name, pattern) for pattern in patterns)


@contextlib.contextmanager
def _folder(cache: str | None) -> Iterator[Path]:
    if cache:
        Path(cache).mkdir(parents=True, exist_ok=True)
        yield Path(cache).resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="tflint-benchmarks-") as folder:
            yield Path(folder).resolve()


if __name__ == "__main__":
    sys.exit(main())
