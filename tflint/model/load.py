"""Reads sources into batches of tables: many small files at a time, a large one by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.flatbuffer.errors import FlatbufferError
from tflint.flatbuffer.reader import read_forest
from tflint.flatbuffer.window import Window
from tflint.model.rooms import make_tables
from tflint.model.tables import FileFacts, Tables
from tflint.schema import tflite_schema
from tflint.source import Source, SourceError
from tflint.source.kind import MALFORMED, MODEL, TRUNCATED, UNREADABLE, FileKind, kind_of
from tflint.values import frozen

#: A file up to this size is read whole and shares a batch; of a larger one only the needed pages are read.
SMALL_FILE_BYTES = 256 * 1024
#: A batch is closed at this many files or bytes: enough to make the fixed cost of a gather small.
BATCH_FILES = 64
BATCH_BYTES = 8 * 1024 * 1024


@frozen
class Opened:
    """A file that was opened and looked at: its kind, and its content where it is small enough to be in memory.

    `name` is the file's own, without folders; empty where it has none.
    """

    source: Source | None
    kind: FileKind
    size: int
    content: bytes | memoryview | None = None
    name: str = ""

    @property
    def is_small(self) -> bool:
        """Whether it may share a batch with others."""
        return self.kind.kind == MODEL and self.content is not None and self.size <= SMALL_FILE_BYTES


def open_model(source: Source, name: str = "") -> Opened:
    """Look at what a source holds under a name; reads all of a small model, else only its beginning."""
    try:
        kind = kind_of(source)
        content = source.content()
        if content is None and kind.kind == MODEL and source.size <= SMALL_FILE_BYTES:
            content = source.read([(0, source.size)])[0]
        return Opened(source, kind, source.size, content, name)
    except SourceError as error:
        return unreadable(error, source.size, name)


def unreadable(error: SourceError, size: int = 0, name: str = "") -> Opened:
    """What stands for a file that cannot be read."""
    return Opened(None, FileKind(UNREADABLE, error.reason), size, name=name)


def batches(files: Sequence[Opened]) -> Iterator[tuple[list[int], Tables]]:
    """Tables of all files, with the numbers of the files that each batch holds, batch by batch."""
    waiting: list[int] = []
    n_bytes = 0
    for number, opened in enumerate(files):
        if not opened.is_small:
            yield [number], read_one(opened)
            continue
        if waiting and (len(waiting) == BATCH_FILES or n_bytes + opened.size > BATCH_BYTES):
            yield from _read_batch(files, waiting)
            waiting, n_bytes = [], 0
        waiting.append(number)
        n_bytes += opened.size
    if waiting:
        yield from _read_batch(files, waiting)


def _read_batch(files: Sequence[Opened], numbers: list[int]) -> Iterator[tuple[list[int], Tables]]:
    """One batch; where a file of it is malformed the batch is halved until that file is alone."""
    if len(numbers) == 1:
        yield numbers, read_one(files[numbers[0]])
        return
    try:
        window = Window.of_batch([bytes(files[number].content or b"") for number in numbers])
        forest = read_forest(window, tflite_schema(), tflite_schema().root)
    except FlatbufferError:
        middle = len(numbers) // 2
        yield from _read_batch(files, numbers[:middle])
        yield from _read_batch(files, numbers[middle:])
        return
    yield numbers, make_tables([_facts(files[n]) for n in numbers], window, forest)


def read_one(opened: Opened) -> Tables:
    """The tables of one file; where it is no model or a malformed one, only the `file` table has a row."""
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


def _facts(opened: Opened) -> FileFacts:
    return FileFacts(opened.kind, opened.size, opened.name)


def _malformed(error: FlatbufferError, opened: Opened) -> FileFacts:
    kind = TRUNCATED if error.is_truncation else MALFORMED
    offset = error.offset if error.offset >= 0 else None
    what = FileKind(kind, f"a {kind} model")
    return FileFacts(what, opened.size, opened.name, error.reason, offset, error.path)
