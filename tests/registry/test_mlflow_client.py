"""The client of an MLflow server: retries, errors of every kind, and no credentials in any of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tflint.config import Config
from tflint.errors import UserError
from tflint.registry.adapters import mlflow_client
from tflint.registry.adapters.mlflow_client import MlflowClient
from tflint.registry.adapters.mlflow_registry import MlflowRegistry
from tflint.registry.contract_choice import ContractSource
from tflint.registry.lint_record import UNREACHABLE
from tflint.registry.model_registry import (
    HOLDER_HEADER,
    DeniedError,
    HolderChangedError,
    MissingVersionError,
    ModelVersion,
    RefusedError,
    RegistryError,
    UnreachableError,
)
from tflint.registry.version_lint import LintPlan, lint_version

SECRET = "hunter2-secret"
VERSION = ModelVersion("bird", "7")
PLAN = LintPlan(Config(), ContractSource((), Config()))
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of the user, and no waiting."""
    for name in ("USERNAME", "PASSWORD", "TOKEN", "INSECURE_TLS", "SERVER_CERT_PATH"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def client(handler: Handler, address: str = "http://host:5000") -> MlflowClient:
    return MlflowClient(address, transport=httpx.MockTransport(handler))


def answers(*responses: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Return a handler that gives these answers in turn, the last one again and again, and the requests it got."""
    requests: list[httpx.Request] = []
    left = list(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, Exception):
            raise one
        return httpx.Response(one.status_code, headers=one.headers, content=one.content)

    return handle, requests


OK = httpx.Response(200, json={"a": 1})


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
        *(httpx.Response(status) for status in (429, 500, 502, 503, 504)),
    ],
    ids=str,
)
def test_temporary_failures_are_repeated(failure: httpx.Response | Exception, waits: list[float]) -> None:
    handle, requests = answers(failure, failure, OK)
    assert client(handle).get("/x") == {"a": 1}
    assert len(requests) == 3
    assert 0 < waits[0] < waits[1]
    handle, requests = answers(failure)
    with pytest.raises(UnreachableError):
        client(handle).get("/x")
    assert len(requests) == mlflow_client.MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("header", "least", "most"), [("7", 7, 7), ("9999", 30, 30), ("99999999", 0.3, 1), ("soon", 0.3, 1)]
)
def test_retry_after_is_obeyed_within_limits(header: str, least: float, most: float, waits: list[float]) -> None:
    handle, _ = answers(httpx.Response(429, headers={"Retry-After": header}), OK)
    client(handle).get("/x")
    assert least <= waits[0] <= most


@pytest.mark.parametrize(
    ("response", "error", "said"),
    [
        (httpx.Response(401), UnreachableError, "requires credentials"),
        (httpx.Response(403), DeniedError, "denies permission"),
        (httpx.Response(403, json={"message": "bird/7 has no passing lint"}), DeniedError, "no passing lint"),
        (httpx.Response(404), MissingVersionError, "does not know"),
        (httpx.Response(400, json={"error_code": "RESOURCE_DOES_NOT_EXIST"}), MissingVersionError, "does not know"),
        (httpx.Response(409, json={"message": "holder changed"}), HolderChangedError, "holder changed"),
        (httpx.Response(302, headers={"Location": "http://evil/"}), UnreachableError, "redirects"),
        (httpx.Response(418, content=b"\xff" * 10), UnreachableError, "status 418"),
        (httpx.Response(200, content=b"<html>"), UnreachableError, "not JSON"),
        (httpx.Response(200, content=b"[1]"), UnreachableError, "not a JSON object"),
        (httpx.Response(200, content=b"[" * 100_000), UnreachableError, "not JSON"),
        (httpx.Response(400, content=b'{"message": {"a": 1}}'), UnreachableError, "status 400"),
    ],
)  # fmt: skip
def test_other_answers_are_errors_at_once(
    response: httpx.Response, error: type[RegistryError], said: str, waits: list[float]
) -> None:
    handle, requests = answers(response)
    with pytest.raises(error, match=said):
        client(handle).get("/x")
    assert len(requests) == 1
    assert not waits


def test_an_untrusted_certificate_is_not_tried_again(waits: list[float]) -> None:
    handle, requests = answers(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))
    with pytest.raises(UnreachableError, match="certificate") as caught:
        client(handle, "https://host").get("/x")
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in caught.value.hint
    assert len(requests) == 1


def _basic(request: httpx.Request) -> str:
    return request.headers.get("Authorization", "")


def test_credentials_come_from_the_environment_and_the_usual_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handle, requests = answers(OK)
    client(handle).get("/x")
    assert _basic(requests[-1]) == ""
    (tmp_path / ".netrc").write_text(f"machine host login net password {SECRET}\n")
    (tmp_path / ".netrc").chmod(0o600)
    client(handle).get("/x")
    assert _basic(requests[-1]) == _basic_of("net")
    client(handle, f"http://url:{SECRET}@host").get("/x")
    assert _basic(requests[-1]) == _basic_of("url")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    client(handle).get("/x")
    assert _basic(requests[-1]) == f"Bearer {SECRET}"
    (tmp_path / ".mlflow").mkdir()
    (tmp_path / ".mlflow" / "credentials").write_text(
        f"[mlflow]\nmlflow_tracking_username = file\nmlflow_tracking_password = {SECRET}\n"
    )
    client(handle).get("/x")
    assert _basic(requests[-1]) == _basic_of("file")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "env")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    client(handle).get("/x")
    assert _basic(requests[-1]) == _basic_of("env")


def _basic_of(user: str) -> str:
    request = next(httpx.BasicAuth(user, SECRET).auth_flow(httpx.Request("GET", "http://host")))
    value: str = request.headers["Authorization"]
    return value


def test_credentials_are_in_no_message_and_not_sent_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    failures = [
        httpx.ConnectError("refused"),
        *(httpx.Response(status) for status in (302, 400, 401, 403, 404, 409, 500)),
    ]
    for failure in failures:
        if isinstance(failure, httpx.Response) and failure.status_code == 302:
            failure.headers["Location"] = "http://elsewhere/"
        handle, requests = answers(failure)
        one = client(handle, f"http://user:{SECRET}@host:5000/base")
        with pytest.raises(RegistryError) as caught:
            one.get("/x")
        assert SECRET not in f"{caught.value.reason} {caught.value.hint} {one.label}"
        assert {request.url.host for request in requests} == {"host"}
    (tmp_path / ".mlflow").mkdir()
    (tmp_path / ".mlflow" / "credentials").write_text(f"{SECRET}\n")
    with pytest.raises(UserError) as user_error:
        client(handle)
    assert SECRET not in str(user_error.value)


@pytest.mark.parametrize(
    "address", ["http://", "https:///x", f"https://user:{SECRET}/x@host", f"http://u:{SECRET}@h:x"]
)
def test_an_address_needs_a_host_and_is_not_quoted(address: str) -> None:
    with pytest.raises(UserError, match="no valid host") as caught:
        MlflowClient(address)
    assert SECRET not in str(caught.value)


def test_a_token_is_stripped_and_never_quoted(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    handle, requests = answers(OK)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", f"{SECRET}\n")
    client(handle).get("/x")
    assert _basic(requests[-1]) == f"Bearer {SECRET}"
    handle, _ = answers(httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"))
    with pytest.raises(UnreachableError) as caught:
        client(handle).get("/x")
    assert SECRET not in caught.value.reason
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", f"{SECRET}é")
    with pytest.raises(UserError) as user_error:
        client(handle)
    assert SECRET not in str(user_error.value)


class Fake:
    """A server with one version, whose answers a test can change by path."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.aliases = [{"alias": "champion", "version": "6"}]
        self.answers: dict[str, Any] = {
            "model-versions/get": {
                "model_version": {"name": "bird", "version": "7", "tags": [{"key": "a", "value": "b"}]}
            },
            "model-versions/get-download-uri": {"artifact_uri": "mlflow-artifacts:/1/run/artifacts/model"},
            "artifacts": {"files": [{"path": "m.tflite", "is_dir": False, "file_size": "3"}]},
            "artifacts/1/run/artifacts/model/m.tflite": b"abc",
        }

    def registry(self) -> MlflowRegistry:
        return MlflowRegistry("http://host", client(self.handle))

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/2.0/mlflow").removeprefix("-artifacts").strip("/")
        if path == "registered-models/get":
            return httpx.Response(200, json={"registered_model": {"name": "bird", "aliases": self.aliases}})
        answer = self.answers.get(path, {})
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=answer) if isinstance(answer, bytes) else httpx.Response(200, json=answer)


def test_versions_have_tags_and_aliases() -> None:
    fake = Fake()
    fake.aliases.append({"alias": "next", "version": "7"})
    version = fake.registry().find_version("bird", "7")
    assert (version.tags, version.aliases) == ({"a": "b"}, ("next",))
    assert fake.registry().find_alias("bird", "none") is None


def test_pages_are_followed_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    fake.answers["registered-models/search"] = {"registered_models": [{"name": "bird"}], "next_page_token": "more"}
    from tflint.registry.adapters import mlflow_registry

    monkeypatch.setattr(mlflow_registry, "_MAX_PAGES", 3)
    with pytest.raises(UnreachableError, match="too many pages"):
        fake.registry().list_models()
    assert len(fake.requests) == 3


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://bucket/x", "outside of the server's artifact proxy"),
        ("file:///etc", "outside"),
        ("mlflow-artifacts://other/x", "a different server"),
        ("models:/bird/3", "outside"),
    ],
)
def test_artifacts_elsewhere_are_unreachable(uri: str, said: str) -> None:
    fake = Fake()
    fake.answers["model-versions/get-download-uri"] = {"artifact_uri": uri}
    with pytest.raises(UnreachableError, match=said):
        list(fake.registry().list_files(VERSION))


def test_external_models_and_runs_are_resolved() -> None:
    fake = Fake()
    location = {"info": {"artifact_uri": "mlflow-artifacts:/1/run/artifacts"}}
    fake.answers["logged-models/m-1"] = {"model": {"info": {"artifact_uri": "mlflow-artifacts:/1/run/artifacts/model"}}}
    fake.answers["runs/get"] = {"run": location}
    for uri in ("models:/m-1", "runs:/run/model"):
        fake.answers["model-versions/get-download-uri"] = {"artifact_uri": uri}
        registry = fake.registry()
        assert [file.path for file in registry.list_files(VERSION)] == ["m.tflite"]
        assert b"".join(registry.open(VERSION, "m.tflite")) == b"abc"


def test_folders_are_bounded() -> None:
    fake = Fake()
    fake.answers["artifacts"] = {"files": [{"path": "again", "is_dir": True}]}
    with pytest.raises(UnreachableError, match="nested too deeply"):
        list(fake.registry().list_files(VERSION))


@pytest.mark.parametrize(
    "answer",
    [{}, {"model_version": []}, {"model_version": {"name": "bird"}}, {"model_version": {"name": "bird", "version": {}}},
     {"model_version": {"name": "bird", "version": "7", "tags": [1]}}],
)  # fmt: skip
def test_malformed_answers_are_errors(answer: dict[str, Any]) -> None:
    fake = Fake()
    fake.answers["model-versions/get"] = answer
    with pytest.raises(UnreachableError):
        fake.registry().find_version("bird", "7")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_client, "MAX_ANSWER_BYTES", 1000)
    for status in (200, 400):
        handle, _ = answers(httpx.Response(status, content=b" " * 2000))
        with pytest.raises(UnreachableError, match="too large"):
            client(handle).get("/x")


def test_a_download_that_is_cut_off_is_an_error() -> None:
    fake = Fake()

    def cut() -> Any:
        yield b"a"
        raise httpx.ReadError("connection reset")

    fake.answers["artifacts/1/run/artifacts/model/m.tflite"] = httpx.Response(200, content=cut())
    with pytest.raises(UnreachableError, match="cut off"):
        list(fake.registry().open(VERSION, "m.tflite"))


def test_a_download_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_client, "MAX_ARTIFACT_SECONDS", -1.0)
    with pytest.raises(UnreachableError, match="needed more than"):
        list(Fake().registry().open(VERSION, "m.tflite"))


def test_names_are_quoted_in_paths() -> None:
    fake = Fake()
    list(fake.registry().open(VERSION, "a b/ü?#%2e%2e.tflite"))
    assert fake.requests[-1].url.raw_path.endswith(b"/a%20b/%C3%BC%3F%23%252e%252e.tflite")


def test_the_alias_moves_in_one_request_after_a_comparison() -> None:
    fake = Fake()
    fake.registry().promote(VERSION, "champion", "6")
    last = fake.requests[-1]
    assert json.loads(last.content) == {"name": "bird", "alias": "champion", "version": "7"}
    assert last.headers[HOLDER_HEADER] == "6"
    with pytest.raises(HolderChangedError, match="points to bird/6 by now"):
        fake.registry().promote(VERSION, "champion", "5")
    with pytest.raises(HolderChangedError):
        fake.registry().promote(VERSION, "champion", None)


def test_a_version_that_may_not_be_read_is_unreachable_and_an_alias_that_may_not_move_is_refused() -> None:
    fake = Fake()
    fake.answers["model-versions/get-download-uri"] = httpx.Response(403)
    assert lint_version(fake.registry(), VERSION, PLAN).status == UNREACHABLE
    fake.answers["registered-models/alias"] = httpx.Response(403, json={"message": "bird/7 has no passing lint"})
    with pytest.raises(RefusedError, match="no passing lint"):
        fake.registry().promote(VERSION, "champion", "6")


def test_an_alias_that_moved_in_a_lost_answer_is_not_a_conflict() -> None:
    fake = Fake()
    fake.aliases[0]["version"] = "7"
    fake.registry().promote(VERSION, "champion", "6")
    assert fake.requests[-1].headers[HOLDER_HEADER] == "7"


@pytest.mark.parametrize("is_moved", [False, True])
@pytest.mark.parametrize("status", [409, 502])
def test_the_request_for_the_alias_is_sent_once(status: int, is_moved: bool, waits: list[float]) -> None:
    fake = Fake()

    def move(request: httpx.Request) -> httpx.Response:
        response = fake.handle(request)
        if request.url.path.endswith("registered-models/alias"):
            fake.aliases[0]["version"] = "7" if is_moved else "9"  # by this request, or by a different promotion
            return httpx.Response(status)
        return response

    registry = MlflowRegistry("http://host", client(move))
    if is_moved:
        registry.promote(VERSION, "champion", "6")
    else:
        with pytest.raises(RegistryError):
            registry.promote(VERSION, "champion", "6")
    assert sum(request.url.path.endswith("alias") for request in fake.requests) == 1
    assert not waits


def test_reports_are_attached_before_tags_are_set() -> None:
    fake = Fake()
    fake.registry().annotate(VERSION, {"tflint.status": "pass"}, {"report.json": b"{}"})
    methods = [(request.method, request.url.path.rpartition("/")[2]) for request in fake.requests[-2:]]
    assert methods == [("PUT", "report.json"), ("POST", "set-tag")]
