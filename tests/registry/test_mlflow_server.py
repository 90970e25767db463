"""The whole stage with a real MLflow server: lint, tags, promotion, and a gate that cannot be walked around."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.mlflow_server import API, KEY, Server, run_server, run_tflint
from tests.helpers.mlflow_transcripts import render_on
from tests.helpers.paths import ROOT
from tests.helpers.registries import model
from tests.helpers.transcripts import FILES, blocks, needs_server, normalize_output
from tflint.registry.adapters.mlflow_client import MlflowClient
from tflint.registry.adapters.mlflow_registry import MlflowRegistry
from tflint.registry.lint_record import RECORD_TAG, SEAL_TAG, STATUS_TAG, make_seal, parse_record
from tflint.registry.model_registry import HOLDER_HEADER
from tools.kill_promotions import MlflowPlace, run_kills

pytestmark = pytest.mark.mlflow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    policy = subprocess.run([sys.executable, "-m", "tflint", "registry", "policy"], capture_output=True, check=True)
    with run_server(tmp_path_factory.mktemp("server"), json.loads(policy.stdout)) as one:
        yield one


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A model of this test alone."""
    return request.node.name.replace("[", "-").replace("]", "")[:60]


def add(server: Server, name: str, content: bytes | None = None, path: str = "m.tflite") -> str:
    return server.add_version(name, {path: model() if content is None else content})


def promote(server: Server, name: str, number: str, *more: str, **options: str) -> subprocess.CompletedProcess[str]:
    return run_tflint(server.address, "promote", f"models:/{name}/{number}", "--alias", "champion", *more, **options)


def seal(server: Server, name: str, number: str, **options: str) -> None:
    """Lint a version and write its seal."""
    done = run_tflint(server.address, "lint", f"models:/{name}/{number}", "--write", **options)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_only_reads_and_writes_tags_on_request(server: Server, name: str) -> None:
    number = add(server, name)
    assert run_tflint(server.address, "lint", f"models:/{name}", "--scope", "latest").returncode == 0
    assert server.tags(name, number) == {}
    seal(server, name, number)
    tags = server.tags(name, number)
    assert tags[STATUS_TAG] == "pass"
    assert set(tags) == {STATUS_TAG, RECORD_TAG, SEAL_TAG}
    attached = server.folder_of(name, number) / "tflite-lint" / f"{name}-{number}"
    assert sorted(path.name for path in attached.iterdir()) == ["report.json", "report.md", "statement.json"]
    written = {path: path.stat().st_mtime_ns for path in attached.iterdir()}
    seal(server, name, number)  # the attached reports are not part of the content
    assert {path: path.stat().st_mtime_ns for path in attached.iterdir()} == written


def test_an_alias_moves_only_to_a_version_that_passes(server: Server, name: str) -> None:
    first, second = add(server, name), add(server, name, model("truncated"))
    assert promote(server, name, first).returncode == 0
    assert server.holder(name, "champion") == first
    refused = promote(server, name, second)
    assert refused.returncode == 1
    assert f"refused: champion stays at {name}/{first}" in refused.stdout
    assert server.holder(name, "champion") == first
    assert server.tags(name, second)[STATUS_TAG] == "fail"
    third = add(server, name, model("conv_uint8"))
    assert promote(server, name, third).returncode == 1
    accept = [part for rule in ("D120", "D121", "Q120") for part in ("--accept", rule, "--reason", "agreed")]
    assert promote(server, name, third, *accept).returncode == 0
    assert server.holder(name, "champion") == third
    audit = run_tflint(server.address, "audit", f"models:/{name}", "--fail-on", "note")
    assert audit.returncode == 1
    assert f"would fail today: {name}/{third} (champion, its tag is 'pass')" in audit.stdout


def refuse(response: httpx.Response, said: str) -> None:
    assert response.status_code == 403, response.text
    assert said in response.json()["message"]


def test_no_seal(server: Server, name: str) -> None:
    number = add(server, name)
    refuse(server.set_alias(name, number), "has no passing lint")
    server.set_tag(name, number, STATUS_TAG, "pass")
    refuse(server.set_alias(name, number), "has no passing lint")


def test_forged_seal(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    server.set_tag(name, number, SEAL_TAG, "v1:" + "0" * 64)
    refuse(server.set_alias(name, number), "forged")
    seal(server, name, number, key="a different key of 32 characters")
    refuse(server.set_alias(name, number), "forged")


def test_seal_of_a_different_version(server: Server, name: str) -> None:
    good, bad = add(server, name), add(server, name, model("truncated"))
    seal(server, name, good)
    for tag in (RECORD_TAG, SEAL_TAG, STATUS_TAG):
        server.set_tag(name, bad, tag, server.tags(name, good)[tag])
    refuse(server.set_alias(name, bad), "that of a different version")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--select", "M002"), "a different configuration"),
        (("--target", "tflm"), "different targets"),
        (("--fail-on", "never"), "a different configuration"),
        (("--rules", "RULES"), "different rules"),
    ],
    ids=["selection", "targets", "fail-on", "rules"],
)
def test_seal_under_other_conditions(
    server: Server, name: str, options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text(
        '[[rule]]\nid = "ACME1"\nname = "x-missing"\nseverity = "note"\nfor-each = "model"\nrequire = "1 == 1"\n'
        'message = "found"\nsummary = "Found it."\nwhy = "why"\nfix = "fix it"\n'
    )
    number = add(server, name)
    arguments = [str(rules) if option == "RULES" else option for option in options]
    done = run_tflint(server.address, "lint", f"models:/{name}/{number}", "--write", *arguments)
    assert done.returncode == 0, done.stderr
    refuse(server.set_alias(name, number), said)


def test_bytes_that_change_after_the_seal(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    (server.folder_of(name, number) / "m.tflite").write_bytes(model("conv_uint8"))
    refuse(server.set_alias(name, number), "changed after they were linted")
    (server.folder_of(name, number) / "m.tflite").write_bytes(model())
    (server.folder_of(name, number) / "more.txt").write_text("x")
    refuse(server.set_alias(name, number), "changed after they were linted")
    (server.folder_of(name, number) / "more.txt").unlink()
    assert server.set_alias(name, number).is_success


def test_stage_transition(server: Server, name: str) -> None:
    number = add(server, name)

    def transition(stage: str, prefix: str = API) -> httpx.Response:
        data = {"name": name, "version": number, "stage": stage, "archive_existing_versions": False}
        return server.http.post(f"{prefix}/model-versions/transition-stage", json=data)

    for stage in ("Production", "Staging", "production"):
        refuse(transition(stage), "has no passing lint")
        refuse(transition(stage, "/ajax-api/2.0/mlflow"), "has no passing lint")
    assert transition("Archived").is_success
    seal(server, name, number)
    assert transition("Production").is_success


def test_ajax_path_and_other_requests(server: Server, name: str) -> None:
    number = add(server, name)
    data = {"name": name, "alias": "champion", "version": number}
    body = json.dumps(data).encode()
    path = f"{API}/registered-models/alias"
    attempts = [
        server.http.post("/ajax-api/2.0/mlflow/registered-models/alias", json=data),
        server.http.post(path, content=body),  # without a content type
        server.http.post(path, content=body, headers={"Content-Type": "text/plain"}),
        server.http.post(path, content=body, headers={"Content-Type": "application/json; charset=utf-8"}),
        server.http.post(path, content=body, headers={"X-HTTP-Method-Override": "GET"}),
        server.http.post(path, json=data, headers={HOLDER_HEADER: "none"}),
        server.http.post(path, params=data),
        server.http.put(path, json=data),
        server.http.patch(path, json=data),
        server.http.post(f"{path}/", json=data),
        server.http.post(path.replace("/mlflow", "//mlflow"), json=data),
        server.http.post(path, data=data),
        server.http.post(path, json={**data, "version": int(number)}),
        server.http.post(path, content=body[:-1] + b', "version": "99"}'),
    ]
    for attempt in attempts:
        assert not attempt.is_success, attempt.request
    assert server.holder(name, "champion") is None


def test_python_client(server: Server, name: str) -> None:
    number = add(server, name)
    code = (
        "from mlflow import MlflowClient\n"
        f"MlflowClient().set_registered_model_alias({name!r}, 'champion', {number!r})\n"
    )
    done = server.run_python(code)
    assert done.returncode != 0
    assert f"{name}/{number} has no passing lint" in done.stderr
    seal(server, name, number)
    done = server.run_python(code)
    assert done.returncode == 0, done.stderr
    assert server.holder(name, "champion") == number


def test_copied_version(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    code = (
        "from mlflow import MlflowClient\n"
        f"print(MlflowClient().copy_model_version('models:/{name}/{number}', {name + '-copy'!r}).version)\n"
    )
    done = server.run_python(code)
    assert done.returncode == 0, done.stderr
    copied = done.stdout.split()[-1]
    if SEAL_TAG not in server.tags(f"{name}-copy", copied):
        for tag, value in server.tags(name, number).items():
            server.set_tag(f"{name}-copy", copied, tag, value)
    refuse(server.set_alias(f"{name}-copy", copied), "that of a different version")


def test_of_two_promoters_one_wins(server: Server, name: str) -> None:
    first = add(server, name)
    assert promote(server, name, first).returncode == 0
    numbers = [add(server, name) for _ in range(4)]
    for number in numbers:
        seal(server, name, number)
    responses: dict[str, httpx.Response] = {}

    def race(number: str) -> None:
        responses[number] = server.set_alias(name, number, headers={HOLDER_HEADER: first})

    threads = [threading.Thread(target=race, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [number for number, response in responses.items() if response.is_success]
    assert len(won) == 1
    assert server.holder(name, "champion") == won[0]
    lost = [response for response in responses.values() if not response.is_success]
    assert {response.status_code for response in lost} == {409}
    assert all("holder changed" in response.json()["message"] for response in lost)


def test_a_deployed_model_cannot_be_renamed(server: Server, name: str) -> None:
    number = add(server, name)
    assert promote(server, name, number).returncode == 0
    data = {"name": name, "new_name": f"{name}-new"}
    refuse(server.post("registered-models/rename", data), "delete them before you rename it")
    request = {"name": name, "alias": "champion"}
    assert server.http.request("DELETE", f"{API}/registered-models/alias", json=request).is_success
    assert server.post("registered-models/rename", data).is_success
    refuse(server.set_alias(f"{name}-new", number), "that of a different version")


def test_a_model_among_the_attached_reports(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    attached = server.folder_of(name, number) / "tflite-lint" / f"{name}-{number}"
    (attached / "new.tflite").write_bytes(model("truncated"))
    refuse(server.set_alias(name, number), "changed after they were linted")
    (attached / "new.tflite").unlink()
    (attached / "report.json").write_bytes(model())
    refuse(server.set_alias(name, number), "cannot be verified")
    (attached / "report.json").unlink()
    assert server.set_alias(name, number).is_success


def test_good_seal_and_free_deletion(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    assert server.set_alias(name, number).is_success
    data = {"name": name, "alias": "champion"}
    assert server.http.request("DELETE", f"{API}/registered-models/alias", json=data).is_success
    assert server.holder(name, "champion") is None


def test_a_seal_for_a_key_holder_is_the_same_as_ours(server: Server, name: str) -> None:
    number = add(server, name)
    seal(server, name, number)
    tags = server.tags(name, number)
    record = parse_record(tags[RECORD_TAG])
    assert record is not None
    assert tags[SEAL_TAG] == make_seal(KEY.encode(), name, number, record)


def test_all_ways_to_store_a_model_are_read(server: Server, name: str, tmp_path: Path) -> None:
    file = tmp_path / "x.tflite"
    file.write_bytes(model())
    code = f"""
import mlflow, mlflow.pyfunc
from mlflow import MlflowClient
class Wrapper(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
with mlflow.start_run():
    info = mlflow.pyfunc.log_model(name="m", python_model=Wrapper(), artifacts={{"x": {str(file)!r}}})
print(mlflow.register_model(info.model_uri, {name!r}).version)
external = mlflow.create_external_model(name="external")
mlflow.log_model_artifact({str(file)!r}, external.model_id) if hasattr(mlflow, "log_model_artifact") else \
    MlflowClient().log_model_artifact(external.model_id, {str(file)!r})
print(mlflow.register_model(f"models:/{{external.model_id}}", {name!r}).version)
"""
    done = server.run_python(code)
    assert done.returncode == 0, done.stderr[-3000:]
    add(server, name, path="deep/er/y.bin")
    linted = run_tflint(server.address, "lint", f"models:/{name}", "--scope", "all", "--write", "--format", "json")
    versions = json.loads(linted.stdout)["versions"]
    assert [(version["status"], version["reason"]) for version in versions] == [("pass", "")] * 3
    paths = [[file["path"] for file in version["report"]["files"]] for version in versions]
    assert [path.rpartition("/")[2] for (path,) in paths] == ["x.tflite", "x.tflite", "y.bin"]
    for version in versions:
        assert server.set_alias(name, version["version"]).is_success


def test_hostile_versions_are_refused_and_escaped(server: Server) -> None:
    name = "evil\x1b[31m-$(touch pwned)"
    allow = b"".join(b'[[allow]]\nrule = "%s"\nreason = "trust me"\n' % rule for rule in (b"G003", b"M002"))
    contract = b'[model]\ntargets = ["tflm"]\n' + allow
    files = {"m.tflite": model("truncated"), "m.contract.toml": contract, "::error::x.tflite": model()}
    tags = {STATUS_TAG: "pass", SEAL_TAG: "v1:" + "f" * 64, "note": "\x1b]0;x\x07"}
    number = server.add_version(name, files, tags)
    for form in ("text", "json"):
        done = run_tflint(
            server.address, "lint", f"models:/{name}/{number}", "--write", "--format", form, GITHUB_ACTIONS="true"
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert not any(line.startswith("::") for line in done.stdout.splitlines())
    assert server.tags(name, number)[STATUS_TAG] == "fail"
    assert promote(server, name, number).returncode == 1
    refuse(server.set_alias(name, number), "has no passing lint")


def test_missing_versions_and_a_server_that_is_down(server: Server, name: str) -> None:
    missing = run_tflint(server.address, "lint", f"models:/{name}/1")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    add(server, name)
    assert run_tflint(server.address, "lint", f"models:/{name}@champion").returncode == 2
    assert run_tflint("http://127.0.0.1:9", "lint").returncode == 4
    refused = promote(server, name, "1", key="")
    assert refused.returncode == 1
    assert "without TFLITE_LINT_SEAL_KEY, tflint cannot seal the version" in refused.stdout
    client = MlflowClient(server.address)
    assert name in MlflowRegistry(server.address, client).list_models()
    client.close()


def test_the_transcripts_are_what_the_commands_print(tmp_path: Path) -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in FILES]
    shown = [block for text in texts for block in blocks(text) if needs_server(block)]
    assert shown
    for number, block in enumerate(shown):
        folder = tmp_path / str(number)
        folder.mkdir()
        with run_server(folder, None) as own_server:
            assert render_on(own_server, block) == normalize_output(block), "renew them with MLFLOW_PYTHON"


def test_kills_promote_nothing_that_does_not_pass(server: Server, tmp_path: Path) -> None:
    tally = run_kills(MlflowPlace(server), "mlflow", tmp_path, 5, start=18)
    assert tally["wrong"] == 0
    assert tally["killed"] + tally["finished"] == 5


def test_the_server_does_not_start_without_a_policy(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"tflint-gate: .*missing keys"), run_server(tmp_path, {"rules": []}):
        pass
