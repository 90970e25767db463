"""Test paths and links that lead out of the checkout: tflint neither opens nor quotes their files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.processes import SECRET, place
from tflint import resources
from tflint.catalog import compiled_rules
from tflint.catalog.rule_loader import builtin_catalog, builtin_files, compiled_catalog, compiled_path
from tflint.cli.main import run
from tflint.contract.label_file import MAX_LABEL_BYTES, read_labels
from tflint.source.checkout_boundary import boundary_of

pytestmark = pytest.mark.security
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture(params=["git", "no git"])
def checkout(here: Path, request: pytest.FixtureRequest) -> Path:
    """A checkout in the current folder, with and without Git; beside it lies a secret."""
    (here / "outside").mkdir()
    (here / "outside" / "secret").write_text(SECRET + "\n")
    (here / "outside" / "secret.toml").write_text(SECRET + "\n")
    place("conv_int8", here / "outside" / "secret.tflite")
    (here / "repo").mkdir()
    if request.param == "git":
        (here / "repo" / ".git").mkdir()
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "repo" / "bird.tflite")
    os.chdir(here / "repo")
    return here / "repo"


@pytest.mark.parametrize("path", ["../outside/secret", "{absolute}"])
@pytest.mark.parametrize(
    "config",
    ['[contracts]\n"*.tflite" = "{path}"', 'rules = ["{path}"]', 'baseline = "{path}"'],
    ids=["contracts", "rules", "baseline"],
)
def test_a_path_in_a_configuration_that_leads_out_is_not_opened(
    checkout: Path, capsys: pytest.CaptureFixture[str], config: str, path: str
) -> None:
    path = path.format(absolute=(checkout.parent / "outside" / "secret").as_posix())
    (checkout / "tflint.toml").write_text(config.replace("{path}", path))
    assert run(["check", "bird.tflite"]) == 2
    err = capsys.readouterr().err
    assert "outside of the checkout" in err
    assert "tflint.toml:" in err
    assert SECRET not in err
    # A configuration that is named is trusted. The file is then read, and is not a contract.
    assert run(["check", "bird.tflite", "--config", "tflint.toml"]) == (1 if "contracts" in config else 2)
    out, err = capsys.readouterr()
    assert "outside of the checkout" not in out + err


def test_whether_a_file_outside_exists_is_not_told(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for name in ("secret", "none"):
        (checkout / "tflint.toml").write_text(f'rules = ["../outside/{name}"]')
        assert run(["check", "bird.tflite"]) == 2
        said.append(capsys.readouterr().err.replace(name, "NAME").replace("^" * len(name), ""))
    assert said[0].splitlines()[0] == said[1].splitlines()[0]


@needs_links
@pytest.mark.parametrize("name", ["tflint.toml", "bird.contract.toml", "rules/acme.toml", "pyproject.toml"])
def test_a_file_that_is_found_and_is_a_link_out_is_not_opened(
    checkout: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    if name.startswith("rules"):
        (checkout / "rules").mkdir()
        (checkout / "tflint.toml").write_text('rules = ["rules"]')
    if name == "pyproject.toml":
        (checkout.parent / "outside" / "secret.toml").write_text(f"[tool.tflint]\n{SECRET}\n")
    (checkout / name).symlink_to(checkout.parent / "outside" / "secret.toml")
    assert run(["check", "bird.tflite"]) == (1 if name == "bird.contract.toml" else 2)
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert "points outside the checkout" in " ".join((out + err).split())
    if name.startswith("rules"):
        assert run(["check", "bird.tflite", "--config", "tflint.toml", "--rules", "rules"]) == 2
        assert SECRET not in capsys.readouterr().err


@needs_links
def test_a_linked_model_that_leads_out_is_a_note_unless_it_is_named(checkout: Path) -> None:
    (checkout / "linked.tflite").symlink_to("../outside/secret.tflite")
    (checkout / "inside.tflite").symlink_to("bird.tflite")
    (checkout / "linked.bin").symlink_to("../outside/secret.tflite")
    assert run(["check", ".", "--format", "json", "--output", "out.json"]) == 0
    files = {file["path"]: file for file in json.loads((checkout / "out.json").read_text())["files"]}
    assert set(files) == {"bird.tflite", "inside.tflite", "linked.tflite"}, "a link out of unknown kind is not read"
    assert (files["linked.tflite"]["status"], files["inside.tflite"]["status"]) == ("unreadable", "checked")
    (finding,) = files["linked.tflite"]["findings"]
    assert (finding["rule"], finding["severity"]) == ("G109", "note")
    assert run(["check", "linked.tflite", "--format", "json", "--output", "out.json"]) == 0
    (file,) = json.loads((checkout / "out.json").read_text())["files"]
    assert file["status"] == "checked"


@needs_links
@pytest.mark.parametrize("name", ["../outside/secret", "{absolute}", "link.txt", "folder/secret"])
def test_labels_outside_of_the_checkout_are_not_counted(checkout: Path, name: str) -> None:
    (checkout / "link.txt").symlink_to("../outside/secret")
    (checkout / "folder").symlink_to("../outside")
    contract = str(checkout / "bird.contract.toml")
    path = name.format(absolute=(checkout.parent / "outside" / "secret").as_posix())
    labels = read_labels(contract, path)
    assert (labels.problem, labels.lines) == ("outside", ())
    (checkout / "bird.contract.toml").write_text(
        f'[model]\ndraft = true\n[[outputs]]\nkind = "class_scores"\nlabels.file = "{path}"\n'
    )
    assert run(["check", "bird.tflite", "--format", "json", "--output", "out.json"]) == 0
    text = (checkout / "out.json").read_text()
    assert '"M112"' in text
    assert SECRET not in text


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _as_large_as_allowed(path: Path) -> None:
    path.write_bytes(b"a" * (MAX_LABEL_BYTES - 1) + b"\n")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


@pytest.mark.skipif(sys.platform == "win32", reason="no devices of this kind")
@pytest.mark.parametrize(
    ("make", "problem"),
    [(_pipe, "pipe"), (Path.mkdir, "folder"), (_large, "too-large"), (Path.touch, "empty"), (_as_large_as_allowed, "")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_label_file_that_is_none_is_named_as_what_it_is(
    here: Path, make: Callable[[Path], None], problem: str
) -> None:
    make(here / "labels.txt")
    assert read_labels(str(here / "m.contract.toml"), "labels.txt").problem == problem


def test_a_label_file_that_is_a_device_is_named_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no devices of this kind")
    assert read_labels("/dev/m.contract.toml", "zero").problem == "device"


def test_an_example_of_a_rule_does_not_lead_out(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "acme.toml").write_text(
        '[[rule]]\nid = "ACME001"\nname = "some-rule"\nseverity = "note"\nfor-each = "input"\n'
        'require = "position >= 0"\nmessage = "some message"\nsummary = "some summary"\nwhy = "some reason"\n'
        'fix = "some fix"\n[[rule.valid]]\nmodel = "../outside/secret.tflite"\n'
    )
    assert run(["rules", "test", "acme.toml"]) == 2
    assert "outside of the checkout" in capsys.readouterr().err


def test_a_boundary_is_the_worktree_or_else_the_folder(here: Path) -> None:
    (here / "a" / "b").mkdir(parents=True)
    assert boundary_of(here / "a" / "b") == (here / "a" / "b").resolve()
    (here / "a" / ".git").write_text("gitdir: elsewhere")
    assert boundary_of("a/b") == (here / "a").resolve()


# --- compiled rules -------------------------------------------------------------------------------------------------


def test_the_compiled_rules_are_those_of_their_sources() -> None:
    made = compiled_catalog()
    text = compiled_rules.dump(made.rules, len(builtin_files()), made.digest)
    assert compiled_path().read_text("utf-8") == text, "python -m tflint.catalog.rule_pages docs/rules writes it"
    assert compiled_rules.load(compiled_path()) == (made.rules, made.digest)


def test_equal_programs_of_the_compiled_rules_are_one_object() -> None:
    rules, _ = compiled_rules.load(compiled_path())
    programs: dict[str, object] = {}
    for rule in rules:
        for expression in (rule.require, rule.where):
            if expression is not None:
                assert programs.setdefault(repr(expression.program), expression.program) is expression.program


def test_newer_rule_files_of_a_checkout_are_compiled_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(resources.rules_folder(), tmp_path / "rules")
    monkeypatch.setattr(resources, "rules_folder", lambda: tmp_path / "rules")
    for module in ("tflint.catalog.rule_loader", "tflint.resources"):
        monkeypatch.setattr(f"{module}.rules_folder", lambda: tmp_path / "rules")
    before = {path: path.read_bytes() for path in (tmp_path / "rules").rglob("*") if path.is_file()}
    builtin_catalog.cache_clear()
    try:
        assert builtin_catalog().rule("G005").severity == "error"
        (rule,) = (tmp_path / "rules" / "graph").glob("G005-*.toml")
        rule.write_text(rule.read_text("utf-8").replace('"error"', '"note"'), encoding="utf-8")
        builtin_catalog.cache_clear()
        assert builtin_catalog().rule("G005").severity == "note"
        (tmp_path / "rules" / "compiled.json").unlink()
        builtin_catalog.cache_clear()
        assert builtin_catalog().rule("G005").severity == "note"
    finally:
        monkeypatch.undo()
        builtin_catalog.cache_clear()
    after = {path for path in (tmp_path / "rules").rglob("*") if path.is_file()}
    assert after == set(before) - {tmp_path / "rules" / "compiled.json"}, "nothing is written"


def test_times_alone_do_not_make_the_compiled_rules_old(tmp_path: Path) -> None:
    path = tmp_path / "compiled.json"
    shutil.copy(compiled_path(), path)
    files, digest = builtin_files(), compiled_catalog().digest
    assert len(files) > 100
    assert compiled_rules.is_current(path, files)
    assert not compiled_rules.is_current(path, files[1:]), "a file that was removed makes them old"
    os.utime(path, (0, 0))
    assert not compiled_rules.is_current(path, files)
    assert compiled_rules.is_current(path, files, digest)
    assert not compiled_rules.is_current(path, files, "0" * 32)
