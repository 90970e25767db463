"""Hooks the gate into an MLflow server: `mlflow server --app-name tflint-gate`.

The functions that answer the requests to set an alias, to change a stage and to rename a model are wrapped, whatever
the path of the request. The wrapper parses a request with the server's own parser, so that both read the same version.
It uses private names of MLflow; if a version of MLflow lacks one of them, the server does not start.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import posixpath
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from mlflow.protos.model_registry_pb2 import RenameRegisteredModel, SetRegisteredModelAlias, TransitionModelVersionStage
from mlflow.server import app as flask_app
from mlflow.server import handlers
from mlflow.server.fastapi_app import create_fastapi_app
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from tflint.errors import UserError
from tflint.registry.file_lock import hold_lock
from tflint.registry.gate.gate_policy import GatePolicy, load_policy
from tflint.registry.gate.seal_check import RefusedDeploymentError, require_seal
from tflint.registry.model_registry import (
    HOLDER_HEADER,
    NO_HOLDER,
    ModelVersion,
    StoredFile,
    UnreachableError,
)

_logger = logging.getLogger(__name__)
_PIECE_BYTES = 1 << 20
#: Stages that deploy nothing.
_FREE_STAGES = frozenset({"none", "archived"})


def create_app() -> Any:
    """Return the application of the server with the gate. The server does not start if the gate cannot work."""
    try:
        policy = load_policy()
    except UserError as error:
        raise SystemExit(f"tflint-gate: {error}") from None
    install(flask_app, policy)
    return create_fastapi_app(flask_app)


def install(app: Flask, policy: GatePolicy) -> None:
    """Wrap the functions of an application that can deploy a version."""
    lock = Path(tempfile.gettempdir()) / f"tflite-lint-gate-{_user_id()}.lock"
    guards = {
        handlers.HANDLERS[SetRegisteredModelAlias]: _guard_alias,
        handlers.HANDLERS[TransitionModelVersionStage]: _guard_stage,
        handlers.HANDLERS[RenameRegisteredModel]: _guard_rename,
    }
    wrapped = set()
    for endpoint, view in app.view_functions.items():
        guard = guards.get(view)
        if guard is not None:
            app.view_functions[endpoint] = _wrap(view, functools.partial(guard, policy, lock))
            wrapped.add(view)
    if wrapped != set(guards):
        raise RuntimeError("this version of MLflow sets aliases or stages by functions that the gate does not know")


def _wrap(view: Callable[..., Any], guard: Callable[[Callable[[], Any]], Any]) -> Callable[..., Any]:
    """Return a view that asks a guard. The guard calls the view or raises an error; any error refuses the request."""

    @functools.wraps(view)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return guard(lambda: view(*arguments, **named))
        except _ConflictError as error:
            return _refuse(409, "RESOURCE_CONFLICT", str(error))
        except RefusedDeploymentError as error:
            return _refuse(403, "PERMISSION_DENIED", str(error))
        except Exception:
            _logger.exception("the gate failed and refuses the request")
            return _refuse(403, "PERMISSION_DENIED", "the gate cannot verify the version; the log has the reason")

    return answer


class _ConflictError(Exception):
    """The alias points to a different version than the client expects."""


def _guard_alias(policy: GatePolicy, lock: Path, view: Callable[[], Any]) -> Any:
    message = handlers._get_request_message(SetRegisteredModelAlias())
    if not _is_covered(message.name, policy):
        return view()
    _require_seal(message.name, message.version, policy)
    with hold_lock(lock):  # until the alias has moved
        expected = request.headers.get(HOLDER_HEADER)
        holder = _find_holder(message.name, message.alias)
        if expected is not None and urllib.parse.unquote(expected) != (holder or NO_HOLDER):
            present = f"version {holder}" if holder else "no version"
            raise _ConflictError(f"holder changed: {message.alias} of {message.name} points to {present} by now")
        return view()


def _guard_stage(policy: GatePolicy, lock: Path, view: Callable[[], Any]) -> Any:
    message = handlers._get_request_message(TransitionModelVersionStage())
    if _is_covered(message.name, policy) and message.stage.casefold() not in _FREE_STAGES:
        _require_seal(message.name, message.version, policy)
    with hold_lock(lock):
        return view()


def _guard_rename(policy: GatePolicy, lock: Path, view: Callable[[], Any]) -> Any:
    """Refuse to rename a model that is deployed: aliases move along, and seals are for the old name."""
    message = handlers._get_request_message(RenameRegisteredModel())
    with hold_lock(lock):
        if _is_covered(message.name, policy) or policy.covers(message.new_name):
            model = handlers._get_model_registry_store().get_registered_model(message.name)
            stages = {version.current_stage.casefold() for version in model.latest_versions}
            if model.aliases or stages - _FREE_STAGES:
                raise RefusedDeploymentError(f"{message.name} has aliases or stages: delete them before you rename it")
        return view()


def _is_covered(name: str, policy: GatePolicy) -> bool:
    """Return whether a model needs a seal, by the name in a request or by the name that the database has for it."""
    return policy.covers(name) or policy.covers(handlers._get_model_registry_store().get_registered_model(name).name)


def _require_seal(name: str, number: str, policy: GatePolicy) -> None:
    """Raise `RefusedDeploymentError` unless a version has a valid seal for its present content."""
    store = handlers._get_model_registry_store()
    found = store.get_model_version(name, number)
    tags = {str(key): str(value) for key, value in found.tags.items()}
    version = ModelVersion(found.name, str(found.version), (), tags)
    if (version.name, version.number) != (name, number):
        raise RefusedDeploymentError(f"the server knows {name}/{number} as {version.label}")
    require_seal(version, policy, _ServerArtifacts())


def _find_holder(name: str, alias: str) -> str | None:
    """Return the number of the version to which an alias points, or None."""
    model = handlers._get_model_registry_store().get_registered_model(name)
    holder = model.aliases.get(alias)
    return None if holder is None else str(holder)


class _ServerArtifacts:
    """Reads artifacts from the storage of the server, without a request to itself."""

    def list_files(self, version: ModelVersion) -> Iterator[StoredFile]:
        repository, root = self._locate(version)
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for info in repository.list_artifacts(posixpath.join(root, folder).rstrip("/") or None):
                path = posixpath.join(folder, posixpath.basename(info.path))
                if info.is_dir:
                    waiting.append(path)
                else:
                    yield StoredFile(path, info.file_size)

    def open(self, version: ModelVersion, path: str) -> Iterator[bytes]:
        repository, root = self._locate(version)
        with tempfile.TemporaryDirectory(prefix="tflite-lint-") as folder:
            full = posixpath.join(root, path)
            local = repository.get_local_path(full) if hasattr(repository, "get_local_path") else None
            with open(local or repository.download_artifacts(full, folder), "rb") as file:  # noqa: PTH123
                while piece := file.read(_PIECE_BYTES):
                    yield piece

    def _locate(self, version: ModelVersion) -> tuple[Any, str]:
        """Return the repository with the artifacts of a version, and the path of the version in it."""
        store = handlers._get_model_registry_store()
        return self._resolve(store.get_model_version_download_uri(version.name, version.number))

    def _resolve(self, uri: str) -> tuple[Any, str]:
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme == "mlflow-artifacts":
            return handlers._get_artifact_repo_mlflow_artifacts(), urllib.parse.unquote(parts.path).strip("/")
        if parts.scheme in ("models", "runs"):
            owner, _, below = parts.path.strip("/").partition("/")
            tracking = handlers._get_tracking_store()
            if parts.scheme == "runs":
                location = tracking.get_run(owner).info.artifact_uri
            elif owner.startswith("m-"):
                location = tracking.get_logged_model(owner).artifact_location
            else:
                raise UnreachableError("its source is a different version")
            repository, root = self._resolve(location)
            return repository, posixpath.join(root, below).strip("/")
        return get_artifact_repository(uri), ""


def _refuse(status: int, code: str, message: str) -> Response:
    content = json.dumps({"error_code": code, "message": message})
    return Response(content, status=status, mimetype="application/json")


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
