"""Shared fixtures: a folder registry, and a plan without contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.registries import Add, model
from tflint.config import Config
from tflint.registry.adapters.folder_registry import FolderRegistry, create
from tflint.registry.contract_choice import ContractSource
from tflint.registry.model_registry import ModelVersion
from tflint.registry.version_lint import LintPlan


@pytest.fixture
def registry(tmp_path: Path) -> FolderRegistry:
    create(str(tmp_path / "registry"))
    return FolderRegistry(tmp_path / "registry")


@pytest.fixture
def plan() -> LintPlan:
    return LintPlan(Config(), ContractSource((), Config()))


@pytest.fixture
def add(registry: FolderRegistry, tmp_path: Path) -> Add:
    """Adds a version with files, given as bytes by path."""

    def add_version(files: dict[str, bytes] | None = None, name: str = "bird") -> ModelVersion:
        folder = tmp_path / "upload" / str(len(list(tmp_path.glob("upload/*"))))
        folder.mkdir(parents=True)
        for path, content in ({"m.tflite": model()} if files is None else files).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return registry.add_version(name, [str(path) for path in sorted(folder.iterdir())])

    return add_version
