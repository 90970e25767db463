"""HTTP requests to an MLflow server: credentials, time-outs, retries, and errors without secrets."""

from __future__ import annotations

import configparser
import json
import os
import random
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tflint._version import __version__
from tflint.errors import MissingExtraError, UserError
from tflint.registry.model_registry import (
    DeniedError,
    HolderChangedError,
    MissingVersionError,
    RegistryError,
    UnreachableError,
)

try:
    import httpx
except ImportError:
    raise MissingExtraError("registry", "httpx", "reading an MLflow registry") from None

#: Time-outs in seconds: to connect, and for each read or write.
CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
#: Number of attempts of a request, the wait before the second one in seconds (it doubles), and the longest wait.
MAX_ATTEMPTS, FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 5, 0.5, 30.0
#: Longest time in seconds for the content of one artifact.
MAX_ARTIFACT_SECONDS = 900.0
#: Maximum number of bytes of a JSON answer, and of characters of an error message of the server.
MAX_ANSWER_BYTES, MAX_MESSAGE = 64 << 20, 300

_RETRIED = frozenset({429, 500, 502, 503, 504})
_MISSING = "RESOURCE_DOES_NOT_EXIST"


class MlflowClient:
    """Requests to the server at `address`. Redirects are not followed: they could send credentials elsewhere."""

    def __init__(self, address: str, *, transport: httpx.BaseTransport | None = None) -> None:
        parts = _split_address(address)
        name = parts.hostname or ""
        host = name if ":" not in name else f"[{name}]"
        port = f":{parts.port}" if parts.port else ""
        self.label = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
        headers, auth = _read_credentials(parts)
        self._client = httpx.Client(
            base_url=self.label,
            headers={"User-Agent": f"tflite-lint/{__version__}", **headers},
            auth=auth,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            verify=_read_verification(),
            follow_redirects=False,
            transport=transport,
        )

    def get(self, address: str, **parameters: str) -> dict[str, Any]:
        """Return the JSON object that the server answers at a path."""
        return self._ask("GET", address, params=parameters)

    def post(self, path: str, data: Mapping[str, str]) -> dict[str, Any]:
        """Send a JSON object; return the object that the server answers."""
        return self._ask("POST", path, json=dict(data))

    def post_once(self, path: str, data: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Send a JSON object once: a repetition could overwrite a change that was made meanwhile."""
        request = self._client.build_request("POST", path, json=dict(data), headers=dict(headers))
        _read(self._send(lambda: self._client.send(request, stream=True), max_attempts=1))

    def put(self, path: str, content: bytes) -> None:
        """Upload bytes."""
        self._ask("PUT", path, content=content)

    def download(self, path: str) -> Iterator[bytes]:
        """Yield the bytes at a path. Before the first byte, failed attempts are repeated."""
        deadline = time.monotonic() + MAX_ARTIFACT_SECONDS
        response = self._send(lambda: self._client.send(self._client.build_request("GET", path), stream=True))
        try:
            for piece in response.iter_bytes():
                if time.monotonic() > deadline:
                    raise UnreachableError(f"the server needed more than {MAX_ARTIFACT_SECONDS:g} s for an artifact")
                yield piece
        except httpx.HTTPError as error:
            raise UnreachableError(f"an artifact was cut off: {_describe(error)}") from error
        finally:
            response.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._send(
            lambda: self._client.send(self._client.build_request(method, path, **options), stream=True)
        )
        content = _read(response)
        try:
            data = json.loads(content) if content else {}
        except (ValueError, RecursionError) as error:
            raise UnreachableError(
                "the server's answer is not JSON", "is the address that of an MLflow server?"
            ) from error
        if not isinstance(data, dict):
            raise UnreachableError("the server's answer is not a JSON object")
        return data

    def _send(self, request: Callable[[], httpx.Response], max_attempts: int = 0) -> httpx.Response:
        """Send a request, again after temporary failures. Raises `RegistryError` for all other answers."""
        max_attempts = max_attempts or MAX_ATTEMPTS
        for attempt in range(1, max_attempts + 1):
            wait = FIRST_WAIT_SECONDS * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
            try:
                response = request()
            except httpx.TransportError as error:
                failure: RegistryError = _unreachable(error, self.label)
                if _is_certificate_error(error) or attempt == max_attempts:
                    raise failure from error
            else:
                if response.is_success:
                    return response
                failure = _failure(response)
                wait = max(wait, _retry_after(response))
                if response.status_code not in _RETRIED or attempt == max_attempts:
                    raise failure
            time.sleep(min(wait, MAX_WAIT_SECONDS))
        raise AssertionError("the last attempt returns or raises")


def _read(response: httpx.Response) -> bytes:
    """Return the content of an answer. Raises `UnreachableError` if it is too large or cut off."""
    content = bytearray()
    try:
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                raise UnreachableError("the server's answer is too large")
    except httpx.HTTPError as error:
        raise UnreachableError(f"the server's answer was cut off: {_describe(error)}") from error
    finally:
        response.close()
    return bytes(content)


def _failure(response: httpx.Response) -> RegistryError:
    """Return the error for an answer that is not a success."""
    code, message = _parse_error(_read(response))
    status = response.status_code
    if status == 404 or code == _MISSING:
        hint = "" if code else "is the address that of an MLflow server?"
        return MissingVersionError(message or "the server does not know the model, version or artifact", hint)
    if status == 401:
        hint = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        return UnreachableError("the server requires credentials (401)", hint)
    if status == 403:
        return DeniedError(message or "the server denies permission (403)")
    if status == 409:
        return HolderChangedError(message or "the server reports a conflict (409)")
    if response.is_redirect:
        return UnreachableError(f"the server redirects ({status})", "name the final address of the server")
    shown = f": {message}" if message else ""
    return UnreachableError(f"the server answers with status {status}{shown}")


def _parse_error(content: bytes) -> tuple[str, str]:
    """Return the code and the message in an error of MLflow, empty if it has none."""
    try:
        data = json.loads(content)
        return str(data.get("error_code", "")), str(data.get("message", ""))[:MAX_MESSAGE]
    except (ValueError, AttributeError, RecursionError):
        return "", ""


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds that the server asks to wait, or 0. A date is not parsed: the usual wait applies."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0


def _unreachable(error: httpx.TransportError, label: str) -> UnreachableError:
    if _is_certificate_error(error):
        hint = "MLFLOW_TRACKING_SERVER_CERT_PATH names the certificate of its authority"
        return UnreachableError("the certificate of the server is not trusted", hint)
    return UnreachableError(f"{label} cannot be reached: {_describe(error)}")


def _describe(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "time-out"
    if isinstance(error, httpx.LocalProtocolError):  # its text may quote a header with credentials
        return "the request is not valid"
    return str(error)[:MAX_MESSAGE] or type(error).__name__


def _is_certificate_error(error: BaseException) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _split_address(address: str) -> urllib.parse.SplitResult:
    """Return the parts of an address. No error quotes the address, because it may contain a password."""
    hint = "such as https://mlflow.example.com; quote special characters in a password"
    try:
        parts = urllib.parse.urlsplit(address)
        is_valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise UserError("the address of the registry has no valid host and port", hint=hint)
    return parts


def _read_credentials(parts: urllib.parse.SplitResult) -> tuple[dict[str, str], httpx.Auth | None]:
    """Return headers and authentication: from the environment, MLflow's credentials file, the address, or .netrc."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise UserError("MLFLOW_TRACKING_TOKEN has characters that no token has")
    user, password = _read_user()
    if user:
        return {}, httpx.BasicAuth(user, password)
    if token:
        return {"Authorization": f"Bearer {token}"}, None
    if parts.username:
        name, secret = (urllib.parse.unquote(text or "") for text in (parts.username, parts.password))
        return {}, httpx.BasicAuth(name, secret)
    path = Path(os.environ.get("NETRC", "")) if os.environ.get("NETRC") else Path.home() / ".netrc"
    if path.is_file():
        import netrc

        try:
            return {}, httpx.NetRCAuth(str(path))
        except (netrc.NetrcParseError, OSError, UnicodeError) as error:
            raise UserError(f"'{path}' cannot be read as a netrc file: {type(error).__name__}") from None
    return {}, None


def _read_user() -> tuple[str, str]:
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("USERNAME", "PASSWORD"))
    path = Path.home() / ".mlflow" / "credentials"
    if user or not path.is_file():
        return user, password
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeError) as error:  # its text would quote a line of the file
        raise UserError(f"'{path}' cannot be read: {type(error).__name__}") from None
    section = parser["mlflow"] if parser.has_section("mlflow") else {}
    return section.get("mlflow_tracking_username", ""), section.get("mlflow_tracking_password", "")


def _read_verification() -> Any:
    """Return how certificates are verified: by the system's authorities, those in a file, or not at all."""
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        return False
    path = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH", "")
    if not path:
        return True
    import ssl

    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UserError(f"MLFLOW_TRACKING_SERVER_CERT_PATH: '{path}' cannot be read: {error.strerror}") from error
