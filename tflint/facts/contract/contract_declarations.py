"""Declarations of the tables of contracts and the facts about them. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, ColumnDeclaration, ColumnType, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TEXT, TEXTS, TRUTH, fact


def _key(name: str, type_: ColumnType, meaning: str, domain: str = "") -> ColumnDeclaration:
    """Declare the column of a contract's key."""
    return ColumnDeclaration(name, type_, meaning, "the contract does not set it", domain=tuple(domain.split()))


def _table_of(name: str, row: str, columns: tuple[ColumnDeclaration, ...], compute: str) -> TableDeclaration:
    return TableDeclaration(name, row, {column.name: column for column in columns}, (), compute)


_DTYPES = "FLOAT32 FLOAT16 FLOAT64 INT4 INT8 UINT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 BOOL STRING"
_CONTRACT = _table_of(
    "contract",
    "a contract of a model",
    (
        ColumnDeclaration(
            "is_confirmed",
            TRUTH,
            "true unless the contract is a draft",
            unknown="the contract is a draft, and its guesses are not confirmed",
        ),
        _key("sha256", TEXT, "SHA-256 of the model's bytes, in hexadecimal"),
        _key("scheme", TEXT, "quantization scheme that the model must have"),
        _key("max_bytes", NUM, "largest allowed size of the file, in bytes"),
        _key("targets", TEXTS, "runtimes that must run the model"),
        _key("stateful", TRUTH, "whether the model keeps state between invocations, which client code resets"),
        _key("bind", TEXT, "how client code finds inputs and outputs", "signature name index"),
        _key("signature", TEXT, "key of the signature that client code runs"),
        _key("source", TEXT, "origin of the model"),
        _key("description", TEXT, "what the model does"),
        _key("version", TEXT, "version of the model"),
        _key("author", TEXT, "author of the model"),
        _key("license", TEXT, "license of the model"),
        ColumnDeclaration(
            "n_inputs", NUM, "number of inputs that the contract describes", "the contract describes no inputs"
        ),
        ColumnDeclaration(
            "n_outputs", NUM, "number of outputs that the contract describes", "the contract describes no outputs"
        ),
    ),
    "contract.contract_tables:contract_table",
)

_CONTRACT_PROBLEM = _table_of(
    "contract_problem",
    "the problem of an invalid contract of a model",
    (ColumnDeclaration("message", TEXT, "why the contract cannot be used"),),
    "contract.contract_tables:problem_table",
)


def _no_match(side: str) -> str:
    return f"the entry matches no {side} or several {side}s of the model"


def _entry_columns(side: str, kinds: str) -> tuple[ColumnDeclaration, ...]:
    """Declare the columns that input and output entries share."""
    return (
        ColumnDeclaration("position", NUM, f"position among the contract's {side}s, from 0"),
        ColumnDeclaration("contract", reference("contract"), "its contract"),
        ColumnDeclaration(side, reference(side), f"the {side} of the model that the entry describes", _no_match(side)),
        _key("name", TEXT, f"name of the {side} in the signature, or of its tensor"),
        _key("index", NUM, f"position among the model's {side}s, from 0"),
        _key("kind", TEXT, f"kind of the {side}", kinds),
        _key("dtype", TEXT, f"element type of the {side}, as in schema.fbs", _DTYPES),
        _key("shape", NUMBERS, "size of each dimension, -1 for any size"),
    )


_CONTRACT_INPUT = _table_of(
    "contract_input",
    "an input entry of a contract",
    (
        *_entry_columns("input", "image audio tokens tabular raw"),
        _key("layout", TEXT, "order of the dimensions", "NHWC NCHW HWC CHW NDHWC NCDHW"),
        _key("memory_order", TEXT, "memory layout of the input buffer: by pixel or by plane", "interleaved planar"),
        _key("channels", TEXT, "color channels in order", "RGB BGR GRAY RGBA BGRA YUV"),
        _key("range", NUMBERS, "smallest and largest value of the source data"),
        _key("mean", NUMBERS, "subtracted mean, one number or one per channel"),
        _key("std", NUMBERS, "divisor after the mean is subtracted, one number or one per channel"),
        _key("units", TEXT, "pixel range that mean and std are for: 0 to 255 (u8) or 0 to 1 (unit)", "u8 unit"),
        _key(
            "feed",
            TEXT,
            "values fed to a quantized input: normalized and quantized (fold), or source bytes (raw)",
            "fold raw",
        ),
        _key(
            "cast", TEXT, "type that client code casts the values to after mean and std, which truncates them", "uint8"
        ),
        _key("scale", NUMBERS, "scale that client code quantizes with"),
        _key("zero_point", NUMBERS, "zero point that client code quantizes with"),
        _key("resize.mode", TEXT, "how an image is resized to the input size", "stretch letterbox cover none"),
        _key("resize.size", NUMBERS, "height and width, or the length of the shorter side"),
        _key("resize.kernel", TEXT, "interpolation of the resize", "nearest bilinear bicubic area lanczos"),
        _key("resize.antialias", TRUTH, "whether the resize uses antialiasing"),
        _key("resize.coordinates", TEXT, "pixel coordinates of the resize", "half-pixel asymmetric align-corners"),
        _key("padding.value", NUMBERS, "pixel value of the letterbox padding"),
        _key("orientation", TEXT, "how the camera orientation is handled", "exif upright none"),
        _key("audio.sample_rate", NUM, "samples per second"),
        _key("audio.channels", NUM, "number of audio channels"),
        _key("audio.duration", NUM, "length of the audio per invocation, in seconds"),
        _key("audio.features", TEXT, "features computed from the samples", "waveform spectrogram mel log-mel mfcc"),
        _key("audio.amplitude", NUM, "largest possible amplitude of the samples"),
        _key("audio.mel_bins", NUM, "number of mel bands"),
        _key("audio.frames", NUM, "number of frames per invocation"),
        _key(
            "observed.min", NUMBERS, "smallest value of sample data after preprocessing, one number or one per channel"
        ),
        _key(
            "observed.max", NUMBERS, "largest value of sample data after preprocessing, one number or one per channel"
        ),
        _key("tokens.length", NUM, "number of tokens per invocation"),
        _key("tokens.vocabulary_size", NUM, "size of the vocabulary"),
    ),
    "contract.contract_tables:input_table",
)
_CONTRACT_OUTPUT = _table_of(
    "contract_output",
    "an output entry of a contract",
    (
        *_entry_columns("output", "class_scores boxes heatmap mask embedding regression tokens raw"),
        _key("role", TEXT, "content of an output of a detection model", "boxes classes scores count"),
        _key("activation", TEXT, "activation that computes the output", "softmax sigmoid logits none"),
        _key("dequantize", TRUTH, "whether client code converts the integers to real values"),
        _key("range", NUMBERS, "smallest and largest real value that client code expects"),
        _key("tolerance", NUM, "largest acceptable difference between two neighboring real values"),
        _key(
            "box_order",
            TEXT,
            "order of the numbers of a box",
            "ymin-xmin-ymax-xmax xmin-ymin-xmax-ymax cx-cy-w-h x-y-w-h",
        ),
        _key("box_coordinates", TEXT, "unit of the numbers of a box", "normalized pixels"),
        _key("labels.count", NUM, "number of labels"),
        _key("labels.background", TRUTH, "whether the first class is the background"),
    ),
    "contract.contract_tables:output_table",
)
_NOT_FED = "the contract does not specify the source range"
_NOT_MAPPED = f"{_NOT_FED}, or the graph does not start with arithmetic on the input and a small constant"
_NOT_QUANTIZED = "neither the input nor a QUANTIZE after it has exactly one valid scale and zero point"
_NOT_HELD = f"{_NOT_FED}, or {_NOT_QUANTIZED}"
_NO_DETECTION = "the contract gives no output of TFLite_Detection_PostProcess a role"
_NOT_PINNED = "the contract sets no scale, and does not cast values that are at most 128 wide"
FACTS = {
    "model": (
        fact(
            "sha256",
            TEXT,
            "SHA-256 of the file, in hexadecimal",
            "contract.model_digest:sha256",
            absent="the model has no contract that sets sha256",
            values=True,
        ),
        fact("has_contract", TRUTH, "whether the model has a contract", "contract.contract_tables:has_contract"),
    ),
    "contract": (
        fact(
            "detection_order",
            TEXTS,
            "role of each output of a detection model: boxes, classes, scores, count or other",
            "contract.detection_roles:detection_order",
            "output.meaning contract_output.role",
            absent=_NO_DETECTION,
        ),
        fact(
            "specified_order",
            TEXTS,
            "role that the contract gives each output of a detection model, none for an output without a role",
            "contract.detection_roles:specified_order",
            "output.meaning contract_output.role",
            absent=_NO_DETECTION,
        ),
        fact(
            "wrong_roles",
            reference("contract_output", many=True),
            "entries that give an output a role other than the detection operator gives it",
            "contract.detection_roles:wrong_roles",
            "output.meaning contract_output.role",
            absent=_NO_DETECTION,
        ),
        fact(
            "casts_normalized_input",
            TRUTH,
            "whether client code casts normalized values of an input instead of quantizing them",
            "contract.client_quantization:casts_normalized_input",
            "contract_input.cast contract_input.scale contract_input.feed contract_input.fed_min",
        ),
    ),
    "contract_output": (
        fact(
            "labels.lines",
            NUM,
            "number of labels in the label file, next to the contract or inside the model",
            "contract.contract_labels:n_lines",
            "associated_file.name",
            absent="the contract does not name a label file, or its label file is empty",
            values=True,
        ),
        fact(
            "labels.begins_with_background",
            TRUTH,
            "whether the first label is background, ??? or bg",
            "contract.contract_labels:begins_with_background",
            "associated_file.name",
            absent="the contract does not name a label file, or its label file is empty",
            values=True,
        ),
        fact(
            "labels.problem",
            TEXT,
            "problem of the label file",
            "contract.contract_labels:problem",
            "associated_file.name",
            absent="there is no invalid label file: the contract names none, or a valid one",
            domain="missing outside folder device pipe too-large unreadable not-UTF-8 empty blank-lines duplicates",
        ),
    ),
    "contract_input": (
        fact(
            "has_twin",
            TRUTH,
            "whether another input of the subgraph has the same type and shape",
            "contract.ambiguous_inputs:has_twin",
            "contract_input.input tensor.dtype tensor.shape",
            absent=_no_match("input"),
        ),
        fact(
            "range_ratio",
            NUM,
            "width of the widest range of the input's columns, divided by the width of the narrowest",
            "contract.fed_range:range_ratio",
            "",
            absent="fewer than two columns have a range",
        ),
        fact(
            "n_channels",
            NUM,
            "number of color channels",
            "contract.fed_range:n_channels",
            "contract_input.channels",
            absent="the contract does not set channels",
        ),
        fact(
            "fed_min",
            NUMBERS,
            "smallest real value that client code feeds, one per channel",
            "contract.fed_range:fed_min",
            "contract_input.mean contract_input.std contract_input.range",
            absent=_NOT_FED,
        ),
        fact(
            "fed_max",
            NUMBERS,
            "largest real value that client code feeds, one per channel",
            "contract.fed_range:fed_max",
            "contract_input.mean contract_input.std contract_input.range",
            absent=_NOT_FED,
        ),
        fact(
            "cover",
            NUM,
            "share of the fed range that lies in the calibrated range, 0 to 1",
            "contract.calibrated_range:cover",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "use",
            NUM,
            "share of the calibrated range that lies in the fed range, 0 to 1",
            "contract.calibrated_range:use",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "held_min",
            NUM,
            "lower end of the calibrated range of the input, or of the QUANTIZE after it",
            "contract.calibrated_range:held_min",
            "contract_input.input tensor.scale tensor.zero_point tensor.consumers",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "held_max",
            NUM,
            "upper end of the calibrated range of the input, or of the QUANTIZE after it",
            "contract.calibrated_range:held_max",
            "contract_input.input tensor.scale tensor.zero_point tensor.consumers",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "prepared_size",
            NUMBERS,
            "height and width of an image after resize and crop",
            "contract.fed_range:prepared_size",
            "",
            absent="the size depends on the image, or the contract does not specify it",
        ),
        fact(
            "channel_cover",
            NUMBERS,
            "share of the fed range that lies in the calibrated range, 0 to 1, one per channel",
            "contract.calibrated_range:channel_cover",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "graph_min",
            NUMBERS,
            "smallest value after graph_scale and graph_offset, one per channel",
            "contract.fed_range:graph_min",
            "contract_input.fed_min input.graph_scale",
            absent=_NOT_MAPPED,
            values=True,
        ),
        fact(
            "graph_max",
            NUMBERS,
            "largest value after graph_scale and graph_offset, one per channel",
            "contract.fed_range:graph_max",
            "contract_input.fed_max input.graph_scale",
            absent=_NOT_MAPPED,
            values=True,
        ),
        fact(
            "fits_pretraining",
            TRUTH,
            "whether a float input gets the range that its known first layer expects of client code",
            "contract.pretrained_range:fits_pretraining",
            "contract_input.fed_min input.known_normalization tensor.dtype",
            absent=f"{_NOT_FED}, or the input is not a float tensor or has no known_normalization",
            values=True,
        ),
        fact(
            "known_layer_note",
            TEXT,
            "end of a message that names the known first layer of the input, or an empty text",
            "contract.pretrained_range:known_layer_note",
            "contract_input.input input.known_layer",
            values=True,
        ),
        fact(
            "is_trained_range",
            TRUTH,
            "whether a float input gets the range that training used: true if the metadata, the graph, the calibration "
            "or a known first layer determines that range (other facts compare it), false for pixels that nothing "
            "rescales",
            "contract.calibrated_range:is_trained_range",
            "contract_input.fed_min contract_input.fits_pretraining input.metadata.mean input.graph_expects "
            "input.folded_mean tensor.dtype",
            absent=f"{_NOT_FED}, or the input is not a float tensor",
            values=True,
            unknown="a float input accepts any range, and the file does not contain the range of training: "
            "to find it, run the model on one image scaled to [0, 1], to [-1, 1] and to [0, 255]",
        ),
        fact(
            "is_expected_amplitude",
            TRUTH,
            "whether audio has the amplitude that the graph scales: 1, or 32768 for 16-bit samples; true if the "
            "calibration determines the amplitude (other facts compare it)",
            "contract.audio_amplitude:is_expected_amplitude",
            "contract_input.fed_min contract_input.held_min input.graph_scale tensor.dtype",
            absent=f"{_NOT_FED}, or the input is not a waveform for a float tensor",
            values=True,
            unknown="a float input accepts any amplitude, and the graph does not scale the samples first: to find the "
            "amplitude of training, run the model on one recording with the amplitudes 1 and 32768",
        ),
        fact(
            "fits_calibration",
            TRUTH,
            "whether the fed range is the one that the input was calibrated for",
            "contract.calibrated_range:fits_calibration",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "fitting",
            TEXTS,
            "known normalizations that fit the scale and zero point of the input",
            "contract.calibrated_range:fitting",
            "contract_input.input tensor.scale tensor.zero_point",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "missing_keys",
            TEXT,
            "missing keys among those that affect an image most: channels, mean and std, resize",
            "contract.fed_range:missing_keys",
            "contract_input.channels contract_input.mean contract_input.range contract_input.feed",
            absent="the contract sets all of them",
        ),
        fact(
            "normalization",
            TEXT,
            "known normalization with its mean and std",
            "contract.fed_range:normalization",
            "contract_input.mean contract_input.std contract_input.units",
            absent="no known normalization has the mean and std of the contract",
        ),
        fact(
            "normalization_order",
            TEXT,
            "channel order of mean and std in the known normalization",
            "contract.fed_range:normalization_order",
            "contract_input.mean contract_input.std contract_input.units",
            absent="no known normalization has these mean and std, or all channels have the same",
        ),
        fact(
            "client_scale",
            NUMBERS,
            "scale that client code quantizes with: the key scale, or 1 for normalized values that it only casts",
            "contract.client_quantization:client_scale",
            "contract_input.scale contract_input.cast contract_input.fed_min",
            absent=_NOT_PINNED,
        ),
        fact(
            "client_zero_point",
            NUMBERS,
            "zero point that client code quantizes with: the key zero-point, or 0 for normalized values that it only "
            "casts",
            "contract.client_quantization:client_zero_point",
            "contract_input.zero_point contract_input.cast contract_input.fed_min",
            absent=_NOT_PINNED,
        ),
        fact(
            "raw_steps",
            NUM,
            "largest difference between a raw source byte and its normalized and quantized value, in steps",
            "contract.calibrated_range:raw_steps",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=f"{_NOT_HELD}, or its type is not INT8 or UINT8, or the source is audio",
        ),
    ),
}

#: Tables of contracts. They have rows only for models with a contract.
TABLES = (_CONTRACT, _CONTRACT_INPUT, _CONTRACT_OUTPUT, _CONTRACT_PROBLEM)
