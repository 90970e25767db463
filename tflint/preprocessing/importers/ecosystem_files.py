"""Finds and reads the files of other ecosystems: JSON, YAML and members of a zip, with limits for size and nesting."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tflint.errors import MissingExtraError, Place, UserError
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.source import FileSource, SourceError, reader
from tflint.userfiles.userfile import error_at, load_json, read_text

#: Maximum size of a YAML file in bytes. YAML parses 100 times slower than JSON. 20,000 class names take half of this.
MAX_YAML_BYTES = 1 << 20
#: Maximum nesting of YAML. The composer of libyaml is recursive and has no limit of its own.
MAX_YAML_DEPTH = 100
#: Maximum size of a JSON file or of a member of a zip, in bytes.
MAX_MEMBER_BYTES = 4 << 20


def find(source: str, names: Sequence[str], what: str) -> str:
    """Return `source`, or if it is a folder, the path of the first of the files `names` in it.

    Raises `UserError` if the folder has none of them.
    """
    try:
        if not Path(source).is_dir():
            return source
        file = next((path for name in names if (path := Path(source) / name).is_file()), None)
    except (OSError, ValueError):  # not a valid file name: the error is raised when it is read
        return source
    if file is None:
        raise UserError(f"has no {what}", place=Place(source), hint=f"looked for {', '.join(names)}")
    return file.as_posix()


def read_json(path: str) -> Fields:
    """Read the object in a JSON file."""
    return parse_json(path, read_text(path, limit=MAX_MEMBER_BYTES))


def parse_json(path: str, text: str) -> Fields:
    """Parse the object in a JSON text. Raises `UserError` for a duplicate key."""
    return Fields.of(load_json(path, text, refuse_repeated=True), path)


def read_yaml(path: str) -> Fields:
    """Read the mapping in a YAML file. This needs the extra `contract`."""
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("contract", "PyYAML", "reading a YAML file") from None
    text = read_text(path, limit=MAX_YAML_BYTES)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_deep(yaml, yaml.parse(text, Loader=loader), path)
        data = yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        message = f"not valid YAML: {error.problem}"
        if mark is None:
            raise UserError(message, place=Place(path)) from error
        raise error_at(message, path, text, mark.line + 1, mark.column + 1) from error
    except yaml.YAMLError as error:
        raise UserError("not valid YAML: it has characters that are not allowed", place=Place(path)) from error
    except (ValueError, OverflowError, TypeError) as error:  # an impossible date, a number with too many digits, …
        raise UserError("has a value that cannot be read", place=Place(path)) from error
    return Fields.of(data, path)


def _refuse_deep(yaml: Any, events: Any, path: str) -> None:
    """Raise `UserError` for nesting that would overflow the stack, and for merge keys, which can grow exponentially."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and _is_merge_key(event):
            raise UserError("has a merge key ('<<'), which is not supported", place=Place(path))
        if depth > MAX_YAML_DEPTH:
            raise UserError("is nested too deeply to be read", place=Place(path))


def _is_merge_key(event: Any) -> bool:
    is_plain = not event.style  # None, or empty in libyaml's events
    return (event.value == "<<" and is_plain) or event.tag == "tag:yaml.org,2002:merge"


def with_file(path: str, use: Callable[[Callable[[int, int], bytes], int], Any]) -> Any:
    """Open a binary file and return the result of `use`.

    `use` takes a function that reads a range of bytes, and the size of the file.
    """
    try:
        with FileSource(path) as file:
            return use(reader(file), file.size)
    except SourceError as error:
        raise UserError(f"cannot be read: {error.reason}", place=Place(path)) from error


def zip_member(path: str, names: Sequence[str]) -> tuple[str, str] | None:
    """Return the name and text of the first of the members `names` in a zip file, or in the zip appended to a model.

    Return None if there is no zip, or it has none of the members. Raises `UserError` if the member cannot be unpacked.
    """
    from tflint.source.zip_directory import ZipError, read_content, read_directory

    def member(read: Callable[[int, int], bytes], size: int) -> tuple[str, bytes] | None:
        directory = read_directory(read, size)
        entries = {entry.name: entry for entry in directory.entries} if directory is not None else {}
        entry = next((entries[name] for name in names if name in entries), None)
        if directory is None or entry is None:
            return None
        if max(entry.size, entry.packed_size) > MAX_MEMBER_BYTES:
            raise ZipError(f"'{entry.name}' is larger than {MAX_MEMBER_BYTES:,} bytes")
        content = read_content(read, entry, directory.begin)
        if zlib.crc32(content) != entry.crc:
            raise ZipError(f"the checksum of '{entry.name}' is wrong")
        return entry.name, content

    try:
        content: tuple[str, bytes] | None = with_file(path, member)
        return None if content is None else (content[0], content[1].decode("utf-8"))
    except ZipError as error:
        raise UserError(f"its zip cannot be read: {error.reason}", place=Place(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("its metadata is not UTF-8", place=Place(path)) from error
