"""Update the release dates of runtimes from a package index: `python -m tools.read_releases INDEX_URL`.

Reads the page of each package from the simple API of the index, as JSON (PEP 691, PEP 700). Writes the versions and
their upload dates to `rules/tables/runtimes`. Pre-releases and yanked files are omitted.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RUNTIMES = Path(__file__).parents[1] / "rules" / "tables" / "runtimes"

_FINAL = re.compile(r"\d+(\.\d+)*")
_TYPE = "application/vnd.pypi.simple.v1+json"


def read_files(index: str, package: str) -> list[dict[str, Any]]:
    """Return the files of a package as listed by the index, with upload times."""
    request = urllib.request.Request(f"{index.rstrip('/')}/{package}/", headers={"Accept": _TYPE})
    with urllib.request.urlopen(request, timeout=60) as response:
        files: list[dict[str, Any]] = json.load(response)["files"]
    return files


def release_dates(files: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return, per final release, the upload date of its first file. The oldest release comes first."""
    dates: dict[str, str] = {}
    for file in files:
        match = re.match(r"[A-Za-z0-9_.]+?-([^-]+?)(?:-|\.tar|\.zip)", file["filename"])
        if match is None or not _FINAL.fullmatch(match[1]) or file.get("yanked"):
            continue
        date = file["upload-time"][:10]
        dates[match[1]] = min(dates.get(match[1], date), date)
    return dict(sorted(dates.items(), key=lambda item: _numbers(item[0])))


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def update(path: Path, index: str) -> list[str]:
    """Update the releases in the file of one runtime; return the versions that were added."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if data["version_line"] is None:
        return []
    dates = release_dates(read_files(index, data["package"]))
    dates = {version: date for version, date in dates.items() if _numbers(version) >= _numbers(data["oldest_release"])}
    added = [version for version in dates if version not in data["releases"]]
    data["releases"] = dates
    data["releases_read"] = datetime.date.today().isoformat()
    path.write_text(dump(data), encoding="utf-8", newline="\n")
    return added


def dump(data: Mapping[str, Any]) -> str:
    """Return JSON text with one line per key. A nested table has one line per entry."""
    lines = []
    for key, value in data.items():
        if isinstance(value, dict) and value:
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Update every runtime and print the new versions."""
    parser = argparse.ArgumentParser(prog="python -m tools.read_releases", description=__doc__)
    parser.add_argument("index", metavar="INDEX_URL", help="URL of the index, without the package name")
    index = parser.parse_args(arguments).index
    for path in sorted(RUNTIMES.glob("*.json")):
        added = update(path, index)
        sys.stdout.write(f"{path.stem}: {', '.join(added) or 'no new release'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
