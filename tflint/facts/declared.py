"""The registry of facts: derived columns and tables with type, meaning, needs, and when unknown. No numpy."""

from __future__ import annotations

import functools

from tflint.columns.types import NUMBERS, ColumnDeclaration, TableDeclaration, reference
from tflint.facts.contract.declare import CONTRACT_INPUT_FACTS, CONTRACT_OUTPUT_FACTS, CONTRACT_TABLES
from tflint.facts.declaring import NUM, TENSOR, TENSORS, TEXT, TEXTS, TRUTH, fact
from tflint.facts.pair.declare import PAIR_TABLES

_NO_VALUES = "it is no constant, or its type is no number"
_UNREADABLE = (
    "the data lies elsewhere, does not fit the shape or the number of scales, or is too much; or the type is not known"
)
_NO_FLOATS = "it is no constant, or its type is no float"
_VALUE_NEEDS = (
    "tensor.is_constant tensor.n_bytes tensor.dtype tensor.scale tensor.quantized_dimension buffer.n_bytes "
    "operator.weights operator.channel_axis"
)
_AFFINE_NEEDS = (
    "operator.opcode operator.inputs operator.output tensor.consumers tensor.producer tensor.is_constant "
    "tensor.n_elements buffer.n_bytes tensor.scale tensor.zero_point"
)
_NO_AFFINE = "the graph does not begin with arithmetic of the input and a small constant"
_NO_SCALES = "the tensors at work have no quantization scales"


_MODEL = (
    fact("scheme", TEXT, "quantization scheme of the whole model: float32, full int8, dynamic range, mixed, …",
          "scheme:model_scheme", "operator.scheme tensor.n_elements input.tensor output.tensor signature.subgraph"),
    fact("base_scheme", TEXT, "the scheme without the types at the border: float32, full int8, dynamic range, mixed, …",
         "scheme:base_scheme", "model.scheme"),
    fact("n_operators", NUM, "operators of all subgraphs", "sizes:n_operators"),
    fact("n_tensors", NUM, "tensors of all subgraphs", "sizes:n_tensors"),
    fact("compiled_for", TEXTS, "accelerators that operators of it were compiled for: edgetpu, ethos-u, npu",
          "compiled:model_compiled_for", "operator.compiled_for"),
    fact("constant_bytes", NUM, "bytes of constant data in all buffers", "sizes:constant_bytes", "buffer.n_bytes"),
    fact("integer_share", NUM, "share of its multiply-accumulate operations that is computed in integers, 0 to 1",
          "macs:integer_share", "operator.n_macs operator.scheme", absent="no operator has weights or multiplies"),
    fact("required_runtime_version", TEXT, "first TensorFlow release that has all operators in their versions",
          "versions:required_version", "operator_code.opcode operator_code.version",
          absent="the table of releases knows none of the operators"),
    fact("is_version_understated", TRUTH, "whether the file names an older runtime than its operators need",
          "versions:is_understated", "model.min_runtime_version model.required_runtime_version",
          absent="the file names no version, or none is known"),
    fact("sha256", TEXT, "SHA-256 of the file, in hexadecimal", "contract.digest:sha256",
         absent="the model has no contract that names one", values=True),
    fact("is_stateful", TRUTH, "whether it keeps state from call to call: variable tensors or resource variables",
         "state:is_stateful", "tensor.is_variable operator.opcode"),
    fact("claims_int8", TRUTH, "whether the file's name, the description or the metadata's name call the model int8",
          "claims:claims_int8", "file.name model.description model.metadata_name"),
)  # fmt: skip
_SUBGRAPH = (
    fact("is_reachable", TRUTH, "whether it is the first, has a signature, or is called by one that is reachable",
          "reach:subgraph_reachable", "signature.subgraph operator.options_type"),
    fact("is_entry", TRUTH, "whether callers call it: it is the first, or has a signature", "reach:subgraph_entry",
          "signature.subgraph"),
)  # fmt: skip
_BUFFER = (
    fact("n_bytes", NUM, "bytes of data, stored in the flatbuffer or by offset", "sizes:buffer_bytes",
          "buffer.data buffer.offset buffer.size"),
    fact("identity", reference("buffer"), "the first buffer of the model with the same content: itself where there is "
          "none before it", "weights.identity:buffer_identity", "buffer.n_bytes", absent="it has no data",
          unknown="its data lies outside of the file, or more is shared than a file of its size can mean",
          values=True),
)  # fmt: skip
_OPERATOR = (
    fact("custom_options.valid", TRUTH, "whether its custom options are a whole FlexBuffer; they need not be one",
          "custom:options_valid", "operator.custom_options", absent="it has none",
          unknown="the custom options of the file hold too many values", values=True),
    fact("custom_options.keys", TEXTS, "keys of its custom options", "custom:option_keys", "operator.custom_options",
          absent="they are no map in a FlexBuffer", unknown="the custom options of the file hold too many values",
          values=True),
    fact("compiled_for", TEXT, "accelerator that a compiler made it for: edgetpu, ethos-u, or npu (of any maker)",
          "compiled:operator_compiled_for", "operator.custom_code", absent="it is no compiled part of a graph",
          domain="edgetpu ethos-u npu"),
    fact("input", TENSOR, "its data input", "roles:operator_input", "operator.opcode operand.tensor",
          absent="it has none"),
    fact("weights", TENSOR, "its weights", "roles:operator_weights", "operator.opcode operand.tensor",
          absent="it is no operator with weights"),
    fact("bias", TENSOR, "its bias", "roles:operator_bias", "operator.opcode operand.tensor",
          absent="it has none"),
    fact("output", TENSOR, "its first output", "roles:operator_output", "operand.tensor", absent="it has none"),
    fact("channel_axis", NUM, "axis of its weights that is the output channel", "roles:channel_axis",
          "operator.opcode", absent="it is no operator with weights"),
    fact("scheme", TEXT,
          "how it computes: float32, float16-weights, dynamic-range, weight-only, int8, uint8, int16x8, "
          "int4, int16 or other",
          "scheme:operator_scheme", "operator.input operator.weights tensor.dtype tensor.producer",
          domain="float32 float16 float16-weights dynamic-range weight-only int8 uint8 int16x8 int4 int16 other"),
    fact("reaches_output", TRUTH, "whether an output of its subgraph depends on it, or it has effects of its own",
          "reach:reaches_output", "operand.tensor output.tensor"),
    fact("expected_bias_scale", NUMBERS, "input scale × weights scale, one a channel of the weights' scales",
          "bias:expected_scale", "operator.input operator.weights tensor.scale", absent=_NO_SCALES,
          unknown="the input has more than one scale"),
    fact("bias_scale_error", NUMBERS, "|bias scale − expected| / expected, one a channel", "bias:scale_error",
          "operator.expected_bias_scale operator.bias", absent="the bias or the others have no scales",
          unknown="bias and weights have unlike numbers of scales"),
    fact("bias_shift_steps", NUMBERS, "steps of the output by which a wrong bias scale shifts each channel",
          "bias:shift_steps", "operator.expected_bias_scale operator.bias operator.output",
          absent="the bias is no integer constant, or a scale is missing",
          unknown="numbers of scales and channels do not match", values=True),
    fact("output_multiplier", NUMBERS,
          "factor by which the kernel rescales its accumulator to the output, as ADD, SUB, "
          "SQUARED_DIFFERENCE and the convolutions compute it", "bias:output_multiplier",
          "operator.inputs operator.output tensor.scale",
          absent="the operator is another one, or a scale is missing"),
    fact("n_macs", NUM, "multiply-accumulate operations for the stored shapes, of convolutions, FULLY_CONNECTED and "
          "BATCH_MATMUL", "macs:n_macs", "operator.input operator.weights operator.output tensor.n_elements",
          absent="the operator is another one", unknown="a dimension is negative or zero"),
    fact("required_output_scale", NUM, "output scale that the kernel assumes, whatever the file says",
          "fixed_outputs:required_scale", "operator.opcode operator.input operator.output tensor.dtype",
          absent="the kernel takes any"),
    fact("required_output_zero_point", NUM, "output zero point that the kernel assumes, whatever the file says",
          "fixed_outputs:required_zero_point", "operator.opcode operator.input operator.output tensor.dtype",
          absent="the kernel takes any"),
    fact("same_scale_operands", TENSORS, "operands that must share scale and zero point because the kernel copies or "
          "compares raw integers", "groups:same_scale_operands", "operator.opcode operand.tensor tensor.dtype",
          absent="the operator has no such constraint"),
)  # fmt: skip
_OPERAND = (
    fact("role", TEXT, "input, weights, bias, output, intermediate, state or constant", "roles:operand_role",
          "operator.opcode operand.direction tensor.is_constant"),
    fact("is_available", TRUTH,
          "whether the tensor has a value when the operator runs: it is constant, a variable, an "
          "input of the subgraph, without elements, or the output of an earlier operator", "graph:is_available",
          "tensor.producer tensor.is_constant tensor.is_input", absent="it is no input, or none is given"),
)  # fmt: skip
_TENSOR_FACTS = (
    fact("is_input", TRUTH, "whether it is an input of its subgraph", "graph:is_input", "input.tensor"),
    fact("is_output", TRUTH, "whether it is an output of its subgraph", "graph:is_output", "output.tensor"),
    fact("is_constant", TRUTH, "whether the file holds its values", "sizes:is_constant",
          "tensor.buffer tensor.external_buffer"),
    fact("role", TEXT, "input, output, variable, weights, bias, constant, activation or unused", "roles:tensor_role",
          "tensor.is_input tensor.is_output tensor.is_constant operand.role",
          domain="input output variable weights bias constant activation unused"),
    fact("producer", reference("operator"), "the first operator that has it as output", "graph:producer",
          "operand.tensor", absent="no operator makes it"),
    fact("producers", reference("operator", many=True), "all operators that have it as output", "graph:producers",
          "operand.tensor"),
    fact("consumers", reference("operator", many=True), "operators that have it as input, in order of execution",
          "graph:consumers", "operand.tensor"),
    fact("first_use", NUM, "index of the first operator that makes or reads it", "graph:first_use",
          "operand.tensor", absent="no operator uses it"),
    fact("last_use", NUM, "index of the last operator that makes or reads it", "graph:last_use",
          "operand.tensor", absent="no operator uses it"),
    fact("depends_on_input", TRUTH, "whether its value depends on an input of its subgraph", "reach:depends_on_input",
          "operand.tensor input.tensor"),
    fact("rank", NUM, "number of dimensions of the stored shape", "sizes:rank", "tensor.shape",
          unknown="the shape is empty and the file does not say that the rank is known"),
    fact("n_elements", NUM, "product of the stored shape", "sizes:n_elements", "tensor.shape",
          unknown="a dimension is negative"),
    fact("bits", NUM, "bits an element", "sizes:bits", "tensor.dtype",
          absent="elements of the type have no fixed width (STRING, RESOURCE, VARIANT)",
          unknown="the type is not known to this version"),
    fact("n_bytes", NUM, "bytes that the shape and type need", "sizes:n_bytes", "tensor.n_elements tensor.bits",
          absent="elements have no fixed width", unknown="a dimension is negative or the type is not known"),
    fact("stored_bytes", NUM, "bytes of data that the file holds for it", "sizes:stored_bytes", "buffer.n_bytes",
          absent="the file holds none", unknown="the data lies in another file"),
    fact("is_integer", TRUTH,
          "whether elements are integers of 2 to 64 bits", "quantization:is_integer", "tensor.dtype"),
    fact("is_quantized", TRUTH, "whether elements are integers with quantization parameters",
          "quantization:is_quantized", "tensor.dtype tensor.scale tensor.quantization.details"),
    fact("granularity", TEXT, "per-tensor, per-channel, blockwise, multi-axis or custom",
          "quantization:granularity", "tensor.scale tensor.quantization.details", absent="it is not quantized",
          domain="per-tensor per-channel blockwise multi-axis custom"),
    fact("per_tensor_scale", NUM, "its one scale", "quantization:per_tensor_scale", "tensor.scale",
          absent="it has none, or more than one"),
    fact("per_tensor_zero_point", NUM,
          "its one zero point", "quantization:per_tensor_zero_point", "tensor.zero_point",
          absent="it has none, or more than one"),
    fact("qmin", NUM,
          "smallest integer of the type", "quantization:qmin", "tensor.dtype", absent="the type is no integer"),
    fact("qmax", NUM,
          "largest integer of the type", "quantization:qmax", "tensor.dtype", absent="the type is no integer"),
    fact("real_min", NUMBERS, "smallest real value it can hold, one a scale: (qmin − zero point) × scale",
          "quantization:real_min", "tensor.scale tensor.zero_point tensor.qmin", absent="it is not quantized",
          unknown="numbers of scales and zero points differ"),
    fact("real_max", NUMBERS, "largest real value it can hold, one a scale: (qmax − zero point) × scale",
          "quantization:real_max", "tensor.scale tensor.zero_point tensor.qmax", absent="it is not quantized",
          unknown="numbers of scales and zero points differ"),
    fact("sparsity_error", TEXT, "what is wrong with the description of a sparse tensor",
          "sparsity:sparsity_error", "tensor.sparsity.traversal_order tensor.sparsity.dimensions tensor.shape",
          absent="nothing is, or the tensor is dense"),
    fact("all_zero", TRUTH,
          "whether every stored value of a bias is zero", "bias:all_zero", "operator.bias buffer.data",
          absent="it is no constant integer or float bias", values=True),
    fact("value_min", NUMBERS, "smallest stored value of each channel (of the scales where there are several, of the "
          "operator for weights without scales, else one for all); of floats the smallest finite one",
          "weights.columns:value_min", _VALUE_NEEDS, absent=_NO_VALUES,
          unknown=f"{_UNREADABLE}; or a channel has no finite value", values=True),
    fact("value_max", NUMBERS, "largest stored value of each channel, as value_min has them",
          "weights.columns:value_max", _VALUE_NEEDS, absent=_NO_VALUES,
          unknown=f"{_UNREADABLE}; or a channel has no finite value", values=True),
    fact("zero_share", NUMBERS, "share of each channel's stored values that equal the zero point, or are 0.0",
          "weights.columns:zero_share", f"{_VALUE_NEEDS} tensor.zero_point", absent=_NO_VALUES,
          unknown=f"{_UNREADABLE}; or channels have unlike zero points", values=True),
    fact("saturated_share", NUMBERS, "share of each channel's stored values at an end of the type: -128, -127 and 127 "
          "of INT8 with zero point 0 (likewise for other signed types), else the smallest and the largest integer",
          "weights.columns:saturated_share", f"{_VALUE_NEEDS} tensor.zero_point",
          absent="it is no constant, or its type is no integer of 4 bits or more", unknown=_UNREADABLE, values=True),
    fact("n_nan", NUM, "stored values that are NaN", "weights.columns:n_nan", _VALUE_NEEDS,
          absent=_NO_FLOATS, unknown=_UNREADABLE, values=True),
    fact("n_inf", NUM, "stored values that are infinite", "weights.columns:n_inf", _VALUE_NEEDS,
          absent=_NO_FLOATS, unknown=_UNREADABLE, values=True),
    fact("n_denormal", NUM, "stored values that are denormal: not zero, but below the smallest normal number",
          "weights.columns:n_denormal", _VALUE_NEEDS, absent=_NO_FLOATS, unknown=_UNREADABLE, values=True),
)  # fmt: skip

_SIGNATURE = (
    fact("is_duplicate", TRUTH, "whether another signature of the model has the same key",
          "signatures:duplicate_keys",
          "signature.key"),
)  # fmt: skip
_INPUT = (
    fact("graph_scale", NUMBERS, "what the graph multiplies it by before anything else, one number or one a channel",
         "affine:scale", _AFFINE_NEEDS, absent=_NO_AFFINE, values=True),
    fact("graph_offset", NUMBERS, "what the graph adds to it after graph_scale, one number or one a channel",
         "affine:offset", _AFFINE_NEEDS, absent=_NO_AFFINE, values=True),
    fact("graph_expects", TEXT, "pixels that graph_scale and graph_offset normalise: u8 (0 to 255) or unit (0 to 1)",
         "affine:expects", "input.graph_scale input.graph_offset", absent=f"{_NO_AFFINE}, or that is no normalization",
         values=True, domain="u8 unit"),
    fact("graph_map", TEXT, "graph_scale and graph_offset as people write them: x × 0.00784 − 1",
         "affine:formula", "input.graph_scale input.graph_offset", absent=_NO_AFFINE, values=True),
    fact("table_rows", NUM, "rows of the constant table that its values are looked up in, of several the shortest",
         "lookup:table_rows", f"{_AFFINE_NEEDS} tensor.shape",
         absent="no GATHER or EMBEDDING_LOOKUP reads it as ids of a constant's rows", values=True),
    fact("first_scale", NUM, "scale of what the first operator makes of it that does not keep values as they are",
         "affine:first_scale", _AFFINE_NEEDS, absent="several operators read it, or it is not quantized", values=True),
    fact("folded_mean", NUMBERS, "what the bias of the first convolution provably subtracts from it, one a channel",
         "folded:folded_mean", f"{_AFFINE_NEEDS} operator.weights operator.bias",
         absent="the first operator is no float convolution, or no one mean explains all its biases", values=True),
)  # fmt: skip
_OUTPUT = (
    fact("meaning", TEXT, "what it holds, by the operator that makes it: softmax, sigmoid, linear, detection-boxes, …",
         "meaning:output_meaning", "operator.opcode operator.custom_code tensor.producer",
         absent="the graph does not prove it"),
)  # fmt: skip
_SIGNATURE_TENSOR = (
    fact("is_duplicate", TRUTH, "whether another input (or output) of the signature has the same name",
          "signatures:duplicate_names", "signature_tensor.name"),
)  # fmt: skip

_FACTS = {
    "input": _INPUT,
    "output": _OUTPUT,
    "signature": _SIGNATURE,
    "signature_tensor": _SIGNATURE_TENSOR,
    "model": _MODEL,
    "subgraph": _SUBGRAPH,
    "buffer": _BUFFER,
    "operator": _OPERATOR,
    "operand": _OPERAND,
    "tensor": _TENSOR_FACTS,
    "contract_input": CONTRACT_INPUT_FACTS,
    "contract_output": CONTRACT_OUTPUT_FACTS,
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
    "indices:index_table",
)
_GROUP = TableDeclaration(
    "group",
    "a chain of tensors that must all share scale and zero point, through one or more operators",
    {
        column.name: column
        for column in (
            ColumnDeclaration("tensors", TENSORS, "its tensors, by index"),
            ColumnDeclaration("operators", reference("operator", many=True), "the operators that tie them"),
        )
    },
    ("operator.same_scale_operands",),
    "groups:group_table",
)
_ISLAND = TableDeclaration(
    "island",
    "connected operators that compute in float between two integer stretches: behind a DEQUANTIZE, before a QUANTIZE",
    {
        column.name: column
        for column in (
            ColumnDeclaration("first", reference("operator"), "its first operator"),
            ColumnDeclaration("operators", reference("operator", many=True), "its operators, in order of execution"),
            ColumnDeclaration("macs_share", NUM, "its share of the model's multiply-accumulate operations, 0 to 1"),
        )
    },
    ("operator.opcode", "operand.tensor", "tensor.dtype", "operator.n_macs"),
    "islands:island_table",
)

#: Tables that speak of files: they have rows whether a file is a model or not.
FILE_TABLES = frozenset({"file", "member"})
#: Tables that have rows where a model has a contract.
ABOUT_CONTRACTS = frozenset(declared.name for declared in CONTRACT_TABLES)
#: Tables that have rows where two versions of a model are compared.
ABOUT_PAIRS = frozenset(declared.name for declared in PAIR_TABLES)
#: Tables that are derived as a whole.
DERIVED_TABLES = {declared.name: declared for declared in (_INDEX, _GROUP, _ISLAND, *CONTRACT_TABLES, *PAIR_TABLES)}
#: Derived columns by table and name: all that a run needs to know, without the columns of the schema.
DERIVED_COLUMNS = {(table, column.name): column for table, columns in _FACTS.items() for column in columns}


@functools.cache
def all_tables() -> dict[str, TableDeclaration]:
    """Every table that rules can use, with raw and derived columns."""
    from tflint.model.declare import raw_tables  # what checks rules and lists facts needs it, a run does not

    tables = {}
    for name, declared in raw_tables().items():
        columns = dict(declared.columns)
        columns.update({column.name: column for column in _FACTS.get(name, ())})
        if name not in (*FILE_TABLES, "model"):
            columns["model"] = ColumnDeclaration("model", reference("model"), "the model it is of")
        tables[name] = TableDeclaration(name, declared.row, columns)
    for declared in DERIVED_TABLES.values():
        columns = {**declared.columns, "model": ColumnDeclaration("model", reference("model"), "the model it is of")}
        columns.update({column.name: column for column in _FACTS.get(declared.name, ())})
        tables[declared.name] = TableDeclaration(declared.name, declared.row, columns, declared.needs, declared.compute)
    return tables
