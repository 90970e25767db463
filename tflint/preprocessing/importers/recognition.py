"""Recognizes the ecosystem of a file by its name or by the keys in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import parse_json, read_json, zip_member
from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.source.file_kind import MODEL_SUFFIXES

#: File names that only one ecosystem uses. In a folder, these files and the JSON files below are examined.
_NAMES = {
    "preprocessor_config.json": "huggingface",
    "processor_config.json": "huggingface",
    "tokenizer_config.json": "huggingface",
    "metadata.yaml": "ultralytics",
    "MLmodel": "mlflow",
}
#: Ecosystems with known names of models.
_WITH_NAMES = ("timm", "torchvision", "keras")
_PACKED = "metadata.json"
_JSON_NAMES = ("config.json", _PACKED)
_SUFFIXES = {".mlmodel": "coreml", ".mlpackage": "coreml", ".onnx": "onnx", ".keras": "keras"}
#: Sets of keys in a JSON object, all of which identify an ecosystem.
_KEYS: Mapping[str, tuple[frozenset[str], ...]] = {
    "huggingface": tuple(
        frozenset({key})
        for key in (
            *("image_mean", "image_processor_type", "do_resize", "do_rescale", "do_normalize"),
            *("sampling_rate", "tokenizer_class", "added_tokens_decoder", "image_processor", "feature_extractor"),
        )
    ),
    "timm": tuple(frozenset({key}) for key in ("pretrained_cfg", "input_size", "crop_pct")),
    "keras": (frozenset({"class_name", "config"}),),
    "ultralytics": (frozenset({"imgsz", "task"}),),
}


def recognize_ecosystem(source: str) -> str:
    """Return the name of the ecosystem of a file or folder.

    Raises `UserError` if the file does not exist, or belongs to none or to several of the ecosystems.
    """
    path = Path(source)
    if not path.exists():
        message = f"'{source}' is not a file, and the name of a model does not identify its ecosystem"
        raise UserError(message, hint=f"add --from {' | '.join(_WITH_NAMES)}")
    found = list(dict.fromkeys(_candidates(path)))
    if len(found) == 1:
        return found[0]
    message = f"could be a file of {' or of '.join(found)}" if found else "belongs to none of the known ecosystems"
    raise UserError(message, place=Place(source), hint=f"add --from {' | '.join(found or ECOSYSTEMS)}")


def _candidates(path: Path) -> Iterator[str]:
    suffix = path.suffix.lower()
    if path.name in _NAMES:
        yield _NAMES[path.name]
    elif suffix in _SUFFIXES:
        yield _SUFFIXES[suffix]
    elif path.is_dir():
        for name in (*_NAMES, *_JSON_NAMES):
            if (path / name).is_file():
                yield from _candidates(path / name)
    elif suffix == ".json":
        yield from _matching(read_json(path.as_posix()))
    elif suffix in MODEL_SUFFIXES:
        from tflint.preprocessing.importers.tflite_metadata import has_metadata

        if has_metadata(path.as_posix()):
            yield "tflite-metadata"
        yield from _in_zip(path.as_posix())
    elif suffix == ".zip":
        yield from _in_zip(path.as_posix())


def _matching(fields: Fields) -> Iterator[str]:
    """Yield the ecosystems that a JSON object may belong to."""
    yield from (name for name, sets in _KEYS.items() if any(all(key in fields for key in keys) for keys in sets))


def _in_zip(path: str) -> Iterator[str]:
    """Yield the ecosystems of the metadata in a zip, or in the zip appended to a model."""
    member = zip_member(path, (_PACKED,))
    if member is not None:
        yield from _matching(parse_json(f"{path}!/{member[0]}", member[1]))
