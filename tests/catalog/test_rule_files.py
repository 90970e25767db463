"""Test users' rule files: errors with line and column, examples that run, and no code execution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY
from tests.helpers.paths import ROOT
from tflint.api import check
from tflint.catalog import load_catalog
from tflint.cli.main import run
from tflint.config import Config
from tflint.errors import UserError
from tflint.resources import named_model_path
from tflint.rule_examples import run_examples
from tflint.values import replace

RULE = {
    "id": '"ACME001"',
    "name": '"acme-rule"',
    "severity": '"warning"',
    "for-each": '"tensor"',
    "require": "'count(shape) > 90'",
    "message": '"tensor {name} of {dtype}"',
    "summary": '"A rule for the tests."',
    "why": '"It always speaks."',
    "fix": '"Do not select it."',
}
LINES = {key: number for number, key in enumerate(RULE, 2)}


def text_of(**changes: str | None) -> str:
    """A rule's text with some keys changed (`for_each` for for-each), added, or left out (None)."""
    keys = RULE | {key.replace("_", "-"): value for key, value in changes.items()}  # type: ignore[operator]
    return "[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


def written(folder: Path, text: str, name: str = "acme.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def error_of(path: Path) -> UserError:
    with pytest.raises(UserError) as raised:
        load_catalog([str(path)])
    return raised.value


# --- what is wrong --------------------------------------------------------------------------------------------------

MULTILINE = "'''\ncount(shape) > 1\n  and dtyp == \"INT8\"\n'''"
BASIC_MULTILINE = '"""\ncount(shape) > 1 \\\n   and dtyp == 1"""'

WRONG: list[tuple[dict[str, str | None], tuple[int, int], str, str]] = [
    ({"id": '"acme1"'}, (2, 7), "'id' is 'acme1'", "capital letters"),
    ({"id": '"ACME00001"'}, (2, 7), "'id' is 'ACME00001'", "one to eight capital"),
    ({"id": '"Q900"'}, (2, 7), "prefix 'Q' is reserved for built-in rules", "ACME001"),
    ({"id": '"Q"'}, (2, 7), "prefix 'Q' is reserved for built-in rules", "ACME001"),
    ({"id": "1"}, (2, 6), "'id' must be a string", ""),
    ({"name": '"bias-scale-mismatch"'}, (3, 9), "already a rule 'bias-scale-mismatch'", "another name"),
    ({"name": '"Acme"'}, (3, 9), "'name' is 'Acme'", "subject and fault"),
    ({"name": None}, (1, 3), "missing key 'name' in rule 'ACME001'", "name:"),
    ({"fix": None}, (1, 3), "missing key 'fix'", ""),
    ({"severity": '"fatal"'}, (4, 13), "must be one of error, warning, note", ""),
    ({"for_each": '"tensr"'}, (5, 13), "there is no table 'tensr'", "did you mean 'tensor'?"),
    ({"for_each": '"zzz"'}, (5, 13), "there is no table 'zzz'", "tflint facts"),
    ({"reqire": '"true"', "require": None}, (10, 1), "unknown key 'reqire'", "did you mean 'require'?"),
    ({"require": "'dtyp == \"INT8\"'"}, (6, 12), "unknown field 'dtyp' of tensor", "did you mean 'dtype'?"),
    ({"require": '"dtype == \\"INT8\\" and shap == 1"'}, (6, 34), "unknown field 'shap'", "did you mean 'shape'?"),
    ({"require": '"\\u0020dtyp == 1"'}, (6, 18), "unknown field 'dtyp'", "did you mean 'dtype'?"),
    ({"require": MULTILINE}, (8, 7), "unknown field 'dtyp'", "did you mean 'dtype'?"),
    ({"require": BASIC_MULTILINE}, (8, 8), "unknown field 'dtyp'", "did you mean 'dtype'?"),
    ({"require": "'count(shape) + 1'"}, (6, 12), "", ""),
    ({"require": "'count(shape) + dtype > 1'"}, (6, 27), "this must be a number, but it is a string", ""),
    ({"require": "'dtype == \"int9\"'"}, (6, 21), "never 'int9'", "did you mean 'INT8'?"),
    ({"require": "'count(shape) = 1'"}, (6, 25), "'=' is not a comparison", "=="),
    ({"require": "'count(shape'"}, (6, 12), "", ""),
    ({"require": "''"}, (6, 12), "'require' is ''", ""),
    ({"require": "'__import__(\"os\")'"}, (6, 12), "unknown function '__import__'", ""),
    ({"require": "'(lambda: 1)()'"}, (6, 12), "", ""),
    ({"require": "'[x for x in shape] == 1'"}, (6, 12), "", ""),
    ({"require": "'shape.__class__ == 1'"}, (6, 12), "", ""),
    ({"where": "'rnk > 1'"}, (11, 10), "unknown field 'rnk'", ""),
    ({"where": "'lookup(limts, dtype) == 1'"}, (11, 17), "limts", ""),
    ({"message": '"tensor {nam}"'}, (7, 20), "unknown field 'nam'", "did you mean 'name'?"),
    ({"message": '"{{x}} \\u00e9 {nam}"'}, (7, 26), "unknown field 'nam'", "did you mean 'name'?"),
    ({"message": '"tensor {name"'}, (7, 19), "'{' is never closed", "'{{'"),
    ({"message": '"tensor {name:.99999f}"'}, (7, 25), "is not a valid format", "such as"),
    ({"message": '"tensor {buffer}"'}, (7, 20), "a message cannot show", "name or index"),
    ({"report_on": "'dtype'"}, (11, 14), "must refer to one row, but this is a string", ""),
    ({"report_on": "'buffr'"}, (11, 14), "unknown field 'buffr'", "did you mean 'buffer'?"),
    ({"related": "'bufer'"}, (11, 12), "unknown field 'bufer'", "did you mean 'buffer'?"),
    ({"related": "'buffer'"}, (11, 12), "must refer to a list of rows, but this is a reference", ""),
    ({"status": '"beta"'}, (11, 11), "must be one of preview, stable, deprecated", ""),
    ({"category": '"quantisation"'}, (11, 13), "", "did you mean 'quantization'?"),
    ({"refused_by": '["litert>=x"]', "runs_on": '["tflm"]'}, (11, 16), "litert>=x", "such as litert>=1.1.0"),
    ({"refused_by": '["litert>=1.1.0"]'}, (2, 7), "needs both 'refused-by' and 'runs-on'", "'runs-on' lists"),
    ({"references": '["http://example.com"]'}, (11, 16), "http://example.com", "https://"),
    ({"invalid": '[{ model = "conv_int8" }]'}, (11, 12), "missing key 'expect'", ""),
    ({"valid": '[{ model = "conv_int8", expect = ["x"] }]'}, (11, 33), "unknown key 'expect'", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "place", "message", "hint"), WRONG, ids=[str(entry[0])[:40] for entry in WRONG])
def test_what_is_wrong_is_shown_at_its_place(
    tmp_path: Path, changes: dict[str, str | None], place: tuple[int, int], message: str, hint: str
) -> None:
    error = error_of(written(tmp_path, text_of(**changes)))
    assert message in error.message
    assert error.place is not None
    assert (error.place.line, error.place.column) == place
    assert hint in error.hint
    shown = str(error).splitlines()
    assert shown[2].index("^") == place[1] + 1


def test_the_command_shows_it_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, text_of(require="'dtyp == \"INT8\"'"))
    model = MODELS_DIRECTORY / "conv_int8.tflite"
    for arguments in (["rules", "check", path], ["rules", "test", path], ["check", model, "--rules", path],
                      ["explain", "ACME001", "--rules", path], ["rules", "--rules", path]):  # fmt: skip
        assert run([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err == (
            f"tflint: {path}:6:12: require: unknown field 'dtyp' of tensor\n"
            "  require = 'dtyp == \"INT8\"'\n"
            "             ^^^^\n"
            "  hint: did you mean 'dtype'?\n"
        )


def test_ids_and_names_are_there_once(tmp_path: Path) -> None:
    error = error_of(written(tmp_path, text_of() + text_of(name='"acme-other"')))
    assert (str(error.place).rsplit(":", 2)[1], error.message) == (
        "12",
        "id: there is already a rule 'ACME001', in this file",
    )
    error = error_of(written(tmp_path, text_of() + text_of(id='"ACME002"')))
    assert str(error.place).endswith(":13:9")
    one = written(tmp_path, text_of(), "one.toml")
    other = written(tmp_path, text_of(id='"ACME002"'), "other.toml")
    with pytest.raises(UserError, match="acme-rule") as raised:
        load_catalog([str(one), str(other)])
    assert "one.toml" in raised.value.message
    assert str(raised.value.place).endswith("other.toml:3:9")


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path, text_of())
    own = [rule for rule in load_catalog([str(path), str(tmp_path)]).rules if not rule.is_builtin]
    assert [rule.id for rule in own] == ["ACME001"]


def test_muting_a_rule_that_is_not_there(tmp_path: Path) -> None:
    error = error_of(written(tmp_path, text_of(mutes='["Q0001"]')))
    assert "mutes 'Q0001'" in error.message
    assert error.hint == "did you mean 'Q001'?"
    load_catalog([str(written(tmp_path, text_of(mutes='["Q001", "ACME9"]')))])


NO_RULE_FILES = {
    "empty": (b"", "a rule file needs a [[rule]] or a [[family]]"),
    "no rule": (b"rule = []\n", "at least 1"),
    "a number": (b"rule = 3\n", "must be a list"),
    "a table": (b"[rule]\nid = 'X'\n", "must be a list"),
    "a bracket missing": (b"[[rule]\n", "not valid TOML"),
    "another key": (b"[[rules]]\n", "unknown key 'rules'"),
    "binary": (b"\x00\x01\x02\xff\xfe", "not UTF-8"),
    "another encoding": (b"\xff\xfea\x00", "UTF-16"),
    "huge": (b"# " + b"x" * (5 << 20), "larger than"),
    "deep": (b"a = " + b"[" * 100_000, "nested too deeply"),
    "tables": (b"[tables]\nlimits = 3\n" + text_of().encode(), "'limits' must be a table"),
    "a table's name": (b"[tables.LIMITS]\na = 1\n" + text_of().encode(), "LIMITS"),
}


@pytest.mark.parametrize("name", NO_RULE_FILES)
def test_files_that_are_no_rule_files(tmp_path: Path, name: str) -> None:
    content, message = NO_RULE_FILES[name]
    path = tmp_path / "acme.toml"
    path.write_bytes(content)
    error = error_of(path)
    assert message in error.message
    assert error.place is not None
    assert error.place.path == str(path)


def test_paths_that_are_no_rule_files(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    assert "contains no .toml file" in error_of(tmp_path / "folder.toml").message
    assert "does not exist" in error_of(tmp_path / "no.toml").message
    with pytest.raises(UserError, match="is empty"):
        load_catalog([""])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable to this user")
def test_a_file_that_must_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, text_of())
    path.chmod(0)
    assert "permission denied" in error_of(path).message


@pytest.mark.security
def test_more_examples_than_are_run_of_one_file_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = '\n[[rule.valid]]\nmodel = "conv_int8"\n'
    texts = [text_of(id=f"'ACME{number:03}'", name=f"'some-rule-{number}'") + example * 67 for number in range(3)]
    path = written(tmp_path, "\n".join(texts))
    assert run(["rules", "test", str(path)]) == 2
    assert "has 201 examples; tflint runs at most 200 per file" in capsys.readouterr().err


# --- what a rule file can do ----------------------------------------------------------------------------------------


def test_constants_and_lookup(tmp_path: Path) -> None:
    text = '[tables.limits]\nINT8 = 3\n[tables.names]\nlong = ["bias"]\n' + text_of(
        where="'dtype == \"INT8\" or name in names.long'",
        require="'count(shape) <= lookup(limits, dtype)'",
        message='"{name}: {count(shape)} of {lookup(limits, dtype)}"',
    )
    path = written(tmp_path, text)
    report = check(MODELS_DIRECTORY / "conv_int8.tflite", config=Config(rules=(str(path),), select=("ACME001",)))
    assert {finding.message for finding in report.findings()} == {"input: 4 of 3", "weights: 4 of 3", "output: 4 of 3"}
    (unknown,) = report.files[0].not_checked  # limits says nothing of the bias' INT32
    assert (unknown.rule, unknown.rows) == ("ACME001", 1)


def test_report_on_moves_the_finding(tmp_path: Path) -> None:
    text = text_of(for_each='"operator"', require="'count(inputs) > 90'", message='"{opcode}"', report_on="'bias'")
    path = written(tmp_path, text)
    report = check(MODELS_DIRECTORY / "conv_int8.tflite", config=Config(rules=(str(path),), select=("ACME",)))
    (finding,) = report.findings()
    assert finding.location.names[-1] == "bias"


def test_related_names_further_places(tmp_path: Path) -> None:
    require = "'count(inputs) > 90'"
    text = text_of(for_each='"operator"', require=require, report_on="'bias'", related="'inputs'", message='"too few"')
    path = written(tmp_path, text)
    report = check(MODELS_DIRECTORY / "conv_int8.tflite", config=Config(rules=(str(path),), select=("ACME",)))
    (finding,) = report.findings()
    assert [(related.location.names[-1], related.message) for related in finding.related] == [
        ("output", "bias of operator 0 CONV_2D"),
        ("input", "also input of operator 0 CONV_2D"),
        ("weights", "also weights of operator 0 CONV_2D"),
    ]


def test_rules_from_a_folder_a_configuration_and_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", "m.tflite")
    (tmp_path / "rules").mkdir()
    written(tmp_path / "rules", text_of())
    written(tmp_path / "rules", text_of(id='"ACME002"', name='"acme-other"'), "other.toml")
    written(tmp_path, 'rules = ["rules/acme.toml"]', "tflint.toml")

    def spoken(*options: str) -> set[str]:
        assert run(["check", "m.tflite", "--format", "json", *options]) == 0
        found = json.loads(capsys.readouterr().out)["files"][0]["findings"]
        return {finding["rule"] for finding in found if finding["rule"].startswith("ACME")}

    assert spoken() == {"ACME001"}
    assert spoken("--rules", "rules") == {"ACME001", "ACME002"}
    assert spoken("--rules", "rules/other.toml") == {"ACME002"}


def test_rules_of_users_are_listed_and_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(tmp_path, text_of()))
    assert run(["rules", "--rules", path]) == 0
    assert "ACME001" in capsys.readouterr().out
    assert run(["explain", "acme-rule", "--rules", path]) == 0
    assert "A rule for the tests." in capsys.readouterr().out
    for form in ("json", "markdown"):
        assert run(["explain", "ACME001", "--rules", path, "--format", form]) == 0
        assert "ACME001" in capsys.readouterr().out


def test_checking_rule_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, text_of())
    written(tmp_path, text_of(id='"ACME002"', name='"acme-other"'), "other.toml")
    assert run(["rules", "check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 rules in 2 files: no errors\n"


# --- examples -------------------------------------------------------------------------------------------------------


def tried(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, str]:
    code = run(["rules", "test", str(path)])
    out, err = capsys.readouterr()
    return code, out + err


def test_examples_that_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(MODELS_DIRECTORY / "conv_int8.tflite", tmp_path / "own.tflite")
    text = text_of(require="'dtype != \"INT32\"'") + (
        '[[rule.invalid]]\nmodel = "own.tflite"\nexpect = ["bias"]\n'
        '[[rule.invalid]]\nmodel = "conv_int8"\nexpect = ["subgraphs[0].tensors[2]"]\n'
        '[[rule.valid]]\nmodel = "add_float32"\n'
        '[[rule.valid]]\nmodel = "conv_int8"\nedit = { "tensors.bias.type" = "INT16" }\n'
    )
    assert tried(capsys, written(tmp_path, text)) == (0, "4 examples of 1 rule: 0 failed\n")


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ('[[rule.invalid]]\nmodel = "add_float32"\nexpect = ["a"]\n', "should have a finding at a, but has none"),
        ('[[rule.invalid]]\nmodel = "conv_int8"\nexpect = ["weights"]\n', "should have a finding at weights"),
        ('[[rule.valid]]\nmodel = "conv_int8"\n', "should have no finding, but has findings at bias"),
    ],
)  # fmt: skip
def test_examples_that_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str], example: str, said: str) -> None:
    code, output = tried(capsys, written(tmp_path, text_of(require="'dtype != \"INT32\"'") + example))
    assert code == 1
    assert said in output
    assert output.endswith("1 example of 1 rule: 1 failed\n")


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ('model = "conv_int9"\n', "did you mean 'conv_int8'?"),
        ('model = "own.tflite"\n', "there is no example model 'own.tflite'"),
        ('model = "conv_int8"\nedit = { "tensors.bais.type" = "INT16" }\n', "did you mean 'bias'?"),
        ('model = "conv_int8"\nedit = { "tensors.bias.typ" = "INT16" }\n', "typ"),
        ('model = "conv_int8"\ntargets = ["litrt"]\n', "did you mean 'litert'?"),
    ],
)
def test_examples_that_cannot_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], example: str, said: str
) -> None:
    code, output = tried(capsys, written(tmp_path, text_of() + "[[rule.valid]]\n" + example))
    assert code == 2
    assert said in output
    assert "Traceback" not in output


def test_an_example_may_be_of_a_preview_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of(status='"preview"') + '[[rule.valid]]\nmodel = "conv_int8"\n'
    code, output = tried(capsys, written(tmp_path, text))
    assert code == 1
    assert "should have no finding" in output


# --- nothing is executed --------------------------------------------------------------------------------------------

HOSTILE = [
    "__import__('os').system('touch pwned')",
    "exec('import antigravity')",
    "().__class__.__bases__[0].__subclasses__()",
    "open('pwned', 'w')",
    "name.format(name)",
    "(x := 1) == 1",
    "f'{__import__(\"os\")}' == name",
    "9**9**9 > 1",
    "'a' * 99999999 == name",
]


def test_a_rule_file_never_causes_an_import(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    names = []
    for number, expression in enumerate(HOSTILE):
        for key in ("require", "where", "report-on", "message"):
            value = f"'''{{{expression}}}'''" if key == "message" else f"'''{expression}'''"
            names.append(written(tmp_path, text_of(**{key: value}), f"{number}-{key}.toml"))
    program = (
        "import sys\n"
        "from tflint.catalog import load_catalog\n"
        "from tflint.errors import UserError\n"
        "import tflint.userfiles.schema_diagnosis, tflint.language.name_resolution\n"
        "def attempt(path):\n"
        "    try:\n        load_catalog([path])\n"
        "    except UserError:\n        return True\n"
        "attempt(sys.argv[1])\n"
        "before = set(sys.modules)\n"
        "accepted = [path for path in sys.argv[1:] if not attempt(path)]\n"
        "print(sorted(set(sys.modules) - before), accepted)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, *map(str, names)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert found.stdout == "[] []\n"
    assert not (tmp_path / "pwned").exists()


def test_a_built_in_file_counts_once_and_its_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = MODELS_DIRECTORY.parent / "quantization" / "Q001-bias-scale-mismatch.toml"
    assert load_catalog([str(path)]).rules == load_catalog([]).rules
    assert run(["rules", "test", str(path)]) == 0
    assert run(["rules", "check", str(path)]) == 0
    assert capsys.readouterr().out.endswith("1 rule in 1 file: no errors\n")
    copy = tmp_path / "copy.toml"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(UserError, match=r"already a rule|reserved"):
        load_catalog([str(copy)])


# --- families and severities by runtime -------------------------------------------------------------------------------

FAMILY = """
[[family]]
sides    = { input = "ACME001", output = "ACME002" }
name     = "<side>-dtype-unsupported"
severity = { default = "warning", tflm = "error" }
for-each = "<side>"
require  = 'tensor.dtype == "FLOAT32"'
message  = "the <side> is {tensor.dtype}"
summary  = "An <side> is not float32."
why      = "The boards of the test compute in float."
fix      = "convert the <side>"

[family.output]
why = "The display of the test shows float."

[[family.invalid]]
model  = "conv_int8"
expect = ["<side>"]
"""


def family(tmp_path: Path, old: str = "", new: str = "") -> str:
    assert old in FAMILY
    path = tmp_path / "family.toml"
    path.write_text(FAMILY.replace(old, new), encoding="utf-8")
    return str(path)


def test_a_family_expands_to_a_rule_for_inputs_and_one_for_outputs(tmp_path: Path) -> None:
    rules = {rule.id: rule for rule in load_catalog([family(tmp_path)]).rules if not rule.is_builtin}
    assert [(rule.id, rule.name, rule.for_each) for rule in rules.values()] == [
        ("ACME001", "input-dtype-unsupported", "input"),
        ("ACME002", "output-dtype-unsupported", "output"),
    ]
    assert rules["ACME001"].why == "The boards of the test compute in float."
    assert rules["ACME002"].why == "The display of the test shows float."
    assert [example.problem for example in run_examples([family(tmp_path)])] == ["", ""]


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ("tensor.dtype ==", "tensor.dtpe ==", "7:13", "unknown field 'dtpe' of tensor", "dtype"),
        ("{tensor.dtype}", "{<side>}", "8:28", "unknown field 'input'", ""),
        ("is {tensor.dtype}", "<side> is {tensor.dtyp}", "8:35", "unknown field 'dtyp' of tensor", "dtype"),
        ("tflm =", "tflmm =", "5:12", "'tflmm' names a runtime that tflint does not know", "tflm"),
        ("default =", "defaul =", "5:1", "missing key 'default' in 'severity'", ""),
        ("fix      =", "limits   =", "3:23", "the family has no 'fix' for its input", "[family.input]"),
        (', output = "ACME002"', "", "3:1", "missing key 'output' in 'sides'", ""),
        ("ACME002", "ACME001", "3:43", "there is already a rule 'ACME001'", "another id"),
    ],
)
def test_what_is_wrong_in_a_family_is_shown_at_its_place(
    tmp_path: Path, old: str, new: str, place: str, message: str, hint: str
) -> None:
    with pytest.raises(UserError) as raised:
        load_catalog([family(tmp_path, old, new)])
    assert f"family.toml:{place}: " in str(raised.value)
    assert message in raised.value.message
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((), [("warning", None)]),
        (("tflm",), [("error", None)]),
        (("litert", "tflm"), [("warning", "litert==2.3.0"), ("error", "tflm")]),
        (("litert", "tflite"), [("warning", None)]),
    ],
)
def test_a_severity_can_differ_by_runtime(
    tmp_path: Path, targets: tuple[str, ...], expected: list[tuple[str, str | None]]
) -> None:
    config = Config(targets=targets, rules=(family(tmp_path),), select=("ACME001",))
    found = check(str(named_model_path("conv_int8")), config=config).findings()
    assert [(finding.severity, finding.target) for finding in found] == expected
    chosen = replace(config, severity={"ACME001": "note"})
    found = check(str(named_model_path("conv_int8")), config=chosen).findings()
    assert {finding.severity for finding in found} == {"note"}
