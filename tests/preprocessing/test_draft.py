"""Test drafts of contracts: specified values are claims, others are comments, and no draft adds a finding."""

from __future__ import annotations

import json
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.corpus import CORPUS, N_SHARDS, needs_corpus, shard
from tests.helpers.metadata_goldens import from_golden
from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.named import NOT_RUNNABLE, RUNNABLE
from tflint.api import Model, check, load
from tflint.cli.main import run
from tflint.columns.column import Lists
from tflint.config import Config, load_config
from tflint.contract import parse_contract
from tflint.facts.facts import Facts
from tflint.preprocessing.draft import draft_contract
from tflint.resources import named_model_path
from tflint.schema import metadata_schema
from tflint.summary.summarize import summarize
from tflint.writer import pack
from tflint.writer.model_edits import edit_model

EVERYTHING = Config(select=("all",))


def draft_of(model: Model) -> str:
    return draft_contract(summarize(Facts(model.tables), model.name))


def faults(model: Model, text: str) -> list[str]:
    """What is said of a draft, notes too."""
    report = check(model, contract=parse_contract(text, "m.contract.toml"), config=EVERYTHING)
    return [finding.rule for finding in report.findings() if finding.location.file == "m.contract.toml"]


@pytest.mark.parametrize("name", RUNNABLE | NOT_RUNNABLE)
def test_a_fresh_draft_adds_no_finding(name: str) -> None:
    model = load((RUNNABLE | NOT_RUNNABLE)[name](), name=f"{name}.tflite")
    text = draft_of(model)
    assert faults(model, text) == []
    entries = parse_contract(text, "m").data
    tables = model.tables
    assert len(entries.get("inputs", ())) == sum(tables.column("input", "subgraph").rows == 0)
    assert len(entries.get("outputs", ())) == sum(tables.column("output", "subgraph").rows == 0)


@needs_corpus
def test_drafts_of_real_models_add_no_finding() -> None:
    drafted = 0
    for path in sorted(CORPUS.rglob("*.tflite")):
        model = load(path)
        if model.is_readable:
            assert faults(model, draft_of(model)) == [], path
            drafted += 1
    assert drafted > 500


def test_numbers_of_the_model_are_guesses_only() -> None:
    lines = draft_of(load(named_model_path("pixels_int8"))).splitlines()
    assert "# guess: mean = 127.5  # its scale and zero point fit x/127.5 − 1" in lines
    assert '# guess: channels = "RGB"  # the input has 3 channels; BGR is equally possible' in lines
    assert not any(line.startswith(("mean", "std", "units", "channels", "scale", "zero-point")) for line in lines)


def test_the_normalization_of_a_known_first_layer_is_a_guess_with_its_source() -> None:
    lines = draft_of(load(named_model_path("pretrained_float32"))).splitlines()
    reason = "the first layer is that of MobileNet v1 0.25 (224), which expects x/127.5 − 1: https://"
    (at,) = [number for number, line in enumerate(lines) if reason in line]
    assert lines[at].startswith("# guess: mean = 127.5  # ")
    assert lines[at + 1 : at + 3] == ["# guess: std = 127.5", '# guess: units = "u8"']
    order = "the channel order of MobileNet v1 0.25 (224), whose first layer this is"
    assert f'# guess: channels = "RGB"  # {order}' in lines
    assert not any("a float input accepts any range" in line for line in lines)


@pytest.mark.parametrize(
    ("scale", "zero_point", "first", "alternatives"),
    [
        (1 / 127.5, -1, "the first layer is that of", []),
        (1 / 128, 0, "the first layer is that of", ["(x − 128)/128", "(x − 127.5)/128"]),
        (1 / 255, -128, "its scale and zero point fit x/255", ["the first layer is that of"]),
    ],
)
def test_a_known_first_layer_comes_first_unless_the_calibration_contradicts(
    scale: float, zero_point: int, first: str, alternatives: list[str]
) -> None:
    edit = {
        "tensors.input.type": "INT8",
        "tensors.input.quantization": {"scale": [scale], "zero_point": [zero_point]},
    }
    lines = draft_of(load(edit_model(named_model_path("pretrained_float32").read_bytes(), edit))).splitlines()
    reasons = [line.split("  # ")[1] for line in lines if line.startswith("# guess: mean")]
    assert len(reasons) == 1 + len(alternatives)
    assert all(wanted in reason for wanted, reason in zip([first, *alternatives], reasons, strict=True))
    assert ("# alternative, outside of the calibrated range:" in lines) is (first.endswith("x/255"))


def test_metadata_of_a_picture_is_a_claim() -> None:
    lines = draft_of(load(named_model_path("image_float32"))).splitlines()
    assert [
        next(line for line in lines if line.startswith(key)) for key in ("mean", "std", "units", "channels", "kind")
    ] == ["mean = 127.5", "std = 127.5", 'units = "u8"', 'channels = "RGB"', 'kind = "image"']


@pytest.mark.parametrize(("edit", "stateful"), [({}, "true"), ({"operators.4": "absent"}, "false")])
def test_a_model_that_only_reads_variables_is_drafted_without_state(edit: dict[str, str], stateful: str) -> None:
    model = load(edit_model(named_model_path("variable_state").read_bytes(), edit))
    assert f"stateful = {stateful}" in draft_of(model).splitlines()


def test_confirming_all_guesses_makes_a_contract() -> None:
    model = load(named_model_path("pixels_int8"))
    lines = draft_of(model).replace('kind = "raw"\n', "", 1).replace("draft = true\n", "").splitlines()
    confirmed = "\n".join(line.removeprefix("# guess: ") for line in lines) + "\n"
    entry = parse_contract(confirmed, "m.contract.toml").inputs[0]
    assert (entry["kind"], entry["mean"], entry["std"], entry["units"], entry["feed"]) == (
        "image",
        127.5,
        127.5,
        "u8",
        "fold",
    )
    assert faults(model, confirmed) == ["P018"]


def test_a_draft_is_not_complained_of_but_not_called_checked() -> None:
    model = load(named_model_path("image_float32"))
    text = draft_of(model)
    report = check(model, contract=parse_contract(text, "m.contract.toml"), config=EVERYTHING)
    assert {entry.rule for file in report.files for entry in file.not_checked} == {"P018"}
    reasons = {entry.reason for file in report.files for entry in file.not_checked if entry.rule == "P018"}
    assert reasons == {"the contract is a draft, and its guesses are not confirmed"}
    assert faults(model, text.replace("draft = true\n", "")) == ["P018"]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\u007f\u0001", "ünï", "a/b:0", "", " "])
def test_odd_names_are_written_so_that_they_are_found_again(name: str) -> None:
    content = (
        ModelBuilder()
        .tensor(name, "FLOAT32", [1, 4])
        .tensor("other", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("ADD", [name, "other"], ["output"], {"fused_activation_function": "NONE"})
        .inputs(name, "other")
        .outputs("output")
        .build()
    )
    model = load(content, name=f"{name}.tflite")
    text = draft_of(model)
    assert faults(model, text) == []
    first = parse_contract(text, "m").inputs[0]
    assert first.get("name", 0) == (name or 0)


# --- metadata ---------------------------------------------------------------------------------------------------------


def picture_with(metadata: bytes) -> bytes:
    """A float model of a picture, with some metadata."""
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 224, 224, 3])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("MEAN", ["input", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .metadata("TFLITE_METADATA", metadata)
        .build()
    )


def said(value: float | list[float] | None, n: int) -> list[float] | None:
    """A number of a contract for each of so many channels."""
    return value if value is None or isinstance(value, list) else [value] * n


@needs_corpus
def test_drafts_have_the_normalization_of_metadata() -> None:
    """Metadata as the tools of TensorFlow write it, decoded; each on a model of a picture."""
    compared = 0
    for path in sorted((CORPUS / "metadata_goldens").glob("*.json")):
        golden = from_golden(json.loads(path.read_text(encoding="utf-8")))
        given = golden.get("subgraph_metadata", [{}])[0].get("input_tensor_metadata", [{}])[0]
        units = [unit["options"] for unit in given.get("process_units", ())]
        normalization = next((unit for unit in units if unit["type"] == "NormalizationOptions"), None)
        if normalization is None or given["content"]["content_properties"]["type"] != "ImageProperties":
            continue
        content = picture_with(pack(golden, metadata_schema()))
        entry = parse_contract(draft_of(load(content, name=path.stem)), "m").inputs[0]
        n = len(normalization["mean"])
        assert said(entry["mean"], n) == pytest.approx(normalization["mean"]), path.name
        assert said(entry["std"], n) == pytest.approx(normalization["std"]), path.name
        assert (entry["kind"], entry["units"], entry["channels"]) == ("image", "u8", "RGB"), path.name
        compared += 1
    assert compared >= 10


@needs_corpus
def test_drafts_of_real_models_have_the_normalization_of_their_metadata() -> None:
    claimed, doubted = 0, 0
    for path in sorted(CORPUS.rglob("*.tflite")):
        model = load(path)
        if not model.is_readable or not model.tables.column("input", "metadata.mean").lengths.any():
            continue
        text = draft_of(model)
        mean = model.tables.column("input", "metadata.mean")
        assert isinstance(mean, Lists)
        for entry, row in zip(parse_contract(text, "m").inputs, range(len(mean)), strict=False):
            if mean.lengths[row]:
                told = mean.row(row)
                if "mean" in entry:
                    assert said(entry["mean"], len(told)) == pytest.approx(told), path
                    claimed += 1
                else:
                    assert "# guess: mean" in text, path
                    doubted += 1
    assert claimed > 0
    assert claimed + doubted >= 5


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    shutil.copy(named_model_path("truncated"), tmp_path / "broken.tflite")
    return tmp_path


def test_init_writes_beside_the_model_and_over_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "init", "bird.tflite"]) == 0
    assert "bird.contract.toml: a draft" in capsys.readouterr().out
    written = (here / "bird.contract.toml").read_bytes()
    assert run(["contract", "init", "bird.tflite"]) == 2
    assert "'bird.contract.toml' already exists" in capsys.readouterr().err
    (here / "bird.contract.toml").write_text("changed", encoding="utf-8")
    assert run(["contract", "init", "bird.tflite", "--force"]) == 0
    assert (here / "bird.contract.toml").read_bytes() == written
    assert run(["contract", "check", "bird.contract.toml"]) == 0
    assert "valid (1 input, 1 output)" in capsys.readouterr().out
    assert run(["check", "bird.contract.toml"]) == 0


@pytest.mark.parametrize(
    ("bundle", "models"),
    [
        ("bundle_task.task", ["bundle_task.task!/detector.tflite", "bundle_task.task!/classifier.tflite"]),
        (
            "bundle_nested.task",
            ["bundle_nested.task!/inner.task!/embedder.tflite", "bundle_nested.task!/gestures.tflite"],
        ),
    ],
)
def test_init_of_a_bundle_names_the_commands_for_its_models(
    here: Path, capsys: pytest.CaptureFixture[str], bundle: str, models: list[str]
) -> None:
    """The commands work, and so does the entry of the configuration that they print."""
    shutil.copy(named_model_path(bundle.split(".")[0]), bundle)
    assert run(["contract", "init", bundle]) == 2
    message = capsys.readouterr().err
    assert f"'{bundle}' is a container of models, not a model" in message
    commands = message.split("draft one contract per model: ")[1].strip().split("; ")
    entries = []
    for model, command in zip(models, commands, strict=True):
        _, *arguments = shlex.split(command)
        assert arguments[:3] == ["contract", "init", model]
        assert run(arguments) == 0
        entries.append(capsys.readouterr().out.split("under [contracts] in the configuration: ")[1])
    Path("tflint.toml").write_text("[contracts]\n" + "".join(entries), encoding="utf-8")
    report = check(bundle, config=load_config(Path("tflint.toml")))
    assert {file.path: file.contract is not None for file in report.files if file.path in models} == dict.fromkeys(
        models, True
    )


def test_init_of_a_model_in_a_bundle_without_output_names_the_command(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(named_model_path("bundle_task"), "b.task")
    assert run(["contract", "init", "b.task!/detector.tflite"]) == 2
    hint = "tflint contract init 'b.task!/detector.tflite' --output detector.contract.toml"
    assert hint in capsys.readouterr().err


def test_init_prints_where_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "init", "bird.tflite", "--output", "-"]) == 0
    directive, _, draft = capsys.readouterr().out.partition("\n")
    assert directive == "#:schema tflite-lint.contract.schema.json"
    assert draft == draft_of(load("bird.tflite"))
    assert not (here / "bird.contract.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["init", "none.tflite"], "'none.tflite' does not exist"),
        (["init", "broken.tflite"], "is not a readable model"),
        (["init", "bird.tflite", "--output", "no/folder/x.toml"], "cannot be written"),
        (["check", "none.contract.toml"], "there is no such file"),
        (["chek", "x"], "unknown command 'chek'"),
        ([], "ACTION"),
    ],
)
def test_wrong_use_is_told(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(["contract", *arguments]) == 2
    assert message in capsys.readouterr().err


def confirmed(text: str) -> str:
    """A draft whose first guesses are all confirmed, as a person would who knows no better."""
    lines: list[str] = []
    seen: set[str] = set()
    for line in text.splitlines():
        if line.startswith("[["):
            seen = set()
        is_guess, said = line.startswith("# guess: "), line.removeprefix("# guess: ")
        key = said.split("=")[0].strip() if "=" in said and not said.startswith("#") else ""
        if is_guess and key == "kind":  # instead of the one above it
            place = max(number for number, other in enumerate(lines) if other.startswith("kind = "))
            lines[place] = said
        elif not (is_guess and key in seen) and key != "draft":
            lines.append(said)
            seen.add(key)
    return "\n".join(lines) + "\n"


#: Models whose metadata says another normalization than their own numbers.
CONTRADICTING = {"automl_labeler_model.tflite": ["P001"]}


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_what_a_draft_guesses_is_no_fault_once_it_is_confirmed(number: int) -> None:
    """Contracts that agree with good models get notes at most: no rule speaks of what is right."""
    for path in shard(number):
        model = load(path)
        contract = parse_contract(confirmed(draft_of(model)), "m.contract.toml")
        found = check(model, contract=contract).findings()
        severe = [f.rule for f in found if f.location.file == "m.contract.toml" and f.severity != "note"]
        assert severe == CONTRADICTING.get(path.name, []), path.name


# -- well-known models -------------------------------------------------------------------------------------------------

KNOWN_MODELS = tomllib.loads((Path(__file__).parent / "drafts" / "known_models.toml").read_text(encoding="utf-8"))


@needs_corpus
@pytest.mark.parametrize("known", KNOWN_MODELS["model"], ids=lambda known: Path(known["path"]).stem)
def test_the_draft_of_a_known_model_is_what_its_training_says(known: dict[str, Any]) -> None:
    text = draft_contract(summarize(Facts(load(CORPUS / "models" / known["path"]).tables), "m.tflite"))
    entry = tomllib.loads(text)["inputs"][0]
    wanted = [
        {key: one[key] for key in ("mean", "std", "units")} for one in (known, *known.get("also", ())) if "mean" in one
    ]
    claims = [{key: entry[key] for key in ("mean", "std", "units")}] if "mean" in entry else []
    assert claims == (wanted if known["stands-as"] == "claim" else [])
    guesses = guessed(text.split("[[outputs]]")[0])
    assert guesses["mean"] == [one["mean"] for one in wanted if known["stands-as"] == "guess"]
    assert guesses["std"] == [one["std"] for one in wanted if known["stands-as"] == "guess"]
    assert guesses["units"] == [one["units"] for one in wanted if known["stands-as"] == "guess"]
    assert guesses["feed"] == ([known["feed"]] if "feed" in known else [])


def guessed(text: str) -> dict[str, list[Any]]:
    """The values that lines of guesses hold, key by key."""
    found: dict[str, list[Any]] = {"mean": [], "std": [], "units": [], "feed": []}
    for line in text.splitlines():
        if line.startswith("# guess: "):
            for key, value in tomllib.loads(line.removeprefix("# guess: ")).items():
                found.setdefault(key, []).append(value)
    return found


def test_the_table_has_ten_models_with_their_sources() -> None:
    assert len({known["path"] for known in KNOWN_MODELS["model"]}) == 10
    assert all(len(known["source"]) > 20 for known in KNOWN_MODELS["model"])
