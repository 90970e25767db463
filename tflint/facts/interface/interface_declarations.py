"""Declarations of the facts about inputs, outputs and signatures. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, reference
from tflint.facts.fact_declaration import NUM, TENSORS, TEXT, TEXTS, TRUTH, fact

_AFFINE_NEEDS = (
    "operator.opcode operator.inputs operator.output tensor.consumers tensor.producer tensor.is_constant "
    "tensor.n_elements buffer.n_bytes tensor.scale tensor.zero_point"
)
_QUANTIZATION_NEEDS = (
    "tensor.dtype tensor.scale tensor.zero_point tensor.has_valid_scales tensor.consumers operator.opcode "
    "operator.output"
)
_NOT_QUANTIZED = "neither the input nor a QUANTIZE after it has exactly one valid scale and zero point"
_NO_NORMALIZATION = (
    "the metadata has no valid mean and std for an image, or mean 0 and std 1, with which client code passes bytes to "
    "an 8-bit input"
)
_NO_AFFINE = "the graph does not start with arithmetic on the input and a small constant"
_NO_LAYER = "the first operator that changes the input is not a convolution with the weights of a known network"
_NO_LABELS = "no such file is packed with the model, or the contract names it for class scores"
_UNREAD_LABELS = "the file cannot be unpacked, is larger than 1 MiB, or the model has more than 16 label lists"

_NO_ORDER = "the metadata does not name all outputs, or its names do not identify them"
_ORDER_NEEDS = "output.metadata.name output.meaning tensor.name signature_tensor.name signature_tensor.tensor"

FACTS = {
    "model": (
        fact(
            "float_interface",
            TENSORS,
            "float32 inputs that only QUANTIZE reads, and float32 outputs that DEQUANTIZE computes",
            "interface.float_interface:float_interface",
            "input.tensor output.tensor subgraph.is_entry tensor.dtype tensor.consumers tensor.producer "
            "operator.opcode",
        ),
        fact(
            "is_language_model",
            TRUTH,
            "whether its name is TF_LITE_PREFILL_DECODE, in a .litertlm bundle by its model type: the model with which "
            "LLM runtimes generate text",
            "interface.language_models:is_language_model",
            "file.name",
        ),
    ),
    "subgraph": (
        fact(
            "has_free_input",
            TRUTH,
            "whether a dimension of an input is free (-1 in its shape signature), so that client code may resize it",
            "interface.free_dimensions:has_free_input",
            "input.tensor tensor.shape_signature",
        ),
        fact(
            "metadata_outputs",
            TEXTS,
            "names of the outputs in the metadata, in its order",
            "interface.metadata_order:metadata_outputs",
            _ORDER_NEEDS,
            absent=_NO_ORDER,
        ),
        fact(
            "identified_outputs",
            TEXTS,
            "names of the outputs in the metadata, in the order of the model's outputs that they describe",
            "interface.metadata_order:identified_outputs",
            _ORDER_NEEDS,
            absent=_NO_ORDER,
        ),
        fact(
            "misplaced_output",
            reference("output"),
            "first output whose metadata describes a different output",
            "interface.metadata_order:misplaced_output",
            _ORDER_NEEDS,
            absent=f"{_NO_ORDER}, or its order is that of the model",
        ),
    ),
    "signature": (
        fact(
            "is_duplicate",
            TRUTH,
            "whether another signature of the model has the same key",
            "interface.signature_names:duplicate_keys",
            "signature.key",
        ),
    ),
    "input": (
        fact(
            "graph_scale",
            NUMBERS,
            "factor that the graph first applies to the input, one number or one per channel",
            "interface.input_arithmetic:scale",
            _AFFINE_NEEDS,
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "graph_offset",
            NUMBERS,
            "offset that the graph adds to the input after graph_scale, one number or one per channel",
            "interface.input_arithmetic:offset",
            _AFFINE_NEEDS,
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "graph_expects",
            TEXT,
            "pixel range that graph_scale and graph_offset normalize: u8 (0 to 255) or unit (0 to 1)",
            "interface.input_arithmetic:expected_units",
            "input.graph_scale input.graph_offset",
            absent=f"{_NO_AFFINE}, or the arithmetic is not a normalization",
            values=True,
            domain="u8 unit",
        ),
        fact(
            "graph_map",
            TEXT,
            "graph_scale and graph_offset as a formula, such as x × 0.00784 − 1",
            "interface.input_arithmetic:formula",
            "input.graph_scale input.graph_offset",
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "first_scale",
            NUM,
            "output scale of the first operator that changes the real values of the input",
            "interface.input_arithmetic:first_scale",
            _AFFINE_NEEDS,
            absent="several operators read the input, or that output does not have exactly one valid scale",
            values=True,
        ),
        fact(
            "folded_mean",
            NUMBERS,
            "mean that the bias of the first convolution provably subtracts from the input, one per channel",
            "interface.folded_mean:folded_mean",
            f"{_AFFINE_NEEDS} operator.weights operator.bias",
            absent="the first operator is not a convolution, or its biases are not those of a folded mean",
            values=True,
        ),
        fact(
            "known_layer",
            TEXT,
            "pretrained network whose first convolution follows the input, by its weights",
            "interface.first_layers:known_layer",
            f"{_AFFINE_NEEDS} operator.weights tensor.shape tensor.quantized_dimension",
            absent=_NO_LAYER,
            values=True,
        ),
        fact(
            "known_normalization",
            TEXT,
            "normalization of pixels that known_layer expects of client code",
            "interface.first_layers:known_normalization",
            "input.known_layer",
            absent=f"{_NO_LAYER}, or the graph normalizes the input",
            values=True,
        ),
        fact(
            "calibrated_range",
            NUMBERS,
            "smallest and largest real value that the input can hold, or the QUANTIZE after it",
            "interface.metadata_range:calibrated_range",
            _QUANTIZATION_NEEDS,
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "metadata_range",
            NUMBERS,
            "smallest and largest real value that the metadata's mean and std give pixels of 0 to 255",
            "interface.metadata_range:metadata_range",
            "input.metadata.mean input.metadata.std input.metadata.content tensor.dtype",
            absent=_NO_NORMALIZATION,
        ),
        fact(
            "metadata_cover",
            NUM,
            "share of metadata_range that lies in calibrated_range, 0 to 1",
            "interface.metadata_range:metadata_cover",
            f"input.metadata_range {_QUANTIZATION_NEEDS}",
            absent=f"{_NO_NORMALIZATION}, or {_NOT_QUANTIZED}",
        ),
        fact(
            "metadata_use",
            NUM,
            "share of calibrated_range that lies in metadata_range, 0 to 1; of the larger end for a symmetric scale",
            "interface.metadata_range:metadata_use",
            f"input.metadata_range {_QUANTIZATION_NEEDS}",
            absent=f"{_NO_NORMALIZATION}, or {_NOT_QUANTIZED}",
        ),
    ),
    "output": (
        fact(
            "meaning",
            TEXT,
            "content, inferred from the operator that computes it: softmax, sigmoid, linear, detection-boxes, …",
            "interface.output_meaning:output_meaning",
            "operator.opcode operator.custom_code tensor.producer",
            absent="the graph does not determine the meaning of the output",
        ),
        fact(
            "class_counts",
            NUMBERS,
            "numbers of classes that the shape allows: each fixed size greater than 1, or 1 and 2 if there is none; "
            "for three dimensions also these sizes minus the 4 or 5 values of a box",
            "interface.class_counts:class_counts",
            "output.meaning tensor.shape",
            absent="the shape is empty, its number of classes is dynamic, or the output contains the index of a class "
            "or the results of the detection operator",
            unknown="the shape has more than 8 dimensions",
        ),
        fact(
            "labels.file",
            TEXT,
            "label list (TENSOR_AXIS_LABELS) that the metadata lists for the output and that is packed with the model",
            "interface.packed_labels:file_name",
            "associated_file.name",
            absent=_NO_LABELS,
        ),
        fact(
            "labels.lines",
            NUM,
            "number of labels in labels.file",
            "interface.packed_labels:n_lines",
            "associated_file.name",
            absent=f"{_NO_LABELS}, or the file is empty or not text",
            unknown=_UNREAD_LABELS,
            values=True,
        ),
        fact(
            "labels.fits_other_output",
            TRUTH,
            "whether labels.lines is a number of classes of another output of the subgraph",
            "interface.packed_labels:fits_other_output",
            "output.class_counts associated_file.name",
            absent=f"{_NO_LABELS}, or the file is empty or not text",
            unknown=_UNREAD_LABELS,
            values=True,
        ),
        fact(
            "labels.begins_with_background",
            TRUTH,
            "whether the first label in labels.file is background, ??? or bg",
            "interface.packed_labels:begins_with_background",
            "associated_file.name",
            absent=f"{_NO_LABELS}, or the file is empty or not text",
            unknown=_UNREAD_LABELS,
            values=True,
        ),
    ),
    "signature_tensor": (
        fact(
            "is_duplicate",
            TRUTH,
            "whether another input (or output) of the signature has the same name",
            "interface.signature_names:duplicate_names",
            "signature_tensor.name",
        ),
    ),
}
