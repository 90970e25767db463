"""Where a finding is, in SARIF: URIs, regions of bytes or of text, routes through the schema."""

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
#: What a path may have in a URI as it is; a colon could be taken for the end of a scheme.
_SAFE = "/@+,;=!$&'()*~"
#: What the address of a remote object has in it that means something, its escapes too.
_SAFE_REMOTE = _SAFE + ":?#[]%"


def build_location(place: Location, profile: str, files: Mapping[str, FileReport]) -> dict[str, Any]:
    """A SARIF location. `files` are the report's files by path, as far as it has them: they know sizes, and which file
    on disk holds a member of a container. No viewer opens a member, so that the location is that of the file.
    """
    file = files.get(place.file)
    within = file.within if file is not None else None
    region = _region(place, profile, file)
    physical: dict[str, Any] = {"artifactLocation": {"uri": to_uri(within.path if within is not None else place.file)}}
    if region is not None:
        physical["region"] = region
    found: dict[str, Any] = {"physicalLocation": physical}
    if place.path or within is not None:
        found["logicalLocations"] = [_logical(place, clean(within.member) if within is not None else "")]
    return found


def _logical(place: Location, member: str) -> dict[str, str]:
    """A place in the schema; for a member of a container, the member and the place in it."""
    name = clean(place.names[-1]) if place.names else ""
    qualified = f"{place.path}/{name}" if name else place.path
    if member:
        qualified = f"{member}{MEMBER}{qualified}" if qualified else member
    return {"name": name or place.path or member, "fullyQualifiedName": qualified, "kind": location_noun(place)}


def _region(place: Location, profile: str, file: FileReport | None) -> dict[str, int] | None:
    """A text file's lines; of a model its bytes, or what GitHub wants instead. None: the whole file, size unknown.

    The bytes of a member count from the start of the file on disk; one that is compressed has none there.
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
    """The size of a file, where it is known."""
    known = file.overview or file.contained
    return known.n_bytes if known is not None else None


def to_uri(path: str) -> str:
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


def to_member_uri(member: str) -> str:
    """A member's route as the URI of an artifact that is nested in another."""
    return f"/{_quoted(member, _SAFE)}"


def _quoted(path: str, safe: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe=safe)
