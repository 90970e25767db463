"""Test the parts of the benchmarks on tiny models, without timing."""

from __future__ import annotations

import importlib.util
import json
import os

import pytest

from benchmarks import __main__ as command
from benchmarks import yardsticks
from benchmarks.comparisons import NOTHING, NotAvailableError, Result, processes, rate, values
from benchmarks.measure import Command, Spread, cpu_meter, measure_in_turn, memory_of, ratios, wall_clock_meter
from benchmarks.memory import STATUS, all_rules
from benchmarks.models import SMALL_BYTES, Workspace, mobile
from benchmarks.rows import ROWS, Demand, Row
from benchmarks.table import Outcome, as_json, machine, measure_row, render
from benchmarks.values import RANGE, SATURATION, statistics
from tests.helpers.models.large import many_tensors, write_big_weights
from tests.helpers.models.named import NAMED
from tflint.api import check

needs_tflite = pytest.mark.skipif(importlib.util.find_spec("tflite") is None, reason="needs tflite")


@pytest.fixture
def workshop(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def small_model(tmp_path):
    path = tmp_path / "small.tflite"
    path.write_bytes(many_tensors(n_tensors=20, n_operators=5))
    return path


def test_meters_run_in_turn_after_one_run_that_does_not_count():
    said: list[str] = []
    shown = iter(range(100))

    def meter(name: str) -> float:
        said.append(name)
        return float(next(shown))

    assert measure_in_turn([lambda: meter("a"), lambda: meter("b")], 2) == [[2.0, 4.0], [3.0, 5.0]]
    assert "".join(said) == "ab" * 3


def test_ratios_are_made_pair_by_pair():
    assert ratios([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == Spread(3.0, 2.5, 3.5)


def test_one_value_has_no_spread():
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_an_action_takes_time():
    assert wall_clock_meter(lambda: sum(range(1000)))() > 0
    assert cpu_meter(lambda: sum(range(1000)))() >= 0


def test_a_process_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3"):
        Command(("-c", "raise SystemExit(3)")).seconds(tmp_path, dict(os.environ))


def test_the_generated_model_is_in_order():
    report = check(mobile(width=0.05, n_classes=10))
    assert [finding.message for finding in report.files[0].findings if finding.severity != "note"] == []


def test_the_small_models_are_small(workshop):
    paths = workshop.small_models()
    assert len(paths) == len(set(paths)) > 100
    assert max(path.stat().st_size for path in paths) <= SMALL_BYTES


@needs_tflite
@pytest.mark.parametrize("name", ["conv_int8", "add_float32", "custom_op", "two_subgraphs", "string_const"])
def test_the_walk_reads_every_form_of_model(tmp_path, name):
    path = tmp_path / "model.tflite"
    path.write_bytes(NAMED[name]())
    assert yardsticks.walk(path) > 10


@needs_tflite
def test_structural_bytes_leave_out_what_buffers_hold(small_model):
    held = 4 * (16 + 16) + 6 * 16  # weights and biases of four layers, and six constants nobody reads
    assert yardsticks.structural_bytes(small_model) == small_model.stat().st_size - held


@pytest.mark.skipif(importlib.util.find_spec("ai_edge_litert") is None, reason="needs ai-edge-litert")
def test_litert_loads_what_is_measured(small_model):
    assert yardsticks.load_litert(small_model) is not None


@pytest.mark.skipif(not STATUS.exists(), reason="needs /proc")
@pytest.mark.parametrize("work", ["check", "values"])
def test_memory_is_taken_in_a_process_of_its_own(workshop, small_model, work):
    memory = memory_of(work, small_model, workshop.environment)
    assert memory.peak >= memory.after_imports > 1_000_000


def test_statistics_of_values_are_compared_by_processor_time(workshop, small_model):
    assert values(lambda _: small_model, RANGE)(workshop, 1).value.median > 0


def test_the_models_of_the_value_rows_have_the_channels_they_say(tmp_path):
    for is_depthwise in (False, True):
        path = tmp_path / f"{is_depthwise}.tflite"
        write_big_weights(path, 4096 * 96, 96, is_depthwise=is_depthwise)
        lists = statistics(path, SATURATION).lists("tensor", "saturated_share")
        assert lists.lengths.tolist() == [0, 96, 96, 0]
        assert 0 < max(lists.row(1)) < 0.1


def test_rates_count_models(workshop):
    paths = [workshop.folder / f"{name}.tflite" for name in ("conv_int8", "add_int8")]
    for path in paths:
        path.write_bytes(NAMED[path.stem]())
    for measure in rate(lambda _: paths):
        assert measure(workshop, 1).value.median > 0


def test_a_rate_without_models_says_what_is_missing(workshop):
    with pytest.raises(NotAvailableError, match="no corpus"):
        rate(lambda _: [])[0](workshop, 1)


def test_processes_are_compared_by_their_time(workshop):
    result = processes(lambda _: ["--version"], NOTHING)(workshop, 1)
    assert result.value.median > 0
    assert result.tflint.endswith(" ms")


def test_a_misspelt_field_is_what_is_wrong_with_the_bad_rule(workshop):
    with pytest.raises(RuntimeError, match="mesage"):
        processes(lambda w: ["rules", "check", str(w.bad_rule())], NOTHING)(workshop, 1)


def test_all_rules_has_rules():
    assert "all" in all_rules().select


def test_rows_have_names_of_their_own():
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("demand", "met"),
    [(Demand(1.35), True), (Demand(1.25), False), (Demand(1.35, False), False), (Demand(1.3, False), True)],
)
def test_a_demand_bounds_the_median(demand, met):
    row = Row("some", "what", "against", waits, runs=1, demand=demand)
    assert Outcome(row, Result(Spread(1.3, 1.0, 2.0), "1 ms")).is_met is met


def waits(_workspace: Workspace, _runs: int) -> Result:
    raise NotAvailableError("no file")


def test_the_table_shows_what_is_met_and_what_cannot_be_measured(workshop):
    fast = Result(Spread(1.2, 1.1, 1.3), "5 ms", "4 ms")
    slow = Result(Spread(71, 67, 73), "14 ms")
    rows = [
        Row("good", "works", "import numpy", lambda *_: fast, runs=3, demand=Demand(1.35), note="a note"),
        Row("bad", "slow", "", lambda *_: slow, runs=3, demand=Demand(150, is_upper=False), unit="/s"),
        Row("later", "waits", "", waits, runs=1, demand=Demand(2)),
    ]
    table = render([measure_row(row, workshop, None) for row in rows])
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert lines[2:] == [
        "good [1] works 1.20 x 1.10 - 1.30 <= 1.35 x yes 5 ms import numpy: 4 ms",
        "bad slow 71 /s 67 - 73 >= 150 /s NO 14 ms",
        "later waits no file <= 2 x",
        "",
        "[1] a note",
    ]


def test_json_has_every_row(workshop):
    plain = as_json([Outcome(row, None, "no file") for row in ROWS])
    assert plain["machine"] == machine()
    assert [(row["name"], row["reason"]) for row in plain["rows"]] == [(row.name, "no file") for row in ROWS]


def test_the_command_measures_the_rows_it_is_told(tmp_path, capsys):
    target = tmp_path / "out.json"
    arguments = ["--rows", "versio?", "--runs", "1", "--cache", str(tmp_path / "cache"), "--json", str(target)]
    assert command.main(arguments) == 0
    assert "tflint --version" in capsys.readouterr().out
    (row,) = json.loads(target.read_text(encoding="utf-8"))["rows"]
    assert (row["name"], row["runs"]) == ("version", 1)


def test_an_unknown_row_is_an_error(capsys):
    with pytest.raises(SystemExit):
        command.main(["--rows", "nothing"])
    assert "cold" in capsys.readouterr().err
