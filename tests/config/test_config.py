"""Test the configuration: discovery, parsing, and errors with line, column and hint."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from tests.helpers.configurations import FULL
from tests.helpers.models.named import NAMED
from tflint.api import check
from tflint.config import Config, TargetOptions, find_config, load_config
from tflint.errors import UserError


def written(folder: Path, text: str, name: str = "tflint.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def error_of(path: Path) -> UserError:
    """The error of reading the configuration and of a run with it."""
    with pytest.raises(UserError) as raised:
        check(NAMED["conv_int8"](), config=load_config(path))
    return raised.value


# --- what it says ---------------------------------------------------------------------------------------------------


def test_every_key_arrives(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL))
    assert config.targets == ("litert==2.3.0", "tflm")
    assert (config.ruleset, config.fail_on, config.lfs_pointers) == ("0.1", "note", "note")
    assert (config.select, config.ignore) == (("Q", "operator"), ("Q004",))
    assert config.severity == {"Q001": "warning"}
    assert config.per_file_ignores == {"a/*.tflite": ("Q001",)}
    assert config.exclude == ("old/**",)
    assert Path(config.baseline) == tmp_path / "known.json"
    assert Path(config.folder) == tmp_path
    (allow,) = config.allow
    assert (allow.rule, allow.path, allow.at) == ("Q001", "b.tflite", "bias")
    assert (allow.reason, allow.until) == ("measured on the device", datetime.date(2030, 1, 31))


def test_pyproject_says_the_same(tmp_path: Path) -> None:
    text = "[tool.tflint]\n" + FULL.replace("[[allow]]", "[[tool.tflint.allow]]")
    ours, theirs = load_config(written(tmp_path, FULL)), load_config(written(tmp_path, text, "pyproject.toml"))
    assert ours.settings() == theirs.settings()
    assert theirs.origin.endswith("pyproject.toml")


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")).settings() == Config().settings()
    assert load_config(str(written(tmp_path, ""))).targets == ()


def test_targets_as_tables(tmp_path: Path) -> None:
    phone = '[targets.phone]\nruntime = "litert==2.1.0"\nflex = true\ncustom-ops = ["A", "B"]\n'
    text = phone + '[targets.chip]\nruntime = "tflm"\n'
    config = load_config(written(tmp_path, text))
    assert config.targets == ("phone", "chip")
    assert config.named_targets["phone"] == TargetOptions("litert==2.1.0", True, ("A", "B"))
    assert config.named_targets["chip"] == TargetOptions("tflm")


def test_rules_count_from_the_configuration(tmp_path: Path) -> None:
    written(tmp_path, "", "mine.toml")
    assert load_config(written(tmp_path, 'rules = ["mine.toml"]')).rules == (str(tmp_path / "mine.toml"),)


@pytest.mark.parametrize(
    "key", ["targets", "select", "ignore", "severity", "per-file-ignores", "lfs-pointers", "allow", "ruleset"]
)
def test_the_digest_changes_with_what_changes_the_report(tmp_path: Path, key: str) -> None:
    full = load_config(written(tmp_path, FULL))
    lines = [line for line in FULL.splitlines() if not line.startswith(f"{key} =")]
    less = FULL.split("[[allow]]")[0] if key == "allow" else "\n".join(lines)
    assert load_config(written(tmp_path, less)).settings() != full.settings()


# --- where it is found ----------------------------------------------------------------------------------------------


def test_the_nearest_file_wins_and_tflint_toml_before_pyproject(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    outer = written(tmp_path, "")
    assert find_config(below) == outer
    project = written(tmp_path / "a", "[tool.tflint]\n", "pyproject.toml")
    assert find_config(below) == project
    own = written(tmp_path / "a", "")
    assert find_config(below) == own


@pytest.mark.parametrize(
    "text", ["[ tool . tflint ]\n", "[tool]\ntflint = {}\n", '["tool"."tflint"]\n', "[tool.tflint.severity]\n"]
)
def test_a_section_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    project = written(tmp_path, text, "pyproject.toml")
    assert find_config(tmp_path) == project


@pytest.mark.parametrize(
    "text", ["[tool.black]\n", "# [tool.tflint]\n", "tool = 3 # tool.tflint\n", 'x = "tool.tflint"', "[broken", "\n"]
)
def test_a_pyproject_without_a_section_is_passed_by(tmp_path: Path, text: str) -> None:
    outer = written(tmp_path, "")
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", text, "pyproject.toml")
    assert find_config(tmp_path / "inner") == outer


def test_a_broken_pyproject_that_may_be_meant_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, "[tool.tflint]\nselect = [\n", "pyproject.toml")
    with pytest.raises(UserError, match=r"pyproject\.toml:2:\d+: not valid TOML"):
        find_config(tmp_path)


def test_a_named_pyproject_must_have_a_section(tmp_path: Path) -> None:
    error = error_of(written(tmp_path, "[tool.black]\n", "pyproject.toml"))
    assert error.message == "does not have a [tool.tflint] table"
    assert error.hint


# --- what is wrong --------------------------------------------------------------------------------------------------

WRONG = [
    # text, line and column, part of the message, part of the hint
    ('selct = ["Q001"]', (1, 1), "unknown key 'selct'", "did you mean 'select'?"),
    ('select = "Q001"', (1, 11), "must be a list, not a string", "['Q001']"),
    ("select = [1]", (1, 11), "'select[0]' must be a string", ""),
    ('select = [""]', (1, 12), "must not be empty", ""),
    ('select = ["Q999x"]', (1, 12), "'Q999x' is not a rule, prefix or category", "tflint rules"),
    ('ignore = [\n  "Q001",\n  "bias-scale-mismach",\n]', (3, 4), "is not a rule", "'bias-scale-mismatch'"),
    ('severity = { Q001 = "fatal" }', (1, 22), "must be one of error, warning, note", ""),
    ('[severity]\nQ0001 = "note"', (2, 1), "'Q0001' is not a rule", "did you mean 'Q001'?"),
    ('[severity]\nquantization = "note"', (2, 1), "'quantization' is not a rule", ""),
    ("targets = []", (1, 11), "at least 1", ""),
    ('targets = "tflm"', (1, 12), "must be a list or a table", "targets.NAME"),
    ('targets = ["tflm", "litrt"]', (1, 21), "unknown target 'litrt'", "did you mean 'litert'?"),
    ('targets = ["litert==2.3.x"]', (1, 13), "'2.3.x' is not a version", "targets are"),
    ("[targets.phone]\nflex = true", (1, 10), "missing key 'runtime'", "litert==2.3.0"),
    ('[targets.phone]\nruntime = "litrt"', (2, 12), "unknown target 'litrt'", "did you mean 'litert'?"),
    ('[targets.phone]\nruntime = "tflm==1"', (2, 12), "tflm has no versions", "declare tflm"),
    ('[targets.phone]\nruntime = "tflm"\nflxe = true', (3, 1), "unknown key 'flxe'", "did you mean 'flex'?"),
    ('[targets.phone]\nruntime = "tflm"\nflex = "yes"', (3, 9), "'flex' must be", ""),
    ('[targets.phone]\nruntime = "tflm"\ncustom-ops = "A"', (3, 15), "must be a list", "['A']"),
    ('[targets.tflm]\nruntime = "litert==2.3.0"', (2, 12), "has the name of a runtime", "rename"),
    ('[targets."my phone"]\nruntime = "tflm"', (1, 10), "is not a valid target name", "letter"),
    ('ruleset = "9.0"', (1, 12), "ruleset '9.0' is newer than 0.1", "upgrade"),
    ('ruleset = "new"', (1, 12), "'ruleset' is 'new'", "0.1"),
    ("ruleset = 0.1", (1, 11), "must be a string, not a number", "0.1"),
    ('fail-on = "all"', (1, 12), "must be one of error, warning, note, never", ""),
    ('rules = ["no.toml"]', (1, 11), "the rule file 'no.toml' does not exist", "folder of the configuration"),
    ('rules = "no.toml"', (1, 10), "must be a list", "['no.toml']"),
    ("exclude = 3", (1, 11), "must be a list, not a number", ""),
    ("baseline = []", (1, 12), "'baseline' must be a string", ""),
    ('lfs-pointers = "off"', (1, 17), "must be one of error, note", ""),
    ('per-file-ignores = { "*" = ["Q9"] }', (1, 30), "'Q9' is not a rule", "did you mean"),
    ('per-file-ignores = { "*" = "Q001" }', (1, 29), "must be a list", "['Q001']"),
    ('[[allow]]\nrule = "Q001"', (1, 3), "missing key 'reason'", ""),
    ('[[allow]]\nrule = "Q0001"\nreason = "known"', (2, 9), "'Q0001' is not a rule", "did you mean 'Q001'?"),
    ('[[allow]]\nrule = "Q"\nreason = "known"', (2, 9), "'Q' is not a rule", ""),
    ('[[allow]]\nrule = "Q001"\nreason = ""', (3, 11), "'reason' is ''", ""),
    ('[[allow]]\nrule = "Q001"\nreason = "known"\nuntil = "2024-13-01"', (4, 10), "'2024-13-01' is not a date", "YYYY"),
    ('[[allow]]\nrule = "Q001"\nreason = "known"\nuntil = 2024-12-01', (4, 9), "must be a string", "quotes"),
    ('[[allow]]\nrule = "Q001"\nreason = "known"\nuntl = "2024-12-01"', (4, 1), "unknown key 'untl'", "'until'"),
    ('[allow]\nrule = "Q001"', (1, 2), "'allow' must be a list", ""),
    ("select = nope", (1, 10), "not valid TOML", "quotes"),
    ("[select", (1, 8), "not valid TOML", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "hint"), WRONG, ids=[entry[0][:30] for entry in WRONG])
def test_what_is_wrong_is_shown_at_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    error = error_of(written(tmp_path, text))
    assert message in error.message
    assert error.place is not None
    assert Path(error.place.path) == tmp_path / "tflint.toml"
    assert (error.place.line, error.place.column) == place
    assert hint in error.hint
    assert "^" in str(error)


def in_pyproject(text: str) -> str:
    """The same in `pyproject.toml`, one line further down."""
    headed = text.replace("[[allow]]", "[[tool.tflint.allow]]").replace("[allow]", "[tool.tflint.allow]")
    for table in ("targets.", "severity"):
        headed = headed.replace(f"[{table}", f"[tool.tflint.{table}")
    return "[tool.tflint]\n" + headed


SHARED = [entry for entry in WRONG if "TOML" not in entry[2]]


@pytest.mark.parametrize(("text", "place", "message", "hint"), SHARED, ids=[entry[0][:30] for entry in SHARED])
def test_it_is_shown_in_pyproject_alike(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    error = error_of(written(tmp_path, in_pyproject(text), "pyproject.toml"))
    assert message in error.message.replace("tool.tflint.", "")
    assert error.place is not None
    column = place[1] + (len("tool.tflint.") if "[tool.tflint." in in_pyproject(text).splitlines()[place[0]] else 0)
    assert (error.place.line, error.place.column) == (place[0] + 1, column)
    assert hint in error.hint


def test_a_section_that_is_no_table(tmp_path: Path) -> None:
    project = written(tmp_path, "[tool]\ntflint = 3\n", "pyproject.toml")
    assert find_config(tmp_path) == project
    assert "must be a table, not a number" in error_of(project).message


def test_what_the_command_line_overrides_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    from tflint.values import replace

    config = replace(load_config(written(tmp_path, 'select = ["Q001"]')), select=("Q999x",))
    with pytest.raises(UserError) as raised:
        check(NAMED["conv_int8"](), config=config)
    assert raised.value.place is None
    assert raised.value.hint


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"select = [\x00]", b"\xef\xbb\xbfselect = []", b"a." * 200 + b"b = 1"]
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tflint.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"tflint\.toml"):
        load_config(path)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no.toml"):
        with pytest.raises(UserError, match="cannot be read"):
            load_config(path)


@pytest.mark.security
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("name", ["tflint.toml", "pyproject.toml"])
def test_a_configuration_that_is_a_named_pipe_or_a_device_is_not_passed_by(tmp_path: Path, name: str) -> None:
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / name)
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / name).symlink_to("/dev/zero")
    found = "it is a device, not a file" if name == "tflint.toml" else "is a link that points outside the checkout"
    for folder, words in [("pipe", "it is a named pipe, not a file"), ("device", found)]:
        with pytest.raises(UserError, match=words):
            load_config(find_config(tmp_path / folder) or "nothing is found")


@pytest.mark.security
def test_a_pyproject_larger_than_the_limit_is_named(tmp_path: Path) -> None:
    written(tmp_path, "#" * (1 << 20) + "\n[tool.tflint]\n", "pyproject.toml")
    with pytest.raises(UserError, match="larger than"):
        find_config(tmp_path)


@pytest.mark.security
def test_more_globs_of_places_for_one_rule_than_can_be_compared_are_an_error(tmp_path: Path) -> None:
    entry = '[[allow]]\nrule = "Q001"\nreason = "known"\nat = "{}"\n'
    routes = "".join(entry.format(f"subgraphs[0].tensors[{number}]") for number in range(800))
    few = "".join(entry.format(f"*{number}*") for number in range(100))
    assert len(load_config(written(tmp_path, routes + few)).allow) == 900
    with pytest.raises(UserError, match="more than 100 location globs for one rule"):
        load_config(written(tmp_path, routes + few + entry.format("?")))


@pytest.mark.security
@pytest.mark.parametrize(
    "text",
    ['exclude = ["{}"]', '[per-file-ignores]\n"{}" = ["Q"]', '[[allow]]\nrule = "Q001"\nreason = "known"\npath = "{}"'],
)
def test_a_glob_of_too_many_stars_is_an_error(tmp_path: Path, text: str) -> None:
    assert load_config(written(tmp_path, text.replace("{}", "a*" * 40)))
    with pytest.raises(UserError, match="must match the pattern") as caught:
        load_config(written(tmp_path, text.replace("{}", "a*" * 41)))
    assert "at most 40" in caught.value.hint or "Glob" in caught.value.hint
