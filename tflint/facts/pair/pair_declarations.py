"""Declarations of the tables of pairs of models. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import ColumnDeclaration, ColumnType, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TEXT, TEXTS, TRUTH

_REMOVED = "the new model does not have it"
_ADDED = "the old model does not have it"
_ONE_ONLY = "only one model has it"
_UNREAD = "one of the two files cannot be unpacked or is larger than 1 MiB, or the pair has more than 16 lists"


def _table(name: str, row: str, needs: str, compute: str, *columns: ColumnDeclaration) -> TableDeclaration:
    return TableDeclaration(name, row, {column.name: column for column in columns}, tuple(needs.split()), compute)


def _column(
    name: str, type_: ColumnType, meaning: str, absent: str = "", unknown: str = "", domain: str = ""
) -> ColumnDeclaration:
    return ColumnDeclaration(name, type_, meaning, absent, unknown, domain=tuple(domain.split()))


_PAIR = _table(
    "pair",
    "a pair of two versions of a model; `model` is the new one",
    "",
    "pair.pair_tables:pair_table",
    _column("old", reference("model"), "the old model"),
)
_SUBGRAPH = _table(
    "pair_subgraph",
    "a subgraph that client code can run, in both models: the first one, or one with a signature of the same key",
    "signature.subgraph signature.key",
    "pair.pair_tables:subgraph_table",
    _column("pair", reference("pair"), "its pair"),
    _column("subgraph", reference("subgraph"), "the subgraph of the new model"),
    _column("old", reference("subgraph"), "the subgraph of the old model"),
    *(
        column
        for side in ("input", "output")
        for column in (
            _column(f"{side}s", TEXTS, f"names of the {side}s that match by name in both models, in the new order"),
            _column(f"old_{side}s", TEXTS, f"the same {side}s in the old order, by their new names"),
            _column(f"are_{side}s_moved", TRUTH, f"whether the order of these {side}s changed"),
        )
    ),
)


def _side_table(side: str) -> TableDeclaration:
    return _table(
        f"pair_{side}",
        f"an {side} of a subgraph that client code can run, in both models or in one of them",
        f"{side}.tensor tensor.name tensor.dtype tensor.shape signature_tensor.name",
        f"pair.pair_tables:{side}_table",
        _column("pair", reference("pair"), "its pair"),
        _column("pair_subgraph", reference("pair_subgraph"), "its pair of subgraphs"),
        _column(side, reference(side), f"the {side} of the new model", _REMOVED),
        _column("old", reference(side), f"the {side} of the old model", _ADDED),
        _column("name", TEXT, "its name in the signature, otherwise of its tensor; the old name if it was removed"),
        _column("old_name", TEXT, "its name in the signature of the old model, otherwise of its tensor", _ADDED),
        _column("matched", TEXT, "how it was matched: by its name in the signature, by the name of its tensor, "
                "or by its position among the remaining ones", _ONE_ONLY,
                domain="signature tensor position"),
        _column("is_renamed", TRUTH, "whether the name of its tensor changed; generated names do not count"),
        _column("is_before_others", TRUTH, f"whether {side}s of both models follow after it"),
        _column("shape_change", TEXT, "how the shape changed: rank, size of a fixed dimension (size), a dynamic "
                "dimension is now fixed (fixed), stored size of a dynamic dimension (stored)",
                f"the shape is unchanged, or {_ONE_ONLY}", "a rank is unknown or greater than 32",
                domain="rank size fixed stored"),
    )  # fmt: skip


_SIGNATURE = _table(
    "pair_signature",
    "a signature key, in both models or in one of them",
    "signature.key signature_tensor.name",
    "pair.pair_signatures:signature_table",
    _column("pair", reference("pair"), "its pair"),
    _column("signature", reference("signature"), "the signature of the new model", _REMOVED),
    _column("old", reference("signature"), "the signature of the old model", _ADDED),
    _column("key", TEXT, "its key"),
    *(
        column
        for side in ("input", "output")
        for column in (
            _column(f"lost_{side}s", TEXTS, f"names that the new signature no longer has, of {side}s that still exist"),
            _column(f"new_{side}s", TEXTS, f"names of {side}s that only the new signature has"),
        )
    ),
)
_OPERATOR = _table(
    "pair_operator",
    "an operator code of the new model, in the newest version that the model uses",
    "operator_code.opcode operator_code.custom_code operator_code.version",
    "pair.pair_operators:operator_table",
    _column("pair", reference("pair"), "its pair"),
    _column("operator_code", reference("operator_code"), "the operator code of the new model"),
    _column("old", reference("operator_code"), "the operator code of the old model, in its newest version", _ADDED),
    _column("since", TEXT, "first TensorFlow release with the operator in its version",
            "the operator is not in the table of releases"),
    _column("raises_runtime", TRUTH, "whether that release is newer than the release that the old model needs",
            "the operator, or all operators of the old model, are not in the table of releases"),
)  # fmt: skip
_LABELS = _table(
    "pair_labels",
    "a label list or vocabulary packed with both models or with one of them, by its file name",
    "associated_file.name associated_file.type",
    "pair.pair_labels:labels_table",
    _column("pair", reference("pair"), "its pair"),
    _column("file", reference("associated_file"), "the file of the new model", _REMOVED),
    _column("old", reference("associated_file"), "the file of the old model", _ADDED),
    _column("name", TEXT, "its file name"),
    _column("n_lines", NUM, "number of lines in the new file", _ONE_ONLY, _UNREAD),
    _column("n_old_lines", NUM, "number of lines in the old file", _ONE_ONLY, _UNREAD),
    _column("change", TEXT, "how the lines changed: lines added only at the end (appended), same lines in a different "
            "order (reordered), more, fewer, or the same number with different text (changed)",
            f"the lines are unchanged, or {_ONE_ONLY}", _UNREAD,
            domain="appended reordered more fewer changed"),
    _column("line", NUM, "number of the first different line, from 1", "no line differs"),
    _column("label", TEXT, "that line in the new file", "no line differs, or the new file ends before that line"),
    _column("old_label", TEXT, "that line in the old file", "no line differs, or the old file ends before that line"),
)  # fmt: skip

_CONSTANTS = _table(
    "pair_constants",
    "constants of both models whose quantization changed in the same way; constants of the same type and shape are "
    "compared if the operators that read them match, except for biases",
    "operator.operands operand.tensor tensor.name tensor.scale tensor.zero_point tensor.quantized_dimension",
    "pair.pair_constants:constants_table",
    _column("pair", reference("pair"), "its pair"),
    _column("change", TEXT, "how the quantization changed: the axis of per-channel parameters, the number of "
            "scales or the size of blocks (granularity), zero points of signed weights that are no longer 0 "
            "(zero-point), other scales or zero points (scale); the first that applies",
            domain="axis granularity zero-point scale"),
    _column("constants", reference("tensor", many=True), "these constants in the new model, in order of execution"),
    _column("old_constants", reference("tensor", many=True), "the same constants in the old model"),
    _column("first", reference("tensor"), "the first of these constants in the new model"),
    _column("old_first", reference("tensor"), "the first of these constants in the old model"),
    _column("channel", NUM, "number of the first scale or zero point of the first constant that changed, from 0",
            "all are equal, or their numbers differ"),
    _column("n_compared", NUM, "number of quantized constants that were compared"),
)  # fmt: skip

#: Tables of pairs. They have rows only if two versions of a model are compared.
TABLES = (_PAIR, _SUBGRAPH, _side_table("input"), _side_table("output"), _SIGNATURE, _OPERATOR, _LABELS, _CONSTANTS)
