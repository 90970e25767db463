"""Test `tflint allow`: it adds the entry, the finding is suppressed, and no other byte of the configuration changes."""

from __future__ import annotations

import datetime
import os
import shlex
import shutil
import stat
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY, NAMED
from tests.helpers.paths import ROOT
from tflint.cli import output_file
from tflint.cli.main import run
from tflint.config.config_edit import add_allow, require_added
from tflint.errors import UserError
from tflint.userfiles.toml_strings import quote
from tflint.writer.model_edits import edit_model

REASON = ("--reason", "a known download")
ENTRY = {"rule": "G003", "path": "./broken.tflite", "reason": "a known download"}
WRITTEN = '[[allow]]\nrule = "G003"\npath = "./broken.tflite"\nreason = "a known download"\n'
PROJECT = '[project]\nname = "m"\n\n[tool.tflint]\nselect = ["G"]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a model that has one error, G003, and a folder with a copy of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for name in ("broken.tflite", "models/other.tflite"):
        shutil.copy(MODELS_DIRECTORY / "truncated.tflite", tmp_path / name)
    return tmp_path


def allow(*arguments: str, code: int = 0) -> None:
    assert run(["allow", *arguments]) == code


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said where nothing is done."""
    capsys.readouterr()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    allow(*arguments, code=2)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tflint: ")
    return err


# --- where it is written --------------------------------------------------------------------------------------------


def test_without_a_configuration_one_is_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "broken.tflite"]) == 1
    allow("G003", "broken.tflite", *REASON)
    assert (here / "tflint.toml").read_text() == f"#:schema tflite-lint.config.schema.json\n\n{WRITTEN}"
    assert "tflint.toml: G003 flatbuffer-invalid is allowed in ./broken.tflite\n" in capsys.readouterr().out
    assert run(["check", "broken.tflite"]) == 0
    assert "1 suppressed" in capsys.readouterr().out
    assert run(["check", "models"]) == 1, "a file elsewhere keeps its finding"


def test_the_nearest_configuration_is_written_to(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "tflint.toml").write_text('select = ["G"]\n')
    monkeypatch.chdir(here / "models")
    allow("G003", "other.tflite", *REASON)
    assert not Path("tflint.toml").exists()
    assert tomllib.loads((here / "tflint.toml").read_text())["allow"][0]["path"] == "models/other.tflite"
    assert run(["check", "other.tflite"]) == 0


def test_in_pyproject_it_is_a_table_of_tool_tflint(here: Path) -> None:
    (here / "pyproject.toml").write_text(PROJECT)
    allow("G003", "broken.tflite", *REASON)
    written = WRITTEN.replace("[[allow]]", "[[tool.tflint.allow]]")
    assert (here / "pyproject.toml").read_text() == f"{PROJECT}\n{written}"
    assert run(["check", "broken.tflite"]) == 0


def test_a_project_that_does_not_speak_of_tflint_is_left_alone(here: Path) -> None:
    (here / "pyproject.toml").write_text('[project]\nname = "m"\n')
    allow("G003", "broken.tflite", *REASON)
    assert (here / "pyproject.toml").read_text() == '[project]\nname = "m"\n'
    assert (here / "tflint.toml").exists()


def test_a_named_configuration_is_written_to(here: Path) -> None:
    (here / "tflint.toml").write_text('select = ["G"]\n')
    (here / "strict.toml").write_text("")
    allow("G003", "broken.tflite", *REASON, "--config", "strict.toml")
    assert (here / "strict.toml").read_text() == WRITTEN
    assert (here / "tflint.toml").read_text() == 'select = ["G"]\n'


# --- what is written ------------------------------------------------------------------------------------------------


BEFORE = {
    "empty": "",
    "without a final newline": 'select = ["G"]',
    "a comment at the end": '# why\nselect = ["G"]  # because\n# the end',
    "CRLF": 'select = ["G"]\r\n# the end\r\n',
    "CRLF without a final newline": 'ignore = ["Q"]\r\nselect = ["G"]',
    "empty lines at the end": 'select = ["G"]\n\n\n',
    "an entry": 'select = ["G"]\n\n[[allow]]\nrule   =  "Q001" # aligned\nreason = "known"\n',
    "an entry before another table": '[[allow]]\nrule = "Q001"\nreason = "known"\n\n[severity]\nQ100 = "note"\n',
    "umlauts": '# Größe µ 😀\nselect = ["G"]\n',
}


@pytest.mark.parametrize("name", BEFORE)
def test_every_byte_that_was_there_stays(here: Path, name: str) -> None:
    before = BEFORE[name].encode()
    (here / "tflint.toml").write_bytes(before)
    allow("G003", "broken.tflite", *REASON)
    after = (here / "tflint.toml").read_bytes()
    assert after.startswith(before)
    added = after[len(before) :].decode()
    assert added.strip().replace("\r\n", "\n") == WRITTEN.strip()
    assert ("\n" in added.replace("\r\n", "")) == (b"\r\n" not in before), "lines end as they did"
    assert tomllib.loads(after.decode())["allow"][-1] == ENTRY
    assert run(["check", "broken.tflite"]) == 0


@pytest.mark.parametrize(
    "before",
    [
        '[tool]\ntflint.select = ["G"]\n',
        'tool.tflint.select = ["G"]\n',
        '[tool.tflint]\nselect = ["G"]\n[tool.other]\nlimit = nan\nday = 2020-01-01\n',
        '[tool.tflint]\n[[tool.tflint.allow]]\nrule = "Q001"\nreason = "known"\n[tool.other]\nx = 1\n',
        '["tool"."tflint"]\nselect = ["G"]\n',
    ],
)
def test_however_a_project_writes_its_tables(here: Path, before: str) -> None:
    (here / "pyproject.toml").write_text(before)
    allow("G003", "broken.tflite", *REASON)
    after = (here / "pyproject.toml").read_text()
    assert after.startswith(before)
    assert tomllib.loads(after)["tool"]["tflint"]["allow"][-1] == ENTRY
    assert run(["check", "broken.tflite"]) == 0


@pytest.mark.parametrize(
    "text",
    ["plain", 'it\'s "quoted" \\ back', "two\nlines\r\n", "\t\x00\x1b\x7f", "Größe 😀 \u2028 \ufeff", "'''\"\"\"#"],
)
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    assert tomllib.loads(f"x = {quote(text)}") == {"x": text}
    assert "\n" not in quote(text)


def test_every_character_but_half_ones_is_read_back() -> None:
    text = "".join(chr(code) for code in (*range(0x300), *range(0xD7F0, 0xD800), *range(0xE000, 0xE010), 0x10FFFF))
    assert tomllib.loads(f"x = {quote(text)}") == {"x": text}
    with pytest.raises(UserError, match="not valid Unicode"):
        add_allow("tflint.toml", "", {"path": "b\udcff"})


def test_all_options_are_written(here: Path) -> None:
    allow("flatbuffer-invalid", "broken.tflite", "--at", 'a "b"', "--reason", " wait ", "--until", "2999-12-31")
    (entry,) = tomllib.loads((here / "tflint.toml").read_text())["allow"]
    assert entry == {
        "rule": "flatbuffer-invalid",
        "path": "./broken.tflite",
        "at": 'a "b"',
        "reason": "wait",
        "until": "2999-12-31",
    }


def test_an_id_may_be_in_small_letters_and_today_may_be_the_last_day(here: Path) -> None:
    allow("g003", "broken.tflite", *REASON, "--until", datetime.date.today().isoformat())
    assert '"G003"' in (here / "tflint.toml").read_text()
    assert run(["check", "broken.tflite"]) == 0


@pytest.mark.parametrize(
    ("given", "written", "also_other"),
    [
        ("broken.tflite", "./broken.tflite", False),
        ("./models/../broken.tflite", "./broken.tflite", False),
        ("models/other.tflite", "models/other.tflite", True),
        ("models", "models/**", True),
        ("models/", "models/**", True),
        (".", "**", True),
        ("*.tflite", "./*.tflite", False),
        ("mod*/oth?r.tflite", "mod*/oth?r.tflite", True),
        ("**/*.tflite", "**/*.tflite", True),
    ],
)
def test_paths_are_globs_from_the_configurations_folder(here: Path, given: str, written: str, also_other: bool) -> None:
    allow("G003", given, *REASON)
    (entry,) = tomllib.loads((here / "tflint.toml").read_text())["allow"]
    assert entry["path"] == written
    assert run(["check", "models/other.tflite"]) == int(not also_other)


@pytest.mark.parametrize(
    "name", ["it's.tflite", 'say "hi".tflite', "a [1] b.tflite", "größe.tflite", "back\\slash.tflite"]
)
@pytest.mark.skipif(sys.platform == "win32", reason="names of files are fewer there")
def test_names_of_any_characters(here: Path, name: str) -> None:
    shutil.copy("broken.tflite", name)
    allow("G003", name, *REASON)
    assert run(["check", name]) == 0
    assert run(["check", "broken.tflite"]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_a_name_that_is_no_text_goes_by_a_glob(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"b\xff.tflite")
    shutil.copy("broken.tflite", name)
    said = refused(capsys, "G003", name, *REASON)
    assert "'./b\\udcff.tflite' is not valid Unicode" in said
    assert "hint: in a path, replace each" in said
    allow("G003", "b?.tflite", *REASON)
    assert run(["check", name]) == 0


# --- the file itself ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are others there")
def test_a_link_is_not_written_through_and_a_mode_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "shared").mkdir()
    (here / "shared" / "lint.toml").write_text('select = ["G"]\n')
    (here / "shared" / "lint.toml").chmod(0o640)
    (here / "tflint.toml").symlink_to("shared/lint.toml")
    assert "it is a link to 'shared/lint.toml'" in refused(capsys, "G003", "broken.tflite", *REASON)
    assert (here / "tflint.toml").is_symlink()
    assert (here / "shared" / "lint.toml").read_text() == 'select = ["G"]\n'
    shutil.copy(here / "broken.tflite", here / "shared")
    allow("G003", "shared/broken.tflite", *REASON, "--config", "shared/lint.toml")
    assert "G003" in (here / "shared" / "lint.toml").read_text()
    assert stat.S_IMODE((here / "shared" / "lint.toml").stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="modes are others there")
def test_a_read_only_file_is_not_replaced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "tflint.toml").write_text("")
    (here / "tflint.toml").chmod(0o444)
    assert "tflint.toml' cannot be written: it is read-only" in refused(capsys, "G003", "broken.tflite", *REASON)


def test_a_full_disk_leaves_the_file_as_it_was(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "tflint.toml").write_text("# mine\n")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in refused(capsys, "G003", "broken.tflite", *REASON)


@pytest.mark.parametrize("before", [None, "# mine\n"])
def test_what_is_not_read_back_is_undone(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        (here / "tflint.toml").write_text(before)
    real = output_file.OutputFile.write

    def lossy(self: output_file.OutputFile, content: str) -> None:
        real(self, content.replace("G003", "G004"))

    monkeypatch.setattr(output_file.OutputFile, "write", lossy)
    said = refused(capsys, "G003", "broken.tflite", *REASON)
    assert "the entry could not be written" in said
    assert "is unchanged" in said


# --- what check offers ----------------------------------------------------------------------------------------------


def offered(capsys: pytest.CaptureFixture[str], *paths: str) -> list[list[str]]:
    """The arguments of the commands that a verbose check prints."""
    capsys.readouterr()
    run(["check", "-v", *paths])
    lines = capsys.readouterr().out.splitlines()
    commands = [line.replace("…", "known") for line in lines if line.startswith("    allow  tflint allow ")]
    return [shlex.split(command)[3:] for command in commands]


@pytest.mark.parametrize("place", [".", "models"])
def test_each_command_takes_back_its_finding_and_no_other(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    bad_axis = {"tensors.bias.quantization.quantized_dimension": 3, "tensors.weights.quantization.scale": [0.5]}
    names = {"tensors.bias.name": "it's\n[a] *bias*", "tensors.input.name": "-input"}
    (here / "tflint.toml").touch()
    (here / "it's.tflite").write_bytes(edit_model(NAMED["conv_int8"](), bad_axis | names))
    monkeypatch.chdir(here / place)
    paths = [os.path.relpath(path) for path in (here / "it's.tflite", here / "broken.tflite")]
    while commands := offered(capsys, *paths):
        allow(*commands[0])
        assert offered(capsys, *paths) == commands[1:]
    assert run(["check", *paths]) == 0
    assert len(tomllib.loads((here / "tflint.toml").read_text())["allow"]) >= 3


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["Q0O9", "broken.tflite", *REASON], "there is no rule 'Q0O9'", "did you mean 'Q109'?"),
        (["G", "broken.tflite", *REASON], "there is no rule 'G'", "'tflint rules' lists them"),
        (["G003", "brokn.tflite", *REASON], "'brokn.tflite' does not exist", "did you mean 'broken.tflite'?"),
        (["G003", "no*.tflite", *REASON], "no file matches 'no*.tflite'", "* matches any name"),
        (["G003", "", *REASON], "the path is empty", ""),
        (["G003", "broken.tflite", "models", *REASON], "allow takes one PATH", "a glob in quotes"),
        (["G003", "brok[ae]n.tflite", *REASON], "does not match 'broken.tflite'", "brackets have no special meaning"),
        (["G003", "broken.tflite"], "--reason", "tflint allow --help"),
        (["G003", "broken.tflite", "--reason", ""], "--reason is too short", "3 characters"),
        (["G003", "broken.tflite", "--reason", "  x "], "--reason is too short", "3 characters"),
        (["G003", "broken.tflite", *REASON, "--at", ""], "--at is empty", "tflint check -v"),
        (["G003", "broken.tflite", *REASON, "--until", "soon"], "'soon' is not a date", "YYYY-MM-DD"),
        (["G003", "broken.tflite", *REASON, "--until", "2025-02-30"], "'2025-02-30' is not a date", "YYYY-MM-DD"),
        (["G003", "broken.tflite", *REASON, "--until", "20990101"], "'20990101' is not a date", "YYYY-MM-DD"),
        (["G003", "broken.tflite", *REASON, "--until", "2001-01-01"], "2001-01-01 has passed", "a future day"),
        (["G003", "broken.tflite", *REASON, "--config", "no.toml"], "there is no such file", ""),
        (["G003", "broken.tflite", *REASON, "--config", ""], "--config needs the path of a file", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_allowed_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str
) -> None:
    said = refused(capsys, *arguments)
    assert message in said
    if hint:
        assert hint in said.split("hint: ", 1)[1]


def test_a_file_beside_the_configurations_folder(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "models" / "tflint.toml").write_text("")
    monkeypatch.chdir(here / "models")
    for path in ("../broken.tflite", "../*.tflite", "..", str(here / "broken.tflite")):
        said = refused(capsys, "G003", path, *REASON)
        assert f"'{path}' is not in the folder" in said
        assert "--config" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"select = [", "tflint.toml:"),
        (b"selct = []\n", "unknown key 'selct'"),
        (b'[[allow]]\nrule = "Q999"\nreason = "x"\n', "tflint.toml:3:11: 'reason'"),
        (b"\xef\xbb\xbfselect = ['G']\n", "starts with a byte order mark"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_broken_configuration_is_not_added_to(
    here: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (here / "tflint.toml").write_bytes(content)
    assert message in refused(capsys, "G003", "broken.tflite", *REASON)


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("tflint.toml", "allow = []\n", "tflint.toml:1:9: cannot append an entry to an inline array", "[[allow]]"),
        ("tflint.toml", 'allow = [\n  { rule = "Q001", reason = "known" },\n]\n', "tflint.toml:1:9", "[[allow]]"),
        ("pyproject.toml", "[tool.tflint]\nallow = []\n", "pyproject.toml:2:9", "[[tool.tflint.allow]]"),
        ("pyproject.toml", '[tool]\ntflint = { select = ["G"] }\n', "pyproject.toml:2:10", "[tool.tflint]"),
        ("pyproject.toml", 'tool = { tflint = { select = ["G"] } }\n', "pyproject.toml:1:19", "[tool.tflint]"),
    ],
)  # fmt: skip
def test_brackets_that_are_closed(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, message: str, hint: str
) -> None:
    (here / name).write_text(content)
    said = refused(capsys, "G003", "broken.tflite", *REASON)
    assert message in said
    assert hint in said.split("hint: ", 1)[1]


def test_the_same_entry_twice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    allow("G003", "broken.tflite", *REASON, "--until", "2999-12-31")
    said = refused(capsys, "flatbuffer-invalid", "broken.tflite", "--reason", "another one")
    assert "tflint.toml:3:3: G003 is already allowed in ./broken.tflite" in said
    assert "which is valid until 2999-12-31" in said
    allow("G003", "broken.tflite", *REASON, "--at", "stem")
    assert "already" in refused(capsys, "G003", "broken.tflite", *REASON, "--at", "stem")


def test_an_entry_that_has_ended_can_be_given_anew(here: Path) -> None:
    (here / "tflint.toml").write_text(WRITTEN + 'until = "2001-01-01"\n')
    assert run(["check", "broken.tflite"]) == 1
    allow("G003", "broken.tflite", *REASON)
    assert run(["check", "broken.tflite"]) == 0


def test_a_rule_that_the_configuration_does_not_know(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme = (ROOT / "examples" / "rules" / "acme.toml").read_text(encoding="utf-8")
    (here / "acme.toml").write_text(acme, encoding="utf-8")
    assert "there is no rule 'ACME001'" in refused(capsys, "ACME001", "broken.tflite", *REASON)
    (here / "tflint.toml").write_text('rules = ["acme.toml"]\n')
    allow("ACME001", "broken.tflite", *REASON)


@pytest.mark.parametrize("after", [WRITTEN, 'select = ["Q"]\n' + WRITTEN, 'select = ["G"]\n' + 2 * WRITTEN])
def test_anything_but_the_one_entry_more_is_noticed(after: str) -> None:
    before = 'select = ["G"]\n'
    require_added("tflint.toml", before, before + WRITTEN, ENTRY)
    with pytest.raises(UserError, match="without changing other settings"):
        require_added("tflint.toml", before, after, ENTRY)
