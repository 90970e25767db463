"""Declares the tables and columns that a model's file holds, with types and meanings, from the schema; no numpy."""

from __future__ import annotations

import functools
from collections import Counter

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
_NO_MEMBERS = "it is no container, or one that cannot be read"
_NO_METADATA = "the file has no readable TFLITE_METADATA for it"

_Row = tuple[str, ColumnType, str] | tuple[str, ColumnType, str, str]

_FILE: tuple[_Row, ...] = (
    ("name", TEXT, "the file's name without folders", "it has none: bytes were given"),
    ("kind", TEXT, "what the file is by its bytes: model, git-lfs-pointer, html, zip, truncated, malformed, …"),
    ("detail", TEXT, "the kind in words", "the file is a model that can be read"),
    ("size", NUM, "size in bytes"),
    ("reason", TEXT, "which invariant of the format is broken", "the file could be read"),
    ("reason_offset", NUM, "byte where the broken invariant shows", "there is no such byte"),
    ("reason_path", TEXT, "place in the schema of the broken invariant", "the file could be read"),
    ("lfs_oid", TEXT, "SHA-256 that a Git-LFS pointer names", "the file is no complete pointer"),
    ("lfs_size", NUM, "size in bytes that a Git-LFS pointer names", "the file is no complete pointer"),
    ("container", TEXT, "format of a container of models: zip (a .task bundle) or litertlm", "it is no container"),
    ("n_members", NUM, "how many members a container has", _NO_MEMBERS),
    ("n_models", NUM, "how many of them are models or containers of models, or are named like that", _NO_MEMBERS),
    ("n_unread", NUM, "how many of them were not looked at, since they have a problem", _NO_MEMBERS),
)
_MEMBER: tuple[_Row, ...] = (
    ("file", reference("file"), "the container it is in"),
    ("index", NUM, "index in the container"),
    ("name", TEXT, "name as stored; of a section of a .litertlm bundle its model type or data type"),
    ("size", NUM, "size in bytes, unpacked, as the container says"),
    ("packed_size", NUM, "bytes that it takes in the container, as that says"),
    ("offset", NUM, "byte of the container where they begin", "they lie nowhere, or were not looked at"),
    ("kind", TEXT, "model, container or other: what it is, or should be by its name"),
    ("compression", TEXT, "stored, deflate, or the number of another method"),
    ("data_type", TEXT, "data type of a section: TFLiteModel, SP_Tokenizer, …", "the container is a zip"),
    ("problem", TEXT, "why it was not looked at: encrypted, unsupported-compression, broken-offsets, broken-data, "
     "overlap, bomb, over-budget, too-deep or unsafe-name", "it was looked at"),
    ("detail", TEXT, "the problem in words", "it was looked at"),
    ("is_checksum_right", TRUTH, "whether its checksum is that of its bytes",
     "it has none, or is stored and large: weights are not read for it"),
    ("is_duplicate", TRUTH, "whether another member has the same name, or another model section the same model type"),
)  # fmt: skip
_MODEL: tuple[_Row, ...] = (
    ("version", NUM, "schema version; 3 is the only one in use"),
    ("description", TEXT, "free text of the converter", "the file has none"),
    ("size", NUM, "size of the file in bytes"),
    ("structure_end", NUM, "byte just past the last table or vector of the flatbuffer"),
    ("tail_bytes", NUM, "bytes after the flatbuffer"),
    (
        "tail",
        TEXT,
        "what follows the flatbuffer: none, padding, zip, broken-zip, buffers (declared by offset) or unknown",
    ),
    ("tail_error", TEXT, "why the appended zip cannot be read", "there is no broken zip"),
    ("newer_schema", TEXTS, "what the file holds that this version of the schema does not know"),
    ("min_runtime_version", TEXT, "TFLite version that the converter says is needed", "the file does not say"),
    ("soc", TEXT, "chip that LiteRT's compiler made it for, by its LiteRtStamp: Qualcomm SM8650, …", "it does not say"),
    ("metadata_error", TEXT, "why TFLITE_METADATA cannot be decoded", "it can be, or there is none"),
    ("metadata_name", TEXT, "the model's name in its metadata", _NO_METADATA),
    ("metadata_description", TEXT, "the model's description in its metadata", _NO_METADATA),
    ("metadata_version", TEXT, "the model's version in its metadata", _NO_METADATA),
    ("metadata_author", TEXT, "the model's author in its metadata", _NO_METADATA),
    ("metadata_license", TEXT, "the model's licence in its metadata", _NO_METADATA),
    ("subgraphs", reference("subgraph", many=True), "the subgraphs, in stored order"),
    ("operator_codes", reference("operator_code", many=True), "the operator codes, in stored order"),
    ("buffers", reference("buffer", many=True), "the buffers, in stored order"),
    ("metadata", reference("metadata", many=True), "the metadata entries, in stored order"),
    ("signatures", reference("signature", many=True), "the signatures, in stored order"),
    ("associated_files", reference("associated_file", many=True), "files named by the metadata or packed"),
)
_SUBGRAPH: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("name", TEXT, "the subgraph's name", "it has none"),
    ("tensors", reference("tensor", many=True), "its tensors, in stored order"),
    ("operators", reference("operator", many=True), "its operators, in stored (execution) order"),
    ("inputs", reference("tensor", many=True), "its input tensors; indices out of range are left out"),
    ("outputs", reference("tensor", many=True), "its output tensors; indices out of range are left out"),
    ("debug_metadata_index", NUM, "index of its debug metadata, -1 for none"),
)
_TENSOR: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "the subgraph it is of"),
    ("index", NUM, "index in its subgraph, as the runtime's own messages give it"),
    ("name", TEXT, "the tensor's name", "it has none"),
    ("dtype", TEXT, "element type (`type` in schema.fbs): FLOAT32, INT8, …"),
    ("shape", NUMBERS, "stored shape"),
    ("shape_signature", NUMBERS, "shape with -1 for dimensions that are not fixed", "the file has none"),
    ("has_rank", TRUTH, "whether an empty shape means a scalar and not an unknown rank"),
    ("is_variable", TRUTH, "whether it keeps its value between invocations"),
    ("buffer", reference("buffer"), "its buffer; index 0 means none by convention", "the index is out of range"),
    ("buffer_index", NUM, "index of its buffer in the model"),
    ("external_buffer", NUM, "id of its external buffer, 0 for none"),
    ("scale", NUMBERS, "quantization scales: one, or one a channel", _NO_QUANTIZATION),
    ("zero_point", NUMBERS, "quantization zero points", _NO_QUANTIZATION),
    ("quantized_dimension", NUM, "axis of per-channel parameters", _NO_QUANTIZATION),
    ("quantization.min", NUMBERS, "calibrated minima; not read at run time", _NO_QUANTIZATION),
    ("quantization.max", NUMBERS, "calibrated maxima; not read at run time", _NO_QUANTIZATION),
    ("quantization.details", TEXT, "kind of detailed quantization: BlockwiseQuantization, …", "it has no details"),
    ("quantization.custom", NUMBERS, "bytes of a CustomQuantization", "it has none"),
    ("quantization.block_size", NUM, "elements a block, of blockwise or multi-axis quantization", "it is neither"),
    ("quantization.block_shape", NUMBERS, "shape of a block, of blockwise quantization", "the file has none"),
    ("quantization.scales", reference("tensor"), "tensor with the scales of a blockwise one", "it is not blockwise"),
    ("quantization.zero_points", reference("tensor"), "tensor with the zero points of a blockwise one", "it has none"),
    ("quantization.dimensions", NUMBERS, "axes of multi-axis quantization", "it is none"),
    ("sparsity.traversal_order", NUMBERS, "order in which a sparse tensor's dimensions are stored", "it is not sparse"),
    ("sparsity.block_map", NUMBERS, "which dimensions are blocked", "it is not sparse or not blocked"),
    ("sparsity.dimensions", reference("dimension", many=True), "format of each stored dimension of a sparse tensor"),
    ("variant_tensors", reference("variant_tensor", many=True), "the types inside a VARIANT tensor"),
)  # fmt: skip
_OPERATOR: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "the subgraph it is of"),
    ("index", NUM, "index in its subgraph: its place in the order of execution"),
    ("operator_code", reference("operator_code"), "its operator code", "the index is out of range"),
    ("opcode_index", NUM, "index of its operator code in the model"),
    ("opcode", TEXT, "CONV_2D, …: max(builtin_code, deprecated_builtin_code)", "the operator code is out of range"),
    ("version", NUM, "version of the operator", "the operator code is out of range"),
    ("custom_code", TEXT, "name of a custom operator", "it is a built-in operator"),
    ("inputs", reference("tensor", many=True), "input tensors; optional ones that are not given (-1) are left out"),
    ("outputs", reference("tensor", many=True), "output tensors"),
    ("intermediates", reference("tensor", many=True), "tensors that hold parameters of inner values (LSTM)"),
    ("operands", reference("operand", many=True), "inputs, outputs and intermediates with their positions"),
    ("mutating_variable_inputs", TRUTHS, "which inputs it writes to", "the file does not say"),
    ("options_type", TEXT, "table of its options: Conv2DOptions, …", "it has none"),
    ("custom_options", NUMBERS, "bytes of a custom operator's options", "it has none"),
    ("custom_options_format", TEXT, "format of the custom options"),
    ("large_custom_options_offset", NUM, "byte of the file where custom options past 2 GB begin, 0 or 1 for none"),
    ("large_custom_options_size", NUM, "size in bytes of custom options past 2 GB"),
    ("debug_metadata_index", NUM, "index of its debug metadata, -1 for none"),
)
_OPERAND: tuple[_Row, ...] = (
    ("operator", reference("operator"), "the operator"),
    ("direction", TEXT, "input, output or intermediate"),
    ("position", NUM, "position among the operator's inputs, outputs or intermediates"),
    ("tensor", reference("tensor"), "the tensor", "an optional operand is not given, or the index is out of range"),
    ("tensor_index", NUM, "index of the tensor as stored; -1: not given"),
)
_OPERATOR_CODE: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("opcode", TEXT, "max(builtin_code, deprecated_builtin_code), by name; an unknown one is a number"),
    ("builtin_code", NUM, "number of the built-in operator, new field"),
    ("deprecated_builtin_code", NUM, "number of the built-in operator, old field (at most 127)"),
    ("custom_code", TEXT, "name of a custom operator", "it has none"),
    ("version", NUM, "version of the operator"),
)
_BUFFER: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("data", NUMBERS, "bytes stored in the flatbuffer", "it has no data of its own"),
    ("data_offset", NUM, "byte of the file where its data begins", "it has no data"),
    ("offset", NUM, "byte of the file where data past 2 GB begins; 0 or 1: none"),
    ("size", NUM, "size in bytes of data past 2 GB"),
)
_SIGNATURE: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("key", TEXT, "name of the signature (`signature_key`)", "it has none"),
    ("subgraph", reference("subgraph"), "its subgraph", "the index is out of range"),
    ("subgraph_index", NUM, "index of its subgraph in the model"),
    ("tensors", reference("signature_tensor", many=True), "its inputs and outputs"),
)
_SIGNATURE_TENSOR: tuple[_Row, ...] = (
    ("signature", reference("signature"), "the signature"),
    ("direction", TEXT, "input or output"),
    ("position", NUM, "position among the signature's inputs or outputs"),
    ("name", TEXT, "the name callers use", "it has none"),
    ("tensor_index", NUM, "index of the tensor in the signature's subgraph"),
    ("tensor", reference("tensor"), "the tensor", "the index is out of range"),
)
_METADATA: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("name", TEXT, "name of the entry", "it has none"),
    ("buffer", reference("buffer"), "the buffer that holds it", "the index is out of range"),
    ("buffer_index", NUM, "index of that buffer in the model"),
)
_BORDER: tuple[_Row, ...] = (
    ("subgraph", reference("subgraph"), "the subgraph it is of"),
    ("position", NUM, "position among the subgraph's inputs or outputs"),
    ("tensor", reference("tensor"), "the tensor", "the index is out of range"),
    ("tensor_index", NUM, "index of the tensor as stored"),
    ("metadata.name", TEXT, "its name in the metadata", _NO_METADATA),
    ("metadata.description", TEXT, "its description in the metadata", _NO_METADATA),
    ("metadata.content", TEXT, "kind of content: ImageProperties, AudioProperties, …", _NO_METADATA),
    ("metadata.color_space", TEXT, "colour space of an image: RGB, GRAYSCALE or UNKNOWN", "the metadata has none"),
    ("metadata.sample_rate", NUM, "samples a second, of sound", "the metadata has none"),
    ("metadata.sound_channels", NUM, "channels of sound", "the metadata has none"),
    ("metadata.mean", NUMBERS, "mean of the normalization (x - mean) / std", "the metadata has none"),
    ("metadata.std", NUMBERS, "standard deviation of the normalization", "the metadata has none"),
    ("metadata.stats_min", NUMBERS, "smallest values", "the metadata has none"),
    ("metadata.stats_max", NUMBERS, "largest values", "the metadata has none"),
    ("metadata.process_units", TEXTS, "kinds of its process units: NormalizationOptions, …", _NO_METADATA),
    ("metadata.associated_files", TEXTS, "names of its associated files", _NO_METADATA),
)
_ASSOCIATED_FILE: tuple[_Row, ...] = (
    ("name", TEXT, "name of the file", "it has none"),
    ("type", TEXT, "what it is for: TENSOR_AXIS_LABELS, VOCABULARY, …", "it is only in the zip"),
    ("owner", TEXT, "who names it: model, subgraph, or the tensor it belongs to", "it is only in the zip"),
    ("is_declared", TRUTH, "whether the metadata names it"),
    ("is_packed", TRUTH, "whether it is in the zip after the model"),
    ("packed_size", NUM, "size in bytes, unpacked, as the zip says", "it is not in the zip"),
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
    ("shape", NUMBERS, "shape"),
    ("dtype", TEXT, "element type"),
    ("has_rank", TRUTH, "whether an empty shape means a scalar"),
)
_EXTERNAL_BUFFER: tuple[_Row, ...] = (
    ("id", NUM, "id that tensors name"),
    ("group", NUM, "index of its group"),
    ("offset", NUM, "byte offset in the group's file"),
    ("length", NUM, "length in bytes"),
    ("packing", TEXT, "packing", "the file does not say"),
)
_EXTERNAL_GROUP: tuple[_Row, ...] = (
    ("index", NUM, "index in the model"),
    ("name", TEXT, "name of the file with the data", "it has none"),
)

_TABLES: dict[str, tuple[str, tuple[_Row, ...]]] = {
    "file": ("a file that was looked at, whether it is a model or not", _FILE),
    "member": ("a member of a container of models: of a .task bundle (zip) or a .litertlm bundle", _MEMBER),
    "model": ("a model that could be read", _MODEL),
    "subgraph": ("a subgraph", _SUBGRAPH),
    "tensor": ("a tensor", _TENSOR),
    "operator": ("an operator", _OPERATOR),
    "operand": ("one position of an operator, with the tensor in it", _OPERAND),
    "operator_code": ("an operator code", _OPERATOR_CODE),
    "buffer": ("a buffer", _BUFFER),
    "input": ("an input of a subgraph", _BORDER),
    "output": ("an output of a subgraph", _BORDER),
    "signature": ("a signature", _SIGNATURE),
    "signature_tensor": ("an input or output of a signature", _SIGNATURE_TENSOR),
    "metadata": ("a metadata entry", _METADATA),
    "associated_file": ("a file named by the metadata, packed after the model, or both", _ASSOCIATED_FILE),
    "dimension": ("a stored dimension of a sparse tensor", _DIMENSION),
    "variant_tensor": ("a type inside a VARIANT tensor", _VARIANT_TENSOR),
    "external_buffer": ("data of the model that lies in another file", _EXTERNAL_BUFFER),
    "external_buffer_group": ("another file with data of the model", _EXTERNAL_GROUP),
}


@functools.cache
def raw_tables() -> dict[str, TableDeclaration]:
    """All tables that a file itself holds, by name."""
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


#: Enumerations behind columns; other columns with few values list them.
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
    """All strings that a column can have, where they are known: a rule that compares with another is wrong."""
    if column in _ENUMS:
        return tuple(tflite_schema().enum(_ENUMS[column]).values)
    if (table, column) == ("member", "problem"):
        from tflint.container.container_contents import PROBLEMS  # what only checks rules needs it

        return PROBLEMS
    return _VALUES.get((table, column), ())


class OptionsColumn:
    """A column of operator options: which field of which options tables it shows."""

    __slots__ = ("declaration", "enum", "field", "tables")

    def __init__(self, declaration: ColumnDeclaration, field: Field, tables: tuple[str, ...], enum: str) -> None:
        self.declaration = declaration
        self.field = field
        self.tables = tables
        self.enum = enum


@functools.cache
def options_columns() -> dict[str, OptionsColumn]:
    """Columns `options.<field>` of the operator table.

    A field that several options tables have with one type is one column. Where types differ, the commonest keeps the
    short name and the others are `options.<Table>.<field>`.
    """
    schema = tflite_schema()
    members = [name for union in ("BuiltinOptions", "BuiltinOptions2") for name in schema.unions[union][1:]]
    owners: dict[str, dict[str, list[str]]] = {}
    for member in dict.fromkeys(members):
        for declared in schema.table(member).fields:
            owners.setdefault(declared.name, {}).setdefault(declared.type, []).append(member)
    columns: dict[str, OptionsColumn] = {}
    for name, by_type in owners.items():
        commonest = Counter({type_name: len(tables) for type_name, tables in by_type.items()}).most_common(1)[0][0]
        for type_name, tables in by_type.items():
            if type_name == commonest:
                _add_option(columns, f"options.{name}", name, tables)
            else:
                for table in tables:
                    _add_option(columns, f"options.{table}.{name}", name, [table])
    return columns


def _add_option(columns: dict[str, OptionsColumn], column: str, field: str, tables: list[str]) -> None:
    schema = tflite_schema()
    declared = schema.table(tables[0]).field(field)
    enum = declared.element if schema.is_enum(declared.element) else ""
    kind = STRING if enum or declared.element == "string" else BOOL if declared.element == "bool" else NUMBER
    type_ = ColumnType(kind, declared.is_vector)
    owners = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
    since = f", since {declared.added_in}" if declared.added_in else ""
    meaning = f"{field.replace('_', ' ')} of {owners}{since}"
    columns[column] = OptionsColumn(
        ColumnDeclaration(
            column,
            type_,
            meaning,
            "the operator's options have no such field",
            domain=tuple(schema.enum(enum).values) if enum else (),
        ),
        declared,
        tuple(tables),
        enum,
    )
