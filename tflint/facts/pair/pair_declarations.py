"""The tables of pairs, two versions of a model: type, meaning, and when absent. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import ColumnDeclaration, ColumnType, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TEXT, TEXTS, TRUTH

_GONE = "the new model has none such"
_CAME = "the old model has none such"
_ONE_ONLY = "it is in one model only"
_UNREAD = "one of both cannot be unpacked, or has more than 1 MiB, or it is one of more than 16"


def _table(name: str, row: str, needs: str, compute: str, *columns: ColumnDeclaration) -> TableDeclaration:
    return TableDeclaration(name, row, {column.name: column for column in columns}, tuple(needs.split()), compute)


def _column(
    name: str, type_: ColumnType, meaning: str, absent: str = "", unknown: str = "", domain: str = ""
) -> ColumnDeclaration:
    return ColumnDeclaration(name, type_, meaning, absent, unknown, domain=tuple(domain.split()))


_PAIR = _table(
    "pair",
    "two versions of a model that are compared; `model` is the new one",
    "",
    "pair.pair_tables:pair_table",
    _column("old", reference("model"), "the old model"),
)
_SUBGRAPH = _table(
    "pair_subgraph",
    "a subgraph that callers call, in both models: the first, and those with a signature of the same key",
    "signature.subgraph signature.key",
    "pair.pair_tables:subgraph_table",
    _column("pair", reference("pair"), "the pair it is of"),
    _column("subgraph", reference("subgraph"), "the new model's"),
    _column("old", reference("subgraph"), "the old model's"),
    *(
        column
        for side in ("input", "output")
        for column in (
            _column(f"{side}s", TEXTS, f"{side}s that are known by a name in both models, in the new order"),
            _column(f"old_{side}s", TEXTS, "the same in the old order, by their new names"),
            _column(f"are_{side}s_moved", TRUTH, f"whether these {side}s stand in another order"),
        )
    ),
)


def _border(side: str) -> TableDeclaration:
    return _table(
        f"pair_{side}",
        f"an {side} of a subgraph that callers call, in both models or in one of them",
        f"{side}.tensor tensor.name tensor.dtype tensor.shape signature_tensor.name",
        f"pair.pair_tables:{side}_table",
        _column("pair", reference("pair"), "the pair it is of"),
        _column("pair_subgraph", reference("pair_subgraph"), "the subgraphs it is of"),
        _column(side, reference(side), f"the new model's {side}", _GONE),
        _column("old", reference(side), f"the old model's {side}", _CAME),
        _column("name", TEXT, "what the signature calls it, else its tensor's name; of one that is gone the old one"),
        _column("old_name", TEXT, "what the old model's signature calls it, else its tensor's name", _CAME),
        _column("matched", TEXT, "how both were found to be the same: by the signature's name, by the tensor's name, "
                "or by the position among those that are left", _ONE_ONLY,
                domain="signature tensor position"),
        _column("is_renamed", TRUTH, "whether the tensor has another name; names that converters make up are none"),
        _column("is_before_others", TRUTH, f"whether {side}s that both models have stand behind it"),
        _column("shape_change", TEXT, "what became of the shape: another rank, another size of an axis that was and is "
                "fixed, an axis that was free and is fixed, another stored size of a free axis",
                f"nothing, or {_ONE_ONLY}", "a rank is not known, or is more than 32",
                domain="rank size fixed stored"),
    )  # fmt: skip


_SIGNATURE = _table(
    "pair_signature",
    "a signature by its key, in both models or in one of them",
    "signature.key signature_tensor.name",
    "pair.pair_signatures:signature_table",
    _column("pair", reference("pair"), "the pair it is of"),
    _column("signature", reference("signature"), "the new model's", _GONE),
    _column("old", reference("signature"), "the old model's", _CAME),
    _column("key", TEXT, "its key"),
    *(
        column
        for side in ("input", "output")
        for column in (
            _column(f"lost_{side}s", TEXTS, f"names of {side}s that are gone though the {side}s themselves are not"),
            _column(f"new_{side}s", TEXTS, f"names of {side}s that the old one did not have"),
        )
    ),
)
_OPERATOR = _table(
    "pair_operator",
    "an operator of the new model, by its code, in the newest version that the model has of it",
    "operator_code.opcode operator_code.custom_code operator_code.version",
    "pair.pair_operators:operator_table",
    _column("pair", reference("pair"), "the pair it is of"),
    _column("operator_code", reference("operator_code"), "the new model's"),
    _column("old", reference("operator_code"), "the old model's, in the newest version that it has of it", _CAME),
    _column("since", TEXT, "first TensorFlow release with the operator in its version",
            "the table of releases does not know it"),
    _column("raises_runtime", TRUTH, "whether that release is later than all operators of the old model need",
            "the table of releases does not know it, or none of the old ones"),
)  # fmt: skip
_LABELS = _table(
    "pair_labels",
    "a list of labels, or a vocabulary, that is packed after both models or one of them, by its name",
    "associated_file.name associated_file.type",
    "pair.pair_labels:labels_table",
    _column("pair", reference("pair"), "the pair it is of"),
    _column("file", reference("associated_file"), "the new model's", _GONE),
    _column("old", reference("associated_file"), "the old model's", _CAME),
    _column("name", TEXT, "its name"),
    _column("n_lines", NUM, "lines in the new one", _ONE_ONLY, _UNREAD),
    _column("n_old_lines", NUM, "lines in the old one", _ONE_ONLY, _UNREAD),
    _column("change", TEXT, "what became of the lines: more at the end, the same in another order, more, fewer, or as "
            "many with other texts", f"nothing, or {_ONE_ONLY}", _UNREAD,
            domain="appended reordered more fewer changed"),
    _column("line", NUM, "the first line that is another one, from 1", "there is none"),
    _column("label", TEXT, "that line in the new one", "there is none, or the new list ends before it"),
    _column("old_label", TEXT, "that line in the old one", "there is none, or the old list ends before it"),
)  # fmt: skip

#: Tables of pairs: they have rows where two versions of a model are compared.
TABLES = (_PAIR, _SUBGRAPH, _border("input"), _border("output"), _SIGNATURE, _OPERATOR, _LABELS)
