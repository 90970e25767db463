"""Test containers in the API, command line and reports: every member has a path and a status."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tflint
from tests.helpers.models import ModelBuilder
from tests.helpers.models.containers import (
    Section,
    bundle_escaping,
    bundle_nested,
    bundle_task,
    deflated,
    litertlm,
    squeezed,
    stored,
    task,
    zip_bytes,
)
from tests.helpers.models.plain import custom_op
from tests.helpers.models.weighted import conv_int8
from tests.helpers.paths import ROOT
from tests.helpers.reports import VALIDATOR
from tests.helpers.sarif_runs import run_of
from tflint.cli.main import run as cli
from tflint.config import Config
from tflint.findings import ContainerOverview, MemberOrigin, Report
from tflint.findings.baseline import build_baseline
from tflint.findings.path_globs import covers
from tflint.findings.suppressions import Allow
from tflint.model.batch_reader import BATCH_BYTES, OpenedFile, expand, read_batches
from tflint.report import github_report, gitlab_report, json_report, junit_report, markdown_report
from tflint.report.text_report import Style, render
from tflint.resources import named_model_path
from tflint.source import BytesSource

MODEL, CUSTOM = conv_int8(), custom_op()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two bundles, one in the other's neighbourhood, to run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "two.task").write_bytes(task({"a.tflite": CUSTOM, "b.tflite": CUSTOM}))
    nested = zip_bytes([stored("inner.task", task({"in.tflite": CUSTOM})), deflated("out.tflite", CUSTOM)])
    (tmp_path / "m" / "nested.task").write_bytes(nested)
    return tmp_path


def distinct(number: int) -> bytes:
    """A model whose last bytes are its number's: no two are equal."""
    return MODEL + number.to_bytes(4, "little")


def found(report: Report) -> dict[str, list[str]]:
    """The rules that spoke of more than a note, by path."""
    return {
        file.path: [finding.rule for finding in file.open_findings if finding.severity != "note"]
        for file in report.files
    }


# --- the API ----------------------------------------------------------------------------------------------------------


def test_bytes_of_a_container():
    assert found(tflint.check(bundle_nested())) == {
        "<bytes>": [],
        "<bytes>!/inner.task": [],
        "<bytes>!/inner.task!/embedder.tflite": [],
        "<bytes>!/gestures.tflite": [],
    }
    assert list(found(tflint.check([MODEL, bundle_task()]))) == [
        "<bytes 0>", "<bytes 1>", "<bytes 1>!/detector.tflite", "<bytes 1>!/classifier.tflite",
    ]  # fmt: skip


def test_a_report_says_where_a_member_lies(here):
    report = tflint.check("m/nested.task")
    content = (here / "m" / "nested.task").read_bytes()
    container, inner, member, out = report.files
    assert (container.kind, container.contained, container.within) == (
        "container",
        ContainerOverview("zip", 2, 2, len(content)),
        None,
    )
    assert inner.within == MemberOrigin("m/nested.task", "inner.task", content.index(b"PK\x03\x04", 1))
    assert member.within is not None
    assert member.within.member == "inner.task!/in.tflite"
    assert content[member.within.offset :].startswith(CUSTOM)
    assert out.within == MemberOrigin("m/nested.task", "out.tflite", None)
    assert member.overview is not None
    assert member.overview.n_bytes == len(CUSTOM)


def test_a_folder_is_walked_into_its_bundles(here):
    (here / "m" / "x.litertlm").write_bytes(litertlm([Section(MODEL, items={"model_type": "embedder"})]))
    shutil.copy(named_model_path("add_int8"), here / "m" / "add.tflite")
    assert list(found(tflint.check("m"))) == [
        "m/add.tflite",
        "m/nested.task", "m/nested.task!/inner.task", "m/nested.task!/inner.task!/in.tflite",
        "m/nested.task!/out.tflite",
        "m/two.task", "m/two.task!/a.tflite", "m/two.task!/b.tflite",
        "m/x.litertlm", "m/x.litertlm!/embedder.tflite",
    ]  # fmt: skip


def test_one_member_by_its_path(here):
    assert list(found(tflint.check("m/two.task!/b.tflite"))) == ["m/two.task!/b.tflite"]
    inner = ["m/nested.task!/inner.task", "m/nested.task!/inner.task!/in.tflite"]
    assert list(found(tflint.check("m/nested.task!/inner.task"))) == inner
    assert list(found(tflint.check(Path("m/nested.task!/inner.task!/in.tflite")))) == inner[1:]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("m/two.task!/c.tflite", "did you mean 'm/two.task!/"),
        ("m/two.task!/zzzzzzzzz", "'tflint check m/two.task' lists its models"),
        ("m/nested.task!/inner.task!/out.tflite", "did you mean 'm/nested.task!/inner.task!/in.tflite'?"),
    ],
)
@pytest.mark.parametrize("use", [tflint.check, tflint.load])
def test_a_member_that_is_not_there(here, use, path, hint):
    with pytest.raises(tflint.UserError) as caught:
        use(path)
    container, member = path.split("!/", 1)
    assert f"'{container}' has no model '{member}'" in str(caught.value)
    assert hint in str(caught.value)


def test_a_folder_whose_name_ends_like_a_container_is_one(here):
    (here / "odd!").mkdir()
    shutil.copy(named_model_path("conv_int8"), here / "odd!" / "a.tflite")
    assert list(found(tflint.check("odd!/a.tflite"))) == ["odd!/a.tflite"]
    with pytest.raises(tflint.UserError, match="does not exist"):
        tflint.check("odd!/b.tflite")


def test_loading_a_container_names_its_models(here):
    with pytest.raises(tflint.UserError) as caught:
        tflint.load("m/two.task")
    assert str(caught.value) == (
        "'m/two.task' is a container of models, not a model\n"
        "  hint: name one of its models: m/two.task!/a.tflite, m/two.task!/b.tflite"
    )
    with pytest.raises(tflint.UserError, match=r"none of its members is a model"):
        tflint.load(litertlm([Section(b"x", "SP_Tokenizer")]))


def test_loading_a_member(here):
    model = tflint.load("m/nested.task!/inner.task!/in.tflite")
    assert (model.name, model.is_readable) == ("m/nested.task!/inner.task!/in.tflite", True)
    assert found(tflint.check(model)) == {model.name: ["O004"]}


def test_loading_a_large_member_leaves_its_file_open(tmp_path):
    large = ModelBuilder().tensor("x", "INT8", [400_000], data=bytes(400_000)).inputs("x").outputs("x").build()
    (tmp_path / "x.task").write_bytes(task({"a.tflite": MODEL, "large.tflite": large}))
    model = tflint.load(tmp_path / "x.task!/large.tflite")
    assert model.tables.column("buffer", "data").row(1)[:3] == [0, 0, 0]


def test_a_broken_container_loads_and_its_check_says_why(here):
    (here / "cut.task").write_bytes(bundle_task()[:-30])
    model = tflint.load("cut.task")
    assert not model.is_readable
    assert found(tflint.check(model)) == {"cut.task": ["G111"]}


def test_several_processes_give_what_one_gives(here, monkeypatch):
    monkeypatch.setattr("tflint.runner.scheduler.GROUP_FILES", 2)
    paths = ["m/two.task", str(named_model_path("conv_int8")), "m/nested.task", "m/two.task!/a.tflite", "m"]
    alone, shared = (tflint.check(paths, jobs=jobs) for jobs in (1, 2))
    assert alone.files == shared.files
    assert len(alone.files) == 3 + 1 + 4 + 1 + 7


def test_progress_counts_what_was_given(here):
    seen: list[tuple[int, int]] = []
    tflint.check(["m/two.task", "m/nested.task"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 2)]


def test_no_descriptor_stays_open(here):
    before = n_descriptors()
    tflint.check(["m"] * 3)
    for path in ("m/two.task", "m/two.task!/c.tflite"):
        with pytest.raises(tflint.UserError):
            tflint.load(path)
    assert n_descriptors() == before


def n_descriptors() -> int:
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def test_members_share_batches_as_files_do():
    content = task({f"{k}.tflite": distinct(k) for k in range(70)})
    sizes = [len(numbers) for numbers, _ in read_batches(one.opened for one in expand(BytesSource(content), "", "x"))]
    assert sizes == [1, 64, 6]


def test_a_bundle_of_many_models_does_not_fill_the_memory():
    """Eight compressed models of 2 MB each: one at a time lies in memory."""
    large = (
        ModelBuilder().tensor("x", "INT8", [2_000_000], data=bytes(range(250)) * 8000).inputs("x").outputs("x").build()
    )
    content = zip_bytes([squeezed(f"{k}.tflite", large + bytes([k])) for k in range(8)])
    tflint.check(task({"a.tflite": MODEL}))  # what a first run imports is not counted
    tracemalloc.start()
    try:
        assert len(tflint.check(content).files) == 9
        assert tracemalloc.get_traced_memory()[1] < 3 * len(large)
    finally:
        tracemalloc.stop()


def test_no_more_is_opened_than_waits_for_its_batch():
    waiting = 0

    def opened():
        nonlocal waiting
        for one in expand(BytesSource(task({f"{k}.tflite": distinct(k) for k in range(250)})), "", "x"):
            waiting += isinstance(one.opened, OpenedFile)
            yield one.opened

    for numbers, _ in read_batches(opened()):
        waiting -= len(numbers)
        assert waiting <= 64
    assert 64 * len(MODEL) < BATCH_BYTES


# --- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("m/x.task!/a.tflite", "m/x.task", True),
        ("m/x.task!/a.tflite", "*.task", True),
        ("m/x.task!/a.tflite", "m/**", True),
        ("m/x.task!/a.tflite", "a.tflite", True),
        ("m/x.task!/a.tflite", "m/x.task!/a.tflite", True),
        ("m/x.task!/a.tflite", "**/x.task!/*.tflite", True),
        ("m/x.task!/in.task!/a.tflite", "m/x.task!/**", True),
        ("m/x.task!/in.task!/a.tflite", "in.task", True),
        ("m/x.task!/a.tflite", "b.tflite", False),
        ("m/x.task!/a.tflite", "m/x", False),
        ("m/x.task", "m/x.task!/a.tflite", False),
        ("m/x.task", "*.tflite", False),
    ],
)
def test_a_glob_covers_a_container_and_what_is_in_it(path, pattern, expected):
    assert covers(path, pattern, is_member=True) is expected


def test_an_entry_for_a_member_and_one_for_its_container(here):
    def checked(path: str) -> tuple[dict[str, list[str]], list[str]]:
        report = tflint.check("m/two.task", config=Config(allow=(Allow("O004", "known", path),)))
        return found(report), [notice.kind for notice in report.notices]

    assert checked("m/two.task") == ({"m/two.task": [], "m/two.task!/a.tflite": [], "m/two.task!/b.tflite": []}, [])
    one = {"m/two.task": [], "m/two.task!/a.tflite": [], "m/two.task!/b.tflite": ["O004"]}
    assert checked("m/two.task!/a.tflite") == (one, [])
    assert checked("m/two.task!/c.tflite")[1] == []  # nothing of that name was looked at
    assert checked("*.tflite")[0]["m/two.task!/b.tflite"] == []


def test_per_file_ignores_reach_into_containers(here):
    report = tflint.check("m", config=Config(per_file_ignores={"*.task!/b.tflite": (), "two.task": ("O004",)}))
    assert found(report)["m/two.task!/a.tflite"] == found(report)["m/two.task!/b.tflite"] == []
    assert found(report)["m/nested.task!/out.tflite"] == ["O004"]


def test_exclude_leaves_members_out(here):
    paths = list(found(tflint.check("m", config=Config(exclude=("b.tflite", "**/nested.task!/inner.task")))))
    assert paths == ["m/nested.task", "m/nested.task!/out.tflite", "m/two.task", "m/two.task!/a.tflite"]


def test_exclude_of_a_container_holds_in_a_walk_and_not_where_it_is_named(here):
    config = Config(exclude=("two.task", "m/nested*"))
    assert found(tflint.check("m", config=config)) == {}
    assert len(found(tflint.check(["m/two.task", "m/nested.task"], config=config))) == 7
    assert list(found(tflint.check("m/two.task!/a.tflite", config=Config(exclude=("a.tflite",))))) == [
        "m/two.task!/a.tflite"
    ]


def test_a_baseline_counts_members_by_themselves(here):
    before = tflint.check("m/two.task")
    known = build_baseline(before.files)["files"]
    assert list(known) == ["m/two.task!/a.tflite", "m/two.task!/b.tflite"]
    assert not any(found(tflint.check("m/two.task", baseline=known)).values())
    del known["m/two.task!/a.tflite"]
    assert found(tflint.check("m/two.task", baseline=known))["m/two.task!/a.tflite"] == ["O004"]


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_line_takes_members_and_globs(here, capsys):
    assert cli(["check", "m/two.task!/a.tflite", "m/nes*.task"]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("m/")] == [
        "m/two.task!/a.tflite · float32 · 1 operator · 368 bytes",
        "m/nested.task · zip container · 2 members, 2 models · 1.0 KiB",
        "m/nested.task!/inner.task!/in.tflite · float32 · 1 operator · 368 bytes",
        "m/nested.task!/out.tflite · float32 · 1 operator · 368 bytes",
    ]
    assert cli(["check", "m/two.task!/x.tflite"]) == 2
    assert "'m/two.task' has no model 'x.tflite'" in capsys.readouterr().err


# --- reports ----------------------------------------------------------------------------------------------------------


def last_lines(report: Report) -> str:
    return " ".join(render(report, Style()).split("\n", 1)[-1].split())


def test_the_summary_counts_models_and_containers_apart(here):
    quiet = Config(ignore=("M",))
    two, nested = (tflint.check(f"m/{name}.task", config=quiet) for name in ("two", "nested"))
    assert "2 models and 1 container: 2 errors in 2 files · 0 clean" in last_lines(two)
    assert "2 models and 2 containers: 2 errors, 1 warning in 3 files" in last_lines(nested)
    good = render(tflint.check(bundle_nested(), config=quiet), Style())
    assert good.startswith("2 models and 2 containers: no findings · 2 clean")
    broken = last_lines(tflint.check(bundle_task()[:-1]))
    assert "0 models and 1 container: 1 error" in broken
    assert "the contents of 1 unreadable container" in broken


def test_the_text_report_names_the_member_of_a_container():
    text = render(tflint.check(bundle_escaping()), Style(verbose=True))
    assert "G114  member name invalid" in text
    assert "first  member 0 ../model.tflite" in text
    assert "member 3 a\\b.tflite" in text


def test_json_has_every_container_and_every_member(here):
    data = json.loads(json_report.render(tflint.check("m")))
    VALIDATOR.validate(data)
    files = {file["path"]: file for file in data["files"]}
    content = (here / "m" / "two.task").read_bytes()
    assert files["m/two.task"]["kind"] == "container"
    assert files["m/two.task"]["container"] == {"format": "zip", "members": 2, "models": 2, "bytes": len(content)}
    assert (files["m/two.task"]["model"], files["m/two.task"]["within"]) == (None, None)
    member = files["m/two.task!/b.tflite"]
    assert (member["kind"], member["container"]) == ("model", None)
    assert member["within"] == {"path": "m/two.task", "member": "b.tflite", "offset": content.rindex(CUSTOM)}
    assert files["m/nested.task!/out.tflite"]["within"]["offset"] is None


@pytest.mark.parametrize("profile", ["github", "spec"])
def test_sarif_points_at_the_file_and_names_the_member(here, profile):
    run = run_of(tflint.check("m", config=Config(ignore=("M",))), profile)
    places = {
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]: (
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["properties"].get("member"),
        )
        for result in run["results"]
    }
    assert places == {
        "a.tflite!/subgraphs[0].operators[0]/output": ("m/two.task", "a.tflite"),
        "b.tflite!/subgraphs[0].operators[0]/output": ("m/two.task", "b.tflite"),
        "inner.task!/in.tflite!/subgraphs[0].operators[0]/output": ("m/nested.task", "inner.task!/in.tflite"),
        "out.tflite!/subgraphs[0].operators[0]/output": ("m/nested.task", "out.tflite"),
        "members[1]/out.tflite": ("m/nested.task", None),
    }


def test_sarif_tells_the_same_finding_in_two_members_apart(here):
    results = run_of(tflint.check("m/two.task", config=Config(select=("O004",))))["results"]
    hashes = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(hashes)) == len(hashes) == 2


def test_sarif_byte_regions_are_those_of_the_file_on_disk(here):
    report = tflint.check("m", config=Config(select=("O004",)))
    regions = {
        result["properties"].get("member"): result["locations"][0]["physicalLocation"].get("region")
        for result in run_of(report, "spec")["results"]
    }
    (alone,) = tflint.check(CUSTOM).files
    (span,) = [finding.location.bytes for finding in alone.findings if finding.rule == "O004"]
    content = (here / "m" / "two.task").read_bytes()
    assert regions["b.tflite"] == {"byteOffset": content.rindex(CUSTOM) + span.offset, "byteLength": span.length}
    assert regions["out.tflite"] is None


def test_sarif_nests_members_in_their_containers(here):
    artifacts = run_of(tflint.check("m/nested.task"))["artifacts"]
    assert [(a["location"]["uri"], a.get("parentIndex")) for a in artifacts] == [
        ("m/nested.task", None), ("inner.task", 0), ("in.tflite", 1), ("out.tflite", 0),
    ]  # fmt: skip
    content = (here / "m" / "nested.task").read_bytes()
    inner, member = artifacts[1], artifacts[2]
    assert content[inner["offset"] + member["offset"] :].startswith(CUSTOM)
    assert "offset" not in artifacts[3]


def test_sarif_of_a_member_asked_for_by_itself(here):
    run = run_of(tflint.check("m/nested.task!/inner.task!/in.tflite", config=Config(select=("O004",))))
    assert [(a["location"]["uri"], a.get("parentIndex")) for a in run["artifacts"]] == [
        ("m/nested.task", None),
        ("inner.task!/in.tflite", 0),
    ]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "m/nested.task"


def test_sarif_uris_of_odd_names_are_valid():
    report = tflint.check(task({"a b/ü?#%.tflite": CUSTOM, "c:d.tflite": CUSTOM, "!/e.tflite": CUSTOM}))
    uris = [artifact["location"]["uri"] for artifact in run_of(report)["artifacts"]]
    assert uris[1:] == ["a%20b/%C3%BC%3F%23%25.tflite", "!/e.tflite"]
    assert found(report)["<bytes>"] == ["G114"]


def test_reports_with_one_path_for_a_finding_name_the_container_and_say_the_member(here):
    report = tflint.check("m/two.task", config=Config(select=("O004",)))
    commands = [line for line in github_report.render(report).splitlines() if line.startswith("::error")]
    assert len(commands) == 2
    assert all(line.startswith("::error file=m/two.task,title=O004 ") for line in commands)
    assert "::b.tflite: MyCustomOp is a custom operator" in commands[1]
    violations = gitlab_report.to_data(report)
    assert {violation["location"]["path"] for violation in violations} == {"m/two.task"}
    assert [violation["description"].split(":")[0] for violation in violations] == ["a.tflite", "b.tflite"]
    assert len({violation["fingerprint"] for violation in violations}) == 2
    texts = [result["message"]["text"] for result in run_of(report)["results"]]
    assert [text.split(":")[0] for text in texts] == ["a.tflite", "b.tflite"]


def test_junit_has_a_suite_for_each_member(here):
    suites = ElementTree.fromstring(junit_report.render(tflint.check("m/two.task"))).findall("testsuite")
    assert [(suite.get("name"), suite.get("file"), suite.get("failures")) for suite in suites] == [
        ("m/two.task", "m/two.task", "0"),
        ("m/two.task!/a.tflite", "m/two.task", "1"),
        ("m/two.task!/b.tflite", "m/two.task", "1"),
    ]


def test_markdown_has_a_row_for_what_is_wrong_with_a_container(here):
    text = markdown_report.render(tflint.check("m/nested.task", config=Config(ignore=("M",))))
    assert "### tflite-lint · 2 models and 2 containers: 2 errors, 1 warning in 3 files" in text
    assert "| `m/nested.task` | zip container · 2 members, 2 models · " in text
    assert "| `m/nested.task!/inner.task!/in.tflite` | float32 · 1 operator · " in text


def test_an_entry_for_a_member_is_written_and_holds(here, capsys):
    assert cli(["check", "m/two.task", "-v", "--select", "O004"]) == 1
    offered = "tflint allow O004 'm/two.task!/b.tflite' --reason"
    assert offered in capsys.readouterr().out
    assert cli(["allow", "O004", "m/two.task!/b.tflite", "--reason", "our application registers it"]) == 0
    assert found(tflint.check("m/two.task", config=tflint.load_config("tflint.toml"))) == {
        "m/two.task": [], "m/two.task!/a.tflite": ["O004"], "m/two.task!/b.tflite": [],
    }  # fmt: skip


def test_a_member_can_be_shown(here, capsys):
    assert cli(["show", "m/nested.task!/inner.task!/in.tflite"]) == 0
    assert "MyCustomOp" in capsys.readouterr().out
    assert cli(["show", "m/two.task"]) == 0
    assert "\nm/two.task!/b.tflite\n" in capsys.readouterr().out


def test_the_rule_of_the_documentation_runs(tmp_path):
    text = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(text.split("```toml\n", 1)[1].split("```", 1)[0], encoding="utf-8")
    config = Config(rules=(str(tmp_path / "own.toml"),), select=("ACME",))
    bundle = task({"labels.txt": b"", "labels_2.txt": b"a", "a.tflite": MODEL})
    assert [finding.message for finding in tflint.check(bundle, config=config).findings()] == ["labels.txt is empty"]


# --- what was compiled for an accelerator -----------------------------------------------------------------------------


def compiled(code: str, stamp: bytes = b"") -> bytes:
    builder = ModelBuilder().tensor("x", "FLOAT32", [1, 4]).tensor("y", "FLOAT32", [1, 4]).custom(code, ["x"], ["y"])
    if stamp:
        builder.metadata("LiteRtStamp", stamp)
    return builder.inputs("x").outputs("y").build()


STAMP = b"Qualcomm".ljust(124, b"\0") + b"SM8650".ljust(124, b"\0") + b"\0\0"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (compiled("edgetpu-custom-op"), "compiled for edgetpu"),
        (compiled("ethos-u"), "compiled for ethos-u"),
        (compiled("DISPATCH_OP"), "compiled for npu"),
        (compiled("DISPATCH_OP", STAMP), "compiled for npu, Qualcomm SM8650"),
        (compiled("DISPATCH_OP", bytes(250)), "compiled for npu"),
        (compiled("DISPATCH_OP", b"Mediatek"), "compiled for npu, Mediatek"),
    ],
)
def test_an_accelerator_is_named(content, shown):
    report = tflint.check(content)
    assert f" · {shown} · 1 operator · " in render(report, Style())
    assert "T015" in [finding.rule for finding in report.findings()]
    data = json.loads(json_report.render(report))
    assert ", ".join(data["files"][0]["model"]["compiled_for"]) == shown.removeprefix("compiled for ")


@pytest.mark.parametrize("content", [CUSTOM, MODEL, compiled("MyOp", STAMP)])
def test_other_models_name_none(content):
    report = tflint.check(content)
    assert "compiled for" not in render(report, Style())
    assert "T015" not in [finding.rule for finding in report.findings()]
