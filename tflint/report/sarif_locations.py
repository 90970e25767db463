"""Builds SARIF locations: URIs, byte or text regions, and paths through the TFLite schema."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tflint.findings import FileReport, Location
from tflint.findings.path_globs import MEMBER
from tflint.report.display_names import clean, location_noun

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
#: Characters of a path that need no escape in a URI. A colon needs one, because it could end a scheme.
_SAFE = "/@+,;=!$&'()*~"
#: Characters of a URL that must not be escaped, because they have a meaning in it. `%` starts an existing escape.
_SAFE_REMOTE = _SAFE + ":?#[]%"


def build_location(place: Location, profile: str, files: Mapping[str, FileReport]) -> dict[str, Any]:
    """Return a SARIF location. `files` maps paths to the file reports of the run.

    The location of a member is in its container, the file on disk, because SARIF viewers cannot open members.
    """
    file = files.get(place.file)
    within = file.within if file is not None else None
    region = _build_region(place, profile, file)
    physical: dict[str, Any] = {"artifactLocation": {"uri": to_uri(within.path if within is not None else place.file)}}
    if region is not None:
        physical["region"] = region
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.path or within is not None:
        location["logicalLocations"] = [_build_logical(place, clean(within.member) if within is not None else "")]
    return location


def _build_logical(place: Location, member: str) -> dict[str, str]:
    """Return the path through the schema as a logical location. In a container, the name of the member precedes it."""
    name = clean(place.names[-1]) if place.names else ""
    qualified = f"{place.path}/{name}" if name else place.path
    if member:
        qualified = f"{member}{MEMBER}{qualified}" if qualified else member
    return {"name": name or place.path or member, "fullyQualifiedName": qualified, "kind": location_noun(place)}


def _build_region(place: Location, profile: str, file: FileReport | None) -> dict[str, int] | None:
    """Return the region of a location: lines of a text file or bytes of a model. Return None if it is not known.

    In the profile `github`, the region of a model is a dummy text region. Offsets in a member count from the start of
    the file on disk. The region is not known if the member is compressed, or if the size of the file is unknown.
    """
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
    base = file.within.offset if file is not None and file.within is not None else 0
    if base is None:
        return None
    if place.bytes is not None:
        return {"byteOffset": base + place.bytes.offset, "byteLength": place.bytes.length}
    n_bytes = file_size(file) if file is not None else None
    return None if n_bytes is None else {"byteOffset": base, "byteLength": n_bytes}


def file_size(file: FileReport) -> int | None:
    """Return the size of a file in bytes, or None if it is unknown."""
    known = file.overview or file.contained
    return known.n_bytes if known is not None else None


def to_uri(path: str) -> str:
    """Convert a path to a URI reference: relative paths and URLs stay so, absolute paths become file URIs."""
    if _REMOTE.match(path):
        return _quote(path, _SAFE_REMOTE)
    is_windows = _DRIVE.match(path) is not None or path.startswith("\\\\") or os.sep == "\\"
    posix = path.replace("\\", "/") if is_windows else path
    if _DRIVE.match(posix):
        return f"file:///{posix[:2]}{_quote(posix[2:], _SAFE)}"
    if posix.startswith("//"):
        return f"file:{_quote(posix, _SAFE)}"
    return f"file://{_quote(posix, _SAFE)}" if posix.startswith("/") else _quote(posix, _SAFE)


def to_member_uri(member: str) -> str:
    """Return the URI of a member, which SARIF represents as a nested artifact of its container.

    Validators refuse relative references that begin with a slash (SARIF1004).
    """
    return _quote(member.lstrip("/"), _SAFE)


def _quote(path: str, safe: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that do not represent bytes
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe=safe)
