"""What the file says of itself beside its graph: converter's text, TFLITE_METADATA, files packed after the model."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.model.model_extras import MAX_LIST_BYTES, AssociatedFile
from tflint.model.trailing_data import packed_content
from tflint.summary.cell_values import MAX_LISTED, read_string
from tflint.summary.summary_values import AttachedFile, FileStatements

#: Of the packed files the lines of no more than this many are counted.
MAX_COUNTED = 16


def read_statements(facts: Facts) -> FileStatements:
    """The texts and files of the model."""
    extras = facts.tables.extras[0]
    names = facts.column("metadata", "name")
    entries = [read_string(facts, "metadata", "name", row) or "" for row in range(min(len(names), MAX_LISTED))]
    return FileStatements(
        read_string(facts, "model", "description", 0) or None,
        extras.text("name"),
        extras.text("description"),
        extras.text("version"),
        extras.text("author"),
        extras.text("license"),
        extras.text("min_parser_version"),
        extras.min_runtime_version,
        extras.metadata_error,
        tuple(entries),
        _files(facts),
    )


def _files(facts: Facts) -> tuple[AttachedFile, ...]:
    """Files in the order of the metadata, each once for each owner; lines are counted of the first lists of labels."""
    found: list[AttachedFile] = []
    lines: dict[str, int | None] = {}
    for entry, _ in zip(facts.tables.extras[0].associated_files(), range(MAX_LISTED), strict=False):
        if entry.is_list and entry.name not in lines and len(lines) < MAX_COUNTED:
            lines[entry.name] = _count_lines(facts, entry)
        found.append(AttachedFile(entry.name, entry.type, entry.owner, entry.packed_size, lines.get(entry.name)))
    return tuple(found)


def _count_lines(facts: Facts, entry: AssociatedFile) -> int | None:
    """Lines of a packed text; None where it is not there, too large, or cannot be unpacked."""
    if entry.packed_size is None or entry.packed_size > MAX_LIST_BYTES:
        return None
    content = packed_content(facts.tables, 0, entry.name, MAX_LIST_BYTES)
    return None if content is None else len(content.splitlines())
