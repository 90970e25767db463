"""Builds TFLite metadata (metadata_schema.fbs) from a contract, and lists the keys that metadata cannot express.

The dicts have the form that `tflint.writer` packs. Existing metadata stays unless the contract specifies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from tflint.contract.contract import Keys
from tflint.errors import UserError
from tflint.preprocessing.recipe import Recipe, RecipeInput, RecipeOutput

Table = dict[str, Any]

#: The first version of the metadata schema with the tables used here, and the first one with AudioProperties.
_VERSION, _AUDIO_VERSION = "1.0.0", "1.3.0"
#: Maximum number of digits of a number in a version. Longer numbers are ignored.
_MAX_DIGITS = 9
_COLOR_SPACES = {"RGB": "RGB", "GRAY": "GRAYSCALE"}
_BOXES = {
    "ymin-xmin-ymax-xmax": ("BOUNDARIES", [1, 0, 3, 2]),
    "xmin-ymin-xmax-ymax": ("BOUNDARIES", [0, 1, 2, 3]),
    "x-y-w-h": ("UPPER_LEFT", [0, 1, 2, 3]),
    "cx-cy-w-h": ("CENTER", [0, 1, 2, 3]),
}
_COORDINATES = {"normalized": "RATIO", "pixels": "PIXEL"}
#: Keys of [model] that are fields of ModelMetadata.
_MODEL_FIELDS = ("description", "version", "author", "license")
#: Keys that identify an entry or repeat what the model specifies. They do not count as lost if they are not exported.
_MODEL_KEYS = ("name", "index", "kind", "dtype", "shape", "scale", "zero-point", "dequantize")


class Metadata:
    """The metadata for a contract.

    `root` is the ModelMetadata table. `files` are the paths of label and vocabulary files, as in the contract.
    `n_tensors` has the numbers of inputs and outputs of the model: metadata lists all of them, in the model's order.
    """

    def __init__(self, recipe: Recipe, existing: Mapping[str, Any] | None, n_tensors: Mapping[str, int]) -> None:
        self._recipe = recipe
        self._exported_keys: set[Keys] = set()
        self.files: list[str] = []
        self.root: Table = dict(existing or {})
        self.root.setdefault("name", PurePath(recipe.model or "model").stem)
        self.root.update({key: recipe.contract.model[key] for key in _MODEL_FIELDS if key in recipe.contract.model})
        subgraphs: list[Table] = [dict(subgraph) for subgraph in self.root.get("subgraph_metadata", [])] or [{}]
        self.root["subgraph_metadata"] = subgraphs
        for side, entries in (("input", recipe.inputs), ("output", recipe.outputs)):
            key = f"{side}_tensor_metadata"
            subgraphs[0][key] = self._tensors(side, entries, subgraphs[0].get(key, []), n_tensors[side])
        version = _AUDIO_VERSION if any(entry.kind == "audio" for entry in recipe.inputs) else _VERSION
        self.root["min_parser_version"] = max(version, self.root.get("min_parser_version") or "", key=_version_numbers)

    def lost_keys(self) -> list[str]:
        """Return the contract keys that are not in the metadata, such as `inputs[0].resize`, in contract order."""
        contract, keys = self._recipe.contract, []
        for side in ("inputs", "outputs"):
            for number, entry in enumerate(contract.entries(side.removesuffix("s"))):
                keys += [f"{side}[{number}].{key}" for key in self._lost(side, number, entry)]
        claims = [f"model.{key}" for key in contract.model if key not in ("draft", *_MODEL_FIELDS)]
        return [*keys, *claims, *(key for key in ("golden", "allow") if contract.data.get(key))]

    def _lost(self, side: str, number: int, entry: Mapping[str, Any]) -> Iterator[str]:
        """Yield the keys of an entry that are lost. If a table is partly exported, yield only its lost keys."""
        for key, value in entry.items():
            if key in _MODEL_KEYS or (side, number, key) in self._exported_keys:
                continue
            names = value if isinstance(value, dict) else ()
            inner = [name for name in names if (side, number, key, name) in self._exported_keys]
            yield from (f"{key}.{name}" for name in value if name not in inner) if inner else (key,)

    def _mark_exported(self, side: str, number: int, *keys: str) -> None:
        self._exported_keys.update((side, number, *key.split(".")) for key in keys)

    def _tensors(self, side: str, entries: Any, existing: list[Table], n_tensors: int) -> list[Table]:
        """Return the metadata of all inputs (or outputs) in the graph's order.

        The metadata of an input without an entry in the contract is unchanged.
        """
        tensors = [dict(existing[k]) if k < len(existing) else {} for k in range(n_tensors)]
        for entry in entries:
            if entry.position >= n_tensors:
                continue
            tensor = tensors[entry.position]
            tensor.setdefault("name", entry.name)
            if side == "input":
                self._input(entry, tensor)
            else:
                self._output(entry, tensor)
        return tensors

    # -- inputs --------------------------------------------------------------------------------------------------------

    def _input(self, recipe_input: RecipeInput, tensor: Table) -> None:
        entry, number = recipe_input.entry, recipe_input.number
        if recipe_input.kind == "image":
            self._image(recipe_input, tensor)
        elif recipe_input.kind == "audio":
            audio = recipe_input.part("audio")
            known = {name.replace("-", "_"): int(audio[name]) for name in ("sample-rate", "channels") if name in audio}
            tensor["content"] = _content("AudioProperties", **{**_properties(tensor, "AudioProperties"), **known})
            self._mark_exported("inputs", number, *(f"audio.{name.replace('_', '-')}" for name in known))
        else:
            tensor.setdefault("content", _content("FeatureProperties"))
        normalization = self._normalization(recipe_input)
        if normalization is not None:
            others = [unit for unit in tensor.get("process_units", []) if not _is_normalization(unit)]
            tensor["process_units"] = [*others, normalization]
        vocabulary = recipe_input.part("tokens").get("vocabulary")
        if vocabulary is not None:  # an associated file, because a contract does not specify the tokenizer
            self._name_file(tensor, vocabulary, "VOCABULARY", "vocabulary, one token per line")
            self._mark_exported("inputs", number, "tokens.vocabulary")
        if "observed" in entry:
            tensor["stats"] = {"max": _floats(entry["observed"]["max"]), "min": _floats(entry["observed"]["min"])}
            self._mark_exported("inputs", number, "observed")

    def _image(self, recipe_input: RecipeInput, tensor: Table) -> None:
        """Set the color space. If the contract does not specify the channels, an existing color space is kept."""
        known = _properties(tensor, "ImageProperties")
        if "channels" in recipe_input.entry:
            known["color_space"] = _COLOR_SPACES.get(recipe_input.entry["channels"], "UNKNOWN")
            if known["color_space"] != "UNKNOWN":
                self._mark_exported("inputs", recipe_input.number, "channels")
        tensor["content"] = _content("ImageProperties", **{"color_space": "UNKNOWN", **known})

    def _normalization(self, recipe_input: RecipeInput) -> Table | None:
        """Return mean and std for pixels from 0 to 255, because metadata has no other units.

        Return None if the contract has no mean and std, or its pixels have a different range.
        """
        is_image = recipe_input.kind == "image"
        if not {"mean", "std"} <= set(recipe_input.entry) or (is_image and not recipe_input.takes_bytes):
            return None
        mean, std = recipe_input.normalization
        factor = 255.0 if recipe_input.is_unit and is_image else 1.0
        self._mark_exported("inputs", recipe_input.number, "mean", "std", "units")
        values = {"mean": [float(v) * factor for v in mean], "std": [float(v) * factor for v in std]}
        return {"options": {"type": "NormalizationOptions", **values}}

    # -- outputs -------------------------------------------------------------------------------------------------------

    def _output(self, recipe_output: RecipeOutput, tensor: Table) -> None:
        order = recipe_output.entry.get("box-order")
        if order is not None:
            kind, index = _BOXES[order]
            units = _COORDINATES.get(str(recipe_output.entry.get("box-coordinates")), "RATIO")
            tensor["content"] = _content("BoundingBoxProperties", type_=kind, index=index, coordinate_type=units)
            self._mark_exported("outputs", recipe_output.number, "box-order", "box-coordinates")
        else:
            tensor.setdefault("content", _content("FeatureProperties"))
        name = recipe_output.labels.get("file")
        if name is not None:
            self._name_file(tensor, name, "TENSOR_AXIS_LABELS", "classes, one per line")
            self._mark_exported("outputs", recipe_output.number, "labels.file", "labels.count")
        if "range" in recipe_output.entry:
            low, high = recipe_output.entry["range"]
            tensor["stats"] = {"max": [float(high)], "min": [float(low)]}
            self._mark_exported("outputs", recipe_output.number, "range")

    def _name_file(self, tensor: Table, path: str, kind: str, description: str) -> None:
        """Add a file name to the metadata of a tensor. A file with the same name is replaced.

        Raises `UserError` if the contract has two paths with the same file name.
        """
        name = PurePath(path).name
        if any(PurePath(other).name == name and other != path for other in self.files):
            raise UserError(
                f"the contract has two files named '{name}'", hint="rename one: the model's zip has no folders"
            )
        self.files.append(path)
        others = [file for file in tensor.get("associated_files", []) if file.get("name") != name]
        tensor["associated_files"] = [*others, {"name": name, "type": kind, "description": description}]


def _properties(tensor: Mapping[str, Any], kind: str) -> Table:
    """Return the content properties of a tensor, or an empty table if they are of a different kind."""
    properties: Table = dict(tensor.get("content", {}).get("content_properties", {}))
    return {key: value for key, value in properties.items() if key != "type"} if properties.get("type") == kind else {}


def _content(kind: str, **fields: Any) -> Table:
    return {"content_properties": {"type": kind, **fields}}


def _is_normalization(unit: Mapping[str, Any]) -> bool:
    return bool(unit.get("options", {}).get("type") == "NormalizationOptions")


def _floats(values: Any) -> list[float]:
    return [float(value) for value in (values if isinstance(values, list) else [values])]


def _version_numbers(version: str) -> list[int]:
    """Return a version as a list of numbers, for comparison. Parts that are not numbers are omitted."""
    return [int(part) for part in version.split(".") if part.isdecimal() and len(part) <= _MAX_DIGITS]
