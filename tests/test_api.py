"""Test the Python API: paths, bytes and loaded models give the same; it never prints or exits, and imports lazily."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import tflint
from tests.helpers.models.named import MODELS_DIRECTORY, NAMED, RUNNABLE
from tests.helpers.paths import ROOT as CHECKOUT
from tflint.model.batch_reader import WHOLE_FILE_BYTES
from tflint.report import json_report
from tflint.runner.scheduler import GROUP_FILES
from tflint.source import FileSource, SourceError
from tflint.values import replace


def model(name: str) -> Path:
    return MODELS_DIRECTORY / f"{name}.tflite"


def plain(report: tflint.Report, *, names: bool = True) -> object:
    """The report as data, but for the time it took."""
    data = json_report.to_data(replace(report, elapsed=0.0))
    if not names:
        del data["run"]["rules_run"]  # a rule about the suffix applies only to files with a name
        for number, file in enumerate(data["files"]):
            file["path"] = str(number)
            del file["rules_run"]
    return data


# --- what can be checked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(NAMED))
def test_paths_bytes_and_models_give_the_same(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = NAMED[name]()
    path = model(name)
    expected = plain(tflint.check(path), names=False)
    for source in (
        str(path),
        content,
        bytearray(content),
        memoryview(content),
        tflint.load(path),
        tflint.load(content),
    ):
        assert plain(tflint.check(source), names=False) == expected
    assert capsys.readouterr() == ("", "")


def test_names_in_the_report() -> None:
    content = NAMED["conv_int8"]()
    assert tflint.check(model("conv_int8")).files[0].path == model("conv_int8").as_posix()
    assert tflint.check(content).files[0].path == "<bytes>"
    assert [file.path for file in tflint.check([content, content]).files] == ["<bytes 0>", "<bytes 1>"]
    assert tflint.check(tflint.load(content, name="after conversion")).files[0].path == "after conversion"


def test_a_list_keeps_its_order_and_a_folder_stands_for_its_models(tmp_path: Path) -> None:
    for name in ("b.tflite", "a.tflite"):
        shutil.copy(model("conv_int8"), tmp_path / name)
    loaded = tflint.load(model("add_int8"), name="loaded")
    report = tflint.check([model("truncated"), tmp_path, NAMED["add_float32"](), loaded])
    assert [Path(file.path).name for file in report.files] == [
        "truncated.tflite",
        "a.tflite",
        "b.tflite",
        "<bytes 3>",
        "loaded",
    ]
    assert [file.status for file in report.files] == ["unreadable", *["checked"] * 4]


def test_nothing_to_check_is_an_empty_report(tmp_path: Path) -> None:
    for source in ([], tmp_path, [tmp_path]):
        report = tflint.check(source)
        assert report.files == ()
        assert not report.fails("note")
        assert report.rules_selected > 0
        assert report.rules_run == 0


def test_a_model_is_loaded_once_and_checked_twice() -> None:
    loaded = tflint.load(model("flex_op"))
    assert loaded.is_readable
    assert loaded.tables.column("tensor", "dtype")
    first = tflint.check(loaded)
    second = tflint.check(loaded, config=tflint.Config(targets=("tflm",)))
    assert plain(first) == plain(tflint.check(loaded))
    assert first.targets != second.targets


def test_what_is_no_model_loads_and_is_a_finding() -> None:
    loaded = tflint.load(b"<!doctype html>")
    assert not loaded.is_readable
    assert [finding.rule for finding in tflint.check(loaded).findings()] == ["G002"]


def test_configuration_baseline_and_progress(tmp_path: Path) -> None:
    from tflint.findings.baseline import build_baseline

    report = tflint.check(model("truncated"))
    assert report.fails("error")
    known = build_baseline(report.files)["files"]
    seen: list[tuple[int, int]] = []
    again = tflint.check(model("truncated"), baseline=known, progress=lambda done, total: seen.append((done, total)))
    assert not again.fails("note")
    assert again.summary()["suppressed"] == report.summary()["error"]
    assert seen == [(1, 1)]


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["no.tflite", Path("no.tflite"), "", ["no.tflite"], "no\0.tflite"], ids=repr)
def test_a_path_that_does_not_exist_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | Path | Sequence[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(tflint.UserError):
        tflint.check(source if source != "" else [""])
    if not isinstance(source, list):
        with pytest.raises(tflint.UserError):
            tflint.load(source or "")  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_number_of_jobs_below_one_is_an_error(jobs: int) -> None:
    with pytest.raises(tflint.UserError, match="at least 1"):
        tflint.check(model("conv_int8"), jobs=jobs)


@pytest.mark.parametrize(
    "config",
    [
        tflint.Config(select=("Q999x",)),
        tflint.Config(targets=("litrt",)),
        tflint.Config(ruleset="99.0"),
        tflint.Config(rules=("no.toml",)),
        tflint.Config(severity={"Q": "note"}),
    ],
    ids=lambda config: repr(config)[:60],
)
def test_a_wrong_configuration_is_an_error(config: tflint.Config) -> None:
    with pytest.raises(tflint.UserError):
        tflint.check(model("conv_int8"), config=config)


def test_what_it_has_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        tflint.chek  # noqa: B018
    for name in tflint.__all__:
        assert getattr(tflint, name) is not None


# --- files that change under the reader -----------------------------------------------------------------------------


@pytest.fixture(params=["small", "large"])
def changing(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model, read whole or in parts."""
    path = tmp_path / "changing.tflite"
    path.write_bytes(NAMED["conv_int8"]() + bytes(WHOLE_FILE_BYTES if request.param == "large" else 0))
    return path


def only_rule(report: tflint.Report) -> str:
    (finding,) = report.findings()
    assert report.files[0].status == "unreadable"
    assert report.crashes == 0
    return finding.rule


def test_a_model_that_changes_while_it_is_read_is_a_finding(changing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = FileSource.read

    def read(self: FileSource, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        os.utime(changing, ns=(1, 1))
        return real(self, ranges)

    monkeypatch.setattr(FileSource, "read", read)
    report = tflint.check(changing)
    assert only_rule(report) == "G102"
    assert "file changed while tflint read it" in next(report.findings()).message


@pytest.mark.parametrize("calls", range(1, 5))
def test_a_model_that_fails_at_any_read_is_a_finding(
    changing: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    real = FileSource.read
    count = 0

    def read(self: FileSource, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        nonlocal count
        count += 1
        if count >= calls:
            raise SourceError("the file shrank while tflint read it")
        return real(self, ranges)

    monkeypatch.setattr(FileSource, "read", read)
    report = tflint.check(changing)
    if count >= calls:
        assert only_rule(report) == "G102"
    else:
        assert not report.fails("error")  # it was read in fewer parts


def test_a_model_that_vanishes_after_it_was_found_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.tflite", "b.tflite", "c.tflite"):
        shutil.copy(model("conv_int8"), tmp_path / name)
    import tflint.api

    real = tflint.api._plan

    def plan_and_delete(*arguments: object, **options: object) -> object:
        (tmp_path / "b.tflite").unlink()
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("tflint.api._plan", plan_and_delete)
    report = tflint.check([tmp_path / name for name in ("a.tflite", "b.tflite", "c.tflite")])
    assert [file.status for file in report.files] == ["checked", "unreadable", "checked"]
    assert [finding.rule for finding in report.findings() if finding.severity != "note"] == ["G102"]


def test_files_are_closed_again(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("nowhere to count open files")
    path = tmp_path / "large.tflite"
    path.write_bytes(NAMED["conv_int8"]() + bytes(WHOLE_FILE_BYTES))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    tflint.check([path, model("truncated"), model("conv_int8")])
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


# --- several processes ----------------------------------------------------------------------------------------------


def test_several_processes_give_the_same_report(tmp_path: Path) -> None:
    names = sorted(NAMED)
    paths = []
    for number in range(GROUP_FILES + 40):
        name = names[number % len(names)]
        paths.append(tmp_path / f"{number:03}-{name}.tflite")
        shutil.copy(model(name), paths[-1])
    steps: list[int] = []
    one = tflint.check(paths, jobs=1)
    two = tflint.check(paths, jobs=2, progress=lambda done, total: steps.append(done))
    assert plain(one) == plain(two)
    assert steps == [GROUP_FILES, GROUP_FILES + 40]
    assert [file.path for file in two.files] == [path.as_posix() for path in paths]


def test_an_error_in_a_process_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for number in range(GROUP_FILES + 1):
        paths.append(tmp_path / f"{number}.tflite")
        shutil.copy(model("conv_int8"), paths[-1])

    def stop(done: int, total: int) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        tflint.check(paths, jobs=2, progress=stop)


# --- what is imported -----------------------------------------------------------------------------------------------


def modules_after(program: str) -> set[str]:
    code = f"import sys\nwrite = sys.stdout.write\n{program}\nwrite('\\n' + ' '.join(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=True,
    )
    return set(found.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "program",
    [
        "import tflint",
        "import tflint; tflint.Config; tflint.UserError; tflint.Report; tflint.load_config",
        "import tflint.findings",
        "import tflint.findings.baseline, tflint.findings.suppressions",
        "import tflint.report.text_report, tflint.report.json_report, tflint.report.sarif_report",
        "import tflint.config",
        "import tflint.columns.column_types",
        "import tflint.language.type_check, tflint.language.message_template",
        "import tflint.cli.main",
        "from tflint.cli.main import run; run(['--help'])",
        "from tflint.cli.main import run; run(['--version'])",
        "from tflint.cli.main import run; run(['check', '--help'])",
        "from tflint.cli.main import run; run(['explain', 'Q001'])",
        "from tflint.cli.main import run; run(['explain', 'Q001', '--format', 'markdown'])",
        "from tflint.cli.main import run; run(['rules'])",
        "from tflint.cli.main import run; run(['facts', 'tensor'])",
        "from tflint.cli.main import run; run(['check', '--jobs', '0'])",
    ],
)
def test_numpy_is_not_imported_where_no_model_is_read(program: str) -> None:
    assert modules_after(program).isdisjoint({"numpy", "jsonschema", "rich", "flatbuffers"})


def test_a_check_imports_what_it_needs_and_no_more() -> None:
    path = str(model("conv_int8"))
    loaded = modules_after(f"from tflint.cli.main import run; run(['check', {path!r}])")
    assert "numpy" in loaded
    unwanted = {
        "jsonschema",
        "rich",
        "flatbuffers",
        "concurrent.futures.process",
        "multiprocessing",
        "tflite",
        "tensorflow",
    }
    assert loaded.isdisjoint(unwanted)


def test_it_prints_nothing_and_does_not_exit(capfd: pytest.CaptureFixture[str]) -> None:
    report = tflint.check([model(name) for name in sorted(NAMED)])
    assert len(report.files) == len(NAMED)
    assert not any(file.status == "unreadable" for file in report.files if Path(file.path).stem in RUNNABLE)
    assert capfd.readouterr() == ("", "")


# --- the rest of the API --------------------------------------------------------------------------------------------


def test_a_report_renders_itself_in_every_format() -> None:
    report = tflint.check(NAMED["conv_int8"]())
    assert json.loads(report.to_json())["summary"] == report.summary()
    assert json.loads(report.to_sarif("spec"))["version"] == "2.1.0"
    assert report.to_markdown().startswith("### tflite-lint")
    assert "checked: " in report.to_text()
    assert "M002" in report.to_text(verbose=True)


def test_a_report_has_a_short_representation() -> None:
    assert repr(tflint.check(NAMED["add_float32"]())).startswith("<Report: 1 file: ")
    assert repr(tflint.check([])) == "<Report: 0 files: no findings>"


def test_a_notebook_shows_escaped_names(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.tflite"
    path.write_bytes(b"not a model")
    shown = tflint.check(path)._repr_html_()
    assert "<img" not in shown
    assert "&lt;img" in shown
    many = tflint.check([b"x"] * 60)._repr_html_()
    assert "10 more findings" in many


def test_testing_is_reachable_without_an_import() -> None:
    code = "import tflint; tflint.testing.assert_clean; tflint.check"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        (({"path": "m.tflite"},), {}, "a path, bytes, or a model"),
        ((3,), {}, "not int"),
        ((b"",), {"config": {"select": ["Q"]}}, r"tflint\.load_config"),
        ((b"",), {"contract": {"inputs": []}}, r"tflint\.read_contract"),
    ],
)
def test_arguments_of_a_wrong_type_say_what_to_pass(arguments: tuple, options: dict, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        tflint.check(*arguments, **options)


def test_an_open_file_is_an_error_that_says_what_to_pass(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(NAMED["conv_int8"]())
    with path.open("rb") as file:
        for call in (tflint.check, tflint.load, lambda one: tflint.diff(one, path)):
            with pytest.raises(TypeError, match="opened with 'rb'"):
                call(file)


def test_show_and_contracts_have_functions(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(NAMED["image_float32"]())
    assert tflint.show(path) == tflint.show(tflint.load(path))
    assert tflint.show(path)["scheme"] == "float32"
    draft = tmp_path / "m.contract.toml"
    draft.write_text(tflint.draft_contract(path))
    contract = tflint.read_contract(draft)
    assert tflint.check(path, contract=contract).files
    assert tflint.recipe(path)["contract"] == draft.as_posix()
    assert tflint.recipe(draft, model=path)["inputs"]
    with pytest.raises(tflint.UserError, match="not a readable model"):
        tflint.show(b"broken")
