"""Runs tflint in processes of its own, and places models for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT as CHECKOUT
from tflint.resources import named_model_path

#: What nothing may print.
SECRET = "root:x:0:0 secret"


def environment(**more: str) -> dict[str, str]:
    """The environment of a child that imports this checkout; without the variables of a CI runner or of git's hooks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "PRE_COMMIT"))}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", **more}


def command(
    *arguments: str | bytes, prefix: Sequence[str] = (), env: dict[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[bytes]:
    """Run tflint in a process of its own."""
    started = [*prefix, sys.executable, "-P", "-m", "tflint", *arguments]
    streams = {} if "stdout" in options or "stderr" in options else {"capture_output": True}
    return subprocess.run(started, env=env or environment(), check=False, timeout=120, **streams, **options)  # type: ignore[call-overload]


def powerless() -> list[str]:
    """The beginning of a command that permissions hold for, also if root runs the tests; skips where there is none."""
    if sys.platform == "win32":
        pytest.skip("permissions are different there")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def place(name: str, path: Path) -> Path:
    """Copy a named model to a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(named_model_path(name), path)
    return path
