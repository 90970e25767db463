"""An alias moves only to a version that passes and keeps the interface, and never on a stale result."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.registries import Add, model
from tflint.config import Config
from tflint.errors import UserError
from tflint.registry import promotion as promotion_module
from tflint.registry.adapters.folder_registry import FolderRegistry
from tflint.registry.contract_choice import ContractSource
from tflint.registry.lint_record import FAIL, KEY_VARIABLE, PASS, RECORD_TAG, SEAL_TAG, STALE, STATUS_TAG, parse_record
from tflint.registry.model_registry import ModelVersion, StoredFile, UnreachableError
from tflint.registry.promotion import Promotion, annotate, promote
from tflint.registry.version_diff import CONTRACT_CHANGED, HOLDER_UNREADABLE, MODEL_REMOVED, Acceptance
from tflint.registry.version_lint import LintPlan, lint_version

CONTRACT = b'[[inputs]]\nindex = 0\nkind = "image"\nchannels = "YUV"\nlayout = "NHWC"\n'


@pytest.fixture
def make_plan() -> Callable[[], LintPlan]:
    return lambda: LintPlan(Config(), ContractSource((), Config()))


@pytest.fixture
def move(registry: FolderRegistry, make_plan: Callable[[], LintPlan]) -> Callable[..., Promotion]:
    def promote_version(version: ModelVersion, *accepted: str) -> Promotion:
        return promote(registry, version, "champion", make_plan, [Acceptance(rule, "agreed") for rule in accepted])

    return promote_version


Move = Callable[..., Promotion]


def holder(registry: FolderRegistry) -> str | None:
    version = registry.find_alias("bird", "champion")
    return None if version is None else version.number


def test_a_passing_version_is_promoted_and_annotated(registry: FolderRegistry, add: Add, move: Move) -> None:
    result = move(add())
    assert result.refusal == ""
    assert holder(registry) == "1"
    assert registry.find_version("bird", "1").tags[STATUS_TAG] == PASS
    attached = Path(registry.label) / "models" / "bird" / "versions" / "1" / "tflite-lint"
    assert sorted(path.name for path in attached.iterdir()) == ["report.json", "report.md", "statement.json"]


@pytest.mark.parametrize("files", [{"m.tflite": model("truncated")}, {"model.pkl": b"x"}, {}])
def test_other_versions_are_refused(registry: FolderRegistry, add: Add, move: Move, files: dict[str, bytes]) -> None:
    move(add())
    refused = move(add(files))
    assert refused.refusal
    assert holder(registry) == "1"
    assert registry.find_version("bird", "2").tags[STATUS_TAG] != PASS


@pytest.mark.parametrize(
    ("name", "rules"),
    [("conv_uint8", {"D120", "D121", "Q120"}), ("labels_float32", {"D120", "D121"})],
)
def test_a_changed_interface_needs_acceptance(
    registry: FolderRegistry, add: Add, move: Move, name: str, rules: set[str]
) -> None:
    move(add())
    version = add({"m.tflite": model(name)})
    refused = move(version)
    assert "from the present holder" in refused.refusal
    assert refused.diff.report is not None
    refusing = {finding.rule for finding in refused.diff.report.findings() if finding.fails("warning")}
    assert rules <= refusing
    assert holder(registry) == "1"
    assert registry.find_version("bird", "2").tags[STATUS_TAG] == FAIL
    partly = move(version, *sorted(refusing)[1:])
    assert partly.refusal
    assert holder(registry) == "1"
    accepted = move(version, *refusing)
    assert accepted.refusal == ""
    assert holder(registry) == "2"
    record = parse_record(registry.find_version("bird", "2").tags[RECORD_TAG])
    assert record is not None
    assert set(record.accepted) == {(rule, "agreed") for rule in refusing}


def test_a_changed_contract_or_label_file_needs_acceptance(registry: FolderRegistry, add: Add, move: Move) -> None:
    labeled = b'[[outputs]]\nindex = 0\nkind = "heatmap"\nlabels = { file = "labels.txt" }\n'
    first = {"m.tflite": model(), "m.contract.toml": labeled, "labels.txt": b"a\nb\nc\n"}
    assert move(add(first)).refusal == ""
    same = {**first, "m.contract.toml": labeled + b"\n[model]\nsource = 'other'\n"}
    assert move(add(same)).refusal == ""
    for changed in (
        {**first, "labels.txt": b"a\nc\nb\n"},
        {**first, "m.contract.toml": labeled.replace(b"heatmap", b"mask")},
        {"m.tflite": model()},
    ):
        version = add(changed)
        refused = move(version)
        assert [one.rule for one in refused.diff.others] == [CONTRACT_CHANGED], refused
        assert holder(registry) == "2"
    assert move(version, CONTRACT_CHANGED).refusal == ""
    assert move(add(first)).refusal == ""  # a contract was added


def test_a_removed_model_needs_acceptance(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add({"a.tflite": model(), "b.tflite": model()}))
    version = add({"a.tflite": model()})
    assert [one.rule for one in move(version).diff.others] == [MODEL_REMOVED]
    assert move(version, MODEL_REMOVED).refusal == ""


def test_one_model_is_paired_whatever_its_path(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add({"a.tflite": model()}))
    assert move(add({"deep/b.tflite": model()})).refusal == ""


def test_a_version_that_is_hostile_only_once_is_not_promoted(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add())
    version = add({"m.tflite": model("conv_uint8")})
    lists = [[StoredFile("../x")]]
    original = registry.list_files
    registry.list_files = lambda one: iter(lists.pop()) if lists and one == version else original(one)  # type: ignore[method-assign]
    refused = move(version)
    assert "not a plain relative path" in refused.refusal
    assert holder(registry) == "1"


def test_an_acceptance_survives_later_runs(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add())
    move(add({"m.tflite": model("conv_uint8")}), "D120", "D121", "Q120")
    version = registry.find_version("bird", "2")
    annotate(registry, lint_version(registry, version, LintPlan(Config(), ContractSource((), Config()))))
    record = parse_record(registry.find_version("bird", "2").tags[RECORD_TAG])
    assert record is not None
    assert len(record.accepted) == 3


def test_an_alias_of_a_deleted_version_needs_acceptance(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add())
    shutil.rmtree(Path(registry.label) / "models/bird/versions/1")
    version = add()
    assert version.number == "2"  # the number of the deleted version is not used again
    assert [one.rule for one in move(version).diff.others] == [HOLDER_UNREADABLE]
    assert move(version, HOLDER_UNREADABLE).refusal == ""


def test_a_holder_whose_artifacts_are_gone_needs_acceptance(registry: FolderRegistry, add: Add, move: Move) -> None:
    move(add())
    (Path(registry.label) / "models/bird/versions/1/artifacts/m.tflite").write_bytes(b"broken")
    version = add()
    assert [one.rule for one in move(version).diff.others] == [HOLDER_UNREADABLE]
    assert move(version, HOLDER_UNREADABLE).refusal == ""


def test_unknown_acceptances_are_errors(registry: FolderRegistry, add: Add, move: Move) -> None:
    for rule in ("Q001", "D999", ""):
        with pytest.raises(UserError, match="not a difference"):
            move(add(), rule)


def test_artifacts_that_change_after_the_lint_are_stale(
    registry: FolderRegistry, add: Add, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(add())
    version = add()
    lint = promotion_module.lint_fetched

    def lint_and_change(*arguments: object) -> object:
        result = lint(*arguments)  # type: ignore[arg-type]
        (Path(registry.label) / "models/bird/versions/2/artifacts/m.tflite").write_bytes(model("truncated"))
        return result

    monkeypatch.setattr(promotion_module, "lint_fetched", lint_and_change)
    refused = move(version)
    assert refused.result.status == STALE
    assert "changed while" in refused.refusal
    assert holder(registry) == "1"
    assert STATUS_TAG not in registry.find_version("bird", "2").tags


def test_rules_or_contracts_that_change_after_the_lint_are_stale(
    registry: FolderRegistry, add: Add, tmp_path: Path
) -> None:
    version = add()
    plans = iter([Config(), Config(fail_on="warning")])
    refused = promote(registry, version, "champion", lambda: LintPlan(next(plans), ContractSource((), Config())))
    assert refused.result.status == STALE
    contract = tmp_path / "bird.contract.toml"
    contract.write_text('[[inputs]]\nindex = 0\nkind = "raw"\n')
    calls = []

    def make() -> LintPlan:
        if calls:
            contract.write_text('[[inputs]]\nindex = 0\nkind = "image"\n')
        calls.append(1)
        return LintPlan(Config(), ContractSource([str(contract)], Config()))

    assert promote(registry, version, "champion", make).result.status == STALE
    assert holder(registry) is None


class Interrupted(Exception):
    """Stands for a signal."""


OPERATIONS = ("find_alias", "list_files", "open", "annotate", "promote")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "error", [Interrupted(), UnreachableError("the server cannot be reached")], ids=["signal", "down"]
)
@pytest.mark.parametrize("is_after", [False, True])
def test_an_interruption_anywhere_promotes_nothing_that_does_not_pass(
    registry: FolderRegistry,
    add: Add,
    make_plan: Callable[[], LintPlan],
    operation: str,
    error: Exception,
    is_after: bool,
) -> None:
    promote(registry, add(), "champion", make_plan)
    version = add()
    for n_allowed in range(6):
        broken = FolderRegistry(registry.label)
        original = getattr(broken, operation)
        left = [n_allowed]

        def fail(*arguments: object, original: object = original, left: list[int] = left) -> object:
            left[0] -= 1
            if left[0] >= 0:
                return original(*arguments)  # type: ignore[operator]
            if is_after:
                result = original(*arguments)  # type: ignore[operator]
                if isinstance(result, Iterator):
                    list(result)
            raise error

        setattr(broken, operation, fail)
        with contextlib.suppress(Interrupted, UnreachableError):
            promote(broken, version, "champion", make_plan)
        present = holder(registry)
        assert present in ("1", "2")
        if present == "2":
            assert registry.find_version("bird", "2").tags[STATUS_TAG] == PASS
    assert promote(registry, version, "champion", make_plan).refusal == ""
    assert holder(registry) == "2"


def test_of_two_promotions_the_slower_one_is_refused(
    registry: FolderRegistry, add: Add, make_plan: Callable[[], LintPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(registry, add(), "champion", make_plan)
    second, third = add(), add()
    annotate = promotion_module.annotate

    def be_overtaken(*arguments: object) -> object:
        registry.promote(third, "champion", "1")
        return annotate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(promotion_module, "annotate", be_overtaken)
    assert "points to bird/3 by now" in promote(registry, second, "champion", make_plan).refusal
    assert holder(registry) == "3"


def test_the_seal_needs_a_key(registry: FolderRegistry, add: Add, move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    move(add())
    assert SEAL_TAG not in registry.find_version("bird", "1").tags
    monkeypatch.setenv(KEY_VARIABLE, "k" * 16)
    move(add())
    assert registry.find_version("bird", "2").tags[SEAL_TAG].startswith("v1:")
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with pytest.raises(UserError, match="less than 16 bytes"):
        move(add())
    assert holder(registry) == "2"
