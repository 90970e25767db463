"""Renders a report as Markdown, for a job summary or a comment: a table of files, and the findings in details blocks.

Text that comes from a file is rendered as code, where Markdown and HTML have no effect. The report fits the size
limits of summaries and comments: if necessary, it omits the files with the least severe findings and gives the number
of omitted files.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tflint.findings import SEVERITIES, FileReport, Report, severity_rank
from tflint.report.display_names import clean, plural
from tflint.report.text_layout import Style, shorten
from tflint.report.text_report import format_findings, format_overview
from tflint.report.text_summary import format_closing, format_totals

if TYPE_CHECKING:
    from tflint.report.report_options import Options

#: Maximum size of the report in bytes. A comment can have 65,536 characters, a job summary 1 MiB
#: (https://docs.github.com/actions/reference/workflow-commands-for-github-actions#step-isolation-and-limits).
MAX_BYTES = 65_000
#: Bytes reserved for notes about omitted parts.
_RESERVE = 400
#: Maximum length of a path; file systems do not allow longer ones.
_MAX_PATH = 4096
_COLUMNS = ("errors", "warnings", "notes", "suppressed", "not checked")
_TABLE_HEAD = f"| file | kind | {' | '.join(_COLUMNS)} |\n|---|---|{'--:|' * len(_COLUMNS)}\n"


def render_report(report: Report, options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report, verbose=options.style.verbose)


def render(report: Report, *, verbose: bool = False, max_bytes: int = MAX_BYTES) -> str:
    """Return the Markdown text, at most `max_bytes` long. `verbose` lists every location of a group of findings."""
    head = f"### tflite-lint · {format_totals(report)}\n"
    closing = [
        *format_closing(report, Style()),
        *(f"{notice.level}: {clean(notice.message)}" for notice in report.notices),
    ]
    budget = max_bytes - _RESERVE - _size(head)
    tail = _format_code_block(closing, budget // 2)
    shown = sorted(filter(_needs_row, report.files), key=_sort_key)
    budget -= _size(tail) + _size(_TABLE_HEAD)
    table = _format_table(shown, budget // 2)
    details = _format_all_details(
        report, [file for file in shown if file.open_findings], verbose, budget - _size(table)
    )
    return "\n".join(part for part in (head, table, details, tail) if part)


def _needs_row(file: FileReport) -> bool:
    """Return whether a file needs a row: it has findings, has undecided rules or is unreadable."""
    return bool(file.findings or file.not_checked or file.status == "unreadable")


def _sort_key(file: FileReport) -> int:
    """Return a key that sorts files with severe findings first."""
    return -max((severity_rank(finding.severity) for finding in file.open_findings), default=-1)


def _format_table(files: Sequence[FileReport], budget: int) -> str:
    """Format a table of files with their counts, with as many rows as fit into `budget` bytes."""
    rows = [_format_row(file) for file in files]
    kept = _count_fitting(rows, budget)
    omitted = f"\n{plural(len(rows) - kept, 'more file')} omitted.\n" if kept < len(rows) else ""
    return _TABLE_HEAD + "".join(rows[:kept]) + omitted if rows else ""


def _format_row(file: FileReport) -> str:
    counts = file.summary()
    numbers = [*(counts[severity] for severity in reversed(SEVERITIES)), counts["suppressed"], counts["not_checked"]]
    return f"| {_format_code(_path(file))} | {_describe_kind(file)} | {' | '.join(map(str, numbers))} |\n"


def _describe_kind(file: FileReport) -> str:
    """Return the kind of a file, with details such as the scheme of a model, as Markdown."""
    if file.status != "checked":
        return file.status
    if file.compared_with is not None:
        return f"compared with {_format_code(shorten(clean(file.compared_with), _MAX_PATH))}"
    return " · ".join(format_overview(file)) or file.kind


def _format_all_details(report: Report, files: Sequence[FileReport], verbose: bool, budget: int) -> str:
    """Format the details blocks of files, as many as fit into `budget` bytes. The last block may be truncated."""
    style = Style(verbose=verbose)
    parts: list[str] = []
    for number, file in enumerate(files):
        part = _format_details(
            file, [*format_findings(file, file.open_findings, style, with_target=len(report.targets) > 1)], budget
        )
        if not part:
            more = plural(len(files) - number, "more file")
            parts.append(f"The findings of {more} are omitted: the text would be too large for a comment.\n")
            break
        parts.append(part)
        budget -= _size(part) + 1
    return "\n".join(parts)


def _format_details(file: FileReport, lines: Sequence[str], budget: int) -> str:
    """Format the details block of a file, truncated to `budget` bytes. Return an empty string if no line fits."""
    counts = file.summary()
    totals = ", ".join(plural(counts[severity], severity) for severity in reversed(SEVERITIES) if counts[severity])
    # GitHub parses this line as HTML: a block begins with the tag and ends with the empty line.
    begin = f"<details><summary><code>{html.escape(_path(file))}</code>: {totals}</summary>\n\n"
    end = "\n</details>\n"
    body = _format_code_block(lines, budget - _size(begin) - _size(end))
    return begin + body + end if body else ""


def _format_code_block(lines: Sequence[str], budget: int) -> str:
    """Format lines as a code block, truncated to `budget` bytes. Return an empty string if no line fits."""
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    kept = _count_fitting([line + "\n" for line in lines], budget - 2 * len(fence) - 64)
    if not kept:
        return ""
    rest = [f"… {plural(len(lines) - kept, 'more line')} omitted"] if kept < len(lines) else []
    return "\n".join([f"{fence}text", *lines[:kept], *rest, fence]) + "\n"


def _count_fitting(parts: Sequence[str], budget: int) -> int:
    """Return how many parts, counted from the first, fit into `budget` bytes."""
    for number, part in enumerate(parts):
        budget -= _size(part)
        if budget < 0:
            return number
    return len(parts)


def _format_code(text: str) -> str:
    """Format text as code in a table. In it, only the bar `|` must be escaped, because it ends the cell."""
    return "&#124;".join(_format_code_span(part) for part in text.split("|"))


def _format_code_span(text: str) -> str:
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _path(file: FileReport) -> str:
    return shorten(clean(file.path), _MAX_PATH)


def _size(text: str) -> int:
    return len(text.encode())
