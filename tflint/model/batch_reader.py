"""Opens files and containers, and reads models into tables: many small files per batch, each large file alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tflint.findings import MemberOrigin
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.read_budgets import MAX_TABLES
from tflint.model.table_builders import build_tables
from tflint.model.tables import FileFacts, Tables
from tflint.schema import tflite_schema
from tflint.source import Source, SourceError
from tflint.source.file_kind import CONTAINER, MALFORMED, MODEL, TRUNCATED, UNREADABLE, FileKind, detect_kind, is_model
from tflint.values import frozen

if TYPE_CHECKING:  # most files are not containers
    from tflint.container import Budget, Contents

#: A file up to this size shares a batch.
SMALL_FILE_BYTES = 256 * 1024
#: A model up to this size is read completely, because keeping track of the pages read takes longer than the bytes that
#: nothing needs. Of a larger file, only the needed pages are read.
WHOLE_FILE_BYTES = 4 * 1024 * 1024
#: Maximum number of files and of bytes per batch: enough to make the fixed cost of each numpy gather negligible.
BATCH_FILES = 64
BATCH_BYTES = 8 * 1024 * 1024

#: Returns whether to skip a member of a container. Arguments: the path of the container and the path of the member.
SkipMember: TypeAlias = Callable[[str, str], bool]
#: SHA-256 of a member; its suffix if that is the suffix of a model or container, else ""; and, if the member is a
#: container, the nesting depth, else 0.
ContentKey: TypeAlias = tuple[bytes, str, int]
#: Returns whether the file with this number is no longer needed.
IsSpent: TypeAlias = Callable[[int], bool]


@frozen
class OpenedFile:
    """A file, or a member of a container, after opening, with its kind.

    `source` is None if the file cannot be read. `content` holds all bytes if the file is not a large model or is in
    memory, else None. `contents` describes the members if the file is a container, else None. `name` is the file name
    without folders, or empty if the file has no name.
    """

    source: Source | None
    kind: FileKind
    size: int
    content: bytes | memoryview | None = None
    name: str = ""
    contents: Contents | None = None

    @property
    def is_small(self) -> bool:
        """Whether the file may share a batch with others."""
        return self.kind.kind == MODEL and self.content is not None and self.size <= SMALL_FILE_BYTES


@frozen
class FoundFile:
    """A file, or a member of a container, with its path in reports.

    Only members have `within`, which locates the member in the file on disk, `container`, the path of its container,
    and `index`, its index in that container. `budget` is shared by all members of a file on disk. Members with the same
    `key` have equal bytes and are read the same way. `reopen` is set if an equal member came before: then `opened` is
    the earlier member without its bytes, and `reopen` opens this member.
    """

    path: str
    opened: OpenedFile
    within: MemberOrigin | None = None
    container: str = ""
    index: int = -1
    budget: Budget | None = None
    key: ContentKey | None = None
    reopen: Callable[[], OpenedFile] | None = None


def expand(
    source: Source, name: str, path: str, *, wanted: str = "", leaves_out: SkipMember | None = None
) -> Iterator[FoundFile]:
    """Yield a file and, if it is a container, the models in it.

    `name` is the file's own name, `path` its path in reports. `wanted` is the path of a single requested member; if it
    is empty, the file and all its models are yielded. Members are opened one by one, so the source must stay open until
    the last one is yielded.
    """
    opened = open_source(source, name, None, is_for_one=bool(wanted))
    file = FoundFile(path, opened, budget=None if opened.contents is None else opened.contents.budget)
    if not wanted:
        yield file
    if file.opened.contents is not None:
        from tflint.model.member_search import members_of

        yield from members_of(file, wanted, leaves_out)


def open_model(source: Source, name: str = "") -> OpenedFile:
    """Open a source: read a small model completely, the directory of a container, or the first bytes of other files."""
    return open_source(source, name, None)


def open_source(source: Source, name: str, container: Contents | None, *, is_for_one: bool = False) -> OpenedFile:
    """Open a source. If it is a member, `container` is the contents of its container, and both share a budget.

    `is_for_one` says whether a single member of the file was requested.
    """
    try:
        if container is not None and not is_model(source.read([(0, min(8, source.size))])[0]):
            from tflint.container import refuse_oversized_zip

            refused = refuse_oversized_zip(source, container)
            if refused is not None:
                kind = FileKind(CONTAINER, "a zip archive in a container")
                return OpenedFile(source, kind, source.size, None, name, refused)
        kind = detect_kind(source, name)
        if kind.kind == CONTAINER:
            from tflint.container import read_contents

            contents = read_contents(source, container, is_for_one=is_for_one)
            return OpenedFile(source, kind, source.size, None, name, contents)
        content = source.content()
        if content is None and kind.kind == MODEL and source.size <= WHOLE_FILE_BYTES:
            content = source.read([(0, source.size)])[0]
        return OpenedFile(source, kind, source.size, content, name)
    except SourceError as error:
        return unreadable_file(error, source.size, name)


def unreadable_file(error: SourceError, size: int = 0, name: str = "") -> OpenedFile:
    """Return a placeholder for a file that cannot be read."""
    return OpenedFile(None, FileKind(UNREADABLE, error.reason), size, name=name)


def read_batches(files: Iterable[OpenedFile]) -> Iterator[tuple[list[int], Tables]]:
    """Yield the tables of all files in batches. With each batch, yield the indexes of its files.

    The next file is taken from `files` only when all previous files have been read or are in the pending batch, whose
    size is limited.
    """
    return read_numbered_batches(enumerate(files), lambda _number: False)


def read_numbered_batches(
    files: Iterable[tuple[int, OpenedFile]], is_spent: IsSpent
) -> Iterator[tuple[list[int], Tables]]:
    """Yield batches of numbered files. When a batch is read, files for which `is_spent` returns true are skipped."""
    pending: list[tuple[int, OpenedFile]] = []
    n_bytes = 0
    for number, opened in files:
        if not opened.is_small:
            yield [number], read_one(opened)
            continue
        if pending and (len(pending) == BATCH_FILES or n_bytes + opened.size > BATCH_BYTES):
            yield from _read_batch(pending, is_spent)
            pending, n_bytes = [], 0
        pending.append((number, opened))
        n_bytes += opened.size
    if pending:
        yield from _read_batch(pending, is_spent)


def _read_batch(pending: Sequence[tuple[int, OpenedFile]], is_spent: IsSpent) -> Iterator[tuple[list[int], Tables]]:
    """Read a batch. If a file in it is malformed, halve the batch repeatedly until that file is alone."""
    pending = [(number, opened) for number, opened in pending if not is_spent(number)]
    if not pending:
        return
    numbers = [number for number, _ in pending]
    if len(pending) == 1:
        yield numbers, read_one(pending[0][1])
        return
    try:
        window = Window.of_batch([bytes(opened.content or b"") for _, opened in pending])
        forest = read_forest(window, tflite_schema(), tflite_schema().root)
    except FlatbufferError:
        middle = len(pending) // 2
        yield from _read_batch(pending[:middle], is_spent)
        yield from _read_batch(pending[middle:], is_spent)
        return
    yield numbers, build_tables([_facts(opened) for _, opened in pending], window, forest)


def read_one(opened: OpenedFile) -> Tables:
    """Read one file. If it is not a model or is malformed, only the tables about files have rows."""
    if opened.kind.kind != MODEL:
        return build_tables([_facts(opened)], None, None)
    try:
        if opened.content is not None:
            window = Window.of_bytes(opened.content)
        else:
            assert opened.source is not None
            window = Window.of_source(opened.source)
        forest = read_forest(window, tflite_schema(), tflite_schema().root)
    except SourceError as error:
        return build_tables([_facts(unreadable_file(error, opened.size, opened.name))], None, None)
    except FlatbufferError as error:
        return build_tables([_malformed_facts(error, opened)], None, None)
    return build_tables([_facts(opened)], window, forest)


def read_together(files: Sequence[OpenedFile]) -> Tables:
    """Read a few models of any size as one batch, with the limit on tables multiplied by the number of models.

    Raises `FlatbufferError` if a model is malformed or if shared vectors exceed the budget of a batch, and
    `SourceError` if a model can no longer be read.
    """
    from tflint.source.joined_source import JoinedSource  # needed only to compare models

    joined = JoinedSource([file.source for file in files if file.source is not None])
    window = Window.of_source(joined, joined.starts, joined.ends)
    forest = read_forest(window, tflite_schema(), tflite_schema().root, max_tables=len(files) * MAX_TABLES)
    return build_tables([_facts(file) for file in files], window, forest)


def _facts(opened: OpenedFile) -> FileFacts:
    contents = opened.contents
    if contents is None:
        return FileFacts(opened.kind, opened.size, opened.name)
    reason = (contents.reason, contents.reason_offset, contents.reason_path)
    return FileFacts(opened.kind, opened.size, opened.name, *reason, contents)


def _malformed_facts(error: FlatbufferError, opened: OpenedFile) -> FileFacts:
    kind = TRUNCATED if error.is_truncation else MALFORMED
    offset = error.offset if error.offset >= 0 else None
    description = FileKind(kind, f"a {kind} model")
    return FileFacts(description, opened.size, opened.name, error.reason, offset, error.path, n_tables=error.n_tables)
