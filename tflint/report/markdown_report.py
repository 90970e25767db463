"""The report as Markdown, for the summary of a step or a comment on a change: a table of files, their findings folded.

All that comes from a file stands in code, where Markdown and HTML mean nothing. The text is small enough for both
places; where there is more, the files with the least severe findings are left out, and it says so.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from tflint.findings import SEVERITIES, FileReport, Report, severity_rank
from tflint.report.display_names import clean, plural
from tflint.report.text_layout import Style, shorten
from tflint.report.text_report import format_findings, format_overview
from tflint.report.text_summary import format_closing, format_totals

#: Bytes. A comment takes 65,536 characters, the summary of a step 1 MiB
#: (https://docs.github.com/actions/reference/workflow-commands-for-github-actions#step-isolation-and-limits).
MAX_BYTES = 65_000
#: Bytes of it that sentences on what is left out may need.
_RESERVE = 400
#: Longer paths than file systems have are cut.
_MAX_PATH = 4096
_COLUMNS = ("errors", "warnings", "notes", "suppressed", "not checked")
_TABLE_HEAD = f"| file | kind | {' | '.join(_COLUMNS)} |\n|---|---|{'--:|' * len(_COLUMNS)}\n"


def render(report: Report, *, verbose: bool = False, max_bytes: int = MAX_BYTES) -> str:
    """The Markdown text of a report, no larger than a number of bytes; `verbose` lists every place of a finding."""
    head = f"### tflite-lint · {format_totals(report)}\n"
    closing = [
        *format_closing(report, Style()),
        *(f"{notice.level}: {clean(notice.message)}" for notice in report.notices),
    ]
    budget = max_bytes - _RESERVE - _size(head)
    tail = _fenced(closing, budget // 2)
    shown = sorted(filter(_is_worth_a_row, report.files), key=_urgency)
    budget -= _size(tail) + _size(_TABLE_HEAD)
    table = _table(shown, budget // 2)
    details = _all_details(report, [file for file in shown if file.open_findings], verbose, budget - _size(table))
    return "\n".join(part for part in (head, table, details, tail) if part)


def _is_worth_a_row(file: FileReport) -> bool:
    """Whether there is more to say of a file than that it is clean."""
    return bool(file.findings or file.not_checked or file.status == "unreadable")


def _urgency(file: FileReport) -> int:
    """A number that is smaller the more severe a file's findings are."""
    return -max((severity_rank(finding.severity) for finding in file.open_findings), default=-1)


def _table(files: Sequence[FileReport], budget: int) -> str:
    """A table of files with their counts, as many rows of it as there is room for."""
    rows = [_row(file) for file in files]
    kept = _fitting(rows, budget)
    left_out = f"\n{plural(len(rows) - kept, 'more file')} left out here.\n" if kept < len(rows) else ""
    return _TABLE_HEAD + "".join(rows[:kept]) + left_out if rows else ""


def _row(file: FileReport) -> str:
    counts = file.summary()
    numbers = [*(counts[severity] for severity in reversed(SEVERITIES)), counts["suppressed"], counts["not_checked"]]
    return f"| {_code(_path(file))} | {_kind(file)} | {' | '.join(map(str, numbers))} |\n"


def _kind(file: FileReport) -> str:
    """What a file is, in a few words that Markdown takes as they are."""
    if file.status != "checked":
        return file.status
    if file.compared_with is not None:
        return f"compared with {_code(shorten(clean(file.compared_with), _MAX_PATH))}"
    return " · ".join(format_overview(file)) or file.kind


def _all_details(report: Report, files: Sequence[FileReport], verbose: bool, budget: int) -> str:
    """Files' findings, each file's to be unfolded; as many as there is room for, of the last one perhaps a part."""
    style = Style(verbose=verbose)
    parts: list[str] = []
    for number, file in enumerate(files):
        part = _details(
            file, [*format_findings(file, file.open_findings, style, with_target=len(report.targets) > 1)], budget
        )
        if not part:
            more = plural(len(files) - number, "more file")
            parts.append(f"The findings of {more} are left out: the text would be too large for a comment.\n")
            break
        parts.append(part)
        budget -= _size(part) + 1
    return "\n".join(parts)


def _details(file: FileReport, lines: Sequence[str], budget: int) -> str:
    """A file's findings, cut where there is no room for them; nothing where there is hardly any."""
    counts = file.summary()
    found = ", ".join(plural(counts[severity], severity) for severity in reversed(SEVERITIES) if counts[severity])
    # GitHub parses this line as HTML: a block begins with the tag and ends with the empty line.
    begin = f"<details><summary><code>{html.escape(_path(file))}</code>: {found}</summary>\n\n"
    end = "\n</details>\n"
    body = _fenced(lines, budget - _size(begin) - _size(end))
    return begin + body + end if body else ""


def _fenced(lines: Sequence[str], budget: int) -> str:
    """Lines as a block of code, cut where there is no room for all; nothing where there is room for none."""
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    kept = _fitting([line + "\n" for line in lines], budget - 2 * len(fence) - 64)
    if not kept:
        return ""
    rest = [f"… {plural(len(lines) - kept, 'more line')} left out"] if kept < len(lines) else []
    return "\n".join([f"{fence}text", *lines[:kept], *rest, fence]) + "\n"


def _fitting(parts: Sequence[str], budget: int) -> int:
    """How many parts from the first on are no larger together than a number of bytes."""
    for number, part in enumerate(parts):
        budget -= _size(part)
        if budget < 0:
            return number
    return len(parts)


def _code(text: str) -> str:
    """Printable text as code in a table, where Markdown means nothing but the bar that ends a cell."""
    return "&#124;".join(_span(part) for part in text.split("|"))


def _span(text: str) -> str:
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _path(file: FileReport) -> str:
    return shorten(clean(file.path), _MAX_PATH)


def _size(text: str) -> int:
    return len(text.encode())
