"""`tflint registry` as a user runs it, with a folder registry."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jsonschema
import pytest

from tests.helpers.registries import model
from tflint.cli.main import run
from tflint.registry.adapters import mlflow_client
from tflint.registry.locations import VARIABLE, Target, parse_target
from tflint.resources import json_schema
from tools.kill_promotions import FolderPlace, run_kills


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with a passing and a failing version, and no settings of the user."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI", "TFLITE_LINT_SEAL_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VARIABLE, "registry")
    (tmp_path / "good.tflite").write_bytes(model())
    (tmp_path / "bad.tflite").write_bytes(model("truncated"))
    assert run(["registry", "init", "registry"]) == 0
    assert run(["registry", "add", "bird", "good.tflite"]) == 0
    assert run(["registry", "add", "bird", "bad.tflite"]) == 0
    return tmp_path


def test_the_whole_stage(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "lint"]) == 2
    assert "--scope latest or --scope all" in capsys.readouterr().err
    assert run(["registry", "promote", "models:/bird/1", "--alias", "champion"]) == 0
    assert run(["registry", "promote", "models:/bird/2", "--alias", "champion"]) == 1
    printed = capsys.readouterr().out
    assert "promoted: champion points to bird/1" in printed
    assert "refused: champion stays at bird/1 · bird/2: 1 error" in printed
    assert run(["registry", "lint"]) == 0
    assert run(["registry", "lint", "--scope", "latest"]) == 1
    assert run(["registry", "lint", "--scope", "all", "--write"]) == 1
    assert run(["registry", "lint", "models:/bird@champion"]) == 0
    assert run(["registry", "audit"]) == 0
    assert "no version that was checked would fail today" in capsys.readouterr().out
    assert run(["registry", "audit", "--fail-on", "note"]) == 1
    printed = capsys.readouterr().out
    assert "would fail today: bird/1 (champion, its tag is 'pass')" in printed
    assert "stale" in printed


def test_json_fits_its_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json_schema("registry")
    validator = jsonschema.Draft202012Validator(schema)
    capsys.readouterr()
    assert run(["registry", "lint", "--scope", "all", "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    validator.validate(data)
    assert [version["status"] for version in data["versions"]] == ["pass", "fail"]
    for number, is_promoted in (("1", True), ("2", False)):
        run(["registry", "promote", f"models:/bird/{number}", "--alias", "a", "--format", "json"])
        data = json.loads(capsys.readouterr().out)
        validator.validate(data)
        assert data["promotion"]["promoted"] is is_promoted
    report = jsonschema.Draft202012Validator(json_schema("report"))
    report.validate(data["versions"][0]["report"])


def test_waivers_next_to_the_configuration_count(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "tflint-waivers.toml").write_text(
        '[[waiver]]\nrule = "G003"\nmodel = "bird/2"\napprover = "lead"\nreason = "demo"\nexpires = "2099-01-01"\n'
    )
    assert run(["registry", "lint", "models:/bird/2"]) == 0
    assert run(["registry", "lint", "models:/bird/2", "--waivers", "none.toml"]) == 2
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lint", "bird/1"], 2, "is not a model in a registry"),
        (["lint", "models:/"], 2, "is not a model in a registry"),
        (["lint", "models:/bird/"], 2, "lacks a name"),
        (["lint", "models:/bird@"], 2, "lacks a name"),
        (["lint", "models:/bird/9"], 2, "there is no version bird/9"),
        (["lint", "models:/fox"], 2, "there is no model 'fox'"),
        (["lint", "models:/bird@none"], 2, "has no alias 'none'"),
        (["lint", "--registry", "none"], 2, "'none' is not a registry"),
        (["lint", "--registry", "ftp://host"], 2, "no adapter for registries with 'ftp://'"),
        (["lint", "--registry", "http://127.0.0.1:9"], 4, "http://127.0.0.1:9 cannot be reached"),
        (["lint", "--contracts", "none"], 2, "no contract at 'none'"),
        (["promote", "models:/bird", "--alias", "a"], 2, "does not name a version"),
        (["promote", "models:/bird/1", "--alias", " "], 2, "--alias needs a name"),
        (["promote", "models:/bird/1", "--alias", "a/b"], 2, "not a valid alias"),
        (["promote", "models:/bird/1", "--alias", "a", "--accept", "D120"], 2, "--accept needs a --reason"),
        (["promote", "models:/bird/1", "--alias", "a", "--reason", "x"], 2, "--reason needs an --accept"),
        (["promote", "models:/bird/1", "--alias", "a", "--accept", "D120", "--reason", " "], 2, "needs a text"),
        (["promote", "models:/bird/1", "--alias", "a", "--accept", "D12", "--reason", "x"], 2, "not a difference"),
        (["init", "registry"], 2, "not an empty folder"),
        (["add", "b/c", "good.tflite"], 2, "not a valid model name"),
        (["add", "bird", "none"], 2, "does not exist"),
        (["add", "bird", "good.tflite", "./good.tflite"], 2, "two sources have the name"),
    ],
)
def test_wrong_input_has_a_clear_error(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(mlflow_client, "FIRST_WAIT_SECONDS", 0.01)
    capsys.readouterr()
    assert run(["registry", *arguments]) == code
    assert said in capsys.readouterr().err


def test_without_an_address_the_hint_names_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (VARIABLE, "MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    assert run(["registry", "lint"]) == 2
    assert VARIABLE in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite-file.db")  # not a server
    assert run(["registry", "lint"]) == 2


def test_an_audit_names_versions_that_changed_or_were_never_linted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["registry", "promote", "models:/bird/1", "--alias", "champion"]) == 0
    artifacts = here / "registry/models/bird/versions/1/artifacts"
    (artifacts / "good.tflite").write_bytes(model("conv_uint8"))
    (here / "registry/models/bird/aliases/next").write_text("99\n")
    assert run(["registry", "add", "fox", "good.tflite"]) == 0
    (here / "registry/models/fox/aliases").mkdir()
    (here / "registry/models/fox/aliases/champion").write_text("1\n")
    capsys.readouterr()
    assert run(["registry", "audit"]) == 1
    printed = capsys.readouterr().out
    assert "changed after its lint: bird/1 (champion, its tag is 'pass')" in printed
    assert "deployed without a lint: fox/1 (champion)" in printed
    assert "could not be checked: bird/99 (next, never annotated)" in printed


def test_a_waiver_is_printed_and_covers_no_difference(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiver = '[[waiver]]\nrule = "{}"\nmodel = "bird/*"\napprover = "lead"\nreason = "demo"\nexpires = "2099-01-01"\n'
    (here / "tflint-waivers.toml").write_text(waiver.format("G003"))
    assert run(["registry", "lint", "models:/bird/2"]) == 0
    assert "bird/2: G003 waived by lead until 2099-01-01: demo" in capsys.readouterr().out
    (here / "tflint-waivers.toml").write_text(waiver.format("D120"))
    assert run(["registry", "lint", "models:/bird/2"]) == 2
    assert "accepted with --accept" in capsys.readouterr().err


def test_a_refusal_names_the_options_that_accept_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "u.tflite").write_bytes(model("conv_uint8"))
    assert run(["registry", "add", "bird", "u.tflite"]) == 0
    assert run(["registry", "promote", "models:/bird/1", "--alias", "champion"]) == 0
    assert run(["registry", "promote", "models:/bird/3", "--alias", "champion"]) == 1
    expected = (
        "to accept the differences: --accept D120 --reason TEXT --accept D121 --reason TEXT --accept Q120 --reason TEXT"
    )
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (None, Target()),
        ("models:/bird", Target("bird")),
        ("models:/bird/7", Target("bird", "7")),
        ("models:/bird@champion", Target("bird", "", "champion")),
        ("models:/a/b/7", Target("a/b", "7")),
        ("models:/a@b@c", Target("a@b", "", "c")),
    ],
)
def test_targets(text: str | None, target: Target) -> None:
    assert parse_target(text) == target


def test_an_adapter_of_a_distribution_is_used(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point adds a scheme."""
    folder = here / "site"
    (folder / "acme_registry-1.0.dist-info").mkdir(parents=True)
    (folder / "acme_registry-1.0.dist-info" / "METADATA").write_text("Name: acme-registry\nVersion: 1.0\n")
    (folder / "acme_registry-1.0.dist-info" / "entry_points.txt").write_text(
        "[tflint.registries]\nacme = acme_registry:open\nbroken = acme_registry:none\n"
    )
    (folder / "acme_registry.py").write_text(
        "from tflint.registry.adapters.folder_registry import FolderRegistry\n"
        "def open(address):\n    return FolderRegistry(address.removeprefix('acme://'))\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    assert run(["registry", "lint", "models:/bird/1", "--registry", "acme://registry"]) == 0
    assert run(["registry", "lint", "models:/bird/1", "--registry", "broken://registry"]) == 2


def test_kills_promote_nothing_that_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    tally = run_kills(FolderPlace(tmp_path), "folder", tmp_path, 5, start=18)
    assert tally["wrong"] == 0
    assert tally["killed"] + tally["finished"] == 5
    assert tally["moved"] > 0


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(5)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def slow_server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_slow_server_is_unreachable(
    here: Path, slow_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mlflow_client, "READ_SECONDS", 0.1)
    monkeypatch.setattr(mlflow_client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(mlflow_client, "MAX_ATTEMPTS", 2)
    assert run(["registry", "lint", "--registry", slow_server]) == 4
    assert "time-out" in capsys.readouterr().err


def test_httpx_is_needed_only_for_a_server(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import subprocess

    code = "import sys; sys.modules['httpx'] = None; from tflint.cli.main import run; sys.exit(run(sys.argv[1:]))"

    def without_httpx(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, "registry", *arguments], capture_output=True, text=True, check=False
        )

    assert without_httpx("lint", "models:/bird/1").returncode == 0
    done = without_httpx("lint", "models:/bird/1", "--registry", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert 'pip install "tflite-lint[registry]"' in done.stderr
