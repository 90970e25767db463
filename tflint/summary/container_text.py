"""Renders the members of a container as text, and as lines for diffs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tflint.report.display_names import clean, format_size, plural
from tflint.report.text_layout import BOLD, DIM, Style, wrap_line
from tflint.summary.number_text import DOT, shorten

if TYPE_CHECKING:  # most files are not containers
    from tflint.container import Contents, Member

#: Maximum number of members to list as text.
MAX_MEMBERS = 20
#: Column at which the text after a label starts.
_COLUMN = 11


def render(path: str, contents: Contents, size: int, style: Style) -> str:
    """Return the format, size and members of a container, with a final newline."""
    counts = f"{plural(len(contents.members), 'member')}, {plural(contents.n_models, 'model')}"
    rows = [("container", DOT.join([contents.format, counts, format_size(size)]))]
    rows += [("", _describe_member(member)) for member in contents.members[:MAX_MEMBERS]]
    if len(contents.members) > MAX_MEMBERS:
        rows.append(("", f"and {len(contents.members) - MAX_MEMBERS:,} more: --plain lists all"))
    lines = [style.paint(clean(path), BOLD)]
    for label, text in rows:
        head = f"{label:<{_COLUMN}}"
        first, *more = wrap_line(head + text, style.width, _COLUMN + 2)
        lines += [style.paint(first[:_COLUMN], DIM) + first[_COLUMN:], *more]
    return "\n".join(lines) + "\n"


def _describe_member(member: Member) -> str:
    pieces = [f"{shorten(member.label, 60)}, "]
    pieces += [f"{member.kind}, "] if member.kind != "other" else []
    pieces += [format_size(member.size)]
    if member.problem is not None:
        pieces.append(f", not read: {shorten(member.detail or member.problem, 120)}")
    return "".join(pieces)


def plain_lines(contents: Contents, size: int) -> Iterator[str]:
    """Yield the lines for a container and for its members that are neither models nor containers."""
    yield "file container"
    yield f"size file {size}"
    for member in sorted(contents.members, key=lambda member: member.label):
        if not member.is_checked:
            yield f"member {clean(member.label)} file {member.kind}"
            yield f"member {clean(member.label)} size file {member.size}"
            if member.problem is not None:
                yield f"member {clean(member.label)} problem {member.problem}"
