"""Test golden samples of a trained classifier: R110 names the one wrong key of a contract, and never a right key."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.converter import FOLDER
from tests.helpers.converter.shape_images import LABELS, draw_image, draw_images
from tflint.api import check
from tflint.confirm import ConfirmOptions
from tflint.findings import Finding
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.recipe.recipe_search import load_recipe

interpreters = pytest.importorskip("ai_edge_litert.interpreter")
pillow = pytest.importorskip("PIL.Image")

FLOAT, INT8, UINT8 = "classifier_float32", "classifier_int8", "classifier_uint8_border"
SIGNED_INT8 = "classifier_signed_int8"
ALL = (FLOAT, INT8, UINT8, SIGNED_INT8)

IMAGENET = {"mean": "[0.485, 0.456, 0.406]", "std": "[0.229, 0.224, 0.225]", "units": '"unit"'}
IMAGENET_BGR = {"mean": "[0.406, 0.456, 0.485]", "std": "[0.225, 0.224, 0.229]", "units": '"unit"'}
SIGNED = {"mean": "127.5", "std": "127.5", "units": '"u8"'}
UNIT = {"mean": "0", "std": "1", "units": '"unit"'}
RAW = {"mean": "0", "std": "1", "units": '"u8"'}

#: The preprocessing with which the classifiers were trained, except for the normalization.
TRAINING = {
    "layout": '"NHWC"',
    "channels": '"RGB"',
    "resize.mode": '"letterbox"',
    "resize.kernel": '"bilinear"',
    "resize.antialias": "false",
    "resize.size": "[32, 32]",
    "padding.value": "0",
}
#: Heights and widths of the golden images.
SIZES = ((48, 64), (64, 40), (50, 72))

Keys = dict[str, str]
#: By name: the changed keys of the right contract, those of the wrong one, and the wrong key.
Cases = dict[str, tuple[Keys, Keys, str]]


def keys_of(model: str, changes: Keys) -> Keys:
    """The contract of a model's training with changed keys; an empty value removes a key."""
    keys = {**(SIGNED if model == SIGNED_INT8 else IMAGENET), **TRAINING, **changes}
    return {key: value for key, value in keys.items() if value}


def contract_text(keys: Keys) -> str:
    lines = ["[[inputs]]", 'kind = "image"', *(f"{key} = {value}" for key, value in keys.items())]
    return "\n".join([*lines, ""])


@functools.cache
def golden_images(sizes: Sequence[tuple[int, int]] = SIZES) -> list[np.ndarray]:
    generator = np.random.default_rng(41)
    return [draw_image(generator, number, *size) for number, size in enumerate(sizes)]


def gray_images() -> list[np.ndarray]:
    return [np.repeat(image.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) for image in golden_images()]


class Golden:
    """A folder with a model, images, and the outputs of a model on these images with the preprocessing of `keys`."""

    def __init__(self, folder: Path, recorded_by: str, keys: Keys, images: Sequence[np.ndarray] = ()) -> None:
        self.folder = folder
        self.images = list(images) or golden_images()
        for number, image in enumerate(self.images):
            pillow.fromarray(image).save(folder / f"{number}.png")
        for number, output in enumerate(outputs_of(folder, recorded_by, keys, self.images)):
            np.save(folder / f"{number}.npy", output)

    def check(self, model: str, keys: Keys, tolerance: str = "") -> list[Finding]:
        """Check a model with a contract and the golden samples; return the findings of R109 and R110."""
        (findings,) = findings_in(self.write(model, keys, tolerance)).values()
        return findings

    def write(self, model: str, keys: Keys, tolerance: str = "") -> Path:
        """Write the model and a contract with the golden samples; return the path of the model."""
        samples = [
            f'\n[[golden]]\ninputs = ["{number}.png"]\noutputs = ["{number}.npy"]\n{tolerance}\n'
            for number in range(len(self.images))
        ]
        return place(self.folder, model, contract_text(keys) + "".join(samples))


def findings_in(*models: Path) -> dict[str, list[Finding]]:
    """Run all models in one child; return the findings of R109 and R110 by the name of the model's folder."""
    report = check(models, confirm=ConfirmOptions())
    assert report.confirmation is not None and report.confirmation.n_runs == len(models)
    return {
        Path(file.path).parent.name: [finding for finding in file.findings if finding.rule in ("R109", "R110")]
        for file in report.files
        if file.kind == "contract"
    }


def place(folder: Path, model: str, contract: str) -> Path:
    path = folder / "model.tflite"
    shutil.copy(FOLDER / "models" / f"{model}.tflite", path)
    (folder / "model.contract.toml").write_text(contract, encoding="utf-8")
    return path


def input_of(folder: Path, image: np.ndarray) -> np.ndarray:
    """The input for an image, by the printed code of the recipe in a folder."""
    code: dict[str, Any] = {}
    exec(numpy_code(load_recipe(str(folder / "model.tflite"))[0]), code)
    return code["input_0"](image)


def outputs_of(folder: Path, model: str, keys: Keys, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model, dequantized, with the printed code of a contract's recipe."""
    path = place(folder, model, contract_text(keys))
    interpreter = interpreters.Interpreter(str(path))
    interpreter.allocate_tensors()
    (taken,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = made["quantization"]
    outputs = []
    for image in images:
        interpreter.set_tensor(taken["index"], input_of(folder, image).reshape(taken["shape"]))
        interpreter.invoke()
        values = interpreter.get_tensor(made["index"])
        outputs.append((np.float32(scale) * (values.astype(np.float32) - zero_point)) if scale else values)
    return outputs


# -- wrong contracts ---------------------------------------------------------------------------------------------------

CHANNELS = {"channels": '"BGR"'}
WRONG: Cases = {
    "channels": ({}, CHANNELS, "channels"),
    "mean -1 to 1": ({}, SIGNED, "mean"),
    "mean 0 to 1": ({}, UNIT, "mean"),
    "mean raw": ({}, RAW, "mean"),
    "mean in the order of BGR": ({}, IMAGENET_BGR, "mean"),
    "mode stretch": ({}, {"resize.mode": '"stretch"'}, "resize.mode"),
    "mode cover": ({}, {"resize.mode": '"cover"'}, "resize.mode"),
    "kernel nearest": ({}, {"resize.kernel": '"nearest"'}, "resize.kernel"),
    "layout": ({}, {"layout": '"NCHW"'}, "layout"),
}
WRONG_FLOAT: Cases = {
    "BGR with its mean": (CHANNELS | IMAGENET_BGR, IMAGENET, "channels"),
    "mean of ImageNet": (SIGNED, IMAGENET, "mean"),
    "mean 0 to 1 for -1 to 1": (SIGNED, UNIT, "mean"),
    "std": (SIGNED, SIGNED | {"std": "1"}, "std"),
    "units": (UNIT, RAW, "units"),
    "mode letterbox": ({"resize.mode": '"stretch"'}, {}, "resize.mode"),
    "mode stretch for cover": ({"resize.mode": '"cover"'}, {"resize.mode": '"stretch"'}, "resize.mode"),
    "mode stretch for gray letterbox": (
        {"padding.value": "114"},
        {"resize.mode": '"stretch"', "padding.value": ""},
        "resize.mode",
    ),
    "antialias": ({}, {"resize.antialias": "true"}, "resize.antialias"),
    "padding": ({}, {"padding.value": "114"}, "padding.value"),
    "kernel bilinear": ({"resize.kernel": '"nearest"'}, {}, "resize.kernel"),
}
FEED_RAW = {"feed": '"raw"'}
WRONG_INT: Cases = {
    "feed raw": ({"feed": '"fold"'}, FEED_RAW, "feed"),
    "feed fold": (FEED_RAW, {"feed": '"fold"'}, "feed"),
    "channels of a raw feed": (FEED_RAW, FEED_RAW | CHANNELS, "channels"),
    "cast": ({}, {"cast": '"uint8"'}, "cast"),
}
CASES = {
    FLOAT: WRONG | WRONG_FLOAT,
    INT8: WRONG | WRONG_INT,
    UINT8: WRONG | WRONG_INT,
    SIGNED_INT8: {"mean of ImageNet": ({}, IMAGENET, "mean")},
}


def named_key(findings: Sequence[Finding]) -> str:
    """The key that R110 names; the message has both errors, and the changed one is clearly smaller."""
    (finding,) = [finding for finding in findings if finding.rule == "R110"]
    key = finding.location.path.removeprefix("inputs[0].")
    figures = re.search(r"the mean difference falls from (\S+) to (\S+) \(", finding.message)
    assert figures is not None
    declared, changed = map(float, figures.groups())
    assert changed < 0.45 * declared
    assert f"with {key} = " in finding.message
    return key


def check_wrong(
    folder: Path, recorded_by: str, model: str, cases: Cases, images: Sequence[np.ndarray], tolerance: str = ""
) -> None:
    """Check that each wrong contract of a model gets one finding, with outputs that a model recorded."""
    models = []
    for name, (right, wrong, _) in cases.items():
        (folder / name).mkdir()
        golden = Golden(folder / name, recorded_by, keys_of(recorded_by, right), images)
        models.append(golden.write(model, keys_of(model, wrong), tolerance))
    named = {name: named_key(findings) for name, findings in findings_in(*models).items()}
    assert named == {name: key for name, (_, _, key) in cases.items()}


@pytest.mark.parametrize("model", ALL)
def test_the_wrong_key_is_named(tmp_path, model):
    check_wrong(tmp_path, model, model, CASES[model], golden_images())


def test_the_wrong_key_is_named_for_outputs_of_the_float_model(tmp_path):
    check_wrong(tmp_path, FLOAT, INT8, WRONG, golden_images(SIZES * 2), "cosine = 0.9999")


def test_a_wrong_key_is_named_even_within_a_loose_tolerance(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}))
    findings = golden.check(INT8, keys_of(INT8, CHANNELS), "top-k = 6")
    assert [finding.rule for finding in findings] == ["R110"]
    assert named_key(findings) == "channels"


def test_the_message_names_a_second_key_that_explains_the_samples_as_well(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}), gray_images())
    findings = golden.check(FLOAT, keys_of(FLOAT, IMAGENET_BGR))
    assert named_key(findings) == "mean"
    assert "units = unit or channels = BGR with mean and std in this order than" in findings[-1].message


# -- right contracts ---------------------------------------------------------------------------------------------------

RIGHT: dict[str, Keys] = {
    "training": {},
    "nearest": {"resize.kernel": '"nearest"'},
    "stretch": {"resize.mode": '"stretch"'},
    "cover": {"resize.mode": '"cover"'},
    "other numbers": {"mean": "[123.675, 116.28, 103.53]", "std": "[58.395, 57.12, 57.375]", "units": '"u8"'},
}


@pytest.mark.parametrize("model", ALL)
def test_the_right_contract_is_not_accused(tmp_path, model):
    contracts = RIGHT if model == FLOAT else RIGHT | {"raw": FEED_RAW}
    models = []
    for name, changes in contracts.items():
        (tmp_path / name).mkdir()
        keys = keys_of(model, changes)
        models.append(Golden(tmp_path / name, model, keys).write(model, keys))
    assert findings_in(*models) == {name: [] for name in contracts}


@pytest.mark.parametrize("tolerance", ["cosine = 0.99", "top-k = 1", "atol = 0.1"])
def test_the_right_contract_is_not_accused_for_outputs_of_the_float_model(tmp_path, tolerance):
    models = []
    for model in (INT8, UINT8):
        (tmp_path / model).mkdir()
        golden = Golden(tmp_path / model, FLOAT, keys_of(FLOAT, {}))
        models.append(golden.write(model, keys_of(model, {}), tolerance))
    assert findings_in(*models) == {INT8: [], UINT8: []}


@pytest.mark.parametrize("n_images", [1, 2, 3])
def test_quantization_noise_beyond_the_tolerance_accuses_no_key(tmp_path, n_images):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}), golden_images()[:n_images])
    findings = golden.check(INT8, keys_of(INT8, {}))
    assert {finding.rule for finding in findings} == {"R109"}


# -- ambiguous cases ---------------------------------------------------------------------------------------------------


def test_resize_keys_do_not_matter_for_images_of_the_right_size(tmp_path):
    sizes = ((32, 32),) * 3
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}), golden_images(sizes))
    wrong = {"resize.mode": '"cover"', "resize.kernel": '"nearest"', "padding.value": "114"}
    assert golden.check(FLOAT, keys_of(FLOAT, wrong)) == []
    assert named_key(golden.check(FLOAT, keys_of(FLOAT, wrong | CHANNELS))) == "channels"


def test_a_contract_without_resize(tmp_path):
    sizes = ((32, 32),) * 3
    no_resize = {key: "" for key in TRAINING if key.startswith(("resize", "padding"))}
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, no_resize), golden_images(sizes))
    assert golden.check(FLOAT, keys_of(FLOAT, no_resize)) == []
    assert named_key(golden.check(FLOAT, keys_of(FLOAT, no_resize | SIGNED))) == "mean"


def test_images_that_the_contract_cannot_preprocess_accuse_no_key(tmp_path):
    no_resize = {key: "" for key in TRAINING if key.startswith(("resize", "padding"))}
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}))
    assert golden.check(FLOAT, keys_of(FLOAT, no_resize | CHANNELS)) == []


def test_gray_images_do_not_show_the_order_of_channels(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, SIGNED), gray_images())
    assert golden.check(FLOAT, keys_of(FLOAT, SIGNED | CHANNELS)) == []


def test_a_key_that_the_contract_leaves_out_is_reported_as_a_default(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {"resize.kernel": '"nearest"'}))
    left_out = keys_of(FLOAT, {"resize.kernel": ""})
    (finding,) = [finding for finding in golden.check(FLOAT, left_out) if finding.rule == "R110"]
    assert finding.location.path == "inputs[0]"
    assert "with resize.kernel = nearest than with the contract's default bilinear" in finding.message
    assert golden.check(FLOAT, left_out, "top-k = 6") == []


def test_outputs_of_a_different_shape_accuse_no_key(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}))
    for number in range(len(SIZES)):
        np.save(tmp_path / f"{number}.npy", np.zeros((1, 7), np.float32))
    assert {finding.rule for finding in golden.check(FLOAT, keys_of(FLOAT, {}))} == {"R109"}


def test_outputs_that_no_preprocessing_explains_accuse_no_key(tmp_path):
    golden = Golden(tmp_path, FLOAT, keys_of(FLOAT, {}))
    for number in range(len(SIZES)):
        np.save(tmp_path / f"{number}.npy", np.roll(np.load(tmp_path / f"{number}.npy"), 1))
    assert {finding.rule for finding in golden.check(FLOAT, keys_of(FLOAT, {}))} == {"R109"}


def test_arrays_of_pixels_count_as_images_but_not_those_in_the_shape_of_the_input(tmp_path):
    sizes = ((48, 64), (32, 32), (50, 72))
    keys = keys_of(UINT8, {})
    golden = Golden(tmp_path, UINT8, keys, golden_images(sizes))
    for number, image in enumerate(golden.images):
        (tmp_path / f"{number}.png").unlink()
        np.save(tmp_path / f"pixels{number}.npy", image)
    place(tmp_path, UINT8, contract_text(keys))
    np.save(tmp_path / "pixels1.npy", input_of(tmp_path, golden.images[1])[0])
    text = golden.write(UINT8, keys | CHANNELS).with_name("model.contract.toml")
    text.write_text(re.sub(r"(\d)\.png", r"pixels\1.npy", text.read_text("utf-8")), "utf-8")
    (findings,) = findings_in(tmp_path / "model.tflite").values()
    assert [finding.location.path for finding in findings] == ["golden[0]", "golden[2]", "inputs[0].channels"]
    assert "(2 samples, " in findings[-1].message


# -- the classifier ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ALL)
def test_the_classifier_is_accurate(tmp_path, model):
    drawn, labels = zip(*draw_images(3, 120), strict=True)
    outputs = outputs_of(tmp_path, model, keys_of(model, {}), drawn)
    assert np.shape(outputs) == (120, 1, len(LABELS))
    assert np.mean(np.argmax(outputs, axis=2)[:, 0] == labels) >= 0.97
