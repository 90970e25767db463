"""Reads sources into batches of tables: many small files at a time, a large file alone. Opens containers."""

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

#: A file up to this size is read whole and shares a batch; of a larger file, only the needed pages are read.
SMALL_FILE_BYTES = 256 * 1024
#: Maximum files and bytes of a batch: enough to make the fixed cost of a gather small.
BATCH_FILES = 64
BATCH_BYTES = 8 * 1024 * 1024

#: Returns whether to skip a member, given the path of its container and its own path.
SkipMember: TypeAlias = Callable[[str, str], bool]
#: SHA-256 of a member, the relevant part of its suffix, and the nesting depth of a container.
ContentKey: TypeAlias = tuple[bytes, str, int]
#: Returns whether the file with this number is no longer needed.
IsSpent: TypeAlias = Callable[[int], bool]


@frozen
class OpenedFile:
    """A file or member of a container that was opened, and its kind.

    `content` is set if the file is small or in memory, and `contents` if it is a container. `name` has no folders; it
    is empty if the file has no name.
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
    """A file or member of a container with its path in reports; `within` locates a member in its file.

    `container` and `index` are the path of a member's container and its index there. `budget` is shared by all members
    of a file. `key` identifies equal members by bytes and relevant name. `reopen` is set if an equal member came
    before; then `opened` is the earlier member without its bytes.
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

    `name` is the file's own name, `path` the one in reports. `wanted` is the path of a single requested member, empty
    for the whole file. Members are opened one by one, so the source must stay open until the last one.
    """
    opened = open_source(source, name, None, is_for_one=bool(wanted))
    file = FoundFile(path, opened, budget=None if opened.contents is None else opened.contents.budget)
    if not wanted:
        yield file
    if file.opened.contents is not None:
        from tflint.model.member_search import members_of

        yield from members_of(file, wanted, leaves_out)


def open_model(source: Source, name: str = "") -> OpenedFile:
    """Open a source: read all of a small model, the directory of a container, or else the first bytes."""
    return open_source(source, name, None)


def open_source(source: Source, name: str, container: Contents | None, *, is_for_one: bool = False) -> OpenedFile:
    """Open a source that may be a member of a container, whose budget it then shares.

    `is_for_one` means that a single member of the file was requested.
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
        if content is None and kind.kind == MODEL and source.size <= SMALL_FILE_BYTES:
            content = source.read([(0, source.size)])[0]
        return OpenedFile(source, kind, source.size, content, name)
    except SourceError as error:
        return unreadable_file(error, source.size, name)


def unreadable_file(error: SourceError, size: int = 0, name: str = "") -> OpenedFile:
    """Return a placeholder for a file that cannot be read."""
    return OpenedFile(None, FileKind(UNREADABLE, error.reason), size, name=name)


def read_batches(files: Iterable[OpenedFile]) -> Iterator[tuple[list[int], Tables]]:
    """Yield the tables of all files in batches, with the indexes of the files in each batch.

    A file is taken from `files` only when the previous ones have been read or wait in a batch of limited size.
    """
    return read_numbered_batches(enumerate(files), lambda _number: False)


def read_numbered_batches(
    files: Iterable[tuple[int, OpenedFile]], is_spent: IsSpent
) -> Iterator[tuple[list[int], Tables]]:
    """Yield batches of numbered files; files that `is_spent` names when their batch is read are skipped."""
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
    """Read a batch; if a file in it is malformed, halve the batch until that file is alone."""
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
    """Read one file. If it is not a model, or malformed, only the tables about files have rows."""
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
    """Read a few models of any size as one batch; the usual limits apply per model.

    Raises `FlatbufferError` if a model is malformed or the shared vectors exceed the budget of a batch, and
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
