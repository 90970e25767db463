"""Test the lower bound of activation memory against hand-computed graphs, plain loops and a real runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.corpus import CORPUS, manifest, needs_corpus
from tests.helpers.facts import facts_of
from tests.helpers.models import ModelBuilder
from tests.helpers.models.large import many_tensors
from tests.helpers.models.named import NOT_RUNNABLE, RUNNABLE
from tests.helpers.paths import ROOT
from tests.helpers.summary_oracle import Oracle
from tflint.summary.activation_memory import compute_memory_bounds
from tflint.summary.summary_values import Memory


def bounds(content: bytes) -> list[Memory]:
    facts = facts_of(content)
    return list(compute_memory_bounds(facts, facts.n("subgraph")))


def bound(builder: ModelBuilder) -> int:
    """The bound of a model's first subgraph, which plain loops must find as well."""
    content = builder.build()
    found = bounds(content)[0].bytes
    assert found == Oracle(content).memory(0)
    return found


def graph(*tensors: tuple[str, int], dtype: str = "INT8") -> ModelBuilder:
    """Tensors of so many bytes by name."""
    builder = ModelBuilder()
    for name, n_bytes in tensors:
        builder.tensor(name, dtype, [n_bytes])
    return builder


def pool(builder: ModelBuilder, source: str, target: str) -> ModelBuilder:
    """An operator that cannot work in place."""
    return builder.operator("TRANSPOSE", [source], [target])


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_chain_needs_its_widest_pair():
    builder = graph(("input", 10), ("a", 100), ("b", 50), ("output", 1)).inputs("input").outputs("output")
    for pair in (("input", "a"), ("a", "b"), ("b", "output")):
        pool(builder, *pair)
    found = bounds(builder.build())[0]
    assert (found.bytes, found.operator, found.opcode, found.name) == (150, 1, "TRANSPOSE", "b")
    assert bound(builder) == 150


def test_a_tensor_that_is_read_later_stays():
    builder = graph(("input", 10), ("a", 20), ("b", 30), ("sum", 20), ("output", 5))
    pool(pool(builder, "input", "a"), "a", "b")
    builder.operator("CONCATENATION", ["input", "b"], ["sum"])
    pool(builder, "sum", "output").inputs("input").outputs("output")
    assert bound(builder) == 60  # input 10 + a 20 + b 30, and input 10 + b 30 + sum 20


def test_an_output_is_kept_to_the_end():
    builder = graph(("input", 1), ("early", 100), ("a", 20), ("late", 30)).inputs("input").outputs("early", "late")
    pool(pool(pool(builder, "input", "early"), "input", "a"), "a", "late")
    assert bound(builder) == 150


def test_an_input_that_is_read_late_is_there_from_the_start():
    builder = graph(("early", 1), ("late", 100), ("a", 20), ("b", 10), ("output", 5))
    pool(pool(builder, "early", "a"), "a", "b")
    builder.operator("CONCATENATION", ["b", "late"], ["output"]).inputs("early", "late").outputs("output")
    assert bound(builder) == 130


def test_an_input_that_nothing_reads_is_there_at_first():
    builder = graph(("input", 10), ("unused", 100), ("a", 60), ("output", 60)).inputs("input", "unused")
    pool(pool(builder, "input", "a"), "a", "output").outputs("output")
    assert bound(builder) == 170


@pytest.mark.parametrize("opcode", ["RELU", "ADD", "LOGISTIC", "QUANTIZE"])
def test_an_operator_that_can_work_in_place_needs_one_of_both(opcode):
    builder = graph(("input", 1), ("a", 100), ("b", 100), ("output", 1)).inputs("input").outputs("output")
    pool(builder, "input", "a").operator(opcode, ["a"] * (2 if opcode == "ADD" else 1), ["b"])
    assert bound(pool(builder, "b", "output")) == 101


def test_it_needs_both_where_its_input_is_read_again():
    builder = graph(("input", 1), ("a", 100), ("b", 100), ("output", 200)).inputs("input").outputs("output")
    pool(builder, "input", "a").operator("RELU", ["a"], ["b"])
    builder.operator("CONCATENATION", ["a", "b"], ["output"])
    assert bound(builder) == 400


def test_it_needs_both_where_its_input_is_read_again_and_its_output_by_nobody():
    builder = graph(("input", 1), ("a", 100), ("b", 100), ("output", 1)).inputs("input").outputs("output")
    pool(builder, "input", "a").operator("RELU", ["a"], ["b"])
    assert bound(pool(builder, "a", "output")) == 200


def test_a_view_shares_memory_even_where_its_source_is_read_again():
    builder = graph(("input", 1), ("a", 100), ("view", 100), ("b", 7), ("output", 107)).inputs("input")
    pool(builder, "input", "a").operator("RESHAPE", ["a"], ["view"])
    pool(builder, "a", "b").operator("CONCATENATION", ["view", "b"], ["output"]).outputs("output")
    assert bound(builder) == 214  # a and its view 100, b 7, output 107


def test_a_chain_of_views_is_one():
    builder = graph(("input", 1), ("a", 100), ("b", 100), ("c", 100), ("output", 1)).inputs("input")
    pool(builder, "input", "a").operator("RESHAPE", ["a"], ["b"]).operator("SQUEEZE", ["b"], ["c"])
    assert bound(pool(builder, "c", "output").outputs("output")) == 101


def test_constants_and_what_comes_of_them_are_no_activations():
    builder = graph(("input", 10), ("weights", 1000), ("output", 10)).inputs("input").outputs("output")
    builder.tensor("stored", "INT8", [1000], data=[0] * 1000)
    builder.operator("DEQUANTIZE", ["stored"], ["weights"])
    assert bound(builder.operator("TRANSPOSE_CONV", ["input", "weights"], ["output"])) == 20


def test_a_variable_is_always_there():
    builder = graph(("input", 10), ("a", 20), ("output", 30)).inputs("input").outputs("output")
    builder.tensor("state", "INT8", [500], is_variable=True)
    builder.tensor("wide", "INT8", [60])
    builder.operator("SVDF", ["input", "state"], ["a"])
    assert bound(pool(pool(builder, "a", "wide"), "wide", "output")) == 590  # long after its operator


def test_packed_elements_take_half_a_byte():
    builder = ModelBuilder().tensor("input", "INT4", [7]).tensor("output", "INT4", [7])
    assert bound(pool(builder, "input", "output").inputs("input").outputs("output")) == 8


def test_what_is_not_known_is_left_out_and_said():
    builder = graph(("input", 10), ("output", 10)).tensor("words", "STRING", [3])
    builder.tensor("loose", "INT8", [1, 5], shape_signature=[-1, 5])
    builder.operator("TRANSPOSE", ["input", "words"], ["loose"]).operator("TRANSPOSE", ["loose"], ["output"])
    builder.inputs("input", "words").outputs("output")
    (found,) = bounds(builder.build())
    assert (found.bytes, found.unknown, found.dynamic) == (15, 1, 1)


def test_a_negative_or_absurd_shape_is_not_known():
    for sizes in ([-5, 3], [2**31 - 1, 2**31 - 1]):
        builder = ModelBuilder().tensor("input", "INT8", sizes).tensor("output", "INT8", [4])
        (found,) = bounds(pool(builder, "input", "output").inputs("input").outputs("output").build())
        assert (found.bytes, found.unknown) == (4, 1)


def test_each_subgraph_has_a_bound_of_its_own():
    found = bounds(RUNNABLE["two_subgraphs"]())
    assert [memory.bytes for memory in found] == [17, 16, 16]  # IF, ADD and MUL of a constant in place


def test_a_subgraph_without_operators_needs_nothing_and_disturbs_no_other():
    builder = graph(("input", 100)).inputs("input").outputs("input").subgraph("second")
    builder.tensor("a", "INT8", [3]).tensor("b", "INT8", [4]).inputs("a").outputs("b")
    assert [memory.bytes for memory in bounds(pool(builder, "a", "b").build())] == [0, 7]


def test_views_in_a_ring_end():
    builder = graph(("a", 10), ("b", 10), ("c", 10)).inputs("a").outputs("c")
    for pair in (("a", "b"), ("b", "c"), ("c", "a")):
        builder.operator("RESHAPE", [pair[0]], [pair[1]])
    assert bounds(builder.build())[0].bytes <= 10


# -- by plain loops ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RUNNABLE, *NOT_RUNNABLE])
def test_plain_loops_find_the_same(name):
    content = (RUNNABLE | NOT_RUNNABLE)[name]()
    oracle = Oracle(content)
    assert [memory.bytes for memory in bounds(content)] == [oracle.memory(k) for k in range(len(oracle.subgraphs))]


def test_plain_loops_find_the_same_in_a_long_chain():
    content = many_tensors(900, 300)
    assert bounds(content)[0].bytes == Oracle(content).memory(0)


# -- against LiteRT ----------------------------------------------------------------------------------------------------

#: Prints, for each model, the bytes of its first subgraph's activations that the runtime allocated, each byte once, or
#: null where some have no memory before the model runs (dynamic shapes), or where it has no memory that one can see.
_MEASURE = """
import json, sys
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import tflint
for path in sys.argv[1:]:
    tensors = tflint.load(path).tables.table("tensor")
    subgraph, buffers = tensors.column("subgraph").rows, tensors.column("buffer_index").values
    n_data = tflint.load(path).tables.column("buffer", "data").lengths
    constant = {k for k in range(int((subgraph == 0).sum())) if buffers[k] and n_data[buffers[k]]}
    interpreter = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    spans = []
    for detail in interpreter.get_tensor_details():
        if detail["index"] in constant:
            continue
        try:
            array = interpreter.tensor(detail["index"])()
            begin = array.__array_interface__["data"][0]
        except (ValueError, AttributeError):
            spans = None
            break
        spans.append((begin, begin + array.nbytes))
    used, end = 0, 0
    for begin, stop in sorted(spans or []):
        used += max(0, stop - max(begin, end))
        end = max(end, stop)
    print(json.dumps([path, None if spans is None else used]), flush=True)
"""


def measured(paths: list[str]) -> dict[str, int | None]:
    """What LiteRT allocates for each model, in a process of its own: some models end it."""
    found: dict[str, int | None] = {}
    while paths:
        command = [sys.executable, "-c", _MEASURE, *paths]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        found |= dict(lines)
        paths = paths[len(lines) + 1 :]  # the next one ended the process, if any is left
    return found


@pytest.mark.slow
def test_a_runtime_takes_at_least_the_bound(tmp_path):
    pytest.importorskip("ai_edge_litert")
    for name, build in RUNNABLE.items():
        (tmp_path / f"{name}.tflite").write_bytes(build())
    used = measured([str(path) for path in sorted(tmp_path.iterdir())])
    known = {path: n_bytes for path, n_bytes in used.items() if n_bytes is not None}
    assert len(known) > len(RUNNABLE) - 5
    for path, n_bytes in known.items():
        assert bounds(Path(path).read_bytes())[0].bytes <= n_bytes, path


#: A tensor of these is FLOAT32 in the file and UINT8 (INT8) to the runtime, which overrides what the file says.
OVERRIDDEN = {"add_quantized.bin", "add_quantized_int8.bin"}


@pytest.mark.slow
@needs_corpus
def test_a_runtime_takes_at_least_the_bound_for_real_models():
    """A tenth of those that LiteRT allocates; where the bound is far off, it is of no use."""
    pytest.importorskip("ai_edge_litert")
    rows = [row["path"] for row in manifest() if row["alloc_ok"] == "yes" and "/seanet/" not in row["path"]]
    used = measured([str(CORPUS / path) for path in rows[::5]])
    ratios = []
    for path, n_bytes in used.items():
        if n_bytes and Path(path).name not in OVERRIDDEN:
            ratio = bounds(Path(path).read_bytes())[0].bytes / n_bytes
            assert ratio <= 1, path
            ratios.append(ratio)
    assert len(ratios) > 40
    assert sorted(ratios)[len(ratios) // 2] > 0.4
