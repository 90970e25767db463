"""Where a finding is, in SARIF: URIs, regions of bytes or of text, routes through the schema."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tflint.findings import Location
from tflint.report.names import clean, noun

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
#: What a path may have in a URI as it is; a colon could be taken for the end of a scheme.
_SAFE = "/@+,;=!$&'()*~"
#: What the address of a remote object has in it that means something, its escapes too.
_SAFE_REMOTE = _SAFE + ":?#[]%"


def location(place: Location, profile: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    """A SARIF location; `sizes` are the files' numbers of bytes, where they are known."""
    region = _region(place, profile, sizes.get(place.file))
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(place.file)}}
    if region is not None:
        physical["region"] = region
    found: dict[str, Any] = {"physicalLocation": physical}
    if place.path:
        found["logicalLocations"] = [_logical(place)]
    return found


def _logical(place: Location) -> dict[str, str]:
    name = clean(place.names[-1]) if place.names else ""
    qualified = f"{place.path}/{name}" if name else place.path
    return {"name": name or place.path, "fullyQualifiedName": qualified, "kind": noun(place)}


def _region(place: Location, profile: str, n_bytes: int | None) -> dict[str, int] | None:
    """A text file's lines; of a model its bytes, or what GitHub wants instead. None: the whole file, size unknown."""
    text = place.text
    if text is not None:
        return {
            "startLine": text.line,
            "startColumn": text.column,
            "endLine": text.end_line,
            "endColumn": text.end_column,
        }
    if profile == "github":
        return {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}
    if place.bytes is not None:
        return {"byteOffset": place.bytes.offset, "byteLength": place.bytes.length}
    return None if n_bytes is None else {"byteOffset": 0, "byteLength": n_bytes}


def uri(path: str) -> str:
    """A path as a URI reference: relative as it is, absolute with the file scheme; an address of the web stays one."""
    if _REMOTE.match(path):
        return _quoted(path, _SAFE_REMOTE)
    is_windows = _DRIVE.match(path) is not None or path.startswith("\\\\") or os.sep == "\\"
    posix = path.replace("\\", "/") if is_windows else path
    if _DRIVE.match(posix):
        return f"file:///{posix[:2]}{_quoted(posix[2:], _SAFE)}"
    if posix.startswith("//"):
        return f"file:{_quoted(posix, _SAFE)}"
    return f"file://{_quoted(posix, _SAFE)}" if posix.startswith("/") else _quoted(posix, _SAFE)


def _quoted(path: str, safe: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe=safe)
