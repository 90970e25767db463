"""Stored reports are equal to those of a check, and apply only to the same content, path, contract and settings."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY
from tflint.api import check
from tflint.cache import report_codec, report_store
from tflint.cache.cache_folder import FOLDER_VARIABLE
from tflint.cache.report_codec import ShapeError, dump_reports, load_reports
from tflint.cache.report_store import ReportStore, hash_file
from tflint.cli.main import run
from tflint.findings import FileReport, Finding
from tflint.runner import scheduler
from tflint.values import replace

NAMED = sorted(path.name for path in MODELS_DIRECTORY.iterdir())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def n_checked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of files in each group that is really checked."""
    counts: list[int] = []
    check_group = scheduler._Checker.check_group

    def count(self: object, items: list[object], first: int) -> object:
        counts.append(len(items))
        return check_group(self, items, first)  # type: ignore[arg-type]

    monkeypatch.setattr(scheduler._Checker, "check_group", count)
    return counts


def settle() -> None:
    time.sleep(0.03)  # the cache distrusts a file that has just been written


def test_every_report_survives_the_round_trip() -> None:
    reports = check([MODELS_DIRECTORY / name for name in NAMED]).files
    plain = [replace(report, findings=tuple(map(_without_suppression, report.findings))) for report in reports]
    loaded = load_reports(dump_reports(plain))
    assert repr(loaded) == repr(plain)  # `==` is false for NaN
    assert {type(item) for finding in loaded for item in finding.findings} == {Finding}


def _without_suppression(finding: Finding) -> Finding:
    return replace(finding, suppressed=None)


def test_the_shapes_cover_all_fields() -> None:
    for cls, fields in report_codec._FIELDS.items():
        assert len(fields) == len(cls.__match_args__), cls  # type: ignore[attr-defined]


@pytest.mark.parametrize("evidence", [{"a": (1, 2)}, {"a": object()}, {"a": [(1,)]}, {"a": {"b": 1}}])
def test_evidence_that_would_change_is_not_stored(evidence: dict[str, object]) -> None:
    (report,) = check(MODELS_DIRECTORY / "truncated.tflite").files
    finding = replace(report.findings[0], evidence=evidence)
    with pytest.raises(ShapeError):
        dump_reports([replace(report, findings=(finding,))])


def test_other_shapes_are_refused() -> None:
    (report,) = check(MODELS_DIRECTORY / "truncated.tflite").files
    text = dump_reports([report])
    data = json.loads(text)

    def refuse(changed: object) -> None:
        with pytest.raises(ShapeError):
            load_reports(json.dumps(changed))

    for wrong in (None, {}, [None], [[]], [data[0][:-1]], "x", 1):
        refuse(wrong)
    for position, value in enumerate(data[0]):
        for other in (None, 1, "x", [1], {"a": 1}, True, [["x"]]):
            changed = [*data[0]]
            changed[position] = other
            try:
                assert load_reports(json.dumps([changed]))
            except ShapeError:
                continue
            is_same_type = type(other) is type(value) or other is None or isinstance(value, type(None))
            assert is_same_type, (position, other)
    for text in ("", "[", "[" * 100_000):
        with pytest.raises(ShapeError):
            load_reports(text)


def test_a_fresh_checkout_is_not_checked_again(
    cache: Path, n_checked: list[int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    for name in NAMED:
        shutil.copy(MODELS_DIRECTORY / name, tmp_path / name)
    settle()
    code = run(["check", "--format", "json"])
    first = json.loads(capfd.readouterr().out)
    assert n_checked
    n_checked.clear()
    for name in NAMED:
        os.utime(tmp_path / name)  # only the content is the same
    settle()
    assert run(["check", "--format", "json"]) == code
    second = json.loads(capfd.readouterr().out)
    first["run"].pop("elapsed_seconds"), second["run"].pop("elapsed_seconds")
    assert first == second
    n_unreadable = sum(file["status"] == "unreadable" for file in first["files"])
    assert sum(n_checked) == n_unreadable  # their reports are not stored


def place(tmp_path: Path, name: str = "m.tflite") -> Path:
    return Path(shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", tmp_path / name))


CONTRACT = '[[outputs]]\nindex = 0\nkind = "class_scores"\nlabels = { file = "labels.txt" }\n'


@pytest.mark.parametrize("change", ["content", "name", "contract", "labels", "config", "rules", "target", "exclude"])
def test_a_changed_input_is_checked_again(cache: Path, n_checked: list[int], tmp_path: Path, change: str) -> None:
    model = place(tmp_path)
    (tmp_path / "m.contract.toml").write_text(CONTRACT)
    (tmp_path / "labels.txt").write_text("a\nb\n")
    settle()
    run(["check", "-q"])
    os.utime(model)
    settle()
    run(["check", "-q"])
    assert n_checked == [1]
    arguments = []
    if change == "content":
        model.write_bytes(model.read_bytes().replace(b"input", b"image"))
    elif change == "name":
        model.rename(tmp_path / "m_int8.tflite")
    elif change == "contract":
        (tmp_path / "m.contract.toml").write_text(CONTRACT.replace("class_scores", "embedding"))
    elif change == "labels":
        (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    elif change == "config":
        (tmp_path / "tflint.toml").write_text('[severity]\nM002 = "warning"\n')
    elif change == "rules":
        (tmp_path / "rules.toml").write_text(
            '[[rule]]\nid = "ACME1"\nname = "x-missing"\nseverity = "note"\nfor-each = "model"\nrequire = "1 == 1"\n'
            'message = "found"\nsummary = "Found it."\nwhy = "why"\nfix = "fix it"\n'
        )
        arguments = ["--rules", "rules.toml"]
    elif change == "target":
        arguments = ["--target", "tflm"]
    else:
        (tmp_path / "tflint.toml").write_text('exclude = ["nothing"]\n')
    settle()
    run(["check", "-q", *arguments])
    assert n_checked == [1, 1]


def test_one_changed_file_is_checked_alone(cache: Path, n_checked: list[int], tmp_path: Path) -> None:
    for number in range(20):
        place(tmp_path, f"m{number:02}.tflite")
    settle()
    run(["check", "-q"])
    (tmp_path / "m07.tflite").write_bytes((MODELS_DIRECTORY / "fully_connected_int8.tflite").read_bytes())
    settle()
    run(["check", "-q"])
    assert n_checked == [20, 1]


def test_a_contract_that_allows_is_still_applied(
    cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = place(tmp_path)
    settle()
    run(["check"])
    assert "M002" in capfd.readouterr().out
    (tmp_path / "tflint.toml").write_text('[[allow]]\nrule = "M002"\nreason = "internal"\n')
    os.utime(model)
    settle()
    run(["check"])
    assert "1 suppressed" in capfd.readouterr().out


def test_a_damaged_entry_is_ignored_and_rebuilt(cache: Path, n_checked: list[int], tmp_path: Path) -> None:
    model = place(tmp_path)
    settle()
    run(["check", "-q"])
    (shard,) = next(cache.iterdir().__iter__()).parent.glob("*/reports/*")
    content = shard.read_bytes()
    for number, damaged in enumerate(
        (content[:-20], content.replace(b"M002", b"M003"), b"", content.replace(b"[", b"{", 3), b"\xff" * 100), 2
    ):
        shard.write_bytes(damaged)
        os.utime(model)
        settle()
        run(["check", "-q"])
        assert n_checked == [1] * number
    os.utime(model)
    settle()
    run(["check", "-q"])
    assert n_checked == [1] * number  # the last run wrote the entry again, after the damaged bytes


def test_shards_stay_small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_store, "MAX_SHARD_BYTES", 4000)
    report = FileReport("m.tflite")
    for number in range(3000):
        store = ReportStore("digest")
        store.find("m.tflite", str(number))
        store.add("m.tflite", str(number), [report], [None])
        store.write(0)
        store = ReportStore("digest")
        assert store.find("m.tflite", str(number)) == ([report], [""])
        store.write(0)
    sizes = [path.stat().st_size for path in cache.glob("*/reports/*")]
    assert len(sizes) == 256
    assert max(sizes) < 4000 + 200


def test_many_entries_at_once_do_not_exceed_a_shard(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_store, "MAX_SHARD_BYTES", 4000)
    store = ReportStore("digest")
    for number in range(20_000):
        store.add("m.tflite", str(number), [FileReport("m.tflite")], [None])
    store.write(0)
    assert max(path.stat().st_size for path in cache.glob("*/reports/*")) <= 4000


def test_a_label_file_that_changes_during_the_run_is_not_stored(
    cache: Path, n_checked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path)
    (tmp_path / "m.contract.toml").write_text(CONTRACT)
    (tmp_path / "labels.txt").write_text("a\nb\n")
    settle()
    check_group = scheduler._Checker.check_group

    def check_and_change(self: object, items: list[object], first: int) -> object:
        result = check_group(self, items, first)  # type: ignore[arg-type]
        (tmp_path / "labels.txt").write_text("a\nb\nc\n")
        return result

    monkeypatch.setattr(scheduler._Checker, "check_group", check_and_change)
    run(["check", "-q"])
    assert not list(cache.glob("*/reports/*"))


def test_large_files_and_other_kinds_are_not_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"x" * 100)
    assert len(hash_file(str(path))) == 64
    monkeypatch.setattr(report_store, "MAX_FILE_BYTES", 100)
    assert hash_file(str(path)) == ""
    assert hash_file(str(tmp_path)) == ""
    assert hash_file(str(tmp_path / "none")) == ""
