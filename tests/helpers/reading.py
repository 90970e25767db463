"""Reads bytes as models, counts what is read, and breaks files at chosen places."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.helpers.facts import values_of
from tests.helpers.models.named import NOT_RUNNABLE, RUNNABLE
from tflint.columns.column import Lists, Texts
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.forest_reader import read_forest
from tflint.model.batch_reader import open_model, read_batches
from tflint.model.model_columns import raw_tables
from tflint.model.table_builders import build_tables
from tflint.model.tables import FileFacts, Tables
from tflint.schema import tflite_schema
from tflint.source import BytesSource
from tflint.source.file_kind import MODEL, FileKind

VALID = RUNNABLE | NOT_RUNNABLE


#: Columns that hold content, not structure: bytes of buffers and of custom options.
CONTENT = {("buffer", "data"), ("operator", "custom_options"), ("tensor", "quantization.custom")}


def tables_over(window: Window) -> Tables:
    forest = read_forest(window, tflite_schema(), "Model")
    return build_tables([FileFacts(FileKind(MODEL), int(window.ends[0]))], window, forest)


def touch(tables: Tables, *, content: bool = True) -> int:
    """Ask for every column of every table, every text and every element; how many rows that were."""
    n_rows = 0
    for name, declared in raw_tables().items():
        table = tables.table(name)
        for column_name in declared.columns:
            column = table.column(column_name)
            n_rows += len(column)
            assert len(column) == len(table)
            assert column.state is None or len(column.state) == len(table)
            if (name, column_name) in CONTENT and not content:
                continue
            if isinstance(column, Lists):
                values = column.flatten(np.arange(len(table)))[0]
                if column.labels is not None and len(values):
                    assert len(column.labels) > values.max()
            elif isinstance(column, Texts):
                for row in range(len(table)):
                    column.text(row)
    return n_rows


class CountingSource:
    """Bytes in memory, read byte by byte; remembers which were asked for."""

    page_size = 1

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)
        self.asked = np.zeros(len(content), np.bool_)

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        for begin, end in ranges:
            assert 0 <= begin < end <= self.size
            self.asked[begin:end] = True
        return [self._content[begin:end] for begin, end in ranges]

    def read_into(self, begin: int, buffer: memoryview) -> None:
        buffer[:] = self.read([(begin, begin + len(buffer))])[0]


def weight_spans(tables: Tables) -> list[tuple[int, int]]:
    """Where the data of the buffers lies, but for those that hold metadata."""
    metadata = set(values_of(tables.column("metadata", "buffer"), slice(None)))
    data = tables.column("buffer", "data")
    assert isinstance(data, Lists)
    spans = zip(data.starts.tolist(), data.lengths.tolist(), strict=True)
    return [(start, start + n) for row, (start, n) in enumerate(spans) if row not in metadata]


def quickly(limit_s: float, function: Callable[..., Any], *arguments: Any) -> Any:
    begin = time.perf_counter()
    result = function(*arguments)
    assert time.perf_counter() - begin < limit_s
    return result


def read_whatever(content: bytes) -> Tables:
    """Read and touch everything; the file is a model or it is not, and nothing is raised."""
    ((_, tables),) = read_batches([open_model(BytesSource(content))])
    touch(tables)
    assert len(tables.table("file")) == 1
    if not tables.is_readable:
        assert values_of(tables.column("file", "kind"), slice(None)) != [MODEL]
        assert len(tables.table("model")) == 0
    return tables
