"""Reads Hugging Face's preprocessor_config.json, processor_config.json and tokenizer_config.json.

What a key means is what the image processors and feature extractors of transformers 4.57 do with it; what a file leaves
to the defaults of its class is left open, for each class has others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, read_json
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.preprocessing.importers.huggingface_image import image_input
from tflint.preprocessing.importers.imported import Imported

_PICTURES_AND_SOUND = ("preprocessor_config.json", "processor_config.json")
_TEXT = "tokenizer_config.json"
#: Parts of a processor_config.json that hold what a preprocessor_config.json does.
_PARTS = ("image_processor", "feature_extractor", "video_processor")
#: Keys that say which class to load and how to call it.
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
    """What a file says, or the first of the known ones in a folder."""
    path = find(source, (*_PICTURES_AND_SOUND, _TEXT), "preprocessor_config.json")
    fields = read_json(path)
    unsaid: list[str] = []
    inputs = [_entry(part, unsaid) for part in _parts(fields)]
    if not inputs:
        message = "is no processor's configuration: it has neither image_mean, do_resize, sampling_rate nor a tokenizer"
        raise UserError(message, place=Place(path), hint="preprocessor_config.json or tokenizer_config.json is meant")
    if len(inputs) > 1:
        inputs = [{"index": index, **entry} for index, entry in enumerate(inputs)]
        unsaid.append(
            "Which of the model's inputs each entry is of is not said: they are numbered in the file's order."
        )
    return Imported(tuple(inputs), (), f"huggingface {PurePath(path).name}", tuple(unsaid))


def _parts(fields: Fields) -> list[Fields]:
    """The parts of a file that say something: itself, or what a processor is put together of."""
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


def _entry(fields: Fields, unsaid: list[str]) -> dict[str, Any]:
    readers = {"audio": _audio, "image": image_input, "tokens": _tokens}
    entry = readers[_kind(fields)](fields, unsaid)
    fields.passes_over(*_INERT)
    unsaid += fields.unread()
    return entry


# -- sound -------------------------------------------------------------------------------------------------------------


def _audio(fields: Fields, unsaid: list[str]) -> dict[str, Any]:
    rate = fields.number("sampling_rate", is_positive=True)
    audio: dict[str, Any] = {"sample-rate": rate}
    kind = fields.text("feature_extractor_type") or ""
    known = _AUDIO.get(kind)
    if known is None:
        unsaid.append(f"What {kind or 'the feature extractor'} makes of the samples is not known here.")
    else:
        known(fields, rate or 1.0, audio, unsaid)
    return {"kind": "audio", "audio": audio}


def _whisper(fields: Fields, rate: float, audio: dict[str, Any], unsaid: list[str]) -> None:
    """Mel filters from 0 to 8,000 Hz, whatever the file says; a log to the base of ten, cut off and shifted."""
    audio |= {"features": "log-mel", "low": 0, "high": 8000}
    _set(audio, "mel-bins", fields.count("feature_size"))
    window, hop = fields.count("n_fft"), fields.count("hop_length")
    _set(audio, "window", None if window is None else window / rate)
    _set(audio, "hop", None if hop is None else hop / rate)
    _set(audio, "duration", fields.number("chunk_length", is_positive=True))
    _set(audio, "frames", fields.count("nb_max_frames"))
    fields.passes_over("n_samples")  # chunk_length by the rate
    unsaid.append(
        "Whisper takes the logarithm to the base of ten, of at least 1e-10, raises it to at least the largest value"
        " minus 8, and hands over (value + 4) / 4."
    )


def _wav2vec2(fields: Fields, _rate: float, audio: dict[str, Any], unsaid: list[str]) -> None:
    audio |= {"features": "waveform"}
    _set(audio, "channels", fields.count("feature_size"))
    if fields.truth("do_normalize"):
        unsaid.append(
            "Each recording is shifted to a mean of 0 and scaled to a variance of 1 by itself (do_normalize)."
        )


def _spectrogram_transformer(fields: Fields, _rate: float, audio: dict[str, Any], unsaid: list[str]) -> None:
    audio |= {"features": "log-mel"}
    _set(audio, "mel-bins", fields.count("num_mel_bins"))
    _set(audio, "frames", fields.count("max_length"))
    _set(audio, "channels", fields.count("feature_size"))
    mean, std = fields.number("mean"), fields.number("std", is_positive=True)
    if fields.truth("do_normalize") and mean is not None and std is not None:
        unsaid.append(f"The features are normalised by (value − {mean:g}) / (2 × {std:g}).")


_AUDIO = {
    "WhisperFeatureExtractor": _whisper,
    "Wav2Vec2FeatureExtractor": _wav2vec2,
    "ASTFeatureExtractor": _spectrogram_transformer,
}


def _set(entry: dict[str, Any], key: str, value: Any) -> None:
    if value is not None:
        entry[key] = value


# -- text --------------------------------------------------------------------------------------------------------------


def _tokens(fields: Fields, unsaid: list[str]) -> dict[str, Any]:
    tokens: dict[str, Any] = {"role": "ids"}
    _set(tokens, "padding-side", fields.choice("padding_side", ("left", "right")))
    ids = _ids(fields)
    special = {key: ids[text] for key in _SPECIAL if (text := _token(fields, key)) in ids}
    if special:
        tokens["special"] = special
    longest = fields.get("model_max_length")
    if isinstance(longest, int) and longest < 10**9:  # tokenizers without a limit write 10^30
        unsaid.append(
            f"At most {longest:,} tokens are taken (model_max_length); a contract's length is that of each call."
        )
    fields.passes_over("tokenizer_class", "clean_up_tokenization_spaces")
    return {"kind": "tokens", "tokens": tokens}


def _ids(fields: Fields) -> dict[str, int]:
    """The id of each added token, by its text."""
    added = fields.table("added_tokens_decoder")
    ids: dict[str, int] = {}
    for key in added or ():
        token = added.table(key) if added is not None else None
        text = token.text("content") if token is not None else None
        if not (key.isascii() and key.isdecimal() and len(key) < 10):
            raise fields.wrong("added_tokens_decoder", "a mapping of ids to tokens")
        if text is not None:
            ids[text] = int(key)
    return ids


def _token(fields: Fields, key: str) -> str | None:
    """A special token's text, which may stand in an object of its own."""
    value = fields.get(key)
    if isinstance(value, Mapping):
        nested = fields.table(key)
        return None if nested is None else nested.text("content")
    return fields.text(key)
