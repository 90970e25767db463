"""Reads the descriptions, the TFLITE_METADATA and the associated files of a model file."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.model.model_extras import MAX_LIST_BYTES, AssociatedFile
from tflint.model.trailing_data import read_packed_file
from tflint.summary.cell_values import MAX_LISTED, read_string
from tflint.summary.summary_values import AttachedFile, FileStatements

#: Maximum number of packed files whose lines are counted.
MAX_COUNTED = 16


def read_statements(facts: Facts) -> FileStatements:
    """Return the descriptions and associated files of a model."""
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
        _read_files(facts),
    )


def _read_files(facts: Facts) -> tuple[AttachedFile, ...]:
    """Return the associated files in the order of the metadata, once per owner.

    Only the first `MAX_COUNTED` lists have a number of lines.
    """
    files: list[AttachedFile] = []
    lines: dict[str, int | None] = {}
    for entry, _ in zip(facts.tables.extras[0].associated_files(), range(MAX_LISTED), strict=False):
        if entry.is_list and entry.name not in lines and len(lines) < MAX_COUNTED:
            lines[entry.name] = _count_lines(facts, entry)
        files.append(AttachedFile(entry.name, entry.type, entry.owner, entry.packed_size, lines.get(entry.name)))
    return tuple(files)


def _count_lines(facts: Facts, entry: AssociatedFile) -> int | None:
    """Return the number of lines of a packed list, or None if the file is missing, too large or cannot be unpacked."""
    if entry.packed_size is None or entry.packed_size > MAX_LIST_BYTES:
        return None
    content = read_packed_file(facts.tables, 0, entry.name, MAX_LIST_BYTES)
    return None if content is None else len(content.splitlines())
