"""Test batches: the columns equal those of single models, and a bad file affects no other file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.helpers.corpus import model_paths, needs_corpus
from tests.helpers.facts import state_of, values_of
from tests.helpers.models.named import NAMED, NOT_RUNNABLE, RUNNABLE, WRONG_FILES
from tflint.columns.column import ABSENT, Lists
from tflint.columns.column_types import ColumnType
from tflint.model import batch_reader
from tflint.model.batch_reader import OpenedFile, open_model, read_batches, read_one
from tflint.model.model_columns import raw_tables
from tflint.model.tables import Tables
from tflint.source import BytesSource
from tflint.writer import pack, unpack

VALID = RUNNABLE | NOT_RUNNABLE


def opened(contents: Sequence[bytes]) -> list[OpenedFile]:
    return [open_model(BytesSource(content)) for content in contents]


def first_rows(singles: Sequence[Tables], table: str) -> list[int]:
    """For each model the row of the joint table at which its own rows begin."""
    counts = [len(tables.table(table)) for tables in singles]
    return [sum(counts[:k]) for k in range(len(counts))]


def moved(values: list[Any], by: int) -> list[Any]:
    """References of one model as references into the joint tables."""
    return [[row + by for row in value] if isinstance(value, list) else value + by * (value >= 0) for value in values]


def assert_same_column(joint: Tables, singles: Sequence[Tables], table: str, column: str, kind: ColumnType) -> None:
    ours = joint.column(table, column)
    begins = first_rows(singles, table)
    for model, single in enumerate(singles):
        theirs = single.column(table, column)
        assert type(ours) is type(theirs)
        rows = slice(begins[model], begins[model] + len(theirs))
        states = state_of(theirs, slice(None))
        assert state_of(ours, rows) == states, (table, column, model)
        expected = values_of(theirs, slice(None))
        if kind.table:
            expected = moved(expected, first_rows(singles, kind.table)[model])
        found = values_of(ours, rows)
        there = [k for k, state in enumerate(states) if state != ABSENT or isinstance(theirs, Lists)]
        left, right = [found[k] for k in there], [expected[k] for k in there]
        assert repr(left) == repr(right), (table, column, model)  # repr: NaN equals NaN, 0.0 differs from -0.0


def assert_same(joint: Tables, singles: Sequence[Tables]) -> None:
    for name, declared in raw_tables().items():
        table = joint.table(name)
        parts = [single.table(name) for single in singles]
        assert table.model.tolist() == [k for k, part in enumerate(parts) for _ in range(len(part))], name
        assert table.byte_offset.tolist() == [offset for part in parts for offset in part.byte_offset.tolist()], name
        assert table.byte_length.tolist() == [length for part in parts for length in part.byte_length.tolist()], name
        for model, part in enumerate(parts):
            rows = table.rows_of(model)
            assert rows.stop - rows.start == len(part), name
        for column in declared.columns.values():
            assert_same_column(joint, singles, name, column.name, column.type)


def one_batch(contents: Sequence[bytes]) -> Tables:
    ((numbers, joint),) = read_batches(opened(contents))
    assert numbers == list(range(len(contents)))
    return joint


def test_named_models_in_one_batch() -> None:
    contents = [build() for build in VALID.values()]
    assert_same(one_batch(contents), [read_one(item) for item in opened(contents)])


@needs_corpus
@pytest.mark.parametrize("begin", range(5))
def test_fifty_real_models_in_one_batch(begin: int) -> None:
    small = [path for path in model_paths() if path.stat().st_size <= batch_reader.SMALL_FILE_BYTES]
    chosen = [path.read_bytes() for path in small[begin :: len(small) // 50][:50]]
    assert len(chosen) == 50
    assert sum(len(content) for content in chosen) <= batch_reader.BATCH_BYTES
    assert_same(one_batch(chosen), [read_one(item) for item in opened(chosen)])


def test_a_union_type_without_a_table_reads_alike_alone_and_beside_others() -> None:
    bare = unpack(VALID["add_float32"]())
    bare["subgraphs"][0]["operators"][0]["builtin_options"] = {"type": 250}
    contents = [pack(bare), VALID["conv_int8"]()]
    joint = one_batch(contents)
    assert_same(joint, [read_one(item) for item in opened(contents)])
    assert values_of(joint.column("operator", "options_type"), slice(0, 1)) == ["250"]


# --- broken files among good ones -------------------------------------------------------------------------------------


def malformed() -> bytes:
    """A model whose first table begins outside of the file."""
    return b"\xf0\xff\xff\x7f" + VALID["add_int8"]()[4:]


def test_wrong_files_among_good_ones_are_read_as_they_are_alone() -> None:
    builds = {name: build for pair in zip(VALID, WRONG_FILES, strict=False) for name in pair if (build := NAMED[name])}
    files = opened([build() for build in builds.values()])
    seen = {}
    for numbers, tables in read_batches(files):
        for number in numbers:
            assert number not in seen
            seen[number] = tables
    assert sorted(seen) == list(range(len(files)))
    for number, name in enumerate(builds):
        alone = read_one(files[number])
        assert seen[number].is_readable == alone.is_readable
        kinds = {values_of(tables.column("file", "kind"), slice(None))[0] for tables in (alone, seen[number])}
        assert len(kinds) == 1, name


@pytest.mark.parametrize("bad", [{0}, {31}, {63}, {10, 11}, set(range(64)), set(range(0, 64, 2))])
def test_halving_leaves_each_malformed_file_alone_and_loses_no_other(bad: set[int]) -> None:
    good = [build() for build in VALID.values()]
    contents = [malformed() if k in bad else good[k % len(good)] for k in range(64)]
    found = list(read_batches(opened(contents)))
    assert [number for numbers, _ in found for number in numbers] == list(range(64))
    for numbers, tables in found:
        if bad & set(numbers):
            assert len(numbers) == 1
            assert not tables.is_readable
            assert values_of(tables.column("file", "kind"), slice(None)) == ["truncated"]
            assert values_of(tables.column("file", "reason_offset"), slice(None)) == [0x7FFFFFF0]
        else:
            assert tables.is_readable
            assert_same(tables, [read_one(item) for item in opened([contents[number] for number in numbers])])


def test_a_malformed_file_costs_few_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    n_reads = 0
    read_forest = batch_reader.read_forest

    def counted(*arguments: Any) -> Any:
        nonlocal n_reads
        n_reads += 1
        return read_forest(*arguments)

    monkeypatch.setattr(batch_reader, "read_forest", counted)
    contents = [VALID["add_int8"]()] * 63 + [malformed()]
    assert len(list(read_batches(opened(contents)))) == 7
    assert n_reads == 1 + 2 * 6


def test_a_batch_is_closed_at_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    content = VALID["add_int8"]()
    sizes = [len(numbers) for numbers, _ in read_batches(opened([content] * 130))]
    assert sizes == [64, 64, 2]
    monkeypatch.setattr(batch_reader, "BATCH_BYTES", 10 * len(content))
    assert [len(numbers) for numbers, _ in read_batches(opened([content] * 25))] == [10, 10, 5]
    monkeypatch.setattr(batch_reader, "SMALL_FILE_BYTES", len(content) - 1)
    assert [len(numbers) for numbers, _ in read_batches(opened([content] * 3))] == [1, 1, 1]


def test_no_files_are_no_batches() -> None:
    assert list(read_batches([])) == []
