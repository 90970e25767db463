"""Test containers: the members of valid ones, and the result for each defect of a hostile one."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.models import ModelBuilder
from tests.helpers.models.containers import (
    BLOCK_BYTES,
    Section,
    bundle_deep,
    bundle_litertlm,
    bundle_nested,
    bundle_task,
    deflated,
    litertlm,
    squeezed,
    stored,
    task,
    zip_bytes,
)
from tests.helpers.models.named import CONTAINERS
from tests.helpers.models.plain import language_model
from tests.helpers.models.weighted import conv_float32, conv_int8
from tests.helpers.models.wrong_files import git_lfs_pointer
from tflint.api import check
from tflint.catalog import builtin_catalog
from tflint.container import Contents, Member, open_member, read_contents
from tflint.container.container_contents import MAX_DEPTH, MAX_MEMBERS, MAX_UNPACKED_BYTES, PROBLEMS
from tflint.container.member_names import unique_labels, unsafe_name_reason
from tflint.findings import CRASH_RULE, FileReport
from tflint.source import BytesSource
from tflint.source.file_kind import CONTAINER, detect_kind

MODEL = conv_int8()


def opened(content: bytes) -> Contents:
    return read_contents(BytesSource(content))


def members(content: bytes) -> dict[str, Member]:
    contents = opened(content)
    assert contents.reason is None
    return {member.label: member for member in contents.members}


def problems(content: bytes) -> dict[str, str | None]:
    return {label: member.problem for label, member in members(content).items()}


def reports(content: bytes) -> dict[str, FileReport]:
    """The reports of a container and of what is in it, by their path from there."""
    return {file.path.removeprefix("<bytes>"): file for file in check(content).files}


def rules(file: FileReport) -> list[str]:
    """The rules that spoke of more than a note."""
    return sorted(finding.rule for finding in file.findings if finding.severity != "note")


# --- good ones --------------------------------------------------------------------------------------------------------


def test_a_task_bundle_has_its_models_and_other_files():
    found = members(bundle_task())
    assert {label: (m.kind, m.size, m.compression, m.problem) for label, m in found.items()} == {
        "detector.tflite": ("model", len(MODEL), "stored", None),
        "classifier.tflite": ("model", len(conv_float32()), "stored", None),
        "labels.txt": ("other", 4, "stored", None),
    }
    assert all(member.is_checksum_right for member in found.values())


@pytest.mark.parametrize("make", [stored, deflated, squeezed])
def test_a_member_opens_as_what_was_packed(make):
    content = zip_bytes([stored("first", b"1"), make("model.tflite", MODEL)])
    source = open_member(BytesSource(content), members(content)["model.tflite"])
    assert source.size == len(MODEL)
    assert source.read([(0, 8), (8, len(MODEL))]) == [MODEL[:8], MODEL[8:]]
    assert bytes(source.content()) == MODEL


def test_a_model_is_known_by_its_bytes_whatever_it_is_called():
    content = task({"TF_LITE_PREFILL_DECODE": MODEL, "TOKENIZER_MODEL": b"\x0a\x05<unk>", "METADATA": b"\x01"})
    assert detect_kind(BytesSource(content)).kind == CONTAINER
    assert [member.kind for member in opened(content).members] == ["model", "other", "other"]
    assert list(reports(content)) == ["", "!/TF_LITE_PREFILL_DECODE"]


def test_a_compressed_model_without_a_suffix_is_found():
    content = zip_bytes([squeezed("TF_LITE_VISION", MODEL)])
    assert detect_kind(BytesSource(content)).kind == CONTAINER
    assert list(reports(content)) == ["", "!/TF_LITE_VISION"]


def test_a_bundle_with_padding_before_its_first_member():
    content = zip_bytes([stored("model.tflite", MODEL)], prefix=b"\0\0")
    assert content[:2] == b"\0\0"
    assert problems(content) == {"model.tflite": None}


def test_a_zip64_bundle():
    assert problems(zip_bytes([stored("a.tflite", MODEL), squeezed("b.tflite", MODEL)], zip64=True)) == {
        "a.tflite": None,
        "b.tflite": None,
    }


def test_folders_are_no_members():
    assert list(members(zip_bytes([stored("models/", b""), stored("models/a.tflite", MODEL)]))) == ["models/a.tflite"]


def test_a_bundle_in_a_bundle():
    found = reports(bundle_nested())
    assert {path: file.kind for path, file in found.items()} == {
        "": "container",
        "!/inner.task": "container",
        "!/inner.task!/embedder.tflite": "model",
        "!/gestures.tflite": "model",
    }


@pytest.mark.parametrize("make", [stored, squeezed])
def test_a_zip_in_a_bundle_is_opened_where_it_holds_models(make):
    inner, words = task({"a.tflite": MODEL}), task({"words.txt": b"a"})
    content = zip_bytes([make("more.zip", inner), make("words.zip", words), stored("b.tflite", MODEL)])
    assert list(reports(content)) == ["", "!/more.zip", "!/more.zip!/a.tflite", "!/b.tflite"]


def test_a_model_with_a_zip_behind_it_is_a_model():
    content = MODEL + task({"labels.tflite": b"a"})
    assert list(reports(content)) == [""]
    assert reports(content)[""].kind == "model"


def test_sections_are_named_by_their_model_type():
    found = members(bundle_litertlm())
    assert {label: (m.kind, m.data_type, m.size) for label, m in found.items()} == {
        "tf_lite_prefill_decode.tflite": ("model", "TFLiteModel", len(language_model())),
        "tf_lite_embedder.tflite": ("model", "TFLiteModel", len(conv_float32())),
        "sp_tokenizer.spiece": ("other", "SP_Tokenizer", 7),
    }


def test_sections_as_far_apart_as_litert_lm_lays_them():
    content = litertlm([Section(MODEL, items={"model_type": "A/../b c"}), Section(MODEL)], block=BLOCK_BYTES)
    assert {label: m.offset for label, m in members(content).items()} == {
        "a_.._b_c.tflite": BLOCK_BYTES,
        "tflitemodel.tflite": 2 * BLOCK_BYTES,
    }


def test_every_type_of_item_is_read_and_only_texts_name_a_section():
    content = litertlm([Section(MODEL, items={"layers": 3, "MODEL_TYPE": "Tf_Lite_Aux", "backend_constraint": "npu"})])
    assert list(members(content)) == ["tf_lite_aux.tflite"]


def test_a_model_in_a_section_for_other_data_is_one_unless_it_is_out_of_use():
    content = litertlm([Section(MODEL, name) for name in ("GenericBinaryData", "Deprecated", "LlmMetadataProto")])
    assert {label: m.kind for label, m in members(content).items()} == {
        "genericbinarydata.bin": "model",
        "deprecated.bin": "other",
        "llmmetadataproto.pb": "model",
    }


def test_a_data_type_of_a_later_version_stays_a_number():
    (member,) = opened(litertlm([Section(b"x", 77)])).members  # type: ignore[arg-type]
    assert (member.data_type, member.label, member.kind) == ("77", "77.bin", "other")


def test_two_sections_of_one_type_have_labels_of_their_own():
    sections = [Section(MODEL, items={"model_type": "x"}), Section(conv_float32(), items={"model_type": "X"})]
    found = members(litertlm(sections))
    assert list(found) == ["x.tflite", "x#2.tflite"]
    assert all(member.is_duplicate for member in found.values())


def test_labels_are_unique_and_keep_their_suffix():
    assert unique_labels(["a.b/c.tflite", "x", "x", "a.b/c.tflite", "x#2", ".x", ".x", ""]) == [
        "a.b/c.tflite", "x", "x#2", "a.b/c#2.tflite", "x#2#2", ".x", ".x#2", "",
    ]  # fmt: skip


# --- hostile ones -----------------------------------------------------------------------------------------------------


@pytest.mark.security
def test_a_bomb_is_not_unpacked():
    bomb = squeezed("model.tflite", bytes(40_000_000))
    assert len(bomb.data) < 50_000
    tracemalloc.start()
    try:
        found = problems(zip_bytes([bomb, stored("other.tflite", MODEL)]))
        assert found == {"model.tflite": "bomb", "other.tflite": None}
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_weights_that_are_all_zero_are_no_bomb():
    assert problems(zip_bytes([squeezed("model.tflite", MODEL + bytes(15_000_000))])) == {"model.tflite": None}


def test_bundles_in_bundles_in_bundles_end():
    """As 42.zip: sixteen of a kind in each, level by level, more in all than anyone could open."""
    content = zip_bytes([squeezed("model.tflite", MODEL)])
    for _ in range(6):
        content = zip_bytes([squeezed(f"{k}.task", content) for k in range(16)])
    started = time.perf_counter()
    found = check(content)
    assert time.perf_counter() - started < 30
    depths = {file.path.count("!/") for file in found.files}
    assert max(depths) == MAX_DEPTH - 1
    assert {finding.rule for finding in found.findings()} <= {"G111", "G117", "G118"}
    assert len(found.files) < MAX_MEMBERS


def test_a_container_deeper_than_allowed_is_named():
    found = reports(bundle_deep())
    (finding,) = next(file for path, file in found.items() if path.count("!/") == MAX_DEPTH - 1).findings
    assert (finding.rule, finding.location.names) == ("G117", ("level4.task",))


@pytest.mark.security
def test_members_that_overlap_are_not_looked_at():
    again = stored("a.tflite", b"", packed_size=len(MODEL), at=0)
    content = zip_bytes([stored("a.tflite", MODEL), again, again, again, stored("b.tflite", MODEL)])
    assert list(problems(content).values()) == ["overlap"] * 4 + [None]


@pytest.mark.security
def test_a_member_within_another_one_overlaps():
    inner = zip_bytes([stored("in.tflite", MODEL)])
    outer = zip_bytes([stored("out.bin", inner)])
    within = stored("in.tflite", b"", packed_size=len(MODEL), at=outer.index(b"PK\x03\x04", 1))
    content = zip_bytes([stored("out.bin", inner), within])
    assert set(problems(content).values()) == {"overlap"}


ESCAPES = [
    "../a.tflite",
    "a/../../b.tflite",
    "/a.tflite",
    "C:/a.tflite",
    "c:a.tflite",
    "a\\b.tflite",
    "..",
    "a\nb.tflite",
    "\x7f",
]


@pytest.mark.security
@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_escapes_is_refused(name):
    assert problems(task({name: MODEL, "a.tflite": MODEL})) == {name: "unsafe-name", "a.tflite": None}


@pytest.mark.parametrize("name", ["a.tflite", "a/b.tflite", "./a.tflite", "..a", "a..", "a b", "größe", "ab:c", "!/a"])
def test_a_plain_name_is_not_refused(name):
    assert unsafe_name_reason(name) is None


def test_a_member_without_a_name_is_refused():
    assert problems(task({"": MODEL, "a.tflite": MODEL}))[""] == "unsafe-name"


def test_encrypted_members_and_compressions_that_are_not_known():
    content = zip_bytes(
        [stored("a.tflite", MODEL, flags=1), *(stored(f"{k}.tflite", MODEL, method=k) for k in (9, 14, 93))]
    )
    found = members(content)
    assert [m.problem for m in found.values()] == ["encrypted"] + ["unsupported-compression"] * 3
    assert found["93.tflite"].compression == "method 93"


def test_a_checksum_that_is_not_that_of_the_bytes():
    content = zip_bytes(
        [stored("a.tflite", MODEL, crc=1), squeezed("b.tflite", MODEL, crc=1), stored("c.tflite", MODEL)]
    )
    assert [member.is_checksum_right for member in opened(content).members] == [False, False, True]
    assert rules(reports(content)[""]) == ["G113", "G113", "G118"]


def test_a_large_stored_member_is_not_read_for_its_checksum():
    large = ModelBuilder().tensor("x", "INT8", [400_000], data=bytes(400_000)).inputs("x").outputs("x").build()
    content = zip_bytes([stored("large.tflite", large, crc=1)])
    source = Counting(content)
    (member,) = read_contents(source).members
    assert member.is_checksum_right is None
    assert source.n_bytes < 150_000


def test_a_broken_member_costs_only_itself():
    content = zip_bytes(
        [
            stored("cut.tflite", MODEL[:300]),
            stored("page.tflite", b"<!DOCTYPE html><html></html>"),
            stored("empty.tflite", b""),
            stored("pointer.tflite", git_lfs_pointer()),
            deflated("lie.tflite", MODEL, size=10),
            stored("good.tflite", MODEL),
        ]
    )
    assert {path: rules(file) for path, file in reports(content).items()} == {
        "": ["G112"],
        "!/cut.tflite": ["G003"],
        "!/page.tflite": ["G002"],
        "!/empty.tflite": ["G101"],
        "!/pointer.tflite": ["G001"],
        "!/good.tflite": [],
    }


@pytest.mark.parametrize("n_bytes", [1, 21, 22, 60, 200])
def test_a_truncated_bundle(n_bytes):
    (file,) = check(bundle_task()[:-n_bytes]).files
    assert (file.kind, file.status, rules(file)) == ("container", "unreadable", ["G111"])


def test_a_bundle_cut_after_its_first_member_is_known_by_its_name():
    content = task({"a": bytes(3000), "b.tflite": MODEL})[:2000]
    assert detect_kind(BytesSource(content)).kind == "zip"
    assert detect_kind(BytesSource(content), "x.task").kind == CONTAINER


def test_a_bundle_without_models():
    assert rules(reports(litertlm([Section(b"\x0a", "SP_Tokenizer")]))[""]) == ["G110"]
    assert rules(reports(litertlm([]))[""]) == ["G110"]


def test_a_zip_without_models_is_a_bundle_only_by_its_name(tmp_path):
    content = task({"labels.txt": b"a"})
    assert rules(reports(content)[""]) == ["G002"]
    for name, rule in (("x.task", "G110"), ("x.tflite", "G002")):
        (tmp_path / name).write_bytes(content)
        assert rules(check(tmp_path / name).files[0]) == [rule]


@pytest.mark.parametrize("build", [bundle_task, bundle_litertlm])
def test_a_bundle_under_the_name_of_a_model_is_a_wrong_file(tmp_path, build):
    (tmp_path / "x.tflite").write_bytes(build())
    (file,) = check(tmp_path / "x.tflite").files
    assert (file.kind, file.status, rules(file)) == ("model", "unreadable", ["G002"])
    assert rules(reports(task({"in.tflite": build(), "a.tflite": MODEL}))["!/in.tflite"]) == ["G002"]


HEADERS = {
    "a header that ends beyond the file": (litertlm([Section(MODEL)], header_end=1 << 40), "the header ends at byte"),
    "a header that ends before it begins": (litertlm([Section(MODEL)], header_end=31), "the header ends at byte 31"),
    "a header without bytes": (litertlm([Section(MODEL)], header_end=40), "the header is invalid"),
    "a later version": (litertlm([Section(MODEL)], major=2), "version is 2.5.0; tflint supports only version 1"),
    "nothing but the magic": (b"LITERTLM", "8 bytes, fewer than"),
    "a header too large": (
        litertlm([Section(MODEL)], header_end=2 << 20) + bytes(2 << 20),
        "the header has 2,097,152 bytes, more than",
    ),
}


@pytest.mark.parametrize("oddity", HEADERS)
def test_a_header_that_cannot_be_read(oddity):
    content, reason = HEADERS[oddity]
    (file,) = check(content).files
    assert (file.kind, file.status, rules(file)) == ("container", "unreadable", ["G111"])
    assert reason in file.findings[0].message


SECTIONS = {
    "past the end of the file": (Section(MODEL, end=1 << 50), "broken-offsets"),
    "that ends before it begins": (Section(MODEL, begin=900, end=300), "broken-offsets"),
    "at the largest offsets": (Section(MODEL, begin=2**64 - 1, end=2**64 - 1), "broken-offsets"),
    "in the header": (Section(MODEL, begin=8, end=64), "overlap"),
    "over the next one": (Section(MODEL, end=1900), "overlap"),
}


@pytest.mark.parametrize("oddity", SECTIONS)
def test_a_section(oddity):
    section, problem = SECTIONS[oddity]
    found = opened(litertlm([section, Section(MODEL, items={"model_type": "other"}), Section(b"x", "SP_Tokenizer")]))
    assert found.reason is None
    is_shared = oddity == "over the next one"
    assert [member.problem for member in found.members] == [problem, problem if is_shared else None, None]


def test_more_members_than_allowed_in_a_file_and_those_in_it():
    inner = zip_bytes([stored("", b"")] * (MAX_MEMBERS // 2))
    found = reports(zip_bytes([stored(f"{k}.task", inner) for k in range(3)]))
    assert [file.status for file in found.values()] == ["checked", "checked", "unreadable", "unreadable"]
    assert "more than 10,000 members" in found["!/1.task"].findings[0].message


def test_what_unpacks_to_more_than_allowed_in_all_is_left_alone(monkeypatch):
    monkeypatch.setattr("tflint.container.container_contents.MAX_UNPACKED_BYTES", 3 * len(MODEL) - 1)
    content = zip_bytes([squeezed(f"{k}.tflite", MODEL) for k in range(4)])
    assert list(problems(content).values()) == [None, None, "over-budget", "over-budget"]
    assert 3 * len(MODEL) < MAX_UNPACKED_BYTES


class Counting(BytesSource):
    """A source that is not in memory as a whole, and counts what is read of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.n_bytes = 0

    def content(self) -> None:  # type: ignore[override]
        return None

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        self.n_bytes += sum(end - begin for begin, end in ranges)
        return super().read(ranges)


def test_every_problem_has_a_rule_that_speaks_of_it():
    rules_of_members = [
        rule for rule in builtin_catalog().rules if rule.for_each == "member" and rule.where is not None
    ]
    for problem in PROBLEMS:
        assert [rule.id for rule in rules_of_members if f'"{problem}"' in rule.where.text] != [], problem


# --- whatever bytes come ----------------------------------------------------------------------------------------------

GENTLE = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
EDGES = [0, 1, 2, 7, 8, 127, 255, 2**15, 2**16 - 1, 2**31, 2**32 - 1]


def assert_reported(content: bytes) -> None:
    started = time.perf_counter()
    found = check(content)
    assert time.perf_counter() - started < 10
    assert found.files
    assert [f.message for f in found.findings() if f.rule == CRASH_RULE] == []
    assert len({file.path for file in found.files}) == len(found.files)
    for file in found.files:
        assert file.status == "checked" or file.findings


@st.composite
def mutated(draw):
    content = bytearray(draw(st.sampled_from([build() for build in CONTAINERS.values()])))
    for _ in range(draw(st.integers(1, 6))):
        if len(content) < 8:
            break
        at = draw(st.integers(0, len(content) - 4))
        kind = draw(st.sampled_from(["byte", "word", "cut", "insert", "copy"]))
        if kind == "byte":
            content[at] = draw(st.integers(0, 255))
        elif kind == "word":
            content[at : at + 4] = draw(st.sampled_from(EDGES)).to_bytes(4, "little")
        elif kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=16))
        else:
            source = draw(st.integers(0, len(content) - 4))
            content[at : at + 4] = content[source : source + 4]
    return bytes(content)


@GENTLE
@given(mutated())
def test_mutations_of_containers(content):
    assert_reported(content)


@GENTLE
@given(st.binary(max_size=300))
def test_any_bytes_in_a_section_and_in_a_header(content):
    assert_reported(b"LITERTLM\1\0\0\0\5\0\0\0" + bytes(8) + (32 + len(content)).to_bytes(8, "little") + content)
    assert_reported(litertlm([Section(content), Section(content, "GenericBinaryData")]))


@GENTLE
@given(st.binary(max_size=300), st.sampled_from(["a.tflite", "a.task", "a.litertlm", "a", "a.zip"]), st.booleans())
def test_any_bytes_in_a_member(content, name, is_compressed):
    assert_reported(zip_bytes([(squeezed if is_compressed else stored)(name, content), stored("b.tflite", MODEL)]))


def test_mutations_give_in_a_folder_what_they_give_alone():
    generator = random.Random(11)
    builders = list(CONTAINERS.values())
    contents = []
    for _ in range(40):
        content = bytearray(generator.choice(builders)())
        for _ in range(generator.randint(0, 2)):
            content[generator.randrange(len(content))] = generator.randrange(256)
        contents.append(bytes(content))
    together = check(contents).files
    alone = [file for content in contents for file in check(content).files]
    assert [(file.status, rules(file)) for file in together] == [(file.status, rules(file)) for file in alone]
