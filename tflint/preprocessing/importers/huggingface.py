"""Imports Hugging Face's preprocessor_config.json, processor_config.json and tokenizer_config.json.

Keys are interpreted as the image processors and feature extractors of transformers 4.57 do. If a key is absent, the
contract key is not set, because the default depends on the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.contract.contract_limits import MAX_DURATION, MAX_SAMPLE_RATE
from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, read_json
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.preprocessing.importers.huggingface_image import image_input
from tflint.preprocessing.importers.imported import Imported

_IMAGE_AND_AUDIO = ("preprocessor_config.json", "processor_config.json")
_TEXT = "tokenizer_config.json"
#: Keys of a processor_config.json under which the content of a preprocessor_config.json can be.
_PARTS = ("image_processor", "feature_extractor", "video_processor")
#: Keys that specify which class to load and how to call it. They do not affect preprocessing.
_INERT = (
    "_processor_class",
    "_valid_processor_keys",
    "auto_map",
    "device",
    "disable_grouping",
    "feature_extractor_type",
    "image_processor_type",
    "input_data_format",
    "processor_class",
    "return_tensors",
    "transformers_version",
)
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def read(source: str) -> Imported:
    """Import a file, or the first known file in a folder."""
    path = find(source, (*_IMAGE_AND_AUDIO, _TEXT), "preprocessor_config.json")
    fields = read_json(path)
    notes: list[str] = []
    inputs = [_entry(part, notes) for part in _parts(fields)]
    if not inputs:
        message = "is not a processor configuration: it has no image_mean, do_resize, sampling_rate or tokenizer_class"
        raise UserError(message, place=Place(path), hint="use preprocessor_config.json or tokenizer_config.json")
    if len(inputs) > 1:
        inputs = [{"index": index, **entry} for index, entry in enumerate(inputs)]
        notes.append("The entries have indices in the file's order, because the file does not name the model's inputs.")
    return Imported(tuple(inputs), (), f"huggingface {PurePath(path).name}", tuple(notes))


def _parts(fields: Fields) -> list[Fields]:
    """Return the parts of a file that have settings: the file as a whole, or the components of a processor."""
    nested = [
        part for key in _PARTS if isinstance(fields.get(key), Mapping) and (part := fields.table(key)) is not None
    ]
    return [part for part in (nested or [fields]) if _kind(part)]


def _kind(fields: Fields) -> str:
    if "sampling_rate" in fields:
        return "audio"
    if any(key in fields for key in ("image_mean", "do_resize", "do_rescale", "do_normalize", "image_processor_type")):
        return "image"
    return "tokens" if any(key in fields for key in ("tokenizer_class", "added_tokens_decoder")) else ""


def _entry(fields: Fields, notes: list[str]) -> dict[str, Any]:
    readers = {"audio": _audio, "image": image_input, "tokens": _tokens}
    entry = readers[_kind(fields)](fields, notes)
    fields.ignore(*_INERT)
    notes += fields.describe_unread()
    return entry


# -- audio -------------------------------------------------------------------------------------------------------------


def _audio(fields: Fields, notes: list[str]) -> dict[str, Any]:
    rate = fields.number("sampling_rate", is_positive=True, most=MAX_SAMPLE_RATE)
    audio: dict[str, Any] = {"sample-rate": rate}
    kind = fields.text("feature_extractor_type") or ""
    known = _AUDIO.get(kind)
    if known is None:
        notes.append(f"The features of {kind or 'the feature extractor'} are not supported and not imported.")
    else:
        known(fields, rate or 1.0, audio, notes)
    return {"kind": "audio", "audio": audio}


def _whisper(fields: Fields, rate: float, audio: dict[str, Any], notes: list[str]) -> None:
    """Set the features of Whisper, whose mel filters always span 0 to 8,000 Hz."""
    audio |= {"features": "log-mel", "low": 0, "high": 8000}
    _set(audio, "mel-bins", fields.count("feature_size"))
    window, hop = fields.count("n_fft"), fields.count("hop_length")
    _set(audio, "window", None if window is None else window / rate)
    _set(audio, "hop", None if hop is None else hop / rate)
    _set(audio, "duration", fields.number("chunk_length", is_positive=True, most=MAX_DURATION))
    _set(audio, "frames", fields.count("nb_max_frames"))
    fields.ignore("n_samples")  # chunk_length × sampling_rate
    notes.append(
        "Whisper's features are (max(log10(max(x, 1e-10)), peak − 8) + 4) / 4; peak is the largest"
        " logarithm of the recording."
    )


def _wav2vec2(fields: Fields, _rate: float, audio: dict[str, Any], notes: list[str]) -> None:
    audio |= {"features": "waveform"}
    _set(audio, "channels", fields.count("feature_size"))
    if fields.boolean("do_normalize"):
        notes.append("Each recording is normalized to a mean of 0 and a variance of 1 (do_normalize).")


def _spectrogram_transformer(fields: Fields, _rate: float, audio: dict[str, Any], notes: list[str]) -> None:
    audio |= {"features": "log-mel"}
    _set(audio, "mel-bins", fields.count("num_mel_bins"))
    _set(audio, "frames", fields.count("max_length"))
    _set(audio, "channels", fields.count("feature_size"))
    mean, std = fields.number("mean"), fields.number("std", is_positive=True)
    if fields.boolean("do_normalize") and mean is not None and std is not None:
        notes.append(f"The features are normalized by (value − {mean:g}) / (2 × {std:g}).")


_AUDIO = {
    "WhisperFeatureExtractor": _whisper,
    "Wav2Vec2FeatureExtractor": _wav2vec2,
    "ASTFeatureExtractor": _spectrogram_transformer,
}


def _set(entry: dict[str, Any], key: str, value: Any) -> None:
    if value is not None:
        entry[key] = value


# -- text --------------------------------------------------------------------------------------------------------------


def _tokens(fields: Fields, notes: list[str]) -> dict[str, Any]:
    tokens: dict[str, Any] = {"role": "ids"}
    _set(tokens, "padding-side", fields.choice("padding_side", ("left", "right")))
    ids = _ids(fields)
    special = {key: ids[text] for key in _SPECIAL if (text := _token(fields, key)) in ids}
    if special:
        tokens["special"] = special
    longest = fields.get("model_max_length")
    if isinstance(longest, int) and longest < 10**9:  # tokenizers without a limit store 10^30
        notes.append(
            f"The tokenizer's limit is {longest:,} tokens (model_max_length); tokens.length of a contract is the length"
            " of each call and is not set."
        )
    fields.ignore("tokenizer_class", "clean_up_tokenization_spaces")
    return {"kind": "tokens", "tokens": tokens}


def _ids(fields: Fields) -> dict[str, int]:
    """Return the ids of the added tokens by their text."""
    added = fields.table("added_tokens_decoder")
    ids: dict[str, int] = {}
    for key in added or ():
        token = added.table(key) if added is not None else None
        text = token.text("content") if token is not None else None
        if not (key.isascii() and key.isdecimal() and len(key) < 10):
            raise fields.value_error("added_tokens_decoder", "a mapping of ids to tokens")
        if text is not None:
            ids[text] = int(key)
    return ids


def _token(fields: Fields, key: str) -> str | None:
    """Return the text of a special token: the value itself, or the `content` of an object."""
    value = fields.get(key)
    if isinstance(value, Mapping):
        nested = fields.table(key)
        return None if nested is None else nested.text("content")
    return fields.text(key)
