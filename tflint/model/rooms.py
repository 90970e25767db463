"""Which module makes which table, and how the tables of a batch come together."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.flatbuffer.reader import Forest
from tflint.flatbuffer.window import Window
from tflint.model import border, entries, graph, tensors
from tflint.model.metadata import read_extras
from tflint.model.tables import FileFacts, Rooms, Tables

_TABLES = {
    "file": entries.file,
    "member": entries.member,
    "model": entries.model,
    "subgraph": graph.subgraph,
    "tensor": tensors.tensor,
    "operator": graph.operator,
    "operand": graph.operand,
    "operator_code": graph.operator_code,
    "buffer": entries.buffer,
    "input": border.inputs,
    "output": border.outputs,
    "signature": entries.signature,
    "signature_tensor": border.signature_tensors,
    "metadata": entries.metadata,
    "associated_file": border.associated_files,
    "dimension": tensors.dimension,
    "variant_tensor": tensors.variant_tensor,
    "external_buffer": entries.external_buffer,
    "external_buffer_group": entries.external_buffer_group,
}


def make_tables(files: Sequence[FileFacts], window: Window | None, forest: Forest | None) -> Tables:
    """The tables of a batch of files; window and forest are None where the one file of the batch is no model."""
    return Tables(files, window, forest, Rooms(_TABLES, read_extras))
