"""Recognizes reports of earlier runs in any format, because a new report may overwrite only these.

Looks only at the first and last bytes of a file. A document that quotes a report does not count as a report.
"""

from __future__ import annotations

import re

from tflint.report.report_formats import FORMATS

_COLOR = re.compile(rb"\x1b\[[\d;]+m")
#: First closing line of the text and github formats.
_CLOSING = re.compile(
    rb"^(?:[\d,]+ (?:model|file|container|contract|pair)s?\b|nothing to check\b)"
    rb"[^\n]*(?:\n  [^\n]*)? [\d,]+ suppressed(?: \xc2\xb7 |$)",
    re.MULTILINE,
)
_AFTER_CLOSING = (b"  ", b"checked: ", b"not checked: ", b"more: ", b"left out: ")
_NEWER = re.compile(rb"[\d,]+ notes? from rules newer than ")
_BASELINE = re.compile(rb'\s*\{\s*"schema_version"\s*:\s*\d+\s*,\s*"files"\s*:\s*\{')


def is_report(head: bytes, tail: bytes) -> bool:
    """Return whether a file with these first and last bytes is a report. An empty file is one: a quiet report."""
    plain = _COLOR.sub(b"", head)
    return (
        not head
        or any(re.match(format_.beginning, plain) for format_ in FORMATS.values())
        or _ends_as_report(_COLOR.sub(b"", tail))
    )


def _ends_as_report(tail: bytes) -> bool:
    """Return whether a file ends as a text report does: nothing follows its closing lines."""
    *_, last = (None, *_CLOSING.finditer(tail))
    if last is None:
        return False
    _, *lines = tail[last.start() :].splitlines()
    return all(line.startswith(_AFTER_CLOSING) or _NEWER.match(line) for line in lines)


def starts_like_baseline(head: bytes) -> bool:
    """Return whether a file with these first bytes starts like a baseline."""
    return _BASELINE.match(head) is not None
