"""A contract as TFLite metadata (metadata_schema.fbs): entry by entry what fits, and which keys do not.

The dicts are of the form that `tflint.writer` packs. What a model's metadata says already stays where the contract
says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from tflint.contract.contract import Keys
from tflint.errors import UserError
from tflint.preprocessing.recipe import Feeding, Reading, Recipe

Table = dict[str, Any]

#: The first version of the schema that has what is written here, and the one that has AudioProperties.
_VERSION, _AUDIO_VERSION = "1.0.0", "1.3.0"
#: Longer parts of a version are none.
_MAX_DIGITS = 9
_COLOR_SPACES = {"RGB": "RGB", "GRAY": "GRAYSCALE"}
_BOXES = {
    "ymin-xmin-ymax-xmax": ("BOUNDARIES", [1, 0, 3, 2]),
    "xmin-ymin-xmax-ymax": ("BOUNDARIES", [0, 1, 2, 3]),
    "x-y-w-h": ("UPPER_LEFT", [0, 1, 2, 3]),
    "cx-cy-w-h": ("CENTER", [0, 1, 2, 3]),
}
_COORDINATES = {"normalized": "RATIO", "pixels": "PIXEL"}
#: Keys that only find an entry, or whose content the model itself holds: they are no loss.
_HELD_BY_THE_MODEL = ("name", "index", "kind", "dtype", "shape", "scale", "zero-point", "dequantize")


class Metadata:
    """The metadata of a contract, and what of the contract is in it.

    `root` is the ModelMetadata; `files` are the label and vocabulary files that it names, as the contract does.
    `n_tensors` is how many inputs and outputs the model has: metadata lists them all, in their order.
    """

    def __init__(self, recipe: Recipe, existing: Mapping[str, Any] | None, n_tensors: Mapping[str, int]) -> None:
        self._recipe = recipe
        self._held: set[Keys] = set()
        self.files: list[str] = []
        self.root: Table = dict(existing or {})
        self.root.setdefault("name", PurePath(recipe.model or "model").stem)
        subgraphs: list[Table] = [dict(one) for one in self.root.get("subgraph_metadata", [])] or [{}]
        self.root["subgraph_metadata"] = subgraphs
        for side, entries in (("input", recipe.inputs), ("output", recipe.outputs)):
            key = f"{side}_tensor_metadata"
            subgraphs[0][key] = self._tensors(side, entries, subgraphs[0].get(key, []), n_tensors[side])
        wanted = _AUDIO_VERSION if any(one.kind == "audio" for one in recipe.inputs) else _VERSION
        self.root["min_parser_version"] = max(wanted, self.root.get("min_parser_version") or "", key=_parts)

    def unheld(self) -> list[str]:
        """The keys of the contract that are not in the metadata, as `inputs[0].resize`, in its order."""
        contract, listed = self._recipe.contract, []
        for side in ("inputs", "outputs"):
            for number, entry in enumerate(contract.entries(side.removesuffix("s"))):
                listed += [f"{side}[{number}].{key}" for key in self._lost(side, number, entry)]
        claims = [f"model.{key}" for key in contract.model if key != "draft"]
        return [*listed, *claims, *(key for key in ("golden", "allow") if contract.data.get(key))]

    def _lost(self, side: str, number: int, entry: Mapping[str, Any]) -> Iterator[str]:
        """Keys of an entry that are lost; of a table of which a part is held, the others one by one."""
        for key, value in entry.items():
            if key in _HELD_BY_THE_MODEL or (side, number, key) in self._held:
                continue
            names = value if isinstance(value, dict) else ()
            inner = [name for name in names if (side, number, key, name) in self._held]
            yield from (f"{key}.{name}" for name in value if name not in inner) if inner else (key,)

    def _hold(self, side: str, number: int, *keys: str) -> None:
        self._held.update((side, number, *key.split(".")) for key in keys)

    def _tensors(self, side: str, entries: Any, existing: list[Table], n_tensors: int) -> list[Table]:
        """The metadata of all inputs (or outputs), in the graph's order; empty where the contract has no entry."""
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

    def _input(self, feeding: Feeding, tensor: Table) -> None:
        entry, number = feeding.entry, feeding.number
        if feeding.kind == "image":
            self._picture(feeding, tensor)
        elif feeding.kind == "audio":
            audio = feeding.part("audio")
            said = {name.replace("-", "_"): int(audio[name]) for name in ("sample-rate", "channels") if name in audio}
            tensor["content"] = _content("AudioProperties", **{**_properties(tensor, "AudioProperties"), **said})
            self._hold("inputs", number, *(f"audio.{name.replace('_', '-')}" for name in said))
        else:
            tensor.setdefault("content", _content("FeatureProperties"))
        normalization = self._normalization(feeding)
        if normalization is not None:
            others = [unit for unit in tensor.get("process_units", []) if not _is_normalization(unit)]
            tensor["process_units"] = [*others, normalization]
        vocabulary = feeding.part("tokens").get("vocabulary")
        if vocabulary is not None:  # which tokenizer reads it, a contract does not say
            self._name_file(tensor, vocabulary, "VOCABULARY", "the vocabulary, a token a line")
            self._hold("inputs", number, "tokens.vocabulary")
        if "observed" in entry:
            tensor["stats"] = {"max": _floats(entry["observed"]["max"]), "min": _floats(entry["observed"]["min"])}
            self._hold("inputs", number, "observed")

    def _picture(self, feeding: Feeding, tensor: Table) -> None:
        """The colour space; what the metadata has of it stays where the contract does not say the channels."""
        known = _properties(tensor, "ImageProperties")
        if "channels" in feeding.entry:
            known["color_space"] = _COLOR_SPACES.get(feeding.entry["channels"], "UNKNOWN")
            if known["color_space"] != "UNKNOWN":
                self._hold("inputs", feeding.number, "channels")
        tensor["content"] = _content("ImageProperties", **{"color_space": "UNKNOWN", **known})

    def _normalization(self, feeding: Feeding) -> Table | None:
        """Mean and std for pixels of 0 to 255, whatever the contract's units: metadata has no other. None where the
        contract has none, or of pixels of a range that no factor leads to.
        """
        is_image = feeding.kind == "image"
        if not {"mean", "std"} <= set(feeding.entry) or (is_image and not feeding.takes_bytes):
            return None
        mean, std = feeding.normalization
        factor = 255.0 if feeding.is_unit and is_image else 1.0
        self._hold("inputs", feeding.number, "mean", "std", "units")
        values = {"mean": [float(v) * factor for v in mean], "std": [float(v) * factor for v in std]}
        return {"options": {"type": "NormalizationOptions", **values}}

    # -- outputs -------------------------------------------------------------------------------------------------------

    def _output(self, reading: Reading, tensor: Table) -> None:
        order = reading.entry.get("box-order")
        if order is not None:
            kind, index = _BOXES[order]
            units = _COORDINATES.get(str(reading.entry.get("box-coordinates")), "RATIO")
            tensor["content"] = _content("BoundingBoxProperties", type_=kind, index=index, coordinate_type=units)
            self._hold("outputs", reading.number, "box-order", "box-coordinates")
        else:
            tensor.setdefault("content", _content("FeatureProperties"))
        name = reading.labels.get("file")
        if name is not None:
            self._name_file(tensor, name, "TENSOR_AXIS_LABELS", "the classes, a line each")
            self._hold("outputs", reading.number, "labels.file", "labels.count")
        if "range" in reading.entry:
            low, high = reading.entry["range"]
            tensor["stats"] = {"max": [float(high)], "min": [float(low)]}
            self._hold("outputs", reading.number, "range")

    def _name_file(self, tensor: Table, path: str, kind: str, description: str) -> None:
        """Name a file in a tensor's metadata, in place of one of the same name; `UserError` for two of one name."""
        name = PurePath(path).name
        if any(PurePath(other).name == name and other != path for other in self.files):
            raise UserError(
                f"the contract names two files '{name}'", hint="in the model's zip they need names of their own"
            )
        self.files.append(path)
        others = [file for file in tensor.get("associated_files", []) if file.get("name") != name]
        tensor["associated_files"] = [*others, {"name": name, "type": kind, "description": description}]


def _properties(tensor: Mapping[str, Any], kind: str) -> Table:
    """What the metadata has of a content of some kind."""
    properties: Table = dict(tensor.get("content", {}).get("content_properties", {}))
    return {key: value for key, value in properties.items() if key != "type"} if properties.get("type") == kind else {}


def _content(kind: str, **fields: Any) -> Table:
    return {"content_properties": {"type": kind, **fields}}


def _is_normalization(unit: Mapping[str, Any]) -> bool:
    return bool(unit.get("options", {}).get("type") == "NormalizationOptions")


def _floats(values: Any) -> list[float]:
    return [float(value) for value in (values if isinstance(values, list) else [values])]


def _parts(version: str) -> list[int]:
    """A version as numbers; what is none counts as the oldest."""
    return [int(part) for part in version.split(".") if part.isdecimal() and len(part) <= _MAX_DIGITS]
