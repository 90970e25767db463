"""Models for the measurements, built in a folder when a row needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.large import many_tensors, write_big_weights
from tests.helpers.models.named import NOT_RUNNABLE, RUNNABLE
from tests.helpers.models.weighted import bias_scales
from tflint.cache.cache_folder import FOLDER_VARIABLE

CHECKOUT = Path(__file__).resolve().parent.parent
#: Real models, if they are next to the checkout.
CORPUS = CHECKOUT.parent / "shared" / "corpus" / "models"
CORPUS_MODEL = CORPUS / "google-coral__test_data" / "movenet_single_pose_lightning_ptq.tflite"

WEIGHT_BYTES = 512 << 20
VALUE_BYTES = 768 << 20
SMALL_BYTES = 256 * 1024
N_GENERATED = 104

CONTRACT = """\
[model]
scheme = "full int8"
stateful = false

[[inputs]]
name = "input"
kind = "image"
dtype = "int8"
shape = [1, 224, 224, 3]
layout = "NHWC"
channels = "RGB"
mean = 127.5
std = 127.5
units = "u8"
feed = "fold"
orientation = "exif"

[inputs.resize]
mode = "stretch"
size = [224, 224]
kernel = "bilinear"
antialias = false

[[outputs]]
index = 0
kind = "class_scores"
dtype = "int8"
"""
CONFIG = """\
targets = ["litert==2.3.0"]
fail-on = "error"
exclude = ["third_party/**"]

[severity]
"scale-invalid" = "error"

[per-file-ignores]
"experiments/**" = ["K"]

[[allow]]
rule = "scale-invalid"
path = "legacy/*.tflite"
reason = "to be replaced with the next release"
"""

BAD_RULE = """\
[[rule]]
id       = "X900"
name     = "no-large-tensors"
severity = "warning"
since    = "0.1"
for-each = "tensor"
require  = "count(shape) <= 6"
mesage   = "{name} has {count(shape)} dimensions"
summary  = "A tensor has more than six dimensions."
why      = "The accelerator supports six."
fix      = "reshape it"
"""

_SCALE = 1 / 127.5

#: MobileNet V2: expansion, channels, repetitions and stride of each stage (arXiv:1801.04381, table 2).
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class Workspace:
    """A folder with a configuration and the models for rows, and the environment of processes in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.peers_python = ""
        self._text("tflint.toml", CONFIG)
        excluded = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME")
        inherited = {name: value for name, value in os.environ.items() if name not in excluded}
        self.cache = folder / "cache"
        self.environment = inherited | {"PYTHONPATH": str(CHECKOUT), FOLDER_VARIABLE: str(self.cache)}

    def bad_rule(self) -> Path:
        """Return a rule file with a misspelled field."""
        return self._text("bad.toml", BAD_RULE)

    def mobile(self) -> Path:
        """Return an int8 model of 3.5 MB with the structure of MobileNet V2, next to its contract."""
        self._text("mobile.contract.toml", CONTRACT)
        return self._file("mobile.tflite", mobile)

    def many_tensors(self) -> Path:
        """Return a model of 60,000 tensors and 20,000 operators."""
        return self._file("many_tensors.tflite", many_tensors)

    def big_weights(self) -> Path:
        """Return a model with one weight tensor of 512 MiB."""
        path = self.folder / "big_weights.tflite"
        if not path.exists():
            write_big_weights(path, WEIGHT_BYTES)
        return path

    def long_rows(self) -> Path:
        """Return a model with 768 MiB of weights: 65,536 output channels on the first axis, 12,288 values each."""
        return self._big("long_rows.tflite", 65_536, is_depthwise=False)

    def last_axis(self) -> Path:
        """Return a model with 768 MiB of weights: 96 output channels on the last axis."""
        return self._big("last_axis.tflite", 96, is_depthwise=True)

    def _big(self, name: str, n_outputs: int, *, is_depthwise: bool) -> Path:
        path = self.folder / name
        if not path.exists():
            write_big_weights(path, VALUE_BYTES, n_outputs, is_depthwise=is_depthwise)
        return path

    def small_models(self) -> list[Path]:
        """Return the named models of the tests, and 104 generated models with 8 to 65 operators and 7 to 232 KB."""
        builders = (
            RUNNABLE | NOT_RUNNABLE | {f"mobile_{number:03}": _small_mobile(number) for number in range(N_GENERATED)}
        )
        (self.folder / "small").mkdir(exist_ok=True)
        return [self._file(f"small/{name}.tflite", build) for name, build in builders.items()]

    def fleet(self, n_models: int) -> Path:
        """Return a folder with `n_models` different models of 0.4 to 1.5 KB, 100 per subfolder."""
        fleet = self.folder / f"fleet_{n_models}"
        bases = [content for content in (build() for build in RUNNABLE.values()) if content.count(b"input") == 1]
        for number in range(0 if fleet.exists() else n_models):
            folder = fleet / f"{number // 100:03}"
            folder.mkdir(parents=True, exist_ok=True)
            content = bases[number % len(bases)].replace(b"input", b"%05d" % number)
            (folder / f"{number:05}.tflite").write_bytes(content)
        return fleet

    def small_corpus(self) -> list[Path]:
        """Return the small real models, sorted by path, or an empty list if there is no corpus."""
        return sorted(path for path in CORPUS.rglob("*.tflite") if _is_small_model(path))

    def _file(self, name: str, build: Callable[[], bytes]) -> Path:
        path = self.folder / name
        if not path.exists():
            path.write_bytes(build())
        return path

    def _text(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _is_small_model(path: Path) -> bool:
    if path.stat().st_size > SMALL_BYTES:
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] == b"TFL3"


def _small_mobile(number: int) -> Callable[[], bytes]:
    """Return the builder of a model whose width, number of stages and seed depend on `number`."""
    width = (0.05, 0.1, 0.15, 0.2)[number % 4]
    return lambda: mobile(width=width, n_stages=1 + number % len(_STAGES), n_classes=10, seed=number)


def mobile(*, width: float = 1.0, n_stages: int = len(_STAGES), n_classes: int = 600, seed: int = 0) -> bytes:
    """Return a quantized classifier with MobileNet V2's stages, random weights and `width` times its channels."""
    layers = _Layers(seed)
    tensor, channels = layers.conv("stem", "input", 3, _channels(32, width), kernel=3, stride=2)
    for stage, (expansion, wanted, repetitions, stride) in enumerate(_STAGES[:n_stages]):
        for repetition in range(repetitions):
            scope, step = f"stage_{stage}/block_{repetition}", stride if repetition == 0 else 1
            source, before = tensor, channels
            if expansion > 1:
                tensor, channels = layers.conv(f"{scope}/expand", tensor, channels, channels * expansion)
            tensor = layers.depthwise(f"{scope}/depthwise", tensor, channels, stride=step)
            tensor, channels = layers.conv(f"{scope}/project", tensor, channels, _channels(wanted, width))
            if step == 1 and channels == before:
                tensor = layers.add(f"{scope}/add", source, tensor, channels)
    tensor, channels = layers.conv("head", tensor, channels, _channels(1280, width))
    return layers.add_classifier(tensor, channels, n_classes)


def _channels(wanted: int, width: float) -> int:
    return max(8, int(wanted * width + 4) // 8 * 8)


class _Layers:
    """Adds layers to one model. Every activation has the scale of the input; `side` is the current height and width."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.side = 224
        self.builder = ModelBuilder().tensor("input", "INT8", [1, 224, 224, 3], scale=_SCALE, zero_point=-1)

    def conv(
        self, scope: str, source: str, n_inputs: int, n_outputs: int, *, kernel: int = 1, stride: int = 1
    ) -> tuple[str, int]:
        """Add a CONV_2D with per-channel weights and a bias; return the name and channels of the output."""
        weights = self._constants(scope, [n_outputs, kernel, kernel, n_inputs], axis=0)
        self.side //= stride
        return self._operator(
            "CONV_2D", scope, [source, *weights], n_outputs, self._stride_options(stride), 3
        ), n_outputs

    def depthwise(self, scope: str, source: str, channels: int, *, stride: int) -> str:
        """Add a DEPTHWISE_CONV_2D of 3 x 3; return the name of the output."""
        weights = self._constants(scope, [1, 3, 3, channels], axis=3)
        self.side //= stride
        options = self._stride_options(stride) | {"depth_multiplier": 1}
        return self._operator("DEPTHWISE_CONV_2D", scope, [source, *weights], channels, options, 3)

    def add(self, scope: str, a: str, b: str, channels: int) -> str:
        """Add an ADD of two activations; return the name of the output."""
        return self._operator("ADD", scope, [a, b], channels, {}, 2)

    def add_classifier(self, source: str, channels: int, n_classes: int) -> bytes:
        """Add MEAN over height and width, FULLY_CONNECTED and SOFTMAX; return the model's bytes."""
        self.builder.tensor("axes", "INT32", [2], data=[1, 2])
        self.builder.tensor("mean", "INT8", [1, channels], scale=_SCALE, zero_point=-1)
        self.builder.operator("MEAN", [source, "axes"], ["mean"], version=2)
        weights = self._constants("classifier", [n_classes, channels], axis=0)
        self.builder.tensor("logits", "INT8", [1, n_classes], scale=0.1, zero_point=-20)
        self.builder.operator("FULLY_CONNECTED", ["mean", *weights], ["logits"], version=4)
        self.builder.tensor("probabilities", "INT8", [1, n_classes], scale=1 / 256, zero_point=-128)
        self.builder.operator("SOFTMAX", ["logits"], ["probabilities"], {"beta": 1.0}, version=2)
        return self.builder.inputs("input").outputs("probabilities").build()

    def _constants(self, scope: str, shape: list[int], *, axis: int) -> tuple[str, str]:
        n = shape[axis]
        weights = self.random.integers(-127, 128, size=shape, dtype=np.int8)
        np.moveaxis(weights, axis, -1)[(0,) * (len(shape) - 1)] = 127  # converters scale every channel to reach 127
        scales = self.random.uniform(0.001, 0.02, size=n).tolist()
        bias = self.random.integers(-4000, 4000, size=n, dtype=np.int32)
        self.builder.tensor(f"{scope}/weights", "INT8", shape, data=weights.tobytes(), scale=scales, axis=axis)
        bias_scale = bias_scales(_SCALE, scales)
        self.builder.tensor(f"{scope}/bias", "INT32", [n], data=bias.tobytes(), scale=bias_scale)
        return f"{scope}/weights", f"{scope}/bias"

    def _operator(
        self, opcode: str, scope: str, inputs: list[str], channels: int, options: dict[str, object], version: int
    ) -> str:
        shape = [1, self.side, self.side, channels]
        self.builder.tensor(f"{scope}/output", "INT8", shape, scale=_SCALE, zero_point=-1)
        self.builder.operator(opcode, inputs, [f"{scope}/output"], options, version=version)
        return f"{scope}/output"

    @staticmethod
    def _stride_options(stride: int) -> dict[str, object]:
        return {"padding": "SAME", "stride_w": stride, "stride_h": stride}
