"""Test the budgets of containers: hostile bundles have bounded costs, and equal members are checked once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flatbuffers import Builder

import tflint
from tests.helpers.models.containers import Section, deflated, litertlm, squeezed, stored, task, zip_bytes
from tests.helpers.models.large import shared_reference_bomb, shared_vector_bomb
from tests.helpers.models.plain import add_float32, custom_op
from tests.helpers.models.weighted import conv_hybrid, conv_int8
from tflint.cli.main import run as cli
from tflint.config import Config
from tflint.container import litertlm as bundles
from tflint.container import read_contents
from tflint.container.container_contents import MAX_NAME_LENGTH, MAX_REPORTS
from tflint.facts.fact_registry import DERIVED_COLUMNS
from tflint.findings import CRASH_RULE, FileReport, Report
from tflint.model import batch_reader, member_search
from tflint.schema import litertlm_schema
from tflint.source import BytesSource
from tflint.source import zip_directory as zips

MODEL, CUSTOM = conv_int8(), custom_op()

pytestmark = pytest.mark.security


def distinct(number: int, model: bytes = CUSTOM) -> bytes:
    """A model whose last bytes are its number's."""
    return model + number.to_bytes(4, "little")


def calls(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[tuple[Any, ...]]:
    """The arguments of all calls of a function from now on."""
    seen: list[tuple[Any, ...]] = []
    original = getattr(module, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        seen.append(arguments)
        return original(*arguments, **named)

    monkeypatch.setattr(module, name, counted)
    return seen


def rules(report: Report) -> Counter[str]:
    """How often each rule reports more than a note."""
    return Counter(finding.rule for finding in report.findings() if finding.severity != "note")


def refusals(file: FileReport) -> dict[str, str]:
    """The members that a container's report says are not checked, and why."""
    return {f.location.names[0]: f.message for f in file.findings if f.rule == "G117"}


# --- members of equal bytes -------------------------------------------------------------------------------------------


def test_equal_members_are_read_once(monkeypatch):
    reads = calls(monkeypatch, batch_reader, "read_forest")
    report = tflint.check(task({f"{k}.tflite": CUSTOM for k in range(200)}))
    assert len(report.files) == 201
    assert rules(report) == {"O004": 200}
    assert [arguments[0].n_files for arguments in reads] == [1]


@pytest.mark.parametrize("make", [stored, squeezed])
def test_equal_containers_are_listed_once(monkeypatch, make):
    content = zip_bytes([make("a.tflite", CUSTOM), stored("b.tflite", CUSTOM)])
    for level in range(2):
        content = zip_bytes([make(f"{k}-{level}.task", content) for k in range(5)])
    listed = calls(monkeypatch, member_search, "open_source")
    report = tflint.check(content)
    assert len(report.files) == 1 + 5 + 25 + 50
    assert rules(report)["O004"] == 50
    assert [arguments[1] for arguments in listed] == ["0-1.task", "0-0.task", "a.tflite"]


@pytest.mark.parametrize("make", [stored, deflated])
def test_a_repeated_member_has_the_report_that_it_has_without_the_first(monkeypatch, make):
    inner = zip_bytes([make("x.tflite", CUSTOM), make("y.tflite", MODEL), stored("z.tflite", b"<html></html>")])
    entries = [make("a.task", inner), make("b.task", inner), make("x.tflite", CUSTOM), stored("../c.tflite", MODEL)]
    content = zip_bytes([*entries, stored("cut.tflite", CUSTOM[:200]), stored("cut2.tflite", CUSTOM[:200])])
    shared = tflint.check(content)
    monkeypatch.setattr(member_search, "_content_key", lambda _contents, _member: None)
    alone = tflint.check(content)
    assert shared.files == alone.files
    assert [[f.fingerprint for f in file.findings] for file in shared.files] == [
        [f.fingerprint for f in file.findings] for file in alone.files
    ]
    assert {f.location.file for f in shared.files[-1].findings} == {"<bytes>!/cut2.tflite"}
    related = [r.location.file for file in shared.files for f in file.findings for r in f.related]
    assert all(path in {file.path for file in shared.files} for path in related)


def test_a_name_that_claims_int8_is_judged_for_itself():
    model = conv_hybrid()
    report = tflint.check(task({"a.tflite": model, "a_int8.tflite": model, "b.tflite": model}))
    found = {file.path: {f.rule for f in file.findings} for file in report.files}
    assert "Q029" not in found["<bytes>!/a.tflite"] | found["<bytes>!/b.tflite"]
    assert "Q029" in found["<bytes>!/a_int8.tflite"]


def test_the_name_of_a_language_model_is_judged_for_itself():
    model = add_float32()
    report = tflint.check(task({"a.tflite": model, "TF_LITE_PREFILL_DECODE": model, "b.tflite": model}))
    found = {file.path: {f.rule for f in file.findings} for file in report.files}
    assert [path for path, names in found.items() if "K108" in names] == ["<bytes>!/TF_LITE_PREFILL_DECODE"]


def test_no_other_fact_reads_the_name_of_a_file():
    readers = [key for key, one in DERIVED_COLUMNS.items() if "file.name" in one.needs]
    assert sorted(readers) == [("model", "claimed_scheme"), ("model", "is_language_model")]


def test_a_rule_of_the_user_that_reads_names_sees_each_of_them(tmp_path):
    (tmp_path / "own.toml").write_text(
        '[[rule]]\nid = "ACME001"\nname = "named-b"\nseverity = "error"\nfor-each = "file"\n'
        'require = \'not glob(name, "b*")\'\nmessage = "{name}"\n'
        'summary = "It is named b."\nwhy = "It is a test."\nfix = "rename it"\n',
        encoding="utf-8",
    )
    config = Config(rules=(str(tmp_path / "own.toml"),), select=("ACME",))
    report = tflint.check(task({"a.tflite": CUSTOM, "b1.tflite": CUSTOM, "b2.tflite": CUSTOM}), config=config)
    assert [finding.message for finding in report.findings()] == ["b1.tflite", "b2.tflite"]


def test_equal_members_with_different_contracts_are_judged_for_themselves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, size in (("right", 4), ("wrong", 5)):
        text = f'[[inputs]]\nkind = "raw"\nshape = [1, {size}]\n'
        (tmp_path / f"{name}.contract.toml").write_text(text, encoding="utf-8")
    (tmp_path / "x.task").write_bytes(task({f"{name}.tflite": add_float32() for name in ("none", "right", "wrong")}))
    config = Config(contracts={"**/right.tflite": "right.contract.toml", "**/wrong.tflite": "wrong.contract.toml"})
    found = {file.path: file.contract for file in tflint.check("x.task", config=config).files}
    assert found["x.task!/none.tflite"] is None
    assert str(found["x.task!/right.tflite"]).endswith("right.contract.toml")
    assert str(found["x.task!/wrong.tflite"]).endswith("wrong.contract.toml")


def test_a_member_left_out_in_the_first_of_two_equal_containers_is_judged_in_the_second():
    inner = zip_bytes([squeezed("m.tflite", CUSTOM), squeezed("n.tflite", MODEL)])
    content = zip_bytes([squeezed("a.task", inner), squeezed("b.task", inner)])
    report = tflint.check(content, config=Config(exclude=("**/a.task!/m.tflite",)))
    paths = [file.path.removeprefix("<bytes>!/") for file in report.files]
    assert paths[1:] == ["a.task", "a.task!/n.tflite", "b.task", "b.task!/m.tflite", "b.task!/n.tflite"]
    assert rules(report)["O004"] == 1


# --- numbers of members -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [stored, squeezed])
@pytest.mark.parametrize(
    "content", [distinct, lambda _: CUSTOM, lambda k: distinct(k, CUSTOM[:300])], ids=["one byte", "equal", "broken"]
)
def test_models_beyond_the_limit_are_an_error_at_the_member(monkeypatch, make, content: Callable[[int], bytes]):
    reads = calls(monkeypatch, batch_reader, "read_one")
    report = tflint.check(zip_bytes([make(f"{k}.tflite", content(k)) for k in range(MAX_REPORTS + 44)]))
    assert len(report.files) == 1 + MAX_REPORTS
    assert len(reads) <= 1 + MAX_REPORTS
    found = refusals(report.files[0])
    assert list(found) == [f"{k}.tflite" for k in range(MAX_REPORTS, MAX_REPORTS + 44)]
    detail = "the file contains more than 256 models and containers; tflint checks only the first 256"
    assert set(found.values()) == {detail}
    assert {f.severity for f in report.findings() if f.rule == "G117"} == {"error"}


def test_the_limit_is_one_for_all_levels():
    inner = [zip_bytes([stored(f"{k}.tflite", distinct(100 * n + k)) for k in range(100)]) for n in range(4)]
    report = tflint.check(task({f"{n}.task": content for n, content in enumerate(inner)}))
    assert len(report.files) == 1 + MAX_REPORTS
    by_path = {file.path.removeprefix("<bytes>!/"): file for file in report.files}
    assert [len(refusals(by_path[f"{n}.task"])) for n in range(4)] == [0, 0, 48, 100]


def test_equal_containers_count_at_each_of_their_paths():
    inner = zip_bytes([stored(f"{k}.tflite", CUSTOM) for k in range(100)])
    report = tflint.check(task({f"{n}.task": inner for n in range(4)}))
    by_path = {file.path.removeprefix("<bytes>!/"): file for file in report.files}
    assert [len(refusals(by_path[f"{n}.task"])) for n in range(4)] == [0, 0, 48, 100]


def test_sections_beyond_the_limit_are_an_error():
    report = tflint.check(
        litertlm([Section(distinct(k), items={"model_type": f"m{k}"}) for k in range(MAX_REPORTS + 5)])
    )
    assert len(report.files) == 1 + MAX_REPORTS
    assert len(refusals(report.files[0])) == 5


def test_a_member_beyond_the_limit_can_be_checked_by_its_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    inner = task({"in.tflite": CUSTOM})
    files = {f"{k}.tflite": distinct(k) for k in range(MAX_REPORTS + 5)}
    Path("zoo.task").write_bytes(task(files | {"more.task": inner}))
    assert cli(["check", f"zoo.task!/{MAX_REPORTS + 4}.tflite"]) == 1
    assert "MyCustomOp is a custom operator" in capsys.readouterr().out
    assert [file.path for file in tflint.check("zoo.task!/more.task").files] == [
        "zoo.task!/more.task", "zoo.task!/more.task!/in.tflite",
    ]  # fmt: skip


def test_a_model_with_a_name_that_no_system_takes_is_an_error():
    names = ["n" * (MAX_NAME_LENGTH - 7) + ".tflite", "n" * (MAX_NAME_LENGTH - 6) + ".tflite"]
    report = tflint.check(task(dict.fromkeys(names, MODEL)))
    assert [file.path for file in report.files] == ["<bytes>", f"<bytes>!/{names[0]}"]
    assert refusals(report.files[0]) == {names[1]: "the name has 1,025 characters, more than 1,024"}


# --- directories ------------------------------------------------------------------------------------------------------


def empty_members(n_members: int, name: str) -> bytes:
    """A zip of members without bytes, which all share one header."""
    return zip_bytes([stored(name, b"")] + [stored(name, b"", at=0)] * (n_members - 1))


@pytest.mark.parametrize(("name", "rule"), [("{}.task", "G111"), ("{}.zip", "G117"), ("{}.tflite", "G111")])
def test_zips_of_many_empty_members_are_not_all_listed(monkeypatch, name, rule):
    inner = [stored(name.format(k), empty_members(9_000, str(k))) for k in range(20)]
    content = zip_bytes([stored("a.tflite", MODEL), squeezed("in.task", zip_bytes(inner))])
    assert len(content) < 60_000
    entries = calls(monkeypatch, zips, "_entry")
    report = tflint.check(content)
    assert len(entries) < 3 * 50_000  # of 180,000 members, each listed three times
    assert rules(report)[rule] >= 15


def test_headers_of_nested_bundles_are_not_all_read(monkeypatch):
    monkeypatch.setattr("tflint.container.container_contents.MAX_NESTED_DIRECTORY_BYTES", 4_000)
    bundle = litertlm([Section(b"", "SP_Tokenizer") for _ in range(20)])
    inner = {f"{k}.litertlm": bundle + bytes([k]) for k in range(10)}
    report = tflint.check(task(inner))
    messages = [f.message for f in report.findings() if f.rule == "G111"]
    assert 5 <= len(messages) < 10
    assert "the directories of the nested containers in the file have more than 4,000" in messages[0]


def sections_of_one_name(n_sections: int, key: str, value: str) -> bytes:
    """A `.litertlm` bundle of sections that share one item, however long its key and value are."""
    builder, schema = Builder(1024), litertlm_schema()

    def table(name: str, fields: dict[str, int], union: int = 0) -> int:
        layout = schema.table(name)
        builder.StartObject(layout.n_slots)
        for field in layout.fields if union else ():
            if field.is_union:
                builder.PrependUint8Slot(field.type_slot, union, 0)
        for field, offset in fields.items():
            builder.PrependUOffsetTRelativeSlot(layout.field(field).slot, offset, 0)
        return int(builder.EndObject())

    def vector(offsets: list[int]) -> int:
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    text = table("StringValue", {"value": builder.CreateString(value)})
    number = schema.unions[schema.table("KeyValuePair").field("value").type].index("StringValue")
    pair = table("KeyValuePair", {"key": builder.CreateString(key), "value": text}, number)
    section = table("SectionObject", {"items": vector([pair])})
    sections = table("SectionMetadata", {"objects": vector([section] * n_sections)})
    builder.Finish(table(schema.root, {"section_metadata": sections}))
    header = bytes(builder.Output())
    fixed = b"LITERTLM" + bytes([1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]) + bytes(4)
    return fixed + (32 + len(header)).to_bytes(8, "little") + header


@pytest.mark.parametrize(("key", "value"), [("model_type", "x" * 10_000), ("k" * 10_000, "x")])
def test_a_text_that_many_sections_share_is_not_copied_for_each(monkeypatch, key, value):
    texts = calls(monkeypatch, bundles, "_text")
    assert len(read_contents(BytesSource(sections_of_one_name(2, key, value))).members) == 2
    n_texts = len(texts)
    (file,) = tflint.check(sections_of_one_name(500, key, value)).files
    assert (file.status, [f.rule for f in file.findings]) == ("unreadable", ["G111"])
    assert "with repetitions, shared vectors have 5,000,000 elements" in file.findings[0].message
    assert len(texts) == n_texts <= 4


def test_more_sections_than_allowed_are_refused_before_they_are_made(monkeypatch):
    made = calls(monkeypatch, bundles, "_read_sections")
    (file,) = tflint.check(sections_of_one_name(20_000, "k", "x")).files
    assert "more than 10,000 members" in file.findings[0].message
    assert made == []


# --- unpacked bytes ---------------------------------------------------------------------------------------------------


def test_members_that_shrink_a_thousandfold_do_not_add_up(monkeypatch):
    zeros = [squeezed(f"{k}.tflite", distinct(k, MODEL + bytes(10_000_000))) for k in range(5)]
    content = zip_bytes(zeros)
    assert len(content) < 60_000
    opened = calls(monkeypatch, member_search, "open_member")
    report = tflint.check(content)
    assert len(opened) == 2  # 16 MiB, and a hundred times the file
    assert len(refusals(report.files[0])) == 3
    assert all("the file would unpack to more than" in message for message in refusals(report.files[0]).values())


def test_members_that_shrink_tenfold_are_all_unpacked():
    noise = bytes(range(256)) * 4
    report = tflint.check(zip_bytes([squeezed(f"{k}.tflite", distinct(k, MODEL + noise)) for k in range(20)]))
    assert len(report.files) == 21
    assert refusals(report.files[0]) == {}


# --- models that name the same tables again and again -----------------------------------------------------------------

BOMBS = {"tables": shared_reference_bomb(200), "elements": shared_vector_bomb(200)}


@pytest.mark.parametrize("bomb", BOMBS)
def test_small_models_that_repeat_themselves_are_not_all_judged(monkeypatch, bomb):
    reads = calls(monkeypatch, batch_reader, "read_forest")
    content = zip_bytes([squeezed("in.task", task({f"{k}.tflite": distinct(k, BOMBS[bomb]) for k in range(200)}))])
    assert len(content) < 20_000
    report = tflint.check(content)
    assert len(report.files) < 10
    assert len(reads) < 40
    assert CRASH_RULE not in rules(report)
    found = refusals(report.files[1])
    assert len(found) == 202 - len(report.files)
    assert "tflint checks no further models" in found["199.tflite"]


def test_equal_models_that_repeat_themselves_count_at_each_of_their_paths():
    report = tflint.check(task({f"{k}.tflite": BOMBS["tables"] for k in range(200)}))
    assert len(report.files) < 10
    assert len(refusals(report.files[0])) == 201 - len(report.files)


def test_models_that_break_off_after_many_tables_are_not_all_read(monkeypatch):
    reads = calls(monkeypatch, batch_reader, "read_forest")
    broken = bytearray(shared_reference_bomb(300))
    broken[-4:] = b"\xff\xff\xff\x7f"  # the table that all references lead to
    report = tflint.check(task({f"{k}.tflite": distinct(k, bytes(broken)) for k in range(200)}))
    assert rules(report)["G003"] < 10
    assert rules(report)["G117"] > 190
    assert len(reads) < 60


def test_the_first_model_of_a_bundle_is_judged_whatever_it_names():
    contents = {"a.tflite": shared_reference_bomb(300), "b.tflite": MODEL, "c.tflite": CUSTOM}
    container, *models = tflint.check(task(contents)).files
    assert [(file.path, file.status) for file in models] == [("<bytes>!/a.tflite", "checked")]
    assert list(refusals(container)) == ["b.tflite", "c.tflite"]


def test_what_a_bundle_comes_to_does_not_depend_on_the_files_beside_it(tmp_path):
    contents = {
        "bombs.task": task({f"{k}.tflite": distinct(k, BOMBS["tables"]) for k in range(15)}),
        "mixed.task": task({"a.tflite": BOMBS["elements"], "b.tflite": MODEL + bytes(300_000), "c.tflite": CUSTOM}),
        "equal.task": zip_bytes([squeezed(f"{k}.tflite", CUSTOM) for k in range(40)]),
        "plain.tflite": MODEL,
        "many.task": task({f"{k}.tflite": distinct(k) for k in range(MAX_REPORTS + 5)}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in (*contents, "mixed.task", "bombs.task")]
    together = tflint.check(paths).files
    alone = [file for path in paths for file in tflint.check(path).files]
    assert list(together) == alone
