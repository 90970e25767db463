"""Properties that hold for any bytes: reading and checking stay within budgets and give consistent columns and reports.

Takes bytes. Raises AssertionError, or the error of the code under test, if a property does not hold; returns the number
of models read. Knows nothing of the mutations, so that plain tests can replay the inputs of a fuzzer.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np

from tflint.api import check, load
from tflint.catalog import load_catalog
from tflint.columns.column import Column, Lists, References, Scalars, Strings, Texts
from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING, ColumnType
from tflint.container import open_member, read_contents
from tflint.contract import parse_contract
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.findings import CRASH_RULE, Report
from tflint.flexbuffer import FlexbufferError, decode
from tflint.model.batch_reader import open_model, read_batches
from tflint.model.model_columns import options_columns, raw_tables
from tflint.model.tables import Tables
from tflint.preprocessing.codegen.app_code import app_code
from tflint.preprocessing.codegen.dialects import DIALECTS
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.codegen.recipe_text import render_text
from tflint.preprocessing.draft import draft_contract
from tflint.preprocessing.export import export_metadata
from tflint.preprocessing.recipe import Recipe, build_recipe
from tflint.report import (
    github_report,
    gitlab_report,
    json_report,
    junit_report,
    markdown_report,
    sarif_report,
    text_report,
)
from tflint.source import BytesSource
from tflint.summary.summarize import summarize

#: Processor seconds that one input may cost, in instrumented code: real models of this size take some 20 ms.
MAX_SECONDS = 3.0
#: Growth of the process' peak memory that one input may cause.
MAX_GROWTH_BYTES = 512 * 1024 * 1024
#: Long lists and many texts are looked at up to here: each costs Python's time, and the rest is alike.
MAX_LOOKED_AT = 200_000
#: What costs as much as all the rest is done to one input in so many, chosen by its checksum.
THOROUGH_ONE_IN = 8

_KINDS: dict[type, tuple[str, ...]] = {
    Scalars: (NUMBER, BOOL),
    Strings: (STRING,),
    Texts: (STRING,),
    References: (REFERENCE,),
    Lists: (NUMBER, BOOL, STRING, REFERENCE),
}


def reader(*contents: bytes) -> int:
    """Require that any bytes become tables whose columns agree with each other and with their declarations."""
    with within_budget(len(contents)):
        for _, tables in read_batches([open_model(BytesSource(content)) for content in contents]):
            require_consistent_tables(tables, is_thorough=_is_thorough(contents[0]))
    return len(contents)


def checked(*contents: bytes) -> int:
    """Require that any bytes give a report without a crashed rule, the same twice, that every format can write."""
    with within_budget(len(contents)):
        report = check(contents)
    written = _require_report(report, len(contents))
    if _is_thorough(contents[0]):
        for content, together in zip(contents[-2:], written[-2:], strict=True):
            (alone,) = _require_report(check(content), 1)
            assert {**together, "path": ""} == {**alone, "path": ""}, "a second run says something else"
        _require_renderable(report)
    return len(contents)


def called(content: bytes) -> int:
    """Require that a readable model works with contracts.

    Its draft is a valid contract, the code of its recipe compiles, the copy with its contract as metadata is readable,
    and no contract crashes a rule.
    """
    model = load(content)
    if not model.is_readable:
        return 1
    with within_budget(1):
        facts = Facts(model.tables)
        draft_of_it = parse_contract(draft_contract(summarize(facts, "m.tflite")), "m.contract.toml")
        _require_report(check(content, contract=draft_of_it), 2)
        _require_report(check(content, contract=parse_contract(_CLAIMS, "m.contract.toml")), 2)
        for contract in (draft_of_it, parse_contract(_CLAIMS, "m.contract.toml")):
            _require_recipe(build_recipe(contract, Facts(load(content).tables, contracts={0: contract}), "m.tflite"))
    recipe = build_recipe(draft_of_it, Facts(load(content).tables, contracts={0: draft_of_it}), "m.tflite")
    with contextlib.suppress(UserError), within_budget(1):
        copy = export_metadata(recipe, model, content).content
        assert load(copy).is_readable
    return 1


#: A contract that speaks of whatever the first input and output are.
_CLAIMS = """
[model]
bind = "index"
stateful = false

[[inputs]]
index = 0
kind = "image"
layout = "NHWC"
memory-order = "interleaved"
channels = "RGB"
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
units = "unit"
observed = { min = -2, max = 2 }
resize = { mode = "letterbox" }

[[outputs]]
index = 0
kind = "class_scores"
activation = "softmax"
dequantize = true
tolerance = 0.01
labels = { count = 10 }
"""


def _require_recipe(recipe: Recipe) -> None:
    compile(numpy_code(recipe), "printed", "exec")
    render_text(recipe, "")
    for language in DIALECTS:
        app_code(language, recipe)


def flexbuffer(content: bytes) -> int:
    """Require that any bytes decode to a value with a `repr`, or raise the one error; the same twice."""
    with within_budget(1):
        first = _decoded(content)
    assert repr(first) == repr(_decoded(content)), "a second run says something else"
    return 1


def _decoded(content: bytes) -> object:
    try:
        return decode(content)
    except FlexbufferError as error:
        assert 0 <= error.offset <= len(content)
        return error.reason


def container(content: bytes) -> int:
    """Require that any bytes are a container with readable members, or have a stated problem, and give reports."""
    with within_budget(1):
        source = BytesSource(content)
        contents = read_contents(source)
        for member in contents.members:
            assert member.problem is None or member.detail
            if member.is_checked:
                opened = open_member(source, member)
                assert len(opened.read([(0, opened.size)])[0]) == member.size
    if not _is_thorough(content):
        return 1
    report = check(content)
    _require_report(report, len(report.files))
    _require_renderable(report)
    return 1


@contextlib.contextmanager
def within_budget(n_models: int, seconds_each: float | None = None) -> Iterator[None]:
    """Require that the body of the `with` statement stays within CPU time and memory limits."""
    before, peak = time.process_time(), peak_bytes()
    yield
    seconds, growth = time.process_time() - before, peak_bytes() - peak
    limit = seconds_each or MAX_SECONDS * (1 + n_models / 10)
    assert seconds <= limit, f"took {seconds:.1f} s, more than {limit:.0f}"
    assert growth <= MAX_GROWTH_BYTES, f"peak memory grew by {growth:,} bytes"


def peak_bytes() -> int:
    """Return the peak of resident memory of the process, or 0 on Windows."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _is_thorough(content: bytes) -> bool:
    return zlib.crc32(content) % THOROUGH_ONE_IN == 0


# -- the report --------------------------------------------------------------------------------------------------------


def _require_report(report: Report, n_files: int) -> list[dict[str, Any]]:
    """Return the report's files as parsed from JSON."""
    assert len(report.files) == n_files
    for file in report.files:
        assert file.status in ("checked", "unreadable")
        assert file.status == "checked" or file.findings, "nothing says why a file cannot be read"
        crashed = [finding.message for finding in file.findings if finding.rule == CRASH_RULE]
        assert not crashed, crashed[0]
    assert report.crashes == 0
    written = json.dumps(json_report.to_data(report), allow_nan=False)
    files: list[dict[str, Any]] = json.loads(written)["files"]
    return files


def _require_renderable(report: Report) -> None:
    """Require that every format can write the report, and that JSON and XML formats are well-formed."""
    json.loads(json_report.render(report))
    json.loads(gitlab_report.render(report))
    ElementTree.fromstring(junit_report.render(report))
    for profile in sarif_report.PROFILES:
        json.loads(sarif_report.render(report, load_catalog(()).rules, profile))
    github_report.render(report)
    markdown_report.render(report, verbose=True)
    text_report.render(report, text_report.Style(color=True, verbose=True), statistics=True)


# -- columns -----------------------------------------------------------------------------------------------------------


def require_consistent_tables(tables: Tables, *, is_thorough: bool) -> None:
    """Build and check the columns of all tables with rows, and with `is_thorough` those of empty tables."""
    for name, declaration in raw_tables().items():
        if not is_thorough and not len(tables.table(name)):
            continue
        for column, declared in declaration.columns.items():
            if _is_stored(tables, name, column):
                _require_consistent(tables, name, column, declared.type)


def _is_stored(tables: Tables, table: str, column: str) -> bool:
    """Return whether a column needs a check: columns of options that no operator has are the same constant."""
    option = options_columns().get(column) if table == "operator" else None
    if option is None:
        return True
    children = tables.node("subgraphs.operators", "Operator").children
    unions = ("builtin_options", "builtin_options_2")
    return any(f"{union}.{name}" in children for union in unions for name in option.tables)


def _require_consistent(tables: Tables, table: str, name: str, declared: ColumnType) -> None:
    where = f"{table}.{name}"
    column = tables.column(table, name)
    n_rows = len(tables.table(table))
    assert len(column) == n_rows, where
    assert column.state is None or len(column.state) == n_rows, where
    assert isinstance(column, Lists) == declared.is_list, where
    assert declared.kind in _KINDS[type(column)], where
    n_targets = len(tables.table(declared.table)) if declared.kind == REFERENCE else 0
    _require_values(column, where, n_rows, n_targets if declared.kind == REFERENCE else None)


def _require_values(column: Column, where: str, n_rows: int, n_targets: int | None) -> None:
    match column:
        case Texts():
            for row in range(min(n_rows, MAX_LOOKED_AT // 1000)):
                column.text(row)
        case Strings(codes=codes, labels=labels):
            _require_inside(codes, len(labels), where, column.state)
        case References(rows=rows):
            assert n_targets is not None
            _require_rows(rows, n_targets, where)
        case Lists(starts=starts, lengths=lengths):
            assert len(starts) == n_rows, where
            assert (lengths >= 0).all(), where
            inside = np.flatnonzero(np.cumsum(lengths) <= MAX_LOOKED_AT)
            values, counts = column.flatten(inside)
            assert len(values) == counts.sum(), where
            if column.labels is not None:
                _require_inside(values, len(column.labels), where, None)
            elif n_targets is not None:
                _require_rows(values, n_targets, where)


def _require_rows(rows: np.ndarray, n_targets: int, where: str) -> None:
    assert ((rows >= -1) & (rows < n_targets)).all(), f"{where} leads outside of its table"


def _require_inside(codes: np.ndarray, n_labels: int, where: str, state: np.ndarray | None) -> None:
    present = codes if state is None else codes[state == 0]
    assert ((present >= 0) & (present < n_labels)).all(), f"{where} has a code without a label"
