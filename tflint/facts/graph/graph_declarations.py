"""Declarations of the facts of the graph: type, meaning, needed columns, and when absent or unknown. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import ColumnDeclaration, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TENSOR, TEXT, TEXTS, TRUTH, fact

_AFFINE_NEEDS = (
    "operator.opcode operator.inputs operator.output tensor.consumers tensor.producer tensor.is_constant "
    "tensor.n_elements buffer.n_bytes tensor.scale tensor.zero_point"
)

FACTS = {
    "model": (
        fact("n_operators", NUM, "operators of all subgraphs", "graph.tensor_sizes:n_operators"),
        fact("n_tensors", NUM, "tensors of all subgraphs", "graph.tensor_sizes:n_tensors"),
        fact(
            "compiled_for",
            TEXTS,
            "accelerators that operators of it were compiled for: edgetpu, ethos-u, npu",
            "graph.accelerators:model_compiled_for",
            "operator.compiled_for",
        ),
        fact(
            "constant_bytes",
            NUM,
            "bytes of constant data in all buffers",
            "graph.tensor_sizes:constant_bytes",
            "buffer.n_bytes",
        ),
        fact(
            "integer_share",
            NUM,
            "share of its multiply-accumulate operations that is computed in integers, 0 to 1",
            "graph.macs:integer_share",
            "operator.n_macs operator.scheme",
            absent="no operator has weights or multiplies",
        ),
        fact(
            "required_runtime_version",
            TEXT,
            "first TensorFlow release that has all operators in their versions",
            "graph.required_release:required_version",
            "operator_code.opcode operator_code.version",
            absent="the table of releases knows none of the operators",
        ),
        fact(
            "is_version_understated",
            TRUTH,
            "whether the file names an older runtime than its operators need",
            "graph.required_release:is_understated",
            "model.min_runtime_version model.required_runtime_version",
            absent="the file names no version, or none is known",
        ),
        fact(
            "is_stateful",
            TRUTH,
            "whether it keeps state from call to call: variable tensors or resource variables",
            "graph.stateful:is_stateful",
            "tensor.is_variable operator.opcode",
        ),
    ),
    "subgraph": (
        fact(
            "is_reachable",
            TRUTH,
            "whether it is the first, has a signature, or is called by one that is reachable",
            "graph.reachability:subgraph_reachable",
            "signature.subgraph operator.options_type",
        ),
        fact(
            "is_entry",
            TRUTH,
            "whether callers call it: it is the first, or has a signature",
            "graph.reachability:subgraph_entry",
            "signature.subgraph",
        ),
    ),
    "buffer": (
        fact(
            "n_bytes",
            NUM,
            "bytes of data, stored in the flatbuffer or by offset",
            "graph.tensor_sizes:buffer_bytes",
            "buffer.data buffer.offset buffer.size",
        ),
    ),
    "operator": (
        fact(
            "custom_options.valid",
            TRUTH,
            "whether its custom options are a whole FlexBuffer; they need not be one",
            "graph.custom_options:options_valid",
            "operator.custom_options",
            absent="it has none",
            unknown="the custom options of the file hold too many values",
            values=True,
        ),
        fact(
            "custom_options.keys",
            TEXTS,
            "keys of its custom options",
            "graph.custom_options:option_keys",
            "operator.custom_options",
            absent="they are no map in a FlexBuffer",
            unknown="the custom options of the file hold too many values",
            values=True,
        ),
        fact(
            "compiled_for",
            TEXT,
            "accelerator that a compiler made it for: edgetpu, ethos-u, or npu (of any maker)",
            "graph.accelerators:operator_compiled_for",
            "operator.custom_code",
            absent="it is no compiled part of a graph",
            domain="edgetpu ethos-u npu",
        ),
        fact(
            "input",
            TENSOR,
            "its data input",
            "graph.operand_roles:operator_input",
            "operator.opcode operand.tensor",
            absent="it has none",
        ),
        fact(
            "weights",
            TENSOR,
            "its weights",
            "graph.operand_roles:operator_weights",
            "operator.opcode operand.tensor",
            absent="it is no operator with weights",
        ),
        fact(
            "bias",
            TENSOR,
            "its bias",
            "graph.operand_roles:operator_bias",
            "operator.opcode operand.tensor",
            absent="it has none",
        ),
        fact(
            "output",
            TENSOR,
            "its first output",
            "graph.operand_roles:operator_output",
            "operand.tensor",
            absent="it has none",
        ),
        fact(
            "channel_axis",
            NUM,
            "axis of its weights that is the output channel",
            "graph.operand_roles:channel_axis",
            "operator.opcode",
            absent="it is no operator with weights",
        ),
        fact(
            "reaches_output",
            TRUTH,
            "whether an output of its subgraph depends on it, or it has effects of its own",
            "graph.reachability:reaches_output",
            "operand.tensor output.tensor",
        ),
        fact(
            "n_macs",
            NUM,
            "multiply-accumulate operations for the stored shapes, of convolutions, FULLY_CONNECTED and BATCH_MATMUL",
            "graph.macs:n_macs",
            "operator.input operator.weights operator.output tensor.n_elements",
            absent="the operator is another one",
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
            "whether the tensor has a value when the operator runs: it is constant, a variable, an "
            "input of the subgraph, without elements, or the output of an earlier operator",
            "graph.tensor_uses:is_available",
            "tensor.producer tensor.is_constant tensor.is_input",
            absent="it is no input, or none is given",
        ),
    ),
    "tensor": (
        fact("is_input", TRUTH, "whether it is an input of its subgraph", "graph.tensor_uses:is_input", "input.tensor"),
        fact(
            "is_output",
            TRUTH,
            "whether it is an output of its subgraph",
            "graph.tensor_uses:is_output",
            "output.tensor",
        ),
        fact(
            "is_constant",
            TRUTH,
            "whether the file holds its values",
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
            "the first operator that has it as output",
            "graph.tensor_uses:producer",
            "operand.tensor",
            absent="no operator makes it",
        ),
        fact(
            "producers",
            reference("operator", many=True),
            "all operators that have it as output",
            "graph.tensor_uses:producers",
            "operand.tensor",
        ),
        fact(
            "consumers",
            reference("operator", many=True),
            "operators that have it as input, in order of execution",
            "graph.tensor_uses:consumers",
            "operand.tensor",
        ),
        fact(
            "first_use",
            NUM,
            "index of the first operator that makes or reads it",
            "graph.tensor_uses:first_use",
            "operand.tensor",
            absent="no operator uses it",
        ),
        fact(
            "last_use",
            NUM,
            "index of the last operator that makes or reads it",
            "graph.tensor_uses:last_use",
            "operand.tensor",
            absent="no operator uses it",
        ),
        fact(
            "depends_on_input",
            TRUTH,
            "whether its value depends on an input of its subgraph",
            "graph.reachability:depends_on_input",
            "operand.tensor input.tensor",
        ),
        fact(
            "rank",
            NUM,
            "number of dimensions of the stored shape",
            "graph.tensor_sizes:rank",
            "tensor.shape",
            unknown="the shape is empty and the file does not say that the rank is known",
        ),
        fact(
            "n_elements",
            NUM,
            "product of the stored shape",
            "graph.tensor_sizes:n_elements",
            "tensor.shape",
            unknown="a dimension is negative",
        ),
        fact(
            "bits",
            NUM,
            "bits an element",
            "graph.tensor_sizes:bits",
            "tensor.dtype",
            absent="elements of the type have no fixed width (STRING, RESOURCE, VARIANT)",
            unknown="the type is not known to this version",
        ),
        fact(
            "n_bytes",
            NUM,
            "bytes that the shape and type need",
            "graph.tensor_sizes:n_bytes",
            "tensor.n_elements tensor.bits",
            absent="elements have no fixed width",
            unknown="a dimension is negative or the type is not known",
        ),
        fact(
            "stored_bytes",
            NUM,
            "bytes of data that the file holds for it",
            "graph.tensor_sizes:stored_bytes",
            "buffer.n_bytes",
            absent="the file holds none",
            unknown="the data lies in another file",
        ),
        fact(
            "sparsity_error",
            TEXT,
            "what is wrong with the description of a sparse tensor",
            "graph.sparse_tensors:sparsity_error",
            "tensor.sparsity.traversal_order tensor.sparsity.dimensions tensor.shape",
            absent="nothing is, or the tensor is dense",
        ),
    ),
    "input": (
        fact(
            "table_rows",
            NUM,
            "rows of the constant table that its values are looked up in, of several the shortest",
            "graph.lookup_tables:table_rows",
            f"{_AFFINE_NEEDS} tensor.shape",
            absent="no GATHER or EMBEDDING_LOOKUP reads it as ids of a constant's rows",
            values=True,
        ),
    ),
}

_INDEX = TableDeclaration(
    "index",
    "an index that the file stores: of a tensor, buffer, operator code or subgraph",
    {
        column.name: column
        for column in (
            ColumnDeclaration("field", TEXT, "which field holds it: operator.inputs, tensor.buffer, …"),
            ColumnDeclaration("value", NUM, "the index"),
            ColumnDeclaration("limit", NUM, "how many there are of what it counts"),
            ColumnDeclaration("is_optional", TRUTH, "whether -1 means none there"),
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

#: Tables that are derived as a whole.
TABLES = (_INDEX,)
