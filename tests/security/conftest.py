"""Fixtures: a checkout with a valid and a broken model, and tflint in separate processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.processes import SECRET, place


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with a valid and a broken model."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "TFLITE_LINT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    place("conv_int8", tmp_path / "good.tflite")
    place("truncated", tmp_path / "broken.tflite")
    return tmp_path


@pytest.fixture
def repository(here: Path) -> Path:
    """Return a checkout with a model; next to it lie a secret, and a model with a contract."""
    (here / "outside").mkdir()
    (here / "outside" / "secret.toml").write_text(SECRET + "\n")
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "outside" / "bird.tflite")
    shutil.copy(EXAMPLES_DIRECTORY / "good.contract.toml", here / "outside" / "bird.contract.toml")
    (here / "repo" / ".git").mkdir(parents=True)
    (here / "repo" / ".git" / "config").write_text(SECRET + "\n")
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", here / "repo" / "bird.tflite")
    os.chdir(here / "repo")
    return here / "repo"


@pytest.fixture
def contents(here: Path) -> Callable[[], dict[str, bytes]]:
    """Return a function that reads all files of the checkout."""

    def read() -> dict[str, bytes]:
        found = {}
        for path in sorted(here.rglob("*")):
            if path.is_symlink():
                found[path.relative_to(here).as_posix()] = os.fsencode(path.readlink())
            elif path.is_file():
                found[path.relative_to(here).as_posix()] = path.read_bytes()
        return found

    return read
