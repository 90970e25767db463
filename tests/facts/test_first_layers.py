"""Test the recognition of first layers: quantized copies of a planted layer are known, other layers are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, model_paths, needs_corpus
from tests.helpers.facts import facts_of, rows
from tests.helpers.models import ModelBuilder
from tflint.api import check, load
from tflint.config import Config
from tflint.contract import parse_contract
from tflint.facts.facts import Facts
from tflint.facts.interface import first_layers
from tflint.normalization import known_layers as tables

SHAPE = (8, 3, 3, 3)
#: A first layer whose channels differ in size, as after batch normalization was folded into them.
WEIGHTS = np.random.default_rng(7).normal(size=SHAPE) * np.linspace(0.2, 2.0, 8)[:, None, None, None]
CONVOLUTION = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "NONE"}


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the planted layer the only known one."""
    weights = WEIGHTS.reshape(-1)[tables.sample_places(SHAPE)].tolist()
    entry = {
        "name": "Planted",
        "shape": list(SHAPE),
        "weights": weights,
        "normalization": "minus-one-to-one",
        "order": "RGB",
        "normalization_source": "https://example.com/planted",
    }
    monkeypatch.setattr(tables, "first_layer_tables", lambda: ({"layers": [entry]},))
    tables.known_layers.cache_clear()
    yield
    tables.known_layers.cache_clear()


def model(kind: str = "float32", weights: Any = WEIGHTS, before: str = "") -> bytes:
    """Return a model with a first convolution. `before` is an operator between the input and the convolution."""
    weights = np.asarray(weights)
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 8, 8, 3])
    source = _add_operator(builder, before) if before else "input"
    _add_weights(builder, kind, weights)
    size = 10 if before == "PAD" else 8
    return (
        builder.tensor("output", "FLOAT32", [1, size - 2, size - 2, weights.shape[0]])
        .operator("CONV_2D", [source, "weights", None], ["output"], CONVOLUTION)
        .inputs("input")
        .outputs("output")
        .build()
    )


def _add_operator(builder: ModelBuilder, opcode: str) -> str:
    if opcode == "PAD":
        builder.tensor("pads", "INT32", [4, 2], data=[0, 0, 1, 1, 1, 1, 0, 0]).tensor("x", "FLOAT32", [1, 10, 10, 3])
        builder.operator("PAD", ["input", "pads"], ["x"])
    elif opcode == "QUANTIZE":
        builder.tensor("x", "INT8", [1, 8, 8, 3], scale=1 / 127.5, zero_point=-1)
        builder.operator("QUANTIZE", ["input"], ["x"])
    else:
        builder.tensor("c", "FLOAT32", [1], data=[1 / 127.5]).tensor("x", "FLOAT32", [1, 8, 8, 3])
        builder.operator(opcode, ["input", "c"], ["x"], {"fused_activation_function": "NONE"})
    return "x"


def _add_weights(builder: ModelBuilder, kind: str, weights: np.ndarray) -> None:
    shape = list(weights.shape)
    if kind == "float32":
        builder.tensor("weights", "FLOAT32", shape, data=weights.reshape(-1).tolist())
    elif kind == "float16":
        builder.tensor("half", "FLOAT16", shape, data=weights.astype("<f2").tobytes())
        builder.tensor("weights", "FLOAT32", shape).operator("DEQUANTIZE", ["half"], ["weights"])
    else:
        _add_integers(builder, kind, weights, shape)


def _add_integers(builder: ModelBuilder, kind: str, weights: np.ndarray, shape: list[int]) -> None:
    if kind == "uint8":
        scale = (weights.max() - weights.min()) / 255
        zero = round(-weights.min() / scale)
        data = np.clip(np.round(weights / scale) + zero, 0, 255).astype(np.uint8)
        builder.tensor("weights", "UINT8", shape, data=data.tobytes(), scale=scale, zero_point=zero)
        return
    axes = (1, 2, 3) if kind == "int8 per channel" else None
    scales = np.abs(weights).max(axis=axes, keepdims=True) / 127
    data = np.round(weights / scales).astype(np.int8)
    builder.tensor("weights", "INT8", shape, data=data.tobytes(), scale=scales.reshape(-1).tolist())


def known(content: bytes) -> tuple[str | None, str | None]:
    facts = facts_of(content)
    (name,), (normalization,) = rows(facts, "input", "known_layer"), rows(facts, "input", "known_normalization")
    return name, normalization


@pytest.mark.parametrize("kind", ["float32", "float16", "int8 per channel", "int8 per tensor", "uint8"])
def test_a_first_layer_is_known_in_each_type(kind: str) -> None:
    assert known(model(kind)) == ("Planted", "x/127.5 − 1")


@pytest.mark.parametrize("before", ["PAD", "QUANTIZE"])
def test_a_first_layer_is_known_behind_operators_that_keep_values(before: str) -> None:
    assert known(model(before=before)) == ("Planted", "x/127.5 − 1")


@pytest.mark.parametrize("before", ["MUL", "SUB"])
def test_client_code_need_not_normalize_for_a_known_layer_if_the_graph_does(before: str) -> None:
    assert known(model(before=before)) == ("Planted", None)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(WEIGHTS / 127.5, id="normalization folded into the weights"),
        pytest.param(WEIGHTS * 2, id="range of 0 to 1 folded into the weights"),
        pytest.param(WEIGHTS[..., ::-1], id="BGR"),
        pytest.param(WEIGHTS[::-1], id="other order of outputs"),
        pytest.param(WEIGHTS + np.random.default_rng(1).normal(size=SHAPE) * 0.25, id="trained further"),
        pytest.param(np.random.default_rng(2).normal(size=SHAPE), id="random"),
        pytest.param(np.zeros(SHAPE), id="zeros"),
        pytest.param(np.full(SHAPE, np.nan), id="nan"),
        pytest.param(np.full(SHAPE, 3e38), id="huge"),
        pytest.param(WEIGHTS[:4], id="fewer outputs"),
    ],
)
def test_another_first_layer_is_unknown(weights: np.ndarray) -> None:
    assert known(model(weights=weights)) == (None, None)


@pytest.mark.parametrize(("scales", "axis"), [(3, 0), (8, 1), (8, 9), (8, -1), (216, 0)])
def test_weights_with_scales_that_do_not_fit_are_not_read(scales: int, axis: int) -> None:
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 8, 8, 3]).tensor("output", "FLOAT32", [1, 6, 6, 8])
    builder.tensor("weights", "INT8", SHAPE, data=[1] * 216, scale=[0.1] * scales, axis=axis)
    builder.operator("CONV_2D", ["input", "weights", None], ["output"], CONVOLUTION)
    assert known(builder.inputs("input").outputs("output").build()) == (None, None)


def test_weights_of_a_shape_that_is_not_in_the_tables_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_layers, "constant_values", lambda *_: pytest.fail("read the weights"))
    assert known(model(weights=WEIGHTS[:, :2])) == (None, None)


# -- rules -------------------------------------------------------------------------------------------------------------

NOTE = "; the first layer is that of Planted, which expects x/127.5 − 1"


def report_of(content: bytes, keys: str, *rules: str) -> tuple[list[str], list[str]]:
    """Return the messages of the findings and the rules that were not checked."""
    contract = parse_contract(f"[[inputs]]\nkind = 'image'\nchannels = 'RGB'\n{keys}\n", "m.contract.toml")
    report = check(content, contract=contract, config=Config(select=rules))
    messages = [finding.message for finding in report.findings()]
    return messages, [entry.rule for file in report.files for entry in file.not_checked]


def test_raw_pixels_for_a_known_layer_name_its_network() -> None:
    messages, _ = report_of(model(), "mean = 0\nstd = 1\nunits = 'u8'", "P003", "P118")
    assert messages == [f"the contract feeds 0 … 255 to a float input, but the graph does not rescale it first{NOTE}"]


@pytest.mark.parametrize(
    ("keys", "is_mismatch"),
    [
        ("mean = 127.5\nstd = 127.5\nunits = 'u8'", False),
        ("mean = 128\nstd = 128\nunits = 'u8'", False),
        ("mean = 127.5\nstd = 127.5\nunits = 'u8'\nrange = [16, 235]", False),
        ("mean = 0\nstd = 255\nunits = 'u8'", True),
        ("mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\nunits = 'unit'", True),
    ],
)
def test_the_range_fed_to_a_known_layer_is_checked(keys: str, is_mismatch: bool) -> None:
    messages, not_checked = report_of(model(), keys, "P003", "P118")
    assert [message.endswith(NOTE) for message in messages] == [True] * is_mismatch
    assert not_checked == []  # without a known layer, P003 cannot be checked


def test_the_range_fed_to_an_unknown_layer_is_not_checked() -> None:
    weights = np.random.default_rng(2).normal(size=SHAPE)
    keys = "mean = 0\nstd = 255\nunits = 'u8'"
    assert report_of(model(weights=weights), keys, "P003", "P118") == ([], ["P003"])


def test_a_calibrated_range_that_differs_names_the_known_layer() -> None:
    content = model(before="QUANTIZE")
    (message,), _ = report_of(content, "mean = 0\nstd = 1\nunits = 'u8'", "P001", "P003", "P118")
    assert "known normalizations with this scale and zero point: [x/127.5 − 1])" in message
    assert message.endswith(NOTE)


# -- real models -------------------------------------------------------------------------------------------------------

#: All real models whose first layer is known: the start of the layer's name, by the name of the file.
REAL = {
    "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite": "SSD MobileNet v1",
    "deeplabv3.tflite": "DeepLab v3 MobileNet v2 0.5",
    "deeplabv3_mnv2_dm05_pascal_quant.tflite": "DeepLab v3 MobileNet v2 0.5",
    "deeplabv3_mnv2_pascal_quant.tflite": "DeepLab v3 MobileNet v2 1.0",
    "mobilenet_v1_0.25_128.tflite": "MobileNet v1 0.25 (128)",
    "mobilenet_v1_0.25_128_quant.tflite": "MobileNet v1 0.25 (128, uint8)",
    "mobilenet_v1_0.25_224_1_default_1.tflite": "MobileNet v1 0.25 (224)",
    "mobilenet_v1_0.25_224_1_metadata_1.tflite": "MobileNet v1 0.25 (224)",
    "mobilenet_v1_0.25_224_quant.tflite": "MobileNet v1 0.25 (224, uint8)",
    "mobilenet_v1_0.25_224_quant_without_subgraph_metadata.tflite": "MobileNet v1 0.25 (224, uint8)",
    "mobilenet_v1_0.5_160_quant.tflite": "MobileNet v1 0.5",
    "movenet_single_pose_lightning_ptq.tflite": "MoveNet Lightning",
    "posenet_mobilenet_v1_075_353_481_16_quant_decoder.tflite": "PoseNet MobileNet v1 0.75",
    "tf2_mobilenet_v2_1.0_224_ptq.tflite": "MobileNet v2 1.0 (224, Keras)",
}


@needs_corpus
def test_no_real_model_is_taken_for_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tables.known_layers.cache_clear()
    found: list[tuple[str, str]] = []
    for path in model_paths():
        loaded = load(path)
        if loaded.is_readable:
            names = rows(Facts(loaded.tables), "input", "known_layer")
            found += [(path.name, name) for name in names if name is not None]
    assert {file for file, _ in found} == set(REAL)
    assert all(name.startswith(REAL[file]) for file, name in found)


@needs_corpus
def test_a_float_model_with_the_weights_of_an_int8_model_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tables.known_layers.cache_clear()
    (path,) = (CORPUS / "models").rglob("deeplabv3_mnv2_dm05_pascal_quant.tflite")
    assert known(path.read_bytes())[1] == "x/127.5 − 1"
