"""What rules can read of the declared target, with types: `target.runtime`, `lookup(target.op_versions, opcode)`."""

from __future__ import annotations

from tflint.columns.column_types import BOOL, STRING, ColumnType

#: Fields of `target` with their types; None is a table for `lookup`. Meanings are in TARGET_MEANINGS.
TARGET_FIELDS: dict[str, ColumnType | None] = {
    "name": ColumnType(STRING),
    "runtime": ColumnType(STRING),
    "version": ColumnType(STRING),
    "flex": ColumnType(BOOL),
    "custom_ops": ColumnType(STRING, True),
    "op_versions": None,
}
TARGET_MEANINGS = {
    "name": "as it was declared, such as litert==2.3.0",
    "runtime": "litert, tflite or tflm",
    "version": "version of the runtime; unknown for tflm, which has none",
    "flex": "whether the Flex delegate (TensorFlow operators) is linked",
    "custom_ops": "custom operators that the runtime or the app registers",
    "op_versions": "newest version of each built-in operator that the runtime registers; 0: it has no kernel",
}
