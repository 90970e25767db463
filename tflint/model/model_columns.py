"""Declares the tables and columns stored in a model file, with types and meanings, from the schema. No numpy."""

from __future__ import annotations

import functools

from tflint.columns.column_types import (
    BOOL,
    NUMBER,
    NUMBERS,
    STRING,
    ColumnDeclaration,
    ColumnType,
    TableDeclaration,
    reference,
)
from tflint.schema import Field, tflite_schema

NUM = ColumnType(NUMBER)
TRUTH = ColumnType(BOOL)
TEXT = ColumnType(STRING)
TEXTS = ColumnType(STRING, True)
TRUTHS = ColumnType(BOOL, True)

_NO_QUANTIZATION = "the tensor has no quantization parameters"
_NO_MEMBERS = "the file is not a readable container"
_NO_METADATA = "TFLITE_METADATA is missing, unreadable or has no such entry"

_Row = tuple[str, ColumnType, str] | tuple[str, ColumnType, str, str]

_FILE: tuple[_Row, ...] = (
    ("name", TEXT, "file name without folders", "the model was passed as bytes"),
    (
        "kind",
        TEXT,
        "kind of the file, detected from its content: model, git-lfs-pointer, html, zip, truncated, malformed, …",
    ),
    ("detail", TEXT, "description of the kind of file", "the file is a readable model"),
    ("size", NUM, "size in bytes"),
    ("reason", TEXT, "how the file violates the format", "the file is readable"),
    ("reason_offset", NUM, "byte offset of the violation", "there is no such offset"),
    ("reason_path", TEXT, "schema path of the violation", "the file is readable"),
    ("lfs_oid", TEXT, "SHA-256 of the file that a Git LFS pointer refers to", "the file is not a complete pointer"),
    (
        "lfs_size",
        NUM,
        "size in bytes of the file that a Git LFS pointer refers to",
        "the file is not a complete pointer",
    ),
    (
        "container",
        TEXT,
        "format of a container: zip (such as a .task bundle) or litertlm",
        "the file is not a container",
    ),
    ("n_members", NUM, "number of members of a container", _NO_MEMBERS),
    ("n_models", NUM, "number of members that are models or containers, by content or by name", _NO_MEMBERS),
    ("n_unread", NUM, "number of members that were not checked because of a problem", _NO_MEMBERS),
)
_MEMBER: tuple[_Row, ...] = (
    ("file", reference("file"), "container of the member"),
    ("index", NUM, "index of the member in its container"),
    ("name", TEXT, "name in the container; for a section of a .litertlm bundle, the model type or data type"),
    ("size", NUM, "unpacked size in bytes that the container declares"),
    ("packed_size", NUM, "packed size in bytes that the container declares"),
    ("offset", NUM, "byte offset of the packed bytes in the container", "the packed bytes cannot be located"),
    ("kind", TEXT, "model, container or other, by content or by name"),
    ("compression", TEXT, "stored, deflate, or the number of an unsupported method"),
    ("data_type", TEXT, "data type of a section: TFLiteModel, SP_Tokenizer, …", "the container is a zip"),
    ("problem", TEXT, "why the member was not checked: encrypted, unsupported-compression, broken-offsets, "
     "broken-data, overlap, bomb, over-budget, too-deep or unsafe-name", "the member has no problem"),
    ("detail", TEXT, "description of the problem", "the member has no problem"),
    ("is_checksum_right", TRUTH, "whether the checksum matches the bytes",
     "there is no checksum, or the member is large and stored uncompressed, so tflint did not compute its checksum"),
    ("is_duplicate", TRUTH, "whether another member has the same name, or another model section the same model type"),
)  # fmt: skip
_MODEL: tuple[_Row, ...] = (
    ("version", NUM, "schema version; 3 is the only one in use"),
    ("description", TEXT, "free text from the converter", "the file has no description"),
    ("size", NUM, "size of the file in bytes"),
    ("structure_end", NUM, "byte offset just past the last table or vector of the flatbuffer"),
    ("tail_bytes", NUM, "number of bytes after the flatbuffer"),
    (
        "tail",
        TEXT,
        "data after the flatbuffer: none, padding, zip, broken-zip, buffers (with declared offsets) or unknown",
    ),
    ("tail_error", TEXT, "why the zip after the flatbuffer cannot be read", "there is no such zip, or it is readable"),
    ("newer_schema", TEXTS, "fields and union members that tflint's version of the schema does not know"),
    (
        "min_runtime_version",
        TEXT,
        "lowest TFLite version that runs the model, as declared by the converter",
        "the file does not declare it",
    ),
    (
        "soc",
        TEXT,
        "chip that LiteRT's compiler targeted, from LiteRtStamp: Qualcomm SM8650, …",
        "the file has no LiteRtStamp",
    ),
    ("metadata_error", TEXT, "why TFLITE_METADATA cannot be decoded", "TFLITE_METADATA is missing or was decoded"),
    ("metadata_name", TEXT, "model name in the metadata", _NO_METADATA),
    ("metadata_description", TEXT, "model description in the metadata", _NO_METADATA),
    ("metadata_version", TEXT, "model version in the metadata", _NO_METADATA),
    ("metadata_author", TEXT, "model author in the metadata", _NO_METADATA),
    ("metadata_license", TEXT, "model license in the metadata", _NO_METADATA),
    ("subgraphs", reference("subgraph", many=True), "the subgraphs, in stored order"),
    ("operator_codes", reference("operator_code", many=True), "the operator codes, in stored order"),
    ("buffers", reference("buffer", many=True), "the buffers, in stored order"),
    ("metadata", reference("metadata", many=True), "the metadata entries, in stored order"),
    ("signatures", reference("signature", many=True), "the signatures, in stored order"),
    (
        "associated_files",
        reference("associated_file", many=True),
        "files that the metadata names or the zip after the model holds",
    ),
)
_SUBGRAPH: tuple[_Row, ...] = (
    ("index", NUM, "index of the subgraph in the model"),
    ("name", TEXT, "name of the subgraph", "the subgraph has no name"),
    ("tensors", reference("tensor", many=True), "its tensors, in stored order"),
    ("operators", reference("operator", many=True), "its operators, in stored (execution) order"),
    ("inputs", reference("tensor", many=True), "its input tensors; input indices that are out of range are left out"),
    (
        "outputs",
        reference("tensor", many=True),
        "its output tensors; output indices that are out of range are left out",
    ),
    ("debug_metadata_index", NUM, "index of its debug metadata, -1 for none"),
)
_TENSOR: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "its subgraph"),
    ("index", NUM, "index in its subgraph, as in messages of the runtime"),
    ("name", TEXT, "name of the tensor", "the tensor has no name"),
    ("dtype", TEXT, "element type (`type` in schema.fbs): FLOAT32, INT8, …"),
    ("shape", NUMBERS, "stored shape"),
    ("shape_signature", NUMBERS, "shape with -1 for dynamic dimensions", "the tensor has no shape signature"),
    ("has_rank", TRUTH, "whether an empty shape means a scalar, not an unknown rank"),
    ("is_variable", TRUTH, "whether the tensor keeps its value between invocations"),
    ("buffer", reference("buffer"), "its buffer; buffer 0 means no data, by convention", "the index is out of range"),
    ("buffer_index", NUM, "index of its buffer in the model"),
    ("external_buffer", NUM, "id of its external buffer, 0 if it has none"),
    ("scale", NUMBERS, "quantization scales: one for the tensor, or one per channel", _NO_QUANTIZATION),
    ("zero_point", NUMBERS, "quantization zero points: one for the tensor, or one per channel", _NO_QUANTIZATION),
    ("quantized_dimension", NUM, "dimension to which per-channel parameters apply", _NO_QUANTIZATION),
    ("quantization.min", NUMBERS, "calibrated minima; runtimes do not read them", _NO_QUANTIZATION),
    ("quantization.max", NUMBERS, "calibrated maxima; runtimes do not read them", _NO_QUANTIZATION),
    ("quantization.details", TEXT, "type of quantization details: BlockwiseQuantization, …", "there are no details"),
    ("quantization.custom", NUMBERS, "bytes of a CustomQuantization", "there is no CustomQuantization"),
    ("quantization.block_size", NUM, "elements per block", "the quantization is neither blockwise nor multi-axis"),
    ("quantization.block_shape", NUMBERS, "shape of a block of blockwise quantization", "there is no block shape"),
    ("quantization.scales", reference("tensor"), "tensor with the scales (blockwise)", "it is not blockwise"),
    ("quantization.zero_points", reference("tensor"), "tensor with the zero points (blockwise)", "there is none"),
    ("quantization.dimensions", NUMBERS, "quantized dimensions", "the quantization is not multi-axis"),
    ("sparsity.traversal_order", NUMBERS, "storage order of the dimensions", "the tensor is not sparse"),
    ("sparsity.block_map", NUMBERS, "indices of the blocked dimensions", "the tensor is not sparse or not blocked"),
    ("sparsity.dimensions", reference("dimension", many=True), "format of each stored dimension of a sparse tensor"),
    ("variant_tensors", reference("variant_tensor", many=True), "the types inside a VARIANT tensor"),
)  # fmt: skip
_OPERATOR: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "its subgraph"),
    ("index", NUM, "index in its subgraph, which is the execution order"),
    ("operator_code", reference("operator_code"), "its operator code", "the index is out of range"),
    ("opcode_index", NUM, "index of its operator code in the model"),
    ("opcode", TEXT, "name of the operator: CONV_2D, …", "the operator code is out of range"),
    ("version", NUM, "version of the operator", "the operator code is out of range"),
    ("custom_code", TEXT, "name of a custom operator", "the operator is built-in"),
    ("inputs", reference("tensor", many=True), "input tensors; omitted optional inputs (-1) are left out"),
    ("outputs", reference("tensor", many=True), "output tensors"),
    (
        "intermediates",
        reference("tensor", many=True),
        "tensors with quantization parameters of an LSTM's internal values",
    ),
    ("operands", reference("operand", many=True), "inputs, outputs and intermediates with their positions"),
    (
        "mutating_variable_inputs",
        TRUTHS,
        "for each input, whether the operator writes to it",
        "the file does not declare it",
    ),
    ("options_type", TEXT, "type of its table of options: Conv2DOptions, …", "the operator has no options"),
    ("custom_options", NUMBERS, "bytes of a custom operator's options", "the operator has no custom options"),
    ("custom_options_format", TEXT, "format of the custom options"),
    (
        "large_custom_options_offset",
        NUM,
        "byte offset in the file of custom options past 2 GB; 0 or 1 if there are none",
    ),
    ("large_custom_options_size", NUM, "size in bytes of custom options past 2 GB"),
    ("debug_metadata_index", NUM, "index of its debug metadata, -1 for none"),
)
_OPERAND: tuple[_Row, ...] = (
    ("operator", reference("operator"), "the operator"),
    ("direction", TEXT, "input, output or intermediate"),
    ("position", NUM, "position among the operator's inputs, outputs or intermediates"),
    ("tensor", reference("tensor"), "the tensor", "an optional operand is omitted, or the index is out of range"),
    ("tensor_index", NUM, "stored index of the tensor; -1 if an optional operand is omitted"),
)
_OPERATOR_CODE: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("opcode", TEXT, "name of max(builtin_code, deprecated_builtin_code); the number if tflint does not know it"),
    ("builtin_code", NUM, "number of the built-in operator, in the new field"),
    ("deprecated_builtin_code", NUM, "number of the built-in operator, in the old field (at most 127)"),
    ("custom_code", TEXT, "name of a custom operator", "the operator code has no name"),
    ("version", NUM, "version of the operator"),
)
_BUFFER: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("data", NUMBERS, "bytes stored in the flatbuffer", "the buffer has no inline data"),
    ("data_offset", NUM, "byte offset of the buffer's data in the file", "the buffer has no data"),
    ("offset", NUM, "byte offset in the file of data past 2 GB; 0 or 1 if there is none"),
    ("size", NUM, "size in bytes of data past 2 GB"),
)
_SIGNATURE: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("key", TEXT, "name of the signature (`signature_key`)", "the signature has no name"),
    ("subgraph", reference("subgraph"), "its subgraph", "the index is out of range"),
    ("subgraph_index", NUM, "index of its subgraph in the model"),
    ("tensors", reference("signature_tensor", many=True), "its inputs and outputs"),
)
_SIGNATURE_TENSOR: tuple[_Row, ...] = (
    ("signature", reference("signature"), "the signature"),
    ("direction", TEXT, "input or output"),
    ("position", NUM, "position among the signature's inputs or outputs"),
    ("name", TEXT, "name that client code uses for the tensor", "the tensor has no such name"),
    ("tensor_index", NUM, "index of the tensor in the signature's subgraph"),
    ("tensor", reference("tensor"), "the tensor", "the index is out of range"),
)
_METADATA: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("name", TEXT, "name of the metadata entry", "the metadata entry has no name"),
    ("buffer", reference("buffer"), "buffer that the metadata entry refers to", "the index is out of range"),
    ("buffer_index", NUM, "index of that buffer in the model"),
)
_INTERFACE: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "its subgraph"),
    ("position", NUM, "position among the subgraph's inputs or outputs"),
    ("tensor", reference("tensor"), "the tensor", "the index is out of range"),
    ("tensor_index", NUM, "stored index of the tensor"),
    ("metadata.name", TEXT, "name of the input or output in the metadata", _NO_METADATA),
    ("metadata.description", TEXT, "description of the input or output in the metadata", _NO_METADATA),
    ("metadata.content", TEXT, "type of the content: ImageProperties, AudioProperties, …", _NO_METADATA),
    ("metadata.color_space", TEXT, "color space of an image: RGB, GRAYSCALE or UNKNOWN", "the metadata has none"),
    ("metadata.sample_rate", NUM, "sample rate of audio, in samples per second", "the metadata has none"),
    ("metadata.sound_channels", NUM, "number of audio channels", "the metadata has none"),
    ("metadata.mean", NUMBERS, "mean of the normalization (x - mean) / std", "the metadata has none"),
    ("metadata.std", NUMBERS, "standard deviation of the normalization", "the metadata has none"),
    ("metadata.stats_min", NUMBERS, "smallest values, from the metadata's statistics", "the metadata has none"),
    ("metadata.stats_max", NUMBERS, "largest values, from the metadata's statistics", "the metadata has none"),
    (
        "metadata.process_units",
        TEXTS,
        "types of the process units in the metadata: NormalizationOptions, …",
        _NO_METADATA,
    ),
    ("metadata.associated_files", TEXTS, "names of the associated files in the metadata", _NO_METADATA),
)
_ASSOCIATED_FILE: tuple[_Row, ...] = (
    ("name", TEXT, "name of the file", "the file has no name"),
    ("type", TEXT, "purpose of the file: TENSOR_AXIS_LABELS, VOCABULARY, …", "the file is only in the zip"),
    (
        "owner",
        TEXT,
        "part of the metadata that names the file: model, subgraph, or an input or output",
        "the file is only in the zip",
    ),
    ("is_declared", TRUTH, "whether the metadata names the file"),
    ("is_packed", TRUTH, "whether the file is in the zip after the model"),
    ("packed_size", NUM, "unpacked size in bytes that the zip declares", "the file is not in the zip"),
)
_DIMENSION: tuple[_Row, ...] = (
    ("tensor", reference("tensor"), "the sparse tensor"),
    ("index", NUM, "index among the tensor's stored dimensions"),
    ("format", TEXT, "DENSE or SPARSE_CSR"),
    ("dense_size", NUM, "size of a dense dimension"),
)
_VARIANT_TENSOR: tuple[_Row, ...] = (
    ("tensor", reference("tensor"), "the VARIANT tensor"),
    ("index", NUM, "index among the tensor's variants"),
    ("shape", NUMBERS, "shape of the variant"),
    ("dtype", TEXT, "element type of the variant"),
    ("has_rank", TRUTH, "whether an empty shape means a scalar"),
)
_EXTERNAL_BUFFER: tuple[_Row, ...] = (
    ("id", NUM, "id that tensors refer to"),
    ("group", NUM, "index of its external buffer group"),
    ("offset", NUM, "byte offset in the group's file"),
    ("length", NUM, "length of the data in bytes"),
    ("packing", TEXT, "how the data is packed", "the file does not declare it"),
)
_EXTERNAL_GROUP: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("name", TEXT, "name of the file with the data", "the group has no name"),
)

_TABLES: dict[str, tuple[str, tuple[_Row, ...]]] = {
    "file": ("a checked file, whether or not it is a model", _FILE),
    "member": ("a member of a container, such as a .task bundle (zip) or a .litertlm bundle", _MEMBER),
    "model": ("a readable model", _MODEL),
    "subgraph": ("a subgraph", _SUBGRAPH),
    "tensor": ("a tensor", _TENSOR),
    "operator": ("an operator", _OPERATOR),
    "operand": ("an input, output or intermediate of an operator", _OPERAND),
    "operator_code": ("an operator code", _OPERATOR_CODE),
    "buffer": ("a buffer", _BUFFER),
    "input": ("an input of a subgraph", _INTERFACE),
    "output": ("an output of a subgraph", _INTERFACE),
    "signature": ("a signature", _SIGNATURE),
    "signature_tensor": ("an input or output of a signature", _SIGNATURE_TENSOR),
    "metadata": ("a metadata entry", _METADATA),
    "associated_file": ("a file named in the metadata, packed after the model, or both", _ASSOCIATED_FILE),
    "dimension": ("a stored dimension of a sparse tensor", _DIMENSION),
    "variant_tensor": ("a type inside a VARIANT tensor", _VARIANT_TENSOR),
    "external_buffer": ("data of the model in a separate file", _EXTERNAL_BUFFER),
    "external_buffer_group": ("a separate file with data of the model", _EXTERNAL_GROUP),
}


@functools.cache
def raw_tables() -> dict[str, TableDeclaration]:
    """Return the declarations of all tables whose rows are stored in a file, by table name."""
    tables = {}
    for name, (row, columns) in _TABLES.items():
        declared = {
            c[0]: ColumnDeclaration(c[0], c[1], c[2], c[3] if len(c) > 3 else "", domain=_domain(name, c[0]))
            for c in columns
        }
        tables[name] = TableDeclaration(name, row, declared)
    for option in options_columns().values():
        tables["operator"].columns[option.declaration.name] = option.declaration
    return tables


#: Columns whose values are the names of an enumeration. `_VALUES` lists the values of other columns with few values.
_ENUMS = {
    "dtype": "TensorType",
    "opcode": "BuiltinOperator",
    "format": "DimensionType",
    "quantization.details": "QuantizationDetails",
    "custom_options_format": "CustomOptionsFormat",
}
_VALUES = {
    ("file", "container"): ("zip", "litertlm"),
    ("member", "kind"): ("model", "container", "other"),
    ("model", "tail"): ("none", "padding", "zip", "broken-zip", "buffers", "unknown"),
    ("operand", "direction"): ("input", "output", "intermediate"),
    ("signature_tensor", "direction"): ("input", "output"),
}


def _domain(table: str, column: str) -> tuple[str, ...]:
    """Return all strings that a column can contain, or () if they are not known.

    A rule must not compare the column with any other string.
    """
    if column in _ENUMS:
        return tuple(tflite_schema().enum(_ENUMS[column]).values)
    if (table, column) == ("member", "problem"):
        from tflint.container.container_contents import PROBLEMS  # needed only to check rules

        return PROBLEMS
    return _VALUES.get((table, column), ())


class OptionsColumn:
    """A column of operator options.

    `field` is the schema field, and `tables` are the options tables that have it. `enum` names the enumeration of its
    values, or is empty if they are not enum values.
    """

    __slots__ = ("declaration", "enum", "field", "tables")

    def __init__(self, declaration: ColumnDeclaration, field: Field, tables: tuple[str, ...], enum: str) -> None:
        self.declaration = declaration
        self.field = field
        self.tables = tables
        self.enum = enum


@functools.cache
def options_columns() -> dict[str, OptionsColumn]:
    """Return the columns `options.<field>` of the operator table.

    A field that several options tables have with the same type is one column. If the types differ, the column of the
    most common type has this short name, and the fields of other types become columns `options.<Table>.<field>`.
    """
    return {column: options_column(column) for column in options_fields()}


@functools.cache
def options_fields() -> dict[str, tuple[str, list[str]]]:
    """Return, for each column of options, the name of its field and the options tables that have the field."""
    schema = tflite_schema()
    members = [name for union in ("BuiltinOptions", "BuiltinOptions2") for name in schema.unions[union][1:]]
    owners: dict[str, dict[str, list[str]]] = {}
    for member in dict.fromkeys(members):
        for name, type_name in schema.field_types(member):
            owners.setdefault(name, {}).setdefault(type_name, []).append(member)
    columns: dict[str, tuple[str, list[str]]] = {}
    for name, by_type in owners.items():
        commonest = max(by_type.values(), key=len)
        for tables in by_type.values():
            if tables is commonest:
                columns[f"options.{name}"] = (name, tables)
            else:
                columns |= {f"options.{table}.{name}": (name, [table]) for table in tables}
    return columns


@functools.cache
def options_column(column: str) -> OptionsColumn:
    """Return a column of options by name. A run reads few of the 150 columns."""
    field, tables = options_fields()[column]
    schema = tflite_schema()
    declared = schema.table(tables[0]).field(field)
    enum = declared.element if schema.is_enum(declared.element) else ""
    kind = STRING if enum or declared.element == "string" else BOOL if declared.element == "bool" else NUMBER
    type_ = ColumnType(kind, declared.is_vector)
    owners = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
    since = f", since {declared.added_in}" if declared.added_in else ""
    meaning = f"{field.replace('_', ' ')} of {owners}{since}"
    declaration = ColumnDeclaration(
        column,
        type_,
        meaning,
        "the options of the operator have no such field",
        domain=tuple(schema.enum(enum).values) if enum else (),
    )
    return OptionsColumn(declaration, declared, tuple(tables), enum)
