"""Test contracts: discovery next to models, error positions, matching with inputs, findings and reports."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.helpers.models import plain
from tests.helpers.models.named import NAMED
from tests.helpers.paths import ROOT
from tflint.api import check
from tflint.cli.main import run
from tflint.config import Config, load_config
from tflint.contract import Contract, load_contract, parse_contract
from tflint.errors import UserError
from tflint.findings import FileReport, Finding, Report, TextSpan
from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.report.report_formats import FORMATS
from tflint.report.report_options import Options
from tflint.report.text_layout import Style
from tflint.resources import named_model_path
from tflint.writer import edit_model

WRONG = """\
[[inputs]]
name = "input"
kind = "image"
mean = 0
std = 255
units = "u8"
"""


def rendered(report: Report, format_: str) -> str:
    return FORMATS[format_].render(report, Options(Style()))


def contract(text: str) -> Contract:
    return parse_contract(text, "m.contract.toml")


def checked(model: str, text: str, *select: str) -> list[Finding]:
    """What is said of a named model with a contract."""
    config = Config(select=select or ("P", "D", "K", "S"))
    return list(check(NAMED[model](), contract=contract(text), config=config).findings())


def rules(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a contract that is wrong, and one without."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    shutil.copy(named_model_path("image_float32"), tmp_path / "other.tflite")
    (tmp_path / "bird.contract.toml").write_text(WRONG, encoding="utf-8")
    return tmp_path


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "line"),
    {
        "misspelt key": ('[[inputs]]\nkind = "image"\nchanels = "RGB"\n', "unknown key 'chanels'", 3),
        "misspelt value": ('[[inputs]]\nkind = "picture"\n', "'kind' is 'picture'", 2),
        "no kind": ('[[inputs]]\nname = "x"\n', "missing key 'kind' in inputs 'x'", 1),
        "mean without units": ('[[inputs]]\nkind = "image"\nmean = 0\nstd = 1\n', "units", 1),
        "scale alone": ('[[inputs]]\nkind = "raw"\nscale = 0.5\n', "zero-point", 1),
        "name and index": ('[[inputs]]\nkind = "raw"\nname = "x"\nindex = 0\n', "a name and an index", 4),
        "twice the same": (
            '[[inputs]]\nkind = "raw"\nindex = 0\n[[inputs]]\nkind = "raw"\nindex = 0\n',
            "several entries",
            6,
        ),
        "two without names": ('[[inputs]]\nkind = "raw"\n[[inputs]]\nkind = "raw"\n', "which of the model's inputs", 1),
        "nan": ('[[inputs]]\nkind = "image"\nmean = nan\nstd = 1\nunits = "u8"\n', "finite", 3),
        "nan in a list": (
            '[[inputs]]\nkind = "image"\nmean = [1, nan]\nstd = 1\nunits = "u8"\n',
            "'mean[1]' must be a finite number",
            3,
        ),
        "inf in a table": (
            '[[inputs]]\nkind = "raw"\nobserved = { min = 0, max = [1, inf] }\n',
            "'max[1]' must be a finite number",
            3,
        ),
        "lengths": ('[[inputs]]\nkind = "image"\nmean = [1, 2, 3]\nstd = [1, 2]\nunits = "u8"\n', "'std' has 2", 4),
        "channels": (
            '[[inputs]]\nkind = "image"\nchannels = "RGBA"\nmean = [1, 2, 3]\nstd = 1\nunits = "u8"\n',
            "4",
            4,
        ),
        "no digest": ('[model]\nsha256 = "abc"\n', "sha256", 2),
        "no date": ('[[allow]]\nrule = "P001"\nreason = "why not"\nuntil = "2025-02-30"\n', "is not a date", 4),
        "no TOML": ("[[inputs]\n", "not valid TOML", 1),
        "a contract's contract": ("inputs = 3\n", "inputs", 1),
    }.values(),
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str, line: int) -> None:
    with pytest.raises(UserError) as caught:
        contract(text)
    assert message in str(caught.value)
    assert caught.value.place is not None
    assert caught.value.place.line == line


MALFORMED = '[[inputs]]\nkind = "image"\nchanels = "RGB"\n'


class TestInvalidContracts:
    def test_do_not_hide_the_findings_of_other_files(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED, encoding="utf-8")
        shutil.copy(named_model_path("softmax_int8"), folder / "wrong.tflite")
        (folder / "wrong.contract.toml").write_text('[[inputs]]\nkind = "raw"\ndtype = "float32"\n')
        assert run(["check", "."]) == 1
        out, err = capsys.readouterr()
        assert err == ""
        assert "unknown key 'chanels' in 'inputs[0]' (hint: did you mean 'channels'?)" in out
        assert "bird.contract.toml:3:1" in out
        assert "preprocessing of 1 model with an invalid contract" in out
        assert "wrong.contract.toml:3" in out

    def test_are_located_in_every_format(self, folder: Path) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED, encoding="utf-8")
        report = check("bird.tflite")
        (finding,) = [finding for finding in report.findings() if finding.rule == "P116"]
        assert (finding.severity, finding.location.file) == ("error", "bird.contract.toml")
        assert finding.location.text == TextSpan(3, 1, 3, 8)
        assert [(file.path, file.contract_gap) for file in report.files] == [
            ("bird.tflite", "invalid"),
            ("bird.contract.toml", None),
        ]
        assert json.loads(rendered(report, "json"))["files"][0]["contract_gap"] == "invalid"
        assert "file=bird.contract.toml,line=3" in rendered(report, "github")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"\xff\xfe", "the contract is UTF-16, not UTF-8"),
            (b"a = 1\n" * (1 << 18), "the contract is larger than"),
            (b"[[inputs]\n", "not valid TOML"),
            (None, "the contract cannot be read: it is a folder"),
        ],
    )
    def test_that_cannot_be_read_are_findings(self, folder: Path, content: bytes | None, message: str) -> None:
        path = folder / "bird.contract.toml"
        path.unlink()
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        (finding,) = [finding for finding in check("bird.tflite").findings() if finding.rule == "P116"]
        assert message in finding.message

    def test_do_not_count_as_contracts_without_keys(self, folder: Path) -> None:
        """K006 asks for `stateful` if the model keeps state: an unreadable contract may have the key."""
        shutil.copy(named_model_path("variable_state"), folder / "bird.tflite")
        (folder / "bird.contract.toml").write_text("")
        assert "K006" in rules(list(check("bird.tflite").findings()))
        (folder / "bird.contract.toml").write_text("stateful == true")
        assert rules(list(check("bird.tflite", config=Config(select=("P", "K"))).findings())) == ["P116"]

    def test_of_unreadable_models_are_findings(self, folder: Path) -> None:
        (folder / "bird.tflite").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
        (folder / "bird.contract.toml").write_text(MALFORMED)
        assert "P116" in rules(list(check("bird.tflite").findings()))

    def test_of_several_models_are_one_finding(self, folder: Path) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED)
        report = check(["bird.tflite", "other.tflite"], config=Config(contracts={"*.tflite": "bird.contract.toml"}))
        assert rules(list(report.findings())).count("P116") == 1
        assert [file.contract_gap for file in report.files if file.kind == "model"] == ["invalid", "invalid"]

    def test_are_reported_again_from_the_cache(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED)
        printed = []
        for _ in range(2):
            assert run(["check", "bird.tflite", "--format", "json"]) == 1
            printed.append(json.loads(capsys.readouterr().out)["files"])
        assert printed[0] == printed[1]
        (folder / "bird.contract.toml").write_text(MALFORMED.replace("chanels", "channels"))
        run(["check", "bird.tflite", "--format", "json"])
        assert "P116" not in capsys.readouterr().out

    def test_cannot_be_known_to_a_baseline(self, folder: Path) -> None:
        """A baseline would cover every later mistake in the contract, too."""
        (folder / "bird.contract.toml").write_text(MALFORMED)
        assert run(["check", "bird.tflite", "--write-baseline", "known.json"]) == 0
        assert run(["check", "bird.tflite", "--baseline", "known.json"]) == 1

    def test_that_the_user_passes_end_the_run(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED)
        for path in ("bird.contract.toml", folder / "bird.contract.toml"):
            with pytest.raises(UserError, match="unknown key 'chanels'"):
                check("bird.tflite", contract=path)
        assert run(["contract", "check", "bird.contract.toml"]) == 2
        assert "bird.contract.toml:3:1: unknown key 'chanels'" in capsys.readouterr().err

    def test_do_not_concern_a_comparison_of_two_models(self, folder: Path) -> None:
        (folder / "bird.contract.toml").write_text(MALFORMED)
        assert run(["diff", "bird.tflite", "bird.tflite"]) == 0


@pytest.mark.parametrize("text", ["", '[model]\nsource = "me"\n', '[[outputs]]\nkind = "raw"\n'])
def test_a_contract_without_inputs_leaves_the_preprocessing_unchecked(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (folder / "bird.contract.toml").write_text(text)
    assert run(["check", "bird.tflite"]) == 0
    assert "not checked: preprocessing of 1 model whose contract describes no inputs" in capsys.readouterr().out
    assert check("bird.tflite").files[0].contract_gap == "no-inputs"
    (folder / "bird.contract.toml").write_text(WRONG)
    run(["check", "bird.tflite"])
    assert "not checked: preprocessing" not in capsys.readouterr().out


def test_each_key_of_the_schema_is_documented() -> None:
    from tflint.catalog.contract_keys import contract_keys

    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    missing = [
        key
        for table in ("contract", "contract_input", "contract_output")
        for key in contract_keys(table)
        if f"`{key}`" not in page and f"`{key.rsplit('.', 1)[-1]}`" not in page
    ]
    assert missing == []


# --- whose contract it is ---------------------------------------------------------------------------------------------


def test_a_contract_lies_beside_its_model(folder: Path) -> None:
    report = check(["bird.tflite", "other.tflite"])
    assert [(file.path, file.kind, file.contract) for file in report.files] == [
        ("bird.tflite", "model", "bird.contract.toml"),
        ("bird.contract.toml", "contract", None),
        ("other.tflite", "model", None),
    ]


def test_a_contract_stands_for_its_model(folder: Path) -> None:
    assert [file.path for file in check("bird.contract.toml").files] == ["bird.tflite", "bird.contract.toml"]
    shutil.copy(folder / "bird.contract.toml", folder / "nobody.contract.toml")
    with pytest.raises(UserError, match="no model next to"):
        check("nobody.contract.toml")


def test_the_configuration_maps_models_to_contracts(folder: Path) -> None:
    (folder / "shared.toml").write_text(WRONG, encoding="utf-8")
    (folder / "bird.contract.toml").unlink()
    (folder / "tflint.toml").write_text('[contracts]\n"b*.tflite" = "shared.toml"\n', encoding="utf-8")
    report = check(".", config=load_config("tflint.toml"))
    assert [file.path for file in report.files] == ["bird.tflite", "shared.toml", "other.tflite"]
    (folder / "tflint.toml").write_text('[contracts]\n"b*.tflite" = "none.toml"\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"'none.toml' does not exist") as caught:
        load_config("tflint.toml")
    assert caught.value.place is not None
    assert caught.value.place.line == 2


def test_one_contract_for_several_models_has_one_report(folder: Path) -> None:
    shutil.copy(folder / "bird.tflite", folder / "bird2.tflite")
    (folder / "tflint.toml").write_text('[contracts]\n"bird2.tflite" = "bird.contract.toml"\n', encoding="utf-8")
    report = check(["bird.tflite", "bird2.tflite"], config=load_config("tflint.toml"))
    (file,) = [file for file in report.files if file.kind == "contract"]
    assert rules(list(file.findings)).count("P001") == 2


def test_a_model_that_is_given_twice_is_reported_twice(folder: Path) -> None:
    report = check(["bird.tflite", "other.tflite", "bird.tflite"])
    paths = ["bird.tflite", "bird.contract.toml", "other.tflite", "bird.tflite"]
    assert [file.path for file in report.files] == paths


def test_a_batch_and_processes_give_what_one_model_gives(folder: Path) -> None:
    names = []
    for number in range(150):
        name = f"m{number:03}"
        shutil.copy(folder / "bird.tflite", folder / f"{name}.tflite")
        if number % 3 == 0:
            shutil.copy(folder / "bird.contract.toml", folder / f"{name}.contract.toml")
        names.append(f"{name}.tflite")
    one_by_one = [file for name in names for file in check(name).files]
    assert list(check(names).files) == one_by_one
    assert list(check(names, jobs=2).files) == one_by_one


# --- entries and inputs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "value"), [("name", '"x"'), ("name", '"a"'), ("index", "0")])
def test_an_entry_finds_its_input_by_signature_tensor_or_index(key: str, value: str) -> None:
    entry = f'[[inputs]]\n{key} = {value}\nkind = "raw"\ndtype = "int8"\n'
    (found,) = checked("signature_float32", entry, "D001")
    assert found.related[0].location.names[-1] == "a"


def test_entries_are_those_of_the_signature_that_the_contract_names() -> None:
    entry = '[[outputs]]\nname = "z"\nkind = "raw"\ndtype = "int8"\n'
    assert rules(checked("two_signatures", f'[model]\nsignature = "sum"\n{entry}')) == ["D101"]
    assert rules(checked("two_signatures", f'[model]\nsignature = "product"\n{entry}')) == ["D101", "K105"]


def test_findings_stand_in_the_contracts_lines(folder: Path) -> None:
    (found,) = [f for f in check("bird.tflite").findings() if f.rule == "P001"]
    assert found.location.file == "bird.contract.toml"
    assert found.location.path == "inputs[0].mean"
    assert found.location.text is not None
    assert (found.location.text.line, found.location.text.column) == (4, 1)
    assert found.related[0].location.file == "bird.tflite"


# --- reports and suppressions -----------------------------------------------------------------------------------------


def test_reports_show_lines(folder: Path) -> None:
    report = check(["bird.tflite", "other.tflite"])
    github = rendered(report, "github")
    assert "::error file=bird.contract.toml,line=4,endLine=4,col=1" in github
    (result,) = [
        result for result in json.loads(rendered(report, "sarif"))["runs"][0]["results"]
        if result["ruleId"] == "P001"
    ]  # fmt: skip
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (4, 1)
    text = rendered(report, "text")
    assert "2 models and 1 contract" in text
    assert "not checked: preprocessing of 1 model without a contract" in text


def test_a_run_with_contracts_only_has_checked_the_preparation(folder: Path) -> None:
    assert "not checked" not in rendered(check("bird.tflite"), "text")


def _suppressed(report: Report) -> list[str]:
    return [finding.rule for finding in report.findings() if finding.suppressed is not None]


def test_a_contract_takes_findings_back(folder: Path) -> None:
    allow = (
        '\n[[allow]]\nrule = "P001"\nreason = "the sensor is dark"\n\n[[allow]]\nrule = "M002"\nreason = "none yet"\n'
    )
    (folder / "bird.contract.toml").write_text(WRONG + allow, encoding="utf-8")
    report = check(["bird.tflite", "other.tflite"])
    assert _suppressed(report) == ["M002", "P001"]
    assert report.notices == ()
    at = allow.replace('reason = "the', 'at = "inputs[1]*"\nreason = "the')
    (folder / "bird.contract.toml").write_text(WRONG + at, encoding="utf-8")
    report = check(["bird.tflite", "other.tflite"])
    assert _suppressed(report) == ["M002"]
    assert "the entry for P001 suppresses nothing" in report.notices[0].message


def test_the_formats_of_a_clean_contract(folder: Path) -> None:
    (folder / "bird.contract.toml").write_text('[model]\nscheme = "full int8"\n', encoding="utf-8")
    report = check("bird.contract.toml")
    contract_report: FileReport = report.files[1]
    assert (contract_report.kind, contract_report.findings) == ("contract", ())
    for format_ in FORMATS:
        assert rendered(report, format_)


# --- known normalizations ---------------------------------------------------------------------------------------------

LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}


def calibrated(known: Normalization, dtype: str) -> bytes:
    """The image model, calibrated for a normalization as the converter does it."""
    low, high = min(known.low, 0.0), max(known.high, 0.0)
    qmin, qmax = LIMITS[dtype]
    scale = max(-low, high) / qmax if dtype == "INT16" else (high - low) / 255
    zero = 0 if dtype == "INT16" else round(qmin - low / scale)
    edit = {
        "tensors.input.type": dtype,
        "tensors.input.quantization.scale": [scale],
        "tensors.input.quantization.zero_point": [zero],
    }
    return edit_model(NAMED["pixels_int8"](), edit)


def width_in(known: Normalization, dtype: str) -> float:
    """How wide the range is that a type stores for a normalization: of int16 twice its larger end."""
    ends = min(known.low, 0.0), max(known.high, 0.0)
    return 2 * max(map(abs, ends)) if dtype == "INT16" else ends[1] - ends[0]


def toml_of(known: Normalization) -> str:
    channels = f'channels = "{known.order}"\n' if known.order else ""
    return (
        f'[[inputs]]\nkind = "image"\n{channels}mean = {list(known.mean)}\nstd = {list(known.std)}\n'
        f'units = "{known.units}"\n'
    )


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("known", known_normalizations(), ids=lambda known: known.name)
def test_the_normalization_of_the_calibration_is_let_pass(known: Normalization, dtype: str) -> None:
    found = check(calibrated(known, dtype), contract=contract(toml_of(known)), config=Config(select=("P",)))
    assert [f.rule for f in found.findings() if f.severity != "note"] == []


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("known", known_normalizations(), ids=lambda known: known.name)
def test_another_normalization_is_told_apart_or_fits_as_well(known: Normalization, dtype: str) -> None:
    """What a contract says instead is spoken of, or its range fits the same scale and zero point."""
    content = calibrated(known, dtype)
    for other in known_normalizations():
        report = check(content, contract=contract(toml_of(other)), config=Config(select=("P001", "P100")))
        spoken = list(report.findings())
        width, other_width = width_in(known, dtype), width_in(other, dtype)
        if other_width > 1.35 * width or other_width < 0.45 * width:
            assert spoken, f"{other.name} passes for {known.name}"


@pytest.mark.parametrize("known", known_normalizations(), ids=lambda known: known.name)
def test_a_float_input_has_no_range_to_compare(known: Normalization) -> None:
    report = check(NAMED["image_float32"](), contract=contract(toml_of(known)), config=Config(select=("P001", "P100")))
    assert list(report.findings()) == []


def test_a_contract_is_read_from_a_file(folder: Path) -> None:
    assert load_contract("bird.contract.toml").inputs[0]["mean"] == 0
    with pytest.raises(UserError, match="there is no such file"):
        load_contract("none.contract.toml")


# --- label files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    {
        "in order": (b"cat\ndog\nbird\n", []),
        "no end of line": (b"cat\r\ndog\r\nbird", []),
        "placeholders": (b"???\n???\nbird\n", []),
        "missing": (None, ["M108"]),
        "empty": (b"\n\n", ["M108"]),
        "not UTF-8": (b"cat\ndog\xff\nbird\n", ["M108"]),
        "UTF-16": ("cat\ndog\nbird\n".encode("utf-16"), ["M108"]),
        "twice": (b"cat\ncat\nbird\n", ["M111"]),
        "blank": (b"cat\n\nbird\n", ["M008"]),
        "too many": (b"".join(b"%d\n" % k for k in range(10)), ["M114"]),
        "one more": (b"a\nb\nc\nd\n", ["M115"]),
        "one less": (b"a\nb\n", ["M115"]),
        "one more, the background": (b"Background\na\nb\nc\n", []),
        "one less, with the background": (b"background\na\n", ["M115"]),
        "as many as the batch": (b"a\n", ["M114"]),
    }.values(),
)
def test_label_files_are_read(folder: Path, content: bytes | None, said: list[str]) -> None:
    if content is not None:
        (folder / "names.txt").write_bytes(content)
    entry = '[[outputs]]\nkind = "class_scores"\nlabels.file = "names.txt"\n'
    (folder / "labels.contract.toml").write_text(entry, encoding="utf-8")
    report = check(NAMED["labels_float32"](), contract="labels.contract.toml", config=Config(select=("M",)))
    assert [f.rule for f in report.findings() if f.location.file == "labels.contract.toml"] == said


def test_a_label_file_inside_the_model_is_there(folder: Path) -> None:
    entry = '[[outputs]]\nkind = "class_scores"\nlabels.file = "labels.txt"\n'
    (folder / "labels.contract.toml").write_text(entry, encoding="utf-8")
    report = check(NAMED["labels_float32"](), contract="labels.contract.toml", config=Config(select=("M",)))
    assert [f.rule for f in report.findings() if f.location.file == "labels.contract.toml"] == []


def classifier(labels: str, shape: list[int]) -> bytes:
    """A classifier with packed labels, and an output of this shape."""
    return edit_model(plain.classifier(labels), {"tensors.output.shape": shape, "tensors.logits.shape": shape})


def lines(count: int) -> str:
    return "".join(f"label {k}\n" for k in range(count))


@pytest.mark.parametrize(
    ("labels", "shape", "expected"),
    {
        "one per class": (lines(90), [1, 90], False),
        "one more": (lines(91), [1, 90], True),
        "one more, the background": ("???\n" + lines(90), [1, 90], False),
        "one less": (lines(89), [1, 90], True),
        "of another model": (lines(1000), [1, 90], True),
        "as many as the batch and one": (lines(2), [1, 90], True),
        "a class per pixel": (lines(21), [1, 257, 257, 21], False),
        "one score for two classes": (lines(2), [1, 1], False),
        "one score for one class": (lines(1), [1, 1], False),
        "boxes before the scores": (lines(80), [1, 84, 8400], False),
        "the size is not known": (lines(80), [], False),
    }.values(),
)  # fmt: skip
def test_packed_labels_of_another_number_are_found_without_a_contract(
    labels: str, shape: list[int], expected: bool
) -> None:
    report = check(classifier(labels, shape), config=Config(select=("M116",)))
    assert [(f.rule, f.severity) for f in report.findings()] == [("M116", "warning")] * expected


def test_packed_labels_of_a_dynamic_axis_are_not_compared() -> None:
    model = edit_model(plain.classifier(lines(80)), {"tensors.output.shape_signature": [-1, -1]})
    assert (
        list(check(edit_model(model, {"tensors.output.shape": [1, 1]}), config=Config(select=("M116",))).findings())
        == []
    )


def test_packed_labels_that_cannot_be_unpacked_are_not_checked() -> None:
    model = plain.classifier("a" * (1 << 20) + "\n" + lines(8))
    (file,) = check(model, config=Config(select=("M116",))).files
    assert [(entry.rule, entry.rows) for entry in file.not_checked] == [("M116", 1)]


def test_packed_labels_named_by_the_contract_are_one_finding() -> None:
    text = '[[outputs]]\nkind = "class_scores"\nlabels.file = "labels.txt"\n'
    assert rules(checked("labels_longer_float32", text, "M003", "M004", "M114", "M115", "M116")) == ["M115"]
    text += "labels.count = 4\n"
    assert rules(checked("labels_longer_float32", text, "M003", "M004", "M114", "M115", "M116")) == ["M004"]


class TestTargetsOfAContract:
    """What a model must run on, in its contract: these count as declared, for this model."""

    def test_are_judged_instead_of_the_default(self, folder: Path) -> None:
        shutil.copy(named_model_path("custom_op"), folder / "own.tflite")
        (folder / "own.contract.toml").write_text('[model]\ntargets = ["tflm"]\n')
        report = check(folder / "own.tflite")
        assert report.targets == ("tflm",)
        assert not report.is_default_target
        assert [f.target for f in report.findings() if f.rule == "O004"] == ["tflm"]

    def test_are_judged_besides_those_of_the_run(self, folder: Path) -> None:
        shutil.copy(named_model_path("custom_op"), folder / "own.tflite")
        (folder / "own.contract.toml").write_text('[model]\ntargets = ["tflm"]\n')
        report = check(folder / "own.tflite", config=Config(targets=("litert==2.3.0",)))
        assert [f.target for f in report.findings() if f.rule == "O004"] == ["litert==2.3.0", "tflm"]

    def test_are_those_of_one_model_and_of_no_other(self, folder: Path) -> None:
        for name in ("a", "b"):
            shutil.copy(named_model_path("custom_op"), folder / f"{name}.tflite")
        (folder / "b.contract.toml").write_text('[model]\ntargets = ["tflm"]\n')
        report = check([folder / "a.tflite", folder / "b.tflite"])
        named = {f.location.file.rsplit("/", 1)[-1]: f.target for f in report.findings() if f.rule == "O004"}
        assert named == {"a.tflite": "litert==2.3.0", "b.tflite": "tflm"}
        assert report.targets == ("litert==2.3.0", "tflm")

    def test_of_a_name_that_the_configuration_describes(self, folder: Path) -> None:
        shutil.copy(named_model_path("custom_op"), folder / "own.tflite")
        (folder / "own.contract.toml").write_text('[model]\ntargets = ["board"]\n')
        (folder / "tflint.toml").write_text('[targets.board]\nruntime = "tflm"\ncustom-ops = ["MyCustomOp"]\n')
        report = check(folder / "own.tflite", config=load_config(folder / "tflint.toml"))
        assert "O004" not in [f.rule for f in report.findings()]

    def test_that_nobody_knows_are_shown_in_their_line(self, folder: Path) -> None:
        shutil.copy(named_model_path("custom_op"), folder / "own.tflite")
        (folder / "own.contract.toml").write_text('[model]\ntargets = ["tflm", "litret"]\n')
        (found,) = [finding for finding in check(folder / "own.tflite").findings() if finding.rule == "P116"]
        assert found.location.text is not None
        assert found.location.text.line == 2
        assert "unknown target 'litret' (hint: did you mean 'litert'?)" in found.message
        with pytest.raises(UserError, match="unknown target 'litret'"):
            check(folder / "own.tflite", contract=folder / "own.contract.toml")


def test_a_contract_for_a_different_file_fails_the_run(folder: Path) -> None:
    (folder / "bird.contract.toml").write_text(f'[model]\nsha256 = "{"0" * 64}"\n')
    assert run(["check", "bird.tflite", "--select", "X007"]) == 1


def test_the_report_has_the_digest_of_a_pinned_model(folder: Path) -> None:
    digest = hashlib.sha256(named_model_path("conv_int8").read_bytes()).hexdigest()
    for name in ("a", "b"):
        shutil.copy(named_model_path("conv_int8"), folder / f"{name}.tflite")
    (folder / "b.contract.toml").write_text(f'[model]\nsha256 = "{digest}"\n')
    report = check([folder / "a.tflite", folder / "b.tflite"])
    assert [file.sha256 for file in report.files if file.kind == "model"] == [None, digest]
