"""Test importers: numbers match the formula of each ecosystem, and invalid input gives a clear error."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.corpus import CORPUS, needs_corpus
from tflint.errors import MissingExtraError, UserError
from tflint.preprocessing.importers import ECOSYSTEMS, Imported, import_preprocessing
from tflint.preprocessing.importers import protobuf as wire
from tflint.resources import json_schema, named_model_path, table

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.float64)
CONTRACT = jsonschema.Draft202012Validator(json_schema("contract"))
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def write(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def imported(ecosystem: str, source: str | Path) -> Imported:
    """What an import gives, of which a contract can be made."""
    return in_order(ecosystem, import_preprocessing(ecosystem, str(source)))


def in_order(ecosystem: str, made: Imported) -> Imported:
    """What was imported, after a look at its form."""
    data = {"inputs": list(made.inputs), "outputs": list(made.outputs)}
    CONTRACT.validate(json.loads(json.dumps(data)))
    for side in data.values():
        keys = [entry.get("name", entry.get("index")) for entry in side]
        assert len(side) == 1 or (None not in keys and len(set(keys)) == len(keys))
    assert made.source.startswith(ecosystem)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in made.notes)
    return made


def only(ecosystem: str, source: str | Path) -> Mapping[str, Any]:
    [entry] = imported(ecosystem, source).inputs
    return entry


def fails(ecosystem: str, source: str | Path, *said: str) -> None:
    with pytest.raises(UserError) as caught:
        import_preprocessing(ecosystem, str(source))
    for part in said:
        assert part in str(caught.value)


def fed(entry: Mapping[str, Any], pixels: np.ndarray = PIXELS) -> np.ndarray:
    """What a contract's caller hands over for pixels in RGB."""
    value = pixels[..., ::-1] if entry["channels"] == "BGR" else pixels
    value = value / 255 if entry["units"] == "unit" else value
    return (value - np.array(entry["mean"])) / np.array(entry["std"])


def test_all_ecosystems_can_be_asked_for() -> None:
    for ecosystem in ECOSYSTEMS:
        fails(ecosystem, "", "the path is empty")
        fails(ecosystem, "no/such/thing")
        fails(ecosystem, "x" * 5000, "too long")
        fails(ecosystem, "a\0b")
    fails("kreas", "x", "unknown ecosystem 'kreas'", "did you mean 'keras'?")


# -- Hugging Face ------------------------------------------------------------------------------------------------------

VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.5, 0.25, 0.125],
    "image_processor_type": "ViTImageProcessor",
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 192},
}
CLIP = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 230},
    "image_processor_type": "CLIPImageProcessorFast",
}


def huggingface(folder: Path, config: Any, name: str = "preprocessor_config.json") -> Mapping[str, Any]:
    return only("huggingface", write(folder, name, config))


def preprocessed(config: Mapping[str, Any]) -> np.ndarray:
    """Rescale and normalize, as the library's processors do them."""
    value = PIXELS * config["rescale_factor"] if config["do_rescale"] else PIXELS
    if config["do_normalize"]:
        value = (value - np.array(config["image_mean"])) / np.array(config["image_std"])
    return value


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"rescale_factor": 1 / 127.5},
        {"rescale_factor": 0.003921},
        {"do_rescale": False, "image_mean": [123.0, 117.0, 104.0], "image_std": 58.0},
        {"do_normalize": False},
        {"do_normalize": False, "do_rescale": False},
        {"image_mean": 0.5, "image_std": 0.5},
    ],
)
def test_huggingface_arithmetic(tmp_path: Path, change: Mapping[str, Any]) -> None:
    config = VIT | change | {"do_convert_rgb": True}
    np.testing.assert_allclose(fed(huggingface(tmp_path, config)), preprocessed(config), rtol=1e-12, atol=1e-12)


def test_huggingface_keeps_units_as_they_are_written(tmp_path: Path) -> None:
    entry = huggingface(tmp_path, VIT)
    assert (entry["mean"], entry["std"], entry["units"]) == ([0.5, 0.4, 0.3], [0.5, 0.25, 0.125], "unit")
    assert entry["resize"] == {
        "mode": "stretch",
        "size": [224, 192],
        "kernel": "bilinear",
        "antialias": True,
        "coordinates": "half-pixel",
    }
    assert entry["channels"] == "RGB"
    assert "crop" not in entry


def test_huggingface_shorter_side_and_crop(tmp_path: Path) -> None:
    entry = huggingface(tmp_path, CLIP)
    assert (entry["resize"]["mode"], entry["resize"]["size"], entry["resize"]["kernel"]) == ("cover", 230, "bicubic")
    assert entry["crop"] == {"mode": "center", "size": [224, 224]}


@pytest.mark.parametrize(
    ("number", "kernel"), list(enumerate(("nearest", "lanczos", "bilinear", "bicubic", "area", None)))
)
def test_huggingface_kernels_are_pils_numbers(tmp_path: Path, number: int, kernel: str | None) -> None:
    resize = huggingface(tmp_path, VIT | {"resample": number})["resize"]
    assert resize.get("kernel") == kernel
    assert resize.get("antialias") == (None if kernel is None else number != 0)


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("ViTFeatureExtractor", 224, {"mode": "stretch", "size": [224, 224]}),
        ("CLIPFeatureExtractor", 224, {"mode": "cover", "size": 224}),
        ("OtherFeatureExtractor", 224, None),
        ("OtherFeatureExtractor", [200, 100], {"mode": "stretch", "size": [200, 100]}),
        ("DetrImageProcessor", {"shortest_edge": 800, "longest_edge": 1333}, None),
        ("LevitImageProcessor", {"shortest_edge": 224}, None),
    ],
)
def test_huggingface_sizes_of_older_files(tmp_path: Path, kind: str, size: Any, expected: Any) -> None:
    config = {key: value for key, value in CLIP.items() if key != "image_processor_type"}
    path = write(tmp_path, "preprocessor_config.json", config | {"size": size, "feature_extractor_type": kind})
    made = imported("huggingface", path)
    resize = made.inputs[0].get("resize")
    assert (resize and {key: resize[key] for key in ("mode", "size")}) == expected
    assert (expected is None) == any("size" in sentence or "sides" in sentence for sentence in made.notes)


def test_huggingface_shorter_side_without_a_crop_has_no_word(tmp_path: Path) -> None:
    made = imported("huggingface", write(tmp_path, "p.json", CLIP | {"do_center_crop": False}))
    assert "resize" not in made.inputs[0]
    assert made.inputs[0]["crop"] == {"mode": "none"}
    assert "The shorter side is resized to 230 without a crop: the size depends on the image." in made.notes


def test_huggingface_crop_that_is_larger(tmp_path: Path) -> None:
    made = imported("huggingface", write(tmp_path, "p.json", CLIP | {"crop_size": 256}))
    assert made.inputs[0]["crop"]["size"] == [256, 256]
    assert any("filled with black" in sentence for sentence in made.notes)


def test_huggingface_no_resize(tmp_path: Path) -> None:
    assert huggingface(tmp_path, VIT | {"do_resize": False})["resize"] == {"mode": "none"}


@pytest.mark.parametrize(("side", "mode", "size"), [(224, "cover", int(224 / 0.875)), (384, "stretch", [384, 384])])
def test_huggingface_convnext_crops_by_share(tmp_path: Path, side: int, mode: str, size: Any) -> None:
    config = VIT | {
        "image_processor_type": "ConvNextImageProcessor",
        "crop_pct": 0.875,
        "size": {"shortest_edge": side},
    }
    entry = huggingface(tmp_path, config)
    assert (entry["resize"]["mode"], entry["resize"]["size"]) == (mode, size)
    assert entry.get("crop") == ({"mode": "center", "size": [side, side]} if mode == "cover" else None)


def test_huggingface_efficientnet_offsets_and_divides_twice(tmp_path: Path) -> None:
    config = VIT | {
        "image_processor_type": "EfficientNetImageProcessor",
        "rescale_offset": True,
        "rescale_factor": 1 / 127.5,
        "include_top": True,
    }
    value = (PIXELS / 127.5 - 1 - np.array(VIT["image_mean"])) / np.array(VIT["image_std"])
    expected = value / np.array(VIT["image_std"])
    np.testing.assert_allclose(fed(huggingface(tmp_path, config)), expected, rtol=1e-12, atol=1e-12)
    expected = (PIXELS / 127.5 - 1) / np.array(VIT["image_std"])
    np.testing.assert_allclose(
        fed(huggingface(tmp_path, config | {"do_normalize": False, "do_convert_rgb": True})), expected, atol=1e-12
    )


def test_huggingface_flipped_channels(tmp_path: Path) -> None:
    entry = huggingface(tmp_path, VIT | {"do_flip_channel_order": True})
    assert entry["channels"] == "BGR"
    np.testing.assert_allclose(fed(entry), preprocessed(VIT)[..., ::-1], atol=1e-12)


def test_huggingface_unknown_keys_are_said(tmp_path: Path) -> None:
    made = imported("huggingface", write(tmp_path, "p.json", VIT | {"do_sharpen": 3, "nothing": None, "many": [1, 2]}))
    assert "'do_sharpen' (3) has no contract key." in made.notes
    assert "'many' (a list of 2 entries) has no contract key." in made.notes
    assert not any("nothing' (" in sentence for sentence in made.notes)
    many = imported("huggingface", write(tmp_path, "p.json", VIT | {f"key{k}": k for k in range(1000)}))
    assert "950 more keys have no contract key." in many.notes


def test_huggingface_says_what_the_file_leaves_to_the_class(tmp_path: Path) -> None:
    made = imported("huggingface", write(tmp_path, "p.json", {"do_resize": True, "do_normalize": True}))
    assert set(made.inputs[0]) == {"kind"}
    for key in ("resample", "(size)", "image_mean", "channel order"):
        assert any(key in sentence for sentence in made.notes), key
    old = {key: value for key, value in VIT.items() if key not in ("do_rescale", "rescale_factor")}
    made = imported("huggingface", write(tmp_path, "p.json", old))
    assert made.inputs[0]["units"] == "unit"
    assert any("does not specify do_rescale" in sentence for sentence in made.notes)


def test_huggingface_sound(tmp_path: Path) -> None:
    whisper = {
        "chunk_length": 30,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 480000,
        "nb_max_frames": 3000,
        "padding_side": "right",
        "sampling_rate": 16000,
    }
    made = imported("huggingface", write(tmp_path, "preprocessor_config.json", whisper))
    assert made.inputs[0]["audio"] == {
        "sample-rate": 16000,
        "features": "log-mel",
        "low": 0,
        "high": 8000,
        "mel-bins": 80,
        "window": 400 / 16000,
        "hop": 160 / 16000,
        "duration": 30,
        "frames": 3000,
    }
    assert made.inputs[0]["audio"]["frames"] * made.inputs[0]["audio"]["hop"] == pytest.approx(30)
    assert any("padding_side" in sentence for sentence in made.notes)
    wav2vec = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": 16000}
    entry = huggingface(tmp_path, wav2vec | {"do_normalize": True})
    assert entry["audio"] == {"sample-rate": 16000, "features": "waveform", "channels": 1}
    entry = huggingface(tmp_path, {"feature_extractor_type": "NewOne", "sampling_rate": 8000})
    assert entry["audio"] == {"sample-rate": 8000}


def test_huggingface_text(tmp_path: Path) -> None:
    config = {
        "tokenizer_class": "BertTokenizer",
        "padding_side": "right",
        "model_max_length": 512,
        "cls_token": "[CLS]",
        "pad_token": {"content": "[PAD]", "lstrip": False},
        "mask_token": "[NOT THERE]",
        "added_tokens_decoder": {"0": {"content": "[PAD]"}, "101": {"content": "[CLS]"}},
        "do_lower_case": True,
    }
    made = imported("huggingface", write(tmp_path, "tokenizer_config.json", config))
    [entry] = made.inputs
    assert entry["tokens"] == {"role": "ids", "padding-side": "right", "special": {"cls_token": 101, "pad_token": 0}}
    assert any("512" in sentence for sentence in made.notes)
    assert any("do_lower_case" in sentence for sentence in made.notes)


def test_huggingface_folder_and_parts(tmp_path: Path) -> None:
    audio = {"sampling_rate": 16000, "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    write(
        tmp_path, "processor_config.json", {"image_processor": VIT, "feature_extractor": audio, "image_seq_length": 4}
    )
    made = imported("huggingface", tmp_path)
    assert made.source == "huggingface processor_config.json"
    assert [(entry["index"], entry["kind"]) for entry in made.inputs] == [(0, "image"), (1, "audio")]
    fails("huggingface", tmp_path.parent / "none", "no such file")


def test_huggingface_audio_beyond_the_limits_of_a_contract(tmp_path: Path) -> None:
    audio = {"sampling_rate": 1_000_000_001, "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    source = write(tmp_path, "preprocessor_config.json", audio)
    fails("huggingface", source, "sampling_rate must be a number above 0, at most 1,000,000,000, not 1000000001")
    audio = {"sampling_rate": 16000, "feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 1e7}
    source = write(tmp_path, "preprocessor_config.json", audio)
    fails("huggingface", source, "chunk_length must be a number above 0, at most 1,000,000, not")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_mean": "x"}, "image_mean must be a number or a list of numbers, not 'x'"),
        ({"image_mean": []}, "image_mean"),
        ({"image_mean": [1, True]}, "image_mean"),
        ({"image_mean": [1, 2]}, "image_std must be a list of 2 numbers"),
        ({"image_std": [0.5, 0, 0.5]}, "image_std must hold numbers above 0, not 0"),
        ({"image_std": 10**400}, "image_std"),
        ({"resample": 6}, "resample must be one of PIL's numbers, 0 to 5, not 6"),
        ({"resample": 2.5}, "resample"),
        ({"do_resize": "yes"}, "do_resize must be true or false, not 'yes'"),
        ({"size": {"height": -1, "width": 3}}, "size.height must be an integer from 1"),
        ({"size": "big"}, "size must be"),
        ({"rescale_factor": 0}, "rescale_factor must be a number above 0"),
        ({"rescale_factor": 1e-300, "image_mean": [1e300, 0, 0]}, "rescale_factor"),
        ({"image_processor_type": 3}, "image_processor_type must be a string, not 3"),
    ],
)
def test_huggingface_wrong_values_are_named(tmp_path: Path, change: Mapping[str, Any], said: str) -> None:
    fails("huggingface", write(tmp_path, "preprocessor_config.json", VIT | change), "preprocessor_config.json: ", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not valid JSON"),
        ("[]", "the file must be a mapping of keys to values, not a list of 0 entries"),
        ("{}", "is not a processor configuration"),
        ('{"image_mean": NaN}', "NaN is not a JSON number"),
        ('{"do_resize": true, "do_resize": false}', "duplicate key 'do_resize'"),
        ('{"image_mean": 1e999}', "image_mean"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        (" " * (5 << 20), "is larger than"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b'{"a": "\xff"}', "not UTF-8"),
    ],
)
@pytest.mark.parametrize("ecosystem", ["huggingface", "timm", "keras", "ultralytics"])
def test_json_that_is_none(tmp_path: Path, ecosystem: str, text: str | bytes, said: str) -> None:
    path = write(tmp_path, "config.json", text)
    fails(ecosystem, path, *([said] if ecosystem == "huggingface" else []))


# -- timm --------------------------------------------------------------------------------------------------------------

TIMM = {
    "architecture": "resnet18",
    "num_classes": 37,
    "num_features": 512,
    "pretrained_cfg": {
        "tag": "a1_in1k",
        "input_size": [3, 224, 224],
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "crop_mode": "center",
        "mean": list(IMAGENET[0]),
        "std": list(IMAGENET[1]),
        "test_input_size": [3, 288, 288],
    },
}


def timm(folder: Path, **changes: Any) -> Mapping[str, Any]:
    config = TIMM | {"pretrained_cfg": {**TIMM["pretrained_cfg"], **changes}}
    return only("timm", write(folder, "config.json", config))


def test_timm_config(tmp_path: Path) -> None:
    entry = timm(tmp_path)
    assert entry["resize"]["size"] == math.floor(224 / 0.95) == 235
    assert entry["resize"]["mode"] == "cover"
    assert (entry["resize"]["kernel"], entry["resize"]["antialias"]) == ("bicubic", True)
    assert entry["crop"] == {"mode": "center", "size": [224, 224]}
    expected = (PIXELS / 255 - np.array(IMAGENET[0])) / np.array(IMAGENET[1])
    np.testing.assert_allclose(fed(entry), expected, rtol=1e-12)
    made = imported("timm", tmp_path)
    assert made.outputs == ({"kind": "class_scores", "activation": "logits", "labels": {"count": 37}},)
    assert any("288 × 288" in sentence for sentence in made.notes)


def test_timm_crop_modes(tmp_path: Path) -> None:
    squashed = timm(tmp_path, crop_mode="squash", crop_pct=0.9, input_size=[3, 256, 128])
    assert squashed["resize"]["mode"] == "stretch"
    assert squashed["resize"]["size"] == [math.floor(256 / 0.9), math.floor(128 / 0.9)]
    assert squashed["crop"]["size"] == [256, 128]
    bordered = timm(tmp_path, crop_mode="border", crop_pct=1.0)
    assert (bordered["resize"]["mode"], bordered["resize"]["size"]) == ("letterbox", [224, 224])
    assert bordered["padding"] == {"value": [round(255 * one) for one in IMAGENET[0]], "position": "center"}
    assert "crop" not in bordered
    oblong = timm(tmp_path, input_size=[3, 256, 128], crop_pct=1.0)
    assert (oblong["resize"]["mode"], oblong["resize"]["size"]) == ("cover", [256, 128])


def test_timm_defaults_are_said(tmp_path: Path) -> None:
    made = imported("timm", write(tmp_path, "cfg.json", {"input_size": [1, 32, 32]} | {"mean": 0.0, "std": [0.5]}))
    [entry] = made.inputs
    assert (entry["channels"], entry["mean"], entry["std"]) == ("GRAY", 0, 0.5)
    assert entry["resize"]["size"] == math.floor(32 / 0.875)
    assert "crop_pct is not in the configuration: timm's default is used." in made.notes
    assert made.outputs == ()


def test_timm_names() -> None:
    known = only("timm", "mobilenetv3_large_100.ra_in1k")
    assert known == only("timm", "timm/mobilenetv3_large_100.ra_in1k") == only("timm", "mobilenetv3_large_100")
    assert (known["resize"]["size"], known["resize"]["kernel"]) == (256, "bicubic")
    default = imported("timm", "resnet50")
    assert default.source == "timm resnet50.a1_in1k"
    assert default.notes[0].startswith("'resnet50' stands for its default weights, a1_in1k; ")
    fails("timm", "resnet50.a9_in1k", "did you mean 'resnet50.")
    fails("timm", "mobilenetv9_large_100", "did you mean 'mobilenetv")


def test_all_of_timms_table_can_be_imported() -> None:
    data = table("preprocessing_timm")
    for architecture, tags in data["models"].items():
        for tag in tags:
            imported("timm", f"{architecture}.{tag}")
    assert {number for tags in data["models"].values() for number in tags.values()} == set(range(len(data["configs"])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input_size": [224, 224]}, "pretrained_cfg.input_size must be a list of 3 integers above 0"),
        ({"interpolation": "cubic"}, "interpolation must be one of"),
        ({"crop_pct": "x"}, "crop_pct must be a number above 0, not 'x'"),
        ({"crop_pct": 1e-300}, "crop_pct must be a share"),
        ({"crop_mode": "corner"}, "crop_mode must be one of center, squash, border, not 'corner'"),
        ({"mean": [1, 2]}, "mean must be a list of 3 numbers"),
    ],
)
def test_timm_wrong_values_are_named(tmp_path: Path, change: Mapping[str, Any], said: str) -> None:
    config = TIMM | {"pretrained_cfg": {**TIMM["pretrained_cfg"], **change}}
    fails("timm", write(tmp_path, "config.json", config), "config.json: ", said)


# -- torchvision -------------------------------------------------------------------------------------------------------


def test_torchvision_weights() -> None:
    one, two = (only("torchvision", f"ResNet50_Weights.IMAGENET1K_V{version}") for version in (1, 2))
    assert [entry["resize"]["size"] for entry in (one, two)] == [256, 232]
    assert one["crop"] == two["crop"] == {"mode": "center", "size": [224, 224]}
    expected = (PIXELS / 255 - np.array(IMAGENET[0])) / np.array(IMAGENET[1])
    np.testing.assert_allclose(fed(one), expected, rtol=1e-12)
    assert only("torchvision", "resnet50") == only("torchvision", "ResNet50_Weights.DEFAULT") == two
    made = imported("torchvision", "resnet50")
    assert "IMAGENET1K_V2; IMAGENET1K_V1 need different preprocessing." in made.notes[0]
    assert made.outputs[0]["activation"] == "logits"
    large = only("torchvision", "EfficientNet_V2_L_Weights.IMAGENET1K_V1")
    np.testing.assert_allclose(fed(large), PIXELS / 127.5 - 1, atol=1e-12)


def test_torchvision_models_that_take_any_size() -> None:
    made = imported("torchvision", "deeplabv3_mobilenet_v3_large")
    assert "resize" not in made.inputs[0]
    assert any("520" in sentence for sentence in made.notes)
    np.testing.assert_allclose(fed(only("torchvision", "ssd300_vgg16")), PIXELS / 255, rtol=1e-12)


def test_all_of_torchvisions_table_can_be_imported() -> None:
    for key, known in table("preprocessing_torchvision")["classes"].items():
        for weight in known["weights"]:
            imported("torchvision", f"{key}.{weight}")
        assert imported("torchvision", known["model"]).source == f"torchvision {key}.{known['default']}"


def test_torchvision_unknown_names() -> None:
    fails("torchvision", "resnet5", "did you mean 'resnet5")
    fails("torchvision", "ResNet50_Weights.IMAGENET1K_V3", "did you mean 'ResNet50_Weights.IMAGENET1K_V")
    fails("torchvision", "model.pth", "ResNet50_Weights.IMAGENET1K_V1")


# -- Keras -------------------------------------------------------------------------------------------------------------


def caffe(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68])


MODES = {
    "tf": lambda pixels: pixels / 127.5 - 1,
    "torch": lambda pixels: (pixels / 255 - np.array(IMAGENET[0])) / np.array(IMAGENET[1]),
    "caffe": caffe,
    "identity": lambda pixels: pixels,
}


@pytest.mark.parametrize("mode", MODES)
def test_keras_modes(mode: str) -> None:
    np.testing.assert_allclose(fed(only("keras", mode)), MODES[mode](PIXELS), rtol=1e-12, atol=1e-12)
    for name, known in table("preprocessing_keras")["applications"].items():
        if known["mode"] == mode:
            entry = only("keras", name)
            np.testing.assert_allclose(fed(entry), MODES[mode](PIXELS), rtol=1e-12, atol=1e-12)
            assert entry["shape"] == [-1, known["size"] or -1, known["size"] or -1, 3]


def test_keras_names() -> None:
    assert only("keras", "mobilenet_v2") == only("keras", "keras.applications.MobileNetV2")
    made = imported("keras", "EfficientNetB0")
    assert any("the model itself rescales them" in sentence for sentence in made.notes)
    assert made.outputs[0]["activation"] == "softmax"
    fails("keras", "MobileNetV22", "did you mean 'MobileNetV2'?")


KERAS = {
    "module": "keras",
    "class_name": "Functional",
    "config": {
        "name": "functional",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_shape": [None, 96, 96, 3], "dtype": "float32", "name": "picture"},
                "name": "picture",
            },
            {"class_name": "Rescaling", "config": {"name": "rescaling", "scale": 0.00784, "offset": -1.0}},
            {
                "class_name": "Sequential",
                "config": {
                    "name": "inner",
                    "layers": [
                        {"class_name": "InputLayer", "config": {"batch_shape": [None, 96, 96, 3], "name": "again"}},
                        {
                            "class_name": "Normalization",
                            "config": {"name": "norm", "axis": -1, "mean": [1.0, 2.0, 3.0]},
                        },
                    ],
                },
            },
        ],
    },
}


def test_keras_saved_models_scale_inside(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("metadata.json", "{}")
        file.writestr("config.json", json.dumps(KERAS))
    made = imported("keras", path)
    assert made == imported("keras", path)
    assert made.inputs == ({"kind": "raw", "shape": [-1, 96, 96, 3], "dtype": "float32"},)
    assert any(
        "Rescaling 'rescaling'" in sentence and "scale 0.00784, offset -1.0" in sentence for sentence in made.notes
    )
    assert any("Normalization 'norm'" in sentence and "mean [1.0, 2.0, 3.0]" in sentence for sentence in made.notes)
    assert only("keras", write(tmp_path, "config.json", KERAS)) == made.inputs[0]


def test_keras_files_that_are_none(tmp_path: Path) -> None:
    fails("keras", write(tmp_path, "a.keras", b"PK\x05\x06"), "is not a .keras file")
    fails("keras", write(tmp_path, "a.h5", b"\x89HDF\r\n\x1a\n"), "is not a .keras file")
    fails("keras", write(tmp_path, "config.json", {"class_name": "Functional"}), "config is missing")
    nested: dict[str, Any] = {"class_name": "Sequential", "config": {"layers": []}}
    for _ in range(200):
        nested = {"class_name": "Sequential", "config": {"layers": [nested]}}
    fails("keras", write(tmp_path, "config.json", nested), "nested more than")


@pytest.mark.security
def test_zip_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", b" " * (100 << 20))
    fails("keras", path, "larger than")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 100)  # the directory says 100 bytes
    path.write_bytes(content)
    fails("keras", path, "unpacks to more than the declared 100 bytes")


# -- Ultralytics -------------------------------------------------------------------------------------------------------

YOLO = {
    "description": "a detector",
    "author": "Ultralytics",
    "version": "8.4.0",
    "stride": 32,
    "task": "detect",
    "head": "Detect",
    "batch": 1,
    "imgsz": [480, 640],
    "names": {"0": "cat", "1": "dog"},
    "args": {"nms": False},
    "channels": 3,
    "end2end": False,
}


def test_ultralytics_behind_a_model(tmp_path: Path) -> None:
    path = tmp_path / "yolo.tflite"
    path.write_bytes(named_model_path("conv_int8").read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("metadata.json", json.dumps(YOLO))
    made = imported("ultralytics", path)
    [entry] = made.inputs
    assert entry["resize"] == {
        "mode": "letterbox",
        "size": [480, 640],
        "kernel": "bilinear",
        "antialias": False,
        "coordinates": "half-pixel",
    }
    assert entry["padding"] == {"value": 114, "position": "center"}
    np.testing.assert_allclose(fed(entry), PIXELS / 255, rtol=1e-12)
    assert made.outputs == ({"kind": "boxes", "labels": {"count": 2}, "box-order": "cx-cy-w-h"},)
    assert made.source == "ultralytics metadata.json"


def test_ultralytics_files_and_tasks(tmp_path: Path) -> None:
    write(tmp_path, "metadata.yaml", "task: classify\nimgsz:\n- 224\n- 224\nnames:\n  0: cat\n  1: dog\nchannels: 3\n")
    made = imported("ultralytics", tmp_path)
    assert (made.inputs[0]["resize"]["mode"], made.inputs[0]["resize"]["size"]) == ("cover", 224)
    assert made.inputs[0]["resize"]["antialias"] is True
    assert made.outputs == ({"kind": "class_scores", "activation": "softmax", "labels": {"count": 2}},)
    path = write(tmp_path, "metadata.json", YOLO | {"end2end": True})
    assert imported("ultralytics", path).outputs[0]["box-order"] == "xmin-ymin-xmax-ymax"
    path = write(tmp_path, "metadata.json", YOLO | {"head": "RTDETRDecoder"})
    assert only("ultralytics", path)["resize"]["mode"] == "stretch"
    path = write(tmp_path, "metadata.json", YOLO | {"task": "depth", "kpt_shape": [17, 3]})
    made = imported("ultralytics", path)
    assert "resize" not in made.inputs[0]
    assert made.outputs == ()
    assert any("kpt_shape" in sentence for sentence in made.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"imgsz": "640"}, "imgsz must be a list of 2 integers"),
        ({"imgsz": None}, "imgsz or task is missing"),
        ({"names": 3}, "names must be a list or mapping of class names, not 3"),
        ({"task": 1}, "task must be a string"),
        ({"args": []}, "args must be a mapping"),
        ({"end2end": "no"}, "end2end must be true or false"),
    ],
)
def test_ultralytics_wrong_values_are_named(tmp_path: Path, change: Mapping[str, Any], said: str) -> None:
    fails("ultralytics", write(tmp_path, "metadata.json", YOLO | change), said)
    fails("ultralytics", named_model_path("conv_int8"), "does not contain a zip with a metadata.json")


# -- YAML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not valid YAML"),
        ("a: b: c", "metadata.yaml:1:5: not valid YAML"),
        ("- 1", "must be a mapping"),
        ("", "must be a mapping of keys to values, not null"),
        ("[" * 200_000, "nest"),
        ("".join(f"{'  ' * k}a:\n" for k in range(150)), "nested too deeply"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", "merge key"),
        ("a: &a {b: 1}\nc:\n  !!merge d: *a\n", "merge key"),
        ("a: 2020-99-99\ntask: x", "cannot be read"),
        ("a: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("a: \x01", "not valid YAML"),
        ("? [1]\n: 2", "not valid YAML"),
        ("imgsz: .nan\ntask: x", "imgsz must be"),
        (
            "imgsz: 0x" + "f" * 400 + "\ntask: x",
            "imgsz must be a list of 2 integers above 0, not a number of 1600",
        ),
        ("a: " + "x" * (2 << 20), "is larger than"),
        ("imgsz: &x [*x, *x]\ntask: x", "imgsz must be"),
        ("imgsz: !!set {a, b}\ntask: x", "imgsz must be a list of 2 integers above 0, not a set"),
    ],
)
@pytest.mark.security
def test_yaml_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    fails("ultralytics", write(tmp_path, "metadata.yaml", text), said)


@pytest.mark.security
def test_yaml_aliases_stay_small(tmp_path: Path) -> None:
    levels = "".join(f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 9)}]\n" for k in range(1, 80))
    made = imported("ultralytics", write(tmp_path, "metadata.yaml", f"l0: &l0 [1]\n{levels}task: pose\nimgsz: 64\n"))
    assert "30 more keys have no contract key." in made.notes


def test_yaml_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = write(tmp_path, "MLmodel", "signature: {}")
    with pytest.raises(MissingExtraError, match=r"pip install \"tflite-lint\[contract\]\""):
        import_preprocessing("mlflow", path)


# -- protobuf ----------------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, Any]) -> bytes:
    """A message of fields: integers as varints, floats as 32 bits, texts, messages and lists of integers by length."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            content = b"".join(map(varint, content)) if isinstance(content, list) else content
            out += varint(number << 3 | 2) + varint(len(content)) + content
    return out


def parsed(content: bytes) -> wire.Message:
    return wire.WireFile("f", lambda begin, end: content[begin:end], len(content)).message()


def test_wire_format() -> None:
    inner = message((1, "text"), (2, -5), (3, 1.5))
    made = parsed(message((1, 300), (2, inner), (2, inner), (4, [1, 300, -1]), (4, 7)))
    assert (made.integer(1), made.integer(9), made.count(2), made.integers(4)) == (300, 0, 2, [1, 300, -1, 7])
    for known in (*made.messages(2), made.message(2)):
        assert known is not None
        assert (known.text(1), known.integer(2), known.real(3)) == ("text", -5, 1.5)
    assert (made.message(8), made.text(8), made.real(8), made.has(8), made.has(1)) == (None, "", 0.0, False, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80", "is truncated within a number"),
        (b"\xff" * 12, "has an invalid number"),
        (b"\x00\x00", "a field without a number"),
        (b"\x0b", "wire type 3"),
        (b"\x0a\x05abc", "field 1 extends past the end of its message"),
        (b"\x0d\x00", "field 1 extends past the end of its message"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "field 1 extends past the end of its message"),
        (message((1, b"\xff")), "has a string that is not UTF-8"),
        (message((1, 5)), "field 1 has the wrong wire type"),
        (message((1, b"a" * (wire.MAX_TEXT_BYTES + 1))), "has a string of more than"),
    ],
)
def test_wire_format_that_is_none(content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parsed(content).text(1)


def test_wire_format_limits() -> None:
    content = b""
    for _ in range(50):
        content = message((1, content))
    with pytest.raises(UserError, match="nested too deeply"):
        known: wire.Message | None = parsed(content)
        while known is not None:
            known = known.message(1)
    with pytest.raises(UserError, match="has more than 500,000 fields"):
        parsed(b"\x08\x01" * 500_001).has(1)
    with pytest.raises(UserError, match="a list of more than"):
        parsed(message((1, [1] * 5000))).integers(1)


# -- Core ML -----------------------------------------------------------------------------------------------------------


def as_float32(value: float) -> float:
    return float(np.float32(value))


def core_ml(
    space: int = 20, scaler: list[tuple[int, float]] | None = None, *, network: int = 403, feature: str = "image"
) -> bytes:
    """A classifier of pictures of 224 × 192; `scaler`: the fields of its NeuralNetworkImageScaler."""
    picture = message((1, 192), (2, 224), (3, space))
    given = message((1, "image"), (3, message((4, picture))))
    scores = message((1, "probabilities"), (3, message((6, message((2, b""))))))
    label = message((1, "classLabel"), (3, message((3, b""))))
    description = message((1, given), (10, scores), (10, label), (11, "classLabel"), (12, "probabilities"))
    labels = message((1, "cat"), (1, "dog"), (1, "cow"))
    preprocessing = [] if scaler is None else [(2, message((1, feature), (10, message(*scaler))))]
    return message((1, 4), (2, description), (network, message(*preprocessing, (100, labels))))


@pytest.mark.parametrize(
    ("space", "channels", "biases"),
    [(20, "RGB", {22: 0, 21: 1, 20: 2}), (30, "BGR", {20: 0, 21: 1, 22: 2}), (10, "GRAY", {30: 0})],
)
def test_core_ml_scale_and_bias(tmp_path: Path, space: int, channels: str, biases: Mapping[int, int]) -> None:
    scale, bias = 1 / 127.5, [-1.0, -0.9, -0.8]
    fields = [(10, scale), *((number, bias[place]) for number, place in biases.items())]
    entry = only("coreml", write(tmp_path, "m.mlmodel", core_ml(space, fields)))
    assert (entry["channels"], entry["units"], entry["std"]) == (channels, "u8", 127.5)
    pixels = PIXELS[..., : len(biases)]
    expected = as_float32(scale) * pixels + np.array([as_float32(bias[k]) for k in range(len(biases))])
    np.testing.assert_allclose((pixels - np.array(entry["mean"])) / entry["std"], expected, atol=1e-6)
    mean = np.broadcast_to(entry["mean"], len(biases))
    assert [np.float32(-one / entry["std"]) for one in mean] == pytest.approx(bias[: len(biases)], abs=1e-7)


def test_core_ml_numbers_are_the_plain_ones(tmp_path: Path) -> None:
    path = write(tmp_path, "m.mlmodel", core_ml(20, [(10, 1 / 255), (22, 0.0)]))
    assert [only("coreml", path)[key] for key in ("mean", "std", "units")] == [0, 255, "u8"]
    path = write(tmp_path, "m.mlmodel", core_ml(30, [(10, 1.0), (20, -103.939), (21, -116.779), (22, -123.68)]))
    entry = only("coreml", path)
    assert (entry["mean"], entry["std"]) == ([103.939, 116.779, 123.68], 1)
    np.testing.assert_allclose(fed(entry), caffe(PIXELS))


def test_core_ml_classifier_and_package(tmp_path: Path) -> None:
    folder = tmp_path / "m.mlpackage" / "Data" / "com.apple.CoreML"
    folder.mkdir(parents=True)
    write(folder, "model.mlmodel", core_ml(20, [(10, 1.0)], feature=""))
    made = imported("coreml", tmp_path / "m.mlpackage")
    assert made.inputs == ({"kind": "image", "channels": "RGB", "mean": 0, "std": 1, "units": "u8"},)
    assert made.outputs == ({"kind": "class_scores", "labels": {"count": 3}},)
    assert any("images of 224 × 192 pixels" in sentence for sentence in made.notes)


def test_core_ml_arrays_programs_and_pipelines(tmp_path: Path) -> None:
    array = message((5, message((1, [1, 3, 8, 8]), (2, 65568))))
    many = [(1, message((1, f"in{k}"), (3, array))) for k in range(2)]
    out = (10, message((1, "out"), (3, array)))
    made = imported("coreml", write(tmp_path, "m.mlmodel", message((1, 7), (2, message(*many, out)), (502, b""))))
    assert [entry["name"] for entry in made.inputs] == ["in0", "in1"]
    assert made.outputs == ({"kind": "raw", "shape": [1, 3, 8, 8], "dtype": "float32"},)
    pipeline = message((202, message((1, core_ml(20, [(10, 0.5)])))))
    picture = message((1, "image"), (3, message((4, message((3, 20))))))
    description = message((1, 4), (2, message((1, picture))))
    assert only("coreml", write(tmp_path, "m.mlmodel", description + pipeline))["std"] == 2


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e-45])
def test_core_ml_scales_that_are_no_std(tmp_path: Path, scale: float) -> None:
    made = imported("coreml", write(tmp_path, "m.mlmodel", core_ml(20, [(10, scale), (22, 3e38)])))
    assert "std" not in made.inputs[0] or made.inputs[0]["std"] > 0


def test_core_ml_files_that_are_none(tmp_path: Path) -> None:
    fails("coreml", write(tmp_path, "m.mlmodel", b""), "is not a Core ML model")
    fails("coreml", write(tmp_path, "m.mlmodel", b"hello"), "m.mlmodel: ")
    fails("coreml", tmp_path, "has no Core ML model")
    fails("coreml", f"{tmp_path}/m.mlmodelc", "compiled model")


# -- ONNX --------------------------------------------------------------------------------------------------------------


def value_info(name: str, dtype: int, dims: list[Any], denotations: list[str] | None = None, kind: str = "") -> bytes:
    marks = denotations or [""] * len(dims)
    axes = [
        message((2 if isinstance(dim, str) else 1, dim), *([(3, mark)] if mark else []))
        for dim, mark in zip(dims, marks, strict=True)
    ]
    tensor = message((1, dtype), (2, message(*((1, axis) for axis in axes))))
    return message((1, name), (2, message((1, tensor), *([(6, kind)] if kind else []))))


def onnx(inputs: list[bytes], outputs: list[bytes], properties: Mapping[str, str], *more: tuple[int, Any]) -> bytes:
    graph = message(*more, *((11, one) for one in inputs), *((12, one) for one in outputs))
    props = [(14, message((1, key), (2, value))) for key, value in properties.items()]
    return message((1, 8), (2, "pytorch"), (7, graph), *props)


PICTURE = value_info("images", 1, ["batch", 3, 224, 224])
SCORES = value_info("scores", 1, [1, 1000])


def test_onnx_inputs_and_outputs(tmp_path: Path) -> None:
    weight = value_info("weight", 1, [3])
    content = onnx([PICTURE, weight], [SCORES], {}, (1, message((4, "Conv"))), (5, message((1, [3]), (8, "weight"))))
    made = imported("onnx", write(tmp_path, "m.onnx", content))
    assert made.inputs == ({"kind": "raw", "dtype": "float32", "shape": [-1, 3, 224, 224]},)
    assert made.outputs == ({"kind": "raw", "dtype": "float32", "shape": [1, 1000]},)
    ids = [value_info(name, 7, [1, 128]) for name in ("input_ids", "attention_mask")]
    made = imported("onnx", write(tmp_path, "m.onnx", onnx(ids, [SCORES], {})))
    assert [(entry["name"], entry["dtype"]) for entry in made.inputs] == [
        ("input_ids", "int64"),
        ("attention_mask", "int64"),
    ]


@pytest.mark.parametrize(
    ("scale", "formula"),
    [
        ("NominalRange_0_255", lambda pixels: pixels),
        ("Normalized_0_1", lambda pixels: pixels / 255),
        ("Normalized_1_1", lambda pixels: pixels / 127.5 - 1),
    ],
)
def test_onnx_image_properties(tmp_path: Path, scale: str, formula: Any) -> None:
    properties = {
        "Image.BitmapPixelFormat": "Bgr8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": scale,
        "licence": "x",
    }
    marked = ["DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE"]
    picture = value_info("images", 1, [1, 3, 8, 8], marked, "IMAGE")
    other = value_info("threshold", 1, [1])
    made = imported("onnx", write(tmp_path, "m.onnx", onnx([picture, other], [SCORES], properties)))
    entry = made.inputs[0]
    assert (entry["kind"], entry["channels"], entry["transfer"], entry["layout"]) == ("image", "BGR", "srgb", "NCHW")
    np.testing.assert_allclose(fed(entry), formula(PIXELS[..., ::-1]), atol=1e-12)
    assert made.inputs[1]["kind"] == "raw"
    assert any("'licence'" in sentence for sentence in made.notes)


def test_onnx_properties_that_are_not_known(tmp_path: Path) -> None:
    properties = {"Image.BitmapPixelFormat": "Cmyk8", "Image.NominalPixelRange": "NominalRange_16_235"}
    made = imported("onnx", write(tmp_path, "m.onnx", onnx([PICTURE], [SCORES], properties)))
    assert made.inputs[0]["range"] == [16, 235]
    assert any("'Cmyk8'" in sentence for sentence in made.notes)
    wide = [value_info("x", 16, [1] * 9), value_info("x", 1, [-1])]
    made = imported("onnx", write(tmp_path, "m.onnx", onnx(wide, [], {})))
    assert made.inputs == ({"index": 0, "kind": "raw"}, {"index": 1, "kind": "raw", "dtype": "float32", "shape": [-1]})


def test_onnx_files_that_are_none(tmp_path: Path) -> None:
    for content in (b"", b"hello", message((1, 8))):
        fails("onnx", write(tmp_path, "m.onnx", content), "m.onnx: ")
    many = onnx([value_info(f"x{k}", 1, []) for k in range(1001)], [], {})
    fails("onnx", write(tmp_path, "m.onnx", many), "1,001 inputs or outputs")


# -- MLflow ------------------------------------------------------------------------------------------------------------


def ml_model(inputs: Any, outputs: Any = None, params: Any = None) -> str:
    signature = {"inputs": json.dumps(inputs), "outputs": outputs and json.dumps(outputs), "params": params}
    lines = [f"  {key}: {'null' if text is None else repr(text)}" for key, text in signature.items()]
    return "flavors:\n  python_function:\n    loader_module: mlflow.tensorflow\nsignature:\n" + "\n".join(lines) + "\n"


TENSOR = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}


def test_mlflow_tensors(tmp_path: Path) -> None:
    write(tmp_path, "MLmodel", ml_model([TENSOR], [{**TENSOR, "name": "y"}], "[]"))
    made = imported("mlflow", tmp_path)
    assert made.inputs == made.outputs == ({"kind": "raw", "dtype": "float32", "shape": [-1, 28, 28]},)
    assert any("params" in sentence for sentence in made.notes)
    two = [{**TENSOR, "name": "a"}, {"type": "tensor", "name": "b", "tensor-spec": {"dtype": "object", "shape": [-1]}}]
    made = imported("mlflow", write(tmp_path, "MLmodel", ml_model(two)))
    assert [entry["name"] for entry in made.inputs] == ["a", "b"]
    assert any("The type of 'b' is object" in sentence for sentence in made.notes)


def test_mlflow_columns(tmp_path: Path) -> None:
    columns = [{"type": "double", "name": name, "required": name != "c"} for name in "abc"]
    made = imported("mlflow", write(tmp_path, "MLmodel", ml_model(columns, [{"type": "long"}])))
    assert made.inputs == ({"kind": "tabular", "dtype": "float64", "columns": [{"name": name} for name in "abc"]},)
    assert made.outputs == ({"kind": "raw", "dtype": "int64"},)
    assert any("may be missing: 'c'" in sentence for sentence in made.notes)
    mixed = [{"type": "double", "name": "a"}, {"type": "string", "name": "b"}]
    made = imported("mlflow", write(tmp_path, "MLmodel", ml_model(mixed)))
    assert "dtype" not in made.inputs[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flavors: {}", "has no signature"),
        ("signature: 3", "signature must be a mapping"),
        ("signature:\n  inputs: [1]", "signature.inputs must be a string"),
        ("signature:\n  inputs: '{'", "MLmodel: signature.inputs:1:2: not valid JSON"),
        ("signature:\n  inputs: '3'", "inputs must be a list, not 3"),
        ("signature:\n  inputs: '[3]'", "inputs[0] must be a mapping"),
        (ml_model([{"type": "tensor"}]), "tensor-spec must be a mapping with dtype and shape"),
        (
            ml_model([{"type": "tensor", "tensor-spec": {"dtype": "x", "shape": [1.5]}}]),
            "shape must be a list of integers",
        ),
        (ml_model([TENSOR, {"type": "long"}]), "mixes tensors and columns"),
    ],
)
def test_mlflow_files_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    fails("mlflow", write(tmp_path, "MLmodel", text), said)


# -- the metadata of TFLite --------------------------------------------------------------------------------------------


def test_tflite_metadata() -> None:
    entry = only("tflite-metadata", named_model_path("image_float32"))
    assert entry == {"kind": "image", "channels": "RGB", "mean": 127.5, "std": 127.5, "units": "u8"}
    np.testing.assert_allclose(fed(entry), (PIXELS - 127.5) / 127.5)


def test_tflite_metadata_that_is_not_there(tmp_path: Path) -> None:
    fails("tflite-metadata", named_model_path("conv_int8"), "has no metadata about its inputs and outputs")
    fails("tflite-metadata", write(tmp_path, "m.tflite", b"hello"), "is not a readable model")


@needs_corpus
def test_tflite_metadata_of_real_models() -> None:
    n_models = 0
    for path in sorted(CORPUS.rglob("*.tflite")):
        try:
            made = imported("tflite-metadata", path)
        except UserError:
            continue
        n_models += any("mean" in entry for entry in made.inputs)
    assert n_models >= 9


# -- whatever comes ----------------------------------------------------------------------------------------------------

_KEYS = sorted({*VIT, *CLIP, *TIMM, *TIMM["pretrained_cfg"], *YOLO, "config", "class_name", "layers", "signature",
                "inputs", "sampling_rate", "feature_extractor_type", "added_tokens_decoder", "tokenizer_class",
                "n_fft", "include_top", "crop_pct", "image_processor"})  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("InputLayer")
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=20,
)
_LOOSE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)


def survives(ecosystem: str, path: str) -> None:
    """Either an error in words, or something of which a contract can be made."""
    with contextlib.suppress(UserError):
        imported(ecosystem, path)


@pytest.mark.parametrize("base", [{}, VIT, CLIP, TIMM, KERAS, YOLO], ids=["", "vit", "clip", "timm", "keras", "yolo"])
@_LOOSE
@given(change=st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=3))
def test_any_json(tmp_path: Path, base: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    path = write(tmp_path, "config.json", json.dumps({**base, **change}))
    for ecosystem in ("huggingface", "timm", "keras", "ultralytics"):
        survives(ecosystem, path)


@pytest.mark.security
@pytest.mark.parametrize(
    ("ecosystem", "name", "content"),
    [
        ("huggingface", "preprocessor_config.json", {
            "image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": 224},
            "do_center_crop": True, "crop_size": 8193, "do_normalize": True, "image_mean": [0.5], "image_std": [0.5],
        }),
        ("timm", "config.json", {
            "architecture": "x", "pretrained_cfg": {"input_size": [3, 224, 224], "crop_pct": 0.01, "mean": [0.5] * 3,
            "std": [0.5] * 3, "interpolation": "bicubic"},
        }),
    ],
)  # fmt: skip
def test_an_image_larger_than_a_contract_holds_is_an_error(
    tmp_path: Path, ecosystem: str, name: str, content: Mapping[str, Any]
) -> None:
    with pytest.raises(UserError, match="pixels; a contract allows at most 8,192"):
        import_preprocessing(ecosystem, write(tmp_path, name, content))


@pytest.mark.security
@_LOOSE
@given(text=st.text(max_size=60) | st.text(alphabet="a:-[]{}&*!?'\"#|>%@<, \n0123", max_size=60))
def test_any_yaml(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "MLmodel.yaml", text.encode("utf-8", "replace"))
    survives("mlflow", path)
    survives("ultralytics", path)
    survives("ultralytics", write(tmp_path, "n.yaml", f"task: pose\nimgsz: 64\n{text}".encode("utf-8", "replace")))


@_LOOSE
@given(specs=_JSON)
def test_any_signature(tmp_path: Path, specs: Any) -> None:
    survives("mlflow", write(tmp_path, "MLmodel", ml_model(specs)))
    survives("mlflow", write(tmp_path, "MLmodel", ml_model([specs, TENSOR])))


@pytest.mark.parametrize("ecosystem", ["coreml", "onnx", "keras", "ultralytics", "tflite-metadata"])
@_LOOSE
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, ecosystem: str, content: bytes) -> None:
    survives(ecosystem, write(tmp_path, "m.bin", content))


@pytest.mark.parametrize(
    ("ecosystem", "content"),
    [
        ("coreml", core_ml(20, [(10, 1 / 127.5), (20, -1.0)])),
        ("onnx", onnx([PICTURE], [SCORES], {"Image.BitmapPixelFormat": "Rgb8"})),
    ],
    ids=["coreml", "onnx"],
)
def test_truncated_and_changed_models(tmp_path: Path, ecosystem: str, content: bytes) -> None:
    for end in range(len(content)):
        survives(ecosystem, write(tmp_path, "m.bin", content[:end]))
    random = np.random.default_rng(1)
    for _ in range(1500):
        changed = bytearray(content)
        for at in random.integers(0, len(changed), random.integers(1, 4)):
            changed[at] = random.integers(0, 256)
        survives(ecosystem, write(tmp_path, "m.bin", bytes(changed)))
