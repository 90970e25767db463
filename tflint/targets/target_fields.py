"""The fields of the declared target that rules read: `target.runtime`, `lookup(target.op_versions, opcode)`."""

from __future__ import annotations

from tflint.columns.column_types import BOOL, STRING, ColumnType

#: Types of the fields of `target`. None means that the field is a table for `lookup`. `TARGET_MEANINGS` has the
#: meanings of the fields.
TARGET_FIELDS: dict[str, ColumnType | None] = {
    "name": ColumnType(STRING),
    "runtime": ColumnType(STRING),
    "version": ColumnType(STRING),
    "flex": ColumnType(BOOL),
    "custom_ops": ColumnType(STRING, True),
    "delegate_ops": ColumnType(STRING, True),
    "exact_activations": ColumnType(BOOL),
    "op_versions": None,
}
TARGET_MEANINGS = {
    "name": "name as declared, such as litert==2.3.0",
    "runtime": "name of the runtime, such as litert, tflite or tflm",
    "version": "version of the runtime; unknown if the runtime has no versions",
    "flex": "whether the Flex delegate (TensorFlow operators) is linked",
    "custom_ops": "custom operators that the runtime or the application registers; unknown for releases without facts",
    "delegate_ops": "custom operators that the default delegates run if all tensors are float32; unknown as custom_ops",
    "exact_activations": "whether the release refuses 8-bit LOGISTIC and TANH with inexact output quantization",
    "op_versions": "newest version of each built-in operator that the runtime registers; 0 if it has no kernel",
}
