"""Decides whether a version may be deployed: by its seal, the policy, and the hash of its artifacts."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tflint.errors import TflintError
from tflint.registry.artifacts import HostileArtifactError, hash_version
from tflint.registry.gate.gate_policy import GatePolicy
from tflint.registry.lint_record import NO_SEAL, PASS, RECORD_TAG, SEAL_TAG, is_sealed, parse_record
from tflint.registry.model_registry import ArtifactReader, ModelVersion, RegistryError, StoredFile


class RefusedDeploymentError(TflintError):
    """A version must not be deployed. The message is for the user who tried."""


def require_seal(version: ModelVersion, policy: GatePolicy, reader: ArtifactReader) -> None:
    """Raise `RefusedDeploymentError` unless a version has a valid seal for its present content."""
    seal = version.tags.get(SEAL_TAG, NO_SEAL)
    record = parse_record(version.tags.get(RECORD_TAG))
    if record is None or seal == NO_SEAL or record.status != PASS:
        raise RefusedDeploymentError(f"{version.label} has no passing lint: run 'tflint registry promote'")
    if not is_sealed(policy.key, version.name, version.number, record, seal):
        reason = "it is forged, made with a different key, or that of a different version"
        raise RefusedDeploymentError(f"the seal of {version.label} is not valid: {reason}")
    objection = policy.find_objection(record.conditions)
    if objection:
        raise RefusedDeploymentError(f"the seal of {version.label} is not accepted: {objection}")
    try:
        content = hash_version(_Limited(reader, policy), version)
    except (HostileArtifactError, RegistryError) as error:
        raise RefusedDeploymentError(f"the artifacts of {version.label} cannot be verified: {error}") from error
    if content != record.content:
        raise RefusedDeploymentError(f"the artifacts of {version.label} changed after they were linted")


class _Limited:
    """Reads artifacts within the limits of a policy."""

    def __init__(self, reader: ArtifactReader, policy: GatePolicy) -> None:
        self._reader = reader
        self._bytes_left = policy.max_bytes
        self._policy = policy
        self._deadline = time.monotonic() + policy.max_seconds

    def list_files(self, version: ModelVersion) -> Iterator[StoredFile]:
        n_bytes = 0
        for stored in self._reader.list_files(version):
            self._require_time()
            n_bytes += stored.size or 0
            if n_bytes > self._policy.max_bytes:  # before anything is downloaded
                raise self._too_large()
            yield stored

    def open(self, version: ModelVersion, path: str) -> Iterator[bytes]:
        for piece in self._reader.open(version, path):
            self._require_time()
            self._bytes_left -= len(piece)
            if self._bytes_left < 0:
                raise self._too_large()
            yield piece

    def _too_large(self) -> HostileArtifactError:
        return HostileArtifactError(f"they have more than {self._policy.max_bytes:,} bytes")

    def _require_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise HostileArtifactError(f"hashing them takes more than {self._policy.max_seconds:g} s")
