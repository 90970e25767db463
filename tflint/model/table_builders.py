"""Maps table names to the functions that build them, and creates the tables of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.forest_reader import Forest
from tflint.model import file_tables, graph_tables, interface_tables, tensor_tables
from tflint.model.metadata_reader import read_extras
from tflint.model.tables import FileFacts, TableBuilders, Tables

_TABLES = {
    "file": file_tables.file,
    "member": file_tables.member,
    "model": file_tables.model,
    "subgraph": graph_tables.subgraph,
    "tensor": tensor_tables.tensor,
    "operator": graph_tables.operator,
    "operand": graph_tables.operand,
    "operator_code": graph_tables.operator_code,
    "buffer": file_tables.buffer,
    "input": interface_tables.inputs,
    "output": interface_tables.outputs,
    "signature": file_tables.signature,
    "signature_tensor": interface_tables.signature_tensors,
    "metadata": file_tables.metadata,
    "associated_file": interface_tables.associated_files,
    "dimension": tensor_tables.dimension,
    "variant_tensor": tensor_tables.variant_tensor,
    "external_buffer": file_tables.external_buffer,
    "external_buffer_group": file_tables.external_buffer_group,
}


def build_tables(files: Sequence[FileFacts], window: Window | None, forest: Forest | None) -> Tables:
    """Return the tables of a batch of files.

    Window and forest are None if the batch is a single file that is not a readable model.
    """
    return Tables(files, window, forest, TableBuilders(_TABLES, read_extras))
