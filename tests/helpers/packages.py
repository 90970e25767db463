"""Builds and installs distributions, and runs git, for tests of what users install."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class Environment:
    """A fresh virtual environment. Dependencies come from the one the tests run in, so that no index is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run([sys.executable, "-m", "venv", str(folder)], cwd=folder.parent)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
        lenders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
        # A path file's folders come last, and path files in them do not count: no tflint is found there before ours.
        (self.packages / "lent.pth").write_text("\n".join(lenders) + "\n", encoding="utf-8")

    def pip_install(self, *what: str) -> None:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation"]
        self.python("-m", "pip", "install", *options, *what)

    def python(self, *arguments: str) -> str:
        return run([str(self.scripts / "python"), *arguments], cwd=self.folder)

    def command(self, name: str, *arguments: str, code: int = 0) -> str:
        return run([str(self.scripts / name), *arguments], cwd=self.folder, code=code)


def run(command: list[str], *, cwd: Path, code: int = 0) -> str:
    """Run a command as from a shell that knows nothing of this checkout; its output."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment["PYTHONNOUSERSITE"] = "1"
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == code, f"{command} left with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built(kind: str, project: Path, folder: Path) -> Path:
    """The wheel or the source distribution of a project."""
    run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)], cwd=project)
    (path,) = folder.iterdir()
    return path


def environment(**more: str) -> dict[str, str]:
    """The environment without what a hook that runs these tests, or the user's settings of git, would change."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    who = {f"GIT_{role}_{what}": "test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **more}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout
