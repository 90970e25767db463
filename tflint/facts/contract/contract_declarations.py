"""The tables of contracts and the facts about them: type, meaning, needs, and when absent. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, ColumnDeclaration, ColumnType, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TEXT, TEXTS, TRUTH, fact


def _said(name: str, type_: ColumnType, meaning: str, domain: str = "") -> ColumnDeclaration:
    """A column that a contract's key of the same name fills."""
    return ColumnDeclaration(name, type_, meaning, "the contract does not say it", domain=tuple(domain.split()))


def _table_of(name: str, row: str, columns: tuple[ColumnDeclaration, ...], compute: str) -> TableDeclaration:
    return TableDeclaration(name, row, {column.name: column for column in columns}, (), compute)


_NO_MATCH = "the model has none such, or several"
_DTYPES = "FLOAT32 FLOAT16 FLOAT64 INT4 INT8 UINT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 BOOL STRING"
_CONTRACT = _table_of(
    "contract",
    "a contract of a model: what its caller claims",
    (
        ColumnDeclaration(
            "is_confirmed",
            TRUTH,
            "true; a draft is neither confirmed nor not",
            unknown="the contract is a draft, whose guesses nobody confirmed",
        ),
        _said("sha256", TEXT, "digest of the model's bytes, in hexadecimal"),
        _said("scheme", TEXT, "quantization scheme the model is claimed to have"),
        _said("max_bytes", NUM, "size budget of the file"),
        _said("targets", TEXTS, "runtimes it must run on"),
        _said("stateful", TRUTH, "whether it keeps state from call to call that the caller resets"),
        _said("bind", TEXT, "how the caller finds inputs and outputs", "signature name index"),
        _said("signature", TEXT, "key of the signature that the caller runs"),
        _said("source", TEXT, "where the model comes from"),
        ColumnDeclaration("n_inputs", NUM, "how many inputs it lists", "it lists none"),
        ColumnDeclaration("n_outputs", NUM, "how many outputs it lists", "it lists none"),
    ),
    "contract.contract_tables:contract_table",
)


def _entry(side: str, kinds: str) -> tuple[ColumnDeclaration, ...]:
    """What entries of inputs and of outputs have in common."""
    return (
        ColumnDeclaration("position", NUM, f"its place among the contract's {side}s, from 0"),
        ColumnDeclaration("contract", reference("contract"), "the contract it is of"),
        ColumnDeclaration(side, reference(side), f"the model's {side} that it is about", _NO_MATCH),
        _said("name", TEXT, f"name of the signature's {side} or of the tensor"),
        _said("index", NUM, f"place among the model's {side}s, from 0"),
        _said("kind", TEXT, "what it is", kinds),
        _said("dtype", TEXT, "type of what crosses the border, in the schema's words", _DTYPES),
        _said("shape", NUMBERS, "sizes along all axes, -1 for any"),
    )


_CONTRACT_INPUT = _table_of(
    "contract_input",
    "an input as a contract describes it",
    (
        *_entry("input", "image audio tokens tabular raw"),
        _said("layout", TEXT, "what the axes are", "NHWC NCHW HWC CHW NDHWC NCDHW"),
        _said("memory_order", TEXT, "how the buffer lies that is handed over", "interleaved planar"),
        _said("channels", TEXT, "colour channels in their order", "RGB BGR GRAY RGBA BGRA YUV"),
        _said("range", NUMBERS, "smallest and largest value of the source"),
        _said("mean", NUMBERS, "what is subtracted, one number or one a channel"),
        _said("std", NUMBERS, "what is divided by, one number or one a channel"),
        _said("units", TEXT, "what mean and std are in", "u8 unit"),
        _said("feed", TEXT, "how a quantized input is fed", "fold raw"),
        _said("scale", NUMBERS, "scale that the caller quantizes with"),
        _said("zero_point", NUMBERS, "zero point that the caller quantizes with"),
        _said("resize.mode", TEXT, "how a picture gets the model's size", "stretch letterbox cover none"),
        _said("resize.size", NUMBERS, "height and width, or the shorter side"),
        _said("resize.kernel", TEXT, "kernel of the resize", "nearest bilinear bicubic area lanczos"),
        _said("resize.antialias", TRUTH, "whether the resize smoothes what it shrinks"),
        _said("resize.coordinates", TEXT, "where the centres of pixels are", "half-pixel asymmetric align-corners"),
        _said("padding.value", NUMBERS, "what a letterbox is filled with"),
        _said("orientation", TEXT, "what is done about the camera's orientation", "exif upright none"),
        _said("audio.sample_rate", NUM, "samples a second"),
        _said("audio.channels", NUM, "channels of sound"),
        _said("audio.duration", NUM, "seconds of sound of one call"),
        _said("audio.features", TEXT, "what is made of samples", "waveform spectrogram mel log-mel mfcc"),
        _said("audio.amplitude", NUM, "largest amplitude of the samples"),
        _said("audio.mel_bins", NUM, "mel bands"),
        _said("audio.frames", NUM, "frames of one call"),
        _said("observed.min", NUMBERS, "smallest value of the real data once prepared, one number or one a channel"),
        _said("observed.max", NUMBERS, "largest value of the real data once prepared, one number or one a channel"),
        _said("tokens.length", NUM, "tokens of one call"),
        _said("tokens.vocabulary_size", NUM, "size of the vocabulary"),
    ),
    "contract.contract_tables:input_table",
)
_CONTRACT_OUTPUT = _table_of(
    "contract_output",
    "an output as a contract describes it",
    (
        *_entry("output", "class_scores boxes heatmap mask embedding regression tokens raw"),
        _said("role", TEXT, "what a detection's output holds", "boxes classes scores count"),
        _said("activation", TEXT, "what the numbers are", "softmax sigmoid logits none"),
        _said("dequantize", TRUTH, "whether the caller makes real values of the integers"),
        _said("range", NUMBERS, "smallest and largest real value that the caller expects"),
        _said("tolerance", NUM, "largest step between two values that the caller can live with"),
        _said(
            "box_order", TEXT, "order of a box's numbers", "ymin-xmin-ymax-xmax xmin-ymin-xmax-ymax cx-cy-w-h x-y-w-h"
        ),
        _said("box_coordinates", TEXT, "what a box's numbers are in", "normalized pixels"),
        _said("labels.count", NUM, "number of labels"),
        _said("labels.background", TRUTH, "whether the first class is the background"),
    ),
    "contract.contract_tables:output_table",
)
_NOT_FED = "the contract does not say what is fed"
_NOT_MAPPED = f"{_NOT_FED}, or the graph does not begin with arithmetic of the input and a small constant"
_NOT_QUANTIZED = "neither the input nor a QUANTIZE behind it has one scale and zero point"
_NOT_HELD = f"{_NOT_FED}, or {_NOT_QUANTIZED}"
FACTS = {
    "model": (
        fact(
            "sha256",
            TEXT,
            "SHA-256 of the file, in hexadecimal",
            "contract.model_digest:sha256",
            absent="the model has no contract that names one",
            values=True,
        ),
    ),
    "contract_output": (
        fact(
            "labels.lines",
            NUM,
            "labels in the file beside the contract or inside the model, a line each",
            "contract.contract_labels:n_lines",
            "associated_file.name",
            absent="none is named, or it has no labels",
            values=True,
        ),
        fact(
            "labels.begins_with_background",
            TRUTH,
            "whether its first label is called background, ??? or bg",
            "contract.contract_labels:begins_with_background",
            "associated_file.name",
            absent="none is named, or it has no labels",
            values=True,
        ),
        fact(
            "labels.problem",
            TEXT,
            "what is wrong with the label file",
            "contract.contract_labels:problem",
            "associated_file.name",
            absent="nothing, or none is named",
            domain="missing outside folder device pipe too-large unreadable not-UTF-8 empty blank-lines duplicates",
        ),
    ),
    "contract_input": (
        fact(
            "has_twin",
            TRUTH,
            "whether another input of its subgraph has the same type and shape",
            "contract.ambiguous_inputs:has_twin",
            "contract_input.input tensor.dtype tensor.shape",
            absent="the model has none such, or several",
        ),
        fact(
            "range_ratio",
            NUM,
            "how many times the widest range of its columns is as wide as the narrowest",
            "contract.fed_range:range_ratio",
            "",
            absent="fewer than two columns say their range",
        ),
        fact(
            "n_channels",
            NUM,
            "colour channels",
            "contract.fed_range:n_channels",
            "contract_input.channels",
            absent="the contract names no channels",
        ),
        fact(
            "fed_min",
            NUMBERS,
            "smallest real value that is fed, one a channel",
            "contract.fed_range:fed_min",
            "contract_input.mean contract_input.std contract_input.range",
            absent=_NOT_FED,
        ),
        fact(
            "fed_max",
            NUMBERS,
            "largest real value that is fed, one a channel",
            "contract.fed_range:fed_max",
            "contract_input.mean contract_input.std contract_input.range",
            absent=_NOT_FED,
        ),
        fact(
            "cover",
            NUM,
            "share of the range that is fed which the input can hold, 0 to 1",
            "contract.calibrated_range:cover",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "use",
            NUM,
            "share of the range that the input can hold which is fed, 0 to 1",
            "contract.calibrated_range:use",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "held_min",
            NUM,
            "smallest real value that the input, or the QUANTIZE behind it, can hold",
            "contract.calibrated_range:held_min",
            "contract_input.input tensor.scale tensor.zero_point tensor.consumers",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "held_max",
            NUM,
            "largest real value that the input, or the QUANTIZE behind it, can hold",
            "contract.calibrated_range:held_max",
            "contract_input.input tensor.scale tensor.zero_point tensor.consumers",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "prepared_size",
            NUMBERS,
            "height and width of a picture once it is resized and cropped",
            "contract.fed_range:prepared_size",
            "",
            absent="it depends on the picture, or the contract does not say it",
        ),
        fact(
            "channel_cover",
            NUMBERS,
            "the share of the range that is fed which the input can hold, one a channel",
            "contract.calibrated_range:channel_cover",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "graph_min",
            NUMBERS,
            "smallest value after the graph's own scale and offset, one a channel",
            "contract.fed_range:graph_min",
            "contract_input.fed_min input.graph_scale",
            absent=_NOT_MAPPED,
            values=True,
        ),
        fact(
            "graph_max",
            NUMBERS,
            "largest value after the graph's own scale and offset, one a channel",
            "contract.fed_range:graph_max",
            "contract_input.fed_max input.graph_scale",
            absent=_NOT_MAPPED,
            values=True,
        ),
        fact(
            "is_trained_range",
            TRUTH,
            "whether a float input is fed what training fed it: true where the metadata or the "
            "graph's own arithmetic tell, false for raw pixels that nothing rescales",
            "contract.calibrated_range:is_trained_range",
            "contract_input.fed_min input.metadata.mean input.graph_expects input.folded_mean tensor.dtype",
            absent=f"{_NOT_FED}, or the input is no float",
            values=True,
            unknown="a float input takes any range, and the file does not tell that of training: only a run does, "
            "on one picture prepared as [0, 1], as [-1, 1] and as [0, 255]",
        ),
        fact(
            "fits_calibration",
            TRUTH,
            "whether the range that is fed is the one that scale and zero point stand for",
            "contract.calibrated_range:fits_calibration",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=_NOT_HELD,
        ),
        fact(
            "fitting",
            TEXTS,
            "known normalizations that the input's scale and zero point fit",
            "contract.calibrated_range:fitting",
            "contract_input.input tensor.scale tensor.zero_point",
            absent=_NOT_QUANTIZED,
        ),
        fact(
            "normalization",
            TEXT,
            "known normalization with this mean and std",
            "contract.fed_range:normalization",
            "contract_input.mean contract_input.std contract_input.units",
            absent="it is none of the known ones",
        ),
        fact(
            "normalization_order",
            TEXT,
            "order of channels in which the known normalization's mean and std stand",
            "contract.fed_range:normalization_order",
            "contract_input.mean contract_input.std contract_input.units",
            absent="it is none of the known ones, or one number serves all channels",
        ),
        fact(
            "raw_steps",
            NUM,
            "steps by which the source's bytes are off from what mean, std and quantization give",
            "contract.calibrated_range:raw_steps",
            "contract_input.fed_min tensor.scale tensor.zero_point",
            absent=f"{_NOT_HELD}, or it has no 8 bits",
        ),
    ),
}

#: Tables of contracts: they have rows where a model has one.
TABLES = (_CONTRACT, _CONTRACT_INPUT, _CONTRACT_OUTPUT)
