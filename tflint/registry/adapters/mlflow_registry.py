"""The registry of an MLflow server, over its REST API. The package mlflow is not needed.

Artifacts are read through the server's artifact proxy. Names, tags and answers are hostile input.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.registry.adapters.mlflow_client import MlflowClient
from tflint.registry.model_registry import (
    HOLDER_HEADER,
    NO_HOLDER,
    REPORT_FOLDER,
    DeniedError,
    HolderChangedError,
    MissingVersionError,
    ModelVersion,
    RefusedError,
    RegistryError,
    StoredFile,
    UnreachableError,
)

_API = "/api/2.0/mlflow"
_PROXY = "/api/2.0/mlflow-artifacts/artifacts"
#: Maximum number of pages of an answer, of levels of folders, and of folders of a version.
_MAX_PAGES, _MAX_DEPTH, _MAX_FOLDERS = 1000, 32, 10_000


class MlflowRegistry:
    """The registry of the server at `address`."""

    def __init__(self, address: str, client: MlflowClient | None = None) -> None:
        self._client = client or MlflowClient(address)
        self._roots: dict[tuple[str, str], str] = {}

    @property
    def label(self) -> str:
        """The address of the server, without credentials."""
        return self._client.label

    def list_models(self) -> Sequence[str]:
        """Return the names of all models."""
        return [_text(entry, "name") for entry in self._pages("registered-models/search", "registered_models")]

    def list_versions(self, name: str) -> Sequence[ModelVersion]:
        """Return the versions of a model, oldest first."""
        aliases = self._aliases(name)
        quote = '"' if "'" in name else "'"
        entries = self._pages("model-versions/search", "model_versions", filter=f"name={quote}{name}{quote}")
        versions = [_version(entry, aliases) for entry in entries if entry.get("name") == name]
        return sorted(versions, key=lambda version: (len(version.number), version.number))

    def find_version(self, name: str, number: str) -> ModelVersion:
        """Return a version."""
        answer = self._client.get(f"{_API}/model-versions/get", name=name, version=number)
        return _version(_table(answer, "model_version"), self._aliases(name))

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        """Return the version to which an alias points, or None."""
        number = self._aliases(name).get(alias)
        return None if number is None else ModelVersion(name, number, (alias,))

    def list_files(self, version: ModelVersion) -> Iterator[StoredFile]:
        """Yield the artifacts of a version."""
        root = self._root(version)
        waiting = [("", 0)]
        n_folders = 0
        while waiting:
            folder, depth = waiting.pop()
            n_folders += 1
            if depth > _MAX_DEPTH or n_folders > _MAX_FOLDERS:
                raise UnreachableError("the folders of the version are nested too deeply, or too many")
            entries = self._list(f"{root}/{folder}".rstrip("/"))
            for entry in entries:
                path = f"{folder}/{_text(entry, 'path')}".lstrip("/")
                if entry.get("is_dir"):
                    waiting.append((path, depth + 1))
                else:
                    yield StoredFile(path, _size(entry))

    def open(self, version: ModelVersion, path: str) -> Iterator[bytes]:
        """Yield the content of an artifact in pieces."""
        return self._client.download(f"{_PROXY}/{_quote(f'{self._root(version)}/{path}')}")

    def annotate(self, version: ModelVersion, tags: Mapping[str, str], reports: Mapping[str, bytes]) -> None:
        """Set tags of a version and attach reports."""
        name = urllib.parse.quote(version.name, safe="").replace("%", "_")[:100]
        folder = f"{self._root(version)}/{REPORT_FOLDER}/{name}-{version.number}"
        for report, content in reports.items():
            self._client.put(f"{_PROXY}/{_quote(f'{folder}/{report}')}", content)
        for key, value in tags.items():
            data = {"name": version.name, "version": version.number, "key": key, "value": value}
            self._client.post(f"{_API}/model-versions/set-tag", data)

    def promote(self, version: ModelVersion, alias: str, holder: str | None) -> None:
        """Point an alias to a version.

        A server without the gate cannot compare and move in one step: the alias is compared just before it moves.
        """
        present = self._aliases(version.name).get(alias)
        if present not in (holder, version.number):
            shown = f"{version.name}/{present}" if present else "no version"
            raise HolderChangedError(f"{alias} points to {shown} by now: a different promotion was faster")
        data = {"name": version.name, "alias": alias, "version": version.number}
        headers = {HOLDER_HEADER: _quote(present or NO_HOLDER)}
        try:
            self._client.post_once(f"{_API}/registered-models/alias", data, headers)
        except DeniedError as error:  # by the gate, or by the permissions of the server
            raise RefusedError(error.reason) from error
        except RegistryError:  # the server may have moved the alias although its answer was lost
            if self._aliases(version.name).get(alias) != version.number:
                raise

    def _aliases(self, name: str) -> dict[str, str]:
        """Return the number of the version of each alias."""
        model = _table(self._client.get(f"{_API}/registered-models/get", name=name), "registered_model")
        return {_text(entry, "alias"): _text(entry, "version") for entry in _tables(model, "aliases")}

    def _pages(self, path: str, key: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages of an answer."""
        token = ""
        for _ in range(_MAX_PAGES):
            answer = self._client.get(f"{_API}/{path}", **parameters, **({"page_token": token} if token else {}))
            yield from _tables(answer, key)
            token = str(answer.get("next_page_token") or "")
            if not token:
                return
        raise UnreachableError("the server's answer has too many pages")

    def _list(self, folder: str) -> Sequence[dict[str, Any]]:
        return _tables(self._client.get(_PROXY, path=folder), "files")

    def _root(self, version: ModelVersion) -> str:
        """Return the path of a version in the artifact proxy."""
        key = (version.name, version.number)
        if key not in self._roots:
            path = f"{_API}/model-versions/get-download-uri"
            answer = self._client.get(path, name=version.name, version=version.number)
            self._roots[key] = self._resolve(_text(answer, "artifact_uri"))
        return self._roots[key]

    def _resolve(self, uri: str) -> str:
        """Return the path in the artifact proxy that a URI of MLflow stands for."""
        scheme, _, rest = uri.partition(":")
        if scheme == "models" and rest.startswith("/m-"):
            model, _, below = rest.strip("/").partition("/")
            answer = self._client.get(f"{_API}/logged-models/{_quote(model)}")
            info = _table(_table(answer, "model"), "info")
            return self._resolve_below(_text(info, "artifact_uri"), below)
        if scheme == "runs":
            run, _, below = rest.strip("/").partition("/")
            info = _table(_table(self._client.get(f"{_API}/runs/get", run_id=run), "run"), "info")
            return self._resolve_below(_text(info, "artifact_uri"), below)
        return self._resolve_below(uri, "")

    def _resolve_below(self, uri: str, below: str) -> str:
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme != "mlflow-artifacts":
            place = f"at '{parts.scheme}:'" if parts.scheme not in ("", "file") else "in a folder"
            raise UnreachableError(
                f"the artifacts are stored {place}, outside of the server's artifact proxy",
                "start the server with --serve-artifacts, or register the version with an mlflow-artifacts: source",
            )
        if parts.netloc and parts.netloc != urllib.parse.urlsplit(self.label).netloc:
            raise UnreachableError("the artifacts are stored at a different server")
        path = urllib.parse.unquote(parts.path).strip("/")
        return f"{path}/{below}".rstrip("/")


def _version(entry: Mapping[str, Any], aliases: Mapping[str, str]) -> ModelVersion:
    name, number = _text(entry, "name"), _text(entry, "version")
    tags = {_text(tag, "key"): str(tag.get("value", "")) for tag in _tables(entry, "tags")}
    return ModelVersion(name, number, tuple(sorted(one for one, of in aliases.items() if of == number)), tags)


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise UnreachableError(f"the server's answer has no '{key}'")
    return str(value)


def _table(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = entry.get(key)
    if not isinstance(value, dict):
        raise MissingVersionError(f"the server's answer has no '{key}'")
    return value


def _tables(entry: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise UnreachableError(f"the server's answer has an unexpected '{key}'")
    return value


def _size(entry: Mapping[str, Any]) -> int | None:
    """Return the size of a file in a listing. JSON of protocol buffers has 64-bit numbers as text."""
    text = str(entry.get("file_size", ""))
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _quote(path: str) -> str:
    return urllib.parse.quote(path, safe="/")
