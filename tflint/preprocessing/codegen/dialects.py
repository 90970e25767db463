"""Code templates for a loop over pixels and a loop over outputs, per language."""

from __future__ import annotations

from collections.abc import Mapping

from tflint.values import frozen


@frozen
class Dialect:
    """The templates of a language.

    `head` comes first, followed by `rounding` if an input is rounded. `prepare` and `read` are complete functions: $n
    is the number of the input or output, $type its type in `types`, and $store the statement that stores one byte. This
    statement is `shifted` (an integer $value), `real` (a real $value) or `quantized` (a real $value divided by $scale,
    plus $plus, clipped to $low and $high). `cast` is a real $value as a byte: truncated, lowest 8 bits; `cast_to_real`
    is this byte as a real value. `array` is a constant $name with $values; its type comes from `numbers`. `integers`
    maps a dtype to the expression that converts an element of the output to an integer.
    """

    head: str
    rounding: str
    types: Mapping[str, str]
    array: str
    numbers: Mapping[str, str]
    prepare: str
    shifted: str
    real: str
    quantized: str
    cast: str
    cast_to_real: str
    read: str
    integers: Mapping[str, str]


_C = Dialect(
    head="#include <stdint.h>",
    rounding="#include <math.h>",
    types={"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float"},
    array="static const $type $name[] = {$values};",
    numbers={"float": "double", "int": "int"},
    prepare="""\
void prepare_$n(const uint8_t *rgb, $type *input) {
    for (int i = 0; i < $pixels; i++) {
        for (int c = 0; c < $channels; c++) {
            int px = rgb[$source];
            $store
        }
    }
}""",
    shifted="input[$target] = ($type)($value);",
    real="input[$target] = ($type)($value);",
    quantized="input[$target] = ($type)fmax($low, fmin($high, floor($value / $scale + 0.5) $plus));",
    cast="(uint8_t)(int)($value)",
    cast_to_real="(uint8_t)(int)($value)",
    read="""\
void read_$n(const $type *output, int n, double *values) {
    for (int i = 0; i < n; i++) {
        values[i] = ($integer$less) * $scale;
    }
}""",
    integers=dict.fromkeys(("int8", "uint8", "int16"), "output[i]"),
)
_KOTLIN = Dialect(
    head="",
    rounding="import kotlin.math.floor",
    types={"int8": "ByteArray", "uint8": "ByteArray", "int16": "ShortArray", "float32": "FloatArray"},
    array="val $name = $type($values)",
    numbers={"float": "doubleArrayOf", "int": "intArrayOf"},
    prepare="""\
fun prepare$n(rgb: ByteArray, input: $type) {
    for (i in 0 until $pixels) {
        for (c in 0 until $channels) {
            val px = rgb[$source].toInt() and 0xff
            $store
        }
    }
}""",
    shifted="input[$target] = ($value).to$element()",
    real="input[$target] = ($value).to$element()",
    quantized="input[$target] = (floor($value / $scale + 0.5) $plus).coerceIn($low, $high).toInt().to$element()",
    cast="(($value).toInt() and 0xff)",
    cast_to_real="(($value).toInt() and 0xff)",
    read="""\
fun read$n(output: $type, values: DoubleArray) {
    for (i in output.indices) {
        values[i] = (($integer)$less) * $scale
    }
}""",
    integers={"int8": "output[i].toInt()", "uint8": "output[i].toInt() and 0xff", "int16": "output[i].toInt()"},
)
_SWIFT = Dialect(
    head="import Foundation",
    rounding="",
    types={"int8": "Int8", "uint8": "UInt8", "int16": "Int16", "float32": "Float"},
    array="let $name: [$type] = [$values]",
    numbers={"float": "Double", "int": "Int"},
    prepare="""\
func prepare$n(_ rgb: [UInt8], _ input: inout [$type]) {
    for i in 0..<$pixels {
        for c in 0..<$channels {
            let px = $number(rgb[$source])
            $store
        }
    }
}""",
    shifted="input[$target] = $type($value)",
    real="input[$target] = $type($value)",
    quantized="input[$target] = $type(max($low, min($high, floor($value / $scale + 0.5) $plus)))",
    cast="Double(UInt8(truncatingIfNeeded: Int($value)))",
    cast_to_real="Double(UInt8(truncatingIfNeeded: Int($value)))",
    read="""\
func read$n(_ output: [$type]) -> [Double] {
    return output.map { Double(Int($$0)$less) * $scale }
}""",
    integers=dict.fromkeys(("int8", "uint8", "int16"), ""),
)
_DART = Dialect(
    head="import 'dart:typed_data';",
    rounding="import 'dart:math';",
    types={"int8": "Int8List", "uint8": "Uint8List", "int16": "Int16List", "float32": "Float32List"},
    array="const $name = <$type>[$values];",
    numbers={"float": "double", "int": "int"},
    prepare="""\
void prepare$n(Uint8List rgb, $type input) {
  for (var i = 0; i < $pixels; i++) {
    for (var c = 0; c < $channels; c++) {
      final px = rgb[$source];
      $store
    }
  }
}""",
    shifted="input[$target] = $value;",
    real="input[$target] = $value;",
    quantized="input[$target] = max($low, min($high, ($value / $scale + 0.5).floorToDouble() $plus)).toInt();",
    cast="(($value).toInt() & 0xff)",
    cast_to_real="(($value).toInt() & 0xff).toDouble()",
    read="""\
Float64List read$n($type output) {
  final values = Float64List(output.length);
  for (var i = 0; i < output.length; i++) {
    values[i] = ($integer$less) * $scale;
  }
  return values;
}""",
    integers=dict.fromkeys(("int8", "uint8", "int16"), "output[i]"),
)
_JS = Dialect(
    head="",
    rounding="",
    types={"int8": "Int8Array", "uint8": "Uint8Array", "int16": "Int16Array", "float32": "Float32Array"},
    array="const $name = [$values];",
    numbers={"float": "", "int": ""},
    prepare="""\
/** @param {Uint8Array} rgb @param {$type} input */
function prepare$n(rgb, input) {
  for (let i = 0; i < $pixels; i++) {
    for (let c = 0; c < $channels; c++) {
      const px = rgb[$source];
      $store
    }
  }
}""",
    shifted="input[$target] = $value;",
    real="input[$target] = $value;",
    quantized="input[$target] = Math.max($low, Math.min($high, Math.floor($value / $scale + 0.5) $plus));",
    cast="(Math.trunc($value) & 0xff)",
    cast_to_real="(Math.trunc($value) & 0xff)",
    read="""\
/** @param {$type} output @returns {Float64Array} */
function read$n(output) {
  return Float64Array.from(output, (q) => (q$less) * $scale);
}""",
    integers=dict.fromkeys(("int8", "uint8", "int16"), ""),
)

#: Languages by their name in `tflint contract show --as`.
DIALECTS: Mapping[str, Dialect] = {"c": _C, "kotlin": _KOTLIN, "swift": _SWIFT, "dart": _DART, "js": _JS}
