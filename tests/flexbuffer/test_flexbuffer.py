"""Test FlexBuffers: results equal those of the official reader, and any bytes give a value or the one error."""

from __future__ import annotations

import contextlib
import math
import struct
import time

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.corpus import model_paths, needs_corpus
from tests.helpers.models import ModelBuilder
from tflint.columns.column import Lists, text_of
from tflint.facts.facts import Facts
from tflint.flexbuffer import Budget, FlexbufferError, decode
from tflint.flexbuffer.flexbuffer_decoder import MAX_DEPTH
from tflint.model.batch_reader import open_model, read_one
from tflint.model.custom_operators import decode_options
from tflint.source import BytesSource, FileSource

# What the official package can write: no larger integers, no larger floats.
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(-3e38, 3e38)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=8)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS | st.binary(max_size=300)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=5) | st.dictionaries(KEYS, v, max_size=5), max_leaves=20)


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_what_the_official_package_writes(value):
    data = bytes(flexbuffers.Dumps(value))
    assert decode(data) == value
    assert decode(data) == flexbuffers.Loads(data)


def built(build) -> bytes:
    """The bytes of what a function adds to a builder."""
    builder = flexbuffers.Builder()
    build(builder)
    return bytes(builder.Finish())


KINDS = {
    "typed integers": (lambda b: b.TypedVectorFromElements([1, -2, 300]), [1, -2, 300]),
    "typed unsigned": (lambda b: b.TypedVectorFromElements([1, 2**63], flexbuffers.Type.UINT), [1, 2**63]),
    "typed floats": (lambda b: b.TypedVectorFromElements([1.5, -2.25]), [1.5, -2.25]),
    "typed truths": (lambda b: b.TypedVectorFromElements([True, False, True]), [True, False, True]),
    "typed keys": (lambda b: b.TypedVectorFromElements(["a", "bc"], flexbuffers.Type.KEY), ["a", "bc"]),
    "a pair": (lambda b: b.FixedTypedVectorFromElements([7, -8]), [7, -8]),
    "three floats": (lambda b: b.FixedTypedVectorFromElements([0.5, 1.5, 2.5]), [0.5, 1.5, 2.5]),
    "four unsigned": (lambda b: b.FixedTypedVectorFromElements([1, 2, 3, 400], flexbuffers.Type.UINT), [1, 2, 3, 400]),
    "an indirect integer": (lambda b: b.IndirectInt(-70_000), -70_000),
    "an indirect unsigned": (lambda b: b.IndirectUInt(2**40), 2**40),
    "an indirect float": (lambda b: b.IndirectFloat(math.pi), math.pi),
    "a key": (lambda b: b.Key("name"), "name"),
    "a blob": (lambda b: b.Blob(b"\0\1\2" * 200), b"\0\1\2" * 200),
    "a wide integer": (lambda b: b.Int(1, 8), 1),
    "nothing": (lambda b: b.Null(), None),
    "an empty map": (lambda b: b.MapFromElements({}), {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_each_kind(kind):
    build, value = KINDS[kind]
    data = built(build)
    assert decode(data) == value
    if value:  # the official package reads an empty vector's length from before its beginning
        assert flexbuffers.Loads(data) == value


def test_a_text_that_is_no_utf_8_is_given_as_bytes():
    data = bytearray(built(lambda b: b.String("abc")))
    data[data.index(b"a")] = 0xFF
    assert decode(bytes(data)) == b"\xffbc"


BROKEN = {
    "nothing": (b"", "too few"),
    "a root of no width": (b"\0\0\0", "0 bytes wide"),
    "a root of an odd width": (b"\0\0\0\0\x04\x03", "3 bytes wide"),
    "a root wider than all": (b"\0\x04\x08", "8 bytes wide"),
    "a type that is not known": (bytes([0, 0, 63 << 2, 1]), "type 63 is unknown"),
    "an offset to before the first byte": (bytes([9, 5 << 2, 1]), "before the first byte"),
    "a string that has no length": (bytes([0, 5 << 2, 1]), "outside of the FlexBuffer"),
    "a string longer than all": (bytes([200, 65, 1, 5 << 2, 1]), "outside of the FlexBuffer"),
    "a float of eight bits": (bytes([0, 3 << 2, 1]), "a float of 8 bits"),
    "a key that does not end": (bytes([65, 66, 2, 4 << 2, 1]), None),
    "a vector that is its own element": (bytes([1, 1, 10 << 2, 2, 10 << 2, 1]), None),
    "keys of an odd width": (bytes([3, 3, 1, 0, 1, 9 << 2, 1]), "3 bytes wide"),
}


@pytest.mark.parametrize("oddity", BROKEN)
def test_what_is_no_flexbuffer(oddity):
    data, reason = BROKEN[oddity]
    if reason is None:
        with pytest.raises(FlexbufferError):
            decode(data)
        return
    with pytest.raises(FlexbufferError, match=reason) as caught:
        decode(data)
    assert 0 <= caught.value.offset <= len(data)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_vectors_within_vectors(depth):
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    data = bytes(flexbuffers.Dumps(value))
    if depth < MAX_DEPTH:
        assert decode(data) == value
    else:
        with pytest.raises(FlexbufferError, match="nested deeper than 64"):
            decode(data)


def test_vectors_that_name_each_other_again_and_again():
    """Forty vectors, each with the one before it as both of its elements: a trillion values in 200 bytes."""
    data = bytearray(bytes([0, 0]))  # a vector without elements
    at = 1
    for _ in range(40):
        data += bytes([2])
        here = len(data)
        data += bytes([here - at, here + 1 - at, 10 << 2, 10 << 2])
        at = here
    data += bytes([len(data) - at, 10 << 2, 1])
    started = time.perf_counter()
    with pytest.raises(FlexbufferError, match="more values than the FlexBuffer has bytes"):
        decode(bytes(data))
    assert time.perf_counter() - started < 1


@pytest.mark.security
def test_keys_that_overlap_are_not_copied_again_and_again():
    n = 4000
    text = b"k" * n + b"\0"
    offsets = b"".join(struct.pack("<H", len(text) + 2 + 2 * k - k) for k in range(n))
    vector = struct.pack("<H", n) + offsets
    at = len(text) + 2
    data = text + vector
    data += struct.pack("<H", len(data) - at) + bytes([14 << 2 | 1, 2])
    with pytest.raises(FlexbufferError, match="blobs overlap"):
        decode(data)


def test_a_length_past_the_end_shows_at_the_end():
    data = bytearray(built(lambda b: b.VectorFromElements([1, 2, 3])))
    data[0] = 200  # how many elements there are
    with pytest.raises(FlexbufferError, match="outside of the FlexBuffer") as caught:
        decode(bytes(data))
    assert caught.value.offset == len(data)


def test_a_budget_is_shared_by_several():
    data = bytes(flexbuffers.Dumps([1, 2, 3]))
    budget = Budget(6)
    assert decode(data, budget) == [1, 2, 3]
    with pytest.raises(FlexbufferError):
        decode(data, budget)
    assert budget.values < 0


@settings(max_examples=600, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_the_one_error(data):
    try:
        decode(data)
    except FlexbufferError as error:
        assert 0 <= error.offset <= len(data)


@settings(max_examples=600, deadline=None)
@given(VALUES, st.data())
def test_any_change_gives_a_value_or_the_one_error(value, data):
    content = bytearray(flexbuffers.Dumps(value))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FlexbufferError):
        decode(bytes(content))


# --- options of operators ---------------------------------------------------------------------------------------------


def with_options(*options: bytes) -> Facts:
    """A model with a custom operator for each options, and a built-in one after them."""
    builder = ModelBuilder().tensor("x", "FLOAT32", [1, 4])
    for number, data in enumerate(options):
        builder.tensor(f"t{number}", "FLOAT32", [1, 4]).custom("op", ["x"], [f"t{number}"], data)
    builder.tensor("y", "FLOAT32", [1, 4]).operator("RELU", ["t0"], ["y"])
    return Facts(read_one(open_model(BytesSource(builder.inputs("x").outputs("y").build()))))


def keys(facts: Facts) -> list[list[str] | None]:
    column = facts.column("operator", "custom_options.keys")
    assert isinstance(column, Lists)
    state = column.state if column.state is not None else np.zeros(len(column), np.uint8)
    return [None if state[k] else [column.labels[code] for code in column.row(k)] for k in range(len(column))]


def test_columns_of_custom_options():
    facts = with_options(
        bytes(flexbuffers.Dumps({"stride": 2, "axis": [1, 2]})), b"raw bytes", b"", bytes(flexbuffers.Dumps([1]))
    )
    assert keys(facts) == [["axis", "stride"], None, None, None, None]
    valid = facts.column("operator", "custom_options.valid")
    assert valid.values.tolist() == [True, False, True, True, True]
    assert valid.state.tolist() == [0, 0, 1, 0, 1]


def test_what_options_say_as_plain_data():
    facts = with_options(bytes(flexbuffers.Dumps({"stride": 2})), b"raw bytes", b"")
    assert [decode_options(facts.tables, row) for row in range(4)] == [{"stride": 2}, b"raw bytes", None, None]


def test_options_beyond_the_budget_are_unknown(monkeypatch):
    monkeypatch.setattr("tflint.facts.graph.custom_options.MAX_VALUES", 5)
    facts = with_options(bytes(flexbuffers.Dumps([1, 2, 3])), bytes(flexbuffers.Dumps([1, 2, 4])))
    assert facts.column("operator", "custom_options.valid").state.tolist() == [0, 2, 1]
    assert facts.column("operator", "custom_options.keys").state.tolist() == [1, 2, 1]


@needs_corpus
def test_options_of_real_models_are_read_as_the_official_package_reads_them():
    compared = 0
    for path in model_paths():
        with FileSource(path) as source:
            tables = read_one(open_model(source))
            codes = tables.column("operator", "custom_code")
            for row in range(len(codes)):
                value = decode_options(tables, row) if text_of(codes, row) is not None else None
                if not isinstance(value, dict | list) or holds_bytes(value):
                    continue
                options = tables.column("operator", "custom_options")
                assert isinstance(options, Lists)
                assert value == flexbuffers.Loads(bytes(options.row(row)))
                compared += 1
    assert compared > 40


def holds_bytes(value: object) -> bool:
    """Whether there are texts in it that are no UTF-8: the official package fails at them."""
    if isinstance(value, dict):
        return any(holds_bytes(element) for element in value.values())
    return any(map(holds_bytes, value)) if isinstance(value, list) else isinstance(value, bytes)
