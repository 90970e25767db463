"""Starts a real MLflow server on the loopback interface, and fills it with versions of models over REST.

The interpreter with MLflow is named by the environment variable MLFLOW_PYTHON; tests without it are skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helpers.paths import ROOT
from tflint.registry.gate.gate_policy import POLICY_VARIABLE
from tflint.registry.lint_record import KEY_VARIABLE

PYTHON_VARIABLE = "MLFLOW_PYTHON"
KEY = "0123456789abcdef0123456789abcdef"
API = "/api/2.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
_START_SECONDS = 90.0


class Server:
    """A running server, with its folder of artifacts."""

    def __init__(self, address: str, artifacts: Path, process: subprocess.Popen[bytes]) -> None:
        self.address, self.artifacts, self.process = address, artifacts, process
        self.http = httpx.Client(base_url=address, timeout=30)
        self._experiment = ""

    def post(self, path: str, data: Mapping[str, Any], **options: Any) -> httpx.Response:
        """Send a JSON object to the API; the status is not checked."""
        return self.http.post(f"{API}/{path}", json=dict(data), **options)

    def ask(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Send a JSON object to the API, and return the answer."""
        response = self.post(path, data)
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def add_version(self, name: str, files: Mapping[str, bytes], tags: Mapping[str, str] | None = None) -> str:
        """Upload files as a new version of a model; return its number."""
        self.post("registered-models/create", {"name": name})
        if not self._experiment:
            self._experiment = self.ask("experiments/create", {"name": "models"})["experiment_id"]
        run = self.ask("runs/create", {"experiment_id": self._experiment})["run"]["info"]
        root = run["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/") + "/model"
        for path, content in files.items():
            response = self.http.put(f"{PROXY}/{root}/{path}", content=content)
            assert response.is_success, response.text
        data = {"name": name, "source": f"mlflow-artifacts:/{root}", "run_id": run["run_id"]}
        entry = self.ask("model-versions/create", data)["model_version"]
        for key, value in (tags or {}).items():
            self.set_tag(name, entry["version"], key, value)
        return str(entry["version"])

    def folder_of(self, name: str, number: str) -> Path:
        """Return the folder in which the server stores the artifacts of a version."""
        return self.artifacts / self.version(name, number)["source"].removeprefix("mlflow-artifacts:/")

    def version(self, name: str, number: str) -> dict[str, Any]:
        """Return what the server knows of a version."""
        response = self.http.get(f"{API}/model-versions/get", params={"name": name, "version": number})
        entry: dict[str, Any] = response.json()["model_version"]
        return entry

    def tags(self, name: str, number: str) -> dict[str, str]:
        """Return the tags of a version."""
        return {tag["key"]: tag["value"] for tag in self.version(name, number).get("tags", [])}

    def set_tag(self, name: str, number: str, key: str, value: str) -> None:
        """Set a tag of a version."""
        self.ask("model-versions/set-tag", {"name": name, "version": number, "key": key, "value": value})

    def holder(self, name: str, alias: str) -> str | None:
        """Return the number of the version to which an alias points, or None."""
        response = self.http.get(f"{API}/registered-models/get", params={"name": name})
        aliases = response.json()["registered_model"].get("aliases", [])
        return next((entry["version"] for entry in aliases if entry["alias"] == alias), None)

    def set_alias(self, name: str, number: str, alias: str = "champion", **options: Any) -> httpx.Response:
        """Try to set an alias directly, as a colleague would."""
        data = {"name": name, "alias": alias, "version": number}
        return self.post("registered-models/alias", data, **options)

    def run_python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run code that uses MLflow's own client."""
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.address, "MLFLOW_ENABLE_ASYNC_LOGGING": "false"}
        return subprocess.run(
            [os.environ[PYTHON_VARIABLE], "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def run_tflint(address: str, *arguments: str, key: str = KEY, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `tflint registry` with a server."""
    variables = {"PYTHONPATH": str(ROOT), KEY_VARIABLE: key, "TFLITE_LINT_REGISTRY": address, **more}
    return subprocess.run(
        [sys.executable, "-m", "tflint", "registry", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextlib.contextmanager
def run_server(folder: Path, policy: Mapping[str, Any] | None) -> Iterator[Server]:
    """Start a server with SQLite and one worker in a folder, with the gate if there is a policy, and stop it."""
    python = os.environ.get(PYTHON_VARIABLE)
    if not python:
        pytest.skip(f"{PYTHON_VARIABLE} does not name an interpreter with MLflow")
    port = _free_port()
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/stored"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), KEY_VARIABLE: KEY, "TMPDIR": str(folder)}
    if policy is not None:
        (folder / "policy.json").write_text(json.dumps(policy))
        environment[POLICY_VARIABLE] = f"{folder}/policy.json"
        command += ["--app-name", "tflint-gate"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(f"http://127.0.0.1:{port}", folder / "stored", process)
    try:
        _wait_until_up(server, folder / "server.log")
        yield server
    finally:
        server.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_up(server: Server, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text()[-3000:]}")
        with contextlib.suppress(httpx.TransportError):
            if server.http.get("/health").is_success:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server does not answer: {log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
