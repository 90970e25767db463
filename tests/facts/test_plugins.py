"""Test plugins: installed distributions add facts, errors name the plugin, and only allowed plugins run."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tflint
import tflint.plugin
from tests.helpers.models.named import MODELS_DIRECTORY, NAMED
from tests.helpers.packages import built
from tests.helpers.transcripts import ROOT, normalize_output
from tflint.cli.main import run
from tflint.columns.column_types import ColumnType
from tflint.config import Config
from tflint.errors import UserError
from tflint.facts.plugin_columns import check_column
from tflint.facts.plugin_loader import installed_plugins, load_plugins
from tflint.plugin import Facts, Lists, References, Scalars, Strings, lists_by_counts, strings_of

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
MODELS = [MODELS_DIRECTORY / f"{name}.tflite" for name in ("conv_int8", "chain_float32", "add_int8", "max_pool_int8")]

_numbers = itertools.count(1)

HEAD = """
import numpy as np
from tflint.plugin import *
"""
RANK = """
def rank(facts):
    return Scalars(facts.lists("tensor", "shape").lengths)

FACTS = [Fact("tensor", "acme.rank", "number", "dimensions", rank)]
"""
RULE = """
[[rule]]
id = "ACME001"
name = "acme-says-so"
severity = "error"
for-each = "{table}"
require = '{require}'
message = "says so"
summary = "It says so."
why = "It says so."
fix = "ask it"
"""


class Site:
    """A folder in which distributions are installed; each has a module of a name that no other test has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, code: str, *, name: str = "acme-lint", prefix: str = "acme", group: str = "tflint.facts") -> str:
        module = f"plugin_of_a_test_{next(_numbers)}"
        (self.folder / f"{module}.py").write_text(HEAD + code, encoding="utf-8")
        info = self.folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{prefix} = {module}:FACTS\n")
        return module


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
    return Site(folder)


def rules_of(folder: Path, *rules: tuple[str, str]) -> Config:
    """A configuration with rules of one's own: what each is for, and what it requires."""
    path = folder / "acme.toml"
    texts = [
        RULE.format(table=table, require=require).replace("ACME001", f"ACME{number}").replace("says-so", f"so-{number}")
        for number, (table, require) in enumerate(rules, 1)
    ]
    path.write_text("".join(texts), encoding="utf-8")
    return Config(rules=(str(path),), select=("ACME",))


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tflint", *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the page's rule and the examples, and an environment in which its plugin is installed."""
    folder = tmp_path_factory.mktemp("page")
    (code, test), (project, rule) = (
        re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) for kind in ("python", "toml")
    )
    (folder / "project").mkdir()
    for name, text in (("project/acme_lint.py", code), ("project/pyproject.toml", project), ("acme.toml", rule)):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "test_batches.py").write_text(test, encoding="utf-8")
    with zipfile.ZipFile(built("wheel", folder / "project", tmp_path_factory.mktemp("wheel"))) as wheel:
        wheel.extractall(folder / "site")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder, {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(ROOT)])}


def test_the_commands_of_the_page_print_what_it_shows(example: tuple[Path, dict[str, str]]) -> None:
    folder, environment = example
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    printed = ""
    for line in block.splitlines():
        if line.startswith("$ tflint "):
            words = [sys.executable, "-m", "tflint", *shlex.split(line)[2:]]
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
            printed += f"{line}\n{done.stdout}{done.stderr}"
    assert normalize_output(printed) == block


def test_the_test_of_the_page_passes(example: tuple[Path, dict[str, str]]) -> None:
    folder, environment = example
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "test_batches.py",
    ]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_page_names_what_a_plugin_may_use() -> None:
    code = "\n".join(re.findall(r"from tflint\.plugin import (.*)", PAGE))
    used = {name.strip() for name in code.split(",")} | set(re.findall(r"`([a-z]+_[a-z_]+)\(", PAGE))
    assert used <= set(tflint.plugin.__all__)


# --- only who is named is run ---------------------------------------------------------------------------------------


@pytest.mark.security
def test_what_is_installed_and_not_named_is_not_imported(site: Site, tmp_path: Path) -> None:
    module = site.install(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + RANK)
    rules_of(tmp_path, ("tensor", "acme.rank < 9"))
    model = str(MODELS[0])
    for arguments in (
        ["check", model],
        ["check", model, "--rules", "acme.toml"],
        ["facts"],
        ["rules", "check", "acme.toml"],
    ):
        command(tmp_path, *arguments)
        assert not (tmp_path / "ran").exists()
    assert command(tmp_path, "check", model, "--rules", "acme.toml", "--allow-plugin", "acme-lint").returncode == 0
    assert (tmp_path / "ran").exists()
    assert module not in sys.modules


@pytest.mark.security
@pytest.mark.parametrize("key", ["plugins", "allow-plugin", "allow-plugins"])
def test_a_configuration_cannot_name_one(
    site: Site, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + RANK)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tflint.toml").write_text(f'{key} = ["acme-lint"]\n')
    shutil.copy(MODELS[0], "m.tflite")
    assert run(["check", "m.tflite"]) == 2
    assert f"unknown key '{key}'" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert not any("plugin" in name for name in Config.__annotations__)


def test_a_rule_that_needs_one_says_which(site: Site, tmp_path: Path) -> None:
    site.install(RANK)
    config = rules_of(tmp_path, ("tensor", "acme.rank < 9"))
    with pytest.raises(UserError, match=re.escape("unknown field 'acme.rank' of tensor")) as raised:
        tflint.check(MODELS[0], config=config)
    assert raised.value.hint == "it may be a fact of an installed plugin that is not allowed: --allow-plugin acme-lint"
    for other in ("none.rank < 9", "rnk < 9"):
        with pytest.raises(UserError) as raised:
            tflint.check(MODELS[0], config=rules_of(tmp_path, ("tensor", other)))
        assert "plugin" not in raised.value.hint


# --- facts of every kind --------------------------------------------------------------------------------------------


KINDS = """
def text(facts):
    return strings_of([None if k % 2 else "even" for k in range(facts.n("tensor"))])

def is_first(facts):
    model = facts.table("tensor").model
    return Scalars(np.concatenate([[True], model[1:] != model[:-1]]))

def reader(facts):
    consumers = facts.lists("tensor", "consumers")
    rows = np.full(len(consumers), -1)
    some = consumers.lengths > 0
    rows[some] = consumers.take(consumers.starts[some])
    return References(rows)

def doubled(facts):
    lists = facts.lists("tensor", "shape")
    values, lengths = lists.flatten(np.arange(len(lists)))
    return lists_by_counts(values * 2, lengths)

def readers(facts):
    operands = facts.rows("operand", "tensor")
    inputs = facts.is_one_of("operand", "direction", {"input"}) & (operands >= 0)
    return lists_by_owner(np.where(inputs, operands, -1), facts.rows("operand", "operator"), facts.n("tensor"))

def words(facts):
    n = facts.n("tensor")
    lists = lists_by_counts(np.tile([0, 1], n), np.full(n, 2))
    return Lists(lists.starts, lists.lengths, lists.take, labels=["one", "two"])

def unsure(facts):
    known = facts.numbers("tensor", "acme.is_first")
    return Scalars(np.zeros(len(known)), state_of(known, ~known))

FACTS = [
    Fact("tensor", "acme.text", "string", "even or nothing", text, absent="it is odd"),
    Fact("tensor", "acme.is_first", "bool", "whether it is the model's first", is_first),
    Fact("tensor", "acme.reader", "reference to operator", "who reads it first", reader, absent="nobody"),
    Fact("tensor", "acme.doubled", "list of number", "twice its shape", doubled, needs=["tensor.shape"]),
    Fact("tensor", "acme.readers", "list of reference to operator", "who reads it", readers),
    Fact("tensor", "acme.words", "list of string", "one, two", words),
    Fact("tensor", "acme.unsure", "number", "nothing", unsure, needs=["tensor.acme.is_first"],
         absent="it is the first", unknown="nobody knows"),
]
"""
HOLDS = [
    'acme.text == "even" or not has(acme.text)',
    "acme.is_first == (index == 0 and subgraph.index == 0)",
    "not has(acme.reader) or acme.reader == first(consumers)",
    "sum(acme.doubled) == 2 * sum(shape)",
    "count(acme.readers) == count(consumers)",
    'any(acme.words == "two") and count(acme.words) == 2',
    "all(acme.readers.opcode == consumers.opcode)",
]


def test_facts_of_every_kind_hold_what_they_say(site: Site, tmp_path: Path) -> None:
    site.install(KINDS)
    config = rules_of(tmp_path, *(("tensor", holds) for holds in HOLDS))
    for model in NAMED.values():
        report = tflint.check(model(), config=config, plugins="acme-lint")
        assert list(report.findings()) == []
        assert report.files[0].not_checked == ()
        assert report.rules_selected == len(HOLDS)


def test_the_same_rules_turned_round_speak(site: Site, tmp_path: Path) -> None:
    site.install(KINDS)
    config = rules_of(tmp_path, *(("tensor", f"not ({holds})") for holds in HOLDS))
    report = tflint.check(MODELS[0], config=config, plugins="acme-lint")
    assert {finding.rule for finding in report.findings()} == {f"ACME{k}" for k in range(1, len(HOLDS) + 1)}


def test_unknown_and_absent_are_told_with_the_plugins_words(site: Site, tmp_path: Path) -> None:
    site.install(KINDS)
    report = tflint.check(MODELS[0], config=rules_of(tmp_path, ("tensor", "acme.unsure > 0")), plugins=["acme-lint"])
    (entry,) = report.files[0].not_checked
    assert entry.reason == "nobody knows"
    n_tensors = report.files[0].overview.n_tensors if report.files[0].overview else 0
    assert entry.rows == n_tensors - 1, "the first one is absent"


def test_a_batch_gives_what_the_models_give_one_by_one(site: Site, tmp_path: Path) -> None:
    site.install(KINDS)
    config = rules_of(tmp_path, ("tensor", "sum(acme.doubled) < 20"), ("tensor", "acme.is_first"))
    models = [build() for build in NAMED.values()]
    together = tflint.check(models, config=config, plugins="acme-lint").files
    for report, model in zip(together, models, strict=True):
        (alone,) = tflint.check(model, config=config, plugins="acme-lint").files
        assert [f.fingerprint for f in report.findings] == [f.fingerprint for f in alone.findings]
    assert sum(len(report.findings) for report in together) > 50


def test_names_of_distributions_are_compared_as_packaging_does(site: Site) -> None:
    site.install(RANK)
    assert load_plugins(["Acme_Lint", "acme-lint"]).names == ("acme-lint",)
    assert installed_plugins()["acme"] == ["acme-lint"]


def test_versions_of_plugins_are_part_of_the_rules_digest(site: Site, tmp_path: Path) -> None:
    site.install(RANK)
    config = rules_of(tmp_path, ("tensor", "rank < 9"))
    plain = tflint.check(MODELS[0], config=config).rules_digest
    assert tflint.check(MODELS[0], config=config, plugins="acme-lint").rules_digest != plain
    assert tflint.check(MODELS[0], config=config).rules_digest == plain, "a run leaves nothing behind"


def test_a_run_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    site.install(RANK)
    config = rules_of(tmp_path, ("tensor", "acme.rank < 9"))
    tflint.check(MODELS[0], config=config, plugins="acme-lint")
    with pytest.raises(UserError, match="unknown field"):
        tflint.check(MODELS[0], config=config)


# --- every command that reads rules ---------------------------------------------------------------------------------


def test_commands_take_plugins(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install(RANK)
    rules_of(tmp_path, ("tensor", "acme.rank < 1"))
    shutil.copy(MODELS[0], tmp_path / "m.tflite")
    monkeypatch.chdir(tmp_path)
    allowed = ["--allow-plugin", "acme-lint"]
    for arguments, code in (
        (["check", "m.tflite", "--rules", "acme.toml"], 1),
        (["check", "m.tflite", "--rules", "acme.toml", "--format", "sarif"], 1),
        (["rules", "--rules", "acme.toml"], 0),
        (["rules", "list", "--rules", "acme.toml"], 0),
        (["rules", "check", "acme.toml"], 0),
        (["rules", "test", "acme.toml"], 0),
        (["explain", "ACME1", "--rules", "acme.toml"], 0),
    ):
        assert run(arguments) == 2
        assert "--allow-plugin acme-lint" in capsys.readouterr().err
        assert run([*arguments, *allowed]) == code, arguments
        capsys.readouterr()
    (tmp_path / "tflint.toml").write_text('rules = ["acme.toml"]\n')
    assert run(["allow", "ACME1", "m.tflite", "--reason", "known", *allowed]) == 0
    assert run(["check", "m.tflite", *allowed]) == 0


def test_facts_are_listed_among_the_others(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install(KINDS)
    assert run(["facts", "tensor"]) == 0
    assert "acme." not in capsys.readouterr().out
    assert run(["facts", "tensor", "--allow-plugin", "acme-lint", "--format", "json"]) == 0
    columns = json.loads(capsys.readouterr().out)["tensor"]["columns"]
    assert columns["acme.readers"]["type"] == "list of reference to operator"
    assert columns["acme.doubled"]["needs"] == ["tensor.shape"]
    assert columns["acme.unsure"]["unknown"] == "nobody knows"
    assert columns["acme.unsure"]["derived"] is True


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.skipif(sys.platform != "linux", reason="starts processes in two ways")
def test_processes_load_plugins_for_themselves(site: Site, tmp_path: Path, method: str) -> None:
    site.install(RANK)
    rules_of(tmp_path, ("tensor", "acme.rank < 1"))
    (tmp_path / "many").mkdir()
    for number in range(300):
        shutil.copy(MODELS[0], tmp_path / "many" / f"{number}.tflite")
    start = (
        f"import multiprocessing, sys; multiprocessing.set_start_method('{method}')\n"
        "from tflint.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    )
    options = ["--rules", "acme.toml", "--select", "ACME", "--allow-plugin", "acme-lint", "--format", "json"]
    totals = []
    for jobs in ("1", "2"):
        words = [sys.executable, "-c", start, "check", "many", *options, "--jobs", jobs]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1, done.stderr
        totals.append(json.loads(done.stdout)["summary"])
    assert totals[0] == totals[1]
    assert totals[0]["error"] >= 300


def test_plugins_travel_by_name(site: Site) -> None:
    site.install(RANK + "\nFACTS.append(Fact('tensor', 'acme.two', 'number', 'two', lambda facts: rank(facts)))\n")
    again = pickle.loads(pickle.dumps(load_plugins("acme-lint")))
    assert set(again.facts) == {("tensor", "acme.rank"), ("tensor", "acme.two")}


# --- what is wrong with a plugin ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("FACTS = 1 / 0", {}, r"cannot be loaded \(.*:FACTS\): ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", {}, "cannot be loaded .*: SystemExit: 0"),
        ("import not_there_at_all", {}, "cannot be loaded .*: ModuleNotFoundError"),
        ("", {}, "cannot be loaded .*: AttributeError"),
        ("FACTS = 5", {}, "cannot be loaded .*: TypeError"),
        ("FACTS = ['x']", {}, "lists a str, but only tflint.plugin.Fact is allowed"),
        (RANK, {"group": "tflint.other"}, "is not a tflint plugin: it has no entry point in the group 'tflint.facts'"),
        (RANK, {"prefix": "other"}, "'acme.rank' is not a valid name for a fact"),
        (RANK, {"prefix": "Acme"}, "'Acme' is not a valid prefix"),
        (RANK, {"prefix": "options"}, "'options' is not a valid prefix"),
        (RANK, {"prefix": "tensor"}, "'tensor' is not a valid prefix"),
        (RANK, {"prefix": "target"}, "'target' is not a valid prefix"),
        (RANK + "FACTS *= 2", {}, "'acme.rank' is already declared by 'acme-lint'"),
        (RANK.replace('"tensor", "acme', '"tensr", "acme'), {}, "there is no table 'tensr'"),
        (RANK.replace('"acme.rank"', '"acme.Rank"'), {}, "'acme.Rank' is not a valid name"),
        (RANK.replace('"acme.rank"', '"rank"'), {}, "'rank' is not a valid name"),
        (RANK.replace('"number"', '"float"'), {}, "'acme.rank' has the unknown type 'float'"),
        (RANK.replace('"number"', '"reference to tensr"'), {}, "'acme.rank' has the unknown type 'reference to tensr'"),
        (RANK.replace('"number"', "float"), {}, "a field of 'acme.rank' is not a string"),
        (RANK.replace('"dimensions"', '" "'), {}, "'acme.rank' needs a meaning"),
        (RANK.replace(", rank)]", ", 3)]"), {}, "'acme.rank' needs a meaning and a function"),
        (RANK.replace(", rank)]", ", rank, 'tensor.shap')]"), {},
         "'acme.rank' needs the column 'tensor.shap', which does not exist"),
    ],
)  # fmt: skip
def test_a_plugin_that_cannot_be_is_an_error_of_the_run(
    site: Site, capsys: pytest.CaptureFixture[str], code: str, options: dict[str, str], message: str
) -> None:
    site.install(code, **options)
    assert run(["check", str(MODELS[0]), "--allow-plugin", "acme-lint"]) == 2
    err = capsys.readouterr().err
    assert re.search(message, err), err
    assert "'acme-lint'" in err


def test_two_plugins_of_one_prefix(site: Site) -> None:
    site.install(RANK)
    site.install(RANK, name="other-lint")
    with pytest.raises(UserError, match=r"the plugin 'other-lint': 'acme\.rank' is already declared by 'acme-lint'"):
        load_plugins(["acme-lint", "other-lint"])


@pytest.mark.parametrize("name", ["acme-lnt", "", "no such thing", "../acme-lint"])
def test_a_plugin_that_is_not_installed(site: Site, name: str) -> None:
    site.install(RANK)
    with pytest.raises(UserError, match=f"the plugin '{name}' is not installed") as raised:
        tflint.check(MODELS[0], plugins=[name])
    assert "acme-lint" in raised.value.hint


# --- what is wrong with a fact --------------------------------------------------------------------------------------


FACT = """
def fact(facts):
    {body}

FACTS = [Fact("tensor", "acme.x", "number", "x", fact)]
"""
WRONG = {
    "raise ValueError('made for the test')": "ValueError: made for the test",
    "import sys; sys.exit(0)": "SystemExit: 0",
    "return fact(facts)": "RecursionError",
    "return facts.column('tensor', 'nonsense')": "KeyError",
    "return None": "TypeError: the function returned a NoneType, but the type 'number' needs Scalars",
    "return np.zeros(facts.n('tensor'))": "TypeError: the function returned a ndarray",
    "return strings_of(['a'] * facts.n('tensor'))": "TypeError: the function returned a Strings",
    "return Scalars(np.zeros(1))": "ValueError: the function returned 1 values for",
    "return Scalars(np.zeros((facts.n('tensor'), 2)))": "TypeError: the type 'number' needs a one-dimensional array",
    "return Scalars(np.array(['a'] * facts.n('tensor')))": "TypeError: the type 'number' needs",
    "return Scalars([0] * facts.n('tensor'))": "TypeError: the type 'number' needs .*, not list",
    "return Scalars(np.zeros(facts.n('tensor'), dtype=bool))": "TypeError: the type 'number' needs",
    "return Scalars(np.zeros(facts.n('tensor')), np.zeros(1, dtype=np.uint8))": "TypeError: the state",
    "return Scalars(np.zeros(facts.n('tensor')), np.full(facts.n('tensor'), 3))": "ValueError: the state",
}


@pytest.mark.parametrize("body", WRONG)
def test_a_fact_that_fails_is_a_finding_and_the_others_go_on(site: Site, tmp_path: Path, body: str) -> None:
    site.install(FACT.format(body=body))
    config = rules_of(tmp_path, ("tensor", "acme.x > 0"), ("tensor", "rank < 1"))
    report = tflint.check(MODELS, config=config, plugins="acme-lint")
    assert report.crashes == len(MODELS)
    for file in report.files:
        (crash,) = [finding for finding in file.findings if finding.rule == "G000"]
        start = "rule ACME1 could not run: fact tensor.acme.x of the plugin acme-lint failed: "
        assert re.match(re.escape(start) + WRONG[body], crash.message), crash.message
        assert any(finding.rule == "ACME2" for finding in file.findings)


def test_a_fact_that_would_be_too_large_is_not_checked(site: Site, tmp_path: Path) -> None:
    site.install(FACT.format(body="require_budget(10**9, 'squares')"))
    report = tflint.check(MODELS[0], config=rules_of(tmp_path, ("tensor", "acme.x > 0")), plugins="acme-lint")
    (entry,) = report.files[0].not_checked
    assert entry.reason.startswith("1,000,000,000 squares")
    assert report.crashes == 0


def test_a_fact_that_works_on_one_model_only_costs_the_others_nothing(site: Site, tmp_path: Path) -> None:
    body = "assert facts.n('operator') == 1, 'one operator'; return Scalars(np.zeros(facts.n('tensor')))"
    site.install(FACT.format(body=body))
    report = tflint.check(MODELS, config=rules_of(tmp_path, ("tensor", "acme.x > 0")), plugins="acme-lint")
    crashed = ["G000" in {finding.rule for finding in file.findings} for file in report.files]
    n_operators = [file.overview.n_operators for file in report.files if file.overview]
    assert crashed == [n != 1 for n in n_operators]
    assert True in crashed
    assert False in crashed


NUMBER, TEXT, ROW = ColumnType("number"), ColumnType("string"), ColumnType("reference", table="operator")
NUMBERS, TEXTS, ROWS = NUMBER.list_of(), TEXT.list_of(), ROW.list_of()
TWO = np.array([0, 1])


def out_of_reach(positions: np.ndarray) -> np.ndarray:
    return np.arange(3)[positions]


@pytest.mark.parametrize(
    ("column", "type_", "message"),
    [
        (Strings(TWO, ["a"]), TEXT, "indices from 0 to 1 are out of range for 1 labels"),
        (Strings(TWO - 1, ["a", "b"]), TEXT, "indices from -1 to 0 are out of range"),
        (Strings(TWO, ["a", 5]), TEXT, "labels must be a list of strings"),  # type: ignore[list-item]
        (Strings(TWO, "ab"), TEXT, "labels must be a list of strings"),
        (Strings(TWO * 1.0, ["a", "b"]), TEXT, "with a dtype of kind 'iu', not float64"),
        (References(TWO + 2), ROW, "indices from 2 to 3 are out of range for 3 rows of operator"),
        (References(TWO - 2), ROW, "indices from -2 to -1 are out of range"),
        (Lists(TWO, np.array([1, -1]), out_of_reach), NUMBERS, "a list has a negative length"),
        (Lists(TWO, np.array([5, 6]), out_of_reach), NUMBERS, "11 elements, more than the limit of 10"),
        (Lists(TWO, np.array([1, 9]), out_of_reach), NUMBERS, "out of bounds"),
        (Lists(TWO, TWO * 1.5, out_of_reach), NUMBERS, "of kind"),
        (lists_by_counts(np.array([0, 3]), np.array([1, 1])), ROWS, "indices from 0 to 3 are out of range"),
        (lists_by_counts(np.array([0, 1]), np.array([1, 1])), TEXTS, "labels must be a list of strings"),
        (lists_by_counts(np.array(["a", "b"]), np.array([1, 1])), NUMBERS, "the type 'number' needs"),
    ],
)
def test_what_leads_out_of_a_table_is_refused(column: object, type_: ColumnType, message: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        check_column(column, type_, 2, 3, 10)


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (Scalars(TWO), NUMBER),
        (Scalars(TWO.astype(np.float32)), NUMBER),
        (Strings(TWO, ["a", "b"]), TEXT),
        (strings_of([None, None]), TEXT),
        (References(TWO - 1), ROW),
        (lists_by_counts(np.zeros(0), np.zeros(2, dtype=int)), NUMBERS),
    ],
)
def test_what_is_right_passes(column: object, type_: ColumnType) -> None:
    assert len(check_column(column, type_, 2, 3, 10)) == 2


def test_a_plain_run_does_not_know_of_plugins() -> None:
    code = "import sys, tflint; tflint.check(sys.argv[1]); print('tflint.facts.plugin_loader' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(MODELS[0])],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_a_fact_is_made_once_a_batch(site: Site) -> None:
    site.install(KINDS)
    facts = Facts(tflint.load(MODELS[0]).tables, plugins=load_plugins("acme-lint"))
    assert facts.column("tensor", "acme.is_first") is facts.column("tensor", "acme.is_first")
