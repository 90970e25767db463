"""Test that all rules report on any bytes: no exception, no crashed rule, bounded time and memory."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.models.large import hub_model, shared_reference_bomb, shared_vector_bomb
from tflint import resources
from tflint.api import check
from tflint.config import Config
from tflint.findings import CRASH_RULE, MAX_PLACES
from tflint.findings.finding_limits import MAX_LISTED, limit_findings
from tflint.model.batch_reader import open_model, read_batches
from tflint.source import BytesSource

MODELS = [
    resources.named_model_path(name).read_bytes()
    for name in resources.named_models()
    if name not in ("git_lfs_pointer", "html_page", "zip_archive", "gzip_data", "empty_file")
    and resources.named_model_path(name).suffix == ".tflite"  # containers have tests of their own
]
EDGES = [0, 1, 2, 3, 4, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]
GENTLE = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def assert_reported(content: bytes) -> None:
    report = check(content)
    assert len(report.files) == 1
    assert report.files[0].status in ("checked", "unreadable")
    crashes = [finding.message for finding in report.findings() if finding.rule == CRASH_RULE]
    assert crashes == []


@GENTLE
@given(st.binary(max_size=400))
def test_any_bytes(content):
    assert_reported(content)


@GENTLE
@given(st.binary(max_size=400))
def test_any_bytes_under_the_identifier(content):
    assert_reported(content[:4].ljust(4, b"\x10") + b"TFL3" + content[4:])


@st.composite
def mutated_models(draw):
    content = bytearray(draw(st.sampled_from(MODELS)))
    for _ in range(draw(st.integers(1, 6))):
        if len(content) < 8:
            break
        at = draw(st.integers(0, len(content) - 4))
        kind = draw(st.sampled_from(["byte", "word", "short", "cut", "insert", "copy"]))
        if kind == "byte":
            content[at] = draw(st.integers(0, 255))
        elif kind == "word":
            content[at : at + 4] = draw(st.sampled_from(EDGES)).to_bytes(4, "little")
        elif kind == "short":
            content[at : at + 2] = (draw(st.sampled_from(EDGES)) & 0xFFFF).to_bytes(2, "little")
        elif kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=16))
        else:
            source = draw(st.integers(0, len(content) - 4))
            content[at : at + 4] = content[source : source + 4]
    return bytes(content)


@GENTLE
@given(mutated_models())
def test_mutations_of_models(content):
    assert_reported(content)


def test_mutations_of_models_in_a_batch_give_what_they_give_one_by_one():
    generator = random.Random(7)
    contents = []
    for _ in range(60):
        content = bytearray(generator.choice(MODELS))
        for _ in range(generator.randint(1, 3)):
            content[generator.randrange(len(content))] = generator.randrange(256)
        contents.append(bytes(content))
    together = check(contents)
    for file, content in zip(together.files, contents, strict=True):
        (alone,) = check(content).files
        assert [(f.rule, f.severity, f.message, f.fingerprint, f.location.path) for f in file.findings] == [
            (f.rule, f.severity, f.message, f.fingerprint, f.location.path) for f in alone.findings
        ]
        assert file.not_checked == alone.not_checked


@pytest.mark.security
@pytest.mark.parametrize("bomb", [shared_reference_bomb, shared_vector_bomb], ids=lambda bomb: bomb.__name__)
def test_a_file_that_repeats_itself_ends_in_a_finding(bomb):
    (file,) = check(bomb()).files
    assert [finding.rule for finding in file.findings] == ["G003"]


@pytest.mark.security
@pytest.mark.parametrize("content", [shared_reference_bomb(400), shared_vector_bomb(300)], ids=["tables", "elements"])
def test_small_files_that_repeat_themselves_do_not_add_up_in_a_batch(content):
    read = read_batches([open_model(BytesSource(content))] * 3)  # each makes about 100,000 rows of 5 KB
    assert [len(numbers) for numbers, _ in read] == [1] * 3


def test_a_rule_that_breaks_everywhere_lists_the_first_places_and_counts_the_others():
    only = Config(select=("G008",))
    report = check(shared_vector_bomb(300), config=only)
    findings = list(report.findings())
    assert len(findings) == MAX_PLACES + 1
    assert findings[-1].n_more == 300 * 300 - MAX_PLACES
    assert findings[-1].message == f"{300 * 300 - MAX_PLACES:,} more places that are not listed one by one"
    shown = list(limit_findings(report).findings())
    assert len(shown) == MAX_LISTED
    assert shown[0].message.endswith(f" ({MAX_PLACES + 1 - MAX_LISTED:,} more not listed)")
    assert "not listed" not in shown[1].message
    assert shown[-1].n_more == findings[-1].n_more
    both = check([shared_vector_bomb(40), shared_vector_bomb(20)], config=only)
    assert [len(file.findings) for file in both.files] == [40 * 40, 20 * 20]
    assert [len(file.findings) for file in limit_findings(both).files] == [MAX_LISTED, 20 * 20]
    assert "(600 more not listed" in limit_findings(both).files[0].findings[0].message


def test_a_tensor_that_every_operator_reads_stays_bounded():
    (file,) = check(hub_model(5_000)).files
    assert file.status == "checked"
    assert [finding for finding in file.findings if finding.rule == CRASH_RULE] == []
