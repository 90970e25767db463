"""Recognizes a file that an earlier run wrote as a report, in any format: what a new report may replace.

Takes the first and last bytes of a file; knows how each format begins or ends.
"""

from __future__ import annotations

import re

#: The closing line of the text report, which the github format has, too; the first findings of a quiet one.
_CLOSING = re.compile(
    rb"^(?:\x1b\[[\d;]+m)?(?:[\d,]+ (?:model|file|container|contract|pair)s?\b|nothing to check\b)[^\n]* suppressed ",
    re.MULTILINE,
)
_QUIET = re.compile(rb"^  (?:\x1b\[[\d;]+m)?(?:error|warning|note) +(?:\x1b\[0m)? *[A-Z]+\d+ ", re.MULTILINE)
_GITHUB = re.compile(rb"^::(?:error|warning|notice) [^\n]*title=", re.MULTILINE)
_MARKDOWN = re.compile(rb"^### tflite-lint ")
_JUNIT = re.compile(rb'^<\?xml[^>]*\?>\s*<testsuites name="tflite-lint"')
_JSON = re.compile(rb'^\s*\{\s*"schema_version"\s*:\s*\d+\s*,\s*"tool"\s*:\s*\{\s*"name"\s*:\s*"tflite-lint"')
_SARIF = re.compile(
    rb'^\s*\{\s*"\$schema"\s*:\s*"[^"]*sarif[^"]*"\s*,\s*"version"\s*:\s*"2\.1\.0"\s*,\s*"runs"\s*:\s*\[\s*\{\s*'
    rb'"tool"\s*:\s*\{\s*"driver"\s*:\s*\{\s*"name"\s*:\s*"tflite-lint"'
)
_GITLAB = re.compile(rb'^\s*\[\s*(?:\]\s*$|\{\s*"description"\s*:\s*"(?:[^"\\]|\\.)*+"\s*,\s*"check_name"\s*:)')

_AT_HEAD = (_MARKDOWN, _JUNIT, _JSON, _SARIF, _GITLAB, _QUIET, _GITHUB, _CLOSING)
_AT_TAIL = (_CLOSING,)


def is_report(head: bytes, tail: bytes) -> bool:
    """Return whether a file with these first and last bytes is a report; an empty file is one (quiet, no findings)."""
    if not head:
        return True
    return any(form.search(head) for form in _AT_HEAD) or any(form.search(tail) for form in _AT_TAIL)


_BASELINE = re.compile(rb'^\s*\{\s*"schema_version"\s*:\s*\d+\s*,\s*"files"\s*:\s*\{')


def is_baseline(head: bytes, _tail: bytes) -> bool:
    """Return whether a file with these first bytes is a baseline; an empty file counts as one."""
    return not head or _BASELINE.match(head) is not None
