"""Reads sources into batches of tables: many small files at a time, a large one by itself; opens containers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tflint.findings import MemberOrigin
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.read_budgets import MAX_TABLES
from tflint.model.table_builders import make_tables
from tflint.model.tables import FileFacts, Tables
from tflint.schema import tflite_schema
from tflint.source import Source, SourceError
from tflint.source.file_kind import CONTAINER, MALFORMED, MODEL, TRUNCATED, UNREADABLE, FileKind, is_model, kind_of
from tflint.values import frozen

if TYPE_CHECKING:  # most files are no containers
    from tflint.container import Budget, Contents

#: A file up to this size is read whole and shares a batch; of a larger one only the needed pages are read.
SMALL_FILE_BYTES = 256 * 1024
#: A batch is closed at this many files or bytes: enough to make the fixed cost of a gather small.
BATCH_FILES = 64
BATCH_BYTES = 8 * 1024 * 1024

#: Says of a container's path and a member's path whether the member is to be passed over.
LeavesOut: TypeAlias = Callable[[str, str], bool]
#: SHA-256 of a member, the part of its suffix that matters, and, of a container, how deep it lies.
ContentKey: TypeAlias = tuple[bytes, str, int]
#: Says of a file's number whether it is not read any more.
IsSpent: TypeAlias = Callable[[int], bool]


@frozen
class Opened:
    """A file, or a member of a container, that was opened and looked at.

    Its kind, its content where it is small enough to be in memory, and what it holds where it is a container. `name` is
    its own, without folders; empty where it has none.
    """

    source: Source | None
    kind: FileKind
    size: int
    content: bytes | memoryview | None = None
    name: str = ""
    contents: Contents | None = None

    @property
    def is_small(self) -> bool:
        """Whether it may share a batch with others."""
        return self.kind.kind == MODEL and self.content is not None and self.size <= SMALL_FILE_BYTES


@frozen
class Found:
    """A file, or a member of a container, under the path that reports call it; `within` says where a member lies.

    `container` and `index` are the path of the container that a member is in, and its number there. `budget` is shared
    by all members of a file; `key` stands for a member's bytes, and for what its name makes of them. `reopen` is there
    if a member of this key came before: then `opened` is what that one was, without its bytes.
    """

    path: str
    opened: Opened
    within: MemberOrigin | None = None
    container: str = ""
    index: int = -1
    budget: Budget | None = None
    key: ContentKey | None = None
    reopen: Callable[[], Opened] | None = None


def expand(
    source: Source, name: str, path: str, *, wanted: str = "", leaves_out: LeavesOut | None = None
) -> Iterator[Found]:
    """A file, and after it, where it is a container, the models in it.

    `name` is the file's own, `path` what reports call it. `wanted` is the path of the one member that is asked for,
    empty for the whole file. Each is opened when it is asked for, and the source must stay open until then.
    """
    opened = open_found(source, name, None, is_for_one=bool(wanted))
    found = Found(path, opened, budget=None if opened.contents is None else opened.contents.budget)
    if not wanted:
        yield found
    if found.opened.contents is not None:
        from tflint.model.member_search import members_of

        yield from members_of(found, wanted, leaves_out)


def open_model(source: Source, name: str = "") -> Opened:
    """Look at what a source holds under a name; reads all of a small model, the directory of a container, else only
    the beginning.
    """
    return open_found(source, name, None)


def open_found(source: Source, name: str, container: Contents | None, *, is_for_one: bool = False) -> Opened:
    """The same for a member of a container, which shares what may be spent on its file.

    `is_for_one` tells that only one member of a file is asked for.
    """
    try:
        if container is not None and not is_model(source.read([(0, min(8, source.size))])[0]):
            from tflint.container import refused_zip

            refused = refused_zip(source, container)
            if refused is not None:
                kind = FileKind(CONTAINER, "a zip archive in a container")
                return Opened(source, kind, source.size, None, name, refused)
        kind = kind_of(source, name)
        if kind.kind == CONTAINER:
            from tflint.container import contents_of

            contents = contents_of(source, container, is_for_one=is_for_one)
            return Opened(source, kind, source.size, None, name, contents)
        content = source.content()
        if content is None and kind.kind == MODEL and source.size <= SMALL_FILE_BYTES:
            content = source.read([(0, source.size)])[0]
        return Opened(source, kind, source.size, content, name)
    except SourceError as error:
        return unreadable(error, source.size, name)


def unreadable(error: SourceError, size: int = 0, name: str = "") -> Opened:
    """What stands for a file that cannot be read."""
    return Opened(None, FileKind(UNREADABLE, error.reason), size, name=name)


def batches(files: Iterable[Opened]) -> Iterator[tuple[list[int], Tables]]:
    """Tables of all files, with the numbers of the files that each batch holds, batch by batch.

    A file is asked for when the ones before it are done or wait for their batch, whose bytes are bounded.
    """
    return numbered_batches(enumerate(files), lambda _number: False)


def numbered_batches(files: Iterable[tuple[int, Opened]], is_spent: IsSpent) -> Iterator[tuple[list[int], Tables]]:
    """The same for files that have numbers of their own; those are left out that `is_spent` names before their turn."""
    waiting: list[tuple[int, Opened]] = []
    n_bytes = 0
    for number, opened in files:
        if not opened.is_small:
            yield [number], read_one(opened)
            continue
        if waiting and (len(waiting) == BATCH_FILES or n_bytes + opened.size > BATCH_BYTES):
            yield from _read_batch(waiting, is_spent)
            waiting, n_bytes = [], 0
        waiting.append((number, opened))
        n_bytes += opened.size
    if waiting:
        yield from _read_batch(waiting, is_spent)


def _read_batch(waiting: Sequence[tuple[int, Opened]], is_spent: IsSpent) -> Iterator[tuple[list[int], Tables]]:
    """One batch; where a file of it is malformed the batch is halved until that file is alone."""
    waiting = [(number, opened) for number, opened in waiting if not is_spent(number)]
    if not waiting:
        return
    numbers = [number for number, _ in waiting]
    if len(waiting) == 1:
        yield numbers, read_one(waiting[0][1])
        return
    try:
        window = Window.of_batch([bytes(opened.content or b"") for _, opened in waiting])
        forest = read_forest(window, tflite_schema(), tflite_schema().root)
    except FlatbufferError:
        middle = len(waiting) // 2
        yield from _read_batch(waiting[:middle], is_spent)
        yield from _read_batch(waiting[middle:], is_spent)
        return
    yield numbers, make_tables([_facts(opened) for _, opened in waiting], window, forest)


def read_one(opened: Opened) -> Tables:
    """The tables of one file; where it is no model, or a malformed one, only those that speak of files have rows."""
    if opened.kind.kind != MODEL:
        return make_tables([_facts(opened)], None, None)
    try:
        if opened.content is not None:
            window = Window.of_bytes(opened.content)
        else:
            assert opened.source is not None
            window = Window.of_source(opened.source)
        forest = read_forest(window, tflite_schema(), tflite_schema().root)
    except SourceError as error:
        return make_tables([_facts(unreadable(error, opened.size, opened.name))], None, None)
    except FlatbufferError as error:
        return make_tables([_malformed(error, opened)], None, None)
    return make_tables([_facts(opened)], window, forest)


def read_together(files: Sequence[Opened]) -> Tables:
    """The tables of a few models as one batch, whatever their sizes; each may be as large as one that is read alone.

    `FlatbufferError` where one of them is malformed, or where vectors that they share repeat to more than a batch may
    hold, `SourceError` where one cannot be read any more.
    """
    from tflint.source.joined_source import JoinedSource  # only what compares models needs it

    joined = JoinedSource([file.source for file in files if file.source is not None])
    window = Window.of_source(joined, joined.starts, joined.ends)
    forest = read_forest(window, tflite_schema(), tflite_schema().root, max_tables=len(files) * MAX_TABLES)
    return make_tables([_facts(file) for file in files], window, forest)


def _facts(opened: Opened) -> FileFacts:
    contents = opened.contents
    if contents is None:
        return FileFacts(opened.kind, opened.size, opened.name)
    reason = (contents.reason, contents.reason_offset, contents.reason_path)
    return FileFacts(opened.kind, opened.size, opened.name, *reason, contents)


def _malformed(error: FlatbufferError, opened: Opened) -> FileFacts:
    kind = TRUNCATED if error.is_truncation else MALFORMED
    offset = error.offset if error.offset >= 0 else None
    what = FileKind(kind, f"a {kind} model")
    return FileFacts(what, opened.size, opened.name, error.reason, offset, error.path, n_tables=error.n_tables)
