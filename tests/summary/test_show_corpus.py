"""Test `tflint show` on real models: every number against the `tflite` package, and the width of all output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers.corpus import CORPUS, N_SHARDS, manifest, needs_corpus, shard
from tests.helpers.summary_oracle import Oracle
from tflint.api import load
from tflint.facts.facts import Facts
from tflint.report.text_layout import Style
from tflint.resources import json_schema, runtime_table
from tflint.summary import plain_lines, summary_json
from tflint.summary import summary_text as screen
from tflint.summary.summarize import summarize
from tflint.userfiles.schema_check import is_valid

#: Models of different kinds: by scheme, operators, signatures, subgraphs, metadata.
MODELS = (
    "tf2_mobilenet_v2_1.0_224_ptq.tflite",  # int8 with uint8 at the border, metadata, labels
    "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite",  # legacy uint8, detection, unknown ranks
    "movenet_single_pose_lightning_ptq.tflite",  # mixed, a signature
    "mobilenet_v2_quantized_1x3x224x224.tflite",  # int8, channels first
    "yamnet_audio_classifier_with_metadata.tflite",  # float with int8 inside, sound
    "deeplabv3.tflite",  # float32
    "esphome__micro-wake-word-models/models/hey_jarvis.tflite",  # resource variables, two subgraphs
    "toy_model_with_kv_cache_multi_signature.tflite",  # two signatures, shared buffers
    "static_w8_a16_quantized_k_einsum.tflite",  # int16x8
    "whitespace_tokenizer_flex_delegate.tflite",  # strings, Flex operators, dynamic shapes
    "keyword_scrambled.tflite",  # variables, no names
    "tensorflow__tflite-micro/tensorflow/lite/micro/models/person_detect.tflite",
    "retinaface.c2f3ff07.tflite",  # float border, QUANTIZE behind it
    "dp_net.00a0665d.tflite",  # 2,338 operators
)


def path_of(name: str) -> Path:
    """The file of the corpus whose path ends so; the first, where all that do are the same."""
    rows = [row for row in manifest() if row["path"].endswith(f"/{name}")]
    assert len({row["sha256"] for row in rows}) == 1, name
    return CORPUS / rows[0]["path"]


def printed(content: bytes) -> str:
    return screen.render(summarize(Facts(load(content).tables), "m.tflite"), Style())


def facts_in(lines: list[str], head: str) -> list[str]:
    """What the lines with a beginning say after it."""
    return [line.removeprefix(head) for line in lines if line.startswith(head)]


@needs_corpus
@pytest.mark.parametrize("name", MODELS)
def test_the_figures_of_a_model_are_those_of_another_reader(name):
    """Every number that the lines for diffs give of structure, types, sizes, operators and memory."""
    content = path_of(name).read_bytes()
    oracle = Oracle(content)
    portrait = summarize(Facts(load(content).tables), name)
    lines = plain_lines.render(portrait).splitlines()

    assert facts_in(lines, "size file ") == [str(len(content))]
    assert facts_in(lines, "size constants ")[0] == str(oracle.constant_bytes())
    assert facts_in(lines, "count subgraphs ") == [str(len(oracle.subgraphs))]
    assert facts_in(lines, "count operators ") == [str(sum(g.OperatorsLength() for g in oracle.subgraphs))]
    assert facts_in(lines, "count tensors ") == [str(sum(g.TensorsLength() for g in oracle.subgraphs))]
    pattern = re.compile(r"operator (.*) version (\d+) count ([1-9]\d*)")
    operators = [match for line in lines if (match := pattern.fullmatch(line))]
    assert {(m[1], int(m[2])): int(m[3]) for m in operators} == oracle.operators()
    for number, graph in enumerate(oracle.subgraphs):
        assert facts_in(lines, f"subgraph {number} constants ") == [str(oracle.constant_bytes([graph]))]
        assert facts_in(lines, f"subgraph {number} activations ") == [str(oracle.memory(number))]
    for side in ("input", "output"):
        for position, face in enumerate(oracle.border(oracle.subgraphs[0], side)):
            assert_face(facts_in(lines, f"{side} {position} "), face)


def assert_face(lines: list[str], face: dict) -> None:
    """The lines of an input or output say what the other reader says."""
    assert f"name {face['name']}".rstrip() in lines
    assert f"dtype {face['dtype'].lower()}" in lines
    (shape,) = facts_in(lines, "shape ")
    if shape != "unknown":
        assert shape == (",".join(map(str, face["signature"] or face["shape"])) or "scalar")
    scales = facts_in(lines, "scale ")
    assert [float(scale) for scale in scales] == [
        pytest.approx(face["scale"], rel=1e-6) for _ in scales if face["scale"] is not None
    ]
    assert bool(scales) == (face["scale"] is not None and not face["dtype"].startswith("FLOAT"))
    if face["zero_point"] is not None and scales:
        assert f"zero_point {face['zero_point']}" in lines


@needs_corpus
@pytest.mark.parametrize("name", MODELS)
def test_the_screen_gives_the_same_figures(name):
    """Sizes rounded as people read them, counts, types and the place of the peak."""
    content = path_of(name).read_bytes()
    oracle, text = Oracle(content), " ".join(printed(content).split())
    assert f"{sum(g.OperatorsLength() for g in oracle.subgraphs):,} operators" in text
    assert f"{sum(g.TensorsLength() for g in oracle.subgraphs):,} tensors" in text
    (amount, unit) = re.search(r"size ([\d.,]+) (bytes|KiB|MiB)", text).groups()
    assert_rounded(amount, unit, len(content))
    if oracle.constant_bytes():
        (amount, unit) = re.search(r": constants ([\d.,]+) (bytes|KiB|MiB)", text).groups()
        assert_rounded(amount, unit, oracle.constant_bytes())
    (amount, unit) = re.search(r"activations ≥ ([\d.,]+) (bytes|KiB|MiB)", text).groups()
    assert_rounded(amount, unit, max(oracle.memory(k) for k in range(len(oracle.subgraphs))))
    for side in ("input", "output"):
        (face, *more) = oracle.border(oracle.subgraphs[0], side)
        if not more:
            assert f"{side} 0 #{face['index']}" in text
            assert face["dtype"].lower() in text


def assert_rounded(amount: str, unit: str, n_bytes: int) -> None:
    """A size as people read it stands for a number of bytes, to half of its last digit."""
    factor = {"bytes": 1, "KiB": 1024, "MiB": 1024 * 1024}[unit]
    value = float(amount.replace(",", ""))
    assert abs(value - n_bytes / factor) <= (0.05001 if "." in amount else 0.5), (amount, unit, n_bytes)


#: Parameters and MACs of models whose architecture is published: MobileNet v2 1.0 at 224 × 224 has 300 million MACs and
#: 3.5 million parameters (arXiv 1801.04381). Keras counts 3,538,984 with four numbers per channel of a batch
#: normalization; the converter folds these into one bias, which saves 51,168. This model has one more class: + 1,281.
COMPUTATIONS = {
    "tf2_mobilenet_v2_1.0_224_ptq.tflite": (300_775_552, 3_538_984 - 51_168 + 1_281),
    "tensorflow__tflite-micro/tensorflow/lite/micro/models/person_detect.tflite": (7_157_888, 210_706),
}


@needs_corpus
@pytest.mark.parametrize(("name", "expected"), COMPUTATIONS.items())
def test_the_macs_and_parameters_of_a_published_model(name, expected):
    portrait = summarize(Facts(load(path_of(name)).tables), name)
    assert (portrait.subgraphs[0].computation.macs, portrait.n_parameters) == expected


@needs_corpus
@pytest.mark.parametrize("name", MODELS)
def test_the_runtime_is_that_of_the_newest_operator(name):
    content = path_of(name).read_bytes()
    releases = runtime_table("tflite")["operator_versions"]
    used = [(op, v) for op, v in Oracle(content).operators() if op in releases]
    newest = max(tuple(map(int, releases[op][str(version)].split("."))) for op, version in used)
    facts = Facts(load(content).tables)
    need = summarize(facts, name).needs[0]
    assert need.release is not None
    assert tuple(map(int, need.release.split("."))) == newest[: len(need.release.split("."))]
    assert not any(newest[len(need.release.split(".")) :])
    assert [pair for pair in used if tuple(map(int, releases[pair[0]][str(pair[1])].split("."))) == newest]


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_every_real_model_fits_the_screen_and_the_schema(number):
    for path in shard(number):
        portrait = summarize(Facts(load(path).tables), "m.tflite")
        lines = screen.render(portrait, Style()).splitlines()
        assert len(lines) <= screen.HEIGHT, path
        assert max(map(len, lines)) <= screen.WIDTH, path
        assert max(map(len, screen.render(portrait, Style(width=60)).splitlines())) <= 60, path
        assert is_valid(json.loads(summary_json.render(portrait)), json_schema("show")), path


#: What is known of the input of a model from where it comes from, and what its numbers fit.
NORMALISATIONS = {
    "tf2_mobilenet_v2_1.0_224_ptq.tflite": ["minus-one-to-one"],  # Keras
    "google-coral__test_data/mobilenet_v1_0.25_128_quant.tflite": [
        "mean-128-std-128",
        "mean-127.5-std-128",
    ],  # TensorFlow 1
    "automl_labeler_model.tflite": ["mean-128-std-127"],
    "mobilenet_v2_quantized_1x3x224x224.tflite": ["imagenet", "imagenet-bgr"],  # torchvision
    "retinaface.c2f3ff07.tflite": ["ssd-caffe"],  # subtracts (104, 117, 123)
    "tensorflow__tflite-micro/tensorflow/lite/micro/models/person_detect.tflite": ["minus-one-to-one"],
    "conv_fc_mnist_srq_a8w8.tflite": ["unit"],
    "vww_96_int8.tflite": ["unit"],
    "pretrainedResnet_large_int8.tflite": ["raw"],
    "kws_ref_model.tflite": [],  # sound
    "deeplabv3.tflite": [],  # float
}


@needs_corpus
@pytest.mark.parametrize(("name", "expected"), NORMALISATIONS.items())
def test_the_normalisation_of_a_model_whose_training_is_known(name, expected):
    facts = Facts(load(path_of(name)).tables)
    assert [fit.name for fit in summarize(facts, name).subgraphs[0].inputs[0].fits] == expected
