"""Declarations of the facts about the graph. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import ColumnDeclaration, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TENSOR, TEXT, TEXTS, TRUTH, fact

_AFFINE_NEEDS = (
    "operator.opcode operator.inputs operator.output tensor.consumers tensor.producer tensor.is_constant "
    "tensor.n_elements buffer.n_bytes tensor.scale tensor.zero_point"
)

FACTS = {
    "model": (
        fact("n_operators", NUM, "number of operators in all subgraphs", "graph.tensor_sizes:n_operators"),
        fact("n_tensors", NUM, "number of tensors in all subgraphs", "graph.tensor_sizes:n_tensors"),
        fact(
            "compiled_for",
            TEXTS,
            "accelerators that the model's operators were compiled for: edgetpu, ethos-u, npu",
            "graph.accelerators:model_compiled_for",
            "operator.compiled_for",
        ),
        fact(
            "constant_bytes",
            NUM,
            "size of the data in all buffers, in bytes",
            "graph.tensor_sizes:constant_bytes",
            "buffer.n_bytes",
        ),
        fact(
            "integer_share",
            NUM,
            "share of the multiply-accumulate operations that are computed in integers, 0 to 1",
            "graph.macs:integer_share",
            "operator.n_macs operator.scheme",
            absent="no operator has a number of multiply-accumulate operations (operator.n_macs)",
        ),
        fact(
            "required_runtime_version",
            TEXT,
            "oldest TensorFlow release that supports all operators in their versions",
            "graph.required_release:required_version",
            "operator_code.opcode operator_code.version",
            absent="none of the operators is in the table of releases",
        ),
        fact(
            "is_version_understated",
            TRUTH,
            "whether min_runtime_version is older than required_runtime_version",
            "graph.required_release:is_understated",
            "model.min_runtime_version model.required_runtime_version",
            absent="the file has no valid min_runtime_version, or required_runtime_version is absent",
        ),
        fact(
            "is_stateful",
            TRUTH,
            "whether the model keeps state between invocations: in variable tensors, or in resource variables that it "
            "assigns in every invocation",
            "graph.stateful:is_stateful",
            "tensor.is_variable operator.opcode subgraph.is_entry operator.options_type",
        ),
        fact(
            "unassigned_variables",
            reference("operator", many=True),
            "VAR_HANDLE operators of the variables that a READ_VARIABLE reads and no operator writes, one per variable",
            "graph.resource_variables:unassigned_variables",
            "operator.opcode operand.tensor tensor.producer tensor.dtype",
        ),
    ),
    "subgraph": (
        fact(
            "is_reachable",
            TRUTH,
            "whether the subgraph is the first one, has a signature, or is called by a reachable subgraph",
            "graph.reachability:is_reachable",
            "signature.subgraph operator.options_type",
        ),
        fact(
            "is_entry",
            TRUTH,
            "whether client code can run the subgraph: it is the first one or has a signature",
            "graph.reachability:is_entry",
            "signature.subgraph",
        ),
    ),
    "buffer": (
        fact(
            "n_bytes",
            NUM,
            "size of the buffer's data in bytes, stored in the flatbuffer or after the flatbuffer",
            "graph.tensor_sizes:buffer_bytes",
            "buffer.data buffer.offset buffer.size",
        ),
    ),
    "operator_code": (
        fact(
            "lost_operators",
            TEXTS,
            "built-in operators that operator code 127 without builtin_code may stand for",
            "graph.lost_operators:lost_operators",
            "operator_code.opcode operator.operator_code operator.options_type",
            absent="the operator code tells its operator",
        ),
    ),
    "operator": (
        fact(
            "custom_options.valid",
            TRUTH,
            "whether the operator's custom options are a valid FlexBuffer (other formats are allowed)",
            "graph.custom_options:options_valid",
            "operator.custom_options",
            absent="the operator has no custom options",
            unknown="the custom options of the file contain too many values to decode",
            values=True,
        ),
        fact(
            "custom_options.keys",
            TEXTS,
            "keys of the operator's custom options",
            "graph.custom_options:option_keys",
            "operator.custom_options",
            absent="the custom options of the operator are not a FlexBuffer map",
            unknown="the custom options of the file contain too many values to decode",
            values=True,
        ),
        fact(
            "compiled_for",
            TEXT,
            "accelerator that the operator was compiled for: edgetpu, ethos-u or npu (any vendor)",
            "graph.accelerators:operator_compiled_for",
            "operator.custom_code",
            absent="the operator is not compiled for an accelerator",
            domain="edgetpu ethos-u npu",
        ),
        fact(
            "input",
            TENSOR,
            "data input of the operator",
            "graph.operand_roles:operator_input",
            "operator.opcode operand.tensor",
            absent="the operator has no data input",
        ),
        fact(
            "weights",
            TENSOR,
            "its weights",
            "graph.operand_roles:operator_weights",
            "operator.opcode operand.tensor",
            absent="it has no weights",
        ),
        fact(
            "bias",
            TENSOR,
            "its bias",
            "graph.operand_roles:operator_bias",
            "operator.opcode operand.tensor",
            absent="the operator has no bias",
        ),
        fact(
            "output",
            TENSOR,
            "first output of the operator",
            "graph.operand_roles:operator_output",
            "operand.tensor",
            absent="the operator has no output",
        ),
        fact(
            "channel_axis",
            NUM,
            "axis of the output channels in the operator's weights",
            "graph.operand_roles:channel_axis",
            "operator.opcode",
            absent="it has no weights",
        ),
        fact(
            "reaches_output",
            TRUTH,
            "whether an output of the subgraph depends on the operator, or the operator has side effects",
            "graph.reachability:reaches_output",
            "operand.tensor output.tensor",
        ),
        fact(
            "n_macs",
            NUM,
            "number of multiply-accumulate operations, for the stored shapes",
            "graph.macs:n_macs",
            "operator.input operator.weights operator.output tensor.n_elements",
            absent="the operator is not CONV_2D, CONV_3D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED or "
            "BATCH_MATMUL",
            unknown="a dimension is negative or zero",
        ),
    ),
    "operand": (
        fact(
            "role",
            TEXT,
            "input, weights, bias, output, intermediate, state or constant",
            "graph.operand_roles:operand_role",
            "operator.opcode operand.direction tensor.is_constant",
        ),
        fact(
            "is_available",
            TRUTH,
            "whether the tensor has a value when the operator runs: it is a constant, a variable, an "
            "input of the subgraph, the output of an earlier operator, or has no elements",
            "graph.tensor_uses:is_available",
            "tensor.producer tensor.is_constant tensor.is_input",
            absent="the operand is not an input, or it has no tensor",
        ),
    ),
    "tensor": (
        fact(
            "is_input",
            TRUTH,
            "whether the tensor is an input of its subgraph",
            "graph.tensor_uses:is_input",
            "input.tensor",
        ),
        fact(
            "is_output",
            TRUTH,
            "whether the tensor is an output of its subgraph",
            "graph.tensor_uses:is_output",
            "output.tensor",
        ),
        fact(
            "is_constant",
            TRUTH,
            "whether the model contains the values of the tensor, in its file or in an external buffer",
            "graph.tensor_sizes:is_constant",
            "tensor.buffer tensor.external_buffer",
        ),
        fact(
            "role",
            TEXT,
            "input, output, variable, weights, bias, constant, activation or unused",
            "graph.operand_roles:tensor_role",
            "tensor.is_input tensor.is_output tensor.is_constant operand.role",
            domain="input output variable weights bias constant activation unused",
        ),
        fact(
            "producer",
            reference("operator"),
            "first operator that writes the tensor",
            "graph.tensor_uses:producer",
            "operand.tensor",
            absent="no operator writes the tensor",
        ),
        fact(
            "producers",
            reference("operator", many=True),
            "all operators that write the tensor, in order of execution",
            "graph.tensor_uses:producers",
            "operand.tensor",
        ),
        fact(
            "consumers",
            reference("operator", many=True),
            "operators that read the tensor, in order of execution",
            "graph.tensor_uses:consumers",
            "operand.tensor",
        ),
        fact(
            "first_use",
            NUM,
            "index of the first operator that writes or reads the tensor",
            "graph.tensor_uses:first_use",
            "operand.tensor",
            absent="no operator uses it",
        ),
        fact(
            "last_use",
            NUM,
            "index of the last operator that writes or reads the tensor",
            "graph.tensor_uses:last_use",
            "operand.tensor",
            absent="no operator uses it",
        ),
        fact(
            "constant",
            TENSOR,
            "constant with the tensor's values: the tensor itself, or the constant that a DEQUANTIZE converts to it",
            "graph.constant_sources:constant",
            "tensor.is_constant tensor.producer operator.opcode operator.input",
            absent="an operator other than DEQUANTIZE computes the values, or client code sets them",
        ),
        fact(
            "origin",
            reference("operator"),
            "operator that computes the tensor's values, before operators that only move values, such as RESHAPE",
            "graph.moved_values:origin",
            "tensor.producer operator.opcode operator.input",
            absent="the values are those of a constant, a variable or an input",
        ),
        fact(
            "destination",
            reference("operator"),
            "first operator that uses the tensor's values, after operators that only move values, such as RESHAPE",
            "graph.moved_values:destination",
            "tensor.consumers operator.opcode operator.input operator.output",
            absent="no operator uses the values",
        ),
        fact(
            "depends_on_input",
            TRUTH,
            "whether the value of the tensor depends on an input of its subgraph",
            "graph.reachability:depends_on_input",
            "operand.tensor input.tensor",
        ),
        fact(
            "rank",
            NUM,
            "number of dimensions of the stored shape",
            "graph.tensor_sizes:rank",
            "tensor.shape",
            unknown="the shape is empty, and the file does not declare that the rank is known",
        ),
        fact(
            "n_elements",
            NUM,
            "number of elements: the product of the stored shape",
            "graph.tensor_sizes:n_elements",
            "tensor.shape",
            unknown="a dimension is negative",
        ),
        fact(
            "bits",
            NUM,
            "bits per element",
            "graph.tensor_sizes:bits",
            "tensor.dtype",
            absent="elements of its type have no fixed width (STRING, RESOURCE, VARIANT)",
            unknown="the type of the tensor is unknown to this version of tflint",
        ),
        fact(
            "n_bytes",
            NUM,
            "number of bytes that the shape and type of the tensor need",
            "graph.tensor_sizes:n_bytes",
            "tensor.n_elements tensor.bits",
            absent="elements of its type have no fixed width",
            unknown="a dimension is negative, or its type is unknown",
        ),
        fact(
            "stored_bytes",
            NUM,
            "size of the tensor's data in the file, in bytes",
            "graph.tensor_sizes:stored_bytes",
            "buffer.n_bytes",
            absent="it is not a constant",
            unknown="the data of the tensor is in another file",
        ),
        fact(
            "sparsity_error",
            TEXT,
            "first error in the tensor's sparsity parameters",
            "graph.sparse_tensors:sparsity_error",
            "tensor.sparsity.traversal_order tensor.sparsity.dimensions tensor.shape",
            absent="the tensor is dense, or its sparsity parameters are valid",
        ),
    ),
    "input": (
        fact(
            "table_rows",
            NUM,
            "number of rows of the constant that the input indexes; of the shortest one if there are several",
            "graph.lookup_tables:table_rows",
            f"{_AFFINE_NEEDS} tensor.shape",
            absent="no GATHER or EMBEDDING_LOOKUP uses the input to index the rows of a constant",
            values=True,
        ),
    ),
}

_INDEX = TableDeclaration(
    "index",
    "an index stored in the file: of a tensor, buffer, operator code or subgraph",
    {
        column.name: column
        for column in (
            ColumnDeclaration("field", TEXT, "the field that stores it: operator.inputs, tensor.buffer, …"),
            ColumnDeclaration("value", NUM, "the index"),
            ColumnDeclaration("limit", NUM, "number of items that the index can point to"),
            ColumnDeclaration("is_optional", TRUTH, "whether the index -1 is allowed; it means that there is no item"),
        )
    },
    (
        "operand.tensor_index",
        "tensor.buffer_index",
        "operator.opcode_index",
        "input.tensor_index",
        "metadata.buffer_index",
    ),
    "graph.stored_indices:index_table",
)

#: Derived tables.
TABLES = (_INDEX,)
