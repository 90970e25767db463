"""Fixtures: a checkout with a valid and a broken model, and tflint in separate processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.models.examples import EXAMPLES_DIRECTORY
from tflint.resources import named_model_path

CHECKOUT = Path(__file__).parents[2]
#: What nothing may print.
SECRET = "root:x:0:0 secret"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child that imports this checkout, without variables of CI runners and git hooks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "PRE_COMMIT"))}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", **more}


def command(
    *arguments: str | bytes, prefix: Sequence[str] = (), env: dict[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[bytes]:
    """Run tflint in a separate process."""
    started = [*prefix, sys.executable, "-P", "-m", "tflint", *arguments]
    streams = {} if "stdout" in options or "stderr" in options else {"capture_output": True}
    return subprocess.run(started, env=env or environment(), check=False, timeout=120, **streams, **options)  # type: ignore[call-overload]


def powerless() -> list[str]:
    """Return a command prefix that makes permissions apply even to root; skip the test if that is not possible."""
    if sys.platform == "win32":
        pytest.skip("permissions are different there")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with a valid and a broken model."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "TFLITE_LINT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    place("conv_int8", tmp_path / "good.tflite")
    place("truncated", tmp_path / "broken.tflite")
    return tmp_path


def place(name: str, path: Path) -> Path:
    """Copy a named model to a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(named_model_path(name), path)
    return path


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
