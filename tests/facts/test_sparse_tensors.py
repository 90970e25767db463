"""Test the fact `sparsity_error`: it describes each kind of invalid sparsity and is absent for valid tensors."""

from __future__ import annotations

import pytest

from tests.helpers.facts import facts_of, rows
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tflint.writer.model_edits import edit_model

ROUTE = "tensors.weights.sparsity"
SEGMENTS, INDICES = f"{ROUTE}.dim_metadata.1.array_segments", f"{ROUTE}.dim_metadata.1.array_indices"


def errors(content: bytes) -> list[str | None]:
    return rows(facts_of(content), "tensor", "sparsity_error")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({f"{ROUTE}.traversal_order": [0]}, "traversal_order has length 1, but dim_metadata has length 2"),
        ({f"{ROUTE}.traversal_order": [0, 0]}, "traversal_order [0, 0] is not a permutation"),
        ({f"{ROUTE}.traversal_order": [1, 2]}, "traversal_order [1, 2] is not a permutation"),
        ({f"{ROUTE}.block_map": [0]}, "block_map has length 1, but traversal_order needs length 0"),
        ({f"{ROUTE}.dim_metadata.0.dense_size": 5}, "stored dimension 0 has size 5, but the shape has 3"),
        ({f"{ROUTE}.dim_metadata.0.dense_size": -3}, "stored dimension 0 has size -3, but the shape has 3"),
        ({f"{SEGMENTS}.values": [0, 1, 3]}, "stored dimension 1 has 3 segments, but needs 4"),
        (
            {f"{SEGMENTS}.values": [0, 3, 2, 3]},
            "the segments of stored dimension 1 do not start at 0 or are not ascending",
        ),
        (
            {f"{SEGMENTS}.values": [1, 1, 2, 3]},
            "the segments of stored dimension 1 do not start at 0 or are not ascending",
        ),
        ({f"{SEGMENTS}.values": [0, 1, 2, 9]}, "the segments of stored dimension 1 end at 9, but it has 3 indices"),
        ({f"{INDICES}.values": [0, 1]}, "the segments of stored dimension 1 end at 3, but it has 2 indices"),
        ({f"{INDICES}.values": [0, 4, 2]}, "an index of stored dimension 1 is out of range for its size 4"),
        ({INDICES: "absent"}, "stored dimension 1 is sparse but has no segments or no indices"),
        (
            {"tensors.weights.data": [1.0, 2.0]},
            "the tensor's data has 8 bytes, but the stored dimensions need 12 bytes",
        ),
        ({"tensors.weights.shape": [3, 2, 2]}, "traversal_order has length 2, but the tensor has rank 3"),
    ],
)
def test_what_is_wrong_is_said(edit, expected):
    assert expected in errors(edit_model(NAMED["sparse_float32"](), edit))


def test_a_tensor_in_order_and_a_dense_one_have_no_error():
    assert set(errors(NAMED["sparse_float32"]())) == {None}
    assert set(errors(NAMED["conv_float32"]())) == {None}


@pytest.mark.parametrize("vector", ["Uint8Vector", "Uint16Vector", "Int32Vector"])
def test_indices_of_every_width_are_read(vector):
    edit = {f"{SEGMENTS}.type": vector, f"{INDICES}.type": vector, f"{INDICES}.values": [0, 1, 200]}
    assert "an index of stored dimension 1 is out of range for its size 4" in errors(
        edit_model(NAMED["sparse_float32"](), edit)
    )


def blocked(block: int, indices: list[int]) -> bytes:
    """Weights of 2 by 8 in blocks of one row and some columns: the blocks that are stored, then what is in them."""
    dimensions = [
        {"format": "DENSE", "dense_size": 2},
        {
            "format": "SPARSE_CSR",
            "array_segments": {"type": "Uint8Vector", "values": [0, 1, 2]},
            "array_indices": {"type": "Uint8Vector", "values": indices},
        },
        {"format": "DENSE", "dense_size": block},
    ]
    sparsity = {"traversal_order": [0, 1, 2], "block_map": [1], "dim_metadata": dimensions}
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 8])
        .tensor("weights", "FLOAT32", [2, 8], data=[1.0] * (2 * block), sparsity=sparsity)
        .tensor("output", "FLOAT32", [1, 2])
        .operator("FULLY_CONNECTED", ["input", "weights"], ["output"], version=8)
        .inputs("input")
        .outputs("output")
        .build()
    )


def test_blocks_count_in_blocks():
    assert set(errors(blocked(4, [0, 1]))) == {None}
    assert "an index of stored dimension 1 is out of range for its size 2" in errors(blocked(4, [0, 2]))


def test_a_block_map_that_leads_nowhere_is_said():
    edit = {"tensors.weights.sparsity.block_map": [7]}
    assert "block_map [7] contains a dimension that the tensor does not have" in errors(
        edit_model(blocked(4, [0, 1]), edit)
    )
