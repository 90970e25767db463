"""Kills `tflint registry promote` at every boundary of a request: `python -m tools.kill_promotions folder --runs 200`.

A boundary is the moment before or after an operation of the registry: an HTTP request to an MLflow server, or a file
that the folder registry writes. Each run promotes a passing or a failing version and ends by SIGKILL at the next
boundary in turn. Afterwards, the alias must point to a version that passes and has the tag of a pass, and the same
promotion must succeed if it is repeated. Otherwise, the exit code is 1.

`mlflow` starts a server with the gate; MLFLOW_PYTHON names an interpreter with MLflow.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.helpers.mlflow_server import KEY, Server, run_server
from tflint.registry.adapters.folder_registry import FolderRegistry, create
from tflint.registry.lint_record import KEY_VARIABLE, STATUS_TAG
from tflint.resources import named_model_path

CHECKOUT = Path(__file__).resolve().parent.parent
ALIAS, MODEL = "champion", "bird"
#: Runs the command line, and kills the process at boundary number N of the operations that `TARGETS` names.
_KILLER = """
import os, signal, sys
from importlib import import_module
boundary, n_passed = int(sys.argv.pop(1)), 0
def pass_boundary():
    global n_passed
    if n_passed == boundary:
        os.kill(os.getpid(), signal.SIGKILL)
    n_passed += 1
def watch(owner, name):
    operation = getattr(owner, name)
    def watched(*arguments, **named):
        pass_boundary()
        result = operation(*arguments, **named)
        pass_boundary()
        return result
    setattr(owner, name, watched)
kind = sys.argv.pop(1)
if kind == "folder":
    watch(import_module("tflint.registry.adapters.folder_registry"), "_replace")
    for name in ("find_alias", "find_version", "annotate", "promote"):
        watch(import_module("tflint.registry.adapters.folder_registry").FolderRegistry, name)
else:
    watch(import_module("tflint.registry.adapters.mlflow_client").MlflowClient, "_send")
from tflint.__main__ import entry
entry()
"""


class Place(Protocol):
    """A registry in which versions can be added and looked at."""

    address: str

    def add(self, content: bytes) -> str:
        """Add a version with one model; return its number."""
        ...

    def holder(self) -> str | None:
        """Return the number of the version to which the alias points."""
        ...

    def status(self, number: str) -> str | None:
        """Return the status tag of a version."""
        ...


class FolderPlace:
    """A folder registry."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "registry")
        create(self.address)
        self._registry = FolderRegistry(self.address)
        self._file = folder / "model.tflite"

    def add(self, content: bytes) -> str:
        """Add a version with one model; return its number."""
        self._file.write_bytes(content)
        return self._registry.add_version(MODEL, [str(self._file)]).number

    def holder(self) -> str | None:
        """Return the number of the version to which the alias points."""
        version = self._registry.find_alias(MODEL, ALIAS)
        return None if version is None else version.number

    def status(self, number: str) -> str | None:
        """Return the status tag of a version."""
        return self._registry.find_version(MODEL, number).tags.get(STATUS_TAG)


class MlflowPlace:
    """A registry in an MLflow server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.address = server.address

    def add(self, content: bytes) -> str:
        """Add a version with one model; return its number."""
        return self._server.add_version(MODEL, {"model.tflite": content})

    def holder(self) -> str | None:
        """Return the number of the version to which the alias points."""
        return self._server.holder(MODEL, ALIAS)

    def status(self, number: str) -> str | None:
        """Return the status tag of a version."""
        return self._server.tags(MODEL, number).get(STATUS_TAG)


@contextlib.contextmanager
def open_place(kind: str, folder: Path) -> Iterator[Place]:
    """Open a registry of a kind: `folder` or `mlflow`."""
    if kind == "folder":
        yield FolderPlace(folder)
        return
    policy = subprocess.run(
        [sys.executable, "-m", "tflint", "registry", "policy"], cwd=folder, env=_environment(), capture_output=True
    )
    with run_server(folder, json.loads(policy.stdout)) as server:
        yield MlflowPlace(server)


def promote_and_kill(place: Place, kind: str, folder: Path, number: str, boundary: int) -> bool:
    """Promote a version and kill the process at a boundary. Return whether it reached the boundary."""
    command = _command(place, number, ["-c", _KILLER, str(boundary), kind])
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True)
    return done.returncode < 0


def find_problem(place: Place, good: set[str], before: str | None, number: str) -> str:
    """Return what is wrong after a killed promotion, or an empty text."""
    holder = place.holder()
    if holder not in (before, number):
        return f"the alias points to {holder}"
    if holder is None:
        return ""
    if holder not in good:
        return f"the failing version {holder} was promoted"
    return "" if place.status(holder) == "pass" else f"{holder} was promoted without the tag of a pass"


def run_kills(place: Place, kind: str, folder: Path, n_runs: int, start: int = 0) -> Counter[str]:
    """Kill promotions at all boundaries in turn, from number `start` on; return the number of runs by result."""
    contents = [named_model_path(name).read_bytes() for name in ("conv_int8", "truncated")]
    tally: Counter[str] = Counter()
    good: set[str] = set()
    boundaries = {True: start, False: 0}  # a failing version has fewer
    for run in range(n_runs):
        is_good = run % 5 != 4
        number = place.add(contents[0] if is_good else contents[1])
        good |= {number} if is_good else set()
        before = place.holder()
        boundary = boundaries[is_good]
        was_killed = promote_and_kill(place, kind, folder, number, boundary)
        tally["killed" if was_killed else "finished"] += 1
        problem = find_problem(place, good, before, number)
        tally["moved"] += place.holder() == number
        if not problem and is_good and was_killed:
            again = subprocess.run(
                _command(place, number, ["-m", "tflint"]),
                cwd=folder,
                env=_environment(),
                capture_output=True,
                text=True,
            )
            if again.returncode or place.holder() != number:
                problem = f"the repeated promotion failed: {again.stdout}{again.stderr}"
        if problem:
            tally["wrong"] += 1
            print(f"run {run}, boundary {boundary}: {problem}", flush=True)
        boundaries[is_good] = boundary + 1 if was_killed else 0
        tally["boundaries"] = max(tally["boundaries"], boundaries[is_good])
    return tally


def _command(place: Place, number: str, start: list[str]) -> list[str]:
    arguments = ["registry", "promote", f"models:/{MODEL}/{number}", "--alias", ALIAS, "--registry", place.address]
    return [sys.executable, *start, *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), KEY_VARIABLE: KEY}


def main() -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.kill_promotions", description=__doc__)
    parser.add_argument("kind", choices=("folder", "mlflow"))
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_place(options.kind, Path(folder)) as place:
        tally = run_kills(place, options.kind, Path(folder), options.runs)
    print(", ".join(f"{tally[name]:,} {name}" for name in ("killed", "finished", "moved", "boundaries", "wrong")))
    return 1 if tally["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
