"""Test windows over sources: gathers from dense and compact pages equal those from memory; reads, memory and cost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.models.named import NAMED
from tests.helpers.reading import tables_over
from tflint.api import check, diff
from tflint.facts.facts import Facts
from tflint.flatbuffer import byte_window, source_pages
from tflint.flatbuffer.byte_window import DTYPES, Window
from tflint.model import batch_reader
from tflint.source import BytesSource, FileSource
from tflint.writer import pack

PAGE = 16
SIZE = 50 * PAGE + 5
CONTENT = np.random.default_rng(0).bytes(SIZE)

#: Requests of a window: a type and the offsets of a gather, or the bounds of a span.
GATHERS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda scalar: st.tuples(
        st.just(scalar),
        st.lists(st.integers(0, SIZE - DTYPES[scalar].itemsize), max_size=20),
        st.sampled_from([1, DTYPES[scalar].itemsize]),
    )
)
SPANS = st.lists(st.integers(0, SIZE), min_size=2, max_size=2).map(sorted)
REQUESTS = st.lists(GATHERS | SPANS, min_size=1, max_size=30)


class Tally(BytesSource):
    """Bytes in memory; counts how often each was read into the pages."""

    page_size = PAGE

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads = np.zeros(len(content), dtype=np.int64)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        for begin, end in ranges:
            self.reads[begin:end] += 1
        return super().read(ranges)


@pytest.fixture(params=["dense", "compact"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which pages windows over sources have; gaps and pieces are as small as the pages."""
    monkeypatch.setattr(byte_window, "MAX_DENSE_BYTES", 0 if request.param == "compact" else 1 << 30)
    monkeypatch.setattr(source_pages, "READ_GAP_BYTES", 2 * PAGE)
    monkeypatch.setattr(source_pages, "PIECE_BYTES", 3 * PAGE)
    return str(request.param)


def answer(over: Window, wanted: Any) -> bytes:
    if isinstance(wanted, list):
        return over.span(*wanted)
    scalar, offsets, multiple = wanted
    taken = over.take(np.array(offsets, dtype=np.int64) // multiple * multiple, scalar)
    assert taken.dtype == DTYPES[scalar]
    return taken.tobytes()


def expected(wanted: Any) -> bytes:
    if isinstance(wanted, list):
        return CONTENT[slice(*wanted)]
    scalar, offsets, multiple = wanted
    begins = [offset // multiple * multiple for offset in offsets]
    return b"".join(CONTENT[begin : begin + DTYPES[scalar].itemsize] for begin in begins)


@given(REQUESTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_answer_as_bytes_in_memory_do(kind: str, requests: list[Any]) -> None:
    source = Tally(CONTENT)
    over, in_memory = Window.of_source(source), Window.of_bytes(CONTENT)
    for wanted in requests:
        assert answer(over, wanted) == answer(in_memory, wanted) == expected(wanted), wanted
    if kind == "compact":
        assert source.reads.max() <= 1
    assert np.count_nonzero(source.reads) <= over.n_bytes_in_memory < np.count_nonzero(source.reads) + PAGE
    scratch = np.empty(SIZE, dtype=np.uint8)
    assert over.read_once(3, SIZE, scratch).tobytes() == over.read(3, SIZE) == CONTENT[3:]


def test_a_span_ends_with_the_source(kind: str) -> None:
    over = Window.of_source(Tally(CONTENT))
    assert over.span(SIZE - 3, SIZE + 100) == CONTENT[-3:]
    assert over.span(SIZE, SIZE + 1) == over.span(9, 9) == over.span(9, 5) == b""


def test_a_part_shares_what_was_read(kind: str) -> None:
    source = Tally(CONTENT)
    over = Window.of_source(source)
    part = over.subwindow(PAGE, 3 * PAGE)
    assert part.span(PAGE, 3 * PAGE) == over.span(PAGE, 3 * PAGE) == CONTENT[PAGE : 3 * PAGE]
    assert part.bounds(np.zeros(1, dtype=np.int32)) == 3 * PAGE
    assert part.n_bytes_in_memory == over.n_bytes_in_memory == int(source.reads.sum()) == 2 * PAGE


def test_a_window_apart_reads_again_and_adds_nothing_to_the_first(kind: str) -> None:
    source = Tally(CONTENT)
    over = Window.of_source(source)
    over.span(0, PAGE)
    apart = over.with_own_cache()
    assert apart.span(0, SIZE) == CONTENT
    assert over.n_bytes_in_memory == (PAGE if kind == "compact" else 51 * PAGE)
    assert source.reads.max() == (2 if kind == "compact" else 1)


def test_a_source_that_fails_leaves_what_was_read_before(kind: str) -> None:
    source = Tally(CONTENT)
    over = Window.of_source(source)
    over.span(0, PAGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "read", lambda ranges: [b"", *[1 / 0 for _ in ranges]])
        with pytest.raises(ZeroDivisionError):
            over.span(8 * PAGE, 20 * PAGE)
    assert over.span(0, SIZE) == CONTENT


def test_small_sources_are_dense_and_large_ones_are_not() -> None:
    content = bytes(byte_window.MAX_DENSE_BYTES + 1)
    assert Window.of_source(BytesSource(memoryview(content)[:-1])).span(0, 1) == b"\0"
    large = Window.of_source(BytesSource(content))
    assert large.span(0, 1) + large.span(len(content) - 1, len(content)) == b"\0\0"
    assert large.n_bytes_in_memory == 4096 + 1
    assert not large.is_in_memory


@pytest.mark.parametrize("n_bytes", [4096, 100_000, 2 << 20])
def test_growing_costs_less_than_half_of_what_is_held(n_bytes: int) -> None:
    n, size = (8 << 20) // n_bytes, 40 << 20
    over = Window.of_source(BytesSource(memoryview(bytearray(size))))
    tracemalloc.start()
    try:
        for begin in range(0, n * n_bytes, n_bytes):
            over.take(np.arange(begin, begin + n_bytes, 4096) * 5 % size, "ubyte")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert over.n_bytes_in_memory > 4 << 20
    assert peak < 1.5 * over.n_bytes_in_memory


@pytest.mark.parametrize("name", ["labels_float32", "image_float32", "conv_int16x8", "sparse_float32", "string_const"])
def test_findings_over_compact_pages_are_those_over_bytes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "m.tflite", tmp_path / "n.tflite"
    path.write_bytes(NAMED[name]())
    other.write_bytes(NAMED["conv_int8"]())
    expected = check([str(path)]).files, diff(str(path), str(other)).files
    appended: list[Any] = []
    append = source_pages.CompactPages._append
    monkeypatch.setattr(
        source_pages.CompactPages, "_append", lambda self, parts: appended.extend(parts) or append(self, parts)
    )
    monkeypatch.setattr(byte_window, "MAX_DENSE_BYTES", 0)
    monkeypatch.setattr(batch_reader, "WHOLE_FILE_BYTES", 0)
    monkeypatch.setattr(source_pages, "READ_GAP_BYTES", 0)
    monkeypatch.setattr(FileSource, "page_size", PAGE)
    assert (check([str(path)]).files, diff(str(path), str(other)).files) == expected
    assert len(appended) > 20


def test_buffers_that_are_compared_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_window, "MAX_DENSE_BYTES", 0)
    n, n_bytes = 600, 16 * 1024
    buffers = [{}, *({"data": bytes(n_bytes - 1) + bytes([k % 2])} for k in range(n))]
    over = Window.of_source(BytesSource(pack({"version": 3, "subgraphs": [{}], "buffers": buffers})))
    facts = Facts(tables_over(over))
    before = facts.tables.window.n_bytes_in_memory
    rows = facts.rows("buffer", "identity")
    assert rows.tolist() == [-1, *(1 + k % 2 for k in range(n))]
    assert facts.tables.window.n_bytes_in_memory == before
