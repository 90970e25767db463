"""Linting a version: models are found anywhere, and nothing that the uploader wrote makes a model pass."""

from __future__ import annotations

import datetime
import json
import tempfile
from pathlib import Path

import pytest

from tests.helpers.registries import Add, model
from tflint.config import Config
from tflint.errors import UserError
from tflint.findings.suppressions import Allow
from tflint.registry import artifacts
from tflint.registry.adapters.folder_registry import FolderRegistry
from tflint.registry.artifacts import hash_version
from tflint.registry.contract_choice import ContractSource
from tflint.registry.lint_record import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    RECORD_TAG,
    SEAL_TAG,
    STALE,
    STATUS_TAG,
    UNREACHABLE,
    build_tags,
    find_stored_status,
    is_sealed,
    make_seal,
    parse_record,
)
from tflint.registry.model_registry import ModelVersion, StoredFile, UnreachableError
from tflint.registry.promotion import annotate
from tflint.registry.reports import build_reports
from tflint.registry.version_lint import LintPlan, VersionResult, lint_version, quote_label
from tflint.registry.waivers import Waiver, load_waivers
from tflint.values import replace

CONTRACT = b'[[inputs]]\nindex = 0\nkind = "image"\ndtype = "int8"\n'
WRONG = CONTRACT.replace(b"int8", b"float32")
ALLOW_ALL = b"".join(
    b'[[allow]]\nrule = "%s"\nreason = "trust me"\n' % rule for rule in (b"G003", b"D102", b"K102", b"D100", b"M002")
)
MLMODEL = """\
flavors:
  {flavor}:
    data: m.tflite
signature:
  inputs: '[{{"type": "tensor", "name": "input", "tensor-spec": {{"dtype": "{dtype}", "shape": [1, 4, 4, 2]}}}}]'
"""


def rules_of(result: VersionResult) -> set[str]:
    assert result.report is not None
    return {finding.rule for finding in result.report.findings() if finding.suppressed is None}


@pytest.mark.parametrize(
    "path", ["m.tflite", "model/data/m.tflite", "m.bin", "model", "deep/er/than/that/weights.dat", "artifacts/x.lite"]
)
def test_models_are_found_anywhere(registry: FolderRegistry, add: Add, plan: LintPlan, path: str) -> None:
    result = lint_version(registry, add({path: model(), "requirements.txt": b"numpy\n", "MLmodel": b"{}"}), plan)
    assert result.status == PASS
    assert result.report is not None
    assert [file.path for file in result.report.files if file.kind == "model"] == [f"bird/1/{path}"]


def test_bundles_are_opened(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    from tflint.resources import named_model_path

    result = lint_version(registry, add({"b.task": named_model_path("bundle_task").read_bytes()}), plan)
    assert result.report is not None
    assert len(result.report.files) > 1
    assert all(file.path.startswith("bird/1/b.task") for file in result.report.files)
    assert all(file.path_on_disk == "bird/1/b.task" for file in result.report.files)


@pytest.mark.parametrize("files", [{"model.pkl": b"\x80\x04."}, {"a": b""}, {}])
def test_a_version_without_a_model_is_not_applicable(
    registry: FolderRegistry, add: Add, plan: LintPlan, files: dict[str, bytes]
) -> None:
    assert lint_version(registry, add(files), plan).status == NOT_APPLICABLE


def test_a_broken_model_fails(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    for name in ("truncated", "git_lfs_pointer", "html_page"):
        assert lint_version(registry, add({"m.tflite": model(name)}), plan).status == FAIL


def test_what_the_uploader_allows_does_not_count(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    contract = b'[model]\ntargets = ["tflm"]\n\n' + WRONG + ALLOW_ALL
    tags = {STATUS_TAG: "pass", RECORD_TAG: '{"status": "pass"}', SEAL_TAG: "v1:" + "0" * 64}
    version = replace(add({"m.tflite": model(), "m.contract.toml": contract}), tags=tags)
    result = lint_version(registry, version, plan)
    assert result.status == FAIL
    assert "D100" in rules_of(result) or "D102" in rules_of(result) or result.record.counts[0][1]
    assert result.report is not None
    assert result.report.targets == ("litert==2.3.0",)
    assert not any(finding.suppressed for finding in result.report.findings())
    assert {file.path for file in result.report.files} == {"bird/1/m.tflite", "bird/1/m.contract.toml"}


def test_an_invalid_contract_of_the_uploader_fails_the_version(
    registry: FolderRegistry, add: Add, plan: LintPlan
) -> None:
    for text in (b"[[inputs]]\nkind = 7\n", b"\xff\xfe", b"[" * 10_000):
        result = lint_version(registry, add({"m.tflite": model(), "m.contract.toml": text}), plan)
        assert result.status == FAIL
        assert "the contract in the artifacts is not valid" in result.problems[0]
        assert "tflite-lint-" not in result.problems[0]


def test_an_invalid_contract_of_the_linting_side_ends_the_run(
    registry: FolderRegistry, add: Add, tmp_path: Path
) -> None:
    """A version must not pass because the contract that it must satisfy has a mistake."""
    version = add({"m.tflite": model(), "m.contract.toml": CONTRACT})
    contract = tmp_path / "bird.contract.toml"
    for text in ('chanels = "RGB"', '[model]\ntargets = ["litret"]\n'):
        contract.write_text(text)
        with pytest.raises(UserError, match=r"bird.contract.toml:\d"):
            lint_version(registry, version, LintPlan(Config(), ContractSource([str(contract)], Config())))


def test_the_contract_of_the_linting_side_wins(registry: FolderRegistry, add: Add, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bird.contract.toml").write_bytes(CONTRACT)
    source = ContractSource([str(tmp_path / "own")], Config())
    version = add({"m.tflite": model(), "m.contract.toml": WRONG})
    result = lint_version(registry, version, LintPlan(Config(), source))
    assert result.status == PASS
    assert result.report is not None
    assert {file.path for file in result.report.files if file.kind == "contract"} == {
        (tmp_path / "own" / "bird.contract.toml").as_posix()
    }


def test_contracts_of_the_configuration_are_found_by_glob(registry: FolderRegistry, add: Add, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(WRONG)
    config = Config(contracts={"bird/**": str(tmp_path / "c.toml")})
    version, other = add(), add(name="fox")
    plan = LintPlan(config, ContractSource((), config))
    assert lint_version(registry, version, plan).status == FAIL
    assert lint_version(registry, other, plan).status == PASS


def test_the_name_of_an_artifact_selects_no_contract_of_a_different_model(
    registry: FolderRegistry, add: Add, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "bird.contract.toml").write_bytes(WRONG)
    (own / "debug.contract.toml").write_bytes(CONTRACT + ALLOW_ALL)
    plan = LintPlan(Config(), ContractSource([str(own)], Config()))
    assert lint_version(registry, add({"debug.tflite": model()}), plan).status == FAIL
    assert lint_version(registry, add({"debug.tflite": model("truncated")}, name="fox"), plan).status == FAIL


def test_a_model_with_the_name_of_a_report_is_refused(
    registry: FolderRegistry, add: Add, plan: LintPlan, tmp_path: Path
) -> None:
    from tflint.resources import named_model_path

    bundle = b"{\n" + named_model_path("bundle_task").read_bytes()
    for name, content in (("report.json", model()), ("statement.json", bundle)):
        version = add({"m.tflite": model(), f"tflite-lint/bird-1/{name}": content})
        result = lint_version(registry, version, plan)
        assert result.status == FAIL
        assert "but is a model" in result.problems[0]
    version = add({"m.tflite": model(), "tflite-lint/bird-1/new.tflite": model("truncated")})
    assert lint_version(registry, version, plan).status == FAIL
    hashes = {
        hash_version(registry, add({"m.tflite": model(), "tflite-lint/bird-1/report.json": text}))
        for text in (b"1", b"2")
    }
    assert len(hashes) == 1  # attached reports are not part of the content
    assert hash_version(registry, add({"m.tflite": model(), "tflite-lint/bird-1/more.json": b"1"})) not in hashes


def test_a_contract_of_the_uploader_reads_no_files_elsewhere(
    registry: FolderRegistry, add: Add, plan: LintPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "secret.txt").write_text("secret\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "checkout"))
    contract = CONTRACT + b'[[outputs]]\nindex = 0\nkind = "raw"\nlabels = { file = "../../../secret.txt" }\n'
    result = lint_version(registry, add({"m.tflite": model(), "m.contract.toml": contract}), plan)
    assert "M112" in rules_of(result)
    assert "secret" not in json.dumps(result.record.dump()).replace("secret.txt", "")


def test_the_conditions_have_all_of_a_waiver(plan: LintPlan) -> None:
    day = datetime.date(2099, 1, 1)
    waivers = [Waiver("Q009", "bird/7", "lead", "why", day), Waiver("G002", "*/*", "lead", "why", day)]
    source = ContractSource((), Config())
    digests = {LintPlan(Config(), source, [waiver]).conditions.config for waiver in waivers}
    assert len({*digests, plan.conditions.config}) == 3


def test_two_contracts_of_one_name_are_an_error(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.contract.toml").write_bytes(CONTRACT)
    source = ContractSource([str(tmp_path)], Config())
    with pytest.raises(UserError, match="two contracts have the name"):
        source.find(ModelVersion("x", "1"), "m.tflite")
    assert source.find(ModelVersion("a", "1"), "x.tflite") is not None
    with pytest.raises(UserError, match="same name and folder name"):
        ContractSource([str(tmp_path), f"{tmp_path}/a/../a"], Config())
    with pytest.raises(UserError, match="no contract at"):
        ContractSource([str(tmp_path / "none")], Config())


@pytest.mark.parametrize(("dtype", "status"), [("int8", PASS), ("float64", FAIL)])
def test_a_signature_is_checked_like_a_contract(
    registry: FolderRegistry, add: Add, plan: LintPlan, dtype: str, status: str
) -> None:
    text = MLMODEL.format(flavor="tflite", dtype=dtype)
    version = add({"model/m.tflite": model(), "model/MLmodel": text.encode()})
    result = lint_version(registry, version, plan)
    assert result.status == status, result
    with_contract = add({"model/m.tflite": model(), "model/MLmodel": text.encode(), "model/m.contract.toml": CONTRACT})
    assert lint_version(registry, with_contract, plan).status == status


def test_the_signature_of_a_python_function_is_not_that_of_the_model(
    registry: FolderRegistry, add: Add, plan: LintPlan
) -> None:
    text = MLMODEL.format(flavor="python_function", dtype="float64")
    result = lint_version(registry, add({"artifacts/m.tflite": model(), "MLmodel": text.encode()}), plan)
    assert result.status == PASS
    assert "Python function" in result.notes[0]


def test_the_placeholder_signature_of_an_external_model_is_not_used(
    registry: FolderRegistry, add: Add, plan: LintPlan
) -> None:
    text = "metadata:\n  mlflow.model.isExternal: true\n" + MLMODEL.format(flavor="none", dtype="bool")
    result = lint_version(registry, add({"m.tflite": model(), "MLmodel": text.encode()}), plan)
    assert result.status == PASS
    assert "placeholder" in result.notes[0]


class Hostile(FolderRegistry):
    """A registry that lists paths as it likes."""

    listed: tuple[StoredFile, ...] = ()

    def list_files(self, version: ModelVersion):  # type: ignore[no-untyped-def]
        return iter(self.listed)

    def open(self, version: ModelVersion, path: str):  # type: ignore[no-untyped-def]
        yield model()


@pytest.mark.parametrize(
    "paths",
    [("../../m.tflite",), ("/etc/m.tflite",), ("a/\x1b[31m.tflite",), ("m.tflite", "m.tflite"), ("a", "a/b.tflite")],
)
def test_hostile_listings_fail_and_write_nothing_elsewhere(
    registry: FolderRegistry, add: Add, plan: LintPlan, paths: tuple[str, ...], tmp_path: Path
) -> None:
    version = add()
    hostile = Hostile(registry.label)
    hostile.listed = tuple(map(StoredFile, paths))
    before = sorted(map(str, tmp_path.rglob("*")))
    result = lint_version(hostile, version, plan)
    assert result.status in (FAIL, UNREACHABLE)
    assert "\x1b" not in result.describe()
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_sizes_and_counts_are_limited(
    registry: FolderRegistry, add: Add, plan: LintPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = add({"a": b"12345", "b": b"6"})
    monkeypatch.setattr(artifacts, "MAX_BYTES", 5)
    assert lint_version(registry, version, plan).status == FAIL
    hostile = Hostile(registry.label)
    hostile.listed = (StoredFile("m.tflite"),)  # the size is not known
    assert "the artifacts have more" in lint_version(hostile, version, plan).describe()
    monkeypatch.undo()
    monkeypatch.setattr(artifacts, "MAX_FILES", 1)
    assert lint_version(registry, version, plan).status == FAIL


def test_a_truncated_artifact_is_unreachable(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    hostile = Hostile(registry.label)
    hostile.listed = (StoredFile("m.tflite", len(model()) + 1),)
    result = lint_version(hostile, add(), plan)
    assert result.status == UNREACHABLE
    assert "truncated" in result.describe()


def test_a_full_disk_is_unreachable(
    registry: FolderRegistry, add: Add, plan: LintPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = add()

    def fail(descriptor: int, content: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifacts.os, "write", fail)
    result = lint_version(registry, version, plan)
    assert result.status == UNREACHABLE
    assert "No space left" in result.describe()


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", "x" * 500, "\u202e\x1b[2J", "<script>", "con"])
def test_hostile_names_stay_in_the_work_folder(name: str) -> None:
    folder = quote_label(ModelVersion(name, "1"))
    assert ".." not in folder.split("/")
    assert folder.count("/") == 1
    assert folder.isascii()


def test_a_waiver_lets_one_version_pass_and_is_shown(registry: FolderRegistry, add: Add) -> None:
    first, second = add({"m.tflite": model("truncated")}), add({"m.tflite": model("truncated")})
    today = datetime.date.today()
    waivers = [Waiver("G003", "bird/1", "ml-lead", "only for a demonstration", today)]
    plan = LintPlan(Config(), ContractSource((), Config()), waivers)
    result = lint_version(registry, first, plan)
    assert result.status == PASS
    assert lint_version(registry, second, plan).status == FAIL
    report = json.loads(build_reports(result)["report.json"])
    assert report["files"][0]["findings"][0]["suppressed"]["kind"] == "waiver"
    assert "ml-lead" in report["files"][0]["findings"][0]["suppressed"]["reason"]
    expired = replace(waivers[0], expires=today - datetime.timedelta(days=1))
    result = lint_version(registry, first, LintPlan(Config(), ContractSource((), Config()), [expired]))
    assert result.status == FAIL
    assert result.report is not None
    assert any("expired" in notice.message for notice in result.report.notices)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("G003", "X999"), "no rule 'X999'"),
        (("2099-01-01", "2099-13-01"), "is not a date"),
        (('approver = "lead"\n', ""), "approver"),
        (("bird/*", "bird"), "model"),
        (("reason", "because"), "because"),
    ],
)
def test_waivers_are_checked(tmp_path: Path, plan: LintPlan, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "tflint-waivers.toml"
    text = (
        '[[waiver]]\nrule = "G003"\nmodel = "bird/*"\napprover = "lead"\nreason = "for now"\nexpires = "2099-01-01"\n'
    )
    path.write_text(text)
    assert load_waivers(str(path), plan.catalog.rules)[0].approver == "lead"
    path.write_text(text.replace(*change))
    with pytest.raises(UserError, match=said):
        load_waivers(str(path), plan.catalog.rules)


def test_suppressions_of_the_configuration_count(registry: FolderRegistry, add: Add) -> None:
    config = Config(allow=(Allow("G003", "known", "bird/1/*.tflite"),))
    plan = LintPlan(config, ContractSource((), config))
    assert lint_version(registry, add({"m.tflite": model("truncated")}), plan).status == PASS
    assert lint_version(registry, add({"m.tflite": model("truncated")}), plan).status == FAIL


def test_only_changed_tags_are_written(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    version = add()
    assert annotate(registry, lint_version(registry, version, plan))
    written = registry.find_version("bird", "1")
    assert set(written.tags) == {STATUS_TAG, RECORD_TAG}
    assert not annotate(registry, lint_version(registry, written, plan))
    strict = LintPlan(Config(fail_on="note"), ContractSource((), Config()))
    result = lint_version(registry, written, strict)
    assert result.status == FAIL
    assert find_stored_status(written, result.record) == STALE
    assert find_stored_status(written, lint_version(registry, written, plan).record) == PASS


def test_the_seal_covers_everything(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    result = lint_version(registry, add(), plan)
    record, key = result.record, b"k" * 16
    seal = make_seal(key, "bird", "1", record)
    assert is_sealed(key, "bird", "1", record, seal)
    conditions = record.conditions
    others = [
        (key, "bird", "2", record),
        (key, "fox", "1", record),
        (b"x" * 16, "bird", "1", record),
        (key, "bird", "1", replace(record, content="0")),
        (key, "bird", "1", replace(record, conditions=replace(conditions, rules="0"))),
        (key, "bird", "1", replace(record, conditions=replace(conditions, targets=("tflm",)))),
        (key, "bird", "1", replace(record, conditions=replace(conditions, config="0"))),
        (key, "bird", "1", replace(record, conditions=replace(conditions, contract="0"))),
    ]
    for other in others:
        assert not is_sealed(*other, seal)
    for forged in (None, "", "none", "v1:", seal[:-1], "é"):
        assert not is_sealed(key, "bird", "1", record, forged)
    tags = build_tags(result.version, record, key)
    assert tags[SEAL_TAG] == seal
    failing = build_tags(replace(result.version, tags=tags), replace(record, status=FAIL), key)
    assert failing[SEAL_TAG] == "none"
    without_key = build_tags(replace(result.version, tags=tags), replace(record, status=FAIL), None)
    assert without_key[SEAL_TAG] == "none"


def test_tags_are_hostile() -> None:
    valid = (
        '{"status": "pass", "content": "c", "tool": "t", "rules": "r", "config": "f", "contract": "", "targets": ["x"],'
        ' "error": 0, "warning": 0, "note": 1, "suppressed": 0}'
    )
    assert parse_record(valid) is not None
    changed = [
        None, "", "{", "[]", "1", "null", '"x"', "[" * 100_000, "{}", valid.replace('"c"', "1"), "x" * 200_000,
        valid.replace('["x"]', '"x"'), valid.replace('["x"]', "[1]"), valid.replace('"error": 0', '"error": "0"'),
        valid[:-1] + ', "accepted": [1]}', valid[:-1] + ', "accepted": 5}',
    ]  # fmt: skip
    for text in changed:
        assert parse_record(text) is None, text


def test_an_unreachable_version_is_not_a_failure(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    version = add()

    class Down(FolderRegistry):
        def list_files(self, version: ModelVersion):  # type: ignore[no-untyped-def]
            raise UnreachableError("the server cannot be reached: time-out")

    result = lint_version(Down(registry.label), version, plan)
    assert result.status == UNREACHABLE
    assert result.describe() == "the server cannot be reached: time-out"


def test_the_statement_names_the_content(registry: FolderRegistry, add: Add, plan: LintPlan) -> None:
    for name, expected in (("conv_int8", "PASSED"), ("truncated", "FAILED")):
        result = lint_version(registry, add({"m.tflite": model(name)}), plan)
        statement = json.loads(build_reports(result)["statement.json"])
        assert statement["subject"][0]["digest"]["sha256"] == result.record.content
        assert statement["predicate"]["result"] == expected
        assert ("G003" in statement["predicate"]["failedTests"]) == (expected == "FAILED")
